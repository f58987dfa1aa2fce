/* The server as its parts see it. */
#ifndef CARREL_SERVE_SERVER_H
#define CARREL_SERVE_SERVER_H

#include "engine/exec/image.h"
#include "engine/serve/conn.h"

/* What an event is about: a connection, whose address is a multiple of 4, or one of these. */
enum { EVENT_CONNECTION, EVENT_LISTENER, EVENT_LEAVE, EVENT_OTHER, EVENT_MASK = 3 };

/* What a connection is given time for; each list is in the order in which time ends. Those that
 * wait for an instance do so as long as it takes. */
enum clock { CLOCK_NONE, CLOCK_QUEUE, CLOCK_IDLE, CLOCK_HEAD, CLOCK_END, CLOCK_LINGER, CLOCKS };

/* An instance, and the request that it has. */
struct seat {
    struct serve_instance instance;
    struct vm_image *image; /* of it at rest; NULL: there is none */
    struct conn *conn;      /* NULL: it is at rest */
    struct cm_call *call;
    struct {
        struct incoming_request *request;
        struct response_outparam *outparam;
    } args;
    uint64_t deadline;   /* as sys_now */
    uint64_t wake;       /* what it waits for is a moment, too */
    uint64_t began;      /* its last run */
    bool woken;          /* it is to be run */
    uint64_t slow_since; /* it waits for its client since then, as sys_now; 0: it does not */
    uint64_t slow_from;  /* conn->traffic then */
    struct seat *next;   /* of those at rest */
};

struct server {
    const struct serve_config *config;
    struct arena arena;
    struct heap heap;
    uint64_t now; /* as sys_now, when the loop came by last */
    bool leaving;
    bool accepting;
    uint32_t connections;
    struct {
        struct conn *first;
        struct conn *last;
    } clocks[CLOCKS];
    struct conn *again; /* that may go on at once, when others had their turn */
    struct conn *gone;  /* to be freed once nobody is looking */
    struct h2 *h2s;     /* connections that speak HTTP/2 */
    struct h2 *dirty;   /* of those: that have something to send */
    struct seat *seats;
    uint32_t nseats; /* made so far */
    uint32_t most;   /* that can be made */
    uint32_t active;
    struct seat *resting;
    struct copy *copies; /* processes that requests have (copy.h); NULL: they have none */
    uint32_t ncopies;
    uint64_t retry;    /* as sys_now: to make one that could not be made; UINT64_MAX: never */
    bool lines;        /* each has one of its own to the shim (shim/protocol.def) */
    int line;          /* or that which all have; -1 */
    struct conn *copy; /* this is such a process, and that its connection; or NULL */
    uint64_t denials;  /* of all that were refused, those that were counted */
    struct buffer log; /* lines that are not written yet */
    struct chacha random;
    int64_t date_at; /* the second that `date` tells */
    char date[30];
    struct http_field fields[HTTP_MAX_FIELDS]; /* of a head that comes whole */
};

/* --- Connections: conn.c ------------------------------------------------------------------------
 */

/* A connection that was accepted, at the socket for numbers and health if `watching`; gone again if
 * there is no memory. */
void conn_new(struct server *server, int fd, bool watching);

/* From now on events tell when something changes; what is there already comes as one. False: they
 * cannot. */
bool conn_listen(struct conn *conn);

/* Does what can be done now. */
void conn_go_on(struct conn *conn);

/* It is closed, and freed later. */
void conn_end(struct conn *conn);

/* Puts it into another list of clocks, from now on. */
void conn_clock(struct conn *conn, enum clock clock);

/* A request's head was read, into conn->head: it goes to an instance, or is refused. */
void conn_request(struct conn *conn);

/* There is no request, or none that can be answered: whatever follows cannot be read. */
void conn_refuse(struct conn *conn, unsigned status);

/* All is sent: what still comes is thrown away for a while, for to close at once could take the
 * last of it away from who has not read it yet. */
void conn_linger(struct conn *conn);

/* --- HTTP/2: h2.c -------------------------------------------------------------------------------
 */

/* The connection speaks it from here on. False: no memory. */
bool h2_begin(struct conn *conn);

/* Bytes that were read before. */
void h2_take(struct conn *conn, const void *from, size_t len);

void h2_go_on(struct conn *conn);
void h2_stream_go_on(struct conn *stream);

/* What belongs to it is given back: of a connection, which ends all its streams; of a stream. */
void h2_end(struct conn *conn);
void h2_stream_end(struct conn *stream);

/* It has something to send, which h2_flush does for all. */
void h2_dirty(struct conn *conn);
void h2_flush(struct server *server);

/* Sends what there is, as far as it goes. */
void h2_send(struct conn *conn);

/* No more requests are taken. */
void h2_leave(struct server *server);

/* --- Instances: seat.c --------------------------------------------------------------------------
 */

/* Gives the request of `conn` to an instance and runs it, or has it wait for one. */
void seat_take(struct server *server, struct conn *conn);

/* Runs it on. */
void seat_run(struct server *server, struct seat *seat);

/* Ends its request with this status, or a body that breaks off. */
void seat_stop(struct server *server, struct seat *seat, unsigned status);

/* Somebody who waits for this descriptor, which is no connection's, may go on. */
void seats_wake(struct server *server, int fd);

/* Gives requests that wait to those at rest. */
void seats_feed(struct server *server);

/* The first instance: whether there can be one. */
int seats_open(struct server *server, struct err *err);

/* The connection goes on in the next round. */
void server_again(struct conn *conn);

/* Serves until it has left, or, in a copy, until its connection has ended. */
void server_loop(struct server *server);

/* The present second as HTTP tells it (RFC 9110, 5.6.7); server.c */
struct str server_date(struct server *server);

#endif
