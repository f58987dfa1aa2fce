/* wasi:filesystem while others change what is open: files that are cut short, grow and go away,
 * directories that change while they are listed, and that go away. What the guest sees is old or
 * new, an error that its function names, and never what was not there. */
#include "engine/wasi/filesystem.h"
#include "tests/unit/wasi_fixture.h"

struct read_ok {
    byte_list bytes;
    bool end;
};

struct directory_entry {
    uint8_t type;
    struct str name;
};

typedef HOST_RESULT(struct read_ok, uint8_t) read_or_code;
typedef HOST_OPTION(struct directory_entry) option_entry;
typedef HOST_RESULT(option_entry, uint8_t) entry_or_code;

static const char *path_of(struct fixture *f, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/in/%s", f->base, name);
    return path;
}

/* What is read there as text; NULL: an error. */
static const char *text_at(struct fixture *f, struct descriptor *file, uint64_t offset)
{
    static char text[32];
    struct {
        struct descriptor *self;
        uint64_t len;
        uint64_t offset;
    } args = {file, sizeof text - 1, offset};
    read_or_code result;
    DO(f, wasi_descriptor_read, &args, &result);
    if (result.tag != HOST_OK)
        return NULL;
    assert_int_equal(result.ok.end, result.ok.bytes.len == 0);
    memcpy(text, result.ok.bytes.at, result.ok.bytes.len);
    text[result.ok.bytes.len] = 0;
    return text;
}

static struct descriptor_stat stat_of(struct fixture *f, struct descriptor *file)
{
    HOST_RESULT(struct descriptor_stat, uint8_t) result;
    DO(f, wasi_descriptor_stat, &file, &result);
    assert_int_equal(result.tag, HOST_OK);
    return result.ok;
}

static void a_file_changes_while_it_is_open(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "0123456789");
    struct descriptor *file = fixture_open_file(&f, "f", 0, DESCRIPTOR_READ | DESCRIPTOR_WRITE);
    struct {
        struct descriptor *self;
        uint64_t offset;
    } from = {file, 4};
    handle_or_code stream;
    DO(&f, wasi_descriptor_read_via_stream, &from, &stream);
    struct {
        void *self;
        uint64_t len;
    } read = {stream.ok, 2};
    bytes_or_error bytes;
    DO(&f, wasi_input_stream_read, &read, &bytes);
    assert_memory_equal(bytes.ok.at, "45", 2);

    assert_int_equal(truncate(path_of(&f, "f"), 3), 0);
    assert_string_equal(text_at(&f, file, 0), "012");
    assert_string_equal(text_at(&f, file, 5), "");
    assert_int_equal(stat_of(&f, file).size, 3);
    DO(&f, wasi_input_stream_blocking_read, &read, &bytes);
    assert_true(bytes.tag == HOST_ERR && bytes.err.tag == STREAM_CLOSED);

    fixture_write_file(&f, "in/f", "abcdefghijkl");
    assert_string_equal(text_at(&f, file, 5), "fghijkl");

    assert_int_equal(unlink(path_of(&f, "f")), 0);
    fixture_write_file(&f, "in/f", "another");
    assert_string_equal(text_at(&f, file, 0), "abcdefghijkl");
    assert_int_equal(stat_of(&f, file).link_count, 0);
    struct descriptor *other = fixture_open_file(&f, "f", 0, DESCRIPTOR_READ);
    assert_string_equal(text_at(&f, other, 0), "another");
    fixture_close(&f);
}

static void a_directory_changes_while_it_is_listed(void **state)
{
    enum { OLD = 1000, SEEN = 10, NEW = 200 };
    static unsigned times[OLD + NEW];
    struct fixture f;
    handle_or_code stream;
    entry_or_code entry;
    char name[32];
    unsigned all = 0;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    for (unsigned i = 0; i < OLD; i++) {
        snprintf(name, sizeof name, "in/file-%u", i);
        fixture_write_file(&f, name, "");
    }
    DO(&f, wasi_descriptor_read_directory, &f.root, &stream);
    for (;; all++) {
        if (all == SEEN) {
            for (unsigned i = 0; i < OLD; i++) {
                snprintf(name, sizeof name, "file-%u", i);
                assert_int_equal(unlink(path_of(&f, name)), 0);
            }
            for (unsigned i = OLD; i < OLD + NEW; i++) {
                snprintf(name, sizeof name, "in/file-%u", i);
                fixture_write_file(&f, name, "");
            }
        }
        DO(&f, wasi_directory_entry_stream_read_directory_entry, &stream.ok, &entry);
        assert_int_equal(entry.tag, HOST_OK);
        if (!entry.ok.some)
            break;
        unsigned number = OLD + NEW;
        assert_int_equal(sscanf(entry.ok.of.name.at, "file-%u", &number), 1);
        assert_true(number < OLD + NEW);
        times[number]++;
    }
    assert_true(all >= SEEN);
    for (unsigned i = 0; i < OLD + NEW; i++)
        assert_true(times[i] <= 1);
    fixture_close(&f);
}

static void a_directory_goes_away(void **state)
{
    struct fixture f;
    handle_or_code stream;
    entry_or_code entry;
    int error;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_mkdir(&f, "in/d");
    fixture_write_file(&f, "in/d/f", "text");
    struct descriptor *directory =
        fixture_open_file(&f, "d", DIRECTORY, DESCRIPTOR_READ | DESCRIPTOR_MUTATE);
    struct descriptor *root = f.root;
    assert_int_equal(unlink(path_of(&f, "d/f")), 0);
    assert_int_equal(rmdir(path_of(&f, "d")), 0);
    f.root = directory;
    assert_null(fixture_try_open(&f, "f", 0, 0, DESCRIPTOR_READ, &error));
    assert_int_equal(error, FS_NO_ENTRY);
    assert_null(fixture_try_open(&f, "new", 0, CREATE, DESCRIPTOR_WRITE, &error));
    assert_int_equal(error, FS_NO_ENTRY);
    DO(&f, wasi_descriptor_read_directory, &f.root, &stream);
    assert_int_equal(stream.tag, HOST_OK);
    DO(&f, wasi_directory_entry_stream_read_directory_entry, &stream.ok, &entry);
    assert_true(entry.tag == HOST_OK ? !entry.ok.some : entry.err == FS_NO_ENTRY);
    f.root = root;
    assert_null(fixture_try_open(&f, "d", 0, DIRECTORY, DESCRIPTOR_READ, &error));
    assert_int_equal(error, FS_NO_ENTRY);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_changes_while_it_is_open),
        cmocka_unit_test(a_directory_changes_while_it_is_listed),
        cmocka_unit_test(a_directory_goes_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
