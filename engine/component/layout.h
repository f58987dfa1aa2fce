/* The arithmetic of the canonical ABI (CanonicalABI.md "Alignment", "Element Size", "Flattening"),
 * for guest memory with 32-bit and 64-bit pointers and for host layout (host.h). */
#ifndef CARREL_COMPONENT_LAYOUT_H
#define CARREL_COMPONENT_LAYOUT_H

#include "engine/component/type.h"

#define CM_SIZE_LIMIT (UINT32_C(1) << 28) /* elem_size(t, i64) stays below it */

/* Fills in what a canonical value type needs for lifting and lowering: its layout and the offsets
 * of its fields or payload; the layouts of its parts are filled in. Of a function type: of its
 * parameters as one record. `fields` are those of a record or function, which are written to. False
 * if a value would take CM_SIZE_LIMIT bytes or more. */
bool cm_layout_fill(struct cm_type *type, struct cm_field *fields);

/* The core types that types flatten to, one after the other: appends those of `more`. */
void cm_flat_append(struct cm_layout *to, const struct cm_layout *more);

/* Rounds up to a power of two. */
static inline uint32_t cm_align(uint32_t offset, uint32_t align)
{
    return (offset + align - 1) & ~(align - 1);
}

#endif
