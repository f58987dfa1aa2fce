/* Text of unknown origin, made fit for a terminal, a log line and a person's eye. */
#ifndef CARREL_POLICIES_PRINTABLE_H
#define CARREL_POLICIES_PRINTABLE_H

#include "engine/base/bytes.h"

/* Writes `text` to `to` (of `size` bytes, at least 8), NUL-terminated, and returns `to`. Controls,
 * bytes that are no UTF-8, and characters that are invisible or change the direction of writing
 * become \n, \xNN or \u{NNNN}; a backslash is doubled, so that nothing looks like an escape that is
 * none. What does not fit is cut at a whole character, and "..." says so. */
char *printable(char *to, size_t size, struct str text);

#endif
