/* Moves one standard stream between the caller's descriptor and a pipe of the cell's. Used where
 * the caller's descriptor may not enter a cell: terminals, and streams that are open both ways.
 *
 * Neither end ever blocks the shim, and O_NONBLOCK is set only on descriptions that are its own. */
#ifndef CARREL_SHIM_PUMP_H
#define CARREL_SHIM_PUMP_H

#include "engine/base/err.h"
#include "shim/terminal.h"
#include <poll.h>
#include <stdbool.h>

#define PUMP_CHUNK 16384

struct pump {
    int source;    /* -1: nothing more will be read */
    int sink;      /* -1: the pump has ended */
    bool output;   /* from the cell to the caller */
    bool terminal; /* the caller's end is one */
    bool filtered; /* what goes to the caller passes the filter */
    bool shared;   /* the caller's end is not a description of the shim's own */
    bool socket;   /* the caller's end is one */
    int lost;      /* errno of a write that failed, for which the rest is lost; or 0 */
    size_t have, sent;
    struct terminal filter;
    char buffer[PUMP_CHUNK + TERMINAL_HELD];
};

/* A pump for standard stream `stream` (0, 1 or 2) of the caller, which is the descriptor `caller`,
 * and the cell's end of its pipe, which is made with `flags` (pipe2). Errors: FAULT. */
int pump_open(struct pump *ret, int stream, int caller, int flags, int *ret_cell, struct err *err);

/* From now on the pump, one of output, lets only plain text through, whatever the caller's end is.
 */
void pump_plain(struct pump *pump);

/* What the pump waits for now: one entry, with descriptor -1 if it has ended. */
struct pollfd pump_wait(const struct pump *pump);

/* Moves what can be moved without blocking. True if something was moved, or the pump has ended. */
bool pump_move(struct pump *pump);

/* True once everything is moved, or nobody wants it. */
static inline bool pump_ended(const struct pump *pump)
{
    return pump->sink < 0;
}

/* Closes both ends, and drops what was typed but not read. */
void pump_close(struct pump *pump);

#endif
