/* The process of a pod; see pause.h. Between the clone and its program it makes system calls and
 * nothing else; the program reads nothing and has no right left. */
#include "shim/containerd/pause.h"

#include "shim/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define NOBODY 65534

static bool enter_group(const char *group)
{
    char file[GROUP_FILE];
    for (unsigned i = 0; group[0] && group_entry(group, i, file); i++) {
        cleanup_close int fd = open(file, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "0", 1) != 1)
            return false;
    }
    return true;
}

static _Noreturn void become(const struct prepared *prepared, int network, int told)
{
    static const char *const arguments[] = {"carrel-pause", PAUSE_WORD, NULL};
    static const char *const environment[] = {NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    bool ready = enter_group(prepared->group) &&
                 (network < 0 || setns(network, CLONE_NEWNET) == 0) &&
                 (!prepared->own_network || unshare(CLONE_NEWNET) == 0) &&
                 (!prepared->hostname[0] ||
                  sethostname(prepared->hostname, strlen(prepared->hostname)) == 0);
    /* Whoever holds `told` open sees that it was closed by the program's start. */
    if (ready) {
        close_range(0, ~0u, CLOSE_RANGE_CLOEXEC);
        int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
    }
    int error = errno;
    ssize_t size = write(told, &error, sizeof error);
    (void)size;
    _exit(127);
}

int pause_start(const struct prepared *prepared, int *ret_pidfd, struct err *err)
{
    int told[2], error = 0, pidfd = -1;
    cleanup_close int network =
        prepared->network[0] ? open(prepared->network, O_RDONLY | O_CLOEXEC) : -1;
    if ((prepared->network[0] && network < 0) || pipe2(told, O_CLOEXEC))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot open the pod's network namespace %s: %s: make the pod again",
                       prepared->network, strerror(errno));
    cleanup_close int group = prepared->group[0] ? group_unified(prepared->group) : -1;
    struct clone_args args = {.flags = CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD |
                                       (group >= 0 ? CLONE_INTO_CGROUP : 0),
                              .pidfd = (uint64_t)(uintptr_t)&pidfd,
                              .cgroup = group >= 0 ? (uint64_t)group : 0};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        become(prepared, network, told[1]);
    int failed = errno;
    close(told[1]);
    ssize_t size = pid < 0 ? -1 : read(told[0], &error, sizeof error);
    close(told[0]);
    if (size == 0) {
        *ret_pidfd = pidfd;
        return (int)pid;
    }
    if (pidfd >= 0)
        close(pidfd);
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "cannot start the process of the pod: %s: free some memory, or raise the limit "
                   "on processes",
                   strerror(size > 0 ? error : failed));
}

static void end(int number)
{
    _exit(128 + number);
}

void pause_run(void)
{
    signal(SIGTERM, end);
    signal(SIGINT, end);
    prctl(PR_SET_NAME, "carrel-pause", 0, 0, 0);
    for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++)
        ;
    bool dropped = setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                   setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
                   prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    /* A change of id forgets whom to die with; if that was meanwhile, nobody is there to be told.
     */
    if (!dropped || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || chdir("/"))
        _exit(126);
    for (;;)
        pause();
}
