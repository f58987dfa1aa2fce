/* One instruction, decoded: the single place that knows the immediates of every operator.
 * Validator, translator, disassembler and reachability read code through it. */
#ifndef CARREL_WASM_INSN_H
#define CARREL_WASM_INSN_H

#include "engine/base/reader.h"
#include "engine/wasm/module.h"
#include "engine/wasm/op.h"

/* A block type (§5.4.1): parameters and results, in place for the short forms. */
struct blocktype {
    uint32_t nparams;
    uint32_t nresults;
    const valtype *params;
    const valtype *results; /* for the short form it points to `one` */
    valtype one;
};

struct memarg {
    uint32_t memory;
    uint32_t align; /* log2 */
    uint64_t offset;
    uint8_t lane;
};

/* A catch clause of try_table: catch, catch_ref, catch_all, catch_all_ref (§5.4.1: 0 to 3). */
struct catch_clause {
    uint8_t kind;
    uint32_t tag;
    uint32_t label;
};

/* Immediates that are vectors stay as bytes, validated once, and are walked with a reader. */
struct insn {
    enum op op;
    const uint8_t *at; /* of the opcode */
    union {
        int32_t i32;
        int64_t i64;
        uint32_t f32; /* bit patterns */
        uint64_t f64;
        uint8_t v128[16]; /* also the lanes of a shuffle */
        uint8_t lane;
        uint32_t x; /* label, function, type, local, global, table, memory, tag, segment */
        struct {
            uint32_t x, y; /* in the order of the binary format */
        } pair;
        struct memarg mem;
        struct blocktype block;
        struct {
            struct blocktype block;
            uint32_t count;
            struct bytes clauses;
        } try_table;
        struct {
            uint32_t count;      /* of labels; the default is one more */
            struct bytes labels; /* count + 1 LEB128 numbers */
        } br_table;
        struct {
            uint32_t count;
            valtype type; /* the only one, if count is 1 */
        } select;
        heaptype heap;
        struct {
            uint8_t flags; /* bit 0: source nullable, bit 1: target nullable */
            uint32_t label;
            heaptype from, to;
        } cast;
    };
};

/* Reads the next instruction. On failure the reader sticks (malformed, or a type index that does
 * not exist) and `insn->op` is OP_ILLEGAL. Indices other than types are not checked here. */
void insn_read(struct reader *r, const struct module *module, struct insn *insn);

/* A value type, heap type, reference type at the reader's place (§5.3). */
valtype valtype_read(struct reader *r, const struct module *module);
heaptype heaptype_read(struct reader *r, const struct module *module);

/* Takes the next catch clause of a try_table. */
struct catch_clause catch_read(struct reader *r);

#endif
