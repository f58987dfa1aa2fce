/* Bytes that come in or wait to go out, in pages of their own: they grow for a large message, and
 * give the pages back when it is done. Nothing is allocated while a page is enough. */
#ifndef CARREL_SHIM_CONTAINERD_BUFFER_H
#define CARREL_SHIM_CONTAINERD_BUFFER_H

#include "engine/base/bytes.h"
#include <sys/types.h>

struct buffer {
    uint8_t *at; /* NULL: nothing yet */
    size_t size;
    size_t used;
};

/* Room for `more` bytes behind what is used. False if there is no memory. */
bool buffer_room(struct buffer *buffer, size_t more);

/* Takes the first `size` bytes away, and pages that are not needed any more with them. */
void buffer_drop(struct buffer *buffer, size_t size);

/* Appends what can be read from `fd` at once, at most `most` bytes. 0: the end; -1 with errno. */
ssize_t buffer_read(struct buffer *buffer, int fd, size_t most);

/* Sends what the socket `fd` takes, and drops it. False if the other side is gone. */
bool buffer_send(struct buffer *buffer, int fd);

void buffer_free(struct buffer *buffer);

/* Gives the pages back, if there is nothing in them. */
static inline void buffer_rest(struct buffer *buffer)
{
    if (buffer->used == 0)
        buffer_free(buffer);
}

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->at, buffer->used};
}

#endif
