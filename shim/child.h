/* The child of a launch: from the clone to the engine. */
#ifndef CARREL_SHIM_CHILD_H
#define CARREL_SHIM_CHILD_H

#include "policies/operation.h"
#include <stdint.h>

/* What the child needs, prepared by the shim, and what it leaves there: they share their memory
 * until the child has executed the engine or ended. */
struct child {
    const struct plan *plan;
    int engine;                      /* descriptor of the engine's file; not PROTOCOL_SOCKET */
    int socket;                      /* the cell's end; not PROTOCOL_SOCKET */
    int witness;                     /* where the listener of WITNESS goes; -1: nowhere */
    const int *cgroups;              /* of each CGROUP_ENTER in its order: the open `tasks` */
    uint64_t spaces;                 /* CLONE_NEW...: the namespaces that it was cloned into */
    int no_mount_space;              /* errno: why CLONE_NEWNS is not; 0: not wanted */
    volatile int pid;                /* the child's own process id, as the shim sees it */
    volatile size_t at;              /* the operation that it is at: those before it are done */
    volatile wall_set missing;       /* walls that failed where that is accepted, and why: */
    volatile int errors[WALL_COUNT]; /* errno */
    volatile int failed;             /* the operation that ended the child, or -1 */
    volatile int error;              /* its errno */
    const char *volatile call;       /* the system call that failed last */
};

/* Carries out the operations of phase CHILD, of which the last executes the engine. Runs on a stack
 * of its own; makes system calls and nothing else. `argument` is a struct child. */
_Noreturn void child_run(void *argument);

#endif
