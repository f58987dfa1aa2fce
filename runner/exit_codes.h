/* The exit codes that are carrel's, for help and manual. */
#ifndef CARREL_RUNNER_EXIT_CODES_H
#define CARREL_RUNNER_EXIT_CODES_H

#include "runner/cli.h"

struct exit_code {
    int code;
    unsigned commands; /* bits by enum cli_command */
    const char *what;
};

static const struct exit_code exit_codes[] = {
#define IN(name)                        CLI_IN(name)
#define EXIT_CODE(code, commands, what) {code, commands, what},
#include "runner/exit_codes.def"
#undef IN
};

#define EXIT_CODES (sizeof exit_codes / sizeof *exit_codes)

/* What stands above the list of those of a command. */
static inline const char *exit_codes_title(enum cli_command command)
{
    return CLI_IN(RUN) >> command & 1
               ? "The guest's own, 0 to 255, and where they are carrel's a line on standard error "
                 "says so:"
               : "0, or carrel's own, and then a line on standard error says why:";
}

#endif
