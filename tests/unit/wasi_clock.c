/* wasi:clocks while the host's clocks do what they do on real machines: time of day is set back and
 * ahead, drifts, and goes on while the machine is suspended, when the steady clock stands still.
 * The clocks of this program are the test's own. */
#include "tests/unit/wasi_fixture.h"

#include "engine/wasi/clock.h"

#include <sys/syscall.h>
#include <time.h>

#define SECOND UINT64_C(1000000000)

static struct {
    bool ours;
    uint64_t steady; /* nanoseconds */
    int64_t real;
} host;

int clock_gettime(clockid_t id, struct timespec *ret)
{
    if (!host.ours)
        return (int)syscall(__NR_clock_gettime, id, ret);
    int64_t now = id == CLOCK_REALTIME ? host.real : (int64_t)host.steady;
    /* As the kernel has it: nanoseconds are never negative. */
    int64_t part = now % (int64_t)SECOND;
    *ret = (struct timespec){now / (int64_t)SECOND - (part < 0),
                             part < 0 ? part + (int64_t)SECOND : part};
    return 0;
}

static void pass(uint64_t nanoseconds)
{
    host.steady += nanoseconds;
    host.real += (int64_t)nanoseconds;
}

static void open_with(struct fixture *f, uint64_t steady, int64_t real)
{
    host.ours = false;
    fixture_open(f, fixture_config(), NULL);
    host.ours = true;
    host.steady = steady;
    host.real = real;
}

static void close_with(struct fixture *f)
{
    host.ours = false;
    fixture_close(f);
}

static uint64_t steady(struct fixture *f)
{
    uint64_t now;
    DO(f, wasi_monotonic_now, NULL, &now);
    return now;
}

static struct datetime real(struct fixture *f)
{
    struct datetime now;
    DO(f, wasi_wall_now, NULL, &now);
    return now;
}

static bool ready(struct fixture *f, void *pollable)
{
    bool result;
    DO(f, wasi_pollable_ready, &pollable, &result);
    return result;
}

static void *timer(struct fixture *f, uint64_t nanoseconds)
{
    void *pollable;
    DO(f, wasi_monotonic_subscribe_duration, &nanoseconds, &pollable);
    return pollable;
}

/* Whatever becomes of the time of day, the steady clock and what waits for it do not see it. */
static void the_time_of_day_is_set(void **state)
{
    (void)state;
    struct fixture f;
    open_with(&f, 5000 * SECOND, 1700000000 * (int64_t)SECOND + 7);
    assert_int_equal(steady(&f), SECOND);
    assert_int_equal(real(&f).seconds, 1700000000);
    assert_int_equal(real(&f).nanoseconds, 7);
    void *later = timer(&f, 10 * SECOND);
    host.real -= 3600 * (int64_t)SECOND;
    assert_int_equal(steady(&f), SECOND);
    assert_int_equal(real(&f).seconds, 1700000000 - 3600);
    assert_false(ready(&f, later));
    host.real += 7200 * (int64_t)SECOND;
    assert_int_equal(steady(&f), SECOND);
    assert_int_equal(real(&f).seconds, 1700000000 + 3600);
    assert_false(ready(&f, later));
    pass(10 * SECOND);
    assert_true(ready(&f, later));
    close_with(&f);
}

/* While the machine is suspended the time of day goes on and the steady clock does not: what was to
 * come in ten seconds comes ten seconds of work later, and a moment is the same moment. */
static void the_machine_is_suspended(void **state)
{
    (void)state;
    struct fixture f;
    open_with(&f, 5000 * SECOND, 1700000000 * (int64_t)SECOND);
    uint64_t start = steady(&f);
    void *later = timer(&f, 10 * SECOND);
    uint64_t moment = start + 10 * SECOND;
    void *instant;
    DO(&f, wasi_monotonic_subscribe_instant, &moment, &instant);
    pass(4 * SECOND);
    host.real += 8 * 3600 * (int64_t)SECOND;
    assert_int_equal(steady(&f), start + 4 * SECOND);
    assert_int_equal(real(&f).seconds, 1700000000 + 4 + 8 * 3600);
    assert_false(ready(&f, later) || ready(&f, instant));
    pass(6 * SECOND - 1);
    assert_false(ready(&f, later) || ready(&f, instant));
    pass(1);
    assert_true(ready(&f, later) && ready(&f, instant));
    close_with(&f);
}

/* A clock that is slowed down or sped up, as time servers do it, never goes back. */
static void the_clocks_drift(void **state)
{
    (void)state;
    struct fixture f;
    open_with(&f, 5000 * SECOND, 1700000000 * (int64_t)SECOND);
    uint64_t last = steady(&f);
    for (unsigned i = 0; i < 1000; i++) {
        host.steady += i % 3 ? 1000 + i : 0; /* two readings may be alike */
        host.real += 900 + (int64_t)i;
        uint64_t now = steady(&f);
        assert_true(now >= last);
        last = now;
    }
    assert_int_equal(last - SECOND, host.steady - 5000 * SECOND);
    close_with(&f);
}

/* A host that has just started, one that believes to be before 1970, one that is very old. */
static void hosts_at_the_edges(void **state)
{
    (void)state;
    struct fixture f;
    open_with(&f, 5, -10 * (int64_t)SECOND);
    assert_in_range(steady(&f), 0, SECOND);
    pass(1);
    assert_in_range(steady(&f), 1, SECOND + 1);
    assert_int_equal(real(&f).seconds, 0);
    assert_int_equal(real(&f).nanoseconds, 0);
    close_with(&f);
    open_with(&f, (uint64_t)INT64_MAX - 1000 * SECOND, INT64_MAX - 1000 * (int64_t)SECOND);
    assert_int_equal(steady(&f), SECOND);
    pass(999 * SECOND);
    assert_int_equal(steady(&f), 1000 * SECOND);
    assert_false(ready(&f, timer(&f, UINT64_MAX)));
    close_with(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_of_day_is_set),
        cmocka_unit_test(the_machine_is_suspended),
        cmocka_unit_test(the_clocks_drift),
        cmocka_unit_test(hosts_at_the_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
