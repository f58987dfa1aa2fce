/* What the functions of preview 1 share: a call with its memory, numbered descriptors, rights. */
#ifndef CARREL_WASI_P1_CALL_H
#define CARREL_WASI_P1_CALL_H

#include "engine/wasi/directory.h"
#include "engine/wasi/errors.h"
#include "engine/wasi/fs.h"
#include "engine/wasi/p1.h"
#include "engine/wasi/withheld.h"

/* --- Constants of the witx text, in its order ---------------------------------------------------
 */

enum {
    RIGHT_FD_DATASYNC,
    RIGHT_FD_READ,
    RIGHT_FD_SEEK,
    RIGHT_FD_FDSTAT_SET_FLAGS,
    RIGHT_FD_SYNC,
    RIGHT_FD_TELL,
    RIGHT_FD_WRITE,
    RIGHT_FD_ADVISE,
    RIGHT_FD_ALLOCATE,
    RIGHT_PATH_CREATE_DIRECTORY,
    RIGHT_PATH_CREATE_FILE,
    RIGHT_PATH_LINK_SOURCE,
    RIGHT_PATH_LINK_TARGET,
    RIGHT_PATH_OPEN,
    RIGHT_FD_READDIR,
    RIGHT_PATH_READLINK,
    RIGHT_PATH_RENAME_SOURCE,
    RIGHT_PATH_RENAME_TARGET,
    RIGHT_PATH_FILESTAT_GET,
    RIGHT_PATH_FILESTAT_SET_SIZE,
    RIGHT_PATH_FILESTAT_SET_TIMES,
    RIGHT_FD_FILESTAT_GET,
    RIGHT_FD_FILESTAT_SET_SIZE,
    RIGHT_FD_FILESTAT_SET_TIMES,
    RIGHT_PATH_SYMLINK,
    RIGHT_PATH_REMOVE_DIRECTORY,
    RIGHT_PATH_UNLINK_FILE,
    RIGHT_POLL_FD_READWRITE,
    RIGHT_SOCK_SHUTDOWN,
    RIGHT_SOCK_ACCEPT,
};
#define RIGHT(name) (UINT64_C(1) << RIGHT_##name)

enum {
    FDFLAG_APPEND = 1 << 0,
    FDFLAG_DSYNC = 1 << 1,
    FDFLAG_NONBLOCK = 1 << 2,
    FDFLAG_RSYNC = 1 << 3,
    FDFLAG_SYNC = 1 << 4,
};

#define LOOKUP_SYMLINK_FOLLOW 1u

/* --- Descriptors --------------------------------------------------------------------------------
 */

struct p1_file {
    struct descriptor *file; /* NULL: the number is free */
    uint64_t offset;
    uint64_t rights;
    uint64_t inheriting;
    uint16_t flags;            /* FDFLAG_ */
    const struct str *preopen; /* the name of a directory that was granted; else NULL */
    struct directory *reader;  /* of fd_readdir; NULL before */
    uint64_t cookie;           /* where the reader is */
};

struct p1 {
    struct vm *vm;
    struct wasi *wasi;
    struct p1_file *files;
    uint32_t count;      /* numbers there are, free ones too */
    uint32_t first_free; /* no number below it is free */
    struct instance *caller;
    struct linear_memory *memory; /* of the caller */
};

/* What can be done at most to a thing of that type (enum descriptor_type). */
uint64_t p1_rights_of_type(uint8_t type);

/* A free number for an open thing, which is handed over (also on failure, then it is released). */
uint16_t p1_file_add(struct p1 *p1, struct p1_file file, uint32_t *ret_fd);
uint16_t p1_add_listener(struct p1 *p1, struct descriptor *listener);
void p1_file_close(struct p1 *p1, struct p1_file *file);

/* --- Calls --------------------------------------------------------------------------------------
 */

/* What a function can answer beside an errno. */
enum { P1_BLOCKED = P1_ERRNOS, P1_TRAPPED };

struct p1_call {
    struct p1 *p1;
    struct wasi *wasi;
    const union slot *args;
    struct linear_memory *memory;
    struct native *frame;
    bool unstable; /* by the older module */
};

typedef uint16_t p1_fn(struct p1_call *call);

#define P1(name, ...) p1_fn p1_##name;
#include "policies/p1.def"
#undef P1

/* The open thing with that number. BADF, or NOTCAPABLE without all of `rights`. */
uint16_t p1_file_of(struct p1_call *call, uint32_t fd, uint64_t rights, struct p1_file **ret_file);

/* Writes into guest memory; false if it does not lie in there. */
bool p1_put(struct p1_call *call, uint64_t at, const void *from, size_t len);
bool p1_put_u32(struct p1_call *call, uint64_t at, uint32_t value);
bool p1_put_u64(struct p1_call *call, uint64_t at, uint64_t value);

/* A path in guest memory: FAULT, or ILSEQ if it is not UTF-8. Good until the next write. */
uint16_t p1_path(struct p1_call *call, uint32_t at, uint32_t len, struct str *ret_path);

/* A part of a scattered read or write: entry `index` of the list at `parts`. FAULT if the entry or
 * the part does not lie in memory. */
uint16_t p1_part(struct p1_call *call, uint32_t parts, uint32_t index, uint8_t **ret_at,
                 uint32_t *ret_len);

/* A stream that has nothing for us: waits, unless the guest asked not to. */
uint16_t p1_wait_or_again(struct p1_call *call, const struct p1_file *file, short events);

/* Suspends the fiber until `events` happen to `fd`. */
uint16_t p1_wait_fd(struct p1_call *call, int fd, short events);

/* Records a trap. */
uint16_t p1_no_memory(struct p1_call *call);

/* Types and times, as preview 1 has them. */
uint8_t p1_filetype(uint8_t descriptor_type);
uint64_t p1_timestamp(struct timespec time);

/* Writes a filestat, in the layout of the module that was called. */
bool p1_put_filestat(struct p1_call *call, uint32_t at, const struct stat *stat);

/* fstflags and two timestamps, as fs_set_times takes them. INVAL if they contradict each other. */
uint16_t p1_times(uint64_t access, uint64_t modification, uint32_t flags,
                  struct timespec ret_times[2]);

#endif
