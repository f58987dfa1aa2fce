/* Whoever may connect to a shim's socket can send anything: each message of the table is read from
 * it, walked through, written, and read again to the same; and it is cut into frames. */
#include "shim/containerd/ttrpc.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct bytes bytes, struct bytes within)
{
    if (bytes.len && (bytes.at < within.at || bytes.at + bytes.len > within.at + within.len))
        abort();
}

/* Reads, writes, and reads: what was written the second time is what was written the first time. */
#define MESSAGE(name)                                                                              \
    static void try_##name(struct bytes from)                                                      \
    {                                                                                              \
        static uint8_t first[1 << 16], second[1 << 16];                                            \
        struct message_##name message, again;                                                      \
        struct writer one = WRITER(first), two = WRITER(second);                                   \
        if (!message_get(name, from, &message))                                                    \
            return;                                                                                \
        message_put(name, &message, &one);                                                         \
        if (one.used > one.size)                                                                   \
            return;                                                                                \
        if (!message_get(name, written(&one), &again))                                             \
            abort();                                                                               \
        message_put(name, &again, &two);                                                           \
        if (two.used != one.used || memcmp(first, second, one.used) != 0)                          \
            abort();
#define BYTES(message_name, number, field) use(message.field, from);
#define MANY(message_name, number, field)                                                          \
    for (struct bytes many = message.field, element; message_next(&many, number, &element);)       \
        use(element, from);
#define END(name) }
#include "shim/containerd/message.def"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = {data, size}, body;
    struct frame frame;
#define MESSAGE(name) try_##name(rest);
#include "shim/containerd/message.def"
    while (frame_find(rest, &frame, &body) == FRAME_WHOLE) {
        use(body, rest);
        try_request(body);
        rest = (struct bytes){body.at + body.len, rest.len - TTRPC_HEAD - body.len};
    }
    return 0;
}
