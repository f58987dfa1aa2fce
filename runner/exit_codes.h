/* The exit codes of `carrel run`, for help and manual. */
#ifndef CARREL_RUNNER_EXIT_CODES_H
#define CARREL_RUNNER_EXIT_CODES_H

enum {
#define EXIT_CODE(code, what) EXIT_CODE_##code,
#include "runner/exit_codes.def"
    EXIT_CODES
};

struct exit_code {
    const char *code;
    const char *what;
};

static const struct exit_code exit_codes[EXIT_CODES] = {
#define EXIT_CODE(code, what) {#code, what},
#include "runner/exit_codes.def"
};

#endif
