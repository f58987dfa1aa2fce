/* Element segments, the data count, function bodies, data segments; see decode.h.
 * Core spec §5.5.12 to §5.5.16, §3.5. */
#include "engine/wasm/decode.h"
#include "engine/wasm/notes.h"

#include "engine/wasm/validate.h"

/* --- Element segments ---------------------------------------------------------------------------
 */

enum { ELEM_NOT_ACTIVE = 1, ELEM_EXPLICIT = 2, ELEM_EXPRESSIONS = 4 };

/* The table and offset of an active segment; its elements must fit in. */
static void elem_place(struct decoder *d, struct reader *r, bool explicit, struct elemsegment *elem)
{
    const struct module *module = d->module;
    const uint8_t *at = r->at;
    elem->table = explicit ? reader_u32(r) : 0;
    if (!reader_ok(r))
        return;
    if (elem->table >= module->ntables) {
        reader_fail_at(r, at, ERR_INVALID, "unknown table %u in an element segment", elem->table);
        return;
    }
    elem->offset =
        decode_constexpr(d, r, address_valtype(&module->tables[elem->table].type.limits));
}

static valtype elem_type(struct decoder *d, struct reader *r, uint32_t flags)
{
    bool expressions = flags & ELEM_EXPRESSIONS;
    if (!(flags & (ELEM_NOT_ACTIVE | ELEM_EXPLICIT))) /* the short forms */
        return expressions ? VT_FUNCREF : vt_ref(HEAP_FUNC, false);
    if (expressions)
        return reftype_read(r, d->module);
    const uint8_t *at = r->at;
    uint8_t kind = reader_u8(r);
    if (kind != 0)
        reader_fail_at(r, at, ERR_MALFORMED, "malformed element kind 0x%02x", kind);
    return vt_ref(HEAP_FUNC, false);
}

static void elem_items(struct decoder *d, struct reader *r, struct elemsegment *elem)
{
    uint32_t count = limit_count(r, COUNT_SEGMENT_ELEMENTS);
    elem->items = r->at;
    for (uint32_t i = 0; i < count && reader_ok(r); i++) {
        if (!elem->are_functions) {
            decode_constexpr(d, r, elem->type);
            continue;
        }
        const uint8_t *at = r->at;
        uint32_t func = reader_u32(r);
        if (func < d->module->nfuncs)
            decode_declare(d, func);
        else
            reader_fail_at(r, at, ERR_INVALID, "unknown function %u in an element segment", func);
    }
    elem->count = count;
    elem->items_len = (uint32_t)(r->at - elem->items);
}

static void elem_read(struct decoder *d, struct reader *r, struct elemsegment *elem)
{
    const uint8_t *at = r->at;
    uint32_t flags = reader_u32(r);
    if (flags > 7) {
        reader_fail_at(r, at, ERR_MALFORMED, "malformed elements segment kind %u", flags);
        return;
    }
    elem->are_functions = !(flags & ELEM_EXPRESSIONS);
    if (!(flags & ELEM_NOT_ACTIVE)) {
        elem->mode = SEGMENT_ACTIVE;
        elem_place(d, r, flags & ELEM_EXPLICIT, elem);
    } else {
        elem->mode = flags & ELEM_EXPLICIT ? SEGMENT_DECLARATIVE : SEGMENT_PASSIVE;
    }
    elem->type = elem_type(d, r, flags);
    if (reader_ok(r) && elem->mode == SEGMENT_ACTIVE &&
        !types_matches(d->module->types, elem->type, d->module->tables[elem->table].type.element))
        reader_fail_at(r, at, ERR_INVALID,
                       "type mismatch: table %u does not take the segment's elements", elem->table);
    elem_items(d, r, elem);
}

void decode_elements(struct decoder *d, struct section *section)
{
    struct reader *r = &section->r;
    uint32_t count = section_count(section, COUNT_ELEMENT_SEGMENTS);
    struct elemsegment *elems = DECODE_ARRAY(d, r, struct elemsegment, count);
    for (uint32_t i = 0; elems && i < count && reader_ok(r); i++)
        elem_read(d, r, &elems[i]);
    d->module->elems = elems;
    d->module->nelems = count;
}

/* --- Data segments ------------------------------------------------------------------------------
 */

void decode_data_count(struct decoder *d, struct section *section)
{
    if (!section->present)
        return;
    const uint8_t *at = section->r.at;
    uint32_t count = reader_u32(&section->r);
    limit_check(&section->r, at, COUNT_DATA_SEGMENTS, count);
    d->module->has_data_count = true;
    d->module->ndatas = count;
}

static void data_read(struct decoder *d, struct reader *r, struct datasegment *data)
{
    const struct module *module = d->module;
    const uint8_t *at = r->at;
    uint32_t flags = reader_u32(r);
    if (flags > 2) {
        reader_fail_at(r, at, ERR_MALFORMED, "malformed data segment kind %u", flags);
        return;
    }
    data->mode = flags == 1 ? SEGMENT_PASSIVE : SEGMENT_ACTIVE;
    if (data->mode == SEGMENT_ACTIVE) {
        at = r->at;
        data->memory = flags == 2 ? reader_u32(r) : 0;
        if (!reader_ok(r))
            return;
        if (data->memory >= module->nmemories) {
            reader_fail_at(r, at, ERR_INVALID, "unknown memory %u in a data segment", data->memory);
            return;
        }
        data->offset =
            decode_constexpr(d, r, address_valtype(&module->memories[data->memory].limits));
    }
    data->bytes = reader_vec(r, "data segment");
}

void decode_data(struct decoder *d, struct section *section)
{
    struct module *module = d->module;
    struct reader *r = &section->r;
    const uint8_t *at = r->at;
    uint32_t count = section_count(section, COUNT_DATA_SEGMENTS);
    if (module->has_data_count && count != module->ndatas) {
        reader_fail_at(r, at, ERR_MALFORMED,
                       "data count and data section have inconsistent "
                       "lengths: %u and %u",
                       module->ndatas, count);
        return;
    }
    struct datasegment *datas = DECODE_ARRAY(d, r, struct datasegment, count);
    for (uint32_t i = 0; datas && i < count && reader_ok(r); i++)
        data_read(d, r, &datas[i]);
    module->datas = datas;
    module->ndatas = count;
}

/* --- Bodies -------------------------------------------------------------------------------------
 */

/* Validates a body, with its notes; if there is no memory for these, the module has none. */
static void body_read(struct decoder *d, uint32_t func, struct reader *body)
{
    struct module *module = d->module;
    uint32_t *note = NULL;
    if (module->notes) {
        note = notes_begin(module->notes, func - module->imported_funcs, d->funcs[func].body_len);
        if (!note)
            module->notes = NULL;
    }
    validate_body(d->validator, func, body, note ? &note : NULL);
    if (note)
        notes_end(module->notes, note);
}

void decode_code(struct decoder *d, struct section *section)
{
    struct module *module = d->module;
    struct reader *r = &section->r;
    const uint8_t *at = r->at;
    uint32_t count = section_count(section, COUNT_FUNCTIONS);
    if (reader_ok(r) && count != module->nfuncs - module->imported_funcs) {
        reader_fail_at(r, at, ERR_MALFORMED,
                       "function and code section have inconsistent lengths: "
                       "%u and %u",
                       module->nfuncs - module->imported_funcs, count);
        return;
    }
    if (d->care != CARE_VALIDATE && reader_ok(r))
        module->notes = notes_new(d->image, count);
    for (uint32_t i = module->imported_funcs; i < module->nfuncs && reader_ok(r); i++) {
        at = r->at;
        struct reader body = reader_part(r, "function body");
        struct function *func = &d->funcs[i];
        if (!reader_ok(r) || !limit_check(r, at, COUNT_BODY_SIZE, reader_left(&body)))
            return;
        func->body = body.at;
        func->body_len = (uint32_t)reader_left(&body);
        if (d->care == CARE_SCAN)
            continue;
        body_read(d, i, &body);
        reader_close(&body, r, "function body");
    }
}
