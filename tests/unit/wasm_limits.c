/* Every limit of limits.def on both sides: as many are accepted, one more is ERR_LIMIT. */
#include "tests/unit/wasm_fixture.h"

typedef void maker(struct build *b, uint32_t count);

/* A section with a vector of `count` times these bytes. */
static void repeat(struct build *b, uint8_t id, uint32_t count, const uint8_t *item, size_t len)
{
    size_t section = begin_section(b, id);
    put_u32(b, count);
    for (uint32_t i = 0; i < count; i++)
        put_bytes(b, item, len);
    end_part(b, section);
}

#define REPEAT(b, id, count, ...)                                                                  \
    repeat(b, id, count, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void make_types(struct build *b, uint32_t n)
{
    REPEAT(b, TYPES, n, 0x60, 0, 0);
}

static void make_recursion(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, TYPES);
    PUT(b, 1, 0x4e);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++)
        PUT(b, 0x5f, 0);
    end_part(b, section);
}

static void make_depth(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, TYPES);
    put_u32(b, n + 1);
    PUT(b, 0x50, 0, 0x5f, 0);
    for (uint32_t i = 0; i < n; i++) {
        PUT(b, 0x50, 1);
        put_u32(b, i);
        PUT(b, 0x5f, 0);
    }
    end_part(b, section);
}

static void make_functions(struct build *b, uint32_t n)
{
    SECTION_OF(b, TYPES, 1, 0x60, 0, 0);
    REPEAT(b, FUNCTIONS, n, 0);
    REPEAT(b, CODE, n, 2, 0, 0x0b);
}

static void make_imports(struct build *b, uint32_t n)
{
    REPEAT(b, IMPORTS, n, 0, 0, 3, 0x7f, 0);
}

/* Names of four letters, all different. */
static void make_exports(struct build *b, uint32_t n)
{
    SECTION_OF(b, MEMORIES, 1, 0, 0);
    size_t section = begin_section(b, EXPORTS);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++)
        PUT(b, 4, 'a' + (i & 15), 'A' + (i >> 4 & 31), 'A' + (i >> 9 & 31), '0' + (i >> 14 & 63), 2,
            0);
    end_part(b, section);
}

static void make_globals(struct build *b, uint32_t n)
{
    REPEAT(b, GLOBALS, n, 0x7f, 0, 0x41, 0, 0x0b);
}

static void make_tags(struct build *b, uint32_t n)
{
    SECTION_OF(b, TYPES, 1, 0x60, 0, 0);
    REPEAT(b, TAGS, n, 0, 0);
}

static void make_datas(struct build *b, uint32_t n)
{
    REPEAT(b, DATA, n, 1, 0);
}

static void make_elems(struct build *b, uint32_t n)
{
    REPEAT(b, ELEMENTS, n, 1, 0, 0);
}

static void make_tables(struct build *b, uint32_t n)
{
    REPEAT(b, TABLES, n, 0x70, 0, 0);
}

static void make_memories(struct build *b, uint32_t n)
{
    REPEAT(b, MEMORIES, n, 0, 0);
}

static void make_segment(struct build *b, uint32_t n)
{
    SECTION_OF(b, TYPES, 1, 0x60, 0, 0);
    SECTION_OF(b, FUNCTIONS, 1, 0);
    size_t section = begin_section(b, ELEMENTS);
    PUT(b, 1, 1, 0);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++)
        put(b, 0);
    end_part(b, section);
    SECTION_OF(b, CODE, 1, 2, 0, 0x0b);
}

static void begin_body(struct build *b, size_t part[2])
{
    SECTION_OF(b, TYPES, 1, 0x60, 0, 0);
    SECTION_OF(b, FUNCTIONS, 1, 0);
    part[0] = begin_section(b, CODE);
    put(b, 1);
    part[1] = begin_part(b);
}

static void end_body(struct build *b, const size_t part[2])
{
    put(b, 0x0b);
    end_part(b, part[1]);
    end_part(b, part[0]);
}

static void make_body(struct build *b, uint32_t n)
{
    size_t part[2];
    begin_body(b, part);
    for (uint32_t i = 0; i < n - 1; i++)
        put(b, i ? 0x01 : 0);
    end_body(b, part);
}

static void make_locals(struct build *b, uint32_t n)
{
    size_t part[2];
    begin_body(b, part);
    put(b, 1);
    put_u32(b, n);
    put(b, 0x7f);
    end_body(b, part);
}

static void make_params(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, TYPES);
    PUT(b, 1, 0x60);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++)
        put(b, 0x7f);
    put(b, 0);
    end_part(b, section);
}

static void make_results(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, TYPES);
    PUT(b, 1, 0x60, 0);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++)
        put(b, 0x7f);
    end_part(b, section);
}

static void make_fields(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, TYPES);
    PUT(b, 1, 0x5f);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++)
        PUT(b, 0x7f, 0);
    end_part(b, section);
}

static void make_name(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, IMPORTS);
    put(b, 1);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++)
        put(b, 'x');
    PUT(b, 0, 3, 0x7f, 0);
    end_part(b, section);
}

static void make_array_fixed(struct build *b, uint32_t n)
{
    size_t part[2];
    free(b->at);
    begin_function(b, part);     /* begins anew */
    PUT(b, 0, 0x00, 0xfb, 8, 3); /* unreachable, so that operands need not be made */
    put_u32(b, n);
    put(b, 0x00);
    end_function(b, part);
}

static void make_catches(struct build *b, uint32_t n)
{
    size_t part[2];
    begin_body(b, part);
    PUT(b, 0, 0x1f, 0x40);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++)
        PUT(b, 2, 0);
    put(b, 0x0b);
    end_body(b, part);
}

/* The limit of bodies ends labels before their own: as many as a body holds are accepted, where ten
 * bytes are not labels. */
static void make_labels(struct build *b, uint32_t n)
{
    enum { NO_LABELS = 10 };
    size_t part[2];
    begin_body(b, part);
    PUT(b, 0, 0x41, 0, 0x0e);
    put_u32(b, n - NO_LABELS);
    for (uint32_t i = 0; i < n - NO_LABELS + 1; i++)
        put(b, 0);
    end_body(b, part);
}

/* A module as large as the limit has a test of its own. */
static const struct {
    enum limit limit;
    maker *make;
} rows[] = {
    {COUNT_TYPES, make_types},
    {COUNT_RECURSION, make_recursion},
    {COUNT_SUBTYPE_DEPTH, make_depth},
    {COUNT_FUNCTIONS, make_functions},
    {COUNT_IMPORTS, make_imports},
    {COUNT_EXPORTS, make_exports},
    {COUNT_GLOBALS, make_globals},
    {COUNT_TAGS, make_tags},
    {COUNT_DATA_SEGMENTS, make_datas},
    {COUNT_ELEMENT_SEGMENTS, make_elems},
    {COUNT_TABLES, make_tables},
    {COUNT_MEMORIES, make_memories},
    {COUNT_SEGMENT_ELEMENTS, make_segment},
    {COUNT_BODY_SIZE, make_body},
    {COUNT_LOCALS, make_locals},
    {COUNT_PARAMS, make_params},
    {COUNT_RESULTS, make_results},
    {COUNT_FIELDS, make_fields},
    {COUNT_NAME_SIZE, make_name},
    {COUNT_ARRAY_FIXED, make_array_fixed},
    {COUNT_CATCHES, make_catches},
    {COUNT_LABELS, make_labels},
};

static void test_both_sides(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        const struct limit_row *row = &limit_rows[rows[i].limit];
        for (uint32_t over = 0; over <= 1; over++) {
            struct build b;
            begin_module(&b);
            rows[i].make(&b, row->number + over);
            enum err_kind kind = verdict_of(&b);
            if (kind != (over ? ERR_LIMIT : ERR_NONE))
                fail_msg("%u %s: %s", row->number + over, row->what, err_word(kind));
            free(b.at);
        }
    }
}

/* One custom section fills the module; its bytes are never looked at. The length of the module is,
 * before anything else. */
static void test_module_size(void **state)
{
    (void)state;
    for (uint32_t over = 0; over <= 1; over++) {
        size_t size = (size_t)LIMIT_MODULE_SIZE + over;
        uint8_t *file = reserve(size);
        struct store store;
        struct build b;
        open_store(&store);
        begin_module(&b);
        put(&b, 0);
        put_u32(&b, (uint32_t)size - 14); /* header, id, and the five bytes of this number */
        assert_int_equal(b.len, 14);
        memcpy(file, b.at, b.len);
        const struct module *module = read_bytes(&store, file, size);
        assert_int_equal(store.err.kind, over ? ERR_LIMIT : ERR_NONE);
        assert_true(over ? !module : !!module);
        free(b.at);
        close_store(&store);
        munmap(file, size);
    }
}

/* Every row is tested. */
static void test_all_rows(void **state)
{
    (void)state;
    bool tested[LIMITS] = {
        [COUNT_MODULE_SIZE] = true, [COUNT_FRAME_REFERENCES] = true, /* exec_gc.c */
    };
    for (size_t i = 0; i < countof(rows); i++)
        tested[rows[i].limit] = true;
    for (size_t i = 0; i < LIMITS; i++)
        assert_true(tested[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_sides),
        cmocka_unit_test(test_module_size),
        cmocka_unit_test(test_all_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
