/* wasi:http/types: fields, messages, and their bodies as guests see them. The protocol is
 * elsewhere: whoever carries a message, a server's connection or a client's, provides a source for
 * the body of what comes in and a sink for that of what goes out. Everything here lies on the heap
 * of the store and is counted; what carries a message may end before its last handle is dropped. */
#ifndef CARREL_WASI_HTTP_H
#define CARREL_WASI_HTTP_H

#include "engine/http/head.h"
#include "engine/wasi/pollable.h"

/* --- Fields -------------------------------------------------------------------------------------
 */

struct fields_entry {
    struct str name;  /* as it was given */
    struct str value; /* bytes; in the same block */
};

struct fields {
    uint32_t refs;
    uint32_t handles; /* of these: the guest's, of what a message has, which must not go first */
    bool immutable;   /* it belongs to a message, for ever */
    uint32_t count;
    uint32_t room;
    size_t size; /* bytes of names and values */
    struct fields_entry *at;
};

/* Empty and mutable, with one reference. NULL as wasi_resource. */
struct fields *fields_new(struct wasi *wasi);
struct fields *fields_keep(struct fields *fields);

void fields_release(struct wasi *wasi, struct fields *fields);

/* A handle of what a message has is given to the guest; a handle, also another, ends. */
struct fields *fields_lend(struct fields *fields);
void fields_drop(struct wasi *wasi, struct fields *fields);

/* The same, and it becomes a message's; what another message has is copied. NULL: no memory. */
struct fields *fields_take(struct wasi *wasi, struct fields *fields);

/* Are all handles of what a message has (or NULL) gone? False: trapped. */
bool fields_back(struct vm *vm, const struct fields *fields);

/* Adds a copy at the end; nothing is checked but the limits. False beyond them, or if there is no
 * memory. */
bool fields_add(struct wasi *wasi, struct fields *fields, struct str name, struct str value);

/* Adds what was read of a head or trailer section, without what is the connection's own. */
bool fields_add_read(struct wasi *wasi, struct fields *fields, const struct http_field *read,
                     uint32_t count, struct bytes text);

/* The first entry of that name from place `from`, or `count`. */
uint32_t fields_find(const struct fields *fields, struct str name, uint32_t from);

/* What Content-Length says; UINT64_MAX: there is none, or it is no number. */
uint64_t fields_length(const struct fields *fields);

/* --- What comes in ------------------------------------------------------------------------------
 */

struct http_source;

/* None of these waits. */
struct http_source_ops {
    /* At most `len` (not 0) bytes of the body. 0: all of it was read, trailers too. -EAGAIN.
     * Another negative number: it failed, and `failure` says how. After the end and after a failure
     * it answers the same again. */
    int64_t (*read)(struct wasi *wasi, struct http_source *source, void *to, size_t len);
    /* Would read answer anything but -EAGAIN? */
    bool (*ready)(struct wasi *wasi, struct http_source *source);
    struct stream_wait (*wait)(const struct http_source *source);
    /* After the end: the trailers, with a reference, or NULL if there were none. False: no memory.
     */
    bool (*trailers)(struct wasi *wasi, struct http_source *source, struct fields **ret);
    /* Nobody has it any more; its block is given back by this. */
    void (*release)(struct wasi *wasi, struct http_source *source);
};

struct http_source {
    uint32_t refs;
    const struct http_source_ops *ops;
    struct http_failure failure;
};

void http_source_release(struct wasi *wasi, struct http_source *source);

/* An incoming request or response, but for its first line. */
struct incoming_message {
    uint32_t refs;
    struct bytes text;       /* of its head; a copy */
    struct http_field *read; /* its fields in there */
    uint32_t nread;
    struct fields *headers; /* the same for the guest, once it asked */
    struct http_source *source;
    bool consumed;
};

struct incoming_request {
    struct incoming_message message;
    enum http_method method;
    struct str method_name; /* parts of the text, as the others */
    struct str path;        /* .at NULL: it has none */
    struct str authority;   /* .at NULL: it has none */
    bool secure;
};

struct incoming_response {
    struct incoming_message message;
    uint16_t status;
};

/* A request whose head was read from `text` and found to be good; copied. The reference to `source`
 * becomes its own, also if it answers NULL, as wasi_resource does. `secure`: it came by TLS. */
struct incoming_request *incoming_request_new(struct wasi *wasi, const struct http_head *head,
                                              struct bytes text, bool secure,
                                              struct http_source *source);
struct incoming_response *incoming_response_new(struct wasi *wasi, const struct http_head *head,
                                                struct bytes text, struct http_source *source);
void incoming_message_release(struct wasi *wasi, struct incoming_message *message);

/* --- What goes out ------------------------------------------------------------------------------
 */

struct http_sink;

/* None of these waits. Where a negative number but -EAGAIN is answered `failure` says why. */
struct http_sink_ops {
    /* Bytes that `accept` takes now; 0: it has to wait. At the start at least WASI_HTTP_AHEAD. */
    int64_t (*room)(struct wasi *wasi, struct http_sink *sink);
    /* Takes `len` bytes of the body, at most as many as there was room for; zeroes if `from` is
     * NULL. */
    int (*accept)(struct wasi *wasi, struct http_sink *sink, const uint8_t *from, size_t len);
    /* 0 once everything that was accepted is on its way; -EAGAIN. */
    int (*flush)(struct wasi *wasi, struct http_sink *sink);
    /* There is no more; `trailers` (or NULL) stays the caller's. */
    int (*finish)(struct wasi *wasi, struct http_sink *sink, const struct fields *trailers);
    /* There should be more, but nobody will write it: the message is spoilt. */
    void (*abort)(struct wasi *wasi, struct http_sink *sink);
    struct stream_wait (*wait)(const struct http_sink *sink);
    /* Nobody has it any more; its block is given back by this. */
    void (*release)(struct wasi *wasi, struct http_sink *sink);
};

struct http_sink {
    uint32_t refs;
    bool silent; /* the message has no body, also if it tells a length (RFC 9110, 8.6) */
    const struct http_sink_ops *ops;
    struct http_failure failure;
};

struct outgoing_body {
    uint32_t refs;          /* its handle, its stream, its message */
    struct http_sink *sink; /* NULL as long as its message was not sent */
    uint64_t expected;      /* by Content-Length; UINT64_MAX: nobody said */
    uint64_t written;
    uint8_t *ahead; /* WASI_HTTP_AHEAD bytes, written before it was sent; NULL: none */
    uint32_t nahead;
    bool request; /* of a request, not of a response */
    bool taken;   /* its stream was */
    bool streams; /* and is still there */
    bool finished;
    bool aborted;
    struct fields *trailers;
    struct http_failure failure;
};

struct outgoing_message {
    uint32_t refs;
    struct fields *headers;     /* immutable */
    struct outgoing_body *body; /* NULL as long as nobody asked for it */
};

struct outgoing_request {
    struct outgoing_message message;
    uint8_t method;         /* enum http_method */
    uint8_t scheme;         /* enum http_scheme, or SCHEME_NONE */
    struct str method_name; /* of HTTP_OTHER_METHOD; all texts on the heap, .at NULL: none */
    struct str scheme_name; /* of SCHEME_OTHER */
    struct str path;
    struct str authority;
};

/* wasi:http/types.scheme */
enum http_scheme { SCHEME_HTTP, SCHEME_HTTPS, SCHEME_OTHER, SCHEME_NONE };

struct outgoing_response {
    struct outgoing_message message;
    uint16_t status;
};

/* A message's head is on its way: the body goes into `sink`, whose reference becomes the message's:
 * what was written ahead, and whatever comes. A message without body is finished at once. */
void outgoing_message_send(struct wasi *wasi, struct outgoing_message *message,
                           struct http_sink *sink);
void outgoing_message_release(struct wasi *wasi, struct outgoing_message *message);
void outgoing_request_release(struct wasi *wasi, struct outgoing_request *request);

/* Is all of its body known already? Then how long it is. */
bool outgoing_message_whole(const struct outgoing_message *message, uint64_t *ret_length);

struct request_options {
    /* connect, first byte, between bytes: nanoseconds */
    HOST_OPTION(uint64_t) timeouts[3];
};
enum { TIMEOUT_CONNECT, TIMEOUT_FIRST_BYTE, TIMEOUT_BETWEEN_BYTES };

/* --- Answering a request ------------------------------------------------------------------------
 */

struct http_exchange;

/* What a server's connection does with an answer. */
struct http_exchange_ops {
    /* False: it cannot any more. */
    bool (*inform)(struct wasi *wasi, struct http_exchange *exchange, uint16_t status,
                   const struct fields *headers);
    /* Sends the response: its head, and its body by outgoing_message_send. */
    void (*respond)(struct wasi *wasi, struct http_exchange *exchange,
                    struct outgoing_response *response);
    /* There is none, for this reason (NULL: the guest did not care to say). */
    void (*fail)(struct wasi *wasi, struct http_exchange *exchange, const struct http_failure *why);
};

struct http_exchange {
    const struct http_exchange_ops *ops;
};

/* The resource response-outparam. */
struct response_outparam {
    struct http_exchange *exchange; /* NULL: it is over */
};

struct response_outparam *response_outparam_new(struct wasi *wasi, struct http_exchange *exchange);

/* --- Awaiting a response ------------------------------------------------------------------------
 */

struct future_response;

/* The resource future-incoming-response, as the client makes it. */
struct http_future_ops {
    struct future_ops future; /* ready: there is a response, or a failure */
    /* Once it is ready, at most once: the response, or NULL and why. */
    struct incoming_response *(*get)(struct wasi *wasi, struct future_response *future,
                                     struct http_failure *ret_why);
};

struct future_response {
    uint32_t refs;
    bool taken;
    const struct http_future_ops *ops; /* future.release: nobody has it any more */
};

#endif
