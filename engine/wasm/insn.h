/* One instruction, decoded: the single place that knows the immediates of every operator.
 * Validator, translator, disassembler and reachability read code through it. */
#ifndef CARREL_WASM_INSN_H
#define CARREL_WASM_INSN_H

#include "engine/base/reader.h"
#include "engine/wasm/module.h"
#include "engine/wasm/op.h"

/* A block type (§5.4.1): parameters and results. May be copied. */
struct blocktype {
    uint32_t nparams;
    uint32_t nresults;
    const valtype *params;
    const valtype *results; /* NULL in the short form, whose only result is `one` */
    valtype one;
};

static inline const valtype *block_results(const struct blocktype *block)
{
    return block->results ? block->results : &block->one;
}

struct memarg {
    uint32_t memory;
    uint32_t align; /* log2 */
    uint64_t offset;
    uint8_t lane;
};

/* A catch clause of try_table (§5.4.1). */
enum catch_kind { CATCH, CATCH_REF, CATCH_ALL, CATCH_ALL_REF };

struct catch_clause {
    enum catch_kind kind;
    uint32_t tag; /* CATCH, CATCH_REF */
    uint32_t label;
};

/* Types are given by their id, whatever the field is called. Immediates that are vectors stay as
 * bytes, decoded once to see that they are well-formed, and are walked with a reader. */
struct insn {
    enum op op;
    enum op_imm imm;
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

/* The rarer immediates, and prefixed operators: the slow half of insn_read. */
void insn_read_rest(struct reader *r, const struct module *module, struct insn *insn);
void memarg_read_long(struct reader *r, struct memarg *mem);

/* Flags and offset; bit 6 of the flags announces a memory index (§5.4.6). */
INLINE void memarg_read(struct reader *r, struct memarg *mem)
{
    if (likely(reader_left(r) >= 2 && r->at[0] < 0x40 && r->at[1] < 0x80)) {
        *mem = (struct memarg){.align = r->at[0], .offset = r->at[1]};
        r->at += 2;
        return;
    }
    memarg_read_long(r, mem);
}

/* Reads the next instruction. A failure sticks to the reader (malformed, or a type index that does
 * not exist); `insn` then means nothing. Indices other than those of types are not checked here. */
INLINE void insn_read(struct reader *r, const struct module *module, struct insn *insn)
{
    insn->at = r->at;
    struct op_start start = op_starts[reader_u8(r)];
    insn->op = start.op;
    insn->imm = start.imm;
    switch (start.imm) {
    case IMM_NONE: return;
    case IMM_LOCAL:
    case IMM_GLOBAL:
    case IMM_LABEL:
    case IMM_FUNC: insn->x = reader_u32(r); return;
    case IMM_I32: insn->i32 = reader_s32(r); return;
    case IMM_MEMARG: memarg_read(r, &insn->mem); return;
    case IMM_BLOCK:
        if (likely(reader_peek(r) == 0x40)) {
            r->at++;
            insn->block = (struct blocktype){0};
            return;
        }
        insn_read_rest(r, module, insn);
        return;
    default: insn_read_rest(r, module, insn); return;
    }
}

/* A value type, reference type, heap type at the reader's place (§5.3). Types that they name must
 * exist in the module. */
valtype valtype_read(struct reader *r, const struct module *module);
valtype reftype_read(struct reader *r, const struct module *module);
heaptype heaptype_read(struct reader *r, const struct module *module);

/* A type index, as the type's id. */
uint32_t typeid_read(struct reader *r, const struct module *module);

/* Takes the next catch clause of a try_table. */
struct catch_clause catch_read(struct reader *r);

#endif
