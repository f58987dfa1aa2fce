/* Look-ups: for each name that a cell asks for, a resolver in a cell of its own, one at a time. The
 * shim gives it sockets that are connected to the host's nameservers, and takes numbers from it:
 * nothing that came from the network is parsed here (DESIGN §1, law 1). */
#ifndef CARREL_SHIM_LOOKUP_H
#define CARREL_SHIM_LOOKUP_H

#include "policies/cell_plan.h"
#include "shim/cell.h"
#include "shim/hosts.h"
#include <poll.h>

/* What every start writes comes last: in a session it lies beside that of struct tls. */
struct lookups {
    struct cell cell; /* if `active` */
    struct cell_plan plan;
    struct hosts_addresses servers;
    uint8_t seed[32];
    char name[PROTOCOL_NAME + 1];
    const char *arguments[1];
    struct host host;            /* as cells are planned, without control groups */
    const struct policy *policy; /* NULL: there is no resolver */
    struct component nothing;    /* what a resolver is given as its component */
    bool active;                 /* `cell` looks a name up */
    bool by_stream;              /* the resolver asks by TCP, after an answer that was cut */
};

/* No look-ups yet; and with what they are made. `host` is copied, `policy` lives as long. */
void lookups_start(struct lookups *lookups);
void lookups_open(struct lookups *lookups, const struct host *host, const struct policy *policy);
void lookups_close(struct lookups *lookups);

/* Goes on: delivers what is found to `network`, and begins with the next name that it waits for. */
void lookups_advance(struct lookups *lookups, struct network *network, struct shim *shim);

/* What to wait for: a socket and a process; and what to do then. */
void lookups_wait(const struct lookups *lookups, struct pollfd ret[2]);
void lookups_act(struct lookups *lookups, const struct pollfd waits[2]);

/* When the resolver's time is over: CLOCK_MONOTONIC, nanoseconds; UINT64_MAX if there is none. */
static inline uint64_t lookups_deadline(const struct lookups *lookups)
{
    return lookups->active && !cell_gone(&lookups->cell) && !lookups->cell.late
               ? lookups->cell.deadline
               : UINT64_MAX;
}

#endif
