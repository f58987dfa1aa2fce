/* Objects of WebAssembly GC as operators use them: making them, casts, whole arrays (core spec
 * §4.4.4, §4.4.5). What needs room answers NULL without it (gc.h), and has then changed nothing. */
#ifndef CARREL_EXEC_OBJECT_H
#define CARREL_EXEC_OBJECT_H

#include "engine/exec/state.h"
#include "engine/wasm/ref_test.h"

/* Does the reference, which is not null, pass the test? */
static inline bool ref_passes(const struct types *types, uint64_t ref, enum ref_test_kind kind,
                              uint32_t id)
{
    uint32_t type;
    switch (kind) {
    case REF_TEST_NONE: return false;
    case REF_TEST_ALL: return true;
    case REF_TEST_I31: return ref_is_i31(ref);
    case REF_TEST_EQ: return ref & REF_TAGS;
    case REF_TEST_FUNC_TYPE:
        type = ((const struct func *)(uintptr_t)ref)->type;
        return type == id || types_id_matches(types, type, id);
    default: break;
    }
    if (!ref_is_object(ref))
        return false;
    type = object_type(ref_object(ref));
    if (kind == REF_TEST_TYPE)
        return type == id || types_id_matches(types, type, id);
    return types_get(types, type)->kind == (kind == REF_TEST_STRUCT ? TYPE_STRUCT : TYPE_ARRAY);
}

/* Structures; the fields in slots, as a frame has them. */
struct object *struct_new(struct vm *vm, uint32_t type, const union slot *values);
struct object *struct_new_default(struct vm *vm, uint32_t type);

/* An array of values in slots, which are few. */
struct array *array_new_fixed(struct vm *vm, uint32_t type, const union slot *values,
                              uint32_t length);

/* The rest may be much work, so it costs fuel and can be interrupted: it answers TRAP_NONE or why
 * it traps. What makes an array sets *ret_array, to NULL if there is no room (and that is no trap).
 */

/* Of copies of one value; NULL: the default one. */
enum trap_kind array_new(struct vm *vm, uint32_t type, const union slot *value, uint32_t length,
                         struct array **ret_array);
enum trap_kind array_new_data(struct instance *in, uint32_t type, uint32_t data, uint32_t at,
                              uint32_t length, struct array **ret_array);
enum trap_kind array_new_elem(struct instance *in, uint32_t type, uint32_t elem, uint32_t at,
                              uint32_t length, struct array **ret_array);
enum trap_kind array_fill(struct vm *vm, struct array *array, uint32_t at, const union slot *value,
                          uint32_t len);
enum trap_kind array_copy(struct vm *vm, struct array *to, uint32_t to_at, const struct array *from,
                          uint32_t from_at, uint32_t len);
enum trap_kind array_init_data(struct instance *in, struct array *array, uint32_t at, uint32_t data,
                               uint32_t from_at, uint32_t len);
enum trap_kind array_init_elem(struct instance *in, struct array *array, uint32_t at, uint32_t elem,
                               uint32_t from_at, uint32_t len);

#endif
