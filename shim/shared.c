/* Namespaces that cells share, or that are made ahead; see shared.h. Processes make them while the
 * shim does something else, put their descriptors into its table, empty the mount namespace and
 * end: what keeps them is the descriptors, so nothing is left when the shim dies. */
#include "shim/shared.h"
#include "policies/cell_plan.h"
#include "shim/child.h"
#include "shim/cleanup.h"
#include "shim/protocol.h"
#include "shim/raw.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAKER_STACK 32768

static const char *const files[HOST_SPACES] = {
    [HOST_SPACE_MOUNT] = "/proc/self/ns/mnt",
    [HOST_SPACE_NET] = "/proc/self/ns/net",
    [HOST_SPACE_IPC] = "/proc/self/ns/ipc",
};

/* A process beside the shim, with which it shares memory and descriptors; see child.c for what it
 * may do. */
struct maker {
    int pidfd; /* or -1 */
};

static _Alignas(16) char net_stack[MAKER_STACK], mount_stack[MAKER_STACK];

/* A net namespace takes as long to make as the others and the root together. A process has one
 * shim. */
static struct {
    struct maker net, mount;
    struct child child; /* of the one that makes a mount namespace; its plan: an empty root */
    int spaces[HOST_SPACES];
    pid_t shim;
    volatile int state; /* of the net namespace */
    bool begun;
    bool dismissed;   /* the maker was told to end */
    struct plan plan; /* last: its front lies beside the others */
} making;

/* How long nobody looks at the state, or whether the maker is alive; nanoseconds. */
#define AWAIT_MOMENT 20000000

static const uint64_t flags[HOST_SPACES] = {
    [HOST_SPACE_MOUNT] = CLONE_NEWNS,
    [HOST_SPACE_NET] = CLONE_NEWNET,
    [HOST_SPACE_IPC] = CLONE_NEWIPC,
};

static void announce(long state)
{
    making.state = (int)state;
    raw_call(SYS_futex, (long)&making.state, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0);
}

/* Waits until the state is no longer this one, for a moment at most: a call that wakes may fail. */
static long wait_moment(int state)
{
    struct timespec moment = {0, AWAIT_MOMENT};
    return raw_call(SYS_futex, (long)&making.state, FUTEX_WAIT_PRIVATE, state, (long)&moment, 0);
}

long shared_await_net(int maker, int state)
{
    for (;;) {
        int now = making.state;
        struct pollfd ended = {maker, POLLIN, 0};
        if (now < 0 || now >= state)
            return now < 0 ? now : 0;
        if (wait_moment(now) == -ETIMEDOUT && raw_call(SYS_poll, (long)&ended, 1, 0, 0, 0) != 0 &&
            making.state == now)
            return -ESRCH;
    }
}

static void open_spaces(uint64_t made)
{
    for (size_t i = 0; i < HOST_SPACES; i++)
        if (made & flags[i])
            making.spaces[i] =
                (int)raw_call(SYS_openat, AT_FDCWD, (long)files[i], O_RDONLY | O_CLOEXEC, 0, 0);
}

static _Noreturn void end_at_once(void)
{
    for (;;)
        raw_call(SYS_exit_group, 1, 0, 0, 0, 0);
}

/* Is there until it is ended, with the shim at the latest: a namespace is entered by who is in it.
 * It opens nothing in the shim's table before the shim wants that: it may be ended at any moment,
 * and nobody would know of the descriptor. */
static void make_net(void *unused)
{
    (void)unused;
    if (raw_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
        raw_call(SYS_getppid, 0, 0, 0, 0, 0) != making.shim)
        end_at_once();
    long result = raw_call(SYS_unshare, CLONE_NEWNET, 0, 0, 0, 0);
    announce(result < 0 ? result : SHARED_NET_MADE);
    if (result < 0)
        end_at_once();
    while (making.state != SHARED_NET_WANTED)
        wait_moment(SHARED_NET_MADE);
    open_spaces(CLONE_NEWNET);
    announce(SHARED_NET_OPEN);
    for (;;)
        raw_call(SYS_ppoll, 0, 0, 0, 0, 0);
}

static void make_others(void *unused)
{
    const uint64_t makes = CLONE_NEWNS | CLONE_NEWIPC;
    (void)unused;
    if (raw_call(SYS_unshare, (long)makes, 0, 0, 0, 0) == 0) {
        open_spaces(makes);
        /* What is opened from here on is not the shim's. */
        if (raw_call(SYS_unshare, CLONE_FILES, 0, 0, 0, 0) == 0)
            child_run(&making.child);
    }
    end_at_once();
}

static void start_maker(struct maker *maker, char stack[MAKER_STACK], void (*body)(void *))
{
    struct clone_args args = {
        .flags = CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
        .pidfd = (uint64_t)(uintptr_t)&maker->pidfd,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = MAKER_STACK,
    };
    maker->pidfd = -1;
    if (raw_clone3(&args, body, NULL) < 0 || !child_keeps(&maker->pidfd))
        maker->pidfd = -1;
}

/* True if it came to its end by itself. */
static bool end_maker(struct maker *maker)
{
    siginfo_t info = {0};
    while (waitid(P_PIDFD, (id_t)maker->pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
        ;
    close(take_fd(&maker->pidfd));
    return info.si_code == CLD_EXITED;
}

/* False if it could not be made, or nobody knows: one that was killed may have left the host's root
 * where the empty one belongs. */
static bool make_mount(void)
{
    const struct child *child = &making.child;
    making.child = (struct child){
        .plan = &making.plan,
        .spaces = CLONE_NEWNS | CLONE_NEWIPC,
        .at = making.plan.count,
        .failed = -1,
        .call = "",
    };
    start_maker(&making.mount, mount_stack, make_others);
    return making.mount.pidfd >= 0 && end_maker(&making.mount) && child->failed < 0 &&
           child->missing == 0 && child->at + 1 == making.plan.count;
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

/* Has the maker open its net namespace, too. */
static bool open_net(void)
{
    if (shared_await_net(making.net.pidfd, SHARED_NET_MADE))
        return false;
    announce(SHARED_NET_WANTED);
    return shared_await_net(making.net.pidfd, SHARED_NET_OPEN) == 0;
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
    making.shim = getpid();
    making.state = SHARED_NET_BEGUN;
    making.dismissed = false;
    for (size_t i = 0; i < HOST_SPACES; i++)
        making.spaces[i] = -1;
    start_maker(&making.net, net_stack, make_net);
    making.begun = making.net.pidfd >= 0;
}

void shared_take(struct host *host)
{
    host->ahead = making.begun;
    host->maker = making.net.pidfd;
}

void shared_open(struct shim *shim, struct host *host)
{
    shared_begin(shim, host);
    if (making.begun) {
        bool made = make_mount();
        if (!made || !open_net() || !move_all(making.spaces)) {
            shared_end();
            return;
        }
        memcpy(shim->spaces, making.spaces, sizeof making.spaces);
        for (size_t i = 0; i < HOST_SPACES; i++)
            making.spaces[i] = -1;
        shared_end();
    }
    shared_use(shim, host);
}

void shared_dismiss(void)
{
    if (making.begun && !making.dismissed)
        syscall(SYS_pidfd_send_signal, making.net.pidfd, SIGKILL, NULL, 0);
    making.dismissed = making.begun;
}

void shared_end(void)
{
    if (!making.begun)
        return;
    shared_dismiss();
    end_maker(&making.net);
    making.begun = false;
    close_all(making.spaces);
}

void shared_use(const struct shim *shim, struct host *host)
{
    memcpy(host->spaces, shim->spaces, sizeof host->spaces);
    /* Those of an ordinary user's shim must have been made in its own user namespace. */
    host->shares = shim->spaces[0] >= 0 && (host->root || shim->spaced);
}
