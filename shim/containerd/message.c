/* Reading and writing protocol buffers; see message.h. What is read comes from whoever may connect
 * to the shim's socket, which is root; it is checked as if it did not. */
#include "shim/containerd/message.h"

#include <stddef.h>

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

enum field_kind { FIELD_NUMBER, FIELD_BYTES, FIELD_MANY };

struct field {
    uint8_t number;
    uint8_t kind;
    uint16_t offset; /* in the message's struct */
};

/* clang-format off */
#define MESSAGE(name) static const struct field fields_##name[] = {
#define NUMBER(message, number, field) {number, FIELD_NUMBER, offsetof(struct message_##message, field)},
#define BYTES(message, number, field) {number, FIELD_BYTES, offsetof(struct message_##message, field)},
#define MANY(message, number, field) {number, FIELD_MANY, offsetof(struct message_##message, field)},
#define END(message) };
#include "shim/containerd/message.def"

static const struct {
    const struct field *fields;
    uint16_t count;
    uint16_t size; /* of the struct */
} infos[OF_COUNT] = {
#define MESSAGE(name) {fields_##name, sizeof fields_##name / sizeof *fields_##name, sizeof(struct message_##name)},
#include "shim/containerd/message.def"
};
/* clang-format on */

/* --- Reading --------------------------------------------------------------------------------- */

static bool read_varint(struct bytes *from, uint64_t *ret)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (from->len == 0)
            return false;
        uint8_t byte = *from->at;
        from->at++;
        from->len--;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool take(struct bytes *from, uint64_t size, struct bytes *ret)
{
    if (size > from->len)
        return false;
    *ret = (struct bytes){from->at, (size_t)size};
    from->at += size;
    from->len -= (size_t)size;
    return true;
}

/* One field of the encoding. */
struct element {
    uint32_t number;
    enum wire wire;
    uint64_t value;     /* of WIRE_VARINT */
    struct bytes bytes; /* of WIRE_BYTES */
};

static bool read_element(struct bytes *from, struct element *ret)
{
    uint64_t key = 0, size = 0;
    if (!read_varint(from, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return false;
    ret->number = (uint32_t)(key >> 3);
    ret->wire = (enum wire)(key & 7);
    switch (ret->wire) {
    case WIRE_VARINT: return read_varint(from, &ret->value);
    case WIRE_FIXED64: return take(from, 8, &ret->bytes);
    case WIRE_FIXED32: return take(from, 4, &ret->bytes);
    case WIRE_BYTES: return read_varint(from, &size) && take(from, size, &ret->bytes);
    default: return false; /* groups, which nobody has written for many years */
    }
}

static const struct field *find(enum message_of of, uint32_t number)
{
    for (size_t i = 0; i < infos[of].count; i++) {
        if (infos[of].fields[i].number == number)
            return &infos[of].fields[i];
    }
    return NULL;
}

bool message_read(enum message_of of, struct bytes from, void *ret)
{
    const struct bytes whole = from;
    memset(ret, 0, infos[of].size);
    while (from.len > 0) {
        struct element element;
        if (!read_element(&from, &element))
            return false;
        const struct field *field = find(of, element.number);
        if (!field)
            continue;
        if (element.wire != (field->kind == FIELD_NUMBER ? WIRE_VARINT : WIRE_BYTES))
            return false;
        void *place = (char *)ret + field->offset;
        if (field->kind == FIELD_NUMBER)
            memcpy(place, &element.value, sizeof element.value);
        else
            memcpy(place, field->kind == FIELD_MANY ? &whole : &element.bytes, sizeof whole);
    }
    return true;
}

bool message_next(struct bytes *many, uint32_t number, struct bytes *ret)
{
    struct element element;
    while (many->len > 0 && read_element(many, &element)) {
        if (element.number == number && element.wire == WIRE_BYTES) {
            *ret = element.bytes;
            return true;
        }
    }
    return false;
}

bool bytes_copy(struct bytes bytes, char *to, size_t size)
{
    if (bytes.len >= size || (bytes.len && memchr(bytes.at, '\0', bytes.len)))
        return false;
    if (bytes.len)
        memcpy(to, bytes.at, bytes.len);
    to[bytes.len] = '\0';
    return true;
}

/* --- Writing --------------------------------------------------------------------------------- */

static void put(struct writer *writer, const void *bytes, size_t size)
{
    if (writer->used <= writer->size && size <= writer->size - writer->used && size)
        memcpy(writer->at + writer->used, bytes, size);
    writer->used += size;
}

static void put_varint(struct writer *writer, uint64_t value)
{
    uint8_t bytes[10];
    size_t count = 0;
    do {
        bytes[count] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        count++;
        value >>= 7;
    } while (value);
    put(writer, bytes, count);
}

void writer_bytes(struct writer *writer, uint32_t number, struct bytes bytes)
{
    put_varint(writer, (uint64_t)number << 3 | WIRE_BYTES);
    put_varint(writer, bytes.len);
    put(writer, bytes.at, bytes.len);
}

void message_write(enum message_of of, const void *from, struct writer *writer)
{
    for (size_t i = 0; i < infos[of].count; i++) {
        const struct field *field = &infos[of].fields[i];
        const void *place = (const char *)from + field->offset;
        if (field->kind == FIELD_NUMBER) {
            uint64_t value;
            memcpy(&value, place, sizeof value);
            if (value == 0)
                continue;
            put_varint(writer, (uint64_t)field->number << 3 | WIRE_VARINT);
            put_varint(writer, value);
        } else if (field->kind == FIELD_BYTES) {
            struct bytes bytes;
            memcpy(&bytes, place, sizeof bytes);
            if (bytes.len > 0)
                writer_bytes(writer, field->number, bytes);
        }
    }
}
