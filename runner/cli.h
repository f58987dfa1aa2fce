/* The command line: what was asked, before anything is judged or opened. */
#ifndef CARREL_RUNNER_CLI_H
#define CARREL_RUNNER_CLI_H

#include "engine/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_MEMORY_DEFAULT      (UINT64_C(4) << 30)
#define CLI_MEMORY_DEFAULT_TEXT "4G"

enum cli_command {
#define COMMAND(name, word, operands, tail, line, more) CLI_##name,
#include "runner/cli.def"
    CLI_COMMANDS,
    CLI_VERSION /* carrel --version */
};

enum cli_flag {
#define FLAG(name, word, argument, commands, times, what) FLAG_##name,
#include "runner/cli.def"
    CLI_FLAGS
};

enum {
    CLI_EXAMPLES = 0
#define EXAMPLE(command, line, what) +1
#include "runner/cli.def"
};

/* The bit of a command in a set of them: of a row's IN(NAME). `trace` runs, and is wherever `run`
 * is. */
#define CLI_IN(name) (1u << CLI_##name | (CLI_##name == CLI_RUN ? 1u << CLI_TRACE : 0))

enum cli_tail { CLI_TAIL_GUEST, CLI_TAIL_OWN, CLI_TAIL_OTHER };
enum cli_times { CLI_ONCE, CLI_MANY };

struct cli_command_info {
    const char *word;
    const char *operands;
    enum cli_tail tail;
    const char *line;
    const char *more;
};

struct cli_flag_info {
    const char *word; /* with its dashes */
    const char *argument;
    unsigned commands; /* bits by enum cli_command */
    enum cli_times times;
    const char *what;
};

struct cli_example {
    enum cli_command command;
    const char *line; /* for a shell */
    const char *what;
};

extern const struct cli_command_info cli_commands[CLI_COMMANDS];
extern const struct cli_flag_info cli_flags[CLI_FLAGS];
extern const struct cli_example cli_examples[CLI_EXAMPLES];

/* One flag as it was given. */
struct cli_given {
    enum cli_flag flag;
    const char *value; /* "" if it takes none */
    const char *where; /* in which policy file it stands, with the place; NULL: the command line */
};

/* Points into argv, which must live as long. */
struct cli {
    enum cli_command command;
    struct cli_given *given; /* in the order of the command line */
    size_t given_count;
    char **operands; /* NULL-terminated */
    size_t operand_count;
};

/* Reads the command line. May reorder `argv`, and owns nothing but `given`, which is to be freed
 * also after a failure: it then holds the flags that were understood, before the mistake and after
 * it. Errors: USAGE, with the nearest known word where one is near. */
int cli_parse(int argc, char **argv, struct cli *ret, struct err *err);
void cli_free(struct cli *cli);

/* The value of a flag that is given at most once; NULL if it was not. */
const char *cli_value(const struct cli *cli, enum cli_flag flag);

/* The command of that name, CLI_COMMANDS if there is none. */
enum cli_command cli_command_named(const char *word);

/* Says what is wrong with its operands, and how the command is written; and of a file whose name a
 * flag took for its value, so that none was left for FILE. Errors: USAGE, always. */
int cli_misused(const struct cli *cli, const char *what, struct err *err);

/* Says that there is no such command, and which was meant. Errors: USAGE, always. */
int cli_unknown(const char *word, struct err *err);

#endif
