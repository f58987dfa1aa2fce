/* Facts about host and caller; see policies/host.h. Asks only for what changes the plan: whether a
 * wall can be built shows when it is built. */
#include "shim/host.h"
#include "shim/cleanup.h"
#include "shim/protocol.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

#define LANDLOCK_ASK_VERSION 1u

/* Root counts only in the initial user namespace, where every id is mapped to itself. Who cannot
 * tell takes it for root: then a cell gets an id of its own, or is refused. */
static bool is_root(uid_t uid)
{
    if (uid != 0)
        return false;
    unsigned inside, outside, count;
    char first[64]; /* a line: three numbers in columns */
    cleanup_close int map = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    ssize_t size = map < 0 ? -1 : read(map, first, sizeof first - 1);
    if (size < 0)
        return true;
    first[size] = '\0';
    int fields = sscanf(first, "%u %u %u", &inside, &outside, &count);
    return fields != 3 || (inside == 0 && outside == 0 && count == UINT32_MAX);
}

/* The kernel may have more than the headers know, or fewer. (libcap tells it too, but asks when the
 * program starts, and three times as often.) */
static uint32_t last_capability(void)
{
    uint32_t last = CAP_LAST_CAP;
    while (last > 0 && prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0)
        last--;
    while (prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
        last++;
    return last;
}

static bool is_null(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

enum host_stream host_stream_kind(int stream, int fd)
{
    struct stat status;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || flags & O_PATH || fstat(fd, &status) || S_ISDIR(status.st_mode) ||
        is_null(&status))
        return HOST_CLOSED;
    if (S_ISCHR(status.st_mode) && isatty(fd))
        return HOST_TERMINAL;
    if ((flags & O_ACCMODE) == O_RDWR)
        return HOST_BOTH;
    if ((flags & O_ACCMODE) != (stream == 0 ? O_RDONLY : O_WRONLY))
        return HOST_CLOSED;
    return flags & O_NONBLOCK && !S_ISREG(status.st_mode) ? HOST_UNBLOCKED : HOST_FILE;
}

void host_secure_streams(void)
{
    struct pollfd streams[3] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
    bool asked = poll(streams, countof(streams), 0) >= 0;
    for (int stream = 0; stream < 3; stream++) {
        /* An O_PATH descriptor is none to poll, but open. The lowest number that is free is this
         * one. */
        if ((!asked || streams[stream].revents & POLLNVAL) && fcntl(stream, F_GETFD) < 0 &&
            open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY) != stream) {
            static const char why[] =
                "carrel: a standard stream is closed, and /dev/null cannot be opened to take its "
                "place: give it one, or run where /dev/null is\n";
            if (write(STDERR_FILENO, why, sizeof why - 1) < 0)
                _exit(125); /* nobody to tell: it is standard error that is closed */
            _exit(125);
        }
    }
}

bool host_writable(int stream)
{
    int flags = fcntl(stream, F_GETFL);
    return flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
}

uint64_t host_limit(int resource)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur
                                                                               : UINT64_MAX;
}

void host_probe(const char *engine, bool cgroups, struct host *ret)
{
    uint64_t processor = host_limit(RLIMIT_CPU);
    uid_t uid = geteuid();
    *ret = (struct host){
        .root = is_root(uid),
        .uid = uid,
        .gid = getegid(),
        .last_cap = last_capability(),
        .processor = processor < UINT64_MAX ? processor : 0,
        .arena = UINT64_C(1) << PROTOCOL_ARENA_SHIFT,
        .engine = engine,
    };
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_ASK_VERSION);
    ret->landlock = abi > 0 ? (int)abi : 0;
    for (int stream = 0; stream < 3; stream++)
        ret->streams[stream] = host_stream_kind(stream, stream);
    ret->bounded = cgroups;
    if (cgroups)
        host_probe_cgroups(ret->root, &ret->cgroups);
}
