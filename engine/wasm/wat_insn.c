/* One instruction as in the text format (core spec §6.5), from the opcode table and insn.h. */
#include "engine/wasm/wat_code.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* A name after an index, as a comment. Semicolons are escaped, so that it cannot end early. */
void wat_comment_name(const struct wat *wat, struct str name)
{
    if (!name.len)
        return;
    out_text(wat->out, " (;");
    for (size_t at = 0; at < name.len;) {
        const char *semicolon = memchr(name.at + at, ';', name.len - at);
        size_t len = semicolon ? (size_t)(semicolon - name.at) - at : name.len - at;
        if (len || !at)
            out_quoted(wat->out, (struct bytes){(const uint8_t *)name.at + at, len});
        at += len;
        if (semicolon) {
            out_text(wat->out, "\\3b");
            at++;
        }
    }
    out_text(wat->out, ";)");
}

static void index_operand(const struct wat *wat, uint32_t index)
{
    out_format(wat->out, " %u", index);
}

static void type_operand(const struct wat *wat, uint32_t id)
{
    out_char(wat->out, ' ');
    wat_type_index(wat, id);
}

static void func_operand(const struct wat *wat, uint32_t func)
{
    index_operand(wat, func);
    wat_comment_name(wat, wat_func_name(wat, func));
}

/* --- Numbers ------------------------------------------------------------------------------------
 */

/* Digits enough to be read back as the same bits; NaNs by their payload. */
static void f32_operand(const struct wat *wat, uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    const char *sign = bits >> 31 ? "-" : "";
    if (isnan(value))
        out_format(wat->out, " %snan:0x%x", sign, bits & 0x7fffff);
    else if (isinf(value))
        out_format(wat->out, " %sinf", sign);
    else
        out_format(wat->out, " %.9g", (double)value);
}

static void f64_operand(const struct wat *wat, uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    const char *sign = bits >> 63 ? "-" : "";
    if (isnan(value))
        out_format(wat->out, " %snan:0x%" PRIx64, sign, bits & UINT64_C(0xfffffffffffff));
    else if (isinf(value))
        out_format(wat->out, " %sinf", sign);
    else
        out_format(wat->out, " %.17g", value);
}

static void v128_operand(const struct wat *wat, const uint8_t bytes[16])
{
    out_text(wat->out, " i32x4");
    for (unsigned i = 0; i < 4; i++) {
        uint32_t lane;
        memcpy(&lane, bytes + 4 * i, sizeof lane);
        out_format(wat->out, " 0x%08x", lane);
    }
}

static void shuffle_operand(const struct wat *wat, const uint8_t lanes[16])
{
    for (unsigned i = 0; i < 16; i++)
        index_operand(wat, lanes[i]);
}

/* --- Control ------------------------------------------------------------------------------------
 */

static void block_operand(const struct wat *wat, const struct blocktype *block)
{
    const struct functype type = {.nparams = block->nparams,
                                  .params = block->params,
                                  .nresults = block->nresults,
                                  .results = block_results(block)};
    wat_signature(wat, &type);
}

static void clause(const struct wat *wat, struct catch_clause clause)
{
    static const char *const words[] = {[CATCH] = "catch",
                                        [CATCH_REF] = "catch_ref",
                                        [CATCH_ALL] = "catch_all",
                                        [CATCH_ALL_REF] = "catch_all_ref"};
    out_format(wat->out, " (%s", words[clause.kind]);
    if (clause.kind == CATCH || clause.kind == CATCH_REF)
        index_operand(wat, clause.tag);
    out_format(wat->out, " %u)", clause.label);
}

static void try_table_operand(const struct wat *wat, const struct insn *insn)
{
    struct err ignored = {0};
    struct reader r = reader_of(insn->try_table.clauses, wat->module->file, &ignored);
    block_operand(wat, &insn->try_table.block);
    for (uint32_t i = 0; i < insn->try_table.count; i++)
        clause(wat, catch_read(&r));
}

static void labels_operand(const struct wat *wat, const struct insn *insn)
{
    struct err ignored = {0};
    struct reader r = reader_of(insn->br_table.labels, wat->module->file, &ignored);
    for (uint64_t i = 0; i <= insn->br_table.count; i++)
        index_operand(wat, reader_u32(&r));
}

static void cast_type(const struct wat *wat, bool nullable, heaptype heap)
{
    out_char(wat->out, ' ');
    wat_valtype(wat, vt_ref(heap, nullable));
}

/* --- Memory -------------------------------------------------------------------------------------
 */

static void memarg_operand(const struct wat *wat, const struct insn *insn)
{
    const struct memarg *mem = &insn->mem;
    if (mem->memory)
        index_operand(wat, mem->memory);
    if (mem->offset)
        out_format(wat->out, " offset=%" PRIu64, mem->offset);
    if (mem->align != op_rows[insn->op].size)
        out_format(wat->out, " align=%" PRIu64, UINT64_C(1) << mem->align);
    if (insn->imm == IMM_MEMARG_LANE)
        index_operand(wat, mem->lane);
}

/* Index 0 of a memory or table goes without saying. */
static void default_operand(const struct wat *wat, uint32_t index)
{
    if (index)
        index_operand(wat, index);
}

static void pair_operand(const struct wat *wat, uint32_t x, uint32_t y)
{
    if (x || y)
        out_format(wat->out, " %u %u", x, y);
}

static void call_indirect_operand(const struct wat *wat, const struct insn *insn)
{
    default_operand(wat, insn->pair.y);
    out_text(wat->out, " (type ");
    wat_type_index(wat, insn->pair.x);
    out_char(wat->out, ')');
}

static void select_operand(const struct wat *wat, const struct insn *insn)
{
    out_text(wat->out, " (result ");
    wat_valtype(wat, insn->select.type);
    out_char(wat->out, ')');
}

static void heap_operand(const struct wat *wat, const struct insn *insn)
{
    if (insn->op == OP_REF_NULL) {
        out_char(wat->out, ' ');
        wat_heaptype(wat, insn->heap);
    } else {
        cast_type(wat, insn->op == OP_REF_TEST_NULL || insn->op == OP_REF_CAST_NULL, insn->heap);
    }
}

static void cast_operand(const struct wat *wat, const struct insn *insn)
{
    index_operand(wat, insn->cast.label);
    cast_type(wat, insn->cast.flags & 1, insn->cast.from);
    cast_type(wat, insn->cast.flags & 2, insn->cast.to);
}

/* --- All ----------------------------------------------------------------------------------------
 */

static void operands(const struct wat *wat, const struct insn *insn)
{
    switch (insn->imm) {
    case IMM_ILLEGAL:
    case IMM_PREFIX:
    case IMM_NONE:
    case IMM_FENCE: break;
    case IMM_I32: out_format(wat->out, " %" PRId32, insn->i32); break;
    case IMM_I64: out_format(wat->out, " %" PRId64, insn->i64); break;
    case IMM_F32: f32_operand(wat, insn->f32); break;
    case IMM_F64: f64_operand(wat, insn->f64); break;
    case IMM_V128: v128_operand(wat, insn->v128); break;
    case IMM_SHUFFLE: shuffle_operand(wat, insn->v128); break;
    case IMM_LANE: index_operand(wat, insn->lane); break;
    case IMM_BLOCK: block_operand(wat, &insn->block); break;
    case IMM_TRY_TABLE: try_table_operand(wat, insn); break;
    case IMM_BR_TABLE: labels_operand(wat, insn); break;
    case IMM_FUNC: func_operand(wat, insn->x); break;
    case IMM_LABEL:
    case IMM_TAG:
    case IMM_LOCAL:
    case IMM_GLOBAL:
    case IMM_ELEM:
    case IMM_DATA: index_operand(wat, insn->x); break;
    case IMM_TABLE:
    case IMM_MEMORY: default_operand(wat, insn->x); break;
    case IMM_CALL_INDIRECT: call_indirect_operand(wat, insn); break;
    case IMM_TYPE: type_operand(wat, insn->x); break;
    case IMM_TABLE_PAIR:
    case IMM_MEMORY_PAIR: pair_operand(wat, insn->pair.x, insn->pair.y); break;
    case IMM_TABLE_INIT:
    case IMM_MEMORY_INIT: /* the text has them the other way round */
        default_operand(wat, insn->pair.y);
        index_operand(wat, insn->pair.x);
        break;
    case IMM_MEMARG:
    case IMM_MEMARG_ATOMIC:
    case IMM_MEMARG_LANE: memarg_operand(wat, insn); break;
    case IMM_SELECT: select_operand(wat, insn); break;
    case IMM_HEAP: heap_operand(wat, insn); break;
    case IMM_TYPE_FIELD:
    case IMM_TYPE_COUNT:
    case IMM_TYPE_DATA:
    case IMM_TYPE_ELEM:
        type_operand(wat, insn->pair.x);
        index_operand(wat, insn->pair.y);
        break;
    case IMM_TYPE_PAIR:
        type_operand(wat, insn->pair.x);
        type_operand(wat, insn->pair.y);
        break;
    case IMM_CAST: cast_operand(wat, insn); break;
    }
}

/* The name in the text format, without the "null" that belongs to the type. */
static struct str name_of(enum op op)
{
    struct str name = str_of(op_text(op));
    const char *space = memchr(name.at, ' ', name.len);
    if (space)
        name.len = (size_t)(space - name.at);
    return name;
}

void wat_insn(const struct wat *wat, const struct insn *insn)
{
    out_str(wat->out, name_of(insn->op));
    operands(wat, insn);
}

void wat_expression(const struct wat *wat, struct constexpr expression)
{
    struct err ignored = {0};
    struct insn insn;
    struct reader r =
        reader_of((struct bytes){expression.at, expression.len}, wat->module->file, &ignored);
    for (;;) {
        insn_read(&r, wat->module, &insn);
        if (!reader_ok(&r) || insn.op == OP_END)
            return;
        out_char(wat->out, ' ');
        wat_insn(wat, &insn);
    }
}
