/* Telling of refusals; see withheld.h. */
#include "engine/wasi/withheld.h"

#include "engine/base/attr.h"
#include <errno.h>

_Static_assert(ASK_ROWS <= 8 * sizeof((struct wasi_refusals){0}.withheld), "a bit for each row");

uint64_t withheld_of(uint64_t granted)
{
    static const enum wasi_capability told[] = {
        WASI_CAP_STDIN,
        WASI_CAP_STDOUT,
        WASI_CAP_STDERR,
        WASI_CAP_ARGS,
        WASI_CAP_ENV,
        WASI_CAP_TERMINAL,
        WASI_CAP_CLOCK,
        WASI_CAP_TIMEZONE,
        WASI_CAP_RANDOM,
        WASI_CAP_DIR_READ,
        WASI_CAP_DIR_WRITE,
        WASI_CAP_DIR_MUTATE,
        WASI_CAP_RANDOM_INSECURE,
        WASI_CAP_CONFIG,
    };
    uint64_t set = 0;
    for (size_t i = 0; i < countof(told); i++)
        set |= UINT64_C(1) << told[i];
    return set & ~granted;
}

/* Enters that the row was told of; false if it was entered before. */
static bool enter_row(struct wasi *wasi, enum ask_row row)
{
    uint8_t *told = &wasi->refusals->withheld[row / 8];
    if (*told >> row % 8 & 1)
        return false;
    *told |= (uint8_t)(1 << row % 8);
    return true;
}

void withheld_tell(struct wasi *wasi, enum ask_row row, enum wasi_capability capability,
                   struct str name)
{
    if (!wasi->refusals || !enter_row(wasi, row))
        return;
    if (withheld_changes(capability) && wasi->npreopens == 1) /* it can be of this one only */
        ask_withheld_path(wasi, row, (uint32_t)capability, wasi->preopens[0].descriptor->grant,
                          ASK_LEAVES_NOT, name);
    else
        ask_withheld(wasi, row, (uint32_t)capability, name);
}

/* --- Paths --------------------------------------------------------------------------------------
 */

/* Of a row and a path; those that meet are told of once. */
static uint64_t hash_of(enum ask_row row, uint8_t grant, enum ask_number leaves, struct str path)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ ((uint64_t)row << 16 | (uint64_t)grant << 8) ^
                    (uint64_t)leaves;
    for (size_t i = 0; i < path.len; i++)
        hash = (hash ^ (uint8_t)path.at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static bool known(const struct wasi_refusals *refusals, uint64_t hash)
{
    for (uint32_t i = 0; i < refusals->npaths && i < WASI_PATHS_TOLD; i++)
        if (refusals->paths[i] == hash)
            return true;
    return false;
}

void withheld_path(struct wasi *wasi, enum ask_row row, enum wasi_capability capability,
                   const struct descriptor *base, struct str path, int64_t error)
{
    bool changeable = base->writable && base->flags & DESCRIPTOR_MUTATE;
    /* A host's own file system may be read-only, too: that is no refusal of carrel's. */
    bool refused = error == -EROFS && !changeable;
    enum ask_number leaves = error != -PATH_OUTSIDE ? ASK_LEAVES_NOT
                             : base->granted        ? ASK_LEAVES_GRANT
                                                    : ASK_LEAVES_BELOW;
    struct wasi_refusals *refusals = wasi->refusals;
    if (!refusals || !(refused || leaves != ASK_LEAVES_NOT))
        return;
    path.len = path.len < ASK_NAME ? path.len : ASK_NAME;
    uint64_t hash = hash_of(row, base->grant, leaves, path);
    if (known(refusals, hash))
        return;
    if (refusals->npaths > WASI_PATHS_TOLD)
        return;
    if (refusals->npaths == WASI_PATHS_TOLD) /* the last says that there was more */
        path.len = 0;
    else
        refusals->paths[refusals->npaths] = hash;
    refusals->npaths++;
    enter_row(wasi, row);
    ask_withheld_path(wasi, row, (uint32_t)capability, base->grant, leaves, path);
}

void withheld_paths(struct wasi *wasi, enum ask_row row, const struct descriptor *from_base,
                    struct str from, const struct descriptor *to_base, struct str to, int64_t error)
{
    bool second = error == -PATH_OUTSIDE ? !path_leaves(from_base, from)
                                         : from_base->flags & DESCRIPTOR_MUTATE;
    withheld_path(wasi, row, WASI_CAP_DIR_MUTATE, second ? to_base : from_base, second ? to : from,
                  error);
}

enum wasi_capability withheld_open(unsigned open_flags, unsigned flags)
{
    if (flags & DESCRIPTOR_WRITE || open_flags & (OPEN_CREATE | OPEN_TRUNCATE))
        return WASI_CAP_DIR_WRITE;
    return flags & DESCRIPTOR_MUTATE ? WASI_CAP_DIR_MUTATE : WASI_CAP_DIR_READ;
}
