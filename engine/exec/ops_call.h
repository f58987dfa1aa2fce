/* Entering functions, returning, and calls within an instance; the other calls are in
 * interp_call.c. */
#ifndef CARREL_EXEC_OPS_CALL_H
#define CARREL_EXEC_OPS_CALL_H

#include "engine/exec/interp.h"

/* --- Entering and leaving functions
 * --------------------------------------------------------------- */

/* [frame32 first32][count]: the frame must fit the stack; locals start as zero (null). */
OPERATION(ENTER)
{
    POLL();
    FAIL_IF((size_t)((char *)in->vm->stack_limit - (char *)fp) < U32(0) * sizeof *fp, STACK);
    union slot *local = fp + U32(1);
    for (uint64_t i = 0; i < pc[2]; i++)
        local[i].u64 = 0;
    STEP(3);
}

OPERATION(ENTER0)
{
    POLL();
    FAIL_IF((size_t)((char *)in->vm->stack_limit - (char *)fp) < U32(0) * sizeof *fp, STACK);
    STEP(2);
}

#define RETURN(link_)                                                                              \
    do {                                                                                           \
        const union slot *link = fp + (link_);                                                     \
        pc = link[LINK_PC].ref;                                                                    \
        fp = link[LINK_FP].ref;                                                                    \
        GO_ON();                                                                                   \
    } while (0)

/* Each in two: by the link that lies where nearly all do, and by one whose place is in pc[2]. */
#define RETURNS(kind, form, result)                                                                \
    OPERATION(kind##form)                                                                          \
    {                                                                                              \
        result;                                                                                    \
        RETURN(LINK_NEAR);                                                                         \
    }                                                                                              \
    OPERATION(kind##_FAR##form)                                                                    \
    {                                                                                              \
        result;                                                                                    \
        RETURN((uint32_t)pc[2]);                                                                   \
    }
RETURNS(RET, , (void)0)
RETURNS(RET, _S, (fp[0].u64 = acc = SLOT_i64(1)))
RETURNS(RET, _A, (fp[0].u64 = acc))
RETURNS(RET, _I, (fp[0].u64 = acc = pc[1]))
RETURNS(RETX, _S, (xacc = xreg_of_f64(SLOT_f64(1)), fp[0].f64 = ACC_f64))
RETURNS(RETX, _A, (fp[0].f64 = ACC_f64))

/* The link for a return to `back` in this instance. */
#define LINK_WITHIN(link, back)                                                                    \
    ((link)[LINK_PC].u64 = (uint64_t)(uintptr_t)(back), (link)[LINK_FP].ref = fp)

OPERATION(CALL)
{
    union slot *link = fp + U32(1);
    const code_word *const *cell = (const code_word *const *)(uintptr_t)pc[2];
    LINK_WITHIN(link, pc + 3);
    fp += U32(0);
    acc = (uint64_t)(uintptr_t)cell; /* LAZY needs it */
    pc = *cell;
    GO_ON();
}

#endif
