/* Serving: instances of the component, each with a part of the arena, for the server
 * (engine/serve).
 *
 *   image | scratch | connections | instance 0 | instance 1 | ...
 *
 * The types and the code of the component are shared; what is mutable is each instance's own, in a
 * run of addresses of which the rest is for its image. */
#include "engine/serve/watch.h"

#include "engine/cell/answer.h"
#include "engine/cell/backtrace.h"
#include "engine/cell/program.h"
#include "engine/cell/tell.h"
#include "engine/component/component.h"
#include "engine/wasi/clock.h"

#include <stdio.h>

#define MIB ((size_t)1 << 20)

/* Of what is mutable: at most, for connections and what is on its way. */
#define CONNECTIONS_MOST (512 * MIB)

/* What an instance needs in any case, and for each byte of the component. */
#define INSTANCE_LEAST (16 * MIB)
#define INSTANCE_TIMES 16

_Static_assert(COUNTERS * sizeof(uint64_t) <= PROTOCOL_COUNTERS, "a cell's counters have room");

struct serving {
    const struct cell *cell;
    struct ground ground;
    struct cm_types *types;
    const struct component *component;
    uint8_t *instances; /* where their places begin */
    size_t place;       /* bytes of each */
    uint32_t count;
    struct host_table *tables; /* one each */
    uint32_t told;             /* traps */
    struct chacha random;      /* makes a seed for each instance, and the server's */
};

/* Whole pages of a size. */
static size_t pages(size_t size)
{
    return size & ~(size_t)(ARENA_PAGE - 1);
}

/* The heap of connections lies before its end, and an instance begins there: in the middle of what
 * one page of the kernel's tables tells of, so that a copy of the process needs one less. */
static size_t beside(const uint8_t *memory, size_t size)
{
    const uintptr_t span = 2 * MIB;
    return size < span ? size : size - ((uintptr_t)memory + size - span / 2) % span;
}

/* Divides what is mutable. */
static int divide(struct serving *serving, struct serve_config *config, struct err *err)
{
    const struct cell *cell = serving->cell;
    struct ground *ground = &serving->ground;
    size_t connections = pages(ground->store_size / 8);
    if (connections > CONNECTIONS_MOST)
        connections = CONNECTIONS_MOST;
    connections = beside(ground->store, connections);
    size_t left = ground->store_size - connections;
    size_t least = INSTANCE_LEAST + INSTANCE_TIMES * cell->component.len + 2 * cell->stack;
    size_t place = left / cell->serving->requests;
    place = pages(place > least ? place : least);
    if (place > left)
        return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                       "an instance of it takes %zu MiB and %zu are left (--memory gives more)",
                       place / MIB, left / MIB);
    config->memory = ground->store;
    config->size = connections;
    serving->instances = (uint8_t *)ground->store + connections;
    serving->place = place;
    serving->count = (uint32_t)(left / place);
    if (config->requests > serving->count)
        config->requests = serving->count;
    uint32_t instances = config->narrow ? 1 : config->requests;
    serving->tables = region_array(&ground->image, struct host_table, instances);
    return serving->tables
               ? 0
               : err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for %u instances", instances);
}

/* Instantiating has the time that a request has. */
static void set_time(const struct cell_serving *serving, struct vm *vm)
{
    uint64_t deadline = deadline_after(sys_now(), serving->time);
    if (serving->ticks)
        vm_interrupt_at(vm, serve_tick_of(serving->ticks, SERVE_TICK_SHIFT, deadline));
}

/* Runs what instantiates it. Nobody waits for anything meanwhile. */
static int initialize(const struct cell_serving *serving, struct vm *vm, struct fiber *fiber,
                      struct cm_instance *instance, struct err *err)
{
    set_time(serving, vm);
    fiber_begin(vm, fiber, cm_instance_initializer(instance));
    switch (fiber_run(vm, fiber)) {
    case FIBER_DONE: return 0;
    case FIBER_BLOCKED:
        return err_set(err, ERR_TRAP, ERR_NOWHERE, "it waits while it is instantiated");
    default: break;
    }
    const struct trap *trap = vm_trap(vm);
    return err_set(err, trap_err_kind(trap->kind), ERR_NOWHERE,
                   "it traps while it is instantiated: %s%s%s", trap_text(trap->kind),
                   trap->text[0] ? ": " : "", trap->text);
}

static int make_instance(struct serving *serving, uint32_t number, void *memory, size_t size,
                         struct serve_instance *ret, struct err *err)
{
    const struct cell *cell = serving->cell;
    struct ground *ground = &serving->ground;
    ret->vm = ground_vm_at(cell, ground, memory, size, cell->serving, err);
    if (!ret->vm)
        return -1;
    ret->wasi = host_state(cell, ret->vm, &ground->scratch, err);
    if (!ret->wasi)
        return -1;
    uint8_t seed[RANDOM_SEED];
    chacha_bytes(&serving->random, seed, sizeof seed);
    wasi_seed(ret->wasi, seed);
    struct vm_clock clock = clock_for_vm(ret->wasi);
    vm_set_clock(ret->vm, &clock);
    ret->wasi->concurrent = true;
    ret->fiber = fiber_new(ret->vm);
    if (!ret->fiber)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for the component's stack");
    struct cm_instance *instance =
        link_component(ret->vm, ret->wasi, &ground->scratch, serving->component, serving->types,
                       &serving->tables[number], &ret->store, err);
    if (!instance || initialize(cell->serving, ret->vm, ret->fiber, instance, err))
        return -1;
    const struct row_export handler = export_of_row(ROW_export_http_incoming_handle);
    ret->handle = cm_export_func(instance, str_of(handler.interface), handler.name);
    if (!ret->handle)
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "the component exports no %s: build it for wasi:http/proxy",
                       handler.interface);
    return 0;
}

static int make(void *data, uint32_t number, struct serve_instance *ret, struct bytes *ret_left,
                struct err *err)
{
    struct serving *serving = data;
    struct region *scratch = &serving->ground.scratch;
    uint8_t *memory = serving->instances + number * serving->place;
    size_t size = pages(serving->place / 8 * 5);
    uint8_t *mark = region_mark(scratch);
    int failed = make_instance(serving, number, memory, size, ret, err);
    region_release(scratch, mark);
    *ret_left = (struct bytes){memory + size, serving->place - size};
    return failed;
}

/* Tells of the first ones; who makes many says nothing new. */
static void trapped(void *data, const struct vm *vm)
{
    struct serving *serving = data;
    char words[sizeof((struct message_request_trap *)0)->text];
    trap_words(vm_trap(vm), words, sizeof words);
    if (serving->told++ < PROTOCOL_REQUEST_TRAPS)
        tell_request_trap(vm_trap(vm)->kind, words);
}

static int begin(struct serving *serving, struct serve_config *config, struct err *err)
{
    const struct cell *cell = serving->cell;
    if (ground_lay(cell, &serving->ground, err))
        return -1;
    if (!component_is(cell->component))
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "a core module answers no requests: make a component of it");
    serving->component = decode_component(cell, &serving->ground, &serving->types, err);
    return serving->component ? divide(serving, config, err) : -1;
}

void role_serve(struct cell *cell)
{
    static struct serving serving;
    const struct cell_serving *told = cell->serving;
    struct err err = {0};
    uint8_t seed[RANDOM_SEED];
    serving.cell = cell;
    struct serve_config config = {
        .listener = told->listener,
        .events = told->events,
        .leave = told->leave,
        .watch = told->watch,
        .log = told->log,
        .log_json = told->log_json,
        .worker = told->worker,
        .counters = told->counters,
        .counters_each = PROTOCOL_COUNTERS / sizeof(uint64_t),
        .workers = PROTOCOL_WORKERS,
        .ticks = told->ticks,
        .tick_shift = SERVE_TICK_SHIFT,
        .requests = told->requests,
        .secure = told->secure,
        .body = told->body,
        .time = told->time,
        .fresh = told->isolation != ISOLATION_NONE,
        .narrow = told->isolation == ISOLATION_PROCESS ? told->narrow : NULL,
        .narrow_count = told->narrow_count,
        .free = told->free,
        .seed = seed,
        .seeds = true,
        .data = &serving,
        .make = make,
        .trapped = trapped,
    };
    chacha_seed(&serving.random, cell->seed);
    chacha_bytes(&serving.random, seed, sizeof seed);
    memset(cell->seed, 0, sizeof cell->seed);
    if (begin(&serving, &config, &err) || serve(&config, &err))
        tell_failure(&err);
    else
        tell_exit(0);
}
