/* The stacks of validation and their growth; see validate_state.h. Core spec, appendix §7.3. */
#include "engine/wasm/validate_state.h"

#include <stdarg.h>
#include <stdio.h>

bool v_invalid(struct validator *v, const struct insn *insn, const char *format, ...)
{
    char text[sizeof v->r.err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    reader_fail_at(&v->r, insn->at, ERR_INVALID, "%s: %s", op_text(insn->op), text);
    return false;
}

/* --- Growth -------------------------------------------------------------------------------------
 */

bool v_grow(struct validator *v, struct growing *array, size_t count, size_t each)
{
    if (count <= array->capacity)
        return true;
    size_t capacity = array->capacity * 2 > count ? array->capacity * 2 : count;
    void *larger = region_take(v->scratch, capacity, each, _Alignof(max_align_t));
    if (!larger) {
        reader_fail(&v->r, ERR_MEMORY, "no memory left to validate this function");
        return false;
    }
    if (array->capacity)
        memcpy(larger, array->at, array->capacity * each);
    array->at = larger;
    array->capacity = capacity;
    return true;
}

bool v_grow_stack(struct validator *v, uint32_t count)
{
    size_t height = (size_t)(v->top - v->stack);
    size_t base = (size_t)(v->base - v->stack);
    struct growing array = {v->stack, (size_t)(v->limit - v->stack) + STACK_SPARE};
    if (!v_grow(v, &array, height + count + STACK_SPARE, sizeof *v->stack))
        return false;
    v->stack = array.at;
    v->top = v->stack + height;
    v->base = v->stack + base;
    v->limit = v->stack + array.capacity - STACK_SPARE;
    return true;
}

/* --- Operands -----------------------------------------------------------------------------------
 */

static bool mismatch(struct validator *v, const struct insn *insn, valtype want, valtype have)
{
    char wanted[40];
    char had[40];
    valtype_show(want, wanted, sizeof wanted);
    valtype_show(have, had, sizeof had);
    return v_invalid(v, insn, "type mismatch: needs %s, but %s is on the stack", wanted, had);
}

bool v_pop_other(struct validator *v, const struct insn *insn, valtype want)
{
    if (v->top == v->base) {
        if (v->control->unreachable)
            return true;
        char wanted[40];
        valtype_show(want, wanted, sizeof wanted);
        return v_invalid(v, insn, "type mismatch: needs %s, but nothing is on the stack", wanted);
    }
    valtype have = *--v->top;
    return types_matches(v->module->types, have, want) || mismatch(v, insn, want, have);
}

bool v_pop_any(struct validator *v, const struct insn *insn, valtype *ret_type)
{
    *ret_type = VT_BOT;
    if (v->top == v->base)
        return v->control->unreachable ||
               v_invalid(v, insn, "type mismatch: needs an operand, but nothing is on the stack");
    *ret_type = *--v->top;
    return true;
}

bool v_pop_ref(struct validator *v, const struct insn *insn, valtype *ret_type)
{
    if (!v_pop_any(v, insn, ret_type))
        return false;
    if (*ret_type == VT_BOT)
        *ret_type = vt_ref(HEAP_BOT, false);
    if (vt_is_ref(*ret_type))
        return true;
    char had[40];
    valtype_show(*ret_type, had, sizeof had);
    return v_invalid(v, insn, "type mismatch: needs a reference, but %s is on the stack", had);
}

bool v_pop_all(struct validator *v, const struct insn *insn, const valtype *types, uint32_t count)
{
    while (count-- > 0) {
        if (v->top == v->base && v->control->unreachable)
            return true; /* all that is left is made up */
        if (!v_pop(v, insn, types[count]))
            return false;
    }
    return true;
}

bool v_push_all(struct validator *v, const valtype *types, uint32_t count)
{
    if (!v_reserve(v, count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        v_push(v, types[i]);
    return true;
}

bool v_check_all(struct validator *v, const struct insn *insn, const valtype *types, uint32_t count)
{
    const valtype *top = v->top;
    while (count-- > 0) {
        if (top == v->base) {
            if (v->control->unreachable)
                return true;
            return v_invalid(v, insn, "type mismatch: %u more operands needed", count + 1);
        }
        if (!types_matches(v->module->types, *--top, types[count]))
            return mismatch(v, insn, types[count], *top);
    }
    return true;
}

bool v_match_all(const struct validator *v, const valtype *subs, uint32_t nsubs,
                 const valtype *supers, uint32_t nsupers)
{
    if (nsubs != nsupers)
        return false;
    for (uint32_t i = 0; i < nsubs; i++)
        if (!types_matches(v->module->types, subs[i], supers[i]))
            return false;
    return true;
}

void v_unreachable(struct validator *v)
{
    v->top = v->base;
    v->control->unreachable = true;
}
