/* Pumps; see pump.h. Bytes are copied, and for a terminal filtered; nothing is interpreted. */
#include "shim/pump.h"
#include "shim/advice.h"
#include "shim/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <termios.h>

/* How long a write may hold up the shim. */
#define ALARM_MICROSECONDS 10000

/* The caller's stream as a description of the shim's own, which then may be non-blocking. What
 * cannot be opened again (a socket, somebody else's terminal) is used as it is, only when poll says
 * so, and for a moment at most. */
static int reopen(int stream, int direction, bool *ret_shared)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", stream);
    int again = isatty(stream) ? open(path, direction | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    *ret_shared = again < 0;
    return again >= 0 ? again : fcntl(stream, F_DUPFD_CLOEXEC, 3);
}

static void on_alarm(int number)
{
    (void)number;
}

/* Every `microseconds` from now on a signal interrupts whatever blocks; 0: no more. */
static void alarm_every(suseconds_t microseconds)
{
    const struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void heed_alarm(void)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    sigset_t set;
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int pump_open(struct pump *ret, int stream, int caller, int *ret_cell, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot make a pipe: %s%s", strerror(errno),
                       advice_on(errno));
    bool in = stream == 0;
    int ours = ends[in ? 1 : 0];
    int own = reopen(caller, in ? O_RDONLY : O_WRONLY, &ret->shared);
    if (own < 0 || fcntl(ours, F_SETFL, O_NONBLOCK)) {
        err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot use standard stream %d: %s", stream,
                strerror(errno));
        close(ends[0]);
        close(ends[1]);
        if (own >= 0)
            close(own);
        return -1;
    }
    *ret_cell = ends[in ? 0 : 1];
    ret->source = in ? own : ours;
    ret->sink = in ? ours : own;
    ret->output = !in;
    ret->terminal = isatty(own);
    ret->filtered = ret->terminal && !in;
    ret->have = ret->sent = 0;
    ret->lost = 0;
    ret->filter = terminal_new();
    if (ret->shared)
        heed_alarm();
    return 0;
}

void pump_plain(struct pump *pump)
{
    pump->filtered = true;
    pump->filter = terminal_plain();
}

struct pollfd pump_wait(const struct pump *pump)
{
    if (pump->sent < pump->have)
        return (struct pollfd){pump->sink, POLLOUT, 0};
    return (struct pollfd){pump->source, POLLIN, 0};
}

static ssize_t after_alarm(ssize_t result)
{
    int error = errno;
    alarm_every(0);
    errno = error;
    return result;
}

/* read and write for any kind of descriptor. A socket is told not to block. For anything else poll
 * has promised something, not how much, and another may have been faster: where that can block, an
 * alarm ends it. */
static ssize_t take_in(int fd, bool shared, void *bytes, size_t size)
{
    ssize_t taken = recv(fd, bytes, size, MSG_DONTWAIT);
    if (taken >= 0 || errno != ENOTSOCK)
        return taken;
    if (shared)
        alarm_every(ALARM_MICROSECONDS);
    taken = read(fd, bytes, size);
    return shared ? after_alarm(taken) : taken;
}

static ssize_t put_out(int fd, bool shared, const void *bytes, size_t size)
{
    ssize_t put = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0 || errno != ENOTSOCK)
        return put;
    if (shared)
        alarm_every(ALARM_MICROSECONDS);
    put = write(fd, bytes, size < 4096 ? size : 4096);
    return shared ? after_alarm(put) : put;
}

static bool try_again(void)
{
    return errno == EAGAIN || errno == EINTR;
}

static void end(struct pump *pump)
{
    if (pump->source >= 0)
        close(take_fd(&pump->source));
    if (pump->sink >= 0)
        close(take_fd(&pump->sink));
}

/* True if something was read, or this is the end. */
static bool fill(struct pump *pump)
{
    char raw[PUMP_CHUNK];
    ssize_t size = take_in(pump->source, !pump->output && pump->shared, raw, sizeof raw);
    if (size < 0 && try_again())
        return false;
    if (size <= 0) { /* the end, or a terminal that hung up */
        end(pump);
        return true;
    }
    pump->sent = 0;
    if (pump->filtered) {
        pump->have = terminal_filter(&pump->filter, raw, (size_t)size, pump->buffer);
    } else {
        memcpy(pump->buffer, raw, (size_t)size);
        pump->have = (size_t)size;
    }
    return true;
}

bool pump_move(struct pump *pump)
{
    if (pump_ended(pump))
        return false;
    bool filled = pump->sent == pump->have && fill(pump);
    if (pump_ended(pump) || pump->sent == pump->have)
        return filled;
    ssize_t size = put_out(pump->sink, pump->output && pump->shared, pump->buffer + pump->sent,
                           pump->have - pump->sent);
    if (size < 0 && !try_again()) {
        pump->lost = errno;
        end(pump);
        return true;
    }
    pump->sent += size > 0 ? (size_t)size : 0;
    return size > 0 || filled;
}

void pump_close(struct pump *pump)
{
    int terminal = pump->output ? pump->sink : pump->source;
    /* Not from the background: it would stop the shim. */
    if (pump->terminal && terminal >= 0 && tcgetpgrp(terminal) == getpgrp())
        tcflush(terminal, TCIFLUSH);
    end(pump);
}
