/* What the rows' components share: no libc, a place for results, and the verdicts of a scenario.
 * wasi.h is generated from the table (tests/wasi/rows.mjs): a function w_ID for each of its rows.
 */
#ifndef CARREL_TESTS_ROWS_H
#define CARREL_TESTS_ROWS_H

#include "wasi.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;
typedef unsigned long long u64;

enum { WORKS = 0, REFUSED = 1 };

/* Was everything granted that the row needs? Each component exists for both. */
extern const int granted;

/* A scenario: what has to be given so that it works, and what instead so that it is refused, as
 * tests/wasi/rows.mjs understands it. A module of preview 1 is started by itself, and exits with
 * what comes out; of the others that is left out by the linker. */
#ifndef ROW
#define ROW(id, with, without)                                                                     \
    int row_##id(void);                                                                            \
    void start_##id(void);                                                                         \
    void start_##id(void)                                                                          \
    {                                                                                              \
        int code = row_##id();                                                                     \
        if (code)                                                                                  \
            w_p1_proc_exit(code);                                                                  \
    }                                                                                              \
    int row_##id(void)
#endif

/* What must hold whatever was granted; a trap is neither a success nor a refusal. */
#define MUST(claim) ((claim) ? (void)0 : __builtin_trap())

/* Where results go, aligned for all. */
extern u64 area[64];
#define R      ((int)(unsigned long)area)
#define AT(n)  ((u8 *)area + (n))
#define U16(n) (*(u16 *)AT(n))
#define U32(n) (*(u32 *)AT(n))
#define U64(n) (area[(n) / 8])
#define TAG    (AT(0)[0])

/* A text as the two numbers that it is. */
#define TEXT(text) (int)(unsigned long)(text), (int)(sizeof(text) - 1)

/* The result of a call that fails where it is refused: tag in `area`. */
#define OUTCOME outcome()

static inline int outcome(void)
{
    MUST(TAG == (granted ? 0 : 1));
    return granted ? WORKS : REFUSED;
}

#endif
