/* The registry of types: canonical groups, subtyping, declared supertypes, growth. */
#include "tests/unit/wasm_fixture.h"

static struct store store;

static int setup(void **state)
{
    (void)state;
    open_store(&store);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_store(&store);
    return 0;
}

static struct deftype func(const valtype *params, uint32_t nparams, const valtype *results,
                           uint32_t nresults)
{
    return (struct deftype){
        .kind = TYPE_FUNC,
        .final = true,
        .super = TYPE_NONE,
        .func = {.params = params, .nparams = nparams, .results = results, .nresults = nresults},
    };
}

static struct deftype structure(const struct fieldtype *fields, uint32_t nfields, uint32_t super,
                                bool final)
{
    return (struct deftype){
        .kind = TYPE_STRUCT,
        .final = final,
        .super = super,
        .structure = {.fields = fields, .nfields = nfields},
    };
}

static struct deftype array(valtype type, bool mutable, uint32_t super, bool final)
{
    return (struct deftype){
        .kind = TYPE_ARRAY,
        .final = final,
        .super = super,
        .element = {.type = type, .mutable = mutable},
    };
}

static uint32_t intern(const struct deftype *group, uint32_t count)
{
    struct err err = {0};
    uint32_t id = TYPE_NONE;
    assert_int_equal(types_intern(store.types, group, count, 0, &id, &err), 0);
    return id;
}

/* Refused, and nothing stays of it. */
static enum err_kind refused(const struct deftype *group, uint32_t count)
{
    struct err err = {0};
    uint32_t id;
    uint32_t before = types_count(store.types);
    assert_int_equal(types_intern(store.types, group, count, 77, &id, &err), -1);
    assert_int_equal(types_count(store.types), before);
    assert_int_equal(err.offset, 77);
    return err.kind;
}

static void test_equal_functions(void **state)
{
    (void)state;
    const valtype a[] = {VT_I32, VT_F64};
    const valtype b[] = {VT_F64, VT_I32};
    struct deftype type = func(a, 2, b, 1);
    uint32_t id = intern(&type, 1);
    assert_int_equal(intern(&type, 1), id);
    struct deftype other = func(b, 2, b, 1);
    assert_int_not_equal(intern(&other, 1), id);
    other = func(a, 2, b, 2);
    assert_int_not_equal(intern(&other, 1), id);
    /* (i32 f64) -> (f64) is not (i32) -> (f64 f64), though the words are the same */
    const valtype c[] = {VT_F64, VT_F64};
    other = func(a, 1, c, 2);
    assert_int_not_equal(intern(&other, 1), id);
    assert_int_equal(types_func_id(store.types, a, 2, b, 1), id);
    const struct functype *known = types_func(store.types, id);
    assert_int_equal(known->param_slots, 2);
    assert_int_equal(known->result_slots, 1);
    assert_ptr_not_equal(known->params, a); /* a copy */
    other = func(a, 2, b, 1);
    other.final = false;
    assert_int_not_equal(intern(&other, 1), id);
}

static void test_slots(void **state)
{
    (void)state;
    const valtype types[] = {VT_V128, VT_I32, VT_V128, VT_EXTERNREF};
    uint32_t id = types_func_id(store.types, types, 4, types, 1);
    assert_int_equal(types_func(store.types, id)->param_slots, 6);
    assert_int_equal(types_func(store.types, id)->result_slots, 2);
}

/* A list: struct { i32, (ref null list) }, in a group with as many types of padding before it. */
static uint32_t list_with(uint32_t padding)
{
    struct deftype group[8] = {0};
    uint32_t self = types_count(store.types) + padding;
    const struct fieldtype fields[] = {{.type = VT_I32}, {.type = vt_ref(self, true)}};
    for (uint32_t i = 0; i < padding; i++)
        group[i] = func(NULL, 0, NULL, 0);
    group[padding] = structure(fields, 2, TYPE_NONE, true);
    return intern(group, padding + 1) + padding;
}

static void test_recursion(void **state)
{
    (void)state;
    uint32_t list = list_with(0);
    assert_int_equal(list_with(0), list); /* the same, though written at another place */
    uint32_t padded = list_with(1);
    assert_int_not_equal(padded, list); /* another group: iso-recursive, not equi-recursive */
    assert_int_equal(list_with(1), padded);
    const struct deftype *type = types_get(store.types, list);
    assert_int_equal(vt_heap(type->structure.fields[1].type), list);

    /* A struct that names the list from outside is not the list. */
    const struct fieldtype fields[] = {{.type = VT_I32}, {.type = vt_ref(list, true)}};
    struct deftype unrolled = structure(fields, 2, TYPE_NONE, true);
    assert_int_not_equal(intern(&unrolled, 1), list);
}

static void test_abstract_subtyping(void **state)
{
    (void)state;
    static const heaptype all[] = {HEAP_ANY,    HEAP_EQ,       HEAP_I31,  HEAP_STRUCT,
                                   HEAP_ARRAY,  HEAP_NONE,     HEAP_FUNC, HEAP_NOFUNC,
                                   HEAP_EXTERN, HEAP_NOEXTERN, HEAP_EXN,  HEAP_NOEXN};
    static const struct {
        heaptype sub;
        heaptype super;
    } edges[] = {
        {HEAP_EQ, HEAP_ANY},      {HEAP_I31, HEAP_EQ},          {HEAP_I31, HEAP_ANY},
        {HEAP_STRUCT, HEAP_EQ},   {HEAP_STRUCT, HEAP_ANY},      {HEAP_ARRAY, HEAP_EQ},
        {HEAP_ARRAY, HEAP_ANY},   {HEAP_NONE, HEAP_ANY},        {HEAP_NONE, HEAP_EQ},
        {HEAP_NONE, HEAP_I31},    {HEAP_NONE, HEAP_STRUCT},     {HEAP_NONE, HEAP_ARRAY},
        {HEAP_NOFUNC, HEAP_FUNC}, {HEAP_NOEXTERN, HEAP_EXTERN}, {HEAP_NOEXN, HEAP_EXN},
    };
    for (size_t i = 0; i < countof(all); i++) {
        for (size_t j = 0; j < countof(all); j++) {
            bool expected = i == j;
            for (size_t e = 0; e < countof(edges); e++)
                expected |= edges[e].sub == all[i] && edges[e].super == all[j];
            assert_int_equal(types_heap_matches(store.types, all[i], all[j]), expected);
        }
        assert_true(types_heap_matches(store.types, HEAP_BOT, all[i]));
        assert_false(types_heap_matches(store.types, all[i], HEAP_BOT));
    }
    assert_int_equal(types_heap_top(store.types, HEAP_NONE), HEAP_ANY);
    assert_int_equal(types_heap_top(store.types, HEAP_I31), HEAP_ANY);
    assert_int_equal(types_heap_top(store.types, HEAP_NOFUNC), HEAP_FUNC);
    assert_int_equal(types_heap_top(store.types, HEAP_NOEXTERN), HEAP_EXTERN);
    assert_int_equal(types_heap_top(store.types, HEAP_NOEXN), HEAP_EXN);
}

static void test_concrete_subtyping(void **state)
{
    (void)state;
    struct types *types = store.types;
    const struct fieldtype fields[] = {{.type = VT_I32}, {.type = VT_I64, .mutable = true}};
    struct deftype type = structure(fields, 0, TYPE_NONE, false);
    uint32_t a = intern(&type, 1);
    type = structure(fields, 1, a, false);
    uint32_t b = intern(&type, 1);
    type = structure(fields, 2, b, true);
    uint32_t c = intern(&type, 1);
    assert_true(types_id_matches(types, c, a) && types_id_matches(types, c, b));
    assert_false(types_id_matches(types, a, c) || types_id_matches(types, a, b));
    assert_int_equal(types_get(types, c)->depth, 2);
    assert_int_equal(types_get(types, c)->supers[0], a);
    assert_int_equal(types_get(types, c)->supers[1], b);

    uint32_t f = types_func_id(types, NULL, 0, NULL, 0);
    assert_true(types_heap_matches(types, c, HEAP_STRUCT) &&
                types_heap_matches(types, c, HEAP_ANY));
    assert_false(types_heap_matches(types, c, HEAP_ARRAY) ||
                 types_heap_matches(types, c, HEAP_FUNC));
    assert_true(types_heap_matches(types, f, HEAP_FUNC) && !types_heap_matches(types, f, HEAP_ANY));
    assert_true(types_heap_matches(types, HEAP_NONE, c) &&
                !types_heap_matches(types, HEAP_NONE, f));
    assert_true(types_heap_matches(types, HEAP_NOFUNC, f));
    assert_false(types_heap_matches(types, HEAP_STRUCT, c));
    assert_true(types_matches(types, vt_ref(c, false), vt_ref(a, true)));
    assert_false(types_matches(types, vt_ref(c, true), vt_ref(a, false)));
    assert_true(types_matches(types, VT_BOT, VT_I32) && !types_matches(types, VT_I32, VT_I64));
    assert_false(types_matches(types, VT_I32, vt_ref(a, true)));
}

static void test_declared_supertypes(void **state)
{
    (void)state;
    struct deftype open = array(VT_I32, false, TYPE_NONE, false);
    uint32_t id = intern(&open, 1);
    struct deftype sealed = array(VT_I64, false, TYPE_NONE, true);
    uint32_t final = intern(&sealed, 1);

    struct deftype wrong = array(VT_I64, false, id, true); /* another element */
    assert_int_equal(refused(&wrong, 1), ERR_INVALID);
    wrong = array(VT_I32, true, id, true); /* mutability differs */
    assert_int_equal(refused(&wrong, 1), ERR_INVALID);
    wrong = array(VT_I64, false, final, true);
    assert_int_equal(refused(&wrong, 1), ERR_INVALID);
    wrong = func(NULL, 0, NULL, 0);
    wrong.super = id;
    assert_int_equal(refused(&wrong, 1), ERR_INVALID);
    wrong = array(VT_I32, false, types_count(store.types), true); /* itself */
    assert_int_equal(refused(&wrong, 1), ERR_INVALID);
    struct deftype group[] = {array(VT_I32, false, types_count(store.types) + 1, true),
                              array(VT_I32, false, TYPE_NONE, false)};
    assert_int_equal(refused(group, 2), ERR_INVALID); /* forward */
    struct deftype right = array(VT_I32, false, id, true);
    assert_true(types_id_matches(store.types, intern(&right, 1), id));

    /* Mutable fields are invariant, constant ones covariant. */
    struct deftype refs = array(vt_ref(HEAP_EQ, true), false, TYPE_NONE, false);
    uint32_t constant = intern(&refs, 1);
    refs.element.mutable = true;
    uint32_t variable = intern(&refs, 1);
    struct deftype narrower = array(vt_ref(HEAP_I31, false), false, constant, true);
    intern(&narrower, 1);
    narrower = array(vt_ref(HEAP_I31, false), true, variable, true);
    assert_int_equal(refused(&narrower, 1), ERR_INVALID);
}

static void test_function_variance(void **state)
{
    (void)state;
    const valtype any[] = {vt_ref(HEAP_ANY, true)};
    const valtype eq[] = {vt_ref(HEAP_EQ, true)};
    struct deftype super = func(eq, 1, eq, 1);
    super.final = false;
    uint32_t id = intern(&super, 1);
    struct deftype sub = func(any, 1, eq, 1); /* takes more */
    sub.super = id;
    intern(&sub, 1);
    sub = func(eq, 1, any, 1); /* gives more than was promised */
    sub.super = id;
    assert_int_equal(refused(&sub, 1), ERR_INVALID);
}

static void test_depth_limit(void **state)
{
    (void)state;
    uint32_t super = TYPE_NONE;
    struct deftype type;
    for (unsigned depth = 0; depth <= LIMIT_SUBTYPE_DEPTH; depth++) {
        type = array(VT_I32, false, super, false);
        super = intern(&type, 1);
        assert_int_equal(types_get(store.types, super)->depth, depth);
    }
    type = array(VT_I32, false, super, false);
    assert_int_equal(refused(&type, 1), ERR_LIMIT);
}

static void test_growth(void **state)
{
    (void)state;
    enum { MANY = 60000 };
    static uint32_t ids[MANY];
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < MANY; i++) {
            valtype params[16];
            for (unsigned bit = 0; bit < 16; bit++)
                params[bit] = i >> bit & 1 ? VT_I32 : VT_I64;
            uint32_t id = types_func_id(store.types, params, 16, NULL, 0);
            if (round == 0)
                ids[i] = id;
            assert_int_equal(id, ids[i]);
        }
        assert_int_equal(types_count(store.types), MANY);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    static uint8_t memory[40000]; /* the registry itself, and nothing for types */
    struct region region = region_of(memory, sizeof memory);
    struct types *types = types_new(&region);
    assert_non_null(types);
    assert_int_equal(types_func_id(types, NULL, 0, NULL, 0), TYPE_NONE);
    region = region_of(memory, 100);
    assert_null(types_new(&region));
}

static void test_show(void **state)
{
    (void)state;
    char text[40];
    assert_int_equal(valtype_show(VT_I32, text, sizeof text), 3);
    assert_string_equal(text, "i32");
    valtype_show(VT_FUNCREF, text, sizeof text);
    assert_string_equal(text, "(ref null func)");
    valtype_show(vt_ref(HEAP_NOEXN, false), text, sizeof text);
    assert_string_equal(text, "(ref noexn)");
    assert_int_equal(valtype_show(VT_FUNCREF, text, 6), 5);
    assert_string_equal(text, "(ref ");
    assert_int_equal(valtype_show(VT_FUNCREF, text, 0), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_equal_functions),
        TEST(test_slots),
        TEST(test_recursion),
        TEST(test_abstract_subtyping),
        TEST(test_concrete_subtyping),
        TEST(test_declared_supertypes),
        TEST(test_function_variance),
        TEST(test_depth_limit),
        TEST(test_growth),
        TEST(test_no_memory),
        TEST(test_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
