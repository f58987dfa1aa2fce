/* Imports, functions, tables, memories, tags, globals, exports and the start function; see
 * decode.h. Core spec §5.5.5 to §5.5.11, §3.5.
 *
 * An index space holds what is imported first, then what the module defines; each is made when the
 * section of its definitions comes. */
#include "engine/wasm/decode.h"

/* --- Imports ------------------------------------------------------------------------------------
 */

void decode_externtype(struct decoder *d, struct reader *r, struct externtype *type)
{
    const uint8_t *at = r->at;
    uint8_t kind = reader_u8(r);
    type->kind = kind;
    switch (kind) {
    case EXTERN_FUNC: type->func = decode_functype(d, r); break;
    case EXTERN_TABLE: type->table = decode_tabletype(d, r); break;
    case EXTERN_MEMORY: type->memory = decode_memtype(r); break;
    case EXTERN_GLOBAL: type->global = decode_globaltype(d, r); break;
    case EXTERN_TAG: type->func = decode_tagtype(d, r); break;
    default: reader_fail_at(r, at, ERR_MALFORMED, "malformed import kind 0x%02x", kind); break;
    }
}

static void count_import(struct module *module, enum extern_kind kind)
{
    switch (kind) {
    case EXTERN_FUNC: module->imported_funcs++; break;
    case EXTERN_TABLE: module->imported_tables++; break;
    case EXTERN_MEMORY: module->imported_memories++; break;
    case EXTERN_GLOBAL: module->imported_globals++; break;
    case EXTERN_TAG: module->imported_tags++; break;
    }
}

/* The type of the next import of a kind; `at` is where to look on. NULL: there are no more. */
static const struct externtype *next_import(const struct module *module, enum extern_kind kind,
                                            uint32_t *at)
{
    while (*at < module->nimports) {
        const struct externtype *type = &module->imports[(*at)++].type;
        if (type->kind == kind)
            return type;
    }
    return NULL;
}

/* Imported globals may be used by all constant expressions, which begin before the global section.
 */
static void import_globals(struct decoder *d, struct reader *r)
{
    struct module *module = d->module;
    struct globaldef *globals = DECODE_ARRAY(d, r, struct globaldef, module->imported_globals);
    uint32_t at = 0;
    if (!globals)
        return;
    for (const struct externtype *type; (type = next_import(module, EXTERN_GLOBAL, &at));)
        globals[module->nglobals++].type = type->global;
    module->globals = globals;
}

void decode_imports(struct decoder *d, struct section *section)
{
    struct reader *r = &section->r;
    uint32_t count = section_count(section, COUNT_IMPORTS);
    struct import *imports = DECODE_ARRAY(d, r, struct import, count);
    for (uint32_t i = 0; imports && i < count && reader_ok(r); i++) {
        imports[i].module = decode_name(r, "module name of an import");
        imports[i].name = decode_name(r, "name of an import");
        decode_externtype(d, r, &imports[i].type);
        count_import(d->module, imports[i].type.kind);
    }
    d->module->imports = imports;
    d->module->nimports = reader_ok(r) ? count : 0;
    import_globals(d, r);
}

/* --- Index spaces -------------------------------------------------------------------------------
 */

/* The number of definitions that a section announces, `imported` ones being there already; the size
 * of the index space is within its limit. */
static uint32_t definitions(struct section *section, enum limit limit, uint32_t imported)
{
    const uint8_t *at = section->r.at;
    uint32_t count = section_count(section, limit);
    return limit_check(&section->r, at, limit, (uint64_t)imported + count) ? count : 0;
}

void decode_functions(struct decoder *d, struct section *section)
{
    struct module *module = d->module;
    struct reader *r = &section->r;
    uint32_t count = definitions(section, COUNT_FUNCTIONS, module->imported_funcs);
    uint32_t total = module->imported_funcs + count;
    struct function *funcs = DECODE_ARRAY(d, r, struct function, total);
    d->declared = DECODE_ARRAY(d, r, uint8_t, total / 8 + 1);
    if (!funcs || !d->declared)
        return;
    uint32_t n = 0;
    uint32_t at = 0;
    for (const struct externtype *type; (type = next_import(module, EXTERN_FUNC, &at));)
        funcs[n++].type = type->func;
    while (n < total && reader_ok(r))
        funcs[n++].type = decode_functype(d, r);
    d->funcs = funcs;
    module->funcs = funcs;
    module->nfuncs = total;
    module->declared = d->declared;
}

/* A table with an initial value for its elements, or without (§5.5.7). */
static void table_read(struct decoder *d, struct reader *r, struct table *table)
{
    const uint8_t *at = r->at;
    bool has_init = reader_peek(r) == 0x40;
    if (has_init) {
        r->at++;
        if (reader_u8(r) != 0)
            reader_fail_at(r, at, ERR_MALFORMED, "zero byte expected in a table");
    }
    table->type = decode_tabletype(d, r);
    if (has_init)
        table->init = decode_constexpr(d, r, table->type.element);
    else if (!vt_defaultable(table->type.element))
        reader_fail_at(r, at, ERR_INVALID,
                       "type mismatch: a table of references that may not be null needs a value");
}

void decode_tables(struct decoder *d, struct section *section)
{
    struct module *module = d->module;
    struct reader *r = &section->r;
    uint32_t count = definitions(section, COUNT_TABLES, module->imported_tables);
    uint32_t total = module->imported_tables + count;
    struct table *tables = DECODE_ARRAY(d, r, struct table, total);
    if (!tables)
        return;
    uint32_t n = 0;
    uint32_t at = 0;
    for (const struct externtype *type; (type = next_import(module, EXTERN_TABLE, &at));)
        tables[n++].type = type->table;
    while (n < total && reader_ok(r))
        table_read(d, r, &tables[n++]);
    module->tables = tables;
    module->ntables = total;
}

void decode_memories(struct decoder *d, struct section *section)
{
    struct module *module = d->module;
    struct reader *r = &section->r;
    uint32_t count = definitions(section, COUNT_MEMORIES, module->imported_memories);
    uint32_t total = module->imported_memories + count;
    struct memtype *memories = DECODE_ARRAY(d, r, struct memtype, total);
    if (!memories)
        return;
    uint32_t n = 0;
    uint32_t at = 0;
    for (const struct externtype *type; (type = next_import(module, EXTERN_MEMORY, &at));)
        memories[n++] = type->memory;
    while (n < total && reader_ok(r))
        memories[n++] = decode_memtype(r);
    module->memories = memories;
    module->nmemories = total;
}

void decode_tags(struct decoder *d, struct section *section)
{
    struct module *module = d->module;
    struct reader *r = &section->r;
    uint32_t count = definitions(section, COUNT_TAGS, module->imported_tags);
    uint32_t total = module->imported_tags + count;
    uint32_t *tags = DECODE_ARRAY(d, r, uint32_t, total);
    if (!tags)
        return;
    uint32_t n = 0;
    uint32_t at = 0;
    for (const struct externtype *type; (type = next_import(module, EXTERN_TAG, &at));)
        tags[n++] = type->func;
    while (n < total && reader_ok(r))
        tags[n++] = decode_tagtype(d, r);
    module->tags = tags;
    module->ntags = total;
}

void decode_globals(struct decoder *d, struct section *section)
{
    struct module *module = d->module;
    struct reader *r = &section->r;
    uint32_t count = definitions(section, COUNT_GLOBALS, module->imported_globals);
    uint32_t total = module->imported_globals + count;
    struct globaldef *globals = DECODE_ARRAY(d, r, struct globaldef, total);
    if (!globals)
        return;
    if (module->nglobals)
        memcpy(globals, module->globals, module->nglobals * sizeof *globals);
    module->globals = globals;
    /* Each may use those before it, so they are counted one by one. */
    while (module->nglobals < total && reader_ok(r)) {
        struct globaldef *global = &globals[module->nglobals];
        global->type = decode_globaltype(d, r);
        global->init = decode_constexpr(d, r, global->type.type);
        module->nglobals++;
    }
}

/* --- Exports and start --------------------------------------------------------------------------
 */

static uint32_t space_size(const struct module *module, enum extern_kind kind)
{
    switch (kind) {
    case EXTERN_FUNC: return module->nfuncs;
    case EXTERN_TABLE: return module->ntables;
    case EXTERN_MEMORY: return module->nmemories;
    case EXTERN_GLOBAL: return module->nglobals;
    case EXTERN_TAG: return module->ntags;
    }
    return 0;
}

static void export_read(struct decoder *d, struct reader *r, struct export *export)
{
    static const char *const words[] = {"function", "table", "memory", "global", "tag"};
    export->name = decode_name(r, "name of an export");
    const uint8_t *at = r->at;
    uint8_t kind = reader_u8(r);
    export->index = reader_u32(r);
    if (!reader_ok(r))
        return;
    if (kind > EXTERN_TAG) {
        reader_fail_at(r, at, ERR_MALFORMED, "malformed export kind 0x%02x", kind);
        return;
    }
    export->kind = kind;
    if (export->index >= space_size(d->module, kind))
        reader_fail_at(r, at, ERR_INVALID, "unknown %s %u in an export", words[kind],
                       export->index);
    else if (kind == EXTERN_FUNC)
        decode_declare(d, export->index);
}

/* Merges two sorted runs of export numbers, `middle` - `low` and `high` - `middle` long. */
static void merge(const struct export *exports, const uint32_t *from, uint32_t *to, uint32_t low,
                  uint32_t middle, uint32_t high)
{
    uint32_t a = low;
    uint32_t b = middle;
    for (uint32_t i = low; i < high; i++) {
        bool take_a = b == high || (a < middle &&
                                    str_compare(exports[from[a]].name, exports[from[b]].name) <= 0);
        to[i] = from[take_a ? a++ : b++];
    }
}

/* The numbers of the exports in the order of their names. Merging takes n log n comparisons
 * whatever the names are, which hashing would not promise. */
static uint32_t *sort_exports(struct decoder *d, struct reader *r, const struct export *exports,
                              uint32_t count)
{
    uint8_t *mark = region_mark(d->scratch);
    uint32_t *order = DECODE_ARRAY(d, r, uint32_t, count);
    uint32_t *other = region_array(d->scratch, uint32_t, count);
    if (!order || !other) {
        reader_fail(r, ERR_MEMORY, "no memory left for this module");
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t low = 0; low < count; low += 2 * width) {
            uint64_t middle = low + width < count ? low + width : count;
            uint64_t high = low + 2 * width < count ? low + 2 * width : count;
            merge(exports, order, other, (uint32_t)low, (uint32_t)middle, (uint32_t)high);
        }
        memcpy(order, other, count * sizeof *order);
    }
    region_release(d->scratch, mark);
    return order;
}

void decode_exports(struct decoder *d, struct section *section)
{
    struct module *module = d->module;
    struct reader *r = &section->r;
    uint32_t count = section_count(section, COUNT_EXPORTS);
    struct export *exports = DECODE_ARRAY(d, r, struct export, count);
    const uint8_t *start = r->at;
    for (uint32_t i = 0; exports && i < count && reader_ok(r); i++)
        export_read(d, r, &exports[i]);
    if (!exports || !reader_ok(r))
        return;
    const uint32_t *order = sort_exports(d, r, exports, count);
    for (uint32_t i = 1; order && i < count; i++)
        if (str_eq(exports[order[i - 1]].name, exports[order[i]].name))
            reader_fail_at(r, start, ERR_INVALID, "duplicate export name \"" STR_FMT "\"",
                           STR_ARG(exports[order[i]].name));
    module->exports = exports;
    module->exports_by_name = order;
    module->nexports = count;
}

void decode_start(struct decoder *d, struct section *section)
{
    struct module *module = d->module;
    struct reader *r = &section->r;
    if (!section->present)
        return;
    const uint8_t *at = r->at;
    uint32_t func = reader_u32(r);
    if (!reader_ok(r))
        return;
    if (func >= module->nfuncs) {
        reader_fail_at(r, at, ERR_INVALID, "unknown function %u as start function", func);
        return;
    }
    const struct functype *type = types_func(module->types, module->funcs[func].type);
    if (type->nparams || type->nresults)
        reader_fail_at(r, at, ERR_INVALID, "start function must not have parameters or results");
    module->has_start = true;
    module->start = func;
}
