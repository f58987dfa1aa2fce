/* Images of stores: whatever a guest does, its memories are afterwards what they were, by each
 * operator that writes, in every form that it is translated to; and so is the heap. */
#include "tests/unit/exec_fixture.h"

#include "engine/exec/image.h"

#define PAGES   4u /* of 64 KiB */
#define MEMORY  (PAGES << 16)
#define TARGET  0x1ffeau /* with the offset, in front of a page's end */
#define ALIGNED 0x1fff8u
#define OFFSET  0x10u

/* --- Rooms with an image ------------------------------------------------------------------------
 */

/* Memory in which interruption is asked for: never here. */
static volatile uint32_t never;

/* Are pages marked that are written? All is undone without that too, and code leaves marks that
 * nobody looks at. */
static bool images;

struct pictured {
    struct machine_room room;
    struct instance *instance;
    struct vm_image *image;
    uint8_t *before[2]; /* what the memories held */
};

static const struct linear_memory *memory_of(const struct pictured *p, uint32_t which)
{
    return instance_export_at(p->instance, 1 + which).memory;
}

static void take_image(struct pictured *p)
{
    size_t size = (vm_image_size(p->room.vm) + 15) & ~(size_t)15;
    void *memory = aligned_alloc(16, size);
    assert_non_null(memory);
    memset(memory, 0, size);
    p->image = vm_image_make(p->room.vm, memory);
}

/* Two memories with a pattern in two of three pages, exported behind function 0. */
static void open_pictured(struct pictured *p, struct build *b)
{
    struct vm_limits limits = usual_limits;
    limits.interrupt = &never;
    limits.images = images;
    open_room(&p->room, &limits);
    p->instance = instantiate(&p->room, b, NULL, FIBER_DONE);
    for (uint32_t i = 0; i < 2; i++) {
        for (size_t at = 0; at < MEMORY; at++)
            if (at / ARENA_PAGE % 3 != 1)
                *memory_to(memory_of(p, i), at, 1) = (uint8_t)(at * 7 + i);
        p->before[i] = malloc(MEMORY);
        assert_non_null(p->before[i]);
        memcpy(p->before[i], memory_at(memory_of(p, i), 0, MEMORY), MEMORY);
    }
    take_image(p);
}

static bool is_as_before(const struct pictured *p)
{
    bool same = true;
    for (uint32_t i = 0; i < 2; i++) {
        const struct linear_memory *memory = memory_of(p, i);
        same = same && memory->span.size == MEMORY &&
               memcmp(memory->span.at, p->before[i], MEMORY) == 0;
    }
    return same;
}

static void close_pictured(struct pictured *p)
{
    for (uint32_t i = 0; i < 2; i++)
        free(p->before[i]);
    free(p->image);
    close_room(&p->room);
}

/* --- A module with one function
 * ------------------------------------------------------------------ */

enum { I32 = 0x7f, I64 = 0x7e, F32 = 0x7d, F64 = 0x7c, V128 = 0x7b };

/* (func (param i32 `type`)), two memories, and all three exported. */
static void begin_one(struct build *b, uint8_t type)
{
    begin_module(b);
    SECTION_OF(b, TYPES, 1, 0x60, 2, I32, type, 0);
    SECTION_OF(b, FUNCTIONS, 1, 0);
    SECTION_OF(b, MEMORIES, 2, 0, PAGES, 0, PAGES);
    SECTION_OF(b, EXPORTS, 3, 1, 'f', 0, 0, 1, 'm', 2, 0, 1, 'n', 2, 1);
}

static void put_code(struct build *b, uint32_t code)
{
    if (code >> 16) {
        put(b, (uint8_t)(code >> 16));
        put_u32(b, code & 0xffff);
    } else {
        put(b, (uint8_t)code);
    }
}

/* Where an operand comes from: a parameter, a constant, or what was computed just before. */
enum from { PARAMETER, CONSTANT, COMPUTED, FROMS };

static void put_address(struct build *b, enum from from)
{
    if (from == CONSTANT) {
        PUT(b, 0x41, (TARGET & 127) | 0x80, (TARGET >> 7 & 127) | 0x80, TARGET >> 14 & 127);
        return;
    }
    PUT(b, 0x20, 0);
    if (from == COMPUTED)
        PUT(b, 0x41, 0, 0x6a);
}

static void put_value(struct build *b, uint8_t type, enum from from)
{
    if (from != CONSTANT) {
        PUT(b, 0x20, 1);
        if (from == PARAMETER)
            return;
        switch (type) {
        case I32: PUT(b, 0x41, 1, 0x6a); break;
        case I64: PUT(b, 0x42, 1, 0x7c); break;
        case F32: PUT(b, 0x8c); break;
        case F64: PUT(b, 0x9a); break;
        default: PUT(b, 0xfd, 77); break; /* v128.not */
        }
        return;
    }
    switch (type) {
    case I32: PUT(b, 0x41, 0x55); break;
    case I64: PUT(b, 0x42, 0x55); break;
    case F32: PUT(b, 0x43, 1, 2, 3, 4); break;
    case F64: PUT(b, 0x44, 1, 2, 3, 4, 5, 6, 7, 8); break;
    default: PUT(b, 0xfd, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16); break;
    }
}

/* Alignment, memory, offset. */
static void put_memarg(struct build *b, unsigned align, uint32_t memory)
{
    put(b, (uint8_t)(align | (memory ? 0x40 : 0)));
    if (memory)
        put_u32(b, memory);
    put_u32(b, OFFSET);
}

/* Runs the module's function, sees that it has changed a memory, and brings all back, twice: the
 * second time, marks are those of a store that was brought back. */
static void check(struct build *b, const char *text, uint32_t address)
{
    struct pictured p;
    open_pictured(&p, b);
    const uint64_t args[] = {address, 0x8877665544332282, 0x1020304050607080};
    for (unsigned round = 0; round < 2; round++) {
        if (call_on(&p.room, p.room.fiber, function(p.instance, 0), args, 3) != FIBER_DONE)
            fail_msg("%s ended by: %s", text, trap_text(vm_trap(p.room.vm)->kind));
        if (is_as_before(&p))
            fail_msg("%s has written nothing", text);
        vm_image_restore(p.room.vm, p.image);
        if (!is_as_before(&p))
            fail_msg("%s left something behind", text);
    }
    close_pictured(&p);
    free(b->at);
}

/* --- Stores -------------------------------------------------------------------------------------
 */

struct store_row {
    uint32_t code;
    const char *text;
    uint8_t type;
    bool lane;
};

static const struct store_row stores[] = {
#define TYPE_i32 I32
#define TYPE_i64 I64
#define TYPE_f32 F32
#define TYPE_f64 F64
#define LOAD(code, name, text, feature, type, memory_type, align)
#define STORE(code, name, text, feature, type, memory_type, align) {code, text, TYPE_##type, false},
#include "engine/wasm/op_mem.def"
#undef LOAD
#undef STORE
#define OP(code, name, text, feature, imm, pops, pushes)
#define VSTORE(code, name, text, feature)                   {code, text, V128, false},
#define VSTORE_LANE(code, name, text, feature, lanes, size) {code, text, V128, true},
#include "engine/wasm/op.def"
};

static void stores_are_undone(void **state)
{
    (void)state;
    assert_int_equal(countof(stores), 9 + 1 + 4);
    for (size_t i = 0; i < countof(stores); i++)
        for (unsigned form = 0; form < 2 * FROMS * FROMS; form++) {
            const struct store_row *row = &stores[i];
            struct build b;
            begin_one(&b, row->type);
            size_t bodies = begin_bodies(&b, 1), body = begin_part(&b);
            put(&b, 0);
            put_address(&b, form / 2 % FROMS);
            put_value(&b, row->type, form / 2 / FROMS);
            put_code(&b, row->code);
            put_memarg(&b, 0, form % 2);
            if (row->lane)
                put(&b, 1);
            put(&b, 0x0b);
            end_part(&b, body);
            end_part(&b, bodies);
            check(&b, row->text, TARGET);
        }
}

struct atomic_row {
    uint32_t code;
    const char *text;
    uint8_t type;
    uint8_t align;
    enum { ATOMIC_STORES, ATOMIC_CHANGES, ATOMIC_COMPARES } kind;
};

static const struct atomic_row atomics[] = {
#define OP(code, name, text, feature, imm, pops, pushes)
#define OP_SIZED(code, name, text, feature, imm, pops, pushes, size)
#define ATOMIC_LOAD(code, name, text, type, memory_type, size)
#define ATOMIC_STORE(code, name, text, type, memory_type, size)                                    \
    {code, text, TYPE_##type, size, ATOMIC_STORES},
#define ATOMIC_RMW(code, name, text, type, memory_type, size, value)                               \
    {code, text, TYPE_##type, size, ATOMIC_CHANGES},
#define ATOMIC_CMPXCHG(code, name, text, type, memory_type, size)                                  \
    {code, text, TYPE_##type, size, ATOMIC_COMPARES},
#include "engine/wasm/op_atomic.def"
};

/* cmpxchg expects what is there: it is read first, narrow as it is. */
static void put_atomic(struct build *b, const struct atomic_row *row, uint32_t memory)
{
    PUT(b, 0x20, 0);
    if (row->kind == ATOMIC_COMPARES) {
        const uint8_t loads[] = {[0] = 0x12, [1] = 0x13, [2] = 0x10, [3] = 0x11};
        const uint8_t loads64[] = {[0] = 0x14, [1] = 0x15, [2] = 0x16, [3] = 0x11};
        PUT(b, 0x20, 0, 0xfe, row->type == I32 ? loads[row->align] : loads64[row->align]);
        put_memarg(b, row->align, memory);
    }
    PUT(b, 0x20, 1);
    put_code(b, row->code);
    put_memarg(b, row->align, memory);
    if (row->kind != ATOMIC_STORES)
        put(b, 0x1a);
}

static void atomic_accesses_are_undone(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * countof(atomics); i++) {
        const struct atomic_row *row = &atomics[i / 2];
        struct build b;
        begin_one(&b, row->type);
        size_t bodies = begin_bodies(&b, 1), body = begin_part(&b);
        put(&b, 0);
        put_atomic(&b, row, i % 2);
        put(&b, 0x0b);
        end_part(&b, body);
        end_part(&b, bodies);
        check(&b, row->text, ALIGNED);
    }
}

/* --- Whole pieces -------------------------------------------------------------------------------
 */

/* The function's body from these bytes. */
#define CHECK_BODY(text, ...)                                                                      \
    do {                                                                                           \
        struct build b;                                                                            \
        begin_one(&b, I32);                                                                        \
        size_t bodies = begin_bodies(&b, 1);                                                       \
        BODY(&b, 0, __VA_ARGS__);                                                                  \
        end_part(&b, bodies);                                                                      \
        check(&b, text, TARGET);                                                                   \
    } while (0)

/* i32.const, for numbers below 2^27 */
#define CONST(n)                                                                                   \
    0x41, (uint8_t)((n) & 127) | 0x80, (uint8_t)((n) >> 7 & 127) | 0x80,                           \
        (uint8_t)((n) >> 14 & 127) | 0x80, (uint8_t)((n) >> 21 & 63)

static void pieces_are_undone(void **state)
{
    (void)state;
    CHECK_BODY("memory.fill", 0x20, 0, CONST(0x5a), CONST(0x3003), 0xfc, 11, 0);
    CHECK_BODY("memory.fill of another", 0x20, 0, CONST(0x5a), CONST(0x3003), 0xfc, 11, 1);
    CHECK_BODY("memory.copy", 0x20, 0, CONST(0x100), CONST(0x5001), 0xfc, 10, 0, 0);
    CHECK_BODY("memory.copy to another", 0x20, 0, CONST(0x100), CONST(0x5001), 0xfc, 10, 1, 0);
}

/* In its place, or with nothing but the size told. */
static void growth_is_undone(void **state)
{
    (void)state;
    CHECK_BODY("memory.grow and stores", CONST(2), 0x40, 0, 0x1a, /* a store at the old end */
               CONST(MEMORY - 4), CONST(7), 0x36, 0, 0, CONST(MEMORY + 0x1234), CONST(7), 0x36, 0,
               0);
    CHECK_BODY("growth of both in turn", CONST(900), 0x40, 1, 0x1a, CONST(2000), 0x40, 0, 0x1a,
               CONST(3000), 0x40, 1, 0x1a, CONST(MEMORY + 0x1234), CONST(7), 0x36, 0, 0,
               CONST(MEMORY + 0x4321), CONST(7), 0x36, 0x40, 1, 0);
}

/* New pages are zero, whatever was there in another run. */
static void grown_pages_are_new(void **state)
{
    (void)state;
    struct build b;
    struct pictured p;
    begin_module(&b);
    SECTION_OF(&b, TYPES, 1, 0x60, 0, 1, I32);
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    SECTION_OF(&b, MEMORIES, 2, 0, PAGES, 0, PAGES);
    SECTION_OF(&b, EXPORTS, 3, 1, 'f', 0, 0, 1, 'm', 2, 0, 1, 'n', 2, 1);
    size_t bodies = begin_bodies(&b, 1);
    /* What was there, and something in its place. */
    BODY(&b, 0, CONST(1), 0x40, 0, 0x1a, CONST(MEMORY + 0x2ffe), 0x28, 0, 0, CONST(MEMORY + 0x2ffe),
         CONST(0x777777), 0x36, 0, 0);
    end_part(&b, bodies);
    open_pictured(&p, &b);
    for (unsigned round = 0; round < 3; round++) {
        assert_returns(&p.room, function(p.instance, 0), NULL, 0, 0);
        vm_image_restore(p.room.vm, p.image);
        assert_true(is_as_before(&p));
    }
    close_pictured(&p);
    free(b.at);
}

/* --- The heap -----------------------------------------------------------------------------------
 */

static bool is_zero(const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (at[i])
            return false;
    return true;
}

/* What a request left in the heap is nowhere in it afterwards, and the heap works as before. */
static void heap_is_undone(void **state)
{
    (void)state;
    struct build b;
    struct pictured p;
    begin_one(&b, I32);
    size_t bodies = begin_bodies(&b, 1);
    BODY(&b, 0);
    end_part(&b, bodies);
    open_pictured(&p, &b);
    struct heap *heap = vm_heap(p.room.vm);
    size_t used = heap->used;
    uint8_t *first = NULL;
    for (unsigned round = 0; round < 3; round++) {
        uint8_t *block = heap_take(heap, 70000), *large = heap_take(heap, 3 << 20);
        assert_non_null(block);
        assert_non_null(large);
        assert_ptr_equal(first ? first : block, block);
        first = block;
        /* But for the links of what was free, of which there are two. */
        assert_true(is_zero(block + 16, 70000 - 16));
        assert_true(is_zero(large + 16, (3 << 20) - 16));
        memset(block, 0xee, 70000);
        memset(large, 0xee, 3 << 20);
        heap_give(heap, heap_take(heap, 5000));
        if (round != 1)
            heap_give(heap, block);
        vm_image_restore(p.room.vm, p.image);
        assert_int_equal(heap->used, used);
        assert_true(is_as_before(&p));
    }
    close_pictured(&p);
    free(b.at);
}

/* A fiber that had begun when the image was made goes on from there each time. */
static void stacks_that_wait_are_undone(void **state)
{
    (void)state;
    struct build b;
    struct pictured p;
    begin_one(&b, I32);
    size_t bodies = begin_bodies(&b, 1);
    BODY(&b, 0);
    end_part(&b, bodies);
    open_pictured(&p, &b);
    struct vm *vm = p.room.vm;
    struct fiber *fiber = fiber_new(vm);
    assert_non_null(fiber);
    union slot *arguments = fiber_begin(vm, fiber, instance_export_at(p.instance, 0).func);
    assert_non_null(arguments);
    arguments[0].u64 = 7;
    free(p.image);
    take_image(&p);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(arguments[0].u64, 7);
        arguments[0].u64 = 9 + round;
        vm_image_restore(vm, p.image);
    }
    close_pictured(&p);
    free(b.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_are_undone),           cmocka_unit_test(atomic_accesses_are_undone),
        cmocka_unit_test(pieces_are_undone),           cmocka_unit_test(growth_is_undone),
        cmocka_unit_test(grown_pages_are_new),         cmocka_unit_test(heap_is_undone),
        cmocka_unit_test(stacks_that_wait_are_undone),
    };
    int failed = cmocka_run_group_tests_name("without marks", tests, NULL, NULL);
    images = true;
    return failed + cmocka_run_group_tests_name("with marks", tests, NULL, NULL);
}
