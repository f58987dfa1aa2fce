/* What a run or a server puts into the audit log besides its denials: that it began, and how it
 * ended. */
#ifndef CARREL_RUNNER_RECORD_H
#define CARREL_RUNNER_RECORD_H

#include "runner/examine.h"
#include "shim/audit_log.h"

/* Opens the log that the options name, if they do; it is always to be closed by record_end. Errors:
 * USAGE, FAULT. */
int record_open(const struct options *options, struct audit_log *ret, struct err *err);

void record_begin(const struct audit_log *log, const char *path, const struct examined *of);

/* `why` may be NULL. */
void record_end(struct audit_log *log, const char *path, int code, const struct err *why);

#endif
