/* Shapes that other runtimes' advisories had, and what is easily got wrong about streams, files and
 * exits. ROW(id, what is given, exit code): 0 is what must come out, 134 a trap. f holds
 * "0123456789". */
#include "rows.h"

static int dir(int number)
{
    w_get_directories(R);
    MUST((int)U32(4) > number);
    return ((int *)(unsigned long)U32(0))[3 * number];
}

static int failed(void)
{
    return TAG == 1;
}

/* --- Rights below directories -------------------------------------------------------------------
 */

enum { CREATE = 1, TRUNCATE = 8 };
enum { READ = 1, WRITE = 2, MUTATE = 32 };

ROW(truncate_for_reading, "ro", "0")
{
    w_descriptor_open_at(dir(0), 0, TEXT("f"), TRUNCATE, READ, R);
    MUST(failed());
    w_descriptor_open_at(dir(0), 0, TEXT("new"), CREATE, READ, R);
    return !failed();
}

ROW(mutate_for_reading, "ro", "0")
{
    w_descriptor_open_at(dir(0), 0, TEXT("d"), 0, READ | MUTATE, R);
    return !failed();
}

/* The first may be changed, the second may not. */
ROW(across_directories, "rw ro", "0")
{
    int rw = dir(0), ro = dir(1);
    w_descriptor_rename_at(rw, TEXT("f"), ro, TEXT("new"), R);
    MUST(failed());
    w_descriptor_rename_at(ro, TEXT("f"), rw, TEXT("new"), R);
    MUST(failed());
    w_descriptor_link_at(rw, 0, TEXT("f"), ro, TEXT("new"), R);
    MUST(failed());
    w_descriptor_link_at(ro, 0, TEXT("f"), rw, TEXT("new"), R);
    MUST(failed());
    /* What was opened below the second is no way around. */
    w_descriptor_open_at(ro, 0, TEXT("d"), 0, READ, R);
    MUST(!failed());
    w_descriptor_create_directory_at((int)U32(4), TEXT("new"), R);
    return !failed();
}

/* "out" is a link to the directory above, "outfile" to a file there. */
ROW(trailing_slashes, "rw", "0")
{
    int root = dir(0);
    w_descriptor_open_at(root, 1, TEXT("out/"), 0, READ, R);
    MUST(failed());
    w_descriptor_open_at(root, 0, TEXT("out/"), 0, READ, R);
    MUST(failed());
    w_descriptor_open_at(root, 1, TEXT("out/outside.txt"), 0, READ, R);
    MUST(failed());
    w_descriptor_open_at(root, 1, TEXT("outfile/"), 0, READ, R);
    MUST(failed());
    w_descriptor_stat_at(root, 1, TEXT("out/"), R);
    MUST(failed());
    w_descriptor_unlink_file_at(root, TEXT("out/outside.txt"), R);
    MUST(failed());
    w_descriptor_create_directory_at(root, TEXT("out/new/"), R);
    return !failed();
}

/* Links of the guest's own that lead out once they are followed, whatever they look like. */
ROW(links_out, "rw", "0")
{
    int root = dir(0);
    w_descriptor_symlink_at(root, TEXT("d/../../"), TEXT("one"), R);
    w_descriptor_open_at(root, 1, TEXT("one"), 0, READ, R);
    MUST(failed());
    w_descriptor_symlink_at(root, TEXT("../"), TEXT("d/two"), R);
    w_descriptor_rename_at(root, TEXT("d/two"), root, TEXT("two"), R); /* it led inside before */
    MUST(!failed());
    w_descriptor_open_at(root, 1, TEXT("two/outside.txt"), 0, READ, R);
    MUST(failed());
    w_descriptor_symlink_at(root, TEXT("/etc/passwd"), TEXT("three"), R);
    MUST(failed());
    w_descriptor_open_at(root, 1, TEXT("../outside.txt"), 0, READ, R);
    return !failed();
}

/* Whatever becomes of a path, what it leads to is never the file outside. */
ROW(nothing_leaks, "rw", "0")
{
    static const char *const paths[] = {
        "out/outside.txt", "outfile", "outfile/", "../outside.txt",      "d/../../outside.txt",
        "out/in/outfile",  "one",     "two",      "d/three/outside.txt", "/outside.txt"};
    static const u8 lengths[] = {15, 7, 8, 14, 19, 14, 3, 3, 19, 12};
    int root = dir(0);
    w_descriptor_symlink_at(root, TEXT("d/../../outside.txt"), TEXT("one"), R);
    w_descriptor_symlink_at(root, TEXT("../outside.txt"), TEXT("d/two"), R);
    w_descriptor_rename_at(root, TEXT("d/two"), root, TEXT("two"), R);
    w_descriptor_symlink_at(root, TEXT("../../"), TEXT("d/three"), R);
    for (unsigned i = 0; i < sizeof lengths; i++) {
        for (int follow = 0; follow < 2; follow++) {
            w_descriptor_open_at(root, follow, (int)(unsigned long)paths[i], lengths[i], 0, READ,
                                 R);
            if (failed())
                continue;
            w_descriptor_read((int)U32(4), 6, 0, R);
            MUST(failed() || !U32(8) || *(u8 *)(unsigned long)U32(4) != 's');
        }
    }
    return 0;
}

/* --- Values that no honest compiler makes -------------------------------------------------------
 */

ROW(too_many_random_bytes, "-", "134")
{
    w_get_random_bytes(1ull << 40, R);
    return 0;
}

ROW(list_out_of_memory, "-", "134")
{
    w_output_stream_blocking_write_and_flush(w_get_stdout(), 0, 1 << 28, R);
    return 0;
}

ROW(list_of_handles_out_of_memory, "-", "134")
{
    w_poll(0, 1 << 28, R);
    return 0;
}

ROW(list_that_wraps, "-", "134")
{
    w_poll(16, 0x40000001, R); /* times 4 bytes is 4 */
    return 0;
}

ROW(list_of_texts, "net", "134")
{
    w_outgoing_datagram_stream_send(0, 16, 0x10000000, R);
    return 0;
}

/* A text in UTF-16 at an odd address, and one that ends in the middle of a pair. */
ROW(utf16_odd, "ro", "134")
{
    static u16 text[2] = {'f', 0};
    w_descriptor_stat_at(dir(0), 0, (int)(unsigned long)text + 1, 1, R);
    return 0;
}

ROW(utf16_half_a_pair, "ro", "134")
{
    static u16 text[1] = {0xd800};
    w_descriptor_stat_at(dir(0), 0, (int)(unsigned long)text, 1, R);
    return 0;
}

ROW(utf8_wrong, "ro", "134")
{
    w_descriptor_stat_at(dir(0), 0, TEXT("\xc0\xaf"), R);
    return 0;
}

/* Bits that no flag has are no flags. */
ROW(stray_bits, "rw", "0")
{
    w_descriptor_open_at(dir(0), (int)0xfffffffe, TEXT("new"), (int)0xfffffff0, (int)0xffffffc1, R);
    MUST(failed()); /* nothing was created */
    w_descriptor_open_at(dir(0), (int)0xfffffffe, TEXT("f"), (int)0xfffffff0, (int)0xffffffc1, R);
    MUST(!failed());
    w_descriptor_write((int)U32(4), TEXT("x"), 0, R);
    return !failed();
}

ROW(case_that_is_none, "-", "134")
{
    w_create_tcp_socket(2, R);
    return 0;
}

ROW(handle_that_is_none, "-", "134")
{
    w_drop_pollable(12345);
    return 0;
}

ROW(handle_of_another_type, "-", "134")
{
    w_drop_pollable(w_get_stdout());
    return 0;
}

ROW(handle_used_twice, "-", "134")
{
    int until = w_monotonic_subscribe_duration(1);
    w_drop_pollable(until);
    w_pollable_block(until);
    return 0;
}

ROW(parent_before_child, "-", "0")
{
    int in = w_get_stdin(), until = w_input_stream_subscribe(in);
    w_drop_input_stream(in);
    w_pollable_block(until);
    w_drop_pollable(until);
    return 0;
}

/* More handles than a host should hold. */
ROW(flood_of_handles, "-", "134")
{
    for (;;)
        w_monotonic_subscribe_duration(1);
}

ROW(flood_of_sockets, "net", "0")
{
    int made = 0;
    for (; made < 100000; made++) {
        w_create_tcp_socket(0, R);
        if (failed())
            break;
    }
    return made == 100000;
}

/* As many fields as made another host panic: here they are bounded. */
ROW(flood_of_fields, "-", "134")
{
    int fields = w_http_fields_new();
    for (int i = 0; i < 32769; i++) {
        w_http_fields_append(fields, TEXT("name"), TEXT("value"), R);
        if (failed())
            return 0;
    }
    w_http_fields_entries(fields, R);
    return U32(4) != 32769;
}

/* --- Files --------------------------------------------------------------------------------------
 */

ROW(beyond_4_gib, "rw", "0")
{
    const u64 at = (5ull << 30) + 3;
    w_descriptor_open_at(dir(0), 0, TEXT("large"), CREATE, READ | WRITE, R);
    MUST(!failed());
    int file = (int)U32(4);
    w_descriptor_write(file, TEXT("far"), at, R);
    MUST(!failed());
    w_descriptor_stat(file, R);
    MUST(U64(24) == at + 3);
    w_descriptor_read_via_stream(file, at + 1, R);
    w_input_stream_blocking_read((int)U32(4), 10, R);
    MUST(!failed() && U32(8) == 2 && *(u8 *)(unsigned long)U32(4) == 'a');
    w_descriptor_append_via_stream(file, R);
    w_output_stream_blocking_write_and_flush((int)U32(4), TEXT("!"), R);
    MUST(!failed());
    w_descriptor_stat(file, R);
    return U64(24) != at + 4;
}

/* A FIFO that nobody writes to, and one that nobody reads: neither holds the cell. */
ROW(fifos, "rw", "0")
{
    w_descriptor_open_at(dir(0), 0, TEXT("fifo"), 0, READ, R);
    MUST(!failed());
    int file = (int)U32(4);
    w_descriptor_get_type(file, R);
    MUST(AT(1)[0] == 4);
    w_descriptor_open_at(dir(0), 0, TEXT("fifo"), 0, READ, R);
    MUST(!failed());
    w_descriptor_read_via_stream(file, 0, R);
    MUST(!failed());
    int in = (int)U32(4);
    w_input_stream_read(in, 10, R); /* nothing yet, or the end */
    MUST(!failed() ? U32(8) == 0 : AT(4)[0] == 1);
    return 0;
}

/* Devices are no files of a directory's: a mount that knows none opens none. */
ROW(devices, "rw", "0")
{
    w_descriptor_open_at(dir(0), 0, TEXT("null"), 0, READ, R);
    return !failed();
}

/* --- Streams and waiting ------------------------------------------------------------------------
 */

enum { MANY = 4000 };

ROW(thousands_of_pollables, "-", "0")
{
    static int list[MANY];
    for (int i = 0; i < MANY; i++)
        list[i] = w_monotonic_subscribe_duration(i == MANY / 2 ? 1000000 : 1ull << 60);
    w_poll((int)(unsigned long)list, MANY, R);
    MUST(U32(4) == 1 && *(int *)(unsigned long)U32(0) == MANY / 2);
    for (int i = 0; i < MANY; i++)
        w_drop_pollable(list[i]);
    return 0;
}

/* Standard output is full and nobody reads it. Time goes on, files and standard error work. */
ROW(full_stdout, "rw full", "0")
{
    int out = w_get_stdout();
    static const char block[4096];
    for (;;) {
        w_output_stream_check_write(out, R);
        MUST(!failed());
        if (!U64(8))
            break;
        int size = U64(8) < sizeof block ? (int)U64(8) : (int)sizeof block;
        w_output_stream_write(out, (int)(unsigned long)block, size, R);
        MUST(!failed());
    }
    int list[2] = {w_output_stream_subscribe(out), w_monotonic_subscribe_duration(50000000)};
    w_poll((int)(unsigned long)list, 2, R);
    MUST(U32(4) == 1 && *(int *)(unsigned long)U32(0) == 1);
    w_descriptor_open_at(dir(0), 0, TEXT("new"), CREATE, WRITE, R);
    MUST(!failed());
    w_descriptor_write((int)U32(4), TEXT("went on"), 0, R);
    w_output_stream_blocking_write_and_flush(w_get_stderr(), TEXT("went on\n"), R);
    return failed();
}

/* Nobody reads standard output any more: an error, and no signal. */
ROW(closed_stdout, "closed", "0")
{
    int out = w_get_stdout();
    u64 from = w_monotonic_now();
    while (w_monotonic_now() - from < 5000000000) {
        w_output_stream_blocking_write_and_flush(out, TEXT("x"), R);
        if (failed())
            return 0;
    }
    return 1;
}

/* The number that is its first argument. */
ROW(exit_code, "exit", "0")
{
    w_get_arguments(R);
    const int *arguments = (const int *)(unsigned long)U32(0);
    const char *text = (const char *)(unsigned long)arguments[2];
    int code = 0;
    for (int i = 0; i < arguments[3]; i++)
        code = code * 10 + text[i] - '0';
    w_exit_with_code(code);
    return 1;
}

ROW(p1_exit_code, "exit", "0")
{
    static int at[8];
    static char texts[256];
    MUST(w_p1_args_get((int)(unsigned long)at, (int)(unsigned long)texts) == 0);
    int code = 0;
    for (const char *text = (const char *)(unsigned long)at[1]; *text; text++)
        code = code * 10 + *text - '0';
    w_p1_proc_exit(code);
    return 1;
}

/* fd_renumber onto an open number closes what was there, as often as it is done. */
ROW(p1_renumber, "ro", "0")
{
    for (int i = 0; i < 5000; i++) {
        int fd[2];
        MUST(w_p1_path_open(3, 0, TEXT("f"), 0, 2, 0, 0, R) == 0);
        fd[0] = (int)U32(0);
        MUST(w_p1_path_open(3, 0, TEXT("f"), 0, 2, 0, 0, R) == 0);
        fd[1] = (int)U32(0);
        MUST(w_p1_fd_renumber(fd[0], fd[1]) == 0);
        MUST(w_p1_fd_close(fd[0]) == 8 && w_p1_fd_close(fd[1]) == 0);
    }
    return 0;
}

/* What check-write permitted and write accepted arrives, though nobody flushes it and its reader is
 * slow: a mebibyte, then the end. The reader counts. */
ROW(unflushed, "slow", "0")
{
    static char block[65536];
    int out = w_get_stdout(), other = w_get_stdout(), ready = w_output_stream_subscribe(out);
    unsigned left = 1 << 20;
    for (unsigned i = 0; i < sizeof block; i++)
        block[i] = 'x';
    while (left) {
        w_output_stream_check_write(left & 1 ? out : other, R);
        MUST(!failed());
        unsigned some = U64(8) < left ? (unsigned)U64(8) : left;
        some = some < sizeof block ? some : (unsigned)sizeof block;
        if (!some) {
            w_pollable_block(ready);
            continue;
        }
        w_output_stream_write(left & 1 ? out : other, (int)(unsigned long)block, (int)some, R);
        MUST(!failed());
        left -= some;
    }
    return 0;
}
