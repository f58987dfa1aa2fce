/* Structures, arrays, i31 and casts. What fills or copies is a function in object.c. */
#ifndef CARREL_EXEC_OPS_GC_H
#define CARREL_EXEC_OPS_GC_H

#include "engine/exec/interp.h"
#include "engine/exec/object.h"

/* An operation with a result, in its two forms: `acc` only, and a slot too. */
#define GC_RESULT(name, type, words, ...)                                                          \
    OPERATION(name)                                                                                \
    {                                                                                              \
        c_##type result;                                                                           \
        __VA_ARGS__;                                                                               \
        SET_ACC_##type(result);                                                                    \
        STEP(words);                                                                               \
    }                                                                                              \
    OPERATION(name##_D)                                                                            \
    {                                                                                              \
        c_##type result;                                                                           \
        __VA_ARGS__;                                                                               \
        SET_SLOT_##type(0, result);                                                                \
        SET_ACC_##type(result);                                                                    \
        STEP(words);                                                                               \
    }

/* --- Fields: an object's body lies behind its head -----------------------------------------------
 */

#define BODY(slot_)  ((uint8_t *)ref_object(fp[slot_].u64) + sizeof(struct object))
#define NULL_IF(ref) FAIL_IF((ref) == 0, NULL_REFERENCE)

INLINE void copy_out(void *to, const uint8_t *from, size_t size)
{
    memcpy(to, from, size);
}

/* [d s offset32] */
#define GET(name, stored, type)                                                                    \
    GC_RESULT(STRUCT_GET_##name, type, 2, NULL_IF(SLOT_i64(1)); stored value;                      \
              copy_out(&value, BODY(U16(1)) + U32(1), sizeof value); result = (c_##type)value)
#include "engine/wasm/field.def"

/* [s value offset32] */
#define SET(bits, stored)                                                                          \
    OPERATION(STRUCT_SET_##bits)                                                                   \
    {                                                                                              \
        NULL_IF(SLOT_i64(0));                                                                      \
        stored value = (stored)SLOT_i64(1);                                                        \
        memcpy(BODY(U16(0)) + U32(1), &value, sizeof value);                                       \
        STEP(2);                                                                                   \
    }
#include "engine/wasm/field.def"

OPERATION(STRUCT_SET_REF)
{
    NULL_IF(SLOT_i64(0));
    uint8_t *field = BODY(U16(0)) + U32(1);
    if (unlikely(in->vm->gc.marking)) {
        uint64_t old;
        memcpy(&old, field, sizeof old);
        gc_shade(&in->vm->gc, old);
    }
    memcpy(field, &fp[U16(1)], sizeof(union slot));
    STEP(2);
}

OPERATION(STRUCT_SET_128)
{
    NULL_IF(SLOT_i64(0));
    memcpy(BODY(U16(0)) + U32(1), &fp[U16(1)], 16);
    STEP(2);
}

OPERATION(STRUCT_GET_V128)
{
    NULL_IF(SLOT_i64(1));
    memcpy(&xacc, BODY(U16(1)) + U32(1), sizeof xacc);
    STEP(2);
}

OPERATION(STRUCT_GET_V128_D)
{
    NULL_IF(SLOT_i64(1));
    memcpy(&xacc, BODY(U16(1)) + U32(1), sizeof xacc);
    memcpy(&fp[U16(0)], &xacc, sizeof xacc);
    STEP(2);
}

/* --- Elements ------------------------------------------------------------------------------------
 */

#define ARRAY(slot_) ((struct array *)ref_object(fp[slot_].u64))

/* The element at an index that is in a slot, of `size` bytes; or a trap. */
#define ELEMENT(at, array_, index_, size)                                                          \
    NULL_IF(fp[array_].u64);                                                                       \
    FAIL_IF(fp[index_].u32 >= ARRAY(array_)->length, ARRAY_BOUNDS);                                \
    uint8_t *at = ARRAY(array_)->at + (uint64_t)fp[index_].u32 * (size)

/* [d s index -] */
#define GET(name, stored, type)                                                                    \
    GC_RESULT(ARRAY_GET_##name, type, 2, ELEMENT(at, U16(1), U16(2), sizeof(stored));              \
              stored value; copy_out(&value, at, sizeof value); result = (c_##type)value)
#include "engine/wasm/field.def"

/* [s index value -] */
#define SET(bits, stored)                                                                          \
    OPERATION(ARRAY_SET_##bits)                                                                    \
    {                                                                                              \
        ELEMENT(at, U16(0), U16(1), sizeof(stored));                                               \
        stored value = (stored)SLOT_i64(2);                                                        \
        memcpy(at, &value, sizeof value);                                                          \
        STEP(2);                                                                                   \
    }
#include "engine/wasm/field.def"

OPERATION(ARRAY_SET_REF)
{
    ELEMENT(at, U16(0), U16(1), sizeof(union slot));
    if (unlikely(in->vm->gc.marking)) {
        uint64_t old;
        memcpy(&old, at, sizeof old);
        gc_shade(&in->vm->gc, old);
    }
    memcpy(at, &fp[U16(2)], sizeof(union slot));
    STEP(2);
}

OPERATION(ARRAY_SET_128)
{
    ELEMENT(at, U16(0), U16(1), 16);
    memcpy(at, &fp[U16(2)], 16);
    STEP(2);
}

OPERATION(ARRAY_GET_V128)
{
    ELEMENT(at, U16(1), U16(2), 16);
    memcpy(&xacc, at, sizeof xacc);
    STEP(2);
}

OPERATION(ARRAY_GET_V128_D)
{
    ELEMENT(at, U16(1), U16(2), 16);
    memcpy(&xacc, at, sizeof xacc);
    memcpy(&fp[U16(0)], &xacc, sizeof xacc);
    STEP(2);
}

/* [d s] */
GC_RESULT(ARRAY_LEN, i32, 2, NULL_IF(SLOT_i64(1)); result = ARRAY(U16(1))->length)
GC_RESULT(REF_I31, i64, 2, result = ref_of_i31(SLOT_i32(1)))
GC_RESULT(I31_GET_S, i32, 2, NULL_IF(SLOT_i64(1)); result = i31_signed(SLOT_i64(1)))
GC_RESULT(I31_GET_U, i32, 2, NULL_IF(SLOT_i64(1)); result = i31_unsigned(SLOT_i64(1)))

/* --- New objects: operands from `base` on, the result goes there ---------------------------------
 */

#define RUN_SLOT(i) (fp[U32(0) + (i)])

/* Ends an allocation, whose object may be NULL. */
#define ALLOCATED(object_, words)                                                                  \
    do {                                                                                           \
        const void *made = (object_);                                                              \
        if (unlikely(!made))                                                                       \
            GC_WAIT();                                                                             \
        acc = object_ref(made);                                                                    \
        RUN_SLOT(0).u64 = acc;                                                                     \
        STEP(words);                                                                               \
    } while (0)

/* [base32 type32] */
OPERATION(STRUCT_NEW)
{
    GC_SAFEPOINT();
    ALLOCATED(struct_new(in->vm, U32(1), &RUN_SLOT(0)), 2);
}

OPERATION(STRUCT_NEW_DEFAULT)
{
    GC_SAFEPOINT();
    ALLOCATED(struct_new_default(in->vm, U32(1)), 2);
}

/* The same with work that may trap. */
#define ARRAY_MADE(words, call)                                                                    \
    do {                                                                                           \
        struct array *array = NULL;                                                                \
        enum trap_kind trap = call;                                                                \
        if (unlikely(trap))                                                                        \
            FAIL(trap);                                                                            \
        ALLOCATED(array, words);                                                                   \
    } while (0)

OPERATION(ARRAY_NEW)
{
    GC_SAFEPOINT();
    uint32_t slots = vt_slots(types_get(in->vm->types, U32(1))->element.type);
    ARRAY_MADE(2, array_new(in->vm, U32(1), &RUN_SLOT(0), RUN_SLOT(slots).u32, &array));
}

OPERATION(ARRAY_NEW_DEFAULT)
{
    GC_SAFEPOINT();
    ARRAY_MADE(2, array_new(in->vm, U32(1), NULL, RUN_SLOT(0).u32, &array));
}

/* [base32 type32][count] */
OPERATION(ARRAY_NEW_FIXED)
{
    GC_SAFEPOINT();
    ALLOCATED(array_new_fixed(in->vm, U32(1), &RUN_SLOT(0), (uint32_t)pc[2]), 3);
}

/* [base32 type32][segment] */
#define NEW_OF_SEGMENT(name, function)                                                             \
    OPERATION(name)                                                                                \
    {                                                                                              \
        GC_SAFEPOINT();                                                                            \
        ARRAY_MADE(                                                                                \
            3, function(in, U32(1), (uint32_t)pc[2], RUN_SLOT(0).u32, RUN_SLOT(1).u32, &array));   \
    }
NEW_OF_SEGMENT(ARRAY_NEW_DATA, array_new_data)
NEW_OF_SEGMENT(ARRAY_NEW_ELEM, array_new_elem)

/* --- Whole arrays --------------------------------------------------------------------------------
 */

/* NULL for null. */
INLINE struct array *array_or_null(uint64_t ref)
{
    return ref ? ref_object(ref) : NULL;
}

#define WHOLE(name, call)                                                                          \
    OPERATION(name)                                                                                \
    {                                                                                              \
        const union slot *a = &RUN_SLOT(0);                                                        \
        enum trap_kind trap = call;                                                                \
        if (unlikely(trap))                                                                        \
            FAIL(trap);                                                                            \
        STEP(2);                                                                                   \
    }
WHOLE(ARRAY_FILL, array_fill(in->vm, array_or_null(a->u64), a[1].u32, a + 2, a[2 + U32(1)].u32))
WHOLE(ARRAY_COPY, array_copy(in->vm, array_or_null(a->u64), a[1].u32, array_or_null(a[2].u64),
                             a[3].u32, a[4].u32))
WHOLE(ARRAY_INIT_DATA,
      array_init_data(in, array_or_null(a->u64), a[1].u32, U32(1), a[2].u32, a[3].u32))
WHOLE(ARRAY_INIT_ELEM,
      array_init_elem(in, array_or_null(a->u64), a[1].u32, U32(1), a[2].u32, a[3].u32))

/* --- Casts ---------------------------------------------------------------------------------------
 */

INLINE bool cast_passes(const struct instance *in, uint64_t ref, uint32_t kind, uint32_t id,
                        uint32_t null)
{
    if (!ref)
        return null;
    return ref_passes(in->vm->types, ref, (enum ref_test_kind)kind, id);
}

/* [d s kind null][id32] */
GC_RESULT(REF_TEST, i32, 3, result = cast_passes(in, SLOT_i64(1), U16(2), U32(2), U16(3)))

/* [s - kind null][id32] */
OPERATION(REF_CAST)
{
    FAIL_IF(!cast_passes(in, SLOT_i64(0), U16(2), U32(2), U16(3)), CAST);
    STEP(3);
}

/* [s kind off][id32 null32] */
OPERATION(BR_ON_CAST)
{
    if (cast_passes(in, SLOT_i64(0), U16(1), U32(2), U32(3)))
        BRANCH(U32(1));
    STEP(3);
}

OPERATION(BR_ON_CAST_FAIL)
{
    if (!cast_passes(in, SLOT_i64(0), U16(1), U32(2), U32(3)))
        BRANCH(U32(1));
    STEP(3);
}

#endif
