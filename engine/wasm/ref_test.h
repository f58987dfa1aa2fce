/* What a cast asks of a reference that is not null (core spec §4.4.3, ref.test), reduced to what an
 * execution can see. Validation has made sure that both are of the same hierarchy. */
#ifndef CARREL_WASM_REF_TEST_H
#define CARREL_WASM_REF_TEST_H

#include "engine/wasm/types.h"

enum ref_test_kind {
    REF_TEST_NONE, /* nothing passes */
    REF_TEST_ALL,
    REF_TEST_I31,
    REF_TEST_EQ, /* i31, structures, arrays: not what came from outside */
    REF_TEST_STRUCT,
    REF_TEST_ARRAY,
    REF_TEST_TYPE,      /* structures or arrays of type `id` or below it */
    REF_TEST_FUNC_TYPE, /* functions likewise */
};

struct ref_test {
    enum ref_test_kind kind;
    uint32_t id; /* of the type, if the kind has one */
};

static inline struct ref_test ref_test_of(const struct types *types, heaptype heap)
{
    switch (heap) {
    case HEAP_ANY:
    case HEAP_FUNC:
    case HEAP_EXTERN:
    case HEAP_EXN: return (struct ref_test){REF_TEST_ALL, 0};
    case HEAP_EQ: return (struct ref_test){REF_TEST_EQ, 0};
    case HEAP_I31: return (struct ref_test){REF_TEST_I31, 0};
    case HEAP_STRUCT: return (struct ref_test){REF_TEST_STRUCT, 0};
    case HEAP_ARRAY: return (struct ref_test){REF_TEST_ARRAY, 0};
    default: break;
    }
    if (heap_is_abstract(heap))
        return (struct ref_test){REF_TEST_NONE, 0};
    bool func = types_get(types, heap)->kind == TYPE_FUNC;
    return (struct ref_test){func ? REF_TEST_FUNC_TYPE : REF_TEST_TYPE, heap};
}

#endif
