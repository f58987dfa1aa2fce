/* Translation of structures, arrays, i31 and casts. Branches on casts are in tr_control.c.
 *
 * Objects and values are taken from slots. What allocates takes its operands side by side and is a
 * safepoint: the collector may come, and the instruction be run again. */
#include "engine/wasm/ref_test.h"
#include "engine/wasm/tr.h"

static const struct deftype *type_of(const struct tr *tr, uint32_t id)
{
    return types_get(tr->module->types, id);
}

/* --- Fields and elements -------------------------------------------------------------------------
 */

/* The operator, of a family in the order of field.def, that reads a field. */
static enum xop get_of(const struct fieldtype *field, bool is_signed, enum xop first)
{
    unsigned place = 0;
    switch (vt_kind(field->type)) {
    case VT_I32: place = field->packed == 8 ? 0 : field->packed == 16 ? 2 : 4; break;
    case VT_F32: place = 6; break;
    case VT_F64: place = 7; break;
    case VT_V128: place = 8; break;
    default: place = 5; break;
    }
    if (field->packed && !is_signed)
        place++;
    return (enum xop)(first + 2 * place);
}
_Static_assert(XOP_STRUCT_GET_V128 - XOP_STRUCT_GET_I8_S == 16, "the order of field.def");
_Static_assert(XOP_ARRAY_GET_V128 - XOP_ARRAY_GET_I8_S == 16, "the order of field.def");

static enum xop set_of(const struct fieldtype *field, enum xop first)
{
    if (vt_is_ref(field->type))
        return (enum xop)(first + 5);
    return (enum xop)(first + (unsigned)__builtin_ctz(field_size(field)));
}
_Static_assert(XOP_STRUCT_SET_REF - XOP_STRUCT_SET_8 == 5, "the order of field.def");
_Static_assert(XOP_ARRAY_SET_REF - XOP_ARRAY_SET_8 == 5, "the order of field.def");

/* Emits an operator with a result: operands in slots, and what it has in the second half of its
 * word (`low`, `high`, 16 bits each). */
static code_word *emit_get(struct tr *tr, enum xop xop, uint8_t kind, uint32_t slot, uint32_t low,
                           uint32_t high, unsigned words)
{
    tr_clobber(tr, tr_acc_of(kind));
    code_word *word = tr_emit(tr, xop, words);
    tr_put16(word, 1, slot);
    tr_put16(word, 2, low);
    tr_put16(word, 3, high);
    return word;
}

/* The slot of the topmost entry, which is taken. */
static uint32_t pop_slot(struct tr *tr)
{
    struct entry entry = tr_pop(tr);
    return tr_use_value(tr, entry.kind, tr_operand_slot(tr, &entry));
}

static void struct_get(struct tr *tr, bool is_signed)
{
    const struct fieldtype *field =
        &type_of(tr, tr->insn.pair.x)->structure.fields[tr->insn.pair.y];
    uint8_t kind = vt_kind(field->type);
    enum xop xop = get_of(field, is_signed, XOP_STRUCT_GET_I8_S);
    uint32_t object = pop_slot(tr);
    code_word *word =
        emit_get(tr, xop, kind, object, field->offset & 0xffff, field->offset >> 16, 1);
    tr_push_acc(tr, kind, xop, word - 1);
}

static void struct_set(struct tr *tr)
{
    const struct fieldtype *field =
        &type_of(tr, tr->insn.pair.x)->structure.fields[tr->insn.pair.y];
    uint32_t value = pop_slot(tr);
    uint32_t object = pop_slot(tr);
    code_word *word = tr_emit(tr, set_of(field, XOP_STRUCT_SET_8), 1);
    tr_put16(word, 0, object);
    tr_put16(word, 1, value);
    tr_put32(word, 1, field->offset);
}

static void array_get(struct tr *tr, bool is_signed)
{
    const struct fieldtype *element = &type_of(tr, tr->insn.x)->element;
    uint8_t kind = vt_kind(element->type);
    enum xop xop = get_of(element, is_signed, XOP_ARRAY_GET_I8_S);
    uint32_t index = pop_slot(tr);
    uint32_t array = pop_slot(tr);
    code_word *word = emit_get(tr, xop, kind, array, index, 0, 1);
    tr_push_acc(tr, kind, xop, word - 1);
}

static void array_set(struct tr *tr)
{
    const struct fieldtype *element = &type_of(tr, tr->insn.x)->element;
    uint32_t value = pop_slot(tr);
    uint32_t index = pop_slot(tr);
    uint32_t array = pop_slot(tr);
    code_word *word = tr_emit(tr, set_of(element, XOP_ARRAY_SET_8), 1);
    tr_put16(word, 0, array);
    tr_put16(word, 1, index);
    tr_put16(word, 2, value);
}

/* One operand, one result in an accumulator: array.len, i31. */
static void one_operand(struct tr *tr, enum xop xop, uint8_t kind)
{
    uint32_t slot = pop_slot(tr);
    code_word *word = emit_get(tr, xop, kind, slot, 0, 0, 1);
    tr_push_acc(tr, kind, xop, word - 1);
}

/* --- Operands side by side -----------------------------------------------------------------------
 */

/* Emits an operator on the topmost `operands` entries: [base32 x32], and `words` more. It stays
 * on the stack until drop_run. */
static code_word *emit_run(struct tr *tr, enum xop xop, uint32_t operands, uint32_t x,
                           unsigned words)
{
    tr_settle(tr, operands);
    uint32_t base = operands ? tr_top(tr, operands - 1)->slot : tr_next_slot(tr);
    code_word *word = tr_emit(tr, xop, 1 + words);
    tr_put32(word, 0, base);
    tr_put32(word, 1, x);
    return word;
}

/* What allocates; `y` is a word of its own if there is one. */
static void allocate(struct tr *tr, enum xop xop, uint32_t operands, uint32_t x, const uint32_t *y)
{
    tr_clobber(tr, ACC_INT);
    code_word *word = emit_run(tr, xop, operands, x, y ? 1 : 0);
    if (y && !tr->failed)
        word[1] = *y;
    tr_safepoint(tr, word - 1);
    tr_drop_to(tr, tr->nentries - operands);
    tr_push_both(tr, VT_REF);
}

static void whole_array(struct tr *tr, enum xop xop, uint32_t operands, uint32_t x)
{
    emit_run(tr, xop, operands, x, 0);
    tr_drop_to(tr, tr->nentries - operands);
}

/* --- Casts ---------------------------------------------------------------------------------------
 */

static void ref_test(struct tr *tr, bool null_passes)
{
    struct ref_test test = ref_test_of(tr->module->types, tr->insn.heap);
    uint32_t slot = pop_slot(tr);
    code_word *word = emit_get(tr, XOP_REF_TEST, VT_I32, slot, test.kind, null_passes, 2);
    tr_put32(word, 2, test.id);
    tr_push_acc(tr, VT_I32, XOP_REF_TEST, word - 1);
}

/* The value stays where it is. */
static void ref_cast(struct tr *tr, bool null_passes)
{
    struct ref_test test = ref_test_of(tr->module->types, tr->insn.heap);
    struct entry *top = tr_top(tr, 0);
    if (top->place != IN_LOCAL)
        tr_settle(tr, 1);
    uint32_t slot = tr_use(tr, top->place == IN_LOCAL ? top->local : top->slot);
    code_word *word = tr_emit(tr, XOP_REF_CAST, 2);
    tr_put16(word, 0, slot);
    tr_put16(word, 2, test.kind);
    tr_put16(word, 3, null_passes);
    tr_put32(word, 2, test.id);
}

void tr_gc(struct tr *tr)
{
    const struct insn *in = &tr->insn;
    switch (in->op) {
    case OP_STRUCT_NEW:
        allocate(tr, XOP_STRUCT_NEW, type_of(tr, in->x)->structure.nfields, in->x, NULL);
        break;
    case OP_STRUCT_NEW_DEFAULT: allocate(tr, XOP_STRUCT_NEW_DEFAULT, 0, in->x, NULL); break;
    case OP_STRUCT_GET: struct_get(tr, false); break;
    case OP_STRUCT_GET_S: struct_get(tr, true); break;
    case OP_STRUCT_GET_U: struct_get(tr, false); break;
    case OP_STRUCT_SET: struct_set(tr); break;
    case OP_ARRAY_NEW: allocate(tr, XOP_ARRAY_NEW, 2, in->x, NULL); break;
    case OP_ARRAY_NEW_DEFAULT: allocate(tr, XOP_ARRAY_NEW_DEFAULT, 1, in->x, NULL); break;
    case OP_ARRAY_NEW_FIXED:
        allocate(tr, XOP_ARRAY_NEW_FIXED, in->pair.y, in->pair.x, &in->pair.y);
        break;
    case OP_ARRAY_NEW_DATA: allocate(tr, XOP_ARRAY_NEW_DATA, 2, in->pair.x, &in->pair.y); break;
    case OP_ARRAY_NEW_ELEM: allocate(tr, XOP_ARRAY_NEW_ELEM, 2, in->pair.x, &in->pair.y); break;
    case OP_ARRAY_GET: array_get(tr, false); break;
    case OP_ARRAY_GET_S: array_get(tr, true); break;
    case OP_ARRAY_GET_U: array_get(tr, false); break;
    case OP_ARRAY_SET: array_set(tr); break;
    case OP_ARRAY_LEN: one_operand(tr, XOP_ARRAY_LEN, VT_I32); break;
    case OP_ARRAY_FILL:
        whole_array(tr, XOP_ARRAY_FILL, 4, vt_slots(type_of(tr, in->x)->element.type));
        break;
    case OP_ARRAY_COPY: whole_array(tr, XOP_ARRAY_COPY, 5, 0); break;
    case OP_ARRAY_INIT_DATA: whole_array(tr, XOP_ARRAY_INIT_DATA, 4, in->pair.y); break;
    case OP_ARRAY_INIT_ELEM: whole_array(tr, XOP_ARRAY_INIT_ELEM, 4, in->pair.y); break;
    case OP_REF_TEST: ref_test(tr, false); break;
    case OP_REF_TEST_NULL: ref_test(tr, true); break;
    case OP_REF_CAST: ref_cast(tr, false); break;
    case OP_REF_CAST_NULL: ref_cast(tr, true); break;
    case OP_ANY_CONVERT_EXTERN:
    case OP_EXTERN_CONVERT_ANY: break; /* a reference is the same in both hierarchies */
    case OP_REF_I31: one_operand(tr, XOP_REF_I31, VT_REF); break;
    case OP_I31_GET_S: one_operand(tr, XOP_I31_GET_S, VT_I32); break;
    case OP_I31_GET_U: one_operand(tr, XOP_I31_GET_U, VT_I32); break;
    default: tr_unsupported(tr); break;
    }
}
