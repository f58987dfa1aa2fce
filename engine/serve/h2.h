/* HTTP/2 (RFC 9113), over a connection whose first bytes are its preface: nghttp2 does frames,
 * header compression and flow control, without a system call and on the server's heap. Each stream
 * is a struct conn of its own whose request is written out as a head of HTTP/1.1 and read by the
 * same reader as all others: what is refused there is refused here. */
#ifndef CARREL_SERVE_H2_H
#define CARREL_SERVE_H2_H

#include "engine/serve/server.h"

#include <nghttp2/nghttp2.h>

/* Which of these a request has (RFC 9113, 8.3.1). */
enum { H2_METHOD, H2_SCHEME, H2_AUTHORITY, H2_PATH, H2_PSEUDO };

/* Fields on their way out, with their texts, in one block. */
struct h2_fields {
    size_t count;
    nghttp2_nv at[];
};

struct h2_stream {
    int32_t id;        /* 0: closed */
    struct conn *conn; /* which it is part of */
    struct h2_stream *before;
    struct h2_stream *after;
    struct h2_stream *ready; /* the next whose head came whole */

    /* The request. */
    struct buffer pseudo; /* texts of the fields below, one after the other */
    struct http_span spans[H2_PSEUDO];
    struct buffer cookie;  /* its parts, put together (8.2.3) */
    struct buffer trailer; /* the trailer section as text */
    bool lined;            /* the request line is written */
    bool counted;          /* as a request of its connection */
    bool over;             /* all of it has come */
    uint16_t refused;      /* with this status; or 0 */
    uint32_t held;         /* bytes of the body that came and were not read */

    /* The response. */
    struct h2_fields *head; /* not yet handed to nghttp2; or NULL */
    struct h2_fields *trailers;
};

/* A connection's. */
struct h2 {
    struct conn *conn;
    nghttp2_session *session;
    struct h2 *before; /* of all */
    struct h2 *after;
    struct h2_stream *streams;
    struct h2_stream *ready;
    struct h2_stream *ready_last;
    struct h2 *dirty; /* the next that has something to send */
    uint32_t requests;
    bool is_dirty;
    bool warned; /* that soon no more requests are taken */
    bool told;   /* that none are */
    bool failed; /* nothing that comes is looked at any more */
};

static inline struct h2 *h2_of(const struct conn *stream)
{
    return stream->carrier ? stream->carrier->h2 : NULL;
}

/* --- Requests: h2_request.c ---------------------------------------------------------------------
 */

/* A field of a head, or of a trailer section. 0, or what nghttp2 is to make of it. */
int h2_field(struct h2_stream *stream, bool trailer, struct str name, struct str value);

/* The head came whole: what of it is still missing is written. */
void h2_close_head(struct h2_stream *stream);

/* Then the request goes to an instance, or is refused. */
void h2_request(struct h2_stream *stream);

/* --- Responses: h2_response.c -------------------------------------------------------------------
 */

/* Hands over what nghttp2 was not given of a response yet. */
void h2_submit(struct h2_stream *stream);

#endif
