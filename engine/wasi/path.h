/* From a path of the guest to a place below a granted directory (wasi:filesystem/types, head;
 * README of this folder for the reasons).
 *
 * The kernel never follows a symbolic link for a guest, is never given an absolute path or a `..`,
 * and never sees more of a path than one step, unless the mount itself refuses links. Links are
 * read and followed here; a link or a `..` that leads out of the base directory is PATH_OUTSIDE. So
 * whatever others do to the tree at the same time, no step leaves it. */
#ifndef CARREL_WASI_PATH_H
#define CARREL_WASI_PATH_H

#include "engine/wasi/descriptor.h"

/* Instead of EPERM, and told to the guest as that: the path, or a link on its way, leads out of the
 * base directory. No errno of Linux, which counts to 133. */
#define PATH_OUTSIDE 200

/* What a path means: the entry `name` of the directory `dir`. */
struct place {
    int dir;
    const char *name; /* "." for `dir` itself */
    bool slash;       /* the path ended in a slash: only a directory will do */
};

struct walk {
    struct place place;
    const struct descriptor *base;
    int dir;        /* where the walk is */
    bool owned;     /* it is not the base's */
    bool whole;     /* the kernel may be given the whole path, which was not tried yet */
    bool direct;    /* the place is such a whole path */
    char *cut;      /* the slash that the place's name was cut off at; NULL: none */
    char *at;       /* in `rest` */
    unsigned links; /* followed so far */
    unsigned steps; /* directories opened so far */
    size_t done_len;
    char done[WASI_PATH]; /* from the base to `dir`, without links, dots and double slashes */
    char rest[WASI_PATH]; /* what is left of the path, with what links expanded to */
};

/* Starts, and goes to where the path leads without following a link in its last step. Or a negated
 * errno: ENOENT for an empty path, EINVAL for a NUL in it, PATH_OUTSIDE if it leads out. To be
 * ended with walk_end in either case. */
int walk_start(struct walk *walk, const struct descriptor *base, struct str path);

/* After -ELOOP for the place: goes on through the link that it is, if `follow` or a slash asks for
 * that (0: try again), or says that it cannot be. Also 0 where the kernel was given a whole path
 * and the walk now has to go step by step. */
int walk_on(struct walk *walk, bool follow);

void walk_end(struct walk *walk);

/* All in one: calls `act` with the place, and again as long as it answers -ELOOP, which says that
 * the place may be a symbolic link that it would have to follow, and walk_on can go on. */
typedef int64_t place_fn(const struct place *place, void *with);
int64_t path_do(const struct descriptor *base, struct str path, bool follow, place_fn *act,
                void *with);

/* Does the path lead out before its last step? */
bool path_leaves(const struct descriptor *base, struct str path);

#endif
