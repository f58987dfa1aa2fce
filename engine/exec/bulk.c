/* Bulk operators, a slice at a time; see bulk.h. */
#include "engine/exec/bulk.h"

enum trap_kind bulk_slice(struct vm *vm, uint64_t len, uint64_t size, uint64_t *ret_slice)
{
    uint64_t most = BULK_SLICE / size;
    uint64_t slice = len < most ? len : most;
    if (len > most && vm_interrupted(vm))
        return TRAP_INTERRUPT;
    vm->fuel -= (int64_t)(slice * size / BULK_UNIT);
    if (vm->fuel < 0)
        return TRAP_FUEL;
    *ret_slice = slice;
    return TRAP_NONE;
}

/* Field `i` of the operand words: [base32 x32], or [base32 -][x32 y32]. */
static uint32_t field(const void *fields, unsigned i)
{
    uint32_t value;
    memcpy(&value, (const char *)fields + i * sizeof value, sizeof value);
    return value;
}

static bool table_holds(const struct table_instance *table, uint64_t at, uint64_t len)
{
    return at <= table->count && len <= table->count - at;
}

/* --- Fill: [at, value, len] ---------------------------------------------------------------------
 */

/* One slice less to do, further up. */
static enum trap_kind filled(union slot *operands, uint64_t slice)
{
    operands[0].u64 += slice;
    operands[2].u64 -= slice;
    return operands[2].u64 ? BULK_MORE : TRAP_NONE;
}

enum trap_kind bulk_memory_fill(struct instance *in, const void *fields, union slot *operands)
{
    struct linear_memory *memory = in->memories[field(fields, 1)];
    uint64_t at = operands[0].u64, len = operands[2].u64, slice = 0;
    if (!memory_at(memory, at, len))
        return TRAP_MEMORY_BOUNDS;
    enum trap_kind trap = bulk_slice(in->vm, len, 1, &slice);
    if (trap)
        return trap;
    memory_fill(memory, at, (uint8_t)operands[1].u32, slice);
    return filled(operands, slice);
}

enum trap_kind bulk_table_fill(struct instance *in, const void *fields, union slot *operands)
{
    struct table_instance *table = in->tables[field(fields, 1)];
    uint64_t at = operands[0].u64, len = operands[2].u64, slice = 0;
    if (!table_holds(table, at, len))
        return TRAP_TABLE_BOUNDS;
    enum trap_kind trap = bulk_slice(in->vm, len, sizeof(union slot), &slice);
    if (trap)
        return trap;
    table_fill(in->vm, table, at, operands[1].ref, slice);
    return filled(operands, slice);
}

/* --- Copy: [to, from, len] ----------------------------------------------------------------------
 * Upwards from the start if the target lies below the source, else downwards from the end, so that
 * no slice overwrites what a later one reads. */

struct piece {
    uint64_t to, from;
};

/* Where the slice lies, and the operands for the next. */
static struct piece next_piece(union slot *operands, bool down, uint64_t slice)
{
    struct piece piece = {operands[0].u64, operands[1].u64};
    operands[2].u64 -= slice;
    if (down) {
        piece.to += operands[2].u64;
        piece.from += operands[2].u64;
    } else {
        operands[0].u64 += slice;
        operands[1].u64 += slice;
    }
    return piece;
}

enum trap_kind bulk_memory_copy(struct instance *in, const void *fields, union slot *operands)
{
    struct linear_memory *to = in->memories[field(fields, 2)];
    struct linear_memory *from = in->memories[field(fields, 3)];
    uint64_t to_at = operands[0].u64, from_at = operands[1].u64, len = operands[2].u64, slice = 0;
    if (!memory_at(to, to_at, len) || !memory_at(from, from_at, len))
        return TRAP_MEMORY_BOUNDS;
    enum trap_kind trap = bulk_slice(in->vm, len, 1, &slice);
    if (trap)
        return trap;
    struct piece piece = next_piece(operands, to == from && to_at > from_at, slice);
    memory_copy(to, piece.to, from, piece.from, slice);
    return operands[2].u64 ? BULK_MORE : TRAP_NONE;
}

enum trap_kind bulk_table_copy(struct instance *in, const void *fields, union slot *operands)
{
    struct table_instance *to = in->tables[field(fields, 2)];
    struct table_instance *from = in->tables[field(fields, 3)];
    uint64_t to_at = operands[0].u64, from_at = operands[1].u64, len = operands[2].u64, slice = 0;
    if (!table_holds(to, to_at, len) || !table_holds(from, from_at, len))
        return TRAP_TABLE_BOUNDS;
    enum trap_kind trap = bulk_slice(in->vm, len, sizeof(union slot), &slice);
    if (trap)
        return trap;
    struct piece piece = next_piece(operands, to == from && to_at > from_at, slice);
    table_copy(in->vm, to, piece.to, from, piece.from, slice);
    return operands[2].u64 ? BULK_MORE : TRAP_NONE;
}

/* --- Init: [to, from, len], the latter two 32-bit ------------------------------------------------
 */

enum trap_kind bulk_memory_init(struct instance *in, const void *fields, union slot *operands)
{
    uint32_t data = field(fields, 2);
    struct linear_memory *to = in->memories[field(fields, 3)];
    uint64_t count = in->dropped_datas[data] ? 0 : in->module->datas[data].bytes.len;
    uint64_t from_at = operands[1].u32, len = operands[2].u32, slice = 0;
    if (!memory_at(to, operands[0].u64, len) || from_at > count || len > count - from_at)
        return TRAP_MEMORY_BOUNDS;
    enum trap_kind trap = bulk_slice(in->vm, len, 1, &slice);
    if (trap)
        return trap;
    struct piece piece = next_piece(operands, false, slice);
    memory_init(in, data, to, piece.to, piece.from, slice);
    return operands[2].u64 ? BULK_MORE : TRAP_NONE;
}

enum trap_kind bulk_table_init(struct instance *in, const void *fields, union slot *operands)
{
    uint32_t elem = field(fields, 2);
    struct table_instance *to = in->tables[field(fields, 3)];
    uint64_t count = in->dropped_elems[elem] ? 0 : in->module->elems[elem].count;
    uint64_t from_at = operands[1].u32, len = operands[2].u32, slice = 0;
    if (!table_holds(to, operands[0].u64, len) || from_at > count || len > count - from_at)
        return TRAP_TABLE_BOUNDS;
    enum trap_kind trap = bulk_slice(in->vm, len, sizeof(union slot), &slice);
    if (trap)
        return trap;
    struct piece piece = next_piece(operands, false, slice);
    table_init(in, elem, to, piece.to, piece.from, slice);
    return operands[2].u64 ? BULK_MORE : TRAP_NONE;
}

/* --- Grow: [pages], [value, elements]; the result goes to the first operand ----------------------
 * A memory's new pages are there already, and moving one is the store's affair: it costs nothing
 * but time. A table's elements are written, unseen until the last of them is paid for. */

/* The size before, or -1, as a value of the index type. */
static enum trap_kind grown(union slot *result, enum grow answer, uint64_t before, bool is64)
{
    uint64_t value = answer == GROW_DONE ? before : UINT64_MAX;
    result->u64 = is64 ? value : (uint32_t)value;
    return TRAP_NONE;
}

enum trap_kind bulk_memory_grow(struct instance *in, const void *fields, union slot *operands)
{
    struct linear_memory *memory = in->memories[field(fields, 1)];
    uint64_t before = memory->pages;
    enum grow answer = memory_grow(in->vm, memory, operands[0].u64, BULK_SLICE);
    if (answer != GROW_MORE)
        return grown(&operands[0], answer, before, memory->type.limits.is64);
    if (!vm_interrupted(in->vm))
        return BULK_MORE;
    memory_grow_abandon(memory);
    return TRAP_INTERRUPT;
}

enum trap_kind bulk_table_grow(struct instance *in, const void *fields, union slot *operands)
{
    struct table_instance *table = in->tables[field(fields, 1)];
    uint64_t before = table->count, filled = table->filled, slice = 0;
    enum grow answer = table_grow(in->vm, table, operands[0].ref, operands[1].u64, BULK_SLICE);
    if (answer != GROW_MORE)
        return grown(&operands[0], answer, before, table->type.limits.is64);
    enum trap_kind trap = bulk_slice(in->vm, table->filled - filled, sizeof(union slot), &slice);
    if (!trap && table->filled < operands[1].u64 && vm_interrupted(in->vm))
        trap = TRAP_INTERRUPT;
    if (!trap)
        return BULK_MORE;
    table_grow_abandon(table);
    return trap;
}
