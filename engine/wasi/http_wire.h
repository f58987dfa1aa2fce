/* A connection to an HTTP server: a TCP socket, or the socket of the cell that speaks TLS for this
 * one. What comes through the latter is packed in records (shim/protocol.def, `secured`), so that
 * it is known how the connection ended: a body that lasts until the end must not be cut short by
 * whoever sits on the line. */
#ifndef CARREL_WASI_HTTP_WIRE_H
#define CARREL_WASI_HTTP_WIRE_H

#include "engine/wasi/http_failure.h"

/* The head of a record of TLS; its fields are those of protocol.def. */
struct wire_record {
    uint16_t kind; /* ASK_SECURED_... */
    uint16_t code; /* of a failure: enum http_error; of an alert its number besides */
    uint32_t size; /* of the data that follow */
};

struct wire {
    int fd; /* -1: there is none */
    bool secure;
    bool ended;      /* nothing comes any more, by the other side's will */
    uint8_t nrecord; /* bytes of `record` that are here */
    uint32_t left;   /* bytes of the data of the record at hand */
    struct wire_record record;
    struct http_failure failure; /* how TLS failed, once wire_read answered -EPROTO */
};

static inline bool wire_open(const struct wire *wire)
{
    return wire->fd >= 0;
}

void wire_close(struct wire *wire);

/* Is it there? -EAGAIN: on its way; 0; or why not: -EPROTO is `failure`'s. Only of TLS: a TCP
 * socket is there once it can be written. */
int wire_secured(struct wire *wire);

/* As read and write of a socket that never blocks. -EPROTO: TLS failed. 0 from wire_read is the end
 * as the other side wished it; -ECONNRESET that of a TLS connection that nobody closed. */
int64_t wire_read(struct wire *wire, void *to, size_t len);
int64_t wire_write(struct wire *wire, const void *from, size_t len);

/* Would the next bytes that the other side sends be the first of an answer? Of a connection that
 * was idle: whether it still is. */
bool wire_idle(struct wire *wire);

/* --- Idle connections ---------------------------------------------------------------------------
 * They outlive the instance that made them, and are the same for every instance of this component.
 */

struct wire_origin {
    bool secure;
    uint16_t port;
    struct str host; /* as the request names it */
};

/* Keeps the connection, which is taken over, for the next request to this origin. The oldest is
 * closed where there is no room. */
void wire_park(struct wire *wire, const struct wire_origin *origin);

/* One that is still open, or a wire without. */
struct wire wire_reuse(const struct wire_origin *origin);

#endif
