/* What the WIT text of wasi:io, wasi:clocks, wasi:random and wasi:cli says about each function,
 * with streams of files (f holds "0123456789") and standard input, which is at its end. */
#include "rows.h"

enum { LAST_OPERATION_FAILED, CLOSED };
enum { READ = 1, WRITE = 2 };

static void done(void)
{
    MUST(TAG == 0);
}

/* The error of a stream, of a result whose payload is aligned so. */
static void fails(int at, int how)
{
    MUST(TAG == 1 && AT(at)[0] == how);
}

static int file(int flags)
{
    w_get_directories(R);
    w_descriptor_open_at(*(int *)(unsigned long)U32(0), 0, TEXT("f"), 0, flags, R);
    done();
    return (int)U32(4);
}

static int reader(u64 offset)
{
    w_descriptor_read_via_stream(file(READ), offset, R);
    done();
    return (int)U32(4);
}

static int writer(u64 offset)
{
    w_descriptor_write_via_stream(file(READ | WRITE), offset, R);
    done();
    return (int)U32(4);
}

static u64 permit(int out)
{
    w_output_stream_check_write(out, R);
    done();
    return U64(8);
}

/* --- Input --------------------------------------------------------------------------------------
 */

ROW(input, "rw", "0")
{
    int in = reader(3), ready = w_input_stream_subscribe(in);
    MUST(w_pollable_ready(ready));
    w_input_stream_read(in, 0, R); /* nothing was asked for */
    MUST(TAG == 0 && U32(8) == 0);
    w_input_stream_read(in, 2, R);
    MUST(TAG == 0 && U32(8) == 2 && *(const char *)(unsigned long)U32(4) == '3');
    w_input_stream_skip(in, 2, R);
    MUST(TAG == 0 && U64(8) == 2);
    w_input_stream_blocking_skip(in, 1, R);
    MUST(TAG == 0 && U64(8) == 1);
    w_input_stream_blocking_read(in, ~0ull, R); /* as much as there is */
    MUST(TAG == 0 && U32(8) == 2 && *(const char *)(unsigned long)U32(4) == '8');
    w_input_stream_read(in, 1, R);
    fails(4, CLOSED);
    w_input_stream_blocking_read(in, 1, R);
    fails(4, CLOSED);
    w_input_stream_read(in, 0, R);
    fails(4, CLOSED);
    w_input_stream_skip(in, 1, R);
    fails(8, CLOSED);
    w_input_stream_blocking_skip(in, 1, R);
    fails(8, CLOSED);
    MUST(w_pollable_ready(ready)); /* what is closed is ready */
    w_pollable_block(ready);

    in = w_get_stdin();
    w_pollable_block(w_input_stream_subscribe(in));
    w_input_stream_read(in, 10, R);
    fails(4, CLOSED);
    return 0;
}

/* --- Output -------------------------------------------------------------------------------------
 */

ROW(output, "rw", "0")
{
    static char block[4096];
    int out = writer(0), ready = w_output_stream_subscribe(out);
    MUST(w_pollable_ready(ready) && permit(out) >= 4096);
    w_output_stream_write(out, TEXT("ab"), R);
    done();
    w_output_stream_write(out, TEXT("cd"), R); /* the rest of the permit */
    done();
    w_output_stream_write(out, 0, 0, R); /* nothing is always permitted */
    done();
    w_output_stream_flush(out, R);
    done();
    w_output_stream_blocking_flush(out, R);
    done();
    permit(out);
    w_output_stream_write_zeroes(out, 3, R);
    done();
    w_output_stream_blocking_write_zeroes_and_flush(out, 4096, R);
    done();
    w_output_stream_blocking_write_and_flush(out, (int)(unsigned long)block, 4096, R);
    done();
    w_descriptor_stat(file(READ), R);
    MUST(U64(24) == 4 + 3 + 4096 + 4096);
    w_input_stream_blocking_read(reader(2), 5, R);
    const char *at = (const char *)(unsigned long)U32(4);
    MUST(at[0] == 'c' && at[1] == 'd' && !at[2] && !at[3] && !at[4]);
    return 0;
}

/* What fails has a reason, and the stream is closed then. */
ROW(failure, "rw", "0")
{
    int out = writer(~0ull >> 1);
    w_output_stream_blocking_write_and_flush(out, TEXT("too far"), R);
    fails(4, LAST_OPERATION_FAILED);
    int error = (int)U32(8);
    w_filesystem_error_code(error, R);
    MUST(TAG == 1);
    w_error_to_debug_string(error, R);
    MUST(U32(4) > 0);
    w_drop_io_error(error);
    w_output_stream_check_write(out, R);
    fails(8, CLOSED);
    w_output_stream_flush(out, R);
    fails(4, CLOSED);
    w_output_stream_blocking_write_and_flush(out, TEXT("more"), R);
    fails(4, CLOSED);
    MUST(w_pollable_ready(w_output_stream_subscribe(out)));
    return 0;
}

ROW(unpermitted, "rw", "134")
{
    int out = writer(0);
    w_output_stream_write(out, TEXT("x"), R);
    return 0;
}

ROW(more_than_permitted, "rw", "134")
{
    int out = writer(0);
    w_output_stream_write_zeroes(out, permit(out) + 1, R);
    return 0;
}

ROW(permit_used_up, "rw", "134")
{
    int out = writer(0);
    w_output_stream_write_zeroes(out, permit(out), R);
    done();
    w_output_stream_write(out, TEXT("x"), R);
    return 0;
}

ROW(long_blocking_write, "rw", "134")
{
    static char block[4097];
    w_output_stream_blocking_write_and_flush(writer(0), (int)(unsigned long)block, 4097, R);
    return 0;
}

ROW(long_blocking_zeroes, "rw", "134")
{
    w_output_stream_blocking_write_zeroes_and_flush(writer(0), 4097, R);
    return 0;
}

ROW(splicing, "rw", "0")
{
    int in = reader(0), out = writer(20);
    w_output_stream_splice(out, in, 0, R);
    MUST(TAG == 0 && U64(8) == 0);
    w_output_stream_splice(out, in, 4, R);
    MUST(TAG == 0 && U64(8) == 4);
    w_output_stream_blocking_splice(out, reader(8), 100, R);
    MUST(TAG == 0 && U64(8) > 0);
    in = w_get_stdin(); /* at its end */
    w_output_stream_blocking_splice(out, in, 100, R);
    fails(8, CLOSED);
    w_output_stream_splice(out, in, 100, R);
    fails(8, CLOSED);
    MUST(permit(out) > 0); /* it was not this stream that ended */
    w_input_stream_blocking_read(reader(20), 4, R);
    return TAG || *(const char *)(unsigned long)U32(4) != '0';
}

/* --- Waiting and clocks -------------------------------------------------------------------------
 */

ROW(waiting, "rw", "0")
{
    u64 from = w_monotonic_now();
    MUST(from > 0 && w_monotonic_resolution() > 0);
    int past = w_monotonic_subscribe_instant(from - 1),
        never = w_monotonic_subscribe_instant(~0ull),
        overflow = w_monotonic_subscribe_duration(~0ull), none = w_monotonic_subscribe_duration(0),
        soon = w_monotonic_subscribe_duration(20000000);
    MUST(w_pollable_ready(past) && w_pollable_ready(none));
    MUST(!w_pollable_ready(never) && !w_pollable_ready(overflow));
    /* One of them twice: each place is told. */
    int list[] = {never, past, overflow, past};
    w_poll((int)(unsigned long)list, 4, R);
    const int *at = (const int *)(unsigned long)U32(0);
    MUST(U32(4) == 2 && at[0] == 1 && at[1] == 3);
    w_pollable_block(soon);
    MUST(w_pollable_ready(soon) && w_monotonic_now() >= from + 20000000);
    w_pollable_block(soon); /* as often as one likes */
    w_wall_now(R);
    MUST(U64(0) > 1700000000 && U32(8) < 1000000000);
    w_wall_resolution(R);
    MUST(U64(0) || U32(8));
    return 0;
}

ROW(poll_of_nothing, "-", "134")
{
    w_poll(0, 0, R);
    return 0;
}

/* --- Random numbers -----------------------------------------------------------------------------
 */

ROW(random_numbers, "-", "0")
{
    w_get_random_bytes(0, R);
    MUST(U32(4) == 0);
    w_get_random_bytes(4096, R);
    MUST(U32(4) == 4096);
    int counts[256] = {0}, seen = 0;
    for (int i = 0; i < 4096; i++)
        seen += counts[((const u8 *)(unsigned long)U32(0))[i]]++ == 0;
    MUST(seen > 200);
    MUST(w_get_random_u64() != w_get_random_u64());
    w_get_insecure_random_bytes(64, R);
    MUST(U32(4) == 64);
    MUST(w_get_insecure_random_u64() != w_get_insecure_random_u64());
    w_insecure_seed(R);
    u64 first = U64(0), second = U64(8);
    w_insecure_seed(R); /* the same for the whole of its life */
    return U64(0) != first || U64(8) != second;
}

/* What a cell draws, no other cell draws: this is run again and again. */
ROW(random_of_each_cell, "unique", "0")
{
    w_get_random_bytes(32, R);
    w_output_stream_blocking_write_and_flush(w_get_stdout(), (int)U32(0), 32, R);
    return TAG;
}

ROW(insecure_random_of_each_cell, "unique", "0")
{
    w_insecure_seed(R);
    w_output_stream_blocking_write_and_flush(w_get_stdout(), R, 16, (int)(unsigned long)&area[8]);
    return AT(64)[0];
}

/* --- Preview 1 ----------------------------------------------------------------------------------
 */

/* A program that asks for all rights there are is given what applies. */
ROW(p1_all_rights, "rw", "0")
{
    MUST(w_p1_path_open(3, 0, TEXT("f"), 0, ~0ull, ~0ull, 0, R) == 0);
    int fd = (int)U32(0);
    MUST(w_p1_fd_fdstat_get(fd, R) == 0);
    MUST(AT(0)[0] == 4 && (U64(8) & 2) && (U64(8) & 64) && !(U64(8) >> 28) && !(U64(16) >> 28));
    MUST(w_p1_fd_fdstat_set_rights(fd, 2, 0) == 0);
    MUST(w_p1_fd_fdstat_set_rights(fd, 66, 0) == 76); /* notcapable */
    return 0;
}

ROW(p1_clocks, "-", "0")
{
    MUST(w_p1_clock_time_get(1, 0, R) == 0 && U64(0) > 0);
    u64 first = U64(0);
    MUST(w_p1_clock_time_get(1, 1, R) == 0 && U64(0) >= first);
    MUST(w_p1_clock_time_get(0, 0, R) == 0 && U64(0) > 1700000000ull * 1000000000);
    MUST(w_p1_clock_res_get(0, R) == 0 && U64(0) > 0);
    MUST(w_p1_clock_time_get(2, 0, R) == 28 && w_p1_clock_time_get(9, 0, R) == 28); /* inval */
    return 0;
}
