/* engine/exec/wait: fibers that wait in shared memory, and who ends that. */
#include "tests/unit/exec_fixture.h"

#define MICROSECOND UINT64_C(1000)

/* Functions of the module, all exported. */
enum { WAIT32, WAIT64, NOTIFY, WAIT_UNSHARED, NOTIFY_UNSHARED, STORE };

/* Memory 0 is shared, memory 1 is not. */
static void make_module(struct build *b)
{
    begin_module(b);
    SECTION_OF(b, TYPES, 4, 0x60, 3, 0x7f, 0x7f, 0x7e, 1, 0x7f, 0x60, 3, 0x7f, 0x7e, 0x7e, 1, 0x7f,
               0x60, 2, 0x7f, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 0);
    SECTION_OF(b, FUNCTIONS, 6, 0, 1, 2, 0, 2, 3);
    SECTION_OF(b, MEMORIES, 2, 3, 1, 1, 1, 1, 1);
    export_functions(b, 6);
    size_t bodies = begin_bodies(b, 6);
    BODY(b, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfe, 0x01, 2, 0);
    BODY(b, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfe, 0x02, 3, 0);
    BODY(b, 0, 0x20, 0, 0x20, 1, 0xfe, 0x00, 2, 0);
    BODY(b, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfe, 0x01, 0x42, 1, 0);
    BODY(b, 0, 0x20, 0, 0x20, 1, 0xfe, 0x00, 0x42, 1, 0);
    BODY(b, 0, 0x20, 0, 0x20, 1, 0xfe, 0x17, 2, 0);
    end_part(b, bodies);
}

/* A clock that stands until it is moved, and what was asked of it. */
struct fake_clock {
    uint64_t now;
    struct fiber *woken;
    uint64_t moment;
    unsigned wakes;
    bool refuses;
};

static uint64_t fake_now(void *data)
{
    return ((struct fake_clock *)data)->now;
}

static bool fake_wake(void *data, struct fiber *fiber, uint64_t moment)
{
    struct fake_clock *clock = data;
    clock->woken = fiber;
    clock->moment = moment;
    clock->wakes++;
    return !clock->refuses;
}

struct waiting {
    struct machine_room room;
    struct build b;
    struct instance *instance;
    struct fake_clock clock;
};

static struct func *of(struct waiting *w, uint32_t export)
{
    return function(w->instance, export);
}

static void open_waiting(struct waiting *w, bool with_clock)
{
    *w = (struct waiting){0};
    open_room(&w->room, &usual_limits);
    make_module(&w->b);
    w->instance = instantiate(&w->room, &w->b, NULL, FIBER_DONE);
    struct vm_clock clock = {fake_now, fake_wake, &w->clock};
    if (with_clock)
        vm_set_clock(w->room.vm, &clock);
}

static void close_waiting(struct waiting *w)
{
    close_room(&w->room);
    free(w->b.at);
}

#define FOR_EVER UINT64_MAX /* a negative timeout */

static void value_differs(void **state)
{
    struct waiting w;
    (void)state;
    open_waiting(&w, true);
    assert_returns(&w.room, of(&w, WAIT32), ARGS(0, 1, FOR_EVER), 1);
    assert_returns(&w.room, of(&w, WAIT64), ARGS(8, 1, FOR_EVER), 1);
    assert_returns(&w.room, of(&w, WAIT64), ARGS(8, UINT64_C(1) << 40, 0), 1);
    assert_int_equal(w.clock.wakes, 0);
    close_waiting(&w);
}

static void no_time_or_no_clock(void **state)
{
    struct waiting w;
    (void)state;
    open_waiting(&w, true);
    assert_returns(&w.room, of(&w, WAIT32), ARGS(0, 0, 0), 2);
    close_waiting(&w);
    open_waiting(&w, false);
    assert_returns(&w.room, of(&w, WAIT32), ARGS(0, 0, 5 * MICROSECOND), 2);
    assert_returns(&w.room, of(&w, NOTIFY), ARGS(0, 9), 0);
    close_waiting(&w);
}

static void time_passes(void **state)
{
    struct waiting w;
    (void)state;
    open_waiting(&w, true);
    w.clock.now = 1000;
    assert_int_equal(call_on(&w.room, w.room.fiber, of(&w, WAIT64), ARGS(16, 0, 500)),
                     FIBER_BLOCKED);
    assert_int_equal(w.clock.moment, 1500);
    assert_ptr_equal(w.clock.woken, w.room.fiber);
    w.clock.now = 1499; /* run again for another reason */
    assert_int_equal(fiber_run(w.room.vm, w.room.fiber), FIBER_BLOCKED);
    w.clock.now = 1500;
    assert_int_equal(fiber_run(w.room.vm, w.room.fiber), FIBER_DONE);
    assert_int_equal(result(&w.room), 2);
    assert_returns(&w.room, of(&w, NOTIFY), ARGS(16, 9), 0); /* it waits no longer */
    close_waiting(&w);
}

/* A moment beyond the end of time is none. */
static void very_long(void **state)
{
    struct waiting w;
    (void)state;
    open_waiting(&w, true);
    w.clock.now = UINT64_MAX - 10;
    assert_int_equal(call_on(&w.room, w.room.fiber, of(&w, WAIT32), ARGS(0, 0, INT64_MAX)),
                     FIBER_BLOCKED);
    assert_int_equal(w.clock.wakes, 0);
    close_waiting(&w);
}

/* Three wait at one place, one elsewhere: they are woken in the order in which they came. */
static void notified_in_order(void **state)
{
    struct waiting w;
    struct fiber *fibers[4];
    (void)state;
    open_waiting(&w, true);
    for (unsigned i = 0; i < 4; i++) {
        fibers[i] = fiber_new(w.room.vm);
        assert_non_null(fibers[i]);
        assert_int_equal(
            call_on(&w.room, fibers[i], of(&w, WAIT32), ARGS(i == 1 ? 4 : 0, 0, FOR_EVER)),
            FIBER_BLOCKED);
    }
    assert_returns(&w.room, of(&w, NOTIFY), ARGS(0, 0), 0);
    assert_returns(&w.room, of(&w, NOTIFY), ARGS(0, 1), 1);
    assert_ptr_equal(w.clock.woken, fibers[0]);
    assert_int_equal(w.clock.moment, 0);
    assert_int_equal(fiber_run(w.room.vm, fibers[2]), FIBER_BLOCKED);
    /* That the value has changed since does not matter. */
    assert_int_equal(call_on(&w.room, w.room.fiber, of(&w, STORE), ARGS(0, 7)), FIBER_DONE);
    assert_int_equal(fiber_run(w.room.vm, fibers[0]), FIBER_DONE);
    assert_int_equal(fiber_results(fibers[0])[0].u64, 0);
    fiber_free(w.room.vm, fibers[2]);
    assert_returns(&w.room, of(&w, NOTIFY), ARGS(0, UINT32_MAX), 1);
    assert_int_equal(fiber_run(w.room.vm, fibers[3]), FIBER_DONE);
    assert_int_equal(fiber_run(w.room.vm, fibers[1]), FIBER_BLOCKED);
    fiber_begin(w.room.vm, fibers[1], of(&w, STORE));
    assert_returns(&w.room, of(&w, NOTIFY), ARGS(4, 1), 0);
    close_waiting(&w);
}

/* Nobody is left: the trap says so, and where it waits. */
static void nobody_notifies(void **state)
{
    struct waiting w;
    (void)state;
    open_waiting(&w, true);
    assert_int_equal(call_on(&w.room, w.room.fiber, of(&w, WAIT64), ARGS(8, 0, FOR_EVER)),
                     FIBER_BLOCKED);
    fiber_deadlock(w.room.vm, w.room.fiber);
    const struct trap *trap = vm_trap(w.room.vm);
    assert_int_equal(fiber_state(w.room.fiber), FIBER_TRAPPED);
    assert_int_equal(trap->kind, TRAP_DEADLOCK);
    assert_non_null(strstr(trap->text, "notify"));
    assert_int_equal(trap->depth, 1);
    assert_ptr_equal(trap->frames[0].instance, w.instance);
    assert_int_equal(trap->frames[0].func, WAIT64);
    assert_memory_equal(w.b.at + trap->frames[0].offset, "\xfe\x02", 2);
    assert_returns(&w.room, of(&w, NOTIFY), ARGS(8, 9), 0); /* it waits no longer */
    close_waiting(&w);
}

/* A native function that is blocked, for nothing; and one that calls it in a fiber of its own. */
static enum native_answer block(struct vm *vm, struct native *frame)
{
    (void)vm;
    (void)frame;
    return NATIVE_BLOCKED;
}

static enum native_answer resume(struct vm *vm, struct native *frame)
{
    native_resume(vm, frame->data);
    return NATIVE_RESUME;
}

static void nothing_happens(void **state)
{
    struct waiting w;
    (void)state;
    open_waiting(&w, true);
    struct vm *vm = w.room.vm;
    uint32_t type = types_func_id(w.room.store.types, NULL, 0, NULL, 0);
    struct fiber *inner = fiber_new(vm);
    fiber_begin(vm, inner, func_native(vm, type, block, NULL));
    struct func *outer = func_native(vm, type, resume, inner);
    assert_int_equal(call_on(&w.room, w.room.fiber, outer, NULL, 0), FIBER_BLOCKED);
    fiber_deadlock(vm, w.room.fiber);
    assert_int_equal(fiber_state(w.room.fiber), FIBER_TRAPPED);
    assert_int_equal(fiber_state(inner), FIBER_TRAPPED);
    assert_int_equal(vm_trap(vm)->kind, TRAP_DEADLOCK);
    assert_null(strstr(vm_trap(vm)->text, "notify"));
    assert_returns(&w.room, of(&w, NOTIFY), ARGS(0, 9), 0); /* the store goes on */
    close_waiting(&w);
}

static void traps(void **state)
{
    struct waiting w;
    (void)state;
    open_waiting(&w, true);
    assert_traps(&w.room, of(&w, WAIT32), ARGS(2, 0, 0), TRAP_UNALIGNED);
    assert_traps(&w.room, of(&w, WAIT64), ARGS(4, 0, 0), TRAP_UNALIGNED);
    assert_traps(&w.room, of(&w, WAIT32), ARGS(65536, 0, 0), TRAP_MEMORY_BOUNDS);
    assert_traps(&w.room, of(&w, WAIT64), ARGS(65532, 0, 0), TRAP_MEMORY_BOUNDS);
    assert_traps(&w.room, of(&w, NOTIFY), ARGS(UINT32_MAX, 0), TRAP_MEMORY_BOUNDS);
    assert_traps(&w.room, of(&w, NOTIFY), ARGS(1, 0), TRAP_UNALIGNED);
    assert_traps(&w.room, of(&w, WAIT_UNSHARED), ARGS(0, 0, 0), TRAP_EXPECTED_SHARED);
    assert_returns(&w.room, of(&w, NOTIFY_UNSHARED), ARGS(0, 9), 0);
    w.clock.refuses = true;
    assert_traps(&w.room, of(&w, WAIT32), ARGS(0, 0, 1), TRAP_OUT_OF_MEMORY);
    assert_returns(&w.room, of(&w, NOTIFY), ARGS(0, 9), 0);
    close_waiting(&w);
}

/* A leaf may not wait, and leaves nobody in the queue. */
static enum native_answer call_leaf(struct vm *vm, struct native *frame)
{
    struct waiting *w = frame->data;
    union slot *args = native_args(vm, frame, 3);
    args[0].u64 = args[1].u64 = 0;
    args[2].u64 = FOR_EVER;
    return native_leaf(vm, frame, of(w, WAIT32)) ? NATIVE_DONE : NATIVE_TRAP;
}

static void in_a_leaf(void **state)
{
    struct waiting w;
    (void)state;
    open_waiting(&w, true);
    uint32_t type = types_func_id(w.room.store.types, NULL, 0, NULL, 0);
    struct func *native = func_native(w.room.vm, type, call_leaf, &w);
    assert_traps(&w.room, native, NULL, 0, TRAP_COMPONENT);
    assert_returns(&w.room, of(&w, NOTIFY), ARGS(0, 9), 0);
    close_waiting(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_differs),   cmocka_unit_test(no_time_or_no_clock),
        cmocka_unit_test(time_passes),     cmocka_unit_test(very_long),
        cmocka_unit_test(traps),           cmocka_unit_test(notified_in_order),
        cmocka_unit_test(in_a_leaf),       cmocka_unit_test(nobody_notifies),
        cmocka_unit_test(nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
