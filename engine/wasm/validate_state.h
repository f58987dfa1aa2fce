/* The state of validation, shared by the validate_*.c files and by nobody else: the operand stack
 * of types, the control stack, the locals. Names are those of the algorithm in appendix §7.3.
 *
 * Rules return false after a failure, which is recorded in the reader. */
#ifndef CARREL_WASM_VALIDATE_STATE_H
#define CARREL_WASM_VALIDATE_STATE_H

#include "engine/wasm/insn.h"
#include "engine/wasm/limits.h"
#include "engine/wasm/notes.h"

enum control_kind {
    CONTROL_BODY,
    CONTROL_BLOCK,
    CONTROL_LOOP,
    CONTROL_IF,
    CONTROL_ELSE,
    CONTROL_TRY_TABLE,
    CONTROL_TRY,
    CONTROL_CATCH,
    CONTROL_CATCH_ALL,
};

/* A block that is open. */
struct control {
    enum control_kind kind;
    bool unreachable; /* the rest of it: operands may be popped without end */
    uint32_t height;  /* of the operand stack below it */
    uint32_t inits;   /* locals that were set when it began */
    struct blocktype type;
};

/* Locals of one type side by side, up to index `end`. */
struct local_run {
    uint32_t end;
    valtype type;
};

/* An array in the scratch that may grow. */
struct growing {
    void *at;
    size_t capacity; /* elements */
};

#define LOCALS_NEAR 128u /* locals whose type is looked up directly */

struct validator {
    struct reader r;
    const struct module *module;
    struct region *scratch;

    valtype *top;            /* of the operand stack: the next free place */
    valtype *base;           /* operands below belong to outer blocks */
    valtype *stack;          /* bottom */
    valtype *limit;          /* STACK_SPARE places lie after it */
    struct control *control; /* innermost */
    struct control *controls;
    struct control *controls_limit;

    /* Types by the letters of op_row: the constant ones, and those of the memory or table at hand.
     */
    valtype letters[128];

    valtype address;   /* type of addresses in memory 0; VT_BOT if there is no memory */
    bool constant;     /* this is a constant expression */
    uint8_t *declared; /* if it is: functions that ref.func takes */

    uint32_t nlocals;
    uint32_t nruns;
    valtype near[LOCALS_NEAR];
    struct growing runs; /* of struct local_run */

    /* Locals that have no default value must be set before they are read (§3.3.4). */
    bool tracks;          /* there are some */
    uint8_t *set;         /* bit per local; all clear between bodies */
    uint32_t ninits;      /* those that are set, in the order of setting */
    struct growing inits; /* of uint32_t */
    uint32_t nparams;

    struct noting noting;
};

/* Records that the instruction is invalid. Always false. */
bool v_invalid(struct validator *v, const struct insn *insn, const char *format, ...)
    PRINTF(3, 4) COLD;

/* Is `count` within the limit? */
INLINE bool v_limit(struct validator *v, const struct insn *insn, enum limit limit, uint32_t count)
{
    return limit_check(&v->r, insn->at, limit, count);
}

/* The slow halves of what follows. */
bool v_pop_other(struct validator *v, const struct insn *insn, valtype want) COLD;
bool v_grow_stack(struct validator *v, uint32_t count);
bool v_grow(struct validator *v, struct growing *array, size_t count, size_t each);

/* --- The operand stack --------------------------------------------------------------------------
 */

/* Places that are free before every instruction, for what rows push; and places at the bottom that
 * are never used, so that two operands below any may be looked at. */
#define STACK_SPARE 4
#define STACK_FLOOR 2

INLINE bool v_reserve(struct validator *v, uint32_t count)
{
    return likely(v->limit - v->top >= (ptrdiff_t)count) || v_grow_stack(v, count);
}

/* Into the spare places. */
INLINE void v_push(struct validator *v, valtype type)
{
    *v->top++ = type;
}

INLINE bool v_pop(struct validator *v, const struct insn *insn, valtype want)
{
    if (likely(v->top > v->base && v->top[-1] == want)) {
        v->top--;
        return true;
    }
    return v_pop_other(v, insn, want);
}

/* Whatever is on top; VT_BOT if nothing needs to be there. */
bool v_pop_any(struct validator *v, const struct insn *insn, valtype *ret_type);

/* A reference of any kind: gives it, with heap type HEAP_BOT if it is unknown. */
bool v_pop_ref(struct validator *v, const struct insn *insn, valtype *ret_type);

/* `count` operands, the last one first. */
bool v_pop_all(struct validator *v, const struct insn *insn, const valtype *types, uint32_t count);
bool v_push_all(struct validator *v, const valtype *types, uint32_t count);

/* Are these types on top? They stay. */
bool v_check_all(struct validator *v, const struct insn *insn, const valtype *types,
                 uint32_t count);

/* What follows is unreachable. */
void v_unreachable(struct validator *v);

/* Do types match others one by one? */
bool v_match_all(const struct validator *v, const valtype *subs, uint32_t nsubs,
                 const valtype *supers, uint32_t nsupers);

/* validate_fast.c: goes over instructions of common shapes, and stops before the first that it does
 * not know to be right. Any number of them, also none, may be left to the loop in validate.c. */
void v_fast(struct validator *v);

/* note_code.c: notes an instruction that is valid, if it leads anywhere. */
void v_note(struct validator *v, const struct insn *insn);

/* --- Rules, by what they are about --------------------------------------------------------------
 */

/* validate_control.c */
bool v_enter(struct validator *v, enum control_kind kind, const struct blocktype *type);
bool v_label(struct validator *v, const struct insn *insn, uint32_t label,
             const valtype **ret_types, uint32_t *ret_count);
bool v_block(struct validator *v, const struct insn *insn);
bool v_try_table(struct validator *v, const struct insn *insn);
bool v_end(struct validator *v, const struct insn *insn);
bool v_else(struct validator *v, const struct insn *insn);
bool v_catch(struct validator *v, const struct insn *insn);
bool v_delegate(struct validator *v, const struct insn *insn);
bool v_rethrow(struct validator *v, const struct insn *insn);
bool v_throw(struct validator *v, const struct insn *insn);
bool v_br(struct validator *v, const struct insn *insn);
bool v_br_if(struct validator *v, const struct insn *insn);
bool v_br_table(struct validator *v, const struct insn *insn);
bool v_return(struct validator *v, const struct insn *insn);
bool v_call(struct validator *v, const struct insn *insn);
bool v_call_indirect(struct validator *v, const struct insn *insn);
bool v_call_ref(struct validator *v, const struct insn *insn);

/* validate_ref.c */
bool v_ref(struct validator *v, const struct insn *insn);

/* validate_gc.c */
bool v_gc(struct validator *v, const struct insn *insn);

#endif
