/* Globals, references, tables, memories as a whole, and wide arithmetic. What loops or allocates is
 * a function, in bulk.c. */
#ifndef CARREL_EXEC_OPS_STORE_H
#define CARREL_EXEC_OPS_STORE_H

#include "engine/exec/bulk.h"
#include "engine/exec/interp.h"

/* --- Globals: [d - global32]
 * ---------------------------------------------------------------------- */

#define GLOBAL() (in->globals[U32(1)]->value)

OPERATION(GLOBAL_GET)
{
    acc = GLOBAL()[0].u64;
    STEP(2);
}

OPERATION(GLOBAL_GET_D)
{
    acc = GLOBAL()[0].u64;
    fp[U16(0)].u64 = acc;
    STEP(2);
}

OPERATION(GLOBAL_GETX)
{
    xacc = xreg_of_f64(GLOBAL()[0].f64);
    STEP(2);
}

OPERATION(GLOBAL_GETX_D)
{
    xacc = xreg_of_f64(GLOBAL()[0].f64);
    fp[U16(0)].f64 = ACC_f64;
    STEP(2);
}

OPERATION(GLOBAL_SET_S)
{
    GLOBAL()[0] = fp[U16(1)];
    STEP(2);
}

OPERATION(GLOBAL_SET_REF)
{
    gc_overwrite(&in->vm->gc, GLOBAL()[0].u64);
    GLOBAL()[0] = fp[U16(1)];
    STEP(2);
}

OPERATION(GLOBAL_SET_A)
{
    GLOBAL()[0].u64 = acc;
    STEP(2);
}

OPERATION(GLOBAL_SETX_A)
{
    GLOBAL()[0].f64 = ACC_f64;
    STEP(2);
}

/* --- References
 * ----------------------------------------------------------------------------------- */

OPERATION(REF_FUNC)
{
    acc = (uint64_t)(uintptr_t)in->funcs[U32(1)];
    STEP(2);
}

OPERATION(REF_FUNC_D)
{
    acc = (uint64_t)(uintptr_t)in->funcs[U32(1)];
    fp[U16(0)].u64 = acc;
    STEP(2);
}

OPERATION(REF_IS_NULL_S)
{
    acc = SLOT_i64(1) == 0;
    STEP(2);
}

OPERATION(REF_IS_NULL_S_D)
{
    acc = SLOT_i64(1) == 0;
    fp[U16(0)].u64 = acc;
    STEP(2);
}

OPERATION(REF_IS_NULL_A)
{
    acc = acc == 0;
    STEP(2);
}

OPERATION(REF_IS_NULL_A_D)
{
    acc = acc == 0;
    fp[U16(0)].u64 = acc;
    STEP(2);
}

OPERATION(REF_AS_NON_NULL)
{
    FAIL_IF(SLOT_i64(0) == 0, NULL_REFERENCE);
    STEP(2);
}

/* --- Tables: [base32 table32], operands from `base` on
 * --------------------------------------------- */

#define OPERAND(i) (fp[U32(0) + (i)])
#define TABLE()    (in->tables[U32(1)])

OPERATION(TABLE_GET)
{
    const struct table_instance *table = TABLE();
    uint64_t index = OPERAND(0).u64;
    FAIL_IF(index >= table->count, TABLE_BOUNDS);
    OPERAND(0) = table_slots(table)[index];
    acc = OPERAND(0).u64;
    STEP(2);
}

OPERATION(TABLE_SET)
{
    const struct table_instance *table = TABLE();
    uint64_t index = OPERAND(0).u64;
    FAIL_IF(index >= table->count, TABLE_BOUNDS);
    gc_overwrite(&in->vm->gc, table_slots(table)[index].u64);
    table_slots(table)[index] = OPERAND(1);
    STEP(2);
}

OPERATION(TABLE_SIZE)
{
    OPERAND(0).u64 = TABLE()->count;
    acc = OPERAND(0).u64;
    STEP(2);
}

/* What works in slices (bulk.h): dispatched again until it is done. */
#define BULK(name, operator, words, after)                                                         \
    OPERATION(name)                                                                                \
    {                                                                                              \
        enum trap_kind kind = operator(in, pc + 1, fp + U32(0));                                   \
        if (unlikely(kind)) {                                                                      \
            if (kind == BULK_MORE)                                                                 \
                AGAIN();                                                                           \
            FAIL(kind);                                                                            \
        }                                                                                          \
        after;                                                                                     \
        STEP(words);                                                                               \
    }

BULK(TABLE_GROW, bulk_table_grow, 2, acc = OPERAND(0).u64)
BULK(TABLE_FILL, bulk_table_fill, 2, (void)0)
BULK(TABLE_COPY, bulk_table_copy, 3, (void)0) /* [base32 -][to32 from32] */
BULK(TABLE_INIT, bulk_table_init, 3, (void)0) /* [base32 -][elem32 table32] */

OPERATION(ELEM_DROP)
{
    elem_drop(in, U32(0));
    STEP(2);
}

/* --- Memories: [base32 memory32]
 * ------------------------------------------------------------------- */

#define MEMORY() (in->memories[U32(1)])

OPERATION(MEMORY_SIZE)
{
    OPERAND(0).u64 = MEMORY()->pages;
    acc = OPERAND(0).u64;
    STEP(2);
}

BULK(MEMORY_GROW, bulk_memory_grow, 2, acc = OPERAND(0).u64; RELOAD_MEMORY())
BULK(MEMORY_FILL, bulk_memory_fill, 2, (void)0)
BULK(MEMORY_COPY, bulk_memory_copy, 3, (void)0) /* [base32 -][to32 from32] */
BULK(MEMORY_INIT, bulk_memory_init, 3, (void)0) /* [base32 -][data32 memory32] */

OPERATION(DATA_DROP)
{
    in->dropped_datas[U32(0)] = 1;
    STEP(2);
}

/* --- Wide arithmetic: [base32]; low words first
 * ----------------------------------------------------- */

typedef unsigned __int128 u128;

#define WIDE(name, value)                                                                          \
    OPERATION(name)                                                                                \
    {                                                                                              \
        union slot *operand = fp + U32(0);                                                         \
        u128 result = value;                                                                       \
        operand[0].u64 = (uint64_t)result;                                                         \
        operand[1].u64 = (uint64_t)(result >> 64);                                                 \
        STEP(2);                                                                                   \
    }
#define WIDE_AT(i) ((u128)operand[(i) + 1].u64 << 64 | operand[i].u64)
WIDE(I64_ADD128, WIDE_AT(0) + WIDE_AT(2))
WIDE(I64_SUB128, WIDE_AT(0) - WIDE_AT(2))
WIDE(I64_MUL_WIDE_S, (u128)((__int128)(int64_t)operand[0].u64 *(int64_t)operand[1].u64))
WIDE(I64_MUL_WIDE_U, (u128)operand[0].u64 *operand[1].u64)

#endif
