/* Tasks of async functions; see async.h. */
#include "engine/component/async.h"

#include "engine/component/layout.h"
#include "engine/component/limits.h"
#include "engine/component/lower.h"

/* What a fiber that begins has to do for its task. */
enum {
    PHASE_NEW,
    PHASE_YIELDED, /* its callback comes next: it answered YIELD, or WAIT */
    PHASE_WAITED,
};

/* Is it to have its instance to itself while it runs core code? */
static bool needs_exclusive(const struct cm_async *async)
{
    return !async->func->abi.async || async->func->abi.callback;
}

static void set_exclusive(struct cm_instance *instance, struct cm_thread *thread)
{
    instance->exclusive = thread;
    cm_reschedule(instance);
}

/* --- Beginning ----------------------------------------------------------------------------------
 */

bool async_may_begin(const struct cm_store *store)
{
    if (store->nasync < CM_LIMIT_ASYNC_CALLS)
        return true;
    vm_trap_set(store->vm, TRAP_HELD, "more than %u %s, a fixed number", CM_LIMIT_ASYNC_CALLS,
                cm_limit_rows[CM_COUNT_ASYNC_CALLS].what);
    return false;
}

struct cm_async *async_new(struct cm_store *store, const struct cm_func *func,
                           struct cm_subtask *subtask, struct host_caller *host, bool *ret_now)
{
    struct cm_instance *instance = func->instance;
    if (!async_may_begin(store))
        return NULL;
    struct cm_async *async = heap_zeroed(vm_heap(store->vm), 1, sizeof *async);
    if (!async)
        return cm_full(store, "another call"), NULL;
    store->nasync++;
    async->task.instance = instance;
    async->task.async = true;
    async->task.thread.task = &async->task;
    async->func = func;
    async->subtask = subtask;
    async->host = host;
    if (subtask)
        subtask->callee = async;
    if (host)
        host->callee = async;
    bool pressed = instance->backpressure || (needs_exclusive(async) && instance->exclusive);
    *ret_now = !pressed && !instance->entering;
    if (!*ret_now) {
        async->entering = true;
        instance->entering++;
        cm_wait_begin(&async->task.thread, WAIT_YIELD,
                      needs_exclusive(async) ? GATE_ENTER_EXCLUSIVE : GATE_ENTER, true);
    }
    return async;
}

/* Lifts the arguments from the caller and lowers them to core values. False: it trapped. */
static bool pass_args(struct cm_async *async, struct native *frame, union slot *flat,
                      uint32_t *ret_count)
{
    const struct cm_func *func = async->func;
    struct cm_store *store = func->instance->store;
    struct cm_lower lower = {func->instance, frame, &func->abi, &async->task};
    *ret_count = 0;
    if (!async->subtask) {
        frame->state = IN_CALLEE;
        const void *args = async->host ? async->host->args : NULL;
        return !func->type->nparams || cm_lower_params(&lower, func->type, args, flat, ret_count);
    }
    struct host_scratch values = {.store = store};
    uint8_t *args = scratch_take(&values, func->type->layout.host_size);
    if (!args)
        return scratch_full(&values, func->type->layout.host_size);
    memset(args, 0, func->type->layout.host_size);
    bool done = subtask_start(async->subtask, &values, false, args);
    if (done) {
        frame->state = IN_CALLEE;
        done = !func->type->nparams || cm_lower_params(&lower, func->type, args, flat, ret_count);
    }
    scratch_release(&values);
    return done;
}

static enum native_answer begin(struct cm_async *async, struct vm *vm, struct native *frame)
{
    struct cm_instance *instance = async->task.instance;
    union slot flat[CM_FLAT_MAX];
    uint32_t count;
    if (async->entering) {
        async->entering = false;
        instance->entering--;
    }
    if (needs_exclusive(async))
        set_exclusive(instance, &async->task.thread);
    async->task.state = TASK_STARTED;
    if (!pass_args(async, frame, flat, &count))
        return NATIVE_TRAP;
    union slot *to = native_args(vm, frame, count);
    if (!to)
        return NATIVE_TRAP;
    memcpy(to, flat, count * sizeof *to);
    native_call(vm, frame, async->func->core);
    return NATIVE_CALL;
}

/* --- Resolving ----------------------------------------------------------------------------------
 */

/* Lifts the result for the host, or for a guest on its way. */
static bool lift_result(struct cm_async *async, struct host_scratch *scratch,
                        const union slot *flat, unsigned max_flat, void *to)
{
    const struct cm_func *func = async->func;
    struct cm_subtask *subtask = async->subtask;
    struct cm_lift lift = {
        .instance = func->instance,
        .for_host = !subtask,
        .for_itself = subtask && subtask->low->instance == func->instance,
        .encoding = func->abi.encoding,
        .memory = func->abi.memory,
        .scratch = scratch,
    };
    return cm_lift_value(&lift, func->type->result, max_flat, flat, to);
}

bool async_return(struct cm_async *async, struct native *frame, const union slot *flat,
                  unsigned max_flat)
{
    const struct cm_type *type = async->func->type->result;
    struct cm_store *store = async->task.instance->store;
    if (async->task.state == TASK_RESOLVED)
        return cm_trap(store, "the task has returned or was cancelled already");
    if (async->task.borrows)
        return cm_trap(store, "borrow handles still remain at the end of the call");
    struct host_scratch values = {.store = store};
    struct host_scratch *scratch = async->host ? async->host->scratch : &values;
    void *result = async->host ? async->host->result : NULL;
    if (type && !result) {
        result = scratch_take(&values, type->layout.host_size);
        if (!result)
            return scratch_full(&values, type->layout.host_size);
        memset(result, 0, type->layout.host_size);
    }
    bool done = !type || lift_result(async, scratch, flat, max_flat, result);
    if (done && async->subtask) {
        frame->state = IN_CALLER;
        done = subtask_return(async->subtask, frame, result);
    }
    scratch_release(&values);
    if (!done)
        return false;
    frame->state = IN_CALLEE;
    if (async->host) {
        async->host->resolved = true;
        async->host->callee = NULL;
    }
    async->subtask = NULL;
    async->host = NULL;
    async->task.state = TASK_RESOLVED;
    return true;
}

bool async_cancelled(struct cm_async *async)
{
    struct cm_store *store = async->task.instance->store;
    if (async->task.state != TASK_CANCEL_DELIVERED)
        return cm_trap(store, "the task was not asked to cancel, or is resolved already");
    if (async->task.borrows)
        return cm_trap(store, "borrow handles still remain at the end of the call");
    if (async->subtask)
        subtask_cancelled(async->subtask);
    async->subtask = NULL;
    async->task.state = TASK_RESOLVED;
    return true;
}

static void async_free(struct cm_async *async)
{
    struct cm_store *store = async->task.instance->store;
    store->nasync--;
    heap_give(vm_heap(store->vm), async);
}

/* Its thread ends. */
static enum native_answer finish(struct cm_async *async)
{
    if (async->task.state != TASK_RESOLVED) {
        cm_trap(async->task.instance->store, "the task ended without returning a result");
        return NATIVE_TRAP;
    }
    if (needs_exclusive(async))
        set_exclusive(async->task.instance, NULL);
    cm_give_fiber_up(&async->task.thread);
    async_free(async);
    return NATIVE_DONE;
}

/* --- Callbacks ----------------------------------------------------------------------------------
 */

enum { CALLBACK_EXIT, CALLBACK_YIELD, CALLBACK_WAIT };

/* Calls the callback with the event that the task waited for. */
static enum native_answer call_back(struct cm_async *async, struct vm *vm, struct native *frame)
{
    struct cm_thread *thread = &async->task.thread;
    set_exclusive(async->task.instance, thread);
    struct event event = {0};
    if (thread->cancelled)
        event.code = EVENT_TASK_CANCELLED;
    else if (async->phase == PHASE_WAITED)
        event = waitable_set_take(thread->set);
    union slot *args = native_args(vm, frame, 3);
    if (!args)
        return NATIVE_TRAP;
    args[0].u64 = event.code;
    args[1].u64 = event.index;
    args[2].u64 = event.payload;
    native_call(vm, frame, async->func->abi.callback);
    return NATIVE_CALL;
}

/* Does what the core function or the callback answered. */
static enum native_answer callback_answered(struct cm_async *async, struct vm *vm,
                                            struct native *frame)
{
    struct cm_thread *thread = &async->task.thread;
    struct cm_instance *instance = async->task.instance;
    uint32_t packed = frame->top[0].u32;
    enum cm_wait wait = WAIT_YIELD;
    switch (packed & 0xf) {
    case CALLBACK_EXIT: return finish(async);
    case CALLBACK_YIELD: async->phase = PHASE_YIELDED; break;
    case CALLBACK_WAIT: {
        const struct handle *handle = handle_at(&instance->handles, packed >> 4);
        if (!handle || handle->kind != HANDLE_SET) {
            cm_trap(instance->store, "a callback waits for something that is no waitable set");
            return NATIVE_TRAP;
        }
        thread->set = handle->rep;
        wait = WAIT_SET;
        async->phase = PHASE_WAITED;
        break;
    }
    default: cm_trap(instance->store, "unsupported callback code"); return NATIVE_TRAP;
    }
    set_exclusive(instance, NULL);
    if (!cm_wait_begin(thread, wait, GATE_CALLBACK, true))
        return call_back(async, vm, frame);
    cm_give_fiber_up(thread);
    return NATIVE_DONE;
}

/* --- The fiber ----------------------------------------------------------------------------------
 */

/* The core function has returned. */
static enum native_answer core_returned(struct cm_async *async, struct vm *vm, struct native *frame)
{
    const struct cm_func *func = async->func;
    if (func->abi.callback)
        return callback_answered(async, vm, frame);
    if (!func->abi.async) {
        union slot result = frame->top[0];
        if (!async_return(async, frame, &result, 1) || !cm_post_return(vm, frame, func, result))
            return NATIVE_TRAP;
    }
    return finish(async);
}

enum native_answer async_entry_step(struct vm *vm, struct native *frame)
{
    const struct cm_store *store = frame->data;
    struct cm_async *async = async_of(store->thread->task);
    if (frame->state == IN_CALLEE)
        return core_returned(async, vm, frame);
    if (async->phase == PHASE_NEW)
        return begin(async, vm, frame);
    frame->state = IN_CALLEE;
    return call_back(async, vm, frame);
}

struct func *async_entry_new(struct cm_store *store)
{
    return func_native(store->vm, types_func_id(store->types->core, NULL, 0, NULL, 0),
                       async_entry_step, store);
}

/* --- Cancelling ---------------------------------------------------------------------------------
 */

/* May the thread be resumed to hear of it? */
static bool may_hear(const struct cm_async *async, const struct cm_instance *caller)
{
    const struct cm_thread *thread = &async->task.thread;
    const struct cm_instance *instance = async->task.instance;
    return thread->wait != WAIT_NONE && thread->cancellable &&
           (!needs_exclusive(async) || !instance->exclusive || instance->exclusive == thread) &&
           cm_may_enter(instance, cm_entered(instance, caller));
}

bool async_request_cancel(struct cm_async *async, const struct cm_instance *caller)
{
    struct cm_thread *thread = &async->task.thread;
    struct cm_instance *instance = async->task.instance;
    if (async->task.state == TASK_INITIAL) { /* nothing of it has run */
        cm_wait_end(thread);
        instance->entering--;
        async->task.state = TASK_CANCEL_DELIVERED;
        async_cancelled(async);
        async_free(async);
        return false;
    }
    if (!may_hear(async, caller)) {
        async->task.state = TASK_PENDING_CANCEL;
        return false;
    }
    async->task.state = TASK_CANCEL_DELIVERED;
    cm_enter(instance, cm_entered(instance, caller));
    cm_wait_end(thread);
    thread->cancelled = true;
    return true;
}

/* --- The event loop -----------------------------------------------------------------------------
 */

void cm_turn_end(struct cm_store *store, struct cm_instance **resumed)
{
    cm_resumed(store, NULL);
    cm_leave(*resumed, cm_entered(*resumed, NULL));
    *resumed = NULL;
}

bool cm_turn(struct cm_store *store, struct vm *vm, struct native *frame,
             struct cm_instance **ret_resumed, enum native_answer *ret_answer)
{
    store->thread = NULL;
    *ret_answer = NATIVE_TRAP;
    if (!host_jobs_run(store, frame))
        return true;
    struct cm_thread *thread = cm_pick_any(store);
    if (!thread)
        return false;
    *ret_resumed = thread->task->instance;
    cm_enter(*ret_resumed, cm_entered(*ret_resumed, NULL));
    *ret_answer = cm_resume(vm, frame, thread);
    return true;
}
