/* Emission of register code: words, operand fields, labels. */
#include "engine/wasm/tr.h"

void tr_fail(struct tr *tr, enum err_kind kind, const char *what)
{
    if (!tr->failed)
        err_set(tr->err, kind, (uint64_t)(tr->insn.at - tr->module->file), "%s", what);
    tr->failed = true;
}

void tr_become(struct tr *tr, code_word *at, enum xop xop)
{
    at[0] = (code_word)(uintptr_t)tr->options->handlers[xop];
    tr->xops[at - tr->start] = (uint16_t)xop;
}

code_word *tr_emit(struct tr *tr, enum xop xop, unsigned operands)
{
    if ((size_t)(tr->limit - tr->at) < (size_t)operands + 1) {
        tr_fail(tr, ERR_MEMORY, "no room for the function's code");
        tr->at = tr->start; /* overwritten harmlessly: nothing of it will run */
        if ((size_t)(tr->limit - tr->at) < (size_t)operands + 1)
            operands = (unsigned)(tr->limit - tr->at) - 1;
    }
    code_word *at = tr->at;
    tr_become(tr, at, xop);
    uint16_t *xops = tr->xops + (at - tr->start);
    for (unsigned i = 1; i <= operands; i++) {
        at[i] = 0;
        xops[i] = XOP_COUNT;
    }
    tr->at = at + 1 + operands;
    tr->last = (struct last){.at = at, .op = OP_ILLEGAL};
    uint64_t position = (uint64_t)(at - tr->start);
    if (tr->wanted >= position && tr->wanted - position <= operands)
        tr->found = (uint64_t)(tr->insn.at - tr->module->file);
    return at + 1;
}

void tr_put16(code_word *word, unsigned field, uint32_t value)
{
    uint16_t narrow = (uint16_t)value;
    memcpy((char *)word + field * sizeof narrow, &narrow, sizeof narrow);
}

void tr_put32(code_word *word, unsigned field, uint32_t value)
{
    memcpy((char *)word + field * sizeof value, &value, sizeof value);
}

void tr_unsupported(struct tr *tr)
{
    if (!tr->failed)
        err_set(tr->err, ERR_LIMIT, (uint64_t)(tr->insn.at - tr->module->file),
                "%s is not executed by this version", op_text(tr->insn.op));
    tr->failed = true;
}

uint32_t tr_use_value(struct tr *tr, uint8_t kind, uint32_t slot)
{
    uint32_t slots = kind == VT_V128 ? 2 : 1;
    if (slot + slots - 1 <= SLOT_MOST)
        return slot;
    if (!tr->wide) {
        tr->wants_wide = true;
        tr_fail(tr, ERR_MEMORY, "frame of too many slots"); /* and translated again */
        return 0;
    }
    uint32_t scratch = tr->scratch + tr->next_scratch;
    tr->next_scratch = (tr->next_scratch + 2) % SCRATCH;
    for (uint32_t i = 0; i < slots; i++) {
        code_word *word = tr_emit(tr, XOP_COPY_WIDE, 1);
        tr_put32(word, 0, scratch + i);
        tr_put32(word, 1, slot + i);
    }
    return scratch;
}

uint32_t tr_use(struct tr *tr, uint32_t slot)
{
    return tr_use_value(tr, VT_I64, slot);
}

/* --- Labels
 * --------------------------------------------------------------------------------------- */

void tr_label(struct tr *tr)
{
    tr->last.op = OP_ILLEGAL;
    tr->last.at = NULL;
    tr->acc_slot[ACC_INT] = NOWHERE;
    tr->acc_slot[ACC_FLOAT] = NOWHERE;
}

void tr_jump_to(struct tr *tr, code_word *from, int32_t *field, const code_word *target)
{
    int64_t distance = target - from;
    int32_t narrow = (int32_t)distance;
    if (narrow != distance)
        tr_fail(tr, ERR_MEMORY, "function too large to branch in");
    memcpy(field, &narrow, sizeof narrow);
}

void tr_jump_later(struct tr *tr, code_word *from, int32_t *field, struct fixup **list)
{
    struct fixup *fixup = tr->free_fixups;
    if (fixup) {
        tr->free_fixups = fixup->next;
    } else if (tr->nfixups < tr->fixups_most) {
        fixup = &tr->fixups[tr->nfixups++];
    } else {
        tr_fail(tr, ERR_MEMORY, "no room for the function's branches");
        return;
    }
    *fixup = (struct fixup){from, field, *list};
    *list = fixup;
}

void tr_bind(struct tr *tr, struct fixup **list)
{
    while (*list) {
        struct fixup *fixup = *list;
        *list = fixup->next;
        if (!tr->failed)
            tr_jump_to(tr, fixup->from, fixup->field, tr->at);
        fixup->next = tr->free_fixups;
        tr->free_fixups = fixup;
    }
    tr_label(tr);
}

/* --- Counting
 * -------------------------------------------------------------------------------------- */

void tr_fuel(struct tr *tr)
{
    if (!tr->options->fuel)
        return;
    tr->fuel = tr_emit(tr, XOP_FUEL, 1);
}
