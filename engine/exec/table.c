/* Tables: making, growing, and the bulk operators (core spec §4.4.6, §4.2.7). */
#include "engine/exec/state.h"

/* No table may grow over this, whatever its type says (as in the JS API §limits). */
#define MOST_ELEMENTS UINT64_C(10000000)

struct table_instance *table_new(struct vm *vm, const struct tabletype *type)
{
    uint64_t count = type->limits.min;
    if (vm->ntables >= vm->limits.tables || count > MOST_ELEMENTS ||
        count > vm->limits.table_elements - vm->table_elements)
        return NULL;
    struct table_instance *table = heap_zeroed(&vm->heap, 1, sizeof *table);
    if (!table)
        return NULL;
    uint64_t most = type->limits.has_max ? type->limits.max : MOST_ELEMENTS;
    if (most > MOST_ELEMENTS)
        most = MOST_ELEMENTS;
    /* Few tables grow; one that may gets room for some. */
    uint64_t room = most > count + 4096 ? count + 4096 : most;
    if (!arena_place(&vm->arena, &table->span, count * sizeof(union slot),
                     room * sizeof(union slot))) {
        heap_give(&vm->heap, table);
        return NULL;
    }
    table->type = *type;
    table->count = count;
    vm->table_elements += count;
    vm->ntables++;
    table->next = vm->gc.tables;
    vm->gc.tables = table;
    return table;
}

enum grow table_grow(struct vm *vm, struct table_instance *table, void *value, uint64_t more,
                     size_t most)
{
    uint64_t before = table->count;
    uint64_t limit = table->type.limits.has_max ? table->type.limits.max : MOST_ELEMENTS;
    if (limit > MOST_ELEMENTS)
        limit = MOST_ELEMENTS;
    if (more > limit || before > limit - more ||
        more > vm->limits.table_elements - vm->table_elements)
        return GROW_REFUSED;
    int step = arena_extend_step(&vm->arena, &table->span, &table->move,
                                 (before + more) * sizeof(union slot), most);
    if (step <= 0)
        return step ? GROW_REFUSED : GROW_MORE;
    if (table->filled < more) {
        union slot *slots = table_slots(table) + before;
        uint64_t end = table->filled + most / sizeof *slots;
        for (; table->filled < more && table->filled < end; table->filled++)
            slots[table->filled].ref = value;
        return GROW_MORE;
    }
    table->filled = 0;
    table->count = before + more;
    vm->table_elements += more;
    return GROW_DONE;
}

void table_grow_abandon(struct table_instance *table)
{
    table->filled = 0;
    arena_abandon(&table->move);
}

/* Are the elements `at`..`at`+`len` all inside? */
static bool inside(uint64_t count, uint64_t at, uint64_t len)
{
    return at <= count && len <= count - at;
}

enum trap_kind table_fill(struct vm *vm, struct table_instance *table, uint64_t at, void *value,
                          uint64_t len)
{
    if (!inside(table->count, at, len))
        return TRAP_TABLE_BOUNDS;
    union slot *slots = table_slots(table);
    gc_overwrite_all(&vm->gc, slots + at, len);
    for (uint64_t i = 0; i < len; i++)
        slots[at + i].ref = value;
    return TRAP_NONE;
}

enum trap_kind table_copy(struct vm *vm, struct table_instance *to, uint64_t to_at,
                          struct table_instance *from, uint64_t from_at, uint64_t len)
{
    if (!inside(to->count, to_at, len) || !inside(from->count, from_at, len))
        return TRAP_TABLE_BOUNDS;
    gc_overwrite_all(&vm->gc, table_slots(to) + to_at, len);
    memmove(table_slots(to) + to_at, table_slots(from) + from_at, len * sizeof(union slot));
    return TRAP_NONE;
}

enum trap_kind table_init(struct instance *instance, uint32_t elem, struct table_instance *to,
                          uint64_t to_at, uint64_t from_at, uint64_t len)
{
    const struct elemsegment *segment = &instance->module->elems[elem];
    uint64_t count = instance->dropped_elems[elem] ? 0 : segment->count;
    if (!inside(to->count, to_at, len) || !inside(count, from_at, len))
        return TRAP_TABLE_BOUNDS;
    gc_overwrite_all(&instance->vm->gc, table_slots(to) + to_at, len);
    if (len)
        memcpy(table_slots(to) + to_at, instance->elems[elem] + from_at, len * sizeof(union slot));
    return TRAP_NONE;
}
