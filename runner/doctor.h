/* What `carrel doctor` found, and how it is told. */
#ifndef CARREL_RUNNER_DOCTOR_H
#define CARREL_RUNNER_DOCTOR_H

#include "policies/host.h"
#include "policies/wall.h"
#include <stdio.h>

struct doctor_findings {
    const struct host *host;
    const char *engine; /* its path */
    wall_set standing;
    wall_set missing;
    int errors[WALL_COUNT]; /* errno, of those that are missing */
    const char *lacks;      /* why there is no control group, a static text; or NULL */
    uint64_t mends;         /* what doctor_look() returned */
};

/* The rows of doctor.def that apply to this host, a bit each. To be asked before a cell is tried:
 * the shim of an ordinary user enters a user namespace, which has limits of its own. */
uint64_t doctor_look(void);

/* The walls that are required and cannot be built. */
wall_set doctor_lacks(const struct doctor_findings *findings);

/* The line that mends a missing wall, as far as this host shows what is in its way; the text lies
 * in `ret`. */
const char *doctor_mend(const struct doctor_findings *findings, enum wall wall, char *ret,
                        size_t size);

/* For people: the tier, a line for each wall, and what to do about those that are missing. For
 * programs: one document. -1 if memory ran out. */
int doctor_print_text(const struct doctor_findings *findings, FILE *out);
int doctor_print_json(const struct doctor_findings *findings, FILE *out);

#endif
