/* Emission of register code: words, operand fields, labels. */
#include "engine/wasm/tr.h"

void tr_fail(struct tr *tr, enum err_kind kind, const char *what)
{
    if (!tr->failed)
        err_set(tr->err, kind, (uint64_t)(tr->insn.at - tr->module->file), "%s", what);
    tr->failed = true;
}

void tr_look_now(struct tr *tr)
{
    const struct translation *options = tr->options;
    tr->patience = LOOK_EACH;
    if (options->interrupt && (int32_t)(*options->interrupt - options->interrupt_at) >= 0)
        tr_fail(tr, ERR_TIME, "stopped while a function was translated: give it more time");
}

void tr_become(struct tr *tr, code_word *at, enum xop xop)
{
    at[0] = handler_word(tr->options->handlers, xop);
    tr->xops[at - tr->start] = (uint16_t)xop;
}

/* Without room: writes to where it does no harm, for nothing of it will run. */
static COLD code_word *emit_nowhere(struct tr *tr, enum xop xop, unsigned operands)
{
    tr_full(tr, PART_CODE);
    tr->at = tr->start;
    size_t room = (size_t)(tr->limit - tr->at);
    return tr_emit(tr, xop, operands + 2 <= room ? operands : (unsigned)room - 2);
}

static NOINLINE void clear_more(code_word *at, uint16_t *xops, unsigned operands)
{
    for (unsigned i = 2; i <= operands; i++) {
        at[i] = 0;
        xops[i] = XOP_COUNT;
    }
}

code_word *tr_emit(struct tr *tr, enum xop xop, unsigned operands)
{
    code_word *at = tr->at;
    size_t position = (size_t)(at - tr->start);
    uint16_t *xops = tr->xops + position;
    if (unlikely((size_t)(tr->limit - at) < (size_t)operands + 2))
        return emit_nowhere(tr, xop, operands);
    at[0] = handler_word(tr->options->handlers, xop);
    at[1] = 0; /* if it has no operands, the next instruction overwrites it */
    xops[0] = (uint16_t)xop;
    xops[1] = XOP_COUNT;
    if (operands > 1)
        clear_more(at, xops, operands);
    xops[1 + operands] = XOP_COUNT;
    tr->at = at + 1 + operands;
    tr->last = (struct last){.at = at, .op = OP_ILLEGAL};
    if (unlikely(tr->wanted - position <= operands))
        tr->found = (uint64_t)(tr->insn.at - tr->module->file);
    return at + 1;
}

void tr_unsupported(struct tr *tr)
{
    if (!tr->failed)
        err_set(tr->err, ERR_LIMIT, (uint64_t)(tr->insn.at - tr->module->file),
                "%s is not executed by this version", op_text(tr->insn.op));
    tr->failed = true;
}

uint32_t tr_use_wide(struct tr *tr, uint32_t slot, uint32_t slots)
{
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

/* --- Labels
 * --------------------------------------------------------------------------------------- */

void tr_label(struct tr *tr)
{
    tr->last.op = OP_ILLEGAL;
    tr->last.at = NULL;
    tr->acc_slot[ACC_INT] = NOWHERE;
    tr->acc_slot[ACC_FLOAT] = NOWHERE;
}

void tr_jump_to(struct tr *tr, code_word *from, uint32_t *field, const code_word *target)
{
    int64_t distance = (const char *)target - (const char *)from + BRANCH_BIAS;
    uint32_t narrow = (uint32_t)distance;
    if (narrow != distance)
        tr_fail(tr, ERR_MEMORY, "function too large to branch in");
    memcpy(field, &narrow, sizeof narrow);
}

void tr_jump_later(struct tr *tr, code_word *from, uint32_t *field, uint32_t *list)
{
    uint32_t place = tr->free_fixups;
    if (place) {
        tr->free_fixups = tr->fixups[place - 1].next;
    } else if (tr->nfixups < tr->fixups_most) {
        place = ++tr->nfixups;
    } else {
        tr_full(tr, PART_FIXUPS);
        return;
    }
    tr->fixups[place - 1] = (struct fixup){.from = (uint32_t)(from - tr->start),
                                           .field = (uint32_t)(field - (uint32_t *)tr->start),
                                           .next = *list};
    *list = place;
}

void tr_bind(struct tr *tr, uint32_t *list)
{
    while (*list && !tr->failed) {
        uint32_t place = *list;
        struct fixup *fixup = &tr->fixups[place - 1];
        *list = fixup->next;
        tr_jump_to(tr, tr->start + fixup->from, (uint32_t *)tr->start + fixup->field, tr->at);
        fixup->next = tr->free_fixups;
        tr->free_fixups = place;
        tr_look(tr);
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
