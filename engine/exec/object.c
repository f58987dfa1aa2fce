/* Making objects, and the operators on whole arrays (core spec §4.4.4, §4.4.5); see object.h. */
#include "engine/exec/object.h"

#include "engine/exec/bulk.h"

#define FILL_MOST ((uint64_t)64 << 10) /* bytes that fill copies at a time: in the cache */

struct object *gc_new_struct(struct vm *vm, uint32_t type)
{
    uint64_t size = types_get(vm->types, type)->structure.size;
    return gc_alloc(vm, type, sizeof(struct object) + size);
}

struct array *gc_new_array(struct vm *vm, uint32_t type, uint32_t length)
{
    uint32_t each = field_size(&types_get(vm->types, type)->element);
    struct array *array =
        (struct array *)gc_alloc(vm, type, sizeof *array + (uint64_t)length * each);
    if (array)
        array->length = length;
    return array;
}

struct exception *gc_new_exception(struct vm *vm, const struct tag_instance *tag)
{
    const struct functype *type = types_func(vm->types, tag->type);
    uint64_t size = type->param_slots * (uint64_t)sizeof(union slot);
    struct exception *exception =
        (struct exception *)gc_alloc(vm, tag->type, sizeof *exception + size);
    if (exception)
        exception->tag = tag;
    return exception;
}

/* --- Structures ----------------------------------------------------------------------------------
 */

/* A value from its slots to a field or element of that size, which packs it. */
static void put(uint8_t *at, uint32_t size, const union slot *value)
{
    memcpy(at, value, size); /* little-endian: the low bytes come first */
}

struct object *struct_new(struct vm *vm, uint32_t type, const union slot *values)
{
    const struct structtype *structure = &types_get(vm->types, type)->structure;
    struct object *object = gc_new_struct(vm, type);
    if (!object)
        return NULL;
    uint8_t *at = (uint8_t *)(object + 1);
    for (uint32_t i = 0; i < structure->nfields; i++) {
        const struct fieldtype *field = &structure->fields[i];
        switch (field_size(field)) {
        case 8: memcpy(at + field->offset, values, 8); break;
        case 4: memcpy(at + field->offset, values, 4); break;
        default: put(at + field->offset, field_size(field), values); break;
        }
        values += vt_slots(field->type);
    }
    return object;
}

struct object *struct_new_default(struct vm *vm, uint32_t type)
{
    struct object *object = gc_new_struct(vm, type);
    if (object)
        memset(object + 1, 0, types_get(vm->types, type)->structure.size);
    return object;
}

/* --- Arrays --------------------------------------------------------------------------------------
 */

/* Are `len` elements from `at` on inside? */
static bool inside(uint64_t length, uint64_t at, uint64_t len)
{
    return at <= length && len <= length - at;
}

static const struct fieldtype *element_of(const struct vm *vm, const struct array *array)
{
    return &types_get(vm->types, object_type(&array->head))->element;
}

/* Elements that hold references are about to be overwritten. */
static void overwrite(struct vm *vm, const struct array *array, uint64_t at, uint64_t len)
{
    if (vm->gc.marking && vt_is_ref(element_of(vm, array)->type))
        gc_overwrite_all(&vm->gc, (const union slot *)array->at + at, len);
}

/* Fills bytes with copies of a value of `size` bytes, twice as many at a time. */
static void fill(uint8_t *at, uint64_t count, uint32_t size, const union slot *value)
{
    uint64_t bytes = count * size;
    if (!bytes)
        return;
    if (size == 1) {
        memset(at, (int)value->u32, bytes);
        return;
    }
    put(at, size, value);
    for (uint64_t done = size; done < bytes;) {
        uint64_t more = done < bytes - done ? done : bytes - done;
        if (more > FILL_MOST)
            more = FILL_MOST;
        memcpy(at + done, at, more);
        done += more;
    }
}

/* What elements are written with: copies of a value, or bytes from there on. */
struct source {
    const union slot *value; /* NULL: the bytes */
    const uint8_t *bytes;
    bool is_new; /* there was nothing in the array */
};

/* Writes elements from `at` on, a slice at a time. */
static enum trap_kind write_slices(struct vm *vm, struct array *array, uint64_t at, uint64_t len,
                                   struct source source)
{
    uint32_t size = field_size(element_of(vm, array));
    uint64_t slice = 0;
    for (uint64_t done = 0; done < len; done += slice) {
        enum trap_kind trap = bulk_slice(vm, len - done, size, &slice);
        if (trap)
            return trap;
        if (!source.is_new)
            overwrite(vm, array, at + done, slice);
        uint8_t *to = array->at + (at + done) * size;
        if (source.value)
            fill(to, slice, size, source.value);
        else
            memcpy(to, source.bytes + done * size, slice * size);
    }
    return TRAP_NONE;
}

/* Those of a new array; NULL: there was no room for it, which is no trap. */
static enum trap_kind write_new(struct vm *vm, struct array *array, uint64_t len,
                                struct source source)
{
    source.is_new = true;
    return array ? write_slices(vm, array, 0, len, source) : TRAP_NONE;
}

enum trap_kind array_new(struct vm *vm, uint32_t type, const union slot *value, uint32_t length,
                         struct array **ret_array)
{
    static const union slot zero[2];
    *ret_array = gc_new_array(vm, type, length);
    return write_new(vm, *ret_array, length, (struct source){.value = value ? value : zero});
}

struct array *array_new_fixed(struct vm *vm, uint32_t type, const union slot *values,
                              uint32_t length)
{
    const struct fieldtype *element = &types_get(vm->types, type)->element;
    struct array *array = gc_new_array(vm, type, length);
    uint32_t size = field_size(element);
    for (uint32_t i = 0; array && i < length; i++)
        put(array->at + (uint64_t)i * size, size, values + (uint64_t)i * vt_slots(element->type));
    return array;
}

enum trap_kind array_fill(struct vm *vm, struct array *array, uint32_t at, const union slot *value,
                          uint32_t len)
{
    if (!array)
        return TRAP_NULL_REFERENCE;
    if (!inside(array->length, at, len))
        return TRAP_ARRAY_BOUNDS;
    return write_slices(vm, array, at, len, (struct source){.value = value});
}

/* Downwards from the end if the target lies above the source in the same array. */
enum trap_kind array_copy(struct vm *vm, struct array *to, uint32_t to_at, const struct array *from,
                          uint32_t from_at, uint32_t len)
{
    if (!to || !from)
        return TRAP_NULL_REFERENCE;
    if (!inside(to->length, to_at, len) || !inside(from->length, from_at, len))
        return TRAP_ARRAY_BOUNDS;
    uint32_t size = field_size(element_of(vm, to));
    bool down = to == from && to_at > from_at;
    uint64_t slice = 0;
    for (uint64_t done = 0; done < len; done += slice) {
        enum trap_kind trap = bulk_slice(vm, len - done, size, &slice);
        if (trap)
            return trap;
        uint64_t at = down ? len - done - slice : done;
        overwrite(vm, to, to_at + at, slice);
        memmove(to->at + (to_at + at) * size, from->at + (from_at + at) * size, slice * size);
    }
    return TRAP_NONE;
}

/* --- Arrays and segments -------------------------------------------------------------------------
 */

/* The bytes of a data segment from offset `at` on; false: there are not so many. */
static bool data_part(const struct instance *in, uint32_t data, uint32_t at, uint64_t bytes,
                      const uint8_t **ret_at)
{
    struct bytes all = {(const uint8_t *)"", 0};
    if (!in->dropped_datas[data])
        all = in->module->datas[data].bytes;
    if (!inside(all.len, at, bytes))
        return false;
    *ret_at = all.at + at;
    return true;
}

static bool elem_part(const struct instance *in, uint32_t elem, uint32_t at, uint32_t len,
                      const union slot **ret_at)
{
    uint64_t count = in->dropped_elems[elem] ? 0 : in->module->elems[elem].count;
    if (!inside(count, at, len))
        return false;
    *ret_at = len ? in->elems[elem] + at : NULL;
    return true;
}

enum trap_kind array_new_data(struct instance *in, uint32_t type, uint32_t data, uint32_t at,
                              uint32_t length, struct array **ret_array)
{
    const uint8_t *from;
    uint64_t bytes = (uint64_t)length * field_size(&types_get(in->vm->types, type)->element);
    if (!data_part(in, data, at, bytes, &from))
        return TRAP_MEMORY_BOUNDS;
    *ret_array = gc_new_array(in->vm, type, length);
    return write_new(in->vm, *ret_array, length, (struct source){.bytes = from});
}

enum trap_kind array_new_elem(struct instance *in, uint32_t type, uint32_t elem, uint32_t at,
                              uint32_t length, struct array **ret_array)
{
    const union slot *from;
    if (!elem_part(in, elem, at, length, &from))
        return TRAP_TABLE_BOUNDS;
    *ret_array = gc_new_array(in->vm, type, length);
    return write_new(in->vm, *ret_array, length, (struct source){.bytes = (const uint8_t *)from});
}

enum trap_kind array_init_data(struct instance *in, struct array *array, uint32_t at, uint32_t data,
                               uint32_t from_at, uint32_t len)
{
    if (!array)
        return TRAP_NULL_REFERENCE;
    const uint8_t *from;
    uint32_t size = field_size(element_of(in->vm, array));
    if (!inside(array->length, at, len))
        return TRAP_ARRAY_BOUNDS;
    if (!data_part(in, data, from_at, (uint64_t)len * size, &from))
        return TRAP_MEMORY_BOUNDS;
    return write_slices(in->vm, array, at, len, (struct source){.bytes = from});
}

enum trap_kind array_init_elem(struct instance *in, struct array *array, uint32_t at, uint32_t elem,
                               uint32_t from_at, uint32_t len)
{
    if (!array)
        return TRAP_NULL_REFERENCE;
    const union slot *from;
    if (!inside(array->length, at, len))
        return TRAP_ARRAY_BOUNDS;
    if (!elem_part(in, elem, from_at, len, &from))
        return TRAP_TABLE_BOUNDS;
    return write_slices(in->vm, array, at, len, (struct source){.bytes = (const uint8_t *)from});
}

/* --- Types of references -------------------------------------------------------------------------
 */

bool vm_ref_is(const struct vm *vm, union slot value, valtype type)
{
    if (!value.u64)
        return vt_is_nullable(type);
    struct ref_test test = ref_test_of(vm->types, vt_heap(type));
    return ref_passes(vm->types, value.u64, test.kind, test.id);
}
