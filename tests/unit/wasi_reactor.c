/* engine/wasi/reactor: who may go on, and when. */
#include "tests/unit/wasi_fixture.h"

#include <sys/resource.h>

struct loop {
    void *memory;
    struct arena arena;
    struct heap heap;
    struct reactor reactor;
};

static void open_loop(struct loop *loop, size_t heap_bytes, bool may_poll)
{
    loop->memory = fixture_map(64 << 20);
    arena_init(&loop->arena, loop->memory, 64 << 20);
    heap_init(&loop->heap, &loop->arena, heap_bytes);
    reactor_init(&loop->reactor, &loop->heap, may_poll);
}

static void close_loop(struct loop *loop)
{
    munmap(loop->memory, 64 << 20);
}

static void nobody_waits(void **state)
{
    struct loop loop;
    (void)state;
    open_loop(&loop, 1 << 20, true);
    assert_false(reactor_wait(&loop.reactor));
    assert_null(reactor_next(&loop.reactor));
    close_loop(&loop);
}

static void moments_in_order(void **state)
{
    struct loop loop;
    int who[3];
    (void)state;
    open_loop(&loop, 1 << 20, true);
    uint64_t now = sys_now();
    assert_true(reactor_time(&loop.reactor, &who[0], now + 400000000));
    assert_true(reactor_time(&loop.reactor, &who[1], now + 5000000));
    assert_true(reactor_time(&loop.reactor, &who[2], UINT64_MAX));
    assert_true(reactor_wait(&loop.reactor));
    assert_ptr_equal(reactor_next(&loop.reactor), &who[1]);
    assert_null(reactor_next(&loop.reactor));
    assert_in_range(sys_now() - now, 5000000, 399000000);
    assert_true(reactor_wait(&loop.reactor));
    assert_ptr_equal(reactor_next(&loop.reactor), &who[0]);
    assert_in_range(sys_now() - now, 400000000, 4000000000);
    reactor_forget(&loop.reactor, &who[2]);
    assert_false(reactor_wait(&loop.reactor));
    close_loop(&loop);
}

/* One of several things that somebody waits for is enough, and the others are forgotten. */
static void first_of_several(void **state)
{
    struct loop loop;
    int a[2];
    int b[2];
    int who[2];
    (void)state;
    open_loop(&loop, 1 << 20, true);
    assert_int_equal(pipe(a), 0);
    assert_int_equal(pipe(b), 0);
    assert_true(reactor_fd(&loop.reactor, &who[0], a[0], POLLIN));
    assert_true(reactor_fd(&loop.reactor, &who[0], b[0], POLLIN));
    assert_true(reactor_time(&loop.reactor, &who[0], sys_now() + 60000000000));
    assert_true(reactor_fd(&loop.reactor, &who[1], a[0], POLLIN));
    assert_int_equal(write(b[1], "x", 1), 1);
    assert_true(reactor_wait(&loop.reactor));
    assert_ptr_equal(reactor_next(&loop.reactor), &who[0]);
    assert_null(reactor_next(&loop.reactor));
    assert_int_equal(write(a[1], "x", 1), 1);
    assert_true(reactor_wait(&loop.reactor));
    assert_ptr_equal(reactor_next(&loop.reactor), &who[1]);
    assert_null(reactor_next(&loop.reactor));
    assert_false(reactor_wait(&loop.reactor));
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
    close_loop(&loop);
}

/* The end of the other side wakes those who wait for either direction. */
static void hangup(void **state)
{
    struct loop loop;
    int ends[2];
    int who[2];
    (void)state;
    open_loop(&loop, 1 << 20, true);
    assert_int_equal(pipe(ends), 0);
    assert_true(reactor_fd(&loop.reactor, &who[0], ends[0], POLLIN));
    close(ends[1]);
    assert_true(reactor_wait(&loop.reactor));
    assert_ptr_equal(reactor_next(&loop.reactor), &who[0]);
    assert_true(poll_set_hangup(&loop.reactor.set, ends[0]));
    close(ends[0]);
    close_loop(&loop);
}

/* Thousands of waits for a few descriptors: more than the kernel takes entries of. */
static void thousands(void **state)
{
    enum { MANY = 20000 };
    static char who[MANY];
    struct loop loop;
    struct rlimit before;
    int ends[2];
    (void)state;
    open_loop(&loop, 16 << 20, true);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = {64, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int i = 0; i < MANY; i++)
        assert_true(reactor_fd(&loop.reactor, &who[i], ends[0], POLLIN));
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(reactor_wait(&loop.reactor));
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(reactor_next(&loop.reactor), &who[i]);
    assert_null(reactor_next(&loop.reactor));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    close(ends[0]);
    close(ends[1]);
    close_loop(&loop);
}

/* Memory that runs out is told, and what was there still works. */
static void out_of_memory(void **state)
{
    static char who[100000];
    struct loop loop;
    size_t added = 0;
    (void)state;
    open_loop(&loop, 64 << 10, true);
    uint64_t now = sys_now();
    while (added < sizeof who && reactor_time(&loop.reactor, &who[added], now))
        added++;
    assert_in_range(added, 16, sizeof who - 1);
    assert_true(reactor_wait(&loop.reactor));
    for (size_t i = 0; i < added; i++)
        assert_ptr_equal(reactor_next(&loop.reactor), &who[i]);
    close_loop(&loop);
}

/* Where nothing may wait every wait is over at once. */
static void without_poll(void **state)
{
    struct loop loop;
    int ends[2];
    (void)state;
    open_loop(&loop, 1 << 20, false);
    assert_int_equal(pipe(ends), 0);
    assert_true(reactor_fd(&loop.reactor, &loop, ends[0], POLLIN));
    assert_true(reactor_wait(&loop.reactor));
    assert_ptr_equal(reactor_next(&loop.reactor), &loop);
    close(ends[0]);
    close(ends[1]);
    close_loop(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_waits),     cmocka_unit_test(moments_in_order),
        cmocka_unit_test(first_of_several), cmocka_unit_test(hangup),
        cmocka_unit_test(thousands),        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(without_poll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
