/* Atomic accesses: the rows of op_atomic.def. A store is run by one thread, so an operator is
 * atomic by being carried out; what is checked is that the whole access lies in its memory, and
 * that its address is a multiple of its size. Waiting is in interp_atomic.c. */
#ifndef CARREL_EXEC_OPS_ATOMIC_H
#define CARREL_EXEC_OPS_ATOMIC_H

#include "engine/exec/interp.h"

/* `memory`, and `at` in it: the address of slot field 1 plus the offset of word 2; or `fail`. */
#define ATOMIC_ACCESS(size, fail)                                                                  \
    struct linear_memory *memory = in->memories[U16(3)];                                           \
    uint64_t address;                                                                              \
    if (unlikely(__builtin_add_overflow(SLOT_i64(1), pc[2], &address)))                            \
        fail(TRAP_MEMORY_BOUNDS);                                                                  \
    uint8_t *at = memory_to(memory, address, (size));                                              \
    if (unlikely(!at))                                                                             \
        fail(TRAP_MEMORY_BOUNDS);                                                                  \
    if (unlikely(address % (size)))                                                                \
    fail(TRAP_UNALIGNED)

#define ATOMIC_RESULT(type, value)                                                                 \
    do {                                                                                           \
        acc = (c_##type)(value);                                                                   \
        fp[U16(0)].u64 = acc;                                                                      \
    } while (0)

#define ATOMIC_READ(memory_type, name)                                                             \
    memory_type name;                                                                              \
    memcpy(&name, at, sizeof name)

#define ATOMIC_WRITE(memory_type, value)                                                           \
    do {                                                                                           \
        memory_type cut = (memory_type)(value);                                                    \
        memcpy(at, &cut, sizeof cut);                                                              \
    } while (0)

/* [d addr - memory][offset64] */
#define ATOMIC_LOAD(code, name, text, type, memory_type, size)                                     \
    OPERATION(name)                                                                                \
    {                                                                                              \
        ATOMIC_ACCESS(sizeof(memory_type), FAIL);                                                  \
        ATOMIC_READ(memory_type, a);                                                               \
        ATOMIC_RESULT(type, a);                                                                    \
        STEP(3);                                                                                   \
    }

/* [- addr value memory][offset64] */
#define ATOMIC_STORE(code, name, text, type, memory_type, size)                                    \
    OPERATION(name)                                                                                \
    {                                                                                              \
        ATOMIC_ACCESS(sizeof(memory_type), FAIL);                                                  \
        ATOMIC_WRITE(memory_type, SLOT_##type(2));                                                 \
        STEP(3);                                                                                   \
    }

/* [d addr value memory][offset64] */
#define ATOMIC_RMW(code, name, text, type, memory_type, size, value)                               \
    OPERATION(name)                                                                                \
    {                                                                                              \
        ATOMIC_ACCESS(sizeof(memory_type), FAIL);                                                  \
        ATOMIC_READ(memory_type, a);                                                               \
        UNUSED memory_type b = (memory_type)SLOT_##type(2);                                        \
        ATOMIC_WRITE(memory_type, value);                                                          \
        ATOMIC_RESULT(type, a);                                                                    \
        STEP(3);                                                                                   \
    }

/* [d addr expected memory][offset64][replacement]. What is expected is wrapped to the width of the
 * access, as what replaces it is. */
#define ATOMIC_CMPXCHG(code, name, text, type, memory_type, size)                                  \
    OPERATION(name)                                                                                \
    {                                                                                              \
        ATOMIC_ACCESS(sizeof(memory_type), FAIL);                                                  \
        ATOMIC_READ(memory_type, a);                                                               \
        if (a == (memory_type)SLOT_##type(2))                                                      \
            ATOMIC_WRITE(memory_type, fp[pc[3]].u64);                                              \
        ATOMIC_RESULT(type, a);                                                                    \
        STEP(4);                                                                                   \
    }

#define OP(code, name, text, feature, imm, pops, pushes)
#define OP_SIZED(code, name, text, feature, imm, pops, pushes, size)
#include "engine/wasm/op_atomic.def"
#undef OP
#undef OP_SIZED
#undef ATOMIC_LOAD
#undef ATOMIC_STORE
#undef ATOMIC_RMW
#undef ATOMIC_CMPXCHG

OPERATION(ATOMIC_FENCE)
{
    STEP(1);
}

/* [d addr count memory][offset64] */
OPERATION(MEMORY_ATOMIC_NOTIFY)
{
    ATOMIC_ACCESS(sizeof(uint32_t), FAIL);
    int64_t woken = wait_notify(in->vm, memory, address, SLOT_i32(2));
    FAIL_IF(woken < 0, OUT_OF_MEMORY);
    ATOMIC_RESULT(i32, woken);
    STEP(3);
}

#endif
