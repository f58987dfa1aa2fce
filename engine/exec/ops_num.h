/* Scalar arithmetic, comparisons and the branches fused with them: the rows of op_num.def in every
 * form. The value expression of a row appears here once per form, as `a`, `b`. */
#ifndef CARREL_EXEC_OPS_NUM_H
#define CARREL_EXEC_OPS_NUM_H

#include "engine/exec/interp.h"

/* Where the operands come from, by form (xop.h). */
#define A_SS(type)     SLOT_##type(1)
#define B_SS(type)     SLOT_##type(2)
#define A_AS(type)     ACC_##type
#define B_AS(type)     SLOT_##type(2)
#define A_SA(type)     SLOT_##type(1)
#define B_SA(type)     ACC_##type
#define A_SI(type)     SLOT_##type(1)
#define B_SI(type)     IMM_##type
#define A_AI(type)     ACC_##type
#define B_AI(type)     IMM_##type
#define A_IS(type)     IMM_##type
#define B_IS(type)     SLOT_##type(1)
#define A_IA(type)     IMM_##type
#define B_IA(type)     ACC_##type
#define WORDS_SS(type) 2
#define WORDS_AS(type) 2
#define WORDS_SA(type) 2
#define WORDS_SI(type) IMM_WORDS_##type
#define WORDS_AI(type) IMM_WORDS_##type
#define WORDS_IS(type) IMM_WORDS_##type
#define WORDS_IA(type) IMM_WORDS_##type

#define EACH_FORM2(X, ...)                                                                         \
    X(SS, __VA_ARGS__)                                                                             \
    X(AS, __VA_ARGS__)                                                                             \
    X(SA, __VA_ARGS__) X(SI, __VA_ARGS__) X(AI, __VA_ARGS__) X(IS, __VA_ARGS__) X(IA, __VA_ARGS__)

/* Two operands: a check that may trap, then the value; to the accumulator alone, and to a slot. */
#define TWO(form, name, type, to, check, value)                                                    \
    OPERATION(name##_##form)                                                                       \
    {                                                                                              \
        c_##type a = A_##form(type);                                                               \
        c_##type b = B_##form(type);                                                               \
        check;                                                                                     \
        SET_ACC_##to(value);                                                                       \
        STEP(WORDS_##form(type));                                                                  \
    }                                                                                              \
    OPERATION(name##_##form##_D)                                                                   \
    {                                                                                              \
        c_##type a = A_##form(type);                                                               \
        c_##type b = B_##form(type);                                                               \
        check;                                                                                     \
        c_##to result = value;                                                                     \
        SET_SLOT_##to(0, result);                                                                  \
        SET_ACC_##to(result);                                                                      \
        STEP(WORDS_##form(type));                                                                  \
    }

#define BIN(code, name, text, feature, type, value, order)                                         \
    EACH_FORM2(TWO, name, type, type, (void)0, value)
#define CMP(code, name, text, feature, type, value, swapped, negated)                              \
    EACH_FORM2(TWO, name, type, i32, (void)0, value)
#define DIV(code, name, text, feature, type, overflows, value)                                     \
    EACH_FORM2(TWO, name, type, type, FAIL_IF(b == 0, DIVIDE_BY_ZERO);                             \
               FAIL_IF(overflows, OVERFLOW), value)

/* One operand. */
#define ONE(form, source, name, from, to, check, value)                                            \
    OPERATION(name##_##form)                                                                       \
    {                                                                                              \
        c_##from a = source;                                                                       \
        check;                                                                                     \
        SET_ACC_##to(value);                                                                       \
        STEP(2);                                                                                   \
    }                                                                                              \
    OPERATION(name##_##form##_D)                                                                   \
    {                                                                                              \
        c_##from a = source;                                                                       \
        check;                                                                                     \
        c_##to result = value;                                                                     \
        SET_SLOT_##to(0, result);                                                                  \
        SET_ACC_##to(result);                                                                      \
        STEP(2);                                                                                   \
    }

#define UN(code, name, text, feature, from, to, value)                                             \
    ONE(S, SLOT_##from(1), name, from, to, (void)0, value)                                         \
    ONE(A, ACC_##from, name, from, to, (void)0, value)

/* Which trap: a NaN is an invalid conversion, anything else an overflow (§4.3.4). */
#define TRUNC_CHECK(above, below)                                                                  \
    if (unlikely(!(a > (above) && a < (below)))) {                                                 \
        FAIL_IF(a != a, CONVERSION);                                                               \
        FAIL(TRAP_OVERFLOW);                                                                       \
    }
#define TRUNC(code, name, text, feature, from, to, above, below, value)                            \
    ONE(S, SLOT_##from(1), name, from, to, TRUNC_CHECK(above, below), value)                       \
    ONE(A, ACC_##from, name, from, to, TRUNC_CHECK(above, below), value)

#include "engine/wasm/op_num.def"
#undef UN
#undef TRUNC
#undef BIN
#undef DIV
#undef CMP

/* --- Branches fused with a comparison
 * -------------------------------------------------------------- [a b off], or with an immediate [s
 * - off][imm64]. */
#define BRANCH_A_SS(type) SLOT_##type(0)
#define BRANCH_B_SS(type) SLOT_##type(1)
#define BRANCH_A_AS(type) ACC_##type
#define BRANCH_B_AS(type) SLOT_##type(1)
#define BRANCH_A_SA(type) SLOT_##type(0)
#define BRANCH_B_SA(type) ACC_##type
#define BRANCH_A_SI(type) SLOT_##type(0)
#define BRANCH_B_SI(type) BRANCH_IMM_##type
#define BRANCH_A_AI(type) ACC_##type
#define BRANCH_B_AI(type) BRANCH_IMM_##type
#define BRANCH_A_IS(type) BRANCH_IMM_##type
#define BRANCH_B_IS(type) SLOT_##type(0)
#define BRANCH_A_IA(type) BRANCH_IMM_##type
#define BRANCH_B_IA(type) ACC_##type
#define BRANCH_IMM_i32    ((uint32_t)pc[2])
#define BRANCH_IMM_i64    (pc[2])
#define BRANCH_IMM_f32    num_f32_of_i32((uint32_t)pc[2])
#define BRANCH_IMM_f64    num_f64_of_i64(pc[2])
#define BRANCH_WORDS_SS   2
#define BRANCH_WORDS_AS   2
#define BRANCH_WORDS_SA   2
#define BRANCH_WORDS_SI   3
#define BRANCH_WORDS_AI   3
#define BRANCH_WORDS_IS   3
#define BRANCH_WORDS_IA   3

#define COMPARE(form, name, type, value)                                                           \
    OPERATION(BR_##name##_##form)                                                                  \
    {                                                                                              \
        c_##type a = BRANCH_A_##form(type);                                                        \
        c_##type b = BRANCH_B_##form(type);                                                        \
        if (value)                                                                                 \
            BRANCH(U32(1));                                                                        \
        STEP(BRANCH_WORDS_##form);                                                                 \
    }                                                                                              \
    OPERATION(BRN_##name##_##form)                                                                 \
    {                                                                                              \
        c_##type a = BRANCH_A_##form(type);                                                        \
        c_##type b = BRANCH_B_##form(type);                                                        \
        if (value)                                                                                 \
            STEP(BRANCH_WORDS_##form);                                                             \
        BRANCH(U32(1));                                                                            \
    }

#define UN(code, name, text, feature, from, to, value)
#define TRUNC(code, name, text, feature, from, to, above, below, value)
#define BIN(code, name, text, feature, type, value, order)
#define DIV(code, name, text, feature, type, overflows, value)
#define CMP(code, name, text, feature, type, value, swapped, negated)                              \
    EACH_FORM2(COMPARE, name, type, value)
#include "engine/wasm/op_num.def"
#undef UN
#undef TRUNC
#undef BIN
#undef DIV
#undef CMP

#endif
