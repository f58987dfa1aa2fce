/* The messages of containerd by the shim's codec and by protobuf-c's, whose descriptors are made
 * from the same rows: both read the same, or both refuse; and what the one writes, the other reads.
 */
#include "shim/containerd/message.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SPACE (1u << 16)

/* --- What protobuf-c makes of a row ------------------------------------------------------------
 */

/* clang-format off */
#define MESSAGE(name) struct peer_##name { ProtobufCMessage base;
#define NUMBER(message, number, field) uint64_t field;
#define BYTES(message, number, field) ProtobufCBinaryData field;
#define MANY(message, number, field) size_t n_##field; ProtobufCBinaryData *field;
#define END(message) };
#include "shim/containerd/message.def"

#define FIELD(message, number, field, label, type, counted) \
    {#field, number, label, type, counted, offsetof(struct peer_##message, field), NULL, NULL, 0, 0, NULL, NULL},
#define MESSAGE(name) static const ProtobufCFieldDescriptor fields_##name[] = {
#define NUMBER(message, number, field) FIELD(message, number, field, PROTOBUF_C_LABEL_NONE, PROTOBUF_C_TYPE_UINT64, 0)
#define BYTES(message, number, field)  FIELD(message, number, field, PROTOBUF_C_LABEL_NONE, PROTOBUF_C_TYPE_BYTES, 0)
#define MANY(message, number, field)   FIELD(message, number, field, PROTOBUF_C_LABEL_REPEATED, PROTOBUF_C_TYPE_BYTES, offsetof(struct peer_##message, n_##field))
#define END(message) };
#include "shim/containerd/message.def"

static ProtobufCMessageDescriptor descriptors[OF_COUNT] = {
#define MESSAGE(name) {PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC, #name, #name, #name, "", sizeof(struct peer_##name), \
                       sizeof fields_##name / sizeof *fields_##name, fields_##name, NULL, 0, NULL, NULL, NULL, NULL, NULL},
#include "shim/containerd/message.def"
};
/* clang-format on */

/* Numbers of fields in runs, as protobuf-c looks them up: a run for each. */
static void make_ranges(ProtobufCMessageDescriptor *of)
{
    ProtobufCIntRange *ranges = calloc(of->n_fields + 1, sizeof *ranges);
    for (unsigned i = 0; i < of->n_fields; i++)
        ranges[i] = (ProtobufCIntRange){(int)of->fields[i].id, i};
    ranges[of->n_fields] = (ProtobufCIntRange){0, of->n_fields};
    of->n_field_ranges = of->n_fields;
    of->field_ranges = ranges;
}

/* --- Both ---------------------------------------------------------------------------------------
 */

static void same_bytes(const char *field, struct bytes ours, ProtobufCBinaryData theirs)
{
    if (ours.len == theirs.len && (!ours.len || memcmp(ours.at, theirs.data, ours.len) == 0))
        return;
    fprintf(stderr, "%s: %zu bytes, and %zu\n", field, ours.len, theirs.len);
    abort();
}

static void same_number(const char *field, uint64_t ours, uint64_t theirs)
{
    if (ours == theirs)
        return;
    fprintf(stderr, "%s: %llx, and %llx\n", field, (unsigned long long)ours,
            (unsigned long long)theirs);
    abort();
}

#define MESSAGE(name)                                                                              \
    static void compare_##name(const struct message_##name *ours,                                  \
                               const struct peer_##name *theirs)                                   \
    {
#define NUMBER(message, number, field) same_number(#message "." #field, ours->field, theirs->field);
#define BYTES(message, number, field)  same_bytes(#message "." #field, ours->field, theirs->field);
#define MANY(message, number, field)                                                               \
    struct bytes many = ours->field, one;                                                          \
    size_t count = 0;                                                                              \
    for (; message_next(&many, number, &one) && count < theirs->n_##field; count++)                \
        same_bytes(#message "." #field, one, theirs->field[count]);                                \
    same_number(#message "." #field " (how many)", count, theirs->n_##field);
#define END(name) }
#include "shim/containerd/message.def"

/* --- Where the two need not agree ---------------------------------------------------------------
 */

/* A number as every writer writes it: no longer than it has to be. */
static bool plain_number(struct bytes *from, uint64_t *ret)
{
    *ret = 0;
    for (unsigned i = 0; i < 10 && from->len; i++) {
        uint8_t byte = *from->at;
        *ret |= (uint64_t)(byte & 0x7f) << (7 * i);
        from->at++;
        from->len--;
        if (!(byte & 0x80))
            return (byte || i == 0) && (i < 9 || byte == 1);
    }
    return false;
}

/* Nothing here but what writers write. Longer numbers, those of more than 64 bits, and fields
 * without a number are read by some and refused by others. */
static bool is_plain(struct bytes from)
{
    while (from.len) {
        uint64_t key = 0, value = 0;
        if (!plain_number(&from, &key) || key >> 3 == 0 || key >> 32)
            return false;
        unsigned wire = key & 7;
        if ((wire == 0 || wire == 2) && !plain_number(&from, &value))
            return false;
        uint64_t size = wire == 1 ? 8 : wire == 5 ? 4 : wire == 2 ? value : 0;
        if (wire == 3 || wire == 4 || wire > 5 || size > from.len)
            return false;
        from.at += size;
        from.len -= (size_t)size;
    }
    return true;
}

/* --- The comparison ------------------------------------------------------------------------------
 */

/* Reads by both, and writes by both what is then read by both again: `depth` times. */
#define MESSAGE(name)                                                                              \
    static void try_##name(struct bytes from, int depth)                                           \
    {                                                                                              \
        static uint8_t space[2][SPACE];                                                            \
        struct writer writer = WRITER(space[0]);                                                   \
        struct message_##name ours;                                                                \
        bool read = message_get(name, from, &ours);                                                \
        ProtobufCMessage *theirs =                                                                 \
            protobuf_c_message_unpack(&descriptors[OF_##name], NULL, from.len, from.at);           \
        if (read != (theirs != NULL) && is_plain(from))                                            \
            abort();                                                                               \
        if (read && theirs)                                                                        \
            compare_##name(&ours, (const struct peer_##name *)theirs);                             \
        size_t packed = read && theirs ? protobuf_c_message_get_packed_size(theirs) : SPACE + 1;   \
        if (depth > 0 && packed <= SPACE) {                                                        \
            message_put(name, &ours, &writer);                                                     \
            protobuf_c_message_pack(theirs, space[1]);                                             \
            try_##name(written(&writer), 0);                                                       \
            try_##name((struct bytes){space[1], packed}, 0);                                       \
        }                                                                                          \
        if (theirs)                                                                                \
            protobuf_c_message_free_unpacked(theirs, NULL);                                        \
    }
#include "shim/containerd/message.def"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    for (size_t i = 0; !ready && i < OF_COUNT; i++)
        make_ranges(&descriptors[i]);
    ready = true;
    if (size > SPACE)
        return 0;
#define MESSAGE(name) try_##name((struct bytes){data, size}, 1);
#include "shim/containerd/message.def"
    return 0;
}
