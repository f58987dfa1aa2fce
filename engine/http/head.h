/* Heads of HTTP/1.1 messages (RFC 9112, 2 to 5): the request line or status line and the fields,
 * and trailer sections, which are fields alone.
 *
 * The caller gathers bytes in a buffer of its own and calls http_head_read after each read, always
 * from the first byte of the head: the reader remembers how far it came and looks at no byte twice.
 * The buffer may move between calls, as places are told as offsets. Nothing is copied, nothing is
 * allocated; the table of fields is the caller's.
 *
 * Strict where messages could be read in two ways: every line ends in CR LF and no CR stands
 * anywhere else, no line goes on in the next, no blank before the colon, no control characters. */
#ifndef CARREL_HTTP_HEAD_H
#define CARREL_HTTP_HEAD_H

#include "engine/http/field.h"
#include "engine/http/http.h"

enum http_kind { HTTP_REQUEST, HTTP_RESPONSE, HTTP_TRAILERS };

enum http_progress {
    HTTP_MORE, /* not all of it is there */
    HTTP_DONE,
    HTTP_BAD, /* the message has a fault; nothing more of the connection can be read */
};

struct http_span {
    uint32_t at; /* from the first byte of the head */
    uint32_t len;
};

struct http_field {
    struct http_span value; /* without blanks around it */
    uint32_t name;          /* offset */
    uint16_t name_len;
    uint8_t known; /* enum http_known */
};

struct http_head {
    /* The caller's. */
    enum http_kind kind;
    struct http_field *fields;
    uint32_t room; /* fields that `fields` has room for, at most HTTP_MAX_FIELDS are used */
    uint32_t most; /* bytes that the head may take, at most HTTP_MAX_HEAD */

    /* The reader's. */
    uint32_t seen; /* bytes in which no end of the line at hand is */
    uint32_t line; /* where that line begins */
    uint8_t empty_lines;
    bool begun; /* the first line is read */

    /* What was read. */
    enum http_fault fault; /* once HTTP_BAD */
    uint8_t minor;         /* of the version: 0 or 1 */
    uint16_t status;       /* of a response: 100 to 999 */
    enum http_method method;
    struct http_span method_name;
    struct http_span target;
    struct http_span reason;
    uint32_t nfields;
    uint32_t size; /* of the head with its empty line; what follows is the body's */
};

/* A head that nothing is known of. */
struct http_head http_head_new(enum http_kind kind, struct http_field *fields, uint32_t room,
                               uint32_t most);

/* Goes on with all bytes that are there so far: `buffer` begins where the head does, and holds at
 * least what it held before. Linear in the bytes over all calls. */
enum http_progress http_head_read(struct http_head *head, struct bytes buffer);

/* Text of a head, in the buffer that it lies in now. */
static inline struct str http_text(struct bytes buffer, struct http_span span)
{
    return (struct str){(const char *)buffer.at + span.at, span.len};
}
static inline struct str http_name(struct bytes buffer, const struct http_field *field)
{
    return (struct str){(const char *)buffer.at + field->name, field->name_len};
}

#endif
