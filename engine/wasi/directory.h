/* Reading a directory, entry by entry: its own open description, so that several readers do not
 * disturb each other, and entries read ahead. */
#ifndef CARREL_WASI_DIRECTORY_H
#define CARREL_WASI_DIRECTORY_H

#include "engine/wasi/descriptor.h"

struct directory {
    struct wasi_held held;
    int fd;
    uint32_t at;  /* in `ahead` */
    uint32_t len; /* bytes there */
    _Alignas(8) uint8_t ahead[WASI_ENTRIES];
};

struct entry {
    struct str name; /* bytes of the host, perhaps no UTF-8; good until the next read */
    uint64_t inode;
    uint64_t next; /* a number that is this entry's own, not 0 */
    uint8_t type;  /* enum descriptor_type; TYPE_NOT_ASKED: the file system does not say */
};

/* A reader at the beginning. Or a negated errno. */
int directory_open(struct wasi *wasi, const struct descriptor *of, struct directory **ret);
void directory_close(struct wasi *wasi, struct directory *directory);

/* 1 and the next entry, `.` and `..` too; 0 at the end; or a negated errno. */
int directory_peek(struct directory *directory, struct entry *ret);

/* Goes past the entry that directory_peek gave. */
void directory_skip(struct directory *directory);

/* The type of an entry, asking for it where the file system did not say. */
uint8_t directory_type(const struct directory *directory, const struct entry *entry);

bool entry_is_dots(const struct entry *entry);

#endif
