/* Translation of operators without control: arithmetic, memory, variables, references, tables. */
#include "engine/wasm/tr.h"

/* --- What the tables say
 * --------------------------------------------------------------------------- */

enum family { FAMILY_NONE, FAMILY_UN, FAMILY_BIN, FAMILY_CMP, FAMILY_LOAD, FAMILY_STORE };

struct plain {
    uint8_t family;
    uint8_t from; /* kind of the operands, of a store: of the value */
    uint8_t to;   /* of the result */
    uint8_t size; /* of a memory access, in bytes */
    bool commutes;
    uint16_t xop;     /* the first of its forms */
    uint16_t swapped; /* of a comparison: the operator with its operands swapped */
    uint16_t negated; /* and the opposite; OP_ILLEGAL if there is none */
};

#define KIND_i32 VT_I32
#define KIND_i64 VT_I64
#define KIND_f32 VT_F32
#define KIND_f64 VT_F64
#define OP_NONE  OP_ILLEGAL
#define COMMUTES true
#define ORDERED  false

static const struct plain plains[OP_COUNT] = {
#define UN(code, name, text, feature, a, b, value)                                                 \
    [OP_##name] = {.family = FAMILY_UN, .from = KIND_##a, .to = KIND_##b, .xop = XOP_##name##_S},
#define TRUNC(code, name, text, feature, a, b, above, below, value)                                \
    UN(code, name, text, feature, a, b, value)
#define BIN(code, name, text, feature, type, value, order)                                         \
    [OP_##name] = {.family = FAMILY_BIN,                                                           \
                   .from = KIND_##type,                                                            \
                   .to = KIND_##type,                                                              \
                   .commutes = order,                                                              \
                   .xop = XOP_##name##_SS},
#define DIV(code, name, text, feature, type, overflows, value)                                     \
    BIN(code, name, text, feature, type, value, ORDERED)
#define CMP(code, name, text, feature, type, value, swap, negation)                                \
    [OP_##name] = {.family = FAMILY_CMP,                                                           \
                   .from = KIND_##type,                                                            \
                   .to = VT_I32,                                                                   \
                   .xop = XOP_##name##_SS,                                                         \
                   .swapped = OP_##swap,                                                           \
                   .negated = OP_##negation},
#define LOAD(code, name, text, feature, type, memory_type, align)                                  \
    [OP_##name] = {.family = FAMILY_LOAD,                                                          \
                   .to = KIND_##type,                                                              \
                   .size = sizeof(memory_type),                                                    \
                   .xop = XOP_##name##_S},
#define STORE(code, name, text, feature, type, memory_type, align)                                 \
    [OP_##name] = {.family = FAMILY_STORE,                                                         \
                   .from = KIND_##type,                                                            \
                   .size = sizeof(memory_type),                                                    \
                   .xop = XOP_##name##_SS},
#include "engine/wasm/op_mem.def"
#include "engine/wasm/op_num.def"
#undef UN
#undef TRUNC
#undef BIN
#undef DIV
#undef CMP
#undef LOAD
#undef STORE
};

/* --- Arithmetic
 * ------------------------------------------------------------------------------------- */

/* The form of a pair of operands, which are not both immediate and not both the accumulator. */
enum form2 tr_form2(enum source a, enum source b)
{
    if (a == FROM_SLOT)
        return b == FROM_SLOT ? FORM_SS : b == FROM_ACC ? FORM_SA : FORM_SI;
    if (a == FROM_ACC)
        return b == FROM_SLOT ? FORM_AS : FORM_AI;
    return b == FROM_SLOT ? FORM_IS : FORM_IA;
}

/* The same value twice from the accumulator: one of them has a slot, too. */
void tr_part(struct operand *a, struct operand *b)
{
    if (a->source != FROM_ACC || b->source != FROM_ACC)
        return;
    struct operand *other = b->slot != NOWHERE ? b : a;
    other->source = FROM_SLOT;
}

static void two_operands(struct tr *tr, enum op op)
{
    const struct plain *plain = &plains[op];
    struct entry second = tr_pop(tr);
    struct entry first = tr_pop(tr);
    if (first.place == IN_CODE && second.place != IN_CODE &&
        (plain->commutes || plain->family == FAMILY_CMP)) {
        struct entry swap = first;
        first = second;
        second = swap;
        if (plain->family == FAMILY_CMP) {
            op = (enum op)plain->swapped;
            plain = &plains[op];
        }
    }
    enum imm_range first_imm = second.place == IN_CODE ? IMM_NEVER : IMM_ANY;
    struct operand a = tr_operand(tr, &first, first_imm);
    struct operand b = tr_operand(tr, &second, IMM_ANY);
    tr_part(&a, &b);
    enum form2 form = tr_form2(a.source, b.source);
    struct last last = {.op = op, .form = (uint8_t)form, .a = a.slot, .b = b.slot};
    uint32_t slot_a = a.source == FROM_SLOT ? tr_use(tr, a.slot) : 0;
    uint32_t slot_b = b.source == FROM_SLOT ? tr_use(tr, b.slot) : 0;
    tr_clobber(tr, tr_acc_of(plain->to));
    bool immediate = a.source == FROM_IMM || b.source == FROM_IMM;
    enum xop xop = (enum xop)(plain->xop + 2 * (unsigned)form);
    bool wide = immediate && (plain->from == VT_F64 || plain->from == VT_I64);
    code_word *word = tr_emit(tr, xop, wide ? 2 : 1);
    if (immediate) {
        last.imm = a.source == FROM_IMM ? a.bits : b.bits;
        tr_put16(word, 1, a.source == FROM_IMM ? slot_b : slot_a);
        if (!wide)
            tr_put32(word, 1, (uint32_t)last.imm);
        else if (!tr->failed)
            word[1] = last.imm;
    } else {
        tr_put16(word, 1, slot_a);
        tr_put16(word, 2, slot_b);
    }
    last.at = word - 1;
    tr->last = last;
    tr_push_acc(tr, plain->to, xop, word - 1);
}

/* Turns a comparison that was just emitted into its opposite: what eqz does to it. */
static bool negate_last(struct tr *tr)
{
    struct entry *top = tr_top(tr, 0);
    if (top->place != IN_ACC || tr->last.at != top->producer)
        return false;
    if (tr_is_vector_test(tr->last.op)) {
        tr->last.imm = !tr->last.imm;
        top->xop = (uint16_t)tr_vector_test(&tr->last);
        tr_become(tr, top->producer, (enum xop)top->xop);
        return true;
    }
    const struct plain *plain = &plains[tr->last.op];
    if (plain->family != FAMILY_CMP || plain->negated == OP_ILLEGAL)
        return false;
    tr->last.op = (enum op)plain->negated;
    top->xop = (uint16_t)(plains[plain->negated].xop + 2u * tr->last.form);
    tr_become(tr, top->producer, (enum xop)top->xop);
    return true;
}

static void one_operand(struct tr *tr, enum op op)
{
    const struct plain *plain = &plains[op];
    if (op == OP_I32_EQZ && negate_last(tr))
        return;
    if (op == OP_I64_EXTEND_I32_U) { /* an i32 is kept zero-extended: nothing to do */
        tr_top(tr, 0)->kind = VT_I64;
        return;
    }
    struct entry entry = tr_pop(tr);
    struct operand a = tr_operand(tr, &entry, IMM_NEVER);
    unsigned form = a.source == FROM_ACC ? FORM_A : FORM_S;
    uint32_t slot = form == FORM_S ? tr_use(tr, a.slot) : 0;
    tr_clobber(tr, tr_acc_of(plain->to));
    enum xop xop = (enum xop)(plain->xop + 2 * form);
    code_word *word = tr_emit(tr, xop, 1);
    tr_put16(word, 1, slot);
    tr->last = (struct last){.at = word - 1, .op = op, .form = (uint8_t)form, .a = a.slot};
    tr_push_acc(tr, plain->to, xop, word - 1);
}

/* --- Variables
 * -------------------------------------------------------------------------------------- */

static void local_set(struct tr *tr, bool keep)
{
    uint32_t slot = tr->local_slots[tr->insn.x];
    uint8_t kind = tr->local_kinds[tr->insn.x];
    struct entry entry = tr_pop(tr);
    tr_preserve(tr, slot);
    tr_store(tr, &entry, slot);
    if (!keep)
        return;
    /* Of two locals with the value, the one that had it before: it can be read sooner. */
    if (entry.place == IN_LOCAL && entry.local != slot && tr->acc_slot[tr_acc_of(kind)] != slot)
        tr_push_local(tr, kind, entry.local, slot);
    else
        tr_push_local(tr, kind, slot, NOWHERE);
}

static void global_get(struct tr *tr)
{
    uint8_t kind = vt_kind(tr->module->globals[tr->insn.x].type.type);
    enum acc acc = tr_acc_of(kind);
    tr_clobber(tr, acc);
    enum xop xop = kind == VT_V128    ? XOP_GLOBAL_GETV
                   : acc == ACC_FLOAT ? XOP_GLOBAL_GETX
                                      : XOP_GLOBAL_GET;
    code_word *word = tr_emit(tr, xop, 1);
    tr_put32(word, 1, tr->insn.x);
    tr_push_acc(tr, kind, xop, word - 1);
}

static void global_set(struct tr *tr)
{
    struct entry entry = tr_pop(tr);
    if (entry.kind == VT_REF) { /* the collector has to know */
        uint32_t from = tr_use(tr, tr_operand_slot(tr, &entry));
        code_word *set = tr_emit(tr, XOP_GLOBAL_SET_REF, 1);
        tr_put16(set, 1, from);
        tr_put32(set, 1, tr->insn.x);
        return;
    }
    struct operand value = tr_operand(tr, &entry, IMM_NEVER);
    bool in_acc = value.source == FROM_ACC;
    uint32_t slot = in_acc ? 0 : tr_use_value(tr, entry.kind, value.slot);
    enum xop xop = entry.kind == VT_V128 ? (in_acc ? XOP_GLOBAL_SETV_A : XOP_GLOBAL_SETV_S)
                   : !in_acc             ? XOP_GLOBAL_SET_S
                   : tr_acc_of(entry.kind) == ACC_FLOAT ? XOP_GLOBAL_SETX_A
                                                        : XOP_GLOBAL_SET_A;
    code_word *word = tr_emit(tr, xop, 1);
    tr_put16(word, 1, slot);
    tr_put32(word, 1, tr->insn.x);
}

static void ref_func(struct tr *tr)
{
    tr_clobber(tr, ACC_INT);
    code_word *word = tr_emit(tr, XOP_REF_FUNC, 1);
    tr_put32(word, 1, tr->insn.x);
    tr_push_acc(tr, VT_REF, XOP_REF_FUNC, word - 1);
}

static void ref_is_null(struct tr *tr)
{
    struct entry entry = tr_pop(tr);
    struct operand a = tr_operand(tr, &entry, IMM_NEVER);
    uint32_t slot = a.source == FROM_SLOT ? tr_use(tr, a.slot) : 0;
    tr_clobber(tr, ACC_INT);
    enum xop xop = a.source == FROM_ACC ? XOP_REF_IS_NULL_A : XOP_REF_IS_NULL_S;
    code_word *word = tr_emit(tr, xop, 1);
    tr_put16(word, 1, slot);
    tr_push_acc(tr, VT_I32, xop, word - 1);
}

static void ref_as_non_null(struct tr *tr)
{
    struct entry *top = tr_top(tr, 0);
    if (top->place != IN_LOCAL)
        tr_settle(tr, 1);
    uint32_t slot = tr_use(tr, top->place == IN_LOCAL ? top->local : top->slot);
    code_word *word = tr_emit(tr, XOP_REF_AS_NON_NULL, 1);
    tr_put16(word, 0, slot);
}

/* Floats and vectors differ from integers in the accumulator that they go to. */
static void select_value(struct tr *tr)
{
    struct entry condition = tr_pop(tr);
    struct entry second = tr_pop(tr);
    struct entry first = tr_pop(tr);
    uint8_t kind = first.kind;
    bool is_int = tr_acc_of(kind) == ACC_INT;
    struct operand c = tr_operand(tr, &condition, IMM_NEVER);
    struct operand a = {0};
    struct operand b = {0};
    if (is_int && first.place == IN_CODE)
        a = tr_operand(tr, &first, IMM_U32);
    else
        a.slot = tr_operand_slot(tr, &first);
    if (is_int && second.place == IN_CODE)
        b = tr_operand(tr, &second, IMM_U32);
    else
        b.slot = tr_operand_slot(tr, &second);
    bool imm_a = a.source == FROM_IMM;
    bool imm_b = b.source == FROM_IMM;
    uint32_t slot_c = 0;
    bool in_acc = c.source == FROM_ACC;
    if (!in_acc)
        slot_c = tr_use(tr, c.slot);
    uint32_t slot_a = imm_a ? 0 : tr_use_value(tr, kind, a.slot);
    uint32_t slot_b = imm_b ? 0 : tr_use_value(tr, kind, b.slot);
    tr_clobber(tr, tr_acc_of(kind));
    enum xop xop;
    if (kind == VT_V128)
        xop = in_acc ? XOP_SELECTV_A : XOP_SELECTV_S;
    else if (!is_int)
        xop = in_acc ? XOP_SELECTX_A : XOP_SELECTX_S;
    else
        xop = (enum xop)(XOP_SELECT_S_SS + (imm_a ? 8 : 0) + (imm_b ? 4 : 0) + (in_acc ? 2 : 0));
    code_word *word = tr_emit(tr, xop, imm_a || imm_b ? 2 : 1);
    tr_put16(word, 1, slot_c);
    tr_put16(word, 2, slot_a);
    tr_put16(word, 3, slot_b);
    if (imm_a || imm_b) {
        tr_put32(word, 2, (uint32_t)a.bits);
        tr_put32(word, 3, (uint32_t)b.bits);
    }
    tr_push_acc(tr, kind, xop, word - 1);
}

/* --- Tables, memories, wide arithmetic: operands side by side
 * ---------------------------------------- */

/* Emits `xop` with the slot of the first of `operands` entries (or of the result, if there are
 * none) and further fields: x in field 1, or in a second word with y. */
static void run_of_slots(struct tr *tr, enum xop xop, uint32_t operands, bool pair, uint32_t x,
                         uint32_t y)
{
    tr_settle(tr, operands);
    uint32_t base = operands ? tr_top(tr, operands - 1)->slot : tr_next_slot(tr);
    code_word *word = tr_emit(tr, xop, pair ? 2 : 1);
    tr_put32(word, 0, base);
    tr_put32(word, pair ? 2 : 1, x);
    if (pair)
        tr_put32(word, 3, y);
    for (uint32_t i = 0; i < operands; i++)
        tr_pop(tr);
}

/* The same, leaving one result in the first slot and the accumulator. */
static void run_with_result(struct tr *tr, enum xop xop, uint32_t operands, uint32_t x,
                            uint8_t kind)
{
    tr_clobber(tr, ACC_INT);
    run_of_slots(tr, xop, operands, false, x, 0);
    tr_push_both(tr, kind);
}

static void drop_segment(struct tr *tr, enum xop xop)
{
    code_word *word = tr_emit(tr, xop, 1);
    tr_put32(word, 0, tr->insn.x);
}

static void wide_arithmetic(struct tr *tr, enum xop xop, uint32_t operands)
{
    run_of_slots(tr, xop, operands, false, 0, 0);
    tr_push_slot(tr, VT_I64);
    tr_push_slot(tr, VT_I64);
}

static uint8_t address_kind(bool is64)
{
    return is64 ? VT_I64 : VT_I32;
}

static uint8_t table_kind(const struct tr *tr)
{
    return address_kind(tr->module->tables[tr->insn.x].type.limits.is64);
}

static uint8_t memory_kind(const struct tr *tr)
{
    return address_kind(tr->module->memories[tr->insn.x].limits.is64);
}

static void special(struct tr *tr)
{
    const struct insn *in = &tr->insn;
    switch (in->op) {
    case OP_NOP: break;
    case OP_DROP: tr_pop(tr); break;
    case OP_SELECT:
    case OP_SELECT_T: select_value(tr); break;
    case OP_LOCAL_SET: local_set(tr, false); break;
    case OP_LOCAL_TEE: local_set(tr, true); break;
    case OP_GLOBAL_GET: global_get(tr); break;
    case OP_GLOBAL_SET: global_set(tr); break;
    case OP_I64_CONST: tr_push_bits(tr, VT_I64, (uint64_t)in->i64); break;
    case OP_F32_CONST: tr_push_bits(tr, VT_F32, in->f32); break;
    case OP_F64_CONST: tr_push_bits(tr, VT_F64, in->f64); break;
    case OP_REF_NULL: tr_push_bits(tr, VT_REF, 0); break;
    case OP_REF_FUNC: ref_func(tr); break;
    case OP_REF_EQ: two_operands(tr, OP_I64_EQ); break;
    case OP_REF_IS_NULL: ref_is_null(tr); break;
    case OP_REF_AS_NON_NULL: ref_as_non_null(tr); break;
    case OP_TABLE_GET: run_with_result(tr, XOP_TABLE_GET, 1, in->x, VT_REF); break;
    case OP_TABLE_SET: run_of_slots(tr, XOP_TABLE_SET, 2, false, in->x, 0); break;
    case OP_TABLE_SIZE: run_with_result(tr, XOP_TABLE_SIZE, 0, in->x, table_kind(tr)); break;
    case OP_TABLE_GROW: run_with_result(tr, XOP_TABLE_GROW, 2, in->x, table_kind(tr)); break;
    case OP_TABLE_FILL: run_of_slots(tr, XOP_TABLE_FILL, 3, false, in->x, 0); break;
    case OP_TABLE_COPY: run_of_slots(tr, XOP_TABLE_COPY, 3, true, in->pair.x, in->pair.y); break;
    case OP_TABLE_INIT: run_of_slots(tr, XOP_TABLE_INIT, 3, true, in->pair.x, in->pair.y); break;
    case OP_ELEM_DROP: drop_segment(tr, XOP_ELEM_DROP); break;
    case OP_MEMORY_SIZE: run_with_result(tr, XOP_MEMORY_SIZE, 0, in->x, memory_kind(tr)); break;
    case OP_MEMORY_GROW: run_with_result(tr, XOP_MEMORY_GROW, 1, in->x, memory_kind(tr)); break;
    case OP_MEMORY_FILL: run_of_slots(tr, XOP_MEMORY_FILL, 3, false, in->x, 0); break;
    case OP_MEMORY_COPY: run_of_slots(tr, XOP_MEMORY_COPY, 3, true, in->pair.x, in->pair.y); break;
    case OP_MEMORY_INIT: run_of_slots(tr, XOP_MEMORY_INIT, 3, true, in->pair.x, in->pair.y); break;
    case OP_DATA_DROP: drop_segment(tr, XOP_DATA_DROP); break;
    case OP_I64_ADD128: wide_arithmetic(tr, XOP_I64_ADD128, 4); break;
    case OP_I64_SUB128: wide_arithmetic(tr, XOP_I64_SUB128, 4); break;
    case OP_I64_MUL_WIDE_S: wide_arithmetic(tr, XOP_I64_MUL_WIDE_S, 2); break;
    case OP_I64_MUL_WIDE_U: wide_arithmetic(tr, XOP_I64_MUL_WIDE_U, 2); break;
    default: tr_simd(tr); break;
    }
}

void tr_plain(struct tr *tr)
{
    enum op op = tr->insn.op;
    const struct plain *plain = &plains[op];
    switch (plain->family) {
    case FAMILY_UN: one_operand(tr, op); break;
    case FAMILY_BIN:
    case FAMILY_CMP: two_operands(tr, op); break;
    case FAMILY_LOAD: tr_load(tr, plain->to, (enum xop)plain->xop, plain->size); break;
    case FAMILY_STORE: tr_store_memory(tr, plain->from, (enum xop)plain->xop, plain->size); break;
    default: special(tr); break;
    }
}

enum xop tr_compare_branch(enum op op, enum form2 form, bool when)
{
    static const uint16_t branches[OP_COUNT] = {
#define UN(code, name, text, feature, from, to, value)
#define TRUNC(code, name, text, feature, from, to, above, below, value)
#define BIN(code, name, text, feature, type, value, order)
#define DIV(code, name, text, feature, type, overflows, value)
#define CMP(code, name, text, feature, type, value, swap, negation)                                \
    [OP_##name] = XOP_BR_##name##_SS,
#include "engine/wasm/op_num.def"
    };
    return (enum xop)(branches[op] + form + (when ? 0 : FORM2_COUNT));
}

bool tr_is_comparison(enum op op)
{
    return plains[op].family == FAMILY_CMP;
}
