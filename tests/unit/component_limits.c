/* Every limit of engine/component/limits.def on both sides: as much is taken, one more is
 * ERR_LIMIT. Of some there can be no more than the specification has kinds of, or another limit is
 * nearer: there the near side is refused for that. */
#include "tests/unit/component_fixture.h"

#include "engine/component/limits.h"

/* --- Components with so many of something -------------------------------------------------------
 */

typedef void maker(struct build *b, uint32_t count);

static void put_numbered(struct build *b, uint32_t number)
{
    char name[12];
    snprintf(name, sizeof name, "a%u", number);
    put_name(b, name);
}

/* In two sections, as the length of one is bounded by another row. `at`: the number of the first.
 */
#define IN_TWO(b, section, count, put_item)                                                        \
    do {                                                                                           \
        uint32_t half_ = (count) / 2;                                                              \
        for (unsigned part_ = 0; part_ < 2; part_++) {                                             \
            uint32_t from_ = part_ ? half_ : 0;                                                    \
            uint32_t to_ = part_ ? (count) : half_;                                                \
            size_t section_ = begin_section(b, section);                                           \
            put_u32(b, to_ - from_);                                                               \
            for (uint32_t i_ = from_; i_ < to_; i_++)                                              \
                put_item(b, i_);                                                                   \
            end_part(b, section_);                                                                 \
        }                                                                                          \
    } while (0)

static void put_list_type(struct build *b, uint32_t i)
{
    (void)i;
    PUT(b, 0x6b, 0x7d);
}

static void make_types(struct build *b, uint32_t n)
{
    IN_TWO(b, TYPE, n, put_list_type);
}

static void put_builtin(struct build *b, uint32_t i)
{
    (void)i;
    put(b, 0x24); /* backpressure.inc */
}

static void make_functions(struct build *b, uint32_t n)
{
    IN_TWO(b, CANON, n, put_builtin);
}

static void put_func_type(struct build *b)
{
    SECTION_OF(b, TYPE, 1, 0x40, 0, 1, 0);
}

static void put_import(struct build *b, uint32_t i)
{
    put(b, 0);
    put_numbered(b, i);
    PUT(b, 1, 0);
}

static void make_imports(struct build *b, uint32_t n)
{
    put_func_type(b);
    size_t section = begin_section(b, IMPORT);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++)
        put_import(b, i);
    end_part(b, section);
}

/* Types and functions in turn, because each export is an item of its sort, too. */
static void put_export(struct build *b, uint32_t i)
{
    put(b, 0);
    put_numbered(b, i);
    PUT(b, i % 2 ? 1 : 3, 0, 0);
}

static void make_exports(struct build *b, uint32_t n)
{
    put_func_type(b);
    SECTION_OF(b, IMPORT, 1, 0, 1, 'f', 1, 0);
    IN_TWO(b, EXPORT, n, put_export);
}

static void put_memory_alias(struct build *b, uint32_t i)
{
    (void)i;
    PUT(b, 0, 2, 1, 0, 1, 'm');
}

static void make_core_items(struct build *b, uint32_t n)
{
    struct build module;
    begin_module(&module);
    SECTION_OF(&module, MEMORIES, 1, 0, 0);
    SECTION_OF(&module, EXPORTS, 1, 1, 'm', 2, 0);
    put_nested(b, CORE_MODULE, &module);
    SECTION_OF(b, CORE_INSTANCE, 1, 0, 0, 0);
    IN_TWO(b, ALIAS, n, put_memory_alias);
}

static void make_modules(struct build *b, uint32_t n)
{
    while (n--)
        SECTION_OF(b, CORE_MODULE, 0, 'a', 's', 'm', 1, 0, 0, 0);
}

static void make_components(struct build *b, uint32_t n)
{
    while (n--)
        SECTION_OF(b, COMPONENT, 0, 'a', 's', 'm', 0x0d, 0, 1, 0);
}

static void put_empty_instance(struct build *b, uint32_t i)
{
    (void)i;
    PUT(b, 1, 0);
}

static void make_instances(struct build *b, uint32_t n)
{
    IN_TWO(b, INSTANCE, n, put_empty_instance);
}

static void make_arguments(struct build *b, uint32_t n)
{
    SECTION_OF(b, CORE_MODULE, 0, 'a', 's', 'm', 1, 0, 0, 0);
    SECTION_OF(b, CORE_INSTANCE, 1, 1, 0);
    size_t section = begin_section(b, CORE_INSTANCE);
    PUT(b, 1, 0, 0);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++) {
        put_numbered(b, i);
        PUT(b, 0x12, 0);
    }
    end_part(b, section);
}

static void make_inline_exports(struct build *b, uint32_t n)
{
    SECTION_OF(b, CANON, 1, 0x24);
    size_t section = begin_section(b, CORE_INSTANCE);
    PUT(b, 1, 1);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++) {
        put_numbered(b, i);
        PUT(b, 0, 0);
    }
    end_part(b, section);
}

static void make_declarations(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, TYPE);
    PUT(b, 1, 0x42);
    put_u32(b, n);
    while (n--)
        PUT(b, 1, 0x7d);
    end_part(b, section);
}

/* A type with so many named parts. */
static void put_wide(struct build *b, uint8_t opcode, uint32_t n)
{
    PUT(b, 1, opcode);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++) {
        put_numbered(b, i);
        put(b, 0x7d);
    }
}

static void make_params(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, TYPE);
    put_wide(b, 0x40, n);
    PUT(b, 1, 0);
    end_part(b, section);
}

static void make_fields(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, TYPE);
    put_wide(b, 0x72, n);
    end_part(b, section);
}

static void make_options(struct build *b, uint32_t n)
{
    put_func_type(b);
    SECTION_OF(b, IMPORT, 1, 0, 1, 'f', 1, 0);
    size_t section = begin_section(b, CANON);
    PUT(b, 1, 1, 0, 0);
    put_u32(b, n);
    while (n--)
        put(b, 0); /* string-encoding=utf8 */
    end_part(b, section);
}

static void make_attributes(struct build *b, uint32_t n)
{
    put_func_type(b);
    size_t section = begin_section(b, IMPORT);
    PUT(b, 1, 2, 1, 'f');
    put_u32(b, n);
    while (n--)
        PUT(b, 2, 1, 'x'); /* external-id */
    PUT(b, 1, 0);
    end_part(b, section);
}

static void make_name(struct build *b, uint32_t n)
{
    put_func_type(b);
    size_t section = begin_section(b, IMPORT);
    PUT(b, 1, 0);
    put_u32(b, n);
    while (n--)
        put(b, 'a');
    PUT(b, 1, 0);
    end_part(b, section);
}

/* Lists of lists. */
static void make_depth(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, TYPE);
    put_u32(b, n - 1);
    for (uint32_t i = 1; i < n; i++) {
        put(b, 0x6b);
        put_value(b, i == 1 ? -0x7d : (int64_t)i - 2);
    }
    end_part(b, section);
}

static void make_nesting(struct build *b, uint32_t n)
{
    while (--n > 0) {
        struct build outer;
        begin_component(&outer);
        put_nested(&outer, COMPONENT, b);
        *b = outer;
    }
}

static void make_resources(struct build *b, uint32_t n)
{
    size_t section = begin_section(b, TYPE);
    put_u32(b, n);
    while (n--)
        PUT(b, 0x3f, 0x7f, 0);
    end_part(b, section);
}

static const struct {
    enum cm_limit limit;
    maker *make;
    enum err_kind near; /* what is said of as much */
} rows[] = {
    {CM_COUNT_TYPES, make_types, ERR_NONE},
    {CM_COUNT_FUNCTIONS, make_functions, ERR_NONE},
    {CM_COUNT_IMPORTS, make_imports, ERR_LIMIT}, /* parts of a type */
    {CM_COUNT_EXPORTS, make_exports, ERR_LIMIT}, /* parts of a type */
    {CM_COUNT_CORE_ITEMS, make_core_items, ERR_NONE},
    {CM_COUNT_MODULES, make_modules, ERR_NONE},
    {CM_COUNT_COMPONENTS, make_components, ERR_NONE},
    {CM_COUNT_INSTANCES, make_instances, ERR_NONE},
    {CM_COUNT_ARGUMENTS, make_arguments, ERR_NONE},
    {CM_COUNT_INLINE_EXPORTS, make_inline_exports, ERR_NONE},
    {CM_COUNT_DECLARATIONS, make_declarations, ERR_NONE},
    {CM_COUNT_PARAMS, make_params, ERR_NONE},
    {CM_COUNT_FIELDS, make_fields, ERR_NONE},
    {CM_COUNT_OPTIONS, make_options, ERR_INVALID},       /* each at most once */
    {CM_COUNT_ATTRIBUTES, make_attributes, ERR_INVALID}, /* each at most once */
    {CM_COUNT_NAME_SIZE, make_name, ERR_NONE},
    {CM_COUNT_TYPE_DEPTH, make_depth, ERR_NONE},
    {CM_COUNT_NESTING, make_nesting, ERR_NONE},
    {CM_COUNT_RESOURCES, make_resources, ERR_NONE},
};

static void both_sides_of_what_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        const struct cm_limit_row *row = &cm_limit_rows[rows[i].limit];
        for (uint32_t over = 0; over <= 1; over++) {
            struct fixture f;
            struct build b;
            open_types(&f);
            begin_component(&b);
            rows[i].make(&b, row->number + over);
            read_component(&f, &b);
            bool other = rows[i].near == ERR_LIMIT && !over == !!strstr(f.err.text, row->what);
            if (f.err.kind != (over ? ERR_LIMIT : rows[i].near) || other)
                fail_msg("%u %s: %s: %s", row->number + over, row->what, err_word(f.err.kind),
                         f.err.text);
            free(b.at);
            close_fixture(&f);
        }
    }
}

/* --- What has no number in a file ---------------------------------------------------------------
 */

static const struct cm_type *tuple_of(struct fixture *f, uint32_t count,
                                      const struct cm_type *const *types)
{
    static struct cm_field fields[10000];
    for (uint32_t i = 0; i < count; i++)
        fields[i] = (struct cm_field){.type = types[i]};
    struct cm_type draft = {.kind = CM_TUPLE, .nfields = count, .fields = fields};
    return cm_type_of(f->types, &draft, &f->err);
}

/* A type has a part for itself, one for each field, and theirs. */
static void parts_of_a_type(void **state)
{
    (void)state;
    struct fixture f;
    static const struct cm_type *types[10000];
    open_types(&f);
    const struct cm_type *boolean = cm_prim(f.types, CM_BOOL);
    const struct cm_type *variant = wit_type(&f, "variant { a }");
    assert_int_equal(boolean->parts, 1);
    assert_int_equal(variant->parts, 2);
    for (uint32_t i = 0; i < 49; i++)
        types[i] = boolean;
    const struct cm_type *hundred = tuple_of(&f, 49, types);
    for (uint32_t i = 0; i < 100; i++)
        types[i] = hundred;
    const struct cm_type *many = tuple_of(&f, 100, types);
    assert_int_equal(many->parts, 10001);
    for (uint32_t over = 0; over <= 1; over++) {
        uint32_t count = 0;
        while (count < 99)
            types[count++] = many;
        while (count < 99 + 4899 - over)
            types[count++] = boolean;
        for (uint32_t i = 0; i <= over; i++)
            types[count++] = variant;
        const struct cm_type *most = tuple_of(&f, count, types);
        if (over)
            assert_int_equal(f.err.kind, ERR_LIMIT);
        else
            assert_int_equal(most->parts, CM_LIMIT_TYPE_SIZE);
    }
    close_fixture(&f);
}

static void steps_of_type_checking(void **state)
{
    (void)state;
    struct fixture f;
    open_types(&f);
    assert_int_equal(cm_types_work(f.types, CM_LIMIT_TYPE_WORK - f.types->work, &f.err), 0);
    assert_int_equal(cm_types_work(f.types, 1, &f.err), -1);
    assert_int_equal(f.err.kind, ERR_LIMIT);
    close_fixture(&f);
}

/* One that instantiates the component in it so often. */
static struct build instantiating(struct build *inner, uint32_t count)
{
    struct build b;
    begin_component(&b);
    put_nested(&b, COMPONENT, inner);
    size_t section = begin_section(&b, INSTANCE);
    put_u32(&b, count);
    while (count--)
        PUT(&b, 0, 0, 0);
    end_part(&b, section);
    return b;
}

/* 1 + 99 * (1 + 100) are as many as there may be. */
static void instances_at_run_time(void **state)
{
    (void)state;
    for (uint32_t over = 0; over <= 1; over++) {
        struct fixture f;
        struct build inner;
        open_fixture(&f);
        begin_component(&inner);
        struct build middle = instantiating(&inner, 100);
        struct build b = instantiating(&middle, 99);
        if (over) {
            SECTION_OF(&b, COMPONENT, 0, 'a', 's', 'm', 0x0d, 0, 1, 0);
            SECTION_OF(&b, INSTANCE, 1, 0, 1, 0);
        }
        struct cm_instance *instance = link_component(&f, &b, NULL);
        assert_non_null(instance);
        fiber_begin(f.vm, f.fiber, cm_instance_initializer(instance));
        assert_int_equal(fiber_run(f.vm, f.fiber), over ? FIBER_TRAPPED : FIBER_DONE);
        if (over)
            assert_non_null(strstr(vm_trap(f.vm)->text, "component instances at run time"));
        assert_int_equal(f.store->ninstances, CM_LIMIT_LIVE_INSTANCES);
        free(b.at);
        close_fixture(&f);
    }
}

/* --- Of the canonical ABI ------------------------------------------------------------------------
 */

/* Lowers a function of so many u32 parameters and results without giving it a memory, which it
 * needs as soon as they are not all flat. */
static enum err_kind lower_flat(uint32_t params, uint32_t results, bool async)
{
    struct fixture f;
    struct build b;
    open_types(&f);
    begin_component(&b);
    SECTION_OF(&b, TYPE, 1, 0x6f, 2, 0x79, 0x79);
    size_t section = begin_section(&b, TYPE);
    PUT(&b, 1, async ? 0x43 : 0x40);
    put_u32(&b, params);
    for (uint32_t i = 0; i < params; i++) {
        put_numbered(&b, i);
        put(&b, 0x79);
    }
    if (results == 0)
        PUT(&b, 1, 0);
    else
        PUT(&b, 0, results == 1 ? 0x79 : 0);
    end_part(&b, section);
    SECTION_OF(&b, IMPORT, 1, 0, 1, 'f', 1, 1);
    if (async)
        SECTION_OF(&b, CANON, 1, 1, 0, 0, 1, 6);
    else
        SECTION_OF(&b, CANON, 1, 1, 0, 0, 0);
    read_component(&f, &b);
    enum err_kind kind = f.err.kind;
    if (kind && !strstr(f.err.text, "memory"))
        fail_msg("%s", f.err.text);
    free(b.at);
    close_fixture(&f);
    return kind;
}

/* MAX_FLAT_PARAMS, MAX_FLAT_ASYNC_PARAMS, MAX_FLAT_RESULTS */
static void flat_values(void **state)
{
    (void)state;
    assert_int_equal(lower_flat(CM_FLAT_MAX, 0, false), ERR_NONE);
    assert_int_equal(lower_flat(CM_FLAT_MAX + 1, 0, false), ERR_INVALID);
    assert_int_equal(lower_flat(CM_FLAT_ASYNC_MAX, 0, true), ERR_NONE);
    assert_int_equal(lower_flat(CM_FLAT_ASYNC_MAX + 1, 0, true), ERR_INVALID);
    assert_int_equal(lower_flat(0, 1, false), ERR_NONE);
    assert_int_equal(lower_flat(0, 2, false), ERR_INVALID);
    assert_int_equal(lower_flat(0, 1, true), ERR_INVALID);
}

/* --- All of them --------------------------------------------------------------------------------
 */

static void no_row_lacks_a_test(void **state)
{
    (void)state;
    bool tested[CM_LIMITS] = {
        [CM_COUNT_TYPE_SIZE] = true,
        [CM_COUNT_TYPE_WORK] = true,
        [CM_COUNT_LIVE_INSTANCES] = true,
        [CM_COUNT_ASYNC_CALLS] = true, /* component_async.c */
    };
    for (size_t i = 0; i < countof(rows); i++)
        tested[rows[i].limit] = true;
    for (size_t i = 0; i < CM_LIMITS; i++)
        if (!tested[i])
            fail_msg("no test of the limit of %s", cm_limit_rows[i].what);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_of_what_is_read),
        cmocka_unit_test(parts_of_a_type),
        cmocka_unit_test(steps_of_type_checking),
        cmocka_unit_test(instances_at_run_time),
        cmocka_unit_test(flat_values),
        cmocka_unit_test(no_row_lacks_a_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
