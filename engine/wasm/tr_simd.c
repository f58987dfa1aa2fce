/* Translation of vector operators: the rows of op_simd.def. Loads and stores of whole vectors are
 * translated as those of scalars are, in tr_plain.c. */
#include "engine/wasm/tr.h"

/* --- What the table says
 * --------------------------------------------------------------------------
 */

enum shape {
    SHAPE_NONE, /* a row with a case of its own */
    SHAPE_ONE,
    SHAPE_TWO,
    SHAPE_THREE,
    SHAPE_SHIFT,
    SHAPE_TEST,
    SHAPE_SPLAT,
    SHAPE_EXTRACT,
    SHAPE_REPLACE,
    SHAPE_LOAD,
    SHAPE_STORE,
    SHAPE_LOAD_LANE,
    SHAPE_STORE_LANE,
};

struct vector {
    uint8_t shape;
    uint8_t kind; /* of the scalar */
    uint16_t xop; /* the first of its forms */
};

#define KIND_i32 VT_I32
#define KIND_i64 VT_I64
#define KIND_f32 VT_F32
#define KIND_f64 VT_F64

/* From V128_LOAD on: the rows of op_simd.def lie side by side. */
#define FIRST           OP_V128_LOAD
#define ROW(name, ...)  [OP_##name - FIRST] = {__VA_ARGS__}
#define ROW_ONE(name)   ROW(name, SHAPE_ONE, VT_V128, XOP_##name##_S),
#define ROW_TWO(name)   ROW(name, SHAPE_TWO, VT_V128, XOP_##name##_SS),
#define ROW_THREE(name) ROW(name, SHAPE_THREE, VT_V128, XOP_##name##_SSS),

static const struct vector vectors[] = {
#define OP(code, name, text, feature, imm, pops, pushes)
#define V1(code, name, text, feature, from, to, value)    ROW_ONE(name)
#define VHIGH(code, name, text, feature, from, to, value) ROW_ONE(name)
#define VFN1(code, name, text, feature, function)         ROW_ONE(name)
#define V2(code, name, text, feature, lanes, value)       ROW_TWO(name)
#define VCMP(code, name, text, feature, lanes, condition) ROW_TWO(name)
#define VFN2(code, name, text, feature, function)         ROW_TWO(name)
#define V3(code, name, text, feature, lanes, value)       ROW_THREE(name)
#define VFN3(code, name, text, feature, function)         ROW_THREE(name)
#define VSHIFT(code, name, text, feature, lanes, value)                                            \
    ROW(name, SHAPE_SHIFT, VT_I32, XOP_##name##_SS),
#define VTEST(code, name, text, feature, function) ROW(name, SHAPE_TEST, VT_I32, XOP_##name##_S),
#define VSPLAT(code, name, text, feature, lanes, type)                                             \
    ROW(name, SHAPE_SPLAT, KIND_##type, XOP_##name##_S),
#define VEXTRACT(code, name, text, feature, lanes, type)                                           \
    ROW(name, SHAPE_EXTRACT, KIND_##type, XOP_##name##_S),
#define VREPLACE(code, name, text, feature, lanes, type)                                           \
    ROW(name, SHAPE_REPLACE, KIND_##type, XOP_##name##_SS),
#define ROW_LOAD(name)                                      ROW(name, SHAPE_LOAD, VT_V128, XOP_##name##_S),
#define VLOAD(code, name, text, feature)                    ROW_LOAD(name)
#define VLOAD_EXTEND(code, name, text, feature, from, to)   ROW_LOAD(name)
#define VLOAD_SPLAT(code, name, text, feature, lanes, size) ROW_LOAD(name)
#define VLOAD_ZERO(code, name, text, feature, lanes, size)  ROW_LOAD(name)
#define VSTORE(code, name, text, feature)                   ROW(name, SHAPE_STORE, VT_V128, XOP_##name##_SS),
#define VLOAD_LANE(code, name, text, feature, lanes, size)                                         \
    ROW(name, SHAPE_LOAD_LANE, VT_V128, XOP_##name##_SS),
#define VSTORE_LANE(code, name, text, feature, lanes, size)                                        \
    ROW(name, SHAPE_STORE_LANE, VT_V128, XOP_##name##_SS),
#include "engine/wasm/op.def"
};

static const struct vector *vector_of(enum op op)
{
    return op >= FIRST && op - FIRST < countof(vectors) ? &vectors[op - FIRST] : NULL;
}

/* --- Operands
 * -------------------------------------------------------------------------------------
 */

/* The field of an operand of that kind: its slot, unless it is elsewhere. */
static uint32_t field_of(struct tr *tr, uint8_t kind, const struct operand *operand)
{
    return operand->source == FROM_SLOT ? tr_use_value(tr, kind, operand->slot) : 0;
}

/* Emits `xop`, which leaves a value of that kind in an accumulator, with `words` words after the
 * first; the value is pushed. The caller fills the fields. */
static code_word *emit_value(struct tr *tr, enum xop xop, uint8_t kind, unsigned words)
{
    tr_clobber(tr, tr_acc_of(kind));
    code_word *word = tr_emit(tr, xop, 1 + words);
    tr_push_acc(tr, kind, xop, word - 1);
    return word;
}

static void put_bytes(struct tr *tr, code_word *word, const void *sixteen)
{
    if (!tr->failed)
        memcpy(word, sixteen, 16);
}

/* --- Vectors to a vector
 * --------------------------------------------------------------------------
 */

/* An operator on one operand of the kind `from`, whose value is of the kind `to`. */
static code_word *unary(struct tr *tr, const struct vector *vector, uint8_t from, uint8_t to)
{
    struct entry entry = tr_pop(tr);
    struct operand a = tr_operand(tr, &entry, IMM_NEVER);
    unsigned form = a.source == FROM_ACC ? FORM_A : FORM_S;
    uint32_t slot = field_of(tr, from, &a);
    code_word *word = emit_value(tr, (enum xop)(vector->xop + 2 * form), to, 0);
    tr_put16(word, 1, slot);
    tr->last.form = (uint8_t)form;
    tr->last.a = a.slot;
    return word;
}

static void two_vectors(struct tr *tr, const struct vector *vector)
{
    struct entry second = tr_pop(tr);
    struct entry first = tr_pop(tr);
    struct operand a = tr_operand(tr, &first, second.place == IN_CODE ? IMM_NEVER : IMM_ANY);
    struct operand b = tr_operand(tr, &second, IMM_ANY);
    tr_part(&a, &b);
    enum form2 form = tr_form2(a.source, b.source);
    uint32_t slot_a = field_of(tr, VT_V128, &a);
    uint32_t slot_b = field_of(tr, VT_V128, &b);
    bool immediate = form >= FORM_SI;
    enum xop xop = (enum xop)(vector->xop + 2 * (unsigned)form);
    code_word *word = emit_value(tr, xop, VT_V128, immediate ? 2 : 0);
    if (immediate) {
        tr_put16(word, 1, a.source == FROM_IMM ? slot_b : slot_a);
        put_bytes(tr, word + 1, a.source == FROM_IMM ? a.v128 : b.v128);
    } else {
        tr_put16(word, 1, slot_a);
        tr_put16(word, 2, slot_b);
    }
}

/* The third may be an immediate; one of them may be in the accumulator. */
static void three_vectors(struct tr *tr, const struct vector *vector)
{
    struct entry third = tr_pop(tr);
    struct entry second = tr_pop(tr);
    struct entry first = tr_pop(tr);
    struct operand a = tr_operand(tr, &first, IMM_NEVER);
    struct operand b = tr_operand(tr, &second, IMM_NEVER);
    struct operand c = tr_operand(tr, &third, IMM_ANY);
    tr_part(&a, &b);
    tr_part(&a, &c);
    tr_part(&b, &c);
    bool immediate = c.source == FROM_IMM;
    unsigned form = immediate ? 4 : 0;
    form += a.source == FROM_ACC ? 1 : b.source == FROM_ACC ? 2 : c.source == FROM_ACC ? 3 : 0;
    uint32_t slot_a = field_of(tr, VT_V128, &a);
    uint32_t slot_b = field_of(tr, VT_V128, &b);
    uint32_t slot_c = field_of(tr, VT_V128, &c);
    enum xop xop = (enum xop)(vector->xop + 2 * form);
    code_word *word = emit_value(tr, xop, VT_V128, immediate ? 2 : 0);
    tr_put16(word, 1, slot_a);
    tr_put16(word, 2, slot_b);
    tr_put16(word, 3, slot_c);
    if (immediate)
        put_bytes(tr, word + 1, c.v128);
}

/* Does the same value come from both? */
static bool same_value(const struct operand *a, const struct operand *b)
{
    return a->slot == b->slot && a->slot != NOWHERE;
}

/* i8x16.shuffle: lanes of one vector, or of two. Lane numbers become what the handlers pick with:
 * below 16, or 0x80 for a lane of the other vector. */
static void shuffle(struct tr *tr)
{
    struct entry second = tr_pop(tr);
    struct entry first = tr_pop(tr);
    struct operand a = tr_operand(tr, &first, IMM_NEVER);
    struct operand b = tr_operand(tr, &second, IMM_NEVER);
    uint8_t pick[2][16];
    unsigned from_b = 0;
    for (unsigned i = 0; i < 16; i++) {
        uint8_t lane = tr->insn.v128[i];
        from_b += lane >= 16;
        pick[0][i] = lane < 16 ? lane : 0x80;
        pick[1][i] = lane < 16 ? 0x80 : lane - 16;
    }
    if (same_value(&a, &b) || from_b == 0 || from_b == 16) {
        struct operand only = from_b == 16 ? b : a;
        for (unsigned i = 0; i < 16; i++)
            pick[0][i] = tr->insn.v128[i] % 16;
        uint32_t slot = field_of(tr, VT_V128, &only);
        enum xop xop = only.source == FROM_ACC ? XOP_I8X16_SHUFFLE_A : XOP_I8X16_SHUFFLE_S;
        code_word *word = emit_value(tr, xop, VT_V128, 2);
        tr_put16(word, 1, slot);
        put_bytes(tr, word + 1, pick[0]);
        return;
    }
    uint32_t slot_a = field_of(tr, VT_V128, &a);
    uint32_t slot_b = field_of(tr, VT_V128, &b);
    enum xop xop = a.source == FROM_ACC   ? XOP_I8X16_SHUFFLE_AS
                   : b.source == FROM_ACC ? XOP_I8X16_SHUFFLE_SA
                                          : XOP_I8X16_SHUFFLE_SS;
    code_word *word = emit_value(tr, xop, VT_V128, 4);
    tr_put16(word, 1, slot_a);
    tr_put16(word, 2, slot_b);
    put_bytes(tr, word + 1, pick[0]);
    put_bytes(tr, word + 3, pick[1]);
}

/* --- Vectors and scalars
 * --------------------------------------------------------------------------
 */

/* A vector and a scalar, either of which may be in an accumulator: SS, AS, SA, AA in the order of
 * the operands. */
static unsigned mixed_form(const struct operand *a, const struct operand *b)
{
    return (a->source == FROM_ACC ? 1u : 0) + (b->source == FROM_ACC ? 2u : 0);
}

static void shift(struct tr *tr, const struct vector *vector)
{
    struct entry second = tr_pop(tr);
    struct entry first = tr_pop(tr);
    struct operand a = tr_operand(tr, &first, IMM_NEVER);
    struct operand count = tr_operand(tr, &second, IMM_ANY);
    uint32_t slot_a = field_of(tr, VT_V128, &a);
    uint32_t slot_count = field_of(tr, VT_I32, &count);
    bool immediate = count.source == FROM_IMM;
    unsigned form = (immediate ? 4 : 0) + mixed_form(&a, &count);
    enum xop xop = (enum xop)(vector->xop + 2 * form);
    code_word *word = emit_value(tr, xop, VT_V128, immediate ? 1 : 0);
    tr_put16(word, 1, slot_a);
    tr_put16(word, 2, slot_count);
    if (immediate && !tr->failed)
        word[1] = count.bits;
}

/* The forms of a test: its value, the opposite (NOT), and branches where it holds (BR) or not
 * (BRN). */
enum { TEST_NOT = 4, TEST_BR = 8, TEST_BRN = 10 };

static void test(struct tr *tr, const struct vector *vector)
{
    unary(tr, vector, VT_V128, VT_I32);
    tr->last.op = tr->insn.op;
}

bool tr_is_vector_test(enum op op)
{
    const struct vector *vector = vector_of(op);
    return vector && vector->shape == SHAPE_TEST;
}

enum xop tr_vector_test(const struct last *test)
{
    unsigned negated = test->imm ? TEST_NOT : 0;
    return (enum xop)(vector_of(test->op)->xop + negated + 2u * test->form);
}

enum xop tr_vector_test_branch(const struct last *test, bool when)
{
    unsigned branch = when == (test->imm == 0) ? TEST_BR : TEST_BRN;
    return (enum xop)(vector_of(test->op)->xop + branch + test->form);
}

/* The byte at which the lane of the operator at hand begins. */
static uint32_t lane_byte(uint8_t lane, enum op op)
{
    return (uint32_t)lane << op_rows[op].size;
}

static void extract(struct tr *tr, const struct vector *vector)
{
    code_word *word = unary(tr, vector, VT_V128, vector->kind);
    tr_put16(word, 2, lane_byte(tr->insn.lane, tr->insn.op));
}

static void replace(struct tr *tr, const struct vector *vector)
{
    struct entry second = tr_pop(tr);
    struct entry first = tr_pop(tr);
    struct operand a = tr_operand(tr, &first, IMM_NEVER);
    struct operand value = tr_operand(tr, &second, IMM_NEVER);
    uint32_t slot_a = field_of(tr, VT_V128, &a);
    uint32_t slot_value = field_of(tr, vector->kind, &value);
    uint32_t byte = lane_byte(tr->insn.lane, tr->insn.op);
    enum xop xop = (enum xop)(vector->xop + 2 * mixed_form(&a, &value));
    code_word *word = emit_value(tr, xop, VT_V128, 0);
    tr_put16(word, 1, slot_a);
    tr_put16(word, 2, slot_value);
    tr_put16(word, 3, byte);
}

/* --- Lanes in memory
 * ------------------------------------------------------------------------------
 */

/* [d addr s byte][end32], ANY: [d addr s byte][offset64][memory] */
static void lane_access(struct tr *tr, const struct vector *vector, bool is_load)
{
    const struct memarg *mem = &tr->insn.mem;
    uint32_t byte = lane_byte(mem->lane, tr->insn.op);
    struct entry second = tr_pop(tr);
    struct entry first = tr_pop(tr);
    struct operand address = {.source = FROM_SLOT};
    struct operand a = {.source = FROM_SLOT};
    bool common = tr_access_is_common(tr, 1u << op_rows[tr->insn.op].size);
    if (common) {
        address = tr_operand(tr, &first, IMM_NEVER);
        a = tr_operand(tr, &second, IMM_NEVER);
    } else {
        address.slot = tr_operand_slot(tr, &first);
        a.slot = tr_operand_slot(tr, &second);
    }
    uint32_t slot_address = field_of(tr, VT_I64, &address);
    uint32_t slot_a = field_of(tr, VT_V128, &a);
    unsigned form = mixed_form(&address, &a);
    uint32_t to = 0;
    if (is_load && !common)
        to = tr_dest(tr);
    if (is_load)
        tr_clobber(tr, ACC_FLOAT);
    unsigned any = is_load ? 8 : 4; /* behind the four forms */
    unsigned step = is_load ? 2 : 1;
    enum xop xop = (enum xop)(vector->xop + (common ? step * form : any));
    code_word *word = tr_emit(tr, xop, common ? 2 : 3);
    tr_put16(word, 0, to);
    tr_put16(word, 1, slot_address);
    tr_put16(word, 2, slot_a);
    tr_put16(word, 3, byte);
    if (common) {
        tr_put32(word, 2, (uint32_t)mem->offset + (1u << op_rows[tr->insn.op].size));
    } else if (!tr->failed) {
        word[1] = mem->offset;
        word[2] = mem->memory;
    }
    if (is_load && common)
        tr_push_acc(tr, VT_V128, xop, word - 1);
    else if (is_load)
        tr_push_dest(tr, VT_V128);
}

void tr_simd(struct tr *tr)
{
    enum op op = tr->insn.op;
    const struct vector *vector = vector_of(op);
    switch (vector ? vector->shape : SHAPE_NONE) {
    case SHAPE_ONE: unary(tr, vector, VT_V128, VT_V128); break;
    case SHAPE_TWO: two_vectors(tr, vector); break;
    case SHAPE_THREE: three_vectors(tr, vector); break;
    case SHAPE_SHIFT: shift(tr, vector); break;
    case SHAPE_TEST: test(tr, vector); break;
    case SHAPE_SPLAT: unary(tr, vector, vector->kind, VT_V128); break;
    case SHAPE_EXTRACT: extract(tr, vector); break;
    case SHAPE_REPLACE: replace(tr, vector); break;
    case SHAPE_LOAD: tr_load(tr, VT_V128, (enum xop)vector->xop, 1u << op_rows[op].size); break;
    case SHAPE_STORE: tr_store_memory(tr, VT_V128, (enum xop)vector->xop, 16); break;
    case SHAPE_LOAD_LANE: lane_access(tr, vector, true); break;
    case SHAPE_STORE_LANE: lane_access(tr, vector, false); break;
    default:
        if (op == OP_V128_CONST)
            tr_push_v128(tr, tr->reader.at - 16);
        else if (op == OP_I8X16_SHUFFLE)
            shuffle(tr);
        else if (op_rows[op].feature == FEATURE_THREADS)
            tr_atomic(tr);
        else
            tr_gc(tr);
        break;
    }
}
