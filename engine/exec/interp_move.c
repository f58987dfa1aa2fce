/* Handlers that move values: copies between slots, constants, select. */
#include "engine/exec/interp.h"

HANDLER(COPY)
{
    fp[U16(0)] = fp[U16(1)];
    NEXT(2);
}

HANDLER(COPY2)
{
    fp[U16(0)] = fp[U16(1)];
    fp[U16(2)] = fp[U16(3)];
    NEXT(2);
}

HANDLER(COPY3)
{
    fp[U16(0)] = fp[U16(1)];
    fp[U16(2)] = fp[U16(3)];
    fp[U16(4)] = fp[U16(5)];
    NEXT(3);
}

HANDLER(COPY4)
{
    fp[U16(0)] = fp[U16(1)];
    fp[U16(2)] = fp[U16(3)];
    fp[U16(4)] = fp[U16(5)];
    fp[U16(6)] = fp[U16(7)];
    NEXT(3);
}

HANDLER(COPY_WIDE)
{
    fp[U32(0)] = fp[U32(1)];
    NEXT(2);
}

HANDLER(MOVE)
{
    memmove(fp + U32(0), fp + U32(1), (size_t)pc[2] * sizeof *fp);
    NEXT(3);
}

HANDLER(SET)
{
    fp[U16(0)].u64 = acc;
    NEXT(2);
}

HANDLER(SETX)
{
    fp[U16(0)].f64 = ACC_f64;
    NEXT(2);
}

HANDLER(SETV)
{
    memcpy(&fp[U16(0)], &xacc, sizeof xacc);
    NEXT(2);
}

HANDLER(CONST)
{
    fp[U16(0)].u64 = IMM_i64;
    NEXT(2);
}

HANDLER(CONST_U)
{
    fp[U16(0)].u64 = IMM_i32;
    NEXT(2);
}

HANDLER(CONST64)
{
    fp[U16(0)].u64 = pc[2];
    NEXT(3);
}

/* --- select: [d c a b], immediates in [imm32 imm32] ----------------------------------------------
 */

#define CONDITION_S SLOT_i32(1)
#define CONDITION_A ACC_i32
#define SELECT(cond, form, first, second, words)                                                   \
    HANDLER(SELECT_##cond##_##form)                                                                \
    {                                                                                              \
        uint64_t a = first;                                                                        \
        uint64_t b = second;                                                                       \
        acc = CONDITION_##cond ? a : b;                                                            \
        NEXT(words);                                                                               \
    }                                                                                              \
    HANDLER(SELECT_##cond##_##form##_D)                                                            \
    {                                                                                              \
        uint64_t a = first;                                                                        \
        uint64_t b = second;                                                                       \
        acc = CONDITION_##cond ? a : b;                                                            \
        fp[U16(0)].u64 = acc;                                                                      \
        NEXT(words);                                                                               \
    }
#define SELECTS(cond)                                                                              \
    SELECT(cond, SS, SLOT_i64(2), SLOT_i64(3), 2)                                                  \
    SELECT(cond, SI, SLOT_i64(2), U32(3), 3)                                                       \
    SELECT(cond, IS, U32(2), SLOT_i64(3), 3)                                                       \
    SELECT(cond, II, U32(2), U32(3), 3)
SELECTS(S)
SELECTS(A)

#define SELECT_FLOAT(cond)                                                                         \
    HANDLER(SELECTX_##cond)                                                                        \
    {                                                                                              \
        xacc = xreg_of_f64(CONDITION_##cond ? SLOT_f64(2) : SLOT_f64(3));                          \
        NEXT(2);                                                                                   \
    }                                                                                              \
    HANDLER(SELECTX_##cond##_D)                                                                    \
    {                                                                                              \
        double picked = CONDITION_##cond ? SLOT_f64(2) : SLOT_f64(3);                              \
        xacc = xreg_of_f64(picked);                                                                \
        SET_SLOT_f64(0, picked);                                                                   \
        NEXT(2);                                                                                   \
    }
SELECT_FLOAT(S)
SELECT_FLOAT(A)

HANDLER(SELECTV_S)
{
    uint16_t from = CONDITION_S ? U16(2) : U16(3);
    memcpy(&xacc, &fp[from], sizeof xacc);
    memcpy(&fp[U16(0)], &xacc, sizeof xacc);
    NEXT(2);
}
