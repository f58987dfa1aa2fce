/* malloc on the arena; see alloc.h. One thread. */
#include "engine/tls/alloc.h"

#include "engine/base/heap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Before the arena is there: what the C library wants at its start, which is little. */
static _Alignas(16) uint8_t early[65536];
static size_t early_used;

static struct arena arena;
static struct heap heap;
static bool opened;

void alloc_open(void *memory, size_t size)
{
    arena_init(&arena, memory, size);
    heap_init(&heap, &arena, size - size / 16);
    opened = true;
}

static bool is_early(const void *block)
{
    return (const uint8_t *)block >= early && (const uint8_t *)block < early + sizeof early;
}

void *malloc(size_t size)
{
    void *block = NULL;
    if (opened) {
        block = heap_take(&heap, size);
    } else if (size <= sizeof early - early_used) {
        block = early + early_used;
        early_used += (size + 15) & ~(size_t)15;
    }
    if (!block)
        errno = ENOMEM;
    return block;
}

void *calloc(size_t count, size_t each)
{
    size_t size;
    void *block = __builtin_mul_overflow(count, each, &size) ? NULL : malloc(size);
    return block ? memset(block, 0, size) : NULL;
}

void free(void *block)
{
    if (!is_early(block))
        heap_give(&heap, block);
}

void *realloc(void *block, size_t size)
{
    if (block && !is_early(block))
        return heap_resize(&heap, block, size);
    void *moved = malloc(size);
    if (moved && block) {
        size_t most = (size_t)(early + sizeof early - (uint8_t *)block);
        memcpy(moved, block, size < most ? size : most);
    }
    return moved;
}
