/* The guardian: a tiny process that removes what the kernel does not, should the shim be killed,
 * and the state file that lets the next start do so, should both be.
 *
 * Only control groups need this. Without them the death of the shim is the death of everything:
 * cells die with it, and mounts, namespaces and sockets go with their last user. */
#ifndef CARREL_SHIM_GUARDIAN_H
#define CARREL_SHIM_GUARDIAN_H

#include "shim/cgroup.h"

struct guardian {
    int pidfd;       /* of the process; -1: there is none */
    int pipe;        /* its end tells the guardian that the shim is gone */
    int state;       /* the state file, locked by shim and guardian; -1: there is none */
    int directory;   /* in which it is */
    char place[256]; /* the directory's path */
    char id[64];     /* the file's name */
};

/* No guardian yet. */
struct guardian guardian_none(void);

/* If the plan makes control groups: writes down where (their names begin with `id`), and starts the
 * process. Comes before the groups are made. Does nothing if that was done before. Errors: FAULT.
 */
int guardian_watch(struct guardian *guardian, const struct plan *plan, const char *id,
                   struct err *err);

/* The guardian died (its pidfd says so): starts another. Errors: FAULT. */
int guardian_replace(struct guardian *guardian, struct err *err);

/* The groups are gone: ends the process and removes the state file. With `left`, some are not: the
 * process goes on removing them. */
void guardian_dismiss(struct guardian *guardian, bool left);

/* Removes what is written down in state files that nobody holds any more. Costs one or two system
 * calls where there are none. */
void guardian_sweep(void);

/* Binds a Unix socket and takes its name away again: what is left of that is an O_PATH descriptor
 * to connect to it by (/proc/self/fd), which is returned; -1 with errno on failure. A state file
 * stands for the name while there is one, so that it is swept, too. */
int guardian_bind(int socket);

#endif
