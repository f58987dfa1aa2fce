/* The functions of preview 1 that take a path, and reading directories. */
#include "engine/wasi/p1_call.h"

#include <errno.h>

/* The directory in argument `fd` and the path in the two arguments from `path` on. */
static uint16_t at(struct p1_call *call, unsigned fd, unsigned path, uint64_t rights,
                   struct p1_file **ret_base, struct str *ret_path)
{
    uint16_t error = p1_file_of(call, call->args[fd].u32, rights, ret_base);
    if (error == P1_NOTCAPABLE && (*ret_base)->file->type != TYPE_DIRECTORY)
        return P1_NOTDIR;
    if (error != P1_SUCCESS)
        return error;
    return p1_path(call, call->args[path].u32, call->args[path + 1].u32, ret_path);
}

/* A refusal is told to the shim. */
static uint16_t answer(struct p1_call *call, enum ask_row row, enum wasi_capability capability,
                       const struct p1_file *base, struct str path, int64_t error)
{
    withheld_path(call->wasi, row, capability, base->file, path, error);
    return p1_errno_of(error);
}

uint16_t p1_path_create_directory(struct p1_call *call)
{
    struct p1_file *base;
    struct str path;
    uint16_t error = at(call, 0, 1, RIGHT(PATH_CREATE_DIRECTORY), &base, &path);
    if (error != P1_SUCCESS)
        return error;
    return answer(call, ASK_ROW_p1_path_create_directory, WASI_CAP_DIR_MUTATE, base, path,
                  fs_create_directory_at(base->file, path));
}

uint16_t p1_path_remove_directory(struct p1_call *call)
{
    struct p1_file *base;
    struct str path;
    uint16_t error = at(call, 0, 1, RIGHT(PATH_REMOVE_DIRECTORY), &base, &path);
    if (error != P1_SUCCESS)
        return error;
    return answer(call, ASK_ROW_p1_path_remove_directory, WASI_CAP_DIR_MUTATE, base, path,
                  fs_remove_directory_at(base->file, path));
}

uint16_t p1_path_unlink_file(struct p1_call *call)
{
    struct p1_file *base;
    struct str path;
    uint16_t error = at(call, 0, 1, RIGHT(PATH_UNLINK_FILE), &base, &path);
    if (error != P1_SUCCESS)
        return error;
    return answer(call, ASK_ROW_p1_path_unlink_file, WASI_CAP_DIR_MUTATE, base, path,
                  fs_unlink_file_at(base->file, path));
}

uint16_t p1_path_filestat_get(struct p1_call *call)
{
    struct p1_file *base;
    struct str path;
    struct stat stat;
    uint16_t error = at(call, 0, 2, RIGHT(PATH_FILESTAT_GET), &base, &path);
    if (error != P1_SUCCESS)
        return error;
    int failed = fs_stat_at(base->file, path, call->args[1].u32 & LOOKUP_SYMLINK_FOLLOW, &stat);
    if (failed < 0)
        return answer(call, ASK_ROW_p1_path_filestat_get, WASI_CAP_DIR_READ, base, path, failed);
    return p1_put_filestat(call, call->args[4].u32, &stat) ? P1_SUCCESS : P1_FAULT;
}

uint16_t p1_path_filestat_set_times(struct p1_call *call)
{
    struct p1_file *base;
    struct str path;
    struct timespec times[2];
    uint16_t error = at(call, 0, 2, RIGHT(PATH_FILESTAT_SET_TIMES), &base, &path);
    if (error == P1_SUCCESS)
        error = p1_times(call->args[4].u64, call->args[5].u64, call->args[6].u32, times);
    if (error != P1_SUCCESS)
        return error;
    bool follow = call->args[1].u32 & LOOKUP_SYMLINK_FOLLOW;
    return answer(call, ASK_ROW_p1_path_filestat_set_times, WASI_CAP_DIR_WRITE, base, path,
                  fs_set_times_at(base->file, path, follow, times));
}

uint16_t p1_path_link(struct p1_call *call)
{
    struct p1_file *from_base;
    struct p1_file *to_base;
    struct str from;
    struct str to;
    uint16_t error = at(call, 0, 2, RIGHT(PATH_LINK_SOURCE), &from_base, &from);
    if (error == P1_SUCCESS)
        error = at(call, 4, 5, RIGHT(PATH_LINK_TARGET), &to_base, &to);
    if (error != P1_SUCCESS)
        return error;
    bool follow = call->args[1].u32 & LOOKUP_SYMLINK_FOLLOW;
    int failed = fs_link_at(from_base->file, from, follow, to_base->file, to);
    withheld_paths(call->wasi, ASK_ROW_p1_path_link, from_base->file, from, to_base->file, to,
                   failed);
    return p1_errno_of(failed);
}

uint16_t p1_path_rename(struct p1_call *call)
{
    struct p1_file *from_base;
    struct p1_file *to_base;
    struct str from;
    struct str to;
    uint16_t error = at(call, 0, 1, RIGHT(PATH_RENAME_SOURCE), &from_base, &from);
    if (error == P1_SUCCESS)
        error = at(call, 3, 4, RIGHT(PATH_RENAME_TARGET), &to_base, &to);
    if (error != P1_SUCCESS)
        return error;
    int failed = fs_rename_at(from_base->file, from, to_base->file, to);
    withheld_paths(call->wasi, ASK_ROW_p1_path_rename, from_base->file, from, to_base->file, to,
                   failed);
    return p1_errno_of(failed);
}

uint16_t p1_path_symlink(struct p1_call *call)
{
    struct p1_file *base;
    struct str target;
    struct str path;
    uint16_t error = at(call, 2, 3, RIGHT(PATH_SYMLINK), &base, &path);
    if (error == P1_SUCCESS)
        error = p1_path(call, call->args[0].u32, call->args[1].u32, &target);
    if (error != P1_SUCCESS)
        return error;
    int failed = fs_symlink_at(target, base->file, path);
    bool of_target = failed == -PATH_OUTSIDE && !path_leaves(base->file, path);
    return answer(call, ASK_ROW_p1_path_symlink, WASI_CAP_DIR_MUTATE, base,
                  of_target ? target : path, failed);
}

uint16_t p1_path_readlink(struct p1_call *call)
{
    struct p1_file *base;
    struct str path;
    char text[WASI_PATH];
    uint16_t error = at(call, 0, 1, RIGHT(PATH_READLINK), &base, &path);
    if (error != P1_SUCCESS)
        return error;
    int64_t len = fs_readlink_at(base->file, path, text);
    if (len < 0)
        return answer(call, ASK_ROW_p1_path_readlink, WASI_CAP_DIR_READ, base, path, len);
    uint32_t room = call->args[4].u32;
    uint32_t put = (uint64_t)len < room ? (uint32_t)len : room;
    return p1_put(call, call->args[3].u32, text, put) && p1_put_u32(call, call->args[5].u32, put)
               ? P1_SUCCESS
               : P1_FAULT;
}

/* --- Opening ------------------------------------------------------------------------------------
 */

/* Those that can apply to what a path leads to: a program that asks for all there are is given a
 * descriptor without the others (witx, path_open, fs_rights_base). */
#define OPEN_RIGHTS (RIGHT(SOCK_SHUTDOWN) - 1)

#define OPEN_ALL (OPEN_CREATE | OPEN_DIRECTORY | OPEN_EXCLUSIVE | OPEN_TRUNCATE)

/* What the rights of a descriptor mean for the kernel. */
static unsigned flags_of(uint64_t rights, uint32_t fdflags)
{
    unsigned flags = 0;
    if (rights & (RIGHT(FD_READ) | RIGHT(FD_READDIR)))
        flags |= DESCRIPTOR_READ;
    if (rights &
        (RIGHT(FD_DATASYNC) | RIGHT(FD_WRITE) | RIGHT(FD_ALLOCATE) | RIGHT(FD_FILESTAT_SET_SIZE)))
        flags |= DESCRIPTOR_WRITE;
    if (fdflags & FDFLAG_DSYNC)
        flags |= DESCRIPTOR_DATA_SYNC;
    if (fdflags & FDFLAG_SYNC)
        flags |= DESCRIPTOR_FILE_SYNC;
    if (fdflags & FDFLAG_RSYNC)
        flags |= DESCRIPTOR_WRITE_SYNC;
    return flags;
}

static uint64_t rights_to_open(uint32_t open_flags)
{
    return RIGHT(PATH_OPEN) | (open_flags & OPEN_CREATE ? RIGHT(PATH_CREATE_FILE) : 0) |
           (open_flags & OPEN_TRUNCATE ? RIGHT(PATH_FILESTAT_SET_SIZE) : 0);
}

uint16_t p1_path_open(struct p1_call *call)
{
    struct p1_file *base;
    struct str path;
    uint32_t open_flags = call->args[4].u32;
    uint64_t rights = call->args[5].u64;
    uint64_t inheriting = call->args[6].u64;
    uint32_t fdflags = call->args[7].u32;
    uint16_t error = at(call, 0, 2, rights_to_open(open_flags), &base, &path);
    if (error != P1_SUCCESS)
        return error;
    if (open_flags & ~(uint32_t)OPEN_ALL || fdflags & ~31u)
        return P1_INVAL;
    if ((rights | inheriting) & OPEN_RIGHTS & ~base->inheriting)
        return P1_NOTCAPABLE;
    struct descriptor *opened;
    int failed = fs_open_at(call->wasi, base->file, path, call->args[1].u32 & LOOKUP_SYMLINK_FOLLOW,
                            open_flags, flags_of(rights, fdflags), &opened);
    if (failed < 0)
        return answer(call, ASK_ROW_p1_path_open,
                      withheld_open(open_flags, flags_of(rights, fdflags)), base, path, failed);
    int type = descriptor_type(opened);
    if (type < 0) {
        descriptor_release(call->wasi, opened);
        return p1_errno_of(type);
    }
    opened->sequential = type != TYPE_REGULAR_FILE && type != TYPE_DIRECTORY;
    uint32_t fd;
    error = p1_file_add(call->p1,
                        (struct p1_file){.file = opened,
                                         .rights = rights & p1_rights_of_type((uint8_t)type),
                                         .inheriting = inheriting & OPEN_RIGHTS,
                                         .flags = (uint16_t)fdflags},
                        &fd);
    if (error != P1_SUCCESS)
        return error;
    if (p1_put_u32(call, call->args[8].u32, fd))
        return P1_SUCCESS;
    p1_file_close(call->p1, &call->p1->files[fd]);
    return P1_FAULT;
}

/* --- Reading a directory ------------------------------------------------------------------------
 */

struct dirent {
    uint64_t next;
    uint64_t inode;
    uint32_t name_len;
    uint8_t type;
};

/* Brings the reader to where `cookie` says: usually it is there. */
static int seek_reader(struct p1_call *call, struct p1_file *file, uint64_t cookie)
{
    if (file->reader && file->cookie == cookie)
        return 0;
    if (file->reader)
        directory_close(call->wasi, file->reader);
    file->reader = NULL;
    file->cookie = 0;
    int error = directory_open(call->wasi, file->file, &file->reader);
    struct entry entry;
    while (error == 0 && file->cookie != cookie) {
        int found = directory_peek(file->reader, &entry);
        if (found <= 0)
            return found;
        file->cookie = entry.next;
        directory_skip(file->reader);
    }
    return error;
}

/* Copies as much as fits behind `used`. */
static void fill(uint8_t *buffer, uint32_t room, uint32_t *used, const void *from, size_t len)
{
    size_t part = len < room - *used ? len : room - *used;
    memcpy(buffer + *used, from, part);
    *used += (uint32_t)part;
}

uint16_t p1_fd_readdir(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = p1_file_of(call, call->args[0].u32, RIGHT(FD_READDIR), &file);
    if (error == P1_NOTCAPABLE && file->file->type != TYPE_DIRECTORY)
        return P1_NOTDIR;
    if (error != P1_SUCCESS)
        return error;
    uint32_t room = call->args[2].u32;
    uint8_t *buffer = memory_to(call->memory, call->args[1].u32, room);
    if (!buffer)
        return P1_FAULT;
    int found = seek_reader(call, file, call->args[3].u64);
    uint32_t used = 0;
    struct entry entry;
    while (found >= 0 && used < room && (found = directory_peek(file->reader, &entry)) > 0) {
        struct dirent head = {.next = entry.next,
                              .inode = str_is(entry.name, "..") ? 0 : entry.inode,
                              .name_len = (uint32_t)entry.name.len,
                              .type = p1_filetype(directory_type(file->reader, &entry))};
        size_t whole = sizeof head + entry.name.len;
        bool fits = whole <= room - used;
        fill(buffer, room, &used, &head, sizeof head);
        fill(buffer, room, &used, entry.name.at, entry.name.len);
        if (!fits) /* it is asked for again, in a larger buffer */
            break;
        directory_skip(file->reader);
        file->cookie = entry.next;
    }
    if (found < 0)
        return p1_errno_of(found);
    return p1_put_u32(call, call->args[4].u32, used) ? P1_SUCCESS : P1_FAULT;
}
