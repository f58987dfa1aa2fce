/* The numbered descriptors of preview 1, and what their functions tell about files. */
#include "engine/wasi/p1_call.h"

#include <errno.h>

/* --- Rights by type -----------------------------------------------------------------------------
 */

static const uint64_t stream_rights = RIGHT(FD_READ) | RIGHT(FD_WRITE) |
                                      RIGHT(FD_FDSTAT_SET_FLAGS) | RIGHT(FD_FILESTAT_GET) |
                                      RIGHT(POLL_FD_READWRITE);
static const uint64_t file_rights = RIGHT(FD_READ) | RIGHT(FD_WRITE) | RIGHT(FD_FDSTAT_SET_FLAGS) |
                                    RIGHT(FD_FILESTAT_GET) | RIGHT(POLL_FD_READWRITE) |
                                    RIGHT(FD_DATASYNC) | RIGHT(FD_SEEK) | RIGHT(FD_SYNC) |
                                    RIGHT(FD_TELL) | RIGHT(FD_ADVISE) | RIGHT(FD_ALLOCATE) |
                                    RIGHT(FD_FILESTAT_SET_SIZE) | RIGHT(FD_FILESTAT_SET_TIMES);
static const uint64_t directory_rights =
    RIGHT(FD_FDSTAT_SET_FLAGS) | RIGHT(FD_SYNC) | RIGHT(FD_ADVISE) | RIGHT(PATH_CREATE_DIRECTORY) |
    RIGHT(PATH_CREATE_FILE) | RIGHT(PATH_LINK_SOURCE) | RIGHT(PATH_LINK_TARGET) | RIGHT(PATH_OPEN) |
    RIGHT(FD_READDIR) | RIGHT(PATH_READLINK) | RIGHT(PATH_RENAME_SOURCE) |
    RIGHT(PATH_RENAME_TARGET) | RIGHT(PATH_FILESTAT_GET) | RIGHT(PATH_FILESTAT_SET_SIZE) |
    RIGHT(PATH_FILESTAT_SET_TIMES) | RIGHT(FD_FILESTAT_GET) | RIGHT(FD_FILESTAT_SET_TIMES) |
    RIGHT(PATH_SYMLINK) | RIGHT(PATH_REMOVE_DIRECTORY) | RIGHT(PATH_UNLINK_FILE) |
    RIGHT(POLL_FD_READWRITE);

uint64_t p1_rights_of_type(uint8_t type)
{
    if (type == TYPE_DIRECTORY)
        return directory_rights;
    return type == TYPE_REGULAR_FILE ? file_rights : stream_rights;
}

/* --- Numbers ------------------------------------------------------------------------------------
 */

/* The lowest free number, as programs expect. */
static bool free_number(struct p1 *p1, uint32_t *ret_fd)
{
    uint32_t fd = p1->first_free;
    while (fd < p1->count && p1->files[fd].file)
        fd++;
    if (fd == p1->count) {
        uint32_t more = p1->count ? p1->count * 2 : 16;
        if (more > WASI_P1_FDS)
            return false;
        struct p1_file *files = heap_resize(p1->wasi->heap, p1->files, more * sizeof *files);
        if (!files)
            return false;
        memset(files + p1->count, 0, (more - p1->count) * sizeof *files);
        p1->files = files;
        p1->count = more;
    }
    p1->first_free = fd + 1;
    *ret_fd = fd;
    return true;
}

uint16_t p1_file_add(struct p1 *p1, struct p1_file file, uint32_t *ret_fd)
{
    if (!free_number(p1, ret_fd)) {
        descriptor_release(p1->wasi, file.file);
        return P1_MFILE;
    }
    p1->files[*ret_fd] = file;
    return P1_SUCCESS;
}

void p1_file_close(struct p1 *p1, struct p1_file *file)
{
    if (file->reader)
        directory_close(p1->wasi, file->reader);
    descriptor_release(p1->wasi, file->file);
    *file = (struct p1_file){0};
    uint32_t fd = (uint32_t)(file - p1->files);
    p1->first_free = fd < p1->first_free ? fd : p1->first_free;
}

uint16_t p1_file_of(struct p1_call *call, uint32_t fd, uint64_t rights, struct p1_file **ret_file)
{
    struct p1 *p1 = call->p1;
    if (fd >= p1->count || !p1->files[fd].file)
        return P1_BADF;
    *ret_file = &p1->files[fd];
    return rights & ~p1->files[fd].rights ? P1_NOTCAPABLE : P1_SUCCESS;
}

struct p1 *p1_new(struct vm *vm, struct wasi *wasi)
{
    struct p1 *p1 = heap_zeroed(wasi->heap, 1, sizeof *p1);
    if (!p1)
        return NULL;
    p1->vm = vm;
    p1->wasi = wasi;
    uint32_t fd;
    for (int i = 0; i < 3; i++) {
        struct p1_file file = {.file = descriptor_keep(wasi->streams[i])};
        file.rights = stream_rights & ~(i == 0 ? RIGHT(FD_WRITE) : RIGHT(FD_READ));
        if (p1_file_add(p1, file, &fd) != P1_SUCCESS)
            return NULL;
    }
    for (size_t i = 0; i < wasi->npreopens; i++) {
        struct p1_file file = {.file = descriptor_keep(wasi->preopens[i].descriptor),
                               .rights = directory_rights,
                               .inheriting = directory_rights | file_rights,
                               .preopen = &wasi->preopens[i].name};
        if (p1_file_add(p1, file, &fd) != P1_SUCCESS)
            return NULL;
    }
    /* Behind the directories: libraries look for those from 3 on, up to the first number that is
     * none. */
    for (size_t i = 0; i < wasi->nlisteners; i++)
        if (p1_add_listener(p1, descriptor_keep(wasi->listeners[i])) != P1_SUCCESS)
            return NULL;
    return p1;
}

uint16_t p1_fd_close(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = p1_file_of(call, call->args[0].u32, 0, &file);
    if (error == P1_SUCCESS)
        p1_file_close(call->p1, file);
    return error;
}

uint16_t p1_fd_renumber(struct p1_call *call)
{
    struct p1_file *from;
    struct p1_file *to;
    uint16_t error = p1_file_of(call, call->args[0].u32, 0, &from);
    if (error == P1_SUCCESS)
        error = p1_file_of(call, call->args[1].u32, 0, &to);
    if (error != P1_SUCCESS || from == to)
        return error;
    struct p1_file moved = *from;
    p1_file_close(call->p1, to);
    *to = moved;
    *from = (struct p1_file){0};
    uint32_t fd = call->args[0].u32;
    if (fd < call->p1->first_free)
        call->p1->first_free = fd;
    return P1_SUCCESS;
}

/* --- What is told about a descriptor ------------------------------------------------------------
 */

uint16_t p1_fd_fdstat_get(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = p1_file_of(call, call->args[0].u32, 0, &file);
    if (error != P1_SUCCESS)
        return error;
    int type = descriptor_type(file->file);
    if (type < 0)
        return p1_errno_of(type);
    struct {
        uint8_t filetype;
        uint16_t flags;
        uint64_t rights;
        uint64_t inheriting;
    } stat;
    memset(&stat, 0, sizeof stat);
    stat.filetype = p1_filetype((uint8_t)type);
    stat.flags = file->flags;
    stat.rights = file->rights;
    stat.inheriting = file->inheriting;
    return p1_put(call, call->args[1].u32, &stat, sizeof stat) ? P1_SUCCESS : P1_FAULT;
}

/* What the kernel decided when it was opened stays so. */
uint16_t p1_fd_fdstat_set_flags(struct p1_call *call)
{
    const uint32_t changing = FDFLAG_APPEND | FDFLAG_NONBLOCK;
    struct p1_file *file;
    uint32_t flags = call->args[1].u32;
    uint16_t error = p1_file_of(call, call->args[0].u32, RIGHT(FD_FDSTAT_SET_FLAGS), &file);
    if (error != P1_SUCCESS)
        return error;
    if (flags & ~(uint32_t)(changing | FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC))
        return P1_INVAL;
    if ((flags ^ file->flags) & ~changing)
        return P1_NOTSUP;
    file->flags = (uint16_t)flags;
    return P1_SUCCESS;
}

uint16_t p1_fd_fdstat_set_rights(struct p1_call *call)
{
    struct p1_file *file;
    uint64_t rights = call->args[1].u64;
    uint64_t inheriting = call->args[2].u64;
    uint16_t error = p1_file_of(call, call->args[0].u32, 0, &file);
    if (error != P1_SUCCESS)
        return error;
    if (rights & ~file->rights || inheriting & ~file->inheriting)
        return P1_NOTCAPABLE;
    file->rights = rights;
    file->inheriting = inheriting;
    return P1_SUCCESS;
}

uint16_t p1_fd_prestat_get(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = p1_file_of(call, call->args[0].u32, 0, &file);
    if (error != P1_SUCCESS)
        return error;
    if (!file->preopen)
        return P1_BADF;
    uint32_t stat[2] = {0 /* a directory */, (uint32_t)file->preopen->len};
    return p1_put(call, call->args[1].u32, stat, sizeof stat) ? P1_SUCCESS : P1_FAULT;
}

uint16_t p1_fd_prestat_dir_name(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = p1_file_of(call, call->args[0].u32, 0, &file);
    if (error != P1_SUCCESS)
        return error;
    if (!file->preopen)
        return P1_BADF;
    if (file->preopen->len > call->args[2].u32)
        return P1_NAMETOOLONG;
    return p1_put(call, call->args[1].u32, file->preopen->at, file->preopen->len) ? P1_SUCCESS
                                                                                  : P1_FAULT;
}

/* --- Attributes ---------------------------------------------------------------------------------
 */

uint64_t p1_timestamp(struct timespec time)
{
    uint64_t nanoseconds;
    if (time.tv_sec < 0)
        return 0;
    if (__builtin_mul_overflow((uint64_t)time.tv_sec, UINT64_C(1000000000), &nanoseconds))
        return UINT64_MAX;
    return nanoseconds + (uint64_t)time.tv_nsec;
}

bool p1_put_filestat(struct p1_call *call, uint32_t at, const struct stat *stat)
{
    uint64_t words[8] = {(uint64_t)stat->st_dev, (uint64_t)stat->st_ino};
    uint64_t *times = words + 5;
    uint8_t type = p1_filetype(descriptor_type_of(stat->st_mode));
    if (call->unstable) { /* the number of links has 32 bits and shares a word with the type */
        words[2] = type | (uint64_t)(uint32_t)stat->st_nlink << 32;
        words[3] = (uint64_t)stat->st_size;
        times = words + 4;
    } else {
        words[2] = type;
        words[3] = (uint64_t)stat->st_nlink;
        words[4] = (uint64_t)stat->st_size;
    }
    times[0] = p1_timestamp(stat->st_atim);
    times[1] = p1_timestamp(stat->st_mtim);
    times[2] = p1_timestamp(stat->st_ctim);
    return p1_put(call, at, words, call->unstable ? 56 : 64);
}

uint16_t p1_fd_filestat_get(struct p1_call *call)
{
    struct p1_file *file;
    struct stat stat;
    uint16_t error = p1_file_of(call, call->args[0].u32, RIGHT(FD_FILESTAT_GET), &file);
    if (error != P1_SUCCESS)
        return error;
    memset(&stat, 0, sizeof stat);
    bool socket = file->file->type == TYPE_SOCKET;
    if (socket || (file->file->granted && file->file->type != TYPE_DIRECTORY)) {
        /* A standard stream: whose it is and how long is the host's business. */
        stat.st_nlink = 1;
        stat.st_mode = socket                                      ? S_IFSOCK
                       : file->file->type == TYPE_REGULAR_FILE     ? S_IFREG
                       : file->file->type == TYPE_CHARACTER_DEVICE ? S_IFCHR
                                                                   : S_IFIFO;
    } else {
        int failed = fs_stat(file->file, &stat);
        if (failed < 0)
            return p1_errno_of(failed);
    }
    return p1_put_filestat(call, call->args[1].u32, &stat) ? P1_SUCCESS : P1_FAULT;
}

uint16_t p1_fd_filestat_set_size(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = p1_file_of(call, call->args[0].u32, RIGHT(FD_FILESTAT_SET_SIZE), &file);
    return error == P1_SUCCESS ? p1_errno_of(fs_set_size(file->file, call->args[1].u64)) : error;
}

static uint16_t time_of(uint64_t timestamp, bool given, bool now, struct timespec *ret_time)
{
    if (given && now)
        return P1_INVAL;
    *ret_time = (struct timespec){.tv_nsec = now ? UTIME_NOW : UTIME_OMIT};
    return given
               ? p1_errno_of(fs_timespec(timestamp / 1000000000, timestamp % 1000000000, ret_time))
               : P1_SUCCESS;
}

uint16_t p1_times(uint64_t access, uint64_t modification, uint32_t flags,
                  struct timespec ret_times[2])
{
    if (flags & ~15u)
        return P1_INVAL;
    uint16_t error = time_of(access, flags & 1, flags & 2, &ret_times[0]);
    return error == P1_SUCCESS ? time_of(modification, flags & 4, flags & 8, &ret_times[1]) : error;
}

uint16_t p1_fd_filestat_set_times(struct p1_call *call)
{
    struct p1_file *file;
    struct timespec times[2];
    uint16_t error = p1_file_of(call, call->args[0].u32, RIGHT(FD_FILESTAT_SET_TIMES), &file);
    if (error == P1_SUCCESS)
        error = p1_times(call->args[1].u64, call->args[2].u64, call->args[3].u32, times);
    if (error != P1_SUCCESS)
        return error;
    int failed = fs_set_times(file->file, times);
    withheld_path(call->wasi, ASK_ROW_p1_fd_filestat_set_times, WASI_CAP_DIR_WRITE, file->file,
                  (struct str){0}, failed);
    return p1_errno_of(failed);
}

uint16_t p1_fd_advise(struct p1_call *call)
{
    struct p1_file *file;
    uint32_t advice = call->args[3].u32;
    uint16_t error = p1_file_of(call, call->args[0].u32, RIGHT(FD_ADVISE), &file);
    if (error != P1_SUCCESS)
        return error;
    return p1_errno_of(fs_advise(file->file, call->args[1].u64, call->args[2].u64,
                                 advice < UINT8_MAX ? (uint8_t)advice : UINT8_MAX));
}

uint16_t p1_fd_allocate(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = p1_file_of(call, call->args[0].u32, RIGHT(FD_ALLOCATE), &file);
    if (error != P1_SUCCESS)
        return error;
    return p1_errno_of(fs_allocate(file->file, call->args[1].u64, call->args[2].u64));
}

uint16_t p1_fd_sync(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = p1_file_of(call, call->args[0].u32, RIGHT(FD_SYNC), &file);
    return error == P1_SUCCESS ? p1_errno_of(fs_sync(file->file)) : error;
}

uint16_t p1_fd_datasync(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = p1_file_of(call, call->args[0].u32, RIGHT(FD_DATASYNC), &file);
    return error == P1_SUCCESS ? p1_errno_of(fs_sync_data(file->file)) : error;
}
