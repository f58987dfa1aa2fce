/* wasi:io, wasi:clocks, wasi:random and wasi:cli. Standard input holds "0123456789". */
#include "files.h"
#include "rows.h"

/* --- Input --------------------------------------------------------------------------------------
 * Without the stream there is one that ends at once. */

#define READING(id, call)                                                                          \
    ROW(id, "-", "deny:stdin")                                                                     \
    {                                                                                              \
        int in = w_get_stdin();                                                                    \
        int ready = w_input_stream_subscribe(in);                                                  \
        w_pollable_block(ready);                                                                   \
        call;                                                                                      \
        MUST(granted || AT(granted ? 8 : 4)[0] == 1 || AT(8)[0] == 1); /* closed */                \
        return OUTCOME;                                                                            \
    }

READING(input_stream_read, w_input_stream_read(in, 4, R))
READING(input_stream_blocking_read, w_input_stream_blocking_read(in, 4, R))
READING(input_stream_skip, w_input_stream_skip(in, 4, R))
READING(input_stream_blocking_skip, w_input_stream_blocking_skip(in, 4, R))

static int has_input(int in)
{
    w_input_stream_blocking_read(in, 4, R);
    return TAG == 0 && U32(8) > 0;
}

ROW(get_stdin, "-", "deny:stdin")
{
    return has_input(w_get_stdin()) ? WORKS : REFUSED;
}

ROW(drop_input_stream, "-", "deny:stdin")
{
    int in = w_get_stdin(), had = has_input(in);
    w_drop_input_stream(in);
    return had ? WORKS : REFUSED;
}

ROW(input_stream_subscribe, "-", "deny:stdin")
{
    int in = w_get_stdin();
    w_pollable_block(w_input_stream_subscribe(in)); /* the end is an event, too */
    return has_input(in) ? WORKS : REFUSED;
}

/* --- Waiting ------------------------------------------------------------------------------------
 * Without a clock no wait is long. */

enum { MOMENT = 30000000 };

static int waited(u64 from)
{
    u64 took = w_monotonic_now() - from;
    return took >= MOMENT ? WORKS : REFUSED;
}

ROW(pollable_block, "-", "deny:clock")
{
    u64 from = w_monotonic_now();
    w_pollable_block(w_monotonic_subscribe_duration(MOMENT));
    return waited(from);
}

ROW(pollable_ready, "-", "deny:clock")
{
    u64 from = w_monotonic_now();
    int until = w_monotonic_subscribe_duration(MOMENT);
    while (!w_pollable_ready(until))
        ;
    return waited(from);
}

ROW(poll, "-", "deny:clock")
{
    u64 from = w_monotonic_now();
    int list[2] = {w_monotonic_subscribe_duration(MOMENT), w_monotonic_subscribe_duration(~0ull)};
    w_poll((int)(unsigned long)list, 2, R);
    MUST(U32(4) >= 1);
    return waited(from);
}

ROW(drop_pollable, "-", "deny:clock")
{
    u64 from = w_monotonic_now();
    int until = w_monotonic_subscribe_duration(MOMENT);
    w_pollable_block(until);
    w_drop_pollable(until);
    return waited(from);
}

ROW(monotonic_subscribe_duration, "-", "deny:clock")
{
    u64 from = w_monotonic_now();
    w_pollable_block(w_monotonic_subscribe_duration(MOMENT));
    return waited(from);
}

ROW(monotonic_subscribe_instant, "-", "deny:clock")
{
    u64 from = w_monotonic_now();
    w_pollable_block(w_monotonic_subscribe_instant(from + MOMENT));
    return waited(from);
}

ROW(monotonic_now, "-", "deny:clock")
{
    u64 from = w_monotonic_now();
    for (volatile int i = 0; i < 1000; i++)
        ;
    return w_monotonic_now() > from ? WORKS : REFUSED;
}

ROW(monotonic_resolution, "-", "deny:clock")
{
    MUST(w_monotonic_resolution() > 0);
    return w_monotonic_now() + w_monotonic_now() > 0 ? WORKS : REFUSED;
}

ROW(wall_now, "-", "deny:clock")
{
    w_wall_now(R);
    return U64(0) > 1700000000 ? WORKS : REFUSED;
}

ROW(wall_resolution, "-", "deny:clock")
{
    w_wall_resolution(R);
    MUST(U64(0) == 0 && U32(8) > 0);
    w_wall_now(R);
    return U64(0) ? WORKS : REFUSED;
}

/* --- Output -------------------------------------------------------------------------------------
 * Without the stream there is one that is closed. */

#define WRITING(id, call)                                                                          \
    ROW(id, "-", "deny:stdout")                                                                    \
    {                                                                                              \
        int out = w_get_stdout();                                                                  \
        w_output_stream_check_write(out, R);                                                       \
        if (granted)                                                                               \
            MUST(TAG == 0 && U64(8) >= 5);                                                         \
        call;                                                                                      \
        return OUTCOME;                                                                            \
    }

WRITING(output_stream_check_write, w_output_stream_check_write(out, R))
WRITING(output_stream_write, granted ? w_output_stream_write(out, TEXT("hello"), R) : (void)0)
WRITING(output_stream_blocking_write_and_flush,
        w_output_stream_blocking_write_and_flush(out, TEXT("hello"), R))
WRITING(output_stream_flush, w_output_stream_flush(out, R))
WRITING(output_stream_blocking_flush, w_output_stream_blocking_flush(out, R))
WRITING(output_stream_write_zeroes, granted ? w_output_stream_write_zeroes(out, 3, R) : (void)0)
WRITING(output_stream_blocking_write_zeroes_and_flush,
        w_output_stream_blocking_write_zeroes_and_flush(out, 3, R))
WRITING(output_stream_splice, w_output_stream_splice(out, w_get_stdin(), 3, R))
WRITING(output_stream_blocking_splice, w_output_stream_blocking_splice(out, w_get_stdin(), 3, R))
WRITING(get_stdout, w_output_stream_blocking_write_and_flush(out, TEXT("hello"), R))
WRITING(output_stream_subscribe,
        (w_pollable_block(w_output_stream_subscribe(out)), w_output_stream_check_write(out, R)))
WRITING(drop_output_stream, w_drop_output_stream(out))

ROW(get_stderr, "-", "deny:stderr")
{
    w_output_stream_blocking_write_and_flush(w_get_stderr(), TEXT("hello\n"), R);
    return OUTCOME;
}

/* --- Errors: of a write that no file takes ------------------------------------------------------
 */

static int error_of_a_write(void)
{
    int dir = root();
    if (dir < 0)
        return -1;
    int file = open_file(dir, 1);
    w_descriptor_write_via_stream(file, (1ull << 63) - 1, R);
    MUST(TAG == 0);
    w_output_stream_blocking_write_and_flush((int)U32(4), TEXT("hello"), R);
    MUST(TAG == 1 && AT(4)[0] == 0);
    return (int)U32(8);
}

ROW(error_to_debug_string, "rw", "-")
{
    int error = error_of_a_write();
    if (error < 0)
        return REFUSED;
    w_error_to_debug_string(error, R);
    MUST(U32(4) > 0);
    return WORKS;
}

ROW(drop_io_error, "rw", "-")
{
    int error = error_of_a_write();
    if (error < 0)
        return REFUSED;
    w_drop_io_error(error);
    return WORKS;
}

ROW(filesystem_error_code, "rw", "-")
{
    int error = error_of_a_write();
    if (error < 0)
        return REFUSED;
    w_filesystem_error_code(error, R);
    MUST(TAG == 1);
    return WORKS;
}

/* --- Random -------------------------------------------------------------------------------------
 * Bytes that everybody could guess would be worse than none; insecure ones may be guessed. */

ROW(get_random_u64, "-", "trap:random")
{
    u64 one = w_get_random_u64(), other = w_get_random_u64();
    return one | other ? WORKS : REFUSED;
}

ROW(get_random_bytes, "-", "trap:random")
{
    w_get_random_bytes(16, R);
    const u64 *bytes = (const u64 *)(unsigned long)U32(0);
    MUST(U32(4) == 16);
    return bytes[0] | bytes[1] ? WORKS : REFUSED;
}

ROW(get_insecure_random_u64, "-", "told:random.insecure")
{
    u64 one = w_get_insecure_random_u64(), other = w_get_insecure_random_u64();
    return one | other ? WORKS : REFUSED;
}

ROW(get_insecure_random_bytes, "-", "told:random.insecure")
{
    w_get_insecure_random_bytes(16, R);
    const u64 *bytes = (const u64 *)(unsigned long)U32(0);
    MUST(U32(4) == 16);
    return bytes[0] | bytes[1] ? WORKS : REFUSED;
}

ROW(insecure_seed, "-", "told:random.insecure")
{
    w_insecure_seed(R);
    return U64(0) | U64(8) ? WORKS : REFUSED;
}

/* --- Command line -------------------------------------------------------------------------------
 */

ROW(get_environment, "env", "-")
{
    w_get_environment(R);
    return U32(4) == 2 ? WORKS : (MUST(U32(4) == 0), REFUSED);
}

ROW(get_arguments, "-", "deny:args")
{
    w_get_arguments(R);
    return U32(4) == 3 ? WORKS : (MUST(U32(4) == 0), REFUSED);
}

ROW(initial_cwd, "-", "deny:args")
{
    w_initial_cwd(R);
    MUST(TAG == 0); /* no cell has one */
    w_get_arguments(R);
    return U32(4) ? WORKS : REFUSED;
}

/* Whatever a policy says, a program can end. */
ROW(exit, "-", "")
{
    w_exit(0);
    __builtin_unreachable();
}

ROW(exit_with_code, "code:7", "")
{
    w_exit_with_code(7);
    __builtin_unreachable();
}

ROW(get_terminal_stdin, "tty", "deny:terminal")
{
    w_get_terminal_stdin(R);
    return TAG ? WORKS : REFUSED;
}

ROW(get_terminal_stdout, "tty", "deny:terminal")
{
    w_get_terminal_stdout(R);
    return TAG ? WORKS : REFUSED;
}

ROW(get_terminal_stderr, "tty", "deny:terminal")
{
    w_get_terminal_stderr(R);
    return TAG ? WORKS : REFUSED;
}

ROW(drop_terminal_input, "tty", "deny:terminal")
{
    w_get_terminal_stdin(R);
    if (!TAG)
        return REFUSED;
    w_drop_terminal_input((int)U32(4));
    return WORKS;
}

ROW(drop_terminal_output, "tty", "deny:terminal")
{
    w_get_terminal_stdout(R);
    if (!TAG)
        return REFUSED;
    w_drop_terminal_output((int)U32(4));
    return WORKS;
}

/* --- Settings, time zone, logging ---------------------------------------------------------------
 */

ROW(config_get, "config", "-")
{
    w_config_get(TEXT("mode"), R);
    MUST(TAG == 0 && AT(4)[0] == granted);
    return granted ? (MUST(U32(12) == 4), WORKS) : REFUSED;
}

ROW(config_get_all, "config", "-")
{
    w_config_get_all(R);
    MUST(TAG == 0 && U32(8) == (granted ? 2u : 0u));
    return granted ? WORKS : REFUSED;
}

/* Summer and winter in Berlin, also in a year far away. */
static int shown(u64 when, int offset, int daylight)
{
    w_timezone_display(when, 0, R);
    return *(int *)AT(0) == offset && AT(12)[0] == daylight &&
           w_timezone_utc_offset(when, 0) == offset;
}

static int in_berlin(void)
{
    if (shown(1750000000, 0, 0))
        return REFUSED;
    MUST(shown(1750000000, 7200, 1) && shown(1768000000, 3600, 0));
    MUST(shown(1750000000 + 3 * 12622780800, 7200, 1));
    return WORKS;
}

ROW(timezone_display, "timezone", "-")
{
    return in_berlin();
}

ROW(timezone_utc_offset, "timezone", "-")
{
    return in_berlin();
}

ROW(logging_log, "-", "told:stderr")
{
    w_logging_log(2, TEXT("here"), TEXT("a line\nwith a control"));
    return WORKS;
}
