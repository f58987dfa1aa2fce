/* Protocol buffers, as far as message.def needs them: a table-driven reader and writer that neither
 * allocates nor copies. What is read points into what it was read from.
 * (protobuf.dev/programming-guides/encoding) */
#ifndef CARREL_SHIM_CONTAINERD_MESSAGE_H
#define CARREL_SHIM_CONTAINERD_MESSAGE_H

#include "engine/base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#define MESSAGE(name) struct message_##name {
#define NUMBER(message, number, field) uint64_t field;
#define BYTES(message, number, field) struct bytes field;
#define MANY(message, number, field) struct bytes field; /* the whole message; see message_next */
#define END(message) };
#include "shim/containerd/message.def"
/* clang-format on */

enum message_of {
#define MESSAGE(name) OF_##name,
#include "shim/containerd/message.def"
    OF_COUNT
};

/* Reads a message into `ret`, a struct message_NAME; what is not there is zero. False if `from` is
 * no protocol buffer, or if a field has another wire type than its row. */
bool message_read(enum message_of of, struct bytes from, void *ret);

/* Reads the message of a row: message_get(create_request, payload, &request). */
#define message_get(name, from, ret)                                                               \
    message_read(OF_##name, from, _Generic((ret), struct message_##name *: (ret)))

/* Walks through a repeated field of a message that was read: `many` is its MANY field, which is
 * advanced, `number` the field's. False at the end. */
bool message_next(struct bytes *many, uint32_t number, struct bytes *ret);

/* Where a message is written to. What does not fit is counted, and not written. */
struct writer {
    uint8_t *at;
    size_t size;
    size_t used; /* may exceed `size`: then the message is not whole */
};

#define WRITER(buffer) ((struct writer){(buffer), sizeof(buffer), 0})

/* Appends a message: numbers that are not zero, bytes that are not empty. MANY fields are not
 * written: see writer_bytes. */
void message_write(enum message_of of, const void *from, struct writer *writer);

#define message_put(name, from, writer)                                                            \
    message_write(                                                                                 \
        OF_##name,                                                                                 \
        _Generic((from), struct message_##name *: (from), const struct message_##name *: (from)),  \
        writer)

/* Appends one field of bytes, also if it is empty: an element of a MANY field. */
void writer_bytes(struct writer *writer, uint32_t number, struct bytes bytes);

/* What was written; nothing if it did not fit. */
static inline struct bytes written(const struct writer *writer)
{
    return (struct bytes){writer->at, writer->used <= writer->size ? writer->used : 0};
}

static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_are(struct bytes bytes, const char *text)
{
    return bytes.len == strlen(text) && (!bytes.len || memcmp(bytes.at, text, bytes.len) == 0);
}

/* Copies bytes as a C string. False if they do not fit in `size` bytes with the closing NUL, or if
 * they hold one. */
bool bytes_copy(struct bytes bytes, char *to, size_t size);

#endif
