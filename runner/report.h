/* What carrel says on standard error and in --status-json. One line for each thing that is said. */
#ifndef CARREL_RUNNER_REPORT_H
#define CARREL_RUNNER_REPORT_H

#include "engine/base/err.h"
#include <stdbool.h>
#include <stddef.h>

/* "carrel: ..." with nothing raw in it: the text may hold names that a component chose. */
void report_line(const char *format, ...) PRINTF(1, 2);

/* A failure, with the file that it is about (or NULL), its kind where that says something, and its
 * place in the file. */
void report_error(const char *file, const struct err *err);

/* How a run ended. */
struct report_end {
    int code;       /* that carrel exits with */
    bool by_guest;  /* the code is the guest's own */
    struct err why; /* otherwise */
};

/* Writes it as one line of JSON; does nothing if `fd` is -1. Failures to write are said on stderr.
 */
void report_status(int fd, const struct report_end *end);

#endif
