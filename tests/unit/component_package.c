/* WIT text: what is found in it, and that no text does harm. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "engine/component/package.h"
#include <stdio.h>
#include <stdlib.h>

static uint8_t memory[1 << 20];
static struct wit_package package;
static struct err err;

static int parse(const char *text, size_t len)
{
    struct region region = region_of(memory, sizeof memory);
    /* A copy that ends where the text does, so that a sanitizer sees what reads beyond it. */
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    memset(memory, 0, sizeof memory);
    err = (struct err){.offset = ERR_NOWHERE};
    int failed = wit_read_package((struct bytes){copy, len}, &region, &package, &err);
    wit_is((struct bytes){copy, len});
    if (failed)
        package.first = NULL;
    free(copy);
    return failed;
}

static const char sample[] =
    "// one\n/* two /* three */ */\n"
    "package acme:tool@1.0.0-rc.1+b;\n"
    "use wasi:clocks/wall-clock@0.2.3 as wall;\n"
    "interface shared {\n"
    "  record metadata { n: u32, %type: list<tuple<u8, option<string>>>, }\n"
    "  variant v { a, b(u8), }\n  enum e { x, y }\n  flags f { r, w, }\n"
    "  type t = result<_, string>;\n"
    "  resource file { constructor(a: u8); read: func() -> t; open: static func(); }\n"
    "  resource bare;\n"
    "  use wall.{datetime, other as another};\n"
    "  @since(version = 1.0.0) @deprecated(version = 1.1.0)\n"
    "  %use: async func(a: metadata, b: list<u8, 4>) -> result<u32>;\n"
    "}\n"
    "world tool {\n"
    "  include wasi:cli/imports@0.2.3;\n  include other with { a as b, c as d };\n"
    "  import shared;\n"
    "  import door: interface { use shared.{file}; knock: func(); }\n"
    "  import plain: func();\n  import func:interface/async;\n"
    "  type here = u8;\n"
    "  export wasi:cli/run@0.2.3;\n  export answer: func() -> string;\n"
    "}\n"
    "package a:nested { interface i {} world w { import i; } }\n";

static void a_file_is_taken_apart(void **state)
{
    (void)state;
    struct region region = region_of(memory, sizeof memory);
    memset(memory, 0, sizeof memory);
    assert_int_equal(wit_read_package((struct bytes){(const uint8_t *)sample, sizeof sample - 1},
                                      &region, &package, &err),
                     0);
    assert_int_equal(package.count, 5);
    const struct wit_decl *decl = package.first;
    assert_int_equal(decl->kind, WIT_DECL_ALIAS);
    assert_true(str_is(decl->path.name, "wall"));
    assert_true(str_is(decl->alias.package, "wasi:clocks") && str_is(decl->alias.version, "0.2.3"));
    decl = decl->next;
    assert_true(str_is(decl->path.package, "acme:tool") && str_is(decl->path.name, "shared"));
    assert_true(str_is(decl->path.version, "1.0.0-rc.1+b"));
    static const char *const members[] = {
        "file", "[constructor]file", "[method]file.read", "[static]file.open", "bare", "", "use"};
    const struct wit_item *item = decl->items.first;
    for (size_t i = 0; i < countof(members); i++, item = item->next) {
        assert_non_null(item);
        assert_true(str_is(item->name, members[i]));
    }
    assert_null(item);
    decl = decl->next;
    assert_int_equal(decl->kind, WIT_DECL_WORLD);
    static const struct {
        enum wit_item_kind kind;
        bool exported;
        const char *name, *path;
    } items[] = {
        {WIT_INCLUDE, false, "", "imports"},  {WIT_INCLUDE, false, "", "other"},
        {WIT_INTERFACE, false, "", "shared"}, {WIT_INTERFACE, false, "door", ""},
        {WIT_FUNC, false, "plain", ""},       {WIT_INTERFACE, false, "", "async"},
        {WIT_INTERFACE, true, "", "run"},     {WIT_FUNC, true, "answer", ""},
    };
    item = decl->items.first;
    for (size_t i = 0; i < countof(items); i++, item = item->next) {
        assert_non_null(item);
        assert_int_equal(item->kind, items[i].kind);
        assert_int_equal(item->exported, items[i].exported);
        assert_true(str_is(item->name, items[i].name) && str_is(item->path.name, items[i].path));
    }
    assert_null(item);
    assert_true(decl->next->nested && str_is(decl->next->path.package, "a:nested"));
}

static void mistakes_have_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t offset;
    } cases[] = {
        {"package a;", 9},
        {"package a:b@1.x;", 12},
        {"world w { import ; }", 17},
        {"world w { nothing; }", 10},
        {"interface i { f: func(a u8); }", 24},
        {"interface i { f: func() -> ; }", 27},
        {"interface i { type t = list<; }", 28},
        {"interface i { resource r { x } }", 29},
        {"interface i { use a.{}; }", 21},
        {"interface i", 11},
        {"/* no end", 0},
        {"world w { import a:b/c@; }", 23},
        {"interface 1 {}", 10},
        {"@since version", 7},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        assert_int_equal(parse(cases[i].text, strlen(cases[i].text)), -1);
        assert_int_equal(err.kind, ERR_MALFORMED);
        if (err.offset != cases[i].offset)
            fail_msg("%s: %d, %s", cases[i].text, (int)err.offset, err.text);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    static char text[400000] = "interface i { type t = ";
    size_t at = strlen(text);
    while (at + 5 < sizeof text)
        at += (size_t)sprintf(text + at, "list<");
    assert_int_equal(parse(text, at), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
}

/* Cut anywhere, with any byte changed: an answer, and nothing else. */
static void no_text_does_harm(void **state)
{
    (void)state;
    static char text[sizeof sample];
    for (size_t len = 0; len < sizeof sample; len++)
        parse(sample, len);
    static const char bytes[] = "\0\xff{}()<>@%/*:;,.-_\"u9\n";
    for (size_t at = 0; at + 1 < sizeof sample; at++) {
        memcpy(text, sample, sizeof sample);
        for (size_t i = 0; i + 1 < sizeof bytes; i++) {
            text[at] = bytes[i];
            parse(text, sizeof sample - 1);
        }
    }
}

static void text_is_known_by_its_beginning(void **state)
{
    (void)state;
    static const char *const is[] = {"package a:b;", "// x\n/* y */ world w {}", "interface i {}",
                                     "\n\tuse a:b/c;"};
    static const char *const is_not[] = {"", "(module)", "\x7fzELF", "packaged", "/*", "/"};
    for (size_t i = 0; i < countof(is); i++)
        assert_true(wit_is((struct bytes){(const uint8_t *)is[i], strlen(is[i])}));
    for (size_t i = 0; i < countof(is_not); i++)
        assert_false(wit_is((struct bytes){(const uint8_t *)is_not[i], strlen(is_not[i])}));
    assert_false(wit_is((struct bytes){(const uint8_t *)"\0asm\1\0\0\0", 8}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_taken_apart),
        cmocka_unit_test(mistakes_have_a_place),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(no_text_does_harm),
        cmocka_unit_test(text_is_known_by_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
