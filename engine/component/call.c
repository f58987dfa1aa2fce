/* Lowered functions; see call.h. Each is a step function: it lifts the arguments, calls, and is
 * stepped again to lower the result. */
#include "engine/component/call.h"

#include "engine/component/lift.h"
#include "engine/component/lower.h"
#include <stdarg.h>
#include <stdio.h>

struct cm_abi cm_abi_of(const struct cm_instance *instance, const struct cm_options *options)
{
    void *const *funcs = instance->spaces[SORT_CORE_FUNC];
    struct cm_abi abi = {.encoding = options->encoding};
    if (options->has_memory)
        abi.memory = instance->spaces[SORT_CORE_MEMORY][options->memory];
    if (options->has_realloc)
        abi.realloc = funcs[options->realloc];
    if (options->has_post_return)
        abi.post_return = funcs[options->post_return];
    if (options->has_callback)
        abi.callback = funcs[options->callback];
    abi.async = options->async;
    return abi;
}

struct cm_func *cm_lift_func(struct cm_instance *instance, const struct cm_canon *canon)
{
    struct cm_func *func = heap_zeroed(vm_heap(instance->store->vm), 1, sizeof *func);
    if (!func)
        return NULL;
    func->type = canon->type;
    func->instance = instance;
    func->core = instance->spaces[SORT_CORE_FUNC][canon->func];
    func->abi = cm_abi_of(instance, &canon->options);
    return func;
}

bool cm_post_return(struct vm *vm, struct native *frame, const struct cm_func *func,
                    union slot result)
{
    if (!func->abi.post_return)
        return true;
    union slot *args = native_args(vm, frame, 1);
    if (!args)
        return false;
    args[0] = result;
    func->instance->may_leave = false;
    bool done = native_leaf(vm, frame, func->abi.post_return);
    func->instance->may_leave = true;
    return done;
}

#define ALIGN 16u

static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* --- The host -----------------------------------------------------------------------------------
 */

struct host_frame {
    struct host_call call;
    struct host_scratch scratch;
    struct cm_lift lift;
    struct cm_thread *thread; /* the current one, while it is blocked */
    uint8_t *args;
    uint8_t *result;
};

void *host_alloc(struct host_call *call, size_t size)
{
    return scratch_take(call->scratch, size);
}

enum host_answer host_trap(struct host_call *call, const char *format, ...)
{
    char text[sizeof((struct trap *)0)->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vm_trap_set(call->vm, TRAP_HOST, "%s", text);
    return HOST_TRAP;
}

enum host_answer host_exit(struct host_call *call, uint32_t code)
{
    vm_exit_set(call->vm, code);
    return HOST_TRAP;
}

/* A frame with the arguments lifted; NULL: it trapped. */
static struct host_frame *host_begin(struct vm *vm, struct native *frame, const struct lowered *low)
{
    struct cm_store *store = low->instance->store;
    size_t args = aligned(low->type->layout.host_size);
    size_t result = low->type->result ? aligned(low->type->result->layout.host_size) : 0;
    size_t head = aligned(sizeof(struct host_frame));
    struct host_frame *f = native_locals(vm, frame, head + args + result);
    if (!f)
        return NULL;
    f->args = (uint8_t *)f + head;
    f->result = f->args + args;
    f->scratch.store = store;
    f->call = (struct host_call){.vm = vm, .host = low->callee->host, .scratch = &f->scratch};
    f->lift = (struct cm_lift){.instance = low->instance,
                               .for_host = true,
                               .in_place = true,
                               .encoding = low->abi.encoding,
                               .memory = low->abi.memory,
                               .scratch = &f->scratch};
    if (cm_lift_params(&f->lift, low->type, CM_FLAT_MAX, frame->args, f->args))
        return f;
    scratch_release(&f->scratch);
    return NULL;
}

static enum native_answer host_end(struct native *frame, const struct lowered *low,
                                   struct host_frame *f)
{
    bool good = true;
    if (low->type->result) {
        struct cm_lower lower = {.instance = low->instance, .frame = frame, .abi = &low->abi};
        good = cm_lower_result(&lower, low->type, f->result, frame->args,
                               &frame->args[low->result_pointer]);
    }
    cm_lift_return(&f->lift);
    scratch_release(&f->scratch);
    return good ? NATIVE_DONE : NATIVE_TRAP;
}

enum native_answer lowered_host_step(struct vm *vm, struct native *frame)
{
    const struct lowered *low = frame->data;
    struct cm_store *store = low->instance->store;
    struct host_frame *f = frame->locals;
    if (frame->state == 0) {
        if (!low->instance->may_leave)
            return cm_trap(store, "cannot leave component instance"), NATIVE_TRAP;
        f = host_begin(vm, frame, low);
        if (!f)
            return NATIVE_TRAP;
        frame->state = 1;
    } else {
        store->thread = f->thread;
        store->nblocked--;
        f->call.resumed = true;
    }
    switch (low->callee->fn(&f->call, low->type->nparams ? f->args : NULL, f->result)) {
    case HOST_DONE: return host_end(frame, low, f);
    case HOST_BLOCKED:
        if (!cm_lift_copy(&f->lift))
            break;
        f->thread = store->thread;
        store->nblocked++;
        return NATIVE_BLOCKED;
    case HOST_CANCELLED:
    case HOST_TRAP: break;
    }
    scratch_release(&f->scratch);
    return NATIVE_TRAP;
}

/* A function without parameters and result needs nothing of all that, unless it blocks. */
enum native_answer lowered_null_step(struct vm *vm, struct native *frame)
{
    const struct lowered *low = frame->data;
    struct cm_store *store = low->instance->store;
    if (frame->state)
        return lowered_host_step(vm, frame);
    if (unlikely(!low->instance->may_leave))
        return cm_trap(store, "cannot leave component instance"), NATIVE_TRAP;
    struct host_scratch scratch = {.store = store};
    struct host_call call = {.vm = vm, .host = low->callee->host, .scratch = &scratch};
    enum host_answer answer = low->callee->fn(&call, NULL, NULL);
    if (likely(answer == HOST_DONE && !scratch.chunks))
        return NATIVE_DONE;
    if (answer != HOST_BLOCKED) {
        scratch_release(&scratch);
        return answer == HOST_DONE ? NATIVE_DONE : NATIVE_TRAP;
    }
    struct host_frame *f = native_locals(vm, frame, sizeof *f);
    if (!f) {
        scratch_release(&scratch);
        return NATIVE_TRAP;
    }
    f->call = call;
    f->scratch = scratch;
    f->call.scratch = &f->scratch;
    f->thread = store->thread;
    store->nblocked++;
    frame->state = 1;
    return NATIVE_BLOCKED;
}

/* --- Another component --------------------------------------------------------------------------
 */

struct call_frame {
    struct cm_task task; /* the callee's */
    struct host_scratch scratch;
    struct cm_lift lift; /* of the arguments: what was lent */
    uint8_t *args;
    uint8_t *result;
};

/* Lifts the arguments, enters the callee and lowers them there. False: it trapped. */
static bool call_begin(struct vm *vm, struct native *frame, const struct lowered *low)
{
    const struct cm_func *callee = low->callee;
    struct cm_store *store = low->instance->store;
    if (!low->instance->may_leave)
        return cm_trap(store, "cannot leave component instance");
    if (!cm_enter(callee->instance, low->entered))
        return cm_trap(store, "cannot enter component instance");
    size_t args = aligned(low->type->layout.host_size);
    size_t result = low->type->result ? aligned(low->type->result->layout.host_size) : 0;
    size_t head = aligned(sizeof(struct call_frame));
    struct call_frame *f = native_locals(vm, frame, head + args + result);
    if (!f)
        return false;
    f->args = (uint8_t *)f + head;
    f->result = f->args + args;
    f->scratch.store = store;
    f->lift = (struct cm_lift){.instance = low->instance,
                               .for_itself = low->instance == callee->instance,
                               .encoding = low->abi.encoding,
                               .memory = low->abi.memory,
                               .scratch = &f->scratch};
    cm_task_begin(&f->task, callee->instance, store->thread);
    bool passes = low->type->nparams;
    if (passes && !cm_lift_params(&f->lift, low->type, CM_FLAT_MAX, frame->args, f->args))
        return false;
    frame->state = IN_CALLEE;
    store->thread = &f->task.thread;
    struct cm_lower lower = {callee->instance, frame, &callee->abi, &f->task};
    union slot flat[CM_FLAT_MAX];
    uint32_t count = 0;
    if (passes && !cm_lower_params(&lower, callee->type, f->args, flat, &count))
        return false;
    union slot *to = native_args(vm, frame, count);
    if (!to)
        return false;
    memcpy(to, flat, count * sizeof *to);
    native_call(vm, frame, callee->core);
    return true;
}

/* Lifts the callee's result, lowers it for the caller, cleans up. False: it trapped. */
static bool call_end(struct vm *vm, struct native *frame, const struct lowered *low)
{
    const struct cm_func *callee = low->callee;
    struct cm_store *store = low->instance->store;
    struct call_frame *f = frame->locals;
    union slot core_result = frame->top[0];
    if (callee->type->result) {
        struct cm_lift lift = {.instance = callee->instance,
                               .for_itself = low->instance == callee->instance,
                               .encoding = callee->abi.encoding,
                               .memory = callee->abi.memory,
                               .scratch = &f->scratch};
        if (!cm_lift_result(&lift, callee->type, &core_result, f->result))
            return false;
    }
    if (f->task.borrows)
        return cm_trap(store, "borrow handles still remain at the end of the call");
    frame->state = IN_CALLER;
    if (low->type->result) {
        struct cm_lower lower = {low->instance, frame, &low->abi, NULL};
        union slot pointer = frame->args[low->result_pointer];
        if (!cm_lower_result(&lower, low->type, f->result, frame->args, &pointer))
            return false;
    }
    frame->state = IN_CALLEE;
    if (!cm_post_return(vm, frame, callee, core_result))
        return false;
    store->thread = f->task.caller;
    cm_leave(callee->instance, low->entered);
    cm_lift_return(&f->lift);
    scratch_release(&f->scratch);
    return true;
}

enum native_answer lowered_guest_step(struct vm *vm, struct native *frame)
{
    const struct lowered *low = frame->data;
    bool first = !frame->answered;
    if (first ? call_begin(vm, frame, low) : call_end(vm, frame, low))
        return first ? NATIVE_CALL : NATIVE_DONE;
    if (frame->locals)
        scratch_release(&((struct call_frame *)frame->locals)->scratch);
    return NATIVE_TRAP;
}

struct func *cm_lower_func(struct cm_instance *instance, const struct cm_canon *canon,
                           const struct cm_func *callee)
{
    struct vm *vm = instance->store->vm;
    struct lowered *low = heap_zeroed(vm_heap(vm), 1, sizeof *low);
    if (!low)
        return NULL;
    low->instance = instance;
    low->canon = canon;
    low->type = canon->type;
    low->callee = callee;
    low->abi = cm_abi_of(instance, &canon->options);
    low->max_flat = canon->options.async ? CM_FLAT_ASYNC_MAX : CM_FLAT_MAX;
    low->result_pointer =
        canon->type->layout.nflat <= low->max_flat ? canon->type->layout.nflat : 1;
    low->nargs = types_func(vm_types(vm), canon->core)->nparams;
    native_step *step = lowered_host_step;
    if (callee->instance)
        low->entered = cm_entered(callee->instance, instance);
    if (callee->type->async) {
        step = callee->instance ? lowered_async_step : lowered_async_host_step;
    } else if (callee->instance) {
        step = lowered_guest_step;
    } else if (callee->pruned || (!canon->type->nparams && !canon->type->result)) {
        step = lowered_null_step;
    }
    return func_native(vm, canon->core, step, low);
}
