/* A run of bytes that somebody else owns. Lengths are kept: names may contain NUL. */
#ifndef CARREL_BASE_BYTES_H
#define CARREL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *at;
    size_t len;
};

/* A string: like bytes, but known to be UTF-8. */
struct str {
    const char *at;
    size_t len;
};

/* For string literals and for C strings of our own. */
static inline struct str str_of(const char *text)
{
    return (struct str){text, strlen(text)};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* The order of the bytes, as in memcmp; a prefix comes before what it begins. */
static inline int str_compare(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static inline bool str_is(struct str a, const char *text)
{
    return str_eq(a, str_of(text));
}

/* "%.*s" takes an int: a name longer than this is cut, and was never meant to be read by people. */
#define STR_SHOWN  200
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)((s).len < STR_SHOWN ? (s).len : STR_SHOWN), (s).len ? (s).at : ""

#endif
