/* Globals, references, tables, memories as a whole, and wide arithmetic. What loops or allocates is
 * a function in memory.c or table.c. */
#ifndef CARREL_EXEC_OPS_STORE_H
#define CARREL_EXEC_OPS_STORE_H

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

/* The result is an index of the table's or memory's own type: -1 is cut to 32 bits. */
#define INDEX_RESULT(value, is64) ((is64) ? (uint64_t)(value) : (uint32_t)(value))

OPERATION(TABLE_GROW)
{
    struct table_instance *table = TABLE();
    int64_t before = table_grow(in->vm, table, OPERAND(0).ref, OPERAND(1).u64);
    OPERAND(0).u64 = INDEX_RESULT(before, table->type.limits.is64);
    acc = OPERAND(0).u64;
    STEP(2);
}

OPERATION(TABLE_FILL)
{
    enum trap_kind kind =
        table_fill(in->vm, TABLE(), OPERAND(0).u64, OPERAND(1).ref, OPERAND(2).u64);
    if (unlikely(kind))
        FAIL(kind);
    STEP(2);
}

/* [base32 -][to32 from32] */
OPERATION(TABLE_COPY)
{
    enum trap_kind kind = table_copy(in->vm, in->tables[U32(2)], OPERAND(0).u64, in->tables[U32(3)],
                                     OPERAND(1).u64, OPERAND(2).u64);
    if (unlikely(kind))
        FAIL(kind);
    STEP(3);
}

/* [base32 -][elem32 table32] */
OPERATION(TABLE_INIT)
{
    enum trap_kind kind =
        table_init(in, U32(2), in->tables[U32(3)], OPERAND(0).u64, OPERAND(1).u32, OPERAND(2).u32);
    if (unlikely(kind))
        FAIL(kind);
    STEP(3);
}

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

OPERATION(MEMORY_GROW)
{
    struct linear_memory *memory = MEMORY();
    int64_t before = memory_grow(in->vm, memory, OPERAND(0).u64);
    OPERAND(0).u64 = INDEX_RESULT(before, memory->type.limits.is64);
    acc = OPERAND(0).u64;
    RELOAD_MEMORY();
    STEP(2);
}

OPERATION(MEMORY_FILL)
{
    enum trap_kind kind =
        memory_fill(MEMORY(), OPERAND(0).u64, (uint8_t)OPERAND(1).u32, OPERAND(2).u64);
    if (unlikely(kind))
        FAIL(kind);
    STEP(2);
}

/* [base32 -][to32 from32] */
OPERATION(MEMORY_COPY)
{
    enum trap_kind kind = memory_copy(in->memories[U32(2)], OPERAND(0).u64, in->memories[U32(3)],
                                      OPERAND(1).u64, OPERAND(2).u64);
    if (unlikely(kind))
        FAIL(kind);
    STEP(3);
}

/* [base32 -][data32 memory32] */
OPERATION(MEMORY_INIT)
{
    enum trap_kind kind = memory_init(in, U32(2), in->memories[U32(3)], OPERAND(0).u64,
                                      OPERAND(1).u32, OPERAND(2).u32);
    if (unlikely(kind))
        FAIL(kind);
    STEP(3);
}

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
