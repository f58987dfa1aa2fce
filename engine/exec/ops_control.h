/* Branches and counting. */
#ifndef CARREL_EXEC_OPS_CONTROL_H
#define CARREL_EXEC_OPS_CONTROL_H

#include "engine/exec/interp.h"

OPERATION(UNREACHABLE)
{
    FAIL(TRAP_UNREACHABLE);
}

/* A step: a run goes on where it leads. */
OPERATION(BR)
{
    POLL();
    pc = branch_from(pc, U32(0));
    STEP(0);
}

/* [s - off] */
#define CONDITION(name, condition)                                                                 \
    OPERATION(name)                                                                                \
    {                                                                                              \
        if (condition)                                                                             \
            BRANCH(U32(1));                                                                        \
        STEP(2);                                                                                   \
    }
CONDITION(BR_IF_S, SLOT_i32(0) != 0)
CONDITION(BR_IF_A, ACC_i32 != 0)
CONDITION(BR_UNLESS_S, SLOT_i32(0) == 0)
CONDITION(BR_UNLESS_A, ACC_i32 == 0)
CONDITION(BR_NULL_S, SLOT_i64(0) == 0)
CONDITION(BR_NULL_A, acc == 0)
CONDITION(BR_NON_NULL_S, SLOT_i64(0) != 0)
CONDITION(BR_NON_NULL_A, acc != 0)

/* [s - count][off off]...: `count` labels, then the default. The asm keeps the compiler from
 * choosing between the two without a jump: what is next would have to wait for the comparison. */
#define BR_TABLE(name, index)                                                                      \
    OPERATION(name)                                                                                \
    {                                                                                              \
        acc = index;                                                                               \
        if (unlikely(acc >= U32(1))) {                                                             \
            acc = U32(1);                                                                          \
            __asm__("" : "+r"(acc));                                                               \
        }                                                                                          \
        BRANCH(U32(2 + acc));                                                                      \
    }
BR_TABLE(BR_TABLE_S, SLOT_i32(0))
BR_TABLE(BR_TABLE_A, ACC_i32)

OPERATION(TRACE)
{
    in->vm->tracer.tell(in->vm->tracer.data, in, U32(0), pc[2]);
    STEP(3);
}

OPERATION(FUEL)
{
    in->vm->fuel -= (int64_t)pc[1];
    FAIL_IF(in->vm->fuel < 0, FUEL);
    STEP(2);
}

#endif
