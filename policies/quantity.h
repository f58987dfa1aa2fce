/* Sizes, durations and counts as people write them. */
#ifndef CARREL_POLICIES_QUANTITY_H
#define CARREL_POLICIES_QUANTITY_H

#include <stdint.h>

/* Each parses the whole of `text` and returns NULL, or what is wrong with it (a static text that
 * says how it is written); `*ret` is touched only on success. Zero is never an answer: a limit of
 * nothing is a slip of the pen. */

/* Bytes: "4096", "64K", "512M", "2G", "1T"; K is 1024 bytes; "KiB" and so on are the same. */
const char *quantity_size(const char *text, uint64_t *ret);

/* Nanoseconds: "30", "30s" (seconds), "250ms", "10us", "5ns", "1.5m", "2h"; at most 100 years. */
const char *quantity_duration(const char *text, uint64_t *ret);

/* "1000000". */
const char *quantity_count(const char *text, uint64_t *ret);

#endif
