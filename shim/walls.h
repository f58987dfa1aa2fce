/* What became of each wall of one cell. */
#ifndef CARREL_SHIM_WALLS_H
#define CARREL_SHIM_WALLS_H

#include "engine/base/err.h"
#include "policies/operation.h"

struct wall_report {
    wall_set standing;
    wall_set missing;       /* tried, and failed where that is accepted */
    int errors[WALL_COUNT]; /* why: errno */
};

/* An operation succeeded: its wall stands, unless something else of it failed. */
void walls_built(struct wall_report *report, const struct operation *operation);

/* An operation failed with `error` (errno) in the system call `call`. 0 if that is accepted, and
 * the report says so; else -1 and *err names the wall. */
int walls_failed(struct wall_report *report, const struct operation *operation, const char *call,
                 int error, struct err *err);

/* The same for a wall alone, which may not be missing. Always -1. */
int walls_refuse(enum wall wall, const char *call, int error, struct err *err);

#endif
