/* Translation of calls. Arguments are settled: they already lie where the callee's frame begins. */
#include "engine/wasm/tr.h"

/* A call in the making: where the callee's frame begins and its link lies. */
struct call {
    const struct functype *type;
    uint32_t base;
    uint32_t link;  /* as the callee's own frame has it */
    uint32_t slots; /* of the arguments */
};

/* Settles the arguments and takes them off the stack. */
static struct call take_arguments(struct tr *tr, uint32_t type)
{
    const struct functype *signature = types_func(tr->module->types, type);
    struct call call = {.type = signature};
    tr->calls = true;
    tr_settle(tr, signature->nparams);
    call.base = signature->nparams ? tr_top(tr, signature->nparams - 1)->slot : tr_next_slot(tr);
    call.link = frame_link(signature);
    call.slots = signature->param_slots;
    tr_drop_to(tr, tr->nentries - signature->nparams);
    tr_clobber_all(tr);
    uint32_t end = call.base + call.link + LINK_SLOTS;
    if (end > tr->frame)
        tr->frame = end;
    return call;
}

/* A single result is in the accumulator as well. */
static void push_results(struct tr *tr, const struct call *call)
{
    const struct functype *type = call->type;
    bool both = type->nresults == 1;
    for (uint32_t i = 0; i < type->nresults; i++) {
        if (both)
            tr_push_both(tr, vt_kind(type->results[i]));
        else
            tr_push_slot(tr, vt_kind(type->results[i]));
    }
}

/* [base32 link32] */
static code_word *emit_call(struct tr *tr, enum xop xop, const struct call *call, unsigned words)
{
    code_word *word = tr_emit(tr, xop, words);
    tr_put32(word, 0, call->base);
    tr_put32(word, 1, call->base + call->link);
    return word;
}

/* [base32 slots32][link32 callee_link32]; the frame must hold the callee's link. */
static code_word *emit_tail(struct tr *tr, enum xop xop, const struct call *call, unsigned words)
{
    code_word *word = tr_emit(tr, xop, words);
    tr_put32(word, 0, call->base);
    tr_put32(word, 1, call->slots);
    tr_put32(word, 2, tr->link);
    tr_put32(word, 3, call->link);
    if (call->link + LINK_SLOTS > tr->frame)
        tr->frame = call->link + LINK_SLOTS;
    tr->dead = true;
    return word;
}

static code_word cell_of(const struct tr *tr, uint32_t func)
{
    return (code_word)(uintptr_t)&(*tr->module->code)->entries[func];
}

static void call_function(struct tr *tr, uint32_t func, bool tail)
{
    struct call call = take_arguments(tr, tr->module->funcs[func].type);
    bool imported = func < tr->module->imported_funcs;
    code_word operand = imported ? func : cell_of(tr, func);
    code_word *word;
    if (tail)
        word = emit_tail(tr, imported ? XOP_TAIL_IMPORT : XOP_TAIL, &call, 3) + 2;
    else
        word = emit_call(tr, imported ? XOP_CALL_IMPORT : XOP_CALL, &call, 2) + 1;
    if (!tr->failed)
        *word = operand;
    if (!tail) {
        tr_safepoint(tr, tr->at - 1);
        push_results(tr, &call);
    }
}

/* Calls through a table or a reference: the index or reference is the topmost operand. In a tail
 * call it is read from a slot. */
static void call_through(struct tr *tr, uint32_t type, bool table, bool tail)
{
    struct entry entry = tr_pop(tr);
    struct operand callee;
    if (tail)
        callee = (struct operand){.source = FROM_SLOT, .slot = tr_operand_slot(tr, &entry)};
    else
        callee = tr_operand(tr, &entry, IMM_NEVER);
    struct call call = take_arguments(tr, type);
    if (tail) {
        code_word *word =
            emit_tail(tr, table ? XOP_TAIL_TABLE : XOP_TAIL_REF, &call, table ? 4 : 3);
        tr_put32(word, 4, callee.slot);
        tr_put32(word, 5, type);
        if (table && !tr->failed)
            word[3] = tr->insn.pair.y;
        return;
    }
    bool in_acc = callee.source == FROM_ACC;
    uint32_t slot = in_acc ? 0 : tr_use(tr, callee.slot);
    enum xop xop = table ? (in_acc ? XOP_CALL_TABLE_A : XOP_CALL_TABLE_S)
                         : (in_acc ? XOP_CALL_REF_A : XOP_CALL_REF_S);
    code_word *word = emit_call(tr, xop, &call, table ? 3 : 2);
    tr_put16(word, 4, slot);
    if (table) {
        tr_put32(word, 3, type);
        if (!tr->failed)
            word[2] = tr->insn.pair.y;
    }
    tr_safepoint(tr, tr->at - 1);
    push_results(tr, &call);
}

void tr_call(struct tr *tr)
{
    const struct insn *in = &tr->insn;
    switch (in->op) {
    case OP_CALL: call_function(tr, in->x, false); break;
    case OP_RETURN_CALL: call_function(tr, in->x, true); break;
    case OP_CALL_INDIRECT: call_through(tr, in->pair.x, true, false); break;
    case OP_RETURN_CALL_INDIRECT: call_through(tr, in->pair.x, true, true); break;
    case OP_CALL_REF: call_through(tr, in->x, false, false); break;
    default: call_through(tr, in->x, false, true); break;
    }
}
