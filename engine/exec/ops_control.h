/* Branches and counting. Offsets count words from the branching instruction. */
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
    STEP(S32(0));
}

/* [s - off] */
#define CONDITION(name, condition)                                                                 \
    OPERATION(name)                                                                                \
    {                                                                                              \
        if (condition)                                                                             \
            BRANCH(S32(1));                                                                        \
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

/* [s - count][off off]...: `count` labels, then the default */
#define BR_TABLE(name, index_)                                                                     \
    OPERATION(name)                                                                                \
    {                                                                                              \
        uint32_t index = index_;                                                                   \
        if (index > U32(1))                                                                        \
            index = U32(1);                                                                        \
        BRANCH(S32(2 + (uint64_t)index));                                                          \
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
