/* Built-ins: making them, and those for resources (CanonicalABI.md "canon resource.new" and after);
 * see builtin.h. */
#include "engine/component/builtin.h"

enum native_answer builtin_trap(const struct builtin *b, const char *why)
{
    cm_trap(b->instance->store, why);
    return NATIVE_TRAP;
}

uint32_t builtin_handle(const struct builtin *b, enum handle_kind kind, void *rep)
{
    return cm_handle_add(b->instance, &(struct handle){.kind = kind, .rep = rep});
}

enum native_answer builtin_resource_new(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    if (!builtin_may_leave(b))
        return NATIVE_TRAP;
    struct handle handle = {
        .kind = HANDLE_OWN, .resource = b->resource, .rep = (void *)(uintptr_t)frame->args[0].u32};
    uint32_t index = cm_handle_add(b->instance, &handle);
    frame->args[0].u64 = index;
    return index ? NATIVE_DONE : NATIVE_TRAP;
}

/* The handle at an index, which must be one of this resource type; NULL: it trapped. */
static struct handle *handle_of(const struct builtin *b, uint32_t index)
{
    struct cm_store *store = b->instance->store;
    struct handle *handle = handle_at(&b->instance->handles, index);
    if (!handle)
        cm_trap(store, "unknown handle index");
    else if (handle->kind != HANDLE_OWN && handle->kind != HANDLE_BORROW)
        cm_trap(store, "handle index used with the wrong type");
    else if (handle->resource != b->resource)
        cm_trap(store, "handle index used with the wrong resource type");
    else
        return handle;
    return NULL;
}

enum native_answer builtin_resource_rep(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    const struct handle *handle = handle_of(b, frame->args[0].u32);
    if (!handle)
        return NATIVE_TRAP;
    frame->args[0].u64 = (uint32_t)(uintptr_t)handle->rep;
    return NATIVE_DONE;
}

/* While a destructor runs. */
struct drop_frame {
    struct cm_task task;
};

/* Calls a guest's destructor, as a call from the instance that drops. */
static enum native_answer drop_owned(struct vm *vm, struct native *frame, const struct builtin *b,
                                     void *rep)
{
    const struct cm_resource *resource = b->resource;
    struct cm_store *store = b->instance->store;
    if (!resource->owner) {
        return !resource->drop || resource->drop(vm, resource->host, rep) ? NATIVE_DONE
                                                                          : NATIVE_TRAP;
    }
    if (!cm_enter(resource->owner, b->entered))
        return builtin_trap(b, "cannot enter component instance");
    if (!resource->destructor) {
        cm_leave(resource->owner, b->entered);
        return NATIVE_DONE;
    }
    struct drop_frame *f = native_locals(vm, frame, sizeof *f);
    union slot *args = f ? native_args(vm, frame, 1) : NULL;
    if (!args)
        return NATIVE_TRAP;
    cm_task_begin(&f->task, resource->owner, store->thread);
    store->thread = &f->task.thread;
    args[0].u64 = (uint32_t)(uintptr_t)rep;
    frame->state = 1;
    native_call(vm, frame, resource->destructor);
    return NATIVE_CALL;
}

enum native_answer builtin_resource_drop(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    struct cm_store *store = b->instance->store;
    if (b->resource->kept)
        return builtin_trap(
            b, "a resource was dropped, which was judged to be out of reach: a fault in "
               "carrel, please report it");
    if (frame->state) { /* the destructor has returned */
        struct drop_frame *f = frame->locals;
        store->thread = f->task.caller;
        cm_leave(b->resource->owner, b->entered);
        return NATIVE_DONE;
    }
    if (!builtin_may_leave(b))
        return NATIVE_TRAP;
    uint32_t index = frame->args[0].u32;
    struct handle *handle = handle_of(b, index);
    if (!handle)
        return NATIVE_TRAP;
    if (handle->lends)
        return builtin_trap(b, "cannot remove owned resource while borrowed");
    struct handle dropped = *handle;
    handle_remove(&b->instance->handles, index);
    if (dropped.kind == HANDLE_OWN)
        return drop_owned(vm, frame, b, dropped.rep);
    dropped.scope->borrows--;
    return NATIVE_DONE;
}

/* --- Making them --------------------------------------------------------------------------------
 */

/* Never called: what is not provided does not link, lift and lower have steps of their own. */
enum native_answer builtin_none(struct vm *vm, struct native *frame)
{
    (void)vm;
    return builtin_trap(frame->data, "this canonical definition is not provided");
}

static native_step *const steps[CANONS] = {
#define CANON(opcode, name, text, immediates, params, result, step) [CANON_##name] = builtin_##step,
#include "engine/component/canon.def"
#undef CANON
};

struct func *cm_builtin_func(struct cm_instance *instance, const struct cm_canon *canon)
{
    struct vm *vm = instance->store->vm;
    struct builtin *b = heap_zeroed(vm_heap(vm), 1, sizeof *b);
    if (!b)
        return NULL;
    b->instance = instance;
    b->canon = canon;
    b->abi = cm_abi_of(instance, &canon->options);
    b->resource = canon->var ? instance->slots[canon->var->slot] : NULL;
    if (b->resource && b->resource->owner)
        b->entered = cm_entered(b->resource->owner, instance);
    return func_native(vm, canon->core, steps[canon->canon], b);
}
