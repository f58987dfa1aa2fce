/* Lowering: from host layout to core values and guest memory (CanonicalABI.md "Storing", "Flat
 * Lowering"). Guest memory is allocated by the guest's realloc, a leaf that runs at once and may
 * make the memory grow: its address is taken anew after that. */
#ifndef CARREL_COMPONENT_LOWER_H
#define CARREL_COMPONENT_LOWER_H

#include "engine/component/instance.h"

struct cm_lower {
    struct cm_instance *instance;
    struct native *frame; /* in whose step this happens: realloc runs above it */
    const struct cm_abi *abi;
    struct cm_task *task; /* the scope of borrow handles; NULL for results, which have none */
};

/* Lowers a value from `from` (host layout) to core values, which *to moves over. False: it trapped.
 * `type` is canonical. */
bool cm_lower_flat(struct cm_lower *lower, const struct cm_type *type, const void *from,
                   union slot **to);

/* Lowers a value into guest memory at `at`. Alignment and bounds were checked. */
bool cm_lower_memory(struct cm_lower *lower, const struct cm_type *type, const void *from,
                     uint32_t at);

/* Parameters, as flat core values or as a pointer to them; *ret_count of them. */
bool cm_lower_params(struct cm_lower *lower, const struct cm_type *func, const void *from,
                     union slot *to, uint32_t *ret_count);

/* A result that the function has: as a core value in *to, or at the address that `pointer` holds.
 */
bool cm_lower_result(struct cm_lower *lower, const struct cm_type *func, const void *from,
                     union slot *to, const union slot *pointer);

/* The same, but at that address in any case: for async callers. */
bool cm_lower_result_async(struct cm_lower *lower, const struct cm_type *func, const void *from,
                           const union slot *pointer);

/* Calls realloc and checks what it gives. */
bool cm_realloc(struct cm_lower *lower, uint32_t old, uint32_t old_size, uint32_t align,
                uint32_t size, uint32_t *ret);

#endif
