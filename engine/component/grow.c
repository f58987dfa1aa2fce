/* Growing lists and sets of numbers; see grow.h. */
#include "engine/component/grow.h"

#include <stddef.h>
#include <string.h>

#define FIRST_ROOM 8u

void *grow_block(void *at, uint32_t count, uint32_t *room, size_t each, struct region *region)
{
    uint32_t more = *room ? *room * 2 : FIRST_ROOM;
    void *block = more > *room ? region_take(region, more, each, _Alignof(max_align_t)) : NULL;
    if (!block)
        return at;
    if (count)
        memcpy(block, at, count * each);
    *room = more;
    return block;
}

static uint32_t place(const struct grow_set *set, uint32_t number)
{
    uint32_t i = (uint32_t)(((uint64_t)number * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
    for (i &= set->room - 1; set->at[i] && set->at[i] != number + 1;)
        i = (i + 1) & (set->room - 1);
    return i;
}

bool grow_set_has(const struct grow_set *set, uint32_t number)
{
    return set->room && set->at[place(set, number)];
}

static bool rehash(struct grow_set *set, struct region *region)
{
    struct grow_set larger = {.count = set->count, .room = set->room ? set->room * 2 : 16};
    larger.at = region_array(region, uint32_t, larger.room);
    if (!larger.at)
        return false;
    for (uint32_t i = 0; i < set->room; i++)
        if (set->at[i])
            larger.at[place(&larger, set->at[i] - 1)] = set->at[i];
    *set = larger;
    return true;
}

bool grow_set_add(struct grow_set *set, uint32_t number, struct region *region)
{
    if (set->count >= set->room / 2 && !rehash(set, region))
        return false;
    uint32_t i = place(set, number);
    if (!set->at[i]) {
        set->at[i] = number + 1;
        set->count++;
    }
    return true;
}
