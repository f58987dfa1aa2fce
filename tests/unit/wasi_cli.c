/* wasi:cli, wasi:clocks and wasi:random: what a cell is told at its start, and nothing else. */
#include "tests/unit/wasi_fixture.h"

#include "engine/wasi/withheld.h"

static void texts(void **state)
{
    static const struct str arguments[] = {{"app.wasm", 8}, {"", 0}, {"h\xc3\xa9", 3}};
    static const struct wasi_variable environment[] = {{{"A", 1}, {"1=2", 3}}, {{"B", 1}, {"", 0}}};
    struct fixture f;
    HOST_LIST(struct str) list;
    HOST_LIST(struct wasi_variable) variables;
    HOST_OPTION(struct str) cwd;
    (void)state;
    struct wasi_config config = fixture_config();
    config.arguments = arguments;
    config.narguments = 3;
    config.environment = environment;
    config.nenvironment = 2;
    config.cwd = str_of("/work");
    fixture_open(&f, config, NULL);
    DO(&f, wasi_get_arguments, NULL, &list);
    assert_int_equal(list.len, 3);
    for (int i = 0; i < 3; i++)
        assert_true(str_eq(list.at[i], arguments[i]));
    DO(&f, wasi_get_environment, NULL, &variables);
    assert_int_equal(variables.len, 2);
    assert_true(str_is(variables.at[0].name, "A") && str_is(variables.at[0].value, "1=2"));
    DO(&f, wasi_initial_cwd, NULL, &cwd);
    assert_true(cwd.some && str_is(cwd.of, "/work"));
    fixture_close(&f);
}

static void nothing_granted(void **state)
{
    struct fixture f;
    HOST_LIST(struct str) list;
    HOST_OPTION(struct str) cwd;
    HOST_OPTION(void *) terminal;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    DO(&f, wasi_get_arguments, NULL, &list);
    assert_int_equal(list.len, 0);
    DO(&f, wasi_get_environment, NULL, &list);
    assert_int_equal(list.len, 0);
    DO(&f, wasi_initial_cwd, NULL, &cwd);
    assert_false(cwd.some);
    DO(&f, wasi_get_terminal_stdin, NULL, &terminal);
    assert_false(terminal.some);
    fixture_close(&f);
}

/* The component model's strings are UTF-8; nothing else gets in. */
static void refuses_other_bytes(void **state)
{
    static const struct str bad = {"\xff", 1};
    static const struct wasi_variable variable = {{"A", 1}, {"\xed\xa0\x80", 3}};
    struct fixture f;
    struct err err = {0};
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    struct wasi_config config = fixture_config();
    config.arguments = &bad;
    config.narguments = 1;
    assert_null(wasi_new(vm_heap(f.vm), &config, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    config = fixture_config();
    config.environment = &variable;
    config.nenvironment = 1;
    err = (struct err){0};
    assert_null(wasi_new(vm_heap(f.vm), &config, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    fixture_close(&f);
}

static void terminals(void **state)
{
    struct fixture f;
    HOST_OPTION(void *) terminal;
    (void)state;
    struct wasi_config config = fixture_config();
    config.terminals[1] = true;
    config.streams[1] = (struct wasi_stream){-1, WASI_CLOSED}; /* not granted, and still one */
    fixture_open(&f, config, NULL);
    DO(&f, wasi_get_terminal_stdin, NULL, &terminal);
    assert_false(terminal.some);
    DO(&f, wasi_get_terminal_stdout, NULL, &terminal);
    assert_true(terminal.some);
    wasi_drop_terminal_output(f.vm, f.wasi, terminal.of);
    DO(&f, wasi_get_terminal_stderr, NULL, &terminal);
    assert_false(terminal.some);
    fixture_close(&f);
}

static int exit_code(host_fn *fn, uint8_t argument)
{
    struct fixture f;
    fixture_open(&f, fixture_config(), NULL);
    assert_int_equal(fixture_call(&f, fn, &argument, NULL), HOST_TRAP);
    const struct trap *trap = vm_trap(f.vm);
    assert_int_equal(trap->kind, TRAP_EXIT);
    int code = (int)trap->code;
    fixture_close(&f);
    return code;
}

static void exits(void **state)
{
    (void)state;
    assert_int_equal(exit_code(wasi_exit, HOST_OK), 0);
    assert_int_equal(exit_code(wasi_exit, HOST_ERR), 1);
    assert_int_equal(exit_code(wasi_exit_with_code, 0), 0);
    assert_int_equal(exit_code(wasi_exit_with_code, 255), 255);
}

static void clocks(void **state)
{
    struct fixture f;
    uint64_t now[3];
    struct datetime wall;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    for (int i = 0; i < 3; i++)
        DO(&f, wasi_monotonic_now, NULL, &now[i]);
    assert_int_equal(now[0], 1000000000); /* how long the host is up is not told */
    assert_true(now[0] <= now[1] && now[1] <= now[2] && now[2] < 3000000000);
    DO(&f, wasi_monotonic_resolution, NULL, &now[0]);
    assert_true(now[0] > 0);
    DO(&f, wasi_wall_now, NULL, &wall);
    assert_in_range(wall.seconds, time(NULL) - 1, time(NULL) + 1);
    assert_true(wall.nanoseconds < 1000000000);
    DO(&f, wasi_wall_resolution, NULL, &wall);
    assert_true(wall.seconds == 0 && wall.nanoseconds > 0);
    struct {
        int32_t offset;
        struct str name;
        bool daylight;
    } zone;
    DO(&f, wasi_timezone_display, &wall, &zone);
    assert_true(zone.offset == 0 && str_is(zone.name, "UTC") && !zone.daylight);
    int32_t offset;
    DO(&f, wasi_timezone_utc_offset, &wall, &offset);
    assert_int_equal(offset, 0);
    fixture_close(&f);
}

static void random_numbers(void **state)
{
    struct fixture f;
    byte_list bytes[2];
    uint64_t numbers[4];
    uint64_t seeds[2][2];
    uint64_t len = 100;
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    for (int i = 0; i < 2; i++) {
        DO(&f, wasi_get_random_bytes, &len, &bytes[i]);
        assert_int_equal(bytes[i].len, 100);
        DO(&f, wasi_get_random_u64, NULL, &numbers[i]);
        DO(&f, wasi_get_insecure_random_u64, NULL, &numbers[2 + i]);
        DO(&f, wasi_insecure_seed, NULL, &seeds[i]);
    }
    assert_memory_not_equal(bytes[0].at, bytes[1].at, 100);
    assert_true(numbers[0] != numbers[1] && numbers[2] != numbers[3]);
    assert_memory_equal(seeds[0], seeds[1], sizeof seeds[0]); /* the same each time */
    assert_true(seeds[0][0] && seeds[0][1]);
    DO(&f, wasi_get_insecure_random_bytes, &len, &bytes[0]);
    assert_int_equal(bytes[0].len, 100);
    len = 0;
    DO(&f, wasi_get_random_bytes, &len, &bytes[0]);
    assert_int_equal(bytes[0].len, 0);
    static const uint64_t too_many[] = {WASI_RANDOM + 1, UINT64_C(1) << 40, UINT64_MAX};
    for (size_t i = 0; i < countof(too_many); i++) {
        assert_int_equal(fixture_call(&f, wasi_get_random_bytes, &too_many[i], &bytes[0]),
                         HOST_TRAP);
        assert_int_equal(fixture_call(&f, wasi_get_insecure_random_bytes, &too_many[i], &bytes[0]),
                         HOST_TRAP);
    }
    /* The same seed gives the same numbers, so no two cells may have it; another gives others. */
    struct wasi_config config = fixture_config();
    uint64_t again;
    wasi_seed(f.wasi, config.seed);
    DO(&f, wasi_get_random_bytes, &(uint64_t){100}, &bytes[1]);
    DO(&f, wasi_get_random_u64, NULL, &again);
    assert_int_equal(again, numbers[0]);
    config.seed[0] ^= 1;
    wasi_seed(f.wasi, config.seed);
    DO(&f, wasi_get_random_bytes, &(uint64_t){100}, &bytes[1]);
    DO(&f, wasi_get_random_u64, NULL, &again);
    assert_true(again != numbers[0]);
    f.wasi->random = false;
    assert_int_equal(fixture_call(&f, wasi_get_random_u64, NULL, &again), HOST_TRAP);
    fixture_close(&f);
}

/* The shim kills a cell that tells of more refusals than it may, however many instances it has. */
static void refusals_of_a_cell(void **state)
{
    static struct wasi_refusals refusals;
    struct wasi_config config = fixture_config();
    struct fixture f;
    struct err err = {0};
    int tells[2], told = 0;
    char message[1024];
    (void)state;
    assert_int_equal(pipe2(tells, O_CLOEXEC | O_NONBLOCK | O_DIRECT), 0);
    config.refusals = &refusals;
    config.network.shim = tells[1];
    fixture_open(&f, config, NULL);
    struct wasi *const instances[] = {f.wasi, wasi_new(vm_heap(f.vm), &config, &err)};
    assert_non_null(instances[1]);
    for (int i = 0; i < 2 * ASK_DENIALS; i++) {
        struct wasi *wasi = instances[i % 2];
        withheld_tell(wasi, ASK_ROW_get_environment, WASI_CAP_ENV, (struct str){0});
        assert_int_equal(ask_denied_origin(wasi, false, str_of("a.example"), 80), -EACCES);
        while (read(tells[0], message, sizeof message) > 0)
            told++;
    }
    assert_int_equal(told, ASK_DENIALS);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(nothing_granted),
        cmocka_unit_test(refuses_other_bytes),
        cmocka_unit_test(terminals),
        cmocka_unit_test(exits),
        cmocka_unit_test(clocks),
        cmocka_unit_test(random_numbers),
        cmocka_unit_test(refusals_of_a_cell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
