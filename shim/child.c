/* The child of a launch. It was cloned with CLONE_VM, so every byte that it writes is the shim's
 * too: it writes nothing but its own stack and struct child, and calls nothing of libc. */
#include "shim/child.h"
#include "shim/protocol.h"
#include "shim/raw.h"
#include "shim/shared.h"
#include "shim/witness.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* One system call of the child. Names itself for the error text; result or -errno. */
#define CALL(number, a, b, c, d, e)                                                                \
    (child->call = #number,                                                                        \
     raw_call(SYS_##number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e)))

/* Several in a row: the first that fails ends the operation. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        long must_result = (call);                                                                 \
        if (must_result < 0)                                                                       \
            return must_result;                                                                    \
    } while (0)

/* As many as a process has, unless somebody raised its limit. */
#define DESCRIPTORS_USUAL 1024

static void leave_descriptor(struct child *child, int fd)
{
    CALL(fcntl, fd, F_SETFD, FD_CLOEXEC, 0, 0);
}

/* Every descriptor that the kernel lists, whatever its number is: no limit says how high they are,
 * because it may have been lowered since. Without /proc those with usual numbers. */
static void leave_one_by_one(struct child *child)
{
    _Alignas(struct dirent) char entries[1024];
    long size = 0,
         list = CALL(openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);
    for (int fd = 0; list < 0 && fd < DESCRIPTORS_USUAL; fd++)
        leave_descriptor(child, fd);
    while (list >= 0 && (size = CALL(getdents64, list, entries, sizeof entries, 0, 0)) > 0) {
        RAW_FILLED(entries);
        for (long at = 0; at < size;) {
            const struct dirent *entry = (const void *)(entries + at);
            int fd = 0;
            for (const char *digit = entry->d_name; *digit >= '0' && *digit <= '9'; digit++)
                fd = fd * 10 + (*digit - '0');
            if (entry->d_name[0] != '.')
                leave_descriptor(child, fd);
            at += entry->d_reclen;
        }
    }
}

/* Everything is closed by executing the engine; only the socket, as descriptor 3, is not. Where it
 * is accepted that some may stay, they are left one by one: the engine needs the socket, and grants
 * must get the numbers that the plan gives them, which are the lowest that are free. */
static long leave_descriptors(struct child *child)
{
    long closed = CALL(close_range, 0, ~0u, CLOSE_RANGE_CLOEXEC, 0, 0);
    if (closed < 0)
        leave_one_by_one(child);
    MUST(CALL(dup3, child->socket, PROTOCOL_SOCKET, 0, 0, 0));
    child->call = "close_range";
    return closed;
}

/* The descriptor is closed by executing the engine. */
static long join_group(struct child *child, const char *file)
{
    long fd = CALL(openat, AT_FDCWD, file, O_WRONLY | O_CLOEXEC, 0, 0);
    MUST(fd);
    return CALL(write, fd, "0", 1, 0, 0);
}

/* The new root is mounted over the old one and pivoted to; what was below is detached. Propagation
 * is cut first, or the host would lose its mounts too. In the caller's own mount namespace it would
 * lose them all the same, so there nothing is begun. */
static long empty_root(struct child *child)
{
    if (!(child->spaces & CLONE_NEWNS)) {
        child->call = "clone3";
        return child->no_mount_space ? -child->no_mount_space : -EPERM;
    }
    MUST(CALL(mount, "none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
    long context = CALL(fsopen, "tmpfs", FSOPEN_CLOEXEC, 0, 0, 0);
    MUST(context);
    MUST(CALL(fsconfig, context, FSCONFIG_SET_FLAG, "ro", NULL, 0));
    MUST(CALL(fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
    long root = CALL(fsmount, context, FSMOUNT_CLOEXEC,
                     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                         MOUNT_ATTR_NOSYMFOLLOW,
                     0, 0);
    MUST(root);
    MUST(CALL(move_mount, root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH));
    MUST(CALL(fchdir, root, 0, 0, 0, 0));
    MUST(CALL(pivot_root, ".", ".", 0, 0, 0));
    return CALL(umount2, ".", MNT_DETACH, 0, 0, 0);
}

/* Where nobody has made it, because the maker was killed or there was no room for it, or it cannot
 * be entered, the cell makes one itself. */
static long take_net(struct child *child, int maker)
{
    if (shared_await_net(maker, SHARED_NET_MADE) == 0 &&
        CALL(setns, maker, CLONE_NEWNET, 0, 0, 0) == 0)
        return 0;
    return CALL(unshare, CLONE_NEWNET, 0, 0, 0, 0);
}

/* Capabilities survive the change of id, because making a user namespace may need them; CAPSET
 * empties them. */
static long set_id(struct child *child, uint64_t first)
{
    long id = (long)first + child->pid;
    MUST(CALL(prctl, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0));
    MUST(CALL(setgroups, 0, NULL, 0, 0, 0));
    MUST(CALL(setresgid, id, id, id, 0, 0));
    return CALL(setresuid, id, id, id, 0, 0);
}

static long empty_bounding_set(struct child *child, uint64_t last)
{
    for (uint64_t capability = 0; capability <= last; capability++)
        MUST(CALL(prctl, PR_CAPBSET_DROP, capability, 0, 0, 0));
    return 0;
}

static long lock_securebits(struct child *child)
{
    long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    return CALL(prctl, PR_SET_SECUREBITS, bits, 0, 0, 0);
}

static long empty_capabilities(struct child *child)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};
    MUST(CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    return CALL(capset, &header, none, 0, 0, 0);
}

/* A limit that is lower already and may not be raised is as good. */
static long set_limit(struct child *child, const struct operation_rlimit *rlimit)
{
    struct rlimit limit = {rlimit->value, rlimit->value}, now = {0};
    long result = CALL(prlimit64, 0, rlimit->resource, &limit, NULL, 0);
    if (result == -EPERM && CALL(prlimit64, 0, rlimit->resource, NULL, &now, 0) == 0 &&
        now.rlim_max <= rlimit->value)
        return 0;
    return result;
}

/* The listener is closed here by executing the engine. */
static long install_witness(struct child *child)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS,
                            .cmsg_len = CMSG_LEN(sizeof(int))}};
    char byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    long listener = CALL(seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                         &witness_filter, 0, 0);
    MUST(listener);
    *(int *)CMSG_DATA(&control.header) = (int)listener;
    return CALL(sendmsg, child->witness, &packet, 0, 0, 0);
}

static long execute(struct child *child)
{
    static const char *const arguments[] = {"carrel-cell", NULL};
    static const char *const environment[] = {NULL};
    return CALL(execveat, child->engine, "", arguments, environment, AT_EMPTY_PATH);
}

/* Carries out one operation; a negative errno if it failed. */
static long carry_out(struct child *child, const struct operation *operation, const int **cgroup)
{
    switch (operation->kind) {
    case OPERATION_SESSION: return CALL(setsid, 0, 0, 0, 0, 0);
    case OPERATION_DESCRIPTORS: return leave_descriptors(child);
    case OPERATION_JOIN: return join_group(child, operation->of.join.file);
    case OPERATION_CGROUP_ENTER: return CALL(write, *(*cgroup)++, "0", 1, 0, 0);
    case OPERATION_ROOT: return empty_root(child);
    case OPERATION_ENTER_NET:
        return CALL(setns, operation->of.enter_net.file, CLONE_NEWNET, 0, 0, 0);
    case OPERATION_ENTER_IPC:
        return CALL(setns, operation->of.enter_ipc.file, CLONE_NEWIPC, 0, 0, 0);
    case OPERATION_ENTER_MOUNT:
        return CALL(setns, operation->of.enter_mount.file, CLONE_NEWNS, 0, 0, 0);
    case OPERATION_ENTER_ROOT: return CALL(chdir, "/", 0, 0, 0, 0);
    case OPERATION_TAKE_NET: return take_net(child, (int)operation->of.take_net.maker);
    case OPERATION_RLIMIT: return set_limit(child, &operation->of.rlimit);
    case OPERATION_SET_ID: return set_id(child, operation->of.set_id.first);
    case OPERATION_SPACE_USER: return CALL(unshare, CLONE_NEWUSER, 0, 0, 0, 0);
    case OPERATION_BOUNDING: return empty_bounding_set(child, operation->of.bounding.last);
    case OPERATION_SECUREBITS: return lock_securebits(child);
    case OPERATION_CAPSET: return empty_capabilities(child);
    case OPERATION_NO_NEW_PRIVS: return CALL(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    case OPERATION_DEATH: return CALL(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    case OPERATION_WITNESS: return install_witness(child);
    case OPERATION_EXECUTE: return execute(child);
    default: return -ENOSYS;
    }
}

_Noreturn void child_run(void *argument)
{
    struct child *child = argument;
    const int *cgroup = child->cgroups;
    for (size_t i = 0; i < child->plan->count; i++) {
        const struct operation *operation = &child->plan->at[i];
        const struct operation_info *info = &operation_infos[operation->kind];
        if (info->phase != PHASE_CHILD)
            continue;
        child->at = i;
        long result = carry_out(child, operation, &cgroup);
        if (result >= 0)
            continue;
        if (!operation->may_fail || info->wall == WALL_NONE) {
            child->failed = (int)i;
            child->error = (int)-result;
            break;
        }
        child->missing |= WALL_BIT(info->wall);
        child->errors[info->wall] = (int)-result;
    }
    for (;;)
        raw_call(SYS_exit_group, 1, 0, 0, 0, 0);
}
