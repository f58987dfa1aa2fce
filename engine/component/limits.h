/* The limits of components, from limits.def: the numbers and what is counted. */
#ifndef CARREL_COMPONENT_LIMITS_H
#define CARREL_COMPONENT_LIMITS_H

#include "engine/base/reader.h"

/* CM_LIMIT_TYPES and so on: the numbers themselves. */
enum {
#define LIMIT(name, number, what) CM_LIMIT_##name = number,
#include "engine/component/limits.def"
#undef LIMIT
};

/* CM_COUNT_TYPES and so on: the rows. */
enum cm_limit {
#define LIMIT(name, number, what) CM_COUNT_##name,
#include "engine/component/limits.def"
#undef LIMIT
    CM_LIMITS
};

struct cm_limit_row {
    uint32_t number;
    char what[60];
};

extern const struct cm_limit_row cm_limit_rows[CM_LIMITS];

/* The length of a vector (reader_count) of what the row counts. */
static inline uint32_t cm_limit_count(struct reader *r, enum cm_limit limit)
{
    return reader_count(r, cm_limit_rows[limit].number, cm_limit_rows[limit].what);
}

/* Records that the limit is passed; returns -1. */
int cm_limit_passed(struct err *err, uint64_t offset, enum cm_limit limit) COLD;

#endif
