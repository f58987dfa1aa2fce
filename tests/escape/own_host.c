/* The host of the test's own; see own_host.h. Its root is a tmpfs of its own mount namespace; of
 * the real one it sees /usr, the C library and the build directory, for reading. */
#include "tests/escape/own_host.h"

#include "shim/cleanup.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ROOT "/tmp"

static int write_file(const char *path, const char *text)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* Root of the real host keeps all its ids, an ordinary user the one that is there. From outside,
 * where root still may. */
static int map_ids(pid_t pid)
{
    char path[64], map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    snprintf(path, sizeof path, "/proc/%d/setgroups", (int)pid);
    if (uid && write_file(path, "deny"))
        return -1;
    snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
    snprintf(map, sizeof map, uid ? "0 %u 1" : "0 0 %u", uid ? uid : UINT_MAX);
    if (write_file(path, map))
        return -1;
    snprintf(path, sizeof path, "/proc/%d/gid_map", (int)pid);
    snprintf(map, sizeof map, uid ? "0 %u 1" : "0 0 %u", uid ? gid : UINT_MAX);
    return write_file(path, map);
}

/* Makes all directories of a path below ROOT. */
static int make_path(const char *path, char ret[PATH_MAX])
{
    if (snprintf(ret, PATH_MAX, ROOT "%s", path) >= PATH_MAX)
        return -1;
    for (char *slash = ret + strlen(ROOT); slash; slash = strchr(slash + 1, '/')) {
        char kept = *slash;
        *slash = '\0';
        if (slash > ret + strlen(ROOT) && mkdir(ret, 0755) && errno != EEXIST)
            return -1;
        *slash = kept;
    }
    return mkdir(ret, 0755) && errno != EEXIST ? -1 : 0;
}

/* A directory of the real host at the same path, for reading; or the link that it is there. */
static int show(const char *path)
{
    char target[PATH_MAX], link[PATH_MAX] = "";
    ssize_t size = readlink(path, link, sizeof link - 1);
    if (size > 0) {
        snprintf(target, sizeof target, ROOT "%.4000s", path);
        return symlink(link, target);
    }
    if (access(path, F_OK))
        return 0;
    if (make_path(path, target))
        return -1;
    return mount(path, target, NULL, MS_BIND | MS_REC, NULL);
}

static int make_files(void)
{
    static const char *const devices[] = {"null", "zero", "random", "urandom"};
    char from[64], to[64];
    if (mkdir(ROOT "/etc", 0755) || mkdir(ROOT "/dev", 0755) || mkdir(ROOT "/proc", 0755) ||
        mkdir(ROOT "/sys", 0755) || mkdir(ROOT "/tmp", 01777) || mkdir(ROOT "/run", 0755) ||
        write_file(ROOT "/etc/passwd", "root:x:0:0::/:/bin/sh\n") ||
        write_file(ROOT "/etc/shadow", "root:secret:::::::\n") || chmod(ROOT "/tmp", 01777))
        return -1;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        snprintf(from, sizeof from, "/dev/%s", devices[i]);
        snprintf(to, sizeof to, ROOT "/dev/%s", devices[i]);
        if (write_file(to, "") || mount(from, to, NULL, MS_BIND, NULL))
            return -1;
    }
    return 0;
}

static int make_root(const char *build)
{
    static const char *const shown[] = {"/usr", "/lib", "/lib64", "/bin"};
    /* The build may lie where the new root is mounted: it is bound to a place aside before. */
    cleanup_close int aside =
        (int)syscall(SYS_open_tree, AT_FDCWD, build, 1 | O_CLOEXEC); /* OPEN_TREE_CLONE */
    char target[PATH_MAX];
    if (aside < 0 || mount("own-host", ROOT, "tmpfs", 0, "mode=755") || make_files() ||
        make_path(build, target) ||
        syscall(SYS_move_mount, aside, "", AT_FDCWD, target, 4)) /* MOVE_MOUNT_F_EMPTY_PATH */
        return -1;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (show(shown[i]))
            return -1;
    if (mount("proc", ROOT "/proc", "proc", 0, NULL) &&
        mount("/proc", ROOT "/proc", NULL, MS_BIND | MS_REC, NULL))
        return -1;
    return chdir(ROOT) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ? -1 : 0;
}

static int set_address(int fd, const char *device, const char *text)
{
    struct ifreq request = {0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    inet_pton(AF_INET, text, &address.sin_addr);
    memcpy(&request.ifr_addr, &address, sizeof address);
    return ioctl(fd, SIOCSIFADDR, &request);
}

/* It has the address where clouds keep their machines' keys, too. */
static int bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request))
        return -1;
    request.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &request) || set_address(fd, "lo:1", "169.254.169.254") ? -1 : 0;
}

/* Process 1 of the new host: starts the others, and ends with what the program ended with. */
static int be_init(const char *self, char **arguments)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    pid_t second = fork();
    if (second == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        for (;;)
            pause();
    }
    pid_t program = fork();
    if (program == 0) {
        execv(self, arguments);
        perror(self);
        _exit(127);
    }
    int status = 0;
    pid_t ended;
    do
        ended = wait(&status);
    while (ended != program && ended > 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* `mapped` ends when the ids are mapped, `ready` when they can be. */
static int be_host(const char *self, char **arguments, int ready, int mapped)
{
    char build[PATH_MAX], byte;
    snprintf(build, sizeof build, "%s", self); /* .../test/host/NAME */
    for (int i = 0; i < 2; i++)
        *strrchr(build, '/') = '\0';
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                CLONE_NEWUTS | CLONE_NEWCGROUP))
        return -1;
    close(ready);
    if (read(mapped, &byte, 1) != 1 || setresgid(0, 0, 0) || setresuid(0, 0, 0) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return -1;
    pid_t init = fork(); /* /proc is mounted from inside the pid namespace */
    if (init == 0) {
        if (make_root(build) || bring_loopback_up() || sethostname("own-host", 8)) {
            perror("own host");
            _exit(125);
        }
        _exit(be_init(self, arguments));
    }
    int status;
    while (waitpid(init, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int own_host_run(const char *inside, int count, char **arguments)
{
    static char self[PATH_MAX];
    int ready[2], mapped[2];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size < 0 || pipe2(ready, O_CLOEXEC) || pipe2(mapped, O_CLOEXEC))
        return -1;
    char **all = calloc((size_t)count + 2, sizeof *all);
    if (!all)
        return -1;
    all[0] = self;
    all[1] = (char *)(uintptr_t)inside;
    memcpy(all + 2, arguments + 1, (size_t)(count - 1) * sizeof *all);
    fflush(NULL);
    pid_t host = fork();
    if (host == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        close(mapped[1]);
        close(ready[0]);
        _exit(be_host(self, all, ready[1], mapped[0]) & 0xff);
    }
    char byte;
    close(ready[1]);
    close(mapped[0]);
    bool can = read(ready[0], &byte, 1) == 0 && map_ids(host) == 0 && write(mapped[1], "", 1) == 1;
    close(ready[0]);
    close(mapped[1]);
    int status;
    while (waitpid(host, &status, 0) < 0 && errno == EINTR)
        ;
    free(all);
    return can && WIFEXITED(status) && WEXITSTATUS(status) < 125 ? WEXITSTATUS(status) : -1;
}
