/* Standard streams; see streams.h. Names come from containerd, which root speaks for. */
#include "shim/containerd/streams.h"

#include "shim/cell.h"
#include "shim/cleanup.h"
#include "shim/host.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MILLISECOND    UINT64_C(1000000)
#define PAUSE_FIRST    (MILLISECOND / 2)
#define PAUSE_MOST     (20 * MILLISECOND)
#define HURRY          (2000 * MILLISECOND)
#define PARTS_MAX      64   /* of a program's address */
#define READY_TIME     5000 /* milliseconds */
#define SCHEME_PROGRAM "binary://"

void streams_start(struct streams *streams)
{
    for (int i = 0; i < 3; i++) {
        streams->names[i][0] = '\0';
        streams->ends[i] = streams->keepers[i] = -1;
    }
    streams->ready = streams->failed = -1;
    console_start(&streams->console);
    streams->terminal = streams->ended = false;
    streams->until = UINT64_MAX;
    streams->pause = PAUSE_FIRST;
}

static int cannot(const char *name, struct err *err)
{
    return err_set(err, errno == ENOENT ? ERR_ABSENT : ERR_FAULT, ERR_NOWHERE,
                   "cannot open %s for a standard stream: %s: make it first", name,
                   strerror(errno));
}

/* --- FIFOs and files ------------------------------------------------------------------------- */

/* The reading end comes first: then opening the writing end waits for nobody. That of standard
 * input is opened later, and only if nobody else has it: see streams_begin. */
static int open_fifo(struct streams *streams, int stream, const char *path, struct err *err)
{
    cleanup_close int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (reader < 0)
        return cannot(path, err);
    if (stream == 0) {
        /* The description is the shim's own. */
        if (fcntl(reader, F_SETFL, 0))
            return cannot(path, err);
        streams->ends[stream] = take_fd(&reader);
        return 0;
    }
    cleanup_close int writer = open(path, O_WRONLY | O_CLOEXEC);
    if (writer < 0)
        return cannot(path, err);
    streams->ends[stream] = take_fd(&writer);
    streams->keepers[stream] = take_fd(&reader);
    return 0;
}

static int open_path(struct streams *streams, int stream, const char *path, struct err *err)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISFIFO(status.st_mode))
        return open_fifo(streams, stream, path, err);
    int flags = stream == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_APPEND;
    streams->ends[stream] = open(path, flags | O_CLOEXEC | O_NOCTTY, 0600);
    return streams->ends[stream] < 0 ? cannot(path, err) : 0;
}

/* --- Programs -------------------------------------------------------------------------------- */

static const char *after(const char *name, const char *scheme)
{
    size_t length = strlen(scheme);
    return strncmp(name, scheme, length) == 0 ? name + length : NULL;
}

static int hex(char letter)
{
    return letter >= '0' && letter <= '9'   ? letter - '0'
           : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10
           : letter >= 'A' && letter <= 'F' ? letter - 'A' + 10
                                            : -1;
}

/* Undoes what addresses escape, in place. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        int high = *from == '%' ? hex(from[1]) : -1, low = high < 0 ? -1 : hex(from[2]);
        *to = *from;
        if (low >= 0)
            *to = (char)(high << 4 | low);
        else if (*from == '+')
            *to = ' ';
        from += low >= 0 ? 3 : 1;
    }
    *to = '\0';
}

/* PATH?KEY=VALUE&... -> PATH KEY VALUE ... */
static void split(char *address, char *parts[PARTS_MAX])
{
    size_t count = 0;
    parts[count++] = strtok(address, "?");
    for (char *part = strtok(NULL, "&"); part && count + 3 < PARTS_MAX; part = strtok(NULL, "&")) {
        char *value = strchr(part, '=');
        parts[count++] = part;
        if (value) {
            *value = '\0';
            parts[count++] = value + 1;
        }
    }
    parts[count] = NULL;
    for (size_t i = 1; i < count; i++)
        unescape(parts[i]);
}

/* The pipes of a program: it reads two, and says by the third that it is ready; execve closes the
 * last. The first is its descriptor 3. */
enum { PIPE_OUT, PIPE_ERROR, PIPE_READY, PIPE_FAILED, PIPES };
#define PIPE_FIRST 3

static _Noreturn void become(const char *address, const char *id, const char *namespace,
                             const int fds[PIPES])
{
    char copy[STREAM_NAME];
    char *parts[PARTS_MAX];
    sigset_t none;
    int kept[PIPES];
    snprintf(copy, sizeof copy, "%s", address);
    split(copy, parts);
    setenv("CONTAINER_ID", id, 1);
    setenv("CONTAINER_NAMESPACE", namespace, 1);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 0; i < PIPES; i++)
        kept[i] = fcntl(fds[i], F_DUPFD, PIPE_FIRST + PIPES);
    for (int i = 0; i < PIPES; i++)
        dup2(kept[i], PIPE_FIRST + i);
    closefrom(PIPE_FIRST + PIPES);
    fcntl(PIPE_FIRST + PIPE_FAILED, F_SETFD, FD_CLOEXEC);
    execv(parts[0], parts);
    dprintf(PIPE_FIRST + PIPE_FAILED, "%d", errno);
    _exit(127);
}

/* Did it become the program? It says nothing if so. */
static int check_program(const struct streams *streams, struct err *err)
{
    char why[16] = "";
    ssize_t size;
    while ((size = read(streams->failed, why, sizeof why - 1)) < 0 && errno == EINTR)
        ;
    if (size <= 0)
        return 0;
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "cannot start %s: %s: name a program that can be run",
                   after(streams->names[1], SCHEME_PROGRAM), strerror((int)strtol(why, NULL, 10)));
}

/* Both pipes are quiet as long as the execve takes, which may be for ever: the program's file may
 * be on a server that is gone. Whatever ends the wait for `ready` comes after what `failed` says.
 */
int streams_wait_ready(const struct streams *streams, struct err *err)
{
    struct pollfd wait = {streams->ready, POLLIN, 0};
    if (streams->ready < 0)
        return 0;
    if (poll(&wait, 1, READY_TIME) == 1)
        return check_program(streams, err);
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "the logger %s was not ready within %d s: see why it is slow", streams->names[1],
                   READY_TIME / 1000);
}

/* One program for both streams of output. */
static int start_program(struct streams *streams, const char *address, const char *id,
                         const char *namespace, struct err *err)
{
    int pipes[PIPES][2];
    for (size_t i = 0; i < PIPES; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) == 0)
            continue;
        err_set(err, ERR_FAULT, ERR_NOWHERE,
                "cannot make a pipe: %s: raise the limit on open files", strerror(errno));
        while (i-- > 0) {
            close(pipes[i][0]);
            close(pipes[i][1]);
        }
        return -1;
    }
    const int its[PIPES] = {pipes[PIPE_OUT][0], pipes[PIPE_ERROR][0], pipes[PIPE_READY][1],
                            pipes[PIPE_FAILED][1]};
    pid_t pid = fork();
    if (pid == 0) {
        /* It may outlive the container by what is left to be written: nobody waits for it. */
        if (fork() == 0)
            become(address, id, namespace, its);
        _exit(0);
    }
    int why = errno;
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    for (size_t i = 0; i < PIPES; i++)
        close(its[i]);
    streams->ends[1] = pipes[PIPE_OUT][1];
    streams->ends[2] = pipes[PIPE_ERROR][1];
    streams->ready = pipes[PIPE_READY][0];
    streams->failed = pipes[PIPE_FAILED][0];
    return pid < 0 ? err_set(err, ERR_FAULT, ERR_NOWHERE,
                             "cannot start %s: %s: raise the limit on processes", address,
                             strerror(why))
                   : 0;
}

/* --- All three ------------------------------------------------------------------------------- */

static int open_one(struct streams *streams, int stream, const char *id, const char *namespace,
                    struct err *err)
{
    const char *name = streams->names[stream];
    const char *rest;
    if (!name[0] || streams->ends[stream] >= 0)
        return 0;
    if ((rest = after(name, "file://")))
        return open_path(streams, stream, rest, err);
    if ((rest = after(name, "fifo://")))
        return open_path(streams, stream, rest, err);
    if ((rest = after(name, "fd://"))) {
        streams->ends[stream] = fcntl((int)strtol(rest, NULL, 10), F_DUPFD_CLOEXEC, 3);
        return streams->ends[stream] < 0 ? cannot(name, err) : 0;
    }
    if (streams->terminal && after(name, "console://"))
        return 0;
    if (stream == 1 && (rest = after(name, SCHEME_PROGRAM)))
        return start_program(streams, rest, id, namespace, err);
    if (stream == 2 && strcmp(name, streams->names[1]) == 0 && streams->ends[1] >= 0) {
        streams->ends[2] = fcntl(streams->ends[1], F_DUPFD_CLOEXEC, 3);
        return streams->ends[2] < 0 ? cannot(name, err) : 0;
    }
    if (strstr(name, "://"))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "%s for a standard stream: only file://, fifo:// and, for output, binary:// "
                       "are known: use one of these",
                       name);
    return open_path(streams, stream, name, err);
}

/* A terminal between what was opened and the process. Its input does not end with a client that
 * goes: another may come. */
static int open_terminal(struct streams *streams, struct err *err)
{
    const char *socket = after(streams->names[1], "console://");
    char path[32];
    if (streams->ends[0] >= 0) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", streams->ends[0]);
        streams->keepers[0] = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    }
    if (console_open(&streams->console, streams->ends, err))
        return -1;
    return socket ? console_send(&streams->console, socket, err) : 0;
}

int streams_open(struct streams *streams, const char *id, const char *namespace, struct err *err)
{
    for (int stream = 0; stream < (streams->terminal ? 2 : 3); stream++) {
        if (open_one(streams, stream, id, namespace, err))
            return -1;
    }
    return streams->terminal ? open_terminal(streams, err) : 0;
}

void streams_kinds(const struct streams *streams, enum host_stream ret[3])
{
    for (int stream = 0; stream < 3; stream++)
        ret[stream] = host_stream_kind(stream, streams->ends[stream]);
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(take_fd(fd));
}

void streams_leave(struct streams *streams)
{
    close_one(&streams->ready);
    close_one(&streams->failed);
}

/* A reading end hangs up if a writing end was opened after it, and none is left. */
static bool hung_up(int reader)
{
    struct pollfd wait = {reader, POLLIN, 0};
    return poll(&wait, 1, 0) == 1 && wait.revents & POLLHUP;
}

void streams_begin(struct streams *streams)
{
    char path[32];
    struct stat status;
    int reader = streams->ends[0];
    if (reader < 0 || fstat(reader, &status) || !S_ISFIFO(status.st_mode) || hung_up(reader))
        return; /* a client came, and went: what it wrote is all */
    snprintf(path, sizeof path, "/proc/self/fd/%d", reader);
    cleanup_close int writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    close(take_fd(&writer));
    if (hung_up(reader)) /* nobody has it open */
        streams->keepers[0] = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

void streams_close_in(struct streams *streams)
{
    close_one(&streams->keepers[0]);
}

void streams_end(struct streams *streams)
{
    close_one(&streams->ends[0]);
    close_one(&streams->keepers[0]);
    for (int stream = 1; streams->terminal && stream < 3; stream++)
        close_one(&streams->ends[stream]); /* with the last one the terminal's output is whole */
    streams->ended = true;
    streams_pending(streams);
}

void streams_hurry(struct streams *streams)
{
    uint64_t until = cell_now() + HURRY;
    if (until < streams->until)
        streams->until = until;
}

/* Not read yet: only a FIFO can tell. */
static bool unread(const struct streams *streams, int stream)
{
    int left = 0;
    return streams->keepers[stream] >= 0 && ioctl(streams->keepers[stream], FIONREAD, &left) == 0 &&
           left > 0;
}

bool streams_pending(struct streams *streams)
{
    bool pending = false;
    if (!streams->ended)
        return false;
    bool late = cell_now() >= streams->until;
    for (int stream = 1; stream < 3; stream++) {
        bool moving = stream == 1 && console_moving(&streams->console);
        if (!late && (moving || unread(streams, stream))) {
            pending = true;
            continue;
        }
        close_one(&streams->ends[stream]);
        close_one(&streams->keepers[stream]);
    }
    if (!pending)
        console_close(&streams->console);
    return pending;
}

void streams_wait(struct streams *streams, struct polls *polls)
{
    console_wait(&streams->console, polls);
    if (!streams->ended || (streams->keepers[1] < 0 && streams->keepers[2] < 0))
        return;
    polls_until(polls, cell_now() + streams->pause);
    if (streams->pause < PAUSE_MOST)
        streams->pause *= 2;
}

int streams_act(struct streams *streams, const struct polls *polls)
{
    return console_act(&streams->console, polls);
}

void streams_say(struct streams *streams, const char *line)
{
    struct pollfd room = {streams->ends[2], POLLOUT, 0};
    if (streams->ends[2] >= 0 && poll(&room, 1, 0) == 1 && room.revents & POLLOUT)
        dprintf(streams->ends[2], "carrel: %s\n", line);
}

void streams_close(struct streams *streams)
{
    streams_leave(streams);
    for (int stream = 0; stream < 3; stream++) {
        close_one(&streams->ends[stream]);
        close_one(&streams->keepers[stream]);
    }
    console_close(&streams->console);
}
