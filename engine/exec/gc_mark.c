/* The collector's cycle: marking from snapshot at the beginning, then sweeping; see gc.h.
 *
 * Why everything that is reachable survives: when a cycle begins all objects turn white (the
 * meaning of the colours is exchanged), and from then on new ones are made black. Marking reaches
 * what was reachable at that moment, because whatever is scanned later still holds what it held
 * then, or what it held has been shaded:
 *   - objects, tables and globals: gc_overwrite shades what is overwritten;
 *   - frames: only the innermost frame of the running fiber changes, and no frame runs in a cycle
 *     before it has been scanned (gc_stack.c).
 * A reference that the program holds at any later time was reachable when the cycle began, or names
 * an object made since. Nothing of that is swept.
 *
 * Grey objects are linked through their heads, so marking needs no memory and no recursion, and its
 * time is proportional to what is alive whatever the shape of the graph. Arrays are scanned in
 * pieces. */
#include "engine/exec/state.h"

void gc_shade(struct gc *gc, uint64_t ref)
{
    if (!ref_is_object(ref))
        return;
    struct object *object = ref_object(ref);
    if ((object->meta & GC_COLOURS) == gc->colour)
        return;
    object->meta ^= GC_COLOURS;
    object->link = gc->grey;
    gc->grey = gc_index(gc, object);
}

void gc_overwrite_all(struct gc *gc, const union slot *slots, uint64_t count)
{
    if (!gc->marking)
        return;
    for (uint64_t i = 0; i < count; i++)
        gc_shade(gc, slots[i].u64);
}

/* --- Objects -------------------------------------------------------------------------------------
 */

static uint64_t load(const void *at)
{
    uint64_t bits;
    memcpy(&bits, at, sizeof bits);
    return bits;
}

static uint64_t scan_struct(struct gc *gc, const struct object *object,
                            const struct structtype *type)
{
    const uint8_t *at = (const uint8_t *)(object + 1);
    for (uint32_t i = 0; i < type->nfields; i++)
        if (vt_is_ref(type->fields[i].type))
            gc_shade(gc, load(at + type->fields[i].offset));
    return type->nfields + 1;
}

static uint64_t scan_exception(struct gc *gc, const struct exception *exception,
                               const struct functype *type)
{
    const union slot *value = exception->values;
    for (uint32_t i = 0; i < type->nparams; i++) {
        if (vt_is_ref(type->params[i]))
            gc_shade(gc, value->u64);
        value += vt_slots(type->params[i]);
    }
    return type->nparams + 1;
}

/* The next elements of the array at hand. */
static uint64_t scan_piece(struct gc *gc, uint64_t units)
{
    const struct array *array = gc->piece;
    uint64_t left = array->length - gc->piece_at;
    uint64_t count = left < units ? left : units;
    const uint8_t *at = array->at + (size_t)gc->piece_at * sizeof(union slot);
    for (uint64_t i = 0; i < count; i++)
        gc_shade(gc, load(at + i * sizeof(union slot)));
    gc->piece_at += (uint32_t)count;
    if (gc->piece_at == array->length)
        gc->piece = NULL;
    return count + 1;
}

/* Takes the next grey object, which becomes black. */
static uint64_t scan_grey(struct vm *vm)
{
    struct gc *gc = &vm->gc;
    struct object *object = gc_block(gc, gc->grey);
    gc->grey = object->link;
    const struct deftype *type = types_get(vm->types, object_type(object));
    switch (type->kind) {
    case TYPE_STRUCT: return scan_struct(gc, object, &type->structure);
    case TYPE_FUNC: return scan_exception(gc, (struct exception *)object, &type->func);
    case TYPE_ARRAY:
        if (vt_is_ref(type->element.type)) {
            gc->piece = (struct array *)object;
            gc->piece_at = 0;
        }
        return 1;
    }
    return 1;
}

/* --- The cycle -----------------------------------------------------------------------------------
 */

static void begin(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance)
{
    struct gc *gc = &vm->gc;
    gc->phase = GC_MARK;
    gc->marking = true;
    gc->colour ^= GC_COLOURS;
    gc->begun++;
    gc_roots_begin(vm, pc, fp, instance);
}

static uint64_t mark(struct vm *vm, uint64_t units)
{
    struct gc *gc = &vm->gc;
    uint64_t done = 0;
    while (done < units) {
        uint64_t step;
        if (gc->piece)
            step = scan_piece(gc, units - done);
        else if (gc->grey)
            step = scan_grey(vm);
        else
            step = gc_roots_scan(vm, units - done);
        if (!step) {
            gc->marking = false;
            gc_sweep_begin(gc);
            break;
        }
        done += step;
    }
    return done;
}

static void slice(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance)
{
    struct gc *gc = &vm->gc;
    uint64_t done = 0;
    if (gc->base)
        gc_retire(gc);
    if (gc->phase == GC_IDLE)
        begin(vm, pc, fp, instance);
    if (gc->phase == GC_MARK)
        done = mark(vm, GC_SLICE_UNITS);
    if (gc->phase == GC_SWEEP && done < GC_SLICE_UNITS)
        done += gc_sweep(vm, GC_SLICE_UNITS - done);
    gc->slices++;
    if (done > gc->most_units)
        gc->most_units = done;
    gc_pace(vm);
}

void gc_slice(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance)
{
    slice(vm, pc, fp, instance);
    while (vm->gc.stress && vm->gc.phase != GC_IDLE)
        slice(vm, pc, fp, instance);
}

enum trap_kind gc_wait(struct vm *vm, const code_word *pc, union slot *fp,
                       struct instance *instance)
{
    struct gc *gc = &vm->gc;
    /* A cycle that began before does not count: what has died since it may keep. */
    if (!gc->stuck)
        gc->stuck = gc->begun + 1;
    bool in_vain = gc->phase == GC_IDLE && gc->begun >= gc->stuck;
    if (in_vain || vm_interrupted(vm)) {
        gc->stuck = 0;
        return in_vain ? TRAP_OUT_OF_MEMORY : TRAP_INTERRUPT;
    }
    slice(vm, pc, fp, instance);
    return TRAP_NONE;
}

void vm_gc_stress(struct vm *vm)
{
    vm->gc.stress = true;
    vm->gc.due = true;
}
