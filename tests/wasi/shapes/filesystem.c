/* What the WIT text of wasi:filesystem says about each function, and the errors that it names. The
 * tree is that of ../shapes.mjs: f, d/, the links out and outfile, fifo, null. */
#include "rows.h"

enum {
    BAD_DESCRIPTOR = 3,
    EXIST = 7,
    INVALID = 12,
    IS_DIRECTORY = 14,
    LOOP = 15,
    NAME_TOO_LONG = 18,
    NO_ENTRY = 20,
    NOT_DIRECTORY = 24,
    NOT_EMPTY = 25,
    NOT_PERMITTED = 31,
    READ_ONLY = 33,
};
enum { CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8 };
enum { READ = 1, WRITE = 2, MUTATE = 32 };
enum { A_DIRECTORY = 3, A_LINK = 5, A_FILE = 6 };

static int dir(int number)
{
    w_get_directories(R);
    MUST((int)U32(4) > number);
    return ((int *)(unsigned long)U32(0))[3 * number];
}

static void done(void)
{
    MUST(TAG == 0);
}

/* Of a result without payload or of one byte, of one of four, of one of eight. */
static void fails(int code)
{
    MUST(TAG == 1 && AT(1)[0] == code);
}

static void fails4(int code)
{
    MUST(TAG == 1 && AT(4)[0] == code);
}

static void fails8(int code)
{
    MUST(TAG == 1 && AT(8)[0] == code);
}

static int opens(int at, const char *name, int size, int open_flags, int flags)
{
    w_descriptor_open_at(at, 0, (int)(unsigned long)name, size, open_flags, flags, R);
    done();
    return (int)U32(4);
}

#define OPEN(at, name, open_flags, flags) opens(at, name, sizeof(name) - 1, open_flags, flags)

static u64 size_of(int file)
{
    w_descriptor_stat(file, R);
    done();
    return U64(24);
}

/* --- Opening ------------------------------------------------------------------------------------
 */

#define OPEN_FAILS(at, follow, name, open_flags, flags, code)                                      \
    do {                                                                                           \
        w_descriptor_open_at(at, follow, TEXT(name), open_flags, flags, R);                        \
        fails4(code);                                                                              \
    } while (0)

ROW(opening, "rw", "0")
{
    static char long_name[300], long_path[5000];
    int root = dir(0);
    OPEN_FAILS(root, 0, "", 0, READ, NO_ENTRY);
    OPEN_FAILS(root, 0, "none", 0, READ, NO_ENTRY);
    OPEN_FAILS(root, 0, "none/f", CREATE, READ | WRITE, NO_ENTRY);
    OPEN_FAILS(root, 0, "f/x", 0, READ, NOT_DIRECTORY);
    OPEN_FAILS(root, 0, "f/", 0, READ, NOT_DIRECTORY);
    OPEN_FAILS(root, 0, "f", DIRECTORY, READ, NOT_DIRECTORY);
    OPEN_FAILS(root, 0, "f", CREATE | EXCLUSIVE, READ | WRITE, EXIST);
    OPEN_FAILS(root, 0, "d", 0, READ | WRITE, IS_DIRECTORY);
    OPEN_FAILS(root, 0, "d", TRUNCATE, READ | WRITE, IS_DIRECTORY);
    OPEN_FAILS(root, 0, "d", CREATE | DIRECTORY, READ, INVALID);
    OPEN_FAILS(root, 0, "d", TRUNCATE | DIRECTORY, READ, INVALID);
    OPEN_FAILS(root, 0, "outfile", 0, READ, LOOP);
    OPEN_FAILS(root, 1, "outfile", 0, READ, NOT_PERMITTED);
    OPEN_FAILS(root, 0, "..", 0, READ, NOT_PERMITTED);
    OPEN_FAILS(root, 0, "d/../..", 0, READ, NOT_PERMITTED);
    OPEN_FAILS(root, 0, "/f", 0, READ, NOT_PERMITTED);
    OPEN_FAILS(root, 0, "f\0x", 0, READ, INVALID);
    for (unsigned i = 0; i < sizeof long_name; i++)
        long_name[i] = 'n';
    w_descriptor_open_at(root, 0, (int)(unsigned long)long_name, sizeof long_name, 0, READ, R);
    fails4(NAME_TOO_LONG);
    for (unsigned i = 0; i < sizeof long_path; i++)
        long_path[i] = i % 2 ? '/' : '.';
    w_descriptor_open_at(root, 0, (int)(unsigned long)long_path, sizeof long_path, 0, READ, R);
    fails4(NAME_TOO_LONG);
    /* Of below, what is above it is no way. */
    int d = OPEN(root, "d", DIRECTORY, READ | MUTATE);
    OPEN_FAILS(d, 0, "../f", 0, READ, NOT_PERMITTED);
    OPEN(root, "d/../f", 0, READ);
    OPEN(root, "./d/.././/f", 0, READ);
    OPEN(root, ".", DIRECTORY, READ);
    OPEN(root, "d/", DIRECTORY, READ);
    OPEN(root, "f", CREATE, READ);
    MUST(size_of(OPEN(root, "f", TRUNCATE, READ | WRITE)) == 0);
    return 0;
}

ROW(opening_for_reading, "ro", "0")
{
    int root = dir(0);
    OPEN_FAILS(root, 0, "f", 0, READ | WRITE, READ_ONLY);
    OPEN_FAILS(root, 0, "f", TRUNCATE, READ, READ_ONLY);
    OPEN_FAILS(root, 0, "new", CREATE, READ, READ_ONLY);
    OPEN_FAILS(root, 0, "d", DIRECTORY, READ | MUTATE, READ_ONLY);
    w_descriptor_create_directory_at(root, TEXT("new"), R);
    fails(READ_ONLY);
    w_descriptor_remove_directory_at(root, TEXT("d"), R);
    fails(READ_ONLY);
    w_descriptor_unlink_file_at(root, TEXT("f"), R);
    fails(READ_ONLY);
    w_descriptor_symlink_at(root, TEXT("f"), TEXT("new"), R);
    fails(READ_ONLY);
    w_descriptor_rename_at(root, TEXT("f"), root, TEXT("new"), R);
    fails(READ_ONLY);
    w_descriptor_link_at(root, 0, TEXT("f"), root, TEXT("new"), R);
    fails(READ_ONLY);
    w_descriptor_set_times_at(root, 0, TEXT("f"), 1, 0, 0, 1, 0, 0, R);
    fails(READ_ONLY);
    w_descriptor_get_flags(root, R);
    MUST(TAG == 0 && AT(1)[0] == READ);
    int file = OPEN(root, "f", 0, READ);
    w_descriptor_sync(file, R); /* nothing to do, and no error */
    done();
    w_descriptor_sync_data(file, R);
    done();
    return 0;
}

/* --- What is done to files ----------------------------------------------------------------------
 */

ROW(file_flags, "rw", "0")
{
    int root = dir(0), in = OPEN(root, "f", 0, READ), out = OPEN(root, "f", 0, WRITE);
    w_descriptor_get_flags(in, R);
    MUST(TAG == 0 && AT(1)[0] == READ);
    w_descriptor_get_flags(out, R);
    MUST(TAG == 0 && AT(1)[0] == WRITE);
    w_descriptor_get_flags(OPEN(root, "d", DIRECTORY, READ | MUTATE), R);
    MUST(TAG == 0 && AT(1)[0] == (READ | MUTATE));
    /* What it was not opened for. */
    w_descriptor_write(in, TEXT("x"), 0, R);
    fails8(BAD_DESCRIPTOR);
    w_descriptor_read(out, 1, 0, R);
    fails4(BAD_DESCRIPTOR);
    w_descriptor_read_via_stream(out, 0, R);
    MUST(TAG == 1);
    w_descriptor_write_via_stream(in, 0, R);
    MUST(TAG == 1);
    w_descriptor_append_via_stream(in, R);
    MUST(TAG == 1);
    w_descriptor_set_size(in, 0, R);
    MUST(TAG == 1 && size_of(in) == 10);
    /* A directory has no bytes, and a file no entries. */
    w_descriptor_read_via_stream(root, 0, R);
    fails4(IS_DIRECTORY);
    w_descriptor_read(root, 1, 0, R);
    fails4(IS_DIRECTORY);
    w_descriptor_read_directory(in, R);
    fails4(NOT_DIRECTORY);
    OPEN_FAILS(in, 0, "f", 0, READ, NOT_DIRECTORY);
    w_descriptor_stat_at(in, 0, TEXT("f"), R);
    fails8(NOT_DIRECTORY);
    return 0;
}

ROW(reading_and_writing, "rw", "0")
{
    int file = OPEN(dir(0), "f", 0, READ | WRITE);
    w_descriptor_read(file, 4, 8, R); /* as much as there is; the end is told when it is met */
    MUST(TAG == 0 && U32(8) == 2 && AT(12)[0] == 0);
    w_descriptor_read(file, 4, 10, R);
    MUST(TAG == 0 && U32(8) == 0 && AT(12)[0] == 1);
    w_descriptor_read(file, 4, 1ull << 40, R);
    MUST(TAG == 0 && U32(8) == 0 && AT(12)[0] == 1);
    w_descriptor_read(file, 4, 1ull << 63, R);
    fails4(INVALID);
    w_descriptor_write(file, TEXT("x"), 1ull << 63, R);
    fails8(INVALID);
    w_descriptor_write(file, TEXT("end"), 12, R); /* zeroes in between */
    MUST(TAG == 0 && U64(8) == 3 && size_of(file) == 15);
    w_descriptor_read(file, 5, 10, R);
    const char *at = (const char *)(unsigned long)U32(4);
    MUST(U32(8) == 5 && at[0] == 0 && at[1] == 0 && at[2] == 'e');
    w_descriptor_set_size(file, 20, R);
    MUST(TAG == 0 && size_of(file) == 20);
    w_descriptor_set_size(file, 5, R);
    MUST(TAG == 0 && size_of(file) == 5);
    w_descriptor_set_size(file, 1ull << 63, R);
    MUST(TAG == 1 && size_of(file) == 5);
    /* Streams do not interfere with each other. */
    w_descriptor_write_via_stream(file, 1, R);
    int first = (int)U32(4);
    w_descriptor_append_via_stream(file, R);
    int last = (int)U32(4);
    w_output_stream_blocking_write_and_flush(first, TEXT("ab"), R);
    w_output_stream_blocking_write_and_flush(last, TEXT("cd"), R);
    w_output_stream_blocking_write_and_flush(first, TEXT("ef"), R);
    done();
    w_descriptor_read(file, 100, 0, R);
    at = (const char *)(unsigned long)U32(4);
    static const char expected[] = "0abefcd";
    MUST(U32(8) == 7);
    for (int i = 0; i < 7; i++)
        MUST(at[i] == expected[i]);
    w_descriptor_advise(file, 0, 0, 5, R);
    done();
    w_descriptor_advise(file, 1ull << 63, 1, 0, R);
    fails(INVALID);
    w_descriptor_sync(file, R);
    done();
    w_descriptor_sync_data(file, R);
    done();
    return 0;
}

/* (some, seconds, nanoseconds) of the three times of a descriptor-stat: access, modification,
 * change. */
static u64 seconds(int which)
{
    MUST(AT(32 + 24 * which)[0] == 1);
    return U64(40 + 24 * which);
}

static u32 nanoseconds(int which)
{
    return U32(48 + 24 * which);
}

ROW(times, "rw", "0")
{
    int root = dir(0), file = OPEN(root, "f", 0, READ | WRITE);
    w_descriptor_set_times(file, 2, 1000, 7, 2, 2000, 999999999, R);
    done();
    w_descriptor_stat(file, R);
    MUST(seconds(0) == 1000 && nanoseconds(0) == 7 && seconds(1) == 2000 &&
         nanoseconds(1) == 999999999);
    w_descriptor_set_times(file, 0, 0, 0, 1, 0, 0, R); /* no-change, now */
    done();
    w_descriptor_stat_at(root, 0, TEXT("f"), R);
    MUST(seconds(0) == 1000 && seconds(1) > 1700000000);
    w_descriptor_set_times(file, 2, 5, 1000000000, 0, 0, 0, R);
    fails(INVALID);
    w_descriptor_set_times_at(root, 0, TEXT("d"), 2, 1, 2, 2, 3, 4, R);
    done();
    w_descriptor_stat_at(root, 0, TEXT("d"), R);
    MUST(AT(8)[0] == A_DIRECTORY && seconds(0) == 1 && nanoseconds(1) == 4);
    w_descriptor_set_times_at(root, 1, TEXT("outfile"), 1, 0, 0, 1, 0, 0, R);
    fails(NOT_PERMITTED);
    w_descriptor_set_times_at(root, 0, TEXT("outfile"), 2, 1, 0, 2, 1, 0, R); /* the link's own */
    done();
    w_descriptor_stat_at(root, 0, TEXT("outfile"), R);
    MUST(AT(8)[0] == A_LINK && U64(24) == 14 && seconds(1) == 1);
    w_descriptor_stat_at(root, 1, TEXT("outfile"), R);
    fails8(NOT_PERMITTED);
    w_descriptor_set_times_at(root, 0, TEXT("none"), 1, 0, 0, 1, 0, 0, R);
    fails(NO_ENTRY);
    return 0;
}

/* --- Entries of directories ---------------------------------------------------------------------
 */

ROW(making_and_removing, "rw", "0")
{
    int root = dir(0);
    w_descriptor_create_directory_at(root, TEXT("d"), R);
    fails(EXIST);
    w_descriptor_create_directory_at(root, TEXT("f"), R);
    fails(EXIST);
    w_descriptor_create_directory_at(root, TEXT("none/x"), R);
    fails(NO_ENTRY);
    w_descriptor_create_directory_at(root, TEXT("f/x"), R);
    fails(NOT_DIRECTORY);
    w_descriptor_create_directory_at(root, TEXT("../x"), R);
    fails(NOT_PERMITTED);
    w_descriptor_create_directory_at(root, TEXT("d/x/"), R);
    done();
    w_descriptor_remove_directory_at(root, TEXT("d"), R);
    fails(NOT_EMPTY);
    w_descriptor_remove_directory_at(root, TEXT("f"), R);
    fails(NOT_DIRECTORY);
    w_descriptor_remove_directory_at(root, TEXT("none"), R);
    fails(NO_ENTRY);
    w_descriptor_remove_directory_at(root, TEXT("d/x/"), R);
    done();
    w_descriptor_unlink_file_at(root, TEXT("d"), R);
    fails(IS_DIRECTORY);
    w_descriptor_unlink_file_at(root, TEXT("d/"), R);
    fails(IS_DIRECTORY);
    w_descriptor_unlink_file_at(root, TEXT("f/"), R);
    fails(NOT_DIRECTORY);
    w_descriptor_unlink_file_at(root, TEXT("none"), R);
    fails(NO_ENTRY);
    w_descriptor_unlink_file_at(root, TEXT("outfile"), R); /* the link, not what it names */
    done();
    w_descriptor_unlink_file_at(root, TEXT("f"), R);
    done();
    w_descriptor_remove_directory_at(root, TEXT("d"), R);
    done();
    return 0;
}

ROW(links, "rw", "0")
{
    int root = dir(0);
    w_descriptor_link_at(root, 0, TEXT("none"), root, TEXT("new"), R);
    fails(NO_ENTRY);
    w_descriptor_link_at(root, 0, TEXT("f"), root, TEXT("outfile"), R);
    fails(EXIST);
    w_descriptor_link_at(root, 0, TEXT("d"), root, TEXT("new"), R);
    fails(NOT_PERMITTED);
    w_descriptor_link_at(root, 1, TEXT("outfile"), root, TEXT("new"), R);
    fails(NOT_PERMITTED);
    w_descriptor_link_at(root, 0, TEXT("f"), root, TEXT("d/f"), R);
    done();
    w_descriptor_stat_at(root, 0, TEXT("d/f"), R);
    MUST(U64(16) == 2 && AT(8)[0] == A_FILE);
    MUST(w_descriptor_is_same_object(OPEN(root, "f", 0, READ), OPEN(root, "d/f", 0, READ)));
    MUST(!w_descriptor_is_same_object(root, OPEN(root, "f", 0, READ)));
    w_descriptor_symlink_at(root, TEXT("/etc"), TEXT("new"), R);
    fails(NOT_PERMITTED);
    w_descriptor_symlink_at(root, TEXT("f"), TEXT("f"), R);
    fails(EXIST);
    w_descriptor_symlink_at(root, TEXT("../f"), TEXT("d/to"), R);
    done();
    w_descriptor_readlink_at(root, TEXT("d/to"), R);
    MUST(TAG == 0 && U32(8) == 4 && *(const char *)(unsigned long)U32(4) == '.');
    w_descriptor_readlink_at(root, TEXT("f"), R);
    fails4(INVALID);
    w_descriptor_readlink_at(root, TEXT("none"), R);
    fails4(NO_ENTRY);
    w_descriptor_open_at(root, 1, TEXT("d/to"), 0, READ, R); /* it stays inside */
    done();
    w_descriptor_open_at(OPEN(root, "d", DIRECTORY, READ), 1, TEXT("to"), 0, READ,
                         R); /* not here */
    fails4(NOT_PERMITTED);
    w_descriptor_symlink_at(root, TEXT("self"), TEXT("self"), R);
    done();
    w_descriptor_open_at(root, 1, TEXT("self"), 0, READ, R);
    fails4(LOOP);
    w_descriptor_symlink_at(root, TEXT("nowhere"), TEXT("dangling"), R);
    done();
    w_descriptor_open_at(root, 1, TEXT("dangling"), 0, READ, R);
    fails4(NO_ENTRY);
    return 0;
}

ROW(renaming, "rw", "0")
{
    int root = dir(0), d = OPEN(root, "d", DIRECTORY, READ | MUTATE);
    w_descriptor_rename_at(root, TEXT("none"), root, TEXT("new"), R);
    fails(NO_ENTRY);
    w_descriptor_rename_at(root, TEXT("f"), root, TEXT("d"), R);
    fails(IS_DIRECTORY);
    w_descriptor_rename_at(root, TEXT("d"), root, TEXT("f"), R);
    fails(NOT_DIRECTORY);
    w_descriptor_rename_at(root, TEXT("d"), root, TEXT("d/x"), R);
    fails(INVALID);
    w_descriptor_rename_at(root, TEXT("f"), root, TEXT("../f"), R);
    fails(NOT_PERMITTED);
    w_descriptor_rename_at(root, TEXT("f"), root, TEXT("new/"), R);
    fails(NOT_DIRECTORY);
    w_descriptor_rename_at(root, TEXT("f"), d, TEXT("g"), R);
    done();
    w_descriptor_rename_at(d, TEXT("g"), root, TEXT("outfile"), R); /* in the place of the link */
    done();
    w_descriptor_stat_at(root, 0, TEXT("outfile"), R);
    MUST(AT(8)[0] == A_FILE && U64(24) == 10);
    w_descriptor_create_directory_at(root, TEXT("e"), R);
    w_descriptor_rename_at(root, TEXT("e"), root, TEXT("d/"), R); /* over an empty one */
    done();
    return 0;
}

ROW(listing, "rw", "0")
{
    int root = dir(0), count = 0;
    static int streams[2];
    for (int i = 0; i < 2; i++) {
        w_descriptor_read_directory(root, R);
        done();
        streams[i] = (int)U32(4);
    }
    /* Two at once do not interfere; `.` and `..` are not told; and the end is told again. */
    for (int i = 0; i < 2; i++) {
        for (;; count++) {
            w_directory_entry_stream_read_directory_entry(streams[i], R);
            done();
            if (!AT(4)[0])
                break;
            MUST(*(const char *)(unsigned long)U32(12) != '.');
            if (*(const char *)(unsigned long)U32(12) == 'd')
                MUST(AT(8)[0] == A_DIRECTORY);
        }
        w_directory_entry_stream_read_directory_entry(streams[i], R);
        MUST(TAG == 0 && !AT(4)[0]);
    }
    return count != 12;
}

/* As many as do not fit into one reading, each told once. */
ROW(listing_many, "rw", "0")
{
    enum { MANY = 3000 };
    static char name[] = "n0000", seen[MANY];
    int root = dir(0), d = OPEN(root, "d", DIRECTORY, READ | MUTATE), count = 0;
    for (int i = 0; i < MANY; i++) {
        for (int digit = 4, left = i; digit; digit--, left /= 10)
            name[digit] = (char)('0' + left % 10);
        w_drop_descriptor(opens(d, name, 5, CREATE, WRITE));
    }
    w_descriptor_read_directory(d, R);
    for (int stream = (int)U32(4);; count++) {
        w_directory_entry_stream_read_directory_entry(stream, R);
        done();
        if (!AT(4)[0])
            break;
        const char *at = (const char *)(unsigned long)U32(12);
        int number = 0;
        for (int i = 1; i < 5; i++)
            number = number * 10 + at[i] - '0';
        MUST(!seen[number]);
        seen[number] = 1;
    }
    return count != MANY;
}

ROW(hashes, "rw", "0")
{
    int root = dir(0), file = OPEN(root, "f", 0, READ | WRITE);
    w_descriptor_metadata_hash(file, R);
    done();
    u64 lower = U64(8), upper = U64(16);
    w_descriptor_metadata_hash_at(root, 0, TEXT("f"), R);
    MUST(TAG == 0 && U64(8) == lower && U64(16) == upper);
    w_descriptor_metadata_hash_at(root, 0, TEXT("none"), R);
    fails8(NO_ENTRY);
    w_descriptor_metadata_hash(root, R);
    MUST(U64(8) != lower);
    w_descriptor_write(file, TEXT("more"), 10, R);
    w_descriptor_metadata_hash(file, R);
    return TAG || (U64(8) == lower && U64(16) == upper);
}
