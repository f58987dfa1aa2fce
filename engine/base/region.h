/* A bump allocator over one run of address space that was reserved before the walls closed. It
 * never asks the kernel for anything: pages are touched when they are first used. What is allocated
 * lives as long as the region, or until a mark is released (scratch use). */
#ifndef CARREL_BASE_REGION_H
#define CARREL_BASE_REGION_H

#include "engine/base/attr.h"
#include <stddef.h>
#include <stdint.h>

struct region {
    uint8_t *base;
    uint8_t *at;  /* the next free byte */
    uint8_t *top; /* the highest `at` so far: memory from here to `end` was never touched */
    uint8_t *end;
};

/* `size` bytes at `memory`, which must be zero and stay mapped as long as the region is used. */
struct region region_of(void *memory, size_t size);

/* `count` things of `each` bytes, zeroed, aligned to `align` (a power of two). NULL if the region
 * is full or the product overflows. */
void *region_take(struct region *region, size_t count, size_t each, size_t align);

#define region_new(region, type) ((type *)region_take(region, 1, sizeof(type), _Alignof(type)))
#define region_array(region, type, count)                                                          \
    ((type *)region_take(region, count, sizeof(type), _Alignof(type)))

/* A copy of `len` bytes; NULL if the region is full. */
void *region_copy(struct region *region, const void *from, size_t len, size_t align);

static inline size_t region_left(const struct region *region)
{
    return (size_t)(region->end - region->at);
}

/* Scratch: what was taken after the mark is given back. */
static inline uint8_t *region_mark(const struct region *region)
{
    return region->at;
}

static inline void region_release(struct region *region, uint8_t *mark)
{
    region->at = mark;
}

#endif
