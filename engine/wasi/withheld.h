/* Functions whose capability is not granted say no in the way their type has for it, and tell the
 * shim that they did, once each. Those of wasi:sockets tell it themselves (ask_denied): they know
 * the address. What a function answers is its own business; here is only the telling. */
#ifndef CARREL_WASI_WITHHELD_H
#define CARREL_WASI_WITHHELD_H

#include "engine/wasi/ask.h"
#include "engine/wasi/fs.h"

enum wasi_capability {
#define CAP(name, word, given, flag, what) WASI_CAP_##name,
#include "policies/capability.def"
#undef CAP
};

/* Is it one that is withheld from the component, and that its functions do not tell of themselves?
 */
static inline bool withheld(const struct wasi *wasi, enum wasi_capability capability)
{
    return wasi->withheld >> capability & 1;
}

/* The capabilities that withheld() may be true of, among those not in `granted`. */
uint64_t withheld_of(uint64_t granted);

/* Does it take a right to what a directory has below it? */
static inline bool withheld_changes(enum wasi_capability capability)
{
    return capability == WASI_CAP_DIR_WRITE || capability == WASI_CAP_DIR_MUTATE;
}

/* Whether a function of this capability, which ended, was refused. Of those that change files, only
 * a failure is a refusal: a file may be synchronised, or its size set to what it is, without the
 * right to change it. */
static inline bool withheld_now(const struct wasi *wasi, enum wasi_capability capability,
                                bool failed)
{
    return withheld(wasi, capability) && (failed || !withheld_changes(capability));
}

/* Tells the shim that a function said no for want of `capability`; once for each row. */
void withheld_tell(struct wasi *wasi, enum ask_row row, enum wasi_capability capability,
                   struct str name);

/* What a function that takes a path answered: if it is a refusal (the directory is not granted to
 * be changed, or the path leads out of it), the shim is told, once for each row and path; after
 * WASI_PATHS_TOLD of them, once more, without a path. `path` is empty for what has none. */
void withheld_path(struct wasi *wasi, enum ask_row row, enum wasi_capability capability,
                   const struct descriptor *base, struct str path, int64_t error);

/* The same of two paths: the one that was refused is told of. */
void withheld_paths(struct wasi *wasi, enum ask_row row, const struct descriptor *from_base,
                    struct str from, const struct descriptor *to_base, struct str to,
                    int64_t error);

/* What opening with these flags of fs.h needs. */
enum wasi_capability withheld_open(unsigned open_flags, unsigned flags);

#endif
