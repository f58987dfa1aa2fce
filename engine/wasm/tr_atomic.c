/* Translation of atomic accesses (threads proposal). They are few in any program, so they have one
 * form each: operands in slots, any memory, a 64-bit offset. */
#include "engine/wasm/tr.h"

#define OPERANDS 3 /* at most: address, value, second value */

/* The operators of op_atomic.def and those of xop_atomic.def come from the same rows. */
static enum xop atomic_xop(enum op op)
{
    return (enum xop)(XOP_MEMORY_ATOMIC_NOTIFY + ((unsigned)op - OP_MEMORY_ATOMIC_NOTIFY));
}

static void access_memory(struct tr *tr, const struct op_row *row)
{
    const struct memarg *mem = &tr->insn.mem;
    struct entry entries[OPERANDS];
    uint32_t slots[OPERANDS] = {0};
    for (unsigned i = row->npops; i-- > 0;)
        entries[i] = tr_pop(tr);
    for (unsigned i = 0; i < row->npops; i++)
        slots[i] = tr_operand_slot(tr, &entries[i]);
    for (unsigned i = 0; i < row->npops; i++)
        slots[i] = tr_use(tr, slots[i]);
    uint32_t to = row->npushes ? tr_dest(tr) : 0;
    if (row->npushes)
        tr_clobber(tr, ACC_INT);
    code_word *word = tr_emit(tr, atomic_xop(tr->insn.op), row->npops == OPERANDS ? 3 : 2);
    tr_put16(word, 0, to);
    tr_put16(word, 1, slots[0]);
    tr_put16(word, 2, slots[1]);
    tr_put16(word, 3, mem->memory);
    if (!tr->failed) {
        word[1] = mem->offset;
        if (row->npops == OPERANDS)
            word[2] = slots[2];
    }
    /* Who waits is blocked here, and the collector may come. */
    if (tr->insn.op == OP_MEMORY_ATOMIC_WAIT32 || tr->insn.op == OP_MEMORY_ATOMIC_WAIT64)
        tr_safepoint(tr, word - 1);
    if (row->npushes)
        tr_push_dest(tr, row->pushes[0] == 'I' ? VT_I64 : VT_I32);
}

void tr_atomic(struct tr *tr)
{
    if (tr->insn.op == OP_ATOMIC_FENCE)
        tr_emit(tr, XOP_ATOMIC_FENCE, 0);
    else
        access_memory(tr, &op_rows[tr->insn.op]);
}
