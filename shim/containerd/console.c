/* Terminals of processes; see console.h. */
#include "shim/containerd/console.h"

#include "shim/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

/* What is waited for. */
enum { AT_IN, AT_MASTER, AT_OUT };

void console_start(struct console *console)
{
    console->master = console->in = console->out = -1;
    console->ended = false;
    console->typed.have = console->typed.sent = 0;
    console->shown.have = console->shown.sent = 0;
}

static int cannot(const char *what, struct err *err)
{
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot %s a terminal: %s: run it without one",
                   what, strerror(errno));
}

/* The description is the console's alone. */
static int unblock(int fd)
{
    return fd < 0 ? 0 : fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int console_open(struct console *console, int ends[3], struct err *err)
{
    cleanup_close int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (master < 0 || grantpt(master) || unlockpt(master))
        return cannot("make", err);
    cleanup_close int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    cleanup_close int second = slave < 0 ? -1 : fcntl(slave, F_DUPFD_CLOEXEC, 3);
    cleanup_close int third = slave < 0 ? -1 : fcntl(slave, F_DUPFD_CLOEXEC, 3);
    if (second < 0 || third < 0 || unblock(ends[0]) || unblock(ends[1]))
        return cannot("make", err);
    console->master = take_fd(&master);
    console->in = ends[0];
    console->out = ends[1];
    if (ends[2] >= 0)
        close(ends[2]);
    ends[0] = take_fd(&slave);
    ends[1] = take_fd(&second);
    ends[2] = take_fd(&third);
    return 0;
}

int console_send(struct console *console, const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[] = "terminal";
    struct iovec part = {name, sizeof name - 1};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    memcpy(CMSG_DATA(&control.head), &console->master, sizeof console->master);
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >=
        sizeof address.sun_path)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the path of the terminal's socket is too long: give it a shorter one");
    /* Whoever gets it reads and writes as usual. */
    fcntl(console->master, F_SETFL, O_RDWR);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) ||
        sendmsg(fd, &packet, MSG_NOSIGNAL) < 0)
        return cannot("hand over", err);
    close(take_fd(&console->master));
    return 0;
}

void console_resize(const struct console *console, unsigned rows, unsigned columns)
{
    const struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    if (console->master >= 0)
        ioctl(console->master, TIOCSWINSZ, &size);
}

bool console_moving(const struct console *console)
{
    return console->master >= 0 && !console->ended;
}

void console_wait(struct console *console, struct polls *polls)
{
    if (console->master < 0)
        return;
    bool typed = console->typed.sent < console->typed.have;
    bool shown = console->shown.sent < console->shown.have;
    short master = (short)((typed ? POLLOUT : 0) | (shown || console->ended ? 0 : POLLIN));
    console->places[AT_IN] = polls_add(polls, (struct pollfd){typed ? -1 : console->in, POLLIN, 0});
    console->places[AT_MASTER] =
        polls_add(polls, (struct pollfd){master ? console->master : -1, master, 0});
    console->places[AT_OUT] =
        polls_add(polls, (struct pollfd){shown ? console->out : -1, POLLOUT, 0});
}

static bool later(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* The signal that a character stands for, or 0. */
static int signal_of(const struct console *console, const char *bytes, size_t size)
{
    struct termios modes;
    if (tcgetattr(console->master, &modes) || !(modes.c_lflag & ISIG))
        return 0;
    return memchr(bytes, modes.c_cc[VINTR], size)   ? SIGINT
           : memchr(bytes, modes.c_cc[VQUIT], size) ? SIGQUIT
                                                    : 0;
}

/* True if there is something to write now. False also at the end, for which errno is 0 or EIO. */
static bool fill(struct console_way *way, int from)
{
    errno = 0;
    ssize_t size = read(from, way->bytes, sizeof way->bytes);
    way->sent = 0;
    way->have = size > 0 ? (size_t)size : 0;
    return size > 0;
}

/* What cannot be written any more is dropped: a client that went away is no end of the output. */
static void empty(struct console_way *way, int to)
{
    while (way->sent < way->have) {
        ssize_t size = to < 0 ? -1 : write(to, way->bytes + way->sent, way->have - way->sent);
        if (size < 0 && to >= 0 && later())
            return;
        way->sent = size < 0 ? way->have : way->sent + (size_t)size;
    }
}

int console_act(struct console *console, const struct polls *polls)
{
    int signal = 0;
    if (console->master < 0)
        return 0;
    short in = polls_events(polls, console->places[AT_IN]);
    if (in && fill(&console->typed, console->in))
        signal = signal_of(console, console->typed.bytes, console->typed.have);
    else if (in && !later())
        close(take_fd(&console->in));
    empty(&console->typed, console->master);
    if (polls_events(polls, console->places[AT_OUT]))
        empty(&console->shown, console->out);
    if (polls_events(polls, console->places[AT_MASTER]) & (POLLIN | POLLHUP | POLLERR) &&
        console->shown.sent == console->shown.have && !console->ended) {
        if (fill(&console->shown, console->master))
            empty(&console->shown, console->out);
        else
            console->ended = !later();
    }
    return signal;
}

void console_close(struct console *console)
{
    int *const fds[] = {&console->master, &console->in, &console->out};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (*fds[i] >= 0)
            close(take_fd(fds[i]));
    }
}
