/* The interpreter's registers and dispatch, for interp_*.c alone.
 *
 * A handler is a C function whose parameters are the machine's registers; it ends by jumping to the
 * next one. With clang that jump is guaranteed (musttail) and nothing is saved (preserve_none), so
 * the registers stay in registers. Under sanitizers (CARREL_DISPATCH_LOOP) the same bodies return
 * to a loop instead. With gcc 12 the jump is a sibling call, which `make lint` checks for.
 *
 * A handler must not keep anything on the C stack across the jump, so slow paths that need a stack
 * are functions of their own, and are called. */
#ifndef CARREL_EXEC_INTERP_H
#define CARREL_EXEC_INTERP_H

#include "engine/exec/num.h"
#include "engine/exec/state.h"
#include "engine/wasm/xop.h"

typedef float xreg __attribute__((vector_size(16)));
typedef double xreg_f64 __attribute__((vector_size(16)));

/* pc: the instruction; fp: the frame; mb, ml: base and length of memory 0; in: the instance; acc
 * and xacc: the accumulators. */
#define REGS                                                                                       \
    UNUSED const code_word *pc, UNUSED union slot *fp, UNUSED uint8_t *mb, UNUSED uint64_t ml,     \
        UNUSED struct instance *in, UNUSED uint64_t acc, UNUSED xreg xacc
#define REGS_PASSED pc, fp, mb, ml, in, acc, xacc

#if defined(__clang__) && defined(__x86_64__) && !defined(CARREL_DISPATCH_LOOP)
#define CONVENTION __attribute__((preserve_none))
#else
#define CONVENTION
#endif

/* To a handler that is known: JUMP. To that of the instruction at pc: DISPATCH. */
#if defined(CARREL_DISPATCH_LOOP)
#define JUMP(handler)                                                                              \
    do {                                                                                           \
        handler(REGS_PASSED);                                                                      \
        return;                                                                                    \
    } while (0)
#define DISPATCH()                                                                                 \
    do {                                                                                           \
        struct machine *m_ = &in->vm->machine;                                                     \
        m_->pc = pc, m_->fp = fp, m_->mb = mb, m_->ml = ml, m_->instance = in, m_->acc = acc,      \
        m_->xacc = xacc;                                                                           \
        return;                                                                                    \
    } while (0)
#else
#if defined(__clang__)
#define JUMP(handler) __attribute__((musttail)) return handler(REGS_PASSED)
#else
#define JUMP(handler) return handler(REGS_PASSED)
#endif
#define DISPATCH() JUMP(((handler *)(uintptr_t)*pc))
#endif

typedef CONVENTION void handler(REGS);

/* All handlers, so that every file sees every other's. */
#define XOP(name) handler xop_##name;
#include "engine/wasm/xop.def"

/* --- Traps
 * ---------------------------------------------------------------------------------------- A trap
 * ends execution at the instruction at pc. */

/* The kind comes in acc. */
handler interp_trap_kind;
#define TRAP(kind)                                                                                 \
    do {                                                                                           \
        acc = (uint64_t)TRAP_##kind;                                                               \
        JUMP(interp_trap_kind);                                                                    \
    } while (0)
#define TRAP_IF(condition, kind)                                                                   \
    do {                                                                                           \
        if (unlikely(condition))                                                                   \
            TRAP(kind);                                                                            \
    } while (0)
#define TRAP_KIND(kind)                                                                            \
    do {                                                                                           \
        acc = (uint64_t)(kind);                                                                    \
        JUMP(interp_trap_kind);                                                                    \
    } while (0)

/* --- Handlers and operations
 * ----------------------------------------------------------------------
 *
 * HANDLER(NAME) { ... } is a handler as it stands; it ends with NEXT, DISPATCH, JUMP or TRAP.
 *
 * OPERATION(NAME) { ... } is what an operator does, as an inline function from registers to
 * registers; it ends with STEP (to the next instruction, so many words on), BRANCH (somewhere
 * else), GO_ON (at pc, which it has set), or FAIL. Most operators are operations: a handler is made
 * of one by HANDLE(NAME), or of several that run in a row (fuse.def).
 *
 * With INTERP_POLLED branches and entries of functions look at the interruption flag (POLL), stores
 * mark the page in which they begin (MARK; engine/base/arena.h), and the handlers made of them are
 * a second set, for code that can be interrupted. Of it the translator takes what leads back or
 * into functions that call and, for a store of which images are made, what writes; all else from
 * the first. */

#ifdef INTERP_POLLED
#define HANDLER(name) CONVENTION void polled_##name(REGS)
#define POLL()        FAIL_IF(instance_interrupted(in), INTERRUPT)
#define MARK(at)      (*(uint8_t *)(in->marks + ((uintptr_t)(at) >> ARENA_PAGE_LOG2)) = 1)
#else
#define HANDLER(name) CONVENTION void xop_##name(REGS)
#define POLL()        (void)0
#define MARK(at)      (void)0
#endif
#define NEXT(words)                                                                                \
    do {                                                                                           \
        pc += (words);                                                                             \
        DISPATCH();                                                                                \
    } while (0)

struct regs {
    const code_word *pc;
    union slot *fp;
    uint8_t *mb;
    uint64_t ml;
    struct instance *in;
    uint64_t acc;
    xreg xacc;
    enum trap_kind trap;
    bool taken; /* a branch that goes elsewhere */
};

INLINE struct regs regs_of(REGS, enum trap_kind trap, bool taken)
{
    return (struct regs){pc, fp, mb, ml, in, acc, xacc, trap, taken};
}

/* Where the branch at `pc` leads whose distance field is `field`. As every branch waits here for
 * the one before it, what can be is added to pc while the field is read: the compiler would leave
 * it for the end. */
INLINE const code_word *branch_from(const code_word *pc, uint32_t field)
{
    uintptr_t from = (uintptr_t)pc - BRANCH_BIAS;
    __asm__("" : "+r"(from));
    return (const code_word *)(from + field);
}

#define OPERATION(name) INLINE struct regs do_##name(REGS)
#define STEP(words)     return regs_of(pc + (words), fp, mb, ml, in, acc, xacc, TRAP_NONE, false)
#define GO_ON()         return regs_of(REGS_PASSED, TRAP_NONE, true)
#define BRANCH(field)                                                                              \
    do {                                                                                           \
        POLL();                                                                                    \
        return regs_of(branch_from(pc, field), fp, mb, ml, in, acc, xacc, TRAP_NONE, true);        \
    } while (0)
/* The same instruction once more. */
#define AGAIN()                                                                                    \
    do {                                                                                           \
        POLL();                                                                                    \
        GO_ON();                                                                                   \
    } while (0)
#define FAIL(kind) return regs_of(REGS_PASSED, kind, false)
#define FAIL_IF(condition, kind)                                                                   \
    do {                                                                                           \
        if (unlikely(condition))                                                                   \
            FAIL(TRAP_##kind);                                                                     \
    } while (0)

/* Takes the registers over from an operation, or traps. */
#define TAKE(regs_)                                                                                \
    do {                                                                                           \
        struct regs taken = (regs_);                                                               \
        pc = taken.pc, fp = taken.fp, mb = taken.mb, ml = taken.ml, in = taken.in;                 \
        acc = taken.acc, xacc = taken.xacc;                                                        \
        if (unlikely(taken.trap))                                                                  \
            TRAP_KIND(taken.trap);                                                                 \
    } while (0)

#define HANDLE(name)                                                                               \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        TAKE(do_##name(REGS_PASSED));                                                              \
        DISPATCH();                                                                                \
    }

/* Leaves the interpreter in `state`; what is needed to go on or to explain stays in the machine. */
#define LEAVE(state_)                                                                              \
    do {                                                                                           \
        struct machine *left_ = &in->vm->machine;                                                  \
        left_->pc = pc, left_->fp = fp, left_->instance = in, left_->state = (state_);             \
        return;                                                                                    \
    } while (0)

/* --- The collector -------------------------------------------------------------------------------
 * What allocates begins with GC_SAFEPOINT, and does GC_WAIT if there is no room: the instruction is
 * run again, after a slice of collection, until there is, or never will be. */

#define GC_SAFEPOINT()                                                                             \
    do {                                                                                           \
        if (unlikely(in->vm->gc.due))                                                              \
            gc_slice(in->vm, pc, fp, in);                                                          \
    } while (0)
#define GC_WAIT()                                                                                  \
    do {                                                                                           \
        enum trap_kind why = gc_wait(in->vm, pc, fp, in);                                          \
        if (why)                                                                                   \
            FAIL(why);                                                                             \
        AGAIN();                                                                                   \
    } while (0)

/* --- Operands ------------------------------------------------------------------------------------
 */

typedef uint16_t __attribute__((may_alias)) code_u16;
typedef uint32_t __attribute__((may_alias)) code_u32;
typedef int32_t __attribute__((may_alias)) code_s32;

/* 16-bit field `i` and 32-bit field `i` of the operand words, counted from word 1. */
#define U16(i) (((const code_u16 *)(pc + 1))[i])
#define U32(i) (((const code_u32 *)(pc + 1))[i])
#define S32(i) (((const code_s32 *)(pc + 1))[i])

/* Slot named by 16-bit field `i`, by type. */
#define SLOT_i32(i) (fp[U16(i)].u32)
#define SLOT_i64(i) (fp[U16(i)].u64)
#define SLOT_f32(i) (fp[U16(i)].f32)
#define SLOT_f64(i) (fp[U16(i)].f64)

#define ACC_i32 ((uint32_t)acc)
#define ACC_i64 (acc)
#define ACC_f32 (xacc[0])
#define ACC_f64 (((xreg_f64)xacc)[0])

/* An immediate: 32 bits in the second half of word 1, 64 bits in a word of their own behind. */
#define IMM_i32       U32(1)
#define IMM_i64       (pc[2])
#define IMM_f32       num_f32_of_i32(U32(1))
#define IMM_f64       num_f64_of_i64(pc[2])
#define IMM_WORDS_i32 2
#define IMM_WORDS_i64 3
#define IMM_WORDS_f32 2
#define IMM_WORDS_f64 3

typedef uint32_t c_i32;
typedef uint64_t c_i64;
typedef float c_f32;
typedef double c_f64;

/* A float in xacc; the other lanes are left undefined, so that no instruction is spent on them. */
INLINE xreg xreg_of_f32(float value)
{
    xreg x = {value};
    return __builtin_shufflevector(x, x, 0, -1, -1, -1);
}

INLINE xreg xreg_of_f64(double value)
{
    xreg_f64 x = {value};
    return (xreg)__builtin_shufflevector(x, x, 0, -1);
}

#define SET_ACC_i32(value) (acc = (uint32_t)(value))
#define SET_ACC_i64(value) (acc = (value))
#define SET_ACC_f32(value) (xacc = xreg_of_f32(value))
#define SET_ACC_f64(value) (xacc = xreg_of_f64(value))

/* An i32 is stored zero-extended. */
#define SET_SLOT_i32(i, value) (fp[U16(i)].u64 = (uint32_t)(value))
#define SET_SLOT_i64(i, value) (fp[U16(i)].u64 = (value))
#define SET_SLOT_f32(i, value) (fp[U16(i)].f32 = (value))
#define SET_SLOT_f64(i, value) (fp[U16(i)].f64 = (value))

/* Memory 0 may have moved or grown. */
#define RELOAD_MEMORY()                                                                            \
    do {                                                                                           \
        mb = in->memory0->span.at;                                                                 \
        ml = in->memory0->span.size;                                                               \
    } while (0)

#endif
