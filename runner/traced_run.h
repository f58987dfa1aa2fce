/* A run, or a server, that `carrel trace` or `carrel serve --trace` watches. */
#ifndef CARREL_RUNNER_TRACED_RUN_H
#define CARREL_RUNNER_TRACED_RUN_H

#include "runner/trace_report.h"

struct traced_run {
    struct trace trace;
    struct network_uses uses;
};

/* Before the component is examined: its cell may have to be launched in another way. Always to be
 * followed by traced_run_close. Errors: FAULT; those of trace_suggest, as far as they can be known.
 */
int traced_run_open(struct traced_run *run, struct examiner *examiner,
                    const struct options *options, struct err *err);

/* session_run, watched. When it is over, what was used is printed, and the policy written that
 * --suggest asks for. Errors: those of trace_suggest. */
int traced_run(struct traced_run *run, struct examiner *examiner, const struct options *options,
               const char *path, const struct examined *of, struct outcome *ret, struct err *err);

void traced_run_close(struct traced_run *run);

#endif
