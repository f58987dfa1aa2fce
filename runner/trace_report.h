/* `carrel trace`: what a run used, what it was given for nothing, and the smallest policy that it
 * needs. */
#ifndef CARREL_RUNNER_TRACE_REPORT_H
#define CARREL_RUNNER_TRACE_REPORT_H

#include "runner/examine.h"
#include "runner/trace.h"

/* What a run was seen to use. */
struct traced {
    const char *path;
    const struct options *options;
    const struct examined *of;
    const struct trace *trace;
    const struct network_uses *uses;
};

/* Prints it on standard error. Returns how many system calls were seen that the audit does not
 * list, which should be none. */
size_t trace_report(const struct traced *traced);

/* Could it be written there? What can be known before the run: nothing is there, but the folder.
 * Errors: USAGE. */
int trace_may_suggest(const char *path, struct err *err);

/* Writes the policy to `path`, which must not be there. Errors: USAGE. */
int trace_suggest(const struct traced *traced, const char *path, struct err *err);

#endif
