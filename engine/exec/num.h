/* Numerics (core spec §4.3) beyond C's own operators. All pure; NaNs follow the rules of the
 * specification: results are quiet, sign operators never touch the payload. */
#ifndef CARREL_EXEC_NUM_H
#define CARREL_EXEC_NUM_H

#include "engine/base/attr.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

INLINE uint32_t num_i32_of_f32(float a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

INLINE float num_f32_of_i32(uint32_t a)
{
    float value;
    memcpy(&value, &a, sizeof value);
    return value;
}

INLINE uint64_t num_i64_of_f64(double a)
{
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

INLINE double num_f64_of_i64(uint64_t a)
{
    double value;
    memcpy(&value, &a, sizeof value);
    return value;
}

/* --- Integers (§4.3.2) ---------------------------------------------------------------------------
 */

INLINE uint32_t num_clz32(uint32_t a)
{
    return a ? (uint32_t)__builtin_clz(a) : 32;
}

INLINE uint32_t num_ctz32(uint32_t a)
{
    return a ? (uint32_t)__builtin_ctz(a) : 32;
}

INLINE uint32_t num_popcnt32(uint32_t a)
{
    return (uint32_t)__builtin_popcount(a);
}

INLINE uint64_t num_clz64(uint64_t a)
{
    return a ? (uint64_t)__builtin_clzll(a) : 64;
}

INLINE uint64_t num_ctz64(uint64_t a)
{
    return a ? (uint64_t)__builtin_ctzll(a) : 64;
}

INLINE uint64_t num_popcnt64(uint64_t a)
{
    return (uint64_t)__builtin_popcountll(a);
}

INLINE uint32_t num_rotl32(uint32_t a, uint32_t b)
{
    return a << (b & 31) | a >> (-b & 31);
}

INLINE uint32_t num_rotr32(uint32_t a, uint32_t b)
{
    return a >> (b & 31) | a << (-b & 31);
}

INLINE uint64_t num_rotl64(uint64_t a, uint64_t b)
{
    return a << (b & 63) | a >> (-b & 63);
}

INLINE uint64_t num_rotr64(uint64_t a, uint64_t b)
{
    return a >> (b & 63) | a << (-b & 63);
}

/* --- Floating point (§4.3.3)
 * ---------------------------------------------------------------------- One set for each width.
 * Minimum and maximum: a NaN wins (quieted by the addition), and the zeros are ordered by sign,
 * which the bitwise or/and of equal operands gives. */
#define NUM_FLOAT(f, i, type, bits, sign, suffix)                                                  \
    INLINE type num_##f##_abs(type a)                                                              \
    {                                                                                              \
        return num_##f##_of_##i(num_##i##_of_##f(a) & ~(sign));                                    \
    }                                                                                              \
    INLINE type num_##f##_neg(type a)                                                              \
    {                                                                                              \
        return num_##f##_of_##i(num_##i##_of_##f(a) ^ (sign));                                     \
    }                                                                                              \
    INLINE type num_##f##_copysign(type a, type b)                                                 \
    {                                                                                              \
        return num_##f##_of_##i((num_##i##_of_##f(a) & ~(sign)) | (num_##i##_of_##f(b) & (sign))); \
    }                                                                                              \
    INLINE type num_##f##_ceil(type a)                                                             \
    {                                                                                              \
        return __builtin_ceil##suffix(a);                                                          \
    }                                                                                              \
    INLINE type num_##f##_floor(type a)                                                            \
    {                                                                                              \
        return __builtin_floor##suffix(a);                                                         \
    }                                                                                              \
    INLINE type num_##f##_trunc(type a)                                                            \
    {                                                                                              \
        return __builtin_trunc##suffix(a);                                                         \
    }                                                                                              \
    INLINE type num_##f##_nearest(type a)                                                          \
    {                                                                                              \
        return __builtin_nearbyint##suffix(a);                                                     \
    }                                                                                              \
    INLINE type num_##f##_sqrt(type a)                                                             \
    {                                                                                              \
        return __builtin_sqrt##suffix(a);                                                          \
    }                                                                                              \
    INLINE type num_##f##_min(type a, type b)                                                      \
    {                                                                                              \
        if (a < b)                                                                                 \
            return a;                                                                              \
        if (b < a)                                                                                 \
            return b;                                                                              \
        if (a == b)                                                                                \
            return num_##f##_of_##i(num_##i##_of_##f(a) | num_##i##_of_##f(b));                    \
        return a + b;                                                                              \
    }                                                                                              \
    INLINE type num_##f##_max(type a, type b)                                                      \
    {                                                                                              \
        if (a > b)                                                                                 \
            return a;                                                                              \
        if (b > a)                                                                                 \
            return b;                                                                              \
        if (a == b)                                                                                \
            return num_##f##_of_##i(num_##i##_of_##f(a) & num_##i##_of_##f(b));                    \
        return a + b;                                                                              \
    }
NUM_FLOAT(f32, i32, float, 32, UINT32_C(0x80000000), f)
NUM_FLOAT(f64, i64, double, 64, UINT64_C(0x8000000000000000), )
#undef NUM_FLOAT

/* --- Conversions (§4.3.4) ------------------------------------------------------------------------
 */

INLINE float num_demote(double a)
{
    return (float)a;
}

INLINE double num_promote(float a)
{
    return a;
}

/* Saturating: NaN is 0, beyond the range the nearest bound. Bounds are exact powers of two. */
#define NUM_SATURATE(to, from, sign, ftype, itype, utype, low, high, minimum, maximum)             \
    INLINE utype num_##to##_sat_##from##_##sign(ftype a)                                           \
    {                                                                                              \
        if (a >= (high))                                                                           \
            return (utype)(maximum);                                                               \
        if (a > (low))                                                                             \
            return (utype)(itype)a;                                                                \
        return a == a ? (utype)(minimum) : 0;                                                      \
    }
NUM_SATURATE(i32, f32, s, float, int32_t, uint32_t, -2147483648.0f, 2147483648.0f, INT32_MIN,
             INT32_MAX)
NUM_SATURATE(i32, f32, u, float, uint32_t, uint32_t, -1.0f, 4294967296.0f, 0, UINT32_MAX)
NUM_SATURATE(i32, f64, s, double, int32_t, uint32_t, -2147483649.0, 2147483648.0, INT32_MIN,
             INT32_MAX)
NUM_SATURATE(i32, f64, u, double, uint32_t, uint32_t, -1.0, 4294967296.0, 0, UINT32_MAX)
NUM_SATURATE(i64, f32, s, float, int64_t, uint64_t, -9223372036854775808.0f, 9223372036854775808.0f,
             INT64_MIN, INT64_MAX)
NUM_SATURATE(i64, f32, u, float, uint64_t, uint64_t, -1.0f, 18446744073709551616.0f, 0, UINT64_MAX)
NUM_SATURATE(i64, f64, s, double, int64_t, uint64_t, -9223372036854775808.0, 9223372036854775808.0,
             INT64_MIN, INT64_MAX)
NUM_SATURATE(i64, f64, u, double, uint64_t, uint64_t, -1.0, 18446744073709551616.0, 0, UINT64_MAX)
#undef NUM_SATURATE

#endif
