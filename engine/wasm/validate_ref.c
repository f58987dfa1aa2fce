/* Rules of references: null, functions, casts, branches on them (core spec §3.4.4, §3.4.2). See
 * validate_state.h. */
#include "engine/wasm/validate_state.h"

static bool is_null(struct validator *v, const struct insn *insn)
{
    valtype type = VT_BOT;
    if (!v_pop_ref(v, insn, &type))
        return false;
    v_push(v, VT_I32);
    return true;
}

static bool as_non_null(struct validator *v, const struct insn *insn)
{
    valtype type = VT_BOT;
    if (!v_pop_ref(v, insn, &type))
        return false;
    v_push(v, vt_ref(vt_heap(type), false));
    return true;
}

/* Inside a function only those may be taken that the module mentions elsewhere (§3.5.13). */
static bool ref_func(struct validator *v, const struct insn *insn)
{
    uint32_t func = insn->x;
    if (v->constant)
        v->declared[func / 8] |= (uint8_t)(1u << func % 8);
    else if (!(v->module->declared[func / 8] >> func % 8 & 1))
        return v_invalid(v, insn, "undeclared function reference %u", func);
    v_push(v, vt_ref(v->module->funcs[func].type, false));
    return true;
}

static bool br_on_null(struct validator *v, const struct insn *insn)
{
    valtype type = VT_BOT;
    const valtype *types;
    uint32_t count;
    if (!v_pop_ref(v, insn, &type) || !v_label(v, insn, insn->x, &types, &count) ||
        !v_pop_all(v, insn, types, count) || !v_push_all(v, types, count))
        return false;
    v_push(v, vt_ref(vt_heap(type), false));
    return true;
}

/* The types of a label whose last one takes the reference, without that one. */
static bool ref_label(struct validator *v, const struct insn *insn, uint32_t label,
                      const valtype **ret_types, uint32_t *ret_count, valtype *ret_last)
{
    if (!v_label(v, insn, label, ret_types, ret_count))
        return false;
    if (*ret_count == 0 || !vt_is_ref((*ret_types)[*ret_count - 1]))
        return v_invalid(v, insn, "type mismatch: label %u takes no reference", label);
    *ret_last = (*ret_types)[--*ret_count];
    return true;
}

static bool br_on_non_null(struct validator *v, const struct insn *insn)
{
    const valtype *types;
    uint32_t count;
    valtype last = VT_BOT;
    return ref_label(v, insn, insn->x, &types, &count, &last) &&
           v_pop(v, insn, vt_ref(vt_heap(last), true)) && v_pop_all(v, insn, types, count) &&
           v_push_all(v, types, count);
}

static bool cast(struct validator *v, const struct insn *insn)
{
    heaptype top = types_heap_top(v->module->types, insn->heap);
    if (!v_pop(v, insn, vt_ref(top, true)))
        return false;
    if (insn->op == OP_REF_TEST || insn->op == OP_REF_TEST_NULL)
        v_push(v, VT_I32);
    else
        v_push(v, vt_ref(insn->heap, insn->op == OP_REF_CAST_NULL));
    return true;
}

static bool br_on_cast(struct validator *v, const struct insn *insn)
{
    const struct types *all = v->module->types;
    valtype from = vt_ref(insn->cast.from, insn->cast.flags & 1);
    valtype to = vt_ref(insn->cast.to, insn->cast.flags & 2);
    /* What a failed cast leaves: null too, unless the target takes it. */
    valtype rest = vt_ref(insn->cast.from, (insn->cast.flags & 3) == 1);
    bool on_fail = insn->op == OP_BR_ON_CAST_FAIL;
    valtype taken = on_fail ? rest : to;
    const valtype *types;
    uint32_t count;
    valtype last = VT_BOT;
    if (!types_matches(all, to, from))
        return v_invalid(v, insn, "type mismatch: the target is not a subtype of the source");
    if (!ref_label(v, insn, insn->cast.label, &types, &count, &last))
        return false;
    if (!types_matches(all, taken, last))
        return v_invalid(v, insn, "type mismatch: label %u takes another reference",
                         insn->cast.label);
    if (!v_pop(v, insn, from) || !v_pop_all(v, insn, types, count) || !v_push_all(v, types, count))
        return false;
    v_push(v, on_fail ? to : rest);
    return true;
}

/* extern.convert_any, any.convert_extern: what may be null stays so. */
static bool convert(struct validator *v, const struct insn *insn, heaptype from, heaptype to)
{
    valtype type = VT_BOT;
    if (!v_pop_ref(v, insn, &type))
        return false;
    if (!types_heap_matches(v->module->types, vt_heap(type), from))
        return v_invalid(v, insn, "type mismatch: a reference of the other hierarchy");
    v_push(v, vt_ref(to, vt_is_nullable(type)));
    return true;
}

bool v_ref(struct validator *v, const struct insn *insn)
{
    switch (insn->op) {
    case OP_REF_NULL: v_push(v, vt_ref(insn->heap, true)); return true;
    case OP_REF_IS_NULL: return is_null(v, insn);
    case OP_REF_FUNC: return ref_func(v, insn);
    case OP_REF_AS_NON_NULL: return as_non_null(v, insn);
    case OP_BR_ON_NULL: return br_on_null(v, insn);
    case OP_BR_ON_NON_NULL: return br_on_non_null(v, insn);
    case OP_REF_TEST:
    case OP_REF_TEST_NULL:
    case OP_REF_CAST:
    case OP_REF_CAST_NULL: return cast(v, insn);
    case OP_BR_ON_CAST:
    case OP_BR_ON_CAST_FAIL: return br_on_cast(v, insn);
    case OP_ANY_CONVERT_EXTERN: return convert(v, insn, HEAP_EXTERN, HEAP_ANY);
    case OP_EXTERN_CONVERT_ANY: return convert(v, insn, HEAP_ANY, HEAP_EXTERN);
    default: return v_gc(v, insn);
    }
}
