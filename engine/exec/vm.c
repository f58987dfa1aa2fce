/* The store of a cell; see vm.h. */
#include "engine/base/tail.h"
#include "engine/exec/state.h"
#include "engine/wasm/xop.h"

#include <stdarg.h>
#include <stdio.h>

static const volatile uint32_t never = 0;

/* Whole pages with a byte for each page of an arena of this size. */
static size_t marks_size(size_t size)
{
    return (size / ARENA_PAGE + ARENA_PAGE - 1) & ~(size_t)(ARENA_PAGE - 1);
}

struct vm *vm_new(struct types *types, struct region *image, void *memory, size_t size,
                  const struct vm_limits *limits)
{
    struct arena arena;
    size_t marks = limits->interrupt ? marks_size(size) : 0;
    if (marks > size)
        return NULL;
    arena_init(&arena, (uint8_t *)memory + marks, size - marks);
    if (marks && limits->images)
        arena_keep_marks(&arena, memory);
    struct vm *vm = arena_block(&arena, sizeof *vm);
    if (!vm)
        return NULL;
    vm->marks = arena_marks(&arena, memory);
    vm->arena = arena;
    heap_init(&vm->heap, &vm->arena, limits->heap_bytes);
    vm->image = image;
    vm->types = types;
    vm->limits = *limits;
    vm->interrupt = limits->interrupt ? limits->interrupt : &never;
    vm->interrupt_at = 1;
    vm->fuel = limits->fuel > INT64_MAX ? INT64_MAX : (int64_t)limits->fuel;
    vm->translation.handlers = limits->interrupt ? interp_polled_handlers : interp_handlers;
    vm->translation.onward = limits->interrupt ? interp_handlers : NULL;
    vm->translation.marks = limits->images;
    vm->translation.fuel = limits->fuel != UINT64_MAX;
    vm->translation.interrupt = limits->interrupt;
    vm->translation.interrupt_at = vm->interrupt_at;
    /* What runs while no instance does (native functions called from C) needs the registers too. */
    vm->nowhere = heap_zeroed(&vm->heap, 1, sizeof *vm->nowhere);
    if (!vm->nowhere || !arena_place(&vm->arena, &vm->no_memory.span, 0, 0))
        return NULL;
    vm->nowhere->vm = vm;
    vm->nowhere->memory0 = &vm->no_memory;
    vm->nowhere->marks = vm->marks;
    vm->nowhere->interrupt = vm->interrupt;
    vm->nowhere->interrupt_at = vm->interrupt_at;
    gc_init(vm);
    return vm;
}

void vm_interrupt_at(struct vm *vm, uint32_t at)
{
    vm->interrupt_at = at;
    vm->translation.interrupt_at = at;
    for (struct instance *instance = vm->gc.instances; instance; instance = instance->next)
        instance->interrupt_at = at;
}

struct heap *vm_heap(struct vm *vm)
{
    return &vm->heap;
}

struct types *vm_types(struct vm *vm)
{
    return vm->types;
}

const struct vm_limits *vm_limits(const struct vm *vm)
{
    return &vm->limits;
}

void vm_set_clock(struct vm *vm, const struct vm_clock *clock)
{
    vm->clock = *clock;
}

void vm_set_tracer(struct vm *vm, const struct vm_tracer *tracer)
{
    vm->tracer = *tracer;
    vm->translation.traced = true;
}

struct fiber *vm_fiber(const struct vm *vm)
{
    return vm->root;
}

/* --- Traps ---------------------------------------------------------------------------------------
 */

static const struct {
    const char *text;
    enum err_kind kind;
} traps[TRAP_KINDS] = {
    [TRAP_NONE] = {"none", ERR_NONE},
#define TRAP(name, text, kind) [TRAP_##name] = {text, ERR_##kind},
#include "engine/exec/trap.def"
#undef TRAP
};

const char *trap_text(enum trap_kind kind)
{
    return (unsigned)kind < TRAP_KINDS ? traps[kind].text : "unknown trap";
}

enum err_kind trap_err_kind(enum trap_kind kind)
{
    return (unsigned)kind < TRAP_KINDS ? traps[kind].kind : ERR_FAULT;
}

const struct trap *vm_trap(const struct vm *vm)
{
    return &vm->trap;
}

void vm_trap_set(struct vm *vm, enum trap_kind kind, const char *format, ...)
{
    if (vm->trap.kind != TRAP_NONE)
        return;
    vm->trap.kind = kind;
    vm->trap.value[0] = '\0';
    va_list args;
    va_start(args, format);
    vsnprintf(vm->trap.text, sizeof vm->trap.text, format, args);
    va_end(args);
}

void vm_trap_within(struct vm *vm, const char *format, ...)
{
    char part[512];
    struct tail value = tail_of(vm->trap.value, sizeof vm->trap.value);
    va_list args;
    va_start(args, format);
    vsnprintf(part, sizeof part, format, args);
    va_end(args);
    tail_put(&value, str_of(part));
}

void vm_exit_set(struct vm *vm, uint32_t code)
{
    if (vm->trap.kind != TRAP_NONE)
        return;
    vm_trap_set(vm, TRAP_EXIT, "exit code %u", code);
    vm->trap.code = code;
}

/* --- Backtraces ----------------------------------------------------------------------------------
 */

/* To find an instruction its function is translated again. Where there are time limits, that is
 * done for so many bytes of functions in all, so that it ends soon behind the limit; the other
 * frames of the backtrace are without it. */
#define LOOKED_THROUGH ((size_t)1 << 20)

/* The wasm function that runs at `pc`, and what its frame's link depends on. */
static void trap_frame_of(struct vm *vm, struct trap_frame *frame, struct instance *in,
                          const code_word *pc, size_t *left, uint32_t *ret_link)
{
    const struct module *module = in->module;
    uint32_t func = code_find(*module->code, pc);
    *frame = (struct trap_frame){
        .instance = in, .func = func, .offset = ERR_NOWHERE, .owner = vm->fiber->owner};
    *ret_link = func == UINT32_MAX ? 0 : in->funcs[func]->link;
    if (func == UINT32_MAX || module->funcs[func].body_len > *left)
        return;
    struct translation translation = vm->translation;
    translation.module = module;
    translation.interrupt = NULL;
    if (vm->limits.interrupt)
        *left -= module->funcs[func].body_len;
    frame->offset = translate_offset(&translation, func, pc, vm->image);
}

/* Walks the links, behind what a nested call has recorded already. A frame of a wasm function is
 * found by the code it runs, a native one by the NATIVE instruction that is part of it; the walk
 * ends where C entered. */
void backtrace_record(struct vm *vm, const code_word *pc, union slot *fp, struct instance *in)
{
    struct trap *trap = &vm->trap;
    size_t left = vm->limits.interrupt ? LOOKED_THROUGH : SIZE_MAX;
    for (;; trap->depth++) {
        if (*pc == interp_word(XOP_LEAVE) || *pc == interp_word(XOP_START))
            return;
        struct trap_frame unused = {0};
        struct trap_frame *frame = trap->depth < TRAP_FRAMES ? &trap->frames[trap->depth] : &unused;
        uint32_t link_at;
        if (*pc == interp_word(XOP_NATIVE)) {
            const struct native_frame *native = (const void *)pc;
            *frame = (struct trap_frame){.offset = ERR_NOWHERE,
                                         .native = native->pub.func,
                                         .state = native->pub.state,
                                         .owner = vm->fiber->owner};
            link_at = native->pub.func->link;
        } else if (trap->depth < TRAP_FRAMES) {
            trap_frame_of(vm, frame, in, pc, &left, &link_at);
            if (frame->func == UINT32_MAX)
                return;
        } else {
            uint32_t func = code_find(*in->module->code, pc);
            if (func == UINT32_MAX)
                return;
            link_at = in->funcs[func]->link;
        }
        const union slot *link = fp + link_at;
        fp = link[LINK_FP].ref;
        pc = link[LINK_PC].ref;
        if (pc == (const code_word *)&link[LINK_ACROSS]) {
            pc = link[LINK_CALLER].ref;
            in = link[LINK_INSTANCE].ref;
        }
        if (*pc != interp_word(XOP_LEAVE) && *pc != interp_word(XOP_NATIVE))
            pc--; /* within the instruction that called */
    }
}
