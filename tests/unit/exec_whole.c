/* Operators on whole arrays, as a guest runs them (core spec §4.4.5): every amount of fuel ends
 * them the same way each time, enough of it changes nothing, and an interruption is heeded between
 * two slices. Operators on memories and tables: exec_bulk.c. */
#include "tests/unit/exec_alarm.h"
#include "tests/unit/exec_fixture.h"

#include "engine/exec/bulk.h"
#include "engine/exec/object.h"

#define SMALL  4096u                              /* bytes of the operations that are swept */
#define LARGE  ((uint32_t)(2 * BULK_SLICE + 104)) /* bytes: three slices */
#define ENOUGH INT64_C(1000000000)

/* Functions of the module, by their exports: what makes the two arrays, what gives them, and an
 * operator each. What makes an array gives it; the others work on those two. */
enum {
    PREPARE,
    NUMBERS, /* of i64 */
    FUNCS,   /* of funcref */
    NEW,
    NEW_DEFAULT,
    NEW_DATA,
    NEW_ELEM,
    FILL,
    FILL_FUNCS,
    COPY_UP,
    COPY_DOWN,
    COPY_FUNCS,
    INIT_DATA,
    INIT_ELEM,
    FUNCTIONS_COUNT,
};

/* Types: 0 (array (mut i64)), 1 (array (mut funcref)), 2 [] -> [], 3 [] -> [(ref null 0)], 4 [] ->
 * [(ref null 1)] */
static const uint8_t type_of_function[FUNCTIONS_COUNT] = {
    [PREPARE] = 2,   [NUMBERS] = 3,    [FUNCS] = 4,     [NEW] = 3,        [NEW_DEFAULT] = 3,
    [NEW_DATA] = 3,  [NEW_ELEM] = 4,   [FILL] = 2,      [FILL_FUNCS] = 2, [COPY_UP] = 2,
    [COPY_DOWN] = 2, [COPY_FUNCS] = 2, [INIT_DATA] = 2, [INIT_ELEM] = 2,
};

/* i32.const, for numbers below 2^27 */
#define I32(n)                                                                                     \
    0x41, (uint8_t)((n) & 127) | 0x80, (uint8_t)((n) >> 7 & 127) | 0x80,                           \
        (uint8_t)((n) >> 14 & 127) | 0x80, (uint8_t)((n) >> 21 & 63)
#define GC(op, ...) 0xfb, op, __VA_ARGS__

static void put_segments(struct build *b, uint32_t count)
{
    size_t section = begin_section(b, ELEMENTS);
    PUT(b, 1, 1, 0);
    put_u32(b, count);
    for (uint32_t i = 0; i < count; i++)
        put(b, (uint8_t)(i % FUNCTIONS_COUNT));
    end_part(b, section);
    SECTION_OF(b, DATA_COUNT, 1);
}

static void put_data(struct build *b, uint32_t bytes)
{
    size_t section = begin_section(b, DATA);
    PUT(b, 1, 1);
    put_u32(b, bytes);
    for (uint32_t i = 0; i < bytes; i++)
        put(b, (uint8_t)(i * 7 + (i >> 12)));
    end_part(b, section);
}

/* Arrays of `bytes`, and one element more. */
static void make_module(struct build *b, uint32_t bytes)
{
    uint32_t n = bytes / 8;
    begin_module(b);
    SECTION_OF(b, TYPES, 5, 0x5e, 0x7e, 1, 0x5e, 0x70, 1, 0x60, 0, 0, 0x60, 0, 1, 0x63, 0, 0x60, 0,
               1, 0x63, 1);
    size_t section = begin_section(b, FUNCTIONS);
    put(b, FUNCTIONS_COUNT);
    put_bytes(b, type_of_function, FUNCTIONS_COUNT);
    end_part(b, section);
    SECTION_OF(b, GLOBALS, 2, 0x63, 0, 1, 0xd0, 0, 0x0b, 0x63, 1, 1, 0xd0, 1, 0x0b);
    export_functions(b, FUNCTIONS_COUNT);
    put_segments(b, n + 1);
    size_t bodies = begin_bodies(b, FUNCTIONS_COUNT);
    BODY(b, 0, I32(0), I32(n + 1), GC(9, 0, 0), 0x24, 0, I32(0), I32(n + 1), GC(10, 1, 0), 0x24, 1);
    BODY(b, 0, 0x23, 0);
    BODY(b, 0, 0x23, 1);
    BODY(b, 0, 0x42, 77, I32(n), GC(6, 0));
    BODY(b, 0, I32(n), GC(7, 0));
    BODY(b, 0, I32(3), I32(n), GC(9, 0, 0));
    BODY(b, 0, I32(1), I32(n), GC(10, 1, 0));
    BODY(b, 0, 0x23, 0, I32(1), 0x42, 55, I32(n), GC(16, 0));
    BODY(b, 0, 0x23, 1, I32(1), 0xd2, NEW, I32(n), GC(16, 1));
    BODY(b, 0, 0x23, 0, I32(1), 0x23, 0, I32(0), I32(n), GC(17, 0, 0));
    BODY(b, 0, 0x23, 0, I32(0), 0x23, 0, I32(1), I32(n), GC(17, 0, 0));
    BODY(b, 0, 0x23, 1, I32(1), 0x23, 1, I32(0), I32(n), GC(17, 1, 1));
    BODY(b, 0, 0x23, 0, I32(1), I32(5), I32(n), GC(18, 0, 0));
    BODY(b, 0, 0x23, 1, I32(0), I32(1), I32(n), GC(19, 1, 0));
    end_part(b, bodies);
    put_data(b, bytes + 8);
}

/* --- One operation in a store of its own --------------------------------------------------------
 */

static volatile uint32_t flag;

struct ended {
    enum trap_kind trap; /* NONE: it ended by itself */
    int64_t left;        /* of the fuel */
    uint64_t made;       /* a hash of the array that was made */
    uint64_t state;      /* of the two arrays */
};

/* Elements as numbers: functions by their places, which are the same in every store. */
static uint64_t hash(const struct instance *in, uint64_t ref, bool funcs)
{
    const struct array *array = ref ? ref_object(ref) : NULL;
    uint64_t seed = array ? array->length + 1 : 0;
    for (uint32_t i = 0; array && i < array->length; i++) {
        uint64_t element;
        memcpy(&element, array->at + i * sizeof element, sizeof element);
        for (uint32_t k = 0; funcs && k < FUNCTIONS_COUNT; k++)
            if (element == (uint64_t)(uintptr_t)in->funcs[k])
                element = k + 1;
        assert_true(!funcs || element <= FUNCTIONS_COUNT);
        seed = (seed ^ element) * UINT64_C(0x9e3779b97f4a7c15);
        seed ^= seed >> 29;
    }
    return seed;
}

/* The array that a function gives, which costs nothing here. */
static uint64_t hash_given(struct machine_room *room, struct instance *in, uint32_t export)
{
    room->vm->fuel = INT64_MAX;
    assert_int_equal(call_on(room, room->fiber, function(in, export), NULL, 0), FIBER_DONE);
    return hash(in, result(room), export == FUNCS);
}

static struct ended carry_out(const struct build *module, uint32_t operator, int64_t fuel,
                              bool interrupted)
{
    struct vm_limits limits = usual_limits;
    struct machine_room room;
    struct ended ended = {0};
    limits.fuel = ENOUGH;
    limits.interrupt = &flag;
    open_room(&room, &limits);
    flag = 0;
    struct instance *in = instantiate(&room, module, NULL, FIBER_DONE);
    assert_int_equal(call_on(&room, room.fiber, function(in, PREPARE), NULL, 0), FIBER_DONE);
    room.vm->fuel = fuel;
    struct func *func = function(in, operator);
    fiber_begin(room.vm, room.fiber, func);
    flag = interrupted;
    if (fiber_run(room.vm, room.fiber) == FIBER_DONE) {
        if (type_of_function[operator] != 2)
            ended.made = hash(in, result(&room), type_of_function[operator] == 4);
    } else {
        ended.trap = vm_trap(room.vm)->kind;
    }
    flag = 0;
    ended.left = room.vm->fuel;
    ended.state = hash_given(&room, in, NUMBERS) ^ hash_given(&room, in, FUNCS) << 1;
    close_room(&room);
    return ended;
}

static void assert_same(struct ended a, struct ended b)
{
    assert_string_equal(trap_text(a.trap), trap_text(b.trap));
    assert_int_equal(a.made, b.made);
    assert_int_equal(a.state, b.state);
}

/* --- Fuel ---------------------------------------------------------------------------------------
 */

/* Below the price it is a trap and nothing is changed, for it is all one slice; from the price on
 * it is as with plenty, and the price is what is gone. */
static void test_every_amount(void **unused)
{
    (void)unused;
    struct build module;
    make_module(&module, SMALL);
    for (uint32_t operator= NEW; operator<FUNCTIONS_COUNT; operator++) {
        struct ended before = carry_out(&module, NUMBERS, ENOUGH, false);
        struct ended plenty = carry_out(&module, operator, ENOUGH, false);
        int64_t price = ENOUGH - plenty.left;
        assert_int_equal(plenty.trap, TRAP_NONE);
        assert_in_range(price, SMALL / BULK_UNIT + 1, SMALL / BULK_UNIT + 10);
        bool makes = type_of_function[operator] != 2;
        assert_int_equal(plenty.state == before.state, makes);
        for (int64_t fuel = 0; fuel < price + 3; fuel++) {
            struct ended ended = carry_out(&module, operator, fuel, false);
            if (fuel >= price) {
                assert_same(ended, plenty);
                assert_int_equal(ended.left, fuel - price);
                continue;
            }
            assert_int_equal(ended.trap, TRAP_FUEL);
            assert_int_equal(ended.state, before.state);
        }
    }
    free(module.at);
}

/* At the ends of slices, and the same again: nothing depends on anything but the amount. */
static void test_slices(void **unused)
{
    (void)unused;
    const int64_t slice = BULK_SLICE / BULK_UNIT;
    struct build module;
    make_module(&module, LARGE);
    for (uint32_t operator= NEW; operator<FUNCTIONS_COUNT; operator++) {
        struct ended plenty = carry_out(&module, operator, ENOUGH, false);
        assert_int_equal(plenty.trap, TRAP_NONE);
        for (int64_t n = 0; n < 3; n++) {
            struct ended ended = carry_out(&module, operator, n * slice + n, false);
            assert_int_equal(ended.trap, TRAP_FUEL);
            assert_same(ended, carry_out(&module, operator, n * slice + n, false));
        }
        assert_same(carry_out(&module, operator, ENOUGH - plenty.left, false), plenty);
        assert_int_equal(carry_out(&module, operator, ENOUGH - plenty.left - 1, false).trap,
                         TRAP_FUEL);
    }
    free(module.at);
}

/* --- Interruption -------------------------------------------------------------------------------
 */

#define HUGE_BYTES (40u << 20)

/* Arrays of forty megabytes, again and again, until the alarm: it is heeded within ten milliseconds
 * of processor time, wherever it finds the operator. */
static void test_ten_milliseconds(void **unused)
{
    (void)unused;
    struct build module;
    struct machine_room room;
    struct vm_limits limits = usual_limits;
    limits.interrupt = &alarm_flag;
    limits.gc_bytes = (uint64_t)8 * HUGE_BYTES;
    make_module(&module, HUGE_BYTES);
    open_room(&room, &limits);
    alarm_flag = 0;
    struct instance *in = instantiate(&room, &module, NULL, FIBER_DONE);
    assert_int_equal(call_on(&room, room.fiber, function(in, PREPARE), NULL, 0), FIBER_DONE);
    for (uint32_t operator= NEW; operator<FUNCTIONS_COUNT; operator++) {
        alarm_in(3000 + operator* 500);
        while (call_on(&room, room.fiber, function(in, operator), NULL, 0) == FIBER_DONE)
            ;
        assert_int_equal(vm_trap(room.vm)->kind, TRAP_INTERRUPT);
        assert_alarm_heeded();
    }
    close_room(&room);
    free(module.at);
}

/* The flag was up before: no more than a slice is done. */
static void test_interrupted(void **unused)
{
    (void)unused;
    struct build module;
    make_module(&module, LARGE);
    for (uint32_t operator= NEW; operator<FUNCTIONS_COUNT; operator++) {
        struct ended ended = carry_out(&module, operator, ENOUGH, true);
        assert_int_equal(ended.trap, TRAP_INTERRUPT);
        assert_same(ended, carry_out(&module, operator, INT64_MAX, true));
    }
    free(module.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_amount),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_ten_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
