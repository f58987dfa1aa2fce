/* One request on its way to a server and its response: the client behind
 * wasi:http/outgoing-handler. Guests see three sides of it, each of which lives as long as somebody
 * has it: the sink of the request's body, the future of the response, the source of its body.
 *
 * Nothing goes on by itself: whenever one of them is looked at, the client does what can be done
 * without waiting. HTTP/1.1, one request at a time on a connection; an idle one is used again. */
#ifndef CARREL_WASI_HTTP_CLIENT_H
#define CARREL_WASI_HTTP_CLIENT_H

#include "engine/http/body.h"
#include "engine/wasi/ask.h"
#include "engine/wasi/http.h"
#include "engine/wasi/http_wire.h"

enum client_phase {
    CLIENT_LOOKING,    /* the host's name is looked up */
    CLIENT_CONNECTING, /* the connection is on its way, TLS with it */
    CLIENT_AWAITING,   /* the request is being sent, the response's head is not there */
    CLIENT_RESPONDED,  /* it is; the body may come */
    CLIENT_OVER,       /* all of the response was read */
    CLIENT_FAILED,     /* `failure` */
};

/* What waits to be sent, or was sent and may have to be sent again. */
struct client_out {
    uint8_t *at;
    size_t room;
    size_t from; /* the first byte that was not sent */
    size_t to;
};

/* What came and was not read. */
struct client_in {
    uint8_t *at;
    size_t room;
    size_t from;
    size_t to;
};

struct http_client {
    struct wasi_held held; /* its connection, and the pipe */
    struct http_source source;
    struct http_sink sink;
    struct future_response future;
    bool source_lives;
    bool sink_lives;
    bool future_lives;

    enum client_phase phase;
    struct http_failure failure;

    /* Where to. */
    bool secure;
    uint16_t port;
    struct str host; /* a copy; with the brackets of an IPv6 address */
    bool named;      /* it is a name, not an address */
    struct wasi_address addresses[ASK_ADDRESSES];
    uint32_t naddresses;
    uint32_t next_address;
    int pipe; /* through which the addresses come; -1 */

    struct wire wire;
    bool reused;  /* the connection was idle before */
    bool heard;   /* something of the response came */
    bool replays; /* all of the request is in `out`: it may be sent again */
    bool deaf;    /* the server takes nothing more of the request */

    /* Moments, as sys_now; UINT64_MAX: none. And what is allowed, in nanoseconds. */
    uint64_t until;
    uint64_t first_byte;
    uint64_t between_bytes;

    struct client_out out;
    bool chunked;  /* the request's body */
    bool finished; /* all of it is in `out` */
    uint64_t told; /* by the head, if it is not chunked: bytes of it */
    uint64_t put;  /* bytes of it that came so far */
    enum http_method method;

    struct client_in in;
    struct http_head head;
    struct http_field fields[HTTP_MAX_FIELDS];
    struct http_message message;
    struct http_body body;
    uint32_t informed; /* 1xx responses that came before */
    bool in_trailers;  /* the trailer section is being read, as `head` */
    struct fields *trailers;
};

/* Begins: where to, and `out` with the request, are told. What goes wrong is told by its future. */
void client_begin(struct wasi *wasi, struct http_client *client);

/* Goes on as far as it can without waiting. */
void client_advance(struct wasi *wasi, struct http_client *client);

/* Writes what is to be sent. 0 once all is; -EAGAIN; or the connection takes nothing more. */
int client_push(struct http_client *client);

/* Makes room for `more` bytes at the end of `out`. False: no memory. */
bool client_reserve(struct wasi *wasi, struct http_client *client, size_t more);

/* Reads more into `in`: bytes, 0 at the end, or a negated errno. -ENOMEM also beyond `most`. */
int64_t client_pull(struct wasi *wasi, struct http_client *client, size_t most);

/* It ends so, and `failure` is what everybody is told. */
void client_fail(struct http_client *client, enum http_error error);
void client_fail_as(struct http_client *client, const struct http_failure *failure);

/* Its reading failed with this errno, or ended (0). */
void client_fail_read(struct http_client *client, int64_t error);

/* The time that it has is over: then it has failed. */
bool client_late(struct http_client *client);

/* Request and response are done: the connection is kept for another, or closed. */
void client_settle(struct http_client *client);

/* One side of it is gone; with the last, all of it. */
void client_release(struct wasi *wasi, struct http_client *client);

/* Closes what it has outside of the heap (wasi_hold). */
void client_let_go(struct wasi *wasi, struct wasi_held *held);

/* What it waits for; `sends`: only for what is to be sent. */
struct stream_wait client_wait(const struct http_client *client, bool sends);

extern const struct http_sink_ops client_sink;
extern const struct http_source_ops client_source;
extern const struct http_future_ops client_future;

#endif
