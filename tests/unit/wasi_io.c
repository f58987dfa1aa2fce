/* wasi:io/streams and wasi:io/error: contracts of reading and writing, on pipes and files. */
#include "tests/unit/wasi_fixture.h"

#include "engine/wasi/stream.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>

struct read_args {
    void *self;
    uint64_t len;
};

struct write_args {
    void *self;
    byte_list contents;
};

static void *stdin_of(struct fixture *f)
{
    void *stream;
    DO(f, wasi_get_stdin, NULL, &stream);
    return stream;
}

static void *stdout_of(struct fixture *f)
{
    void *stream;
    DO(f, wasi_get_stdout, NULL, &stream);
    return stream;
}

static bytes_or_error reading(struct fixture *f, host_fn *fn, void *stream, uint64_t len)
{
    struct read_args args = {stream, len};
    bytes_or_error result;
    DO(f, fn, &args, &result);
    return result;
}

static count_or_error counting(struct fixture *f, host_fn *fn, void *stream, uint64_t len)
{
    struct read_args args = {stream, len};
    count_or_error result;
    DO(f, fn, &args, &result);
    return result;
}

static struct unit_or_error writing(struct fixture *f, host_fn *fn, void *stream, const void *text,
                                    size_t len)
{
    union {
        const void *from;
        uint8_t *at;
    } data = {text};
    struct write_args args = {stream, {data.at, len}};
    struct unit_or_error result;
    DO(f, fn, &args, &result);
    return result;
}

static uint64_t permit(struct fixture *f, void *stream)
{
    count_or_error result;
    DO(f, wasi_output_stream_check_write, &stream, &result);
    assert_int_equal(result.tag, HOST_OK);
    return result.ok;
}

static bool is_ready(struct fixture *f, void *stream, host_fn *subscribe)
{
    void *pollable;
    bool ready;
    DO(f, subscribe, &stream, &pollable);
    DO(f, wasi_pollable_ready, &pollable, &ready);
    wasi_drop_pollable(f->vm, f->wasi, pollable);
    return ready;
}

/* Writes into our end of standard input a little later. */
static pid_t later(struct fixture *f, const char *text)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        usleep(20000);
        _exit(write(f->in, text, strlen(text)) < 0);
    }
    return child;
}

static void reading_a_pipe(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    void *in = stdin_of(&f);
    bytes_or_error got = reading(&f, wasi_input_stream_read, in, 10);
    assert_true(got.tag == HOST_OK && got.ok.len == 0);
    assert_false(is_ready(&f, in, wasi_input_stream_subscribe));
    assert_int_equal(write(f.in, "hello", 5), 5);
    assert_true(is_ready(&f, in, wasi_input_stream_subscribe));
    got = reading(&f, wasi_input_stream_read, in, 0);
    assert_true(got.tag == HOST_OK && got.ok.len == 0);
    got = reading(&f, wasi_input_stream_read, in, 2);
    assert_int_equal(got.ok.len, 2);
    assert_memory_equal(got.ok.at, "he", 2);
    assert_int_equal(counting(&f, wasi_input_stream_skip, in, 1).ok, 1);
    got = reading(&f, wasi_input_stream_read, in, UINT64_MAX);
    assert_memory_equal(got.ok.at, "lo", 2);
    assert_int_equal(counting(&f, wasi_input_stream_skip, in, 1).ok, 0);
    pid_t child = later(&f, "late");
    got = reading(&f, wasi_input_stream_blocking_read, in, 100);
    assert_memory_equal(got.ok.at, "late", 4);
    waitpid(child, NULL, 0);
    child = later(&f, "skip");
    assert_int_equal(counting(&f, wasi_input_stream_blocking_skip, in, 3).ok, 3);
    waitpid(child, NULL, 0);
    assert_int_equal(reading(&f, wasi_input_stream_read, in, 100).ok.len, 1);
    /* The end: closed, then and ever after. */
    close(f.in);
    assert_true(is_ready(&f, in, wasi_input_stream_subscribe));
    got = reading(&f, wasi_input_stream_blocking_read, in, 1);
    assert_true(got.tag == HOST_ERR && got.err.tag == STREAM_CLOSED);
    got = reading(&f, wasi_input_stream_read, in, 0);
    assert_true(got.tag == HOST_ERR && got.err.tag == STREAM_CLOSED);
    count_or_error skipped = counting(&f, wasi_input_stream_skip, in, 1);
    assert_true(skipped.tag == HOST_ERR && skipped.err.tag == STREAM_CLOSED);
    wasi_drop_input_stream(f.vm, f.wasi, in);
    fixture_close(&f);
}

static void writing_a_pipe(void **state)
{
    static char text[PIPE_BUF * 2];
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    void *out = stdout_of(&f);
    assert_int_equal(permit(&f, out), PIPE_BUF);
    assert_int_equal(writing(&f, wasi_output_stream_write, out, "abc", 3).tag, HOST_OK);
    struct read_args zeroes = {out, 5};
    struct unit_or_error unit;
    DO(&f, wasi_output_stream_write_zeroes, &zeroes, &unit);
    assert_int_equal(unit.tag, HOST_OK);
    DO(&f, wasi_output_stream_flush, &out, &unit);
    DO(&f, wasi_output_stream_blocking_flush, &out, &unit);
    assert_int_equal(unit.tag, HOST_OK);
    assert_int_equal(read(f.out, text, sizeof text), 8);
    assert_memory_equal(text, "abc\0\0\0\0\0", 8);
    memset(text, 'x', sizeof text);
    writing(&f, wasi_output_stream_blocking_write_and_flush, out, text, 4096);
    DO(&f, wasi_output_stream_blocking_write_zeroes_and_flush, &zeroes, &unit);
    assert_int_equal(read(f.out, text, sizeof text), 4101);
    wasi_drop_output_stream(f.vm, f.wasi, out);
    fixture_close(&f);
}

static void traps(void **state)
{
    static char text[WASI_BLOCKING + 1];
    struct fixture f;
    struct unit_or_error unit;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    void *out = stdout_of(&f);
    struct write_args args = {out, {(uint8_t *)text, 1}};
    assert_int_equal(fixture_call(&f, wasi_output_stream_write, &args, &unit), HOST_TRAP);
    uint64_t allowed = permit(&f, out);
    args.contents.len = allowed + 1;
    assert_int_equal(fixture_call(&f, wasi_output_stream_write, &args, &unit), HOST_TRAP);
    struct read_args zeroes = {out, UINT64_MAX};
    assert_int_equal(fixture_call(&f, wasi_output_stream_write_zeroes, &zeroes, &unit), HOST_TRAP);
    args.contents.len = WASI_BLOCKING + 1;
    assert_int_equal(fixture_call(&f, wasi_output_stream_blocking_write_and_flush, &args, &unit),
                     HOST_TRAP);
    zeroes.len = WASI_BLOCKING + 1;
    assert_int_equal(
        fixture_call(&f, wasi_output_stream_blocking_write_zeroes_and_flush, &zeroes, &unit),
        HOST_TRAP);
    /* What was permitted is used up by writing it, also in parts. */
    args.contents.len = allowed / 2;
    assert_int_equal(fixture_call(&f, wasi_output_stream_write, &args, &unit), HOST_DONE);
    args.contents.len = allowed / 2 + 1;
    assert_int_equal(fixture_call(&f, wasi_output_stream_write, &args, &unit), HOST_TRAP);
    fixture_close(&f);
}

/* A full pipe: nothing is permitted, what was accepted before stays pending, and in the end every
 * byte arrives in order. */
static void backpressure(void **state)
{
    static uint8_t block[PIPE_BUF];
    static uint8_t got[1 << 20];
    struct fixture f;
    struct unit_or_error unit;
    size_t sent = 0;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    void *out = stdout_of(&f);
    void *again = stdout_of(&f);
    uint64_t room;
    uint64_t stale = permit(&f, again);
    while ((room = permit(&f, out)) > 0) {
        for (size_t i = 0; i < room; i++)
            block[i] = (uint8_t)((sent + i) * 31 >> 3);
        assert_int_equal(writing(&f, wasi_output_stream_write, out, block, room).tag, HOST_OK);
        sent += room;
        assert_true(sent < sizeof got);
    }
    assert_false(is_ready(&f, out, wasi_output_stream_subscribe));
    /* A permit from before, through another stream of the same pipe: accepted, and it does not
     * block. */
    for (size_t i = 0; i < stale; i++)
        block[i] = (uint8_t)((sent + i) * 31 >> 3);
    assert_int_equal(writing(&f, wasi_output_stream_write, again, block, stale).tag, HOST_OK);
    sent += stale;
    assert_int_equal(permit(&f, again), 0);
    DO(&f, wasi_output_stream_flush, &again, &unit);
    assert_int_equal(unit.tag, HOST_OK);
    assert_false(is_ready(&f, again, wasi_output_stream_subscribe));
    pid_t child = fork();
    if (child == 0) { /* drains, slowly at first */
        size_t have = 0;
        usleep(20000);
        while (have < sent) {
            ssize_t len = read(f.out, got + have, sizeof got - have);
            if (len <= 0)
                _exit(1);
            have += (size_t)len;
        }
        for (size_t i = 0; i < sent; i++)
            if (got[i] != (uint8_t)(i * 31 >> 3))
                _exit(2);
        _exit(0);
    }
    DO(&f, wasi_output_stream_blocking_flush, &again, &unit);
    assert_int_equal(unit.tag, HOST_OK);
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_true(is_ready(&f, again, wasi_output_stream_subscribe));
    wasi_drop_output_stream(f.vm, f.wasi, out);
    wasi_drop_output_stream(f.vm, f.wasi, again);
    fixture_close(&f);
}

/* Where other fibers may run nothing blocks the cell: the fiber waits, and goes on where it was. */
static void concurrent(void **state)
{
    static uint8_t block[WASI_BLOCKING];
    struct fixture f;
    (void)state;
    struct wasi_config config = fixture_config();
    config.concurrent = true;
    fixture_open(&f, config, NULL);
    void *in = stdin_of(&f);
    void *out = stdout_of(&f);
    pid_t child = later(&f, "x");
    bytes_or_error got = reading(&f, wasi_input_stream_blocking_read, in, 10);
    assert_int_equal(got.ok.len, 1);
    assert_int_equal(f.blocked, 1);
    waitpid(child, NULL, 0);
    while (is_ready(&f, out, wasi_output_stream_subscribe))
        writing(&f, wasi_output_stream_blocking_write_and_flush, out, block, sizeof block);
    child = fork();
    if (child == 0) {
        usleep(20000);
        _exit(read(f.out, block, sizeof block) < 0);
    }
    writing(&f, wasi_output_stream_blocking_write_and_flush, out, block, sizeof block);
    assert_int_equal(f.blocked, 1);
    waitpid(child, NULL, 0);
    fixture_close(&f);
}

/* Where nothing can wait, writing takes as long as it takes and nothing is asked. */
static void without_poll(void **state)
{
    static uint8_t block[WASI_CHUNK];
    struct fixture f;
    (void)state;
    struct wasi_config config = fixture_config();
    config.may_poll = false;
    fixture_open(&f, config, NULL);
    void *out = stdout_of(&f);
    pid_t child = fork();
    if (child == 0) {
        size_t have = 0;
        while (have < 4 * sizeof block) {
            ssize_t len = read(f.out, block, sizeof block);
            if (len <= 0)
                _exit(1);
            have += (size_t)len;
        }
        _exit(0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(permit(&f, out), WASI_CHUNK);
        assert_int_equal(writing(&f, wasi_output_stream_write, out, block, sizeof block).tag,
                         HOST_OK);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    fixture_close(&f);
}

static void closed_streams(void **state)
{
    struct fixture f;
    struct unit_or_error unit;
    count_or_error count;
    (void)state;
    struct wasi_config config = fixture_config();
    config.streams[0].kind = WASI_CLOSED;
    config.streams[2].kind = WASI_CLOSED;
    fixture_open(&f, config, NULL);
    void *in = stdin_of(&f);
    bytes_or_error got = reading(&f, wasi_input_stream_blocking_read, in, 1);
    assert_true(got.tag == HOST_ERR && got.err.tag == STREAM_CLOSED);
    void *err;
    DO(&f, wasi_get_stderr, NULL, &err);
    DO(&f, wasi_output_stream_check_write, &err, &count);
    assert_true(count.tag == HOST_ERR && count.err.tag == STREAM_CLOSED);
    unit = writing(&f, wasi_output_stream_blocking_write_and_flush, err, "x", 1);
    assert_true(unit.tag == HOST_ERR && unit.err.tag == STREAM_CLOSED);
    assert_true(is_ready(&f, err, wasi_output_stream_subscribe));
    /* The reader of standard output goes away. */
    void *out = stdout_of(&f);
    close(f.out);
    unit = writing(&f, wasi_output_stream_blocking_write_and_flush, out, "x", 1);
    assert_true(unit.tag == HOST_ERR && unit.err.tag == STREAM_CLOSED);
    DO(&f, wasi_output_stream_check_write, &out, &count);
    assert_true(count.tag == HOST_ERR && count.err.tag == STREAM_CLOSED);
    unit = writing(&f, wasi_output_stream_write, out, "x", 1);
    assert_true(unit.tag == HOST_ERR && unit.err.tag == STREAM_CLOSED);
    DO(&f, wasi_output_stream_flush, &out, &unit);
    assert_true(unit.tag == HOST_ERR && unit.err.tag == STREAM_CLOSED);
    DO(&f, wasi_output_stream_blocking_flush, &out, &unit);
    assert_true(unit.tag == HOST_ERR && unit.err.tag == STREAM_CLOSED);
    fixture_close(&f);
}

struct offset_args {
    struct descriptor *self;
    uint64_t offset;
};

static void files(void **state)
{
    static char block[WASI_CHUNK];
    struct fixture f;
    handle_or_code handle;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    struct descriptor *file =
        fixture_open_file(&f, "f", CREATE, DESCRIPTOR_READ | DESCRIPTOR_WRITE);
    struct offset_args args = {file, 3};
    DO(&f, wasi_descriptor_write_via_stream, &args, &handle);
    void *out = handle.ok;
    DO(&f, wasi_descriptor_append_via_stream, &file, &handle);
    void *append = handle.ok;
    args.offset = 1;
    DO(&f, wasi_descriptor_read_via_stream, &args, &handle);
    void *in = handle.ok;
    /* Streams keep the file open. */
    fixture_drop(&f, file);
    assert_int_equal(permit(&f, out), WASI_CHUNK);
    writing(&f, wasi_output_stream_write, out, "abc", 3);
    writing(&f, wasi_output_stream_blocking_write_and_flush, append, "END", 3);
    writing(&f, wasi_output_stream_blocking_write_and_flush, out, "defg", 4); /* over "END" */
    bytes_or_error got = reading(&f, wasi_input_stream_read, in, 100);
    assert_int_equal(got.ok.len, 9);
    assert_memory_equal(got.ok.at, "\0\0abcdefg", 9);
    got = reading(&f, wasi_input_stream_read, in, 100);
    assert_true(got.tag == HOST_ERR && got.err.tag == STREAM_CLOSED);
    assert_true(is_ready(&f, out, wasi_output_stream_subscribe));
    /* A whole permit at once, and zeroes. */
    assert_int_equal(permit(&f, out), WASI_CHUNK);
    writing(&f, wasi_output_stream_write, out, block, sizeof block);
    struct read_args zeroes = {append, permit(&f, append)};
    struct unit_or_error unit;
    DO(&f, wasi_output_stream_write_zeroes, &zeroes, &unit);
    assert_int_equal(unit.tag, HOST_OK);
    char path[160];
    struct stat stat;
    snprintf(path, sizeof path, "%s/in/f", f.base);
    assert_int_equal(lstat(path, &stat), 0);
    assert_int_equal(stat.st_size, 10 + 2 * WASI_CHUNK);
    size_t before = f.wasi->resources;
    wasi_drop_output_stream(f.vm, f.wasi, out);
    wasi_drop_output_stream(f.vm, f.wasi, append);
    wasi_drop_input_stream(f.vm, f.wasi, in);
    assert_int_equal(f.wasi->resources, before - 4); /* and the file */
    fixture_close(&f);
}

struct splice_args {
    void *self;
    void *source;
    uint64_t len;
};

static void splicing(void **state)
{
    struct fixture f;
    count_or_error count;
    char text[64];
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    struct splice_args args = {stdout_of(&f), stdin_of(&f), 6};
    DO(&f, wasi_output_stream_splice, &args, &count);
    assert_true(count.tag == HOST_OK && count.ok == 0);
    assert_int_equal(write(f.in, "0123456789", 10), 10);
    DO(&f, wasi_output_stream_splice, &args, &count);
    assert_int_equal(count.ok, 6);
    DO(&f, wasi_output_stream_blocking_splice, &args, &count);
    assert_int_equal(count.ok, 4);
    assert_int_equal(read(f.out, text, sizeof text), 10);
    assert_memory_equal(text, "0123456789", 10);
    args.len = 0;
    DO(&f, wasi_output_stream_blocking_splice, &args, &count);
    assert_true(count.tag == HOST_OK && count.ok == 0);
    args.len = UINT64_MAX;
    pid_t child = later(&f, "more");
    DO(&f, wasi_output_stream_blocking_splice, &args, &count);
    assert_int_equal(count.ok, 4);
    waitpid(child, NULL, 0);
    close(f.in);
    DO(&f, wasi_output_stream_splice, &args, &count);
    assert_true(count.tag == HOST_ERR && count.err.tag == STREAM_CLOSED);
    fixture_close(&f);
}

/* What a stream of a file fails with can be looked up as an error code; of a standard stream, too.
 */
static void errors(void **state)
{
    struct fixture f;
    handle_or_code handle;
    struct str text;
    struct {
        bool some;
        uint8_t code;
    } code;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    struct descriptor *directory = fixture_open_file(&f, ".", 0, DESCRIPTOR_READ);
    struct offset_args args = {directory, 0};
    DO(&f, wasi_descriptor_read_via_stream, &args, &handle); /* nobody has asked what it is */
    bytes_or_error got = reading(&f, wasi_input_stream_read, handle.ok, 1);
    assert_true(got.tag == HOST_ERR && got.err.tag == STREAM_FAILED);
    DO(&f, wasi_filesystem_error_code, &got.err.error, &code);
    assert_true(code.some && code.code == FS_IS_DIRECTORY);
    DO(&f, wasi_error_to_debug_string, &got.err.error, &text);
    assert_true(str_is(text, "is-directory"));
    wasi_drop_io_error(f.vm, f.wasi, got.err.error);
    got = reading(&f, wasi_input_stream_read, handle.ok, 1);
    assert_true(got.tag == HOST_ERR && got.err.tag == STREAM_CLOSED);
    descriptor_type(directory);
    DO(&f, wasi_descriptor_read_via_stream, &args, &handle);
    assert_int_equal(handle.err, FS_IS_DIRECTORY);

    f.wasi->streams[0]->fd = 1 << 20; /* no descriptor */
    got = reading(&f, wasi_input_stream_blocking_read, stdin_of(&f), 1);
    assert_int_equal(got.err.tag, STREAM_FAILED);
    DO(&f, wasi_filesystem_error_code, &got.err.error, &code);
    assert_true(code.some && code.code == FS_BAD_DESCRIPTOR);
    fixture_close(&f);
}

/* A stream whose description is the cell's own takes whole blocks. What it could not write yet
 * comes in order, whichever handle it was written by, also when nobody has one any more. */
static void own_stream(void **state)
{
    static uint8_t block[WASI_CHUNK];
    struct wasi_config config = fixture_config();
    struct fixture f;
    (void)state;
    config.streams[1].kind = WASI_OWN;
    fixture_open(&f, config, NULL);
    assert_int_equal(fcntl(f.wasi->streams[1]->fd, F_SETFL, O_NONBLOCK), 0);
    struct output_stream *out = stdout_of(&f), *other = stdout_of(&f);
    uint64_t stale = permit(&f, other);
    size_t sent = 0;
    assert_int_equal(stale, WASI_CHUNK);
    while (permit(&f, out) > 0) {
        memset(block, (int)(sent / sizeof block), sizeof block);
        assert_int_equal(writing(&f, wasi_output_stream_write, out, block, sizeof block).tag,
                         HOST_OK);
        sent += sizeof block;
        assert_true(sent < 64 * sizeof block);
    }
    assert_false(is_ready(&f, out, wasi_output_stream_subscribe));
    for (int i = 0; i < 16; i++) { /* of a permit from before, in small parts */
        memset(block, (int)(sent / sizeof block), sizeof block / 16);
        writing(&f, wasi_output_stream_write, other, block, sizeof block / 16);
    }
    sent += sizeof block;
    wasi_drop_output_stream(f.vm, f.wasi, out);
    wasi_drop_output_stream(f.vm, f.wasi, other);
    pid_t child = fork();
    if (child == 0) {
        for (size_t have = 0; have < sent;) {
            ssize_t len = read(f.out, block, sizeof block);
            for (ssize_t i = 0; i < len; i++)
                if (block[i] != (have + (size_t)i) / sizeof block)
                    _exit(1);
            have += len > 0 ? (size_t)len : sent;
        }
        _exit(0);
    }
    int status = -1;
    output_drain(f.wasi);
    assert_null(f.wasi->streams[1]->pending.at);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fixture_close(&f);
}

/* A stream lives as long as its pollables, whichever is dropped first. */
static void children(void **state)
{
    struct fixture f;
    bool ready;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    size_t before = f.wasi->resources;
    void *in = stdin_of(&f);
    void *out = stdout_of(&f);
    void *of_in;
    void *of_out;
    DO(&f, wasi_input_stream_subscribe, &in, &of_in);
    DO(&f, wasi_output_stream_subscribe, &out, &of_out);
    wasi_drop_input_stream(f.vm, f.wasi, in);
    wasi_drop_output_stream(f.vm, f.wasi, out);
    DO(&f, wasi_pollable_ready, &of_in, &ready);
    assert_false(ready);
    DO(&f, wasi_pollable_ready, &of_out, &ready);
    assert_true(ready);
    wasi_drop_pollable(f.vm, f.wasi, of_in);
    wasi_drop_pollable(f.vm, f.wasi, of_out);
    assert_int_equal(f.wasi->resources, before);
    /* More resources than there may be. */
    f.wasi->resources = WASI_RESOURCES;
    assert_int_equal(fixture_call(&f, wasi_get_stdin, NULL, &in), HOST_TRAP);
    f.wasi->resources = before;
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_a_pipe), cmocka_unit_test(writing_a_pipe),
        cmocka_unit_test(traps),          cmocka_unit_test(backpressure),
        cmocka_unit_test(concurrent),     cmocka_unit_test(without_poll),
        cmocka_unit_test(closed_streams), cmocka_unit_test(files),
        cmocka_unit_test(splicing),       cmocka_unit_test(errors),
        cmocka_unit_test(own_stream),     cmocka_unit_test(children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
