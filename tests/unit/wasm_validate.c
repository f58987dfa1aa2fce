/* Validation beyond what the conformance suites ask: depth, size, time, places of failures. */
#include "tests/unit/wasm_fixture.h"

#include <time.h>

static struct store store;
static struct build b;
static size_t part[2];

static int setup(void **state)
{
    (void)state;
    open_store(&store);
    begin_function(&b, part);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_store(&store);
    free(b.at);
    return 0;
}

static void accepted(void)
{
    end_function(&b, part);
    if (!read_build(&store, &b))
        fail_msg("%s at %u: %s", err_word(store.err.kind), (unsigned)store.err.offset,
                 store.err.text);
}

static void refused(const char *because)
{
    end_function(&b, part);
    assert_null(read_build(&store, &b));
    assert_int_equal(store.err.kind, ERR_INVALID);
    if (!strstr(store.err.text, because))
        fail_msg("%s, not: %s", store.err.text, because);
}

/* --- Depth and height ---------------------------------------------------------------------------
 */

static void test_deep_blocks(void **state)
{
    (void)state;
    enum { DEPTH = 2000000 };
    put(&b, 0);
    for (unsigned i = 0; i < DEPTH; i++)
        PUT(&b, i % 3 == 0 ? 0x02 : i % 3 == 1 ? 0x03 : 0x02, 0x40);
    PUT(&b, 0x0c);
    put_u32(&b, DEPTH); /* the outermost label: the body */
    for (unsigned i = 0; i < DEPTH; i++)
        put(&b, 0x0b);
    accepted();
}

static void test_label_too_far(void **state)
{
    (void)state;
    PUT(&b, 0, 0x02, 0x40, 0x0c, 2, 0x0b);
    refused("unknown label 2");
}

static void test_high_stack(void **state)
{
    (void)state;
    enum { HEIGHT = 1000000 };
    put(&b, 0);
    for (unsigned i = 0; i < HEIGHT; i++)
        PUT(&b, 0x41, 0);
    for (unsigned i = 0; i < HEIGHT; i++)
        put(&b, 0x1a);
    accepted();
}

/* Blocks that lie on high stacks, so that the stack moves while they are open. */
static void test_blocks_on_stack(void **state)
{
    (void)state;
    enum { DEPTH = 3000 };
    put(&b, 0);
    for (unsigned i = 0; i < DEPTH; i++)
        PUT(&b, 0x41, 0, 0x02, 0x40, 0x42, 0);
    for (unsigned i = 0; i < DEPTH; i++)
        PUT(&b, 0x1a, 0x0b, 0x1a);
    accepted();
}

static void test_below_the_block(void **state)
{
    (void)state;
    PUT(&b, 0, 0x41, 0, 0x02, 0x40, 0x1a, 0x0b);
    refused("nothing is on the stack");
}

/* --- Locals -------------------------------------------------------------------------------------
 */

static void test_far_locals(void **state)
{
    (void)state;
    enum { RUNS = 700 };
    put_u32(&b, RUNS);
    for (unsigned i = 0; i < RUNS; i++)
        PUT(&b, 3, i % 2 ? 0x7f : 0x7e);
    for (uint32_t x = 0; x < 3 * RUNS; x++) {
        put(&b, 0x20);
        put_u32(&b, x);
        PUT(&b, x / 3 % 2 ? 0x45 : 0x50, 0x1a); /* i32.eqz or i64.eqz, drop */
    }
    accepted();
}

static void test_local_out_of_range(void **state)
{
    (void)state;
    PUT(&b, 2, 100, 0x7f, 100, 0x7e, 0x20, 0xc8, 1, 0x1a);
    refused("unknown local 200");
}

static void test_empty_runs(void **state)
{
    (void)state;
    PUT(&b, 4, 0, 0x7f, 1, 0x7e, 0, 0x7d, 1, 0x7c);
    PUT(&b, 0x20, 0, 0x50, 0x1a, 0x20, 1, 0x9a, 0x1a); /* i64.eqz; f64.neg */
    accepted();
}

/* A local of type (ref func) must be set on every way; what is set inside a block is unset after.
 */
static void test_unset_locals(void **state)
{
    (void)state;
    PUT(&b, 1, 1, 0x64, 0x70);
    PUT(&b, 0x02, 0x40, 0xd2, 0, 0x21, 0, 0x20, 0, 0x1a, 0x0b); /* ref.func 0, local.set, get */
    PUT(&b, 0xd2, 0, 0x22, 0, 0x1a, 0x20, 0, 0x1a);
    size_t clean = b.len;
    accepted();
    b.len = clean;
    free(b.at);
    begin_function(&b, part);
    PUT(&b, 1, 1, 0x64, 0x70);
    PUT(&b, 0x02, 0x40, 0xd2, 0, 0x21, 0, 0x0b, 0x20, 0, 0x1a);
    refused("uninitialized local 0");
}

/* --- Unreachable code ---------------------------------------------------------------------------
 */

static void test_made_up_operands(void **state)
{
    (void)state;
    PUT(&b, 0, 0x00, 0xfb, 8, 3, 0x90, 0x4e);    /* array.new_fixed of 10,000 */
    PUT(&b, 0xd1, 0x1a);                         /* ref.is_null */
    PUT(&b, 0x00, 0x1b, 0xd4, 0xd4, 0xd1, 0x1a); /* select of the unknown is a reference, too */
    PUT(&b, 0x00, 0x7c, 0x1a, 0x41, 0);
    PUT(&b, 0x41, 0, 0x6a, 0x6a, 0x1a); /* one operand is there, the other made up */
    accepted();
}

static void test_known_operands_count(void **state)
{
    (void)state;
    PUT(&b, 0, 0x00, 0x42, 0, 0x6a, 0x1a); /* an i64 under i32.add */
    refused("type mismatch: needs i32, but i64");
}

static void test_left_over(void **state)
{
    (void)state;
    PUT(&b, 0, 0x00, 0x41, 0, 0x41, 0);
    refused("2 more values");
}

/* --- Places -------------------------------------------------------------------------------------
 */

static void test_offset_of_instruction(void **state)
{
    (void)state;
    PUT(&b, 0, 0x01, 0x41, 0);
    size_t at = b.len;
    PUT(&b, 0xa7, 0x1a); /* i32.wrap_i64 of an i32 */
    refused("i32.wrap_i64: type mismatch");
    assert_int_equal(store.err.offset, at);
}

static void test_truncated_immediate(void **state)
{
    (void)state;
    PUT(&b, 0, 0x41, 0x80, 0x80, 0x80, 0x80); /* its last byte would be the `end` */
    end_function(&b, part);
    assert_null(read_build(&store, &b));
    assert_int_equal(store.err.kind, ERR_MALFORMED);
}

static void test_code_after_end(void **state)
{
    (void)state;
    PUT(&b, 0, 0x0b, 0x01);
    end_function(&b, part);
    assert_null(read_build(&store, &b));
    assert_int_equal(store.err.kind, ERR_MALFORMED);
}

/* --- Time: what looks large from few bytes must not cost much
 * ------------------------------------- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#define ENOUGH 20.0 /* seconds, also under a sanitizer; the blow-ups below would take hours */

/* Many functions that declare as many locals as may be, of types that must be tracked. */
static void test_time_of_locals(void **state)
{
    (void)state;
    enum { FUNCS = 200000 };
    free(b.at);
    begin_module(&b);
    SECTION_OF(&b, TYPES, 1, 0x60, 0, 0);
    size_t section = begin_section(&b, FUNCTIONS);
    put_u32(&b, FUNCS);
    for (unsigned i = 0; i < FUNCS; i++)
        put(&b, 0);
    end_part(&b, section);
    section = begin_section(&b, CODE);
    put_u32(&b, FUNCS);
    for (unsigned i = 0; i < FUNCS; i++)
        PUT(&b, 7, 1, 0xd0, 0x86, 3, 0x64, 0x70, 0x0b);
    end_part(&b, section);
    double start = seconds();
    assert_non_null(read_build(&store, &b));
    assert_true(seconds() - start < ENOUGH);
}

/* Operators that pop and push a thousand values, in code where operands need not be there. */
static void test_time_of_long_types(void **state)
{
    (void)state;
    enum { WIDE = 1000, CALLS = 100000 };
    free(b.at);
    begin_module(&b);
    size_t section = begin_section(&b, TYPES);
    PUT(&b, 2, 0x60, 0, 0, 0x60);
    for (int i = 0; i < 2; i++) {
        put_u32(&b, WIDE);
        for (unsigned j = 0; j < WIDE; j++)
            put(&b, 0x7f);
    }
    end_part(&b, section);
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    part[0] = begin_section(&b, CODE);
    put(&b, 1);
    part[1] = begin_part(&b);
    PUT(&b, 0, 0x00, 0x02, 1, 0x00); /* a block of that type */
    for (unsigned i = 0; i < CALLS; i++)
        PUT(&b, 0x0d, 0, 0x00); /* br_if 0, unreachable */
    PUT(&b, 0x0e);
    put_u32(&b, CALLS);
    for (unsigned i = 0; i <= CALLS; i++)
        put(&b, 0);
    PUT(&b, 0x0b, 0x00, 0x0b);
    end_part(&b, part[1]);
    end_part(&b, part[0]);
    double start = seconds();
    struct module *module = read_build(&store, &b);
    if (!module)
        fail_msg("%s", store.err.text);
    assert_true(seconds() - start < ENOUGH);
}

/* --- Constant expressions -----------------------------------------------------------------------
 */

/* A module with one global of this type and initialiser. */
static bool constant(uint8_t type, const uint8_t *code, size_t len)
{
    struct build g;
    begin_module(&g);
    SECTION_OF(&g, TYPES, 2, 0x60, 0, 0, 0x5e, 0x7f, 1);
    SECTION_OF(&g, IMPORTS, 2, 0, 0, 3, 0x7f, 0, 0, 0, 3, 0x7f, 1);
    SECTION_OF(&g, FUNCTIONS, 1, 0);
    size_t section = begin_section(&g, GLOBALS);
    PUT(&g, 1, type, 0);
    put_bytes(&g, code, len);
    end_part(&g, section);
    SECTION_OF(&g, CODE, 1, 5, 0, 0xd2, 0, 0x1a, 0x0b); /* takes function 0 by reference */
    struct module *module = read_build(&store, &g);
    free(g.at);
    return module;
}

#define CONSTANT(type, ...)                                                                        \
    constant(type, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void test_constant_expressions(void **state)
{
    (void)state;
    assert_true(CONSTANT(0x70, 0xd2, 0, 0x0b)); /* which also declares the function */
    assert_false(CONSTANT(0x70, 0xd0, 0x70, 0x0b));
    assert_non_null(strstr(store.err.text, "undeclared function reference 0"));
    assert_false(CONSTANT(0x7f, 0x23, 1, 0x0b)); /* of a mutable global */
    assert_non_null(strstr(store.err.text, "constant expression required"));
    assert_false(CONSTANT(0x7f, 0x23, 2, 0x0b)); /* itself */
    assert_non_null(strstr(store.err.text, "unknown global 2"));
    assert_false(CONSTANT(0x7f, 0x10, 0, 0x0b));
    assert_false(CONSTANT(0x7f, 0x41, 0, 0x41, 0, 0x0b));
    assert_false(CONSTANT(0x7e, 0x41, 0, 0x0b));
    assert_false(CONSTANT(0x7f, 0x41, 0));
    assert_int_equal(store.err.kind, ERR_MALFORMED);
    assert_false(CONSTANT(0x7f, 0x41, 1, 0x23, 0, 0x6a, 0x41, 2, 0x6c, 0x0b));
    assert_non_null(strstr(store.err.text, "undeclared")); /* the expression itself is right */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_deep_blocks),
        TEST(test_label_too_far),
        TEST(test_high_stack),
        TEST(test_blocks_on_stack),
        TEST(test_below_the_block),
        TEST(test_far_locals),
        TEST(test_local_out_of_range),
        TEST(test_empty_runs),
        TEST(test_unset_locals),
        TEST(test_made_up_operands),
        TEST(test_known_operands_count),
        TEST(test_left_over),
        TEST(test_offset_of_instruction),
        TEST(test_truncated_immediate),
        TEST(test_code_after_end),
        TEST(test_time_of_locals),
        TEST(test_time_of_long_types),
        TEST(test_constant_expressions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
