/* Flags of a command line: both dashes, both ways to give a value, and what is wrong with one. */
#include "tests/unit/unit.h"

#include "shim/containerd/flag.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct given {
    const char *name;
    bool deep;
};

static const struct flag flags[] = {
    {"name", FLAG_TEXT, offsetof(struct given, name)},
    {"deep", FLAG_BOOL, offsetof(struct given, deep)},
    {"old", FLAG_IGNORE, 0},
    {"older", FLAG_IGNORE_TEXT, 0},
};

/* Reads a command line, whose words blanks part: how many were read, or -1. */
static int read_line(const char *line, struct given *ret, struct err *err)
{
    static char text[100];
    char *words[10] = {NULL};
    size_t count = 0, at = 0;
    snprintf(text, sizeof text, "%s", line);
    for (char *left = text, *word; (word = strsep(&left, " "));)
        words[count++] = word;
    *ret = (struct given){.name = "none"};
    *err = (struct err){0};
    for (; at < count; at++)
        if (flag_read(flags, sizeof flags / sizeof *flags, words, &at, ret, err))
            return -1;
    return (int)at;
}

static void values(void **state)
{
    static const struct {
        const char *line, *name;
        int words;
    } rows[] = {
        {"-name a", "a", 2},          {"--name a", "a", 2},        {"-name=a", "a", 1},
        {"--name=a", "a", 1},         {"--name=", "", 1},          {"--name=a=b", "a=b", 1},
        {"--name -deep", "-deep", 2}, {"-name a -name=b", "b", 3},
    };
    struct given given;
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(read_line(rows[i].line, &given, &err), rows[i].words);
        assert_string_equal(given.name, rows[i].name);
        assert_false(given.deep);
    }
}

static void switches(void **state)
{
    struct given given;
    struct err err;
    (void)state;
    assert_int_equal(read_line("-deep --name b", &given, &err), 3);
    assert_true(given.deep);
    assert_string_equal(given.name, "b");
    assert_int_equal(read_line("--deep --deep=false", &given, &err), 2);
    assert_false(given.deep);
}

static void what_is_ignored(void **state)
{
    struct given given;
    struct err err;
    (void)state;
    assert_int_equal(read_line("--old --older -deep --older=x", &given, &err), 4);
    assert_string_equal(given.name, "none");
    assert_false(given.deep);
}

static void what_is_wrong(void **state)
{
    static const struct {
        const char *line, *text;
    } rows[] = {
        {"--name", "--name needs a value: write one behind it"},
        {"-deep -older", "-older needs a value: write one behind it"},
        {"-nam", "the flag -nam is not known: see the manual page"},
        {"--names=x", "the flag --names=x is not known: see the manual page"},
        {"--", "the flag -- is not known: see the manual page"},
        {"-=", "the flag -= is not known: see the manual page"},
    };
    struct given given;
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(read_line(rows[i].line, &given, &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_string_equal(err.text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(switches),
        cmocka_unit_test(what_is_ignored),
        cmocka_unit_test(what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
