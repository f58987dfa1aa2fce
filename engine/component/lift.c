/* Lifting; see lift.h. Depth is bounded by CM_LIMIT_TYPE_DEPTH. */
#include "engine/component/lift.h"

#include "engine/base/copy.h"
#include "engine/component/abi.h"
#include "engine/component/bits.h"
#include "engine/component/layout.h"
#include "engine/component/stream.h"
#include "engine/component/string.h"
#include "engine/component/within.h"

bool cm_lift_check(const struct cm_lift *lift, uint64_t at, uint64_t size, uint32_t align)
{
    if (at & (align - 1))
        return cm_trap(lift->instance->store, "pointer is not aligned");
    uint64_t end = lift->memory->span.size;
    if (at > end || size > end - at)
        return cm_trap(lift->instance->store, "pointer is out of bounds of memory");
    return true;
}

/* --- Scalars ------------------------------------------------------------------------------------
 */

static uint32_t load32(const uint8_t *from)
{
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static void put_float(void *to, uint64_t bits, uint32_t size)
{
    if (size == 4) {
        uint32_t word = (uint32_t)bits;
        if ((word & 0x7fffffff) > 0x7f800000)
            word = ABI_NAN32;
        memcpy(to, &word, sizeof word);
        return;
    }
    if ((bits & INT64_MAX) > UINT64_C(0x7ff0000000000000))
        bits = ABI_NAN64;
    memcpy(to, &bits, sizeof bits);
}

static bool put_char(const struct cm_lift *lift, void *to, uint32_t scalar)
{
    if (scalar >= 0x110000 || (scalar & 0xfffff800) == 0xd800)
        return cm_trap(lift->instance->store, "char is no Unicode scalar value");
    memcpy(to, &scalar, sizeof scalar);
    return true;
}

static uint32_t flags_mask(uint32_t labels)
{
    return labels == 32 ? UINT32_MAX : (UINT32_C(1) << labels) - 1;
}

/* --- Handles ------------------------------------------------------------------------------------
 */

static bool lend(struct cm_lift *lift, uint32_t index)
{
    struct host_scratch *scratch = lift->lent ? lift->lent : lift->scratch;
    struct cm_lend *lend = scratch_take(scratch, sizeof *lend);
    if (!lend)
        return scratch_full(scratch, sizeof *lend);
    *lend = (struct cm_lend){index, lift->lends};
    lift->lends = lend;
    lift->instance->handles.at[index].lends++;
    return true;
}

void cm_lift_return(struct cm_lift *lift)
{
    for (const struct cm_lend *lend = lift->lends; lend; lend = lend->before)
        lift->instance->handles.at[lend->index].lends--;
    lift->lends = NULL;
}

static bool lift_handle(struct cm_lift *lift, const struct cm_type *type, uint32_t index, void *to)
{
    struct cm_store *store = lift->instance->store;
    struct handle *handle = handle_at(&lift->instance->handles, index);
    if (!handle)
        return cm_trap(store, "unknown handle index");
    if (handle->kind != HANDLE_OWN && handle->kind != HANDLE_BORROW)
        return cm_trap(store, "handle index used with the wrong type");
    if (handle->resource != lift->instance->slots[type->resource->var->slot])
        return cm_trap(store, "handle index used with the wrong resource type");
    void *rep = handle->rep;
    if (type->kind == CM_OWN) {
        if (handle->lends)
            return cm_trap(store, "cannot remove owned resource while borrowed");
        if (handle->kind != HANDLE_OWN)
            return cm_trap(store, "cannot lift own resource from a borrow");
        handle_remove(&lift->instance->handles, index);
    } else if (!lend(lift, index)) {
        return false;
    }
    memcpy(to, &rep, sizeof rep);
    return true;
}

/* The readable end of a stream or future leaves its instance: what is between the ends remains. */
static bool lift_end(struct cm_lift *lift, const struct cm_type *type, uint32_t index, void *to)
{
    struct cm_store *store = lift->instance->store;
    struct handle_table *table = &lift->instance->handles;
    const struct handle *handle = handle_at(table, index);
    if (!handle)
        return cm_trap(store, "unknown handle index");
    if (handle->kind != (type->kind == CM_STREAM ? HANDLE_STREAM_READ : HANDLE_FUTURE_READ))
        return cm_trap(store, "handle index used with the wrong type");
    struct cm_end *end = handle->rep;
    if (end->type != type)
        return cm_trap(store, "handle index used with the wrong stream or future type");
    if (end->state == COPY_DONE)
        return cm_trap(store, "cannot lift a stream or future after it has ended");
    if (end->state != COPY_IDLE)
        return cm_trap(store, "cannot lift a stream or future while it is read");
    if (end->waitable.set)
        return cm_trap(store, "cannot transfer a waitable in a waitable set");
    struct cm_stream *stream = end->stream;
    handle_remove(table, index);
    end_free(end);
    memcpy(to, &stream, sizeof stream);
    return true;
}

static bool unknown(const struct cm_lift *lift)
{
    return cm_trap(lift->instance->store, "values of this type cannot be passed");
}

/* --- Parts --------------------------------------------------------------------------------------
 */

/* As cm_lift_memory, which is not called for the types that most lists of records are made of. */
INLINE bool lift_part(struct cm_lift *lift, const struct cm_type *type, uint32_t at, uint8_t *to)
{
    const uint8_t *from = lift->memory->span.at + at;
    uint32_t size = type->layout.size;
    if (type->flags & CM_PLAIN && size <= COPY_BLOCK) {
        copy_few(to, from, size);
        return true;
    }
    switch (type->kind) {
    case CM_BOOL: *to = *from != 0; return true;
    case CM_F32:
    case CM_F64: put_float(to, bits_load(from, size), size); return true;
    default: return cm_lift_memory(lift, type, at, to);
    }
}

INLINE bool lift_fields(struct cm_lift *lift, const struct cm_type *type, uint32_t at, uint8_t *to)
{
    for (uint32_t i = 0; i < type->nfields; i++) {
        const struct cm_field *field = &type->fields[i];
        if (!lift_part(lift, field->type, at + field->offset, to + field->host_offset))
            return cm_within_field(lift->instance->store, type, i);
    }
    return true;
}

INLINE bool lift_elements(struct cm_lift *lift, const struct cm_type *type, uint32_t at,
                          uint32_t count, uint8_t *to)
{
    const struct cm_layout *l = &type->layout;
    bool record = cm_shape(type->kind) == SHAPE_RECORD;
    for (uint32_t i = 0; i < count; i++, at += l->size, to += l->host_size)
        if (!(record ? lift_fields(lift, type, at, to) : lift_part(lift, type, at, to)))
            return cm_within_element(lift->instance->store, i);
    return true;
}

/* --- Lists --------------------------------------------------------------------------------------
 */

struct list {
    void *at;
    size_t len;
};

static void lift_floats(const uint8_t *from, uint32_t count, uint32_t size, uint8_t *to)
{
    for (uint32_t i = 0; i < count; i++) {
        put_float(to + (size_t)i * size, bits_load(from + (size_t)i * size, size), size);
    }
}

#define VIEW_MIN 4096 /* bytes from which a list stays where it is if it may */

static bool view(struct cm_lift *lift, const uint8_t *from, size_t size, void **at)
{
    struct cm_view *view = scratch_take(lift->scratch, sizeof *view);
    if (!view)
        return scratch_full(lift->scratch, sizeof *view);
    *view = (struct cm_view){at, size, lift->views};
    lift->views = view;
    *at = (void *)(uintptr_t)from;
    return true;
}

bool cm_lift_copy(struct cm_lift *lift)
{
    for (; lift->views; lift->views = lift->views->before) {
        const struct cm_view *view = lift->views;
        void *copy = scratch_take(lift->scratch, view->size);
        if (!copy)
            return scratch_full(lift->scratch, view->size);
        memcpy(copy, *view->at, view->size);
        *view->at = copy;
    }
    return true;
}

static bool lift_list(struct cm_lift *lift, const struct cm_type *element, uint32_t at,
                      uint32_t count, struct list *to)
{
    const struct cm_layout *l = &element->layout;
    uint64_t size = (uint64_t)count * l->size;
    if (size > ABI_LIST_MAX)
        return cm_trap(lift->instance->store, "list is too long");
    if (!cm_lift_check(lift, at, size, l->align))
        return false;
    const uint8_t *from = lift->memory->span.at + at;
    bool plain = element->flags & CM_PLAIN;
    if (plain && !lift->for_host && !lift->for_itself) {
        *to = (struct list){(void *)(uintptr_t)from, count};
        return true;
    }
    if (plain && lift->in_place && size >= VIEW_MIN) {
        to->len = count;
        return view(lift, from, (size_t)size, &to->at);
    }
    uint8_t *copy = scratch_take(lift->scratch, (size_t)count * l->host_size);
    if (!copy)
        return scratch_full(lift->scratch, (size_t)count * l->host_size);
    *to = (struct list){copy, count};
    if (plain) {
        if (size)
            memcpy(copy, from, size);
        return true;
    }
    if (cm_shape(element->kind) == SHAPE_FLOAT) {
        lift_floats(from, count, l->size, copy);
        return true;
    }
    memset(copy, 0, (size_t)count * l->host_size);
    return lift_elements(lift, element, at, count, copy);
}

/* --- From memory --------------------------------------------------------------------------------
 */

static bool lift_case(struct cm_lift *lift, const struct cm_type *type, uint32_t which)
{
    return which < type->ncases || cm_trap(lift->instance->store, "variant has no such case");
}

bool cm_lift_memory(struct cm_lift *lift, const struct cm_type *type, uint32_t at, void *to)
{
    const uint8_t *from = lift->memory->span.at + at;
    uint8_t *host = to;
    if (type->flags & CM_PLAIN) {
        memcpy(to, from, type->layout.size);
        return true;
    }
    switch (cm_shape(type->kind)) {
    case SHAPE_BOOL: host[0] = from[0] != 0; return true;
    case SHAPE_FLOAT:
        put_float(to, bits_load(from, type->layout.size), type->layout.size);
        return true;
    case SHAPE_CHAR: return put_char(lift, to, load32(from));
    case SHAPE_STRING: return string_lift(lift, load32(from), load32(from + 4), to);
    case SHAPE_LIST: return lift_list(lift, type->element, load32(from), load32(from + 4), to);
    case SHAPE_RECORD: return lift_fields(lift, type, at, host);
    case SHAPE_FIXED_LIST: return lift_elements(lift, type->element, at, type->length, host);
    case SHAPE_VARIANT: {
        uint32_t which = (uint32_t)bits_load(from, type->tag_size);
        if (!lift_case(lift, type, which))
            return false;
        bits_store(to, which, type->tag_size);
        const struct cm_type *payload = type->cases[which].type;
        return !payload ||
               cm_lift_memory(lift, payload, at + type->payload, host + type->host_payload) ||
               cm_within_case(lift->instance->store, type, which);
    }
    case SHAPE_FLAGS:
        bits_store(to, bits_load(from, type->layout.size) & flags_mask(type->nlabels),
                   type->layout.size);
        return true;
    case SHAPE_OWN:
    case SHAPE_BORROW: return lift_handle(lift, type, load32(from), to);
    case SHAPE_STREAM:
    case SHAPE_FUTURE: return lift_end(lift, type, load32(from), to);
    default: return unknown(lift);
    }
}

/* --- From core values ---------------------------------------------------------------------------
 */

static bool lift_flat_variant(struct cm_lift *lift, const struct cm_type *type,
                              const union slot **at, uint8_t *to)
{
    /* The joined types of the payloads hold their bits in the low end, so nothing needs to be
     * converted; what a shorter payload leaves over is skipped. */
    const union slot *end = *at + type->layout.nflat;
    uint32_t which = (*at)++->u32;
    if (!lift_case(lift, type, which))
        return false;
    bits_store(to, which, type->tag_size);
    const struct cm_type *payload = type->cases[which].type;
    if (payload && !cm_lift_flat(lift, payload, at, to + type->host_payload))
        return cm_within_case(lift->instance->store, type, which);
    *at = end;
    return true;
}

bool cm_lift_flat(struct cm_lift *lift, const struct cm_type *type, const union slot **at, void *to)
{
    uint8_t *host = to;
    switch (cm_shape(type->kind)) {
    case SHAPE_BOOL: host[0] = (*at)++->u32 != 0; return true;
    case SHAPE_SIGNED:
    case SHAPE_UNSIGNED: bits_store(to, (*at)++->u64, type->layout.size); return true;
    case SHAPE_FLOAT: put_float(to, (*at)++->u64, type->layout.size); return true;
    case SHAPE_CHAR: return put_char(lift, to, (*at)++->u32);
    case SHAPE_STRING: *at += 2; return string_lift(lift, (*at)[-2].u32, (*at)[-1].u32, to);
    case SHAPE_LIST:
        *at += 2;
        return lift_list(lift, type->element, (*at)[-2].u32, (*at)[-1].u32, to);
    case SHAPE_RECORD:
        for (uint32_t i = 0; i < type->nfields; i++)
            if (!cm_lift_flat(lift, type->fields[i].type, at, host + type->fields[i].host_offset))
                return cm_within_field(lift->instance->store, type, i);
        return true;
    case SHAPE_FIXED_LIST:
        for (uint32_t i = 0; i < type->length; i++)
            if (!cm_lift_flat(lift, type->element, at,
                              host + (size_t)i * type->element->layout.host_size))
                return cm_within_element(lift->instance->store, i);
        return true;
    case SHAPE_VARIANT: return lift_flat_variant(lift, type, at, to);
    case SHAPE_FLAGS:
        bits_store(to, (*at)++->u32 & flags_mask(type->nlabels), type->layout.size);
        return true;
    case SHAPE_OWN:
    case SHAPE_BORROW: return lift_handle(lift, type, (*at)++->u32, to);
    case SHAPE_STREAM:
    case SHAPE_FUTURE: return lift_end(lift, type, (*at)++->u32, to);
    default: return unknown(lift);
    }
}

bool cm_lift_params(struct cm_lift *lift, const struct cm_type *func, unsigned max_flat,
                    const union slot *args, void *to)
{
    const struct cm_layout *l = &func->layout;
    uint8_t *host = to;
    if (l->nflat <= max_flat) {
        for (uint32_t i = 0; i < func->nparams; i++)
            if (!cm_lift_flat(lift, func->params[i].type, &args,
                              host + func->params[i].host_offset))
                return cm_within_param(lift->instance->store, func, i);
        return true;
    }
    uint32_t at = args[0].u32;
    if (!cm_lift_check(lift, at, l->size, l->align))
        return cm_within_params(lift->instance->store);
    for (uint32_t i = 0; i < func->nparams; i++)
        if (!cm_lift_memory(lift, func->params[i].type, at + func->params[i].offset,
                            host + func->params[i].host_offset))
            return cm_within_param(lift->instance->store, func, i);
    return true;
}

bool cm_lift_value(struct cm_lift *lift, const struct cm_type *type, unsigned max_flat,
                   const union slot *flat, void *to)
{
    bool good = type->layout.nflat <= max_flat
                    ? cm_lift_flat(lift, type, &flat, to)
                    : cm_lift_check(lift, flat[0].u32, type->layout.size, type->layout.align) &&
                          cm_lift_memory(lift, type, flat[0].u32, to);
    return good || cm_within_result(lift->instance->store);
}

bool cm_lift_result(struct cm_lift *lift, const struct cm_type *func, const union slot *results,
                    void *to)
{
    return cm_lift_value(lift, func->result, 1, results, to);
}
