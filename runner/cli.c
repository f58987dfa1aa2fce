/* Parses the command line by the rows of cli.def; see cli.h. Opens nothing, decides nothing. */
#include "runner/cli.h"

#include "engine/base/attr.h"
#include "runner/nearest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct cli_command_info cli_commands[CLI_COMMANDS] = {
#define COMMAND(name, word, operands, tail, line, more)                                            \
    [CLI_##name] = {word, operands, CLI_TAIL_##tail, line, more},
#include "runner/cli.def"
};

const struct cli_flag_info cli_flags[CLI_FLAGS] = {
#define IN(name) CLI_IN(name)
#define FLAG(name, word, argument, commands, times, what)                                          \
    [FLAG_##name] = {word, argument, commands, CLI_##times, what},
#include "runner/cli.def"
#undef IN
};

const struct cli_example cli_examples[CLI_EXAMPLES] = {
#define EXAMPLE(command, line, what) {CLI_##command, line, what},
#include "runner/cli.def"
};

enum cli_command cli_command_named(const char *word)
{
    int i = 0;
    while (i < CLI_COMMANDS && strcmp(cli_commands[i].word, word) != 0)
        i++;
    return (enum cli_command)i;
}

/* What carrel has in the place of what other programs have; NULL if that is nothing. */
static const char *advice_on_command(const char *word)
{
    static const struct {
        const char *word;
        const char *advice;
    } rows[] = {
#define OTHERS_COMMAND(word, advice) {word, advice},
#include "runner/cli.def"
    };
    for (size_t i = 0; i < countof(rows); i++)
        if (strcmp(rows[i].word, word) == 0)
            return rows[i].advice;
    return NULL;
}

static const char *advice_on_flag(enum cli_command command, const char *word)
{
    static const struct {
        unsigned commands;
        const char *word;
        const char *advice;
    } rows[] = {
#define IN(name)                            CLI_IN(name)
#define OTHERS_FLAG(commands, word, advice) {commands, word, advice},
#include "runner/cli.def"
#undef IN
    };
    for (size_t i = 0; i < countof(rows); i++) {
        const char *known = rows[i].word;
        bool letter = known[1] >= 'A' && known[1] <= 'Z';
        if (rows[i].commands >> command & 1 &&
            (letter ? strncmp(known, word, 2) : strcmp(known, word)) == 0)
            return rows[i].advice;
    }
    return NULL;
}

int cli_unknown(const char *word, struct err *err)
{
    const char *best = NULL;
    size_t distance = 0;
    if (strpbrk(word, "./"))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "unknown command '%s': to run a component, write `carrel run %s`", word,
                       word);
    for (int i = 0; i < CLI_COMMANDS; i++)
        nearest_try(word, cli_commands[i].word, &best, &distance);
    if (advice_on_command(word))
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "unknown command '%s': %s", word,
                       advice_on_command(word));
    if (best)
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "unknown command '%s': did you mean '%s'?",
                       word, best);
    return err_set(err, ERR_USAGE, ERR_NOWHERE,
                   "unknown command '%s': `carrel help` lists the commands", word);
}

/* `word` without its value, if it has one. */
static int unknown_flag(enum cli_command command, const char *word, struct err *err)
{
    const char *of = cli_commands[command].word;
    const char *best = NULL;
    size_t distance = 0;
    if (advice_on_flag(command, word))
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "unknown flag %s: %s", word,
                       advice_on_flag(command, word));
    for (int i = 0; i < CLI_FLAGS; i++) {
        if (strcmp(cli_flags[i].word, word) == 0)
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "`carrel %s` has no flag %s: `carrel help %s` lists its flags", of, word,
                           of);
        if (cli_flags[i].commands >> command & 1)
            nearest_try(word, cli_flags[i].word, &best, &distance);
    }
    if (best)
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "unknown flag %s: did you mean %s?", word,
                       best);
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "unknown flag %s: `carrel help %s` lists the flags",
                   word, of);
}

static bool has(const struct cli *cli, enum cli_flag flag)
{
    return cli_value(cli, flag) != NULL;
}

/* Is this word a flag, and not an operand? "-" alone is an operand. */
static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

/* The flag that took the name of a file that is there as its value, where none was left for FILE.
 */
static const struct cli_given *taker(const struct cli *cli)
{
    const struct cli_given *last = cli->given_count ? &cli->given[cli->given_count - 1] : NULL;
    if (!last || cli->operand_count || last->flag == FLAG_OUTPUT)
        return NULL;
    return access(last->value, F_OK) == 0 ? last : NULL;
}

int cli_misused(const struct cli *cli, const char *what, struct err *err)
{
    static const char flags[] = "[FLAG...] ";
    const struct cli_command_info *command = &cli_commands[cli->command];
    const char *operands = command->operands;
    const struct cli_given *took = taker(cli);
    if (strncmp(operands, flags, sizeof flags - 1) == 0)
        operands += sizeof flags - 1;
    if (took)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "%s: %s is the value of %s: write `carrel %s %s VALUE %s`", what,
                       took->value, cli_flags[took->flag].word, command->word,
                       cli_flags[took->flag].word, operands);
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s: write `carrel %s %s`", what, command->word,
                   operands);
}

/* Takes the flag at argv[*at], and its value from there or from the next word. The word after a
 * flag that is not known passes for its value: the flags behind it may say where to tell of the
 * failure. */
static int take_flag(struct cli *cli, char **argv, int *at, struct err *err)
{
    char word[64];
    const char *equals = strchr(argv[*at], '=');
    size_t length = equals ? (size_t)(equals - argv[*at]) : strlen(argv[*at]);
    if (length >= sizeof word)
        length = sizeof word - 1;
    memcpy(word, argv[*at], length);
    word[length] = '\0';
    if (strcmp(word, "-o") == 0) /* as every compiler has it */
        snprintf(word, sizeof word, "--output");

    int flag = 0;
    while (flag < CLI_FLAGS && !(strcmp(cli_flags[flag].word, word) == 0 &&
                                 cli_flags[flag].commands >> cli->command & 1))
        flag++;
    if (flag == CLI_FLAGS) {
        if (!equals && argv[*at + 1] && !is_flag(argv[*at + 1]))
            ++*at;
        return unknown_flag(cli->command, word, err);
    }

    const struct cli_flag_info *info = &cli_flags[flag];
    const char *value = equals ? equals + 1 : "";
    if (equals && !*info->argument)
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s takes no value: leave out '=%s'", word,
                       value);
    if (!equals && *info->argument) {
        value = argv[*at + 1];
        if (!value)
            return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s needs a value: write %s %s", word, word,
                           info->argument);
        ++*at;
    }
    if (info->times == CLI_ONCE && *info->argument && has(cli, (enum cli_flag)flag))
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s is given twice: give it once", word);
    cli->given[cli->given_count++] =
        (struct cli_given){.flag = (enum cli_flag)flag, .value = value};
    return 0;
}

/* Flags and operands from argv[at] on; the operands are moved together, to places already read.
 * Goes on after a mistake, of which the first counts. */
static int take_words(struct cli *cli, int argc, char **argv, int at, struct err *err)
{
    char **operands = argv + at;
    size_t count = 0;
    bool flags = true;
    int failed = 0;
    for (; at < argc; at++) {
        if (flags && strcmp(argv[at], "--") == 0) {
            flags = false;
        } else if (flags && strcmp(argv[at], "-h") == 0) {
            cli->given[cli->given_count++] = (struct cli_given){.flag = FLAG_HELP, .value = ""};
        } else if (flags && is_flag(argv[at])) {
            failed |= take_flag(cli, argv, &at, err);
        } else {
            operands[count++] = argv[at];
            if (cli_commands[cli->command].tail == CLI_TAIL_GUEST)
                while (++at < argc)
                    operands[count++] = argv[at];
        }
    }
    operands[count] = NULL;
    cli->operands = operands;
    cli->operand_count = count;
    return failed;
}

int cli_parse(int argc, char **argv, struct cli *ret, struct err *err)
{
    *ret = (struct cli){.command = CLI_HELP, .operands = argv + argc};
    if (argc < 2)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "no command: try `carrel run FILE` or `carrel help`");
    if (strcmp(argv[1], "--version") == 0) {
        ret->command = CLI_VERSION;
        return 0;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        ret->operands = argv + 2;
        ret->operand_count = (size_t)argc - 2;
        return 0;
    }
    ret->command = cli_command_named(argv[1]);
    if (ret->command == CLI_COMMANDS)
        return cli_unknown(argv[1], err);
    if (cli_commands[ret->command].tail == CLI_TAIL_OTHER) {
        ret->operands = argv + 2;
        ret->operand_count = (size_t)argc - 2;
        return 0;
    }
    ret->given = calloc((size_t)argc, sizeof *ret->given);
    if (!ret->given)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "out of memory: close something and try again");
    return take_words(ret, argc, argv, 2, err);
}

void cli_free(struct cli *cli)
{
    free(cli->given);
    cli->given = NULL;
    cli->given_count = 0;
}

const char *cli_value(const struct cli *cli, enum cli_flag flag)
{
    for (size_t i = 0; i < cli->given_count; i++)
        if (cli->given[i].flag == flag)
            return cli->given[i].value;
    return NULL;
}
