/* Vectors (core spec §4.3.2, §4.3.5, and relaxed SIMD): every row of op_simd.def as a function of
 * whole vectors. All pure.
 *
 *   vec_plain_NAME   what the row says, lane by lane in C. Compilers make one instruction of most.
 *   VEC(NAME)        the same function, or a faster one where vec_sse.h has it
 *
 * Relaxed operators do what the deterministic profile prescribes (§A.4): they are the plain ones.
 * With CARREL_PLAIN_VECTORS nothing is taken from vec_sse.h, as on machines that it is not for. */
#ifndef CARREL_EXEC_VEC_H
#define CARREL_EXEC_VEC_H

#include "engine/exec/num.h"

typedef long long v128 __attribute__((vector_size(16)));

typedef uint8_t lane_u8;
typedef int8_t lane_i8;
typedef uint16_t lane_u16;
typedef int16_t lane_i16;
typedef uint32_t lane_u32;
typedef int32_t lane_i32;
typedef uint64_t lane_u64;
typedef int64_t lane_i64;
typedef float lane_f32;
typedef double lane_f64;

#define VEC_LANES(lanes) (sizeof(v128) / sizeof(lane_##lanes))

/* Sixteen bytes at any alignment. */
INLINE v128 vec_read(const void *from)
{
    v128 value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void vec_write(void *to, v128 value)
{
    memcpy(to, &value, sizeof value);
}

/* An array `name` of the lanes of `vector`; and the vector that such an array makes. */
#define VEC_OPEN(lanes, name, vector)                                                              \
    lane_##lanes name[VEC_LANES(lanes)];                                                           \
    memcpy(name, &(vector), sizeof name)
#define VEC_CLOSE(name) return vec_read(name)

/* --- What rows are made of
 * ------------------------------------------------------------------------
 */

/* Saturation (§4.3.2): the nearest value of the lane's range. */
INLINE int vec_sat_i8(int a)
{
    return a < INT8_MIN ? INT8_MIN : a > INT8_MAX ? INT8_MAX : a;
}

INLINE int vec_sat_u8(int a)
{
    return a < 0 ? 0 : a > UINT8_MAX ? UINT8_MAX : a;
}

INLINE int vec_sat_i16(int a)
{
    return a < INT16_MIN ? INT16_MIN : a > INT16_MAX ? INT16_MAX : a;
}

INLINE int vec_sat_u16(int a)
{
    return a < 0 ? 0 : a > UINT16_MAX ? UINT16_MAX : a;
}

/* --- Whole vectors
 * --------------------------------------------------------------------------------
 */

/* Lanes of a, picked by number; beyond them zero. */
INLINE v128 vec_plain_vec_swizzle(v128 a, v128 b)
{
    VEC_OPEN(u8, from, a);
    VEC_OPEN(u8, index, b);
    lane_u8 to[16];
    for (unsigned i = 0; i < 16; i++)
        to[i] = index[i] < 16 ? from[index[i]] : 0;
    VEC_CLOSE(to);
}

/* A shuffle as the translator puts it: `pick` has numbers below 16 or, for zero, 0x80. */
INLINE v128 vec_plain_vec_pick(v128 a, v128 pick)
{
    return vec_plain_vec_swizzle(a, pick);
}

INLINE v128 vec_plain_vec_shuffle(v128 a, v128 b, v128 pick_a, v128 pick_b)
{
    return vec_plain_vec_pick(a, pick_a) | vec_plain_vec_pick(b, pick_b);
}

INLINE uint32_t vec_plain_vec_any_true(v128 a)
{
    VEC_OPEN(u64, lanes, a);
    return (lanes[0] | lanes[1]) != 0;
}

/* Is no lane zero? The sign of every lane, lane 0 lowest. */
#define VEC_TESTS(type, width)                                                                     \
    INLINE uint32_t vec_plain_vec_all_true_##type(v128 a)                                          \
    {                                                                                              \
        VEC_OPEN(type, lanes, a);                                                                  \
        uint32_t all = 1;                                                                          \
        for (unsigned i = 0; i < VEC_LANES(type); i++)                                             \
            all &= lanes[i] != 0;                                                                  \
        return all;                                                                                \
    }                                                                                              \
    INLINE uint32_t vec_plain_vec_bitmask_##type(v128 a)                                           \
    {                                                                                              \
        VEC_OPEN(type, lanes, a);                                                                  \
        uint32_t mask = 0;                                                                         \
        for (unsigned i = 0; i < VEC_LANES(type); i++)                                             \
            mask |= (uint32_t)(lanes[i] >> (width - 1)) << i;                                      \
        return mask;                                                                               \
    }
VEC_TESTS(u8, 8)
VEC_TESTS(u16, 16)
VEC_TESTS(u32, 32)
VEC_TESTS(u64, 64)
#undef VEC_TESTS

/* The lanes of a, then those of b, saturated to half the width. */
#define VEC_NARROW(name, from, to)                                                                 \
    INLINE v128 vec_plain_vec_narrow_##name(v128 a, v128 b)                                        \
    {                                                                                              \
        VEC_OPEN(from, low, a);                                                                    \
        VEC_OPEN(from, high, b);                                                                   \
        lane_##to lanes[VEC_LANES(to)];                                                            \
        for (unsigned i = 0; i < VEC_LANES(from); i++) {                                           \
            lanes[i] = (lane_##to)vec_sat_##to(low[i]);                                            \
            lanes[i + VEC_LANES(from)] = (lane_##to)vec_sat_##to(high[i]);                         \
        }                                                                                          \
        VEC_CLOSE(lanes);                                                                          \
    }
VEC_NARROW(i16x8_s, i16, i8)
VEC_NARROW(i16x8_u, i16, u8)
VEC_NARROW(i32x4_s, i32, i16)
VEC_NARROW(i32x4_u, i32, u16)
#undef VEC_NARROW

/* Sums of neighbouring lanes, in lanes of twice the width. */
#define VEC_EXTADD(name, from, to)                                                                 \
    INLINE v128 vec_plain_vec_extadd_##name(v128 a)                                                \
    {                                                                                              \
        VEC_OPEN(from, in, a);                                                                     \
        lane_##to lanes[VEC_LANES(to)];                                                            \
        for (unsigned i = 0; i < VEC_LANES(to); i++)                                               \
            lanes[i] = (lane_##to)(in[2 * i] + in[2 * i + 1]);                                     \
        VEC_CLOSE(lanes);                                                                          \
    }
VEC_EXTADD(i8x16_s, i8, i16)
VEC_EXTADD(i8x16_u, u8, u16)
VEC_EXTADD(i16x8_s, i16, i32)
VEC_EXTADD(i16x8_u, u16, u32)
#undef VEC_EXTADD

/* Products of the lower or upper half of the lanes, in lanes of twice the width. */
#define VEC_EXTMUL_HALF(name, half, first, from, to)                                               \
    INLINE v128 vec_plain_vec_extmul_##half##_##name(v128 a, v128 b)                               \
    {                                                                                              \
        VEC_OPEN(from, in_a, a);                                                                   \
        VEC_OPEN(from, in_b, b);                                                                   \
        lane_##to lanes[VEC_LANES(to)];                                                            \
        for (unsigned i = 0; i < VEC_LANES(to); i++)                                               \
            lanes[i] = (lane_##to)((lane_##to)in_a[(first) + i] * (lane_##to)in_b[(first) + i]);   \
        VEC_CLOSE(lanes);                                                                          \
    }
#define VEC_EXTMUL(name, from, to)                                                                 \
    VEC_EXTMUL_HALF(name, low, 0, from, to) VEC_EXTMUL_HALF(name, high, VEC_LANES(to), from, to)
VEC_EXTMUL(i8x16_s, i8, i16)
VEC_EXTMUL(i8x16_u, u8, u16)
VEC_EXTMUL(i16x8_s, i16, i32)
VEC_EXTMUL(i16x8_u, u16, u32)
VEC_EXTMUL(i32x4_s, i32, i64)
VEC_EXTMUL(i32x4_u, u32, u64)
#undef VEC_EXTMUL
#undef VEC_EXTMUL_HALF

/* Sums of neighbouring products. Only -2^15 * -2^15 twice leaves the range, and wraps. */
INLINE v128 vec_plain_vec_dot_i16x8_s(v128 a, v128 b)
{
    VEC_OPEN(i16, in_a, a);
    VEC_OPEN(i16, in_b, b);
    lane_u32 lanes[4];
    for (unsigned i = 0; i < 4; i++)
        lanes[i] =
            (lane_u32)(in_a[2 * i] * in_b[2 * i]) + (lane_u32)(in_a[2 * i + 1] * in_b[2 * i + 1]);
    VEC_CLOSE(lanes);
}

/* The same of bytes, both signed, where the sum saturates. */
INLINE v128 vec_plain_vec_dot_i8x16(v128 a, v128 b)
{
    VEC_OPEN(i8, in_a, a);
    VEC_OPEN(i8, in_b, b);
    lane_i16 lanes[8];
    for (unsigned i = 0; i < 8; i++)
        lanes[i] =
            (lane_i16)vec_sat_i16(in_a[2 * i] * in_b[2 * i] + in_a[2 * i + 1] * in_b[2 * i + 1]);
    VEC_CLOSE(lanes);
}

INLINE v128 vec_plain_vec_dot_i8x16_add(v128 a, v128 b, v128 c)
{
    v128 sums = vec_plain_vec_extadd_i16x8_s(vec_plain_vec_dot_i8x16(a, b));
    VEC_OPEN(u32, lanes, sums);
    VEC_OPEN(u32, in_c, c);
    for (unsigned i = 0; i < 4; i++)
        lanes[i] += in_c[i];
    VEC_CLOSE(lanes);
}

/* --- Lanes and scalars
 * ----------------------------------------------------------------------------
 * vec_splat_LANES(value), vec_lane_LANES(a, byte), vec_with_LANES(a, byte, value); a lane is named
 * by the byte at which it begins. vec_read_LANES(from) is one lane in memory. */
#define VEC_SCALAR(type)                                                                           \
    INLINE lane_##type vec_read_##type(const void *from)                                           \
    {                                                                                              \
        lane_##type value;                                                                         \
        memcpy(&value, from, sizeof value);                                                        \
        return value;                                                                              \
    }                                                                                              \
    INLINE v128 vec_plain_vec_splat_##type(lane_##type value)                                      \
    {                                                                                              \
        lane_##type lanes[VEC_LANES(type)];                                                        \
        for (unsigned i = 0; i < VEC_LANES(type); i++)                                             \
            lanes[i] = value;                                                                      \
        VEC_CLOSE(lanes);                                                                          \
    }                                                                                              \
    INLINE lane_##type vec_plain_vec_lane_##type(v128 a, unsigned byte)                            \
    {                                                                                              \
        return vec_read_##type((const char *)&a + byte);                                           \
    }                                                                                              \
    INLINE v128 vec_plain_vec_with_##type(v128 a, unsigned byte, lane_##type value)                \
    {                                                                                              \
        memcpy((char *)&a + byte, &value, sizeof value);                                           \
        return a;                                                                                  \
    }
VEC_SCALAR(u8)
VEC_SCALAR(i8)
VEC_SCALAR(u16)
VEC_SCALAR(i16)
VEC_SCALAR(u32)
VEC_SCALAR(u64)
VEC_SCALAR(f32)
VEC_SCALAR(f64)
#undef VEC_SCALAR

/* Half as many lanes of twice the width, from the lower half of a. */
#define VEC_EXTEND(from, to)                                                                       \
    INLINE v128 vec_plain_vec_extend_##from(v128 a)                                                \
    {                                                                                              \
        VEC_OPEN(from, in, a);                                                                     \
        lane_##to lanes[VEC_LANES(to)];                                                            \
        for (unsigned i = 0; i < VEC_LANES(to); i++)                                               \
            lanes[i] = (lane_##to)in[i];                                                           \
        VEC_CLOSE(lanes);                                                                          \
    }
VEC_EXTEND(i8, u16)
VEC_EXTEND(u8, u16)
VEC_EXTEND(i16, u32)
VEC_EXTEND(u16, u32)
VEC_EXTEND(i32, u64)
VEC_EXTEND(u32, u64)
#undef VEC_EXTEND

/* --- The rows
 * -------------------------------------------------------------------------------------
 */

/* `a` and the like are lanes; the vectors are va, vb, vc. */
#define VEC_MAP(name, first, from, to, value)                                                      \
    INLINE v128 vec_plain_##name(v128 va)                                                          \
    {                                                                                              \
        VEC_OPEN(from, in, va);                                                                    \
        lane_##to lanes[VEC_LANES(to)] = {0};                                                      \
        for (unsigned i = 0; i < VEC_LANES(from) && i < VEC_LANES(to); i++) {                      \
            lane_##from a = in[(first) + i];                                                       \
            lanes[i] = (lane_##to)(value);                                                         \
        }                                                                                          \
        VEC_CLOSE(lanes);                                                                          \
    }
#define V1(code, name, text, feature, from, to, value) VEC_MAP(name, 0, from, to, value)
#define VHIGH(code, name, text, feature, from, to, value)                                          \
    VEC_MAP(name, VEC_LANES(to), from, to, value)
#define V2(code, name, text, feature, type, value)                                                 \
    INLINE v128 vec_plain_##name(v128 va, v128 vb)                                                 \
    {                                                                                              \
        VEC_OPEN(type, in_a, va);                                                                  \
        VEC_OPEN(type, in_b, vb);                                                                  \
        for (unsigned i = 0; i < VEC_LANES(type); i++) {                                           \
            lane_##type a = in_a[i];                                                               \
            lane_##type b = in_b[i];                                                               \
            in_a[i] = (lane_##type)(value);                                                        \
        }                                                                                          \
        VEC_CLOSE(in_a);                                                                           \
    }
#define V3(code, name, text, feature, type, value)                                                 \
    INLINE v128 vec_plain_##name(v128 va, v128 vb, v128 vc)                                        \
    {                                                                                              \
        VEC_OPEN(type, in_a, va);                                                                  \
        VEC_OPEN(type, in_b, vb);                                                                  \
        VEC_OPEN(type, in_c, vc);                                                                  \
        for (unsigned i = 0; i < VEC_LANES(type); i++) {                                           \
            lane_##type a = in_a[i];                                                               \
            lane_##type b = in_b[i];                                                               \
            lane_##type c = in_c[i];                                                               \
            in_a[i] = (lane_##type)(value);                                                        \
        }                                                                                          \
        VEC_CLOSE(in_a);                                                                           \
    }
#define VEC_BITS_u8  lane_u8
#define VEC_BITS_i8  lane_u8
#define VEC_BITS_u16 lane_u16
#define VEC_BITS_i16 lane_u16
#define VEC_BITS_u32 lane_u32
#define VEC_BITS_i32 lane_u32
#define VEC_BITS_f32 lane_u32
#define VEC_BITS_u64 lane_u64
#define VEC_BITS_i64 lane_u64
#define VEC_BITS_f64 lane_u64
#define VCMP(code, name, text, feature, type, condition)                                           \
    INLINE v128 vec_plain_##name(v128 va, v128 vb)                                                 \
    {                                                                                              \
        VEC_OPEN(type, in_a, va);                                                                  \
        VEC_OPEN(type, in_b, vb);                                                                  \
        VEC_BITS_##type lanes[VEC_LANES(type)];                                                    \
        for (unsigned i = 0; i < VEC_LANES(type); i++) {                                           \
            lane_##type a = in_a[i];                                                               \
            lane_##type b = in_b[i];                                                               \
            lanes[i] = (VEC_BITS_##type)((condition) ? -1 : 0);                                    \
        }                                                                                          \
        VEC_CLOSE(lanes);                                                                          \
    }
#define VSHIFT(code, name, text, feature, type, value)                                             \
    INLINE v128 vec_plain_##name(v128 va, uint32_t count)                                          \
    {                                                                                              \
        VEC_OPEN(type, in_a, va);                                                                  \
        uint32_t b = count % (8 * sizeof(lane_##type));                                            \
        for (unsigned i = 0; i < VEC_LANES(type); i++) {                                           \
            lane_##type a = in_a[i];                                                               \
            in_a[i] = (lane_##type)(value);                                                        \
        }                                                                                          \
        VEC_CLOSE(in_a);                                                                           \
    }
#define OP(code, name, text, feature, imm, pops, pushes)
#include "engine/wasm/op.def"
#undef VEC_MAP

/* --- Faster ones
 * ---------------------------------------------------------------------------------- FAST_NAME,
 * where it is defined, is `0, function`. */
#if defined(__SSE4_1__) && !defined(CARREL_PLAIN_VECTORS)
#include "engine/exec/vec_sse.h"
#endif
#define VEC(name)              VEC_SECOND(FAST_##name, vec_plain_##name, 0)
#define VEC_SECOND(...)        VEC_SECOND_(__VA_ARGS__)
#define VEC_SECOND_(a, b, ...) b

#endif
