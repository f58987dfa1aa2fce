/* A connection and the request that is at work on it. Requests of one connection are answered one
 * after the other, in the order in which they come (RFC 9112, 9.3.2).
 *
 *   IDLE -> HEAD -> (QUEUED ->) ACTIVE -> ENDING -> IDLE, or LINGERING, or gone
 *
 * A stream of HTTP/2 is a struct conn, too, without a descriptor: it goes from HEAD to ENDING once.
 *
 * What a guest holds of a request, a source and a sink, lies on the guest's heap and knows the
 * connection only as long as the request is at work. */
#ifndef CARREL_SERVE_CONN_H
#define CARREL_SERVE_CONN_H

#include "engine/http/body.h"
#include "engine/serve/serve.h"
#include "engine/wasi/http.h"

enum {
#define SERVE_LIMIT(name, number, what) SERVE_##name = number,
#include "engine/serve/limits.def"
};

enum conn_state {
    CONN_IDLE,      /* no byte of a request has come */
    CONN_HEAD,      /* some of its head */
    CONN_QUEUED,    /* it waits for an instance */
    CONN_ACTIVE,    /* an instance has it */
    CONN_ENDING,    /* it is answered: what is left of both messages goes its way */
    CONN_H2,        /* it speaks HTTP/2; its requests are streams, which have states of their own */
    CONN_LINGERING, /* our side is closed; what still comes is thrown away (RFC 9112, 9.6) */
    CONN_GONE,
};

/* Of a stream: whoever waits for it is woken by its connection. */
#define CONN_NO_FD (-1)

/* What ends the body of a response. */
enum framing {
    FRAMING_OPEN,    /* not said yet: the head is not complete */
    FRAMING_NONE,    /* there is no body, whatever the guest writes */
    FRAMING_LENGTH,  /* Content-Length */
    FRAMING_CHUNKED, /* chunks */
    FRAMING_CLOSE,   /* the connection's end */
};

/* Bytes on their way, from `at` to `len`. */
struct buffer {
    uint8_t *bytes;
    uint32_t at;
    uint32_t len;
    uint32_t room;
};

enum { BODY_COMES, BODY_TRAILS, BODY_OVER, BODY_FAILED };

struct request_source {
    struct http_source source;
    struct conn *conn; /* NULL: the request is over */
};

struct response_sink {
    struct http_sink sink;
    struct conn *conn; /* NULL: the request is over */
};

struct conn {
    struct server *server;
    int fd;
    uint8_t state;
    bool readable; /* as far as is known, as the next */
    bool writable;
    bool listened;       /* events tell when something changes */
    bool hung_up;        /* the kernel says that the other side has ended, or will have */
    bool ended;          /* the other side sends no more */
    bool broken;         /* nothing can be sent any more */
    uint8_t clock;       /* which list of clocks it stands in */
    uint64_t since;      /* it stands there */
    struct conn *before; /* in that list */
    struct conn *after;
    struct conn *next; /* of those that may go on, or are gone */
    bool again;        /* it may go on */
    bool virgin;       /* no request has come yet: it may still be one of HTTP/2 */

    /* Being watched: watch.h. */
    bool watching;  /* it asks for numbers or health, not for the component */
    bool noted;     /* a request has begun that is to be told of */
    uint64_t began; /* then */
    char *note;     /* method and target; or NULL */
    uint32_t note_method;
    uint32_t note_len;

    /* HTTP/2: h2.h. */
    struct h2 *h2;            /* of a connection that speaks it; or NULL */
    struct h2_stream *stream; /* of a stream; or NULL */
    struct conn *carrier;     /* of a stream: its connection; NULL: that has ended */

    /* The request. */
    struct buffer in;
    struct http_head head;
    struct http_field *fields; /* its own, if the head did not come whole; or NULL */
    struct http_message message;
    struct http_body body;
    uint8_t body_state;
    bool continued;      /* 100 (Continue) was sent, or nobody waits for it */
    uint64_t passed;     /* bytes of the body that nobody wanted */
    uint8_t body_error;  /* of BODY_FAILED: enum http_error */
    uint64_t body_bytes; /* read so far */
    struct http_head trailer;
    struct http_field *trailer_fields; /* or NULL */
    uint32_t trailer_at;               /* in `in` */
    struct seat *seat;
    struct request_source *source; /* the guest's; or NULL, as the next */
    struct response_sink *sink;
    struct http_exchange exchange;

    /* The response. */
    struct buffer out;
    uint32_t extra;   /* bytes of heads in `out` */
    uint32_t reserve; /* bytes before the data at hand, for what has to stand there; 0: none */
    uint32_t reserve_at;
    uint8_t framing;
    bool head_open;   /* what the reserve is for: the end of the head, too */
    bool answered;    /* its head is in `out`, or sent */
    bool sent;        /* some of it */
    bool committed;   /* the guest was told that some of it was sent, or it was */
    bool whole;       /* all of it is in `out`, or sent */
    bool closing;     /* it is the last one on this connection */
    bool cut;         /* it ends before it is whole, so nothing but its end may follow */
    bool told_length; /* the guest set Content-Length */
    uint64_t told;    /* to this */
    uint64_t given;   /* bytes of the response's body so far */
    bool moved;       /* something was sent since anybody looked */
    uint16_t why;     /* the status if there is no response; 0: 500 */
    uint16_t status;
    uint64_t skipped; /* bytes of a body that a response has not */
    uint64_t traffic; /* bytes that came or went */
    uint8_t tried;    /* how often no process could be made for it */
    uint64_t looked;  /* bytes of heads that were looked at without being taken, also again */
};

/* --- Input: input.c -----------------------------------------------------------------------------
 */

/* Reads what has come into `in`, at most what there is room for. Above 0: bytes; 0: the other side
 * has ended; -EAGAIN; -ENOMEM and other errors: the connection is of no use. */
int64_t conn_fill(struct conn *conn, uint32_t room);

/* The same, to another place; `len` is not 0. */
int64_t conn_read(struct conn *conn, void *to, size_t len);

/* Has a body begun? Then how the head's says it is read. */
void conn_body_begin(struct conn *conn);

/* As http_source_ops.read; conn->body_error says how it failed. */
int64_t conn_body_read(struct conn *conn, void *to, size_t len);

/* Makes the guest's source of the body. NULL: no memory. */
struct http_source *request_source_new(struct wasi *wasi, struct conn *conn);

/* --- Output: output.c ---------------------------------------------------------------------------
 */

/* Sends what is in `out`, as much as can be. */
void conn_send(struct conn *conn);

/* Sends what the guest has written so far. */
void conn_push(struct conn *conn);

/* Puts a short response of the server's own into `out`, instead of any that was not sent yet; the
 * connection is closed after it, unless the request was read whole. */
void conn_answer(struct conn *conn, unsigned status);

/* The guest will write no more, whether it meant to or not. Sees to it that the response is right,
 * or cannot be taken for it. */
void conn_settle(struct conn *conn);

extern const struct http_exchange_ops conn_exchange;

/* --- Streams: h2.c, h2_request.c, h2_response.c -------------------------------------------------
 */

/* Has all of the body come? Then body_state says what is left to read. */
bool h2_over(struct conn *stream);

/* The guest has read so much of what lies in `in`: the client may send as much again. */
void h2_consumed(struct conn *stream, size_t len);

/* Status and fields of the response; of one on the way, which is sent at once. `headers` may be
 * NULL. False: no memory, or it is gone. */
bool h2_head(struct conn *stream, unsigned status, const struct fields *headers);
bool h2_inform(struct conn *stream, unsigned status, const struct fields *headers);
bool h2_trailers(struct conn *stream, const struct fields *trailers);

/* As conn_send. */
void h2_push(struct conn *stream);

/* --- Bytes on their way: buffer.c ---------------------------------------------------------------
 */

/* Room for `more` bytes at the end. False: no memory. */
bool buffer_room(struct buffer *buffer, struct heap *heap, size_t more);
bool buffer_put(struct buffer *buffer, struct heap *heap, const void *from, size_t len);
void buffer_free(struct buffer *buffer, struct heap *heap);

static inline uint32_t buffer_left(const struct buffer *buffer)
{
    return buffer->len - buffer->at;
}

/* What is left, also of one without a block. */
static inline struct bytes buffer_text(const struct buffer *buffer)
{
    static const uint8_t none[1]; /* before the first byte; text always lies somewhere */
    return (struct bytes){buffer->bytes ? buffer->bytes + buffer->at : none, buffer_left(buffer)};
}

#endif
