/* Core types, module types and core instances; see decode.h. Binary.md "Instance Definitions",
 * "Type Definitions". */
#include "engine/component/decode.h"

#define BYTE_MODULE 0x50 /* of a module type; of `sub` behind a zero (Binary.md) */

/* --- Module types -------------------------------------------------------------------------------
 */

/* Sorts the items of a module type by name; fails if two imports or two exports have the same. */
static int sort_items(struct cm_decode *d, struct reader *r, const uint8_t *at,
                      struct cm_module_type *type)
{
    struct symbol_place *imports = region_array(d->image, struct symbol_place, type->nimports);
    struct symbol_place *exports = region_array(d->image, struct symbol_place, type->nexports);
    if (!imports || !exports)
        return decode_full(r, at);
    for (uint32_t i = 0; i < type->nimports; i++)
        imports[i] = (struct symbol_place){
            symbol_key_pair(type->imports[i].module, type->imports[i].name), i};
    for (uint32_t i = 0; i < type->nexports; i++)
        exports[i] = (struct symbol_place){symbol_key(type->exports[i].name), i};
    symbol_sort(imports, type->nimports);
    symbol_sort(exports, type->nexports);
    for (uint32_t i = 1; i < type->nimports; i++)
        if (imports[i].key == imports[i - 1].key) {
            const struct cm_core_import *import = &type->imports[imports[i].index];
            return reader_fail_at(r, at, ERR_INVALID,
                                  "duplicate core import '" STR_FMT "' '" STR_FMT "'",
                                  STR_ARG(import->module->text), STR_ARG(import->name->text));
        }
    for (uint32_t i = 1; i < type->nexports; i++)
        if (exports[i].key == exports[i - 1].key)
            return reader_fail_at(r, at, ERR_INVALID,
                                  "core export name '" STR_FMT "' already defined",
                                  STR_ARG(type->exports[exports[i].index].name->text));
    type->import_places = imports;
    type->export_places = exports;
    return 0;
}

static struct cm_module_type *
module_type_new(struct cm_decode *d, const struct cm_core_import *imports, uint32_t nimports,
                const struct cm_core_export *exports, uint32_t nexports)
{
    struct cm_module_type *type = region_new(d->image, struct cm_module_type);
    if (!type)
        return NULL;
    type->nimports = nimports;
    type->nexports = nexports;
    type->imports =
        region_copy(d->image, imports, nimports * sizeof *imports, _Alignof(struct cm_core_import));
    type->exports =
        region_copy(d->image, exports, nexports * sizeof *exports, _Alignof(struct cm_core_export));
    return type->imports && type->exports ? type : NULL;
}

const struct cm_module_type *module_type_of(struct cm_decode *d, struct reader *r,
                                            const uint8_t *at, const struct module *module)
{
    uint8_t *mark = region_mark(d->scratch);
    struct symbols *symbols = &d->types->symbols;
    struct cm_core_import *imports =
        region_array(d->scratch, struct cm_core_import, module->nimports);
    struct cm_core_export *exports =
        region_array(d->scratch, struct cm_core_export, module->nexports);
    bool room = imports && exports;
    for (uint32_t i = 0; room && i < module->nimports; i++) {
        const struct import *import = &module->imports[i];
        imports[i] = (struct cm_core_import){symbol_of(symbols, import->module, false),
                                             symbol_of(symbols, import->name, false), import->type};
        room = imports[i].module && imports[i].name;
    }
    for (uint32_t i = 0; room && i < module->nexports; i++) {
        const struct export *export = &module->exports[i];
        exports[i] = (struct cm_core_export){symbol_of(symbols, export->name, false),
                                             module_type(module, export->kind, export->index)};
        room = exports[i].name;
    }
    struct cm_module_type *type =
        room ? module_type_new(d, imports, module->nimports, exports, module->nexports) : NULL;
    region_release(d->scratch, mark);
    if (!type) {
        decode_full(r, at);
        return NULL;
    }
    return sort_items(d, r, at, type) ? NULL : type;
}

/* A module type while its declarations are read. It has core types of its own. */
struct module_scope {
    struct typespace types;
    GROW(struct cm_core_import) imports;
    GROW(struct cm_core_export) exports;
};

static void core_outer_type(struct cm_decode *d, struct reader *r, struct module_scope *scope)
{
    const uint8_t *at = r->at;
    uint8_t sort = reader_u8(r);
    uint8_t target = reader_u8(r);
    if (reader_ok(r) && (sort != 0x10 || target != 0x01)) {
        reader_fail_at(r, at, ERR_MALFORMED, "a module type may alias outer core types only");
        return;
    }
    at = r->at;
    uint32_t count = reader_u32(r);
    uint32_t index = reader_u32(r);
    if (!reader_ok(r))
        return;
    if (count == 0) {
        if (index < scope->types.count)
            typespace_add(&scope->types, r, scope->types.ids[index]);
        else
            reader_fail_at(r, at, ERR_INVALID, "core type index out of bounds: %u, there are %u",
                           index, scope->types.count);
        return;
    }
    struct scope *target_scope = d->scope;
    for (uint32_t i = 1; i < count && target_scope; i++)
        target_scope = target_scope->outer;
    if (!target_scope) {
        reader_fail_at(r, at, ERR_INVALID, "invalid outer alias count of %u", count);
        return;
    }
    if (scope_check(target_scope, r, at, SORT_CORE_TYPE, index))
        return;
    if (target_scope->core_types.ids[index] == TYPE_NONE)
        reader_fail_at(r, at, ERR_INVALID, "a module type cannot be used inside a module type");
    else
        typespace_add(&scope->types, r, target_scope->core_types.ids[index]);
}

/* `core:type` without module types: a `sub` has a zero before it, as 0x50 is a module type's. */
static void rectype_read(struct reader *r, struct typespace *space)
{
    const uint8_t *at = r->at;
    uint8_t byte = reader_peek(r);
    if (byte == BYTE_MODULE) {
        reader_fail_at(r, at, ERR_INVALID, "a module type inside a module type");
        return;
    }
    if (byte == 0x00 && !reader_at_end(r)) {
        r->at++;
        if (reader_peek(r) != BYTE_MODULE) {
            reader_fail_at(r, at, ERR_MALFORMED, "0x00 0x%02x does not begin a core type",
                           reader_peek(r));
            return;
        }
    }
    typespace_read(space, r);
}

static void module_declaration(struct cm_decode *d, struct reader *r, struct module_scope *scope)
{
    const uint8_t *at = r->at;
    uint8_t kind = reader_u8(r);
    struct cm_core_import import;
    struct cm_core_export export;
    switch (kind) {
    case 0:
        import.module = symbol_read(d, r, "module name of an import");
        import.name = symbol_read(d, r, "name of an import");
        import.type = typespace_externtype(&scope->types, r);
        if (!reader_ok(r))
            return;
        if (grow_room(&scope->imports, d->scratch))
            grow_push(&scope->imports, import);
        else
            decode_full(r, at);
        return;
    case 1: rectype_read(r, &scope->types); return;
    case 2: core_outer_type(d, r, scope); return;
    case 3:
        export.name = symbol_read(d, r, "name of an export");
        export.type = typespace_externtype(&scope->types, r);
        if (!reader_ok(r))
            return;
        if (grow_room(&scope->exports, d->scratch))
            grow_push(&scope->exports, export);
        else
            decode_full(r, at);
        return;
    default:
        reader_fail_at(r, at, ERR_MALFORMED, "0x%02x does not begin a declaration of a module type",
                       *at);
        return;
    }
}

static const struct cm_module_type *module_type_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t *mark = region_mark(d->scratch);
    struct module_scope scope = {.types = typespace_of(d->types->core, d->scratch)};
    uint32_t count = cm_limit_count(r, CM_COUNT_DECLARATIONS);
    for (uint32_t i = 0; i < count && reader_ok(r); i++)
        module_declaration(d, r, &scope);
    struct cm_module_type *type = NULL;
    if (reader_ok(r)) {
        type = module_type_new(d, scope.imports.at, scope.imports.count, scope.exports.at,
                               scope.exports.count);
        if (!type)
            decode_full(r, at);
        else if (sort_items(d, r, at, type))
            type = NULL;
    }
    region_release(d->scratch, mark);
    return type;
}

void core_type_read(struct cm_decode *d, struct reader *r)
{
    struct scope *scope = d->scope;
    const uint8_t *at = r->at;
    const struct cm_module_type *module = NULL;
    if (reader_peek(r) == BYTE_MODULE) {
        r->at++;
        module = module_type_read(d, r);
        if (!module || !typespace_add(&scope->core_types, r, TYPE_NONE))
            return;
    } else {
        rectype_read(r, &scope->core_types);
    }
    if (!reader_ok(r))
        return;
    /* A recursion group may have added several. */
    while (scope->core_module_types.count < scope->core_types.count) {
        if (!grow_room(&scope->core_module_types, d->scratch)) {
            decode_full(r, at);
            return;
        }
        grow_push(&scope->core_module_types, module);
    }
}

/* --- Core instances -----------------------------------------------------------------------------
 */

/* Copies items to the image and sorts them by name; fails if two have the same. */
static int keep_items(struct cm_decode *d, struct reader *r, const uint8_t *at, struct cm_def *def,
                      const struct cm_item *items, uint32_t count)
{
    struct symbol_place *places = region_array(d->image, struct symbol_place, count);
    def->nitems = count;
    def->items = region_copy(d->image, items, count * sizeof *items, _Alignof(struct cm_item));
    def->places = places;
    if (!def->items || !places)
        return decode_full(r, at);
    for (uint32_t i = 0; i < count; i++)
        places[i] = (struct symbol_place){symbol_key(items[i].name), i};
    symbol_sort(places, count);
    for (uint32_t i = 1; i < count; i++)
        if (places[i].key == places[i - 1].key)
            return reader_fail_at(r, at, ERR_INVALID, "the name '" STR_FMT "' is given twice",
                                  STR_ARG(items[places[i].index].name->text));
    return 0;
}

/* Finds what a module imports among its arguments, and compares the types. */
static int check_arguments(struct cm_decode *d, struct reader *r, const uint8_t *at,
                           const struct cm_module_type *module, const struct cm_def *def)
{
    if (cm_types_work(d->types, module->nimports, r->err))
        return decode_failed(r, at);
    for (uint32_t i = 0; i < module->nimports; i++) {
        const struct cm_core_import *import = &module->imports[i];
        uint32_t arg = symbol_search(def->places, def->nitems, symbol_key(import->module));
        if (arg == SYMBOL_ABSENT)
            return reader_fail_at(r, at, ERR_INVALID,
                                  "missing argument '" STR_FMT "' of a core module",
                                  STR_ARG(import->module->text));
        const struct cm_module_type *from = d->scope->core_instances.at[def->items[arg].index];
        uint32_t export =
            symbol_search(from->export_places, from->nexports, symbol_key(import->name));
        if (export == SYMBOL_ABSENT)
            return reader_fail_at(r, at, ERR_INVALID,
                                  "argument '" STR_FMT "' does not export '" STR_FMT "'",
                                  STR_ARG(import->module->text), STR_ARG(import->name->text));
        if (!externtype_matches(d->types->core, &from->exports[export].type, &import->type))
            return reader_fail_at(r, at, ERR_INVALID,
                                  "type mismatch: '" STR_FMT "' of argument '" STR_FMT
                                  "' is not what the core module imports",
                                  STR_ARG(import->name->text), STR_ARG(import->module->text));
    }
    return 0;
}

static const struct cm_module_type *core_instantiate_read(struct cm_decode *d, struct reader *r,
                                                          const uint8_t *at, struct cm_def *def)
{
    struct scope *scope = d->scope;
    const uint8_t *index_at = r->at;
    def->kind = DEF_CORE_INSTANTIATE;
    def->of = reader_u32(r);
    if (scope_check(scope, r, index_at, SORT_MODULE, def->of))
        return NULL;
    uint32_t count = cm_limit_count(r, CM_COUNT_ARGUMENTS);
    struct cm_item *items = region_array(d->scratch, struct cm_item, count);
    if (!items) {
        decode_full(r, at);
        return NULL;
    }
    for (uint32_t i = 0; i < count && reader_ok(r); i++) {
        items[i].name = symbol_read(d, r, "name of an argument");
        const uint8_t *sort_at = r->at;
        uint8_t sort = reader_u8(r);
        if (reader_ok(r) && sort != 0x12)
            reader_fail_at(r, sort_at, ERR_MALFORMED,
                           "0x%02x is no sort of an argument, a core instance is needed", sort);
        items[i].sort = SORT_CORE_INSTANCE;
        sort_at = r->at;
        items[i].index = reader_u32(r);
        scope_check(scope, r, sort_at, SORT_CORE_INSTANCE, items[i].index);
    }
    const struct cm_module_type *module = scope->modules.at[def->of];
    if (!reader_ok(r) || keep_items(d, r, at, def, items, count) ||
        check_arguments(d, r, at, module, def))
        return NULL;
    return module;
}

static const struct cm_module_type *core_exports_read(struct cm_decode *d, struct reader *r,
                                                      const uint8_t *at, struct cm_def *def)
{
    uint32_t count = cm_limit_count(r, CM_COUNT_INLINE_EXPORTS);
    struct cm_item *items = region_array(d->scratch, struct cm_item, count);
    struct cm_core_export *exports = region_array(d->scratch, struct cm_core_export, count);
    def->kind = DEF_CORE_EXPORTS;
    if (!items || !exports) {
        decode_full(r, at);
        return NULL;
    }
    for (uint32_t i = 0; i < count && reader_ok(r); i++) {
        exports[i].name = items[i].name = symbol_read(d, r, "name of an export");
        items[i].sort = core_sort_read(r);
        const uint8_t *index_at = r->at;
        items[i].index = reader_u32(r);
        if (reader_ok(r))
            scope_core_extern(d->scope, r, index_at, items[i].sort, items[i].index,
                              &exports[i].type);
    }
    if (!reader_ok(r))
        return NULL;
    struct cm_module_type *type = module_type_new(d, NULL, 0, exports, count);
    if (!type) {
        decode_full(r, at);
        return NULL;
    }
    if (sort_items(d, r, at, type) || keep_items(d, r, at, def, items, count))
        return NULL;
    def->core_shape = type;
    return type;
}

void core_instance_read(struct cm_decode *d, struct reader *r)
{
    struct scope *scope = d->scope;
    const uint8_t *at = r->at;
    uint8_t *mark = region_mark(d->scratch);
    struct cm_def def = {.sort = SORT_CORE_INSTANCE, .offset = reader_offset(r)};
    const struct cm_module_type *type = NULL;
    uint8_t form = reader_u8(r);
    if (form == 0)
        type = core_instantiate_read(d, r, at, &def);
    else if (form == 1)
        type = core_exports_read(d, r, at, &def);
    else
        reader_fail_at(r, at, ERR_MALFORMED, "0x%02x does not begin a core instance", form);
    region_release(d->scratch, mark);
    if (!type)
        return;
    if (scope->core_instances.count >= CM_LIMIT_INSTANCES) {
        cm_limit_passed(r->err, ERR_NOWHERE, CM_COUNT_INSTANCES);
        decode_failed(r, at);
        return;
    }
    if (!grow_room(&scope->core_instances, d->scratch)) {
        decode_full(r, at);
        return;
    }
    grow_push(&scope->core_instances, type);
    scope_add_def(d, r, at, &def);
}
