/* The child of a launch: from the clone to the engine. */
#ifndef CARREL_SHIM_CHILD_H
#define CARREL_SHIM_CHILD_H

#include "policies/operation.h"
#include "shim/cleanup.h"
#include "shim/protocol.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

/* What the child needs, prepared by the shim, and what it leaves there: they share their memory
 * until the child has executed the engine or ended. */
struct child {
    const struct plan *plan;
    int engine;         /* descriptor of the engine's file; as all here, not PROTOCOL_SOCKET */
    int socket;         /* the cell's end */
    int witness;        /* where the listener of WITNESS goes; -1: nowhere */
    const int *cgroups; /* of each CGROUP_ENTER in its order: the open `tasks` */
    uint64_t spaces;    /* CLONE_NEW...: the namespaces that it was cloned into */
    int no_mount_space; /* errno: why CLONE_NEWNS is not; 0: not wanted */
    volatile int pid;   /* the child's own process id, as the shim sees it */
    volatile size_t at; /* the operation that it is at: those before it are done */
    volatile wall_set missing;       /* walls that failed where that is accepted, and why: */
    volatile int errors[WALL_COUNT]; /* errno */
    volatile int failed;             /* the operation that ended the child, or -1 */
    volatile int error;              /* its errno */
    const char *volatile call;       /* the system call that failed last */
};

/* Carries out the operations of phase CHILD, of which the last executes the engine. Runs on a stack
 * of its own; makes system calls and nothing else. `argument` is a struct child. */
_Noreturn void child_run(void *argument);

/* Gives the descriptor at `owner`, which a child needs, a number above PROTOCOL_SOCKET: there it
 * puts its socket. False and errno, and -1 at `owner`, if there was none or no number is left. */
static inline bool child_keeps(int *owner)
{
    if (*owner > PROTOCOL_SOCKET)
        return true;
    int from = take_fd(owner);
    *owner = from < 0 ? -1 : fcntl(from, F_DUPFD_CLOEXEC, PROTOCOL_SOCKET + 1);
    int error = errno;
    if (from >= 0)
        close(from);
    errno = error;
    return *owner >= 0;
}

#endif
