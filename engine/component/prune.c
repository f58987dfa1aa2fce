/* Imports that are linked to a trap; see prune.h. */
#include "engine/component/prune.h"

#include "engine/component/demand.h"

struct pruning {
    struct symbols *symbols;
    struct cm_pruned pruned;
    bool failed;
};

/* Serials begin at 0, which stands for no interface here. */
static uint64_t key_of(const struct symbol *interface, const struct symbol *name)
{
    uint64_t high = interface ? symbol_key(interface) + 1 : 0;
    return high << 32 | symbol_key(name);
}

static void count(void *data, const struct cm_demand *demand)
{
    (void)demand;
    ++*(size_t *)data;
}

static void note(void *data, const struct cm_demand *demand)
{
    struct pruning *pruning = data;
    struct symbols *symbols = pruning->symbols;
    if (demand->reachable || pruning->failed)
        return;
    const struct symbol *interface = NULL;
    const struct symbol *name = symbol_of(symbols, demand->name, false);
    if (demand->interface.len)
        interface = symbol_of(symbols, demand->interface, false);
    pruning->failed = !name || !interface != !demand->interface.len;
    if (!pruning->failed)
        pruning->pruned.places[pruning->pruned.count++] =
            (struct symbol_place){key_of(interface, name), 0};
}

struct cm_pruned cm_prune(const struct component *component, struct region *scratch)
{
    struct pruning pruning = {.symbols = &component->types->symbols};
    size_t all = 0;
    cm_demand(component, NULL, count, &all);
    pruning.pruned.places = region_array(scratch, struct symbol_place, all);
    if (!pruning.pruned.places)
        return (struct cm_pruned){0};
    cm_demand(component, scratch, note, &pruning);
    if (pruning.failed)
        return (struct cm_pruned){0};
    symbol_sort(pruning.pruned.places, pruning.pruned.count);
    return pruning.pruned;
}

bool cm_is_pruned(const struct cm_pruned *pruned, const struct symbol *interface,
                  const struct symbol *name)
{
    return symbol_search(pruned->places, pruned->count, key_of(interface, name)) != SYMBOL_ABSENT;
}

/* Which import it is. */
struct pruned_import {
    struct str interface;
    struct str name;
};

static enum host_answer trap(struct host_call *call, const void *args, void *result)
{
    (void)args;
    (void)result;
    const struct pruned_import *import = call->host;
    return host_trap(call,
                     STR_FMT "%s" STR_FMT " was called, which was judged to be out of reach: a "
                             "fault in carrel, please report it",
                     STR_ARG(import->interface), import->interface.len ? "#" : "",
                     STR_ARG(import->name));
}

struct cm_func *cm_pruned_func(struct cm_store *store, const struct symbol *interface,
                               const struct cm_decl *decl)
{
    struct cm_func *func = heap_zeroed(vm_heap(store->vm), 1, sizeof *func);
    struct pruned_import *import = heap_zeroed(vm_heap(store->vm), 1, sizeof *import);
    if (!func || !import)
        return NULL;
    *import =
        (struct pruned_import){interface ? interface->text : (struct str){0}, decl->name->text};
    func->type = decl->is.type->canon;
    func->fn = trap;
    func->pruned = true;
    func->host = import;
    return func;
}

const struct cm_resource *cm_pruned_resource(struct cm_store *store)
{
    struct cm_resource *resource = heap_zeroed(vm_heap(store->vm), 1, sizeof *resource);
    if (resource)
        resource->kept = true;
    return resource;
}
