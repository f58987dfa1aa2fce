/* Vectors with SSE4.1, part of vec.h: the rows of which compilers do not make the best code from C.
 * Results are those of the plain functions, but for the payload of a NaN made from two. */
#include <smmintrin.h>

/* --- Whole functions
 * ------------------------------------------------------------------------------
 */

/* pshufb takes the lower four bits of a number, or zero if its sign is set. */
INLINE v128 vec_sse_swizzle(v128 a, v128 b)
{
    return _mm_shuffle_epi8(a, _mm_adds_epu8(b, _mm_set1_epi8(0x70)));
}

INLINE v128 vec_sse_pick(v128 a, v128 pick)
{
    return _mm_shuffle_epi8(a, pick);
}

INLINE v128 vec_sse_shuffle(v128 a, v128 b, v128 pick_a, v128 pick_b)
{
    return _mm_or_si128(_mm_shuffle_epi8(a, pick_a), _mm_shuffle_epi8(b, pick_b));
}

INLINE uint32_t vec_sse_any_true(v128 a)
{
    return !_mm_testz_si128(a, a);
}

/* True if the mask that an equality gave is zero everywhere. */
INLINE uint32_t vec_sse_none(v128 mask)
{
    return (uint32_t)_mm_testz_si128(mask, mask);
}

INLINE uint32_t vec_sse_all_true_u8(v128 a)
{
    return vec_sse_none(_mm_cmpeq_epi8(a, _mm_setzero_si128()));
}

INLINE uint32_t vec_sse_all_true_u16(v128 a)
{
    return vec_sse_none(_mm_cmpeq_epi16(a, _mm_setzero_si128()));
}

INLINE uint32_t vec_sse_all_true_u32(v128 a)
{
    return vec_sse_none(_mm_cmpeq_epi32(a, _mm_setzero_si128()));
}

INLINE uint32_t vec_sse_all_true_u64(v128 a)
{
    return vec_sse_none(_mm_cmpeq_epi64(a, _mm_setzero_si128()));
}

INLINE uint32_t vec_sse_bitmask_u8(v128 a)
{
    return (uint32_t)_mm_movemask_epi8(a);
}

INLINE uint32_t vec_sse_bitmask_u16(v128 a)
{
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(a, _mm_setzero_si128()));
}

INLINE uint32_t vec_sse_bitmask_u32(v128 a)
{
    return (uint32_t)_mm_movemask_ps((__m128)a);
}

INLINE uint32_t vec_sse_bitmask_u64(v128 a)
{
    return (uint32_t)_mm_movemask_pd((__m128d)a);
}

/* --- Sums and products
 * ----------------------------------------------------------------------------
 */

INLINE v128 vec_sse_extadd_i8_s(v128 a)
{
    return _mm_maddubs_epi16(_mm_set1_epi8(1), a);
}

INLINE v128 vec_sse_extadd_i8_u(v128 a)
{
    return _mm_maddubs_epi16(a, _mm_set1_epi8(1));
}

INLINE v128 vec_sse_extadd_i16_s(v128 a)
{
    return _mm_madd_epi16(a, _mm_set1_epi16(1));
}

INLINE v128 vec_sse_extadd_i16_u(v128 a)
{
    return _mm_add_epi32(_mm_srli_epi32(a, 16), _mm_and_si128(a, _mm_set1_epi32(0xffff)));
}

#define VEC_SSE_EXTMUL(name, low, high, extend, multiply)                                          \
    INLINE v128 vec_sse_extmul_low_##name(v128 a, v128 b)                                          \
    {                                                                                              \
        return multiply(extend(low(a)), extend(low(b)));                                           \
    }                                                                                              \
    INLINE v128 vec_sse_extmul_high_##name(v128 a, v128 b)                                         \
    {                                                                                              \
        return multiply(extend(high(a)), extend(high(b)));                                         \
    }
#define VEC_SSE_LOW(a)  (a)
#define VEC_SSE_HIGH(a) _mm_unpackhi_epi64(a, a)
VEC_SSE_EXTMUL(i8_s, VEC_SSE_LOW, VEC_SSE_HIGH, _mm_cvtepi8_epi16, _mm_mullo_epi16)
VEC_SSE_EXTMUL(i8_u, VEC_SSE_LOW, VEC_SSE_HIGH, _mm_cvtepu8_epi16, _mm_mullo_epi16)

/* The multiplication reads the even lanes: each is put there. */
#define VEC_SSE_EVEN_LOW(a)  _mm_shuffle_epi32(a, 0x50)
#define VEC_SSE_EVEN_HIGH(a) _mm_shuffle_epi32(a, 0xfa)
#define VEC_SSE_AS_IS(a)     (a)
VEC_SSE_EXTMUL(i32_s, VEC_SSE_EVEN_LOW, VEC_SSE_EVEN_HIGH, VEC_SSE_AS_IS, _mm_mul_epi32)
VEC_SSE_EXTMUL(i32_u, VEC_SSE_EVEN_LOW, VEC_SSE_EVEN_HIGH, VEC_SSE_AS_IS, _mm_mul_epu32)
#undef VEC_SSE_EXTMUL

/* Lower and upper halves of the products, interleaved. */
#define VEC_SSE_EXTMUL16(name, half, unpack, multiply_high)                                        \
    INLINE v128 vec_sse_extmul_##half##_##name(v128 a, v128 b)                                     \
    {                                                                                              \
        return unpack(_mm_mullo_epi16(a, b), multiply_high(a, b));                                 \
    }
VEC_SSE_EXTMUL16(i16_s, low, _mm_unpacklo_epi16, _mm_mulhi_epi16)
VEC_SSE_EXTMUL16(i16_s, high, _mm_unpackhi_epi16, _mm_mulhi_epi16)
VEC_SSE_EXTMUL16(i16_u, low, _mm_unpacklo_epi16, _mm_mulhi_epu16)
VEC_SSE_EXTMUL16(i16_u, high, _mm_unpackhi_epi16, _mm_mulhi_epu16)
#undef VEC_SSE_EXTMUL16

/* pmulhrsw, which wraps where both are -1.0. */
INLINE v128 vec_sse_q15mulr(v128 a, v128 b)
{
    v128 product = _mm_mulhrs_epi16(a, b);
    return _mm_xor_si128(product, _mm_cmpeq_epi16(product, _mm_set1_epi16(INT16_MIN)));
}

INLINE v128 vec_sse_dot_i8(v128 a, v128 b)
{
    return _mm_hadds_epi16(vec_sse_extmul_low_i8_s(a, b), vec_sse_extmul_high_i8_s(a, b));
}

INLINE v128 vec_sse_dot_i8_add(v128 a, v128 b, v128 c)
{
    return _mm_add_epi32(vec_sse_extadd_i16_s(vec_sse_dot_i8(a, b)), c);
}

/* --- Shifts
 * ---------------------------------------------------------------------------------------
 */

#define VEC_SSE_SHIFT(name, shift, bits)                                                           \
    INLINE v128 vec_sse_##name(v128 a, uint32_t count)                                             \
    {                                                                                              \
        return shift(a, _mm_cvtsi32_si128((int)(count % bits)));                                   \
    }
VEC_SSE_SHIFT(i16_shl, _mm_sll_epi16, 16)
VEC_SSE_SHIFT(i16_shr_s, _mm_sra_epi16, 16)
VEC_SSE_SHIFT(i16_shr_u, _mm_srl_epi16, 16)
VEC_SSE_SHIFT(i64_shl, _mm_sll_epi64, 64)
VEC_SSE_SHIFT(i64_shr_u, _mm_srl_epi64, 64)
#undef VEC_SSE_SHIFT

/* Bytes are shifted as pairs, and what came over from the neighbour is cut off. */
INLINE v128 vec_sse_i8_shl(v128 a, uint32_t count)
{
    v128 kept = _mm_set1_epi8((char)(0xff << count % 8));
    return _mm_and_si128(_mm_sll_epi16(a, _mm_cvtsi32_si128((int)(count % 8))), kept);
}

INLINE v128 vec_sse_i8_shr_u(v128 a, uint32_t count)
{
    v128 kept = _mm_set1_epi8((char)(0xff >> count % 8));
    return _mm_and_si128(_mm_srl_epi16(a, _mm_cvtsi32_si128((int)(count % 8))), kept);
}

/* Where the sign has gone to, (x ^ sign) - sign extends it. */
INLINE v128 vec_sse_i8_shr_s(v128 a, uint32_t count)
{
    v128 sign = _mm_set1_epi8((char)(0x80 >> count % 8));
    return _mm_sub_epi8(_mm_xor_si128(vec_sse_i8_shr_u(a, count), sign), sign);
}

INLINE v128 vec_sse_i64_shr_s(v128 a, uint32_t count)
{
    v128 sign = vec_sse_i64_shr_u(_mm_set1_epi64x(INT64_MIN), count);
    return _mm_sub_epi64(_mm_xor_si128(vec_sse_i64_shr_u(a, count), sign), sign);
}

/* --- Floats
 * ---------------------------------------------------------------------------------------
 */

/* minps gives its second operand where the two are zeros or one is a NaN. Both orders together have
 * the right sign of zero; a sum is the NaN. */
#define VEC_SSE_MINMAX(suffix, vector)                                                             \
    INLINE v128 vec_sse_min_##suffix(v128 a, v128 b)                                               \
    {                                                                                              \
        vector x = (vector)a;                                                                      \
        vector y = (vector)b;                                                                      \
        vector least = _mm_or_##suffix(_mm_min_##suffix(x, y), _mm_min_##suffix(y, x));            \
        vector nan = _mm_cmpunord_##suffix(x, y);                                                  \
        return (v128)_mm_blendv_##suffix(least, _mm_add_##suffix(x, y), nan);                      \
    }                                                                                              \
    INLINE v128 vec_sse_max_##suffix(v128 a, v128 b)                                               \
    {                                                                                              \
        vector x = (vector)a;                                                                      \
        vector y = (vector)b;                                                                      \
        vector most = _mm_and_##suffix(_mm_max_##suffix(x, y), _mm_max_##suffix(y, x));            \
        vector nan = _mm_cmpunord_##suffix(x, y);                                                  \
        return (v128)_mm_blendv_##suffix(most, _mm_add_##suffix(x, y), nan);                       \
    }                                                                                              \
    /* b < a ? b : a is what the instruction does. */                                              \
    INLINE v128 vec_sse_pmin_##suffix(v128 a, v128 b)                                              \
    {                                                                                              \
        return (v128)_mm_min_##suffix((vector)b, (vector)a);                                       \
    }                                                                                              \
    INLINE v128 vec_sse_pmax_##suffix(v128 a, v128 b)                                              \
    {                                                                                              \
        return (v128)_mm_max_##suffix((vector)b, (vector)a);                                       \
    }
VEC_SSE_MINMAX(ps, __m128)
VEC_SSE_MINMAX(pd, __m128d)
#undef VEC_SSE_MINMAX

#define VEC_SSE_ROUND(name, mode)                                                                  \
    INLINE v128 vec_sse_##name##_ps(v128 a)                                                        \
    {                                                                                              \
        return (v128)_mm_round_ps((__m128)a, (mode) | _MM_FROUND_NO_EXC);                          \
    }                                                                                              \
    INLINE v128 vec_sse_##name##_pd(v128 a)                                                        \
    {                                                                                              \
        return (v128)_mm_round_pd((__m128d)a, (mode) | _MM_FROUND_NO_EXC);                         \
    }
VEC_SSE_ROUND(ceil, _MM_FROUND_TO_POS_INF)
VEC_SSE_ROUND(floor, _MM_FROUND_TO_NEG_INF)
VEC_SSE_ROUND(trunc, _MM_FROUND_TO_ZERO)
#undef VEC_SSE_ROUND

/* cvttps2dq gives 0x80000000 for what is beyond the range: right below it; above it all bits are
 * the other way round. */
INLINE v128 vec_sse_trunc_f32_s(v128 a)
{
    __m128 x = _mm_and_ps((__m128)a, _mm_cmpeq_ps((__m128)a, (__m128)a));
    v128 above = (v128)_mm_cmpge_ps(x, _mm_set1_ps(2147483648.0f));
    return _mm_xor_si128(_mm_cvttps_epi32(x), above);
}

/* From 2^31 on, the top bit is the 0x80000000 and the rest what lies above 2^31. */
INLINE v128 vec_sse_trunc_f32_u(v128 a)
{
    __m128 x = _mm_max_ps((__m128)a, _mm_setzero_ps());
    v128 low = _mm_cvttps_epi32(x);
    v128 rest = _mm_cvttps_epi32(_mm_sub_ps(x, _mm_set1_ps(2147483648.0f)));
    v128 above = (v128)_mm_cmpge_ps(x, _mm_set1_ps(4294967296.0f));
    return _mm_or_si128(_mm_or_si128(low, above), _mm_and_si128(rest, _mm_srai_epi32(low, 31)));
}

INLINE v128 vec_sse_trunc_f64_s(v128 a)
{
    __m128d x = _mm_and_pd((__m128d)a, _mm_cmpeq_pd((__m128d)a, (__m128d)a));
    return _mm_cvttpd_epi32(_mm_min_pd(x, _mm_set1_pd(2147483647.0)));
}

/* With 2^52 added, the integer is the lower half of the mantissa. */
INLINE v128 vec_sse_trunc_f64_u(v128 a)
{
    __m128d x = _mm_max_pd((__m128d)a, _mm_setzero_pd());
    x = _mm_round_pd(_mm_min_pd(x, _mm_set1_pd(4294967295.0)), _MM_FROUND_TO_ZERO);
    x = _mm_add_pd(x, _mm_set1_pd(4503599627370496.0));
    return (v128)_mm_shuffle_ps((__m128)x, _mm_setzero_ps(), 0x88);
}

INLINE v128 vec_sse_convert_f64_s(v128 a)
{
    return (v128)_mm_cvtepi32_pd(a);
}

INLINE v128 vec_sse_demote(v128 a)
{
    return (v128)_mm_cvtpd_ps((__m128d)a);
}

/* --- Lanes
 * ----------------------------------------------------------------------------------------
 */

/* The vector turned so that byte `first` comes to lie at 0. */
INLINE v128 vec_sse_turned(v128 a, unsigned first)
{
    static const uint8_t numbers[32] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
                                        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return _mm_shuffle_epi8(a, vec_read(numbers + first));
}

/* `bytes` bytes of b, from `first` on; all others of a. */
INLINE v128 vec_sse_replaced(v128 a, v128 b, unsigned first, unsigned bytes)
{
    static const uint8_t masks[][31] = {
        [1] = {[15] = 0xff},
        [2] = {[14] = 0xff, 0xff},
        [4] = {[12] = 0xff, 0xff, 0xff, 0xff},
        [8] = {[8] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    };
    return _mm_blendv_epi8(a, b, vec_read(masks[bytes] + 16 - bytes - first));
}

#define VEC_SSE_SCALAR(type)                                                                       \
    INLINE lane_##type vec_sse_lane_##type(v128 a, unsigned byte)                                  \
    {                                                                                              \
        v128 turned = vec_sse_turned(a, byte);                                                     \
        lane_##type value;                                                                         \
        memcpy(&value, &turned, sizeof value);                                                     \
        return value;                                                                              \
    }                                                                                              \
    INLINE v128 vec_sse_with_##type(v128 a, unsigned byte, lane_##type value)                      \
    {                                                                                              \
        v128 splat = vec_plain_vec_splat_##type(value);                                            \
        return vec_sse_replaced(a, splat, byte, sizeof value);                                     \
    }
VEC_SSE_SCALAR(u8)
VEC_SSE_SCALAR(i8)
VEC_SSE_SCALAR(u16)
VEC_SSE_SCALAR(i16)
VEC_SSE_SCALAR(u32)
VEC_SSE_SCALAR(u64)
VEC_SSE_SCALAR(f32)
VEC_SSE_SCALAR(f64)
#undef VEC_SSE_SCALAR

/* --- Which rows they replace
 * ----------------------------------------------------------------------
 */
/* clang-format off */
#define FAST_vec_swizzle             0, vec_sse_swizzle
#define FAST_vec_pick                0, vec_sse_pick
#define FAST_vec_shuffle             0, vec_sse_shuffle
#define FAST_vec_any_true            0, vec_sse_any_true
#define FAST_vec_all_true_u8         0, vec_sse_all_true_u8
#define FAST_vec_all_true_u16        0, vec_sse_all_true_u16
#define FAST_vec_all_true_u32        0, vec_sse_all_true_u32
#define FAST_vec_all_true_u64        0, vec_sse_all_true_u64
#define FAST_vec_bitmask_u8          0, vec_sse_bitmask_u8
#define FAST_vec_bitmask_u16         0, vec_sse_bitmask_u16
#define FAST_vec_bitmask_u32         0, vec_sse_bitmask_u32
#define FAST_vec_bitmask_u64         0, vec_sse_bitmask_u64
#define FAST_vec_narrow_i16x8_s      0, _mm_packs_epi16
#define FAST_vec_narrow_i16x8_u      0, _mm_packus_epi16
#define FAST_vec_narrow_i32x4_s      0, _mm_packs_epi32
#define FAST_vec_narrow_i32x4_u      0, _mm_packus_epi32
#define FAST_vec_extadd_i8x16_s      0, vec_sse_extadd_i8_s
#define FAST_vec_extadd_i8x16_u      0, vec_sse_extadd_i8_u
#define FAST_vec_extadd_i16x8_s      0, vec_sse_extadd_i16_s
#define FAST_vec_extadd_i16x8_u      0, vec_sse_extadd_i16_u
#define FAST_vec_extmul_low_i8x16_s  0, vec_sse_extmul_low_i8_s
#define FAST_vec_extmul_low_i8x16_u  0, vec_sse_extmul_low_i8_u
#define FAST_vec_extmul_high_i8x16_s 0, vec_sse_extmul_high_i8_s
#define FAST_vec_extmul_high_i8x16_u 0, vec_sse_extmul_high_i8_u
#define FAST_vec_extmul_low_i16x8_s  0, vec_sse_extmul_low_i16_s
#define FAST_vec_extmul_low_i16x8_u  0, vec_sse_extmul_low_i16_u
#define FAST_vec_extmul_high_i16x8_s 0, vec_sse_extmul_high_i16_s
#define FAST_vec_extmul_high_i16x8_u 0, vec_sse_extmul_high_i16_u
#define FAST_vec_extmul_low_i32x4_s  0, vec_sse_extmul_low_i32_s
#define FAST_vec_extmul_low_i32x4_u  0, vec_sse_extmul_low_i32_u
#define FAST_vec_extmul_high_i32x4_s 0, vec_sse_extmul_high_i32_s
#define FAST_vec_extmul_high_i32x4_u 0, vec_sse_extmul_high_i32_u
#define FAST_vec_dot_i16x8_s         0, _mm_madd_epi16
#define FAST_vec_dot_i8x16           0, vec_sse_dot_i8
#define FAST_vec_dot_i8x16_add       0, vec_sse_dot_i8_add

#define FAST_vec_lane_u8  0, vec_sse_lane_u8
#define FAST_vec_lane_i8  0, vec_sse_lane_i8
#define FAST_vec_lane_u16 0, vec_sse_lane_u16
#define FAST_vec_lane_i16 0, vec_sse_lane_i16
#define FAST_vec_lane_u32 0, vec_sse_lane_u32
#define FAST_vec_lane_u64 0, vec_sse_lane_u64
#define FAST_vec_lane_f32 0, vec_sse_lane_f32
#define FAST_vec_lane_f64 0, vec_sse_lane_f64
#define FAST_vec_with_u8  0, vec_sse_with_u8
#define FAST_vec_with_i8  0, vec_sse_with_i8
#define FAST_vec_with_u16 0, vec_sse_with_u16
#define FAST_vec_with_i16 0, vec_sse_with_i16
#define FAST_vec_with_u32 0, vec_sse_with_u32
#define FAST_vec_with_u64 0, vec_sse_with_u64
#define FAST_vec_with_f32 0, vec_sse_with_f32
#define FAST_vec_with_f64 0, vec_sse_with_f64

#define FAST_vec_extend_i8  0, _mm_cvtepi8_epi16
#define FAST_vec_extend_u8  0, _mm_cvtepu8_epi16
#define FAST_vec_extend_i16 0, _mm_cvtepi16_epi32
#define FAST_vec_extend_u16 0, _mm_cvtepu16_epi32
#define FAST_vec_extend_i32 0, _mm_cvtepi32_epi64
#define FAST_vec_extend_u32 0, _mm_cvtepu32_epi64

#define FAST_I16X8_EXTEND_LOW_I8X16_S 0, _mm_cvtepi8_epi16
#define FAST_I16X8_EXTEND_LOW_I8X16_U 0, _mm_cvtepu8_epi16
#define FAST_I32X4_EXTEND_LOW_I16X8_S 0, _mm_cvtepi16_epi32
#define FAST_I32X4_EXTEND_LOW_I16X8_U 0, _mm_cvtepu16_epi32
#define FAST_I64X2_EXTEND_LOW_I32X4_S 0, _mm_cvtepi32_epi64
#define FAST_I64X2_EXTEND_LOW_I32X4_U 0, _mm_cvtepu32_epi64
#define FAST_I8X16_ABS                0, _mm_abs_epi8
#define FAST_I16X8_ABS                0, _mm_abs_epi16
#define FAST_I32X4_ABS                0, _mm_abs_epi32
#define FAST_I8X16_ADD_SAT_S          0, _mm_adds_epi8
#define FAST_I8X16_ADD_SAT_U          0, _mm_adds_epu8
#define FAST_I8X16_SUB_SAT_S          0, _mm_subs_epi8
#define FAST_I8X16_SUB_SAT_U          0, _mm_subs_epu8
#define FAST_I16X8_ADD_SAT_S          0, _mm_adds_epi16
#define FAST_I16X8_ADD_SAT_U          0, _mm_adds_epu16
#define FAST_I16X8_SUB_SAT_S          0, _mm_subs_epi16
#define FAST_I16X8_SUB_SAT_U          0, _mm_subs_epu16
#define FAST_I16X8_Q15MULR_SAT_S      0, vec_sse_q15mulr
#define FAST_I16X8_RELAXED_Q15MULR_S  0, vec_sse_q15mulr
#define FAST_I8X16_SHL                0, vec_sse_i8_shl
#define FAST_I8X16_SHR_S              0, vec_sse_i8_shr_s
#define FAST_I8X16_SHR_U              0, vec_sse_i8_shr_u
#define FAST_I16X8_SHL                0, vec_sse_i16_shl
#define FAST_I16X8_SHR_S              0, vec_sse_i16_shr_s
#define FAST_I16X8_SHR_U              0, vec_sse_i16_shr_u
#define FAST_I64X2_SHL                0, vec_sse_i64_shl
#define FAST_I64X2_SHR_S              0, vec_sse_i64_shr_s
#define FAST_I64X2_SHR_U              0, vec_sse_i64_shr_u

#define FAST_F32X4_MIN         0, vec_sse_min_ps
#define FAST_F32X4_MAX         0, vec_sse_max_ps
#define FAST_F32X4_PMIN        0, vec_sse_pmin_ps
#define FAST_F32X4_PMAX        0, vec_sse_pmax_ps
#define FAST_F32X4_RELAXED_MIN 0, vec_sse_min_ps
#define FAST_F32X4_RELAXED_MAX 0, vec_sse_max_ps
#define FAST_F32X4_CEIL        0, vec_sse_ceil_ps
#define FAST_F32X4_FLOOR       0, vec_sse_floor_ps
#define FAST_F32X4_TRUNC       0, vec_sse_trunc_ps
#define FAST_F64X2_MIN         0, vec_sse_min_pd
#define FAST_F64X2_MAX         0, vec_sse_max_pd
#define FAST_F64X2_PMIN        0, vec_sse_pmin_pd
#define FAST_F64X2_PMAX        0, vec_sse_pmax_pd
#define FAST_F64X2_RELAXED_MIN 0, vec_sse_min_pd
#define FAST_F64X2_RELAXED_MAX 0, vec_sse_max_pd
#define FAST_F64X2_CEIL        0, vec_sse_ceil_pd
#define FAST_F64X2_FLOOR       0, vec_sse_floor_pd
#define FAST_F64X2_TRUNC       0, vec_sse_trunc_pd

#define FAST_I32X4_TRUNC_SAT_F32X4_S           0, vec_sse_trunc_f32_s
#define FAST_I32X4_TRUNC_SAT_F32X4_U           0, vec_sse_trunc_f32_u
#define FAST_I32X4_TRUNC_SAT_F64X2_S_ZERO      0, vec_sse_trunc_f64_s
#define FAST_I32X4_TRUNC_SAT_F64X2_U_ZERO      0, vec_sse_trunc_f64_u
#define FAST_I32X4_RELAXED_TRUNC_F32X4_S       0, vec_sse_trunc_f32_s
#define FAST_I32X4_RELAXED_TRUNC_F32X4_U       0, vec_sse_trunc_f32_u
#define FAST_I32X4_RELAXED_TRUNC_F64X2_S_ZERO  0, vec_sse_trunc_f64_s
#define FAST_I32X4_RELAXED_TRUNC_F64X2_U_ZERO  0, vec_sse_trunc_f64_u
#define FAST_F64X2_CONVERT_LOW_I32X4_S         0, vec_sse_convert_f64_s
#define FAST_F32X4_DEMOTE_F64X2_ZERO           0, vec_sse_demote
/* clang-format on */
