/* Tasks, subtasks, waitable sets and async functions of the host, step by step, and with what a
 * hostile guest does. */
#include "tests/unit/component_async_guest.h"

#include "engine/component/limits.h"
#include "engine/component/schedule.h"

/* --- The host -----------------------------------------------------------------------------------
 */

static bool ready;     /* `wait` has its answer */
static bool obedient;  /* it ends when it is asked to */
static unsigned tries; /* calls of `wait` */
static void *waiter;   /* the last one */
static void *held;     /* who the host's reactor has in its list, as far as it is about one */

static enum host_answer wait_for(struct host_call *call, const void *args, void *result)
{
    tries++;
    waiter = host_waiter(call);
    assert_ptr_not_equal(held, waiter);
    if (call->cancelled && obedient)
        return HOST_CANCELLED;
    assert_null(held);
    if (!ready) {
        held = waiter;
        return HOST_BLOCKED;
    }
    *(uint32_t *)result = *(const uint32_t *)args + 1;
    return HOST_DONE;
}

static void forget(void *host, void *who)
{
    assert_null(host);
    if (held == who)
        held = NULL;
}

/* What happens when that for which it waits does. */
static void happens(struct guest *g)
{
    assert_ptr_equal(held, waiter);
    held = NULL;
    cm_wake(g->f.store, waiter);
}

static const struct host_interface interfaces[] = {{"carrel:test/async", "1.0.0"}};
static const struct host_item items[] = {
    {0, HOST_FUNC, "wait", "async func(n: u32) -> u32", NULL, wait_for, NULL},
};
static const struct host_table table = {interfaces, items, 1, countof(items), NULL, forget};

static void open_guest(struct guest *g)
{
    ready = obedient = false;
    tries = 0;
    held = NULL;
    open_guest_with(g, &table);
}

/* --- Tasks --------------------------------------------------------------------------------------
 */

static void workers_return_at_once_or_later(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    assert_int_equal(CALL(&g, "s-late", 64), RETURNED);
    assert_int_equal(word(&g, 64), 5);
    uint64_t spin = CALL(&g, "s-spin", 68);
    uint64_t slow = CALL(&g, "s-slow", 72);
    assert_int_equal(spin & 15, STARTED);
    assert_int_equal(slow & 15, STARTED);
    assert_int_equal(wait_one(&g, subtask(spin), 1), RETURNED);
    assert_int_equal(word(&g, 68), 9);
    assert_int_equal(wait_one(&g, subtask(slow), 1), RETURNED);
    assert_int_equal(word(&g, 72), 4);
    CALL(&g, "s-sub-drop", subtask(spin));
    CALL(&g, "s-sub-drop", subtask(slow));
    assert_int_equal(g.f.store->nasync, 0);
    close_fixture(&g.f);
}

static void contexts_belong_to_threads(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    CALL(&g, "s-set", 77);
    assert_int_equal(CALL(&g, "s-get", 0), 0);
    close_fixture(&g.f);
}

static void what_workers_may_not_do(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *why;
    } rows[] = {
        {"s-forget", "the task ended without returning a result"},
        {"s-twice", "the task has returned or was cancelled already"},
        {"s-quit", "the task was not asked to cancel, or is resolved already"},
        {"s-code", "unsupported callback code"},
        {"s-return", "the current task was not lifted with the option async"},
        {"a-return", "the current task was not lifted with the option async"},
        {"s-task-cancel", "the current task was not lifted with the option async"},
        {"s-bp-dec", "backpressure counter underflow"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct guest g;
        open_guest(&g);
        TRAPS(&g, rows[i].why, rows[i].name, 64);
    }
}

static void backpressure_holds_tasks_back(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    CALL(&g, "s-bp-inc", 0);
    uint64_t first = CALL(&g, "s-late", 64);
    uint64_t second = CALL(&g, "s-late", 68);
    assert_int_equal(first & 15, STARTING);
    assert_int_equal(second & 15, STARTING);
    assert_int_equal(CALL(&g, "s-sub-cancel", subtask(second)), CANCELLED_BEFORE_STARTED);
    CALL(&g, "s-sub-drop", subtask(second));
    CALL(&g, "s-bp-dec", 0);
    assert_int_equal(wait_one(&g, subtask(first), 1), RETURNED);
    assert_int_equal(word(&g, 64), 5);
    assert_int_equal(g.instance->entering, 0);
    close_fixture(&g.f);
}

static void backpressure_is_counted(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    for (uint32_t i = 1; i < 1 << 16; i++)
        CALL(&g, "s-bp-inc", 0);
    TRAPS(&g, "backpressure counter overflow", "s-bp-inc", 0);
}

/* --- Waiting ------------------------------------------------------------------------------------
 */

static void who_cannot_wait_traps(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    uint32_t set = (uint32_t)CALL(&g, "s-set-new", 0);
    assert_int_equal(CALL(&g, "s-poll", set, 16), 0);
    TRAPS(&g, "cannot block a synchronous task before returning", "s-wait", set, 16);
    open_guest(&g);
    set = (uint32_t)CALL(&g, "s-set-new", 0);
    TRAPS(&g, "deadlock: every task waits for another", "a-wait", set, 16);
    open_guest(&g);
    set = (uint32_t)CALL(&g, "s-set-new", 0);
    CALL(&g, "s-join", subtask(CALL(&g, "s-slow", 64)), set);
    /* While a synchronous task waits, the others of its instance run. */
    assert_int_equal(CALL(&g, "s-wait", set, 16), 1);
    assert_int_equal(word(&g, 20), RETURNED);
    close_fixture(&g.f);
}

static void yielding_goes_on(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    assert_int_equal(CALL(&g, "s-yield", 0), 0);
    assert_int_equal(CALL(&g, "a-yield", 0), 0);
    close_fixture(&g.f);
}

static void sets_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t args[3];
        const char *why;
    } rows[] = {
        {"s-poll", {9, 16}, "unknown handle index"},
        {"s-poll", {1, 18}, "pointer is not aligned"},
        {"s-poll", {1, 65532}, "pointer is out of bounds of memory"},
        {"s-poll", {2, 16}, "handle index used with the wrong type"},
        {"s-set-drop", {2}, "handle index used with the wrong type"},
        {"s-set-drop", {1}, "cannot drop a waitable set that is not empty"},
        {"s-join", {1, 1}, "handle index used with the wrong type"},
        {"s-join", {2, 2}, "handle index used with the wrong type"},
        {"s-join", {0, 1}, "unknown handle index"},
        {"s-sub-drop", {1}, "handle index used with the wrong type"},
        {"s-sub-drop", {UINT32_MAX}, "unknown handle index"},
        {"s-sub-drop", {2}, "cannot drop a subtask which has not yet resolved"},
        {"s-sub-cancel", {2}, "a waitable in a set cannot be waited for synchronously"},
        {"s-read", {2, 0, 1}, "handle index used with the wrong type"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct guest g;
        open_guest(&g);
        assert_int_equal(CALL(&g, "s-set-new", 0), 1);
        uint32_t worker = subtask(CALL(&g, "s-slow", 64));
        assert_int_equal(worker, 2);
        CALL(&g, "s-join", worker, 1);
        traps(&g, rows[i].why, rows[i].name, rows[i].args);
    }
}

static void a_set_that_is_waited_for_stays(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    CALL(&g, "s-park", 64); /* its set is 1 */
    TRAPS(&g, "cannot drop a waitable set that is waited for", "s-set-drop", 1);
}

/* --- Cancelling ---------------------------------------------------------------------------------
 */

static void cancelling_is_heard(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    uint32_t park = subtask(CALL(&g, "s-park", 64));
    assert_int_equal(CALL(&g, "s-sub-cancel", park), CANCELLED_BEFORE_RETURNED);
    CALL(&g, "s-sub-drop", park);
    park = subtask(CALL(&g, "s-park", 64));
    assert_int_equal(CALL(&g, "s-sub-cancel-async", park), CANCELLED_BEFORE_RETURNED);
    TRAPS(&g, "the subtask has ended, which was told already", "s-sub-cancel-async", park);
}

static void cancelling_may_come_too_late(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    uint32_t slow = subtask(CALL(&g, "s-slow", 64)); /* does not listen */
    assert_int_equal(CALL(&g, "s-sub-cancel-async", slow), UINT32_MAX);
    assert_int_equal(wait_one(&g, slow, 1), RETURNED);
    assert_int_equal(word(&g, 64), 4);
    CALL(&g, "s-sub-drop", slow);
    slow = subtask(CALL(&g, "s-slow", 64));
    assert_int_equal(CALL(&g, "a-sub-cancel", slow), RETURNED); /* waits */
    slow = subtask(CALL(&g, "s-slow", 64));
    CALL(&g, "s-sub-cancel-async", slow);
    TRAPS(&g, "the subtask was asked to cancel already", "s-sub-cancel-async", slow);
}

/* --- Many of them -------------------------------------------------------------------------------
 */

static void calls_at_work_are_limited(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    for (uint32_t i = 0; i < CM_LIMIT_ASYNC_CALLS; i++)
        assert_int_equal(CALL(&g, "s-park", 64) & 15, STARTED);
    assert_int_equal(g.f.store->nasync, CM_LIMIT_ASYNC_CALLS);
    begin(&g, "s-park", 64, 0, 0);
    assert_int_equal(fiber_run(g.f.vm, g.f.fiber), FIBER_TRAPPED);
    assert_int_equal(vm_trap(g.f.vm)->kind, TRAP_HELD);
    assert_string_equal(vm_trap(g.f.vm)->text,
                        "more than 10000 calls of async functions at work, a fixed number");
    close_fixture(&g.f);
}

static void thousands_go_round(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    enum { COUNT = 3000 };
    static uint32_t workers[COUNT];
    for (uint32_t i = 0; i < COUNT; i++)
        workers[i] = subtask(CALL(&g, "s-spin", 1024 + 4 * i));
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(wait_one(&g, workers[i], 1), RETURNED);
        assert_int_equal(word(&g, 1024 + 4 * i), 9);
        CALL(&g, "s-sub-drop", workers[i]);
    }
    assert_int_equal(g.f.store->nasync, 0);
    close_fixture(&g.f);
}

/* --- The host's functions -----------------------------------------------------------------------
 */

static void the_host_takes_its_time(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    uint64_t status = CALL(&g, "s-host-wait", 41, 64);
    assert_int_equal(status & 15, STARTED);
    assert_int_equal(tries, 1);
    uint32_t set = (uint32_t)CALL(&g, "s-set-new", 0);
    CALL(&g, "s-join", subtask(status), set);
    struct cm_call *waiting = begin(&g, "a-wait", set, 16, 0);
    assert_int_equal(fiber_run(g.f.vm, g.f.fiber), FIBER_BLOCKED);
    assert_int_equal(fiber_run(g.f.vm, g.f.fiber), FIBER_BLOCKED); /* nobody was woken */
    assert_int_equal(tries, 1);
    happens(&g);
    cm_wake(g.f.store, waiter);
    assert_int_equal(fiber_run(g.f.vm, g.f.fiber), FIBER_BLOCKED);
    assert_int_equal(tries, 2);
    ready = true;
    cm_wake(g.f.store, NULL);
    assert_int_equal(end(&g, waiting), 1);
    assert_int_equal(word(&g, 20), RETURNED);
    assert_int_equal(word(&g, 64), 42);
    /* At once, when it is ready; and to a caller that waits. */
    assert_int_equal(CALL(&g, "s-host-wait", 1, 64), RETURNED);
    assert_int_equal(CALL(&g, "s-host-sync", 6), 7);
    ready = false;
    waiting = begin(&g, "a-host-sync", 8, 0, 0);
    assert_int_equal(fiber_run(g.f.vm, g.f.fiber), FIBER_BLOCKED);
    ready = true;
    happens(&g);
    assert_int_equal(end(&g, waiting), 9);
    close_fixture(&g.f);
}

static void the_host_is_cancelled(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    obedient = true;
    uint32_t wait = subtask(CALL(&g, "s-host-wait", 41, 64));
    happens(&g); /* which comes to nothing */
    assert_int_equal(CALL(&g, "s-sub-cancel", wait), CANCELLED_BEFORE_RETURNED);
    CALL(&g, "s-sub-drop", wait);
    assert_int_equal(g.f.store->nasync, 0);
    assert_null(g.f.store->host_woken);
    obedient = false;
    wait = subtask(CALL(&g, "s-host-wait", 41, 64));
    assert_int_equal(CALL(&g, "s-sub-cancel-async", wait), UINT32_MAX);
    ready = true;
    happens(&g);
    assert_int_equal(wait_with(&g, "a-wait", wait, 1), RETURNED);
    assert_int_equal(word(&g, 64), 42);
    close_fixture(&g.f);
}

static void whose_result_has_no_place_is_told(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    CALL(&g, "s-host-wait", 41, 0xfffffff0);
    ready = true;
    happens(&g);
    begin(&g, "a-yield", 0, 0, 0);
    assert_int_equal(fiber_run(g.f.vm, g.f.fiber), FIBER_TRAPPED);
    assert_string_equal(vm_trap(g.f.vm)->text, "pointer is out of bounds of memory");
    assert_string_equal(vm_trap(g.f.vm)->value, "carrel:test/async@1.0.0#wait: result");
    close_fixture(&g.f);
}

static void who_is_cancelled_is_forgotten(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    obedient = true;
    uint32_t wait = subtask(CALL(&g, "s-host-wait", 41, 64));
    assert_ptr_equal(held, waiter);
    assert_int_equal(CALL(&g, "s-sub-cancel", wait), CANCELLED_BEFORE_RETURNED);
    assert_null(held);
    obedient = false; /* it is asked to end, and waits again */
    wait = subtask(CALL(&g, "s-host-wait", 41, 64));
    assert_int_equal(CALL(&g, "s-sub-cancel-async", wait), UINT32_MAX);
    assert_ptr_equal(held, waiter);
    ready = true; /* everybody is to look: nobody in particular was forgotten */
    cm_wake(g.f.store, NULL);
    assert_int_equal(wait_with(&g, "a-wait", wait, 1), RETURNED);
    assert_null(held);
    close_fixture(&g.f);
}

static void the_host_cannot_be_waited_for_synchronously(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    TRAPS(&g, "cannot block a synchronous task before returning", "s-host-sync", 1);
}

static void a_call_may_be_abandoned(void **state)
{
    (void)state;
    struct guest g;
    open_guest(&g);
    struct cm_call *waiting = begin(&g, "a-host-sync", 8, 0, 0);
    assert_int_equal(fiber_run(g.f.vm, g.f.fiber), FIBER_BLOCKED);
    cm_call_free(waiting);
    ready = true;
    happens(&g);
    /* It goes on for nobody, while another call runs; it does not hold the instance for ever. */
    assert_int_equal(CALL(&g, "a-yield", 0), 0);
    assert_int_equal(g.f.store->nasync, 0);
    close_fixture(&g.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_return_at_once_or_later),
        cmocka_unit_test(contexts_belong_to_threads),
        cmocka_unit_test(what_workers_may_not_do),
        cmocka_unit_test(backpressure_holds_tasks_back),
        cmocka_unit_test(backpressure_is_counted),
        cmocka_unit_test(who_cannot_wait_traps),
        cmocka_unit_test(yielding_goes_on),
        cmocka_unit_test(sets_are_checked),
        cmocka_unit_test(a_set_that_is_waited_for_stays),
        cmocka_unit_test(cancelling_is_heard),
        cmocka_unit_test(cancelling_may_come_too_late),
        cmocka_unit_test(calls_at_work_are_limited),
        cmocka_unit_test(thousands_go_round),
        cmocka_unit_test(the_host_takes_its_time),
        cmocka_unit_test(the_host_is_cancelled),
        cmocka_unit_test(whose_result_has_no_place_is_told),
        cmocka_unit_test(who_is_cancelled_is_forgotten),
        cmocka_unit_test(the_host_cannot_be_waited_for_synchronously),
        cmocka_unit_test(a_call_may_be_abandoned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
