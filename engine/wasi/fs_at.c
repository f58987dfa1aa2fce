/* What is done by path, below a directory; see fs.h. The kernel treats a name that ends in a slash
 * as a directory and follows a link to one, so slashes are taken off (path.c) and their meaning is
 * kept here. */
#include "engine/wasi/fs.h"

#include <errno.h>
#include <fcntl.h>

/* Both are withheld by a read-only grant, and each by a policy that denies it. */
static int may_write(const struct descriptor *base)
{
    return base->writable ? 0 : -EROFS;
}

static int may_mutate(const struct descriptor *base)
{
    return base->flags & DESCRIPTOR_MUTATE ? 0 : -EROFS;
}

/* -ELOOP if the place is a link that has to be followed first, ENOTDIR if it ends in a slash and is
 * no directory. */
static int64_t stat_place(const struct place *place, bool follow, struct stat *ret)
{
    int error = sys_stat(place->dir, place->name, ret);
    if (error < 0)
        return error;
    if (S_ISLNK(ret->st_mode))
        return follow || place->slash ? -ELOOP : 0;
    return place->slash && !S_ISDIR(ret->st_mode) ? -ENOTDIR : 0;
}

/* --- Opening ------------------------------------------------------------------------------------
 */

struct opening {
    int flags;
    bool follow;
};

static int64_t open_place(const struct place *place, void *with)
{
    const struct opening *opening = with;
    int flags = opening->flags;
    if (place->slash && flags & O_CREAT)
        return -EISDIR;
    if (place->slash)
        flags |= O_DIRECTORY;
    int fd = sys_open(place->dir, place->name, flags);
    /* With O_DIRECTORY the kernel says ENOTDIR for a link as well. */
    if (fd == -ENOTDIR && flags & O_DIRECTORY && (opening->follow || place->slash))
        return -ELOOP;
    return fd;
}

static int linux_flags(unsigned open_flags, unsigned flags)
{
    int to = flags & DESCRIPTOR_WRITE ? flags & DESCRIPTOR_READ ? O_RDWR : O_WRONLY : O_RDONLY;
    if (open_flags & OPEN_CREATE)
        to |= O_CREAT | (open_flags & OPEN_EXCLUSIVE ? O_EXCL : 0);
    if (open_flags & OPEN_DIRECTORY)
        to |= O_DIRECTORY;
    if (open_flags & OPEN_TRUNCATE)
        to |= O_TRUNC;
    /* What only reads has nothing to bring to the disk, and no rule that lets it ask for that. */
    if (!(flags & DESCRIPTOR_WRITE))
        return to;
    if (flags & (DESCRIPTOR_FILE_SYNC | DESCRIPTOR_WRITE_SYNC))
        to |= O_SYNC;
    if (flags & DESCRIPTOR_DATA_SYNC)
        to |= O_DSYNC;
    return to;
}

int fs_open_at(struct wasi *wasi, const struct descriptor *base, struct str path, bool follow,
               unsigned open_flags, unsigned flags, struct descriptor **ret_descriptor)
{
    bool writes = flags & DESCRIPTOR_WRITE || open_flags & (OPEN_CREATE | OPEN_TRUNCATE);
    if ((writes && may_write(base) < 0) || (flags & DESCRIPTOR_MUTATE && may_mutate(base) < 0))
        return -EROFS;
    /* What the kernel makes of this together differs between its versions. */
    if (open_flags & OPEN_DIRECTORY && open_flags & (OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE))
        return -EINVAL;
    struct opening opening = {linux_flags(open_flags, flags), follow};
    int64_t fd = path_do(base, path, follow, open_place, &opening);
    if (fd < 0)
        return (int)fd;
    struct descriptor *descriptor = descriptor_new(wasi, (int)fd);
    if (!descriptor)
        return -ENOMEM;
    descriptor->flags =
        (uint8_t)((flags & ~(unsigned)DESCRIPTOR_MUTATE) | (base->flags & DESCRIPTOR_MUTATE));
    descriptor->writable = base->writable;
    descriptor->no_links = base->no_links;
    descriptor->grant = base->grant;
    if (open_flags & OPEN_DIRECTORY)
        descriptor->type = TYPE_DIRECTORY;
    *ret_descriptor = descriptor;
    return 0;
}

/* --- Attributes ---------------------------------------------------------------------------------
 */

struct asking {
    struct stat *stat;
    const struct timespec *times;
    bool follow;
};

static int64_t ask_place(const struct place *place, void *with)
{
    const struct asking *asking = with;
    return stat_place(place, asking->follow, asking->stat);
}

int fs_stat_at(const struct descriptor *base, struct str path, bool follow, struct stat *ret)
{
    struct asking asking = {.stat = ret, .follow = follow};
    return (int)path_do(base, path, follow, ask_place, &asking);
}

static int64_t set_times_place(const struct place *place, void *with)
{
    const struct asking *asking = with;
    struct stat stat;
    int64_t error = stat_place(place, asking->follow, &stat);
    return error < 0 ? error : sys_set_times(place->dir, place->name, asking->times);
}

int fs_set_times_at(const struct descriptor *base, struct str path, bool follow,
                    const struct timespec times[2])
{
    struct asking asking = {.times = times, .follow = follow};
    int error = may_write(base);
    return error < 0 ? error : (int)path_do(base, path, follow, set_times_place, &asking);
}

/* --- Directories, files, links ------------------------------------------------------------------
 */

static int64_t make_directory(const struct place *place, void *with)
{
    (void)with;
    return sys_mkdir(place->dir, place->name);
}

int fs_create_directory_at(const struct descriptor *base, struct str path)
{
    int error = may_mutate(base);
    return error < 0 ? error : (int)path_do(base, path, false, make_directory, NULL);
}

static int64_t remove_directory(const struct place *place, void *with)
{
    (void)with;
    return sys_rmdir(place->dir, place->name);
}

int fs_remove_directory_at(const struct descriptor *base, struct str path)
{
    int error = may_mutate(base);
    return error < 0 ? error : (int)path_do(base, path, false, remove_directory, NULL);
}

static int64_t unlink_file(const struct place *place, void *with)
{
    (void)with;
    if (!place->slash)
        return sys_unlink(place->dir, place->name);
    struct stat stat;
    int error = sys_stat(place->dir, place->name, &stat);
    if (error < 0)
        return error;
    return S_ISDIR(stat.st_mode) ? -EISDIR : -ENOTDIR;
}

int fs_unlink_file_at(const struct descriptor *base, struct str path)
{
    int error = may_mutate(base);
    return error < 0 ? error : (int)path_do(base, path, false, unlink_file, NULL);
}

static int64_t read_link(const struct place *place, void *with)
{
    if (place->slash) { /* a directory, if anything, and those say nothing */
        struct stat stat;
        int64_t error = stat_place(place, true, &stat);
        return error < 0 ? error : -EINVAL;
    }
    return sys_readlink(place->dir, place->name, with, WASI_PATH);
}

int64_t fs_readlink_at(const struct descriptor *base, struct str path, char to[WASI_PATH])
{
    int64_t len = path_do(base, path, false, read_link, to);
    if (len > 0 && to[0] == '/')
        return -PATH_OUTSIDE;
    return len == WASI_PATH ? -ENAMETOOLONG : len;
}

/* A name for something new that ends in a slash: only directories can be made so. */
static int64_t no_directory_there(const struct place *place)
{
    struct stat stat;
    int error = sys_stat(place->dir, place->name, &stat);
    return error < 0 ? error : -EEXIST;
}

static int64_t make_link(const struct place *place, void *with)
{
    return place->slash ? no_directory_there(place) : sys_symlink(with, place->dir, place->name);
}

int fs_symlink_at(struct str target, const struct descriptor *base, struct str path)
{
    char text[WASI_PATH];
    if (may_mutate(base) < 0)
        return -EROFS;
    if (target.len >= sizeof text)
        return -ENAMETOOLONG;
    if (memchr(target.at, 0, target.len))
        return -EINVAL;
    if (target.len && target.at[0] == '/')
        return -PATH_OUTSIDE;
    memcpy(text, target.at, target.len);
    text[target.len] = 0;
    return (int)path_do(base, path, false, make_link, text);
}

/* --- Two places ---------------------------------------------------------------------------------
 */

struct two {
    const struct descriptor *to_base;
    struct str to;
    bool follow;   /* the first */
    place_fn *act; /* with the second place */
    const struct place *from;
    struct stat from_stat;
    int64_t result;
};

/* At the first place, which is known to be one: goes to the second. What comes of that is kept
 * aside, because an ELOOP there says nothing about the first. */
static int64_t then_second(const struct place *place, struct two *two)
{
    two->from = place;
    two->result = path_do(two->to_base, two->to, false, two->act, two);
    return 0;
}

static int do_both(const struct descriptor *from_base, struct str from, bool follow,
                   place_fn *act_first, struct two *two)
{
    /* A name in a directory that may be changed makes a file changeable, so both must be so. */
    if (may_mutate(from_base) < 0 || may_mutate(two->to_base) < 0)
        return -EROFS;
    int64_t error = path_do(from_base, from, follow, act_first, two);
    return (int)(error < 0 ? error : two->result);
}

static int64_t link_there(const struct place *place, void *with)
{
    const struct place *from = ((struct two *)with)->from;
    if (place->slash)
        return no_directory_there(place);
    return sys_link(from->dir, from->name, place->dir, place->name);
}

static int64_t link_from(const struct place *place, void *with)
{
    struct two *two = with;
    int64_t error = stat_place(place, two->follow, &two->from_stat);
    if (error < 0)
        return error;
    return S_ISDIR(two->from_stat.st_mode) ? -EPERM : then_second(place, two);
}

int fs_link_at(const struct descriptor *from_base, struct str from, bool follow,
               const struct descriptor *to_base, struct str to)
{
    struct two two = {.to_base = to_base, .to = to, .follow = follow, .act = link_there};
    return do_both(from_base, from, follow, link_from, &two);
}

static int64_t rename_there(const struct place *place, void *with)
{
    const struct two *two = with;
    if ((place->slash || two->from->slash) && !S_ISDIR(two->from_stat.st_mode))
        return -ENOTDIR;
    return sys_rename(two->from->dir, two->from->name, place->dir, place->name);
}

static int64_t rename_from(const struct place *place, void *with)
{
    struct two *two = with;
    int error = sys_stat(place->dir, place->name, &two->from_stat);
    return error < 0 ? error : then_second(place, two);
}

int fs_rename_at(const struct descriptor *from_base, struct str from,
                 const struct descriptor *to_base, struct str to)
{
    struct two two = {.to_base = to_base, .to = to, .act = rename_there};
    return do_both(from_base, from, false, rename_from, &two);
}
