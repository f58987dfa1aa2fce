/* The component in an OCI image that is a tar archive (image-spec, image layout): for a reader
 * only. */
#ifndef CARREL_CELL_IMAGE_H
#define CARREL_CELL_IMAGE_H

#include "engine/cell/unpack.h"

/* Is it a tar archive (POSIX.1, ustar)? */
bool image_is(struct bytes file);

/* A file of an archive. */
struct image_entry {
    struct bytes content;
    struct str name;   /* the last parts of its path; not ended by a NUL */
    struct str prefix; /* the parts before them, without the slash between; mostly empty */
    bool regular;      /* else a folder, a link, and such */
};

/* The entry at *at, which then is where the next one is. 1; 0 at the end; -1 and *err. Errors:
 * MALFORMED. */
int image_next(struct bytes archive, size_t *at, struct image_entry *ret, struct err *err);

/* The one component or core module in `file`, which is such an archive or compressed: a blob that
 * is one, or a file in a layer. What has to be unpacked is, in `room`. Errors: MALFORMED,
 * UNLINKABLE if there is none, or more than one, LIMIT if there is no room. */
int image_component(struct bytes file, struct unpack_room *room, struct bytes *ret,
                    struct err *err);

#endif
