/* Bytes on their way; see conn.h. */
#include "engine/serve/conn.h"

bool buffer_room(struct buffer *buffer, struct heap *heap, size_t more)
{
    if (buffer->at == buffer->len)
        buffer->at = buffer->len = 0;
    if (more <= buffer->room - buffer->len)
        return true;
    if (buffer->at && more <= buffer->room - buffer_left(buffer)) {
        memmove(buffer->bytes, buffer->bytes + buffer->at, buffer_left(buffer));
        buffer->len -= buffer->at;
        buffer->at = 0;
        return true;
    }
    size_t room = buffer->room ? buffer->room : 2048;
    while (room - buffer->len < more && room < UINT32_MAX / 2)
        room *= 2;
    if (room - buffer->len < more)
        return false;
    uint8_t *bytes = heap_resize(heap, buffer->bytes, room);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->room = (uint32_t)room;
    return true;
}

bool buffer_put(struct buffer *buffer, struct heap *heap, const void *from, size_t len)
{
    if (!buffer_room(buffer, heap, len))
        return false;
    if (len)
        memcpy(buffer->bytes + buffer->len, from, len);
    buffer->len += (uint32_t)len;
    return true;
}

void buffer_free(struct buffer *buffer, struct heap *heap)
{
    heap_give(heap, buffer->bytes);
    *buffer = (struct buffer){0};
}
