/* Translation of structured control: blocks, branches, returns; exceptions are in tr_try.c. Where
 * paths meet, values are in their own slots, the accumulators are unknown. */
#include "engine/wasm/ref_test.h"
#include "engine/wasm/tr.h"

/* --- Block types
 * ------------------------------------------------------------------------------------ */

/* What a branch to the label takes: the parameters of a loop, the results of everything else. */
static uint32_t label_arity(const struct control *control)
{
    return control->op == OP_LOOP ? control->type.nparams : control->type.nresults;
}

static void push_results(struct tr *tr, const struct blocktype *type)
{
    for (uint32_t i = 0; i < type->nresults; i++)
        tr_push_slot(tr, vt_kind(block_results(type)[i]));
}

static void push_params(struct tr *tr, const struct blocktype *type)
{
    for (uint32_t i = 0; i < type->nparams; i++)
        tr_push_slot(tr, vt_kind(type->params[i]));
}

struct control *tr_control_at(struct tr *tr, uint32_t label)
{
    return &tr->controls[tr->ncontrols - 1 - label];
}

struct control *tr_open_control(struct tr *tr, enum op op)
{
    if (tr->ncontrols == tr->controls_most) {
        tr_full(tr, PART_CONTROLS);
        tr->ncontrols = 1;
    }
    struct control *control = &tr->controls[tr->ncontrols++];
    const struct blocktype *type = op == OP_TRY_TABLE ? &tr->insn.try_table.block : &tr->insn.block;
    *control = (struct control){.op = op, .region = control[-1].region, .type = *type};
    uint32_t nparams = type->nparams;
    control->height = tr->nentries - nparams;
    control->slot = nparams ? tr_top(tr, nparams - 1)->slot : tr_next_slot(tr);
    return control;
}

void tr_open_function(struct tr *tr)
{
    tr->controls[0] = (struct control){.op = OP_END};
    tr->controls[0].type.nresults = tr->type->nresults;
    tr->ncontrols = 1;
}

/* --- Conditions
 * ------------------------------------------------------------------------------------- A
 * comparison emitted just before a branch becomes part of it. */

struct condition {
    bool fused;
    struct last compare;    /* if fused */
    struct operand operand; /* if not */
};

static struct condition take_condition(struct tr *tr)
{
    struct entry entry = tr_pop(tr);
    struct last last = tr->last;
    bool fuses = entry.place == IN_ACC && last.at == entry.producer &&
                 (tr_is_comparison(last.op) || tr_is_vector_test(last.op) ||
                  last.op == OP_I32_EQZ || last.op == OP_I64_EQZ);
    if (!fuses)
        return (struct condition){.operand = tr_operand(tr, &entry, IMM_NEVER)};
    tr->at = last.at;
    tr->last = (struct last){.op = OP_ILLEGAL};
    return (struct condition){.fused = true, .compare = last};
}

/* A jump in the making: from which instruction, and its field. */
struct jump {
    code_word *from;
    uint32_t *field;
};

static struct jump jump_with(code_word *word, unsigned field)
{
    return (struct jump){word - 1, (uint32_t *)((char *)word + field * sizeof(uint32_t))};
}

/* Emits a branch on a comparison; zero tests are comparisons with 0. */
static struct jump branch_on_compare(struct tr *tr, const struct last *compare, bool when)
{
    enum form2 form = (enum form2)compare->form;
    enum op op = compare->op;
    if (op == OP_I64_EQZ) {
        op = OP_I64_EQ;
        form = compare->form == FORM_A ? FORM_AI : FORM_SI;
    }
    bool immediate = form >= FORM_SI;
    uint32_t a = 0;
    uint32_t b = 0;
    if (form == FORM_SS || form == FORM_SA || form == FORM_SI)
        a = tr_use(tr, compare->a);
    if (form == FORM_SS || form == FORM_AS || form == FORM_IS)
        b = tr_use(tr, compare->b);
    code_word *word = tr_emit(tr, tr_compare_branch(op, form, when), immediate ? 2 : 1);
    tr_put16(word, 0, form == FORM_IS ? b : a);
    if (!immediate)
        tr_put16(word, 1, b);
    else if (!tr->failed)
        word[1] = compare->imm;
    return jump_with(word, 1);
}

static struct jump branch_on_test(struct tr *tr, const struct last *test, bool when)
{
    uint32_t slot = test->form == FORM_S ? tr_use_value(tr, VT_V128, test->a) : 0;
    code_word *word = tr_emit(tr, tr_vector_test_branch(test, when), 1);
    tr_put16(word, 0, slot);
    return jump_with(word, 1);
}

/* Emits a branch that is taken if the condition is true (`when`), or if it is false. */
static struct jump branch_on(struct tr *tr, const struct condition *condition, bool when)
{
    struct operand operand = condition->operand;
    if (condition->fused && tr_is_vector_test(condition->compare.op))
        return branch_on_test(tr, &condition->compare, when);
    if (condition->fused && condition->compare.op != OP_I32_EQZ)
        return branch_on_compare(tr, &condition->compare, when);
    if (condition->fused) {
        when = !when;
        operand.source = condition->compare.form == FORM_A ? FROM_ACC : FROM_SLOT;
        operand.slot = condition->compare.a;
    }
    bool in_acc = operand.source == FROM_ACC;
    uint32_t slot = in_acc ? 0 : tr_use(tr, operand.slot);
    enum xop xop =
        when ? (in_acc ? XOP_BR_IF_A : XOP_BR_IF_S) : (in_acc ? XOP_BR_UNLESS_A : XOP_BR_UNLESS_S);
    code_word *word = tr_emit(tr, xop, 1);
    tr_put16(word, 0, slot);
    return jump_with(word, 1);
}

/* --- Branches
 * --------------------------------------------------------------------------------------- */

static void jump_to_label(struct tr *tr, struct control *control, struct jump jump)
{
    if (tr->failed)
        return;
    if (control->op == OP_LOOP)
        tr_jump_to(tr, jump.from, jump.field, control->head);
    else
        tr_jump_later(tr, jump.from, jump.field, &control->fixups);
}

static uint32_t slots_of_top(struct tr *tr, uint32_t count)
{
    return count ? tr_next_slot(tr) - tr_top(tr, count - 1)->slot : 0;
}

static void move_slots(struct tr *tr, uint32_t to, uint32_t from, uint32_t slots)
{
    if (!slots || to == from)
        return;
    code_word *word = tr_emit(tr, XOP_MOVE, 2);
    tr_put32(word, 0, to);
    tr_put32(word, 1, from);
    if (!tr->failed)
        word[1] = slots;
}

/* Are the topmost `arity` entries, once settled, where the label wants them? */
static bool in_place(struct tr *tr, const struct control *control, uint32_t arity)
{
    return !arity || tr_top(tr, arity - 1)->slot == control->slot;
}

/* A return with so many operand words, of those that know where the link lies if it is there. */
static code_word *emit_ret(struct tr *tr, enum xop near, unsigned operands)
{
    if (tr->link == LINK_NEAR)
        return tr_emit(tr, near, operands);
    code_word *word = tr_emit(tr, near + 1, 2);
    if (!tr->failed)
        word[1] = tr->link;
    return word;
}

/* Returns one value from a slot: it goes to the accumulator, too, where callers look for it. */
static void emit_return_slot(struct tr *tr, uint8_t kind, uint32_t slot)
{
    enum xop xop = kind == VT_V128                ? XOP_RETV_S
                   : tr_acc_of(kind) == ACC_FLOAT ? XOP_RETX_S
                                                  : XOP_RET_S;
    tr_put16(emit_ret(tr, xop, 1), 1, slot);
}

/* Returns the topmost entries, which are settled. */
static void emit_return_settled(struct tr *tr, uint32_t count)
{
    uint32_t slots = slots_of_top(tr, count);
    if (count == 1) {
        const struct entry *top = tr_top(tr, 0);
        emit_return_slot(tr, top->kind, tr_use_value(tr, top->kind, top->slot));
        return;
    }
    if (count)
        move_slots(tr, 0, tr_top(tr, count - 1)->slot, slots);
    emit_ret(tr, XOP_RET, 0);
}

/* Returns from the function; one value may come from anywhere. */
static void emit_return(struct tr *tr)
{
    uint32_t count = tr->type->nresults;
    if (count != 1) {
        tr_settle(tr, count);
        emit_return_settled(tr, count);
        return;
    }
    struct entry entry = tr_pop(tr);
    bool is_float = tr_acc_of(entry.kind) == ACC_FLOAT;
    struct operand value = tr_operand(tr, &entry, is_float ? IMM_NEVER : IMM_ANY);
    uint32_t slot = value.source == FROM_SLOT ? tr_use_value(tr, entry.kind, value.slot) : 0;
    enum xop xop;
    if (value.source == FROM_IMM)
        xop = XOP_RET_I;
    else if (entry.kind == VT_V128)
        xop = value.source == FROM_ACC ? XOP_RETV_A : XOP_RETV_S;
    else if (is_float)
        xop = value.source == FROM_ACC ? XOP_RETX_A : XOP_RETX_S;
    else
        xop = value.source == FROM_ACC ? XOP_RET_A : XOP_RET_S;
    if (value.source == FROM_IMM) {
        code_word *word = emit_ret(tr, xop, 1);
        if (!tr->failed)
            *word = value.bits;
    } else if (value.source == FROM_SLOT) {
        tr_put16(emit_ret(tr, xop, 1), 1, slot);
    } else {
        emit_ret(tr, xop, 0);
    }
}

/* Jumps to a label with the topmost entries, which are settled and stay on the stack. */
static void jump_settled(struct tr *tr, struct control *control)
{
    uint32_t arity = label_arity(control);
    if (control->op == OP_END) {
        emit_return_settled(tr, arity);
        return;
    }
    if (arity)
        move_slots(tr, control->slot, tr_top(tr, arity - 1)->slot, slots_of_top(tr, arity));
    code_word *word = tr_emit(tr, XOP_BR, 1);
    jump_to_label(tr, control, jump_with(word, 0));
}

static void branch(struct tr *tr, uint32_t label)
{
    struct control *control = tr_control_at(tr, label);
    uint32_t arity = label_arity(control);
    tr->dead = true;
    if (control->op == OP_END) {
        emit_return(tr);
        return;
    }
    if (arity == 1 && tr_top(tr, 0)->slot != control->slot) {
        struct entry entry = tr_pop(tr);
        tr_store(tr, &entry, control->slot);
        code_word *word = tr_emit(tr, XOP_BR, 1);
        jump_to_label(tr, control, jump_with(word, 0));
        return;
    }
    tr_settle(tr, arity);
    jump_settled(tr, control);
}

static void branch_if(struct tr *tr, uint32_t label)
{
    struct condition condition = take_condition(tr);
    struct control *control = tr_control_at(tr, label);
    uint32_t arity = label_arity(control);
    tr_settle(tr, arity);
    if (control->op != OP_END && in_place(tr, control, arity)) {
        struct jump jump = branch_on(tr, &condition, true);
        jump_to_label(tr, control, jump);
        return;
    }
    uint32_t skip = 0;
    struct jump around = branch_on(tr, &condition, false);
    if (!tr->failed)
        tr_jump_later(tr, around.from, around.field, &skip);
    jump_settled(tr, control);
    tr_bind(tr, &skip);
}

/* References: null, or not null. The value stays on one side of the branch only. */
static void branch_on_null(struct tr *tr, uint32_t label, bool when_null)
{
    struct entry entry = tr_pop(tr);
    struct operand ref = tr_operand(tr, &entry, IMM_NEVER);
    struct control *control = tr_control_at(tr, label);
    uint32_t arity = label_arity(control);
    /* Both paths need the value in a slot: the one that keeps it, and the label that takes it. */
    uint32_t slot =
        ref.source == FROM_ACC && entry.place == IN_ACC ? tr_operand_slot(tr, &entry) : ref.slot;
    tr_settle(tr, when_null ? arity : arity - 1);
    if (!when_null) { /* the reference is the label's last operand */
        struct entry kept = {.place = IN_LOCAL, .kind = VT_REF, .local = slot};
        tr_push_slot(tr, VT_REF);
        tr_store(tr, &kept, tr_top(tr, 0)->slot);
        slot = tr_top(tr, 0)->slot;
    }
    bool direct = control->op != OP_END && in_place(tr, control, arity);
    bool jump_when_null = direct ? when_null : !when_null;
    uint32_t used = tr_use(tr, slot);
    code_word *word = tr_emit(tr, jump_when_null ? XOP_BR_NULL_S : XOP_BR_NON_NULL_S, 1);
    tr_put16(word, 0, used);
    struct jump jump = jump_with(word, 1);
    uint32_t skip = 0;
    if (direct) {
        jump_to_label(tr, control, jump);
    } else {
        if (!tr->failed)
            tr_jump_later(tr, jump.from, jump.field, &skip);
        jump_settled(tr, control);
        tr_bind(tr, &skip);
    }
    if (when_null)
        tr_push_local(tr, VT_REF, slot, NOWHERE);
    else
        tr_pop(tr);
}

/* Casts: the value is the label's last operand and stays on the stack. */
static void branch_on_cast(struct tr *tr, bool when_passed)
{
    struct control *control = tr_control_at(tr, tr->insn.cast.label);
    uint32_t arity = label_arity(control);
    tr_settle(tr, arity);
    /* Back to a loop it goes by BR, at which the guest can be interrupted. */
    bool direct = control->op != OP_END && control->op != OP_LOOP && in_place(tr, control, arity);
    bool jump_when_passed = direct ? when_passed : !when_passed;
    struct ref_test test = ref_test_of(tr->module->types, tr->insn.cast.to);
    uint32_t used = tr_use(tr, tr_top(tr, 0)->slot);
    code_word *word = tr_emit(tr, jump_when_passed ? XOP_BR_ON_CAST : XOP_BR_ON_CAST_FAIL, 2);
    tr_put16(word, 0, used);
    tr_put16(word, 1, test.kind);
    tr_put32(word, 2, test.id);
    tr_put32(word, 3, tr->insn.cast.flags >> 1 & 1);
    struct jump jump = jump_with(word, 1);
    if (direct) {
        jump_to_label(tr, control, jump);
        return;
    }
    uint32_t skip = 0;
    if (!tr->failed)
        tr_jump_later(tr, jump.from, jump.field, &skip);
    jump_settled(tr, control);
    tr_bind(tr, &skip);
}

/* --- br_table
 * ---------------------------------------------------------------------------------------- */

/* Where a label of the table leads that cannot be jumped to directly: a piece of code behind the
 * table that moves the operands and jumps, one for each label. */
static const code_word *table_stub(struct tr *tr, struct control *control, const uint8_t *table)
{
    if (control->stub_of != table) {
        control->stub_of = table;
        control->stub = tr->at;
        jump_settled(tr, control);
    }
    return control->stub;
}

static void branch_table(struct tr *tr)
{
    const struct insn *in = &tr->insn;
    uint32_t count = in->br_table.count;
    struct entry entry = tr_pop(tr);
    struct operand index = tr_operand(tr, &entry, IMM_NEVER);
    struct reader labels = reader_of(in->br_table.labels, tr->module->file, tr->err);
    uint32_t arity = label_arity(tr_control_at(tr, reader_u32(&labels)));
    tr_settle(tr, arity);
    bool in_acc = index.source == FROM_ACC;
    uint32_t slot = in_acc ? 0 : tr_use(tr, index.slot);
    if ((uint64_t)count / 2 + 4 > (uint64_t)(tr->limit - tr->at)) {
        tr_full(tr, PART_CODE);
        return;
    }
    code_word *word = tr_emit(tr, in_acc ? XOP_BR_TABLE_A : XOP_BR_TABLE_S, 1 + (count + 2) / 2);
    tr_put16(word, 0, slot);
    tr_put32(word, 1, count);
    labels = reader_of(in->br_table.labels, tr->module->file, tr->err);
    for (uint32_t i = 0; i <= count && !tr->failed; i++) {
        struct control *control = tr_control_at(tr, reader_u32(&labels));
        struct jump jump = jump_with(word, 2 + i);
        if (control->op != OP_END && in_place(tr, control, arity))
            jump_to_label(tr, control, jump);
        else
            tr_jump_to(tr, jump.from, jump.field, table_stub(tr, control, in->at));
        tr_look(tr);
    }
    tr->dead = true;
}

/* --- Blocks
 * ------------------------------------------------------------------------------------------- */

static void open_loop(struct tr *tr)
{
    tr_settle_all(tr);
    struct control *control = tr_open_control(tr, OP_LOOP);
    tr_label(tr);
    control->head = tr->at;
    tr_fuel(tr);
}

static void open_if(struct tr *tr)
{
    struct condition condition = take_condition(tr);
    tr_settle_all(tr);
    struct jump jump = branch_on(tr, &condition, false);
    struct control *control = tr_open_control(tr, OP_IF);
    if (!tr->failed)
        tr_jump_later(tr, jump.from, jump.field, &control->else_fixup);
    tr_fuel(tr);
}

/* Puts the results of the innermost block into the place of its label's. */
static void place_results(struct tr *tr, const struct control *control)
{
    uint32_t count = control->type.nresults;
    tr_settle(tr, count);
    if (count)
        move_slots(tr, control->slot, tr_top(tr, count - 1)->slot, slots_of_top(tr, count));
}

void tr_flow_out(struct tr *tr)
{
    struct control *control = tr_control_at(tr, 0);
    if (tr->dead)
        return;
    place_results(tr, control);
    code_word *word = tr_emit(tr, XOP_BR, 1);
    struct jump jump = jump_with(word, 0);
    if (!tr->failed)
        tr_jump_later(tr, jump.from, jump.field, &control->fixups);
}

static void turn_else(struct tr *tr)
{
    struct control *control = tr_control_at(tr, 0);
    tr_flow_out(tr);
    control->op = OP_ELSE;
    tr_bind(tr, &control->else_fixup);
    tr_drop_to(tr, control->height);
    push_params(tr, &control->type);
    tr->dead = false;
    tr_fuel(tr);
}

/* The end of the body. Exceptions may lead here, too, with the results in slot 0 and on. */
static void close_function(struct tr *tr, struct control *control)
{
    if (!tr->dead)
        emit_return(tr);
    if (control->fixups) {
        tr_bind(tr, &control->fixups);
        if (tr->type->nresults == 1)
            emit_return_slot(tr, vt_kind(tr->type->results[0]), 0);
        else
            emit_ret(tr, XOP_RET, 0);
    }
    tr->ncontrols = 0;
}

void tr_close_block(struct tr *tr)
{
    struct control *control = tr_control_at(tr, 0);
    if (control->op == OP_END) {
        close_function(tr, control);
        return;
    }
    bool is_catch = control->op == OP_CATCH; /* what it caught lies below its results */
    if (control->made && !is_catch)
        tr_leave_region(tr, control);
    bool is_label = control->fixups || control->else_fixup || is_catch;
    if (!tr->dead && is_label)
        place_results(tr, control);
    if (tr->dead || is_label) {
        tr_drop_to(tr, control->height);
        push_results(tr, &control->type);
    }
    if (is_label && (control->fixups || control->else_fixup || !tr->dead)) {
        tr_bind(tr, &control->else_fixup);
        tr_bind(tr, &control->fixups);
        tr->dead = false;
        tr_fuel(tr);
    }
    tr->ncontrols--;
}

void tr_skip_dead(struct tr *tr)
{
    for (uint64_t depth = 0; reader_ok(&tr->reader);) {
        insn_read(&tr->reader, tr->module, &tr->insn);
        switch (tr->insn.op) {
        case OP_BLOCK:
        case OP_LOOP:
        case OP_IF:
        case OP_TRY:
        case OP_TRY_TABLE: depth++; break;
        case OP_ELSE:
        case OP_CATCH:
        case OP_CATCH_ALL:
            if (!depth)
                return;
            break;
        case OP_END:
        case OP_DELEGATE:
            if (!depth--)
                return;
            break;
        default: break;
        }
    }
}

void tr_control(struct tr *tr)
{
    const struct insn *in = &tr->insn;
    switch (in->op) {
    case OP_UNREACHABLE:
        tr_emit(tr, XOP_UNREACHABLE, 0);
        tr->dead = true;
        break;
    case OP_BLOCK:
        tr_settle_all(tr);
        tr_open_control(tr, OP_BLOCK);
        break;
    case OP_LOOP: open_loop(tr); break;
    case OP_IF: open_if(tr); break;
    case OP_ELSE: turn_else(tr); break;
    case OP_END: tr_close_block(tr); break;
    case OP_BR: branch(tr, in->x); break;
    case OP_BR_IF: branch_if(tr, in->x); break;
    case OP_BR_TABLE: branch_table(tr); break;
    case OP_BR_ON_NULL: branch_on_null(tr, in->x, true); break;
    case OP_BR_ON_NON_NULL: branch_on_null(tr, in->x, false); break;
    case OP_BR_ON_CAST: branch_on_cast(tr, true); break;
    case OP_BR_ON_CAST_FAIL: branch_on_cast(tr, false); break;
    case OP_RETURN:
        emit_return(tr);
        tr->dead = true;
        break;
    default: tr_unsupported(tr); break;
    }
}
