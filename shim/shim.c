/* What the shim does to its own process before it makes cells. May not look at anything that a
 * component or the network produced. */
#include "shim/shim.h"
#include "shim/advice.h"
#include "shim/child.h"
#include "shim/cleanup.h"
#include "shim/hooks.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

/* Linux 6.3; Debian's headers are older. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

struct shim shim_new(void)
{
    struct shim shim = {.engine = -1, .tls = -1, .into = -1, .spaces = {-1, -1, -1}};
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    snprintf(shim.id, sizeof shim.id, "%d-%llx", (int)getpid(),
             (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec);
    return shim;
}

void shim_close(struct shim *shim)
{
    hooks_close();
    if (shim->engine >= 0)
        close(take_fd(&shim->engine));
    if (shim->tls >= 0)
        close(take_fd(&shim->tls));
    for (size_t i = 0; i < HOST_SPACES; i++)
        if (shim->spaces[i] >= 0)
            close(take_fd(&shim->spaces[i]));
}

static int write_map(const char *path, const char *text)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* Only here may an ordinary user clone mounts; the ids stay what they are. */
static int enter_own_spaces(const struct operation_own_spaces *own, const char **ret_call)
{
    char user[64], group[64];
    snprintf(user, sizeof user, "%" PRIu64 " %" PRIu64 " 1", own->uid, own->uid);
    snprintf(group, sizeof group, "%" PRIu64 " %" PRIu64 " 1", own->gid, own->gid);
    *ret_call = "unshare";
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
        return -1;
    *ret_call = "/proc/self/uid_map";
    if (write_map("/proc/self/setgroups", "deny") || write_map("/proc/self/uid_map", user))
        return -1;
    *ret_call = "/proc/self/gid_map";
    return write_map("/proc/self/gid_map", group);
}

int shim_prepare(struct shim *shim, const struct operation *operation, struct wall_report *report,
                 struct err *err)
{
    const char *call = "prctl";
    int result = 0;
    if (operation->kind == OPERATION_OWN_SPACES && !shim->spaced) {
        result = enter_own_spaces(&operation->of.own_spaces, &call);
        shim->spaced = result == 0;
    } else if (operation->kind == OPERATION_MDWE && !shim->mdwe) {
        result = prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
        shim->mdwe = result == 0;
    }
    if (result)
        return walls_failed(report, operation, call, errno, err);
    walls_built(report, operation);
    return 0;
}

/* A program that cells execute, into *ret. */
static int open_program(const char *path, const char *what, int *ret, struct err *err)
{
    if (*ret >= 0)
        return 0;
    cleanup_close int engine = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (!child_keeps(&engine) || fstat(engine, &status))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot open %s %s: %s%s", what, path,
                       strerror(errno),
                       *advice_on(errno) ? advice_on(errno) : ": install carrel again");
    bool trusted = status.st_uid == 0 || status.st_uid == geteuid();
    if (!S_ISREG(status.st_mode) || !trusted || status.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "%s %s must be a file of root's or your own that nobody else can write to",
                       what, path);
    *ret = take_fd(&engine);
    return 0;
}

int shim_open_engine(struct shim *shim, const char *path, struct err *err)
{
    return open_program(path, "the engine", &shim->engine, err);
}

int shim_open_tls(struct shim *shim, const char *path, struct err *err)
{
    return open_program(path, "the program that speaks TLS", &shim->tls, err);
}
