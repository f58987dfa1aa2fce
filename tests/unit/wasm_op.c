/* The opcode table: every row is found by its code, and validates. */
#include "tests/unit/wasm_fixture.h"

static enum op find(uint32_t code)
{
    return code >> 16 ? op_prefixed((uint8_t)(code >> 16), code & 0xffff) : op_starts[code].op;
}

static void test_every_row(void **state)
{
    (void)state;
    for (enum op op = OP_ILLEGAL + 1; op < OP_COUNT; op++) {
        const struct op_row *row = &op_rows[op];
        assert_int_equal(find(row->code), op);
        assert_true(strlen(op_text(op)) > 0);
        assert_int_equal(strlen(row->pops), row->npops);
        assert_int_equal(strlen(row->pushes), row->npushes);
        assert_true(row->imm != IMM_ILLEGAL && row->imm != IMM_PREFIX);
        assert_int_equal(row->pops[0] == '*', row->pushes[0] == '*');
        if (row->code < 256)
            assert_int_equal(op_starts[row->code].imm, row->imm);
    }
}

static void test_strangers(void **state)
{
    (void)state;
    const uint8_t illegal[] = {0x16, 0x17, 0x1d, 0x1e, 0x27, 0xc5, 0xcf, 0xd7, 0xff};
    const uint8_t prefixes[] = {0xfb, 0xfc, 0xfd, 0xfe};
    for (size_t i = 0; i < countof(illegal); i++)
        assert_int_equal(op_starts[illegal[i]].imm, IMM_ILLEGAL);
    for (size_t i = 0; i < countof(prefixes); i++) {
        assert_int_equal(op_starts[prefixes[i]].imm, IMM_PREFIX);
        assert_int_equal(op_prefixed(prefixes[i], UINT32_MAX), OP_ILLEGAL);
        assert_int_equal(op_prefixed(prefixes[i], 0x10000), OP_ILLEGAL);
    }
    assert_int_equal(op_prefixed(0xfb, 0x1f), OP_ILLEGAL);
    assert_int_equal(op_prefixed(0xfc, 0x12), OP_ILLEGAL);
    assert_int_equal(op_prefixed(0xfd, 0x9a), OP_ILLEGAL);
    assert_int_equal(op_prefixed(0xfd, 0x114), OP_ILLEGAL);
    assert_int_equal(op_prefixed(0xfe, 0x4f), OP_ILLEGAL);
    assert_int_equal(op_prefixed(0x20, 0), OP_ILLEGAL);
    assert_string_equal(op_text(OP_ILLEGAL), "illegal");
    assert_string_equal(op_text(OP_COUNT), "illegal");
    assert_string_equal(op_text(OP_I64_ATOMIC_RMW32_CMPXCHG_U), "i64.atomic.rmw32.cmpxchg_u");
}

/* The proposals' sizes, as they are counted elsewhere. */
static void test_counts(void **state)
{
    (void)state;
    static const struct {
        enum op_feature feature;
        unsigned count;
    } rows[] = {
        {FEATURE_MVP, 172},
        {FEATURE_SIGN_EXTENSION, 5},
        {FEATURE_SATURATING, 8},
        {FEATURE_BULK, 7},
        {FEATURE_TAIL_CALL, 2},
        {FEATURE_SIMD, 236},
        {FEATURE_RELAXED_SIMD, 20},
        {FEATURE_EXCEPTIONS, 3},
        {FEATURE_FUNCTION_REFERENCES, 5},
        {FEATURE_GC, 32},
        {FEATURE_THREADS, 67},
        {FEATURE_WIDE_ARITHMETIC, 4},
        {FEATURE_LEGACY_EXCEPTIONS, 5},
        {FEATURE_REFERENCES, 9},
    };
    unsigned counts[32] = {0};
    for (enum op op = OP_ILLEGAL + 1; op < OP_COUNT; op++)
        counts[op_rows[op].feature]++;
    for (size_t i = 0; i < countof(rows); i++)
        assert_int_equal(counts[rows[i].feature], rows[i].count);
}

static void put_op(struct build *b, enum op op)
{
    const struct op_row *row = &op_rows[op];
    if (row->code >> 16) {
        put(b, (uint8_t)(row->code >> 16));
        put_u32(b, row->code & 0xffff);
    } else {
        put(b, (uint8_t)row->code);
    }
    switch (row->imm) {
    case IMM_NONE: break;
    case IMM_F32: PUT(b, 0, 0, 0, 0); break;
    case IMM_F64: PUT(b, 0, 0, 0, 0, 0, 0, 0, 0); break;
    case IMM_V128:
    case IMM_SHUFFLE: PUT(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); break;
    case IMM_MEMARG:
    case IMM_MEMARG_ATOMIC: PUT(b, row->size, 0); break;
    case IMM_MEMARG_LANE: PUT(b, row->size, 0, 0); break;
    case IMM_TABLE_PAIR:
    case IMM_TABLE_INIT:
    case IMM_MEMORY_PAIR:
    case IMM_MEMORY_INIT: PUT(b, 0, 0); break;
    default: put(b, 0); break;
    }
}

/* In unreachable code the operands of every plain row are there. */
static void test_plain_rows_validate(void **state)
{
    (void)state;
    for (enum op op = OP_ILLEGAL + 1; op < OP_COUNT; op++) {
        if (op_rows[op].pops[0] == '*')
            continue;
        struct build b;
        size_t part[2];
        begin_function(&b, part);
        put(&b, 0); /* locals */
        put(&b, 0x00);
        put_op(&b, op);
        put(&b, 0x00);
        end_function(&b, part);
        enum err_kind kind = verdict_of(&b);
        if (kind != ERR_NONE)
            fail_msg("%s: %s", op_text(op), err_word(kind));
        free(b.at);
    }
}

/* With nothing on the stack they are refused if they pop something, else because of what they
 * leave. */
static void test_plain_rows_need_operands(void **state)
{
    (void)state;
    for (enum op op = OP_ILLEGAL + 1; op < OP_COUNT; op++) {
        if (op_rows[op].pops[0] == '*' || (!op_rows[op].npops && !op_rows[op].npushes))
            continue;
        struct build b;
        size_t part[2];
        begin_function(&b, part);
        put(&b, 0);
        put_op(&b, op);
        end_function(&b, part);
        if (verdict_of(&b) != ERR_INVALID)
            fail_msg("%s is not refused", op_text(op));
        free(b.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_plain_rows_validate),
        cmocka_unit_test(test_plain_rows_need_operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
