/* What the command and Debian's libraries, compiled for glibc, ask of a libc, where musl, which the
 * command is linked with, has none of it. Why musl: its start takes a seventh of the time, and most
 * of what is run is short.
 *
 * Functions with _chk in their names are what _FORTIFY_SOURCE makes of calls: the size of the place
 * that is written to is checked, and who would write beyond it is ended. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* No header of musl declares these. */
/* clang-format off */
int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list arguments);
int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...);
int __sprintf_chk(char *to, int flag, size_t room, const char *format, ...);
int __vfprintf_chk(FILE *file, int flag, const char *format, va_list arguments);
int __fprintf_chk(FILE *file, int flag, const char *format, ...);
int __printf_chk(int flag, const char *format, ...);
int __vdprintf_chk(int fd, int flag, const char *format, va_list arguments);
int __dprintf_chk(int fd, int flag, const char *format, ...);
int __vasprintf_chk(char **ret, int flag, const char *format, va_list arguments);
int __asprintf_chk(char **ret, int flag, const char *format, ...);
char *__strcpy_chk(char *to, const char *from, size_t room);
char *__strcat_chk(char *to, const char *from, size_t room);
void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);
char *__realpath_chk(const char *path, char *to, size_t room);
int __open_2(const char *path, int flags);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
const char *strerrordesc_np(int error);
const char *sigabbrev_np(int signal);
int close_range(unsigned first, unsigned last, int flags);
int fcntl64(int fd, int command, ...);
long __isoc23_strtol(const char *text, char **ret_end, int base);
unsigned long __isoc23_strtoul(const char *text, char **ret_end, int base);
long long __isoc23_strtoll(const char *text, char **ret_end, int base);
unsigned long long __isoc23_strtoull(const char *text, char **ret_end, int base);
int __isoc23_sscanf(const char *text, const char *format, ...);
int __isoc23_fscanf(FILE *file, const char *format, ...);
/* clang-format on */

static void check(size_t size, size_t room)
{
    static const char why[] = "carrel: a text was longer than its place: this is a mistake in "
                              "carrel: please report it\n";
    if (size <= room)
        return;
    if (write(STDERR_FILENO, why, sizeof why - 1) < 0)
        abort();
    abort();
}

int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format,
                    va_list arguments)
{
    (void)flag;
    check(size, room);
    return vsnprintf(to, size, format, arguments);
}

int __vfprintf_chk(FILE *file, int flag, const char *format, va_list arguments)
{
    (void)flag;
    return vfprintf(file, format, arguments);
}

int __vdprintf_chk(int fd, int flag, const char *format, va_list arguments)
{
    (void)flag;
    return vdprintf(fd, format, arguments);
}

int __vasprintf_chk(char **ret, int flag, const char *format, va_list arguments)
{
    (void)flag;
    return vasprintf(ret, format, arguments);
}

/* The rest of a function that takes what is printed as further arguments: `call` has them as a
 * list. */
#define LISTED(call)                                                                               \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        int listed = (call);                                                                       \
        va_end(arguments);                                                                         \
        return listed;                                                                             \
    } while (0)

int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
{
    LISTED(__vsnprintf_chk(to, size, flag, room, format, arguments));
}

/* Who names no size has all of the room, and no more. Of a place whose room the compiler does not
 * know that is SIZE_MAX, and musl takes no size above INT_MAX. */
static int print(char *to, size_t room, const char *format, va_list arguments)
{
    int size = vsnprintf(to, room < INT_MAX ? room : INT_MAX, format, arguments);
    check(size < 0 ? 0 : (size_t)size + 1, room);
    return size;
}

int __sprintf_chk(char *to, int flag, size_t room, const char *format, ...)
{
    (void)flag;
    LISTED(print(to, room, format, arguments));
}

int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
    LISTED(__vfprintf_chk(file, flag, format, arguments));
}

int __printf_chk(int flag, const char *format, ...)
{
    LISTED(__vfprintf_chk(stdout, flag, format, arguments));
}

int __dprintf_chk(int fd, int flag, const char *format, ...)
{
    LISTED(__vdprintf_chk(fd, flag, format, arguments));
}

int __asprintf_chk(char **ret, int flag, const char *format, ...)
{
    LISTED(__vasprintf_chk(ret, flag, format, arguments));
}

char *__strcpy_chk(char *to, const char *from, size_t room)
{
    size_t size = strlen(from) + 1;
    check(size, room);
    return memcpy(to, from, size);
}

char *__strcat_chk(char *to, const char *from, size_t room)
{
    size_t used = strlen(to), size = strlen(from) + 1;
    check(used + size, room);
    memcpy(to + used, from, size);
    return to;
}

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room)
{
    check(size, room);
    return memcpy(to, from, size);
}

char *__realpath_chk(const char *path, char *to, size_t room)
{
    check(PATH_MAX, room);
    return realpath(path, to);
}

/* Without a mode: who would make a file needs one. */
int __open_2(const char *path, int flags)
{
    if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))
        abort();
    return open(path, flags);
}

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
    check(count * sizeof *fds, room);
    return poll(fds, count, timeout);
}

const char *strerrordesc_np(int error)
{
    return strerror(error);
}

const char *sigabbrev_np(int signal)
{
    static const char names[][7] = {
        [SIGHUP] = "HUP",   [SIGINT] = "INT",   [SIGQUIT] = "QUIT",     [SIGILL] = "ILL",
        [SIGTRAP] = "TRAP", [SIGABRT] = "ABRT", [SIGBUS] = "BUS",       [SIGFPE] = "FPE",
        [SIGKILL] = "KILL", [SIGUSR1] = "USR1", [SIGSEGV] = "SEGV",     [SIGUSR2] = "USR2",
        [SIGPIPE] = "PIPE", [SIGALRM] = "ALRM", [SIGTERM] = "TERM",     [SIGSTKFLT] = "STKFLT",
        [SIGCHLD] = "CHLD", [SIGCONT] = "CONT", [SIGSTOP] = "STOP",     [SIGTSTP] = "TSTP",
        [SIGTTIN] = "TTIN", [SIGTTOU] = "TTOU", [SIGURG] = "URG",       [SIGXCPU] = "XCPU",
        [SIGXFSZ] = "XFSZ", [SIGPROF] = "PROF", [SIGVTALRM] = "VTALRM", [SIGWINCH] = "WINCH",
        [SIGIO] = "POLL",   [SIGPWR] = "PWR",   [SIGSYS] = "SYS"};
    bool known = signal > 0 && (size_t)signal < sizeof names / sizeof *names && *names[signal];
    return known ? names[signal] : NULL;
}

int close_range(unsigned first, unsigned last, int flags)
{
    return (int)syscall(SYS_close_range, first, last, flags);
}

/* Every command that is used here takes a number or nothing. */
int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return fcntl(fd, command, argument);
}

/* From glibc 2.38 on its headers make these names of the functions, which then take binary numbers
 * (0b) too, where the base is 0 or 2. Nothing here reads such numbers. */
long __isoc23_strtol(const char *text, char **ret_end, int base)
{
    return strtol(text, ret_end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **ret_end, int base)
{
    return strtoul(text, ret_end, base);
}

long long __isoc23_strtoll(const char *text, char **ret_end, int base)
{
    return strtoll(text, ret_end, base);
}

unsigned long long __isoc23_strtoull(const char *text, char **ret_end, int base)
{
    return strtoull(text, ret_end, base);
}

int __isoc23_sscanf(const char *text, const char *format, ...)
{
    LISTED(vsscanf(text, format, arguments));
}

int __isoc23_fscanf(FILE *file, const char *format, ...)
{
    LISTED(vfscanf(file, format, arguments));
}
