/* What carrel says on standard error and in --status-json. One line for each thing that is said. */
#ifndef CARREL_RUNNER_REPORT_H
#define CARREL_RUNNER_REPORT_H

#include "runner/examine.h"
#include "shim/outcome.h"

/* "carrel: ..." with nothing raw in it: the text may hold names that a component chose. */
void report_line(const char *format, ...) PRINTF(1, 2);

/* A failure, with the file that it is about (or NULL), its kind where that says something, and its
 * place in the file. Returns the exit code of the kind. */
int report_error(const char *file, const struct err *err);

/* A run that does not begin: why, and all that the component imports which nobody provides, or with
 * another type, a line for each interface. `of` may hold less than a verdict, or be NULL. */
void report_refusal(const char *file, const struct err *err, const struct examined *of);

/* Why a cell ended: the failure and a backtrace, or, if its guest ended itself, what an exit code
 * has no room for. */
void report_outcome(const char *file, const struct outcome *outcome);

/* The end of a run as one line of JSON on `fd`; nothing if that is -1. `why` is NULL if the code is
 * the guest's own; `number` is the signal that was the cause, or 0. */
void report_status(int fd, int code, const struct err *why, int number);

#endif
