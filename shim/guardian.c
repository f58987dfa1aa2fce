/* The guardian and the state files; see guardian.h.
 *
 * A state file is named by its shim's id, is locked as long as the shim or its guardian lives, and
 * holds the parents of the groups, one a line. It is written before the first group is made. One
 * that is there while a socket is bound beside it (guardian_bind) is empty. */
#include "shim/guardian.h"
#include "shim/cleanup.h"
#include "shim/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#define STATE_MAX  4096 /* bytes of a state file */
#define PLACE_SIZE 256

struct guardian guardian_none(void)
{
    return (struct guardian){.pidfd = -1, .pipe = -1, .state = -1, .directory = -1};
}

enum { PLACES = 2 };

/* The directories of state files: root's, or an ordinary user's, who may have the first in one
 * session and not in another. The first that is named is used; all are swept. A directory is there
 * only while a file is. */
static size_t places(char ret[PLACES][PLACE_SIZE])
{
    size_t count = 0;
    const char *user = getenv("XDG_RUNTIME_DIR");
    uid_t uid = geteuid();
    if (uid == 0) {
        snprintf(ret[count++], PLACE_SIZE, "/run/carrel");
    } else if (user && user[0] == '/')
        snprintf(ret[count++], PLACE_SIZE, "%.200s/carrel", user);
    snprintf(ret[count++], PLACE_SIZE, "/tmp/carrel-%u", uid);
    return count;
}

/* Opens one; only a directory that is ours alone will do. */
static int open_directory(const char *path)
{
    struct stat status;
    cleanup_close int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0 && (errno == ELOOP || errno == ENOTDIR)) /* a link, or a file */
        errno = EPERM;
    if (directory < 0 || fstat(directory, &status))
        return -1;
    if (status.st_uid != geteuid() || status.st_mode & 077) {
        errno = EPERM;
        return -1;
    }
    return take_fd(&directory);
}

/* A new state file, locked. Another shim may remove the directory, or sweep the file before it is
 * locked: then once more. */
static int create_state(const char *place, const char *id, int *ret_directory)
{
    for (int attempt = 0; attempt < 16; attempt++) {
        if (mkdir(place, 0700) && errno != EEXIST)
            return -1;
        cleanup_close int directory = open_directory(place);
        if (directory < 0 && errno != ENOENT)
            return -1;
        struct stat status;
        cleanup_close int state =
            directory < 0 ? -1
                          : openat(directory, id, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (state < 0 && errno != ENOENT)
            return -1;
        if (state >= 0 && flock(state, LOCK_EX | LOCK_NB) == 0 && fstat(state, &status) == 0 &&
            status.st_nlink > 0) {
            *ret_directory = take_fd(&directory);
            return take_fd(&state);
        }
    }
    errno = EAGAIN;
    return -1;
}

/* The lines of a state file, each a parent; NUL-terminated by this. */
static char *read_state(int state, char text[STATE_MAX])
{
    ssize_t size = pread(state, text, STATE_MAX - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

/* False if some of the groups remain. */
static bool clear_groups(int state, const char *id)
{
    char text[STATE_MAX];
    char *rest = NULL;
    bool all = true;
    for (char *parent = strtok_r(read_state(state, text), "\n", &rest); parent;
         parent = strtok_r(NULL, "\n", &rest))
        all = cgroups_clear(parent, id) && all;
    return all;
}

static void remove_state(int directory, const char *place, const char *id)
{
    unlinkat(directory, id, 0);
    rmdir(place); /* if it was the last */
}

/* The process. A byte means that the shim has cleaned up, the end of the pipe that it could not.
 * What the guardian cannot remove either, the next start sweeps. */
static _Noreturn void guard(const struct guardian *guardian, int pipe)
{
    enum { PIPE, STATE, DIRECTORY, KEPT };
    const sigset_t all = signals_all();
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "carrel-guardian", 0, 0, 0);
    /* All three are above the standard streams, which are always open (host_secure_streams). */
    dup2(pipe, PIPE);
    dup2(guardian->state, STATE);
    dup2(guardian->directory, DIRECTORY);
    close_range(KEPT, ~0u, 0);
    char byte;
    ssize_t size;
    do
        size = read(PIPE, &byte, 1);
    while (size < 0 && errno == EINTR);
    if (size == 0 && clear_groups(STATE, guardian->id))
        remove_state(DIRECTORY, guardian->place, guardian->id);
    _exit(0);
}

static int start(struct guardian *guardian, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot make a pipe: %s: raise the limit on open files (ulimit -n)",
                       strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        guard(guardian, ends[0]);
    close(ends[0]);
    guardian->pipe = ends[1];
    guardian->pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    if (guardian->pidfd < 0) {
        close(take_fd(&guardian->pipe));
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot start the guardian: %s: raise the limit on processes (ulimit -u)",
                       strerror(errno));
    }
    return 0;
}

/* The first place where a state file can be made. One that somebody else has planted is an error,
 * and not passed over: it is told of. */
static void find_place(struct guardian *guardian)
{
    char all[PLACES][PLACE_SIZE];
    size_t count = places(all);
    for (size_t i = 0; i < count; i++) {
        snprintf(guardian->place, sizeof guardian->place, "%s", all[i]);
        guardian->state = create_state(guardian->place, guardian->id, &guardian->directory);
        if (guardian->state >= 0 || errno == EPERM)
            return;
    }
}

int guardian_watch(struct guardian *guardian, const struct plan *plan, const char *id,
                   struct err *err)
{
    char text[STATE_MAX];
    size_t size = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->at[i].kind == OPERATION_CGROUP && size < sizeof text)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s\n",
                                     plan->at[i].of.cgroup.parent);
    }
    if (size == 0 || guardian->state >= 0)
        return 0;
    int length = snprintf(guardian->id, sizeof guardian->id, "%s", id);
    if (size >= sizeof text || length >= (int)sizeof guardian->id)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the paths of the control groups are too long: start carrel in a group with "
                       "a shorter path");
    find_place(guardian);
    if (guardian->state < 0 && errno == EPERM)
        return err_set(
            err, ERR_FAULT, ERR_NOWHERE,
            "%s is not yours alone: remove it, or have it removed by whoever made it, or "
            "set XDG_RUNTIME_DIR to a directory of yours",
            guardian->place);
    if (guardian->state < 0 || pwrite(guardian->state, text, size, 0) != (ssize_t)size)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot write %s/%s: %s: %s", guardian->place,
                       id, strerror(errno),
                       geteuid() == 0 ? "make it writable"
                                      : "set XDG_RUNTIME_DIR to a directory of yours");
    return start(guardian, err);
}

static void reap(struct guardian *guardian)
{
    siginfo_t info;
    close(take_fd(&guardian->pipe)); /* first: it may not have been told */
    while (waitid(P_PIDFD, (id_t)guardian->pidfd, &info, WEXITED) < 0 && errno == EINTR)
        ;
    close(take_fd(&guardian->pidfd));
}

int guardian_replace(struct guardian *guardian, struct err *err)
{
    reap(guardian);
    return start(guardian, err);
}

void guardian_dismiss(struct guardian *guardian, bool left)
{
    if (guardian->state < 0)
        return;
    if (left &&
        guardian->pidfd >= 0) { /* it takes the end of the pipe for our death, and goes on */
        close(take_fd(&guardian->pipe));
        close(take_fd(&guardian->pidfd));
    } else {
        if (!left)
            remove_state(guardian->directory, guardian->place, guardian->id);
        if (guardian->pidfd >= 0) {
            ssize_t told = write(guardian->pipe, "", 1);
            (void)told; /* if it is dead already, so be it */
            reap(guardian);
        }
    }
    close(take_fd(&guardian->state));
    close(take_fd(&guardian->directory));
}

/* The name of the socket that a state file stands for. */
static const char *socket_name(const char *id, char ret[NAME_MAX + 1])
{
    snprintf(ret, NAME_MAX + 1, "%.200s.socket", id);
    return ret;
}

int guardian_bind(int socket)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[NAME_MAX + 1];
    struct guardian bound = guardian_none();
    snprintf(bound.id, sizeof bound.id, "%d-bind", (int)getpid());
    find_place(&bound);
    if (bound.state < 0)
        return -1;
    /* Not by the place's own path, which may be too long for an address. */
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%.70s", bound.directory,
             socket_name(bound.id, name));
    int back = -1;
    if (bind(socket, (struct sockaddr *)&address, sizeof address) == 0)
        back = openat(bound.directory, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    int error = errno;
    unlinkat(bound.directory, name, 0);
    remove_state(bound.directory, bound.place, bound.id);
    close(bound.directory);
    close(bound.state);
    errno = error;
    return back;
}

/* One state file, if nobody holds it. */
static void sweep_one(int directory, const char *name)
{
    char socket[NAME_MAX + 1];
    cleanup_close int state = openat(directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (state < 0 || flock(state, LOCK_EX | LOCK_NB))
        return;
    unlinkat(directory, socket_name(name, socket), 0);
    if (clear_groups(state, name))
        unlinkat(directory, name, 0);
}

static void sweep_place(const char *place)
{
    int directory = open_directory(place);
    if (directory < 0)
        return;
    cleanup_dir DIR *files = fdopendir(directory);
    if (!files) {
        close(directory);
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(files))) {
        if (entry->d_name[0] != '.')
            sweep_one(directory, entry->d_name);
    }
    rmdir(place);
}

void guardian_sweep(void)
{
    char all[PLACES][PLACE_SIZE];
    size_t count = places(all);
    for (size_t i = 0; i < count; i++)
        sweep_place(all[i]);
}
