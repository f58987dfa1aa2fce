/* Text that grows at its front, for what is told from the inside outwards. When its room is full it
 * keeps its end, behind "...". */
#ifndef CARREL_BASE_TAIL_H
#define CARREL_BASE_TAIL_H

#include "engine/base/bytes.h"

struct tail {
    char *at;
    size_t size;
    size_t len; /* less than `size`: a NUL always follows */
    bool cut;   /* it is full, and begins with the mark; nothing more is put */
};

/* Goes on with the text at `at`, which is NUL-terminated, or empty, and has room for `size` bytes.
 */
struct tail tail_of(char *at, size_t size);

/* Puts UTF-8 in front, its end at least, cut at a character. */
void tail_put(struct tail *tail, struct str part);

/* The same of a name that somebody else chose: between quotation marks, those in it doubled, if it
 * has other characters than names of functions, identifiers and paths have, so that it looks like
 * nothing but a name. */
void tail_put_name(struct tail *tail, struct str name);

#endif
