/* Pumps; see pump.h. Bytes are copied, and for a terminal filtered; nothing is interpreted. */
#include "shim/pump.h"
#include "shim/advice.h"
#include "shim/cleanup.h"
#include "shim/moment.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>

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
        err_set(err, ERR_FAULT, ERR_NOWHERE,
                "cannot use standard stream %d: %s: give carrel another", stream, strerror(errno));
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

/* read and write for any kind of descriptor. A socket is told not to block; of anything else that
 * is shared only poll has said that there is something. */
static ssize_t take_in(int fd, bool shared, void *bytes, size_t size)
{
    ssize_t taken = recv(fd, bytes, size, MSG_DONTWAIT);
    if (taken >= 0 || errno != ENOTSOCK)
        return taken;
    return shared ? moment_read(fd, bytes, size) : read(fd, bytes, size);
}

static ssize_t put_out(int fd, bool shared, const void *bytes, size_t size)
{
    ssize_t put = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0 || errno != ENOTSOCK)
        return put;
    size = size < 4096 ? size : 4096;
    return shared ? moment_write(fd, bytes, size) : write(fd, bytes, size);
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
