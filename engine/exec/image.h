/* An image of a store at rest: all that is mutable in its arena, to bring it back to later. Nothing
 * runs when it is made or restored; of stacks only those are part of it on which a fiber waits.
 * What lies in the image region (types, code) is immutable and stays. */
#ifndef CARREL_EXEC_IMAGE_H
#define CARREL_EXEC_IMAGE_H

#include "engine/exec/vm.h"

/* Bytes that an image of the store takes now. */
size_t vm_image_size(const struct vm *vm);

/* Makes one at `memory` of that size, zeroed and aligned to 16; it is of this store alone. */
struct vm_image *vm_image_make(struct vm *vm, void *memory);

/* Brings the store back to what it was, byte for byte; but what was free of the heap is zero. Of a
 * store with `images` (struct vm_limits) only pages that were written are touched. */
void vm_image_restore(struct vm *vm, const struct vm_image *image);

/* Translates whatever its modules have that was not called yet, instead of when it is called: for a
 * process that others are copied from. What there is no room for stays as it was. */
void vm_translate_all(struct vm *vm);

#endif
