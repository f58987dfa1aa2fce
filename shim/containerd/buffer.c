/* Buffers; see buffer.h. */
#include "shim/containerd/buffer.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE 4096

bool buffer_room(struct buffer *buffer, size_t more)
{
    if (more > SIZE_MAX / 2 - buffer->used)
        return false;
    size_t wanted = (buffer->used + more + PAGE - 1) / PAGE * PAGE;
    if (wanted <= buffer->size)
        return true;
    void *at = buffer->at
                   ? mremap(buffer->at, buffer->size, wanted, MREMAP_MAYMOVE)
                   : mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return false;
    buffer->at = at;
    buffer->size = wanted;
    return true;
}

void buffer_drop(struct buffer *buffer, size_t size)
{
    buffer->used -= size;
    if (size == 0)
        return;
    if (buffer->used > 0)
        memmove(buffer->at, buffer->at + size, buffer->used);
    else if (buffer->size > PAGE && mremap(buffer->at, buffer->size, PAGE, 0) != MAP_FAILED)
        buffer->size = PAGE;
}

ssize_t buffer_read(struct buffer *buffer, int fd, size_t most)
{
    if (!buffer_room(buffer, most)) {
        errno = ENOMEM;
        return -1;
    }
    ssize_t size = read(fd, buffer->at + buffer->used, most);
    if (size > 0)
        buffer->used += (size_t)size;
    return size;
}

bool buffer_send(struct buffer *buffer, int fd)
{
    size_t sent = 0;
    bool alive = true;
    while (sent < buffer->used) {
        ssize_t size =
            send(fd, buffer->at + sent, buffer->used - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0) {
            alive = size < 0 && errno == EAGAIN;
            break;
        }
        sent += (size_t)size;
    }
    buffer_drop(buffer, sent);
    return alive;
}

void buffer_free(struct buffer *buffer)
{
    if (buffer->at)
        munmap(buffer->at, buffer->size);
    *buffer = (struct buffer){0};
}
