/* Operations of vectors: the rows of op_simd.def in every form, over the functions of vec.h. Loads
 * and stores are in ops_simd_mem.h. */
#ifndef CARREL_EXEC_OPS_SIMD_H
#define CARREL_EXEC_OPS_SIMD_H

#include "engine/exec/interp_vec.h"
#include "engine/exec/ops_call.h"

/* --- Vectors to a vector
 * --------------------------------------------------------------------------
 */

#define VECTOR1(name, function)                                                                    \
    VALUE(name##_S, v128, 2, VEC(function)(SLOT_v128(1)))                                          \
    VALUE(name##_A, v128, 2, VEC(function)(ACC_v128))

#define VECTOR2(name, function)                                                                    \
    VALUE(name##_SS, v128, 2, VEC(function)(SLOT_v128(1), SLOT_v128(2)))                           \
    VALUE(name##_AS, v128, 2, VEC(function)(ACC_v128, SLOT_v128(2)))                               \
    VALUE(name##_SA, v128, 2, VEC(function)(SLOT_v128(1), ACC_v128))                               \
    VALUE(name##_SI, v128, 4, VEC(function)(SLOT_v128(1), WORDS_v128(2)))                          \
    VALUE(name##_AI, v128, 4, VEC(function)(ACC_v128, WORDS_v128(2)))                              \
    VALUE(name##_IS, v128, 4, VEC(function)(WORDS_v128(2), SLOT_v128(1)))                          \
    VALUE(name##_IA, v128, 4, VEC(function)(WORDS_v128(2), ACC_v128))

#define VECTOR3(name, function)                                                                    \
    VALUE(name##_SSS, v128, 2, VEC(function)(SLOT_v128(1), SLOT_v128(2), SLOT_v128(3)))            \
    VALUE(name##_ASS, v128, 2, VEC(function)(ACC_v128, SLOT_v128(2), SLOT_v128(3)))                \
    VALUE(name##_SAS, v128, 2, VEC(function)(SLOT_v128(1), ACC_v128, SLOT_v128(3)))                \
    VALUE(name##_SSA, v128, 2, VEC(function)(SLOT_v128(1), SLOT_v128(2), ACC_v128))                \
    VALUE(name##_SSI, v128, 4, VEC(function)(SLOT_v128(1), SLOT_v128(2), WORDS_v128(2)))           \
    VALUE(name##_ASI, v128, 4, VEC(function)(ACC_v128, SLOT_v128(2), WORDS_v128(2)))               \
    VALUE(name##_SAI, v128, 4, VEC(function)(SLOT_v128(1), ACC_v128, WORDS_v128(2)))

#define SHIFTED(name)                                                                              \
    VALUE(name##_SS, v128, 2, VEC(name)(SLOT_v128(1), SLOT_i32(2)))                                \
    VALUE(name##_AS, v128, 2, VEC(name)(ACC_v128, SLOT_i32(2)))                                    \
    VALUE(name##_SA, v128, 2, VEC(name)(SLOT_v128(1), ACC_i32))                                    \
    VALUE(name##_AA, v128, 2, VEC(name)(ACC_v128, ACC_i32))                                        \
    VALUE(name##_SI, v128, 3, VEC(name)(SLOT_v128(1), (uint32_t)pc[2]))                            \
    VALUE(name##_AI, v128, 3, VEC(name)(ACC_v128, (uint32_t)pc[2]))

/* --- Vectors and scalars
 * --------------------------------------------------------------------------
 */

#define TESTED(name, function)                                                                     \
    VALUE(name##_S, i32, 2, VEC(function)(SLOT_v128(1)))                                           \
    VALUE(name##_A, i32, 2, VEC(function)(ACC_v128))                                               \
    VALUE(name##_NOT_S, i32, 2, !VEC(function)(SLOT_v128(1)))                                      \
    VALUE(name##_NOT_A, i32, 2, !VEC(function)(ACC_v128))                                          \
    TEST_BRANCH(BR_##name##_S, VEC(function)(SLOT_v128(0)))                                        \
    TEST_BRANCH(BR_##name##_A, VEC(function)(ACC_v128))                                            \
    TEST_BRANCH(BRN_##name##_S, !VEC(function)(SLOT_v128(0)))                                      \
    TEST_BRANCH(BRN_##name##_A, !VEC(function)(ACC_v128))

/* [s - off] */
#define TEST_BRANCH(name, condition)                                                               \
    OPERATION(name)                                                                                \
    {                                                                                              \
        if (condition)                                                                             \
            BRANCH(U32(1));                                                                        \
        STEP(2);                                                                                   \
    }

#define SPLATTED(name, lanes, type)                                                                \
    VALUE(name##_S, v128, 2, VEC(vec_splat_##lanes)((lane_##lanes)SLOT_##type(1)))                 \
    VALUE(name##_A, v128, 2, VEC(vec_splat_##lanes)((lane_##lanes)ACC_##type))

/* A lane of a slot is read where it lies. */
#define EXTRACTED(name, lanes, type)                                                               \
    VALUE(name##_S, type, 2, vec_read_##lanes((const char *)&fp[U16(1)] + U16(2)))                 \
    VALUE(name##_A, type, 2, VEC(vec_lane_##lanes)(ACC_v128, U16(2)))

#define REPLACED(name, lanes, type)                                                                \
    REPLACED_FORM(name##_SS, lanes, SLOT_v128(1), SLOT_##type(2))                                  \
    REPLACED_FORM(name##_AS, lanes, ACC_v128, SLOT_##type(2))                                      \
    REPLACED_FORM(name##_SA, lanes, SLOT_v128(1), ACC_##type)                                      \
    REPLACED_FORM(name##_AA, lanes, ACC_v128, ACC_##type)
#define REPLACED_FORM(name, lanes, vector, value)                                                  \
    VALUE(name, v128, 2, VEC(vec_with_##lanes)(vector, U16(3), (lane_##lanes)(value)))

/* --- The rows
 * -------------------------------------------------------------------------------------
 */

#define OP(code, name, text, feature, imm, pops, pushes)
#define V1(code, name, text, feature, from, to, value)    VECTOR1(name, name)
#define VHIGH(code, name, text, feature, from, to, value) VECTOR1(name, name)
#define VFN1(code, name, text, feature, function)         VECTOR1(name, function)
#define V2(code, name, text, feature, lanes, value)       VECTOR2(name, name)
#define VCMP(code, name, text, feature, lanes, condition) VECTOR2(name, name)
#define VFN2(code, name, text, feature, function)         VECTOR2(name, function)
#define V3(code, name, text, feature, lanes, value)       VECTOR3(name, name)
#define VFN3(code, name, text, feature, function)         VECTOR3(name, function)
#define VSHIFT(code, name, text, feature, lanes, value)   SHIFTED(name)
#define VTEST(code, name, text, feature, function)        TESTED(name, function)
#define VSPLAT(code, name, text, feature, lanes, type)    SPLATTED(name, lanes, type)
#define VEXTRACT(code, name, text, feature, lanes, type)  EXTRACTED(name, lanes, type)
#define VREPLACE(code, name, text, feature, lanes, type)  REPLACED(name, lanes, type)
#include "engine/wasm/op.def"

VALUE(I8X16_SHUFFLE_SS, v128, 6,
      VEC(vec_shuffle)(SLOT_v128(1), SLOT_v128(2), WORDS_v128(2), WORDS_v128(4)))
VALUE(I8X16_SHUFFLE_AS, v128, 6,
      VEC(vec_shuffle)(ACC_v128, SLOT_v128(2), WORDS_v128(2), WORDS_v128(4)))
VALUE(I8X16_SHUFFLE_SA, v128, 6,
      VEC(vec_shuffle)(SLOT_v128(1), ACC_v128, WORDS_v128(2), WORDS_v128(4)))
VALUE(I8X16_SHUFFLE_S, v128, 4, VEC(vec_pick)(SLOT_v128(1), WORDS_v128(2)))
VALUE(I8X16_SHUFFLE_A, v128, 4, VEC(vec_pick)(ACC_v128, WORDS_v128(2)))

/* --- Moving vectors
 * -------------------------------------------------------------------------------
 */

OPERATION(COPYV)
{
    SET_SLOT_v128(0, SLOT_v128(1));
    STEP(2);
}

OPERATION(CONSTV)
{
    SET_SLOT_v128(0, WORDS_v128(2));
    STEP(4);
}

VALUE(SELECTV_S, v128, 2, vec_read(&fp[SLOT_i32(1) ? U16(2) : U16(3)]))
VALUE(SELECTV_A, v128, 2, vec_read(&fp[ACC_i32 ? U16(2) : U16(3)]))

RETURNS(RETV, _S, (SET_ACC_v128(SLOT_v128(1)), vec_write(fp, ACC_v128)))
RETURNS(RETV, _A, vec_write(fp, ACC_v128))

VALUE(GLOBAL_GETV, v128, 2, vec_read(in->globals[U32(1)]->value))

OPERATION(GLOBAL_SETV_S)
{
    vec_write(in->globals[U32(1)]->value, SLOT_v128(1));
    STEP(2);
}

OPERATION(GLOBAL_SETV_A)
{
    vec_write(in->globals[U32(1)]->value, ACC_v128);
    STEP(2);
}

#endif
