/* Deadlines: moments of some clock in nanoseconds, of which UINT64_MAX is none at all. */
#ifndef CARREL_BASE_DEADLINE_H
#define CARREL_BASE_DEADLINE_H

#include <stdint.h>

/* The moment that comes `time` nanoseconds after `from`. It is none where either is none, or where
 * no clock will get so far. */
static inline uint64_t deadline_after(uint64_t from, uint64_t time)
{
    return time < UINT64_MAX - from ? from + time : UINT64_MAX;
}

#endif
