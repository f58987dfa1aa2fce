/* `carrel help`, made from the rows of cli.def. */
#ifndef CARREL_RUNNER_HELP_H
#define CARREL_RUNNER_HELP_H

#include "runner/cli.h"
#include <stdio.h>

/* All commands, or one of them with its flags. Lines of at most 80 columns, but for examples. */
void help_all(FILE *out);
void help_command(FILE *out, enum cli_command command);

/* The reference of policy files, from the rows of policy_key.def and capability.def. */
void help_policy(FILE *out);

#endif
