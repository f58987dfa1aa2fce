/* What a head says about its message: where the body ends and whether the connection lives on
 * (RFC 9112, 6 and 9). A message that two readers could understand in two ways is refused. */
#ifndef CARREL_HTTP_MESSAGE_H
#define CARREL_HTTP_MESSAGE_H

#include "engine/http/head.h"
#include "engine/http/syntax.h"

enum http_framing {
    HTTP_NO_BODY,
    HTTP_LENGTH,  /* `length` bytes, not 0 */
    HTTP_CHUNKED, /* chunks, then a trailer section */
    HTTP_CLOSE,   /* of a response: until the connection ends */
};

struct http_message {
    enum http_fault fault; /* if the answer was false */
    enum http_framing framing;
    uint64_t length;      /* of HTTP_LENGTH */
    bool keep_alive;      /* another message may follow on this connection */
    bool expect_continue; /* of a request: the client waits for 100 (Continue) */
    bool upgrade;    /* of a request: it would like another protocol; not having it is no fault */
    bool has_length; /* Content-Length is there, be there a body or not (HEAD, 304) */
    uint64_t told_length;      /* what it says */
    struct http_target target; /* of a request */
    struct str authority;      /* of a request: the target's, else Host's; may be empty in 1.0 */
};

/* Reads the meaning of a request's head. False and `fault` if it has none. */
bool http_request_message(const struct http_head *head, struct bytes buffer,
                          struct http_message *ret);

/* The same of the response to a request of `method`. Of an informational response (1xx) there is
 * no body and another head follows; 101 is a fault, as nothing here asks for an upgrade. */
bool http_response_message(const struct http_head *head, struct bytes buffer,
                           enum http_method method, struct http_message *ret);

/* Do the fields say that the connection ends, or go on, after this message (RFC 9112, 9.3)? */
bool http_keeps_alive(const struct http_head *head, struct bytes buffer);

/* Does a response of this status to a request of this method have a body at all? (RFC 9110, 6.4.1)
 */
bool http_has_body(unsigned status, enum http_method method);

/* A status whose response a server sends without content, and says so (RFC 9110, 15.3.6): who reads
 * one knows no such exception (RFC 9112, 6.3). */
enum { HTTP_RESET_CONTENT = 205 };

/* May a response of this status say how long it is as its handler would have it? (RFC 9110, 8.6) */
bool http_tells_length(unsigned status);

#endif
