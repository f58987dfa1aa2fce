/* Being watched: what is counted, a line for each request, and the socket at which numbers and
 * health are asked for. Nothing of it costs anything where nobody asked for it. */
#ifndef CARREL_SERVE_WATCH_H
#define CARREL_SERVE_WATCH_H

#include "engine/serve/server.h"

enum counter {
#define COUNTER(name, family, label, what) COUNTER_##name,
#define GAUGE(name, family, what)          COUNTER_##name,
#define BUCKET(name, nanoseconds, seconds) COUNTER_##name,
#include "engine/serve/counter.def"
    COUNTER_NANOSECONDS, /* of all requests together */
    COUNTERS
};

/* The server begins: its counters are its own. */
void watch_open(struct server *server);

/* One more, or `by`; nothing if nobody counts. */
void watch_count(struct server *server, enum counter counter, uint64_t by);

/* A request's head was read, or is none: what the line about it needs later. */
void watch_begin(struct conn *conn);

/* The request is over, and so is its response. */
void watch_end(struct conn *conn);

/* Writes the lines that have come together. */
void watch_flush(struct server *server);

/* Answers what came to the socket for numbers and health. */
void watch_answer(struct conn *conn);

#endif
