/* Calls of exported functions by the host; see store.h. */
#include "engine/component/async.h"
#include "engine/component/lift.h"
#include "engine/component/lower.h"
#include "engine/component/store.h"

struct cm_call {
    struct cm_store *store;
    struct cm_call *next; /* of the spare ones */
    const struct cm_func *func;
    struct func *native;
    const void *args;
    void *result;
    struct cm_task task;
    uint32_t entered;
    struct host_scratch scratch; /* the result, and what it points to */
    struct host_call host_call;  /* of a function of the host */
    struct host_caller caller;   /* of an async function */
    struct cm_instance *resumed; /* the instance whose thread the event loop resumed, or NULL */
};

static bool call_begin(struct vm *vm, struct native *frame, struct cm_call *call)
{
    const struct cm_func *func = call->func;
    struct cm_store *store = call->store;
    union slot flat[CM_FLAT_MAX];
    uint32_t count = 0;
    store->thread = NULL; /* what ran before, if it trapped, is not there any more */
    call->entered = cm_entered(func->instance, NULL);
    if (!cm_enter(func->instance, call->entered))
        return cm_trap(store, "cannot enter component instance");
    call->task = (struct cm_task){0};
    cm_task_begin(&call->task, func->instance, NULL);
    store->thread = &call->task.thread;
    struct cm_lower lower = {func->instance, frame, &func->abi, &call->task};
    if (!cm_lower_params(&lower, func->type, call->args, flat, &count))
        return false;
    union slot *to = native_args(vm, frame, count);
    if (!to)
        return false;
    memcpy(to, flat, count * sizeof *to);
    native_call(vm, frame, func->core);
    return true;
}

static bool call_end(struct vm *vm, struct native *frame, struct cm_call *call)
{
    const struct cm_func *func = call->func;
    union slot core_result = frame->top[0];
    if (func->type->result) {
        struct cm_lift lift = {.instance = func->instance,
                               .for_host = true,
                               .encoding = func->abi.encoding,
                               .memory = func->abi.memory,
                               .scratch = &call->scratch};
        if (!cm_lift_result(&lift, func->type, &core_result, call->result))
            return false;
    }
    if (call->task.borrows)
        return cm_trap(call->store, "borrow handles still remain at the end of the call");
    if (!cm_post_return(vm, frame, func, core_result))
        return false;
    call->store->thread = NULL;
    cm_leave(func->instance, call->entered);
    return true;
}

/* A function of the host that a component exports as it is. */
static enum native_answer call_host(struct vm *vm, struct native *frame, struct cm_call *call)
{
    const struct cm_func *func = call->func;
    call->host_call.resumed = frame->state != 0;
    if (!frame->state)
        call->host_call =
            (struct host_call){.vm = vm, .host = func->host, .scratch = &call->scratch};
    frame->state = 1;
    switch (func->fn(&call->host_call, func->type->nparams ? call->args : NULL, call->result)) {
    case HOST_DONE: return NATIVE_DONE;
    case HOST_BLOCKED: return NATIVE_BLOCKED;
    case HOST_CANCELLED:
    case HOST_TRAP: break;
    }
    return NATIVE_TRAP;
}

/* --- Async functions ----------------------------------------------------------------------------
 */

enum { ASYNC_NEW, ASYNC_BEGUN, ASYNC_LOOP };

static enum native_answer async_begin(struct vm *vm, struct native *frame, struct cm_call *call)
{
    const struct cm_func *func = call->func;
    struct cm_store *store = call->store;
    bool now;
    store->thread = NULL;
    call->resumed = NULL;
    call->entered = cm_entered(func->instance, NULL);
    if (!cm_enter(func->instance, call->entered)) {
        cm_trap(store, "cannot enter component instance");
        return NATIVE_TRAP;
    }
    call->caller =
        (struct host_caller){.args = call->args, .result = call->result, .scratch = &call->scratch};
    struct cm_async *async = async_new(store, func, NULL, &call->caller, &now);
    if (!async)
        return NATIVE_TRAP;
    frame->state = ASYNC_BEGUN;
    return now ? cm_resume(vm, frame, &async->task.thread) : NATIVE_CALL;
}

/* The event loop: whatever can run does, until the call is resolved. */
static enum native_answer async_loop(struct vm *vm, struct native *frame, struct cm_call *call)
{
    struct cm_store *store = call->store;
    enum native_answer answer;
    if (call->resumed)
        cm_turn_end(store, &call->resumed);
    if (call->caller.resolved)
        return NATIVE_DONE;
    frame->state = ASYNC_LOOP;
    if (cm_turn(store, vm, frame, &call->resumed, &answer))
        return answer;
    if (call->caller.resolved)
        return NATIVE_DONE;
    if (!store->host_calls && !store->nblocked) {
        call->func->instance->may_enter = false; /* it will not return: it counts as trapped */
        cm_trap(store, "deadlock: every task waits for another");
        return NATIVE_TRAP;
    }
    return NATIVE_BLOCKED;
}

static enum native_answer async_step(struct vm *vm, struct native *frame, struct cm_call *call)
{
    if (frame->state == ASYNC_NEW) {
        enum native_answer answer = async_begin(vm, frame, call);
        if (answer != NATIVE_CALL) /* it does not wait to begin */
            return answer;
    }
    if (frame->state == ASYNC_BEGUN) {
        cm_resumed(call->store, NULL);
        cm_leave(call->func->instance, call->entered);
    }
    return async_loop(vm, frame, call);
}

enum native_answer invoked_step(struct vm *vm, struct native *frame)
{
    struct cm_call *call = frame->data;
    if (!call->func->instance)
        return call_host(vm, frame, call);
    if (call->func->type->async)
        return async_step(vm, frame, call);
    bool first = frame->state == 0;
    frame->state = 1;
    if (first ? call_begin(vm, frame, call) : call_end(vm, frame, call))
        return first ? NATIVE_CALL : NATIVE_DONE;
    return NATIVE_TRAP;
}

const struct cm_func *invoked_func(const void *data)
{
    return ((const struct cm_call *)data)->func;
}

struct cm_call *cm_call_new(struct cm_store *store, const struct cm_func *func, const void *args)
{
    struct cm_call *call = store->spare_calls;
    if (call) {
        store->spare_calls = call->next;
    } else {
        call = heap_zeroed(vm_heap(store->vm), 1, sizeof *call);
        if (!call)
            return NULL;
        call->native = func_native(store->vm, types_func_id(store->types->core, NULL, 0, NULL, 0),
                                   invoked_step, call);
        if (!call->native)
            return NULL;
    }
    call->store = store;
    call->func = func;
    call->args = args;
    call->result = NULL;
    call->scratch = (struct host_scratch){.store = store};
    call->caller = (struct host_caller){0};
    if (func->type->result) {
        uint32_t size = func->type->result->layout.host_size;
        call->result = scratch_take(&call->scratch, size);
        if (!call->result)
            return NULL;
        memset(call->result, 0, size);
    }
    return call;
}

struct func *cm_call_func(struct cm_call *call)
{
    return call->native;
}

const void *cm_call_result(const struct cm_call *call)
{
    return call->result;
}

void cm_call_free(struct cm_call *call)
{
    if (call->caller.callee) /* it goes on, for nobody */
        call->caller.callee->host = NULL;
    scratch_release(&call->scratch);
    call->next = call->store->spare_calls;
    call->store->spare_calls = call;
}
