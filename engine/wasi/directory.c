/* Directory readers; see directory.h. */
#include "engine/wasi/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

/* An entry as getdents64 writes it (its manual). */
struct record {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[];
};

static void let_go(struct wasi *wasi, struct wasi_held *held)
{
    (void)wasi;
    sys_close(((const struct directory *)held)->fd);
}

int directory_open(struct wasi *wasi, const struct descriptor *of, struct directory **ret)
{
    int fd = sys_open(of->fd, ".", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return fd;
    struct directory *directory = wasi_resource(wasi, sizeof *directory);
    if (!directory) {
        sys_close(fd);
        return -ENOMEM;
    }
    directory->fd = fd;
    wasi_hold(wasi, &directory->held, let_go);
    *ret = directory;
    return 0;
}

void directory_close(struct wasi *wasi, struct directory *directory)
{
    let_go(wasi, &directory->held);
    wasi_unhold(wasi, &directory->held);
    wasi_resource_end(wasi, directory);
}

static uint8_t type_of(uint8_t type)
{
    /* DT_ numbers are the file type bits of st_mode, shifted. */
    return type == DT_UNKNOWN ? TYPE_NOT_ASKED : descriptor_type_of((uint32_t)type << 12);
}

int directory_peek(struct directory *directory, struct entry *ret)
{
    if (directory->at == directory->len) {
        int64_t len = sys_getdents(directory->fd, directory->ahead, sizeof directory->ahead);
        directory->at = 0;
        directory->len = len > 0 ? (uint32_t)len : 0;
        if (len <= 0)
            return (int)len;
    }
    const struct record *record = (const struct record *)(directory->ahead + directory->at);
    *ret = (struct entry){.name = str_of(record->name),
                          .inode = record->inode,
                          .next = (uint64_t)record->next,
                          .type = type_of(record->type)};
    return 1;
}

void directory_skip(struct directory *directory)
{
    directory->at += ((const struct record *)(directory->ahead + directory->at))->size;
}

uint8_t directory_type(const struct directory *directory, const struct entry *entry)
{
    struct stat stat;
    if (entry->type != TYPE_NOT_ASKED)
        return entry->type;
    /* The name ends in a NUL where it was read to. */
    if (sys_stat(directory->fd, entry->name.at, &stat) < 0)
        return TYPE_UNKNOWN;
    return descriptor_type_of(stat.st_mode);
}

bool entry_is_dots(const struct entry *entry)
{
    return str_is(entry->name, ".") || str_is(entry->name, "..");
}
