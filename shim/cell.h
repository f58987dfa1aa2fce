/* One cell, from its launch to its end, as the shim sees it. */
#ifndef CARREL_SHIM_CELL_H
#define CARREL_SHIM_CELL_H

#include "policies/demand.h"
#include "shim/launch.h"
#include "shim/lines.h"
#include "shim/network.h"
#include "shim/order.h"
#include "shim/outcome.h"

#include <poll.h>

/* What a start writes comes first and lies together, and what it writes of `lines` (their end) and
 * of `outcome` (its front) too: a page that is touched for the first time costs microseconds. */
struct cell {
    enum cell_state state;
    struct launched process; /* socket and pidfd are -1 once they are closed */
    struct cgroups cgroups;
    const struct component *component;
    const struct plan *plan; /* of its role */
    struct order order;
    bool ordered;      /* the order is on its way whole */
    uint64_t deadline; /* CLOCK_MONOTONIC, nanoseconds; UINT64_MAX: none */
    bool late;         /* it has passed */
    bool leaving;      /* it serves, and was told to take no more requests */
    uint64_t grace;    /* the time that it has to end then; nanoseconds */
    bool answered;     /* by a reader or resolver */
    struct message_counts counts;
    uint32_t request_traps;      /* told */
    const struct audit_log *log; /* where denials are told; or NULL */
    struct demand *demand;       /* where a reader's answer goes; or NULL */
    struct grants grants;
    struct lines lines;
    struct outcome outcome;
    struct network network;
    struct message_resolved resolved; /* a resolver's answer, if `answered` */
};

/* A cell that is none yet: gone, holding nothing. */
void cell_start(struct cell *cell);

/* Launches a cell that waits. On failure nothing is left of it. `plan` is used only during the
 * call.
 */
int cell_launch(struct cell *cell, struct shim *shim, const struct plan *plan, struct err *err);

/* Makes the grants and the order of `plan` and begins to send them. `component` and `plan` must
 * live as long as the cell. */
int cell_order(struct cell *cell, const struct plan *plan, const struct component *component,
               struct err *err);

/* Sends more of the order, when the socket has room. */
void cell_send(struct cell *cell);

/* Takes what the cell has sent, at most a few messages at a time, and acts on it. */
void cell_receive(struct cell *cell);

/* Both, as poll(2) says of the socket. */
void cell_hear(struct cell *cell, short events);

/* A cell that is only asked, as a resolver is: what it waits for, or nothing if it is not `active`,
 * and what to do then. `sends`: there is something for it. */
void cell_wait(const struct cell *cell, bool active, bool sends, struct pollfd ret[2]);
void cell_act(struct cell *cell, const struct pollfd waits[2]);

/* A request ended in a trap, while others go on: that is told, not too often. */
void cell_request_trap(struct cell *cell, const struct message_request_trap *request);

/* Does it tell of its instructions, all of which are wanted? It is read to its end before it is
 * buried. */
bool cell_traces(const struct cell *cell);

/* Is there no room for more of that on standard error? Until there is, it is not read. */
bool cell_held(const struct cell *cell);

/* Nanoseconds for which the cell is not listened to, because it asked too often; 0: it is. */
uint64_t cell_pause(struct cell *cell, uint64_t now);

/* Kills the cell, if it is not dead. */
void cell_kill(struct cell *cell);

/* The cell, which serves, was told to take no more requests, and has this long to end
 * (nanoseconds): from now on, or once it is locked. */
void cell_leave(struct cell *cell, uint64_t grace);

/* Kills the cell if its time is over. Its output has no longer to arrive than the cell has. */
void cell_check_time(struct cell *cell, uint64_t now);

/* The cell is dead (its pidfd says so): reaps it, removes its groups, and completes its outcome. */
void cell_bury(struct cell *cell);

/* Whether nothing is left of the process. */
static inline bool cell_gone(const struct cell *cell)
{
    return cell->process.pidfd < 0;
}

/* Kills, reaps and frees whatever there is. What then is left in `cgroups` could not be removed. */
void cell_close(struct cell *cell);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t cell_now(void);

#endif
