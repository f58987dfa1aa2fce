/* Stacks as roots of the collector; see gc.h and gc_mark.c.
 *
 * Which slots of a frame hold references is known exactly: of parameters and locals by their types,
 * of operands by what the translator has written down for every call and every allocation
 * (code.h, struct map_run). Native frames hold their parameters.
 *
 * A stack is scanned one frame after the other, from the innermost outwards, over as many slices as
 * that takes. The frames that are still to be scanned must not change until then, so the link that
 * leads to them is marked: it says RETURN_MARKED instead of where to return, and that looks after
 * the frame before it goes on. A marked link has the shape of one that crosses instances, which
 * every link has room for; backtraces and tail calls treat it as such. The scan may be further out
 * than the mark: then coming back to the mark sets a new one there. */
#include "engine/exec/state.h"
#include "engine/wasm/xop.h"

/* --- Frames --------------------------------------------------------------------------------------
 */

/* Shades what values of these types hold, in slots from `slot` on. */
static void shade_values(struct gc *gc, const union slot *slot, const valtype *types,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (vt_is_ref(types[i]))
            gc_shade(gc, slot->u64);
        slot += vt_slots(types[i]);
    }
}

static uint64_t shade_params(struct vm *vm, const struct func *func, const union slot *slots)
{
    const struct functype *type = types_func(vm->types, func->type);
    shade_values(&vm->gc, slots, type->params, type->nparams);
    return type->nparams + 1;
}

static uint64_t shade_results(struct vm *vm, const struct func *func, const union slot *slots)
{
    const struct functype *type = types_func(vm->types, func->type);
    shade_values(&vm->gc, slots, type->results, type->nresults);
    return type->nresults + 1;
}

static uint64_t shade_runs(struct gc *gc, const struct code_range *range, uint32_t run,
                           const union slot *fp)
{
    uint64_t units = 1;
    while (run) {
        const struct map_run *at = &range->runs[run - 1];
        for (uint32_t i = 0; i < at->count; i++)
            gc_shade(gc, fp[at->slot + i].u64);
        units += at->count;
        run = at->next;
    }
    return units;
}

#define FRAME_UNITS 16 /* finding a frame's map */

/* Scans the frame of a wasm function; gives its link. */
static uint64_t scan_wasm(struct vm *vm, const struct stack_cursor *cursor, uint32_t *ret_link)
{
    struct gc *gc = &vm->gc;
    const struct instance *in = cursor->instance;
    const code_word *pc = cursor->inner ? cursor->pc : cursor->pc - 1;
    const struct code_range *range = gc->range_cache;
    if (!range || pc < range->start || pc >= range->end)
        range = code_range_find(*in->module->code, pc);
    gc->range_cache = range;
    *ret_link = in->funcs[range->func]->link;
    uint32_t run = code_point_at(range->points, range->npoints, (uint32_t)(pc - range->start));
    return FRAME_UNITS + shade_runs(gc, range, run, cursor->fp);
}

/* Is that where C entered? */
static bool is_end(const code_word *pc)
{
    return *pc == interp_word(XOP_LEAVE) || *pc == interp_word(XOP_START);
}

/* Scans the frame at the cursor, and moves on to its caller. */
static uint64_t scan_frame(struct vm *vm, struct stack_cursor *cursor)
{
    uint64_t units;
    uint32_t link_at;
    if (*cursor->pc == interp_word(XOP_NATIVE)) {
        const struct native_frame *native = (const void *)cursor->pc;
        units = shade_params(vm, native->pub.func, cursor->fp);
        link_at = native->pub.func->link;
    } else {
        units = scan_wasm(vm, cursor, &link_at);
    }
    union slot *link = cursor->fp + link_at;
    cursor->link = link;
    cursor->inner = false;
    cursor->fp = link[LINK_FP].ref;
    cursor->pc = link[LINK_PC].ref;
    if (cursor->pc == (const code_word *)&link[LINK_ACROSS]) {
        cursor->pc = link[LINK_CALLER].ref;
        cursor->instance = link[LINK_INSTANCE].ref;
    }
    if (!is_end(cursor->pc))
        return units;
    /* A nested call: what is outside of it is the native frame that made it. */
    cursor->link = NULL;
    cursor->done = !cursor->leaf;
    if (cursor->leaf) {
        struct native_frame *outer =
            (void *)((char *)vm->leaf - offsetof(struct native_frame, pub));
        cursor->leaf = false;
        cursor->pc = outer->resume;
        cursor->fp = outer->pub.args;
        cursor->instance = outer->caller;
    }
    return units;
}

/* --- Marked links --------------------------------------------------------------------------------
 */

static void mark_link(const struct stack_cursor *cursor)
{
    union slot *link = cursor->link;
    if (link[LINK_PC].ref != &link[LINK_ACROSS]) {
        link[LINK_CALLER].ref = link[LINK_PC].ref;
        link[LINK_INSTANCE].ref = cursor->instance;
        link[LINK_PC].ref = &link[LINK_ACROSS];
    }
    link[LINK_ACROSS].u64 = interp_word(XOP_RETURN_MARKED);
}

/* Scans on until a link can be marked, which is seldom more than one frame: a call from C has no
 * link, but then the native frame outside of it has. */
static void scan_to_link(struct vm *vm, struct stack_cursor *cursor)
{
    while (!cursor->done && !cursor->link) {
        uint64_t units = scan_frame(vm, cursor);
        if (units > vm->gc.most_units)
            vm->gc.most_units = units;
    }
    if (!cursor->done)
        mark_link(cursor);
}

void gc_frame_runs(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance)
{
    struct gc *gc = &vm->gc;
    struct stack_cursor *cursor = &vm->fiber->scan;
    if (!gc->marking || cursor->cycle != gc->begun || cursor->done)
        return;
    /* Stacks grow upwards. Frames between this one and the cursor are gone, with what they held. */
    if (cursor->fp >= fp) {
        cursor->pc = pc;
        cursor->fp = fp;
        cursor->instance = instance;
        cursor->link = NULL;
    }
    scan_to_link(vm, cursor);
}

/* --- Fibers --------------------------------------------------------------------------------------
 */

/* Makes a cursor stand at the beginning of a fiber that does not run. */
static void start_scan(struct vm *vm, struct fiber *fiber)
{
    struct stack_cursor *cursor = &fiber->scan;
    const union slot *base = (const union slot *)fiber->stack.at;
    *cursor = (struct stack_cursor){.cycle = vm->gc.begun, .done = true};
    if (fiber->state == FIBER_READY) {
        shade_params(vm, fiber->func, base);
    } else if (fiber->state == FIBER_DONE && fiber->func) {
        shade_results(vm, fiber->func, base);
    } else if (fiber->state != FIBER_DONE && fiber->state != FIBER_TRAPPED) {
        cursor->pc = fiber->pc;
        cursor->fp = fiber->fp;
        cursor->instance = fiber->instance;
        cursor->inner = true;
        cursor->done = false;
    }
}

void gc_fiber_runs(struct vm *vm, struct fiber *fiber)
{
    if (!vm->gc.marking)
        return;
    if (fiber->scan.cycle != vm->gc.begun)
        start_scan(vm, fiber);
    if (!fiber->scan.done)
        scan_to_link(vm, &fiber->scan);
}

void gc_fiber_begin(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance)
{
    struct stack_cursor *cursor = &vm->fiber->scan;
    *cursor = (struct stack_cursor){.cycle = vm->gc.begun,
                                    .pc = pc,
                                    .fp = fp,
                                    .instance = instance,
                                    .inner = true,
                                    .leaf = vm->leaf != NULL};
    scan_to_link(vm, cursor);
}

uint64_t gc_fiber_scan(struct vm *vm, struct fiber *fiber)
{
    if (fiber->scan.cycle != vm->gc.begun)
        start_scan(vm, fiber);
    return fiber->scan.done ? 0 : scan_frame(vm, &fiber->scan);
}
