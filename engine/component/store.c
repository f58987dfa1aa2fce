/* The store of component instances, and what calls between them have in common; see instance.h. */
#include "engine/component/store.h"

#include "engine/component/async.h"

struct cm_store *cm_store_new(struct vm *vm, struct cm_types *types)
{
    struct cm_store *store = heap_zeroed(vm_heap(vm), 1, sizeof *store);
    if (!store)
        return NULL;
    store->vm = vm;
    store->types = types;
    store->entry = async_entry_new(store);
    if (!store->entry)
        return NULL;
    return store;
}

bool cm_trap(struct cm_store *store, const char *why)
{
    vm_trap_set(store->vm, TRAP_COMPONENT, "%s", why);
    return false;
}

bool cm_full(struct cm_store *store, const char *what)
{
    struct vm *vm = store->vm;
    const struct heap *heap = vm_heap(vm);
    if (heap->at_limit)
        vm_trap_set(vm, TRAP_HELD, "no room for %s; at most %zu bytes, however large --memory is",
                    what, heap->limit);
    else
        vm_trap_set(vm, TRAP_OUT_OF_MEMORY, "no room for %s", what);
    return false;
}

uint32_t cm_handle_add(struct cm_instance *instance, const struct handle *handle)
{
    struct vm *vm = instance->store->vm;
    uint32_t index = handle_add(&instance->handles, vm_heap(vm), handle);
    if (!index && instance->handles.count > HANDLE_MAX)
        vm_trap_set(vm, TRAP_HELD, "more than %u handles, a fixed number", HANDLE_MAX);
    else if (!index)
        cm_full(instance->store, "another handle");
    return index;
}

uint32_t cm_entered(const struct cm_instance *callee, const struct cm_instance *caller)
{
    uint32_t entered = 0;
    /* Both go up to the same depth, then together, until they meet. */
    while (callee && (!caller || callee->depth > caller->depth)) {
        callee = callee->parent;
        entered++;
    }
    while (caller && callee && caller->depth > callee->depth)
        caller = caller->parent;
    while (callee && caller && callee != caller) {
        callee = callee->parent;
        caller = caller->parent;
        entered++;
    }
    return entered;
}
