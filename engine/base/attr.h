/* Words for the compiler that every layer uses. No code, no types. */
#ifndef CARREL_BASE_ATTR_H
#define CARREL_BASE_ATTR_H

#include <stddef.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define PRINTF(text, first) __attribute__((format(printf, text, first)))
#define COLD                __attribute__((cold, noinline))
#define NOINLINE            __attribute__((noinline))
#define INLINE              static inline __attribute__((always_inline))
#define UNUSED              __attribute__((unused))

#define countof(array) (sizeof(array) / sizeof((array)[0]))

#endif
