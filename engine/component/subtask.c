/* The caller's side of calls of async functions: subtasks, and lowered functions whose callee is a
 * guest's; see async.h, call.h. */
#include "engine/component/async.h"
#include "engine/component/layout.h"
#include "engine/component/lower.h"

/* --- Subtasks -----------------------------------------------------------------------------------
 */

struct cm_subtask *subtask_new(const struct lowered *low, const union slot *args)
{
    struct cm_store *store = low->instance->store;
    struct cm_subtask *subtask = heap_zeroed(vm_heap(store->vm), 1, sizeof *subtask);
    if (!subtask)
        return cm_full(store, "another call"), NULL;
    subtask->waitable.handle_kind = HANDLE_SUBTASK;
    subtask->low = low;
    subtask->lent.store = store;
    memcpy(subtask->args, args, low->nargs * sizeof *args);
    return subtask;
}

void subtask_free(struct cm_subtask *subtask)
{
    struct cm_store *store = subtask->low->instance->store;
    scratch_release(&subtask->lent);
    heap_give(vm_heap(store->vm), subtask);
}

/* It went on: who waits for it, or may look for it, learns so. */
static void progress(struct cm_subtask *subtask)
{
    if (subtask->waitable.index || (subtask->waitable.waiter && subtask_resolved(subtask)))
        waitable_notify(&subtask->waitable);
}

bool subtask_start(struct cm_subtask *subtask, struct host_scratch *values, bool for_host,
                   void *args)
{
    const struct lowered *low = subtask->low;
    subtask->state = SUBTASK_STARTED;
    progress(subtask);
    subtask->lift = (struct cm_lift){
        .instance = low->instance,
        .for_host = for_host,
        .for_itself = low->instance == low->callee->instance,
        .encoding = low->abi.encoding,
        .memory = low->abi.memory,
        .scratch = values,
        .lent = &subtask->lent,
    };
    return !low->type->nparams ||
           cm_lift_params(&subtask->lift, low->type, low->max_flat, subtask->args, args);
}

bool subtask_return(struct cm_subtask *subtask, struct native *frame, const void *result)
{
    const struct lowered *low = subtask->low;
    const union slot *pointer = &subtask->args[low->result_pointer];
    struct cm_lower lower = {low->instance, frame, &low->abi, NULL};
    if (low->type->result &&
        !(low->abi.async ? cm_lower_result_async(&lower, low->type, result, pointer)
                         : cm_lower_result(&lower, low->type, result, &subtask->result, pointer)))
        return false;
    subtask->callee = NULL;
    subtask->state = SUBTASK_RETURNED;
    progress(subtask);
    return true;
}

void subtask_cancelled(struct cm_subtask *subtask)
{
    subtask->callee = NULL;
    subtask->state = subtask->state == SUBTASK_STARTING ? SUBTASK_CANCELLED_BEFORE_STARTED
                                                        : SUBTASK_CANCELLED_BEFORE_RETURNED;
    progress(subtask);
}

void subtask_deliver(struct cm_subtask *subtask)
{
    cm_lift_return(&subtask->lift);
    scratch_release(&subtask->lent);
    subtask->delivered = true;
}

struct event subtask_event(struct cm_subtask *subtask)
{
    if (subtask_resolved(subtask))
        subtask_deliver(subtask);
    return (struct event){EVENT_SUBTASK, subtask->waitable.index, subtask->state};
}

/* --- Lowered functions --------------------------------------------------------------------------
 */

struct call_frame {
    struct cm_subtask *subtask;
    struct cm_thread *thread; /* which calls */
};

/* The call is over as far as the caller is concerned. */
static enum native_answer deliver(struct native *frame, struct call_frame *f)
{
    struct cm_subtask *subtask = f->subtask;
    const struct lowered *low = subtask->low;
    subtask_deliver(subtask);
    if (low->abi.async)
        frame->args[0].u64 = SUBTASK_RETURNED;
    else if (low->type->result && low->type->result->layout.nflat <= 1)
        frame->args[0] = subtask->result;
    subtask_free(subtask);
    return NATIVE_DONE;
}

/* An async caller gets a handle. */
static enum native_answer hand_out(struct native *frame, struct cm_subtask *subtask)
{
    struct cm_instance *instance = subtask->low->instance;
    struct handle handle = {.kind = HANDLE_SUBTASK, .rep = subtask};
    uint32_t index = cm_handle_add(instance, &handle);
    if (!index)
        return NATIVE_TRAP;
    subtask->waitable.index = index;
    frame->args[0].u64 = (uint32_t)subtask->state | index << 4;
    return NATIVE_DONE;
}

/* The callee began, or waits to: it is resolved, or will be. */
static enum native_answer begun(struct vm *vm, struct native *frame, struct call_frame *f)
{
    struct cm_subtask *subtask = f->subtask;
    enum native_answer answer;
    if (subtask_resolved(subtask))
        return deliver(frame, f);
    if (subtask->low->abi.async)
        return hand_out(frame, subtask);
    f->thread->waitable = &subtask->waitable;
    frame->state = LOWERED_WAITING;
    cm_wait_begin(f->thread, WAIT_WAITABLE, GATE_NONE, false);
    return cm_wait_over(vm, frame, f->thread, &answer) ? deliver(frame, f) : answer;
}

static struct call_frame *call_frame_new(struct vm *vm, struct native *frame)
{
    const struct lowered *low = frame->data;
    struct cm_store *store = low->instance->store;
    if (!low->instance->may_leave) {
        cm_trap(store, "cannot leave component instance");
        return NULL;
    }
    struct call_frame *f = native_locals(vm, frame, sizeof *f);
    if (!f)
        return NULL;
    f->thread = store->thread;
    f->subtask = subtask_new(low, frame->args);
    return f->subtask ? f : NULL;
}

/* Makes the callee's task, which begins, or has to wait. */
static enum native_answer call_begin(struct vm *vm, struct native *frame, struct call_frame *f)
{
    const struct lowered *low = frame->data;
    struct cm_instance *instance = low->callee->instance;
    if (!cm_enter(instance, low->entered)) {
        cm_trap(instance->store, "cannot enter component instance");
        return NATIVE_TRAP;
    }
    bool now;
    struct cm_async *async = async_new(instance->store, low->callee, f->subtask, NULL, &now);
    if (!async)
        return NATIVE_TRAP;
    frame->state = LOWERED_BEGUN;
    if (now)
        return cm_resume(vm, frame, &async->task.thread);
    /* If who has the instance to itself could go on, it does, for it may well make room. */
    if (!instance->exclusive || !cm_pick_this(instance->exclusive))
        return NATIVE_DONE;
    frame->state = LOWERED_CLEARING;
    return cm_resume(vm, frame, instance->exclusive);
}

enum native_answer lowered_async_step(struct vm *vm, struct native *frame)
{
    const struct lowered *low = frame->data;
    struct cm_store *store = low->instance->store;
    struct call_frame *f = frame->locals;
    enum native_answer answer;
    if (frame->state == LOWERED_WAITING)
        return cm_wait_over(vm, frame, f->thread, &answer) ? deliver(frame, f) : answer;
    if (frame->state == LOWERED_NEW) {
        f = call_frame_new(vm, frame);
        if (!f)
            return NATIVE_TRAP;
        answer = call_begin(vm, frame, f);
        if (answer != NATIVE_DONE)
            return answer;
    }
    cm_resumed(store, f->thread);
    if (frame->state == LOWERED_CLEARING) {
        struct cm_async *async = f->subtask->callee;
        frame->state = LOWERED_BEGUN;
        if (async && async->entering && cm_pick_this(&async->task.thread))
            return cm_resume(vm, frame, &async->task.thread);
    }
    cm_leave(low->callee->instance, low->entered);
    return begun(vm, frame, f);
}

enum native_answer lowered_async_host_step(struct vm *vm, struct native *frame)
{
    struct call_frame *f = frame->locals;
    enum native_answer answer;
    if (frame->state == LOWERED_WAITING)
        return cm_wait_over(vm, frame, f->thread, &answer) ? deliver(frame, f) : answer;
    f = call_frame_new(vm, frame);
    if (!f || !host_job_begin(f->subtask, vm, frame))
        return NATIVE_TRAP;
    return begun(vm, frame, f);
}
