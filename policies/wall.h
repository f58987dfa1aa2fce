/* The walls of wall.def as numbers, and what became of each for one cell. */
#ifndef CARREL_POLICIES_WALL_H
#define CARREL_POLICIES_WALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wall {
#define WALL(name, word, need, kernel, keeps, found) WALL_##name,
#include "policies/wall.def"
#undef WALL
    WALL_COUNT,
    WALL_NONE = WALL_COUNT, /* of an operation that builds none */
};

enum wall_need { WALL_REQUIRED, WALL_EXTRA };

struct wall_info {
    const char *word;
    enum wall_need need;
    const char *kernel;
    const char *keeps;
    const char *found;
};

extern const struct wall_info walls[WALL_COUNT];

/* A set of walls, one bit each. */
typedef uint32_t wall_set;
_Static_assert(WALL_COUNT <= 32, "wall_set is too small");

#define WALL_BIT(wall) ((wall_set)1 << (wall))

static inline bool wall_in(wall_set set, enum wall wall)
{
    return wall < WALL_COUNT && (set >> wall & 1);
}

/* The walls that `--degrade=NAME` accepts the absence of: one, or those of "namespaces". 0 if there
 * is no such name. */
wall_set wall_named(const char *name);

#endif
