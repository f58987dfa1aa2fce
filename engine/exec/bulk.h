/* Operators whose work has no bound: fill, copy, init and grow of memories and tables. They work in
 * slices. After each the operands, which lie in the frame, say what is left, and the instruction is
 * dispatched again; so the guest can be interrupted between two slices, and pays for each before it
 * is done. To the guest the operator is still one: bounds are those of the whole, before anything
 * is written.
 *
 * Whoever adds an operator of that kind: check the whole, take a slice, do it, move the operands
 * on, answer BULK_MORE while there is something left. */
#ifndef CARREL_EXEC_BULK_H
#define CARREL_EXEC_BULK_H

#include "engine/exec/state.h"

/* Bytes of one slice: below a millisecond, even if every page is touched for the first time. */
#define BULK_SLICE ((uint64_t)1 << 20)

/* Bytes that cost one unit of fuel, as an operator does; less than that is free. */
#define BULK_UNIT 64

/* "To be continued", beside the kinds of traps. */
#define BULK_MORE TRAP_KINDS

/* How much of `len` things of `size` bytes is to be done now, paid for. TRAP_NONE, or the trap: no
 * fuel for the slice, or interrupted. */
enum trap_kind bulk_slice(struct vm *vm, uint64_t len, uint64_t size, uint64_t *ret_slice);

/* An operator: `fields` are the 32-bit fields of its instruction, `operands` the slots that it
 * works on. TRAP_NONE when it is done, BULK_MORE, or why it traps. */
typedef enum trap_kind bulk_operator(struct instance *in, const void *fields, union slot *operands);

bulk_operator bulk_memory_fill, bulk_memory_copy, bulk_memory_init, bulk_memory_grow;
bulk_operator bulk_table_fill, bulk_table_copy, bulk_table_init, bulk_table_grow;

#endif
