/* The rows of wall.def. No system call, no decision. */
#include "policies/wall.h"
#include <string.h>

const struct wall_info walls[WALL_COUNT] = {
#define WALL(name, word, need, kernel, keeps, found)                                               \
    [WALL_##name] = {word, WALL_##need, kernel, keeps, found},
#include "policies/wall.def"
#undef WALL
};

/* What an ordinary user cannot build without namespaces goes with them: mounts, and the emptying of
 * the bounding set, which takes a capability. */
static wall_set namespace_walls(void)
{
    wall_set set =
        WALL_BIT(WALL_EMPTY_ROOT) | WALL_BIT(WALL_DETACHED_MOUNTS) | WALL_BIT(WALL_CAPABILITIES);
    for (enum wall wall = 0; wall < WALL_COUNT; wall++) {
        const char *dash = strrchr(walls[wall].word, '-');
        if (dash && strcmp(dash, "-namespace") == 0)
            set |= WALL_BIT(wall);
    }
    return set;
}

wall_set wall_named(const char *name)
{
    if (strcmp(name, "namespaces") == 0)
        return namespace_walls();
    for (enum wall wall = 0; wall < WALL_COUNT; wall++) {
        if (strcmp(walls[wall].word, name) == 0)
            return WALL_BIT(wall);
    }
    return 0;
}
