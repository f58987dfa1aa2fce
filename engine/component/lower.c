/* Lowering; see lower.h. Depth is bounded by CM_LIMIT_TYPE_DEPTH. */
#include "engine/component/lower.h"

#include "engine/base/copy.h"
#include "engine/component/abi.h"
#include "engine/component/bits.h"
#include "engine/component/layout.h"
#include "engine/component/stream.h"
#include "engine/component/string.h"
#include "engine/component/within.h"

static uint8_t *memory(const struct cm_lower *lower, uint32_t at)
{
    return lower->abi->memory->span.at + at;
}

/* All that is written goes to places that were looked at here. */
static bool check(const struct cm_lower *lower, uint64_t at, uint64_t size, uint32_t align)
{
    if (at & (align - 1))
        return cm_trap(lower->instance->store, "pointer is not aligned");
    if (!memory_to(lower->abi->memory, at, size))
        return cm_trap(lower->instance->store, "pointer is out of bounds of memory");
    return true;
}

bool cm_realloc(struct cm_lower *lower, uint32_t old, uint32_t old_size, uint32_t align,
                uint32_t size, uint32_t *ret)
{
    struct vm *vm = lower->instance->store->vm;
    union slot *args = native_args(vm, lower->frame, 4);
    if (!args)
        return false;
    args[0].u64 = old;
    args[1].u64 = old_size;
    args[2].u64 = align;
    args[3].u64 = size;
    /* It is a task of its own, with a context of its own. */
    struct cm_store *store = lower->instance->store;
    struct cm_thread *caller = store->thread;
    struct cm_task task = {0};
    cm_task_begin(&task, lower->instance, caller);
    store->thread = &task.thread;
    bool may_leave = lower->instance->may_leave;
    lower->instance->may_leave = false;
    bool done = native_leaf(vm, lower->frame, lower->abi->realloc);
    lower->instance->may_leave = may_leave;
    store->thread = caller;
    *ret = args[0].u32;
    return done && check(lower, *ret, size, align);
}

/* --- Scalars ------------------------------------------------------------------------------------
 */

/* A NaN leaves as the canonical one, whoever made it. */
static uint64_t float_bits(const void *from, uint32_t size)
{
    uint64_t bits = bits_load(from, size);
    if (size == 4)
        return (bits & 0x7fffffff) > 0x7f800000 ? ABI_NAN32 : bits;
    return (bits & INT64_MAX) > UINT64_C(0x7ff0000000000000) ? ABI_NAN64 : bits;
}

/* A signed value as the core value that it is flattened to. */
static uint64_t signed_bits(const void *from, uint32_t size)
{
    uint64_t bits = bits_load(from, size);
    switch (size) {
    case 1: return (uint32_t)(int8_t)bits;
    case 2: return (uint32_t)(int16_t)bits;
    default: return bits;
    }
}

/* --- Handles ------------------------------------------------------------------------------------
 */

static bool lower_handle(struct cm_lower *lower, const struct cm_type *type, const void *from,
                         uint32_t *ret)
{
    struct cm_instance *instance = lower->instance;
    struct handle handle = {.resource = instance->slots[type->resource->var->slot]};
    memcpy(&handle.rep, from, sizeof handle.rep);
    handle.kind = HANDLE_OWN;
    if (type->kind == CM_BORROW) {
        if (handle.resource->owner == instance) { /* who made it sees what it is */
            *ret = (uint32_t)(uintptr_t)handle.rep;
            return true;
        }
        handle.kind = HANDLE_BORROW;
        handle.scope = lower->task;
        lower->task->borrows++;
    }
    *ret = cm_handle_add(instance, &handle);
    return *ret;
}

/* The readable end of a stream or future, which was on its way. */
static bool lower_end(struct cm_lower *lower, const struct cm_type *type, const void *from,
                      uint32_t *ret)
{
    struct cm_instance *instance = lower->instance;
    struct handle handle = {.kind =
                                type->kind == CM_STREAM ? HANDLE_STREAM_READ : HANDLE_FUTURE_READ};
    struct cm_stream *stream;
    memcpy(&stream, from, sizeof stream);
    if (!stream)
        return cm_trap(instance->store, "the host gave no stream or future");
    struct cm_end *end = end_new(stream, (enum handle_kind)handle.kind, instance, type);
    if (!end)
        return cm_full(instance->store, "a stream or future");
    handle.rep = end;
    *ret = end->waitable.index = cm_handle_add(instance, &handle);
    return *ret;
}

static bool unknown(const struct cm_lower *lower)
{
    return cm_trap(lower->instance->store, "values of this type cannot be passed");
}

/* --- Parts --------------------------------------------------------------------------------------
 */

/* As cm_lower_memory, which is not called for the types that most lists of records are made of. */
INLINE bool lower_part(struct cm_lower *lower, const struct cm_type *type, const uint8_t *from,
                       uint32_t at)
{
    uint32_t size = type->layout.size;
    if (type->flags & CM_PLAIN && size <= COPY_BLOCK) {
        copy_few(memory(lower, at), from, size);
        return true;
    }
    switch (type->kind) {
    case CM_BOOL: *memory(lower, at) = *from != 0; return true;
    case CM_F32:
    case CM_F64: bits_store(memory(lower, at), float_bits(from, size), size); return true;
    default: return cm_lower_memory(lower, type, from, at);
    }
}

INLINE bool lower_fields(struct cm_lower *lower, const struct cm_type *type, const uint8_t *from,
                         uint32_t at)
{
    for (uint32_t i = 0; i < type->nfields; i++) {
        const struct cm_field *field = &type->fields[i];
        if (!lower_part(lower, field->type, from + field->host_offset, at + field->offset))
            return cm_within_field(lower->instance->store, type, i);
    }
    return true;
}

INLINE bool lower_elements(struct cm_lower *lower, const struct cm_type *type, const uint8_t *from,
                           uint32_t count, uint32_t at)
{
    const struct cm_layout *l = &type->layout;
    bool record = cm_shape(type->kind) == SHAPE_RECORD;
    for (uint32_t i = 0; i < count; i++, from += l->host_size, at += l->size)
        if (!(record ? lower_fields(lower, type, from, at) : lower_part(lower, type, from, at)))
            return cm_within_element(lower->instance->store, i);
    return true;
}

/* --- Lists --------------------------------------------------------------------------------------
 */

struct list {
    const uint8_t *at;
    size_t len;
};

static bool lower_list(struct cm_lower *lower, const struct cm_type *element, const void *from,
                       uint32_t *ret_at, uint32_t *ret_len)
{
    const struct cm_layout *l = &element->layout;
    struct list list;
    memcpy(&list, from, sizeof list);
    if (list.len > ABI_LIST_MAX / l->size)
        return cm_trap(lower->instance->store, "list is too long");
    uint32_t size = (uint32_t)list.len * l->size;
    uint32_t at;
    if (!cm_realloc(lower, 0, 0, l->align, size, &at))
        return false;
    *ret_at = at;
    *ret_len = (uint32_t)list.len;
    if (element->flags & CM_PLAIN) {
        if (size)
            memcpy(memory(lower, at), list.at, size);
        return true;
    }
    return lower_elements(lower, element, list.at, *ret_len, at);
}

/* --- Into memory --------------------------------------------------------------------------------
 */

static void put32(const struct cm_lower *lower, uint32_t at, uint32_t word)
{
    memcpy(memory(lower, at), &word, sizeof word);
}

static void put_pair(const struct cm_lower *lower, uint32_t at, uint32_t first, uint32_t second)
{
    put32(lower, at, first);
    put32(lower, at + 4, second);
}

/* Which case a value is; a host's mistake never reaches a guest. */
static bool case_of(const struct cm_lower *lower, const struct cm_type *type, const void *from,
                    uint32_t *ret)
{
    *ret = (uint32_t)bits_load(from, type->tag_size);
    return *ret < type->ncases || cm_trap(lower->instance->store, "variant has no such case");
}

static bool lower_memory_variant(struct cm_lower *lower, const struct cm_type *type,
                                 const uint8_t *from, uint32_t at)
{
    uint32_t which;
    if (!case_of(lower, type, from, &which))
        return false;
    bits_store(memory(lower, at), which, type->tag_size);
    const struct cm_type *payload = type->cases[which].type;
    return !payload ||
           cm_lower_memory(lower, payload, from + type->host_payload, at + type->payload) ||
           cm_within_case(lower->instance->store, type, which);
}

bool cm_lower_memory(struct cm_lower *lower, const struct cm_type *type, const void *from,
                     uint32_t at)
{
    const uint8_t *host = from;
    uint32_t first = 0;
    uint32_t second = 0;
    if (type->flags & CM_PLAIN) {
        memcpy(memory(lower, at), from, type->layout.size);
        return true;
    }
    switch (cm_shape(type->kind)) {
    case SHAPE_BOOL: *memory(lower, at) = host[0] != 0; return true;
    case SHAPE_FLOAT:
        bits_store(memory(lower, at), float_bits(from, type->layout.size), type->layout.size);
        return true;
    case SHAPE_CHAR:
    case SHAPE_FLAGS:
        bits_store(memory(lower, at), bits_load(from, type->layout.size), type->layout.size);
        return true;
    case SHAPE_STRING: {
        struct str s;
        memcpy(&s, from, sizeof s);
        if (!string_lower(lower, s, &first, &second))
            return false;
        put_pair(lower, at, first, second);
        return true;
    }
    case SHAPE_LIST:
        if (!lower_list(lower, type->element, from, &first, &second))
            return false;
        put_pair(lower, at, first, second);
        return true;
    case SHAPE_RECORD: return lower_fields(lower, type, host, at);
    case SHAPE_FIXED_LIST: return lower_elements(lower, type->element, host, type->length, at);
    case SHAPE_VARIANT: return lower_memory_variant(lower, type, host, at);
    case SHAPE_OWN:
    case SHAPE_BORROW:
        if (!lower_handle(lower, type, from, &first))
            return false;
        put32(lower, at, first);
        return true;
    case SHAPE_STREAM:
    case SHAPE_FUTURE:
        if (!lower_end(lower, type, from, &first))
            return false;
        put32(lower, at, first);
        return true;
    default: return unknown(lower);
    }
}

/* --- To core values -----------------------------------------------------------------------------
 */

static bool lower_flat_variant(struct cm_lower *lower, const struct cm_type *type,
                               const uint8_t *from, union slot **to)
{
    union slot *end = *to + type->layout.nflat;
    uint32_t which;
    if (!case_of(lower, type, from, &which))
        return false;
    (*to)++->u64 = which;
    const struct cm_type *payload = type->cases[which].type;
    if (payload && !cm_lower_flat(lower, payload, from + type->host_payload, to))
        return cm_within_case(lower->instance->store, type, which);
    while (*to < end)
        (*to)++->u64 = 0;
    return true;
}

static void push_pair(union slot **to, uint32_t first, uint32_t second)
{
    (*to)++->u64 = first;
    (*to)++->u64 = second;
}

bool cm_lower_flat(struct cm_lower *lower, const struct cm_type *type, const void *from,
                   union slot **to)
{
    const uint8_t *host = from;
    uint32_t first = 0;
    uint32_t second = 0;
    switch (cm_shape(type->kind)) {
    case SHAPE_BOOL: (*to)++->u64 = host[0] != 0; return true;
    case SHAPE_SIGNED: (*to)++->u64 = signed_bits(from, type->layout.size); return true;
    case SHAPE_UNSIGNED:
    case SHAPE_FLAGS:
    case SHAPE_CHAR: (*to)++->u64 = bits_load(from, type->layout.size); return true;
    case SHAPE_FLOAT: (*to)++->u64 = float_bits(from, type->layout.size); return true;
    case SHAPE_STRING: {
        struct str s;
        memcpy(&s, from, sizeof s);
        if (!string_lower(lower, s, &first, &second))
            return false;
        push_pair(to, first, second);
        return true;
    }
    case SHAPE_LIST:
        if (!lower_list(lower, type->element, from, &first, &second))
            return false;
        push_pair(to, first, second);
        return true;
    case SHAPE_RECORD:
        for (uint32_t i = 0; i < type->nfields; i++)
            if (!cm_lower_flat(lower, type->fields[i].type, host + type->fields[i].host_offset, to))
                return cm_within_field(lower->instance->store, type, i);
        return true;
    case SHAPE_FIXED_LIST:
        for (uint32_t i = 0; i < type->length; i++)
            if (!cm_lower_flat(lower, type->element,
                               host + (size_t)i * type->element->layout.host_size, to))
                return cm_within_element(lower->instance->store, i);
        return true;
    case SHAPE_VARIANT: return lower_flat_variant(lower, type, host, to);
    case SHAPE_OWN:
    case SHAPE_BORROW:
        if (!lower_handle(lower, type, from, &first))
            return false;
        (*to)++->u64 = first;
        return true;
    case SHAPE_STREAM:
    case SHAPE_FUTURE:
        if (!lower_end(lower, type, from, &first))
            return false;
        (*to)++->u64 = first;
        return true;
    default: return unknown(lower);
    }
}

bool cm_lower_params(struct cm_lower *lower, const struct cm_type *func, const void *from,
                     union slot *to, uint32_t *ret_count)
{
    const struct cm_layout *l = &func->layout;
    const uint8_t *host = from;
    if (l->nflat <= CM_FLAT_MAX) {
        union slot *at = to;
        for (uint32_t i = 0; i < func->nparams; i++)
            if (!cm_lower_flat(lower, func->params[i].type, host + func->params[i].host_offset,
                               &at))
                return cm_within_param(lower->instance->store, func, i);
        *ret_count = l->nflat;
        return true;
    }
    uint32_t at;
    if (!cm_realloc(lower, 0, 0, l->align, l->size, &at))
        return cm_within_params(lower->instance->store);
    for (uint32_t i = 0; i < func->nparams; i++)
        if (!cm_lower_memory(lower, func->params[i].type, host + func->params[i].host_offset,
                             at + func->params[i].offset))
            return cm_within_param(lower->instance->store, func, i);
    to[0].u64 = at;
    *ret_count = 1;
    return true;
}

bool cm_lower_result_async(struct cm_lower *lower, const struct cm_type *func, const void *from,
                           const union slot *pointer)
{
    const struct cm_type *type = func->result;
    uint32_t at = pointer->u32;
    return (check(lower, at, type->layout.size, type->layout.align) &&
            cm_lower_memory(lower, type, from, at)) ||
           cm_within_result(lower->instance->store);
}

bool cm_lower_result(struct cm_lower *lower, const struct cm_type *func, const void *from,
                     union slot *to, const union slot *pointer)
{
    if (func->result->layout.nflat <= 1)
        return cm_lower_flat(lower, func->result, from, &to) ||
               cm_within_result(lower->instance->store);
    return cm_lower_result_async(lower, func, from, pointer);
}
