/* Every system call that WASI makes in a cell is made here, and each has its rule in
 * policies/syscall.def: what this header does not offer, the engine cannot need.
 *
 * All answer a number that is not negative, or the negated errno. None blocks but sys_read and
 * sys_write (as their descriptor does) and sys_poll. Calls that a signal interrupted are made
 * again. Descriptors are never AT_FDCWD, names never follow a symbolic link in their last step, and
 * flags are none that a rule would refuse. */
#ifndef CARREL_WASI_SYS_H
#define CARREL_WASI_SYS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

/* --- Every cell ---------------------------------------------------------------------------------
 */

int64_t sys_read(int fd, void *to, size_t len);          /* READ */
int64_t sys_write(int fd, const void *from, size_t len); /* WRITE */

/* --- Waiting and time ---------------------------------------------------------------------------
 */

/* Waits until one of `count` is ready, at most `timeout` nanoseconds (UINT64_MAX: for ever).
 * PPOLL. */
int sys_poll(struct pollfd *polls, size_t count, uint64_t timeout);

uint64_t sys_now(void);              /* TIME_MONOTONIC: nanoseconds */
struct timespec sys_real_time(void); /* TIME_REAL */

/* Names a descriptor for sys_wait, or changes what it is asked for (op as in epoll_ctl). WATCH. */
int sys_watch(int events, int op, int fd, struct epoll_event *event);

/* Waits for one of those that were named, at most `timeout` milliseconds (-1: for ever). WAIT. */
int sys_wait(int events, struct epoll_event *ret, int room, int timeout);

/* --- Files --------------------------------------------------------------------------------------
 */

int64_t sys_pread(int fd, void *to, size_t len, uint64_t offset);          /* PREAD */
int64_t sys_pwrite(int fd, const void *from, size_t len, uint64_t offset); /* PWRITE */
int64_t sys_append(int fd, const void *from, size_t len);                  /* APPEND */
int sys_advise(int fd, uint64_t offset, uint64_t len, int advice);         /* ADVISE */
int sys_truncate(int fd, uint64_t size);                                   /* FTRUNCATE */
int sys_allocate(int fd, uint64_t offset, uint64_t len);                   /* ALLOCATE */
int sys_sync(int fd);                                                      /* FSYNC */
int sys_sync_data(int fd);                                                 /* FDATASYNC */
int sys_close(int fd);                                                     /* CLOSE */

/* --- Names: `dir` is a directory, `name` is relative to it --------------------------------------
 */

/* Opens with `flags` beside O_NOFOLLOW, O_CLOEXEC, O_NOCTTY and O_NONBLOCK, so that neither a FIFO
 * nor a device can block. OPEN_READ, or OPEN_WRITE if the flags write, create or truncate. */
int sys_open(int dir, const char *name, int flags);

/* A handle that leads on from `dir`; fails with ENOTDIR for what is not a directory, a symbolic
 * link too. OPEN_PATH. */
int sys_enter(int dir, const char *name);

/* Of what the name means; of `dir` itself, of whatever type, if it is empty. STAT. */
int sys_stat(int dir, const char *name, struct stat *ret);

/* Access and modification time, as utimensat takes them; of `dir` itself if the name is empty.
 * UTIMENS. */
int sys_set_times(int dir, const char *name, const struct timespec times[2]);

int64_t sys_readlink(int dir, const char *name, char *to, size_t len);      /* READLINK */
int64_t sys_getdents(int fd, void *to, size_t len);                         /* GETDENTS */
int sys_mkdir(int dir, const char *name);                                   /* MKDIR */
int sys_unlink(int dir, const char *name);                                  /* UNLINK */
int sys_rmdir(int dir, const char *name);                                   /* RMDIR */
int sys_rename(int from_dir, const char *from, int to_dir, const char *to); /* RENAME */
int sys_link(int from_dir, const char *from, int to_dir, const char *to);   /* LINK */
int sys_symlink(const char *target, int dir, const char *name);             /* SYMLINK */

/* --- Sockets ------------------------------------------------------------------------------------
 */

/* A message of the shim, waiting for it, and the descriptor that came with it, or -1. RECEIVE_FD.
 */
int64_t sys_receive(int fd, void *to, size_t len, int *ret_fd);

int sys_accept(int fd);                                           /* ACCEPT, ACCEPT_HTTP */
int64_t sys_peek(int fd, void *to, size_t len);                   /* PEEK */
int sys_shutdown(int fd, int how);                                /* SHUTDOWN */
int sys_local(int fd, struct sockaddr_storage *ret);              /* GETSOCKNAME */
int sys_peer(int fd, struct sockaddr_storage *ret);               /* GETPEERNAME */
int sys_get_option(int fd, int level, int option, int32_t *ret);  /* GET_... */
int sys_set_option(int fd, int level, int option, int32_t value); /* SET_... */
int64_t sys_send(int fd, const void *from, size_t len);           /* SENDTO */
int64_t sys_recv(int fd, void *to, size_t len, struct sockaddr_storage *peer); /* RECVFROM */

/* --- Processes for requests: rules RULES_COPIES -------------------------------------------------
 */

/* Copies the process: 0 in the copy, above 0 in this one, with the copy's pidfd. FORK. */
int sys_copy(int *ret_pidfd);

/* Lays another filter over the one that stands; `filter` is a struct sock_fprog. NARROW. */
int sys_narrow(const void *filter);

int sys_close_all(unsigned first, unsigned last); /* CLOSE_ALL */
int sys_own_line(int line);                       /* OWN_LINE: becomes the socket to the shim */
int sys_end_copy(int pidfd);                      /* END_COPY */
_Noreturn void sys_end(void);                     /* EXIT */

#endif
