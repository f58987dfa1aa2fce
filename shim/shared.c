/* Namespaces that cells share; see shared.h. Processes make them while the shim does something
 * else, put their descriptors into its table, empty the mount namespace and end: what keeps them is
 * the descriptors, so nothing is left when the shim dies. */
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

/* A process that makes some of them, beside the shim and the others: it shares memory and
 * descriptors with the shim; see child.c for what it may do. */
struct maker {
    const uint64_t makes; /* CLONE_NEW... */
    struct child child;   /* of the one that makes a mount namespace; its plan: an empty root */
    int pidfd;            /* or -1 */
    _Alignas(16) char stack[MAKER_STACK];
};

/* A net namespace takes as long to make as the others and the root together. A process has one
 * shim. */
static struct {
    struct maker makers[2];
    struct plan plan;
    int spaces[HOST_SPACES];
    bool begun;
} making = {.makers = {{.makes = CLONE_NEWNET, .pidfd = -1},
                       {.makes = CLONE_NEWNS | CLONE_NEWIPC, .pidfd = -1}}};

static const uint64_t flags[HOST_SPACES] = {
    [HOST_SPACE_MOUNT] = CLONE_NEWNS,
    [HOST_SPACE_NET] = CLONE_NEWNET,
    [HOST_SPACE_IPC] = CLONE_NEWIPC,
};

static void make(void *argument)
{
    struct maker *maker = argument;
    if (raw_call(SYS_unshare, (long)maker->makes, 0, 0, 0, 0) == 0) {
        for (size_t i = 0; i < HOST_SPACES; i++)
            if (maker->makes & flags[i])
                making.spaces[i] =
                    (int)raw_call(SYS_openat, AT_FDCWD, (long)files[i], O_RDONLY | O_CLOEXEC, 0, 0);
        /* What is opened from here on is not the shim's. */
        if (maker->makes & CLONE_NEWNS && raw_call(SYS_unshare, CLONE_FILES, 0, 0, 0, 0) == 0)
            child_run(&maker->child);
    }
    for (;;)
        raw_call(SYS_exit_group, 1, 0, 0, 0, 0);
}

static void start_maker(struct maker *maker)
{
    maker->child = (struct child){
        .plan = &making.plan,
        .spaces = maker->makes,
        .at = making.plan.count,
        .failed = -1,
        .call = "",
    };
    struct clone_args args = {
        .flags = CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
        .pidfd = (uint64_t)(uintptr_t)&maker->pidfd,
        .stack = (uint64_t)(uintptr_t)maker->stack,
        .stack_size = sizeof maker->stack,
    };
    if (raw_clone3(&args, make, maker) < 0)
        maker->pidfd = -1;
}

/* True if it came to its end by itself, and did all: one that was killed may have left the host's
 * root where the empty one belongs. */
static bool end_maker(struct maker *maker)
{
    siginfo_t info = {0};
    if (maker->pidfd < 0)
        return false;
    while (waitid(P_PIDFD, (id_t)maker->pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
        ;
    close(take_fd(&maker->pidfd));
    const struct child *child = &maker->child;
    bool rooted = child->failed < 0 && child->missing == 0 && child->at + 1 == making.plan.count;
    return info.si_code == CLD_EXITED && (rooted || !(maker->makes & CLONE_NEWNS));
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

void shared_begin(struct shim *shim, const struct host *host)
{
    struct wall_report report = {0};
    struct err err = {0};
    if (shim->spaces[0] >= 0 || making.begun)
        return;
    making.plan.count = 0;
    cell_plan_shared(host, &making.plan);
    const struct operation *own = plan_find(&making.plan, OPERATION_OWN_SPACES);
    /* In this order: the shim's own user namespace hides whose the engine is. */
    if (own &&
        (shim_open_engine(shim, host->engine, &err) || shim_prepare(shim, own, &report, &err)))
        return;
    making.begun = true;
    for (size_t i = 0; i < HOST_SPACES; i++)
        making.spaces[i] = -1;
    for (size_t i = 0; i < countof(making.makers); i++)
        start_maker(&making.makers[i]);
}

/* Waits for the makers. True if all is made. */
static bool end_making(void)
{
    bool made = making.begun;
    for (size_t i = 0; making.begun && i < countof(making.makers); i++)
        made = end_maker(&making.makers[i]) && made;
    making.begun = false;
    return made;
}

void shared_open(struct shim *shim, struct host *host)
{
    shared_begin(shim, host);
    if (making.begun) {
        bool made = end_making();
        if (!move_all(making.spaces) || !made) {
            close_all(making.spaces);
            return;
        }
        memcpy(shim->spaces, making.spaces, sizeof making.spaces);
    }
    shared_use(shim, host);
}

void shared_end(void)
{
    if (!making.begun)
        return;
    end_making();
    close_all(making.spaces);
}

void shared_use(const struct shim *shim, struct host *host)
{
    memcpy(host->spaces, shim->spaces, sizeof host->spaces);
    /* Those of an ordinary user's shim must have been made in its own user namespace. */
    host->shares = shim->spaces[0] >= 0 && (host->root || shim->spaced);
}
