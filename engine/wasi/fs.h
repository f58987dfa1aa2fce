/* The file system as both generations of WASI see it, in terms of open things, paths and errnos.
 * Functions answer a number that is not negative, or a negated errno.
 *
 * Two walls stand behind every right: what is checked here, and the mount behind the descriptor. */
#ifndef CARREL_WASI_FS_H
#define CARREL_WASI_FS_H

#include "engine/wasi/path.h"

/* wasi:filesystem/types.open-flags, in their order; oflags of preview 1 are the same. */
enum {
    OPEN_CREATE = 1 << 0,
    OPEN_DIRECTORY = 1 << 1,
    OPEN_EXCLUSIVE = 1 << 2,
    OPEN_TRUNCATE = 1 << 3,
};

/* --- Of something open --------------------------------------------------------------------------
 */

/* At most `len` and at most WASI_CHUNK bytes; 0 at the end of the file. */
int64_t fs_read(struct descriptor *file, void *to, uint64_t len, uint64_t offset);
int64_t fs_write(struct descriptor *file, const void *from, uint64_t len, uint64_t offset);
int64_t fs_append(struct descriptor *file, const void *from, uint64_t len);

/* `advice` counts as in both generations: normal, sequential, random, will-need, dont-need,
 * no-reuse. */
int fs_advise(struct descriptor *file, uint64_t offset, uint64_t len, uint8_t advice);
int fs_sync(struct descriptor *file);
int fs_sync_data(struct descriptor *file);
int fs_set_size(struct descriptor *file, uint64_t size);
int fs_allocate(struct descriptor *file, uint64_t offset, uint64_t len);
int fs_stat(struct descriptor *file, struct stat *ret);

/* Times as utimensat takes them: UTIME_NOW and UTIME_OMIT in tv_nsec. */
int fs_set_times(struct descriptor *file, const struct timespec times[2]);

/* A moment as WASI has it, for fs_set_times. EINVAL, EOVERFLOW if it is none. */
int fs_timespec(uint64_t seconds, uint64_t nanoseconds, struct timespec *ret);

/* 1: the same file or directory; 0: not. */
int fs_same(struct descriptor *a, struct descriptor *b);

/* A hash of what changes when a file does, keyed with a secret of this cell. */
void fs_hash(struct wasi *wasi, const struct stat *stat, uint64_t ret_hash[2]);

/* --- Below a directory --------------------------------------------------------------------------
 */

/* `open_flags` as above, `flags` of enum DESCRIPTOR_*. What is opened below a directory that may be
 * changed may be changed too. */
int fs_open_at(struct wasi *wasi, const struct descriptor *base, struct str path, bool follow,
               unsigned open_flags, unsigned flags, struct descriptor **ret_descriptor);

int fs_stat_at(const struct descriptor *base, struct str path, bool follow, struct stat *ret);
int fs_set_times_at(const struct descriptor *base, struct str path, bool follow,
                    const struct timespec times[2]);
int fs_create_directory_at(const struct descriptor *base, struct str path);
int fs_remove_directory_at(const struct descriptor *base, struct str path);
int fs_unlink_file_at(const struct descriptor *base, struct str path);

/* What a link says, in bytes; PATH_OUTSIDE if that is an absolute path. */
int64_t fs_readlink_at(const struct descriptor *base, struct str path, char to[WASI_PATH]);

int fs_symlink_at(struct str target, const struct descriptor *base, struct str path);
int fs_link_at(const struct descriptor *from_base, struct str from, bool follow,
               const struct descriptor *to_base, struct str to);
int fs_rename_at(const struct descriptor *from_base, struct str from,
                 const struct descriptor *to_base, struct str to);

#endif
