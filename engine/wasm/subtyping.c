/* Subtyping of heap types and references, and how value types are written; see types.h.
 * Core spec §3.3.3 to §3.3.5. */
#include "engine/wasm/types.h"

#include <stdio.h>

/* The abstract heap types by the low bits of their byte, 0x69 (exn) to 0x74 (noexn): a set of those
 * that each one is a subtype of. */
enum { FIRST = HEAP_ABSTRACT + 0x69 };

#define BIT(heap) (1u << ((heap) - FIRST))

static const uint16_t above[] = {
    [HEAP_EXN - FIRST] = BIT(HEAP_EXN),
    [HEAP_ARRAY - FIRST] = BIT(HEAP_ARRAY) | BIT(HEAP_EQ) | BIT(HEAP_ANY),
    [HEAP_STRUCT - FIRST] = BIT(HEAP_STRUCT) | BIT(HEAP_EQ) | BIT(HEAP_ANY),
    [HEAP_I31 - FIRST] = BIT(HEAP_I31) | BIT(HEAP_EQ) | BIT(HEAP_ANY),
    [HEAP_EQ - FIRST] = BIT(HEAP_EQ) | BIT(HEAP_ANY),
    [HEAP_ANY - FIRST] = BIT(HEAP_ANY),
    [HEAP_EXTERN - FIRST] = BIT(HEAP_EXTERN),
    [HEAP_FUNC - FIRST] = BIT(HEAP_FUNC),
    [HEAP_NONE - FIRST] = BIT(HEAP_NONE) | BIT(HEAP_ARRAY) | BIT(HEAP_STRUCT) | BIT(HEAP_I31) |
                          BIT(HEAP_EQ) | BIT(HEAP_ANY),
    [HEAP_NOEXTERN - FIRST] = BIT(HEAP_NOEXTERN) | BIT(HEAP_EXTERN),
    [HEAP_NOFUNC - FIRST] = BIT(HEAP_NOFUNC) | BIT(HEAP_FUNC),
    [HEAP_NOEXN - FIRST] = BIT(HEAP_NOEXN) | BIT(HEAP_EXN),
};

/* The abstract types right above and below all defined types of a kind. */
static const struct {
    heaptype above;
    heaptype below;
} around[] = {
    [TYPE_FUNC] = {HEAP_FUNC, HEAP_NOFUNC},
    [TYPE_STRUCT] = {HEAP_STRUCT, HEAP_NONE},
    [TYPE_ARRAY] = {HEAP_ARRAY, HEAP_NONE},
};

static bool abstract_matches(heaptype sub, heaptype super)
{
    return sub == HEAP_BOT || (super != HEAP_BOT && (above[sub - FIRST] & BIT(super)));
}

bool types_id_matches(const struct types *types, uint32_t sub, uint32_t super)
{
    if (sub == super)
        return true;
    const struct deftype *type = types_get(types, sub);
    uint8_t depth = types_get(types, super)->depth;
    return type->depth > depth && type->supers[depth] == super;
}

bool types_heap_matches(const struct types *types, heaptype sub, heaptype super)
{
    if (sub == super)
        return true;
    if (heap_is_abstract(sub)) {
        if (heap_is_abstract(super))
            return abstract_matches(sub, super);
        return sub == HEAP_BOT || sub == around[types_get(types, super)->kind].below;
    }
    if (heap_is_abstract(super))
        return abstract_matches(around[types_get(types, sub)->kind].above, super);
    return types_id_matches(types, sub, super);
}

bool types_ref_matches(const struct types *types, valtype sub, valtype super)
{
    if (vt_is_nullable(sub) && !vt_is_nullable(super))
        return false;
    return types_heap_matches(types, vt_heap(sub), vt_heap(super));
}

heaptype types_heap_top(const struct types *types, heaptype heap)
{
    if (!heap_is_abstract(heap))
        heap = around[types_get(types, heap)->kind].above;
    static const heaptype tops[] = {HEAP_ANY, HEAP_FUNC, HEAP_EXTERN, HEAP_EXN};
    for (size_t i = 0; i < countof(tops); i++)
        if (abstract_matches(heap, tops[i]))
            return tops[i];
    return heap;
}

/* --- As text ------------------------------------------------------------------------------------
 */

static const char *heap_word(heaptype heap)
{
    switch (heap) {
    case HEAP_NOEXN: return "noexn";
    case HEAP_NOFUNC: return "nofunc";
    case HEAP_NOEXTERN: return "noextern";
    case HEAP_NONE: return "none";
    case HEAP_FUNC: return "func";
    case HEAP_EXTERN: return "extern";
    case HEAP_ANY: return "any";
    case HEAP_EQ: return "eq";
    case HEAP_I31: return "i31";
    case HEAP_STRUCT: return "struct";
    case HEAP_ARRAY: return "array";
    case HEAP_EXN: return "exn";
    default: return "unknown";
    }
}

static int show(valtype type, char *text, size_t size)
{
    switch (vt_kind(type)) {
    case VT_I32: return snprintf(text, size, "i32");
    case VT_I64: return snprintf(text, size, "i64");
    case VT_F32: return snprintf(text, size, "f32");
    case VT_F64: return snprintf(text, size, "f64");
    case VT_V128: return snprintf(text, size, "v128");
    case VT_REF: break;
    default: return snprintf(text, size, "any type");
    }
    const char *null = vt_is_nullable(type) ? "null " : "";
    heaptype heap = vt_heap(type);
    if (heap_is_abstract(heap))
        return snprintf(text, size, "(ref %s%s)", null, heap_word(heap));
    return snprintf(text, size, "(ref %stype#%u)", null, heap);
}

size_t valtype_show(valtype type, char *text, size_t size)
{
    if (size == 0)
        return 0;
    int length = show(type, text, size);
    return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
}
