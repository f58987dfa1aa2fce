/* Keepers of stores: for each store that a cell is given a process beside it, which alone opens the
 * file (shim/keeper/). It ends when nobody holds the other end of its socket any more. */
#ifndef CARREL_SHIM_KEEPER_H
#define CARREL_SHIM_KEEPER_H

#include "engine/base/err.h"

#include <stdbool.h>

/* Who waits for a store to be opened still heeds what it is told meanwhile. */
struct keeper_patience {
    int fd;                    /* that can be read when something was told; -1: nothing can be */
    bool (*ended)(void *data); /* looks what it is: true if the wait is over */
    void *data;
};

/* Starts `program` for the store in the file `path`, and waits until it can be used. Returns the
 * socket to it, *ret_pidfd the process; or -1: ABSENT if the store cannot be opened, KILLED if the
 * wait was ended, FAULT. */
int keeper_start(const char *program, const char *path, const struct keeper_patience *patience,
                 int *ret_pidfd, struct err *err);

/* Once the socket is closed everywhere: waits for its end, and makes it if that takes too long. */
void keeper_end(int pidfd);

#endif
