/* Validation of one body or constant expression: the loop over its instructions, the rows whose
 * typing is letters, indices and memory arguments, locals. See validate.h; rules of control,
 * references and aggregates are in the other validate_*.c. Core spec §3.3, §3.4, §3.5.
 *
 * May not allocate but from the scratch, and does not recur: blocks are on a stack of its own. */
#include "engine/wasm/validate.h"

#include "engine/wasm/validate_state.h"

/* --- Indices ------------------------------------------------------------------------------------
 */

static bool known(struct validator *v, const struct insn *insn, const char *what, uint32_t index,
                  uint32_t count)
{
    return likely(index < count) || v_invalid(v, insn, "unknown %s %u", what, index);
}

static valtype address_type(const struct limits *limits)
{
    return limits->is64 ? VT_I64 : VT_I32;
}

/* Sets the letters a and t (or b) from a table. */
static bool table_index(struct validator *v, const struct insn *insn, char letter, uint32_t index)
{
    if (!known(v, insn, "table", index, v->module->ntables))
        return false;
    const struct tabletype *type = &v->module->tables[index].type;
    v->letters[(unsigned char)letter] = address_type(&type->limits);
    if (letter == 'a')
        v->letters['t'] = type->element;
    return true;
}

static bool memory_index(struct validator *v, const struct insn *insn, char letter, uint32_t index)
{
    if (!known(v, insn, "memory", index, v->module->nmemories))
        return false;
    v->letters[(unsigned char)letter] = address_type(&v->module->memories[index].limits);
    return true;
}

/* The letter m: what counts in both memories or tables. */
static bool smaller_address(struct validator *v)
{
    bool both64 = v->letters['a'] == VT_I64 && v->letters['b'] == VT_I64;
    v->letters['m'] = both64 ? VT_I64 : VT_I32;
    return true;
}

/* Data segments come after the code, so their number is told ahead (§5.5.16). */
static bool data_index(struct validator *v, const struct insn *insn, uint32_t index)
{
    if (!v->module->has_data_count) {
        reader_fail_at(&v->r, insn->at, ERR_MALFORMED, "data count section required by %s",
                       op_text(insn->op));
        return false;
    }
    return known(v, insn, "data segment", index, v->module->ndatas);
}

static bool elem_index(struct validator *v, const struct insn *insn, uint32_t index)
{
    return known(v, insn, "elem segment", index, v->module->nelems);
}

/* Do the references of `sub` fit in where those of `super` are? */
static bool elements_match(struct validator *v, const struct insn *insn, valtype sub, valtype super)
{
    return types_matches(v->module->types, sub, super) ||
           v_invalid(v, insn, "type mismatch: the source holds other references");
}

INLINE bool memarg(struct validator *v, const struct insn *insn)
{
    const struct memarg *mem = &insn->mem;
    uint8_t size = op_rows[insn->op].size;
    if (!memory_index(v, insn, 'a', mem->memory))
        return false;
    if (unlikely(mem->align > size))
        return v_invalid(v, insn, "alignment must not be larger than natural");
    if (unlikely(mem->offset > UINT32_MAX) && v->letters['a'] == VT_I32)
        return v_invalid(v, insn, "offset out of range");
    return true;
}

static bool memarg_atomic(struct validator *v, const struct insn *insn)
{
    return memarg(v, insn) && (insn->mem.align == op_rows[insn->op].size ||
                               v_invalid(v, insn, "atomic alignment must be natural"));
}

static bool lane(struct validator *v, const struct insn *insn, uint8_t lane, uint32_t count)
{
    return lane < count || v_invalid(v, insn, "invalid lane index %u", lane);
}

static bool shuffle_lanes(struct validator *v, const struct insn *insn)
{
    for (size_t i = 0; i < sizeof insn->v128; i++)
        if (!lane(v, insn, insn->v128[i], 32))
            return false;
    return true;
}

/* Does what the immediates name exist? Sets the letters that depend on it. */
static bool immediates(struct validator *v, const struct insn *insn)
{
    const struct module *module = v->module;
    uint32_t lanes = 16u >> op_rows[insn->op].size;
    switch (insn->imm) {
    case IMM_MEMARG_ATOMIC: return memarg_atomic(v, insn);
    case IMM_MEMARG_LANE: return memarg(v, insn) && lane(v, insn, insn->mem.lane, lanes);
    case IMM_LANE: return lane(v, insn, insn->lane, lanes);
    case IMM_SHUFFLE: return shuffle_lanes(v, insn);
    case IMM_FUNC: return known(v, insn, "function", insn->x, module->nfuncs);
    case IMM_TAG: return known(v, insn, "tag", insn->x, module->ntags);
    case IMM_TABLE: return table_index(v, insn, 'a', insn->x);
    case IMM_CALL_INDIRECT: return table_index(v, insn, 'a', insn->pair.y);
    case IMM_TABLE_INIT:
        return elem_index(v, insn, insn->pair.x) && table_index(v, insn, 'a', insn->pair.y) &&
               elements_match(v, insn, module->elems[insn->pair.x].type, v->letters['t']);
    case IMM_TABLE_PAIR:
        return table_index(v, insn, 'a', insn->pair.x) && table_index(v, insn, 'b', insn->pair.y) &&
               smaller_address(v) &&
               elements_match(v, insn, module->tables[insn->pair.y].type.element, v->letters['t']);
    case IMM_MEMORY: return memory_index(v, insn, 'a', insn->x);
    case IMM_MEMORY_INIT:
        return data_index(v, insn, insn->pair.x) && memory_index(v, insn, 'a', insn->pair.y);
    case IMM_MEMORY_PAIR:
        return memory_index(v, insn, 'a', insn->pair.x) &&
               memory_index(v, insn, 'b', insn->pair.y) && smaller_address(v);
    case IMM_ELEM: return elem_index(v, insn, insn->x);
    case IMM_DATA: return data_index(v, insn, insn->x);
    case IMM_TYPE_DATA: return data_index(v, insn, insn->pair.y);
    case IMM_TYPE_ELEM: return elem_index(v, insn, insn->pair.y);
    default: return true; /* nothing to name, or the rule looks */
    }
}

/* --- Locals and globals -------------------------------------------------------------------------
 */

static valtype far_local(const struct validator *v, uint32_t local)
{
    const struct local_run *runs = v->runs.at;
    uint32_t low = 0;
    uint32_t high = v->nruns - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (local < runs[middle].end)
            high = middle;
        else
            low = middle + 1;
    }
    return runs[low].type;
}

static bool is_unset(const struct validator *v, uint32_t local, valtype type)
{
    return !vt_defaultable(type) && local >= v->nparams && !(v->set[local / 8] >> local % 8 & 1);
}

static bool set_local(struct validator *v, uint32_t local)
{
    if (!v_grow(v, &v->inits, v->ninits + 1, sizeof(uint32_t)))
        return false;
    ((uint32_t *)v->inits.at)[v->ninits++] = local;
    v->set[local / 8] |= (uint8_t)(1u << local % 8);
    return true;
}

INLINE bool local(struct validator *v, const struct insn *insn)
{
    uint32_t x = insn->x;
    if (!known(v, insn, "local", x, v->nlocals))
        return false;
    valtype type = likely(x < LOCALS_NEAR) ? v->near[x] : far_local(v, x);
    if (insn->op == OP_LOCAL_GET) {
        if (unlikely(v->tracks) && is_unset(v, x, type))
            return v_invalid(v, insn, "uninitialized local %u", x);
        v_push(v, type);
        return true;
    }
    if (!v_pop(v, insn, type))
        return false;
    if (unlikely(v->tracks) && is_unset(v, x, type) && !set_local(v, x))
        return false;
    if (insn->op == OP_LOCAL_TEE)
        v_push(v, type);
    return true;
}

static bool global(struct validator *v, const struct insn *insn)
{
    if (!known(v, insn, "global", insn->x, v->module->nglobals))
        return false;
    const struct globaltype *type = &v->module->globals[insn->x].type;
    if (insn->op == OP_GLOBAL_SET)
        return (type->mutable || v_invalid(v, insn, "immutable global %u", insn->x)) &&
               v_pop(v, insn, type->type);
    v_push(v, type->type);
    return true;
}

/* --- Instructions -------------------------------------------------------------------------------
 */

/* Without a type it is for numbers and vectors only, and tells it from the operands (§3.4.1). */
static bool select_untyped(struct validator *v, const struct insn *insn)
{
    valtype second = VT_BOT;
    valtype first = VT_BOT;
    if (!v_pop(v, insn, VT_I32) || !v_pop_any(v, insn, &second) || !v_pop_any(v, insn, &first))
        return false;
    if (vt_is_ref(first) || vt_is_ref(second))
        return v_invalid(v, insn, "type mismatch: references need the form with a type");
    if (first != second && first != VT_BOT && second != VT_BOT)
        return v_invalid(v, insn, "type mismatch: the operands differ");
    v_push(v, first == VT_BOT ? second : first);
    return true;
}

static bool select_typed(struct validator *v, const struct insn *insn)
{
    valtype type = insn->select.type;
    if (insn->select.count != 1)
        return v_invalid(v, insn, "invalid result arity %u", insn->select.count);
    if (!v_pop(v, insn, VT_I32) || !v_pop(v, insn, type) || !v_pop(v, insn, type))
        return false;
    v_push(v, type);
    return true;
}

/* Operators with a rule. */
static bool rule(struct validator *v, const struct insn *insn)
{
    valtype any;
    switch (insn->op) {
    case OP_UNREACHABLE: v_unreachable(v); return true;
    case OP_BLOCK:
    case OP_LOOP:
    case OP_IF:
    case OP_TRY: return v_block(v, insn);
    case OP_TRY_TABLE: return v_try_table(v, insn);
    case OP_ELSE: return v_else(v, insn);
    case OP_END: return v_end(v, insn);
    case OP_CATCH:
    case OP_CATCH_ALL: return v_catch(v, insn);
    case OP_DELEGATE: return v_delegate(v, insn);
    case OP_THROW: return v_throw(v, insn);
    case OP_RETHROW: return v_rethrow(v, insn);
    case OP_THROW_REF:
        if (!v_pop(v, insn, VT_EXNREF))
            return false;
        v_unreachable(v);
        return true;
    case OP_BR: return v_br(v, insn);
    case OP_BR_IF: return v_br_if(v, insn);
    case OP_BR_TABLE: return v_br_table(v, insn);
    case OP_RETURN: return v_return(v, insn);
    case OP_CALL:
    case OP_RETURN_CALL: return v_call(v, insn);
    case OP_CALL_INDIRECT:
    case OP_RETURN_CALL_INDIRECT: return v_call_indirect(v, insn);
    case OP_CALL_REF:
    case OP_RETURN_CALL_REF: return v_call_ref(v, insn);
    case OP_DROP: return v_pop_any(v, insn, &any);
    case OP_SELECT: return select_untyped(v, insn);
    case OP_SELECT_T: return select_typed(v, insn);
    case OP_GLOBAL_GET:
    case OP_GLOBAL_SET: return global(v, insn);
    default: return v_ref(v, insn);
    }
}

/* Operators whose row says it all. */
INLINE bool plain(struct validator *v, const struct insn *insn, const struct op_row *row)
{
    for (unsigned i = row->npops; i-- > 0;)
        if (!v_pop(v, insn, v->letters[(unsigned char)row->pops[i]]))
            return false;
    for (unsigned i = 0; i < row->npushes; i++)
        v_push(v, v->letters[(unsigned char)row->pushes[i]]);
    return true;
}

INLINE bool instruction(struct validator *v, const struct insn *insn)
{
    const struct op_row *row = &op_rows[insn->op];
    switch (insn->imm) {
    case IMM_LOCAL: return local(v, insn);
    case IMM_I32: v_push(v, VT_I32); return true;
    case IMM_MEMARG: return memarg(v, insn) && plain(v, insn, row);
    case IMM_NONE:
    case IMM_BLOCK:
    case IMM_LABEL: break;
    default:
        if (!immediates(v, insn))
            return false;
    }
    return row->pops[0] == '*' ? rule(v, insn) : plain(v, insn, row);
}

/* Which operators a constant expression may use (§3.4.14). */
static bool is_constant(const struct validator *v, const struct insn *insn)
{
    switch (insn->op) {
    case OP_I32_CONST:
    case OP_I64_CONST:
    case OP_F32_CONST:
    case OP_F64_CONST:
    case OP_V128_CONST:
    case OP_I32_ADD:
    case OP_I32_SUB:
    case OP_I32_MUL:
    case OP_I64_ADD:
    case OP_I64_SUB:
    case OP_I64_MUL:
    case OP_REF_NULL:
    case OP_REF_FUNC:
    case OP_REF_I31:
    case OP_STRUCT_NEW:
    case OP_STRUCT_NEW_DEFAULT:
    case OP_ARRAY_NEW:
    case OP_ARRAY_NEW_DEFAULT:
    case OP_ARRAY_NEW_FIXED:
    case OP_ANY_CONVERT_EXTERN:
    case OP_EXTERN_CONVERT_ANY:
    case OP_END: return true;
    case OP_GLOBAL_GET:
        return insn->x >= v->module->nglobals || !v->module->globals[insn->x].type.mutable;
    default: return false;
    }
}

/* Instructions up to the `end` that belongs to the block that is open now. */
static bool instructions(struct validator *v)
{
    struct insn insn = {0};
    do {
        if (!v->constant)
            v_fast(v);
        if (!v_reserve(v, 0))
            return false;
        insn_read(&v->r, v->module, &insn);
        if (unlikely(v->r.failed))
            return false;
        if (unlikely(v->constant) && !is_constant(v, &insn))
            return v_invalid(v, &insn, "constant expression required");
        if (!instruction(v, &insn))
            return false;
        if (v->noting.at)
            v_note(v, &insn);
    } while (v->control != v->controls);
    return true;
}

/* --- Bodies -------------------------------------------------------------------------------------
 */

/* Non-defaultable locals are tracked by a bit each, made when the first ones are met. */
static bool track_locals(struct validator *v)
{
    v->tracks = true;
    if (v->set)
        return true;
    v->set = region_take(v->scratch, LIMIT_LOCALS / 8 + 1, 1, 1);
    if (!v->set)
        reader_fail(&v->r, ERR_MEMORY, "no memory left to validate this function");
    return v->set;
}

static bool add_run(struct validator *v, uint32_t count, valtype type)
{
    if (!v_grow(v, &v->runs, v->nruns + 1, sizeof(struct local_run)))
        return false;
    uint32_t end = v->nlocals + count;
    ((struct local_run *)v->runs.at)[v->nruns++] = (struct local_run){end, type};
    for (uint32_t i = v->nlocals; i < end && i < LOCALS_NEAR; i++)
        v->near[i] = type;
    v->nlocals = end;
    return true;
}

/* Parameters and the declared locals (§5.5.13). */
static bool read_locals(struct validator *v, const struct functype *type)
{
    const uint8_t *start = v->r.at;
    v->nlocals = 0;
    v->nruns = 0;
    v->tracks = false;
    v->nparams = type->nparams;
    for (uint32_t i = 0; i < type->nparams; i++)
        if (!add_run(v, 1, type->params[i]))
            return false;
    uint32_t nruns = reader_count(&v->r, UINT32_MAX, "groups of locals");
    uint64_t total = type->nparams;
    for (uint32_t i = 0; i < nruns; i++) {
        uint32_t count = reader_u32(&v->r);
        valtype local_type = valtype_read(&v->r, v->module);
        total += count;
        if (!reader_ok(&v->r))
            return false;
        if (total > LIMIT_LOCALS)
            continue; /* how many more decides what is wrong with it */
        if (!add_run(v, count, local_type))
            return false;
        if (!vt_defaultable(local_type) && !track_locals(v))
            return false;
    }
    if (total > UINT32_MAX) {
        reader_fail_at(&v->r, start, ERR_MALFORMED, "too many locals");
        return false;
    }
    return reader_ok(&v->r) && limit_check(&v->r, start, COUNT_LOCALS, total);
}

struct validator *validator_new(const struct module *module, struct region *scratch)
{
    struct validator *v = region_new(scratch, struct validator);
    struct control *controls = region_array(scratch, struct control, 64);
    valtype *stack = region_array(scratch, valtype, 1024);
    if (!v || !controls || !stack)
        return NULL;
    v->module = module;
    v->scratch = scratch;
    v->controls = v->control = controls;
    v->controls_limit = controls + 64;
    v->stack = v->top = v->base = stack;
    v->limit = stack + 1024 - STACK_SPARE;
    v->letters['i'] = VT_I32;
    v->letters['I'] = VT_I64;
    v->letters['f'] = VT_F32;
    v->letters['F'] = VT_F64;
    v->letters['v'] = VT_V128;
    v->letters['e'] = vt_ref(HEAP_EQ, true);
    v->letters['n'] = vt_ref(HEAP_ARRAY, true);
    v->letters['s'] = vt_ref(HEAP_I31, true);
    v->letters['S'] = vt_ref(HEAP_I31, false);
    return v;
}

/* Runs the loop with a block of this type around it, and gives the reader back. */
static int check(struct validator *v, struct reader *r, const struct blocktype *type)
{
    v->control = v->controls;
    v->top = v->base = v->stack + STACK_FLOOR;
    v->ninits = 0;
    v->address = v->module->nmemories ? address_type(&v->module->memories[0].limits) : VT_BOT;
    bool ok = v_enter(v, CONTROL_BODY, type) && instructions(v);
    *r = v->r;
    return ok ? 0 : -1;
}

int validate_body(struct validator *v, uint32_t func, struct reader *code, uint32_t **note)
{
    const struct functype *type = types_func(v->module->types, v->module->funcs[func].type);
    struct blocktype block = {.nresults = type->nresults, .results = type->results};
    v->r = *code;
    v->constant = false;
    if (!read_locals(v, type)) {
        *code = v->r;
        return -1;
    }
    v->noting = (struct noting){.at = note ? *note : NULL};
    int failed = check(v, code, &block);
    if (note)
        *note = v->noting.at;
    v->noting.at = NULL;
    return failed;
}

int validate_constexpr(struct validator *v, struct reader *r, valtype type, uint8_t *declared,
                       struct constexpr *ret)
{
    struct blocktype block = {.nresults = 1, .one = type};
    const uint8_t *start = r->at;
    v->r = *r;
    v->constant = true;
    v->declared = declared;
    v->nlocals = 0;
    v->tracks = false;
    if (check(v, r, &block) != 0)
        return -1;
    *ret = (struct constexpr){start, (uint32_t)(r->at - start)};
    return 0;
}
