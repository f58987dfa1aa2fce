/* Loads and stores of vectors and of their lanes: rows of op_simd.def. The forms are those of
 * ops_mem.h. */
#ifndef CARREL_EXEC_OPS_SIMD_MEM_H
#define CARREL_EXEC_OPS_SIMD_MEM_H

#include "engine/exec/interp_vec.h"

/* `end` and, `size` bytes before it, `at` in memory 0; or failure (§4.4.7). */
#define ACCESS(address, offset32, size)                                                            \
    uint64_t end = (uint64_t)(address) + U32(offset32);                                            \
    FAIL_IF(end > ml, MEMORY_BOUNDS);                                                              \
    uint8_t *at = mb + end - (size)

/* The same in any memory, with an offset of 64 bits. */
#define ACCESS_ANY(memory, address, offset64, size)                                                \
    uint64_t from;                                                                                 \
    FAIL_IF(__builtin_add_overflow(address, offset64, &from), MEMORY_BOUNDS);                      \
    uint8_t *at = memory_to(in->memories[memory], from, size);                                     \
    FAIL_IF(!at, MEMORY_BOUNDS)

/* --- Loads: [d addr end32], ANY: [d addr memory -][offset64]
 * ----------------------------------------
 */

/* `value` of `size` bytes at `at`. */
#define LOADED(name, size, value)                                                                  \
    VALUE_IF(name##_S, v128, 2, ACCESS(SLOT_i32(1), 1, size), value)                               \
    VALUE_IF(name##_A, v128, 2, ACCESS(ACC_i32, 1, size), value)                                   \
    VALUE_IF(name##_I, v128, 2, ACCESS(0, 1, size), value)                                         \
    OPERATION(name##_ANY)                                                                          \
    {                                                                                              \
        ACCESS_ANY(U16(2), SLOT_i64(1), pc[2], size);                                              \
        SET_ACC_v128(value);                                                                       \
        SET_SLOT_v128(0, ACC_v128);                                                                \
        STEP(3);                                                                                   \
    }

/* A lane in memory as the lowest of a vector; the others are zero. */
#define LOWEST_u32(at) ((v128){vec_read_u32(at)})
#define LOWEST_u64(at) ((v128){(long long)vec_read_u64(at)})

#define OP(code, name, text, feature, imm, pops, pushes)
#define VLOAD(code, name, text, feature) LOADED(name, sizeof(v128), vec_read(at))
#define VLOAD_EXTEND(code, name, text, feature, from, to)                                          \
    LOADED(name, 8, VEC(vec_extend_##from)(LOWEST_u64(at)))
#define VLOAD_SPLAT(code, name, text, feature, lanes, size)                                        \
    LOADED(name, sizeof(lane_##lanes), VEC(vec_splat_##lanes)(vec_read_##lanes(at)))
#define VLOAD_ZERO(code, name, text, feature, lanes, size)                                         \
    LOADED(name, sizeof(lane_##lanes), LOWEST_##lanes(at))
#include "engine/wasm/op.def"

/* --- Stores: [addr value end32], [addr - end32][value, two words]; ANY: [addr value memory
 * -][offset64]
 * ------------------------------------------------------------------------------------------------
 */

#define STORED(name, address, words, value)                                                        \
    OPERATION(name)                                                                                \
    {                                                                                              \
        ACCESS(address, 1, sizeof(v128));                                                          \
        MARK(at);                                                                                  \
        vec_write(at, value);                                                                      \
        STEP(words);                                                                               \
    }

STORED(V128_STORE_SS, SLOT_i32(0), 2, SLOT_v128(1))
STORED(V128_STORE_AS, ACC_i32, 2, SLOT_v128(1))
STORED(V128_STORE_SA, SLOT_i32(0), 2, ACC_v128)
STORED(V128_STORE_AX, ACC_i32, 2, ACC_v128)
STORED(V128_STORE_SI, SLOT_i32(0), 4, WORDS_v128(2))
STORED(V128_STORE_AI, ACC_i32, 4, WORDS_v128(2))
STORED(V128_STORE_IS, 0, 2, SLOT_v128(1))
STORED(V128_STORE_IA, 0, 2, ACC_v128)

OPERATION(V128_STORE_ANY)
{
    ACCESS_ANY(U16(2), SLOT_i64(0), pc[2], sizeof(v128));
    vec_write(at, SLOT_v128(1));
    STEP(3);
}

/* --- Lanes: [d addr s byte][end32], ANY: [d addr s byte][offset64][memory]
 * --------------------------
 */

#define LANE_LOADED(name, lanes, address, vector)                                                  \
    VALUE_IF(name, v128, 3, ACCESS(address, 2, sizeof(lane_##lanes)),                              \
             VEC(vec_with_##lanes)(vector, U16(3), vec_read_##lanes(at)))

#define LANE_STORED(name, lanes, address, vector)                                                  \
    OPERATION(name)                                                                                \
    {                                                                                              \
        ACCESS(address, 2, sizeof(lane_##lanes));                                                  \
        lane_##lanes lane = vector;                                                                \
        MARK(at);                                                                                  \
        memcpy(at, &lane, sizeof lane);                                                            \
        STEP(3);                                                                                   \
    }

#define LANE_OF_SLOT(lanes) vec_read_##lanes((const char *)&fp[U16(2)] + U16(3))
#define LANE_OF_ACC(lanes)  VEC(vec_lane_##lanes)(ACC_v128, U16(3))

#define OP(code, name, text, feature, imm, pops, pushes)
#define VLOAD_LANE(code, name, text, feature, lanes, size)                                         \
    LANE_LOADED(name##_SS, lanes, SLOT_i32(1), SLOT_v128(2))                                       \
    LANE_LOADED(name##_AS, lanes, ACC_i32, SLOT_v128(2))                                           \
    LANE_LOADED(name##_SA, lanes, SLOT_i32(1), ACC_v128)                                           \
    LANE_LOADED(name##_AA, lanes, ACC_i32, ACC_v128)                                               \
    OPERATION(name##_ANY)                                                                          \
    {                                                                                              \
        ACCESS_ANY(pc[3], SLOT_i64(1), pc[2], sizeof(lane_##lanes));                               \
        SET_ACC_v128(VEC(vec_with_##lanes)(SLOT_v128(2), U16(3), vec_read_##lanes(at)));           \
        SET_SLOT_v128(0, ACC_v128);                                                                \
        STEP(4);                                                                                   \
    }
#define VSTORE_LANE(code, name, text, feature, lanes, size)                                        \
    LANE_STORED(name##_SS, lanes, SLOT_i32(1), LANE_OF_SLOT(lanes))                                \
    LANE_STORED(name##_AS, lanes, ACC_i32, LANE_OF_SLOT(lanes))                                    \
    LANE_STORED(name##_SA, lanes, SLOT_i32(1), LANE_OF_ACC(lanes))                                 \
    LANE_STORED(name##_AA, lanes, ACC_i32, LANE_OF_ACC(lanes))                                     \
    OPERATION(name##_ANY)                                                                          \
    {                                                                                              \
        ACCESS_ANY(pc[3], SLOT_i64(1), pc[2], sizeof(lane_##lanes));                               \
        memcpy(at, (const char *)&fp[U16(2)] + U16(3), sizeof(lane_##lanes));                      \
        STEP(4);                                                                                   \
    }
#include "engine/wasm/op.def"

#endif
