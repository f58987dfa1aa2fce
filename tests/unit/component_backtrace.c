/* What a backtrace names where tasks have fibers of their own: who called, and who resumed. What it
 * names of values and of calls between components, tests/runner/values.sh looks at. */
#include "tests/unit/component_async_guest.h"

#include "engine/component/backtrace.h"

static enum host_answer wait_for(struct host_call *call, const void *args, void *result)
{
    (void)args;
    (void)result;
    return host_trap(call, "it does not come");
}

static const struct host_interface interfaces[] = {{"carrel:test/async", "1.0.0"}};
static const struct host_item items[] = {
    {0, HOST_FUNC, "wait", "async func(n: u32) -> u32", NULL, wait_for, NULL},
};
static const struct host_table table = {interfaces, items, 1, countof(items), NULL, NULL};

/* The frames of the last trap, one a line. */
static const char *frames(const struct guest *g)
{
    static const char *const words[] = {
        [FRAME_OF_CODE] = "in",
        [FRAME_OF_NATIVE] = "at",
        [FRAME_OF_CALLER] = "called by",
        [FRAME_OF_RESUMER] = "resumed by",
    };
    static char text[4096];
    struct cm_frame list[TRAP_FRAMES];
    uint32_t depth;
    uint32_t count = cm_backtrace(vm_trap(g->f.vm), list, TRAP_FRAMES, &depth);
    size_t used = 0;
    assert_int_equal(count, depth);
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_frame *frame = &list[i];
        const char *what = frame->kind == FRAME_OF_CODE ? frame->where : frame->name;
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s %s\n", words[frame->kind], what);
    }
    return text;
}

static void traps_with(struct guest *g, const char *name, uint32_t a, const char *expected)
{
    begin(g, name, a, 64, 0);
    assert_int_equal(fiber_run(g->f.vm, g->f.fiber), FIBER_TRAPPED);
    assert_string_equal(frames(g), expected);
}

static void a_callee_that_has_just_begun_was_called(void **state)
{
    (void)state;
    struct guest g;
    open_guest_with(&g, &table);
    traps_with(&g, "s-code", 64,
               "at canon lift of function 10\n"
               "at canon lower of function 10\n"
               "in core instance 4\n"
               "at canon lift of s-code\n");
    close_fixture(&g.f);
}

static void who_waits_resumes_another(void **state)
{
    (void)state;
    struct guest g;
    open_guest_with(&g, &table);
    assert_int_equal(CALL(&g, "s-lapse", 64) & 15, STARTED);
    traps_with(&g, "s-yield", 0,
               "at canon lift of function 12\n"
               "called by canon lower of function 12\n"
               "resumed by canon thread.yield\n"
               "in core instance 4\n"
               "at canon lift of s-yield\n");
    close_fixture(&g.f);
}

static void the_event_loop_resumes_and_an_earlier_trap_leaves_nothing(void **state)
{
    (void)state;
    struct guest g;
    open_guest_with(&g, &table);
    traps_with(&g, "a-drop-read", 77,
               "at canon stream.drop-readable of stream<u8>\n"
               "in core instance 4\n"
               "at canon lift of a-drop-read\n"
               "resumed by event loop for a-drop-read\n");
    traps_with(&g, "s-yield", 0, "at canon lift of s-yield\n");
    close_fixture(&g.f);
}

static void the_host_traps(void **state)
{
    (void)state;
    struct guest g;
    open_guest_with(&g, &table);
    traps_with(&g, "s-host-wait", 1,
               "at canon lower of carrel:test/async@1.0.0#wait\n"
               "in core instance 4\n"
               "at canon lift of s-host-wait\n");
    close_fixture(&g.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_callee_that_has_just_begun_was_called),
        cmocka_unit_test(who_waits_resumes_another),
        cmocka_unit_test(the_event_loop_resumes_and_an_earlier_trap_leaves_nothing),
        cmocka_unit_test(the_host_traps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
