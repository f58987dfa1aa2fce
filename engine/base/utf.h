/* UTF-8, UTF-16 and Latin-1 (Unicode §3.9; component model CanonicalABI.md, "String").
 * Validation and plain copies run at memory speed on ASCII; nothing here allocates. */
#ifndef CARREL_BASE_UTF_H
#define CARREL_BASE_UTF_H

#include "engine/base/bytes.h"

/* Is it well-formed: no overlong form, no surrogate, nothing over U+10FFFF? */
bool utf8_valid(struct bytes text);

/* Copies a text if it is well-formed, to as much room elsewhere. False: it is not, and what lies at
 * `to` is undefined. */
bool utf8_copy(struct bytes text, uint8_t *to);

/* Takes one scalar value from the front of well-formed text that is not empty. */
uint32_t utf8_next(const uint8_t **at);

/* Writes one scalar value; returns the bytes written, 1 to 4. */
size_t utf8_put(uint8_t *to, uint32_t scalar);

/* Is it a character that does something else than be seen: a control, an invisible one, one that
 * changes the direction of writing? Letters of all scripts are not. */
bool utf8_hides(uint32_t scalar);

#endif
