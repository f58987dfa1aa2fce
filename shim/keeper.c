/* Starting keepers; see keeper.h. */
#include "shim/keeper.h"

#include "engine/base/attr.h"
#include "shim/advice.h"
#include "shim/cell.h"
#include "shim/cleanup.h"
#include "shim/protocol.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MILLISECOND UINT64_C(1000000)

/* For opening a store, of which a crash may have left a journal, in nanoseconds; and for closing
 * it, in milliseconds. */
#define OPENING_TIME (20000 * MILLISECOND)
#define CLOSING_TIME 10000

static _Noreturn void become(const char *program, const char *path, int socket, pid_t shim)
{
    char *const arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)path, NULL};
    char *const nothing[] = {NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* A terminal's signals are for the shim; the keeper goes when its cell has gone. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    /* Above all that is to be replaced, whatever was open. */
    int above = fcntl(socket, F_DUPFD_CLOEXEC, PROTOCOL_SOCKET + 1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int null_above = null < 0 ? -1 : fcntl(null, F_DUPFD_CLOEXEC, PROTOCOL_SOCKET + 1);
    if (above >= 0 && null_above >= 0 && dup2(null_above, 0) == 0 && dup2(null_above, 1) == 1 &&
        dup2(null_above, 2) == 2 && dup2(above, PROTOCOL_SOCKET) == PROTOCOL_SOCKET &&
        syscall(SYS_close_range, PROTOCOL_SOCKET + 1, ~0u, 0) == 0 &&
        prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == shim)
        execve(program, arguments, nothing);
    _exit(127);
}

/* Waits until it has opened the store, or says why it cannot. */
static int wait_for(int socket, const char *path, const struct keeper_patience *patience,
                    struct err *err)
{
    struct pollfd waits[] = {{socket, POLLIN, 0}, {patience->fd, POLLIN, 0}};
    for (uint64_t until = cell_now() + OPENING_TIME; !waits[0].revents;) {
        uint64_t now = cell_now();
        if (now >= until)
            return err_set(
                err, ERR_ABSENT, ERR_NOWHERE,
                "cannot keep a store in %s: it takes too long to open: end whoever holds it", path);
        poll(waits, countof(waits), (int)((until - now) / MILLISECOND + 1));
        if (waits[1].revents && patience->ended(patience->data))
            return err_set(err, ERR_KILLED, ERR_NOWHERE,
                           "ended while the store in %s was opened: start it again", path);
    }
    return 0;
}

/* What it says first. */
static int hear(int socket, const char *program, const char *path, struct err *err)
{
    struct record_store_answer head;
    char text[256];
    if (recv(socket, &head, sizeof head, MSG_WAITALL) != (ssize_t)sizeof head)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "no keeper for the store in %s: %s cannot be run: install it beside the "
                       "engine",
                       path, program);
    if (head.status == PROTOCOL_STORE_DONE)
        return 0;
    size_t size = head.size < sizeof text ? head.size : sizeof text;
    ssize_t got = recv(socket, text, size, MSG_WAITALL);
    return err_set(err, ERR_ABSENT, ERR_NOWHERE, "%.*s", got > 0 ? (int)got : 0, text);
}

int keeper_start(const char *program, const char *path, const struct keeper_patience *patience,
                 int *ret_pidfd, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "no socket for a store: %s%s", strerror(errno),
                       advice_on(errno));
    cleanup_close int ours = pair[0], theirs = pair[1];
    pid_t shim = getpid(), pid = fork();
    if (pid == 0)
        become(program, path, theirs, shim);
    cleanup_close int pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "no process for a store: %s%s", strerror(errno),
                       advice_on(errno));
    close(take_fd(&theirs));
    /* Nothing was kept yet, so one that does not answer is not waited for. */
    bool answers = wait_for(ours, path, patience, err) == 0;
    if (!answers)
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    if (!answers || hear(ours, program, path, err)) {
        close(take_fd(&ours));
        keeper_end(take_fd(&pidfd));
        return -1;
    }
    *ret_pidfd = take_fd(&pidfd);
    return take_fd(&ours);
}

void keeper_end(int pidfd)
{
    struct pollfd gone = {.fd = pidfd, .events = POLLIN};
    if (poll(&gone, 1, CLOSING_TIME) != 1)
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    siginfo_t info;
    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR)
        ;
    close(pidfd);
}
