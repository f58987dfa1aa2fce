/* The limits of core modules, from limits.def: the numbers and what is counted. */
#ifndef CARREL_WASM_LIMITS_H
#define CARREL_WASM_LIMITS_H

#include "engine/base/reader.h"

/* LIMIT_FUNCTIONS and so on: the numbers themselves. */
enum {
#define LIMIT(name, number, what) LIMIT_##name = number,
#include "engine/wasm/limits.def"
#undef LIMIT
};

/* COUNT_FUNCTIONS and so on: the rows. */
enum limit {
#define LIMIT(name, number, what) COUNT_##name,
#include "engine/wasm/limits.def"
#undef LIMIT
    LIMITS
};

struct limit_row {
    uint32_t number;
    char what[44];
};

extern const struct limit_row limit_rows[LIMITS];

/* The length of a vector (reader_count) of what the row counts. */
static inline uint32_t limit_count(struct reader *r, enum limit limit)
{
    return reader_count(r, limit_rows[limit].number, limit_rows[limit].what);
}

/* Is `count` within the limit? Else the reader fails at `at`. */
bool limit_check(struct reader *r, const uint8_t *at, enum limit limit, uint64_t count);

#endif
