/* Operations that move values: copies between slots, constants, select. */
#ifndef CARREL_EXEC_OPS_MOVE_H
#define CARREL_EXEC_OPS_MOVE_H

#include "engine/exec/interp.h"

OPERATION(COPY)
{
    fp[U16(0)] = fp[U16(1)];
    STEP(2);
}

OPERATION(COPY2)
{
    fp[U16(0)] = fp[U16(1)];
    fp[U16(2)] = fp[U16(3)];
    STEP(2);
}

OPERATION(COPY3)
{
    fp[U16(0)] = fp[U16(1)];
    fp[U16(2)] = fp[U16(3)];
    fp[U16(4)] = fp[U16(5)];
    STEP(3);
}

OPERATION(COPY4)
{
    fp[U16(0)] = fp[U16(1)];
    fp[U16(2)] = fp[U16(3)];
    fp[U16(4)] = fp[U16(5)];
    fp[U16(6)] = fp[U16(7)];
    STEP(3);
}

OPERATION(COPY_WIDE)
{
    fp[U32(0)] = fp[U32(1)];
    STEP(2);
}

OPERATION(MOVE)
{
    memmove(fp + U32(0), fp + U32(1), (size_t)pc[2] * sizeof *fp);
    STEP(3);
}

OPERATION(SET)
{
    fp[U16(0)].u64 = acc;
    STEP(2);
}

OPERATION(SETX)
{
    fp[U16(0)].f64 = ACC_f64;
    STEP(2);
}

OPERATION(SETV)
{
    memcpy(&fp[U16(0)], &xacc, sizeof xacc);
    STEP(2);
}

OPERATION(CONST)
{
    fp[U16(0)].u64 = (uint64_t)(int64_t)S32(1);
    STEP(2);
}

OPERATION(CONST_U)
{
    fp[U16(0)].u64 = U32(1);
    STEP(2);
}

OPERATION(CONST64)
{
    fp[U16(0)].u64 = pc[2];
    STEP(3);
}

/* --- select: [d c a b], immediates in [imm32 imm32] ----------------------------------------------
 */

#define CONDITION_S SLOT_i32(1)
#define CONDITION_A ACC_i32
#define SELECT(cond, form, first, second, words)                                                   \
    OPERATION(SELECT_##cond##_##form)                                                              \
    {                                                                                              \
        uint64_t a = first;                                                                        \
        uint64_t b = second;                                                                       \
        acc = CONDITION_##cond ? a : b;                                                            \
        STEP(words);                                                                               \
    }                                                                                              \
    OPERATION(SELECT_##cond##_##form##_D)                                                          \
    {                                                                                              \
        uint64_t a = first;                                                                        \
        uint64_t b = second;                                                                       \
        acc = CONDITION_##cond ? a : b;                                                            \
        fp[U16(0)].u64 = acc;                                                                      \
        STEP(words);                                                                               \
    }
#define SELECTS(cond)                                                                              \
    SELECT(cond, SS, SLOT_i64(2), SLOT_i64(3), 2)                                                  \
    SELECT(cond, SI, SLOT_i64(2), U32(3), 3)                                                       \
    SELECT(cond, IS, U32(2), SLOT_i64(3), 3)                                                       \
    SELECT(cond, II, U32(2), U32(3), 3)
SELECTS(S)
SELECTS(A)

#define SELECT_FLOAT(cond)                                                                         \
    OPERATION(SELECTX_##cond)                                                                      \
    {                                                                                              \
        xacc = xreg_of_f64(CONDITION_##cond ? SLOT_f64(2) : SLOT_f64(3));                          \
        STEP(2);                                                                                   \
    }                                                                                              \
    OPERATION(SELECTX_##cond##_D)                                                                  \
    {                                                                                              \
        double picked = CONDITION_##cond ? SLOT_f64(2) : SLOT_f64(3);                              \
        xacc = xreg_of_f64(picked);                                                                \
        SET_SLOT_f64(0, picked);                                                                   \
        STEP(2);                                                                                   \
    }
SELECT_FLOAT(S)
SELECT_FLOAT(A)

#endif
