/* What may block for a moment only; see moment.h. The alarm is set around one call and never
 * stands. */
#include "shim/moment.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/* How long a call may hold up the shim. */
#define ALARM_MICROSECONDS 10000

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

static void begin(void)
{
    static bool heeded;
    if (!heeded) {
        const struct sigaction action = {.sa_handler = on_alarm};
        sigset_t set;
        sigaction(SIGALRM, &action, NULL);
        sigemptyset(&set);
        sigaddset(&set, SIGALRM);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        heeded = true;
    }
    alarm_every(ALARM_MICROSECONDS);
}

static ssize_t ended(ssize_t result)
{
    int error = errno;
    alarm_every(0);
    errno = error;
    return result;
}

ssize_t moment_read(int fd, void *bytes, size_t size)
{
    begin();
    return ended(read(fd, bytes, size));
}

ssize_t moment_write(int fd, const void *bytes, size_t size)
{
    begin();
    return ended(write(fd, bytes, size));
}

bool moment_say(const char *format, ...)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT))
        return false;
    va_list values;
    char *line = NULL;
    va_start(values, format);
    int size = vasprintf(&line, format, values);
    va_end(values);
    bool said = size >= 0 && moment_write(STDERR_FILENO, line, (size_t)size) > 0;
    if (size >= 0)
        free(line);
    return said;
}
