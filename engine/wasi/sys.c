/* The system calls of WASI; see sys.h. Raw, so that no C library adds a call or a flag of its own:
 * only the clock is the library's, which asks the vDSO and makes no call where that answers. */
#include "engine/wasi/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The descriptor of the cell's socket to the shim. */
enum {
#define NUMBER(NAME, value) NUMBER_##NAME = value,
#include "shim/protocol.def"
    SHIM = NUMBER_SOCKET
};

#define NANOSECONDS UINT64_C(1000000000)

/* One system call; again if a signal interrupted it. */
static int64_t call(long number, long a, long b, long c, long d, long e, long f)
{
    for (;;) {
        long result = syscall(number, a, b, c, d, e, f);
        if (result >= 0)
            return result;
        if (errno != EINTR)
            return -(int64_t)errno;
    }
}

/* The arguments that a call has; the others are 0. */
#define CALL_ARGS(n, a, b, c, d, e, f, ...)                                                        \
    call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define CALL(...) CALL_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

int64_t sys_read(int fd, void *to, size_t len)
{
    return CALL(SYS_read, fd, to, len);
}

int64_t sys_write(int fd, const void *from, size_t len)
{
    return CALL(SYS_write, fd, from, len);
}

int sys_poll(struct pollfd *polls, size_t count, uint64_t timeout)
{
    uint64_t end = timeout && timeout != UINT64_MAX ? sys_now() + timeout : 0;
    for (;;) {
        struct timespec time = {.tv_sec = (time_t)(timeout / NANOSECONDS),
                                .tv_nsec = (long)(timeout % NANOSECONDS)};
        long result =
            syscall(SYS_ppoll, polls, count, timeout == UINT64_MAX ? NULL : &time, NULL, (size_t)0);
        if (result >= 0)
            return (int)result;
        if (errno != EINTR)
            return -errno;
        if (end) {
            uint64_t now = sys_now();
            timeout = end > now ? end - now : 0;
        }
    }
}

uint64_t sys_now(void)
{
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * NANOSECONDS + (uint64_t)time.tv_nsec;
}

struct timespec sys_real_time(void)
{
    struct timespec time = {0};
    clock_gettime(CLOCK_REALTIME, &time);
    return time;
}

int64_t sys_pread(int fd, void *to, size_t len, uint64_t offset)
{
    return CALL(SYS_pread64, fd, to, len, offset);
}

int64_t sys_pwrite(int fd, const void *from, size_t len, uint64_t offset)
{
    return CALL(SYS_pwrite64, fd, from, len, offset);
}

int64_t sys_append(int fd, const void *from, size_t len)
{
    union {
        const void *from;
        void *base;
    } data = {from};
    struct iovec part = {data.base, len};
    return CALL(SYS_pwritev2, fd, &part, 1, 0, 0, RWF_APPEND);
}

int sys_advise(int fd, uint64_t offset, uint64_t len, int advice)
{
    return (int)CALL(SYS_fadvise64, fd, offset, len, advice);
}

int sys_truncate(int fd, uint64_t size)
{
    return (int)CALL(SYS_ftruncate, fd, size);
}

int sys_allocate(int fd, uint64_t offset, uint64_t len)
{
    return (int)CALL(SYS_fallocate, fd, 0, offset, len);
}

int sys_sync(int fd)
{
    return (int)CALL(SYS_fsync, fd);
}

int sys_sync_data(int fd)
{
    return (int)CALL(SYS_fdatasync, fd);
}

int sys_close(int fd)
{
    /* Never made again: Linux has given the number back even if a signal interrupted. */
    return syscall(SYS_close, fd) < 0 ? -errno : 0;
}

int sys_open(int dir, const char *name, int flags)
{
    return (int)CALL(SYS_openat, dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                     flags & O_CREAT ? 0666 : 0);
}

int sys_enter(int dir, const char *name)
{
    return (int)CALL(SYS_openat, dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int sys_stat(int dir, const char *name, struct stat *ret)
{
    return (int)CALL(SYS_newfstatat, dir, name, ret,
                     AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH));
}

int sys_set_times(int dir, const char *name, const struct timespec times[2])
{
    return (int)CALL(SYS_utimensat, dir, name, times,
                     AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH));
}

int64_t sys_readlink(int dir, const char *name, char *to, size_t len)
{
    return CALL(SYS_readlinkat, dir, name, to, len);
}

int64_t sys_getdents(int fd, void *to, size_t len)
{
    return CALL(SYS_getdents64, fd, to, len);
}

int sys_mkdir(int dir, const char *name)
{
    return (int)CALL(SYS_mkdirat, dir, name, 0777);
}

int sys_unlink(int dir, const char *name)
{
    return (int)CALL(SYS_unlinkat, dir, name, 0);
}

int sys_rmdir(int dir, const char *name)
{
    return (int)CALL(SYS_unlinkat, dir, name, AT_REMOVEDIR);
}

int sys_rename(int from_dir, const char *from, int to_dir, const char *to)
{
    return (int)CALL(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int sys_link(int from_dir, const char *from, int to_dir, const char *to)
{
    return (int)CALL(SYS_linkat, from_dir, from, to_dir, to, 0);
}

int sys_symlink(const char *target, int dir, const char *name)
{
    return (int)CALL(SYS_symlinkat, target, dir, name);
}

int64_t sys_receive(int fd, void *to, size_t len, int *ret_fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {to, len};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    int64_t size = CALL(SYS_recvmsg, fd, &packet, MSG_CMSG_CLOEXEC);
    struct cmsghdr *rights = size > 0 ? CMSG_FIRSTHDR(&packet) : NULL;
    *ret_fd = -1;
    if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS &&
        rights->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(ret_fd, CMSG_DATA(rights), sizeof(int));
    return size;
}

int sys_accept(int fd)
{
    return (int)CALL(SYS_accept4, fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int64_t sys_peek(int fd, void *to, size_t len)
{
    return CALL(SYS_recvfrom, fd, to, len, MSG_PEEK, NULL, NULL);
}

int sys_watch(int events, int op, int fd, struct epoll_event *event)
{
    return (int)CALL(SYS_epoll_ctl, events, op, fd, event);
}

int sys_wait(int events, struct epoll_event *ret, int room, int timeout)
{
    return (int)CALL(SYS_epoll_pwait, events, ret, room, timeout, NULL, 0);
}

int sys_shutdown(int fd, int how)
{
    return (int)CALL(SYS_shutdown, fd, how);
}

int sys_local(int fd, struct sockaddr_storage *ret)
{
    socklen_t size = sizeof *ret;
    return (int)CALL(SYS_getsockname, fd, ret, &size);
}

int sys_peer(int fd, struct sockaddr_storage *ret)
{
    socklen_t size = sizeof *ret;
    return (int)CALL(SYS_getpeername, fd, ret, &size);
}

int sys_get_option(int fd, int level, int option, int32_t *ret)
{
    socklen_t size = sizeof *ret;
    return (int)CALL(SYS_getsockopt, fd, level, option, ret, &size);
}

int sys_set_option(int fd, int level, int option, int32_t value)
{
    return (int)CALL(SYS_setsockopt, fd, level, option, &value, sizeof value);
}

int64_t sys_send(int fd, const void *from, size_t len)
{
    return CALL(SYS_sendto, fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}

int64_t sys_recv(int fd, void *to, size_t len, struct sockaddr_storage *peer)
{
    socklen_t size = sizeof *peer;
    return CALL(SYS_recvfrom, fd, to, len, MSG_DONTWAIT, peer, &size);
}

int sys_copy(int *ret_pidfd)
{
    return (int)CALL(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, ret_pidfd);
}

int sys_narrow(const void *filter)
{
    return (int)CALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter);
}

int sys_close_all(unsigned first, unsigned last)
{
    return (int)CALL(SYS_close_range, first, last, 0);
}

int sys_own_line(int line)
{
    return (int)CALL(SYS_dup3, line, SHIM, O_CLOEXEC);
}

int sys_end_copy(int pidfd)
{
    return (int)CALL(SYS_pidfd_send_signal, pidfd, SIGKILL, 0, 0);
}

_Noreturn void sys_end(void)
{
    for (;;)
        syscall(SYS_exit_group, 0);
}
