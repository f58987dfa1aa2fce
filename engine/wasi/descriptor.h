/* An open thing: a standard stream, a file or a directory. Descriptors of WASI 0.2, the streams
 * made from them and the numbers of preview 1 all refer to one of these; the last to let go closes
 * it. */
#ifndef CARREL_WASI_DESCRIPTOR_H
#define CARREL_WASI_DESCRIPTOR_H

#include "engine/wasi/wasi.h"

/* wasi:filesystem/types.descriptor-type, in its order. */
enum descriptor_type {
    TYPE_UNKNOWN,
    TYPE_BLOCK_DEVICE,
    TYPE_CHARACTER_DEVICE,
    TYPE_DIRECTORY,
    TYPE_FIFO,
    TYPE_SYMBOLIC_LINK,
    TYPE_REGULAR_FILE,
    TYPE_SOCKET,
    TYPE_NOT_ASKED, /* not of WASI: nobody wanted to know yet */
};

/* wasi:filesystem/types.descriptor-flags, in their order. */
enum {
    DESCRIPTOR_READ = 1 << 0,
    DESCRIPTOR_WRITE = 1 << 1,
    DESCRIPTOR_FILE_SYNC = 1 << 2,
    DESCRIPTOR_DATA_SYNC = 1 << 3,
    DESCRIPTOR_WRITE_SYNC = 1 << 4,
    DESCRIPTOR_MUTATE = 1 << 5, /* of a file: it was found in a directory that has it */
};

struct descriptor {
    struct wasi_held held;
    uint32_t refs;
    int fd;       /* -1: nothing is there */
    uint8_t type; /* enum descriptor_type */
    uint8_t flags;
    bool granted;      /* by the shim: not to be closed */
    bool writable;     /* of what lies below a directory: it may be written */
    bool no_links;     /* of a directory: see struct wasi_directory */
    uint8_t grant;     /* of a granted directory and what lies below it: its number */
    bool sequential;   /* it has no offsets: a stream, a FIFO, a device */
    bool never_blocks; /* its description is the cell's own: reading and writing give EAGAIN */
    bool never_waits;  /* a regular file, be it used as a stream */
    bool shut_in;      /* of a connection: nothing more is read, nothing more is written */
    bool shut_out;
    uint64_t writes; /* how often something was written; see output.c */
    /* What its streams accepted and could not write yet, in the order in which they did. */
    struct pending {
        uint8_t *at; /* NULL: nothing */
        uint32_t done;
        uint32_t len;
        uint32_t room;
    } pending;
};

/* With one reference. NULL as wasi_resource; `fd` is then closed unless it is negative. */
struct descriptor *descriptor_new(struct wasi *wasi, int fd);

struct descriptor *descriptor_keep(struct descriptor *descriptor);
void descriptor_release(struct wasi *wasi, struct descriptor *descriptor);

/* The type, asking the kernel the first time. Or a negated errno. */
int descriptor_type(struct descriptor *descriptor);

/* The type that st_mode tells. */
uint8_t descriptor_type_of(uint32_t mode);

/* Does reading or writing never wait, so that it is always ready? */
bool descriptor_never_waits(const struct descriptor *descriptor);

#endif
