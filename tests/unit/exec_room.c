/* engine/wasm/tr_room: functions that have very much of one thing are translated wherever that, and
 * what it leads to, fits at all; and a translation that is to stop does so. */
#include "tests/unit/exec_alarm.h"
#include "tests/unit/exec_fixture.h"

#define MIB ((size_t)1 << 20)

/* A function of an i32 that gives one, of so many of something. */
typedef void body(struct build *b, uint32_t count);

/* `count` branches out of one block, of which none is taken but the last. */
static void branches(struct build *b, uint32_t count)
{
    PUT(b, 0x02, 0x40);
    for (uint32_t i = 0; i < count; i++)
        PUT(b, 0x20, 0, 0x45, 0x0d, 0); /* br_if 0 where the parameter is 0 */
    PUT(b, 0x0c, 0, 0x0b, 0x41, 7);
}

/* Blocks within each other; a branch from the innermost leaves all but the outermost, which counts.
 */
static void blocks(struct build *b, uint32_t count)
{
    PUT(b, 0x41, 5, 0x21, 0);
    for (uint32_t i = 0; i < count; i++)
        PUT(b, 0x02, 0x40);
    put(b, 0x0c);
    put_u32(b, count - 2);
    for (uint32_t i = 0; i < count; i++)
        PUT(b, 0x0b, 0x20, 0, 0x41, 1, 0x6a, 0x21, 0); /* end; local 0 grows by 1 */
    PUT(b, 0x20, 0);
}

/* Operands on the stack, which are added up. */
static void operands(struct build *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        PUT(b, 0x41, 1);
    for (uint32_t i = 1; i < count; i++)
        put(b, 0x6a);
}

/* Blocks side by side with a try_table in each, in which tag 0 is thrown and caught. */
static void catches(struct build *b, uint32_t count)
{
    PUT(b, 0x41, 0, 0x21, 0);
    for (uint32_t i = 0; i < count; i++) {
        PUT(b, 0x02, 0x40, 0x1f, 0x40, 1, 0, 0, 0, 0x08, 0, 0x0b, 0x0b);
        PUT(b, 0x20, 0, 0x41, 1, 0x6a, 0x21, 0);
    }
    PUT(b, 0x20, 0);
}

/* Places with a reference and without one, by turns. */
static void maps(struct build *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        PUT(b, 0xfb, 1, 1, 0xfb, 1, 1, 0x1a, 0x1a); /* struct.new_default twice, dropped */
    PUT(b, 0x41, 9);
}

/* Plain operators, of which each becomes an instruction. */
static void code(struct build *b, uint32_t count)
{
    PUT(b, 0x20, 0);
    for (uint32_t i = 0; i < count; i++)
        put(b, 0xc0); /* i32.extend8_s */
}

/* First one thing, then another. */
static void by_turns(struct build *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        PUT(b, 0x02, 0x40);
    for (uint32_t i = 0; i < count; i++)
        put(b, 0x0b);
    operands(b, count);
    put(b, 0x1a);
    branches(b, count);
}

static void begin_body_of(struct build *b, body *make, uint32_t count)
{
    begin_module(b);
    SECTION_OF(b, TYPES, 3, 0x60, 1, 0x7f, 1, 0x7f, 0x5f, 0, 0x60, 0, 0);
    SECTION_OF(b, FUNCTIONS, 1, 0);
    SECTION_OF(b, TAGS, 1, 0, 2);
    export_functions(b, 1);
    size_t bodies = begin_bodies(b, 1);
    size_t part = begin_part(b);
    put(b, 0);
    make(b, count);
    put(b, 0x0b);
    end_part(b, part);
    end_part(b, bodies);
}

/* So many MiB are enough where each part gets what it takes, which no fixed shares would give it; a
 * quarter of that is not. */
static const struct {
    body *make;
    uint32_t count;
    uint32_t fits;
    uint64_t gives;
} rows[] = {
    {branches, 300000, 14, 7},  {blocks, 100000, 12, 5 + 2}, {operands, 100000, 32, 100000},
    {catches, 50000, 7, 50000}, {maps, 200000, 20, 9},       {code, 1000000, 26, 3},
    {by_turns, 50000, 48, 7},
};

/* Calls the function with `room` bytes for code. */
static enum fiber_state call_in(struct machine_room *room, const struct build *b, size_t size)
{
    struct vm_limits limits = usual_limits;
    limits.stack_bytes = 8 << 20;
    open_room(room, &limits);
    struct instance *instance = instantiate(room, b, NULL, FIBER_DONE);
    struct region *image = &room->store.image;
    image->end = image->at + size;
    return call_on(room, room->fiber, function(instance, 0), ARGS(3));
}

static void test_both_sides(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct machine_room room;
        struct build b;
        begin_body_of(&b, rows[i].make, rows[i].count);
        if (call_in(&room, &b, rows[i].fits * MIB) != FIBER_DONE)
            fail_msg("row %zu: %s: %s", i, trap_text(vm_trap(room.vm)->kind),
                     vm_trap(room.vm)->text);
        assert_int_equal(result(&room), rows[i].gives);
        close_room(&room);
        assert_int_equal(call_in(&room, &b, rows[i].fits * MIB / 4), FIBER_TRAPPED);
        assert_int_equal(vm_trap(room.vm)->kind, TRAP_TRANSLATION);
        assert_non_null(strstr(vm_trap(room.vm)->text, "KiB that are left for code"));
        close_room(&room);
        free(b.at);
    }
}

/* What is to stop does, with nothing changed, and the next call begins anew. */
static void test_stopped(void **state)
{
    (void)state;
    static volatile uint32_t flag;
    static body *const makes[] = {branches, blocks, operands, catches, maps, code, by_turns};
    for (size_t i = 0; i < countof(makes); i++) {
        struct vm_limits limits = usual_limits;
        struct machine_room room;
        struct build b;
        limits.interrupt = &flag;
        limits.stack_bytes = 8 << 20;
        begin_body_of(&b, makes[i], 20000);
        flag = 0;
        open_room(&room, &limits);
        struct instance *instance = instantiate(&room, &b, NULL, FIBER_DONE);
        const uint8_t *before = room.store.image.at;
        flag = 1;
        assert_int_equal(call_on(&room, room.fiber, function(instance, 0), ARGS(3)), FIBER_TRAPPED);
        assert_int_equal(vm_trap(room.vm)->kind, TRAP_INTERRUPT);
        assert_ptr_equal(room.store.image.at, before);
        flag = 0;
        assert_int_equal(call_on(&room, room.fiber, function(instance, 0), ARGS(3)), FIBER_DONE);
        close_room(&room);
        free(b.at);
    }
}

/* However long a function is, it stops soon: at every moment of its translation. */
static void test_soon(void **state)
{
    (void)state;
    struct vm_limits limits = usual_limits;
    struct machine_room room;
    struct build b;
    limits.interrupt = &alarm_flag;
    begin_body_of(&b, code, 7000000);
    open_room(&room, &limits);
    struct instance *instance = instantiate(&room, &b, NULL, FIBER_DONE);
    for (suseconds_t after = 2000; after <= 128000; after *= 2) {
        alarm_in(after);
        if (call_on(&room, room.fiber, function(instance, 0), ARGS(3)) == FIBER_DONE)
            break;
        assert_int_equal(vm_trap(room.vm)->kind, TRAP_INTERRUPT);
        assert_alarm_heeded();
    }
    close_room(&room);
    free(b.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_sides),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
