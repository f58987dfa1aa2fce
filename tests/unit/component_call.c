/* Values through lowered and lifted functions: to the host and back, and between components. */
#include "tests/unit/component_echo.h"

/* The result is what the argument was, which is of this size in host layout. */
static size_t echo_size;

static enum host_answer echo(struct host_call *call, const void *args, void *result)
{
    (void)call;
    memcpy(result, args, echo_size);
    return HOST_DONE;
}

static const struct host_interface interfaces[] = {{"carrel:test/echo", "1.2.3"}};

/* A type with what comes before it, and values of it. */
struct subject {
    struct wit types[6];
    const char *values[12];
};

#define SPILL "u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8"
#define SPILT "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255"

static const struct subject subjects[] = {
    {{{"v", "bool"}}, {"true", "false"}},
    {{{"v", "u8"}}, {"0", "255"}},
    {{{"v", "s8"}}, {"-128", "127", "-1"}},
    {{{"v", "u16"}}, {"65535"}},
    {{{"v", "s16"}}, {"-32768", "32767"}},
    {{{"v", "u32"}}, {"0", "4294967295"}},
    {{{"v", "s32"}}, {"-2147483648", "2147483647", "-1"}},
    {{{"v", "u64"}}, {"18446744073709551615"}},
    {{{"v", "s64"}}, {"-9223372036854775808", "-1"}},
    {{{"v", "f32"}}, {"1.5", "-0", "inf", "-inf", "nan", "16777216"}},
    {{{"v", "f64"}}, {"0.1", "nan", "-0.0000001"}},
    {{{"v", "char"}}, {"'a'", "'é'", "'😀'", "'\\u{0}'"}},
    {{{"v", "string"}},
     {"\"\"", "\"plain\"", "\"café\"", "\"žluť 😀\"", "\"\\u{0}\\\"\"",
      "\"latin ÿ first, then Ā\""}},
    {{{"v", "option<u32>"}}, {"some(7)", "none"}},
    {{{"v", "option<option<u8>>"}}, {"none", "some(none)", "some(some(3))"}},
    {{{"v", "result"}}, {"ok", "err"}},
    {{{"v", "result<u8>"}}, {"ok(1)", "err"}},
    {{{"v", "result<_, string>"}}, {"ok", "err(\"no\")"}},
    {{{"v", "result<f32, u64>"}}, {"ok(0.5)", "err(18446744073709551615)", "ok(nan)"}},
    {{{"v", "result<f64, f32>"}}, {"ok(0.5)", "err(2.5)"}},
    {{{"v", "enum { red, green, blue }"}}, {"red", "blue"}},
    {{{"v", "flags { a, b, c }"}}, {"{}", "{a, c}", "{a, b, c}"}},
    {{{"v", "flags { a0, a1, a2, a3, a4, a5, a6, a7, a8 }"}}, {"{a0, a8}", "{a7}"}},
    {{{"v", "flags { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, "
            "a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31 }"}},
     {"{a0, a31}", "{}"}},
    {{{"v", "record { a: u8, b: u64, c: string }"}}, {"{a: 1, b: 2, c: \"three\"}"}},
    {{{"v", "tuple<u8, s64, f32, bool>"}}, {"(1, -2, 3.5, true)"}},
    {{{"v", "variant { none-at-all, number(f64), text(string), list(list<u16>) }"}},
     {"none-at-all", "number(1.5)", "text(\"t\")", "list([1, 2])"}},
    {{{"v", "variant { a(u32), b(f32), c(u64), d(f64), e(tuple<s8, string>) }"}},
     {"a(4294967295)", "b(-1.5)", "c(9)", "d(0.25)", "e((-1, \"x\"))"}},
    {{{"v", "list<u8>"}}, {"[]", "[1, 2, 3, 255]"}},
    {{{"v", "list<bool>"}}, {"[true, false, true]"}},
    {{{"v", "list<string>"}}, {"[]", "[\"\", \"žluť\", \"x\"]"}},
    {{{"v", "list<list<f64>>"}}, {"[[1.5], [], [nan, 2]]"}},
    {{{"v", "list<char>"}}, {"['a', '😀']"}},
    {{{"v", "list<tuple<u8, u64>>"}}, {"[(1, 2), (3, 4)]"}},
    {{{"v", "list<tuple<u32, s32>>"}}, {"[(1, -2), (3, 4)]"}},
    {{{"point", "record { x: s32, y: s32 }"},
      {"shape", "variant { dot(point), line(tuple<point, point>), path(list<point>) }"},
      {"v", "list<shape>"}},
     {"[dot({x: 1, y: -1}), line(({x: 0, y: 0}, {x: 5, y: 6})), path([]), path([{x: 7, y: 8}])]"}},
    {{{"color", "enum { red, green }"},
      {"mark", "flags { bold, thin }"},
      {"style", "record { color: option<color>, mark: mark, name: string }"},
      {"v", "result<list<style>, color>"}},
     {"ok([{color: some(green), mark: {thin}, name: \"é\"}, {mark: {}, name: \"\"}])",
      "err(green)"}},
    {{{"v", "tuple<string, " SPILL ">"}}, {"(\"spilt\", " SPILT ")"}},
    {{{"v", "tuple<list<string>, option<f32>, " SPILL ">"}},
     {"([\"a\", \"žluť\", \"😀\"], some(nan), " SPILT ")", "([], none, " SPILT ")"}},
    {{{"inner", "variant { a(list<tuple<char, bool>>), b(f64), c(string) }"},
      {"v", "tuple<list<inner>, s64, " SPILL ">"}},
     {"([a([('x', true), ('ž', false)]), b(nan), c(\"ÿĀ\")], -9, " SPILT ")"}},
    {{{"v", "list<u16, 3>"}}, {"[1, 2, 65535]"}},
    {{{"v", "tuple<list<string, 2>, list<list<bool>, 1>, " SPILL ">"}},
     {"([\"a\", \"ž\"], [[true, false]], " SPILT ")"}},
    {{{"v", "map<string, u8>"}}, {"[(\"a\", 1), (\"b\", 2)]"}},
    {{{"v", "tuple<" SPILL ">"}}, {"(" SPILT ")"}},
};

static struct wits types_of(struct fixture *f, const struct subject *subject)
{
    size_t count = 0;
    while (count < countof(subject->types) && subject->types[count].name)
        count++;
    return wits_of(f, subject->types, count);
}

static void run_values(struct fixture *f, struct cm_instance *instance,
                       const struct subject *subject)
{
    for (size_t i = 0; i < countof(subject->values) && subject->values[i]; i++) {
        char args[512];
        snprintf(args, sizeof args, "(%s)", subject->values[i]);
        expect_call(f, instance, "go", args, subject->values[i]);
        expect_call(f, instance, "go", args, subject->values[i]);
    }
}

static void host_subject(const struct subject *subject, enum cm_encoding encoding)
{
    struct fixture f;
    open_fixture(&f);
    struct wits wits = types_of(&f, subject);
    const struct cm_type *value = wits.types[wits.count - 1];
    struct host_item items[WITS];
    uint32_t count = 0;
    for (; count < wits.count; count++)
        items[count] = (struct host_item){
            .kind = HOST_TYPE, .name = wits.rows[count].name, .type = wits.rows[count].text};
    items[count++] = (struct host_item){
        .kind = HOST_FUNC, .name = "echo", .type = "func(v: v) -> v", .fn = echo};
    const struct host_table table = {interfaces, items, 1, count, NULL, NULL};
    echo_size = value->canon->layout.host_size;
    struct build b;
    build_caller(&b, value, encoding);
    run_values(&f, start_component(&f, &b, &table), subject);
    free(b.at);
    close_fixture(&f);
}

static void values_go_to_the_host_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(subjects); i++)
        for (enum cm_encoding encoding = ENCODING_UTF8; encoding <= ENCODING_LATIN1_UTF16;
             encoding++)
            host_subject(&subjects[i], encoding);
}

static void values_go_to_another_component_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(subjects); i++) {
        for (int encodings = 0; encodings < 9; encodings++) {
            struct fixture f;
            open_fixture(&f);
            struct wits wits = types_of(&f, &subjects[i]);
            const struct cm_type *value = wits.types[wits.count - 1];
            uint8_t nflat = value->canon->layout.nflat;
            if (nflat == 1 || nflat > CM_FLAT_MAX) {
                struct build b;
                build_pair(&b, value, (enum cm_encoding)(encodings / 3),
                           (enum cm_encoding)(encodings % 3));
                run_values(&f, start_component(&f, &b, NULL), &subjects[i]);
                free(b.at);
            }
            close_fixture(&f);
        }
    }
}

/* An instance that calls its own function `f`, in another encoding, with a realloc that destroys
 * the string that is being lowered. */
static void build_own_call(struct build *b)
{
    struct build module;
    begin_component(b);
    SECTION_OF(b, TYPE, 2, 0x40, 1, 1, 's', 0x73, 0, 0x79, 0x40, 0, 0, 0x79);
    begin_module(&module);
    SECTION_OF(&module, TYPES, 2, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1,
               0x7f);
    SECTION_OF(&module, FUNCTIONS, 2, 0, 1);
    SECTION_OF(&module, MEMORIES, 1, 0, 1);
    SECTION_OF(&module, EXPORTS, 3, 1, 'm', 2, 0, 1, 'f', 0, 0, 1, 'r', 0, 1);
    /* f: its second argument; realloc: memory.fill(64, 0xff, 32), 256 */
    SECTION_OF(&module, CODE, 2, 4, 0, 0x20, 1, 0x0b, 16, 0, 0x41, 0xc0, 0, 0x41, 0xff, 1, 0x41, 32,
               0xfc, 11, 0, 0x41, 0x80, 2, 0x0b);
    SECTION_OF(&module, DATA, 1, 0, 0x41, 0xc0, 0, 0x0b, 5, 0xc5, 0xbe, 'a', 0xc3, 0xa9);
    put_nested(b, CORE_MODULE, &module);
    SECTION_OF(b, CORE_INSTANCE, 1, 0, 0, 0);
    SECTION_OF(b, ALIAS, 3, 0, 2, 1, 0, 1, 'm', 0, 0, 1, 0, 1, 'f', 0, 0, 1, 0, 1, 'r');
    SECTION_OF(b, CANON, 2, 0, 0, 0, 3, 1, 3, 0, 4, 1, 0, 1, 0, 0, 2, 0, 3, 0);
    begin_module(&module);
    SECTION_OF(&module, TYPES, 2, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 1, 0x7f);
    SECTION_OF(&module, IMPORTS, 1, 1, 'h', 1, 'e', 0, 0);
    SECTION_OF(&module, FUNCTIONS, 1, 1);
    SECTION_OF(&module, EXPORTS, 1, 2, 'g', 'o', 0, 1);
    SECTION_OF(&module, CODE, 1, 9, 0, 0x41, 0xc0, 0, 0x41, 5, 0x10, 0, 0x0b);
    put_nested(b, CORE_MODULE, &module);
    SECTION_OF(b, CORE_INSTANCE, 2, 1, 1, 1, 'e', 0, 2, 0, 1, 1, 1, 'h', 0x12, 1);
    SECTION_OF(b, ALIAS, 1, 0, 0, 1, 2, 2, 'g', 'o');
    SECTION_OF(b, CANON, 1, 0, 0, 3, 0, 1);
    SECTION_OF(b, EXPORT, 1, 0, 2, 'g', 'o', 1, 1, 0);
}

static void an_instance_may_call_itself(void **state)
{
    (void)state;
    struct fixture f;
    struct build b;
    open_fixture(&f);
    build_own_call(&b);
    struct cm_instance *instance = start_component(&f, &b, NULL);
    expect_call(&f, instance, "go", "()", "3");
    const struct linear_memory *memory = instance->spaces[SORT_CORE_MEMORY][0];
    static const uint8_t lowered[] = {0x7e, 0x01, 'a', 0, 0xe9, 0};
    assert_memory_equal(memory_at(memory, 256, sizeof lowered), lowered, sizeof lowered);
    free(b.at);
    close_fixture(&f);
}

/* --- Long lists, which the host sees in guest memory ---------------------------------------------
 */

#define LONG 8192 /* bytes of the list */

typedef HOST_LIST(uint8_t) byte_list;

/* Waits once; what it saw first, of which the guest's memory then keeps nothing. */
static uint8_t *seen;

static enum host_answer wait_and_echo(struct host_call *call, const void *args, void *result)
{
    const byte_list *list = args;
    assert_int_equal(list->len, LONG);
    if (!call->resumed) {
        seen = list->at;
        return HOST_BLOCKED;
    }
    assert_ptr_not_equal(list->at, seen);
    memcpy(result, list, sizeof *list);
    return HOST_DONE;
}

static void a_call_that_waits_keeps_its_lists(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    const struct wit type = {"v", "list<u8>"};
    const struct wits wits = wits_of(&f, &type, 1);
    const struct host_item items[] = {
        {.kind = HOST_TYPE, .name = "v", .type = type.text},
        {.kind = HOST_FUNC, .name = "echo", .type = "func(v: v) -> v", .fn = wait_and_echo},
    };
    const struct host_table table = {interfaces, items, 1, countof(items), NULL, NULL};
    struct build b;
    build_caller(&b, wits.types[0], ENCODING_UTF8);
    struct cm_instance *instance = start_component(&f, &b, &table);
    static uint8_t bytes[LONG];
    for (size_t i = 0; i < LONG; i++)
        bytes[i] = (uint8_t)(i * 31);
    const byte_list list = {bytes, LONG};
    const struct cm_func *func = cm_export_typed(instance, str_of("go"), NULL);
    assert_non_null(func);
    struct cm_call *call = cm_call_new(f.store, func, &list);
    assert_non_null(call);
    fiber_begin(f.vm, f.fiber, cm_call_func(call));
    assert_int_equal(fiber_run(f.vm, f.fiber), FIBER_BLOCKED);
    const struct linear_memory *memory = instance->spaces[SORT_CORE_MEMORY][0];
    assert_true(seen >= memory->span.at && seen + LONG <= memory->span.at + memory->span.size);
    memset(seen, 0, LONG);
    assert_int_equal(fiber_run(f.vm, f.fiber), FIBER_DONE);
    const byte_list *result = cm_call_result(call);
    assert_int_equal(result->len, LONG);
    assert_memory_equal(result->at, bytes, LONG);
    cm_call_free(call);
    free(b.at);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_waits_keeps_its_lists),
        cmocka_unit_test(values_go_to_the_host_and_back),
        cmocka_unit_test(values_go_to_another_component_and_back),
        cmocka_unit_test(an_instance_may_call_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
