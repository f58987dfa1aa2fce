/* Functions whose capability is not granted say no in the way their type has for it, and tell the
 * shim that they did, once each. Those of wasi:sockets tell it themselves (ask_denied): they know
 * the address. What a function answers is its own business; here is only the telling. */
#ifndef CARREL_WASI_WITHHELD_H
#define CARREL_WASI_WITHHELD_H

#include "engine/wasi/ask.h"

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

/* Whether only a failure is a refusal: a file may be synchronised, or its size set to what it is,
 * without the right to change it. */
static inline bool withheld_on_failure(enum wasi_capability capability)
{
    return capability == WASI_CAP_DIR_WRITE || capability == WASI_CAP_DIR_MUTATE;
}

/* Tells the shim that a function said no for want of `capability`; once for each row. */
void withheld_tell(struct wasi *wasi, enum ask_row row, enum wasi_capability capability,
                   struct str name);

#endif
