/* wasi:filesystem: every function, its success and the errors that its text names. */
#include "engine/wasi/filesystem.h"
#include "tests/unit/wasi_fixture.h"

#include <sys/wait.h>

enum { READ = DESCRIPTOR_READ, WRITE = DESCRIPTOR_WRITE, READ_WRITE = READ | WRITE };

struct path_args {
    struct descriptor *self;
    struct str path;
};

struct flags_path_args {
    struct descriptor *self;
    uint8_t flags;
    struct str path;
};

struct two_paths_args {
    struct descriptor *self;
    struct str from;
    struct descriptor *to_base;
    struct str to;
};

struct link_args {
    struct descriptor *self;
    uint8_t flags;
    struct str from;
    struct descriptor *to_base;
    struct str to;
};

struct offset_args {
    struct descriptor *self;
    uint64_t offset;
};

/* A function of a path without result: the error code, or -1. */
static int at(struct fixture *f, host_fn *fn, struct descriptor *base, const char *path)
{
    struct path_args args = {base, str_of(path)};
    struct code_result result;
    DO(f, fn, &args, &result);
    return result.tag == HOST_OK ? -1 : result.err;
}

static int rename_at(struct fixture *f, const char *from, const char *to)
{
    struct two_paths_args args = {f->root, str_of(from), f->root, str_of(to)};
    struct code_result result;
    DO(f, wasi_descriptor_rename_at, &args, &result);
    return result.tag == HOST_OK ? -1 : result.err;
}

static int link_at(struct fixture *f, int follow, const char *from, const char *to)
{
    struct link_args args = {f->root, (uint8_t)follow, str_of(from), f->root, str_of(to)};
    struct code_result result;
    DO(f, wasi_descriptor_link_at, &args, &result);
    return result.tag == HOST_OK ? -1 : result.err;
}

static int symlink_at(struct fixture *f, const char *target, const char *path)
{
    struct {
        struct descriptor *self;
        struct str target;
        struct str path;
    } args = {f->root, str_of(target), str_of(path)};
    struct code_result result;
    DO(f, wasi_descriptor_symlink_at, &args, &result);
    return result.tag == HOST_OK ? -1 : result.err;
}

static int set_times(struct fixture *f, struct descriptor *self, struct new_timestamp access,
                     struct new_timestamp modification)
{
    struct {
        struct descriptor *self;
        struct new_timestamp access;
        struct new_timestamp modification;
    } args = {self, access, modification};
    struct code_result result;
    DO(f, wasi_descriptor_set_times, &args, &result);
    return result.tag == HOST_OK ? -1 : result.err;
}

static int set_times_at(struct fixture *f, int follow, const char *path,
                        struct new_timestamp access, struct new_timestamp modification)
{
    struct {
        struct descriptor *self;
        uint8_t flags;
        struct str path;
        struct new_timestamp access;
        struct new_timestamp modification;
    } args = {f->root, (uint8_t)follow, str_of(path), access, modification};
    struct code_result result;
    DO(f, wasi_descriptor_set_times_at, &args, &result);
    return result.tag == HOST_OK ? -1 : result.err;
}

typedef HOST_RESULT(struct str, uint8_t) text_or_code;

static text_or_code readlink_at(struct fixture *f, const char *path)
{
    struct path_args args = {f->root, str_of(path)};
    text_or_code result;
    DO(f, wasi_descriptor_readlink_at, &args, &result);
    return result;
}

static int write_at(struct fixture *f, struct descriptor *file, const char *text, uint64_t offset)
{
    struct {
        struct descriptor *self;
        byte_list buffer;
        uint64_t offset;
    } args = {file, {(uint8_t *)strdup(text), strlen(text)}, offset};
    count_or_code result;
    DO(f, wasi_descriptor_write, &args, &result);
    free(args.buffer.at);
    return result.tag == HOST_OK ? (int)result.ok : -1 - result.err;
}

struct read_ok {
    byte_list bytes;
    bool end;
};
typedef HOST_RESULT(struct read_ok, uint8_t) read_or_code;

static read_or_code read_at(struct fixture *f, struct descriptor *file, uint64_t len,
                            uint64_t offset)
{
    struct {
        struct descriptor *self;
        uint64_t len;
        uint64_t offset;
    } args = {file, len, offset};
    read_or_code result;
    DO(f, wasi_descriptor_read, &args, &result);
    return result;
}

static stat_result stat_of(struct fixture *f, struct descriptor *file)
{
    stat_result result;
    DO(f, wasi_descriptor_stat, &file, &result);
    return result;
}

static stat_result stat_at(struct fixture *f, int follow, const char *path)
{
    struct flags_path_args args = {f->root, (uint8_t)follow, str_of(path)};
    stat_result result;
    DO(f, wasi_descriptor_stat_at, &args, &result);
    return result;
}

/* ------------------------------------------------------------------------------------------------
 */

static void reading_and_writing(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    struct descriptor *file = fixture_open_file(&f, "f", CREATE, READ_WRITE);
    assert_int_equal(write_at(&f, file, "hello world", 0), 11);
    assert_int_equal(write_at(&f, file, "W", 6), 1);
    read_or_code got = read_at(&f, file, 100, 0);
    assert_int_equal(got.ok.bytes.len, 11);
    assert_memory_equal(got.ok.bytes.at, "hello World", 11);
    assert_false(got.ok.end);
    got = read_at(&f, file, 5, 11);
    assert_true(got.ok.end && got.ok.bytes.len == 0);
    got = read_at(&f, file, 5, 5000);
    assert_true(got.ok.end);
    got = read_at(&f, file, 0, 0);
    assert_true(got.tag == HOST_OK && got.ok.bytes.len == 0 && !got.ok.end);
    got = read_at(&f, file, UINT64_MAX, 0);
    assert_int_equal(got.ok.bytes.len, 11);
    got = read_at(&f, file, 1, UINT64_MAX);
    assert_int_equal(got.err, FS_INVALID);
    assert_int_equal(write_at(&f, file, "x", UINT64_MAX), -1 - FS_INVALID);
    /* Past the end, and past four gigabytes: the gap is zeroes. */
    assert_int_equal(write_at(&f, file, "far", UINT64_C(5) << 30), 3);
    got = read_at(&f, file, 10, (UINT64_C(5) << 30) - 2);
    assert_int_equal(got.ok.bytes.len, 5);
    assert_memory_equal(got.ok.bytes.at, "\0\0far", 5);
    fixture_drop(&f, file);

    struct descriptor *reader = fixture_open_file(&f, "f", 0, READ);
    assert_int_equal(write_at(&f, reader, "x", 0), -1 - FS_BAD_DESCRIPTOR);
    fixture_drop(&f, reader);
    struct descriptor *writer = fixture_open_file(&f, "f", 0, WRITE);
    assert_int_equal(read_at(&f, writer, 1, 0).err, FS_BAD_DESCRIPTOR);
    fixture_drop(&f, writer);
    struct descriptor *neither = fixture_open_file(&f, "f", 0, 0);
    assert_int_equal(read_at(&f, neither, 1, 0).err, FS_BAD_DESCRIPTOR);
    fixture_drop(&f, neither);
    assert_int_equal(read_at(&f, f.root, 1, 0).err, FS_IS_DIRECTORY);
    struct descriptor *directory = fixture_open_file(&f, ".", DIRECTORY, READ);
    assert_int_equal(read_at(&f, directory, 1, 0).err, FS_IS_DIRECTORY);
    fixture_drop(&f, directory);
    fixture_close(&f);
}

static void opening(void **state)
{
    struct fixture f;
    int error;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "text");
    fixture_mkdir(&f, "in/d");
    assert_null(fixture_try_open(&f, "f", 0, CREATE | EXCLUSIVE, READ, &error));
    assert_int_equal(error, FS_EXIST);
    assert_null(fixture_try_open(&f, "nope", 0, 0, READ, &error));
    assert_int_equal(error, FS_NO_ENTRY);
    assert_null(fixture_try_open(&f, "f", 0, DIRECTORY, READ, &error));
    assert_int_equal(error, FS_NOT_DIRECTORY);
    assert_null(fixture_try_open(&f, "d", 0, 0, WRITE, &error));
    assert_int_equal(error, FS_IS_DIRECTORY);
    assert_null(fixture_try_open(&f, "new", 0, DIRECTORY | CREATE, READ, &error));
    assert_int_equal(error, FS_INVALID);
    assert_null(fixture_try_open(&f, "f/x", 0, CREATE, WRITE, &error));
    assert_int_equal(error, FS_NOT_DIRECTORY);
    /* exclusive alone says nothing. */
    struct descriptor *file = fixture_open_file(&f, "f", EXCLUSIVE, READ);
    fixture_drop(&f, file);
    file = fixture_open_file(&f, "f", TRUNCATE, WRITE);
    assert_int_equal(stat_of(&f, file).ok.size, 0);
    fixture_drop(&f, file);

    /* Flags and type as they are told. */
    struct {
        uint8_t tag;
        uint8_t value;
    } small;
    file = fixture_open_file(&f, "f", 0, READ_WRITE | DESCRIPTOR_DATA_SYNC);
    DO(&f, wasi_descriptor_get_flags, &file, &small);
    assert_int_equal(small.value, READ_WRITE | DESCRIPTOR_DATA_SYNC);
    DO(&f, wasi_descriptor_get_type, &file, &small);
    assert_int_equal(small.value, TYPE_REGULAR_FILE);
    fixture_drop(&f, file);
    DO(&f, wasi_descriptor_get_flags, &f.root, &small);
    assert_int_equal(small.value, READ | DESCRIPTOR_MUTATE);
    DO(&f, wasi_descriptor_get_type, &f.root, &small);
    assert_int_equal(small.value, TYPE_DIRECTORY);
    /* What is opened below a directory may be changed as the directory may. */
    struct descriptor *d = fixture_open_file(&f, "d", DIRECTORY, READ);
    DO(&f, wasi_descriptor_get_flags, &d, &small);
    assert_int_equal(small.value, READ | DESCRIPTOR_MUTATE);
    assert_int_equal(at(&f, wasi_descriptor_create_directory_at, d, "e"), -1);
    fixture_drop(&f, d);
    fixture_close(&f);
}

/* A policy may deny writing and changing entries each for itself: what is not denied goes on, and
 * the rest is refused, not tried. */
static void half_writable(void **state)
{
    struct new_timestamp now = {.tag = TIMESTAMP_NOW};
    (void)state;
    for (int writes = 0; writes < 2; writes++) {
        struct wasi_directory granted = {
            .fd = -1, .name = str_of("/"), .writable = writes, .mutable = !writes};
        struct fixture f;
        int error = FS_READ_ONLY;
        fixture_open(&f, fixture_config(), &granted);
        fixture_write_file(&f, "in/f", "text");
        struct descriptor *file = fixture_open_file(&f, "f", 0, READ);
        const int write = writes ? -1 : FS_READ_ONLY, mutate = writes ? FS_READ_ONLY : -1;
        assert_int_equal(set_times(&f, file, now, now), write);
        fixture_drop(&f, file);
        assert_int_equal(set_times_at(&f, 0, "f", now, now), write);
        struct descriptor *made = fixture_try_open(&f, "n", 0, CREATE, READ_WRITE, &error);
        assert_int_equal(made ? -1 : error, write);
        if (made)
            fixture_drop(&f, made);
        assert_int_equal(at(&f, wasi_descriptor_create_directory_at, f.root, "d"), mutate);
        assert_int_equal(rename_at(&f, "f", "g"), mutate);
        fixture_close(&f);
    }
}

/* What a read-only grant refuses, in our code: the mount behind it would refuse as well, but here
 * is none. */
static void read_only(void **state)
{
    struct wasi_directory granted = {.fd = -1, .name = str_of("/"), .writable = false};
    struct fixture f;
    int error;
    (void)state;
    fixture_open(&f, fixture_config(), &granted);
    fixture_write_file(&f, "in/f", "text");
    fixture_mkdir(&f, "in/d");
    static const struct {
        int open_flags;
        int flags;
    } refused[] = {{CREATE, READ}, {TRUNCATE, READ}, {0, WRITE}, {0, READ | DESCRIPTOR_MUTATE}};
    for (size_t i = 0; i < countof(refused); i++) {
        assert_null(fixture_try_open(&f, "f", 0, refused[i].open_flags, refused[i].flags, &error));
        assert_int_equal(error, FS_READ_ONLY);
    }
    assert_int_equal(at(&f, wasi_descriptor_create_directory_at, f.root, "n"), FS_READ_ONLY);
    assert_int_equal(at(&f, wasi_descriptor_remove_directory_at, f.root, "d"), FS_READ_ONLY);
    assert_int_equal(at(&f, wasi_descriptor_unlink_file_at, f.root, "f"), FS_READ_ONLY);
    assert_int_equal(rename_at(&f, "f", "g"), FS_READ_ONLY);
    assert_int_equal(link_at(&f, 0, "f", "g"), FS_READ_ONLY);
    assert_int_equal(symlink_at(&f, "f", "g"), FS_READ_ONLY);
    struct descriptor *file = fixture_open_file(&f, "f", 0, READ);
    struct new_timestamp now = {.tag = TIMESTAMP_NOW};
    assert_int_equal(set_times(&f, file, now, now), FS_READ_ONLY);
    assert_int_equal(set_times_at(&f, 0, "f", now, now), FS_READ_ONLY);
    struct code_result result;
    struct offset_args size = {file, 0};
    DO(&f, wasi_descriptor_set_size, &size, &result);
    assert_int_equal(result.tag, HOST_ERR);
    handle_or_code stream;
    DO(&f, wasi_descriptor_write_via_stream, &size, &stream);
    assert_int_equal(stream.err, FS_BAD_DESCRIPTOR);
    DO(&f, wasi_descriptor_append_via_stream, &file, &stream);
    assert_int_equal(stream.err, FS_BAD_DESCRIPTOR);
    assert_int_equal(stat_of(&f, file).ok.size, 4);
    fixture_drop(&f, file);

    /* Between a directory that may be changed and one that may not, in both directions. */
    struct descriptor *other = descriptor_new(f.wasi, dup(f.root->fd));
    other->flags = READ | DESCRIPTOR_MUTATE;
    other->writable = true;
    struct two_paths_args moving = {f.root, str_of("f"), other, str_of("g")};
    DO(&f, wasi_descriptor_rename_at, &moving, &result);
    assert_int_equal(result.err, FS_READ_ONLY);
    moving = (struct two_paths_args){other, str_of("f"), f.root, str_of("g")};
    DO(&f, wasi_descriptor_rename_at, &moving, &result);
    assert_int_equal(result.err, FS_READ_ONLY);
    struct link_args linking = {f.root, 0, str_of("f"), other, str_of("g")};
    DO(&f, wasi_descriptor_link_at, &linking, &result);
    assert_int_equal(result.err, FS_READ_ONLY);
    fixture_close(&f);
}

static void attributes(void **state)
{
    struct fixture f;
    struct code_result result;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "text");
    fixture_symlink(&f, "f", "in/link");
    fixture_symlink(&f, "gone", "in/dangling");
    struct descriptor *file = fixture_open_file(&f, "f", 0, READ_WRITE);

    struct offset_args size = {file, 20};
    DO(&f, wasi_descriptor_set_size, &size, &result);
    assert_int_equal(result.tag, HOST_OK);
    stat_result stat = stat_of(&f, file);
    assert_int_equal(stat.ok.type, TYPE_REGULAR_FILE);
    assert_int_equal(stat.ok.link_count, 1);
    assert_int_equal(stat.ok.size, 20);
    assert_true(stat.ok.data_access_timestamp.some && stat.ok.status_change_timestamp.some);
    assert_true(stat.ok.data_modification_timestamp.of.nanoseconds < 1000000000);
    size.offset = UINT64_MAX;
    DO(&f, wasi_descriptor_set_size, &size, &result);
    assert_int_equal(result.err, FS_INVALID);
    struct descriptor *reader = fixture_open_file(&f, "f", 0, READ);
    size = (struct offset_args){reader, 1};
    DO(&f, wasi_descriptor_set_size, &size, &result);
    assert_int_equal(result.err, FS_INVALID);

    assert_int_equal(stat_at(&f, 0, "link").ok.type, TYPE_SYMBOLIC_LINK);
    assert_int_equal(stat_at(&f, 0, "link").ok.size, 1);
    assert_int_equal(stat_at(&f, 1, "link").ok.type, TYPE_REGULAR_FILE);
    assert_int_equal(stat_at(&f, 0, "dangling").tag, HOST_OK);
    assert_int_equal(stat_at(&f, 1, "dangling").err, FS_NO_ENTRY);
    assert_int_equal(stat_at(&f, 0, "link/").err, FS_NOT_DIRECTORY);
    assert_int_equal(stat_at(&f, 0, "f/").err, FS_NOT_DIRECTORY);
    assert_int_equal(stat_at(&f, 0, ".").ok.type, TYPE_DIRECTORY);
    assert_int_equal(stat_at(&f, 0, "..").err, FS_NOT_PERMITTED);

    fixture_drop(&f, file);
    fixture_drop(&f, reader);
    fixture_close(&f);
}

static void times(void **state)
{
    const struct new_timestamp now = {.tag = TIMESTAMP_NOW};
    const struct new_timestamp as_it_is = {.tag = TIMESTAMP_NO_CHANGE};
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "text");
    struct descriptor *file = fixture_open_file(&f, "f", 0, READ_WRITE);
    struct new_timestamp early = {TIMESTAMP_GIVEN, {1000, 5}};
    struct new_timestamp late = {TIMESTAMP_GIVEN, {UINT64_C(1) << 32, 999999999}};
    assert_int_equal(set_times(&f, file, early, late), -1);
    stat_result stat = stat_of(&f, file);
    assert_int_equal(stat.ok.data_access_timestamp.of.seconds, 1000);
    assert_int_equal(stat.ok.data_access_timestamp.of.nanoseconds, 5);
    assert_int_equal(stat.ok.data_modification_timestamp.of.seconds, UINT64_C(1) << 32);
    assert_int_equal(set_times(&f, file, as_it_is, now), -1);
    stat = stat_of(&f, file);
    assert_int_equal(stat.ok.data_access_timestamp.of.seconds, 1000);
    assert_in_range(stat.ok.data_modification_timestamp.of.seconds, time(NULL) - 60,
                    time(NULL) + 1);
    /* The kernel's own words for "now" and "as it was" are no nanoseconds. */
    static const uint32_t words[] = {1000000000, UTIME_NOW, UTIME_OMIT, UINT32_MAX};
    for (size_t i = 0; i < countof(words); i++) {
        struct new_timestamp odd = {TIMESTAMP_GIVEN, {1, words[i]}};
        assert_int_equal(set_times(&f, file, odd, now), FS_INVALID);
    }
    struct new_timestamp never = {TIMESTAMP_GIVEN, {UINT64_MAX, 0}};
    assert_int_equal(set_times(&f, file, never, now), FS_OVERFLOW);
    struct new_timestamp given = {TIMESTAMP_GIVEN, {77, 0}};
    assert_int_equal(set_times(&f, f.root, given, now), -1); /* which is only a handle */
    assert_int_equal(stat_of(&f, f.root).ok.data_access_timestamp.of.seconds, 77);
    fixture_drop(&f, file);
    fixture_close(&f);
}

static void times_by_name(void **state)
{
    const struct new_timestamp as_it_is = {.tag = TIMESTAMP_NO_CHANGE};
    const struct new_timestamp given = {TIMESTAMP_GIVEN, {33, 0}};
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "text");
    fixture_symlink(&f, "f", "in/link");
    assert_int_equal(
        set_times_at(&f, 0, "f", (struct new_timestamp){TIMESTAMP_GIVEN, {1000, 0}}, as_it_is), -1);
    assert_int_equal(set_times_at(&f, 0, "link", given, as_it_is), -1);
    assert_int_equal(stat_at(&f, 0, "link").ok.data_access_timestamp.of.seconds, 33);
    assert_int_equal(stat_at(&f, 1, "link").ok.data_access_timestamp.of.seconds, 1000);
    assert_int_equal(set_times_at(&f, 1, "link", given, as_it_is), -1);
    assert_int_equal(stat_at(&f, 1, "link").ok.data_access_timestamp.of.seconds, 33);
    assert_int_equal(set_times_at(&f, 1, "gone", given, as_it_is), FS_NO_ENTRY);
    fixture_close(&f);
}

static void identity(void **state)
{
    struct fixture f;
    hash_result hash[4];
    bool same;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/a", "1");
    fixture_write_file(&f, "in/b", "1");
    struct descriptor *a[2] = {fixture_open_file(&f, "a", 0, READ_WRITE),
                               fixture_open_file(&f, "a", 0, READ)};
    struct descriptor *b[2] = {a[0], fixture_open_file(&f, "b", 0, READ)};
    DO(&f, wasi_descriptor_is_same_object, a, &same);
    assert_true(same);
    DO(&f, wasi_descriptor_is_same_object, b, &same);
    assert_false(same);
    DO(&f, wasi_descriptor_metadata_hash, &a[0], &hash[0]);
    DO(&f, wasi_descriptor_metadata_hash, &a[1], &hash[1]);
    DO(&f, wasi_descriptor_metadata_hash, &b[1], &hash[2]);
    struct flags_path_args args = {f.root, 0, str_of("a")};
    DO(&f, wasi_descriptor_metadata_hash_at, &args, &hash[3]);
    assert_memory_equal(&hash[0].ok, &hash[1].ok, sizeof hash[0].ok);
    assert_memory_equal(&hash[0].ok, &hash[3].ok, sizeof hash[0].ok);
    assert_memory_not_equal(&hash[0].ok, &hash[2].ok, sizeof hash[0].ok);
    assert_int_equal(write_at(&f, a[0], "longer", 0), 6);
    DO(&f, wasi_descriptor_metadata_hash, &a[1], &hash[1]);
    assert_memory_not_equal(&hash[0].ok, &hash[1].ok, sizeof hash[0].ok);
    args.path = str_of("none");
    DO(&f, wasi_descriptor_metadata_hash_at, &args, &hash[3]);
    assert_int_equal(hash[3].err, FS_NO_ENTRY);
    fixture_close(&f);
}

static void names(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "text");
    host_fn *mkdir_at = wasi_descriptor_create_directory_at;
    host_fn *rmdir_at = wasi_descriptor_remove_directory_at;
    host_fn *unlink_at = wasi_descriptor_unlink_file_at;
    assert_int_equal(at(&f, mkdir_at, f.root, "d"), -1);
    assert_int_equal(at(&f, mkdir_at, f.root, "d"), FS_EXIST);
    assert_int_equal(at(&f, mkdir_at, f.root, "d/e/"), -1);
    assert_int_equal(at(&f, mkdir_at, f.root, "x/y"), FS_NO_ENTRY);
    assert_int_equal(at(&f, mkdir_at, f.root, "f/y"), FS_NOT_DIRECTORY);
    assert_int_equal(at(&f, mkdir_at, f.root, "."), FS_EXIST);
    assert_int_equal(at(&f, rmdir_at, f.root, "d"), FS_NOT_EMPTY);
    assert_int_equal(at(&f, rmdir_at, f.root, "f"), FS_NOT_DIRECTORY);
    assert_int_equal(at(&f, rmdir_at, f.root, "."), FS_INVALID);
    assert_int_equal(at(&f, rmdir_at, f.root, "none"), FS_NO_ENTRY);
    assert_int_equal(at(&f, rmdir_at, f.root, "d/e/"), -1);
    assert_int_equal(at(&f, unlink_at, f.root, "d"), FS_IS_DIRECTORY);
    assert_int_equal(at(&f, unlink_at, f.root, "d/"), FS_IS_DIRECTORY);
    assert_int_equal(at(&f, unlink_at, f.root, "f/"), FS_NOT_DIRECTORY);
    assert_int_equal(at(&f, unlink_at, f.root, "none/"), FS_NO_ENTRY);
    assert_int_equal(at(&f, unlink_at, f.root, "none"), FS_NO_ENTRY);
    assert_int_equal(at(&f, mkdir_at, fixture_open_file(&f, "f", 0, READ), "x"), FS_NOT_DIRECTORY);
    fixture_close(&f);
}

static void symbolic_links(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "text");
    fixture_mkdir(&f, "in/d");
    assert_int_equal(symlink_at(&f, "d/target", "l"), -1);
    assert_int_equal(symlink_at(&f, "../../far", "up"), -1);
    assert_int_equal(symlink_at(&f, "d", "l"), FS_EXIST);
    assert_int_equal(symlink_at(&f, "d", "new/"), FS_NO_ENTRY);
    assert_int_equal(symlink_at(&f, "d", "d/"), FS_EXIST);
    assert_int_equal(symlink_at(&f, "/abs", "m"), FS_NOT_PERMITTED);
    assert_int_equal(symlink_at(&f, "", "m"), FS_NO_ENTRY);
    text_or_code text = readlink_at(&f, "l");
    assert_true(text.tag == HOST_OK && str_is(text.ok, "d/target"));
    assert_int_equal(readlink_at(&f, "d").err, FS_INVALID);
    assert_int_equal(readlink_at(&f, "d/").err, FS_INVALID);
    assert_int_equal(readlink_at(&f, "f/").err, FS_NOT_DIRECTORY);
    fixture_symlink(&f, "/etc/passwd", "in/abs");
    assert_int_equal(readlink_at(&f, "abs").err, FS_NOT_PERMITTED);
    fixture_symlink(&f, "\xff\xfe", "in/bytes");
    assert_int_equal(readlink_at(&f, "bytes").err, FS_ILLEGAL_BYTE_SEQUENCE);
    fixture_close(&f);
}

static void renaming_and_linking(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "text");
    fixture_mkdir(&f, "in/d");
    fixture_symlink(&f, "d/target", "in/l");
    assert_int_equal(rename_at(&f, "f", "d/g"), -1);
    assert_int_equal(rename_at(&f, "f", "h"), FS_NO_ENTRY);
    assert_int_equal(rename_at(&f, "d", "d/below"), FS_INVALID);
    assert_int_equal(rename_at(&f, "d/g", "d"), FS_NOT_EMPTY); /* Linux; POSIX allows EISDIR */
    assert_int_equal(rename_at(&f, "d/g/", "h"), FS_NOT_DIRECTORY);
    assert_int_equal(rename_at(&f, "d/g", "h/"), FS_NOT_DIRECTORY);
    assert_int_equal(rename_at(&f, "d/", "e/"), -1);
    assert_int_equal(link_at(&f, 0, "e/g", "hard"), -1);
    assert_int_equal(link_at(&f, 0, "e/g", "hard"), FS_EXIST);
    assert_int_equal(link_at(&f, 0, "none", "hard2"), FS_NO_ENTRY);
    assert_int_equal(link_at(&f, 0, "e", "hard2"), FS_NOT_PERMITTED);
    assert_int_equal(link_at(&f, 0, "e/g", "hard2/"), FS_NO_ENTRY);
    assert_int_equal(link_at(&f, 1, "l", "hard2"), FS_NO_ENTRY);
    assert_int_equal(link_at(&f, 0, "l", "hard2"), -1);
    assert_int_equal(stat_at(&f, 0, "hard").ok.link_count, 2);
    fixture_close(&f);
}

struct directory_entry {
    uint8_t type;
    struct str name;
};
typedef HOST_OPTION(struct directory_entry) option_entry;
typedef HOST_RESULT(option_entry, uint8_t) entry_or_code;

static void directories(void **state)
{
    enum { MANY = 3000 };
    static bool seen[MANY];
    struct fixture f;
    handle_or_code stream[2];
    entry_or_code entry;
    char name[64];
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    DO(&f, wasi_descriptor_read_directory, &f.root, &stream[0]);
    DO(&f, wasi_directory_entry_stream_read_directory_entry, &stream[0].ok, &entry);
    assert_true(entry.tag == HOST_OK && !entry.ok.some); /* neither . nor .. */
    wasi_drop_directory_entry_stream(f.vm, f.wasi, stream[0].ok);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "in/file-%d-with-a-longer-name", i);
        fixture_write_file(&f, name, "");
    }
    fixture_mkdir(&f, "in/d");
    fixture_symlink(&f, "d", "in/l");
    int files = 0;
    int others = 0;
    DO(&f, wasi_descriptor_read_directory, &f.root, &stream[0]);
    DO(&f, wasi_descriptor_read_directory, &f.root, &stream[1]);
    DO(&f, wasi_directory_entry_stream_read_directory_entry, &stream[1].ok, &entry);
    for (;;) {
        DO(&f, wasi_directory_entry_stream_read_directory_entry, &stream[0].ok, &entry);
        assert_int_equal(entry.tag, HOST_OK);
        if (!entry.ok.some)
            break;
        int number = -1;
        if (sscanf(entry.ok.of.name.at, "file-%d-", &number) == 1) {
            assert_false(seen[number]);
            seen[number] = true;
            assert_int_equal(entry.ok.of.type, TYPE_REGULAR_FILE);
            files++;
        } else {
            assert_int_equal(entry.ok.of.type,
                             str_is(entry.ok.of.name, "d") ? TYPE_DIRECTORY : TYPE_SYMBOLIC_LINK);
            others++;
        }
    }
    assert_int_equal(files, MANY);
    assert_int_equal(others, 2);
    DO(&f, wasi_directory_entry_stream_read_directory_entry, &stream[0].ok, &entry);
    assert_false(entry.ok.some);
    wasi_drop_directory_entry_stream(f.vm, f.wasi, stream[0].ok);
    wasi_drop_directory_entry_stream(f.vm, f.wasi, stream[1].ok);
    fixture_close(&f);
}

/* A name that is no text is an error of its own; what follows is read on. */
static void names_that_are_no_text(void **state)
{
    struct fixture f;
    handle_or_code stream[2];
    entry_or_code entry;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_mkdir(&f, "in/odd");
    fixture_write_file(&f, "in/odd/\xff\xfe", "");
    fixture_write_file(&f, "in/odd/z", "");
    struct descriptor *odd = fixture_open_file(&f, "odd", DIRECTORY, READ);
    DO(&f, wasi_descriptor_read_directory, &odd, &stream[0]);
    int errors = 0;
    int found = 0;
    for (int i = 0; i < 3; i++) {
        DO(&f, wasi_directory_entry_stream_read_directory_entry, &stream[0].ok, &entry);
        errors += entry.tag == HOST_ERR && entry.err == FS_ILLEGAL_BYTE_SEQUENCE;
        found += entry.tag == HOST_OK && entry.ok.some;
    }
    assert_int_equal(errors, 1);
    assert_int_equal(found, 1);
    struct descriptor *file = fixture_open_file(&f, "odd/z", 0, READ);
    DO(&f, wasi_descriptor_read_directory, &file, &stream[1]);
    assert_int_equal(stream[1].err, FS_NOT_DIRECTORY);
    fixture_drop(&f, file);
    fixture_drop(&f, odd);
    fixture_close(&f);
}

static void preopens(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    HOST_LIST(struct {
        struct descriptor *descriptor;
        struct str name;
    })
    list;
    DO(&f, wasi_get_directories, NULL, &list);
    assert_int_equal(list.len, 1);
    assert_ptr_equal(list.at[0].descriptor, f.root);
    assert_true(str_is(list.at[0].name, "/"));
    fixture_drop(&f, list.at[0].descriptor);
    assert_int_equal(f.root->refs, 1);
    fixture_close(&f);
}

static void syncing(void **state)
{
    struct fixture f;
    struct code_result result;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "text");
    struct descriptor *file = fixture_open_file(&f, "f", 0, READ_WRITE);
    struct descriptor *all[] = {file, fixture_open_file(&f, "f", 0, READ), f.root};
    for (size_t i = 0; i < countof(all); i++) {
        DO(&f, wasi_descriptor_sync, &all[i], &result);
        assert_int_equal(result.tag, HOST_OK);
        DO(&f, wasi_descriptor_sync_data, &all[i], &result);
        assert_int_equal(result.tag, HOST_OK);
    }
    struct {
        struct descriptor *self;
        uint64_t offset;
        uint64_t length;
        uint8_t advice;
    } advise = {file, 0, 4, 0};
    for (; advise.advice < 6; advise.advice++) {
        DO(&f, wasi_descriptor_advise, &advise, &result);
        assert_int_equal(result.tag, HOST_OK);
    }
    advise.advice = 0;
    advise.length = UINT64_MAX;
    DO(&f, wasi_descriptor_advise, &advise, &result);
    assert_int_equal(result.err, FS_INVALID);
    fixture_close(&f);
}

/* FIFOs and sockets in a granted directory: opening never blocks, and reading one says so. */
static void special_files(void **state)
{
    struct fixture f;
    char path[160];
    int error;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    snprintf(path, sizeof path, "%s/in/fifo", f.base);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct descriptor *fifo = fixture_open_file(&f, "fifo", 0, READ);
    assert_int_equal(stat_of(&f, fifo).ok.type, TYPE_FIFO);
    assert_int_equal(read_at(&f, fifo, 1, 0).err, FS_INVALID_SEEK);
    fixture_drop(&f, fifo);
    assert_null(fixture_try_open(&f, "fifo", 0, 0, WRITE, &error)); /* nobody reads */
    assert_int_equal(error, FS_NO_SUCH_DEVICE);
    /* Through a stream it is read like a pipe. */
    fifo = fixture_open_file(&f, "fifo", 0, READ);
    int writer = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(writer >= 0);
    struct offset_args args = {fifo, 0};
    handle_or_code stream;
    DO(&f, wasi_descriptor_read_via_stream, &args, &stream);
    struct {
        void *self;
        uint64_t len;
    } read = {stream.ok, 100};
    bytes_or_error bytes;
    DO(&f, wasi_input_stream_read, &read, &bytes);
    assert_true(bytes.tag == HOST_OK && bytes.ok.len == 0);
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        _exit(write(writer, "late", 4) != 4);
    }
    DO(&f, wasi_input_stream_blocking_read, &read, &bytes);
    assert_int_equal(bytes.ok.len, 4);
    assert_memory_equal(bytes.ok.at, "late", 4);
    assert_int_equal(f.blocked, 1);
    waitpid(child, NULL, 0);
    close(writer);
    DO(&f, wasi_input_stream_blocking_read, &read, &bytes);
    assert_true(bytes.tag == HOST_ERR && bytes.err.tag == STREAM_CLOSED);
    fixture_close(&f);
}

/* Running out of descriptors and of resources is an error of the call, and nothing leaks. */
static void exhaustion(void **state)
{
    struct fixture f;
    int error = -1;
    size_t count = 0;
    static struct descriptor *open_files[4096];
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "text");
    size_t before = f.wasi->resources;
    while (count < countof(open_files) &&
           (open_files[count] = fixture_try_open(&f, "f", 0, 0, READ, &error)))
        count++;
    if (error != -1)
        assert_int_equal(error, FS_INSUFFICIENT_MEMORY);
    while (count)
        fixture_drop(&f, open_files[--count]);
    assert_int_equal(f.wasi->resources, before);
    f.wasi->resources = WASI_RESOURCES;
    int lowest = dup(0);
    close(lowest);
    assert_null(fixture_try_open(&f, "f", 0, 0, READ, &error));
    assert_int_equal(error, FS_INSUFFICIENT_MEMORY);
    int again = dup(0);
    assert_int_equal(again, lowest); /* what was opened is closed */
    close(again);
    f.wasi->resources = before;
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_and_writing),
        cmocka_unit_test(opening),
        cmocka_unit_test(half_writable),
        cmocka_unit_test(read_only),
        cmocka_unit_test(attributes),
        cmocka_unit_test(times),
        cmocka_unit_test(times_by_name),
        cmocka_unit_test(identity),
        cmocka_unit_test(names),
        cmocka_unit_test(symbolic_links),
        cmocka_unit_test(renaming_and_linking),
        cmocka_unit_test(directories),
        cmocka_unit_test(names_that_are_no_text),
        cmocka_unit_test(preopens),
        cmocka_unit_test(syncing),
        cmocka_unit_test(special_files),
        cmocka_unit_test(exhaustion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
