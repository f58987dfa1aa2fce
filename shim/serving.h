/* What a cell that serves needs of its shim: the socket that listens, a pipe whose end says that no
 * more requests are to be taken, and a page in which the shim counts time. The shim reads nothing
 * of it; it accepts only where there is TLS, so that each client comes to the cell that speaks it.
 */
#ifndef CARREL_SHIM_SERVING_H
#define CARREL_SHIM_SERVING_H

#include "engine/base/err.h"
#include "policies/net.h"

/* Time is counted in units of 2 to this power nanoseconds. */
#define SERVING_TICK_SHIFT 26

struct serving {
    int listener; /* the cell's: where clients come, or what TLS makes of them */
    int front;    /* where clients come that speak TLS; -1: none do */
    int back;     /* of `listener` then: what is connected to it, as O_PATH */
    int held[2];  /* a client and its way to the cell, for which there was no room yet; or -1 */
    int watch;    /* where numbers and health are asked for; -1: nowhere */
    int counters; /* a file in memory in which servers count; -1: they do not */
    int log;      /* lines about requests go there; -1: nowhere */
    int leave[2]; /* a pipe; [1] is closed to say so, and -1 then */
    int ticks;
    volatile uint32_t *page;
    uint64_t worker;             /* which one of those beside each other */
    uint64_t grace;              /* nanoseconds that the cell has for the requests at work */
    void (*rests)(void);         /* once the cell has begun and nothing is in a hurry; or NULL */
    char address[NET_TEXT_MAX];  /* where it listens */
    char watch_at[NET_TEXT_MAX]; /* where numbers are asked for */
};

/* Nothing of it is there yet. */
void serving_start(struct serving *serving);

/* Listens at `address`, or takes over the socket that systemd listens with (LISTEN_FDS), if there
 * is one. Errors: FAULT. */
int serving_listen(struct serving *serving, const struct net_address *address, struct err *err);

/* Listens at `address` for who asks for numbers and health. Errors: FAULT. */
int serving_watch(struct serving *serving, const struct net_address *address, struct err *err);

/* Appends a line for each request to the file `path`, which may be a FIFO. Errors: ABSENT. */
int serving_log(struct serving *serving, const char *path, struct err *err);

/* Clients speak TLS: what listens is the shim's, and the cell gets another socket. Before
 * serving_open. */
void serving_secure(struct serving *serving);

/* Accepts clients and hands each to the cell that speaks TLS, with a socket that is connected to
 * the component's. */
struct tls;
void serving_accept(struct serving *serving, const struct tls *tls);

/* Makes the rest, for one cell. Errors: FAULT. */
int serving_open(struct serving *serving, struct err *err);

/* The cell is told to take no more requests; once. False if it was told before. */
bool serving_leave(struct serving *serving);

/* Counts on to `now` (CLOCK_MONOTONIC in nanoseconds). Once it has, `rests` is called. */
void serving_tick(struct serving *serving, uint64_t now);

void serving_close(struct serving *serving);

#endif
