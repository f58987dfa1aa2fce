/* Component-level types: from WIT text, interned, shown, compared, substituted. */
#include "tests/unit/component_fixture.h"

#include "engine/component/subst.h"
#include "engine/component/subtype.h"

static const struct wit wits[] = {
    {"point", "record { x: s32, y: s32 }"},
    {"color", "enum { red, green }"},
};

static void shown_as_written(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "bool",
        "error-context",
        "record { a: u8, b: string }",
        "tuple<u8, list<string>>",
        "variant { a, b(u32), c(list<u8>) }",
        "enum { only }",
        "flags { r, w }",
        "option<option<char>>",
        "result",
        "result<u8>",
        "result<_, string>",
        "result<u8, string>",
        "list<u8, 16>",
        "map<string, list<u8>>",
        "stream",
        "stream<u8>",
        "future<result<_, u8>>",
        "func()",
        "func(a: u8, b: list<u8>) -> option<string>",
        "async func(a: stream<u8>)",
    };
    struct fixture f;
    open_types(&f);
    for (size_t i = 0; i < countof(texts); i++) {
        char shown[200];
        const struct cm_type *type = wit_type(&f, texts[i]);
        cm_show(&(struct cm_text){shown, sizeof shown, 0}, type);
        assert_string_equal(shown, texts[i]);
        assert_ptr_equal(wit_type(&f, shown), type);
        /* In less room. */
        for (size_t size = 1; size < strlen(texts[i]); size++) {
            char part[200] = {0};
            cm_show(&(struct cm_text){part, size, 0}, type);
            assert_int_equal(part[size - 1], 0);
            assert_memory_equal(part, texts[i], strlen(part));
        }
    }
    close_fixture(&f);
}

static void wit_text_is_read_loosely(void **state)
{
    (void)state;
    struct fixture f;
    open_types(&f);
    assert_ptr_equal(wit_type(&f, "record{a:u8,b:string,}"),
                     wit_type(&f, "record { %a: u8,\n b: string }"));
    assert_ptr_equal(wit_type(&f, "result<_>"), wit_type(&f, "result"));
    assert_ptr_equal(wit_type(&f, " func ( a : u8 )->u8"), wit_type(&f, "func(a: u8) -> u8"));
    struct wits with = wits_of(&f, wits, countof(wits));
    assert_ptr_equal(wits_read(&with, "list<point>")->canon,
                     wit_type(&f, "list<record { x: s32, y: s32 }>"));
    assert_ptr_equal(wits_read(&with, "%point"), with.types[0]);
    close_fixture(&f);
}

static void wrong_wit_text_says_where(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "list",
                                        "list<",
                                        "list<u8",
                                        "list<u8>>",
                                        "list<u8, 0>",
                                        "list<u8, x>",
                                        "list<u8, 4294967296>",
                                        "u9",
                                        "tuple<>",
                                        "record { a u8 }",
                                        "record { a: }",
                                        "record {",
                                        "record { a: u8",
                                        "variant { a( }",
                                        "variant { a(u8 }",
                                        "enum { a(u8) }",
                                        "flags { A_b }",
                                        "option",
                                        "option<u8, u8>",
                                        "result<u8, u8, u8>",
                                        "own<point>",
                                        "borrow<u8>",
                                        "func",
                                        "func(",
                                        "func(a)",
                                        "func(a: u8) ->",
                                        "func(a: u8) -> u8 u8",
                                        "async u8",
                                        "map<u8>",
                                        "nowhere",
                                        "%u8"};
    struct fixture f;
    open_types(&f);
    struct wits with = wits_of(&f, wits, countof(wits));
    for (size_t i = 0; i < countof(wrong); i++) {
        f.err = (struct err){0};
        if (wit_read(f.types, &f.core.scratch, str_of(wrong[i]), wits_find, &with, &f.err))
            fail_msg("'%s' is no type", wrong[i]);
        assert_int_equal(f.err.kind, ERR_FAULT);
        assert_true(strlen(f.err.text) > 0);
    }
    /* Too deep. */
    char text[1000];
    size_t len = 0;
    for (int i = 0; i < 100; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "list<");
    f.err = (struct err){0};
    assert_null(wit_read(f.types, &f.core.scratch, str_of(text), wits_find, &with, &f.err));
    close_fixture(&f);
}

static void names_give_identity(void **state)
{
    (void)state;
    struct fixture f;
    open_types(&f);
    const struct cm_type *point = wit_type(&f, "record { x: s32, y: s32 }");
    assert_ptr_equal(point, wit_type(&f, "record { x: s32, y: s32 }"));
    assert_ptr_not_equal(point, wit_type(&f, "record { y: s32, x: s32 }"));
    const struct cm_type *first = cm_type_named(f.types, point, NULL);
    const struct cm_type *second = cm_type_named(f.types, point, NULL);
    assert_ptr_not_equal(first, second);
    assert_ptr_equal(first->canon, point);
    struct cm_type draft = {.kind = CM_LIST, .element = first};
    const struct cm_type *of_first = cm_type_of(f.types, &draft, NULL);
    draft.element = second;
    const struct cm_type *of_second = cm_type_of(f.types, &draft, NULL);
    assert_ptr_not_equal(of_first, of_second);
    assert_ptr_equal(of_first->canon, of_second->canon);
    assert_true(of_first->flags & CM_NAMED);
    assert_false(of_first->canon->flags & CM_NAMED);
    struct cm_extern a = {.sort = SORT_TYPE, .type = of_first};
    struct cm_extern b = {.sort = SORT_TYPE, .type = of_second};
    assert_int_equal(cm_subtype(f.types, &a, &b, NULL), 0);
    close_fixture(&f);
}

/* A resource type of its own, as a handle to it. */
static const struct cm_type *own_of(struct fixture *f, const struct cm_var *var)
{
    return cm_type_of(f->types, &(struct cm_type){.kind = CM_OWN, .resource = var->node}, NULL);
}

static void value_types_are_equal_or_not(void **state)
{
    (void)state;
    static const char *const texts[] = {"u8",
                                        "s8",
                                        "list<u8>",
                                        "list<u8, 2>",
                                        "option<u8>",
                                        "result<u8>",
                                        "tuple<u8>",
                                        "record { a: u8 }",
                                        "record { b: u8 }",
                                        "enum { a }",
                                        "variant { a }",
                                        "flags { a }",
                                        "stream<u8>",
                                        "future<u8>",
                                        "func(a: u8)",
                                        "func(b: u8)",
                                        "func() -> u8",
                                        "async func(a: u8)"};
    struct fixture f;
    open_types(&f);
    for (size_t i = 0; i < countof(texts); i++) {
        for (size_t k = 0; k < countof(texts); k++) {
            struct cm_extern a = {.type = wit_type(&f, texts[i])};
            struct cm_extern b = {.type = wit_type(&f, texts[k])};
            a.sort = a.type->kind == CM_FUNC ? SORT_FUNC : SORT_TYPE;
            b.sort = b.type->kind == CM_FUNC ? SORT_FUNC : SORT_TYPE;
            f.err = (struct err){0};
            int result = cm_subtype(f.types, &a, &b, &f.err);
            assert_int_equal(result, i == k ? 0 : -1);
            assert_int_equal(f.err.kind, i == k ? ERR_NONE : ERR_INVALID);
        }
    }
    const struct cm_var *first = cm_var_new(f.types, 1, NULL);
    const struct cm_var *second = cm_var_new(f.types, 1, NULL);
    assert_ptr_equal(own_of(&f, first), own_of(&f, first));
    assert_ptr_not_equal(own_of(&f, first), own_of(&f, second));
    close_fixture(&f);
}

/* An instance type of these exports, in this order. */
static const struct cm_type *instance_of(struct fixture *f, const char *const (*exports)[2],
                                         uint32_t count)
{
    struct cm_decl *decls = region_array(&f->core.image, struct cm_decl, count);
    assert_non_null(decls);
    for (uint32_t i = 0; i < count; i++) {
        decls[i].name = symbol_of(&f->types->symbols, str_of(exports[i][0]), false);
        decls[i].is = (struct cm_extern){.sort = SORT_FUNC, .type = wit_type(f, exports[i][1])};
    }
    struct cm_type draft = {
        .kind = CM_INSTANCE,
        .exports = {count, decls, cm_decl_places(&f->core.image, decls, count)}};
    return cm_type_closed(f->types, &draft, NULL);
}

static void instances_may_export_more(void **state)
{
    (void)state;
    static const char *const less[][2] = {{"a", "func()"}, {"b", "func(x: u8) -> u8"}};
    static const char *const more[][2] = {
        {"c", "func()"}, {"b", "func(x: u8) -> u8"}, {"a", "func()"}};
    static const char *const other[][2] = {
        {"a", "func()"}, {"b", "func(x: u8) -> u16"}, {"c", "func()"}};
    struct fixture f;
    open_types(&f);
    struct cm_extern small = {.sort = SORT_INSTANCE, .type = instance_of(&f, less, 2)};
    struct cm_extern large = {.sort = SORT_INSTANCE, .type = instance_of(&f, more, 3)};
    struct cm_extern wrong = {.sort = SORT_INSTANCE, .type = instance_of(&f, other, 3)};
    struct cm_extern func = {.sort = SORT_FUNC, .type = wit_type(&f, "func()")};
    assert_int_equal(cm_subtype(f.types, &large, &small, NULL), 0);
    assert_int_equal(cm_subtype(f.types, &small, &small, NULL), 0);
    assert_int_equal(cm_subtype(f.types, &small, &large, &f.err), -1);
    assert_non_null(strstr(f.err.text, "'c'"));
    f.err = (struct err){0};
    assert_int_equal(cm_subtype(f.types, &wrong, &small, &f.err), -1);
    assert_non_null(strstr(f.err.text, "func(x: u8) -> u8"));
    assert_non_null(strstr(f.err.text, "func(x: u8) -> u16"));
    f.err = (struct err){0};
    assert_int_equal(cm_subtype(f.types, &func, &small, &f.err), -1);
    assert_int_equal(f.err.kind, ERR_INVALID);
    close_fixture(&f);
}

static void substitution_replaces_everywhere(void **state)
{
    (void)state;
    struct fixture f;
    open_types(&f);
    struct cm_var *from = cm_var_new(f.types, 1, NULL);
    struct cm_var *to = cm_var_new(f.types, 2, NULL);
    const struct cm_type *point = cm_type_named(f.types, wit_type(&f, wits[0].text), NULL);
    const struct cm_type *other = cm_type_named(f.types, wit_type(&f, wits[0].text), NULL);
    struct cm_field fields[] = {{.type = own_of(&f, from)}, {.type = point}};
    struct cm_type draft = {.kind = CM_TUPLE, .nfields = 2, .fields = fields};
    const struct cm_type *tuple = cm_type_of(f.types, &draft, NULL);
    const struct cm_type *untouched = wit_type(&f, "list<string>");
    struct cm_subst subst = cm_subst_begin(f.types, &f.core.scratch, &f.err);
    from->to = to->node;
    cm_subst_node(&subst, point, other);
    const struct cm_type *result = cm_subst_type(&subst, tuple);
    assert_ptr_equal(cm_subst_type(&subst, untouched), untouched);
    assert_ptr_equal(cm_subst_type(&subst, tuple), result);
    from->to = NULL;
    assert_non_null(result);
    assert_int_equal(result->kind, CM_TUPLE);
    assert_ptr_equal(result->fields[0].type, own_of(&f, to));
    assert_ptr_equal(result->fields[1].type, other);
    /* Another substitution begins anew. */
    subst = cm_subst_begin(f.types, &f.core.scratch, &f.err);
    assert_ptr_equal(cm_subst_type(&subst, tuple), tuple);
    close_fixture(&f);
}

static void depth_and_size_are_bounded(void **state)
{
    (void)state;
    struct fixture f;
    open_types(&f);
    const struct cm_type *type = cm_prim(f.types, CM_U8);
    unsigned levels = 0;
    for (; type; levels++)
        type = cm_option_of(f.types, type, &f.err);
    assert_int_equal(f.err.kind, ERR_LIMIT);
    assert_int_equal(levels, 100);
    /* Each time ten times as many parts. */
    type = cm_prim(f.types, CM_STRING);
    f.err = (struct err){0};
    for (unsigned i = 0; type && i < 10; i++) {
        struct cm_field fields[10];
        for (unsigned k = 0; k < 10; k++)
            fields[k] = (struct cm_field){.type = type};
        struct cm_type draft = {.kind = CM_TUPLE, .nfields = 10, .fields = fields};
        type = cm_type_of(f.types, &draft, &f.err);
    }
    assert_null(type);
    assert_int_equal(f.err.kind, ERR_LIMIT);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shown_as_written),
        cmocka_unit_test(wit_text_is_read_loosely),
        cmocka_unit_test(wrong_wit_text_says_where),
        cmocka_unit_test(names_give_identity),
        cmocka_unit_test(value_types_are_equal_or_not),
        cmocka_unit_test(instances_may_export_more),
        cmocka_unit_test(substitution_replaces_everywhere),
        cmocka_unit_test(depth_and_size_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
