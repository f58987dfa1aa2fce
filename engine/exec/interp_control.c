/* Handlers of branches, counting and polling. Offsets count words from the branching instruction.
 */
#include "engine/exec/interp.h"

HANDLER(UNREACHABLE)
{
    TRAP(UNREACHABLE);
}

HANDLER(BR)
{
    NEXT(S32(0));
}

/* [s - off] */
#define BRANCH(name, condition)                                                                    \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        if (condition)                                                                             \
            NEXT(S32(1));                                                                          \
        NEXT(2);                                                                                   \
    }
BRANCH(BR_IF_S, SLOT_i32(0) != 0)
BRANCH(BR_IF_A, ACC_i32 != 0)
BRANCH(BR_UNLESS_S, SLOT_i32(0) == 0)
BRANCH(BR_UNLESS_A, ACC_i32 == 0)
BRANCH(BR_NULL_S, SLOT_i64(0) == 0)
BRANCH(BR_NULL_A, acc == 0)
BRANCH(BR_NON_NULL_S, SLOT_i64(0) != 0)
BRANCH(BR_NON_NULL_A, acc != 0)

/* [s - count][off off]...: `count` labels, then the default */
#define BR_TABLE(name, index_)                                                                     \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint32_t index = index_;                                                                   \
        if (index > U32(1))                                                                        \
            index = U32(1);                                                                        \
        NEXT(S32(2 + (uint64_t)index));                                                            \
    }
BR_TABLE(BR_TABLE_S, SLOT_i32(0))
BR_TABLE(BR_TABLE_A, ACC_i32)

HANDLER(FUEL)
{
    in->vm->fuel -= (int64_t)pc[1];
    TRAP_IF(in->vm->fuel < 0, FUEL);
    NEXT(2);
}

HANDLER(POLL)
{
    TRAP_IF(vm_interrupted(in->vm), INTERRUPT);
    NEXT(1);
}
