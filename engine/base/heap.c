/* The heap; see heap.h.
 *
 * Chunks lie side by side in arena blocks. A chunk's header holds its size and whether it is free;
 * a free chunk's links lie in its body. Neighbours are merged at release; the last chunk of a block
 * is a used one of size 0, so merging never leaves the block. */
#include "engine/base/heap.h"

#include "engine/base/attr.h"
#include <string.h>

#define UNIT       16u /* sizes and addresses are multiples of it */
#define BLOCK_SIZE ((size_t)256 << 10)

struct heap_chunk {
    size_t below;     /* size of the chunk before this one, header included; 0: none */
    size_t size : 63; /* header included */
    size_t is_free : 1;
    struct heap_chunk *next; /* of the free list, only when free */
    struct heap_chunk *prev;
};

#define SIZE_MASK (SIZE_MAX >> 1) /* what fits the field; sizes are far below */
#define HEADER    offsetof(struct heap_chunk, next)
#define SMALLEST  sizeof(struct heap_chunk)
#define ROW_FIRST 5 /* 2^5 = SMALLEST: row 0 */

/* A chunk below this row has no hole that is worth to be known. */
#define HOLE_ROW (ARENA_PAGE_LOG2 + 1 - ROW_FIRST)

static struct heap_chunk *after(struct heap_chunk *chunk)
{
    return (struct heap_chunk *)((uint8_t *)chunk + chunk->size);
}

static struct heap_chunk *before(struct heap_chunk *chunk)
{
    return (struct heap_chunk *)((uint8_t *)chunk - chunk->below);
}

/* The list that a chunk of `size` belongs to. */
static void list_of(size_t size, unsigned *row, unsigned *column)
{
    unsigned power = 63 - (unsigned)__builtin_clzll(size);
    *row = power - ROW_FIRST;
    *column = (unsigned)(size >> (power - 3)) & (HEAP_COLUMNS - 1);
    if (*row >= HEAP_ROWS) {
        *row = HEAP_ROWS - 1;
        *column = HEAP_COLUMNS - 1;
    }
}

static void list_add(struct heap *heap, struct heap_chunk *chunk)
{
    unsigned row;
    unsigned column;
    list_of(chunk->size, &row, &column);
    chunk->is_free = 1;
    chunk->prev = NULL;
    chunk->next = heap->free[row][column];
    if (chunk->next)
        chunk->next->prev = chunk;
    heap->free[row][column] = chunk;
    heap->rows |= UINT64_C(1) << row;
    heap->columns[row] |= (uint8_t)(1u << column);
}

static void list_remove(struct heap *heap, struct heap_chunk *chunk)
{
    unsigned row;
    unsigned column;
    list_of(chunk->size, &row, &column);
    chunk->is_free = 0;
    if (chunk->next)
        chunk->next->prev = chunk->prev;
    if (chunk->prev) {
        chunk->prev->next = chunk->next;
        return;
    }
    heap->free[row][column] = chunk->next;
    if (chunk->next)
        return;
    heap->columns[row] &= (uint8_t)~(1u << column);
    if (!heap->columns[row])
        heap->rows &= ~(UINT64_C(1) << row);
}

/* A free chunk of at least `size`, from the smallest list all of whose chunks are large enough. */
static struct heap_chunk *find(struct heap *heap, size_t size)
{
    unsigned power = 63 - (unsigned)__builtin_clzll(size);
    size_t rounded = size + ((size_t)1 << (power - 3)) - 1;
    unsigned row;
    unsigned column;
    list_of(rounded, &row, &column);
    unsigned columns = heap->columns[row] & (0xffu << column) & 0xffu;
    if (!columns) {
        uint64_t rows = row + 1 < 64 ? heap->rows & (~UINT64_C(0) << (row + 1)) : 0;
        if (!rows)
            return NULL;
        row = (unsigned)__builtin_ctzll(rows);
        columns = heap->columns[row];
    }
    struct heap_chunk *chunk = heap->free[row][__builtin_ctz(columns)];
    return chunk && chunk->size >= size ? chunk : NULL;
}

/* One more arena block, as one free chunk and the used one that ends it. */
static bool grow(struct heap *heap, size_t size)
{
    size_t need = size + HEADER + UNIT;
    size_t block = need > BLOCK_SIZE ? need : BLOCK_SIZE;
    if (block < size)
        return false;
    block = (block + ARENA_PAGE - 1) & ~(size_t)(ARENA_PAGE - 1);
    struct heap_chunk *chunk = arena_block(heap->arena, block);
    if (!chunk && block > need) { /* almost full: what is needed and no more */
        block = (need + ARENA_PAGE - 1) & ~(size_t)(ARENA_PAGE - 1);
        chunk = arena_block(heap->arena, block);
    }
    if (!chunk)
        return false;
    chunk->below = 0;
    chunk->size = (block - HEADER) & SIZE_MASK;
    struct heap_chunk *last = after(chunk);
    last->below = chunk->size;
    last->size = 0;
    last->is_free = 0;
    arena_mark(heap->arena->marks, chunk, SMALLEST);
    arena_mark(heap->arena->marks, last, HEADER);
    list_add(heap, chunk);
    return true;
}

/* Cuts what is over `size` off a used chunk and frees it. The chunk is about to be written. */
static void trim(struct heap *heap, struct heap_chunk *chunk, size_t size)
{
    arena_mark(heap->arena->marks, chunk, size + SMALLEST);
    if (chunk->size - size < SMALLEST)
        return;
    struct heap_chunk *rest = (struct heap_chunk *)((uint8_t *)chunk + size);
    rest->below = size;
    rest->size = (chunk->size - size) & SIZE_MASK;
    chunk->size = size & SIZE_MASK;
    struct heap_chunk *next = after(rest);
    if (next->is_free) {
        list_remove(heap, next);
        rest->size += next->size;
        next = after(rest);
    }
    next->below = rest->size;
    list_add(heap, rest);
}

/* The chunk size for a request; 0 if there can be none. */
static size_t chunk_size(size_t size)
{
    if (size > SIZE_MAX / 4)
        return 0;
    size = (size + HEADER + UNIT - 1) & ~(size_t)(UNIT - 1);
    return size < SMALLEST ? SMALLEST : size;
}

void heap_init(struct heap *heap, struct arena *arena, size_t limit)
{
    *heap = (struct heap){.arena = arena, .limit = limit};
}

bool heap_within_limit(const struct heap *heap, size_t size)
{
    size_t need = chunk_size(size);
    return need && need <= heap->limit - heap->used;
}

static void *refuse(struct heap *heap, bool at_limit)
{
    heap->at_limit = at_limit;
    return NULL;
}

void *heap_take(struct heap *heap, size_t size)
{
    size_t need = chunk_size(size);
    if (!heap_within_limit(heap, size))
        return refuse(heap, true);
    struct heap_chunk *chunk = find(heap, need);
    if (!chunk) {
        /* `find` rounds up to the next list, so the new block must hold that much. */
        if (!grow(heap, need + need / HEAP_COLUMNS))
            return refuse(heap, false);
        chunk = find(heap, need);
        if (!chunk)
            return refuse(heap, false);
    }
    list_remove(heap, chunk);
    trim(heap, chunk, need);
    heap->used += chunk->size;
    return (uint8_t *)chunk + HEADER;
}

void *heap_zeroed(struct heap *heap, size_t count, size_t each)
{
    size_t size;
    if (__builtin_mul_overflow(count, each, &size))
        return refuse(heap, true);
    void *block = heap_take(heap, size);
    if (block)
        memset(block, 0, size);
    return block;
}

void *heap_resize(struct heap *heap, void *block, size_t size)
{
    if (!block)
        return heap_take(heap, size);
    struct heap_chunk *chunk = (struct heap_chunk *)((uint8_t *)block - HEADER);
    size_t need = chunk_size(size);
    if (!need)
        return refuse(heap, true);
    size_t old = chunk->size;
    struct heap_chunk *next = after(chunk);
    if (need > old && next->is_free && old + next->size >= need &&
        need - old <= heap->limit - heap->used) {
        list_remove(heap, next);
        chunk->size += next->size;
        after(chunk)->below = chunk->size;
    }
    if (chunk->size >= need) {
        trim(heap, chunk, need);
        heap->used += chunk->size - old;
        return block;
    }
    void *moved = heap_take(heap, size);
    if (!moved)
        return NULL;
    memcpy(moved, block, old - HEADER);
    heap_give(heap, block);
    return moved;
}

void heap_give(struct heap *heap, void *block)
{
    if (!block)
        return;
    struct heap_chunk *chunk = (struct heap_chunk *)((uint8_t *)block - HEADER);
    heap->used -= chunk->size;
    struct heap_chunk *next = after(chunk);
    if (next->is_free) {
        list_remove(heap, next);
        chunk->size += next->size;
    }
    if (chunk->below) {
        struct heap_chunk *prev = before(chunk);
        if (prev->is_free) {
            list_remove(heap, prev);
            prev->size += chunk->size;
            chunk = prev;
        }
    }
    after(chunk)->below = chunk->size;
    list_add(heap, chunk);
}

/* --- Holes --------------------------------------------------------------------------------------
 */

/* What lies behind a free chunk's links. */
static struct heap_hole hole_of(struct heap_chunk *chunk)
{
    return (struct heap_hole){(uint8_t *)chunk + SMALLEST, chunk->size - SMALLEST};
}

/* Puts one in its place among `count` others. */
static void hole_add(struct heap_hole *holes, uint32_t count, struct heap_hole hole)
{
    while (count && holes[count - 1].at > hole.at) {
        holes[count] = holes[count - 1];
        count--;
    }
    holes[count] = hole;
}

uint32_t heap_holes(const struct heap *heap, struct heap_hole *ret, uint32_t most)
{
    uint32_t count = 0;
    for (unsigned list = HEAP_ROWS * HEAP_COLUMNS; list-- > HOLE_ROW * HEAP_COLUMNS;) {
        struct heap_chunk *chunk = heap->free[list / HEAP_COLUMNS][list % HEAP_COLUMNS];
        for (; chunk && count < most; chunk = chunk->next)
            hole_add(ret, count++, hole_of(chunk));
    }
    return count;
}
