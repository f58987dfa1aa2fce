/* Built-ins of waitable sets (CanonicalABI.md "canon waitable-set.new" to "canon waitable.join");
 * see builtin.h. */
#include "engine/component/builtin.h"
#include "engine/component/schedule.h"

enum native_answer builtin_waitable_set_new(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    if (!builtin_may_leave(b))
        return NATIVE_TRAP;
    struct waitable_set *set = heap_zeroed(vm_heap(vm), 1, sizeof *set);
    if (!set)
        return cm_full(b->instance->store, "another waitable set"), NATIVE_TRAP;
    uint32_t index = builtin_handle(b, HANDLE_SET, set);
    frame->args[0].u64 = index;
    return index ? NATIVE_DONE : NATIVE_TRAP;
}

/* The set at an index; NULL: it trapped. */
static struct waitable_set *set_at(const struct builtin *b, uint32_t index)
{
    const struct handle *handle = handle_at(&b->instance->handles, index);
    if (handle && handle->kind == HANDLE_SET)
        return handle->rep;
    builtin_trap(b, handle ? "handle index used with the wrong type" : "unknown handle index");
    return NULL;
}

/* Stores an event in memory and returns its code. */
static enum native_answer give_event(struct native *frame, struct event event, uint32_t at)
{
    const struct builtin *b = frame->data;
    const struct linear_memory *memory = b->instance->spaces[SORT_CORE_MEMORY][b->canon->index];
    uint8_t *to = memory_to(memory, at, 8);
    if (at % 4)
        return builtin_trap(b, "pointer is not aligned");
    if (!to)
        return builtin_trap(b, "pointer is out of bounds of memory");
    memcpy(to, &event.index, 4);
    memcpy(to + 4, &event.payload, 4);
    frame->args[0].u64 = event.code;
    return NATIVE_DONE;
}

/* What the thread waited for in `set` is there. */
static enum native_answer waited(struct native *frame, struct cm_thread *thread)
{
    struct event event = {.code = EVENT_TASK_CANCELLED};
    if (!thread->cancelled)
        event = waitable_set_take(thread->set);
    return give_event(frame, event, frame->args[1].u32);
}

enum native_answer builtin_waitable_set_wait(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    struct cm_thread *thread = frame->locals;
    enum native_answer answer;
    if (frame->state == 0) {
        struct waitable_set *set = builtin_may_leave(b) ? set_at(b, frame->args[0].u32) : NULL;
        if (!set)
            return NATIVE_TRAP;
        thread = b->instance->store->thread;
        frame->locals = thread;
        frame->state = 1;
        thread->set = set;
        if (!cm_wait_begin(thread, WAIT_SET, GATE_NONE, b->canon->cancellable))
            return waited(frame, thread);
    }
    return cm_wait_over(vm, frame, thread, &answer) ? waited(frame, thread) : answer;
}

enum native_answer builtin_waitable_set_poll(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    struct waitable_set *set = builtin_may_leave(b) ? set_at(b, frame->args[0].u32) : NULL;
    if (!set)
        return NATIVE_TRAP;
    struct event event = {.code = EVENT_NONE};
    if (cm_take_cancel(b->instance->store->thread, b->canon->cancellable))
        event.code = EVENT_TASK_CANCELLED;
    else if (set->first)
        event = waitable_set_take(set);
    return give_event(frame, event, frame->args[1].u32);
}

enum native_answer builtin_waitable_set_drop(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    uint32_t index = frame->args[0].u32;
    struct waitable_set *set = builtin_may_leave(b) ? set_at(b, index) : NULL;
    if (!set)
        return NATIVE_TRAP;
    if (set->members)
        return builtin_trap(b, "cannot drop a waitable set that is not empty");
    if (set->waiting)
        return builtin_trap(b, "cannot drop a waitable set that is waited for");
    handle_remove(&b->instance->handles, index);
    heap_give(vm_heap(vm), set);
    return NATIVE_DONE;
}

static bool is_waitable(uint32_t kind)
{
    return kind >= HANDLE_SUBTASK && kind <= HANDLE_FUTURE_WRITE;
}

enum native_answer builtin_waitable_join(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    if (!builtin_may_leave(b))
        return NATIVE_TRAP;
    const struct handle *handle = handle_at(&b->instance->handles, frame->args[0].u32);
    if (!handle)
        return builtin_trap(b, "unknown handle index");
    if (!is_waitable(handle->kind))
        return builtin_trap(b, "handle index used with the wrong type");
    struct waitable *waitable = handle->rep;
    struct waitable_set *set = NULL;
    if (waitable->waiter)
        return builtin_trap(b, "a waitable that is waited for cannot join a set");
    if (frame->args[1].u32) {
        set = set_at(b, frame->args[1].u32);
        if (!set)
            return NATIVE_TRAP;
    }
    waitable_join(waitable, set);
    return NATIVE_DONE;
}
