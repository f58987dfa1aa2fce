/* A store, and core modules of a few bytes that run in it. */
#ifndef CARREL_TESTS_EXEC_FIXTURE_H
#define CARREL_TESTS_EXEC_FIXTURE_H

#include "tests/unit/wasm_fixture.h"

#include "engine/exec/vm.h"

#define ARENA_SIZE ((size_t)4 << 30) /* of address space */

struct machine_room {
    struct store store;
    void *arena;
    struct vm *vm;
    struct fiber *fiber;
};

static const struct vm_limits usual_limits = {
    .memory_bytes = ARENA_SIZE / 4,
    .gc_bytes = 16 << 20,
    .table_elements = 100000,
    .stack_bytes = 1 << 20,
    .heap_bytes = 64 << 20,
    .fuel = UINT64_MAX,
    .instances = 100,
    .memories = 100,
    .tables = 100,
};

static inline void open_room(struct machine_room *room, const struct vm_limits *limits)
{
    open_store(&room->store);
    room->arena = reserve(ARENA_SIZE);
    room->vm = vm_new(room->store.types, &room->store.image, room->arena, ARENA_SIZE, limits);
    assert_non_null(room->vm);
    room->fiber = fiber_new(room->vm);
    assert_non_null(room->fiber);
}

static inline void close_room(struct machine_room *room)
{
    munmap(room->arena, ARENA_SIZE);
    close_store(&room->store);
}

/* --- Modules: sections first, then begin_bodies, a body for each function, end_bodies
 * -------------
 */

static inline size_t begin_bodies(struct build *b, uint32_t count)
{
    size_t start = begin_section(b, CODE);
    put_u32(b, count);
    return start;
}

/* The locals, as the binary format has them, and the code; `end` is added. */
#define BODY(b, ...)                                                                               \
    do {                                                                                           \
        size_t body_start = begin_part(b);                                                         \
        PUT(b, __VA_ARGS__, 0x0b);                                                                 \
        end_part(b, body_start);                                                                   \
    } while (0)

/* Exports functions 0 to count-1 as "0" to "9". */
static inline void export_functions(struct build *b, uint32_t count)
{
    size_t start = begin_section(b, EXPORTS);
    put_u32(b, count);
    for (uint32_t i = 0; i < count; i++)
        PUT(b, 1, (uint8_t)('0' + i), 0, (uint8_t)i);
    end_part(b, start);
}

/* Links the module and runs its initializer, which must end as told. */
static inline struct instance *instantiate(struct machine_room *room, const struct build *b,
                                           const struct core_extern *imports,
                                           enum fiber_state expected)
{
    const struct module *module = read_build(&room->store, b);
    if (!module)
        fail_msg("%s", room->store.err.text);
    struct instance *instance = instance_new(room->vm, module, imports, &room->store.err);
    if (!instance)
        fail_msg("%s", room->store.err.text);
    fiber_begin(room->vm, room->fiber, instance_initializer(instance));
    assert_int_equal(fiber_run(room->vm, room->fiber), expected);
    return instance;
}

static inline struct func *function(struct instance *instance, uint32_t export)
{
    struct core_extern external = instance_export_at(instance, export);
    assert_int_equal(external.kind, EXTERN_FUNC);
    return external.func;
}

/* Calls a function with arguments of one slot each. */
static inline enum fiber_state call_on(struct machine_room *room, struct fiber *fiber,
                                       struct func *func, const uint64_t *args, size_t count)
{
    union slot *slots = fiber_begin(room->vm, fiber, func);
    for (size_t i = 0; i < count; i++)
        slots[i].u64 = args[i];
    return fiber_run(room->vm, fiber);
}
#define ARGS(...)                                                                                  \
    (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)

static inline uint64_t result(const struct machine_room *room)
{
    return fiber_results(room->fiber)[0].u64;
}

static inline void assert_returns(struct machine_room *room, struct func *func,
                                  const uint64_t *args, size_t count, uint64_t expected)
{
    enum fiber_state state = call_on(room, room->fiber, func, args, count);
    if (state != FIBER_DONE)
        fail_msg("ended by: %s", trap_text(vm_trap(room->vm)->kind));
    assert_int_equal(result(room), expected);
}

static inline void assert_traps(struct machine_room *room, struct func *func, const uint64_t *args,
                                size_t count, enum trap_kind expected)
{
    assert_int_equal(call_on(room, room->fiber, func, args, count), FIBER_TRAPPED);
    assert_string_equal(trap_text(vm_trap(room->vm)->kind), trap_text(expected));
}

#endif
