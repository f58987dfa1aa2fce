/* Conversions between UTF-8, UTF-16 (little-endian) and Latin-1 over plain buffers (CanonicalABI.md
 * "Loading", "Storing": strings). Sources are well-formed unless a function says otherwise; targets
 * have the room that the function names. Nothing here allocates or touches anything else.
 *
 * UTF-16 and Latin-1 are counted in code units, UTF-8 in bytes. */
#ifndef CARREL_COMPONENT_TRANSCODE_H
#define CARREL_COMPONENT_TRANSCODE_H

#include "engine/base/utf.h"

/* Is it well-formed: every surrogate one of a pair? */
bool utf16_valid(const uint8_t *at, size_t units);

/* Leading bytes of a text that are ASCII; leading units that are ASCII; that are Latin-1. */
size_t ascii_count(const uint8_t *at, size_t len);
size_t utf16_ascii_count(const uint8_t *at, size_t units);
size_t utf16_latin1_count(const uint8_t *at, size_t units);

/* To UTF-8: how many bytes it takes, and the conversion. */
size_t utf16_utf8_size(const uint8_t *at, size_t units);
size_t latin1_utf8_size(const uint8_t *at, size_t units);
size_t utf16_to_utf8(const uint8_t *at, size_t units, uint8_t *to);
size_t latin1_to_utf8(const uint8_t *at, size_t units, uint8_t *to);

/* To UTF-16: gives the units written, at most as many as the source has bytes or units. */
size_t utf8_to_utf16(const uint8_t *at, size_t len, uint8_t *to);
size_t latin1_to_utf16(const uint8_t *at, size_t units, uint8_t *to);

/* To Latin-1, as far as it goes: stops before the first scalar value over 0xff. Gives the units
 * written; *ret_used is how much of the source that was. */
size_t utf8_to_latin1(const uint8_t *at, size_t len, uint8_t *to, size_t *ret_used);
size_t utf16_to_latin1(const uint8_t *at, size_t units, uint8_t *to);

/* Makes `units` of Latin-1 at `at` as many of UTF-16, in place. */
void latin1_widen(uint8_t *at, size_t units);

#endif
