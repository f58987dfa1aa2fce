/* The command line: what is understood, and how well the rest is refused. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "runner/cli.h"
#include "runner/nearest.h"
#include <string.h>

#define WORDS_MAX 16

static char *words[WORDS_MAX];
static struct cli cli;
static struct err err;

static int parse_words(const char *const *from)
{
    static char copies[WORDS_MAX][256];
    int count = 0;
    for (; from[count]; count++) {
        strcpy(copies[count], from[count]);
        words[count] = copies[count];
    }
    words[count] = NULL;
    cli_free(&cli);
    memset(&err, 0, sizeof err);
    return cli_parse(count, words, &cli, &err);
}

#define PARSE(...) parse_words((const char *const[]){"carrel", __VA_ARGS__, NULL})
#define REFUSED(expected, ...)                                                                     \
    do {                                                                                           \
        assert_int_equal(PARSE(__VA_ARGS__), -1);                                                  \
        assert_int_equal(err.kind, ERR_USAGE);                                                     \
        assert_string_equal(err.text, expected);                                                   \
    } while (0)

static void test_run(void **state)
{
    (void)state;
    assert_int_equal(PARSE("run", "--dir", "a::b", "--env=K=v=w", "--dir=c", "--explain", "x.wasm",
                           "--dir", "-h", "--", "z"),
                     0);
    assert_int_equal(cli.command, CLI_RUN);
    assert_int_equal(cli.given_count, 4);
    assert_int_equal(cli.given[0].flag, FLAG_DIR);
    assert_string_equal(cli.given[0].value, "a::b");
    assert_int_equal(cli.given[1].flag, FLAG_ENV);
    assert_string_equal(cli.given[1].value, "K=v=w");
    assert_string_equal(cli.given[2].value, "c");
    assert_non_null(cli_value(&cli, FLAG_EXPLAIN));
    assert_null(cli_value(&cli, FLAG_FUEL));
    assert_int_equal(cli.operand_count, 5); /* what follows the file is the guest's */
    assert_string_equal(cli.operands[0], "x.wasm");
    assert_string_equal(cli.operands[1], "--dir");
    assert_string_equal(cli.operands[3], "--");
    assert_null(cli.operands[5]);
}

static void test_audit_takes_flags_anywhere(void **state)
{
    (void)state;
    assert_int_equal(PARSE("audit", "a.wasm", "--json", "b.wasm", "--", "--c"), 0);
    assert_int_equal(cli.operand_count, 3);
    assert_string_equal(cli.operands[1], "b.wasm");
    assert_string_equal(cli.operands[2], "--c");
    assert_non_null(cli_value(&cli, FLAG_JSON));
}

static void test_ends_of_flags(void **state)
{
    (void)state;
    assert_int_equal(PARSE("run", "--", "--odd.wasm", "x"), 0);
    assert_string_equal(cli.operands[0], "--odd.wasm");
    assert_int_equal(PARSE("run", "-", "x"), 0);
    assert_string_equal(cli.operands[0], "-");
    assert_int_equal(PARSE("run"), 0);
    assert_int_equal(cli.operand_count, 0);
    assert_int_equal(PARSE("run", "-h"), 0);
    assert_non_null(cli_value(&cli, FLAG_HELP));
    assert_int_equal(PARSE("--version"), 0);
    assert_int_equal(cli.command, CLI_VERSION);
    assert_int_equal(PARSE("--help"), 0);
    assert_int_equal(cli.command, CLI_HELP);
}

static void test_refusals(void **state)
{
    (void)state;
    assert_int_equal(parse_words((const char *const[]){"carrel", NULL}), -1);
    assert_string_equal(err.text, "no command: try `carrel run FILE` or `carrel help`");
    REFUSED("unknown command 'rnu': did you mean 'run'?", "rnu");
    REFUSED("unknown command 'aud': did you mean 'audit'?", "aud");
    REFUSED("unknown command 'xyzzy': `carrel help` lists the commands", "xyzzy");
    REFUSED("unknown command 'a.wasm': to run a component, write `carrel run a.wasm`", "a.wasm");
    REFUSED("unknown flag --dri: did you mean --dir?", "run", "--dri", "x");
    REFUSED("unknown flag --mem: did you mean --memory?", "run", "--mem=5", "x");
    REFUSED("unknown flag --frobnicate: `carrel help run` lists the flags", "run", "--frobnicate");
    REFUSED("unknown flag -x: `carrel help run` lists the flags", "run", "-x");
    REFUSED("`carrel audit` has no flag --explain: `carrel help audit` lists its flags", "audit",
            "--explain");
    REFUSED("--dir needs a value: write --dir HOST::GUEST[:ro]", "run", "--dir");
    REFUSED("--explain takes no value: leave out '=yes'", "run", "--explain=yes");
    REFUSED("--memory is given twice: give it once", "run", "--memory=1M", "--memory", "2M", "x");
}

/* Long or odd words neither overflow anything nor match. */
static void test_long_words(void **state)
{
    (void)state;
    char word[200] = "--";
    memset(word + 2, 'd', sizeof word - 3);
    assert_int_equal(PARSE("run", word), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_int_equal(PARSE(word + 2), -1);
    assert_int_equal(PARSE("run", "--dir=", "x"), 0);
    assert_string_equal(cli.given[0].value, "");
}

static void test_distance(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance("", ""), 0);
    assert_int_equal(nearest_distance("", "abc"), 3);
    assert_int_equal(nearest_distance("abc", "abc"), 0);
    assert_int_equal(nearest_distance("abc", "acb"), 1);
    assert_int_equal(nearest_distance("abcd", "badc"), 2);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
    char word[100];
    memset(word, 'x', sizeof word);
    word[99] = '\0';
    assert_int_equal(nearest_distance(word, "x"), 100);
}

/* The rows themselves: every flag is somebody's, words are unique, help has a full sentence. */
static void test_rows(void **state)
{
    (void)state;
    for (int i = 0; i < CLI_FLAGS; i++) {
        assert_int_not_equal(cli_flags[i].commands, 0);
        assert_int_equal(strncmp(cli_flags[i].word, "--", 2), 0);
        assert_true(strlen(cli_flags[i].word) < 32);
        assert_true(cli_flags[i].what[0] != '\0');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(cli_flags[i].word, cli_flags[j].word);
    }
    for (int i = 0; i < CLI_COMMANDS; i++)
        assert_int_equal(cli_command_named(cli_commands[i].word), i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),           cmocka_unit_test(test_audit_takes_flags_anywhere),
        cmocka_unit_test(test_ends_of_flags), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_long_words),    cmocka_unit_test(test_distance),
        cmocka_unit_test(test_rows),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cli_free(&cli);
    return failed;
}
