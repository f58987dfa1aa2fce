/* The time zone that the operator gave, as a table of what the clocks showed there and when. */
#ifndef CARREL_WASI_ZONE_H
#define CARREL_WASI_ZONE_H

#include "engine/wasi/wasi.h"

/* From `from` on, in seconds since 1970, until the next. */
struct zone_span {
    int64_t from;
    int32_t offset; /* seconds east of UTC */
    bool daylight;
    struct str name; /* its abbreviation */
};

/* Reads "FROM OFFSET DAYLIGHT NAME;" and so on, in their order, into the heap; *ret is NULL for the
 * empty text. -1: it is no such text, or there is no memory. `text` must live as long. */
int zone_read(struct heap *heap, struct str text, struct zone_span **ret, size_t *ret_count);

/* What holds at that second; NULL: UTC. */
const struct zone_span *zone_at(const struct wasi *wasi, uint64_t seconds);

#endif
