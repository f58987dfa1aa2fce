/* The rows of fuse.def by number, for tr_fuse.c and for the program that writes their index
 * (engine/wasm/places). */
#ifndef CARREL_WASM_FUSE_ROWS_H
#define CARREL_WASM_FUSE_ROWS_H

#include "engine/base/attr.h"
#include "engine/wasm/xop.h"

/* A run so far with what follows, and the run that they make. */
struct fuse_row {
    uint32_t key;
    uint16_t run;
};

#define FUSE_KEY(first, next) ((uint32_t)(first) << 16 | (uint32_t)(next))

static const struct fuse_row fuse_rows[] = {
#define FUSE2(a, b)       {FUSE_KEY(XOP_##a, XOP_##b), XOP_##a##__##b},
#define FUSE3(a, b, c)    {FUSE_KEY(XOP_##a##__##b, XOP_##c), XOP_##a##__##b##__##c},
#define FUSE4(a, b, c, d) {FUSE_KEY(XOP_##a##__##b##__##c, XOP_##d), XOP_##a##__##b##__##c##__##d},
#include "engine/wasm/fuse.def"
#undef FUSE2
#undef FUSE3
#undef FUSE4
};

/* The index of the rows by their keys: the number of a row, from 1, in the first place from that of
 * its key on that was free; 0: nothing is there. */
#define FUSE_PLACES 8192u
_Static_assert(countof(fuse_rows) * 2 < FUSE_PLACES, "fuse.def has outgrown its index");

static inline uint32_t fuse_place(uint32_t key)
{
    return (key * UINT32_C(0x9e3779b1)) >> 19;
}

#endif
