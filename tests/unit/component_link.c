/* Linking to a host's table, demand, and finding exports. */
#include "tests/unit/component_echo.h"

/* --- A component that imports -------------------------------------------------------------------
 */

struct wanted {
    const char *interface;
    const char *name; /* of a function, */
    const char *type; /* of this type; NULL: of a resource type */
};

/* Imports of one interface stand together. */
static void build_importer(struct fixture *f, struct build *b, const struct wanted *imports,
                           size_t count)
{
    begin_component(b);
    uint32_t ntypes = 0;
    for (size_t i = 0; i < count;) {
        const char *interface = imports[i].interface;
        struct build decls = {0};
        struct encoder e = {.to = &decls, .declarations = true};
        for (; i < count && strcmp(imports[i].interface, interface) == 0; i++) {
            if (!imports[i].type) {
                e.ndecls++;
                e.ntypes++;
                put(&decls, 4);
                put_extern_name(&decls, imports[i].name);
                PUT(&decls, 3, 1);
                continue;
            }
            uint32_t type = encode_func(&e, wit_type(f, imports[i].type));
            e.ndecls++;
            put(&decls, 4);
            put_extern_name(&decls, imports[i].name);
            put(&decls, 1);
            put_u32(&decls, type);
        }
        size_t section = begin_section(b, TYPE);
        PUT(b, 1, 0x42);
        put_u32(b, e.ndecls);
        put_bytes(b, decls.at, decls.len);
        free(decls.at);
        end_part(b, section);
        section = begin_section(b, IMPORT);
        put(b, 1);
        put_extern_name(b, interface);
        put(b, 5);
        put_u32(b, ntypes++);
        end_part(b, section);
    }
}

static enum host_answer nothing(struct host_call *call, const void *args, void *result)
{
    (void)call;
    (void)args;
    (void)result;
    return HOST_DONE;
}

static bool drop(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    (void)host;
    (void)representation;
    return true;
}

static const struct host_interface interfaces[] = {
    {"test:a/types", "0.2.12"},
    {"test:a/files", "0.2.12"},
    {"test:a/none", "0.2.12"},
    {"test:b/late", ""},
};
static const struct host_item items[] = {
    {0, HOST_TYPE, "level", "enum { low, high }", NULL, NULL, NULL},
    {0, HOST_RESOURCE, "pollable", NULL, NULL, NULL, drop},
    {0, HOST_FUNC, "wrong", "func(a: nowhere)", NULL, nothing, NULL},
    {1, HOST_USE, "level", "test:a/types", "level", NULL, NULL},
    {1, HOST_USE, "gone", "test:a/types", "gone", NULL, NULL},
    {1, HOST_FUNC, "get", "func(at: u64) -> result<list<u8>, level>", NULL, nothing, NULL},
    {1, HOST_FUNC, "put", "func(bytes: list<u8>)", NULL, nothing, NULL},
    {1, HOST_FUNC, "later", "func()", NULL, NULL, NULL},
    {1, HOST_FUNC, "lost", "func(a: gone)", NULL, nothing, NULL},
    {3, HOST_FUNC, "run", "func()", NULL, nothing, NULL},
};
static const struct host_table table = {interfaces,     items, countof(interfaces),
                                        countof(items), NULL,  NULL};

/* What was missing, as text. */
static char missing[500];

static void note(void *data, struct str interface, struct str name, bool resource)
{
    assert_ptr_equal(data, missing);
    size_t len = strlen(missing);
    snprintf(missing + len, sizeof missing - len, "%s" STR_FMT "#" STR_FMT "%s", len ? " " : "",
             STR_ARG(interface), STR_ARG(name), resource ? "(r)" : "");
}

static const struct cm_instance *link_to(struct fixture *f, const struct host_table *to,
                                         const struct wanted *imports, size_t count)
{
    struct build b;
    build_importer(f, &b, imports, count);
    const struct component *component = good_component(f, &b);
    free(b.at);
    struct region *scratch = &f->core.scratch;
    struct cm_host *host = to ? cm_host_new(f->store, scratch, to) : NULL;
    const uint8_t *mark = region_mark(scratch);
    const struct cm_linker linker = {
        .store = f->store, .scratch = scratch, .host = host, .missing = note, .data = missing};
    missing[0] = 0;
    f->err = (struct err){0};
    const struct cm_instance *instance = cm_link(&linker, component, NULL, &f->err);
    assert_int_equal(instance == NULL, f->err.kind != ERR_NONE);
    assert_ptr_equal(scratch->at, mark);
    region_release(scratch, scratch->base);
    return instance;
}

static void what_the_host_has_is_linked(void **state)
{
    (void)state;
    static const struct wanted imports[] = {
        {"test:a/types@0.2.0", "pollable", NULL},
        {"test:a/files@0.2.12", "put", "func(bytes: list<u8>)"},
        {"test:b/late", "run", "func()"},
    };
    struct fixture f;
    open_fixture(&f);
    assert_non_null(link_to(&f, &table, imports, countof(imports)));
    close_fixture(&f);
}

/* An interface is found by its exact version, else by its track. */
static void versions_follow_their_track(void **state)
{
    (void)state;
    static const struct {
        const char *wanted;
        bool found;
    } cases[] = {
        {"test:a/files@0.2.12", true},   {"test:a/files@0.2.0", true},
        {"test:a/files@0.2.99", true},   {"test:a/files@0.2.12+build", true},
        {"test:a/files@0.3.0", false},   {"test:a/files@0.2.0-rc.1", false},
        {"test:a/files@1.2.12", false},  {"test:a/files", false},
        {"test:b/late", true},           {"test:b/late@1.0.0", false},
        {"other:a/files@0.2.12", false},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        bool late = strstr(cases[i].wanted, "late");
        const struct wanted import = {cases[i].wanted, late ? "run" : "put",
                                      late ? "func()" : "func(bytes: list<u8>)"};
        struct fixture f;
        open_fixture(&f);
        if ((link_to(&f, &table, &import, 1) != NULL) != cases[i].found)
            fail_msg("%s: %s", cases[i].wanted, f.err.text);
        if (!cases[i].found)
            assert_int_equal(f.err.kind, ERR_UNLINKABLE);
        close_fixture(&f);
    }
}

static int chosen;

static enum host_answer choose_first(struct host_call *call, const void *args, void *result)
{
    chosen = 1;
    *(uint8_t *)result = *(const uint8_t *)args;
    assert_ptr_equal(call->host, &chosen);
    return HOST_DONE;
}

static enum host_answer choose_second(struct host_call *call, const void *args, void *result)
{
    choose_first(call, args, result);
    chosen = 2;
    return HOST_DONE;
}

static void the_exact_version_comes_first(void **state)
{
    (void)state;
    static const struct host_interface versions[] = {{"carrel:test/echo", "1.9.0"},
                                                     {"carrel:test/echo", "1.0.0"}};
    static const struct host_item echoes[] = {
        {0, HOST_FUNC, "echo", "func(v: u8) -> u8", NULL, choose_first, NULL},
        {1, HOST_FUNC, "echo", "func(v: u8) -> u8", NULL, choose_second, NULL},
    };
    for (uint32_t count = 1; count <= 2; count++) {
        const struct host_table to = {versions, echoes, count, count, &chosen, NULL};
        struct fixture f;
        struct build b;
        open_fixture(&f);
        build_caller(&b, cm_prim(f.types, CM_U8), ENCODING_UTF8);
        expect_call(&f, start_component(&f, &b, &to), "go", "(5)", "5");
        assert_int_equal(chosen, count);
        free(b.at);
        close_fixture(&f);
    }
}

static void all_that_is_missing_is_told(void **state)
{
    (void)state;
    static const struct wanted imports[] = {
        {"test:a/files@0.2.12", "put", "func(bytes: list<u8>)"},
        {"test:a/files@0.2.12", "later", "func()"}, /* known, not provided */
        {"test:a/files@0.2.12", "level", "func()"}, /* a type, not a function */
        {"test:a/none@0.2.12", "some", "func()"},   /* an interface without items */
        {"test:a/none@0.2.12", "thing", NULL},
        {"test:c/unknown@1.0.0", "get", "func()"},
    };
    struct fixture f;
    open_fixture(&f);
    assert_null(link_to(&f, &table, imports, countof(imports)));
    assert_int_equal(f.err.kind, ERR_UNLINKABLE);
    assert_string_equal(missing, "test:a/files@0.2.12#later test:a/files@0.2.12#level "
                                 "test:a/none@0.2.12#some test:a/none@0.2.12#thing(r) "
                                 "test:c/unknown@1.0.0#get");
    assert_string_equal(f.err.text,
                        "5 imports are not provided; the first is test:a/files@0.2.12#later");
    assert_null(link_to(&f, NULL, &imports[5], 1));
    assert_string_equal(f.err.text, "import test:c/unknown@1.0.0#get is not provided");
    close_fixture(&f);
}

static void types_are_compared_as_a_whole(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *type;
        const char *why;
    } cases[] = {
        {"put", "func(bytes: list<u16>)",
         "expected func(bytes: list<u16>), found func(bytes: list<u8>)"},
        {"put", "func(data: list<u8>)",
         "expected func(data: list<u8>), found func(bytes: list<u8>)"},
        {"put", "func(bytes: list<u8>) -> u8",
         "expected func(bytes: list<u8>) -> u8, found func(bytes: list<u8>)"},
        {"get", "func(at: u64) -> result<list<u8>, u8>",
         "expected func(at: u64) -> result<list<u8>, u8>, found func(at: u64) -> "
         "result<list<u8>, enum { low, high }>"},
        {"put", "async func(bytes: list<u8>)",
         "expected async func(bytes: list<u8>), found func(bytes: list<u8>)"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        const struct wanted import = {"test:a/files@0.2.12", cases[i].name, cases[i].type};
        struct fixture f;
        open_fixture(&f);
        assert_null(link_to(&f, &table, &import, 1));
        assert_int_equal(f.err.kind, ERR_UNLINKABLE);
        if (!strstr(f.err.text, cases[i].why) || !strstr(f.err.text, cases[i].name))
            fail_msg("%s", f.err.text);
        assert_string_equal(missing, "");
        close_fixture(&f);
    }
}

/* What was mistyped, as text. */
static char mistyped[500];

static void note_mismatch(void *data, struct str interface, struct str name, const struct err *why)
{
    (void)data;
    size_t len = strlen(mistyped);
    snprintf(mistyped + len, sizeof mistyped - len, "%s" STR_FMT "#" STR_FMT ": %s",
             len ? "; " : "", STR_ARG(interface), STR_ARG(name), why->text);
}

static void all_that_is_mistyped_is_told(void **state)
{
    (void)state;
    static const struct wanted imports[] = {
        {"test:a/files@0.2.12", "put", "func(bytes: list<u16>)"},
        {"test:a/files@0.2.12", "later", "func()"}, /* not provided: missing, not mistyped */
        {"test:a/files@0.2.12", "get", "func(at: u8)"},
    };
    struct fixture f;
    struct build b;
    open_fixture(&f);
    build_importer(&f, &b, imports, countof(imports));
    const struct component *component = good_component(&f, &b);
    free(b.at);
    const struct cm_linker linker = {.store = f.store,
                                     .scratch = &f.core.scratch,
                                     .host = cm_host_new(f.store, &f.core.scratch, &table),
                                     .missing = note,
                                     .data = missing};
    missing[0] = mistyped[0] = 0;
    f.err = (struct err){0};
    const uint8_t *mark = region_mark(&f.core.scratch);
    assert_int_equal(cm_check_imports(&linker, component, note_mismatch, &f.err), 0);
    assert_string_equal(missing, "test:a/files@0.2.12#later");
    assert_string_equal(mistyped,
                        "test:a/files@0.2.12#put: expected func(bytes: list<u16>), found "
                        "func(bytes: list<u8>); test:a/files@0.2.12#get: expected func(at: u8), "
                        "found func(at: u64) -> result<list<u8>, enum { low, high }>");
    assert_ptr_equal(f.core.scratch.at, mark);
    close_fixture(&f);
}

static void a_wrong_table_is_a_fault(void **state)
{
    (void)state;
    static const struct wanted imports[] = {
        {"test:a/types@0.2.12", "wrong", "func(a: u8)"},
        {"test:a/files@0.2.12", "lost", "func(a: u8)"},
    };
    for (size_t i = 0; i < countof(imports); i++) {
        struct fixture f;
        open_fixture(&f);
        assert_null(link_to(&f, &table, &imports[i], 1));
        assert_int_equal(f.err.kind, ERR_FAULT);
        close_fixture(&f);
    }
}

/* --- Demand -------------------------------------------------------------------------------------
 */

static void note_demand(void *data, const struct cm_demand *demand)
{
    (void)data;
    assert_true(demand->reachable);
    note(missing, demand->interface, demand->name, demand->drop);
}

static void demand_is_what_is_imported(void **state)
{
    (void)state;
    static const struct wanted imports[] = {
        {"test:a/types@0.2.0", "pollable", NULL},
        {"test:a/files@0.2.12", "put", "func(bytes: list<u8>)"},
        {"test:a/files@0.2.12", "get", "func()"},
        {"bare", "run", "func()"},
    };
    struct fixture f;
    struct build b;
    open_types(&f);
    build_importer(&f, &b, imports, countof(imports));
    missing[0] = 0;
    cm_demand(good_component(&f, &b), NULL, note_demand, NULL);
    assert_string_equal(missing, "test:a/types@0.2.0#pollable(r) test:a/files@0.2.12#put "
                                 "test:a/files@0.2.12#get bare#run");
    free(b.at);
    close_fixture(&f);
}

/* --- Exports ------------------------------------------------------------------------------------
 */

/* A component that exports an echo of u8 by itself as "echo", and as "echo" and "both" of two
 * interfaces; and "only" of the first one. */
static void build_exporter(struct build *b, const struct cm_type *value)
{
    build_echo(b, value, ENCODING_UTF8);
    SECTION_OF(b, INSTANCE, 2, 1, 3, 0, 4, 'e', 'c', 'h', 'o', 1, 0, 0, 4, 'o', 'n', 'l', 'y', 1, 0,
               0, 4, 'b', 'o', 't', 'h', 1, 0, 1, 2, 0, 4, 'e', 'c', 'h', 'o', 1, 0, 0, 4, 'b', 'o',
               't', 'h', 1, 0);
    static const char *const names[] = {"test:a/first@0.2.3", "test:a/second@1.0.0"};
    for (size_t i = 0; i < countof(names); i++) {
        size_t section = begin_section(b, EXPORT);
        put(b, 1);
        put_extern_name(b, names[i]);
        PUT(b, 5, (uint8_t)i, 0);
        end_part(b, section);
    }
}

static void exports_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wrong; /* NULL: it is found */
    } cases[] = {
        {"echo", NULL},
        {"only", NULL},
        {"both", "2 interfaces export a function 'both'"},
        {"test:a/first@0.2.3#echo", NULL},
        {"test:a/first@0.2.9#only", NULL},
        {"test:a/first#only", NULL},
        {"test:a/second@1.0.0#echo", NULL},
        {"test:a/second@1.0.0#only", "no function 'test:a/second@1.0.0#only'"},
        {"test:a/first@0.3.0#only", "no function"},
        {"test:a/third#echo", "no function"},
        {"v", "no function"}, /* a type */
        {"", "no function"},
        {"#", "no function"},
        {"#echo", NULL},
        {"test:a/first@0.2.3", "no function"},
    };
    struct fixture f;
    struct build b;
    open_fixture(&f);
    build_exporter(&b, cm_prim(f.types, CM_U8));
    struct cm_instance *instance = start_component(&f, &b, NULL);
    for (size_t i = 0; i < countof(cases); i++) {
        f.err = (struct err){0};
        const struct cm_func *func = cm_export_typed(instance, str_of(cases[i].text), &f.err);
        if ((func == NULL) != (cases[i].wrong != NULL))
            fail_msg("%s: %s", cases[i].text, f.err.text);
        if (!func) {
            assert_int_equal(f.err.kind, ERR_USAGE);
            assert_non_null(strstr(f.err.text, cases[i].wrong ? cases[i].wrong : ""));
        }
    }
    expect_call(&f, instance, "test:a/second@1.0.0#echo", "(7)", "7");
    free(b.at);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_host_has_is_linked),
        cmocka_unit_test(versions_follow_their_track),
        cmocka_unit_test(the_exact_version_comes_first),
        cmocka_unit_test(all_that_is_missing_is_told),
        cmocka_unit_test(types_are_compared_as_a_whole),
        cmocka_unit_test(all_that_is_mistyped_is_told),
        cmocka_unit_test(a_wrong_table_is_a_fault),
        cmocka_unit_test(demand_is_what_is_imported),
        cmocka_unit_test(exports_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
