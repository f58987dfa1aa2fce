/* Built-ins: what a component can do with its handles (CanonicalABI.md "canon resource.new" and
 * after); see call.h. */
#include "engine/component/call.h"

/* What a built-in knows. */
struct builtin {
    struct cm_instance *instance;
    const struct cm_resource *resource;
    uint32_t entered; /* resource.drop: instances that the destructor's call enters */
};

static enum native_answer trap(struct cm_store *store, const char *why)
{
    cm_trap(store, why);
    return NATIVE_TRAP;
}

static enum native_answer resource_new_step(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    if (!b->instance->may_leave)
        return trap(b->instance->store, "cannot leave component instance");
    struct handle handle = {
        .kind = HANDLE_OWN, .resource = b->resource, .rep = (void *)(uintptr_t)frame->args[0].u32};
    uint32_t index = handle_add(&b->instance->handles, vm_heap(vm), &handle);
    if (!index) {
        vm_trap_set(vm, TRAP_OUT_OF_MEMORY, "the handle table is full");
        return NATIVE_TRAP;
    }
    frame->args[0].u64 = index;
    return NATIVE_DONE;
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

static enum native_answer resource_rep_step(struct vm *vm, struct native *frame)
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
        if (resource->drop)
            resource->drop(vm, resource->host, rep);
        return NATIVE_DONE;
    }
    if (!cm_enter(resource->owner, b->entered))
        return trap(store, "cannot enter component instance");
    if (!resource->destructor) {
        cm_leave(resource->owner, b->entered);
        return NATIVE_DONE;
    }
    struct drop_frame *f = native_locals(vm, frame, sizeof *f);
    union slot *args = f ? native_args(vm, frame, 1) : NULL;
    if (!args)
        return NATIVE_TRAP;
    f->task = (struct cm_task){resource->owner, store->task, 0};
    store->task = &f->task;
    args[0].u64 = (uint32_t)(uintptr_t)rep;
    frame->state = 1;
    native_call(vm, frame, resource->destructor);
    return NATIVE_CALL;
}

static enum native_answer resource_drop_step(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    struct cm_store *store = b->instance->store;
    if (b->resource->kept)
        return trap(store,
                    "a resource was dropped, which was judged to be out of reach: a fault in "
                    "carrel, please report it");
    if (frame->state) { /* the destructor has returned */
        struct drop_frame *f = frame->locals;
        store->task = f->task.caller;
        cm_leave(b->resource->owner, b->entered);
        return NATIVE_DONE;
    }
    if (!b->instance->may_leave)
        return trap(store, "cannot leave component instance");
    uint32_t index = frame->args[0].u32;
    struct handle *handle = handle_of(b, index);
    if (!handle)
        return NATIVE_TRAP;
    if (handle->lends)
        return trap(store, "cannot remove owned resource while borrowed");
    struct handle dropped = *handle;
    handle_remove(&b->instance->handles, index);
    if (dropped.kind == HANDLE_OWN)
        return drop_owned(vm, frame, b, dropped.rep);
    dropped.scope->borrows--;
    return NATIVE_DONE;
}

static native_step *step_of(enum canon canon)
{
    switch (canon) {
    case CANON_RESOURCE_NEW: return resource_new_step;
    case CANON_RESOURCE_DROP: return resource_drop_step;
    case CANON_RESOURCE_REP: return resource_rep_step;
    default: return NULL; /* not provided: the linker has refused it */
    }
}

struct func *cm_builtin_func(struct cm_instance *instance, const struct cm_canon *canon)
{
    struct vm *vm = instance->store->vm;
    native_step *step = step_of(canon->canon);
    struct builtin *b = step ? heap_zeroed(vm_heap(vm), 1, sizeof *b) : NULL;
    if (!b)
        return NULL;
    b->instance = instance;
    b->resource = canon->var ? instance->slots[canon->var->slot] : NULL;
    if (b->resource && b->resource->owner)
        b->entered = cm_entered(b->resource->owner, instance);
    return func_native(vm, canon->core, step, b);
}
