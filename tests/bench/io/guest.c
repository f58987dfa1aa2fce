/* What `make bench-io` measures, as a component: the same loops as in tests/bench/io.c. SIZE and
 * COUNT are those of io.mjs. ROW(id, what is given, unused). */
#include "rows.h"

enum { BLOCK = 65536, COUNT = 200000 };
#define SIZE (1ull << 28)

static int dir(void)
{
    w_get_directories(R);
    return *(int *)(unsigned long)U32(0);
}

static int file(int flags, int open_flags)
{
    w_descriptor_open_at(dir(), 0, TEXT("data"), open_flags, flags, R);
    MUST(TAG == 0);
    return (int)U32(4);
}

/* All that is permitted; waits if that is nothing. */
static void put(int out, int wait, unsigned at, unsigned size)
{
    while (size) {
        w_output_stream_check_write(out, R);
        MUST(TAG == 0);
        unsigned some = U64(8) < size ? (unsigned)U64(8) : size;
        if (some == 0) {
            w_pollable_block(wait);
            continue;
        }
        w_output_stream_write(out, (int)at, (int)some, R);
        MUST(TAG == 0);
        at += some;
        size -= some;
    }
}

ROW(nothing, "rw", "")
{
    return dir() < 0;
}

ROW(read, "rw", "")
{
    w_descriptor_read_via_stream(file(1, 0), 0, R);
    int in = (int)U32(4);
    u64 got = 0;
    for (;;) {
        w_input_stream_blocking_read(in, BLOCK, R);
        if (TAG)
            return got != SIZE;
        got += U32(8);
    }
}

ROW(write, "rw", "")
{
    static const char block[BLOCK];
    w_descriptor_write_via_stream(file(2, 1), 0, R);
    int out = (int)U32(4), wait = w_output_stream_subscribe(out);
    for (u64 at = 0; at < SIZE; at += BLOCK)
        put(out, wait, (unsigned)(unsigned long)block, BLOCK);
    w_output_stream_blocking_flush(out, R);
    return TAG;
}

static int copy(int in, int out)
{
    int wait = w_output_stream_subscribe(out);
    for (;;) {
        w_input_stream_blocking_read(in, BLOCK, R);
        if (TAG)
            break;
        put(out, wait, U32(4), U32(8));
    }
    w_output_stream_blocking_flush(out, R);
    return TAG;
}

ROW(copy, "-", "")
{
    return copy(w_get_stdin(), w_get_stdout());
}

ROW(splice, "-", "")
{
    int in = w_get_stdin(), out = w_get_stdout();
    do
        w_output_stream_blocking_splice(out, in, 1 << 20, R);
    while (!TAG);
    return 0;
}

/* One connection to port 7919, all of it sent back. */
ROW(echo, "echo", "")
{
    w_create_tcp_socket(0, R);
    int self = (int)U32(4);
    w_tcp_socket_start_bind(self, w_instance_network(), 0, 7919, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, R);
    MUST(TAG == 0);
    w_tcp_socket_finish_bind(self, R);
    w_tcp_socket_start_listen(self, R);
    w_tcp_socket_finish_listen(self, R);
    MUST(TAG == 0);
    w_pollable_block(w_tcp_socket_subscribe(self));
    w_tcp_socket_accept(self, R);
    MUST(TAG == 0);
    copy((int)U32(8), (int)U32(12));
    return 0;
}

ROW(stat, "rw", "")
{
    int root = dir();
    for (int i = 0; i < COUNT; i++) {
        w_descriptor_stat_at(root, 0, TEXT("data"), R);
        MUST(TAG == 0);
    }
    return 0;
}

ROW(open, "rw", "")
{
    int root = dir();
    for (int i = 0; i < COUNT; i++) {
        w_descriptor_open_at(root, 0, TEXT("data"), 0, 1, R);
        MUST(TAG == 0);
        w_drop_descriptor((int)U32(4));
    }
    return 0;
}

/* --- The same by preview 1 ----------------------------------------------------------------------
 */

static char block[BLOCK];
static int part[2];

static int all(void)
{
    part[0] = (int)(unsigned long)block;
    part[1] = BLOCK;
    return (int)(unsigned long)part;
}

static int p1_file(int flags, u64 rights)
{
    MUST(w_p1_path_open(3, 0, TEXT("data"), flags, rights, 0, 0, R) == 0);
    return (int)U32(0);
}

ROW(p1_nothing, "rw", "")
{
    return w_p1_fd_prestat_get(3, R);
}

ROW(p1_read, "rw", "")
{
    int fd = p1_file(0, 2);
    u64 got = 0;
    do {
        MUST(w_p1_fd_read(fd, all(), 1, R) == 0);
        got += U32(0);
    } while (U32(0));
    return got != SIZE;
}

ROW(p1_write, "rw", "")
{
    int fd = p1_file(1, 64);
    for (u64 at = 0; at < SIZE; at += BLOCK)
        MUST(w_p1_fd_write(fd, all(), 1, R) == 0 && U32(0) == BLOCK);
    return 0;
}

ROW(p1_copy, "-", "")
{
    for (;;) {
        MUST(w_p1_fd_read(0, all(), 1, R) == 0);
        part[1] = (int)U32(0);
        if (!part[1])
            return 0;
        while (part[1]) {
            MUST(w_p1_fd_write(1, (int)(unsigned long)part, 1, R) == 0);
            part[0] += (int)U32(0);
            part[1] -= (int)U32(0);
        }
    }
}

ROW(p1_stat, "rw", "")
{
    for (int i = 0; i < COUNT; i++)
        MUST(w_p1_path_filestat_get(3, 0, TEXT("data"), R) == 0);
    return 0;
}

ROW(p1_open, "rw", "")
{
    for (int i = 0; i < COUNT; i++)
        MUST(w_p1_fd_close(p1_file(0, 2)) == 0);
    return 0;
}
