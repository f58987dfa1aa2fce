/* The filter between a guest and a terminal. */
#include "tests/unit/unit.h"

#include "shim/terminal.h"
#include <stdio.h>
#include <string.h>

/* Filters `from` in pieces of `piece` bytes. */
static const char *filtered_by(const char *from, size_t size, size_t piece, size_t *ret_size)
{
    static char to[65536];
    static struct terminal terminal;
    size_t written = 0;
    terminal = terminal_new();
    for (size_t at = 0; at < size; at += piece) {
        size_t now = size - at < piece ? size - at : piece;
        written += terminal_filter(&terminal, from + at, now, to + written);
    }
    to[written] = '\0';
    *ret_size = written;
    return to;
}

static void assert_becomes(const char *from, const char *expected)
{
    static const size_t pieces[] = {65536, 1, 2, 3, 7};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t size;
        const char *got = filtered_by(from, strlen(from), pieces[i], &size);
        assert_string_equal(got, expected);
        assert_int_equal(size, strlen(expected));
    }
}

static void assert_passes(const char *text)
{
    assert_becomes(text, text);
}

static void assert_dropped(const char *sequence)
{
    char text[4096];
    snprintf(text, sizeof text, "a%sb", sequence);
    assert_becomes(text, "ab");
}

static void text_passes(void **state)
{
    (void)state;
    assert_passes("");
    assert_passes("plain text\r\n\tand \b\a more\f\v");
    assert_passes("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\xa9 \xc4\x9b");
    assert_becomes("a\x01\x02\x05\x11\x13\x7f"
                   "b",
                   "ab");
}

static void what_draws_passes(void **state)
{
    (void)state;
    assert_passes("\x1b[31;1mred\x1b[0m");
    assert_passes("\x1b[2J\x1b[H\x1b[10;20H\x1b[K\x1b[38;2;1;2;3m\x1b[4:3m");
    assert_passes("\x1b[?25l\x1b[?1049h\x1b[?25;7h\x1b[?2026l");
    assert_passes("\x1b"
                  "7\x1b"
                  "8\x1b"
                  "c\x1b(0qqq\x1b(B\x1b#8\x1b[2 q\x1b[!p");
    assert_passes(
        "\x1b]0;a title\a\x1b]2;\xc4\x9b\x1b\\\x1b]8;;http://example.com\x1b\\link\x1b]8;;\x1b\\");
}

static const char *const queries[] = {
    "\x1b[6n",
    "\x1b[5n",
    "\x1b[?6n",
    "\x1b[?996n", /* device status */
    "\x1b[c",
    "\x1b[0c",
    "\x1b[>c",
    "\x1b[>0c",
    "\x1b[=c",
    "\x1bZ", /* attributes */
    "\x1b[?1$p",
    "\x1b[4$p",
    "\x1b[x",
    "\x1b[1x",
    "\x1b[>q",
    "\x1b[?u",
    "\x1b[?4m",
    "\x1b[14t",
    "\x1b[18t",
    "\x1b[21t",
    "\x1b[8;50;100t", /* window reports and changes */
    "\x1b[?1;1;0S",
    "\x1b[1*y",
    "\x1b[1;1;1;1;1;1*y",
    "\x1b[5i",
    "\x1b[4i",
    "\x1b[?5i", /* printing */
    "\x1b[>4;2m",
    "\x1b[>1u",
    "\x1b[=1u",
    "\x1b[<u", /* keyboard protocols */
    "\x1b[?1000h",
    "\x1b[?1003h",
    "\x1b[?1004h",
    "\x1b[?1006h",
    "\x1b[?2004h",
    "\x1b[?25;1000h",
    "\x1bP$qm\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1bP0;0|17/ab\x1b\\", /* device control */
    "\x1b]4;1;?\a",
    "\x1b]10;?\a",
    "\x1b]11;?\x1b\\",
    "\x1b]50;?\a",
    "\x1b]52;c;?\a",
    "\x1b]52;c;aGVsbG8=\a",
    "\x1b]1337;ReportCellSize\a",
    "\x1b]9;note\a",
    "\x1b]777;notify;a;b\a",
    "\x1b]\a",
    "\x1b]x;y\a",
    "\x1b]0\a",
    "\x1b]99999999999;x\a",
    "\x1b_Gi=1,a=q\x1b\\",
    "\x1b^private\x1b\\",
    "\x1bXstring\x1b\\",
    "\x1b%G",
    "\x1b%@",
    "\x1bn",
    "\x1b~",
    "\x1b}", /* other character sets */
    "\x05",
};

static void what_answers_is_dropped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        assert_dropped(queries[i]);
}

/* U+0080 to U+009F are obeyed by terminals as ESC sequences are. */
static void c1_controls_are_dropped(void **state)
{
    (void)state;
    assert_becomes("a\xc2\x9b"
                   "6nb",
                   "a6nb");
    assert_becomes("a\xc2\x90$qm\xc2\x9c"
                   "b",
                   "a$qmb");
    assert_becomes("a\x9b"
                   "6nb",
                   "a?6nb");
    assert_becomes("a\xc0\x9b"
                   "6n",
                   "a??6n"); /* an overlong form */
    assert_becomes("\xe0\x82\x9b", "");
    assert_becomes("\xf0\x80\x82\x9b", "");
    assert_dropped("\x1b]0;t\xc2\x9c\xc2\x9b"
                   "6n\a");
    assert_dropped("\x1b]0;t\x9c\a");
}

static void broken_sequences_do_not_get_through(void **state)
{
    (void)state;
    assert_becomes("a\x1b\x1b[6nb", "ab");
    assert_becomes("a\x1b[\x1b[6nb", "ab");
    assert_becomes("a\x1b[3\x1b[31mb", "a\x1b[31mb");
    assert_becomes("a\x1b[3\nb", "ab");
    assert_becomes("a\x1b]0;x\x1b[6nb", "ab");
    assert_becomes("a\x1b]0;x\nb", "ab");
    assert_becomes("a\x1bP1\x1b[6nb", "ab");
    assert_becomes("\x1b[1$2m", "");
    assert_becomes("\x1b[?$p", "");
    assert_becomes("a\xe2\x82z", "a?z");
    assert_becomes("a\xe2\x1b[6nb", "ab");
    assert_becomes("a\x1b[", "a");
    assert_becomes("a\x1b]0;never ends", "a");
}

static void long_sequences_are_dropped_whole(void **state)
{
    (void)state;
    static char filler[9001], text[16384];
    memset(filler, '1', sizeof filler - 1);
    snprintf(text, sizeof text, "a\x1b[%smb", filler);
    assert_becomes(text, "ab");
    snprintf(text, sizeof text, "a\x1b]0;%s\a", filler);
    assert_becomes(text, "a"); /* only ST ends it now */
    snprintf(text, sizeof text, "a\x1b]0;%s\x1b\\b", filler);
    assert_becomes(text, "ab");
}

/* Whatever comes in, what goes out holds ESC only where a row of the table begins, and no C1. */
static void noise_never_gets_through(void **state)
{
    (void)state;
    static const char alphabet[] = "\x1b[]0;?6ncm\a\\P$\xc2\x9b\x90\x9c(BZx1h\n\xe2\x82\xac";
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        char text[64];
        size_t size;
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * 1103515245 + 12345;
            text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        const char *got = filtered_by(text, sizeof text, 1 + (size_t)round % 9, &size);
        for (size_t i = 0; i < size; i++) {
            if (got[i] == '\x1b') {
                const char *end = got + i + 2;
                if (got[i + 1] == '[') {
                    while (*end >= ' ' && *end <= '?')
                        end++;
                    assert_null(strchr("nctxyi", *end) && *end ? end : NULL);
                } else {
                    assert_non_null(strchr("]78DEMH=>c(#)", got[i + 1]));
                }
            }
            if ((unsigned char)got[i] == 0xc2)
                assert_true((unsigned char)got[i + 1] >= 0xa0);
        }
    }
}

static void plain_text_is_all(void **state)
{
    (void)state;
    static const char from[] =
        "a\tb\n\033[31mc\a\r\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81\xc3\xa9\x80\xc3";
    static const size_t pieces[] = {65536, 1, 2, 3};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        char to[4096 + TERMINAL_HELD];
        struct terminal terminal = terminal_plain();
        size_t written = 0;
        for (size_t at = 0; at < sizeof from - 1; at += pieces[i]) {
            size_t left = sizeof from - 1 - at;
            written += terminal_filter(&terminal, from + at, left < pieces[i] ? left : pieces[i],
                                       to + written);
        }
        to[written] = '\0';
        assert_string_equal(to, "a\tb\n?[31mc??\xc3\xa9?");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_passes),
        cmocka_unit_test(what_draws_passes),
        cmocka_unit_test(what_answers_is_dropped),
        cmocka_unit_test(c1_controls_are_dropped),
        cmocka_unit_test(broken_sequences_do_not_get_through),
        cmocka_unit_test(long_sequences_are_dropped_whole),
        cmocka_unit_test(plain_text_is_all),
        cmocka_unit_test(noise_never_gets_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
