/* Loads and stores: the rows of op_mem.def. Every access is checked against the length
 * of its memory (core spec §4.4.7).
 *
 * The common forms are for memory 0 with 32-bit addresses, where offset plus size is below 2^32:
 * the end of the access then fits 64 bits without overflow. A constant address (I) is part of that
 * sum. The _ANY forms take any memory, 64-bit addresses and 64-bit offsets. */
#ifndef CARREL_EXEC_OPS_MEM_H
#define CARREL_EXEC_OPS_MEM_H

#include "engine/exec/interp.h"

/* The type in memory, read at any alignment. */
#define READ(memory_type, at)                                                                      \
    ({                                                                                             \
        memory_type value_;                                                                        \
        memcpy(&value_, (at), sizeof value_);                                                      \
        value_;                                                                                    \
    })

/* From memory to stack type: sign and width of the memory type decide. */
#define EXTEND_i32(value) ((uint32_t)(value))
#define EXTEND_i64(value) ((uint64_t)(value))
#define EXTEND_f32(value) (value)
#define EXTEND_f64(value) (value)

/* Trap unless what ends at `end` lies in memory 0. */
#define CHECK(end) FAIL_IF((end) > ml, MEMORY_BOUNDS)

/* [d addr end32]: the translator has added the size of the access to the offset */
#define LOAD_FORM(form, address, name, type, memory_type)                                          \
    OPERATION(name##_##form)                                                                       \
    {                                                                                              \
        uint64_t end = (uint64_t)(address) + U32(1);                                               \
        CHECK(end);                                                                                \
        SET_ACC_##type(EXTEND_##type(READ(memory_type, mb + end - sizeof(memory_type))));          \
        STEP(2);                                                                                   \
    }                                                                                              \
    OPERATION(name##_##form##_D)                                                                   \
    {                                                                                              \
        uint64_t end = (uint64_t)(address) + U32(1);                                               \
        CHECK(end);                                                                                \
        c_##type value = EXTEND_##type(READ(memory_type, mb + end - sizeof(memory_type)));         \
        SET_SLOT_##type(0, value);                                                                 \
        SET_ACC_##type(value);                                                                     \
        STEP(2);                                                                                   \
    }

/* [d addr memory -][offset64]: always to a slot as well */
#define LOAD(code, name, text, feature, type, memory_type, align)                                  \
    LOAD_FORM(S, SLOT_i32(1), name, type, memory_type)                                             \
    LOAD_FORM(A, ACC_i32, name, type, memory_type)                                                 \
    LOAD_FORM(I, 0, name, type, memory_type)                                                       \
    OPERATION(name##_ANY)                                                                          \
    {                                                                                              \
        const struct linear_memory *memory = in->memories[U16(2)];                                 \
        uint64_t at;                                                                               \
        FAIL_IF(__builtin_add_overflow(SLOT_i64(1), pc[2], &at), MEMORY_BOUNDS);                   \
        const uint8_t *from = memory_at(memory, at, sizeof(memory_type));                          \
        FAIL_IF(!from, MEMORY_BOUNDS);                                                             \
        c_##type value = EXTEND_##type(READ(memory_type, from));                                   \
        SET_SLOT_##type(0, value);                                                                 \
        SET_ACC_##type(value);                                                                     \
        STEP(3);                                                                                   \
    }

/* [addr value end32], or with an immediate value [addr - end32][imm64] */
#define STORE_FORM(form, address, value, words, name, memory_type)                                 \
    OPERATION(name##_##form)                                                                       \
    {                                                                                              \
        uint64_t end = (uint64_t)(address) + U32(1);                                               \
        CHECK(end);                                                                                \
        memory_type cut = (memory_type)(value);                                                    \
        MARK(mb + end - sizeof cut);                                                               \
        memcpy(mb + end - sizeof cut, &cut, sizeof cut);                                           \
        STEP(words);                                                                               \
    }

#define IMM64_i32 ((uint32_t)pc[2])
#define IMM64_i64 (pc[2])
#define IMM64_f32 num_f32_of_i32((uint32_t)pc[2])
#define IMM64_f64 num_f64_of_i64(pc[2])

/* ANY: [addr value memory -][offset64] */
#define STORE(code, name, text, feature, type, memory_type, align)                                 \
    STORE_FORM(SS, SLOT_i32(0), SLOT_##type(1), 2, name, memory_type)                              \
    STORE_FORM(AS, ACC_i32, SLOT_##type(1), 2, name, memory_type)                                  \
    STORE_FORM(SA, SLOT_i32(0), ACC_##type, 2, name, memory_type)                                  \
    STORE_FORM(AX, ACC_i32, ACC_##type, 2, name, memory_type)                                      \
    STORE_FORM(SI, SLOT_i32(0), IMM64_##type, 3, name, memory_type)                                \
    STORE_FORM(AI, ACC_i32, IMM64_##type, 3, name, memory_type)                                    \
    STORE_FORM(IS, 0, SLOT_##type(1), 2, name, memory_type)                                        \
    STORE_FORM(IA, 0, ACC_##type, 2, name, memory_type)                                            \
    OPERATION(name##_ANY)                                                                          \
    {                                                                                              \
        const struct linear_memory *memory = in->memories[U16(2)];                                 \
        uint64_t at;                                                                               \
        FAIL_IF(__builtin_add_overflow(SLOT_i64(0), pc[2], &at), MEMORY_BOUNDS);                   \
        uint8_t *to = memory_to(memory, at, sizeof(memory_type));                                  \
        FAIL_IF(!to, MEMORY_BOUNDS);                                                               \
        memory_type cut = (memory_type)SLOT_##type(1);                                             \
        memcpy(to, &cut, sizeof cut);                                                              \
        STEP(3);                                                                                   \
    }

#include "engine/wasm/op_mem.def"
#undef LOAD
#undef STORE

#endif
