/* Modules: sections and their order, exports, names, import matching, failures and their places. */
#include "tests/unit/wasm_fixture.h"

static struct store store;
static struct build b;

static int setup(void **state)
{
    (void)state;
    open_store(&store);
    begin_module(&b);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_store(&store);
    free(b.at);
    return 0;
}

/* --- Structure ----------------------------------------------------------------------------------
 */

static void test_empty(void **state)
{
    (void)state;
    const struct module *module = read_build(&store, &b);
    assert_non_null(module);
    assert_int_equal(module->nfuncs + module->ntables + module->nmemories + module->nglobals, 0);
    assert_null(module_export(module, str_of("")));
    assert_int_equal(module_func_name(module, 0).len, 0);
    assert_non_null(module->code);
}

static void test_header(void **state)
{
    (void)state;
    b.at[0] = 1;
    assert_null(read_build(&store, &b));
    assert_int_equal(store.err.kind, ERR_MALFORMED);
    b.at[0] = 0;
    b.at[4] = 0x0d;
    b.at[6] = 1;
    assert_null(read_build(&store, &b));
    assert_non_null(strstr(store.err.text, "component"));
    for (size_t len = 0; len < 8; len++)
        assert_null(read_bytes(&store, b.at, len));
}

/* Every pair of sections is in order one way round and not the other, nor twice. */
static void test_order(void **state)
{
    (void)state;
    static const uint8_t order[] = {TYPES,   IMPORTS, FUNCTIONS, TABLES,     MEMORIES, TAGS,
                                    GLOBALS, EXPORTS, ELEMENTS,  DATA_COUNT, CODE,     DATA};
    for (size_t i = 0; i < countof(order); i++) {
        for (size_t j = 0; j < countof(order); j++) {
            struct build pair;
            begin_module(&pair);
            SECTION_OF(&pair, order[i], 0);
            SECTION_OF(&pair, order[j], 0);
            assert_int_equal(verdict_of(&pair), i < j ? ERR_NONE : ERR_MALFORMED);
            free(pair.at);
        }
    }
}

static void test_strange_sections(void **state)
{
    (void)state;
    size_t clean = b.len;
    SECTION_OF(&b, 14, 0);
    assert_null(read_build(&store, &b));
    assert_int_equal(store.err.kind, ERR_MALFORMED);
    assert_int_equal(store.err.offset, 8);
    b.len = clean;
    SECTION_OF(&b, TYPES, 0, 0); /* a byte too many */
    assert_null(read_build(&store, &b));
    assert_non_null(strstr(store.err.text, "section size mismatch"));
    b.len = clean;
    SECTION_OF(&b, 0, 1, 0xff); /* a name that is no UTF-8 */
    assert_null(read_build(&store, &b));
    assert_int_equal(store.err.kind, ERR_MALFORMED);
}

static void test_customs(void **state)
{
    (void)state;
    SECTION_OF(&b, 0, 1, 'a', 7, 8, 9);
    SECTION_OF(&b, TYPES, 0);
    SECTION_OF(&b, 0, 0);
    const struct module *module = read_build(&store, &b);
    assert_non_null(module);
    assert_int_equal(module->ncustoms, 2);
    assert_true(str_is(module->customs[0].name, "a"));
    assert_int_equal(module->customs[0].bytes.len, 3);
    assert_int_equal(module->customs[1].name.len, 0);
    assert_int_equal(module->customs[1].bytes.len, 0);
}

/* Offsets count from the start of the file that the module lies in. */
static void test_offset_in_file(void **state)
{
    (void)state;
    struct build file = {0};
    for (int i = 0; i < 100; i++)
        put(&file, 0xee);
    SECTION_OF(&b, START, 0);
    put_bytes(&file, b.at, b.len);
    struct module *module = module_read((struct bytes){file.at + 100, b.len}, file.at, store.types,
                                        &store.image, &store.scratch, &store.err);
    assert_null(module);
    assert_int_equal(store.err.kind, ERR_INVALID);
    assert_int_equal(store.err.offset, 100 + 8 + 6);
    free(file.at);
}

static void test_no_memory(void **state)
{
    (void)state;
    SECTION_OF(&b, TYPES, 1, 0x60, 0, 0);
    static uint8_t memory[20000];
    unsigned refused[2] = {0};
    for (size_t size = 0; size < sizeof memory; size += 64) {
        for (unsigned which = 0; which < 2; which++) { /* the image, the scratch */
            memset(memory, 0, sizeof memory);
            struct region small = region_of(memory, size);
            struct err err = {0};
            if (module_read((struct bytes){b.at, b.len}, b.at, store.types,
                            which ? &store.image : &small, which ? &small : &store.scratch, &err))
                continue;
            assert_int_equal(err.kind, ERR_MEMORY);
            refused[which]++;
        }
    }
    assert_true(refused[0] > 3 && refused[0] < sizeof memory / 64);
    assert_true(refused[1] > 3 && refused[1] < sizeof memory / 64);
}

/* --- Exports ------------------------------------------------------------------------------------
 */

static void put_exports(uint32_t count)
{
    SECTION_OF(&b, TYPES, 1, 0x60, 0, 0);
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    size_t section = begin_section(&b, EXPORTS);
    put_u32(&b, count);
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i * 7919 % count);
        put_name(&b, name);
        PUT(&b, 0, 0);
    }
    end_part(&b, section);
    SECTION_OF(&b, CODE, 1, 2, 0, 0x0b);
}

static void test_exports(void **state)
{
    (void)state;
    put_exports(5000);
    const struct module *module = read_build(&store, &b);
    assert_non_null(module);
    for (uint32_t i = 0; i < 5000; i++) {
        const struct export *export = &module->exports[i];
        assert_ptr_equal(module_export(module, export->name), export);
    }
    assert_null(module_export(module, str_of("n")));
    assert_null(module_export(module, str_of("n50000")));
    assert_null(module_export(module, (struct str){"n1\0", 3}));
    assert_int_equal(module_type(module, EXTERN_FUNC, 0).func, module->type_ids[0]);
}

static void test_duplicate_exports(void **state)
{
    (void)state;
    SECTION_OF(&b, TYPES, 1, 0x60, 0, 0);
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    SECTION_OF(&b, EXPORTS, 3, 1, 'b', 0, 0, 1, 'a', 0, 0, 1, 'b', 0, 0);
    SECTION_OF(&b, CODE, 1, 2, 0, 0x0b);
    assert_null(read_build(&store, &b));
    assert_int_equal(store.err.kind, ERR_INVALID);
    assert_non_null(strstr(store.err.text, "duplicate export name \"b\""));
}

/* --- Names --------------------------------------------------------------------------------------
 */

static void put_named_module(void)
{
    SECTION_OF(&b, TYPES, 1, 0x60, 0, 0);
    SECTION_OF(&b, IMPORTS, 1, 1, 'm', 2, 'i', 'm', 0, 0);
    SECTION_OF(&b, FUNCTIONS, 3, 0, 0, 0);
    SECTION_OF(&b, EXPORTS, 1, 2, 'e', 'x', 0, 2);
    SECTION_OF(&b, CODE, 3, 2, 0, 0x0b, 2, 0, 0x0b, 2, 0, 0x0b);
}

static void test_names(void **state)
{
    (void)state;
    put_named_module();
    SECTION_OF(&b, 0, 4, 'n', 'a', 'm', 'e', 0, 2, 1, 'M', 1, 5, 1, 1, 2, 'f', 'n');
    const struct module *module = read_build(&store, &b);
    assert_non_null(module);
    assert_true(str_is(module_func_name(module, 0), "im"));
    assert_true(str_is(module_func_name(module, 1), "fn"));
    assert_true(str_is(module_func_name(module, 2), "ex"));
    assert_int_equal(module_func_name(module, 3).len, 0);
    assert_int_equal(module_func_name(module, UINT32_MAX).len, 0);
}

/* Behind an index or a subsection that does not ascend nothing is looked for: so that what is gone
 * over is bounded by the functions that there are. */
static void test_names_out_of_order(void **state)
{
    (void)state;
    put_named_module();
    SECTION_OF(&b, 0, 4, 'n', 'a', 'm', 'e', 1, 10, 3, 0, 1, 'a', 0, 1, 'b', 2, 1, 'c', 0, 2, 1,
               'M');
    const struct module *module = read_build(&store, &b);
    assert_non_null(module);
    assert_true(str_is(module_func_name(module, 0), "a"));
    assert_true(str_is(module_func_name(module, 2), "ex"));
    assert_int_equal(module_name(module).len, 0);
}

/* Whatever bytes the name section has: no failure, and names of other functions stay. */
static void test_malformed_names(void **state)
{
    (void)state;
    const uint8_t names[] = {4, 'n', 'a', 'm', 'e', 1, 5, 1, 1, 2, 'f', 'n'};
    put_named_module();
    size_t clean = b.len;
    for (size_t at = 5; at < sizeof names; at++) {
        for (unsigned value = 0; value < 256; value++) {
            size_t section = begin_section(&b, 0);
            put_bytes(&b, names, sizeof names);
            b.at[section + at] = (uint8_t)value;
            end_part(&b, section);
            const struct module *module = read_build(&store, &b);
            assert_non_null(module);
            for (uint32_t func = 0; func < 4; func++)
                assert_true(module_func_name(module, func).len <= 2);
            b.len = clean;
        }
    }
}

/* --- Import matching ----------------------------------------------------------------------------
 */

static struct externtype memory(uint64_t min, uint64_t max, bool is64, bool shared, uint8_t page)
{
    return (struct externtype){.kind = EXTERN_MEMORY,
                               .memory = {.limits = {.min = min,
                                                     .max = max,
                                                     .has_max = max != UINT64_MAX,
                                                     .is64 = is64,
                                                     .shared = shared},
                                          .page_log2 = page}};
}

static bool fits(struct externtype actual, struct externtype wanted)
{
    return externtype_matches(store.types, &actual, &wanted);
}

static void test_memory_matching(void **state)
{
    (void)state;
    struct externtype wanted = memory(2, 5, false, false, 16);
    assert_true(fits(memory(2, 5, false, false, 16), wanted));
    assert_true(fits(memory(3, 4, false, false, 16), wanted));
    assert_false(fits(memory(1, 5, false, false, 16), wanted));
    assert_false(fits(memory(2, 6, false, false, 16), wanted));
    assert_false(fits(memory(2, UINT64_MAX, false, false, 16), wanted));
    assert_true(fits(memory(2, 9, false, false, 16), memory(2, UINT64_MAX, false, false, 16)));
    assert_false(fits(memory(2, 5, true, false, 16), wanted));
    assert_false(fits(memory(2, 5, false, true, 16), wanted));
    assert_false(fits(memory(2, 5, false, false, 0), wanted));
}

static struct externtype global(valtype type, bool mutable)
{
    return (struct externtype){.kind = EXTERN_GLOBAL, .global = {type, mutable}};
}

static struct externtype table(valtype type, uint64_t min)
{
    return (struct externtype){.kind = EXTERN_TABLE,
                               .table = {type, {.min = min, .max = UINT64_MAX}}};
}

static void test_other_matching(void **state)
{
    (void)state;
    valtype funcref = VT_FUNCREF;
    valtype nofunc = vt_ref(HEAP_NOFUNC, true);
    assert_true(fits(global(nofunc, false), global(funcref, false)));
    assert_false(fits(global(funcref, false), global(nofunc, false)));
    assert_false(fits(global(nofunc, true), global(funcref, true)));
    assert_true(fits(global(funcref, true), global(funcref, true)));
    assert_false(fits(global(VT_I32, true), global(VT_I32, false)));
    assert_true(fits(table(funcref, 3), table(funcref, 2)));
    assert_false(fits(table(nofunc, 3), table(funcref, 2)));
    assert_false(fits(table(funcref, 3), global(funcref, false)));
    uint32_t id = types_func_id(store.types, NULL, 0, NULL, 0);
    struct externtype func = {.kind = EXTERN_FUNC, .func = id};
    struct externtype tag = {.kind = EXTERN_TAG, .func = id};
    assert_true(fits(func, func) && fits(tag, tag));
    assert_false(fits(func, tag));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_header),
        TEST(test_order),
        TEST(test_strange_sections),
        TEST(test_customs),
        TEST(test_offset_in_file),
        TEST(test_no_memory),
        TEST(test_exports),
        TEST(test_duplicate_exports),
        TEST(test_names),
        TEST(test_names_out_of_order),
        TEST(test_malformed_names),
        TEST(test_memory_matching),
        TEST(test_other_matching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
