/* Memory for values on their way between a guest and the host, or two guests: taken piece by piece,
 * given back all at once when the call is done. */
#ifndef CARREL_COMPONENT_SCRATCH_H
#define CARREL_COMPONENT_SCRATCH_H

#include "engine/component/instance.h"

struct host_scratch {
    struct cm_store *store;
    struct scratch_chunk *chunks; /* the last one first */
    uint8_t *at;
    uint8_t *end;
};

/* `size` bytes aligned to 16, not cleared; NULL if the heap is full. */
void *scratch_take(struct host_scratch *scratch, size_t size);

/* Traps the store because scratch_take gave no `size` bytes, and says whether the bound of what the
 * host may hold is the cause (TRAP_VALUES), which no memory moves, or the cell's memory. False. */
bool scratch_full(const struct host_scratch *scratch, size_t size);

/* Gives everything back; the scratch can be used again. */
void scratch_release(struct host_scratch *scratch);

#endif
