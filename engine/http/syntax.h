/* What bytes may stand where: tokens, field values, targets, authorities (RFC 9110, 5.5, 5.6.2;
 * RFC 9112, 3.2; RFC 3986). Pure questions about text that somebody else owns. */
#ifndef CARREL_HTTP_SYNTAX_H
#define CARREL_HTTP_SYNTAX_H

#include "engine/base/bytes.h"

/* Classes of a byte; http_class[] holds the union of those that it is in. */
enum {
    HTTP_TCHAR = 1 << 0,  /* token */
    HTTP_VALUE = 1 << 1,  /* of a field value: visible, blank, tab, obs-text */
    HTTP_TARGET = 1 << 2, /* of a request target: visible ASCII without '#' */
    HTTP_DIGIT = 1 << 3,
    HTTP_ALPHA = 1 << 4,
    HTTP_HOST = 1 << 5, /* of a registered name: unreserved, sub-delims, '%' */
};
extern const uint8_t http_class[256];

/* Is every byte in one of these classes? True of nothing at all. */
bool http_all(struct str text, unsigned classes);

/* A token, as methods and field names are. */
bool http_is_token(struct str text);

/* A field value without blanks at either end. It may be empty. */
bool http_is_value(struct str text);

/* ASCII without regard to case; `small` is in small letters. */
bool http_is(struct str text, struct str small);

/* Two names that are the same but for case. */
bool http_same(struct str a, struct str b);

/* A path with or without a query, as an outgoing request may have it: begins with '/' or '?', or
 * is "*", or empty. */
bool http_is_path(struct str text);

/* A URI scheme (RFC 3986, 3.1). */
bool http_is_scheme(struct str text);

/* An authority without user information, taken apart: a name, an IPv4 address or an IPv6 address
 * without its brackets; the port, or -1 where none is written. False if it is none. */
struct http_authority {
    struct str host;
    bool literal6; /* it stood in brackets */
    int32_t port;
};
bool http_authority_read(struct str text, struct http_authority *ret);

/* What a request is for (RFC 9112, 3.2), out of its target. Parts that the form lacks are empty. */
enum http_form { HTTP_ORIGIN_FORM, HTTP_ABSOLUTE_FORM, HTTP_AUTHORITY_FORM, HTTP_ASTERISK_FORM };
struct http_target {
    enum http_form form;
    struct str scheme;
    struct str authority;
    struct str path; /* with query; "*" in the asterisk form */
};
/* `connect`: the method is CONNECT, which alone has the authority form. False if it is none. */
bool http_target_read(struct str text, bool connect, struct http_target *ret);

/* The next element of a comma-separated list (RFC 9110, 5.6.1), without blanks around it; empty
 * ones are passed over. `rest` goes behind it. False at the end. Quoted strings are not looked
 * into: of the lists that the protocol reads none may have them. */
bool http_list_next(struct str *rest, struct str *ret);

/* A decimal number of at most 19 digits and nothing else; false if it is none or too large. */
bool http_number(struct str text, uint64_t *ret);

#endif
