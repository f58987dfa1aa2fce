/* Bodies as they arrive (RFC 9112, 6 and 7): a number of bytes, chunks, or everything until the
 * connection ends. The reader keeps no bytes: it says which of those that arrived are data. */
#ifndef CARREL_HTTP_BODY_H
#define CARREL_HTTP_BODY_H

#include "engine/http/message.h"

enum http_body_progress {
    HTTP_BODY_MORE,     /* all that was given is used up; more must arrive */
    HTTP_BODY_DATA,     /* `data` was found; call again */
    HTTP_BODY_TRAILERS, /* the last chunk is read. What follows is a trailer section, of which
                           nothing is used: read it with http_head_read (HTTP_TRAILERS) */
    HTTP_BODY_END,
    HTTP_BODY_BAD, /* `fault` */
};

struct http_body {
    enum http_framing framing;
    enum http_fault fault;
    uint64_t left;   /* bytes of the body, or of the chunk at hand */
    uint32_t excess; /* bytes of extensions, less what data made up for */
    uint16_t line;   /* bytes of the chunk's first line so far */
    uint8_t digits;
    uint8_t state; /* of the chunked coding; body.c */
};

/* The body of a message that was read. */
struct http_body http_body_new(const struct http_message *message);

/* Goes on in `in`, and gives at most `most` bytes of data, which are part of `in`. `used` of the
 * bytes are done with, also where there is no data. If `most` is 0 it goes up to the next data and
 * answers HTTP_BODY_MORE there: what is left of `in` then begins with data. */
enum http_body_progress http_body_read(struct http_body *body, struct bytes in, size_t most,
                                       size_t *ret_used, struct bytes *ret_data);

/* The connection ended: HTTP_BODY_END where that is how the body ends, else HTTP_BODY_BAD
 * (incomplete). */
enum http_body_progress http_body_cut(struct http_body *body);

/* Is it read to its end (of the chunked coding: up to the trailer section)? */
bool http_body_over(const struct http_body *body);

/* --- On the way out -----------------------------------------------------------------------------
 */

enum { HTTP_CHUNK_HEAD = 18 }; /* sixteen digits, CR LF */

/* Writes what stands before a chunk of `size` bytes (not 0): its length. After the data comes
 * HTTP_CHUNK_TAIL; after the last chunk HTTP_LAST_CHUNK, the fields of a trailer section if there
 * are any, and an empty line. */
size_t http_chunk_head(uint64_t size, char ret[HTTP_CHUNK_HEAD]);
#define HTTP_CHUNK_TAIL "\r\n"
#define HTTP_LAST_CHUNK "0\r\n"

#endif
