/* Preview 1: numbered descriptors, of which 3 is the directory or the listening socket that was
 * given. What only reads is refused by there being none; what changes something, by a directory
 * that was given for reading. */
#include "rows.h"

enum { SUCCESS = 0, BADF = 8, INVAL = 28, NOTSUP = 58, ROFS = 69, NOTCAPABLE = 76, NOTSOCK = 57 };
enum { CREATE = 1, DIR = 3 };
enum { RIGHT_READ = 1 << 1, RIGHTS_READ = 0x82000ae, RIGHTS_WRITE = 0x8e001ff };

struct part {
    int at, size;
};
static char data[64];
static struct part parts[1] = {{0, 0}};

static int list(int size)
{
    parts[0].at = (int)(unsigned long)data;
    parts[0].size = size;
    return (int)(unsigned long)parts;
}

/* What a call says where it works, and where it is refused. */
static int verdict(int error, int refusal)
{
    MUST(error == (granted ? SUCCESS : refusal));
    return granted ? WORKS : REFUSED;
}

/* The file "f", with a number; -1: there is no directory. */
static int file(int write)
{
    int error = w_p1_path_open(DIR, 0, TEXT("f"), 0, write ? RIGHTS_WRITE : RIGHTS_READ, 0, 0, R);
    if (error == BADF)
        return -1;
    MUST(error == SUCCESS);
    return (int)U32(0);
}

/* A file that was opened for reading. */
#define READS(id, call, check)                                                                     \
    ROW(p1_##id, "ro", "-")                                                                        \
    {                                                                                              \
        int fd = file(0);                                                                          \
        if (fd < 0)                                                                                \
            return REFUSED;                                                                        \
        MUST(w_p1_##id call == SUCCESS);                                                           \
        MUST(check);                                                                               \
        return WORKS;                                                                              \
    }

READS(fd_advise, (fd, 0, 4, 0), 1)
READS(fd_pread, (fd, list(3), 1, 4, R), U32(0) == 3 && data[0] == '4')
READS(fd_read, (fd, list(3), 1, R), U32(0) == 3 && data[0] == '0')
READS(fd_filestat_get, (fd, R), AT(16)[0] == 4 && U64(32) == 10)
READS(fd_fdstat_get, (fd, R), AT(0)[0] == 4)
READS(fd_fdstat_set_flags, (fd, 0), 1)
READS(fd_fdstat_set_rights, (fd, RIGHT_READ, 0), 1)
READS(fd_seek, (fd, 4, 0, R), U64(0) == 4)
READS(fd_tell, (fd, R), U64(0) == 0)
READS(fd_close, (fd), 1)
READS(fd_renumber, (fd, 0), 1)
READS(path_open, (DIR, 0, TEXT("f"), 0, RIGHT_READ, 0, 0, R), (int)U32(0) > fd)
READS(path_filestat_get, (DIR, 0, TEXT("f"), R), U64(32) == 10)
READS(path_readlink, (DIR, TEXT("l"), (int)(unsigned long)data, 10, R),
      U32(0) == 1 && data[0] == 'f')
READS(fd_readdir, (DIR, (int)(unsigned long)data, 64, 0, R), U32(0) > 0)
READS(fd_prestat_get, (DIR, R), U32(4) == 1)
READS(fd_prestat_dir_name, (DIR, (int)(unsigned long)data, 1), data[0] == '/')

#define WRITES(id, call)                                                                           \
    ROW(p1_##id, "rw", "ro")                                                                       \
    {                                                                                              \
        int fd = file(granted);                                                                    \
        int error = w_p1_##id call;                                                                \
        MUST(granted ? error == SUCCESS : error != SUCCESS);                                       \
        (void)fd;                                                                                  \
        return granted ? WORKS : REFUSED;                                                          \
    }

WRITES(fd_allocate, (fd, 0, 20))
WRITES(fd_filestat_set_size, (fd, 5))
WRITES(fd_filestat_set_times, (fd, 0, 0, 2))
WRITES(fd_pwrite, (fd, list(3), 1, 2, R))
WRITES(path_filestat_set_times, (DIR, 0, TEXT("f"), 0, 0, 2))
WRITES(path_create_directory, (DIR, TEXT("new")))
WRITES(path_link, (DIR, 0, TEXT("f"), DIR, TEXT("new")))
WRITES(path_remove_directory, (DIR, TEXT("e")))
WRITES(path_rename, (DIR, TEXT("f"), DIR, TEXT("new")))
WRITES(path_symlink, (TEXT("f"), DIR, TEXT("new")))
WRITES(path_unlink_file, (DIR, TEXT("l")))

/* Bringing to the disk what nobody changed is no change; the refusal is that of the change. */
#define SYNCS(id)                                                                                  \
    ROW(p1_##id, "rw", "ro")                                                                       \
    {                                                                                              \
        int fd = file(granted);                                                                    \
        int error = w_p1_##id(fd);                                                                 \
        MUST(!granted || error == SUCCESS);                                                        \
        return verdict(w_p1_path_create_directory(DIR, TEXT("new")), ROFS);                        \
    }

SYNCS(fd_sync)
SYNCS(fd_datasync)

ROW(p1_fd_write, "-", "deny:stdout")
{
    data[0] = 'x';
    int error = w_p1_fd_write(1, list(1), 1, R);
    MUST(error == SUCCESS || !granted);
    return error == SUCCESS ? WORKS : REFUSED;
}

ROW(p1_args_get, "-", "deny:args")
{
    int at[4] = {0};
    MUST(w_p1_args_get((int)(unsigned long)at, (int)(unsigned long)data) == SUCCESS);
    return at[2] ? WORKS : REFUSED;
}

ROW(p1_args_sizes_get, "-", "deny:args")
{
    MUST(w_p1_args_sizes_get(R, R + 4) == SUCCESS);
    return U32(0) == 3 ? WORKS : (MUST(U32(0) == 0), REFUSED);
}

ROW(p1_environ_get, "env", "-")
{
    int at[3] = {0};
    MUST(w_p1_environ_get((int)(unsigned long)at, (int)(unsigned long)data) == SUCCESS);
    return at[1] ? WORKS : REFUSED;
}

ROW(p1_environ_sizes_get, "env", "-")
{
    MUST(w_p1_environ_sizes_get(R, R + 4) == SUCCESS);
    return U32(0) == 2 ? WORKS : (MUST(U32(0) == 0), REFUSED);
}

ROW(p1_clock_time_get, "-", "deny:clock")
{
    MUST(w_p1_clock_time_get(0, 0, R) == SUCCESS);
    return U64(0) ? WORKS : REFUSED;
}

ROW(p1_clock_res_get, "-", "deny:clock")
{
    MUST(w_p1_clock_res_get(0, R) == SUCCESS && U64(0));
    MUST(w_p1_clock_time_get(0, 0, R) == SUCCESS);
    return U64(0) ? WORKS : REFUSED;
}

struct subscription {
    u64 userdata;
    u64 type;
    u64 clock;
    u64 timeout;
    u64 precision;
    u64 flags;
};

ROW(p1_poll_oneoff, "-", "deny:clock")
{
    struct subscription until = {1, 0, 1, 30000000, 0, 0};
    w_p1_clock_time_get(1, 0, R);
    u64 from = U64(0);
    MUST(w_p1_poll_oneoff((int)(unsigned long)&until, R + 64, 1, R) == SUCCESS && U32(0) == 1);
    w_p1_clock_time_get(1, 0, R);
    return U64(0) - from >= 30000000 ? WORKS : REFUSED;
}

ROW(p1_random_get, "-", "trap:random")
{
    MUST(w_p1_random_get(R, 16) == SUCCESS);
    return U64(0) | U64(8) ? WORKS : REFUSED;
}

/* Nothing of the host's is asked for by these. */
ROW(p1_sched_yield, "-", "")
{
    MUST(w_p1_sched_yield() == SUCCESS);
    return WORKS;
}

ROW(p1_proc_raise, "-", "")
{
    MUST(w_p1_proc_raise(6) == NOTSUP);
    return WORKS;
}

ROW(p1_proc_exit, "code:7", "")
{
    w_p1_proc_exit(7);
    __builtin_unreachable();
}

/* --- Sockets: a peer connects, sends "hello" and waits for the end ------------------------------
 */

/* A connection, or -1. */
static int accepted(void)
{
    int error = w_p1_sock_accept(DIR, 0, R);
    if (error == BADF)
        return -1;
    MUST(error == SUCCESS);
    return (int)U32(0);
}

#define SOCKETS(id, call, check)                                                                   \
    ROW(p1_##id, "listen", "-")                                                                    \
    {                                                                                              \
        int fd = accepted();                                                                       \
        if (fd < 0)                                                                                \
            return REFUSED;                                                                        \
        MUST(call == SUCCESS);                                                                     \
        MUST(check);                                                                               \
        return WORKS;                                                                              \
    }

SOCKETS(sock_accept, w_p1_fd_close(fd), 1)
SOCKETS(sock_recv, w_p1_sock_recv(fd, list(5), 1, 2, R, R + 4), U32(0) == 5 && data[4] == 'o')
SOCKETS(sock_send, w_p1_sock_send(fd, list(3), 1, 0, R), U32(0) == 3)
SOCKETS(sock_shutdown, w_p1_sock_shutdown(fd, 3), w_p1_sock_send(fd, list(3), 1, 0, R) != SUCCESS)
