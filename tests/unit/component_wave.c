/* Values as WAVE text: what is read, what is refused, how it is shown. */
#include "tests/unit/component_echo.h"

/* Text, and what is shown of the value that it means; NULL: the same text. */
struct row {
    const char *type;
    const char *text;
    const char *shown;
};

#define SAME NULL

/* clang-format off */
static const struct row accepted[] = {
    {"bool", " true ", "true"},
    {"s8", "-128", SAME},
    {"u64", "18446744073709551615", SAME},
    {"s64", "-9223372036854775808", SAME},
    {"s32", "-0", "0"},
    {"f32", "0", SAME},
    {"f32", "-0.0e-0", "-0"},
    {"f32", "3.4028234664e38", "340282350000000000000000000000000000000"},
    {"f32", "3.5e38", "inf"},
    {"f32", "1.4012984643e-45", "0.000000000000000000000000000000000000000000001"},
    {"f32", "1e-60", "0"},
    {"f64", "2.5E+1", "25"},
    {"f64", "0.1", SAME},
    {"f64", "123456.789", SAME},
    {"f64", "100", SAME},
    {"f64", "9007199254740993", "9007199254740992"},
    {"f64", "-inf", SAME},
    {"f64", "nan", SAME},
    {"char", "'x'", SAME},
    {"char", "'\\u{1F30A}'", "'🌊'"},
    {"char", "'\\u{000000}'", "'\\u{0}'"},
    {"char", "'\"'", "'\\\"'"},
    {"char", "'\\''", SAME},
    {"char", "'\\u{202e}'", SAME},
    {"char", "'\x7f'", "'\\u{7f}'"},
    {"string", "\"\"", SAME},
    {"string", "\"WAVE🌊\"", SAME},
    {"string", "\"\\\\\\'\\\"\\t\\n\\r\"", SAME},
    {"string", "\"\\u{2603}☃\"", "\"☃☃\""},
    {"string", "\"\x1b[31m\"", "\"\\u{1b}[31m\""},
    {"string", "\"\"\"\n\"\"\"", "\"\""},
    {"string", "\"\"\"\none\n  two\n\"\"\"", "\"one\\n  two\""},
    {"string", "\"\"\"\n    a\n  b\n      c\n  \"\"\"", "\"  a\\nb\\n    c\""},
    {"string", "\"\"\"\n\nb\n\n\"\"\"", "\"\\nb\\n\""},
    {"string", "\"\"\"\nquotes \"\\\"\" in it\n\"\"\"", "\"quotes \\\"\\\"\\\" in it\""},
    {"list<u8>", "[ ]", "[]"},
    {"list<u8>", "[1,2 , 3,]", "[1, 2, 3]"},
    {"list<string>", "[\"a\", // a comment\n \"b\"]", "[\"a\", \"b\"]"},
    {"bool", "true // a comment", "true"},
    {"bool", "true//", "true"},
    {"bool", "// one\n//\n true", "true"},
    {"tuple<u8, bool>", "(1, true,)", "(1, true)"},
    {"tuple<u8>", "(1)", SAME},
    {"record { a: u8, b: option<u8> }", "{ a: 1 }", "{a: 1}"},
    {"record { a: u8, b: option<u8> }", "{b: some(2), a: 1,}", "{a: 1, b: some(2)}"},
    {"record { a: u8, b: option<u8> }", "{a: 1, b: none}", "{a: 1}"},
    {"record { a: option<u8>, b: option<u8> }", "{:}", SAME},
    {"record { a: option<u8>, b: option<u8> }", "{ : }", "{:}"},
    {"record { true: bool, some: u8 }", "{true: false, some: 1}", SAME},
    {"record { a: u8 }", "{%a: 1}", "{a: 1}"},
    {"enum { left, right }", "%right", "right"},
    {"enum { left, none, ok }", "%none", SAME},
    {"variant { a, b(u8), err(string) }", "b(7)", SAME},
    {"variant { a, b(u8), err(string) }", "%err(\"x\")", SAME},
    {"flags { r, w, x }", "{x, r}", "{r, x}"},
    {"flags { r, w, x }", "{ }", "{}"},
    {"option<u8>", "some(1)", SAME},
    {"option<u8>", "1", "some(1)"},
    {"option<option<u8>>", "some(none)", SAME},
    {"option<string>", "\"flat\"", "some(\"flat\")"},
    {"result<u8>", "3", "ok(3)"},
    {"result<u8, s8>", "err(-1)", SAME},
    {"result", "ok", SAME},
    {"result<_, u8>", "ok", SAME},
    {"list<u8, 2>", "[1, 2]", SAME},
};

/* Text that is no value of the type, and where that is seen. */
static const struct {
    const char *type;
    const char *text;
    uint64_t offset;
} refused[] = {
    {"bool", "", 0}, {"bool", "True", 0}, {"bool", "%true", 0}, {"bool", "true false", 5},
    {"u8", "256", 0}, {"u8", "-1", 0}, {"u8", "1.0", 0}, {"u8", "1e1", 0}, {"u8", "01", 0},
    {"u8", "+1", 0}, {"u8", "0x1", 1}, {"s8", "128", 0}, {"s8", "-129", 0}, {"s8", "--1", 0},
    {"u64", "18446744073709551616", 0}, {"s64", "9223372036854775808", 0},
    {"f32", "-nan", 0}, {"f32", "NaN", 0}, {"f64", "infinity", 0}, {"f64", ".5", 0}, {"f64", "1.", 1},
    {"f64", "Inf", 0},
    {"char", "''", 1}, {"char", "'ab'", 2}, {"char", "'\\z'", 2}, {"char", "'\\x1f'", 2},
    {"char", "'\\u{110000}'", 3}, {"char", "'\\u{d800}'", 3}, {"char", "'\\u{}'", 3},
    {"char", "'\\u{0000000}'", 3}, {"char", "x", 0}, {"char", "'", 1}, {"char", "'x", 2},
    {"string", "\"", 1}, {"string", "\"abc", 1}, {"string", "'a'", 0}, {"string", "\"\n\"", 1},
    {"string", "\"\\u{dc00}\"", 3}, {"string", "\"\\", 1}, {"string", "\"\"\"\"\"\"", 3},
    {"string", "\"\"\"x\n\"\"\"", 3}, {"string", "\"\"\"\nx\"\"\"", 3}, {"string", "\"\"\"\n", 3},
    {"list<u8>", "[1,,2]", 3}, {"list<u8>", "[,]", 1}, {"list<u8>", "[1", 2}, {"list<u8>", "[1)", 2},
    {"list<u8>", "(1]", 0},
    {"list<u8, 2>", "[1]", 3}, {"list<u8, 2>", "[1, 2, 3]", 7},
    {"tuple<u8, u8>", "(1)", 2}, {"tuple<u8, u8>", "(1, 2, 3)", 7}, {"tuple<u8, u8>", "[1, 2]", 0},
    {"record { a: u8 }", "{}", 1}, {"record { a: u8 }", "{b: 1}", 1}, {"record { a: u8 }", "{:}", 3},
    {"record { a: u8 }", "{a: 1, a: 2}", 7}, {"record { a: u8 }", "{a 1}", 3},
    {"record { a: option<u8> }", "{}", 1},
    {"enum { ok, no }", "ok", 0}, {"enum { a }", "b", 0}, {"enum { a }", "a(1)", 1},
    {"variant { a, b(u8) }", "b", 1}, {"variant { a, b(u8) }", "b()", 2}, {"variant { a, b(u8) }", "a(1)", 1},
    {"flags { r, w }", "{r, r}", 4}, {"flags { r, w }", "{x}", 1}, {"flags { r, w }", "{r w}", 3},
    {"option<u8>", "some", 4}, {"option<u8>", "some()", 5}, {"option<u8>", "none()", 4},
    {"option<option<u8>>", "1", 0}, {"option<u8>", "%none", 0},
    {"result", "ok(1)", 2}, {"result<u8>", "ok", 2}, {"result<u8>", "err(1)", 3}, {"result", "1", 0},
};
/* clang-format on */

static int read_text(struct fixture *f, struct host_scratch *scratch, const struct cm_type *type,
                     struct str text, uint8_t value[256])
{
    f->err = (struct err){0};
    memset(value, 0, 256);
    assert_in_range(type->layout.host_size, 0, 256);
    return wave_read(type, text, value, scratch, &f->err);
}

static void values_are_read_and_shown(void **state)
{
    (void)state;
    static struct shown shown;
    struct fixture f;
    open_fixture(&f);
    struct host_scratch scratch = {.store = f.store};
    for (size_t i = 0; i < countof(accepted); i++) {
        const struct row *row = &accepted[i];
        const struct cm_type *type = wit_type(&f, row->type);
        uint8_t value[256];
        if (read_text(&f, &scratch, type, str_of(row->text), value) != 0)
            fail_msg("%s: %s", row->text, f.err.text);
        shown = (struct shown){0};
        const struct wave_out out = {show_piece, &shown};
        wave_show(type, value, &out);
        assert_string_equal(shown.text, row->shown ? row->shown : row->text);
    }
    close_fixture(&f);
}

static void what_is_no_value_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    struct host_scratch scratch = {.store = f.store};
    for (size_t i = 0; i < countof(refused); i++) {
        uint8_t value[256];
        const struct cm_type *type = wit_type(&f, refused[i].type);
        if (read_text(&f, &scratch, type, str_of(refused[i].text), value) == 0)
            fail_msg("%s is no %s", refused[i].text, refused[i].type);
        assert_int_equal(f.err.kind, ERR_USAGE);
        if (f.err.offset != refused[i].offset)
            fail_msg("%s as %s: %s at %d", refused[i].text, refused[i].type, f.err.text,
                     (int)f.err.offset);
    }
    close_fixture(&f);
}

/* Every prefix of what is accepted, in memory of just its size, and bytes that are not UTF-8. */
static void text_may_end_anywhere(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    struct host_scratch scratch = {.store = f.store};
    uint8_t value[256];
    for (size_t i = 0; i < countof(accepted); i++) {
        const struct cm_type *type = wit_type(&f, accepted[i].type);
        size_t len = strlen(accepted[i].text);
        for (size_t cut = 0; cut <= len; cut++) {
            char *text = malloc(cut + 1);
            assert_non_null(text);
            memcpy(text, accepted[i].text, cut);
            int read = read_text(&f, &scratch, type, (struct str){text, cut}, value);
            assert_int_equal(read == 0, f.err.kind == ERR_NONE);
            text[cut] = (char)0xff;
            assert_int_equal(read_text(&f, &scratch, type, (struct str){text, cut + 1}, value), -1);
            free(text);
        }
        scratch_release(&scratch);
    }
    close_fixture(&f);
}

static void long_text_is_read(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    struct host_scratch scratch = {.store = f.store};
    uint8_t value[256];
    size_t len = 0;
    char *text = malloc(1 << 20);
    assert_non_null(text);
    text[len++] = '[';
    for (unsigned i = 0; i < 100000; i++)
        len += (size_t)snprintf(text + len, 8, "%u,", i % 256);
    text[len++] = ']';
    assert_int_equal(
        read_text(&f, &scratch, wit_type(&f, "list<u8>"), (struct str){text, len}, value), 0);
    HOST_LIST(uint8_t) list;
    memcpy(&list, value, sizeof list);
    assert_int_equal(list.len, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(list.at[i], i % 256);
    /* A number of many digits. */
    memset(text, '1', 2000);
    assert_int_equal(read_text(&f, &scratch, wit_type(&f, "f64"), (struct str){text, 2000}, value),
                     -1);
    assert_int_equal(read_text(&f, &scratch, wit_type(&f, "u64"), (struct str){text, 2000}, value),
                     -1);
    free(text);
    close_fixture(&f);
}

/* --- Calls --------------------------------------------------------------------------------------
 */

static void calls_are_taken_apart(void **state)
{
    (void)state;
    struct wave_call call;
    assert_true(wave_call_split(str_of(" a:b/c@1.0.0#run (1, (2))"), &call));
    assert_true(str_is(call.name, "a:b/c@1.0.0#run"));
    assert_true(str_is(call.args, "(1, (2))"));
    assert_false(wave_call_split(str_of("run"), &call));
    assert_false(wave_call_split((struct str){0}, &call));
}

static void arguments_are_read(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    struct host_scratch scratch = {.store = f.store};
    const struct cm_type *func = wit_type(&f, "func(a: u8, b: string, c: option<u32>)");
    struct {
        uint8_t a;
        struct str b;
        HOST_OPTION(uint32_t) c;
    } args = {0};
    assert_int_equal(func->layout.host_size, sizeof args);
    assert_int_equal(wave_args_read(func, str_of("(1, \"two\", some(3))"), &args, &scratch, NULL),
                     0);
    assert_int_equal(args.a, 1);
    assert_true(str_is(args.b, "two"));
    assert_true(args.c.some);
    assert_int_equal(args.c.of, 3);
    memset(&args, 0, sizeof args);
    assert_int_equal(wave_args_read(func, str_of("(1, \"two\")"), &args, &scratch, NULL), 0);
    assert_false(args.c.some);
    static const char *const wrong[] = {"",
                                        "()",
                                        "(1)",
                                        "(1, \"two\", none, 4)",
                                        "1, \"two\"",
                                        "(1, \"two\"",
                                        "(1, \"two\") x",
                                        "(256, \"two\")"};
    for (size_t i = 0; i < countof(wrong); i++) {
        f.err = (struct err){0};
        assert_int_equal(wave_args_read(func, str_of(wrong[i]), &args, &scratch, &f.err), -1);
        assert_int_equal(f.err.kind, ERR_USAGE);
    }
    assert_string_equal(f.err.text, "argument 'a': expected u8 at '256, \"two\")'");
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_and_shown), cmocka_unit_test(what_is_no_value_is_refused),
        cmocka_unit_test(text_may_end_anywhere),     cmocka_unit_test(long_text_is_read),
        cmocka_unit_test(calls_are_taken_apart),     cmocka_unit_test(arguments_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
