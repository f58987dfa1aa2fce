/* Keepers of stores: for each store that a cell is given a process beside it, which alone opens the
 * file (shim/keeper/). It ends when nobody holds the other end of its socket any more. */
#ifndef CARREL_SHIM_KEEPER_H
#define CARREL_SHIM_KEEPER_H

#include "engine/base/err.h"

/* Starts `program` for the store in the file `path`, and waits until it can be used. Returns the
 * socket to it, *ret_pidfd the process; or -1: ABSENT if the store cannot be opened, FAULT. */
int keeper_start(const char *program, const char *path, int *ret_pidfd, struct err *err);

/* Once the socket is closed everywhere: waits for its end, and makes it if that takes too long. */
void keeper_end(int pidfd);

#endif
