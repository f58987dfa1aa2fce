/* The lines of a cell: sockets by which the processes that a server makes for requests (--isolation
 * process) ask and tell, one each. Such a process is a copy of the cell with less: what it sends is
 * judged as the cell's is, but costs only itself, and nothing that was made for one line can be had
 * by another. */
#ifndef CARREL_SHIM_LINES_H
#define CARREL_SHIM_LINES_H

#include "shim/protocol.h"
#include <poll.h>

struct line {
    int fd; /* -1: the place is free */
    struct message_counts counts;
};

struct lines {
    struct line at[PROTOCOL_LINES];
    size_t places; /* of these, those that were ever used */
    uint32_t cut;  /* that were cut off, of which was told */
};

struct cell;

void lines_start(struct lines *lines);

/* Another line: its number, and the cell's end of it in *ret_fd; or a negated errno. */
int lines_open(struct lines *lines, int *ret_fd);

/* What poll is to wait for, in the first `places` of *ret; nothing if the cell is not `listened`
 * to.
 */
void lines_wait(const struct lines *lines, bool listened, struct pollfd ret[PROTOCOL_LINES]);

/* Takes what came by the lines of `cell`, a few messages of each. No line must have been opened
 * since lines_wait. */
void lines_act(struct cell *cell, const struct pollfd waits[PROTOCOL_LINES]);

void lines_close(struct lines *lines);

#endif
