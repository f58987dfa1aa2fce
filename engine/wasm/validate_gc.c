/* Rules of structures and arrays (core spec §3.4.5, §3.4.6). See validate_state.h. */
#include "engine/wasm/validate_state.h"

/* Packed fields are i32 on the stack, and that is what `type` says of them. */
static bool is_numeric(const struct fieldtype *field)
{
    return !vt_is_ref(field->type);
}

static bool push_new(struct validator *v, uint32_t type)
{
    v_push(v, vt_ref(type, false));
    return true;
}

/* Indices, lengths and offsets. */
static bool pop_i32s(struct validator *v, const struct insn *insn, unsigned count)
{
    while (count-- > 0)
        if (!v_pop(v, insn, VT_I32))
            return false;
    return true;
}

/* --- Structures ---------------------------------------------------------------------------------
 */

static const struct structtype *structure(struct validator *v, const struct insn *insn, uint32_t id)
{
    const struct deftype *type = types_get(v->module->types, id);
    if (type->kind == TYPE_STRUCT)
        return &type->structure;
    v_invalid(v, insn, "type mismatch: not a structure type");
    return NULL;
}

static bool struct_new(struct validator *v, const struct insn *insn)
{
    const struct structtype *type = structure(v, insn, insn->x);
    if (!type)
        return false;
    for (uint32_t i = type->nfields; i-- > 0;) {
        if (v->top == v->base && v->control->unreachable)
            break; /* all that is left is made up */
        if (!v_pop(v, insn, type->fields[i].type))
            return false;
    }
    return push_new(v, insn->x);
}

static bool struct_new_default(struct validator *v, const struct insn *insn)
{
    const struct structtype *type = structure(v, insn, insn->x);
    if (!type)
        return false;
    if (!type->defaultable)
        return v_invalid(v, insn, "type mismatch: a field has no default value");
    return push_new(v, insn->x);
}

/* Loads with a sign are there for packed fields and for no others. */
static bool check_packing(struct validator *v, const struct insn *insn,
                          const struct fieldtype *field, bool is_signed)
{
    if ((field->packed != 0) == is_signed)
        return true;
    return v_invalid(v, insn, "type mismatch: the field is %s",
                     field->packed ? "packed" : "not packed");
}

static bool check_mutable(struct validator *v, const struct insn *insn,
                          const struct fieldtype *field)
{
    return field->mutable || v_invalid(v, insn, "immutable field or array");
}

static bool struct_access(struct validator *v, const struct insn *insn)
{
    const struct structtype *type = structure(v, insn, insn->pair.x);
    if (!type)
        return false;
    if (insn->pair.y >= type->nfields)
        return v_invalid(v, insn, "unknown field %u, there are %u", insn->pair.y, type->nfields);
    const struct fieldtype *field = &type->fields[insn->pair.y];
    valtype object = vt_ref(insn->pair.x, true);
    if (insn->op == OP_STRUCT_SET)
        return check_mutable(v, insn, field) && v_pop(v, insn, field->type) &&
               v_pop(v, insn, object);
    if (!check_packing(v, insn, field, insn->op != OP_STRUCT_GET) || !v_pop(v, insn, object))
        return false;
    v_push(v, field->type);
    return true;
}

/* --- Arrays -------------------------------------------------------------------------------------
 */

static const struct fieldtype *element(struct validator *v, const struct insn *insn, uint32_t id)
{
    const struct deftype *type = types_get(v->module->types, id);
    if (type->kind == TYPE_ARRAY)
        return &type->element;
    v_invalid(v, insn, "type mismatch: not an array type");
    return NULL;
}

static bool array_new(struct validator *v, const struct insn *insn)
{
    const struct fieldtype *field = element(v, insn, insn->x);
    if (!field || !v_pop(v, insn, VT_I32))
        return false;
    if (insn->op == OP_ARRAY_NEW) {
        if (!v_pop(v, insn, field->type))
            return false;
    } else if (!vt_defaultable(field->type)) {
        return v_invalid(v, insn, "type mismatch: the element has no default value");
    }
    return push_new(v, insn->x);
}

static bool array_new_fixed(struct validator *v, const struct insn *insn)
{
    const struct fieldtype *field = element(v, insn, insn->pair.x);
    if (!field || !v_limit(v, insn, COUNT_ARRAY_FIXED, insn->pair.y))
        return false;
    for (uint32_t i = 0; i < insn->pair.y; i++) {
        if (v->top == v->base && v->control->unreachable)
            break; /* all that is left is made up */
        if (!v_pop(v, insn, field->type))
            return false;
    }
    return push_new(v, insn->pair.x);
}

/* Is the segment's content what the array holds? Element segments must match, data must be numeric.
 */
static bool check_segment(struct validator *v, const struct insn *insn,
                          const struct fieldtype *field)
{
    if (insn->imm == IMM_TYPE_DATA)
        return is_numeric(field) ||
               v_invalid(v, insn, "type mismatch: array type is not numeric or vector");
    return types_matches(v->module->types, v->module->elems[insn->pair.y].type, field->type) ||
           v_invalid(v, insn, "type mismatch: element segment %u holds other references",
                     insn->pair.y);
}

static bool array_new_segment(struct validator *v, const struct insn *insn)
{
    const struct fieldtype *field = element(v, insn, insn->pair.x);
    return field && check_segment(v, insn, field) && pop_i32s(v, insn, 2) &&
           push_new(v, insn->pair.x);
}

static bool array_init_segment(struct validator *v, const struct insn *insn)
{
    const struct fieldtype *field = element(v, insn, insn->pair.x);
    return field && check_mutable(v, insn, field) && check_segment(v, insn, field) &&
           pop_i32s(v, insn, 3) && v_pop(v, insn, vt_ref(insn->pair.x, true));
}

static bool array_get(struct validator *v, const struct insn *insn)
{
    const struct fieldtype *field = element(v, insn, insn->x);
    if (!field || !check_packing(v, insn, field, insn->op != OP_ARRAY_GET) ||
        !v_pop(v, insn, VT_I32) || !v_pop(v, insn, vt_ref(insn->x, true)))
        return false;
    v_push(v, field->type);
    return true;
}

static bool array_set(struct validator *v, const struct insn *insn)
{
    const struct fieldtype *field = element(v, insn, insn->x);
    return field && check_mutable(v, insn, field) && v_pop(v, insn, field->type) &&
           v_pop(v, insn, VT_I32) && v_pop(v, insn, vt_ref(insn->x, true));
}

static bool array_fill(struct validator *v, const struct insn *insn)
{
    const struct fieldtype *field = element(v, insn, insn->x);
    return field && check_mutable(v, insn, field) && v_pop(v, insn, VT_I32) &&
           v_pop(v, insn, field->type) && v_pop(v, insn, VT_I32) &&
           v_pop(v, insn, vt_ref(insn->x, true));
}

static bool array_copy(struct validator *v, const struct insn *insn)
{
    const struct fieldtype *to = element(v, insn, insn->pair.x);
    const struct fieldtype *from = element(v, insn, insn->pair.y);
    if (!to || !from || !check_mutable(v, insn, to))
        return false;
    if (to->packed != from->packed || !types_matches(v->module->types, from->type, to->type))
        return v_invalid(v, insn, "type mismatch: array types do not match");
    return pop_i32s(v, insn, 2) && v_pop(v, insn, vt_ref(insn->pair.y, true)) &&
           v_pop(v, insn, VT_I32) && v_pop(v, insn, vt_ref(insn->pair.x, true));
}

bool v_gc(struct validator *v, const struct insn *insn)
{
    switch (insn->op) {
    case OP_STRUCT_NEW: return struct_new(v, insn);
    case OP_STRUCT_NEW_DEFAULT: return struct_new_default(v, insn);
    case OP_STRUCT_GET:
    case OP_STRUCT_GET_S:
    case OP_STRUCT_GET_U:
    case OP_STRUCT_SET: return struct_access(v, insn);
    case OP_ARRAY_NEW:
    case OP_ARRAY_NEW_DEFAULT: return array_new(v, insn);
    case OP_ARRAY_NEW_FIXED: return array_new_fixed(v, insn);
    case OP_ARRAY_NEW_DATA:
    case OP_ARRAY_NEW_ELEM: return array_new_segment(v, insn);
    case OP_ARRAY_INIT_DATA:
    case OP_ARRAY_INIT_ELEM: return array_init_segment(v, insn);
    case OP_ARRAY_GET:
    case OP_ARRAY_GET_S:
    case OP_ARRAY_GET_U: return array_get(v, insn);
    case OP_ARRAY_SET: return array_set(v, insn);
    case OP_ARRAY_FILL: return array_fill(v, insn);
    case OP_ARRAY_COPY: return array_copy(v, insn);
    default: return v_invalid(v, insn, "no rule for this operator");
    }
}
