/* The operators of register code, which the translator emits and the interpreter runs.
 *
 * Code is an array of 64-bit words. An instruction is a handler word (the address of the C function
 * that carries it out) and operand words. Operands are slots of the frame, immediates, or the
 * accumulators: every result of an integer operator is left in `acc`, of a float or vector operator
 * in `xacc`, and the next instruction may take it from there.
 *
 * Variants of an operator are named by where its operands come from, one letter each: S a slot, A
 * the accumulator of its type, I an immediate; and by where its result goes: the accumulator only,
 * or
 * (_D) a slot as well. Variants are generated from the rows of op_num.def and op_mem.def, in the
 * order of the form enumerations below, so that the translator computes an operator's variant. */
#ifndef CARREL_WASM_XOP_H
#define CARREL_WASM_XOP_H

#include <stdint.h>

/* Two operands. */
enum form2 { FORM_SS, FORM_AS, FORM_SA, FORM_SI, FORM_AI, FORM_IS, FORM_IA, FORM2_COUNT };
/* One operand. */
enum form1 { FORM_S, FORM_A, FORM1_COUNT };
/* Address of a load; I: the address is constant, and part of the end. */
enum form_load { LOAD_S, LOAD_A, LOAD_I };
/* Address and value of a store; AX: address in acc, value in xacc (floats). */
enum form_store {
    STORE_SS,
    STORE_AS,
    STORE_SA,
    STORE_AX,
    STORE_SI,
    STORE_AI,
    STORE_IS,
    STORE_IA,
};

enum xop {
#define XOP(name) XOP_##name,
#include "engine/wasm/xop.def"
    XOP_COUNT
};

#endif
