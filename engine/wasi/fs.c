/* What is done to open files and directories; see fs.h. */
#include "engine/wasi/fs.h"

#include <errno.h>
#include <fcntl.h>

static size_t chunk(uint64_t len)
{
    return len < WASI_CHUNK ? (size_t)len : WASI_CHUNK;
}

int64_t fs_read(struct descriptor *file, void *to, uint64_t len, uint64_t offset)
{
    if (file->type == TYPE_DIRECTORY)
        return -EISDIR; /* whichever way it was opened */
    if (!(file->flags & DESCRIPTOR_READ))
        return -EBADF;
    return sys_pread(file->fd, to, chunk(len), offset);
}

int64_t fs_write(struct descriptor *file, const void *from, uint64_t len, uint64_t offset)
{
    if (!(file->flags & DESCRIPTOR_WRITE))
        return -EBADF;
    file->writes++;
    return sys_pwrite(file->fd, from, chunk(len), offset);
}

int64_t fs_append(struct descriptor *file, const void *from, uint64_t len)
{
    if (!(file->flags & DESCRIPTOR_WRITE))
        return -EBADF;
    file->writes++;
    return sys_append(file->fd, from, chunk(len));
}

int fs_advise(struct descriptor *file, uint64_t offset, uint64_t len, uint8_t advice)
{
    static const int advices[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                  POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    if (advice >= sizeof advices / sizeof advices[0] || offset > INT64_MAX || len > INT64_MAX)
        return -EINVAL;
    return sys_advise(file->fd, offset, len, advices[advice]);
}

/* Only what was opened for writing has anything to bring to the disk (WIT, sync). */
int fs_sync(struct descriptor *file)
{
    return file->flags & DESCRIPTOR_WRITE ? sys_sync(file->fd) : 0;
}

int fs_sync_data(struct descriptor *file)
{
    return file->flags & DESCRIPTOR_WRITE ? sys_sync_data(file->fd) : 0;
}

int fs_set_size(struct descriptor *file, uint64_t size)
{
    if (!(file->flags & DESCRIPTOR_WRITE))
        return -EINVAL; /* as ftruncate says it */
    return sys_truncate(file->fd, size);
}

int fs_allocate(struct descriptor *file, uint64_t offset, uint64_t len)
{
    if (!(file->flags & DESCRIPTOR_WRITE))
        return -EBADF;
    return sys_allocate(file->fd, offset, len);
}

int fs_stat(struct descriptor *file, struct stat *ret)
{
    int error = sys_stat(file->fd, "", ret);
    if (error == 0)
        file->type = descriptor_type_of(ret->st_mode);
    return error;
}

int fs_set_times(struct descriptor *file, const struct timespec times[2])
{
    if (!file->writable)
        return -EROFS;
    return sys_set_times(file->fd, "", times);
}

int fs_timespec(uint64_t seconds, uint64_t nanoseconds, struct timespec *ret)
{
    /* Above a second lie the kernel's own words for "now" and "as it was". */
    if (nanoseconds >= 1000000000)
        return -EINVAL;
    if (seconds > INT64_MAX)
        return -EOVERFLOW;
    *ret = (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)nanoseconds};
    return 0;
}

int fs_same(struct descriptor *a, struct descriptor *b)
{
    struct stat of_a;
    struct stat of_b;
    int error = fs_stat(a, &of_a);
    if (error < 0)
        return error;
    error = fs_stat(b, &of_b);
    if (error < 0)
        return error;
    return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

void fs_hash(struct wasi *wasi, const struct stat *stat, uint64_t ret_hash[2])
{
    uint64_t facts[] = {(uint64_t)stat->st_dev,          (uint64_t)stat->st_ino,
                        (uint64_t)stat->st_size,         (uint64_t)stat->st_mtim.tv_sec,
                        (uint64_t)stat->st_mtim.tv_nsec, (uint64_t)stat->st_mode & S_IFMT};
    siphash128(wasi_numbers(wasi)->hash_key, facts, sizeof facts, ret_hash);
}
