/* Layers of an image that are compressed: for a reader only. */
#ifndef CARREL_CELL_UNPACK_H
#define CARREL_CELL_UNPACK_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include <stdbool.h>

/* Memory: what was unpacked lies below `at`, and what is above may have been written to. */
struct unpack_room {
    uint8_t *at, *end;
};

/* Is it gzip (RFC 1952) or Zstandard (RFC 8878), by its first bytes? */
bool unpack_is(struct bytes file);

/* Unpacks all of it, whatever number of members or frames it has, into `room`, where *ret then is.
 * Errors: MALFORMED, LIMIT if there is no room for it. */
int unpack(struct bytes packed, struct unpack_room *room, struct bytes *ret, struct err *err);

#endif
