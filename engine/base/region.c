/* The bump allocator; see region.h. */
#include "engine/base/region.h"

#include <string.h>

struct region region_of(void *memory, size_t size)
{
    uint8_t *base = memory;
    return (struct region){base, base, base, base + size};
}

void *region_take(struct region *region, size_t count, size_t each, size_t align)
{
    size_t size;
    if (__builtin_mul_overflow(count, each, &size))
        return NULL;
    size_t pad = -(uintptr_t)region->at & (align - 1);
    size_t left = region_left(region);
    if (pad > left || size > left - pad)
        return NULL;
    uint8_t *block = region->at + pad;
    region->at = block + size;
    /* Only what was used before needs clearing; the rest is zero because nobody touched it. */
    if (block < region->top) {
        uint8_t *used = region->at < region->top ? region->at : region->top;
        memset(block, 0, (size_t)(used - block));
    }
    if (region->at > region->top)
        region->top = region->at;
    return block;
}

void *region_copy(struct region *region, const void *from, size_t len, size_t align)
{
    void *copy = region_take(region, len, 1, align);
    if (copy && len)
        memcpy(copy, from, len);
    return copy;
}
