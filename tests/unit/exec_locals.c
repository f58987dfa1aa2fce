/* engine/wasm/translate: functions with as many parameters and locals as there may be, bodies so
 * short that the room in which they are translated at first is small, and more than there may be.
 */
#include "tests/unit/exec_fixture.h"

#define PARAMS_MOST 1000u
#define LOCALS_MOST 49000u

/* Type 0: PARAMS_MOST i32 to an i32; type 1: nothing to nothing. Function 1 does nothing. */
static void begin_wide_module(struct build *b)
{
    begin_module(b);
    size_t section = begin_section(b, TYPES);
    PUT(b, 2, 0x60);
    put_u32(b, PARAMS_MOST);
    for (unsigned i = 0; i < PARAMS_MOST; i++)
        put(b, 0x7f);
    PUT(b, 1, 0x7f, 0x60, 0, 0);
    end_part(b, section);
    SECTION_OF(b, FUNCTIONS, 2, 0, 1);
    export_functions(b, 2);
}

static void assert_gives(const struct build *b, uint64_t expected)
{
    struct machine_room room;
    uint64_t args[PARAMS_MOST];
    for (unsigned i = 0; i < PARAMS_MOST; i++)
        args[i] = i * 3;
    open_room(&room, &usual_limits);
    struct instance *instance = instantiate(&room, b, NULL, FIBER_DONE);
    assert_returns(&room, function(instance, 0), args, PARAMS_MOST, expected);
    close_room(&room);
}

/* References come and go between calls, of which the collector's maps are made; then a parameter is
 * given back. */
static void expect_param(unsigned calls, unsigned param)
{
    struct build b;
    begin_wide_module(&b);
    size_t bodies = begin_bodies(&b, 2);
    size_t body = begin_part(&b);
    put(&b, 0);
    for (unsigned i = 0; i < calls; i++)
        PUT(&b, 0xd2, 0, 0x10, 1, 0x1a, 0x10, 1); /* ref.func, call, drop, call */
    put(&b, 0x20);
    put_u32(&b, param);
    put(&b, 0x0b);
    end_part(&b, body);
    BODY(&b, 0);
    end_part(&b, bodies);
    assert_gives(&b, param * 3);
    free(b.at);
}

static void test_many_params(void **state)
{
    (void)state;
    for (unsigned calls = 0; calls <= 24; calls += 4)
        for (unsigned param = 3; param < PARAMS_MOST; param += 12)
            expect_param(calls, param);
}

/* Behind the parameters locals: the last of either are added. */
static void test_many_locals(void **state)
{
    (void)state;
    struct build b;
    begin_wide_module(&b);
    size_t bodies = begin_bodies(&b, 2);
    size_t body = begin_part(&b);
    put(&b, 1);
    put_u32(&b, LOCALS_MOST);
    put(&b, 0x7f);
    PUT(&b, 0x41, 5, 0x21); /* i32.const, local.set */
    put_u32(&b, PARAMS_MOST + LOCALS_MOST - 1);
    put(&b, 0x20);
    put_u32(&b, PARAMS_MOST - 1);
    put(&b, 0x20);
    put_u32(&b, PARAMS_MOST + LOCALS_MOST - 1);
    put(&b, 0x6a);
    put(&b, 0x20); /* and one that was never set */
    put_u32(&b, PARAMS_MOST + LOCALS_MOST / 2);
    PUT(&b, 0x6a, 0x0b);
    end_part(&b, body);
    BODY(&b, 0);
    end_part(&b, bodies);
    assert_gives(&b, (PARAMS_MOST - 1) * 3 + 5);
    free(b.at);
}

/* More references on the stack than the collector's maps have room for: a trap of its own. */
static void test_too_many_references(void **state)
{
    (void)state;
    enum { REFERENCES = 70000 };
    struct machine_room room;
    struct build b;
    begin_module(&b);
    SECTION_OF(&b, TYPES, 2, 0x60, 0, 0, 0x5f, 0); /* a function, and a struct without fields */
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    export_functions(&b, 1);
    size_t bodies = begin_bodies(&b, 1);
    size_t body = begin_part(&b);
    put(&b, 0);
    for (int i = 0; i < REFERENCES; i++)
        PUT(&b, 0xfb, 1, 1); /* struct.new_default */
    for (int i = 0; i < REFERENCES; i++)
        put(&b, 0x1a);
    put(&b, 0x0b);
    end_part(&b, body);
    end_part(&b, bodies);
    open_room(&room, &usual_limits);
    struct instance *instance = instantiate(&room, &b, NULL, FIBER_DONE);
    assert_traps(&room, function(instance, 0), NULL, 0, TRAP_TRANSLATION);
    close_room(&room);
    free(b.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_params),
        cmocka_unit_test(test_many_locals),
        cmocka_unit_test(test_too_many_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
