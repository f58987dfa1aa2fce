/* What a module consists of: sections with their places and sizes, imports, exports, functions. */
#include "engine/wasm/wat.h"

#include "engine/base/reader.h"
#include <inttypes.h>

/* --- Beginning ----------------------------------------------------------------------------------
 */

/* Takes the names of functions from the name section (appendix §7.4.1), as far as it makes sense.
 */
static void take_names(struct str *names, const struct module *module)
{
    struct err ignored = {0};
    struct reader r = reader_of(module->names, module->file, &ignored);
    while (reader_ok(&r) && !reader_at_end(&r)) {
        uint8_t id = reader_u8(&r);
        struct reader map = reader_part(&r, "name subsection");
        for (uint32_t count = id == 1 ? reader_u32(&map) : 0; count && reader_ok(&map); count--) {
            uint32_t index = reader_u32(&map);
            struct str name = reader_name(&map, "function name");
            if (reader_ok(&map) && index < module->nfuncs)
                names[index] = name;
        }
    }
}

static const struct str *names_of(const struct module *module, struct region *scratch)
{
    struct str *names = region_array(scratch, struct str, module->nfuncs);
    if (!names)
        return NULL;
    for (uint32_t i = 0, func = 0; i < module->nimports; i++)
        if (module->imports[i].type.kind == EXTERN_FUNC)
            names[func++] = module->imports[i].name;
    for (uint32_t i = module->nexports; i--;)
        if (module->exports[i].kind == EXTERN_FUNC)
            names[module->exports[i].index] = module->exports[i].name;
    take_names(names, module);
    return names;
}

static const uint32_t *types_of(const struct module *module, struct region *scratch)
{
    uint32_t *type_of = region_array(scratch, uint32_t, types_count(module->types));
    for (uint32_t i = module->ntypes; type_of && i--;)
        type_of[module->type_ids[i]] = i;
    return type_of;
}

struct wat wat_begin(const struct module *module, struct region *scratch, struct out *out)
{
    return (struct wat){.out = out,
                        .module = module,
                        .names = names_of(module, scratch),
                        .type_of = types_of(module, scratch)};
}

struct str wat_func_name(const struct wat *wat, uint32_t func)
{
    return wat->names && func < wat->module->nfuncs ? wat->names[func] : (struct str){0};
}

/* --- Sections -----------------------------------------------------------------------------------
 */

static const char *section_name(uint8_t id)
{
    switch (id) {
#define SECTION(id, NAME, name, function)                                                          \
    case id: return name;
#include "engine/wasm/section.def"
#undef SECTION
    default: return NULL;
    }
}

bool wat_section(const struct module *module, const uint8_t **at, struct wat_section *ret)
{
    enum { HEADER = 8 };
    struct err ignored = {0};
    struct bytes rest = module->bytes;
    size_t skipped = *at ? (size_t)(*at - rest.at) : HEADER;
    rest.at += skipped;
    rest.len -= skipped;
    struct reader r = reader_of(rest, module->file, &ignored);
    if (reader_at_end(&r))
        return false;
    *ret = (struct wat_section){.from = r.at, .id = reader_u8(&r)};
    ret->bytes = reader_vec(&r, "section");
    ret->name = section_name(ret->id);
    if (!ret->id) {
        struct reader custom = reader_of(ret->bytes, module->file, &ignored);
        ret->custom = reader_name(&custom, "custom section name");
    }
    *at = r.at;
    return reader_ok(&r);
}

/* How many items a section has; 0 where it is no vector. */
static uint32_t section_items(const struct module *module, const struct wat_section *section)
{
    struct err ignored = {0};
    struct reader r = reader_of(section->bytes, module->file, &ignored);
    bool vector = section->id != SECTION_CUSTOM && section->id != SECTION_START &&
                  section->id != SECTION_DATA_COUNT;
    return vector ? reader_u32(&r) : 0;
}

static uint64_t offset_of(const struct module *module, const uint8_t *at)
{
    return (uint64_t)(at - module->file);
}

/* --- As text ------------------------------------------------------------------------------------
 */

static const char *const extern_words[] = {
    [EXTERN_FUNC] = "func",     [EXTERN_TABLE] = "table", [EXTERN_MEMORY] = "memory",
    [EXTERN_GLOBAL] = "global", [EXTERN_TAG] = "tag",
};

static struct bytes bytes_of(struct str text)
{
    return (struct bytes){(const uint8_t *)text.at, text.len};
}

static void list_sections(const struct wat *wat)
{
    const uint8_t *at = NULL;
    struct wat_section section;
    out_text(wat->out, "  offset      size     items  section\n");
    while (wat_section(wat->module, &at, &section)) {
        uint32_t items = section_items(wat->module, &section);
        out_format(wat->out, "  0x%08" PRIx64 "  %7zu  ", offset_of(wat->module, section.bytes.at),
                   section.bytes.len);
        if (items)
            out_format(wat->out, "%8u  ", items);
        else
            out_spaces(wat->out, 10);
        out_text(wat->out, section.name ? section.name : "custom section ");
        if (!section.name)
            out_quoted(wat->out, bytes_of(section.custom));
        out_char(wat->out, '\n');
    }
}

static void list_externs(const struct wat *wat)
{
    const struct module *module = wat->module;
    for (uint32_t i = 0; i < module->nimports; i++) {
        const struct import *import = &module->imports[i];
        out_text(wat->out, "  import ");
        out_quoted(wat->out, bytes_of(import->module));
        out_char(wat->out, ' ');
        out_quoted(wat->out, bytes_of(import->name));
        out_format(wat->out, " %s ", extern_words[import->type.kind]);
        wat_extern_type(wat, &import->type);
        out_char(wat->out, '\n');
    }
    for (uint32_t i = 0; i < module->nexports; i++) {
        const struct export *export = &module->exports[i];
        const struct externtype type = module_type(module, export->kind, export->index);
        out_text(wat->out, "  export ");
        out_quoted(wat->out, bytes_of(export->name));
        out_format(wat->out, " %s %u ", extern_words[export->kind], export->index);
        wat_extern_type(wat, &type);
        out_char(wat->out, '\n');
    }
}

static void list_functions(const struct wat *wat)
{
    const struct module *module = wat->module;
    for (uint32_t i = module->imported_funcs; i < module->nfuncs; i++) {
        const struct function *function = &module->funcs[i];
        out_format(wat->out, "  0x%08" PRIx64 "  %7u  func %u", offset_of(module, function->body),
                   function->body_len, i);
        if (wat_func_name(wat, i).len) {
            out_char(wat->out, ' ');
            out_quoted(wat->out, bytes_of(wat_func_name(wat, i)));
        }
        wat_signature(wat, types_func(module->types, function->type));
        out_char(wat->out, '\n');
    }
}

void wat_list(const struct wat *wat)
{
    const struct module *module = wat->module;
    out_format(wat->out, "core module at 0x%" PRIx64 ", %zu bytes",
               offset_of(module, module->bytes.at), module->bytes.len);
    if (module_name(module).len) {
        out_char(wat->out, ' ');
        out_quoted(wat->out, bytes_of(module_name(module)));
    }
    out_char(wat->out, '\n');
    list_sections(wat);
    list_externs(wat);
    list_functions(wat);
}

/* --- As JSON ------------------------------------------------------------------------------------
 */

static void member(const struct wat *wat, const char *name, struct str value)
{
    out_format(wat->out, ",\"%s\":", name);
    out_json(wat->out, bytes_of(value));
}

/* Type texts hold no character that JSON escapes. */
static void type_member(const struct wat *wat, const struct externtype *type)
{
    out_format(wat->out, ",\"kind\":\"%s\",\"type\":\"", extern_words[type->kind]);
    wat_extern_type(wat, type);
    out_text(wat->out, "\"}");
}

static void json_sections(const struct wat *wat)
{
    const uint8_t *at = NULL;
    struct wat_section section;
    const char *between = "";
    while (wat_section(wat->module, &at, &section)) {
        out_format(wat->out, "%s{\"id\":%u,\"offset\":%" PRIu64 ",\"size\":%zu,\"items\":%u",
                   between, section.id, offset_of(wat->module, section.bytes.at), section.bytes.len,
                   section_items(wat->module, &section));
        member(wat, "name", section.name ? str_of(section.name) : section.custom);
        out_char(wat->out, '}');
        between = ",";
    }
}

static void json_externs(const struct wat *wat)
{
    const struct module *module = wat->module;
    out_text(wat->out, "],\"imports\":[");
    for (uint32_t i = 0; i < module->nimports; i++) {
        out_format(wat->out, "%s{\"index\":%u", i ? "," : "", i);
        member(wat, "module", module->imports[i].module);
        member(wat, "name", module->imports[i].name);
        type_member(wat, &module->imports[i].type);
    }
    out_text(wat->out, "],\"exports\":[");
    for (uint32_t i = 0; i < module->nexports; i++) {
        const struct export *export = &module->exports[i];
        const struct externtype type = module_type(module, export->kind, export->index);
        out_format(wat->out, "%s{\"index\":%u", i ? "," : "", export->index);
        member(wat, "name", export->name);
        type_member(wat, &type);
    }
}

static void json_functions(const struct wat *wat)
{
    const struct module *module = wat->module;
    out_text(wat->out, "],\"functions\":[");
    for (uint32_t i = module->imported_funcs; i < module->nfuncs; i++) {
        const struct function *function = &module->funcs[i];
        const struct externtype type = {.kind = EXTERN_FUNC, .func = function->type};
        out_format(wat->out, "%s{\"index\":%u,\"offset\":%" PRIu64 ",\"size\":%u",
                   i > module->imported_funcs ? "," : "", i, offset_of(module, function->body),
                   function->body_len);
        member(wat, "name", wat_func_name(wat, i));
        type_member(wat, &type);
    }
}

void wat_list_json(const struct wat *wat)
{
    const struct module *module = wat->module;
    out_format(wat->out, "{\"offset\":%" PRIu64 ",\"size\":%zu",
               offset_of(module, module->bytes.at), module->bytes.len);
    member(wat, "name", module_name(module));
    out_text(wat->out, ",\"sections\":[");
    json_sections(wat);
    json_externs(wat);
    json_functions(wat);
    out_text(wat->out, "]}");
}
