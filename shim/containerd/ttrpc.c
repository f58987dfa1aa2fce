/* ttrpc's frames; see ttrpc.h. */
#include "shim/containerd/ttrpc.h"

#include "engine/base/utf.h"
#include <stdio.h>
#include <string.h>

static uint32_t read_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void write_be32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

struct frame frame_read(const uint8_t head[TTRPC_HEAD])
{
    return (struct frame){read_be32(head), read_be32(head + 4), head[8], head[9]};
}

void frame_write(const struct frame *frame, uint8_t ret[TTRPC_HEAD])
{
    write_be32(ret, frame->size);
    write_be32(ret + 4, frame->stream);
    ret[8] = frame->type;
    ret[9] = frame->flags;
}

enum frame_found frame_find(struct bytes from, struct frame *ret, struct bytes *ret_body)
{
    if (from.len < TTRPC_HEAD)
        return FRAME_PART;
    *ret = frame_read(from.at);
    if (ret->size > TTRPC_MOST)
        return FRAME_TOO_LARGE;
    if (from.len - TTRPC_HEAD < ret->size)
        return FRAME_PART;
    *ret_body = (struct bytes){from.at + TTRPC_HEAD, ret->size};
    return FRAME_WHOLE;
}

/* Writes `message` behind a head whose place is kept until its size is known. */
static void put_frame(struct writer *writer, uint32_t stream, enum ttrpc_type type,
                      enum message_of of, const void *message)
{
    size_t start = writer->used;
    writer->used += TTRPC_HEAD;
    message_write(of, message, writer);
    if (writer->used > writer->size)
        return;
    const struct frame frame = {(uint32_t)(writer->used - start - TTRPC_HEAD), stream,
                                (uint8_t)type, 0};
    frame_write(&frame, writer->at + start);
}

void ttrpc_call(struct writer *writer, uint32_t stream, const char *service, const char *method,
                struct bytes payload)
{
    const struct message_request request = {bytes_of(service), bytes_of(method), payload, 0};
    put_frame(writer, stream, TTRPC_REQUEST, OF_request, &request);
}

/* Proto's strings are UTF-8: a client drops an answer that has other bytes, or the half of a
 * character that did not fit where the text was made. */
static const char *as_utf8(const char *text, char *space, size_t size)
{
    snprintf(space, size, "%s", text);
    for (char *at = space; *at && !utf8_valid((struct bytes){(uint8_t *)at, strlen(at)}); at++)
        *at = (unsigned char)*at < 0x80 ? *at : '?';
    return space;
}

void ttrpc_answer(struct writer *writer, uint32_t stream, enum ttrpc_code code, const char *text,
                  struct bytes payload)
{
    uint8_t buffer[1024];
    char said_text[sizeof buffer - 32];
    struct writer status = WRITER(buffer);
    struct message_response response = {.payload = payload};
    if (code != CODE_OK) {
        const struct message_status said = {(uint64_t)code,
                                            bytes_of(as_utf8(text, said_text, sizeof said_text))};
        message_put(status, &said, &status);
        response = (struct message_response){.status = written(&status)};
    }
    put_frame(writer, stream, TTRPC_RESPONSE, OF_response, &response);
}
