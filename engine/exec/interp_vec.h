/* Vectors as operands: what ops_simd.h and ops_simd_mem.h have in common. */
#ifndef CARREL_EXEC_INTERP_VEC_H
#define CARREL_EXEC_INTERP_VEC_H

#include "engine/exec/interp.h"
#include "engine/exec/vec.h"

typedef v128 c_v128;

#define SLOT_v128(i)            vec_read(&fp[U16(i)])
#define ACC_v128                ((v128)xacc)
#define WORDS_v128(at)          vec_read(pc + (at)) /* an immediate, from that word on */
#define SET_ACC_v128(value)     (xacc = (xreg)(value))
#define SET_SLOT_v128(i, value) vec_write(&fp[U16(i)], (value))

/* An operation that gives a value: to the accumulator alone, and to a slot as well (_D). What may
 * make it fail comes first. */
#define VALUE_IF(name, to, words, check, value)                                                    \
    OPERATION(name)                                                                                \
    {                                                                                              \
        check;                                                                                     \
        SET_ACC_##to(value);                                                                       \
        STEP(words);                                                                               \
    }                                                                                              \
    OPERATION(name##_D)                                                                            \
    {                                                                                              \
        check;                                                                                     \
        c_##to result = value;                                                                     \
        SET_SLOT_##to(0, result);                                                                  \
        SET_ACC_##to(result);                                                                      \
        STEP(words);                                                                               \
    }
#define VALUE(name, to, words, value) VALUE_IF(name, to, words, (void)0, value)

#endif
