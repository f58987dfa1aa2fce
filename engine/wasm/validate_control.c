/* Rules of control: blocks, branches, calls, exceptions (core spec §3.4.1 to §3.4.3; the legacy
 * exceptions of the same name's appendix). See validate_state.h. */
#include "engine/wasm/validate_state.h"

/* --- Blocks -------------------------------------------------------------------------------------
 */

/* Opens a block whose parameters have been popped. */
bool v_enter(struct validator *v, enum control_kind kind, const struct blocktype *type)
{
    size_t depth = (size_t)(v->control - v->controls) + 1;
    if (unlikely(v->control + 1 == v->controls_limit)) {
        struct growing array = {v->controls, depth};
        if (!v_grow(v, &array, depth + 1, sizeof *v->controls))
            return false;
        v->controls = array.at;
        v->controls_limit = v->controls + array.capacity;
        v->control = v->controls + depth - 1;
    }
    v->control++;
    v->control->kind = kind;
    v->control->unreachable = false;
    v->control->height = (uint32_t)(v->top - v->stack);
    v->control->inits = v->ninits;
    v->control->type = *type;
    v->base = v->top;
    return type->nparams == 0 || v_push_all(v, type->params, type->nparams);
}

/* Takes the results of the innermost block off the stack, which must hold nothing else. */
static bool take_results(struct validator *v, const struct insn *insn)
{
    const struct blocktype *type = &v->control->type;
    if (type->nresults && !v_pop_all(v, insn, block_results(type), type->nresults))
        return false;
    if (v->top != v->base)
        return v_invalid(v, insn,
                         "type mismatch: %zu more values on the stack than the block's "
                         "results",
                         (size_t)(v->top - v->base));
    return true;
}

/* Forgets which locals were set inside the block. */
static void forget_inits(struct validator *v)
{
    const uint32_t *inits = v->inits.at;
    while (v->ninits > v->control->inits) {
        uint32_t local = inits[--v->ninits];
        v->set[local / 8] &= (uint8_t)~(1u << local % 8);
    }
}

/* Closes the innermost block. */
static void leave(struct validator *v)
{
    forget_inits(v);
    v->control--;
    v->base = v->stack + v->control->height;
}

bool v_block(struct validator *v, const struct insn *insn)
{
    enum control_kind kind = CONTROL_BLOCK;
    if (insn->op == OP_IF) {
        kind = CONTROL_IF;
        if (!v_pop(v, insn, VT_I32))
            return false;
    } else if (insn->op == OP_LOOP) {
        kind = CONTROL_LOOP;
    } else if (insn->op == OP_TRY) {
        kind = CONTROL_TRY;
    }
    const struct blocktype *type = &insn->block;
    if (type->nparams && !v_pop_all(v, insn, type->params, type->nparams))
        return false;
    return v_enter(v, kind, type);
}

bool v_else(struct validator *v, const struct insn *insn)
{
    if (v->control->kind != CONTROL_IF) {
        reader_fail_at(&v->r, insn->at, ERR_MALFORMED, "misplaced else");
        return false;
    }
    if (!take_results(v, insn))
        return false;
    struct blocktype type = v->control->type;
    leave(v);
    return v_enter(v, CONTROL_ELSE, &type);
}

bool v_end(struct validator *v, const struct insn *insn)
{
    const struct blocktype *type = &v->control->type;
    if (!take_results(v, insn))
        return false;
    /* Without an else the parameters pass through. */
    if (v->control->kind == CONTROL_IF &&
        !v_match_all(v, type->params, type->nparams, block_results(type), type->nresults))
        return v_invalid(v, insn, "type mismatch: if without else must give what it takes");
    struct blocktype closed = *type;
    leave(v);
    return v->control == v->controls || closed.nresults == 0 ||
           v_push_all(v, block_results(&closed), closed.nresults);
}

/* --- Branches -----------------------------------------------------------------------------------
 */

/* The types that a branch to a label takes along. */
bool v_label(struct validator *v, const struct insn *insn, uint32_t label,
             const valtype **ret_types, uint32_t *ret_count)
{
    *ret_types = NULL;
    *ret_count = 0;
    if (label >= (size_t)(v->control - v->controls))
        return v_invalid(v, insn, "unknown label %u", label);
    const struct control *target = v->control - label;
    if (target->kind == CONTROL_LOOP) {
        *ret_types = target->type.params;
        *ret_count = target->type.nparams;
    } else {
        *ret_types = block_results(&target->type);
        *ret_count = target->type.nresults;
    }
    return true;
}

bool v_br(struct validator *v, const struct insn *insn)
{
    const valtype *types;
    uint32_t count;
    if (!v_label(v, insn, insn->x, &types, &count) || !v_pop_all(v, insn, types, count))
        return false;
    v_unreachable(v);
    return true;
}

bool v_br_if(struct validator *v, const struct insn *insn)
{
    const valtype *types;
    uint32_t count;
    if (!v_pop(v, insn, VT_I32) || !v_label(v, insn, insn->x, &types, &count))
        return false;
    return count == 0 || (v_pop_all(v, insn, types, count) && v_push_all(v, types, count));
}

bool v_br_table(struct validator *v, const struct insn *insn)
{
    struct reader labels = reader_of(insn->br_table.labels, v->r.base, v->r.err);
    uint32_t arity = 0;
    if (!v_pop(v, insn, VT_I32))
        return false;
    for (uint32_t i = 0; i <= insn->br_table.count; i++) {
        const valtype *types;
        uint32_t count;
        if (!v_label(v, insn, reader_u32(&labels), &types, &count) ||
            !v_check_all(v, insn, types, count))
            return false;
        if (i > 0 && count != arity)
            return v_invalid(v, insn, "type mismatch: labels take %u and %u values", arity, count);
        arity = count;
    }
    v_unreachable(v);
    return true;
}

bool v_return(struct validator *v, const struct insn *insn)
{
    const struct blocktype *type = &v->controls[1].type;
    if (!v_pop_all(v, insn, block_results(type), type->nresults))
        return false;
    v_unreachable(v);
    return true;
}

/* --- Calls --------------------------------------------------------------------------------------
 */

static bool call_type(struct validator *v, const struct insn *insn, const struct functype *type)
{
    if (!v_pop_all(v, insn, type->params, type->nparams))
        return false;
    if (insn->op == OP_CALL || insn->op == OP_CALL_INDIRECT || insn->op == OP_CALL_REF)
        return v_push_all(v, type->results, type->nresults);
    const struct blocktype *caller = &v->controls[1].type;
    if (!v_match_all(v, type->results, type->nresults, block_results(caller), caller->nresults))
        return v_invalid(v, insn, "type mismatch: the function called has other results than this");
    v_unreachable(v);
    return true;
}

bool v_call(struct validator *v, const struct insn *insn)
{
    return call_type(v, insn, types_func(v->module->types, v->module->funcs[insn->x].type));
}

bool v_call_indirect(struct validator *v, const struct insn *insn)
{
    const struct tabletype *table = &v->module->tables[insn->pair.y].type;
    const struct functype *type = types_func(v->module->types, insn->pair.x);
    if (!type)
        return v_invalid(v, insn, "type mismatch: not a function type");
    if (!types_matches(v->module->types, table->element, VT_FUNCREF))
        return v_invalid(v, insn, "type mismatch: table %u does not hold functions", insn->pair.y);
    return v_pop(v, insn, v->letters['a']) && call_type(v, insn, type);
}

bool v_call_ref(struct validator *v, const struct insn *insn)
{
    const struct functype *type = types_func(v->module->types, insn->x);
    if (!type)
        return v_invalid(v, insn, "type mismatch: not a function type");
    return v_pop(v, insn, vt_ref(insn->x, true)) && call_type(v, insn, type);
}

/* --- Exceptions ---------------------------------------------------------------------------------
 */

/* The parameters of a tag. Its type is a function type: the decoder saw to it. */
static const struct functype *tag_type(const struct validator *v, uint32_t tag)
{
    return types_func(v->module->types, v->module->tags[tag]);
}

bool v_throw(struct validator *v, const struct insn *insn)
{
    const struct functype *type = tag_type(v, insn->x);
    if (!v_pop_all(v, insn, type->params, type->nparams))
        return false;
    v_unreachable(v);
    return true;
}

/* Does a clause hand its label what that takes? */
static bool catch_clause(struct validator *v, const struct insn *insn,
                         const struct catch_clause *clause)
{
    const valtype *types;
    uint32_t count;
    bool with_tag = clause->kind == CATCH || clause->kind == CATCH_REF;
    bool with_ref = clause->kind == CATCH_REF || clause->kind == CATCH_ALL_REF;
    if (with_tag && clause->tag >= v->module->ntags)
        return v_invalid(v, insn, "unknown tag %u", clause->tag);
    if (!v_label(v, insn, clause->label, &types, &count))
        return false;
    const struct functype *tag = with_tag ? tag_type(v, clause->tag) : NULL;
    uint32_t nparams = tag ? tag->nparams : 0;
    bool ok = count == nparams + with_ref;
    if (ok && tag)
        ok = v_match_all(v, tag->params, nparams, types, nparams);
    if (ok && with_ref)
        ok = types && types_matches(v->module->types, vt_ref(HEAP_EXN, false), types[nparams]);
    return ok || v_invalid(v, insn,
                           "type mismatch: label %u takes other values than the catch "
                           "clause gives",
                           clause->label);
}

bool v_try_table(struct validator *v, const struct insn *insn)
{
    struct reader clauses = reader_of(insn->try_table.clauses, v->r.base, v->r.err);
    const struct blocktype *type = &insn->try_table.block;
    /* The labels of clauses count from outside the block. */
    for (uint32_t i = 0; i < insn->try_table.count; i++) {
        struct catch_clause clause = catch_read(&clauses);
        if (!catch_clause(v, insn, &clause))
            return false;
    }
    return v_pop_all(v, insn, type->params, type->nparams) && v_enter(v, CONTROL_TRY_TABLE, type);
}

/* catch and catch_all of a legacy try. */
bool v_catch(struct validator *v, const struct insn *insn)
{
    enum control_kind kind = v->control->kind;
    if (kind != CONTROL_TRY && kind != CONTROL_CATCH) {
        reader_fail_at(&v->r, insn->at, ERR_MALFORMED, "misplaced %s", op_text(insn->op));
        return false;
    }
    if (!take_results(v, insn))
        return false;
    struct blocktype type = v->control->type;
    leave(v);
    type.nparams = 0; /* what the block was given is gone; the exception's values come instead */
    if (!v_enter(v, insn->op == OP_CATCH ? CONTROL_CATCH : CONTROL_CATCH_ALL, &type))
        return false;
    if (insn->op == OP_CATCH_ALL)
        return true;
    const struct functype *tag = tag_type(v, insn->x);
    return v_push_all(v, tag->params, tag->nparams);
}

bool v_delegate(struct validator *v, const struct insn *insn)
{
    if (v->control->kind != CONTROL_TRY) {
        reader_fail_at(&v->r, insn->at, ERR_MALFORMED, "misplaced delegate");
        return false;
    }
    /* The label counts from outside the try. */
    if (insn->x >= (size_t)(v->control - v->controls) - 1)
        return v_invalid(v, insn, "unknown label %u", insn->x);
    return v_end(v, insn);
}

bool v_rethrow(struct validator *v, const struct insn *insn)
{
    if (insn->x >= (size_t)(v->control - v->controls))
        return v_invalid(v, insn, "unknown label %u", insn->x);
    enum control_kind kind = (v->control - insn->x)->kind;
    if (kind != CONTROL_CATCH && kind != CONTROL_CATCH_ALL)
        return v_invalid(v, insn, "invalid rethrow label %u: not a catch block", insn->x);
    v_unreachable(v);
    return true;
}
