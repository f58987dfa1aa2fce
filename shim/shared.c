/* Namespaces that cells share; see shared.h. A process makes them, puts their descriptors into the
 * shim's table, empties the mount namespace and ends: what keeps them is the descriptors, so
 * nothing is left when the shim dies. */
#include "shim/shared.h"
#include "policies/cell_plan.h"
#include "shim/child.h"
#include "shim/cleanup.h"
#include "shim/protocol.h"
#include "shim/raw.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>

#define MAKER_STACK 32768

static const char *const files[HOST_SPACES] = {
    [HOST_SPACE_MOUNT] = "/proc/self/ns/mnt",
    [HOST_SPACE_NET] = "/proc/self/ns/net",
    [HOST_SPACE_IPC] = "/proc/self/ns/ipc",
};

/* The process, which shares memory and descriptors with the shim; see child.c for what it may do.
 */
struct maker {
    struct child child; /* its plan: an empty root */
    int *spaces;
};

static void make(void *argument)
{
    struct maker *maker = argument;
    for (size_t i = 0; i < HOST_SPACES; i++)
        maker->spaces[i] =
            (int)raw_call(SYS_openat, AT_FDCWD, (long)files[i], O_RDONLY | O_CLOEXEC, 0, 0);
    /* What is opened from here on is not the shim's. */
    if (raw_call(SYS_unshare, CLONE_FILES, 0, 0, 0, 0) == 0)
        child_run(&maker->child);
    for (;;)
        raw_call(SYS_exit_group, 1, 0, 0, 0, 0);
}

/* True if it came to its end by itself: one that was killed may have left the host's root where the
 * empty one belongs. */
static bool run_maker(struct maker *maker)
{
    _Alignas(16) char stack[MAKER_STACK];
    cleanup_close int pidfd = -1;
    struct clone_args args = {
        .flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_VM | CLONE_VFORK | CLONE_FILES |
                 CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = sizeof stack,
    };
    if (raw_clone3(&args, make, maker) < 0)
        return false;
    siginfo_t info = {0};
    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
        ;
    return info.si_code == CLD_EXITED;
}

static void close_all(int spaces[HOST_SPACES])
{
    for (size_t i = 0; i < HOST_SPACES; i++)
        if (spaces[i] >= 0)
            close(spaces[i]);
}

static bool move_all(int spaces[HOST_SPACES])
{
    for (size_t i = 0; i < HOST_SPACES; i++)
        if (!child_keeps(&spaces[i]))
            return false;
    return true;
}

void shared_open(struct shim *shim, struct host *host)
{
    static struct plan plan;
    struct wall_report report = {0};
    struct err err = {0};
    if (shim->spaces[0] < 0) {
        int spaces[HOST_SPACES] = {-1, -1, -1};
        plan.count = 0;
        cell_plan_shared(host, &plan);
        const struct operation *own = plan_find(&plan, OPERATION_OWN_SPACES);
        /* In this order: the shim's own user namespace hides whose the engine is. */
        if (own &&
            (shim_open_engine(shim, host->engine, &err) || shim_prepare(shim, own, &report, &err)))
            return;
        struct maker maker = {.child = {.plan = &plan,
                                        .spaces = CLONE_NEWNS,
                                        .at = plan.count,
                                        .failed = -1,
                                        .call = ""},
                              .spaces = spaces};
        bool rooted = run_maker(&maker) && maker.child.failed < 0 && maker.child.missing == 0 &&
                      maker.child.at + 1 == plan.count;
        if (!move_all(spaces) || !rooted) {
            close_all(spaces);
            return;
        }
        memcpy(shim->spaces, spaces, sizeof spaces);
    }
    shared_use(shim, host);
}

void shared_use(const struct shim *shim, struct host *host)
{
    memcpy(host->spaces, shim->spaces, sizeof host->spaces);
    /* Those of an ordinary user's shim must have been made in its own user namespace. */
    host->shares = shim->spaces[0] >= 0 && (host->root || shim->spaced);
}
