/* Writing heads into a buffer of the caller's. What could break out of its place (a line end in a
 * value, a blank in a target) is refused, whoever checked it before. */
#ifndef CARREL_HTTP_WRITE_H
#define CARREL_HTTP_WRITE_H

#include "engine/http/http.h"

struct http_writer {
    char *at;
    size_t room;
    size_t used; /* beyond `room`: it did not fit, and this much is needed */
    bool bad;    /* something was no token, no value, no target: nothing may be sent */
};

/* Did everything fit, and was all of it allowed? */
static inline bool http_written(const struct http_writer *writer)
{
    return !writer->bad && writer->used <= writer->room;
}

/* "GET /path HTTP/1.1": of an absolute form `target` is the whole of it. */
void http_write_request_line(struct http_writer *writer, struct str method, struct str target);

/* "HTTP/1.1 200 OK"; another status than 100 to 999 is `bad`. */
void http_write_status_line(struct http_writer *writer, unsigned status);

void http_write_field(struct http_writer *writer, struct str name, struct str value);

/* The field Content-Length. */
void http_write_length(struct http_writer *writer, uint64_t length);

/* The empty line that ends a head or a trailer section. */
void http_write_end(struct http_writer *writer);

/* Bytes as they are. */
void http_write(struct http_writer *writer, struct str text);

#endif
