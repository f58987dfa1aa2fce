/* Detached mount clones; see mount.h. Without AT_RECURSIVE in both calls a clone of a tree with
 * submounts fails for ordinary users, or leaves the submounts writable (measured). */
#include "shim/mount.h"
#include "shim/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define WHOLE (AT_EMPTY_PATH | AT_RECURSIVE)

/* MS_PRIVATE; <sys/mount.h> and <linux/mount.h> do not go together. */
#define PROPAGATION_PRIVATE (UINT64_C(1) << 18)

static int set_attributes(int mount, struct mount_attr *attributes)
{
    return (int)syscall(SYS_mount_setattr, mount, "", WHOLE, attributes, sizeof *attributes);
}

int mount_source(const char *path)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_NO_SYMLINKS};
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

int mount_clone(int source, uint64_t attributes, const char **ret_call)
{
    *ret_call = "open_tree";
    cleanup_close int mount =
        (int)syscall(SYS_open_tree, source, "",
                     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
    if (mount < 0)
        return -1;
    struct mount_attr wanted = {.attr_set = attributes, .propagation = PROPAGATION_PRIVATE};
    *ret_call = "mount_setattr";
    if (set_attributes(mount, &wanted))
        return -1;
    return take_fd(&mount);
}

/* Lives only until its user namespace has been opened, or the shim dies. */
static int wait_to_be_killed(void *shim)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    while (getppid() == *(const pid_t *)shim)
        pause();
    return 0;
}

static int write_map(int pid, const char *file, uint32_t inside, uint32_t outside)
{
    char path[64], line[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int size = snprintf(line, sizeof line, "%u %u 1", inside, outside);
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, line, (size_t)size) == size ? 0 : -1;
}

/* A user namespace in which the ids of `owner` are `id` of the host: how the kernel takes a
 * mapping. */
static int make_mapping(const struct stat *owner, uint32_t id)
{
    char stack[16384] __attribute__((aligned(16)));
    pid_t shim = getpid();
    int pid = clone(wait_to_be_killed, stack + sizeof stack, CLONE_NEWUSER | SIGCHLD, &shim);
    if (pid < 0)
        return -1;
    int mapping = -1;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
    if (write_map(pid, "uid_map", owner->st_uid, id) == 0 &&
        write_map(pid, "gid_map", owner->st_gid, id) == 0)
        mapping = open(path, O_RDONLY | O_CLOEXEC);
    int error = errno;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    errno = error;
    return mapping;
}

int mount_give_to(int mount, uint32_t id, const char **ret_call)
{
    struct stat owner;
    *ret_call = "fstat";
    if (fstat(mount, &owner))
        return -1;
    *ret_call = "clone";
    cleanup_close int mapping = make_mapping(&owner, id);
    if (mapping < 0)
        return -1;
    struct mount_attr wanted = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)mapping};
    *ret_call = "mount_setattr";
    return set_attributes(mount, &wanted);
}
