/* Lists of names in error texts: "add, sub, mul, ...". */
#ifndef CARREL_BASE_NAMES_H
#define CARREL_BASE_NAMES_H

#include "engine/base/bytes.h"

/* A list that grows while there is room, and ends in dots where there was none. A new one is
 * zeroed.
 */
struct names {
    char text[128]; /* NUL-terminated; the names may be hostile */
    size_t used;
    bool full;
};

void names_add(struct names *names, struct str name);

#endif
