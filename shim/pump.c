/* Pumps; see pump.h. Bytes are copied, and for a terminal filtered; nothing is interpreted. */
#include "shim/pump.h"
#include "shim/advice.h"
#include "shim/cleanup.h"
#include "shim/moment.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

/* How often bytes are moved through a pump before the shim looks at anything else. */
#define TURNS 8

/* What a pipe that is ready takes without blocking. */
#define SURELY 4096

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

static bool is_socket(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISSOCK(stat.st_mode);
}

int pump_open(struct pump *ret, int stream, int caller, int flags, int *ret_cell, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | flags))
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
    ret->socket = is_socket(own);
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

/* Read and write. A socket is told not to block; of anything else that is shared only poll has said
 * that there is something. The pipe's other end is the cell's, and never blocks the shim. */
static ssize_t take_in(const struct pump *pump, void *bytes, size_t size)
{
    if (pump->output || !(pump->socket || pump->shared))
        return read(pump->source, bytes, size);
    return pump->socket ? recv(pump->source, bytes, size, MSG_DONTWAIT)
                        : moment_read(pump->source, bytes, size);
}

static ssize_t put_out(const struct pump *pump, const void *bytes, size_t size)
{
    if (!pump->output || !(pump->socket || pump->shared))
        return write(pump->sink, bytes, size);
    return pump->socket ? send(pump->sink, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                        : moment_write(pump->sink, bytes, size < SURELY ? size : SURELY);
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
    ssize_t size = take_in(pump, raw, sizeof raw);
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

/* One turn of pump_move. */
static bool move_once(struct pump *pump)
{
    if (pump_ended(pump))
        return false;
    bool filled = pump->sent == pump->have && fill(pump);
    if (pump_ended(pump) || pump->sent == pump->have)
        return filled;
    ssize_t size = put_out(pump, pump->buffer + pump->sent, pump->have - pump->sent);
    if (size < 0 && !try_again()) {
        pump->lost = errno;
        end(pump);
        return true;
    }
    pump->sent += size > 0 ? (size_t)size : 0;
    return size > 0 || filled;
}

/* What is shared and no socket must be asked about by poll before each turn. */
bool pump_move(struct pump *pump)
{
    bool moved = move_once(pump);
    for (int turn = 1; moved && turn < TURNS && (pump->socket || !pump->shared); turn++)
        if (!move_once(pump))
            break;
    return moved;
}

void pump_close(struct pump *pump)
{
    int terminal = pump->output ? pump->sink : pump->source;
    /* Not from the background: it would stop the shim. */
    if (pump->terminal && terminal >= 0 && tcgetpgrp(terminal) == getpgrp())
        tcflush(terminal, TCIFLUSH);
    end(pump);
}
