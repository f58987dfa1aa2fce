/* A general allocator on blocks of the store arena, for what the host side of a cell allocates
 * while it runs: handles, strings on their way, buffers of streams. No system call, ever;
 * exhaustion is a NULL that the caller turns into a trap or a typed error.
 *
 * Segregated free lists (two-level, as in TLSF): allocation and release take constant time, so a
 * guest cannot make the host slow by fragmenting it. */
#ifndef CARREL_BASE_HEAP_H
#define CARREL_BASE_HEAP_H

#include "engine/base/arena.h"

#define HEAP_ROWS    40 /* powers of two */
#define HEAP_COLUMNS 8  /* steps within one */

struct heap {
    struct arena *arena;
    size_t used;   /* bytes handed out, headers included */
    size_t limit;  /* `used` never exceeds it */
    bool at_limit; /* why a block was refused last: the limit, not the arena; whoever fails for
                      other reasons, too, clears it before */
    uint64_t rows;
    uint8_t columns[HEAP_ROWS];
    struct heap_chunk *free[HEAP_ROWS][HEAP_COLUMNS];
};

void heap_init(struct heap *heap, struct arena *arena, size_t limit);

/* `size` bytes aligned to 16, not cleared; NULL at the limit. Size 0 gives a block too. */
void *heap_take(struct heap *heap, size_t size);

/* Does the limit leave `size` bytes more? The arena may be full all the same. */
bool heap_within_limit(const struct heap *heap, size_t size);

/* The same as heap_take, `count` times `each` bytes, cleared; NULL on overflow. */
void *heap_zeroed(struct heap *heap, size_t count, size_t each);

/* Makes a block (or NULL) `size` bytes long, moving it if needed. NULL and the block untouched at
 * the limit. */
void *heap_resize(struct heap *heap, void *block, size_t size);

/* Gives a block (or NULL) back. */
void heap_give(struct heap *heap, void *block);

/* A run of bytes in which nothing lies that the heap has handed out, or needs. */
struct heap_hole {
    uint8_t *at;
    size_t size;
};

/* The longest ones, at most `most`, in the order of their addresses. How many. If the arena keeps
 * marks, nothing of them is written without one on its page. */
uint32_t heap_holes(const struct heap *heap, struct heap_hole *ret, uint32_t most);

#endif
