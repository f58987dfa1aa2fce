/* Sizes, durations, counts and shares of processors as people write them. */
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

/* Millionths of a processor: "2", "0.5", "1.25"; a hundredth at least, which is what the kernel can
 * keep to, and at most QUANTITY_PROCESSORS_MOST processors. */
#define QUANTITY_PROCESSOR       UINT64_C(1000000)
#define QUANTITY_PROCESSORS_MOST 8192 /* as many as a kernel can be built for */
const char *quantity_processors(const char *text, uint64_t *ret);

/* The same the other way: writes `millionths` with as few digits as it takes, and returns `ret`. */
#define QUANTITY_PROCESSORS_SIZE 28
const char *quantity_processors_text(uint64_t millionths, char ret[QUANTITY_PROCESSORS_SIZE]);

#endif
