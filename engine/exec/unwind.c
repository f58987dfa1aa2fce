/* Unwinding: from where an exception is thrown to who catches it (core spec §4.4.5, and the legacy
 * form of exceptions).
 *
 * The frames of the fiber are walked by their links, as a backtrace does; the C stack has no part
 * in it. In each, the map that the translator has written (engine/wasm/code.h) tells the regions
 * around the place at hand, and they their landings. An exception does not pass the frame of a
 * native function: that is where the host, another component, or C begins. */
#include "engine/exec/state.h"
#include "engine/wasm/xop.h"

/* A frame, while the walk is there. */
struct place {
    const code_word *pc;
    union slot *fp;
    struct instance *instance;
    bool throws; /* it is the innermost one: at the instruction that throws, not behind a call */
};

/* The landing of a function that fits the tag, seen from `word`; NULL if there is none. */
static const struct try_landing *find_landing(const struct vm *vm, const struct instance *in,
                                              const struct try_map *tries, uint32_t word,
                                              const struct tag_instance *tag)
{
    uint32_t region = code_point_at(tries->points, tries->npoints, word);
    while (region && !vm_interrupted(vm)) {
        const struct try_region *at = &tries->regions[region - 1];
        for (uint32_t next = at->first; next;) {
            const struct try_landing *landing = &tries->landings[next - 1];
            if (landing->tag == ANY_TAG || in->tags[landing->tag] == tag)
                return landing;
            next = landing->next;
        }
        region = at->outer;
    }
    return NULL;
}

/* Makes the landing's frame the one that runs, with what it wants to have of the exception. */
static void land(struct vm *vm, const struct place *place, const struct code_range *range,
                 const struct try_landing *landing, uint64_t ref)
{
    const struct exception *exception = ref_object(ref);
    if (!place->throws)
        gc_frame_runs(vm, place->pc, place->fp, place->instance);
    if (landing->values != NO_SLOT) {
        uint32_t slots = types_func(vm->types, exception->tag->type)->param_slots;
        memcpy(place->fp + landing->values, exception->values, slots * sizeof(union slot));
    }
    if (landing->ref != NO_SLOT)
        place->fp[landing->ref].u64 = ref;
    vm->machine.pc = branch_target(range->start, landing->at);
    vm->machine.fp = place->fp;
    vm->machine.instance = place->instance;
}

/* The frame that called the one at hand, whose link lies at `link_at`. */
static void go_out(struct place *place, uint32_t link_at)
{
    const union slot *link = place->fp + link_at;
    place->throws = false;
    place->fp = link[LINK_FP].ref;
    place->pc = link[LINK_PC].ref;
    if (place->pc == (const code_word *)&link[LINK_ACROSS]) {
        place->pc = link[LINK_CALLER].ref;
        place->instance = link[LINK_INSTANCE].ref;
    }
}

enum trap_kind unwind(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance,
                      uint64_t ref)
{
    const struct exception *exception = ref_object(ref);
    struct place place = {pc, fp, instance, .throws = true};
    for (;;) {
        if (*place.pc == interp_word(XOP_LEAVE))
            return TRAP_EXCEPTION;
        if (*place.pc == interp_word(XOP_NATIVE)) {
            vm_trap_set(vm, TRAP_EXCEPTION, "%s",
                        "it may not pass the host or the component that called");
            return TRAP_EXCEPTION;
        }
        const code_word *at = place.throws ? place.pc : place.pc - 1; /* within the call */
        const struct code_range *range = code_range_find(*place.instance->module->code, at);
        if (vm_interrupted(vm))
            return TRAP_INTERRUPT;
        if (!range)
            return TRAP_EXCEPTION;
        const struct try_landing *landing = NULL;
        if (range->tries)
            landing = find_landing(vm, place.instance, range->tries, (uint32_t)(at - range->start),
                                   exception->tag);
        if (landing) {
            land(vm, &place, range, landing, ref);
            return TRAP_NONE;
        }
        go_out(&place, place.instance->funcs[range->func]->link);
    }
}
