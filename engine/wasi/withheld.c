/* Telling of refusals; see withheld.h. */
#include "engine/wasi/withheld.h"

#include "engine/base/attr.h"

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

void withheld_tell(struct wasi *wasi, enum ask_row row, enum wasi_capability capability,
                   struct str name)
{
    if (!wasi->refusals)
        return;
    uint8_t *told = &wasi->refusals->withheld[row / 8];
    if (*told >> row % 8 & 1)
        return;
    *told |= (uint8_t)(1 << row % 8);
    ask_withheld(wasi, row, (uint32_t)capability, name);
}
