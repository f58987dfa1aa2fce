/* Memory for values on their way; see scratch.h. */
#include "engine/component/scratch.h"

#define ALIGN 16u
#define USUAL 4096u /* bytes of a chunk, unless one piece needs more */

struct scratch_chunk {
    struct scratch_chunk *before;
    size_t size; /* of what follows the header */
};

_Static_assert(sizeof(struct scratch_chunk) % ALIGN == 0, "pieces are aligned");

static struct scratch_chunk *chunk_new(struct cm_store *store, size_t size)
{
    struct scratch_chunk *chunk = store->spare;
    if (chunk && size <= USUAL) {
        store->spare = chunk->before;
        return chunk;
    }
    size = size < USUAL ? USUAL : size;
    chunk = heap_take(vm_heap(store->vm), sizeof *chunk + size);
    if (chunk)
        chunk->size = size;
    return chunk;
}

void *scratch_take(struct host_scratch *scratch, size_t size)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (!scratch->at || size > (size_t)(scratch->end - scratch->at)) {
        struct scratch_chunk *chunk = chunk_new(scratch->store, size);
        if (!chunk)
            return NULL;
        chunk->before = scratch->chunks;
        scratch->chunks = chunk;
        scratch->at = (uint8_t *)(chunk + 1);
        scratch->end = scratch->at + chunk->size;
    }
    void *piece = scratch->at;
    scratch->at += size;
    return piece;
}

bool scratch_full(const struct host_scratch *scratch, size_t size)
{
    struct vm *vm = scratch->store->vm;
    const struct heap *heap = vm_heap(vm);
    size_t chunk = sizeof(struct scratch_chunk) + ALIGN + (size < USUAL ? USUAL : size);
    if (heap_within_limit(heap, chunk))
        vm_trap_set(vm, TRAP_OUT_OF_MEMORY, "no room for a value between components");
    else
        vm_trap_set(vm, TRAP_VALUES,
                    "a piece of %zu bytes; at most %zu are held, however large --memory is", size,
                    heap->limit);
    return false;
}

void scratch_release(struct host_scratch *scratch)
{
    struct cm_store *store = scratch->store;
    while (scratch->chunks) {
        struct scratch_chunk *chunk = scratch->chunks;
        scratch->chunks = chunk->before;
        if (chunk->size == USUAL && !store->spare) {
            chunk->before = NULL;
            store->spare = chunk;
        } else {
            heap_give(vm_heap(store->vm), chunk);
        }
    }
    scratch->at = scratch->end = NULL;
}
