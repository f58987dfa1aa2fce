/* Translation of loads and stores, of scalars and of whole vectors. */
#include "engine/wasm/tr.h"

bool tr_access_is_common(const struct tr *tr, uint32_t size)
{
    const struct memarg *mem = &tr->insn.mem;
    return mem->memory == 0 && !tr->module->memories[0].limits.is64 &&
           mem->offset <= UINT32_MAX - size;
}

/* A constant address that can be added to the end at translation. */
static bool address_folds(const struct tr *tr, uint32_t size, const struct entry *entry)
{
    return entry->place == IN_CODE && entry->bits + tr->insn.mem.offset + size <= UINT32_MAX;
}

static void load_any(struct tr *tr, uint8_t kind, enum xop xop, const struct entry *address)
{
    uint32_t from = tr_use(tr, tr_operand_slot(tr, address));
    uint32_t to = tr_dest(tr);
    tr_clobber(tr, tr_acc_of(kind));
    code_word *word = tr_emit(tr, (enum xop)(xop + 2 * (LOAD_I + 1)), 2);
    tr_put16(word, 0, to);
    tr_put16(word, 1, from);
    tr_put16(word, 2, tr->insn.mem.memory);
    if (!tr->failed)
        word[1] = tr->insn.mem.offset;
    tr_push_dest(tr, kind);
}

void tr_load(struct tr *tr, uint8_t kind, enum xop xop, uint32_t size)
{
    struct entry entry = tr_pop(tr);
    if (!tr_access_is_common(tr, size)) {
        load_any(tr, kind, xop, &entry);
        return;
    }
    uint64_t end = tr->insn.mem.offset + size;
    enum form_load form = LOAD_I;
    uint32_t slot = 0;
    if (address_folds(tr, size, &entry)) {
        end += entry.bits;
    } else {
        struct operand address = tr_operand(tr, &entry, IMM_NEVER);
        form = address.source == FROM_ACC ? LOAD_A : LOAD_S;
        slot = form == LOAD_S ? tr_use(tr, address.slot) : 0;
    }
    tr_clobber(tr, tr_acc_of(kind));
    xop = (enum xop)(xop + 2 * (unsigned)form);
    code_word *word = tr_emit(tr, xop, 1);
    tr_put16(word, 1, slot);
    tr_put32(word, 1, (uint32_t)end);
    tr_push_acc(tr, kind, xop, word - 1);
}

static enum form_store store_form(enum source address, enum source value, bool is_float)
{
    if (address == FROM_SLOT)
        return value == FROM_SLOT ? STORE_SS : value == FROM_ACC ? STORE_SA : STORE_SI;
    if (address == FROM_ACC)
        return value == FROM_SLOT ? STORE_AS : value == FROM_ACC && is_float ? STORE_AX : STORE_AI;
    return value == FROM_SLOT ? STORE_IS : STORE_IA;
}

static void store_any(struct tr *tr, enum xop xop, const struct entry *address,
                      const struct entry *value)
{
    uint32_t to = tr_operand_slot(tr, address);
    uint32_t from = tr_operand_slot(tr, value);
    to = tr_use(tr, to);
    from = tr_use_value(tr, value->kind, from);
    code_word *word = tr_emit(tr, (enum xop)((unsigned)xop + STORE_IA + 1), 2);
    tr_put16(word, 0, to);
    tr_put16(word, 1, from);
    tr_put16(word, 2, tr->insn.mem.memory);
    if (!tr->failed)
        word[1] = tr->insn.mem.offset;
}

void tr_store_memory(struct tr *tr, uint8_t kind, enum xop xop, uint32_t size)
{
    struct entry value_entry = tr_pop(tr);
    struct entry address_entry = tr_pop(tr);
    bool is_float = tr_acc_of(kind) == ACC_FLOAT;
    if (!tr_access_is_common(tr, size)) {
        store_any(tr, xop, &address_entry, &value_entry);
        return;
    }
    uint64_t end = tr->insn.mem.offset + size;
    bool folds = address_folds(tr, size, &address_entry);
    struct operand address = {.source = FROM_IMM, .slot = NOWHERE};
    if (folds)
        end += address_entry.bits;
    else
        address = tr_operand(tr, &address_entry, IMM_NEVER);
    struct operand value = tr_operand(tr, &value_entry, folds ? IMM_NEVER : IMM_ANY);
    if (!is_float)
        tr_part(&address, &value);
    uint32_t to = address.source == FROM_SLOT ? tr_use(tr, address.slot) : 0;
    uint32_t from = value.source == FROM_SLOT ? tr_use_value(tr, kind, value.slot) : 0;
    unsigned imm_words = value.source != FROM_IMM ? 0 : kind == VT_V128 ? 2 : 1;
    xop = (enum xop)((unsigned)xop + store_form(address.source, value.source, is_float));
    code_word *word = tr_emit(tr, xop, 1 + imm_words);
    tr_put16(word, 0, to);
    tr_put16(word, 1, from);
    tr_put32(word, 1, (uint32_t)end);
    if (imm_words && !tr->failed)
        memcpy(word + 1, kind == VT_V128 ? (const void *)value.v128 : &value.bits,
               imm_words * sizeof *word);
}
