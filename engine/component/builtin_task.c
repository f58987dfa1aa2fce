/* Built-ins of tasks, threads and subtasks (CanonicalABI.md "canon context.get" to "canon
 * task.cancel", "canon subtask.cancel" and after, "canon thread.yield"); see builtin.h. */
#include "engine/component/async.h"
#include "engine/component/builtin.h"

#define BACKPRESSURE_LIMIT (UINT32_C(1) << 16)

static struct cm_thread *current(const struct builtin *b)
{
    return b->instance->store->thread;
}

/* --- The context --------------------------------------------------------------------------------
 */

enum native_answer builtin_context_get(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    frame->args[0].u64 = current(b)->storage[b->canon->index];
    return NATIVE_DONE;
}

enum native_answer builtin_context_set(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    current(b)->storage[b->canon->index] = frame->args[0].u32;
    return NATIVE_DONE;
}

/* --- Backpressure -------------------------------------------------------------------------------
 */

enum native_answer builtin_backpressure_inc(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    if (++b->instance->backpressure == BACKPRESSURE_LIMIT)
        return builtin_trap(b, "backpressure counter overflow");
    cm_reschedule(b->instance);
    return NATIVE_DONE;
}

enum native_answer builtin_backpressure_dec(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    if (!b->instance->backpressure)
        return builtin_trap(b, "backpressure counter underflow");
    b->instance->backpressure--;
    cm_reschedule(b->instance);
    return NATIVE_DONE;
}

/* --- The current task ---------------------------------------------------------------------------
 */

/* The current task, which must have been lifted with the option async. NULL: it trapped. */
static struct cm_async *async_task(const struct builtin *b)
{
    if (!builtin_may_leave(b))
        return NULL;
    struct cm_task *task = current(b)->task;
    if (task->async && async_of(task)->func->abi.async)
        return async_of(task);
    builtin_trap(b, "the current task was not lifted with the option async");
    return NULL;
}

enum native_answer builtin_task_return(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    frame->state = IN_CALLEE;
    struct cm_async *async = async_task(b);
    if (!async)
        return NATIVE_TRAP;
    const struct cm_func *func = async->func;
    /* Without a memory nothing is lifted from one: the test suite leaves it out then. */
    if (b->canon->type != func->type->result || b->abi.encoding != func->abi.encoding ||
        (b->abi.memory && b->abi.memory != func->abi.memory))
        return builtin_trap(b, "task.return with another type or other options than the task's");
    return async_return(async, frame, frame->args, CM_FLAT_MAX) ? NATIVE_DONE : NATIVE_TRAP;
}

enum native_answer builtin_task_cancel(struct vm *vm, struct native *frame)
{
    (void)vm;
    struct cm_async *async = async_task(frame->data);
    return async && async_cancelled(async) ? NATIVE_DONE : NATIVE_TRAP;
}

enum native_answer builtin_thread_yield(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    struct cm_thread *thread = frame->locals;
    enum native_answer answer;
    if (frame->state == 0) {
        if (!builtin_may_leave(b))
            return NATIVE_TRAP;
        thread = current(b);
        frame->locals = thread;
        frame->state = 1;
        cm_wait_begin(thread, WAIT_YIELD, GATE_NONE, b->canon->cancellable);
    }
    if (thread->wait != WAIT_NONE && !cm_wait_over(vm, frame, thread, &answer))
        return answer;
    frame->args[0].u64 = thread->cancelled;
    return NATIVE_DONE;
}

/* --- Subtasks -----------------------------------------------------------------------------------
 */

static struct cm_subtask *subtask_at(const struct builtin *b, uint32_t index)
{
    if (!builtin_may_leave(b))
        return NULL;
    const struct handle *handle = handle_at(&b->instance->handles, index);
    if (handle && handle->kind == HANDLE_SUBTASK)
        return handle->rep;
    builtin_trap(b, handle ? "handle index used with the wrong type" : "unknown handle index");
    return NULL;
}

/* The states of the frame of subtask.cancel. */
enum { NEW, HEARD, WAITING };

struct cancel_frame {
    struct cm_subtask *subtask;
    struct cm_thread *thread;
    struct cm_instance *entered; /* whose thread runs to hear of it */
};

static enum native_answer cancel_deliver(struct native *frame, struct cm_subtask *subtask)
{
    frame->args[0].u64 = waitable_take(&subtask->waitable).payload;
    return NATIVE_DONE;
}

/* Those who had to hear of it have. */
static enum native_answer cancel_heard(struct vm *vm, struct native *frame, struct cancel_frame *f)
{
    const struct builtin *b = frame->data;
    enum native_answer answer;
    if (subtask_resolved(f->subtask))
        return cancel_deliver(frame, f->subtask);
    if (b->canon->async) {
        frame->args[0].u64 = ASYNC_BLOCKED;
        return NATIVE_DONE;
    }
    waitable_clear(&f->subtask->waitable); /* that it started is no news any more */
    frame->state = WAITING;
    f->thread->waitable = &f->subtask->waitable;
    cm_wait_begin(f->thread, WAIT_WAITABLE, GATE_NONE, false);
    return cm_wait_over(vm, frame, f->thread, &answer) ? cancel_deliver(frame, f->subtask) : answer;
}

static enum native_answer cancel_begin(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    struct cm_subtask *subtask = subtask_at(b, frame->args[0].u32);
    if (!subtask)
        return NATIVE_TRAP;
    if (subtask->delivered)
        return builtin_trap(b, "the subtask has ended, which was told already");
    if (subtask->cancel_requested)
        return builtin_trap(b, "the subtask was asked to cancel already");
    if (subtask->waitable.set && !b->canon->async)
        return builtin_trap(b, "a waitable in a set cannot be waited for synchronously");
    if (subtask_resolved(subtask))
        return cancel_deliver(frame, subtask);
    struct cancel_frame *f = native_locals(vm, frame, sizeof *f);
    if (!f)
        return NATIVE_TRAP;
    *f = (struct cancel_frame){.subtask = subtask, .thread = current(b)};
    subtask->cancel_requested = true;
    if (!subtask->callee) /* of the host */
        return host_job_cancel(subtask, frame) ? cancel_heard(vm, frame, f) : NATIVE_TRAP;
    struct cm_async *callee = subtask->callee;
    if (!async_request_cancel(callee, b->instance))
        return cancel_heard(vm, frame, f);
    f->entered = callee->task.instance;
    frame->state = HEARD;
    return cm_resume(vm, frame, &callee->task.thread);
}

enum native_answer builtin_subtask_cancel(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    struct cancel_frame *f = frame->locals;
    enum native_answer answer;
    if (frame->state == NEW)
        return cancel_begin(vm, frame);
    if (frame->state == WAITING)
        return cm_wait_over(vm, frame, f->thread, &answer) ? cancel_deliver(frame, f->subtask)
                                                           : answer;
    cm_resumed(b->instance->store, f->thread);
    cm_leave(f->entered, cm_entered(f->entered, b->instance));
    return cancel_heard(vm, frame, f);
}

enum native_answer builtin_subtask_drop(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    struct cm_subtask *subtask = subtask_at(b, frame->args[0].u32);
    if (!subtask)
        return NATIVE_TRAP;
    if (!subtask->delivered)
        return builtin_trap(b, "cannot drop a subtask which has not yet resolved");
    handle_remove(&b->instance->handles, frame->args[0].u32);
    waitable_join(&subtask->waitable, NULL);
    subtask_free(subtask);
    return NATIVE_DONE;
}
