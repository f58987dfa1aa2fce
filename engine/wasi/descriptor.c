/* The life of open things; see descriptor.h. */
#include "engine/wasi/descriptor.h"

static void let_go(struct wasi *wasi, struct wasi_held *held)
{
    const struct descriptor *descriptor = (const struct descriptor *)held;
    (void)wasi;
    if (descriptor->fd >= 0 && !descriptor->granted)
        sys_close(descriptor->fd);
}

struct descriptor *descriptor_new(struct wasi *wasi, int fd)
{
    struct descriptor *descriptor = wasi_resource(wasi, sizeof *descriptor);
    if (!descriptor) {
        if (fd >= 0)
            sys_close(fd);
        return NULL;
    }
    descriptor->refs = 1;
    descriptor->fd = fd;
    descriptor->type = TYPE_NOT_ASKED;
    wasi_hold(wasi, &descriptor->held, let_go);
    return descriptor;
}

struct descriptor *descriptor_keep(struct descriptor *descriptor)
{
    descriptor->refs++;
    return descriptor;
}

void descriptor_release(struct wasi *wasi, struct descriptor *descriptor)
{
    if (--descriptor->refs)
        return;
    let_go(wasi, &descriptor->held);
    wasi_unhold(wasi, &descriptor->held);
    heap_give(wasi->heap, descriptor->pending.at);
    wasi_resource_end(wasi, descriptor);
}

uint8_t descriptor_type_of(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFBLK: return TYPE_BLOCK_DEVICE;
    case S_IFCHR: return TYPE_CHARACTER_DEVICE;
    case S_IFDIR: return TYPE_DIRECTORY;
    case S_IFIFO: return TYPE_FIFO;
    case S_IFLNK: return TYPE_SYMBOLIC_LINK;
    case S_IFREG: return TYPE_REGULAR_FILE;
    case S_IFSOCK: return TYPE_SOCKET;
    default: return TYPE_UNKNOWN;
    }
}

int descriptor_type(struct descriptor *descriptor)
{
    if (descriptor->type == TYPE_NOT_ASKED) {
        struct stat stat;
        int error = sys_stat(descriptor->fd, "", &stat);
        if (error < 0)
            return error;
        descriptor->type = descriptor_type_of(stat.st_mode);
    }
    return descriptor->type;
}

bool descriptor_never_waits(const struct descriptor *descriptor)
{
    return descriptor->type == TYPE_REGULAR_FILE || !descriptor->sequential ||
           descriptor->never_waits;
}
