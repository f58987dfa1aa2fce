/* Decoding of a component: preamble, sections, nested components, imports and exports; see
 * component.h, decode.h. Binary.md "Component Definitions".
 *
 * Components lie within each other; the one that is read now is the innermost scope, so that depth
 * costs no C stack. */
#include "engine/component/decode.h"
#include "engine/component/demand.h"
#include "engine/component/subtype.h"

static const uint8_t magic[4] = {0x00, 'a', 's', 'm'};
static const uint8_t version[4] = {0x0d, 0x00, 0x01, 0x00}; /* version and layer */

static const struct {
    const char *text;
    enum cm_limit limit;
    void (*read)(struct cm_decode *d, struct reader *r);
} sections[] = {
#define SECTION(id, name, text, limit, function) [id] = {text, CM_COUNT_##limit, function},
#include "engine/component/section.def"
#undef SECTION
};

enum {
#define SECTION(id, name, text, limit, function) SECTION_##name = id,
#include "engine/component/section.def"
#undef SECTION
};

bool component_is(struct bytes bytes)
{
    return bytes.len >= 8 && memcmp(bytes.at, magic, sizeof magic) == 0 &&
           memcmp(bytes.at + 4, version, sizeof version) == 0;
}

static void preamble(struct reader *r)
{
    const uint8_t *at = r->at;
    struct bytes m = reader_take(r, sizeof magic, "magic header");
    struct bytes v = reader_take(r, sizeof version, "version and layer");
    if (!reader_ok(r))
        return;
    if (memcmp(m.at, magic, sizeof magic) != 0)
        reader_fail_at(r, at, ERR_MALFORMED, "magic header not detected");
    else if (memcmp(v.at, version, sizeof version) != 0)
        reader_fail_at(r, v.at, ERR_MALFORMED, "unknown version or layer: this is no component");
}

/* --- Imports and exports ------------------------------------------------------------------------
 */

void import_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    struct cm_decl decl = {0};
    struct cm_def def = {.kind = DEF_IMPORT, .offset = reader_offset(r)};
    def.extern_index = d->scope->lists[SIDE_IMPORT].decls.count;
    extern_name_read(d, r, &decl);
    extern_type_read(d, r, SIDE_IMPORT, &decl.is);
    if (!reader_ok(r) || scope_declare(d, r, at, SIDE_IMPORT, &decl))
        return;
    def.sort = decl.is.sort;
    if (cm_extern_flags(&decl.is) & CM_RESOURCES &&
        (decl.is.sort == SORT_TYPE || decl.is.sort == SORT_INSTANCE))
        def.binds = decl.is.type;
    scope_add_def(d, r, at, &def);
}

/* Is the type that an export is given one that its item has? Resource types that it introduces may
 * stand for any. */
static int check_ascribed(struct cm_decode *d, struct reader *r, const uint8_t *at,
                          const struct cm_extern *actual, const struct cm_extern *ascribed)
{
    struct cm_check check = {d->types, r->err, {NULL, NULL}};
    int failed;
    if (ascribed->fresh && actual->sort == SORT_TYPE && actual->type->kind == CM_RESOURCE)
        failed = 0;
    else if (ascribed->sort == SORT_INSTANCE && actual->sort == SORT_INSTANCE)
        failed = cm_open_list(&check, &actual->type->exports, &ascribed->type->exports,
                              ascribed->type->binder, "instance export");
    else
        failed = cm_subtype(d->types, actual, ascribed, r->err);
    cm_close_list(&check);
    if (!failed)
        return 0;
    err_within(r->err, "the ascribed type of an export is not compatible");
    return decode_failed(r, at);
}

void export_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    struct cm_decl decl = {0};
    struct cm_extern actual = {0};
    struct cm_def def = {.kind = DEF_EXPORT, .offset = reader_offset(r)};
    def.extern_index = d->scope->lists[SIDE_EXPORT].decls.count;
    extern_name_read(d, r, &decl);
    def.sort = sort_read(r);
    const uint8_t *index_at = r->at;
    def.exported = reader_u32(r);
    if (!reader_ok(r) || scope_extern(d->scope, r, index_at, def.sort, def.exported, &actual))
        return;
    const uint8_t *type_at = r->at;
    uint8_t ascribes = reader_u8(r);
    decl.is = actual;
    if (ascribes > 1)
        reader_fail_at(r, type_at, ERR_MALFORMED, "0x%02x does not say whether there is a type",
                       ascribes);
    else if (ascribes)
        extern_type_read(d, r, SIDE_EXPORT, &decl.is);
    else if (def.sort == SORT_TYPE &&
             !(decl.is.type = cm_type_named(d->types, actual.type, r->err)))
        decode_failed(r, at);
    if (!reader_ok(r) || (ascribes && check_ascribed(d, r, type_at, &actual, &decl.is)) ||
        scope_declare(d, r, at, SIDE_EXPORT, &decl))
        return;
    if (def.sort == SORT_TYPE && actual.type->kind == CM_RESOURCE)
        def.exported_var = actual.type->var;
    if (ascribes && cm_extern_flags(&decl.is) & CM_RESOURCES &&
        (def.sort == SORT_TYPE || def.sort == SORT_INSTANCE))
        def.binds = decl.is.type;
    scope_add_def(d, r, at, &def);
}

/* --- Sections -----------------------------------------------------------------------------------
 */

static void custom_read(struct cm_decode *d, struct reader *part)
{
    struct component *component = d->scope->component;
    struct str name = reader_name(part, "name of a custom section");
    if (!reader_ok(part))
        return;
    struct bytes content = {part->at, reader_left(part)};
    part->at = part->end;
    if (str_is(name, "component-name") && !component->names.at)
        component->names = content;
}

static void module_section_read(struct cm_decode *d, struct reader *part)
{
    const uint8_t *at = part->at;
    struct bytes bytes = {at, reader_left(part)};
    struct cm_extern is = {.sort = SORT_MODULE};
    struct cm_def def = {.kind = DEF_MODULE, .sort = SORT_MODULE, .offset = reader_offset(part)};
    const struct module *module = module_read_with(d->care, bytes, part->base, d->types->core,
                                                   d->image, d->scratch, part->err);
    part->at = part->end;
    if (!module) {
        decode_failed(part, at);
        return;
    }
    is.module = module_type_of(d, part, at, module);
    struct cm_module *kept = region_new(d->image, struct cm_module);
    if (!is.module)
        return;
    if (!kept) {
        decode_full(part, at);
        return;
    }
    *kept = (struct cm_module){module, is.module};
    def.module = kept;
    if (scope_add(d, part, at, &is) == 0)
        scope_add_def(d, part, at, &def);
}

/* Begins the component that `part` holds; it is finished when its scope is at its end. */
static void component_open(struct cm_decode *d, struct reader part)
{
    const uint8_t *at = part.at;
    if (d->nesting >= CM_LIMIT_NESTING) {
        cm_limit_passed(part.err, ERR_NOWHERE, CM_COUNT_NESTING);
        decode_failed(&part, at);
        return;
    }
    struct component *component = region_new(d->image, struct component);
    struct scope *scope = component ? scope_open(d, &part, SCOPE_COMPONENT) : NULL;
    if (!scope) {
        decode_full(&part, at);
        return;
    }
    d->nesting++;
    component->bytes = (struct bytes){at, reader_left(&part)};
    component->file = part.base;
    component->types = d->types;
    component->outer = scope->outer ? scope->outer->component : NULL;
    scope->component = component;
    preamble(&part);
    scope->reader = part;
}

/* Turns the innermost scope into its component, which becomes a definition of the one around it. */
static const struct component *component_close(struct cm_decode *d)
{
    struct scope *scope = d->scope;
    struct component *component = scope->component;
    struct reader *r = &scope->reader;
    const uint8_t *at = component->bytes.at;
    component->type = scope_type(d, r, at);
    if (!component->type)
        return NULL;
    component->ndefs = scope->defs.count;
    component->nslots = scope->nslots;
    component->defs =
        region_copy(d->image, scope->defs.at, scope->defs.count * sizeof *scope->defs.at,
                    _Alignof(struct cm_def));
    for (unsigned sort = 0; sort < SORTS; sort++)
        component->counts[sort] = scope_count(scope, (enum cm_sort)sort);
    if (!component->defs) {
        decode_full(r, at);
        return NULL;
    }
    scope_close(d);
    d->nesting--;
    if (!d->scope)
        return component;
    struct reader *outer = &d->scope->reader;
    struct cm_extern is = {.sort = SORT_COMPONENT, .type = component->type};
    struct cm_def def = {.kind = DEF_COMPONENT,
                         .sort = SORT_COMPONENT,
                         .offset = (uint64_t)(at - outer->base),
                         .component = component};
    return scope_add(d, outer, at, &is) || scope_add_def(d, outer, at, &def) ? NULL : component;
}

static void items_read(struct cm_decode *d, struct reader *part, uint8_t id)
{
    uint32_t count = cm_limit_count(part, sections[id].limit);
    for (uint32_t i = 0; i < count && reader_ok(part); i++)
        sections[id].read(d, part);
}

static void section_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t id = reader_u8(r);
    if (id >= countof(sections)) {
        reader_fail_at(r, at, ERR_MALFORMED, "malformed section id %u", id);
        return;
    }
    struct reader part = reader_part(r, sections[id].text);
    if (!reader_ok(r))
        return;
    switch (id) {
    case SECTION_CUSTOM: custom_read(d, &part); break;
    case SECTION_CORE_MODULE: module_section_read(d, &part); break;
    case SECTION_COMPONENT: component_open(d, part); return; /* `r` stands behind it */
    case SECTION_START:
    case SECTION_VALUE:
        reader_fail_at(r, at, ERR_INVALID, "values and start functions are a gated feature");
        return;
    default: items_read(d, &part, id); break;
    }
    reader_close(&part, r, sections[id].text);
}

static const struct component *read_with(enum module_care care, struct bytes bytes,
                                         const uint8_t *file, struct cm_types *types,
                                         struct region *scratch, struct err *err)
{
    struct err ignored = {0};
    uint8_t *mark = region_mark(scratch);
    struct cm_decode d = {.types = types, .image = types->region, .scratch = scratch, .care = care};
    const struct component *component = NULL;
    err = err ? err : &ignored;
    types->work = 0;
    component_open(&d, reader_of(bytes, file, err));
    while (err->kind == ERR_NONE && d.scope) {
        struct reader *r = &d.scope->reader;
        if (reader_at_end(r))
            component = component_close(&d);
        else
            section_read(&d, r);
    }
    region_release(scratch, mark);
    return err->kind == ERR_NONE ? component : NULL;
}

const struct component *component_read(struct bytes bytes, const uint8_t *file,
                                       struct cm_types *types, struct region *scratch,
                                       struct err *err)
{
    enum module_care care = types->noted ? CARE_NOTE : CARE_VALIDATE;
    return read_with(care, bytes, file, types, scratch, err);
}

const struct component *component_scan(struct bytes bytes, const uint8_t *file,
                                       struct cm_types *types, struct region *scratch,
                                       struct err *err)
{
    return read_with(CARE_SCAN, bytes, file, types, scratch, err);
}
