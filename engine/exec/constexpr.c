/* Constant expressions (core spec §3.4.10): the few operators that may compute the first value of a
 * global, an offset, an element. They were validated, so only room can be lacking. */
#include "engine/exec/object.h"
#include "engine/wasm/insn.h"

/* Bytes of an expression that is evaluated without asking the heap; toolchains emit fewer. */
#define SMALL 16

/* An operand takes at least two bytes, an opcode and what follows it; and two that are no
 * expression's lie below, so that a and b are always somewhere. */
#define BELOW            2
#define OPERANDS_OF(len) (BELOW + (len) / 2)

/* A v128 takes two slots, everything else the first. */
struct operand {
    union slot value[2];
};

/* Makes an array of the topmost `count` operands. */
static struct array *array_of(struct vm *vm, uint32_t type, const struct operand *values,
                              uint32_t count)
{
    uint32_t size = field_size(&types_get(vm->types, type)->element);
    struct array *array = gc_new_array(vm, type, count);
    for (uint32_t i = 0; array && i < count; i++)
        memcpy(array->at + (uint64_t)i * size, values[i].value, size);
    return array;
}

static struct object *struct_of(struct vm *vm, uint32_t type, const struct operand *values)
{
    const struct structtype *structure = &types_get(vm->types, type)->structure;
    struct object *object = gc_new_struct(vm, type);
    for (uint32_t i = 0; object && i < structure->nfields; i++) {
        const struct fieldtype *field = &structure->fields[i];
        memcpy((uint8_t *)(object + 1) + field->offset, values[i].value, field_size(field));
    }
    return object;
}

/* Evaluates what makes an object of the topmost operands; gives how many those are, and leaves the
 * object NULL if there is no room. The collector does not run here. */
static size_t make_object(struct vm *vm, const struct insn *insn, const struct operand *end,
                          const void **ret_object)
{
    size_t pops = 0;
    struct array *array = NULL;
    switch (insn->op) {
    case OP_STRUCT_NEW:
        pops = types_get(vm->types, insn->x)->structure.nfields;
        *ret_object = struct_of(vm, insn->x, end - pops);
        return pops;
    case OP_STRUCT_NEW_DEFAULT: *ret_object = struct_new_default(vm, insn->x); return 0;
    case OP_ARRAY_NEW:
        if (!array_new(vm, insn->x, end[-2].value, end[-1].value->u32, &array))
            *ret_object = array;
        return 2;
    case OP_ARRAY_NEW_DEFAULT:
        if (!array_new(vm, insn->x, NULL, end[-1].value->u32, &array))
            *ret_object = array;
        return 1;
    default:
        pops = insn->pair.y;
        *ret_object = array_of(vm, insn->pair.x, end - pops, insn->pair.y);
        return pops;
    }
}

static bool evaluate(struct instance *instance, struct reader *r, struct operand *stack)
{
    size_t top = BELOW; /* operands on the stack */
    for (;;) {
        struct insn insn;
        insn_read(r, instance->module, &insn);
        struct operand result = {0};
        union slot *value = result.value;
        const union slot *b = stack[top - 1].value;
        const union slot *a = stack[top - 2].value;
        size_t pops = 0;
        switch (insn.op) {
        case OP_I32_CONST: value->u64 = (uint32_t)insn.i32; break;
        case OP_I64_CONST: value->u64 = (uint64_t)insn.i64; break;
        case OP_F32_CONST: value->u64 = insn.f32; break;
        case OP_F64_CONST: value->u64 = insn.f64; break;
        case OP_V128_CONST: memcpy(value, insn.v128, sizeof insn.v128); break;
        case OP_REF_NULL: break;
        case OP_REF_FUNC: value->ref = instance->funcs[insn.x]; break;
        case OP_GLOBAL_GET:
            memcpy(value, instance->globals[insn.x]->value, sizeof result.value);
            break;
        case OP_I32_ADD: value->u64 = (uint32_t)(a->u32 + b->u32), pops = 2; break;
        case OP_I32_SUB: value->u64 = (uint32_t)(a->u32 - b->u32), pops = 2; break;
        case OP_I32_MUL: value->u64 = (uint32_t)(a->u32 * b->u32), pops = 2; break;
        case OP_I64_ADD: value->u64 = a->u64 + b->u64, pops = 2; break;
        case OP_I64_SUB: value->u64 = a->u64 - b->u64, pops = 2; break;
        case OP_I64_MUL: value->u64 = a->u64 * b->u64, pops = 2; break;
        case OP_REF_I31: value->u64 = ref_of_i31(b->u32), pops = 1; break;
        case OP_ANY_CONVERT_EXTERN:
        case OP_EXTERN_CONVERT_ANY: continue;
        case OP_STRUCT_NEW:
        case OP_STRUCT_NEW_DEFAULT:
        case OP_ARRAY_NEW:
        case OP_ARRAY_NEW_DEFAULT:
        case OP_ARRAY_NEW_FIXED: {
            const void *object = NULL;
            pops = make_object(instance->vm, &insn, stack + top, &object);
            if (!object)
                return false;
            value->u64 = object_ref(object);
            break;
        }
        default: return true; /* end */
        }
        top -= pops;
        stack[top++] = result;
    }
}

bool constexpr_eval(struct instance *instance, struct constexpr expression, union slot ret[2])
{
    struct err err = {0};
    struct reader r =
        reader_of((struct bytes){expression.at, expression.len}, instance->module->file, &err);
    struct operand small[OPERANDS_OF(SMALL)] = {0};
    struct operand *stack = small;
    struct heap *heap = &instance->vm->heap;
    if (expression.len > SMALL) {
        stack = heap_zeroed(heap, OPERANDS_OF(expression.len), sizeof *stack);
        if (!stack)
            return false;
    }
    bool done = evaluate(instance, &r, stack);
    memcpy(ret, stack[BELOW].value, sizeof stack[BELOW].value);
    if (stack != small)
        heap_give(heap, stack);
    return done;
}

uint32_t constexpr_length(const struct module *module, struct constexpr expressions)
{
    struct err err = {0};
    struct reader r =
        reader_of((struct bytes){expressions.at, expressions.len}, module->file, &err);
    struct insn insn;
    do
        insn_read(&r, module, &insn);
    while (insn.op != OP_END && reader_ok(&r));
    return (uint32_t)(r.at - expressions.at);
}
