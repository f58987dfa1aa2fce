/* Immediates of operators and the types in them; see insn.h. Core spec §5.3, §5.4.
 * Checks what the binary format demands and that named types exist; the rest is the validator's. */
#include "engine/wasm/insn.h"

#include "engine/wasm/limits.h"

/* --- Types --------------------------------------------------------------------------------------
 */

static uint32_t type_id(struct reader *r, const struct module *module, const uint8_t *at,
                        uint64_t index)
{
    if (index < module->ntypes && module->type_ids[index] != TYPE_NONE)
        return module->type_ids[index];
    if (reader_ok(r))
        reader_fail_at(r, at, ERR_INVALID, "unknown type %llu, there are %u",
                       (unsigned long long)index, module->ntypes);
    return 0;
}

uint32_t typeid_read(struct reader *r, const struct module *module)
{
    const uint8_t *at = r->at;
    return type_id(r, module, at, reader_u32(r));
}

/* One byte with bit 6 set and bit 7 clear is a negative number: an abstract type or a type
 * constructor, never an index. */
static bool is_negative_byte(uint8_t byte)
{
    return (byte & 0xc0) == 0x40;
}

static bool is_abstract_byte(uint8_t byte)
{
    return byte >= (HEAP_EXN & 0xff) && byte <= (HEAP_NOEXN & 0xff);
}

heaptype heaptype_read(struct reader *r, const struct module *module)
{
    const uint8_t *at = r->at;
    uint8_t byte = reader_peek(r);
    if (is_abstract_byte(byte)) {
        r->at++;
        return HEAP_ABSTRACT + byte;
    }
    int64_t index = is_negative_byte(byte) ? -1 : reader_s33(r);
    if (index < 0) {
        reader_fail_at(r, at, ERR_MALFORMED, "malformed heap type 0x%02x", byte);
        return HEAP_ANY;
    }
    return type_id(r, module, at, (uint64_t)index);
}

valtype reftype_read(struct reader *r, const struct module *module)
{
    uint8_t byte = reader_peek(r);
    if (is_abstract_byte(byte)) {
        r->at++;
        return vt_ref(HEAP_ABSTRACT + byte, true);
    }
    if (byte == 0x63 || byte == 0x64) {
        r->at++;
        return vt_ref(heaptype_read(r, module), byte == 0x63);
    }
    reader_fail(r, ERR_MALFORMED, "malformed reference type 0x%02x", byte);
    return VT_FUNCREF;
}

valtype valtype_read(struct reader *r, const struct module *module)
{
    uint8_t byte = reader_peek(r);
    if (byte >= VT_V128 && byte <= VT_I32) {
        r->at++;
        return byte;
    }
    return reftype_read(r, module);
}

static void blocktype_read(struct reader *r, const struct module *module, struct blocktype *block)
{
    const uint8_t *at = r->at;
    uint8_t byte = reader_peek(r);
    *block = (struct blocktype){0};
    if (byte == 0x40) {
        r->at++;
        return;
    }
    if (is_negative_byte(byte)) {
        block->nresults = 1;
        block->one = valtype_read(r, module);
        return;
    }
    int64_t index = reader_s33(r);
    if (index < 0) {
        reader_fail_at(r, at, ERR_MALFORMED, "malformed block type");
        return;
    }
    uint32_t id = type_id(r, module, at, (uint64_t)index);
    if (!reader_ok(r))
        return;
    const struct functype *type = types_func(module->types, id);
    if (!type) {
        reader_fail_at(r, at, ERR_INVALID, "block type %u is not a function type", (uint32_t)index);
        return;
    }
    *block = (struct blocktype){
        .nparams = type->nparams,
        .nresults = type->nresults,
        .params = type->params,
        .results = type->results,
    };
}

/* --- Memory -------------------------------------------------------------------------------------
 */

void memarg_read_long(struct reader *r, struct memarg *mem)
{
    const uint8_t *at = r->at;
    uint32_t flags = reader_u32(r);
    if (flags >= 0x80) {
        reader_fail_at(r, at, ERR_MALFORMED, "malformed memop flags 0x%x", flags);
        flags = 0;
    }
    mem->memory = flags & 0x40 ? reader_u32(r) : 0;
    mem->align = flags & 0x3f;
    mem->offset = reader_u64(r);
    mem->lane = 0;
}

/* --- Vectors ------------------------------------------------------------------------------------
 */

struct catch_clause catch_read(struct reader *r)
{
    const uint8_t *at = r->at;
    struct catch_clause clause = {0};
    uint8_t kind = reader_u8(r);
    if (kind > CATCH_ALL_REF) {
        reader_fail_at(r, at, ERR_MALFORMED, "malformed catch clause 0x%02x", kind);
        return clause;
    }
    clause.kind = kind;
    if (kind == CATCH || kind == CATCH_REF)
        clause.tag = reader_u32(r);
    clause.label = reader_u32(r);
    return clause;
}

static void try_table_read(struct reader *r, const struct module *module, struct insn *insn)
{
    blocktype_read(r, module, &insn->try_table.block);
    uint32_t count = limit_count(r, COUNT_CATCHES);
    const uint8_t *start = r->at;
    for (uint32_t i = 0; i < count; i++)
        catch_read(r);
    insn->try_table.count = count;
    insn->try_table.clauses = (struct bytes){start, (size_t)(r->at - start)};
}

static void br_table_read(struct reader *r, struct insn *insn)
{
    uint32_t count = limit_count(r, COUNT_LABELS);
    const uint8_t *start = r->at;
    for (uint32_t i = 0; i < count && reader_ok(r); i++)
        reader_u32(r);
    reader_u32(r);
    insn->br_table.count = count;
    insn->br_table.labels = (struct bytes){start, (size_t)(r->at - start)};
}

static void select_read(struct reader *r, const struct module *module, struct insn *insn)
{
    uint32_t count = limit_count(r, COUNT_RESULTS);
    for (uint32_t i = 0; i < count && reader_ok(r); i++)
        insn->select.type = valtype_read(r, module);
    insn->select.count = count;
}

static void cast_read(struct reader *r, const struct module *module, struct insn *insn)
{
    insn->cast.flags = reader_u8(r);
    if (insn->cast.flags > 3)
        reader_fail_at(r, insn->at, ERR_MALFORMED, "malformed %s flags 0x%02x", op_text(insn->op),
                       insn->cast.flags);
    insn->cast.label = reader_u32(r);
    insn->cast.from = heaptype_read(r, module);
    insn->cast.to = heaptype_read(r, module);
}

static void v128_read(struct reader *r, struct insn *insn)
{
    struct bytes b = reader_take(r, sizeof insn->v128, "128-bit constant");
    if (b.len)
        memcpy(insn->v128, b.at, sizeof insn->v128);
}

/* --- Instructions -------------------------------------------------------------------------------
 */

/* The second half of a prefixed opcode. */
static void prefixed_read(struct reader *r, struct insn *insn)
{
    uint8_t prefix = *insn->at;
    uint32_t number = reader_u32(r);
    insn->op = op_prefixed(prefix, number);
    insn->imm = op_rows[insn->op].imm;
    if (insn->op == OP_ILLEGAL)
        reader_fail_at(r, insn->at, ERR_MALFORMED, "illegal opcode %02x %02x", prefix, number);
}

static void immediates_read(struct reader *r, const struct module *module, struct insn *insn)
{
    switch (insn->imm) {
    case IMM_ILLEGAL:
    case IMM_PREFIX: /* not of the row of an operator */
        reader_fail_at(r, insn->at, ERR_MALFORMED, "illegal opcode %02x", *insn->at);
        return;
    case IMM_NONE: return;
    case IMM_I32: insn->i32 = reader_s32(r); return;
    case IMM_I64: insn->i64 = reader_s64(r); return;
    case IMM_F32: insn->f32 = reader_fixed32(r); return;
    case IMM_F64: insn->f64 = reader_fixed64(r); return;
    case IMM_V128:
    case IMM_SHUFFLE: v128_read(r, insn); return;
    case IMM_LANE: insn->lane = reader_u8(r); return;
    case IMM_BLOCK: blocktype_read(r, module, &insn->block); return;
    case IMM_TRY_TABLE: try_table_read(r, module, insn); return;
    case IMM_BR_TABLE: br_table_read(r, insn); return;
    case IMM_LABEL:
    case IMM_FUNC:
    case IMM_TAG:
    case IMM_LOCAL:
    case IMM_GLOBAL:
    case IMM_TABLE:
    case IMM_ELEM:
    case IMM_DATA:
    case IMM_MEMORY: insn->x = reader_u32(r); return;
    case IMM_TYPE: insn->x = typeid_read(r, module); return;
    case IMM_TABLE_PAIR:
    case IMM_TABLE_INIT:
    case IMM_MEMORY_PAIR:
    case IMM_MEMORY_INIT:
        insn->pair.x = reader_u32(r);
        insn->pair.y = reader_u32(r);
        return;
    case IMM_CALL_INDIRECT:
    case IMM_TYPE_FIELD:
    case IMM_TYPE_COUNT:
    case IMM_TYPE_DATA:
    case IMM_TYPE_ELEM:
        insn->pair.x = typeid_read(r, module);
        insn->pair.y = reader_u32(r);
        return;
    case IMM_TYPE_PAIR:
        insn->pair.x = typeid_read(r, module);
        insn->pair.y = typeid_read(r, module);
        return;
    case IMM_MEMARG:
    case IMM_MEMARG_ATOMIC: memarg_read(r, &insn->mem); return;
    case IMM_MEMARG_LANE:
        memarg_read(r, &insn->mem);
        insn->mem.lane = reader_u8(r);
        return;
    case IMM_SELECT: select_read(r, module, insn); return;
    case IMM_HEAP: insn->heap = heaptype_read(r, module); return;
    case IMM_CAST: cast_read(r, module, insn); return;
    case IMM_FENCE:
        if (reader_u8(r) != 0)
            reader_fail_at(r, insn->at, ERR_MALFORMED, "zero byte expected after %s",
                           op_text(insn->op));
        return;
    }
}

void insn_read_rest(struct reader *r, const struct module *module, struct insn *insn)
{
    if (insn->imm == IMM_PREFIX)
        prefixed_read(r, insn);
    if (reader_ok(r))
        immediates_read(r, module, insn);
}
