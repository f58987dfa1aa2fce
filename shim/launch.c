/* Starting a cell with one clone3; see DESIGN §3. The child shares the shim's memory until it has
 * executed the engine (CLONE_VM, CLONE_VFORK), so nothing is copied and no page faults. */
#include "shim/launch.h"
#include "shim/advice.h"
#include "shim/child.h"
#include "shim/cleanup.h"
#include "shim/hooks.h"
#include "shim/protocol.h"
#include "shim/raw.h"
#include "shim/witness.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define CHILD_STACK 32768

/* The flag of an operation of phase CLONE. */
static uint64_t space_flag(enum operation_kind kind)
{
    switch (kind) {
    case OPERATION_SPACE_MOUNT: return CLONE_NEWNS;
    case OPERATION_SPACE_PID: return CLONE_NEWPID;
    case OPERATION_SPACE_NET: return CLONE_NEWNET;
    case OPERATION_SPACE_IPC: return CLONE_NEWIPC;
    case OPERATION_SPACE_UTS: return CLONE_NEWUTS;
    case OPERATION_SPACE_CGROUP: return CLONE_NEWCGROUP;
    default: return 0;
    }
}

/* The flags of all the plan's namespaces. */
static uint64_t space_flags(const struct plan *plan)
{
    uint64_t flags = 0;
    for (size_t i = 0; i < plan->count; i++)
        flags |= space_flag(plan->at[i].kind);
    return flags;
}

static _Noreturn void end_at_once(void *unused)
{
    (void)unused;
    for (;;)
        raw_call(SYS_exit_group, 0, 0, 0, 0, 0);
}

/* One clone3; the process id or -errno. There is one such child at a time: its parent waits. */
static long clone_once(uint64_t flags, int cgroup, int *pidfd, volatile int *pid,
                       void (*body)(void *), void *argument)
{
    static _Alignas(16) char stack[CHILD_STACK];
    struct clone_args args = {
        .flags = flags | CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_PARENT_SETTID |
                 CLONE_CLEAR_SIGHAND | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .parent_tid = (uint64_t)(uintptr_t)pid,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = sizeof stack,
        .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
    };
    return raw_clone3(&args, body, argument);
}

/* The child has no exit signal, so that a SIGCHLD that the caller ignores does not reap it. */
static void reap(int pidfd)
{
    siginfo_t info;
    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
        ;
}

/* Whether a process can be cloned with this flag alone: 0, or errno. */
static int try_clone(uint64_t flag, int cgroup)
{
    cleanup_close int pidfd = -1;
    volatile int pid;
    long result = clone_once(flag, cgroup, &pidfd, &pid, end_at_once, NULL);
    if (result < 0)
        return (int)-result;
    reap(pidfd);
    return 0;
}

/* The clone failed: which wall is it? Tries each part alone. Slow, but this is the end anyway. */
static int explain_clone(const struct plan *plan, uint64_t spaces, int cgroup, int error,
                         struct err *err)
{
    int plain = try_clone(0, -1);
    for (size_t i = 0; plain == 0 && i < plan->count; i++) {
        uint64_t flag = space_flag(plan->at[i].kind) & spaces;
        int failed = flag ? try_clone(flag, -1) : 0;
        if (failed)
            return walls_refuse(operation_infos[plan->at[i].kind].wall, "clone3", failed, err);
    }
    int failed = plain == 0 && cgroup >= 0 ? try_clone(0, cgroup) : 0;
    if (failed)
        return walls_refuse(WALL_CGROUP, "clone3", failed, err);
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot start a process: clone3: %s%s",
                   strerror(error), advice_on_start("clone3", error));
}

/* Takes each namespace that may be missing and cannot be had out of child->spaces, and reports its
 * wall. Whether there was one. */
static bool drop_spaces(const struct plan *plan, struct child *child, struct wall_report *report)
{
    bool dropped = false;
    for (size_t i = 0; i < plan->count; i++) {
        uint64_t flag = space_flag(plan->at[i].kind) & child->spaces;
        int error = flag && plan->at[i].may_fail ? try_clone(flag, -1) : 0;
        if (!error)
            continue;
        walls_failed(report, &plan->at[i], "clone3", error, NULL);
        child->spaces &= ~flag;
        if (flag == CLONE_NEWNS)
            child->no_mount_space = error;
        dropped = true;
    }
    return dropped;
}

/* Makes the process. If the clone fails, it is tried once more without the namespaces that cannot
 * be had and may be missing. */
static int make_process(const struct shim *shim, const struct plan *plan,
                        const struct cgroups *cgroups, struct child *child, int *pidfd,
                        struct wall_report *report, struct err *err)
{
    int made = cgroups_unified(cgroups), cgroup = made >= 0 ? made : shim->into;
    child->spaces = space_flags(plan);
    long result = clone_once(child->spaces, cgroup, pidfd, &child->pid, child_run, child);
    if (result < 0 && drop_spaces(plan, child, report))
        result = clone_once(child->spaces, cgroup, pidfd, &child->pid, child_run, child);
    if (result < 0)
        return explain_clone(plan, child->spaces, cgroup, (int)-result, err);
    for (size_t i = 0; i < plan->count; i++) {
        if (space_flag(plan->at[i].kind) & child->spaces)
            walls_built(report, &plan->at[i]);
    }
    return 0;
}

/* It ended before it executed the engine, and not because an operation failed: it was killed. */
static int tell_death(const struct operation *operation, int pidfd, struct err *err)
{
    siginfo_t info = {0};
    char text[160];
    operation_text(operation, text, sizeof text);
    /* It is reaped by the caller. */
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOWAIT | __WALL) ||
        info.si_code == CLD_EXITED)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the cell ended before its engine ran: %s: see what `carrel doctor` says",
                       text);
    return err_set(
        err, ERR_KILLED, ERR_NOWHERE,
        "the cell was killed by SIG%s before its engine ran: %s: see what `carrel doctor` says",
        sigabbrev_np(info.si_status) ? sigabbrev_np(info.si_status) : "RT", text);
}

/* What the child left behind: the walls that it built, or the operation that ended it. */
static int judge_child(const struct plan *plan, struct child *child, int pidfd,
                       struct wall_report *report, struct err *err)
{
    if (child->failed < 0 && plan->at[child->at].kind != OPERATION_EXECUTE)
        return tell_death(&plan->at[child->at], pidfd, err);
    if (child->failed >= 0) {
        struct operation operation = plan->at[child->failed];
        operation.may_fail = false;
        return walls_failed(report, &operation, child->call, child->error, err);
    }
    for (enum wall wall = 0; wall < WALL_COUNT; wall++) {
        if (wall_in(child->missing, wall)) {
            report->missing |= WALL_BIT(wall);
            report->standing &= ~WALL_BIT(wall);
            report->errors[wall] = child->errors[wall];
        }
    }
    for (size_t i = 0; i < plan->count; i++) {
        if (operation_infos[plan->at[i].kind].phase == PHASE_CHILD)
            walls_built(report, &plan->at[i]);
    }
    return 0;
}

static int make_socket(const struct plan *plan, int *ret_shim, int *ret_cell,
                       struct wall_report *report, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot make a socket: %s%s", strerror(errno),
                       advice_on(errno));
    *ret_shim = pair[0];
    *ret_cell = pair[1];
    if (!child_keeps(ret_cell))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot move a socket: %s%s", strerror(errno),
                       advice_on(errno));
    const struct operation *passrights = plan_find(plan, OPERATION_PASSRIGHTS);
    if (!passrights)
        return 0;
    const int none = 0;
    if (setsockopt(*ret_shim, SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof none))
        return walls_failed(report, passrights, "setsockopt", errno, err);
    walls_built(report, passrights);
    return 0;
}

/* The way that the child's listener comes. */
static int make_witness(int *ret_hears, int *ret_tells, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot make a socket: %s%s", strerror(errno),
                       advice_on(errno));
    *ret_hears = pair[0];
    *ret_tells = pair[1];
    return child_keeps(ret_tells)
               ? 0
               : err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot move a socket: %s%s", strerror(errno),
                         advice_on(errno));
}

/* The program that the plan executes; -1: it is not open yet. */
static int plan_program(const struct plan *plan, const struct shim *shim)
{
    const struct operation *role = plan_find(plan, OPERATION_ROLE);
    return role && strcmp(role->of.role.role, "tls") == 0 ? shim->tls : shim->engine;
}

static int attach_hooks(const struct operation *operation, const struct cgroups *cgroups,
                        struct wall_report *report, struct err *err)
{
    const char *call;
    if (hooks_attach(cgroups_unified(cgroups), &call))
        return walls_failed(report, operation, call, errno, err);
    walls_built(report, operation);
    return 0;
}

/* The operations of phase SHIM that come before the socket. */
static int prepare(struct shim *shim, const struct plan *plan, struct cgroups *cgroups,
                   struct wall_report *report, struct err *err)
{
    const struct operation *execute = plan_find(plan, OPERATION_EXECUTE);
    if (plan->overflown || !execute)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the plan of the cell is too long or has no engine: this is a mistake in "
                       "carrel: please report it");
    /* Before the shim's own user namespace hides who owns it. */
    if (plan_program(plan, shim) < 0 && shim_open_engine(shim, execute->of.execute.path, err))
        return -1;
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation *operation = &plan->at[i];
        int result = 0;
        switch (operation->kind) {
        case OPERATION_OWN_SPACES:
        case OPERATION_MDWE: result = shim_prepare(shim, operation, report, err); break;
        case OPERATION_CGROUP:
        case OPERATION_CGROUP_LIMIT:
            result = cgroups_prepare(cgroups, operation, shim->id, report, err);
            break;
        case OPERATION_CGROUP_HOOKS: result = attach_hooks(operation, cgroups, report, err); break;
        default: break;
        }
        if (result)
            return -1;
    }
    return 0;
}

int launch(struct shim *shim, const struct plan *plan, struct cgroups *cgroups,
           struct wall_report *report, struct launched *ret, struct err *err)
{
    if (prepare(shim, plan, cgroups, report, err))
        return -1;
    cleanup_close int ours = -1;
    cleanup_close int theirs = -1;
    cleanup_close int pidfd = -1;
    cleanup_close int hears = -1;
    cleanup_close int tells = -1;
    if (make_socket(plan, &ours, &theirs, report, err) ||
        (plan_find(plan, OPERATION_WITNESS) && make_witness(&hears, &tells, err)))
        return -1;

    int procs[CGROUPS_MAX];
    cgroups_entries(cgroups, plan, procs);
    struct child child = {.plan = plan,
                          .engine = plan_program(plan, shim),
                          .socket = theirs,
                          .witness = tells,
                          .cgroups = procs,
                          .failed = -1,
                          .call = ""};
    if (make_process(shim, plan, cgroups, &child, &pidfd, report, err))
        return -1;
    if (judge_child(plan, &child, pidfd, report, err)) {
        reap(pidfd);
        return -1;
    }
    int listener = hears >= 0 ? witness_take(hears) : -1;
    *ret = (struct launched){child.pid, take_fd(&pidfd), take_fd(&ours), listener};
    return 0;
}

bool launch_alike(const struct plan *a, const struct plan *b)
{
    size_t i = 0;
    for (; i < a->count && operation_infos[a->at[i].kind].phase <= PHASE_START; i++) {
        if (i >= b->count || !operation_same(&a->at[i], &b->at[i]))
            return false;
    }
    return i >= b->count || operation_infos[b->at[i].kind].phase > PHASE_START;
}
