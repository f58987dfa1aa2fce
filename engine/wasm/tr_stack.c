/* The operand stack at translation time; see tr.h. */
#include "engine/wasm/tr.h"

struct entry *tr_top(struct tr *tr, uint32_t depth)
{
    return &tr->entries[tr->nentries - 1 - depth];
}

uint32_t tr_next_slot(const struct tr *tr)
{
    if (!tr->nentries)
        return tr->operands;
    const struct entry *top = &tr->entries[tr->nentries - 1];
    return top->slot + tr_kind_slots(top->kind);
}

/* --- Moving values to slots
 * ------------------------------------------------------------------------ */

/* A slot is written: an accumulator that held the same value as it does so no longer. */
static void forget(struct tr *tr, uint32_t slot)
{
    if (tr->acc_slot[ACC_INT] == slot)
        tr->acc_slot[ACC_INT] = NOWHERE;
    uint32_t held = tr->acc_slot[ACC_FLOAT]; /* of a v128: the first of two */
    if (held == slot || (held != NOWHERE && held + 1 == slot))
        tr->acc_slot[ACC_FLOAT] = NOWHERE;
}

/* Copies one slot to another, with the copy emitted last if there was one. */
static void copy_slot(struct tr *tr, uint32_t to, uint32_t from)
{
    if (to == from)
        return;
    forget(tr, to);
    if (to > SLOT_MOST || from > SLOT_MOST) {
        if (!tr->wide) {
            tr_use(tr, SLOT_MOST + 1);
            return;
        }
        code_word *word = tr_emit(tr, XOP_COPY_WIDE, 1);
        tr_put32(word, 0, to);
        tr_put32(word, 1, from);
        return;
    }
    /* COPY grows to COPY4 in place: `form` counts the pairs. */
    struct last last = tr->last;
    unsigned pairs = last.at && last.op == OP_LOCAL_SET ? last.form : 0;
    if (pairs >= 1 && pairs < 4) {
        static const uint16_t grown[] = {XOP_COPY, XOP_COPY2, XOP_COPY3, XOP_COPY4};
        code_word words[2] = {0};
        memcpy(words, last.at + 1, (pairs > 2 ? 2 : 1) * sizeof *words);
        tr->at = last.at;
        code_word *word = tr_emit(tr, (enum xop)grown[pairs], pairs >= 2 ? 2 : 1);
        if (tr->failed)
            return;
        memcpy(word, words, (pairs >= 2 ? 2 : 1) * sizeof *words);
        tr_put16(word, 2 * pairs, to);
        tr_put16(word, 2 * pairs + 1, from);
    } else {
        code_word *word = tr_emit(tr, XOP_COPY, 1);
        tr_put16(word, 0, to);
        tr_put16(word, 1, from);
    }
    tr->last.op = OP_LOCAL_SET; /* marks a copy */
    tr->last.form = (uint8_t)(pairs >= 4 ? 1 : pairs + 1);
}

static void copy_value(struct tr *tr, uint8_t kind, uint32_t to, uint32_t from)
{
    if (kind != VT_V128 || to == from) {
        copy_slot(tr, to, from);
    } else if (to >= SLOT_MOST || from >= SLOT_MOST) {
        copy_slot(tr, to, from); /* not overlapping */
        copy_slot(tr, to + 1, from + 1);
    } else {
        forget(tr, to);
        forget(tr, to + 1);
        code_word *word = tr_emit(tr, XOP_COPYV, 1);
        tr_put16(word, 0, to);
        tr_put16(word, 1, from);
    }
}

static void emit_v128(struct tr *tr, uint32_t slot, const uint8_t *sixteen)
{
    uint32_t to = slot >= SLOT_MOST && tr->wide ? tr->scratch : tr_use(tr, slot + 1) - 1;
    code_word *word = tr_emit(tr, XOP_CONSTV, 3);
    tr_put16(word, 0, to);
    if (!tr->failed)
        memcpy(word + 1, sixteen, 16);
    forget(tr, to);
    forget(tr, to + 1);
    copy_value(tr, VT_V128, slot, to);
}

static void emit_constant(struct tr *tr, const struct entry *entry, uint32_t slot)
{
    if (entry->kind == VT_V128) {
        emit_v128(tr, slot, entry->v128);
        return;
    }
    uint64_t bits = entry->bits;
    uint32_t to = slot;
    if (slot > SLOT_MOST) {
        if (!tr->wide)
            tr_use(tr, slot); /* fails */
        to = tr->scratch;
    }
    forget(tr, to);
    if (bits <= UINT32_MAX) {
        code_word *word = tr_emit(tr, XOP_CONST_U, 1);
        tr_put16(word, 0, to);
        tr_put32(word, 1, (uint32_t)bits);
    } else if ((int64_t)bits >= INT32_MIN && (int64_t)bits < 0) {
        code_word *word = tr_emit(tr, XOP_CONST, 1);
        tr_put16(word, 0, to);
        tr_put32(word, 1, (uint32_t)bits);
    } else {
        code_word *word = tr_emit(tr, XOP_CONST64, 2);
        tr_put16(word, 0, to);
        if (!tr->failed)
            word[1] = bits;
    }
    copy_slot(tr, slot, to);
}

/* Makes the producer of an entry's value write it to `slot` too. */
static void patch_producer(struct tr *tr, const struct entry *entry, uint32_t slot)
{
    code_word *producer = entry->producer;
    if (tr->failed)
        return;
    forget(tr, slot);
    if (entry->kind == VT_V128)
        forget(tr, slot + 1);
    tr_become(tr, producer, (enum xop)(entry->xop + 1));
    tr_put16(producer + 1, 0, slot);
}

static void emit_set(struct tr *tr, uint8_t kind, uint32_t slot)
{
    uint32_t to = slot >= SLOT_MOST && tr->wide ? tr->scratch : slot;
    if (to >= SLOT_MOST)
        tr_use(tr, SLOT_MOST + 1); /* fails */
    enum xop xop = kind == VT_V128 ? XOP_SETV : tr_acc_of(kind) == ACC_FLOAT ? XOP_SETX : XOP_SET;
    code_word *word = tr_emit(tr, xop, 1);
    tr_put16(word, 0, to);
    forget(tr, to);
    if (kind == VT_V128)
        forget(tr, to + 1);
    copy_value(tr, kind, slot, to);
}

/* Puts an entry into its own slot. */
static void settle(struct tr *tr, struct entry *entry)
{
    switch (entry->place) {
    case IN_SLOT: return;
    case IN_LOCAL: copy_value(tr, entry->kind, entry->slot, entry->local); break;
    case IN_CODE: emit_constant(tr, entry, entry->slot); break;
    case IN_ACC: {
        enum acc acc = tr_acc_of(entry->kind);
        patch_producer(tr, entry, entry->slot);
        tr->acc_entry[acc] = NOWHERE;
        tr->acc_slot[acc] = entry->slot;
        break;
    }
    }
    entry->place = IN_SLOT;
}

/* The same of an entry on the stack. */
static void settle_at(struct tr *tr, uint32_t index)
{
    struct entry *entry = &tr->entries[index];
    if (entry->place == IN_SLOT)
        return;
    settle(tr, entry);
    tr_map_forget(tr, index);
}

void tr_settle(struct tr *tr, uint32_t count)
{
    for (uint32_t i = tr->nentries - count; i < tr->nentries; i++)
        settle_at(tr, i);
    if (tr->nentries - count <= tr->settled)
        tr->settled = tr->nentries;
}

void tr_settle_all(struct tr *tr)
{
    if (tr->nentries > tr->settled)
        tr_settle(tr, tr->nentries - tr->settled);
}

void tr_clobber(struct tr *tr, enum acc acc)
{
    if (tr->acc_entry[acc] != NOWHERE)
        settle_at(tr, tr->acc_entry[acc]);
    tr->acc_slot[acc] = NOWHERE;
}

void tr_clobber_all(struct tr *tr)
{
    tr_clobber(tr, ACC_INT);
    tr_clobber(tr, ACC_FLOAT);
}

bool tr_preserve(struct tr *tr, uint32_t slot)
{
    bool any = false;
    for (uint32_t i = tr->settled; i < tr->nentries; i++) {
        struct entry *entry = &tr->entries[i];
        if (entry->place != IN_LOCAL)
            continue;
        if (entry->local == slot && entry->other != NOWHERE && entry->other != slot)
            entry->local = entry->other;
        if (entry->other == slot || entry->other == entry->local)
            entry->other = NOWHERE;
        if (entry->local == slot) {
            settle_at(tr, i);
            any = true;
        }
    }
    return any;
}

/* --- Pushing and popping
 * --------------------------------------------------------------------------- */

INLINE struct entry *push(struct tr *tr, uint8_t kind, enum place place)
{
    if (tr->nentries == tr->entries_most) {
        tr_full(tr, PART_ENTRIES);
        tr->nentries = 0;
    }
    /* Few entries wait outside their slots, so that scanning them takes bounded time. */
    if (tr->nentries - tr->settled >= PENDING_MOST)
        settle_at(tr, tr->settled++);
    uint32_t slot = tr_next_slot(tr);
    uint32_t slots = tr_kind_slots(kind);
    if (slot + slots > tr->frame)
        tr->frame = slot + slots;
    struct entry *entry = &tr->entries[tr->nentries++];
    *entry = (struct entry){.place = (uint8_t)place, .kind = kind, .slot = slot};
    if (place == IN_SLOT && tr->settled == tr->nentries - 1)
        tr->settled = tr->nentries;
    return entry;
}

void tr_push_slot(struct tr *tr, uint8_t kind)
{
    struct entry *entry = push(tr, kind, IN_SLOT);
    forget(tr, entry->slot);
    if (kind == VT_V128)
        forget(tr, entry->slot + 1);
}

void tr_push_local(struct tr *tr, uint8_t kind, uint32_t local_slot, uint32_t other)
{
    struct entry *entry = push(tr, kind, IN_LOCAL);
    entry->local = local_slot;
    entry->other = other;
}

void tr_push_bits(struct tr *tr, uint8_t kind, uint64_t bits)
{
    push(tr, kind, IN_CODE)->bits = bits;
}

void tr_push_v128(struct tr *tr, const uint8_t *sixteen)
{
    push(tr, VT_V128, IN_CODE)->v128 = sixteen;
}

void tr_push_acc(struct tr *tr, uint8_t kind, enum xop xop, code_word *producer)
{
    enum acc acc = tr_acc_of(kind);
    struct entry *entry = push(tr, kind, IN_ACC);
    entry->xop = (uint16_t)xop;
    entry->producer = producer;
    tr->acc_slot[acc] = NOWHERE;
    if (entry->slot >= SLOT_MOST) {
        /* The slot cannot be named by the producer: it is written from the accumulator. */
        entry->place = IN_SLOT;
        emit_set(tr, kind, entry->slot);
        return;
    }
    tr->acc_entry[acc] = tr->nentries - 1;
}

void tr_push_both(struct tr *tr, uint8_t kind)
{
    struct entry *entry = push(tr, kind, IN_SLOT);
    forget(tr, entry->slot);
    if (kind == VT_V128)
        forget(tr, entry->slot + 1);
    tr->acc_slot[tr_acc_of(kind)] = entry->slot;
}

/* One slot below the highest, so that a v128 fits as well. */
uint32_t tr_dest(struct tr *tr)
{
    uint32_t slot = tr_next_slot(tr);
    return slot >= SLOT_MOST && tr->wide ? tr->scratch : tr_use(tr, slot + 1) - 1;
}

void tr_push_dest(struct tr *tr, uint8_t kind)
{
    uint32_t slot = tr_next_slot(tr);
    if (slot >= SLOT_MOST && tr->wide)
        copy_value(tr, kind, slot, tr->scratch);
    tr_push_both(tr, kind);
}

struct entry tr_pop(struct tr *tr)
{
    struct entry entry = tr->entries[--tr->nentries];
    if (tr->settled > tr->nentries)
        tr->settled = tr->nentries;
    tr_map_forget(tr, tr->nentries);
    if (entry.place == IN_ACC)
        tr->acc_entry[tr_acc_of(entry.kind)] = NOWHERE;
    return entry;
}

void tr_drop_to(struct tr *tr, uint32_t height)
{
    while (tr->nentries > height)
        tr_pop(tr);
}

/* --- Operands
 * -------------------------------------------------------------------------------------- */

struct operand tr_operand(struct tr *tr, const struct entry *entry, enum imm_range imm)
{
    uint32_t held = tr->acc_slot[tr_acc_of(entry->kind)];
    switch (entry->place) {
    case IN_ACC: return (struct operand){.source = FROM_ACC, .slot = NOWHERE};
    case IN_LOCAL:
        if (entry->local == held)
            return (struct operand){.source = FROM_ACC, .slot = held};
        return (struct operand){.source = FROM_SLOT, .slot = entry->local};
    case IN_CODE:
        if (imm == IMM_ANY || (imm == IMM_U32 && entry->bits <= UINT32_MAX))
            return (struct operand){.source = FROM_IMM, .slot = NOWHERE, .bits = entry->bits};
        emit_constant(tr, entry, entry->slot);
        return (struct operand){.source = FROM_SLOT, .slot = entry->slot};
    default:
        if (entry->slot == held)
            return (struct operand){.source = FROM_ACC, .slot = held};
        return (struct operand){.source = FROM_SLOT, .slot = entry->slot};
    }
}

uint32_t tr_operand_slot(struct tr *tr, const struct entry *entry)
{
    struct entry copy = *entry;
    if (copy.place == IN_LOCAL)
        return copy.local;
    settle(tr, &copy);
    return copy.slot;
}

void tr_store(struct tr *tr, const struct entry *entry, uint32_t slot)
{
    enum acc acc = tr_acc_of(entry->kind);
    struct operand from = entry->place == IN_CODE
                              ? (struct operand){.source = FROM_IMM, .slot = NOWHERE}
                              : tr_operand(tr, entry, IMM_NEVER);
    if (from.source == FROM_IMM) {
        emit_constant(tr, entry, slot);
    } else if (from.source == FROM_SLOT) {
        copy_value(tr, entry->kind, slot, from.slot);
    } else if (entry->place == IN_ACC && tr->last.at == entry->producer && slot < SLOT_MOST) {
        patch_producer(tr, entry, slot);
        tr->last.op = OP_ILLEGAL; /* its result is needed where it was put */
        tr->acc_slot[acc] = slot;
    } else {
        if (from.slot != slot)
            emit_set(tr, entry->kind, slot);
        tr->acc_slot[acc] = slot;
    }
}
