/* The component in an OCI image that is a tar archive (image-spec, image layout): for a reader
 * only. */
#ifndef CARREL_CELL_IMAGE_H
#define CARREL_CELL_IMAGE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include <stdbool.h>

/* Is it a tar archive (POSIX.1, ustar)? */
bool image_is(struct bytes file);

/* The one component or core module in it: a blob that is one, or a file in a layer that is a plain
 * archive. Errors: MALFORMED, UNLINKABLE if there is none, or more than one. */
int image_component(struct bytes file, struct bytes *ret, struct err *err);

#endif
