/* Dividing the arena; see ground.h. The shares add up to what policies/cell_plan.c adds to the
 * guest's memory (PROTOCOL_ENGINE_FIXED, PROTOCOL_ENGINE_TIMES). */
#include "engine/cell/ground.h"

#define MIB ((uint64_t)1 << 20)

/* Of the fixed part: the heap and a few stacks; the rest is for decoding and translation. */
#define STORE_FIXED ((uint64_t)PROTOCOL_ENGINE_FIXED / 2)
/* Of what comes for each byte of the component: the heap of its instances. */
#define STORE_TIMES (PROTOCOL_ENGINE_TIMES / 4)

/* What reading takes at least besides the store, for a file of this size. */
static uint64_t reading(uint64_t file)
{
    return STORE_FIXED / 2 + STORE_TIMES * file;
}

size_t ground_spare(size_t arena)
{
    /* ground_lay wants the store, and as much as reading takes; both grow with the file. */
    uint64_t fixed = STORE_FIXED + reading(0), times = 2 * STORE_TIMES;
    if (arena <= fixed)
        return 0;
    return (size_t)((arena - fixed) / (times + 1)) & ~(size_t)(ARENA_PAGE - 1);
}

int ground_lay(const struct cell *cell, struct ground *ret, struct err *err)
{
    uint64_t file = cell->component.len;
    uint64_t engine = PROTOCOL_ENGINE_FIXED + PROTOCOL_ENGINE_TIMES * file;
    uint64_t store = STORE_FIXED + STORE_TIMES * file;
    /* The order lies in the arena, too, and what it took is missing here. */
    if (engine > cell->arena_size)
        engine = cell->arena_size;
    if (engine < store || engine - store < reading(file))
        return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                       "a component of %llu bytes does not fit a cell of %llu MiB",
                       (unsigned long long)file, (unsigned long long)(cell->arena_size / MIB));
    uint64_t image = (engine - store) & ~(uint64_t)(ARENA_PAGE - 1);
    uint64_t scratch = image / 4 & ~(uint64_t)(ARENA_PAGE - 1);
    uint8_t *arena = cell->arena;
    ret->image = region_of(arena, image - scratch);
    ret->scratch = region_of(arena + image - scratch, scratch);
    ret->store = arena + image;
    ret->store_size = cell->arena_size - image;
    ret->types = types_new(&ret->image);
    if (!ret->types)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for the types of a component");
    return 0;
}

int ground_refuses(struct err *err)
{
    if (err->kind != ERR_MEMORY)
        return -1;
    err->kind = ERR_LIMIT;
    return err_within(err, "reading takes more than %u MiB and %u bytes for each byte of the file",
                      (unsigned)(PROTOCOL_ENGINE_FIXED / MIB), (unsigned)PROTOCOL_ENGINE_TIMES);
}

struct vm *ground_vm(const struct cell *cell, struct ground *ground, struct err *err)
{
    return ground_vm_at(cell, ground, ground->store, ground->store_size, NULL, err);
}

struct vm *ground_vm_at(const struct cell *cell, struct ground *ground, void *memory, size_t size,
                        const struct cell_serving *serving, struct err *err)
{
    const struct vm_limits limits = {
        .interrupt = serving ? serving->ticks : NULL,
        .images = serving && serving->isolation == ISOLATION_INSTANCE,
        .memory_bytes = cell->memory,
        .gc_bytes = cell->memory,
        .table_elements = 20 * MIB,
        .stack_bytes = cell->stack,
        .heap_bytes = STORE_FIXED / 2 + STORE_TIMES * cell->component.len,
        .fuel = cell->fuel,
        .instances = 10000,
        .memories = 10000,
        .tables = 10000,
    };
    struct vm *vm = vm_new(ground->types, &ground->image, memory, size, &limits);
    if (!vm)
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for the store of a component");
    return vm;
}
