/* What the collector starts from: tables, globals, element segments, stacks, and what the host
 * holds; see gc.h. All but the running frame and the host's roots
 * are scanned bit by bit. */
#include "engine/exec/state.h"

void gc_roots_begin(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance)
{
    struct gc *gc = &vm->gc;
    gc->table = gc->tables;
    gc->table_at = 0;
    gc->global = gc->globals;
    gc->instance = gc->instances;
    gc->segment = 0;
    gc->segment_at = 0;
    gc->fiber = gc->fibers;
    gc->range_cache = NULL;
    for (const struct gc_root *root = gc->roots; root; root = root->next)
        gc_shade(gc, root->value.u64);
    if (vm->fiber)
        gc_fiber_begin(vm, pc, fp, instance);
}

/* Functions are no objects; everything else may be one. */
static bool may_hold_objects(const struct types *types, valtype type)
{
    return vt_is_ref(type) && types_heap_top(types, vt_heap(type)) != HEAP_FUNC;
}

/* Shades some of an array of slots; gives how many. */
static uint64_t shade_some(struct gc *gc, const union slot *slots, uint64_t count, uint64_t units)
{
    uint64_t some = count < units ? count : units;
    for (uint64_t i = 0; i < some; i++)
        gc_shade(gc, slots[i].u64);
    return some;
}

static uint64_t scan_table(struct vm *vm, uint64_t units)
{
    struct gc *gc = &vm->gc;
    const struct table_instance *table = gc->table;
    uint64_t some = 0;
    if (may_hold_objects(vm->types, table->type.element))
        some =
            shade_some(gc, table_slots(table) + gc->table_at, table->count - gc->table_at, units);
    else
        gc->table_at = table->count;
    gc->table_at += some;
    if (gc->table_at == table->count) {
        gc->table = table->next;
        gc->table_at = 0;
    }
    return some + 1;
}

static uint64_t scan_global(struct gc *gc)
{
    gc_shade(gc, gc->global->value[0].u64);
    gc->global = gc->global->next;
    return 1;
}

/* The element segments of the instance at hand. One that was dropped in this cycle still counts:
 * what it held was there when the cycle began. */
static uint64_t scan_segment(struct vm *vm, uint64_t units)
{
    struct gc *gc = &vm->gc;
    struct instance *in = gc->instance;
    const struct module *m = in->module;
    if (gc->segment == m->nelems) {
        gc->instance = in->next;
        gc->segment = 0;
        return 1;
    }
    uint32_t i = gc->segment;
    uint32_t count = in->dropped_elems[i] == ELEM_DROPPED ? 0 : m->elems[i].count;
    uint64_t some = 0;
    if (may_hold_objects(vm->types, m->elems[i].type) && count)
        some = shade_some(gc, in->elems[i] + gc->segment_at, count - gc->segment_at, units);
    else
        gc->segment_at = count;
    gc->segment_at += (uint32_t)some;
    if (gc->segment_at >= count) {
        if (in->dropped_elems[i] == ELEM_DROPPED_LATE)
            in->dropped_elems[i] = ELEM_DROPPED;
        gc->segment++;
        gc->segment_at = 0;
    }
    return some + 1;
}

uint64_t gc_roots_scan(struct vm *vm, uint64_t units)
{
    struct gc *gc = &vm->gc;
    if (gc->table)
        return scan_table(vm, units);
    if (gc->global)
        return scan_global(gc);
    if (gc->instance)
        return scan_segment(vm, units);
    if (!gc->fiber)
        return 0;
    uint64_t done = gc_fiber_scan(vm, gc->fiber);
    if (!done)
        gc->fiber = gc->fiber->all;
    return done + 1;
}

void elem_drop(struct instance *instance, uint32_t elem)
{
    uint8_t *dropped = &instance->dropped_elems[elem];
    if (!*dropped)
        *dropped = instance->vm->gc.marking ? ELEM_DROPPED_LATE : ELEM_DROPPED;
}

/* --- What the host holds -------------------------------------------------------------------------
 */

void vm_root_add(struct vm *vm, struct gc_root *root, union slot value)
{
    gc_overwrite(&vm->gc, value.u64); /* it may come from where it has not been seen yet */
    *root = (struct gc_root){.value = value, .next = vm->gc.roots, .at = &vm->gc.roots};
    if (root->next)
        root->next->at = &root->next;
    vm->gc.roots = root;
}

void vm_root_set(struct vm *vm, struct gc_root *root, union slot value)
{
    gc_overwrite(&vm->gc, root->value.u64);
    gc_overwrite(&vm->gc, value.u64);
    root->value = value;
}

void vm_root_remove(struct vm *vm, struct gc_root *root)
{
    gc_overwrite(&vm->gc, root->value.u64);
    *root->at = root->next;
    if (root->next)
        root->next->at = root->at;
    *root = (struct gc_root){0};
}
