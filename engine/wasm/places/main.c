/* Writes the index of the rows of fuse.def as C, for engine/wasm/tr_fuse.c. Runs while carrel is
 * built. */
#include "engine/wasm/fuse_rows.h"
#include <stdio.h>

int main(void)
{
    static unsigned places[FUSE_PLACES];
    for (unsigned i = 0; i < countof(fuse_rows); i++) {
        uint32_t at = fuse_place(fuse_rows[i].key);
        while (places[at])
            at = (at + 1) % FUSE_PLACES;
        places[at] = i + 1;
    }
    for (unsigned at = 0; at < FUSE_PLACES; at++)
        printf("%u,%c", places[at], at % 16 == 15 ? '\n' : ' ');
    return 0;
}
