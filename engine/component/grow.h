/* Lists that grow while something is decoded, in scratch memory. Growing copies into a block twice
 * as large and leaves the old one behind, so a list takes at most four times its size. */
#ifndef CARREL_COMPONENT_GROW_H
#define CARREL_COMPONENT_GROW_H

#include "engine/base/region.h"
#include <stdbool.h>

/* A list of `type`, for use as a member: GROW(struct item) items; zeroed at first. */
#define GROW(type)                                                                                 \
    struct {                                                                                       \
        type *at;                                                                                  \
        uint32_t count;                                                                            \
        uint32_t room;                                                                             \
    }

/* Room for one more element in `list`; false if the region is full. */
#define grow_room(list, region)                                                                    \
    ((list)->count < (list)->room ||                                                               \
     ((list)->at =                                                                                 \
          grow_block((list)->at, (list)->count, &(list)->room, sizeof *(list)->at, region),        \
      (list)->count < (list)->room))

/* Appends an element for which there is room. */
#define grow_push(list, element) ((list)->at[(list)->count++] = (element))

/* A larger block with the same elements; the old one, and its room, if the region is full. */
void *grow_block(void *at, uint32_t count, uint32_t *room, size_t each, struct region *region);

/* A set of numbers that are given out one after the other, such as serials: nobody can choose
 * numbers so that looking them up gets slow by more than the square root of how many there are. */
struct grow_set {
    uint32_t *at; /* number + 1; 0: free */
    uint32_t count;
    uint32_t room; /* a power of two, or 0 */
};

bool grow_set_has(const struct grow_set *set, uint32_t number);

/* Adds a number that may be there already. False if the region is full. */
bool grow_set_add(struct grow_set *set, uint32_t number, struct region *region);

#endif
