/* TLS: one more cell, for all connections by TLS of one component's cell. It has the certificates
 * that are trusted, and no more of the network than the TCP sockets that the shim gives it; to the
 * component's cell it hands plaintext through a socket of their own. It is launched when the first
 * connection wants it and killed with the session. */
#ifndef CARREL_SHIM_TLS_H
#define CARREL_SHIM_TLS_H

#include "policies/cell_plan.h"
#include "shim/cell.h"
#include <limits.h>
#include <poll.h>

struct tls {
    const struct policy *policy; /* NULL: there is no TLS */
    struct component nothing;    /* what the cell is given as its component */
    const char *certificate;     /* a server's, of the host; or NULL: it serves nobody */
    const char *key;
    bool single; /* it serves one request a connection: no HTTP/2 */
    bool asks;   /* the policy has a rule that can want it for what goes out */
    bool active;
    bool failed; /* it could not be launched, and will not be again */
    char why[sizeof((struct err *)0)->text];
    struct host host; /* as cells are planned, without control groups */
    struct cell cell; /* if `active` */
    struct cell_plan plan;
    char program[PATH_MAX];
};

/* No TLS yet; and with what it is made, if the policy has a rule that can want it, or if it serves:
 * then `certificate` and `key` are set before. `host` is copied, `policy` lives as long. Errors:
 * FAULT, if there is no program that speaks it. */
void tls_start(struct tls *tls);
int tls_open(struct tls *tls, const struct host *host, const struct policy *policy,
             struct shim *shim, struct err *err);
void tls_close(struct tls *tls);

/* Goes on: launches the cell if somebody waits for it, and hands connections over. */
void tls_advance(struct tls *tls, struct network *network, struct shim *shim);

/* Is it there to take connections as a server? */
bool tls_serves(const struct tls *tls);

/* Hands over one: the socket of its client, and the one whose other end the component's cell has.
 * Both stay the caller's. False: there is no room now. */
bool tls_serve(const struct tls *tls, int client, int cell);

/* What to wait for: a socket and a process; and what to do then. */
void tls_wait(const struct tls *tls, const struct network *network, struct pollfd ret[2]);
void tls_act(struct tls *tls, const struct pollfd waits[2]);

#endif
