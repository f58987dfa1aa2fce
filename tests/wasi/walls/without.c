/* Linked into a carrel of the tests (-Wl,--wrap=cell_plan_make): CARREL_WITHOUT in its environment
 * names what its cells are robbed of, with commas between.
 *
 *   a wall of policies/wall.def   nothing of it is built
 *   mount                         of the wall detached-mounts, what a grant may be and what links
 * are: the mount itself is how a directory is granted at all engine                        the
 * engine is told that every directory may be changed
 *
 * The carrel that ships has none of this. */
#include "policies/cell_plan.h"
#include "policies/wall.h"
#include "shim/protocol.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

int __real_cell_plan_make(const struct cell_request *request, struct cell_plan *ret,
                          struct err *err);
int __wrap_cell_plan_make(const struct cell_request *request, struct cell_plan *ret,
                          struct err *err);

static void take_walls(struct plan *plan, wall_set taken)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++) {
        enum wall wall = operation_infos[plan->at[i].kind].wall;
        if (wall == WALL_NONE || !wall_in(taken, wall))
            plan->at[kept++] = plan->at[i];
    }
    plan->count = kept;
}

static void open_mounts(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->at[i].kind == OPERATION_DIRECTORY)
            plan->at[i].of.directory.attributes &=
                ~(uint64_t)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW);
}

static void lie_to_engine(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->at[i].kind == OPERATION_GRANT && plan->at[i].of.grant.kind == GRANT_DIRECTORY)
            plan->at[i].of.grant.rights |= RIGHT_WRITE | RIGHT_MUTATE;
}

static void take(struct plan *plan, const char *name)
{
    if (strcmp(name, "mount") == 0) {
        open_mounts(plan);
    } else if (strcmp(name, "engine") == 0) {
        lie_to_engine(plan);
    } else {
        wall_set taken = wall_named(name);
        if (!taken) {
            fprintf(stderr, "CARREL_WITHOUT: there is no wall %s\n", name);
            exit(125);
        }
        take_walls(plan, taken);
    }
}

int __wrap_cell_plan_make(const struct cell_request *request, struct cell_plan *ret,
                          struct err *err)
{
    int error = __real_cell_plan_make(request, ret, err);
    const char *without = getenv("CARREL_WITHOUT");
    char names[256];
    snprintf(names, sizeof names, "%s", without ? without : "");
    char *rest = names;
    for (char *name; error == 0 && (name = strsep(&rest, ",")) != NULL;)
        if (*name)
            take(&ret->plan, name);
    return error;
}
