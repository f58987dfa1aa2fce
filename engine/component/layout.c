/* Sizes, alignments and flattening; see layout.h. All sizes fit 32 bits by far: each is checked
 * against CM_SIZE_LIMIT before it becomes part of a larger one, and a host size is at most four
 * times a guest size. */
#include "engine/component/layout.h"

#define POINTER_64 8

static uint8_t max8(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static uint32_t max32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* --- Flattening ---------------------------------------------------------------------------------
 */

static void flat_push(struct cm_layout *to, uint8_t core)
{
    if (to->nflat < CM_FLAT_MAX)
        to->flat[to->nflat++] = core;
    else
        to->nflat = CM_FLAT_OVER;
}

void cm_flat_append(struct cm_layout *to, const struct cm_layout *more)
{
    if (more->nflat == CM_FLAT_OVER || to->nflat + more->nflat > CM_FLAT_MAX) {
        to->nflat = CM_FLAT_OVER;
        return;
    }
    for (unsigned i = 0; i < more->nflat; i++)
        flat_push(to, more->flat[i]);
}

/* The core type that both fit into (`join`). */
static uint8_t join(uint8_t a, uint8_t b)
{
    if (a == b)
        return a;
    bool small = (a == VT_I32 || a == VT_F32) && (b == VT_I32 || b == VT_F32);
    return small ? VT_I32 : VT_I64;
}

/* Lays one more case over the payload, which begins behind the discriminant. */
static void flat_overlay(struct cm_layout *to, const struct cm_layout *payload)
{
    if (to->nflat == CM_FLAT_OVER || payload->nflat > CM_FLAT_MAX - 1) {
        to->nflat = CM_FLAT_OVER;
        return;
    }
    for (unsigned i = 0; i < payload->nflat; i++) {
        if (i + 1 < to->nflat)
            to->flat[i + 1] = join(to->flat[i + 1], payload->flat[i]);
        else
            flat_push(to, payload->flat[i]);
    }
}

/* --- Sizes --------------------------------------------------------------------------------------
 */

static void fill_scalar(struct cm_layout *l, uint32_t size, uint32_t host_size, uint8_t flat)
{
    l->size = l->size64 = size;
    l->host_size = host_size;
    l->align = l->align64 = (uint8_t)size;
    l->host_align = (uint8_t)host_size;
    flat_push(l, flat);
}

/* A pointer and a length: strings and lists. */
static void fill_pair(struct cm_layout *l)
{
    *l = (struct cm_layout){.size = 8,
                            .size64 = 2 * POINTER_64,
                            .host_size = 2 * POINTER_64,
                            .align = 4,
                            .align64 = POINTER_64,
                            .host_align = POINTER_64,
                            .nflat = 2,
                            .flat = {VT_I32, VT_I32}};
}

static bool fill_fields(struct cm_layout *l, struct cm_field *fields, uint32_t count,
                        uint32_t limit)
{
    l->align = l->align64 = l->host_align = 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_layout *field = &fields[i].type->canon->layout;
        fields[i].offset = cm_align(l->size, field->align);
        fields[i].host_offset = cm_align(l->host_size, field->host_align);
        l->size = fields[i].offset + field->size;
        l->size64 = cm_align(l->size64, field->align64) + field->size64;
        l->host_size = fields[i].host_offset + field->host_size;
        l->align = max8(l->align, field->align);
        l->align64 = max8(l->align64, field->align64);
        l->host_align = max8(l->host_align, field->host_align);
        cm_flat_append(l, field);
        if (l->size64 >= limit)
            return false;
    }
    l->size = cm_align(l->size, l->align);
    l->size64 = cm_align(l->size64, l->align64);
    l->host_size = cm_align(l->host_size, l->host_align);
    return l->size64 < limit;
}

/* Bytes of a variant's discriminant. */
static uint8_t tag_size(uint32_t cases)
{
    if (cases <= 0x100)
        return 1;
    return cases <= 0x10000 ? 2 : 4;
}

static void fill_variant(struct cm_type *type)
{
    struct cm_layout *l = &type->layout;
    uint32_t size = 0;
    uint32_t size64 = 0;
    uint32_t host_size = 0;
    uint8_t tag = tag_size(type->ncases);
    l->align = l->align64 = l->host_align = 1;
    flat_push(l, VT_I32);
    for (uint32_t i = 0; i < type->ncases; i++) {
        if (!type->cases[i].type)
            continue;
        const struct cm_layout *payload = &type->cases[i].type->canon->layout;
        size = max32(size, payload->size);
        size64 = max32(size64, payload->size64);
        host_size = max32(host_size, payload->host_size);
        l->align = max8(l->align, payload->align);
        l->align64 = max8(l->align64, payload->align64);
        l->host_align = max8(l->host_align, payload->host_align);
        flat_overlay(l, payload);
    }
    type->tag_size = tag;
    type->payload = cm_align(tag, l->align);
    type->host_payload = cm_align(tag, l->host_align);
    uint32_t payload64 = cm_align(tag, l->align64);
    l->align = max8(l->align, tag);
    l->align64 = max8(l->align64, tag);
    l->host_align = max8(l->host_align, tag);
    l->size = cm_align(type->payload + size, l->align);
    l->size64 = cm_align(payload64 + size64, l->align64);
    l->host_size = cm_align(type->host_payload + host_size, l->host_align);
}

static bool fill_fixed_list(struct cm_type *type)
{
    struct cm_layout *l = &type->layout;
    const struct cm_layout *element = &type->element->canon->layout;
    uint64_t size64 = (uint64_t)element->size64 * type->length;
    if (size64 >= CM_SIZE_LIMIT)
        return false;
    l->size = element->size * type->length;
    l->size64 = (uint32_t)size64;
    l->host_size = element->host_size * type->length;
    l->align = element->align;
    l->align64 = element->align64;
    l->host_align = element->host_align;
    for (uint32_t i = 0; i < type->length && l->nflat != CM_FLAT_OVER; i++)
        cm_flat_append(l, element);
    return true;
}

static void fill_flags(struct cm_layout *l, uint32_t labels)
{
    uint32_t size = labels <= 8 ? 1 : labels <= 16 ? 2 : 4;
    fill_scalar(l, size, size, VT_I32);
}

static void fill_prim(struct cm_type *type)
{
    static const struct {
        uint8_t size, align, flat;
    } prims[CM_PRIMS] = {
#define PRIM(name, opcode, text, shape, size, align, flat, flags) [CM_##name] = {size, align, flat},
#include "engine/component/kind.def"
    };
    if (type->kind == CM_STRING)
        fill_pair(&type->layout);
    else
        fill_scalar(&type->layout, prims[type->kind].size,
                    type->kind == CM_ERROR_CONTEXT ? POINTER_64 : prims[type->kind].size,
                    prims[type->kind].flat);
}

bool cm_layout_fill(struct cm_type *type, struct cm_field *fields)
{
    type->layout = (struct cm_layout){0};
    switch (cm_shape(type->kind)) {
    case SHAPE_RECORD:
        /* An entry is no type that could be too large: lists of such entries are empty. */
        return fill_fields(&type->layout, fields, type->nfields,
                           type->kind == CM_ENTRY ? 2 * CM_SIZE_LIMIT : CM_SIZE_LIMIT);
    case SHAPE_VARIANT: fill_variant(type); break;
    case SHAPE_FIXED_LIST: return fill_fixed_list(type);
    case SHAPE_LIST: fill_pair(&type->layout); break;
    case SHAPE_FLAGS: fill_flags(&type->layout, type->nlabels); break;
    case SHAPE_OWN:
    case SHAPE_BORROW:
    case SHAPE_STREAM:
    case SHAPE_FUTURE: fill_scalar(&type->layout, 4, POINTER_64, VT_I32); break;
    case SHAPE_NONE:
        if (type->kind == CM_FUNC)
            return fill_fields(&type->layout, fields, type->nparams, CM_SIZE_LIMIT);
        break;
    default: fill_prim(type); break;
    }
    return type->layout.size64 < CM_SIZE_LIMIT;
}
