/* Starting a cell: the phases SHIM, CLONE and CHILD of an array of operations. */
#ifndef CARREL_SHIM_LAUNCH_H
#define CARREL_SHIM_LAUNCH_H

#include "shim/cgroup.h"
#include "shim/shim.h"
#include <sys/socket.h>

/* Linux 6.16; Debian's headers are older. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/* A process that executes the engine and waits for its order. */
struct launched {
    int pid;
    int pidfd;
    int socket;   /* the shim's end */
    int listener; /* of its system calls (witness.h), or -1 */
};

/* Carries out the array up to the engine's start. What became of the walls is added to *report.
 * Errors: WALL with the wall's name, FAULT. On failure nothing is left of the process. */
int launch(struct shim *shim, const struct plan *plan, struct cgroups *cgroups,
           struct wall_report *report, struct launched *ret, struct err *err);

/* Whether two plans launch cells that are alike: the same operations up to the engine's start. */
bool launch_alike(const struct plan *a, const struct plan *b);

#endif
