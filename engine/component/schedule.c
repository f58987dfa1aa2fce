/* Scheduling; see schedule.h. */
#include "engine/component/schedule.h"

#include "engine/base/list.h"

/* --- Queues -------------------------------------------------------------------------------------
 */

void queue_push(struct cm_queue *queue, struct cm_thread *thread)
{
    thread->queue = queue;
    LIST_APPEND(queue->first, queue->last, thread, before, after);
}

void queue_remove(struct cm_thread *thread)
{
    struct cm_queue *queue = thread->queue;
    LIST_REMOVE(queue->first, queue->last, thread, before, after);
    thread->queue = NULL;
}

static bool gate_open(const struct cm_instance *instance, enum cm_gate gate)
{
    switch (gate) {
    case GATE_CALLBACK: return !instance->exclusive;
    case GATE_ENTER: return !instance->backpressure;
    case GATE_ENTER_EXCLUSIVE: return !instance->backpressure && !instance->exclusive;
    default: return true;
    }
}

static void runnable_remove(struct cm_instance *instance)
{
    struct cm_store *store = instance->store;
    LIST_REMOVE(store->runnable, store->runnable_last, instance, runnable_before, runnable_after);
    instance->runnable = false;
}

static void runnable_add(struct cm_instance *instance)
{
    struct cm_store *store = instance->store;
    LIST_APPEND(store->runnable, store->runnable_last, instance, runnable_before, runnable_after);
    instance->runnable = true;
}

void cm_reschedule(struct cm_instance *instance)
{
    bool runnable = false;
    for (unsigned gate = 0; gate < CM_GATES; gate++)
        runnable |= instance->queues[gate].first && gate_open(instance, (enum cm_gate)gate);
    if (runnable && !instance->runnable)
        runnable_add(instance);
    else if (!runnable && instance->runnable)
        runnable_remove(instance);
}

/* --- Waiting ------------------------------------------------------------------------------------
 */

/* Is what it waits for there? */
static bool ready(const struct cm_thread *thread)
{
    switch ((enum cm_wait)thread->wait) {
    case WAIT_SET: return thread->set->first != NULL;
    case WAIT_WAITABLE: return thread->waitable->pending;
    case WAIT_YIELD:
    case WAIT_NONE: break;
    }
    return true;
}

void cm_arm(struct cm_thread *thread)
{
    struct cm_instance *instance = thread->task->instance;
    if (thread->queue)
        queue_remove(thread);
    queue_push(&instance->queues[thread->gate], thread);
    thread->armed = true;
    if (thread->wait == WAIT_SET)
        thread->set->armed++;
    cm_reschedule(instance);
}

/* It leaves the queue of its instance. */
static void disarm(struct cm_thread *thread)
{
    queue_remove(thread);
    thread->armed = false;
    if (thread->wait == WAIT_SET)
        thread->set->armed--;
    cm_reschedule(thread->task->instance);
}

void cm_arm_waiters(struct waitable_set *set)
{
    while (set->waiters.first && set->armed < set->npending)
        cm_arm(set->waiters.first);
}

bool cm_take_cancel(struct cm_thread *thread, bool cancellable)
{
    struct cm_task *task = thread->task;
    if (!cancellable || !task->async || task->state != TASK_PENDING_CANCEL)
        return false;
    task->state = TASK_CANCEL_DELIVERED;
    return true;
}

bool cm_wait_begin(struct cm_thread *thread, enum cm_wait wait, enum cm_gate gate, bool cancellable)
{
    thread->cancelled = cm_take_cancel(thread, cancellable);
    thread->wait = (uint8_t)wait;
    if (thread->cancelled || (wait != WAIT_YIELD && gate == GATE_NONE && ready(thread))) {
        thread->wait = WAIT_NONE;
        return false;
    }
    thread->gate = (uint8_t)gate;
    thread->cancellable = cancellable;
    thread->yielded = false;
    if (wait == WAIT_SET)
        thread->set->waiting++;
    if (wait == WAIT_WAITABLE)
        thread->waitable->waiter = thread;
    if (thread->shared) /* it looks for itself: cm_wait_over */
        return true;
    if (wait == WAIT_SET) {
        queue_push(&thread->set->waiters, thread);
        cm_arm_waiters(thread->set);
    } else if (ready(thread)) {
        cm_arm(thread);
    }
    return true;
}

void cm_wait_end(struct cm_thread *thread)
{
    if (thread->armed)
        disarm(thread);
    else if (thread->queue)
        queue_remove(thread);
    enum cm_wait wait = (enum cm_wait)thread->wait;
    thread->wait = WAIT_NONE;
    if (wait == WAIT_SET) {
        thread->set->waiting--;
        cm_arm_waiters(thread->set);
    } else if (wait == WAIT_WAITABLE) {
        thread->waitable->waiter = NULL;
    }
}

bool cm_wait_over(struct vm *vm, struct native *frame, struct cm_thread *thread,
                  enum native_answer *ret_answer)
{
    struct cm_instance *instance = thread->task->instance;
    *ret_answer = NATIVE_PAUSE;
    if (!thread->shared)
        return thread->wait == WAIT_NONE;
    cm_resumed(instance->store, thread);
    if (thread->wait == WAIT_YIELD ? thread->yielded : ready(thread)) {
        cm_wait_end(thread);
        return true;
    }
    thread->yielded = true;
    struct cm_thread *other = cm_pick(instance, instance->exclusive);
    if (other) {
        *ret_answer = cm_resume(vm, frame, other);
        return false;
    }
    if (thread->wait == WAIT_YIELD) {
        cm_wait_end(thread);
        return true;
    }
    cm_trap(instance->store, "cannot block a synchronous task before returning");
    *ret_answer = NATIVE_TRAP;
    return false;
}

/* --- Running ------------------------------------------------------------------------------------
 */

/* Takes the first thread of a queue that may go on. */
static struct cm_thread *pick_from(struct cm_queue *queue, const struct cm_thread *except)
{
    struct cm_thread *after;
    for (struct cm_thread *thread = queue->first; thread; thread = after) {
        after = thread->after;
        if (thread == except)
            continue;
        if (ready(thread)) {
            cm_wait_end(thread);
            return thread;
        }
        disarm(thread); /* only of a set: another took its event */
        queue_push(&thread->set->waiters, thread);
    }
    return NULL;
}

struct cm_thread *cm_pick(struct cm_instance *instance, const struct cm_thread *except)
{
    for (unsigned i = 0; i < CM_GATES; i++) {
        enum cm_gate gate = (enum cm_gate)((instance->turn + i) % CM_GATES);
        struct cm_thread *thread =
            gate_open(instance, gate) ? pick_from(&instance->queues[gate], except) : NULL;
        if (thread) {
            instance->turn = (gate + 1) % CM_GATES;
            return thread;
        }
    }
    return NULL;
}

bool cm_pick_this(struct cm_thread *thread)
{
    const struct cm_instance *instance = thread->task->instance;
    if (!thread->armed || thread->queue->first != thread || !ready(thread) ||
        !gate_open(instance, (enum cm_gate)thread->gate))
        return false;
    cm_wait_end(thread);
    return true;
}

struct cm_thread *cm_pick_any(struct cm_store *store)
{
    struct cm_instance *after;
    for (struct cm_instance *at = store->runnable; at; at = after) {
        after = at->runnable_after;
        /* It may be entered already, by a call that waits for the host; or it trapped. */
        if (!cm_may_enter(at, cm_entered(at, NULL)))
            continue;
        struct cm_thread *thread = cm_pick(at, NULL);
        if (at->runnable) { /* to the end of the line */
            runnable_remove(at);
            runnable_add(at);
        }
        if (thread)
            return thread;
    }
    return NULL;
}

enum native_answer cm_resume(struct vm *vm, struct native *frame, struct cm_thread *thread)
{
    struct cm_store *store = thread->task->instance->store;
    (void)frame;
    if (!thread->fiber) {
        vm_heap(vm)->at_limit = false; /* it may be the arena that has no room */
        thread->fiber = fiber_new(vm);
        if (!thread->fiber)
            return cm_full(store, "the stack of another call"), NATIVE_TRAP;
        fiber_set_owner(thread->fiber, thread);
        fiber_begin(vm, thread->fiber, store->entry);
    }
    store->thread = thread;
    native_resume(vm, thread->fiber);
    return NATIVE_RESUME;
}

void cm_resumed(struct cm_store *store, struct cm_thread *current)
{
    if (store->finished) {
        fiber_free(store->vm, store->finished);
        store->finished = NULL;
    }
    store->thread = current;
}

void cm_give_fiber_up(struct cm_thread *thread)
{
    thread->task->instance->store->finished = thread->fiber;
    thread->fiber = NULL;
}
