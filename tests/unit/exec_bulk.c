/* engine/exec/bulk: the operators without a bound. Every amount of fuel ends them the same way each
 * time, enough of it changes nothing, and an interruption is heeded between two slices. */
#include "tests/unit/exec_alarm.h"
#include "tests/unit/exec_fixture.h"

#include "engine/exec/bulk.h"

#define SMALL  4096u                              /* bytes of the operations that are swept */
#define LARGE  ((uint32_t)(2 * BULK_SLICE + 100)) /* bytes: three slices */
#define PAGES  72u                                /* of memory 0 */
#define PAGE   65536u
#define ELEMS  (LARGE / 8)
#define COUNT  (2 * ELEMS) /* of table 0 */
#define ENOUGH UINT64_C(1000000000)

/* A module, with memories of so many pages, tables and an element segment of so many elements, a
 * data segment of so many bytes. */
struct sized {
    uint32_t pages, count, elems, bytes;
    struct build module;
};

static struct sized small = {.pages = 1, .count = 2048, .elems = 1024, .bytes = 5000};
static struct sized large = {.pages = PAGES, .count = COUNT, .elems = ELEMS, .bytes = LARGE};

/* Functions of the module, all exported. The first is the host's: every other calls it before its
 * operation, and it may raise the flag. The others' arguments are (to, from, len) where an operator
 * has them.
 */
enum {
    RAISE,
    FILL,
    COPY,
    ACROSS,
    INIT,
    GROW,
    TABLE_FILL,
    TABLE_COPY,
    TABLE_ACROSS,
    TABLE_INIT,
    TABLE_GROW
};
#define FUNCTIONS_COUNT 11u

static void put_data(struct build *b, uint32_t bytes)
{
    size_t section = begin_section(b, DATA);
    PUT(b, 1, 1);
    put_u32(b, bytes);
    for (uint32_t i = 0; i < bytes; i++)
        put(b, (uint8_t)(i * 7 + (i >> 12)));
    end_part(b, section);
}

static void put_elements(struct build *b, uint32_t elems)
{
    size_t section = begin_section(b, ELEMENTS);
    PUT(b, 1, 1, 0);
    put_u32(b, elems);
    for (uint32_t i = 0; i < elems; i++)
        put(b, (uint8_t)(i % 7 + i % 3));
    end_part(b, section);
}

static void put_tables(struct build *b, uint32_t count)
{
    size_t section = begin_section(b, TABLES);
    PUT(b, 2, 0x70, 0);
    put_u32(b, count);
    PUT(b, 0x70, 0);
    put_u32(b, count);
    end_part(b, section);
}

static void make_module(struct sized *sized)
{
    struct build *b = &sized->module;
    begin_module(b);
    SECTION_OF(b, TYPES, 3, 0x60, 3, 0x7f, 0x7f, 0x7f, 0, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60,
               0, 0);
    SECTION_OF(b, IMPORTS, 1, 0, 0, 0, 2);
    SECTION_OF(b, FUNCTIONS, FUNCTIONS_COUNT - 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
    put_tables(b, sized->count);
    size_t section = begin_section(b, MEMORIES);
    put(b, 2);
    for (unsigned i = 0; i < 2; i++) {
        put(b, 0);
        put_u32(b, sized->pages);
    }
    end_part(b, section);
    export_functions(b, FUNCTIONS_COUNT);
    put_elements(b, sized->elems);
    SECTION_OF(b, DATA_COUNT, 1);
    size_t bodies = begin_bodies(b, FUNCTIONS_COUNT - 1);
    BODY(b, 0, 0x10, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 11, 0);
    BODY(b, 0, 0x10, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 10, 0, 0);
    BODY(b, 0, 0x10, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 10, 1, 0);
    BODY(b, 0, 0x10, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 8, 0, 0);
    BODY(b, 0, 0x10, 0, 0x20, 2, 0x40, 0);
    BODY(b, 0, 0x10, 0, 0x20, 0, 0xd2, 0, 0x20, 2, 0xfc, 17, 0);
    BODY(b, 0, 0x10, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 14, 0, 0);
    BODY(b, 0, 0x10, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 14, 1, 0);
    BODY(b, 0, 0x10, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 12, 0, 0);
    BODY(b, 0, 0x10, 0, 0xd2, 1, 0x20, 2, 0xfc, 15, 0);
    end_part(b, bodies);
    put_data(b, sized->bytes);
}

/* --- One operation in a store of its own --------------------------------------------------------
 */

/* What code looks at; and whether the host's function raises it. */
static volatile uint32_t flag;
static bool raises;

static enum native_answer raise_step(struct vm *vm, struct native *frame)
{
    (void)vm;
    (void)frame;
    flag = raises;
    return NATIVE_DONE;
}

static struct instance *with_raise(struct machine_room *room, const struct build *b)
{
    flag = 0;
    uint32_t type = types_func_id(room->store.types, NULL, 0, NULL, 0);
    const struct core_extern raise = {.kind = EXTERN_FUNC,
                                      .func = func_native(room->vm, type, raise_step, NULL)};
    return instantiate(room, b, &raise, FIBER_DONE);
}

struct operation {
    unsigned function;
    uint32_t args[3];
};

struct ended {
    enum trap_kind trap; /* NONE: it ended by itself */
    uint64_t result;
    uint64_t state; /* a hash of memories and tables */
};

static uint64_t hash(uint64_t seed, const void *at, size_t len)
{
    const uint64_t *words = at;
    for (size_t i = 0; i < len / sizeof *words; i++)
        seed = (seed ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return seed;
}

/* Function references are hashed by the function's place, which is the same in every store. */
static uint64_t hash_table(uint64_t seed, const struct table_instance *table,
                           const struct instance *instance)
{
    for (uint64_t i = 0; i < table->count; i++) {
        const struct func *func = table_slots(table)[i].ref;
        uint64_t place = !func ? 0 : func->instance ? 1 + func->index : 1;
        assert_true(place <= FUNCTIONS_COUNT && (!func || func == instance->funcs[place - 1]));
        seed = (seed ^ place) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return hash(seed, &table->count, sizeof table->count);
}

static uint64_t hash_state(const struct instance *instance)
{
    uint64_t seed = 1;
    for (unsigned i = 0; i < 2; i++) {
        const struct linear_memory *memory = instance->memories[i];
        assert_int_equal(memory->span.size, memory->pages * PAGE);
        seed = hash(seed, memory->span.at, memory->span.size);
        seed = hash_table(seed, instance->tables[i], instance);
    }
    return seed;
}

static void prepare_state(const struct instance *instance)
{
    for (unsigned i = 0; i < 2; i++) {
        struct linear_memory *memory = instance->memories[i];
        union slot *slots = table_slots(instance->tables[i]);
        for (size_t at = 0; at < memory->span.size; at++)
            memory->span.at[at] = (uint8_t)(at * 13 + i + (at >> 8));
        for (size_t at = 0; at < instance->tables[i]->count; at++)
            slots[at].ref = at % 5 ? instance->funcs[(at + i) % FUNCTIONS_COUNT] : NULL;
    }
}

static struct ended carry_out(const struct sized *sized, const struct operation *operation,
                              uint64_t fuel, bool polled)
{
    struct vm_limits limits = usual_limits;
    struct machine_room room;
    limits.fuel = fuel;
    limits.interrupt = polled ? &flag : NULL;
    limits.table_elements = 8 * COUNT;
    open_room(&room, &limits);
    struct instance *instance = with_raise(&room, &sized->module);
    prepare_state(instance);
    const uint64_t args[] = {operation->args[0], operation->args[1], operation->args[2]};
    struct ended ended = {0};
    if (call_on(&room, room.fiber, function(instance, operation->function), args, 3) == FIBER_DONE)
        ended.result = result(&room) & UINT32_MAX;
    else
        ended.trap = vm_trap(room.vm)->kind;
    if (operation->function != GROW && operation->function != TABLE_GROW)
        ended.result = 0;
    ended.state = hash_state(instance);
    close_room(&room);
    return ended;
}

static void assert_same(struct ended a, struct ended b)
{
    assert_string_equal(trap_text(a.trap), trap_text(b.trap));
    assert_int_equal(a.result, b.result);
    assert_int_equal(a.state, b.state);
}

/* The least fuel with which the operation ends by itself: what its bytes cost, and a few operators.
 */
static uint64_t price(const struct sized *sized, const struct operation *operation)
{
    uint64_t bytes = operation->args[2] * (operation->function < TABLE_FILL ? 1 : 8);
    uint64_t fuel = bytes / BULK_UNIT;
    while (carry_out(sized, operation, fuel, false).trap == TRAP_FUEL)
        fuel++;
    return fuel;
}

static const struct operation smalls[] = {
    {FILL, {100, 0xab, SMALL}},
    {COPY, {300, 100, SMALL}},
    {COPY, {100, 300, SMALL}},
    {ACROSS, {5, 7000, SMALL}},
    {INIT, {9, 50, SMALL}},
    {GROW, {0, 0, 3}},
    {TABLE_FILL, {10, 0, SMALL / 8}},
    {TABLE_COPY, {20, 10, SMALL / 8}},
    {TABLE_COPY, {10, 20, SMALL / 8}},
    {TABLE_ACROSS, {1, 2, SMALL / 8}},
    {TABLE_INIT, {3, 4, SMALL / 8}},
    {TABLE_GROW, {0, 0, SMALL / 8}},
};

static const struct operation larges[] = {
    {FILL, {100, 0xab, LARGE}},    {COPY, {3000, 100, LARGE}}, /* both ways of overlapping */
    {COPY, {100, 3000, LARGE}},    {COPY, {100, 100, LARGE}},     {COPY, {0, 2500000, LARGE}},
    {ACROSS, {5, 7000, LARGE}},    {INIT, {9, 0, LARGE}},         {TABLE_FILL, {10, 0, ELEMS}},
    {TABLE_COPY, {20, 10, ELEMS}}, {TABLE_COPY, {10, 20, ELEMS}}, {TABLE_ACROSS, {1, 2, ELEMS}},
    {TABLE_INIT, {3, 0, ELEMS}},   {TABLE_GROW, {0, 0, ELEMS}},
};

/* --- What slices must not change ----------------------------------------------------------------
 */

/* Carries an operation on bytes out in one go, on the state that prepare_state makes. */
static void expect_bytes(const struct operation *operation, uint8_t *memories[2])
{
    uint32_t to = operation->args[0], from = operation->args[1], len = operation->args[2];
    for (unsigned i = 0; i < 2; i++)
        for (size_t at = 0; at < PAGES * PAGE; at++)
            memories[i][at] = (uint8_t)(at * 13 + i + (at >> 8));
    switch (operation->function) {
    case FILL: memset(memories[0] + to, (int)from, len); break;
    case COPY: memmove(memories[0] + to, memories[0] + from, len); break;
    case ACROSS: memmove(memories[1] + to, memories[0] + from, len); break;
    default:
        for (uint32_t i = from; i < from + len; i++)
            memories[0][to + i - from] = (uint8_t)(i * 7 + (i >> 12));
    }
}

static void test_bytes(void **state)
{
    (void)state;
    uint8_t *memories[2] = {malloc(PAGES * PAGE), malloc(PAGES * PAGE)};
    assert_true(memories[0] && memories[1]);
    struct machine_room room;
    struct vm_limits limits = usual_limits;
    limits.table_elements = 8 * COUNT;
    open_room(&room, &limits);
    struct instance *instance = with_raise(&room, &large.module);
    for (size_t i = 0; i < countof(larges) && larges[i].function < TABLE_FILL; i++) {
        const struct operation *operation = &larges[i];
        const uint64_t args[] = {operation->args[0], operation->args[1], operation->args[2]};
        prepare_state(instance);
        expect_bytes(operation, memories);
        assert_int_equal(
            call_on(&room, room.fiber, function(instance, operation->function), args, 3),
            FIBER_DONE);
        for (unsigned k = 0; k < 2; k++)
            assert_memory_equal(memories[k], instance->memories[k]->span.at, PAGES * PAGE);
    }
    close_room(&room);
    free(memories[0]);
    free(memories[1]);
}

/* The model: elements as numbers. */
static void test_elements(void **state)
{
    (void)state;
    static void *model[2][3 * ELEMS];
    struct machine_room room;
    struct vm_limits limits = usual_limits;
    limits.table_elements = 8 * COUNT;
    for (size_t i = 0; i < countof(larges); i++) {
        const struct operation *operation = &larges[i];
        uint32_t to = operation->args[0], from = operation->args[1], len = operation->args[2];
        const uint64_t args[] = {to, from, len};
        if (operation->function < TABLE_FILL)
            continue;
        open_room(&room, &limits);
        struct instance *instance = with_raise(&room, &large.module);
        prepare_state(instance);
        for (unsigned k = 0; k < 2; k++)
            memcpy(model[k], table_slots(instance->tables[k]), COUNT * sizeof(void *));
        switch (operation->function) {
        case TABLE_COPY: memmove(model[0] + to, model[0] + from, len * sizeof(void *)); break;
        case TABLE_ACROSS: memmove(model[1] + to, model[0] + from, len * sizeof(void *)); break;
        default:
            for (uint32_t k = 0; k < len; k++)
                model[0][operation->function == TABLE_GROW ? COUNT + k : to + k] =
                    instance->funcs[operation->function == TABLE_FILL   ? 0
                                    : operation->function == TABLE_GROW ? 1
                                                                        : k % 7 + k % 3];
        }
        assert_int_equal(
            call_on(&room, room.fiber, function(instance, operation->function), args, 3),
            FIBER_DONE);
        for (unsigned k = 0; k < 2; k++)
            assert_memory_equal(model[k], table_slots(instance->tables[k]),
                                instance->tables[k]->count * sizeof(void *));
        assert_int_equal(instance->tables[0]->count,
                         COUNT + (operation->function == TABLE_GROW ? ELEMS : 0));
        close_room(&room);
    }
}

/* Bounds are those of the whole, before anything is written. */
static void test_bounds(void **state)
{
    (void)state;
    static const struct operation beyond[] = {
        {FILL, {PAGES * PAGE - LARGE + 1, 1, LARGE}},
        {COPY, {PAGES * PAGE - LARGE + 1, 0, LARGE}},
        {COPY, {0, PAGES * PAGE - LARGE + 1, LARGE}},
        {ACROSS, {0, PAGES * PAGE - LARGE + 1, LARGE}},
        {INIT, {0, 1, LARGE}},
        {INIT, {PAGES * PAGE - LARGE + 1, 0, LARGE}},
        {TABLE_FILL, {COUNT - ELEMS + 1, 0, ELEMS}},
        {TABLE_COPY, {COUNT - ELEMS + 1, 0, ELEMS}},
        {TABLE_COPY, {0, COUNT - ELEMS + 1, ELEMS}},
        {TABLE_INIT, {0, 1, ELEMS}},
        {TABLE_INIT, {COUNT - ELEMS + 1, 0, ELEMS}},
    };
    const struct operation nothing = {FILL, {0, 0, 0}};
    struct ended before = carry_out(&large, &nothing, UINT64_MAX, false);
    for (size_t i = 0; i < countof(beyond); i++) {
        struct ended ended = carry_out(&large, &beyond[i], UINT64_MAX, false);
        assert_int_equal(ended.trap,
                         beyond[i].function < TABLE_FILL ? TRAP_MEMORY_BOUNDS : TRAP_TABLE_BOUNDS);
        assert_int_equal(ended.state, before.state);
    }
}

/* --- Fuel ---------------------------------------------------------------------------------------
 */

/* Every amount: below the price it is a trap, and what it leaves is either nothing or a part; from
 * the price on it is as without counting. */
static void test_every_amount(void **state)
{
    (void)state;
    const struct operation nothing = {FILL, {0, 0, 0}};
    struct ended before = carry_out(&small, &nothing, UINT64_MAX, false);
    for (size_t i = 0; i < countof(smalls); i++) {
        const struct operation *operation = &smalls[i];
        struct ended without = carry_out(&small, operation, UINT64_MAX, false);
        uint64_t least = price(&small, operation);
        assert_int_equal(without.trap, TRAP_NONE);
        assert_in_range(least, 2, 10 + SMALL / BULK_UNIT);
        if (operation->function != GROW)
            assert_in_range(least, SMALL / BULK_UNIT, 10 + SMALL / BULK_UNIT);
        for (uint64_t fuel = 0; fuel < least + 3; fuel++) {
            struct ended ended = carry_out(&small, operation, fuel, false);
            if (fuel >= least) {
                assert_same(ended, without);
                continue;
            }
            assert_int_equal(ended.trap, TRAP_FUEL);
            assert_int_equal(ended.state, before.state);
        }
    }
}

/* At the ends of slices, and the same again: nothing depends on anything but the amount. */
static void test_slices(void **state)
{
    (void)state;
    const uint64_t slice = BULK_SLICE / BULK_UNIT;
    for (size_t i = 0; i < countof(larges); i++) {
        const struct operation *operation = &larges[i];
        struct ended without = carry_out(&large, operation, UINT64_MAX, false);
        assert_int_equal(without.trap, TRAP_NONE);
        assert_same(carry_out(&large, operation, ENOUGH, false), without);
        for (uint64_t n = 0; n < 3; n++) {
            struct ended ended = carry_out(&large, operation, n * slice + n, false);
            assert_int_equal(ended.trap, TRAP_FUEL);
            assert_same(ended, carry_out(&large, operation, n * slice + n, false));
        }
        assert_same(carry_out(&large, operation, LARGE / BULK_UNIT + 20, false), without);
    }
}

/* --- Interruption -------------------------------------------------------------------------------
 */

static void test_interrupted(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(larges); i++) {
        raises = false;
        struct ended without = carry_out(&large, &larges[i], UINT64_MAX, false);
        assert_same(carry_out(&large, &larges[i], UINT64_MAX, true), without);
        assert_same(carry_out(&large, &larges[i], ENOUGH, true), without);
        raises = true;
        assert_same(carry_out(&large, &larges[i], UINT64_MAX, false), without);
        struct ended ended = carry_out(&large, &larges[i], UINT64_MAX, true);
        assert_int_equal(ended.trap, TRAP_INTERRUPT);
        assert_same(ended, carry_out(&large, &larges[i], ENOUGH, true));
    }
    /* What is short is done, and the code after it stopped when it next goes round. */
    for (size_t i = 0; i < countof(smalls); i++)
        assert_int_equal(carry_out(&small, &smalls[i], UINT64_MAX, true).trap, TRAP_NONE);
    raises = false;
}

/* --- A memory that has to move ------------------------------------------------------------------
 */

#define MOVED_PAGES 96u

/* Four memories in a small arena: the second can only grow far by moving. Function 1 does
 * that. */
static void make_moving(struct build *b)
{
    begin_module(b);
    SECTION_OF(b, TYPES, 2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 0);
    SECTION_OF(b, IMPORTS, 1, 0, 0, 0, 1);
    SECTION_OF(b, FUNCTIONS, 1, 0);
    SECTION_OF(b, MEMORIES, 4, 1, 1, 1, 0, MOVED_PAGES, 0, 1, 0, 1);
    export_functions(b, 2);
    size_t bodies = begin_bodies(b, 1);
    BODY(b, 0, 0x10, 0, 0x20, 0, 0x40, 1);
    end_part(b, bodies);
}

static void check_moved(const struct linear_memory *memory, uint64_t pages)
{
    assert_int_equal(memory->pages, pages);
    assert_int_equal(memory->span.size, pages * PAGE);
    for (size_t at = 0; at < memory->span.size; at++)
        if (memory->span.at[at] != (at < MOVED_PAGES * PAGE ? (uint8_t)(at * 3 + (at >> 10)) : 0))
            fail_msg("byte %zu of %zu is wrong", at, memory->span.size);
}

/* Makes memories until the one at hand has less room above it than lies free elsewhere. How many
 * pages more it can only have there. */
static uint64_t hem_in(struct vm *vm, const struct linear_memory *memory)
{
    static const struct memtype type = {.limits = {.min = 1, .max = UINT64_MAX}, .page_log2 = 16};
    for (unsigned made = 0; made < 40; made++) {
        size_t room = 0, free = 0;
        for (const struct span *at = vm->arena.first; at; at = at->above) {
            const uint8_t *end = at->above ? at->above->at : vm->arena.top;
            if (at == &memory->span)
                room = (size_t)(end - at->at);
            else if ((size_t)(end - at->at) > at->size + free)
                free = (size_t)(end - at->at) - at->size;
        }
        if (free > room + (2 * PAGE))
            return room / PAGE - memory->pages + 1;
        assert_non_null(memory_new(vm, &type));
    }
    fail_msg("no such place");
    return 0;
}

static void test_move(void **state)
{
    (void)state;
    struct vm_limits limits = usual_limits;
    struct build b;
    limits.interrupt = &flag;
    make_moving(&b);
    for (unsigned interrupted = 0; interrupted <= 1; interrupted++) {
        struct machine_room room;
        open_store(&room.store);
        room.arena = reserve(ARENA_SIZE);
        room.vm =
            vm_new(room.store.types, &room.store.image, room.arena, (size_t)64 << 20, &limits);
        room.fiber = fiber_new(room.vm);
        struct instance *instance = with_raise(&room, &b);
        struct func *grow = function(instance, 1);
        struct linear_memory *memory = instance->memories[1];
        const uint8_t *first = memory->span.at;
        uint64_t more = hem_in(room.vm, memory);
        for (size_t at = 0; at < memory->span.size; at++)
            memory->span.at[at] = (uint8_t)(at * 3 + (at >> 10));
        if (interrupted) {
            raises = true;
            assert_traps(&room, grow, ARGS(more), TRAP_INTERRUPT);
            raises = false;
            flag = 0;
            assert_ptr_equal(memory->span.at, first);
            check_moved(memory, MOVED_PAGES);
        }
        /* The store is sound: growing works when nobody interrupts. */
        assert_returns(&room, grow, ARGS(more), MOVED_PAGES);
        assert_ptr_not_equal(memory->span.at, first);
        check_moved(memory, MOVED_PAGES + more);
        assert_returns(&room, grow, ARGS(100000), UINT32_MAX);
        check_moved(memory, MOVED_PAGES + more);
        close_room(&room);
    }
    free(b.at);
}

/* --- What goes round --------------------------------------------------------------------------
 */

/* Bodies that never end; each is interrupted, and each runs out of fuel. */
struct endless {
    uint8_t len;
    uint8_t code[40];
};

#define ENDLESS(...)                                                                               \
    {                                                                                              \
        sizeof((const uint8_t[]){__VA_ARGS__}),                                                    \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct endless endless[] = {
    ENDLESS(0, 0x03, 0x40, 0x0c, 0, 0x0b),                                  /* br */
    ENDLESS(0, 0x03, 0x40, 0x41, 1, 0x0d, 0, 0x0b),                         /* br_if */
    ENDLESS(0, 0x03, 0x40, 0x20, 0, 0x45, 0x0d, 0, 0x0b),                   /* eqz br_if */
    ENDLESS(0, 0x03, 0x40, 0x20, 0, 0x0e, 1, 0, 0, 0x0b),                   /* br_table */
    ENDLESS(0, 0x03, 0x40, 0x41, 0, 0x0e, 1, 0, 0, 0x0b),                   /* of a constant */
    ENDLESS(0, 0x03, 0x40, 0x02, 0x40, 0x41, 1, 0x0e, 1, 0, 1, 0x0b, 0x0b), /* back by default */
    ENDLESS(0, 0x03, 0x40, 0x02, 0x40, 0x20, 0, 0x0e, 1, 1, 0, 0x0b, 0x0b), /* by its first */
    ENDLESS(0, 0x03, 0x40, 0x20, 0, 0x20, 0, 0x46, 0x0d, 0, 0x0b),          /* i32.eq */
    ENDLESS(0, 0x03, 0x40, 0x20, 0, 0x41, 7, 0x48, 0x0d, 0, 0x0b),          /* i32.lt_s */
    ENDLESS(0, 0x03, 0x40, 0x20, 0, 0x41, 1, 0x6a, 0x22, 0, 0x41, 0, 0x47, 0x41, 1, 0x72, 0x0d, 0,
            0x0b),                                                             /* counting */
    ENDLESS(0, 0x03, 0x40, 0xd0, 0x70, 0xd1, 0x0d, 0, 0x0b),                   /* ref.is_null */
    ENDLESS(0, 0x03, 0x40, 0xd0, 0x70, 0xd5, 0, 0x1a, 0x0b),                   /* br_on_null */
    ENDLESS(0, 0xd2, 0, 0x03, 2, 0xd6, 0, 0x0b),                               /* br_on_non_null */
    ENDLESS(0, 0x03, 0x40, 0x20, 0, 0x04, 0x40, 0x05, 0x0c, 1, 0x0b, 0x0b),    /* if, else, br */
    ENDLESS(0, 0x02, 0x40, 0x03, 0x40, 0x20, 0, 0x0d, 1, 0x0c, 0, 0x0b, 0x0b), /* two labels */
    ENDLESS(0, 0x03, 0x40, 0x41, 1, 0xfd, 0x11, 0xfd, 0x53, 0x0d, 0, 0x0b),    /* v128.any_true */
    ENDLESS(0, 0x03, 0x40, 0x20, 0, 0x10, 1, 0x1a, 0x0c, 0, 0x0b),             /* a call in it */
    ENDLESS(0, 0x20, 0, 0x12, 0),                                              /* return_call */
    ENDLESS(0, 0x20, 0, 0x41, 0, 0x13, 0, 0),                                  /* ..._indirect */
    ENDLESS(0, 0x20, 0, 0xd2, 0, 0x15, 0),                                     /* ..._ref */
};

static void put_body(struct build *b, const struct endless *body)
{
    size_t start = begin_part(b);
    put_bytes(b, body->code, body->len);
    put(b, 0x0b);
    end_part(b, start);
}

/* Function 0 is the one at hand, function 1 ends at once. */
static void make_endless(struct build *b, const struct endless *body)
{
    begin_module(b);
    SECTION_OF(b, TYPES, 3, 0x60, 1, 0x7f, 0, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 1, 0x64, 0x70, 0);
    SECTION_OF(b, FUNCTIONS, 2, 0, 1);
    SECTION_OF(b, TABLES, 1, 0x70, 0, 1);
    export_functions(b, 2);
    SECTION_OF(b, ELEMENTS, 1, 0, 0x41, 0, 0x0b, 1, 0);
    size_t bodies = begin_bodies(b, 2);
    put_body(b, body);
    BODY(b, 0, 0x20, 0);
    end_part(b, bodies);
}

static void run_endless(size_t which, uint64_t fuel, bool polled, enum trap_kind expected)
{
    struct vm_limits limits = usual_limits;
    struct machine_room room;
    struct build b;
    limits.fuel = fuel;
    limits.interrupt = polled ? &alarm_flag : NULL;
    make_endless(&b, &endless[which]);
    open_room(&room, &limits);
    struct instance *instance = instantiate(&room, &b, NULL, FIBER_DONE);
    alarm_flag = 0;
    if (expected == TRAP_INTERRUPT)
        alarm_in(2000);
    enum fiber_state state = call_on(&room, room.fiber, function(instance, 0), ARGS(0));
    const struct trap *trap = vm_trap(room.vm);
    if (state != FIBER_TRAPPED || trap->kind != expected)
        fail_msg("body %zu: %s", which, state == FIBER_DONE ? "ended" : trap_text(trap->kind));
    if (expected == TRAP_INTERRUPT)
        assert_alarm_heeded();
    /* Where it stopped is told. */
    assert_in_range(trap->depth, 1, 2);
    assert_int_equal(trap->frames[trap->depth - 1].func, 0);
    assert_in_range(trap->frames[0].offset, 8, b.len);
    close_room(&room);
    free(b.at);
}

static void test_endless(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(endless); i++) {
        run_endless(i, UINT64_MAX, true, TRAP_INTERRUPT);
        run_endless(i, ENOUGH, true, TRAP_INTERRUPT);
        run_endless(i, 100000, true, TRAP_FUEL);
        for (uint64_t fuel = 0; fuel < 20; fuel++)
            run_endless(i, fuel, false, TRAP_FUEL);
    }
}

/* --- What is huge -------------------------------------------------------------------------------
 */

#define HUGE_PAGES 4096u /* 256 MiB each */
#define HUGE_COUNT 5000000u
#define HUGE_PART  3145728u /* bytes of the data segment, elements of the other */

/* i32.const of 5 bytes, for numbers below 2^31 */
#define HUGE_I32(n)                                                                                \
    0x41, 0x80 | (n) % 128, 0x80 | (n) / (1u << 7) % 128, 0x80 | (n) / (1u << 14) % 128,           \
        0x80 | (n) / (1u << 21) % 128, (n) / (1u << 28)
#define HUGE_BYTES ((HUGE_PAGES * PAGE) - 4096)
#define HUGE_ELEMS (HUGE_COUNT - 512)

/* Each goes on for ever with one operator, on all that there is. */
static const struct endless huge[] = {
#define HUGE(...) ENDLESS(0, 0x03, 0x40, __VA_ARGS__, 0x0c, 0, 0x0b)
    HUGE(0x41, 0, 0x41, 1, HUGE_I32(HUGE_BYTES), 0xfc, 11, 0),    /* memory.fill */
    HUGE(0x41, 0, 0x41, 9, HUGE_I32(HUGE_BYTES), 0xfc, 10, 0, 0), /* .copy, upwards */
    HUGE(0x41, 9, 0x41, 0, HUGE_I32(HUGE_BYTES), 0xfc, 10, 0, 0), /* downwards */
    HUGE(0x41, 0, 0x41, 9, HUGE_I32(HUGE_BYTES), 0xfc, 10, 1, 0), /* to another */
    HUGE(0x41, 0, 0x41, 0, HUGE_I32(HUGE_PART), 0xfc, 8, 0, 0),   /* .init */
    HUGE(0x41, 0, 0xd2, 1, HUGE_I32(HUGE_ELEMS), 0xfc, 17, 0),    /* table.fill */
    HUGE(0x41, 0, 0x41, 9, HUGE_I32(HUGE_ELEMS), 0xfc, 14, 0, 0), /* .copy, upwards */
    HUGE(0x41, 9, 0x41, 0, HUGE_I32(HUGE_ELEMS), 0xfc, 14, 0, 0), /* downwards */
    HUGE(0x41, 0, 0x41, 9, HUGE_I32(HUGE_ELEMS), 0xfc, 14, 1, 0), /* to another */
    HUGE(0x41, 0, 0x41, 0, HUGE_I32(HUGE_PART), 0xfc, 12, 0, 0),  /* .init */
    HUGE(HUGE_I32(HUGE_PAGES), 0x40, 0, 0x1a),                    /* memory.grow */
    HUGE(0xd2, 1, HUGE_I32(HUGE_COUNT), 0xfc, 15, 0, 0x1a),       /* table.grow */
#undef HUGE
};

/* Function `i` is huge[i], two memories, two tables, segments. */
static void make_huge(struct build *b)
{
    begin_module(b);
    SECTION_OF(b, TYPES, 1, 0x60, 0, 0);
    size_t section = begin_section(b, FUNCTIONS);
    put(b, countof(huge));
    for (size_t i = 0; i < countof(huge); i++)
        put(b, 0);
    end_part(b, section);
    put_tables(b, HUGE_COUNT);
    section = begin_section(b, MEMORIES);
    put(b, 2);
    for (unsigned i = 0; i < 2; i++) {
        put(b, 0);
        put_u32(b, HUGE_PAGES);
    }
    end_part(b, section);
    export_functions(b, countof(huge));
    put_elements(b, HUGE_PART);
    SECTION_OF(b, DATA_COUNT, 1);
    size_t bodies = begin_bodies(b, countof(huge));
    for (size_t i = 0; i < countof(huge); i++)
        put_body(b, &huge[i]);
    end_part(b, bodies);
    put_data(b, HUGE_PART);
}

/* The alarm comes in the middle of an operator. */
static void test_ten_milliseconds(void **state)
{
    (void)state;
    struct build b;
    struct machine_room room;
    struct vm_limits limits = usual_limits;
    limits.interrupt = &alarm_flag;
    limits.table_elements = 8 * (uint64_t)HUGE_COUNT;
    make_huge(&b);
    alarm_flag = 0;
    open_room(&room, &limits);
    struct instance *instance = instantiate(&room, &b, NULL, FIBER_DONE);
    for (unsigned i = 0; i < countof(huge); i++) {
        alarm_in(3000);
        assert_traps(&room, function(instance, i), NULL, 0, TRAP_INTERRUPT);
        assert_alarm_heeded();
    }
    close_room(&room);
    free(b.at);
}

/* Recursion without a loop takes for ever, too. */
static void test_recursion(void **state)
{
    (void)state;
    /* f(n) = n ? f(n-1) + f(n-1) : 1 */
    struct build b;
    begin_module(&b);
    SECTION_OF(&b, TYPES, 1, 0x60, 1, 0x7f, 1, 0x7f);
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    export_functions(&b, 1);
    size_t bodies = begin_bodies(&b, 1);
    BODY(&b, 0, 0x20, 0, 0x04, 0x7f, 0x20, 0, 0x41, 1, 0x6b, 0x10, 0, 0x20, 0, 0x41, 1, 0x6b, 0x10,
         0, 0x6a, 0x05, 0x41, 1, 0x0b);
    end_part(&b, bodies);
    struct vm_limits limits = usual_limits;
    struct machine_room room;
    limits.interrupt = &alarm_flag;
    open_room(&room, &limits);
    struct instance *instance = instantiate(&room, &b, NULL, FIBER_DONE);
    alarm_flag = 0;
    assert_returns(&room, function(instance, 0), ARGS(10), 1024);
    alarm_in(2000);
    assert_traps(&room, function(instance, 0), ARGS(60), TRAP_INTERRUPT);
    assert_alarm_heeded();
    assert_in_range(vm_trap(room.vm)->depth, 1, 61);
    close_room(&room);
    free(b.at);
}

static int make(void **state)
{
    (void)state;
    make_module(&small);
    make_module(&large);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    free(small.module.at);
    free(large.module.at);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),   cmocka_unit_test(test_elements),
        cmocka_unit_test(test_bounds),  cmocka_unit_test(test_every_amount),
        cmocka_unit_test(test_slices),  cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_move),    cmocka_unit_test(test_ten_milliseconds),
        cmocka_unit_test(test_endless), cmocka_unit_test(test_recursion),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
