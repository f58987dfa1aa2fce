/* Handlers of what throws. */
#include "engine/exec/interp.h"

/* Throws the exception that acc refers to. */
static CONVENTION void throw_acc(REGS)
{
    struct vm *vm = in->vm;
    enum trap_kind kind = unwind(vm, pc, fp, in, acc);
    if (unlikely(kind))
        TRAP_KIND(kind);
    pc = vm->machine.pc;
    fp = vm->machine.fp;
    in = vm->machine.instance;
    RELOAD_MEMORY();
    DISPATCH();
}

/* An exception of that tag with the values from slot `base` on: to acc. */
OPERATION(NEW_EXCEPTION)
{
    GC_SAFEPOINT();
    const struct tag_instance *tag = in->tags[U32(1)];
    struct exception *exception = gc_new_exception(in->vm, tag);
    if (unlikely(!exception))
        GC_WAIT();
    uint32_t slots = types_func(in->vm->types, tag->type)->param_slots;
    memcpy(exception->values, fp + U32(0), slots * sizeof *fp);
    acc = object_ref(exception);
    STEP(0);
}

/* [base32 tag32] */
HANDLER(THROW)
{
    struct regs made = do_NEW_EXCEPTION(REGS_PASSED);
    bool again = made.taken;
    TAKE(made);
    if (unlikely(again))
        DISPATCH();
    JUMP(throw_acc);
}

/* [s32] */
HANDLER(THROW_REF)
{
    acc = fp[U32(0)].u64;
    TRAP_IF(!acc, NULL_EXCEPTION);
    JUMP(throw_acc);
}
