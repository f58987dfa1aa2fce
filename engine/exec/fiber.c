/* Fibers and native functions; see vm.h. */
#include "engine/exec/state.h"
#include "engine/wasm/xop.h"

/* --- Native functions
 * ------------------------------------------------------------------------------ */

struct func *func_native(struct vm *vm, uint32_t type, native_step *step, void *data)
{
    const struct functype *signature = type == TYPE_NONE ? NULL : types_func(vm->types, type);
    struct func *func = signature ? heap_zeroed(&vm->heap, 1, sizeof *func) : NULL;
    if (!func)
        return NULL;
    *func = (struct func){.type = type, .link = frame_link(signature), .step = step, .data = data};
    return func;
}

struct native_parts func_parts(const struct func *func)
{
    return (struct native_parts){func->step, func->data};
}

uint32_t func_type(const struct func *func)
{
    return func->type;
}

static struct native_frame *frame_of(struct native *native)
{
    return (struct native_frame *)((char *)native - offsetof(struct native_frame, pub));
}

/* Moves the frame's top by whole slots; false if the stack is exhausted. */
static bool take_slots(struct vm *vm, struct native *frame, size_t slots)
{
    if (slots > (size_t)(vm->stack_limit - frame->top)) {
        vm_trap_set(vm, TRAP_STACK, "%s", "");
        return false;
    }
    frame->top += slots;
    return true;
}

void *native_locals(struct vm *vm, struct native *frame, size_t size)
{
    size_t slots = size / sizeof(union slot) + (size % sizeof(union slot) != 0);
    union slot *block = frame->top;
    if (!take_slots(vm, frame, slots))
        return NULL;
    memset(block, 0, slots * sizeof *block);
    frame->locals = block;
    return block;
}

union slot *native_args(struct vm *vm, struct native *frame, uint32_t slots)
{
    /* The callee's link lies behind the arguments or results; it checks the rest itself. */
    if ((size_t)slots + LINK_SLOTS > (size_t)(vm->stack_limit - frame->top)) {
        vm_trap_set(vm, TRAP_STACK, "%s", "");
        return NULL;
    }
    return frame->top;
}

void native_call(struct vm *vm, struct native *frame, struct func *func)
{
    (void)vm;
    frame_of(frame)->callee = func;
}

struct instance *native_caller(const struct native *frame)
{
    const struct native_frame *outer =
        (const struct native_frame *)((const char *)frame - offsetof(struct native_frame, pub));
    return outer->caller->module ? outer->caller : NULL;
}

void native_resume(struct vm *vm, struct fiber *fiber)
{
    vm->resumed = fiber;
}

bool native_leaf(struct vm *vm, struct native *frame, struct func *func)
{
    if (vm->leaf) {
        vm_trap_set(vm, TRAP_COMPONENT, "%s", "realloc and post-return may not call out");
        return false;
    }
    if (frame->top + func->link + LINK_SLOTS > vm->stack_limit) {
        vm_trap_set(vm, TRAP_STACK, "%s", "");
        return false;
    }
    const code_word leave[1] = {interp_word(XOP_LEAVE)};
    struct machine outer = vm->machine;
    vm->leaf = frame;
    interp_call(vm, func, frame->top, leave);
    vm->leaf = NULL;
    struct machine waits = vm->machine;
    enum fiber_state state = waits.state;
    vm->machine = outer;
    if (state != FIBER_DONE && state != FIBER_TRAPPED) {
        wait_forget(vm, vm->fiber);
        vm_trap_set(vm, TRAP_COMPONENT, "%s", "realloc and post-return may not wait");
        backtrace_record(vm, waits.pc, waits.fp, waits.instance);
    }
    return state == FIBER_DONE;
}

/* --- Fibers
 * ---------------------------------------------------------------------------------------- */

/* Stacks are kept when their fiber is freed: a span that is given back has to be cleared. */
struct fiber *fiber_new(struct vm *vm)
{
    struct fiber *fiber = vm->spare_fibers;
    if (fiber) {
        vm->spare_fibers = fiber->next;
    } else {
        fiber = heap_zeroed(&vm->heap, 1, sizeof *fiber);
        if (!fiber)
            return NULL;
        size_t size = (size_t)vm->limits.stack_bytes & ~(sizeof(union slot) - 1);
        if (!arena_place(&vm->arena, &fiber->stack, size, size)) {
            heap_give(&vm->heap, fiber);
            return NULL;
        }
        fiber->leave[0] = interp_word(XOP_LEAVE);
        fiber->all = vm->gc.fibers;
        vm->gc.fibers = fiber;
    }
    fiber->state = FIBER_DONE;
    fiber->func = NULL;
    fiber->owner = NULL;
    fiber->resumer = NULL;
    fiber->inner = NULL;
    return fiber;
}

void fiber_free(struct vm *vm, struct fiber *fiber)
{
    wait_forget(vm, fiber);
    gc_fiber_runs(vm, fiber);
    fiber->func = NULL;
    fiber->next = vm->spare_fibers;
    vm->spare_fibers = fiber;
}

static union slot *stack_base(const struct fiber *fiber)
{
    return (union slot *)fiber->stack.at;
}

union slot *fiber_begin(struct vm *vm, struct fiber *fiber, struct func *func)
{
    wait_forget(vm, fiber);
    gc_fiber_runs(vm, fiber);
    fiber->state = FIBER_READY;
    fiber->inner = NULL;
    fiber->func = func;
    /* The collector may come before the arguments do. */
    size_t slots = fiber->stack.size / sizeof(union slot);
    if (func->link < slots)
        memset(stack_base(fiber), 0, func->link * sizeof(union slot));
    return stack_base(fiber);
}

/* Runs one fiber until it leaves, and records where. */
static void run_one(struct vm *vm, struct fiber *fiber)
{
    gc_fiber_runs(vm, fiber);
    vm->fiber = fiber;
    vm->stack_limit = stack_base(fiber) + fiber->stack.size / sizeof(union slot);
    vm->trap.kind = TRAP_NONE;
    vm->trap.depth = 0;
    if (fiber->state == FIBER_READY) {
        if (stack_base(fiber) + fiber->func->link + LINK_SLOTS > vm->stack_limit) {
            vm_trap_set(vm, TRAP_STACK, "%s", "");
            fiber->state = FIBER_TRAPPED;
            return;
        }
        interp_call(vm, fiber->func, stack_base(fiber), fiber->leave);
    } else {
        interp_run(vm, fiber->pc, fiber->fp, fiber->instance);
    }
    fiber->pc = vm->machine.pc;
    fiber->fp = vm->machine.fp;
    fiber->instance = vm->machine.instance;
    fiber->state = vm->machine.state;
    if (fiber->state == FIBER_DONE || fiber->state == FIBER_TRAPPED)
        fiber->scan.done = true; /* there are no frames any more */
}

/* Who runs next after `fiber` has left; NULL: nobody, it goes back to who called fiber_run. */
static struct fiber *after(struct vm *vm, struct fiber *fiber)
{
    struct fiber *next = NULL;
    if (fiber->state == FIBER_RESUMING) {
        next = vm->resumed;
        next->resumer = fiber;
    } else if (fiber->state == FIBER_PAUSED || fiber->state == FIBER_DONE) {
        next = fiber->resumer;
        fiber->resumer = NULL;
    }
    return next;
}

/* Who waits for a fiber that trapped traps with it, and is part of the backtrace. */
static void trap_resumers(struct vm *vm, struct fiber *fiber)
{
    fiber->scan.done = true;
    while (fiber->resumer) {
        struct fiber *resumer = fiber->resumer;
        uint32_t first = vm->trap.depth;
        vm->fiber = resumer;
        backtrace_record(vm, resumer->pc, resumer->fp, resumer->instance);
        if (first < TRAP_FRAMES && first < vm->trap.depth)
            vm->trap.frames[first].resumes = true;
        resumer->state = FIBER_TRAPPED;
        resumer->scan.done = true;
        fiber->resumer = NULL;
        fiber = resumer;
    }
}

enum fiber_state fiber_run(struct vm *vm, struct fiber *root)
{
    if (root->state == FIBER_DONE || root->state == FIBER_TRAPPED)
        return root->state;
    struct fiber *fiber = root->inner ? root->inner : root;
    vm->root = root;
    for (struct fiber *next = fiber; next; next = after(vm, fiber)) {
        fiber = next;
        run_one(vm, fiber);
    }
    root->inner = fiber->state == FIBER_BLOCKED && fiber != root ? fiber : NULL;
    root->state = fiber->state;
    if (fiber->state == FIBER_TRAPPED)
        trap_resumers(vm, fiber);
    vm->fiber = vm->root = NULL;
    return root->state;
}

void fiber_deadlock(struct vm *vm, struct fiber *root)
{
    struct fiber *fiber = root->inner ? root->inner : root;
    bool in_memory = fiber->waiter.memory != NULL;
    wait_forget(vm, fiber);
    vm->trap.kind = TRAP_NONE;
    vm->trap.depth = 0;
    vm_trap_set(vm, TRAP_DEADLOCK, "%s",
                in_memory ? "memory.atomic.wait without a timeout, and nobody is left to notify it"
                          : "nothing that it waits for can happen");
    vm->fiber = fiber;
    backtrace_record(vm, fiber->pc, fiber->fp, fiber->instance);
    fiber->state = FIBER_TRAPPED;
    trap_resumers(vm, fiber);
    vm->fiber = NULL;
    root->inner = NULL;
    root->state = FIBER_TRAPPED;
}

enum fiber_state fiber_state(const struct fiber *fiber)
{
    return fiber->state;
}

union slot *fiber_results(struct fiber *fiber)
{
    return stack_base(fiber);
}

void *fiber_owner(const struct fiber *fiber)
{
    return fiber->owner;
}

void fiber_set_owner(struct fiber *fiber, void *owner)
{
    fiber->owner = owner;
}
