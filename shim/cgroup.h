/* The control groups of one cell: one directory for each CGROUP operation. */
#ifndef CARREL_SHIM_CGROUP_H
#define CARREL_SHIM_CGROUP_H

#include "shim/walls.h"

#define CGROUPS_MAX 4 /* version 2, and the controllers of version 1 that limit a cell */
#define CGROUP_PATH 320

struct cgroup {
    char path[CGROUP_PATH]; /* absolute */
    const char *controller; /* of version 1; "" is version 2 */
    int directory;          /* descriptor */
    bool throttles;         /* it bounds what its members may use of the processors */
    int procs; /* version 1: its open `tasks`, by which a process moves itself at once; else -1 */
};

struct cgroups {
    size_t count;
    bool
        lacking; /* the last group of the plan so far could not be made, so that limits have none */
    struct cgroup at[CGROUPS_MAX];
};

/* No groups. */
struct cgroups cgroups_none(void);

/* Carries out one CGROUP or CGROUP_LIMIT. The names of groups begin with `id`. */
int cgroups_prepare(struct cgroups *cgroups, const struct operation *operation, const char *id,
                    struct wall_report *report, struct err *err);

/* The descriptor of the group of version 2, for CLONE_INTO_CGROUP; -1 if there is none. */
int cgroups_unified(const struct cgroups *cgroups);

/* For each CGROUP_ENTER of the plan, in their order, the `tasks` to write to; -1 where the
 * group could not be made. `ret` has CGROUPS_MAX places. */
void cgroups_entries(const struct cgroups *cgroups, const struct plan *plan, int *ret);

/* Lets members run that wait for their next share of the processors: one that was killed would die
 * only then. */
void cgroups_release(const struct cgroups *cgroups);

/* Removes the groups, and their parents if nothing else is in them. The cell must be dead. Does not
 * wait: false if the kernel has not noticed that yet, and some remain. */
bool cgroups_remove(struct cgroups *cgroups);

/* The same, and waits for the kernel, a second at most. */
bool cgroups_remove_patiently(struct cgroups *cgroups);

/* Kills what is in the groups below `parent` (as in a CGROUP operation) whose names begin with
 * `id`, and removes them, waiting as above. For what a shim left behind. False if some remain. */
bool cgroups_clear(const char *parent, const char *id);

#endif
