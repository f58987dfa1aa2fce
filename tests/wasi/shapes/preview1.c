/* What the text of preview 1 says about each function, at its edges. The tree is that of
 * ../shapes.mjs: f, d/, the links out and outfile, fifo, null. */
#include "rows.h"

enum {
    OK = 0,
    BADF = 8,
    EXIST = 20,
    FAULT = 21,
    INVAL = 28,
    ISDIR = 31,
    LOOP = 32,
    NAMETOOLONG = 37,
    NOENT = 44,
    NOTDIR = 54,
    NOTEMPTY = 55,
    NOTSOCK = 57,
    PERM = 63,
    SPIPE = 70,
    NOTCAPABLE = 76,
};
enum { DIR = 3, NO_FD = 1000 };
enum { CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8 };
enum { APPEND = 1, NONBLOCK = 4 };
enum {
    FD_READ = 1 << 1,
    FD_SEEK = 1 << 2,
    FD_TELL = 1 << 5,
    FD_WRITE = 1 << 6,
    READDIR = 1 << 14,
};
enum { NOWHERE = -16 }; /* no address, whatever is written there */
#define FILE_RIGHTS (FD_READ | FD_SEEK | FD_TELL | FD_WRITE | 1 << 21 | 1 << 3)
#define P(at)       (int)(unsigned long)(at)

static int opens(const char *name, int size, int how, u64 rights, int flags)
{
    MUST(w_p1_path_open(DIR, 0, P(name), size, how, rights, 0, flags, R) == OK);
    return (int)U32(0);
}

#define OPEN(name, how, rights, flags) opens(name, sizeof(name) - 1, how, rights, flags)

struct part {
    int at, size;
};

static int put(int fd, const char *text, int size)
{
    struct part part = {P(text), size};
    int error = w_p1_fd_write(fd, P(&part), 1, R);
    MUST(error || (int)U32(0) == size);
    return error;
}

/* --- Descriptors --------------------------------------------------------------------------------
 */

ROW(p1_numbers, "rw", "0")
{
    int a = OPEN("f", 0, FILE_RIGHTS, 0), b = OPEN("f", 0, FD_READ, 0);
    MUST(b == a + 1); /* the lowest that is free */
    MUST(w_p1_fd_close(a) == OK && w_p1_fd_close(a) == BADF);
    MUST(OPEN("f", 0, FILE_RIGHTS, 0) == a);
    /* Renumbered: its offset and its rights go along, and where it was there is nothing. */
    MUST(w_p1_fd_seek(a, 4, 0, R) == OK);
    MUST(w_p1_fd_renumber(a, b) == OK);
    MUST(w_p1_fd_tell(b, R) == OK && U64(0) == 4);
    MUST(w_p1_fd_tell(a, R) == BADF);
    MUST(w_p1_fd_renumber(b, b) == OK && w_p1_fd_tell(b, R) == OK);
    MUST(w_p1_fd_renumber(a, b) == BADF && w_p1_fd_renumber(b, a) == BADF);
    MUST(w_p1_fd_renumber(NO_FD, b) == BADF && w_p1_fd_renumber(b, -1) == BADF);
    /* In the place of a standard stream, and of the directory that was given. */
    MUST(w_p1_fd_renumber(b, 0) == OK);
    struct part part = {P(area + 32), 3};
    MUST(w_p1_fd_read(0, P(&part), 1, R) == OK && U32(0) == 3 && *(u8 *)(area + 32) == '4');
    MUST(w_p1_fd_prestat_get(0, R) == BADF);
    MUST(w_p1_fd_renumber(0, DIR) == OK);
    MUST(w_p1_fd_prestat_get(DIR, R) == BADF);
    MUST(w_p1_path_filestat_get(DIR, 0, TEXT("f"), R) == NOTDIR);
    return 0;
}

ROW(p1_directory_names, "rw", "0")
{
    MUST(w_p1_fd_prestat_get(DIR, R) == OK && U32(0) == 0 && U32(4) == 1);
    MUST(w_p1_fd_prestat_dir_name(DIR, R, 0) == NAMETOOLONG);
    MUST(w_p1_fd_prestat_dir_name(DIR, R, 10) == OK && AT(0)[0] == '/');
    MUST(w_p1_fd_prestat_dir_name(DIR, NOWHERE, 100) == FAULT);
    MUST(w_p1_fd_prestat_get(DIR + 1, R) == BADF && w_p1_fd_prestat_get(1, R) == BADF);
    return 0;
}

ROW(p1_offsets, "rw", "0")
{
    int fd = OPEN("f", 0, FILE_RIGHTS, 0);
    MUST(w_p1_fd_seek(fd, -1, 0, R) == INVAL);
    MUST(w_p1_fd_seek(fd, 0, 3, R) == INVAL);
    MUST(w_p1_fd_seek(fd, ~0ull >> 1, 2, R) == INVAL); /* it would wrap */
    MUST(w_p1_fd_seek(fd, 5ull << 30, 0, R) == OK && U64(0) == 5ull << 30);
    MUST(w_p1_fd_seek(fd, -10, 2, R) == OK && U64(0) == 0);
    MUST(w_p1_fd_seek(fd, 3, 1, R) == OK && U64(0) == 3);
    MUST(w_p1_fd_seek(1, 0, 1, R) == SPIPE && w_p1_fd_tell(1, R) == SPIPE);
    /* With the right to tell only. */
    int tells = OPEN("f", 0, FD_READ | FD_TELL, 0);
    MUST(w_p1_fd_seek(tells, 0, 1, R) == OK && w_p1_fd_seek(tells, 1, 1, R) == NOTCAPABLE);
    /* At an offset: the file's own stays. */
    struct part part = {P("xy"), 2};
    MUST(w_p1_fd_pwrite(fd, P(&part), 1, 8, R) == OK && U32(0) == 2);
    MUST(w_p1_fd_tell(fd, R) == OK && U64(0) == 3);
    part.at = P(area + 32);
    part.size = 8;
    MUST(w_p1_fd_pread(fd, P(&part), 1, 7, R) == OK && U32(0) == 3);
    MUST(((u8 *)(area + 32))[1] == 'x');
    MUST(w_p1_fd_pread(fd, P(&part), 1, 10, R) == OK && U32(0) == 0); /* its end */
    MUST(w_p1_fd_pread(fd, P(&part), 0, 0, R) == OK && U32(0) == 0);
    MUST(w_p1_fd_pread(0, P(&part), 1, 0, R) == SPIPE);
    return 0;
}

ROW(p1_appending, "rw", "0")
{
    int fd = OPEN("f", 0, FILE_RIGHTS, APPEND);
    MUST(w_p1_fd_fdstat_get(fd, R) == OK && U16(2) == APPEND);
    MUST(put(fd, "ab", 2) == OK);
    MUST(w_p1_fd_tell(fd, R) == OK && U64(0) == 12);
    MUST(w_p1_fd_seek(fd, 0, 0, R) == OK && put(fd, "cd", 2) == OK);
    MUST(w_p1_fd_filestat_get(fd, R) == OK && U64(32) == 14);
    MUST(w_p1_fd_fdstat_set_flags(fd, 0) == OK);
    MUST(w_p1_fd_seek(fd, 0, 0, R) == OK && put(fd, "XY", 2) == OK);
    MUST(w_p1_fd_filestat_get(fd, R) == OK && U64(32) == 14);
    MUST(w_p1_fd_fdstat_set_flags(fd, 1 << 5) == INVAL);
    return 0;
}

/* Addresses and lengths that do not lie in memory. */
ROW(p1_outside_of_memory, "rw", "0")
{
    int fd = OPEN("f", 0, FILE_RIGHTS, 0);
    struct part part = {NOWHERE, 64}, whole = {0, -1};
    MUST(w_p1_fd_read(fd, P(&part), 1, R) == FAULT && w_p1_fd_write(fd, P(&part), 1, R) == FAULT);
    MUST(w_p1_fd_read(fd, P(&whole), 1, R) == FAULT);
    MUST(w_p1_fd_read(fd, NOWHERE, 4, R) == FAULT);
    MUST(w_p1_fd_read(fd, P(&part), -1, R) == INVAL);
    MUST(w_p1_fd_filestat_get(fd, NOWHERE) == FAULT && w_p1_fd_tell(fd, NOWHERE) == FAULT);
    MUST(w_p1_path_filestat_get(DIR, 0, NOWHERE, 64, R) == FAULT);
    MUST(w_p1_path_open(DIR, 0, TEXT("f"), 0, FD_READ, 0, 0, NOWHERE) == FAULT);
    MUST(OPEN("f", 0, FD_READ, 0) == fd + 1); /* it was closed again */
    MUST(w_p1_random_get(NOWHERE, 64) == FAULT && w_p1_args_sizes_get(NOWHERE, R) == FAULT);
    MUST(w_p1_fd_readdir(DIR, NOWHERE, 64, 0, R) == FAULT);
    MUST(w_p1_poll_oneoff(NOWHERE, R, 1, R) == FAULT);
    MUST(w_p1_clock_time_get(0, 0, NOWHERE) == FAULT);
    return 0;
}

/* --- Opening ------------------------------------------------------------------------------------
 */

static int open_error(const char *name, int size, int follow, int how, u64 rights)
{
    return w_p1_path_open(DIR, follow, P(name), size, how, rights, 0, 0, R);
}

#define OPEN_ERROR(name, follow, how, rights)                                                      \
    open_error(name, sizeof(name) - 1, follow, how, rights)

ROW(p1_opening, "rw", "0")
{
    MUST(OPEN_ERROR("none", 0, 0, FD_READ) == NOENT);
    MUST(OPEN_ERROR("", 0, 0, FD_READ) == NOENT);
    MUST(OPEN_ERROR("f", 0, DIRECTORY, FD_READ) == NOTDIR);
    MUST(OPEN_ERROR("f/", 0, 0, FD_READ) == NOTDIR);
    MUST(OPEN_ERROR("f", 0, CREATE | EXCLUSIVE, FD_READ) == EXIST);
    MUST(OPEN_ERROR("d", 0, 0, FD_WRITE) == ISDIR);
    MUST(OPEN_ERROR("d", 0, TRUNCATE, FD_READ) == ISDIR);
    MUST(OPEN_ERROR("outfile", 0, 0, FD_READ) == LOOP);
    MUST(OPEN_ERROR("outfile", 1, 0, FD_READ) == PERM);
    MUST(OPEN_ERROR("../outside.txt", 0, 0, FD_READ) != OK);
    MUST(OPEN_ERROR("/f", 0, 0, FD_READ) != OK);
    MUST(OPEN_ERROR("f\0x", 0, 0, FD_READ) == INVAL);
    MUST(OPEN_ERROR("\xff", 0, 0, FD_READ) == 25); /* ilseq */
    MUST(OPEN_ERROR("f", 0, 1 << 4, FD_READ) == INVAL);
    MUST(w_p1_path_open(1, 0, TEXT("f"), 0, FD_READ, 0, 0, R) == NOTDIR);
    MUST(w_p1_path_open(NO_FD, 0, TEXT("f"), 0, FD_READ, 0, 0, R) == BADF);
    /* What it was not opened for. */
    int in = OPEN("f", 0, FD_READ, 0), out = OPEN("f", 0, FD_WRITE, 0);
    MUST(put(in, "x", 1) == NOTCAPABLE);
    struct part part = {P(area + 32), 1};
    MUST(w_p1_fd_read(out, P(&part), 1, R) == NOTCAPABLE);
    MUST(w_p1_fd_readdir(in, R, 64, 0, R) == NOTDIR);
    MUST(w_p1_fd_filestat_set_size(in, 0) == NOTCAPABLE);
    /* A directory gives what it may give, and no more. */
    MUST(w_p1_path_open(DIR, 0, TEXT("d"), DIRECTORY, READDIR | 1 << 13, FD_READ, 0, R) == OK);
    int d = (int)U32(0);
    MUST(w_p1_path_open(d, 0, TEXT("new"), CREATE, FD_READ, 0, 0, R) == NOTCAPABLE);
    MUST(w_p1_path_open(d, 0, TEXT("new"), 0, FD_WRITE, 0, 0, R) == NOTCAPABLE);
    MUST(w_p1_path_create_directory(d, TEXT("new")) == NOTCAPABLE);
    return 0;
}

ROW(p1_entries, "rw", "0")
{
    MUST(w_p1_path_create_directory(DIR, TEXT("f")) == EXIST);
    MUST(w_p1_path_create_directory(DIR, TEXT("d/x/")) == OK);
    MUST(w_p1_path_remove_directory(DIR, TEXT("d")) == NOTEMPTY);
    MUST(w_p1_path_unlink_file(DIR, TEXT("d")) == ISDIR);
    MUST(w_p1_path_remove_directory(DIR, TEXT("f")) == NOTDIR);
    MUST(w_p1_path_rename(DIR, TEXT("d"), DIR, TEXT("d/x/y")) == INVAL);
    MUST(w_p1_path_rename(DIR, TEXT("f"), DIR, TEXT("none/f")) == NOENT);
    MUST(w_p1_path_link(DIR, 0, TEXT("f"), DIR, TEXT("d/f")) == OK);
    MUST(w_p1_path_filestat_get(DIR, 0, TEXT("d/f"), R) == OK && U64(24) == 2);
    MUST(w_p1_path_rename(DIR, TEXT("f"), DIR, TEXT("d/f")) == OK); /* the same file: nothing */
    MUST(w_p1_path_symlink(TEXT("d/f"), DIR, TEXT("l")) == OK);
    MUST(w_p1_path_symlink(TEXT("/etc/passwd"), DIR, TEXT("m")) != OK);
    MUST(w_p1_path_readlink(DIR, TEXT("l"), R + 64, 2, R) == OK && U32(0) == 2); /* cut */
    MUST(w_p1_path_readlink(DIR, TEXT("f"), R + 64, 9, R) == INVAL);
    MUST(w_p1_path_filestat_get(DIR, 1, TEXT("l"), R) == OK && AT(16)[0] == 4);
    MUST(w_p1_path_filestat_get(DIR, 0, TEXT("l"), R) == OK && AT(16)[0] == 7);
    MUST(w_p1_path_filestat_set_times(DIR, 0, TEXT("f"), 1500000000, 7, 5) == OK);
    MUST(w_p1_path_filestat_get(DIR, 0, TEXT("f"), R) == OK && U64(40) == 1500000000 &&
         U64(48) == 7);
    MUST(w_p1_path_filestat_set_times(DIR, 0, TEXT("f"), 1, 1, 3) == INVAL); /* given and now */
    return 0;
}

/* --- Reading a directory ------------------------------------------------------------------------
 */

struct dirent {
    u64 next, inode;
    u32 size;
    u8 type, unused[3];
};

/* Every entry is told once, whatever the buffer holds: of each the whole head, and as much of the
 * name as fits. */
static int entries_by(int fd, int room)
{
    static u8 buffer[4096];
    u64 cookie = 0;
    for (int count = 0, size = room;; count++) {
        MUST(w_p1_fd_readdir(fd, P(buffer), size, cookie, R) == OK);
        int used = (int)U32(0);
        MUST(used <= size);
        const struct dirent *one = (const struct dirent *)(const void *)buffer;
        if (used < (int)sizeof *one) {
            if (used < size)
                return count;
            size += (int)sizeof *one; /* it does not even hold the head */
            count--;
            continue;
        }
        MUST(one->size > 0 && one->size < 16 && one->next != cookie);
        MUST(used == size || used >= (int)(sizeof *one + one->size));
        cookie = one->next;
    }
}

ROW(p1_listing, "rw", "0")
{
    static const int rooms[] = {1, 23, 24, 25, 30, 64, 65, 4096};
    for (unsigned i = 0; i < sizeof rooms / sizeof *rooms; i++)
        MUST(entries_by(DIR, rooms[i]) == 8); /* f d out outfile fifo null . .. */
    int d = OPEN("d", DIRECTORY, READDIR, 0);
    MUST(entries_by(d, 100) == 2);
    MUST(w_p1_fd_readdir(d, R, 0, 0, R) == OK && U32(0) == 0);
    MUST(w_p1_fd_readdir(d, R + 64, 100, ~0ull, R) == OK && U32(0) == 0); /* behind the end */
    /* From the start again, with what came since. */
    OPEN("d/new", CREATE, FD_WRITE, 0);
    MUST(entries_by(d, 100) == 3);
    return 0;
}

/* --- Waiting ------------------------------------------------------------------------------------
 */

struct subscription {
    u64 userdata;
    u64 type;
    union {
        struct {
            u32 clock, unused;
            u64 timeout, precision;
            u64 flags;
        };
        u32 fd;
    };
};

struct event {
    u64 userdata;
    u16 error;
    u8 type, unused[5];
    u64 size, flags;
};

enum { MANY = 2000, MOMENT = 20000000 };
static struct subscription list[MANY];
static struct event events[MANY];

static u64 now(int clock)
{
    MUST(w_p1_clock_time_get(clock, 0, R) == OK);
    return U64(0);
}

static int poll_all(int count)
{
    MUST(w_p1_poll_oneoff(P(list), P(events), count, R) == OK);
    return (int)U32(0);
}

static struct subscription after(u64 id, int clock, u64 timeout, int absolute)
{
    return (struct subscription){id, 0, {{(u32)clock, 0, timeout, 0, (u64)absolute}}};
}

ROW(p1_waiting, "rw", "0")
{
    MUST(w_p1_poll_oneoff(P(list), P(events), 0, R) == INVAL);
    /* The one that is first, among many that are not. */
    for (u64 i = 0; i < MANY; i++)
        list[i] = after(i, i & 1, 1ull << 60, 0);
    list[777].timeout = MOMENT;
    u64 from = now(1);
    MUST(poll_all(MANY) == 1 && events[0].userdata == 777 && !events[0].error);
    MUST(now(1) - from >= MOMENT);
    /* In the past, now, and both clocks absolutely. */
    list[0] = after(10, 1, 1, 1);
    list[1] = after(11, 0, 1, 1);
    list[2] = after(12, 1, 0, 0);
    list[3] = after(13, 1, ~0ull, 1);
    list[4] = after(14, 0, ~0ull, 0);
    MUST(poll_all(5) == 3 && events[0].userdata == 10 && events[2].userdata == 12);
    list[0] = after(20, 0, now(0) + MOMENT, 1);
    from = now(1);
    MUST(poll_all(1) == 1 && now(1) - from >= MOMENT / 2);
    list[0] = after(21, 1, now(1) + MOMENT, 1);
    from = now(1);
    MUST(poll_all(1) == 1 && now(1) - from >= MOMENT / 2);
    return 0;
}

ROW(p1_waiting_for_files, "rw", "0")
{
    int fd = OPEN("f", 0, FILE_RIGHTS | 1 << 27, 0);
    list[0] = (struct subscription){1, 1, {.fd = (u32)fd}};
    list[1] = (struct subscription){2, 2, {.fd = (u32)fd}};
    list[2] = (struct subscription){3, 1, {.fd = NO_FD}};
    list[3] = after(4, 9, 0, 0); /* no such clock */
    list[4] = after(5, 1, 1ull << 60, 0);
    MUST(poll_all(5) == 4);
    MUST(!events[0].error && events[0].type == 1 && !events[1].error && events[1].type == 2);
    MUST(events[2].userdata == 3 && events[2].error == BADF);
    MUST(events[3].userdata == 4 && events[3].error == INVAL);
    return 0;
}

/* --- Sockets: none of these is one --------------------------------------------------------------
 */

ROW(p1_no_sockets, "rw", "0")
{
    struct part part = {P(area + 32), 4};
    int fd = OPEN("f", 0, FILE_RIGHTS, 0);
    MUST(w_p1_sock_accept(fd, 0, R) == NOTSOCK && w_p1_sock_accept(NO_FD, 0, R) == BADF);
    MUST(w_p1_sock_recv(fd, P(&part), 1, 0, R, R + 8) == NOTSOCK);
    MUST(w_p1_sock_send(1, P(&part), 1, 0, R) == NOTSOCK);
    MUST(w_p1_sock_shutdown(DIR, 3) == NOTSOCK);
    return 0;
}
