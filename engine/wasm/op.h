/* The operators of WebAssembly, numbered densely in the order of the table. */
#ifndef CARREL_WASM_OP_H
#define CARREL_WASM_OP_H

#include <stdint.h>

enum op {
    OP_ILLEGAL, /* no row: what an opcode means that is not in the table */
#define OP(code, name, text, feature, imm, pops, pushes) OP_##name,
#include "engine/wasm/op.def"
    OP_COUNT,
};

/* What kind of immediates follow the opcode (§5.4). */
enum op_imm {
    IMM_ILLEGAL, /* no operator */
    IMM_PREFIX,  /* the first byte of a longer opcode */
    IMM_NONE,
    IMM_I32,
    IMM_I64,
    IMM_F32,
    IMM_F64,
    IMM_V128,
    IMM_SHUFFLE,   /* 16 lane numbers */
    IMM_LANE,      /* one */
    IMM_BLOCK,     /* block type */
    IMM_TRY_TABLE, /* block type, vector of catch clauses */
    IMM_LABEL,
    IMM_BR_TABLE, /* vector of labels, label */
    IMM_FUNC,
    IMM_CALL_INDIRECT, /* type, table */
    IMM_TYPE,
    IMM_TAG,
    IMM_LOCAL,
    IMM_GLOBAL,
    IMM_TABLE,
    IMM_TABLE_PAIR, /* destination, source */
    IMM_TABLE_INIT, /* element segment, table */
    IMM_ELEM,
    IMM_DATA,
    IMM_MEMORY,
    IMM_MEMORY_PAIR, /* destination, source */
    IMM_MEMORY_INIT, /* data segment, memory */
    IMM_MEMARG,
    IMM_MEMARG_ATOMIC, /* the same, and the alignment must be the natural one */
    IMM_MEMARG_LANE,
    IMM_SELECT, /* vector of value types */
    IMM_HEAP,   /* heap type */
    IMM_TYPE_FIELD,
    IMM_TYPE_COUNT,
    IMM_TYPE_DATA,
    IMM_TYPE_ELEM,
    IMM_TYPE_PAIR, /* destination, source */
    IMM_CAST,      /* flags, label, two heap types */
    IMM_FENCE,     /* a zero byte */
};

/* The proposal that an operator came with. */
enum op_feature {
    FEATURE_MVP,
    FEATURE_SIGN_EXTENSION,
    FEATURE_SATURATING,
    FEATURE_BULK,
    FEATURE_REFERENCES,
    FEATURE_TAIL_CALL,
    FEATURE_SIMD,
    FEATURE_RELAXED_SIMD,
    FEATURE_EXCEPTIONS,
    FEATURE_LEGACY_EXCEPTIONS,
    FEATURE_FUNCTION_REFERENCES,
    FEATURE_GC,
    FEATURE_THREADS,
    FEATURE_WIDE_ARITHMETIC,
};

/* Operand types are letters, one each:
 *
 *   i I f F v   i32 i64 f32 f64 v128
 *   a b m       address of the first memory or table that the immediates name, of the second, and
 *               the smaller of the two address types
 *   t           element of the table at hand
 *   e n s S     eqref, arrayref, i31ref, (ref i31)
 *   *           alone: the operator has a rule of its own in validate_*.c
 *
 * Everything lies in the row, so that the table needs no relocation. */
struct op_row {
    uint32_t code; /* prefix << 16 | number; the prefix is 0 for one-byte opcodes */
    uint8_t imm;
    uint8_t feature;
    uint8_t size; /* log2 of what is accessed: in memory (the natural alignment), or a lane */
    uint8_t npops;
    uint8_t npushes;
    char pops[5];
    char pushes[3];
};

extern const struct op_row op_rows[OP_COUNT];

/* What an opcode byte begins: an operator and the kind of its immediates, or IMM_PREFIX. */
struct op_start {
    uint16_t op;
    uint8_t imm;
};

extern const struct op_start op_starts[]; /* by the first byte */

/* The operator of a prefixed opcode; OP_ILLEGAL if there is none. */
enum op op_prefixed(uint8_t prefix, uint32_t number);

/* The operator's name in the text format; "illegal" for OP_ILLEGAL. */
const char *op_text(enum op op);

#endif
