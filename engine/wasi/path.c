/* The walk along a path; see path.h. Uses no memory but the walk's own, and a bounded number of
 * steps whatever the path and its links say. */
#include "engine/wasi/path.h"

#include <errno.h>

static void move_to(struct walk *walk, int dir, bool owned)
{
    if (walk->owned)
        sys_close(walk->dir);
    walk->dir = dir;
    walk->owned = owned;
}

/* One directory down. */
static int enter(struct walk *walk, const char *name)
{
    if (++walk->steps > WASI_STEPS)
        return -ELOOP;
    int fd = sys_enter(walk->dir, name);
    if (fd < 0)
        return fd;
    move_to(walk, fd, true);
    return 0;
}

/* Back to the base, and down `done` again. Going up by `..` would be another way if the directory
 * had been moved meanwhile. */
static int enter_done(struct walk *walk)
{
    move_to(walk, walk->base->fd, false);
    if (!walk->done_len)
        return 0;
    if (walk->base->no_links)
        return enter(walk, walk->done);
    for (char *at = walk->done, *end;; at = end + 1) {
        end = strchrnul(at, '/');
        bool last = !*end;
        *end = 0;
        int error = enter(walk, at);
        if (last || error < 0)
            return error;
        *end = '/';
    }
}

static int go_up(struct walk *walk)
{
    if (!walk->done_len)
        return -PATH_OUTSIDE;
    char *slash = memrchr(walk->done, '/', walk->done_len);
    walk->done_len = slash ? (size_t)(slash - walk->done) : 0;
    walk->done[walk->done_len] = 0;
    return enter_done(walk);
}

static int go_down(struct walk *walk, const char *name, size_t len)
{
    size_t at = walk->done_len ? walk->done_len + 1 : 0;
    if (len >= sizeof walk->done - at)
        return -ENAMETOOLONG;
    int error = enter(walk, name);
    if (error < 0)
        return error;
    if (at)
        walk->done[at - 1] = '/';
    memcpy(walk->done + at, name, len + 1);
    walk->done_len = at + len;
    return 0;
}

/* Puts what the link `name` says in front of `after`, the rest of the path. */
static int expand(struct walk *walk, const char *name, const char *after, bool slash)
{
    char target[WASI_PATH];
    int64_t len = sys_readlink(walk->dir, name, target, sizeof target);
    if (len < 0)
        return (int)len;
    if (++walk->links > WASI_LINKS)
        return -ELOOP;
    if (!len)
        return -ENOENT;
    if (target[0] == '/')
        return -PATH_OUTSIDE;
    size_t left = strlen(after);
    size_t join = slash ? 1 : 0;
    if ((size_t)len + join + left >= sizeof walk->rest)
        return -ENAMETOOLONG;
    memmove(walk->rest + len + join, after, left + 1);
    memcpy(walk->rest, target, (size_t)len);
    if (slash)
        walk->rest[len] = '/';
    walk->at = walk->rest;
    return 0;
}

/* Does a step of `path` say `..`? */
static bool goes_up(const char *path)
{
    for (const char *at = path; (at = strstr(at, "..")); at += 2)
        if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
            return true;
    return false;
}

/* The whole path at once: the mount refuses all links with ELOOP. */
static void take_whole(struct walk *walk)
{
    size_t len = strlen(walk->at);
    size_t end = len;
    while (end > 1 && walk->at[end - 1] == '/')
        end--;
    walk->cut = end < len ? walk->at + end : NULL;
    walk->at[end] = 0;
    walk->direct = true;
    walk->place = (struct place){walk->dir, walk->at, walk->cut != NULL};
}

/* Goes on to the last step of what is left. */
static int go(struct walk *walk)
{
    for (;;) {
        while (*walk->at == '/')
            walk->at++;
        char *name = walk->at;
        size_t len = strcspn(name, "/");
        char *end = name + len;
        char *after = end + strspn(end, "/");
        if (!len) {
            walk->place = (struct place){walk->dir, ".", true};
            return 0;
        }
        int error = 0;
        if (len == 1 && name[0] == '.') {
            walk->at = after;
        } else if (len == 2 && name[0] == '.' && name[1] == '.') {
            walk->at = after;
            error = go_up(walk);
        } else if (!*after) {
            *end = 0;
            walk->place = (struct place){walk->dir, name, end != after};
            return 0;
        } else {
            *end = 0;
            walk->at = after;
            error = go_down(walk, name, len);
            /* A link is no directory either; if it is none, it is no link. */
            if (error == -ENOTDIR || error == -ELOOP) {
                error = expand(walk, name, after, true);
                error = error == -EINVAL ? -ENOTDIR : error;
            }
        }
        if (error < 0)
            return error;
    }
}

int walk_start(struct walk *walk, const struct descriptor *base, struct str path)
{
    walk->base = base;
    walk->dir = base->fd;
    walk->owned = false;
    walk->direct = false;
    walk->cut = NULL;
    walk->links = walk->steps = 0;
    walk->done_len = 0;
    walk->at = walk->rest;
    if (!path.len)
        return -ENOENT;
    if (path.len >= sizeof walk->rest)
        return -ENAMETOOLONG;
    if (memchr(path.at, 0, path.len))
        return -EINVAL;
    if (path.at[0] == '/')
        return -PATH_OUTSIDE;
    memcpy(walk->rest, path.at, path.len);
    walk->rest[path.len] = 0;
    if (base->no_links && !goes_up(walk->rest)) {
        take_whole(walk);
        return 0;
    }
    return go(walk);
}

int walk_on(struct walk *walk, bool follow)
{
    if (walk->direct) {
        walk->direct = false;
        if (walk->cut)
            *walk->cut = '/';
        return go(walk);
    }
    const struct place *place = &walk->place;
    if (!follow && !place->slash)
        return -ELOOP;
    int error = expand(walk, place->name, "", place->slash);
    if (error < 0)
        return error == -EINVAL ? -ENOTDIR : error; /* no link at all */
    return go(walk);
}

void walk_end(struct walk *walk)
{
    move_to(walk, walk->base->fd, false);
}

int64_t path_do(const struct descriptor *base, struct str path, bool follow, place_fn *act,
                void *with)
{
    struct walk walk;
    int64_t result = walk_start(&walk, base, path);
    while (result == 0) {
        result = act(&walk.place, with);
        if (result != -ELOOP)
            break;
        result = walk_on(&walk, follow);
    }
    walk_end(&walk);
    return result;
}

bool path_leaves(const struct descriptor *base, struct str path)
{
    struct walk walk;
    bool leaves = walk_start(&walk, base, path) == -PATH_OUTSIDE;
    walk_end(&walk);
    return leaves;
}
