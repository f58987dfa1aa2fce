/* The commonest instructions in their commonest forms, validated with the state in registers.
 *
 * Nothing here is a rule of its own: an instruction that is not plainly right (other types on the
 * stack, a long index, the end of the code near by) is left alone, and the loop in validate.c
 * treats it in full. Leaving this file out changes the time that validation takes and nothing else;
 * a test does so. */
#include "engine/wasm/notes.h"
#include "engine/wasm/validate_state.h"

/* Opcodes by name, to switch on the byte itself; and their places in a table by byte, where
 * prefixed ones lie where no one-byte operator of their families does. */
enum opcode {
#define OP(code, name, text, feature, imm, pops, pushes) CODE_##name = code,
#include "engine/wasm/op.def"
};

#define PLACE(name) (CODE_##name & 0xff)

/* Numeric rows as numbers: what must be on top, what comes in its place. Of loads and stores an
 * operand type of 0 stands for the address. */
struct shape {
    uint32_t last;       /* type of the top operand */
    uint32_t first;      /* of the one below, */
    uint32_t first_mask; /* if there is one: all bits, else none */
    uint8_t result;      /* type pushed, if any */
    uint8_t npops;
    uint8_t npushes;
    uint8_t size; /* log2 of the access */
};

#define TYPE_i32 VT_I32
#define TYPE_i64 VT_I64
#define TYPE_f32 VT_F32
#define TYPE_f64 VT_F64

#define ONE(name, from, to) [PLACE(name)] = {TYPE_##from, 0, 0, TYPE_##to, 1, 1, 0},
#define TWO(name, from, to)                                                                        \
    [PLACE(name)] = {TYPE_##from, TYPE_##from, UINT32_MAX, TYPE_##to, 2, 1, 0},

static const struct shape shapes[] = {
#define UN(code, name, text, feature, from, to, value)                  ONE(name, from, to)
#define TRUNC(code, name, text, feature, from, to, above, below, value) ONE(name, from, to)
#define BIN(code, name, text, feature, type, value, order)              TWO(name, type, type)
#define DIV(code, name, text, feature, type, overflows, value)          TWO(name, type, type)
#define CMP(code, name, text, feature, type, value, swapped, negated)   TWO(name, type, i32)
#include "engine/wasm/op_num.def"
#undef UN
#undef TRUNC
#undef BIN
#undef DIV
#undef CMP
#define LOAD(code, name, text, feature, type, memory_type, size)                                   \
    [PLACE(name)] = {0, 0, 0, TYPE_##type, 1, 1, size},
#define STORE(code, name, text, feature, type, memory_type, size)                                  \
    [PLACE(name)] = {TYPE_##type, 0, UINT32_MAX, 0, 2, 0, size},
#include "engine/wasm/op_mem.def"
#undef LOAD
#undef STORE
};

/* Bytes that must be there beyond an opcode, so that no form below reads over the end. */
#define MARGIN 12

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "short_leb reads bytes as a word");

/* The bytes of the LEB128 number at `at` if there are four at most, whatever its sign; else 0. */
INLINE uint32_t short_leb(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    uint32_t last = ~word & UINT32_C(0x80808080);
    return last ? (uint32_t)__builtin_ctz(last) / 8 + 1 : 0;
}

/* That number, unsigned. */
INLINE uint32_t short_u32(const uint8_t *at, uint32_t length)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    word &= UINT32_C(0x7f7f7f7f) >> (32 - 8 * (length ? length : 4));
    return (word & 0x7f) | (word >> 1 & 0x3f80) | (word >> 2 & 0x1fc000) | (word >> 3 & 0xfe00000);
}

/* The part of the validator's state that is in registers meanwhile. */
struct hot {
    const uint8_t *at;
    valtype *top;
    valtype *base;
    struct control *control;
    uint32_t nlocals; /* whose types are near; none if they are tracked */
    valtype address;  /* of memory 0 */
};

INLINE bool fast_local(const struct validator *v, struct hot *h, uint8_t code)
{
    uint8_t x = h->at[1];
    if (x >= h->nlocals) /* which is 128 at most, so this is the whole index */
        return false;
    valtype type = v->near[x];
    if (code == CODE_LOCAL_GET) {
        *h->top++ = type;
    } else {
        if (h->top == h->base || h->top[-1] != type)
            return false;
        h->top -= code == CODE_LOCAL_SET;
    }
    h->at += 2;
    return true;
}

/* A constant that an indirect call takes is noted with it, and so left alone. */
INLINE bool fast_const(struct hot *h, valtype type)
{
    uint32_t length = short_leb(h->at + 1);
    uint8_t next = h->at[1 + length];
    if (type == VT_I32 && (next == CODE_CALL_INDIRECT || next == CODE_RETURN_CALL_INDIRECT))
        return false;
    *h->top = type;
    h->top += length != 0;
    h->at += length ? 1 + length : 0;
    return length;
}

INLINE bool fast_numeric(struct hot *h, uint8_t code)
{
    const struct shape *shape = &shapes[code];
    if (h->top - h->base < shape->npops ||
        ((h->top[-1] ^ shape->last) | ((h->top[-2] ^ shape->first) & shape->first_mask)))
        return false;
    h->top -= shape->npops;
    *h->top++ = shape->result;
    h->at++;
    return true;
}

INLINE bool fast_access(struct hot *h, uint8_t code)
{
    const struct shape *shape = &shapes[code];
    uint32_t length = short_leb(h->at + 2);
    valtype last = shape->last ? shape->last : h->address;
    if (!length || h->at[1] > shape->size || h->address == VT_BOT ||
        h->top - h->base < shape->npops ||
        ((h->top[-1] ^ last) | ((h->top[-2] ^ h->address) & shape->first_mask)))
        return false;
    h->top -= shape->npops;
    *h->top = shape->result;
    h->top += shape->npushes;
    h->at += 2 + length;
    return true;
}

/* Without parameters and results. */
INLINE bool fast_block(const struct validator *v, struct hot *h, enum control_kind kind)
{
    if (h->at[1] != 0x40 || h->control + 1 == v->controls_limit)
        return false;
    if (kind == CONTROL_IF) {
        if (h->top == h->base || h->top[-1] != VT_I32)
            return false;
        h->top--;
    }
    h->control++;
    h->control->kind = kind;
    h->control->unreachable = false;
    h->control->height = (uint32_t)(h->top - v->stack);
    h->control->inits = v->ninits;
    h->control->type.nparams = 0;
    h->control->type.nresults = 0;
    h->base = h->top;
    h->at += 2;
    return true;
}

/* Of a block without parameters and results, and not of the body. */
INLINE bool fast_end(const struct validator *v, struct hot *h)
{
    const struct control *control = h->control;
    if (h->top != h->base || (control->type.nresults | control->type.nparams) || v->tracks ||
        control - 1 == v->controls)
        return false;
    h->control--;
    h->base = v->stack + h->control->height;
    h->at++;
    return true;
}

/* To a label that takes nothing along. */
INLINE bool fast_branch(const struct validator *v, struct hot *h, uint8_t code)
{
    uint8_t label = h->at[1];
    if (label >= 0x80 || label >= h->control - v->controls)
        return false;
    const struct control *target = h->control - label;
    if (target->kind == CONTROL_LOOP ? target->type.nparams : target->type.nresults)
        return false;
    if (code == CODE_BR) {
        h->top = h->base;
        h->control->unreachable = true;
    } else {
        if (h->top == h->base || h->top[-1] != VT_I32)
            return false;
        h->top--;
    }
    h->at += 2;
    return true;
}

/* Of a function whose parameters lie there just so, and with one result at most. */
INLINE bool fast_call(struct validator *v, struct hot *h)
{
    uint32_t length = short_leb(h->at + 1);
    uint32_t func = short_u32(h->at + 1, length);
    if (!length || func >= v->module->nfuncs)
        return false;
    const struct functype *type = types_func(v->module->types, v->module->funcs[func].type);
    uint32_t nparams = type->nparams;
    if (type->nresults > 1 || h->top - h->base < (ptrdiff_t)nparams)
        return false;
    for (uint32_t i = 0; i < nparams; i++)
        if (h->top[(ptrdiff_t)i - (ptrdiff_t)nparams] != type->params[i])
            return false;
    h->top -= nparams;
    if (type->nresults)
        *h->top++ = type->results[0];
    h->at += 1 + length;
    if (v->noting.at)
        *v->noting.at++ = NOTE_OF(NOTE_CALL) | func;
    return true;
}

INLINE bool fast_instruction(struct validator *v, struct hot *h)
{
    uint8_t code = *h->at;
    switch ((uint32_t)code) {
    case CODE_LOCAL_GET: return fast_local(v, h, CODE_LOCAL_GET);
    case CODE_LOCAL_SET: return fast_local(v, h, CODE_LOCAL_SET);
    case CODE_LOCAL_TEE: return fast_local(v, h, CODE_LOCAL_TEE);
    case CODE_I32_CONST: return fast_const(h, VT_I32);
    case CODE_I64_CONST: return fast_const(h, VT_I64);
#define UN(code, name, text, feature, from, to, value)                  case CODE_##name:
#define TRUNC(code, name, text, feature, from, to, above, below, value) case CODE_##name:
#define BIN(code, name, text, feature, type, value, order)              case CODE_##name:
#define DIV(code, name, text, feature, type, overflows, value)          case CODE_##name:
#define CMP(code, name, text, feature, type, value, swapped, negated)   case CODE_##name:
#include "engine/wasm/op_num.def"
#undef UN
#undef TRUNC
#undef BIN
#undef DIV
#undef CMP
        return fast_numeric(h, code);
#define LOAD(code, name, text, feature, type, memory_type, size)  case CODE_##name:
#define STORE(code, name, text, feature, type, memory_type, size) case CODE_##name:
#include "engine/wasm/op_mem.def"
#undef LOAD
#undef STORE
        return fast_access(h, code);
    case CODE_BLOCK: return fast_block(v, h, CONTROL_BLOCK);
    case CODE_LOOP: return fast_block(v, h, CONTROL_LOOP);
    case CODE_IF: return fast_block(v, h, CONTROL_IF);
    case CODE_END: return fast_end(v, h);
    case CODE_CALL: return fast_call(v, h);
    case CODE_BR_IF: return fast_branch(v, h, CODE_BR_IF);
    case CODE_BR: return fast_branch(v, h, CODE_BR);
    default: return false;
    }
}

void v_fast(struct validator *v)
{
    const uint8_t *const end = v->r.end;
    struct hot h = {
        .at = v->r.at,
        .top = v->top,
        .base = v->base,
        .control = v->control,
        .nlocals = v->tracks                  ? 0
                   : v->nlocals < LOCALS_NEAR ? v->nlocals
                                              : LOCALS_NEAR,
        .address = v->address,
    };
    while (end - h.at > MARGIN && h.top <= v->limit && fast_instruction(v, &h))
        ;
    v->r.at = h.at;
    v->top = h.top;
    v->base = h.base;
    v->control = h.control;
}
