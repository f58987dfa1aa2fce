/* The rows of cgroup.def. No system call, no decision. */
#include "policies/cgroup.h"

const struct cgroup_controller_info cgroup_controllers[CGROUP_CONTROLLERS] = {
#define CONTROLLER(NAME, name, file, none, file1, none1)                                           \
    [CGROUP_##                                                                                     \
        NAME] = {name, {[CGROUP_VERSION1] = {file1, none1}, [CGROUP_VERSION2] = {file, none}}},
#include "policies/cgroup.def"
};
