/* Controllers of control groups, by the rows of cgroup.def. */
#ifndef CARREL_POLICIES_CGROUP_H
#define CARREL_POLICIES_CGROUP_H

enum cgroup_controller {
#define CONTROLLER(NAME, name, file, none, file1, none1) CGROUP_##NAME,
#include "policies/cgroup.def"
    CGROUP_CONTROLLERS
};

enum cgroup_version { CGROUP_VERSION1, CGROUP_VERSION2, CGROUP_VERSIONS };

/* The file of a group that takes a bound. */
struct cgroup_file {
    const char *name;
    const char *unbounded; /* what it takes for none */
};

struct cgroup_controller_info {
    const char *name;
    struct cgroup_file file[CGROUP_VERSIONS];
};

extern const struct cgroup_controller_info cgroup_controllers[CGROUP_CONTROLLERS];

#endif
