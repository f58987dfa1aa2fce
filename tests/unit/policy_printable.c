/* Hostile text on its way to a terminal: nothing raw comes through, nothing is lost unseen. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "engine/base/utf.h"
#include "policies/printable.h"

static void shows(const char *text, size_t len, const char *expected)
{
    char seen[256];
    assert_string_equal(printable(seen, sizeof seen, (struct str){text, len}), expected);
}

#define SHOWS(text, expected) shows(text, sizeof(text) - 1, expected)

static void test_plain(void **state)
{
    (void)state;
    SHOWS("", "");
    SHOWS("wasi:cli/run@0.2.12", "wasi:cli/run@0.2.12");
    SHOWS("größe 名前 \U0001f600", "größe 名前 \U0001f600");
}

static void test_escapes(void **state)
{
    (void)state;
    SHOWS("a\nb\tc\rd", "a\\nb\\tc\\x0dd");
    SHOWS("\033[2J", "\\x1b[2J");
    SHOWS("\0x", "\\x00x");
    SHOWS("\x7f", "\\x7f");
    SHOWS("c:\\x", "c:\\\\x");
    SHOWS("\xc2\x85\xc2\x9b", "\\u{85}\\u{9b}");
    SHOWS("\u202egnp.exe", "\\u{202e}gnp.exe");
    SHOWS("\u2066a\u2069", "\\u{2066}a\\u{2069}");
    SHOWS("a\u200bb\ufeff", "a\\u{200b}b\\u{feff}");
    SHOWS("\u2028", "\\u{2028}");
    SHOWS("\U000e0041", "\\u{e0041}");
}

static void test_no_utf8(void **state)
{
    (void)state;
    SHOWS("\xff\xfe", "\\xff\\xfe");
    SHOWS("a\xc3", "a\\xc3");
    SHOWS("\xc0\xaf", "\\xc0\\xaf");
    SHOWS("\xed\xa0\x80", "\\xed\\xa0\\x80");
    SHOWS("\xf4\x90\x80\x80x", "\\xf4\\x90\\x80\\x80x");
    SHOWS("\x80", "\\x80");
}

static void test_cut(void **state)
{
    (void)state;
    char seen[9];
    assert_string_equal(printable(seen, sizeof seen, str_of("12345678")), "12345678");
    assert_string_equal(printable(seen, sizeof seen, str_of("123456789")), "12345...");
    assert_string_equal(printable(seen, sizeof seen, str_of("\n\n\n\n")), "\\n\\n\\n\\n");
    assert_string_equal(printable(seen, sizeof seen, str_of("\n\n\n\n\n")), "\\n\\n...");
    assert_string_equal(printable(seen, sizeof seen, str_of("123\u202e5")), "123...");
    assert_string_equal(printable(seen, sizeof seen, str_of("\u202e12345678")), "...");
}

/* Whatever goes in, what comes out is UTF-8 without controls, and ends in time. */
static void test_every_pair_of_bytes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 0x10000; i++) {
        const char text[] = {(char)(i >> 8), (char)i, 'z'};
        char seen[32];
        printable(seen, sizeof seen, (struct str){text, sizeof text});
        size_t len = strlen(seen);
        assert_true(utf8_valid((struct bytes){(const uint8_t *)seen, len}));
        assert_int_equal(seen[len - 1], 'z');
        for (size_t at = 0; at < len; at++)
            assert_true((unsigned char)seen[at] >= 0x20 && seen[at] != 0x7f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_no_utf8),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_every_pair_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
