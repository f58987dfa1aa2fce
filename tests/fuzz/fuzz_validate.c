/* libFuzzer on validation: a component that it accepts can be linked to a host that has nothing,
 * instantiated, and its exports without parameters called, whatever it is. What it needs of a host
 * is found dead, or is missing by name. */
#include "engine/component/demand.h"
#include "engine/component/link.h"
#include "engine/component/world.h"

#include <stdlib.h>
#include <sys/mman.h>

#define IMAGE_SIZE ((size_t)1 << 30)
#define VM_SIZE    ((size_t)1 << 32)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *fresh(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (at == MAP_FAILED)
        abort();
    return at;
}

static void missed(void *data, struct str interface, struct str name, bool resource)
{
    (void)resource;
    if (!interface.len && !name.len)
        abort();
    ++*(unsigned *)data;
}

static bool run(struct vm *vm, struct fiber *fiber, struct func *func)
{
    fiber_begin(vm, fiber, func);
    enum fiber_state state = fiber_run(vm, fiber);
    if (state == FIBER_BLOCKED)
        abort(); /* by whom? there is no host */
    return state == FIBER_DONE;
}

static void call_exports(struct cm_store *store, struct fiber *fiber, struct cm_instance *instance)
{
    const struct cm_decls *exports = &instance->component->type->exports;
    for (uint32_t i = 0; i < exports->count && i < 50; i++) {
        const struct cm_func *func =
            cm_export_func(instance, (struct str){0}, exports->at[i].name->text);
        if (!func || func->type->nparams || func->type->async)
            continue;
        struct cm_call *call = cm_call_new(store, func, NULL);
        if (!call)
            return;
        bool done = run(store->vm, fiber, cm_call_func(call));
        if (done && !func->type->result != !cm_call_result(call))
            abort();
        cm_call_free(call);
    }
}

static void put_nowhere(void *data, struct str piece)
{
    *(size_t *)data += piece.len;
}

static void look_at(const struct component *component, struct region *scratch)
{
    static struct out out;
    struct world world;
    size_t len = 0;
    uint8_t *mark = region_mark(scratch);
    out = (struct out){.put = put_nowhere, .data = &len};
    if (world_of(component, scratch, &world, NULL) == 0) {
        world_wit(&world, scratch, &out, NULL);
        world_json(&world, &out);
    }
    out_flush(&out);
    region_release(scratch, mark);
}

static void instantiate(const struct component *component, struct cm_types *types,
                        struct region *scratch)
{
    static const struct vm_limits limits = {
        .memory_bytes = 1 << 24,
        .table_elements = 1 << 16,
        .stack_bytes = 1 << 18,
        .heap_bytes = 1 << 26,
        .fuel = 100000,
        .instances = 200,
        .memories = 20,
        .tables = 100,
    };
    void *memory = fresh(VM_SIZE);
    unsigned missing = 0;
    struct err err = {0};
    struct vm *vm = vm_new(types->core, types->region, memory, VM_SIZE, &limits);
    struct cm_store *store = vm ? cm_store_new(vm, types) : NULL;
    struct fiber *fiber = vm ? fiber_new(vm) : NULL;
    if (!store || !fiber)
        abort();
    const struct cm_linker linker = {
        .store = store, .scratch = scratch, .prune = true, .missing = missed, .data = &missing};
    struct cm_instance *instance = cm_link(&linker, component, NULL, &err);
    if (!instance && err.kind != ERR_UNLINKABLE && err.kind != ERR_MEMORY && err.kind != ERR_LIMIT)
        abort();
    if (instance && run(vm, fiber, cm_instance_initializer(instance)))
        call_exports(store, fiber, instance);
    munmap(memory, VM_SIZE);
}

static void count_demand(void *data, const struct cm_demand *demand)
{
    (void)demand;
    ++*(size_t *)data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct region image = region_of(fresh(IMAGE_SIZE), IMAGE_SIZE);
    struct region scratch = region_of(fresh(IMAGE_SIZE), IMAGE_SIZE);
    struct err err = {0};
    struct cm_types *types = cm_types_new(&image, types_new(&image));
    types->noted = true;
    const struct component *component =
        component_read((struct bytes){data, size}, data, types, &scratch, &err);
    if (!component != (err.kind != ERR_NONE))
        abort();
    if (component) {
        size_t all = 0;
        size_t told = 0;
        cm_demand(component, NULL, count_demand, &all);
        cm_demand(component, &scratch, count_demand, &told);
        if (all != told || scratch.at != scratch.base)
            abort();
        look_at(component, &scratch);
        instantiate(component, types, &scratch);
    }
    munmap(image.base, IMAGE_SIZE);
    munmap(scratch.base, IMAGE_SIZE);
    return 0;
}
