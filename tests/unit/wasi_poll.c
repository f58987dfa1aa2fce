/* wasi:io/poll and the timers of wasi:clocks: waiting for one thing and for thousands. */
#include "tests/unit/wasi_fixture.h"

#include <sys/wait.h>

typedef HOST_LIST(uint32_t) indices;

static void *timer(struct fixture *f, uint64_t nanoseconds)
{
    void *pollable;
    DO(f, wasi_monotonic_subscribe_duration, &nanoseconds, &pollable);
    return pollable;
}

static indices poll_list(struct fixture *f, void **pollables, size_t len)
{
    struct {
        HOST_LIST(void *) in;
    } args = {{pollables, len}};
    indices result;
    DO(f, wasi_poll, &args, &result);
    return result;
}

static bool ready(struct fixture *f, void *pollable)
{
    bool result;
    DO(f, wasi_pollable_ready, &pollable, &result);
    return result;
}

static void empty_list_traps(void **state)
{
    struct fixture f;
    indices result;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    struct {
        HOST_LIST(void *) in;
    } args = {{NULL, 0}};
    assert_int_equal(fixture_call(&f, wasi_poll, &args, &result), HOST_TRAP);
    fixture_close(&f);
}

static void timers(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    uint64_t start = sys_now();
    void *v[3] = {timer(&f, UINT64_C(3600000000000)), timer(&f, 10000000), timer(&f, 80000000)};
    indices got = poll_list(&f, v, 3);
    assert_int_equal(got.len, 1);
    assert_int_equal(got.at[0], 1);
    assert_in_range(sys_now() - start, 10000000, 79000000);
    assert_int_equal(f.blocked, 1);
    assert_true(ready(&f, v[1]));
    assert_false(ready(&f, v[0]));
    void *w[2] = {v[0], v[2]};
    got = poll_list(&f, w, 2);
    assert_true(got.len == 1 && got.at[0] == 1);
    assert_true(sys_now() - start >= 80000000);
    got = poll_list(&f, v, 3);
    assert_true(got.len == 2 && got.at[0] == 1 && got.at[1] == 2);
    assert_int_equal(f.blocked, 0);
    void *twice[2] = {v[1], v[1]};
    got = poll_list(&f, twice, 2);
    assert_true(got.len == 2 && got.at[0] == 0 && got.at[1] == 1);
    void *now = timer(&f, 0);
    got = poll_list(&f, &now, 1);
    assert_true(got.len == 1 && got.at[0] == 0);
    void *never = timer(&f, UINT64_MAX);
    assert_false(ready(&f, never));
    /* A moment is one of the guest's clock, in the past as well. */
    uint64_t past = 0;
    void *instant;
    DO(&f, wasi_monotonic_subscribe_instant, &past, &instant);
    assert_true(ready(&f, instant));
    past = UINT64_MAX;
    DO(&f, wasi_monotonic_subscribe_instant, &past, &instant);
    assert_false(ready(&f, instant));
    start = sys_now();
    void *block = timer(&f, 5000000);
    uint8_t nothing;
    DO(&f, wasi_pollable_block, &block, &nothing);
    assert_true(sys_now() - start >= 5000000);
    assert_true(ready(&f, block));
    fixture_close(&f);
}

/* Streams and timers in one list; files are always ready. */
static void mixed(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    fixture_write_file(&f, "in/f", "text");
    struct descriptor *file = fixture_open_file(&f, "f", 0, DESCRIPTOR_READ);
    struct {
        void *self;
        uint64_t offset;
    } args = {file, 0};
    handle_or_code of_file;
    DO(&f, wasi_descriptor_read_via_stream, &args, &of_file);
    void *in;
    void *out;
    void *v[4];
    DO(&f, wasi_get_stdin, NULL, &in);
    DO(&f, wasi_get_stdout, NULL, &out);
    DO(&f, wasi_input_stream_subscribe, &in, &v[0]);
    v[1] = timer(&f, UINT64_C(60000000000));
    DO(&f, wasi_output_stream_subscribe, &out, &v[2]);
    DO(&f, wasi_input_stream_subscribe, &of_file.ok, &v[3]);
    indices got = poll_list(&f, v, 4);
    assert_true(got.len == 2 && got.at[0] == 2 && got.at[1] == 3);
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        _exit(write(f.in, "x", 1) != 1);
    }
    got = poll_list(&f, v, 2);
    assert_true(got.len == 1 && got.at[0] == 0);
    waitpid(child, NULL, 0);
    /* What is ready does not hide what else is. */
    void *now[2] = {timer(&f, 0), v[0]};
    got = poll_list(&f, now, 2);
    assert_int_equal(got.len, 2);
    /* block of a stream */
    uint8_t nothing;
    DO(&f, wasi_pollable_block, &v[0], &nothing);
    assert_int_equal(f.blocked, 0);
    fixture_close(&f);
}

static void thousands(void **state)
{
    enum { MANY = 5000 };
    static void *v[MANY];
    struct fixture f;
    void *in;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    DO(&f, wasi_get_stdin, NULL, &in);
    for (int i = 0; i < MANY; i++) {
        if (i & 1)
            DO(&f, wasi_input_stream_subscribe, &in, &v[i]);
        else
            v[i] = timer(&f, i == 1234 ? 1000000 : UINT64_C(3600000000000));
    }
    indices got = poll_list(&f, v, MANY);
    assert_true(got.len == 1 && got.at[0] == 1234);
    assert_int_equal(write(f.in, "x", 1), 1);
    got = poll_list(&f, v, MANY);
    assert_int_equal(got.len, MANY / 2 + 1);
    for (int i = 0; i < MANY; i++)
        wasi_drop_pollable(f.vm, f.wasi, v[i]);
    fixture_close(&f);
}

/* Without a clock time stands still and no wait is long; without PPOLL nothing waits. */
static void without(void **state)
{
    struct fixture f;
    uint64_t now;
    (void)state;
    struct wasi_config config = fixture_config();
    config.clock = false;
    fixture_open(&f, config, NULL);
    void *v = timer(&f, UINT64_C(3600000000000));
    assert_true(ready(&f, v));
    assert_int_equal(poll_list(&f, &v, 1).len, 1);
    DO(&f, wasi_monotonic_now, NULL, &now);
    assert_int_equal(now, 0);
    struct datetime wall;
    DO(&f, wasi_wall_now, NULL, &wall);
    assert_int_equal(wall.seconds, 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_list_traps), cmocka_unit_test(timers),  cmocka_unit_test(mixed),
        cmocka_unit_test(thousands),        cmocka_unit_test(without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
