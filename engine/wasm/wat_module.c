/* A module in the text format (core spec §6.6), part by part in the order of its sections. Names
 * are comments, as they need be neither unique nor there; every instruction has its offset in front
 * of it. What a few bytes of the binary format can blow up (locals, depth of blocks) is shown in
 * part. */
#include "engine/wasm/wat_code.h"

#include <inttypes.h>

#define LOCALS_SHOWN 1000
#define INDENT_MOST  60
#define DATA_LINE    64

/* --- Parts without code -------------------------------------------------------------------------
 */

/* "  (word (;index;)" */
static void begin(const struct wat *wat, const char *word, uint32_t index)
{
    out_format(wat->out, "  (%s (;%u;)", word, index);
}

static void end(const struct wat *wat)
{
    out_text(wat->out, ")\n");
}

static void show_section(const struct wat *wat, const struct wat_section *section)
{
    out_format(wat->out, "  ;; 0x%" PRIx64 ": ", wat_offset(wat, section->from));
    out_text(wat->out, section->name ? section->name : "custom section ");
    if (!section->name)
        out_quoted(wat->out, wat_bytes(section->custom));
    out_format(wat->out, ", %zu bytes\n", section->bytes.len);
}

static void show_types(struct wat *wat)
{
    const struct module *module = wat->module;
    for (uint32_t i = 0; i < module->ntypes;) {
        const struct deftype *first = types_get(module->types, module->type_ids[i]);
        uint32_t size = first->group_size;
        wat->group = i;
        wat->group_ids = first->group;
        wat->group_size = size;
        if (size > 1)
            out_text(wat->out, "  (rec\n");
        for (uint32_t k = 0; k < size && i < module->ntypes; k++, i++) {
            begin(wat, "type", i);
            out_char(wat->out, ' ');
            wat_deftype(wat, types_get(module->types, module->type_ids[i]));
            end(wat);
        }
        if (size > 1)
            out_text(wat->out, "  )\n");
    }
    wat->group_size = 0;
}

static void show_imports(const struct wat *wat)
{
    static const char *const words[] = {"func", "table", "memory", "global", "tag"};
    const struct module *module = wat->module;
    uint32_t counts[EXTERN_TAG + 1] = {0};
    for (uint32_t i = 0; i < module->nimports; i++) {
        const struct import *import = &module->imports[i];
        out_text(wat->out, "  (import ");
        out_quoted(wat->out, wat_bytes(import->module));
        out_char(wat->out, ' ');
        out_quoted(wat->out, wat_bytes(import->name));
        out_format(wat->out, " (%s (;%u;) ", words[import->type.kind], counts[import->type.kind]++);
        wat_extern_type(wat, &import->type);
        out_text(wat->out, "))\n");
    }
}

static void show_exports(const struct wat *wat)
{
    static const char *const words[] = {"func", "table", "memory", "global", "tag"};
    const struct module *module = wat->module;
    for (uint32_t i = 0; i < module->nexports; i++) {
        const struct export *export = &module->exports[i];
        out_text(wat->out, "  (export ");
        out_quoted(wat->out, wat_bytes(export->name));
        out_format(wat->out, " (%s %u))\n", words[export->kind], export->index);
    }
}

static void show_tables(const struct wat *wat)
{
    const struct module *module = wat->module;
    for (uint32_t i = module->imported_tables; i < module->ntables; i++) {
        const struct externtype type = module_type(module, EXTERN_TABLE, i);
        begin(wat, "table", i);
        out_char(wat->out, ' ');
        wat_extern_type(wat, &type);
        if (module->tables[i].init.at)
            wat_expression(wat, module->tables[i].init);
        end(wat);
    }
}

static void show_plain(const struct wat *wat, enum extern_kind kind, const char *word,
                       uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const struct externtype type = module_type(wat->module, kind, i);
        begin(wat, word, i);
        out_char(wat->out, ' ');
        wat_extern_type(wat, &type);
        if (kind == EXTERN_GLOBAL)
            wat_expression(wat, wat->module->globals[i].init);
        end(wat);
    }
}

static void show_offset(const struct wat *wat, const char *word, uint32_t index,
                        struct constexpr offset)
{
    out_format(wat->out, " (%s %u) (offset", word, index);
    wat_expression(wat, offset);
    out_char(wat->out, ')');
}

/* The bytes of one item, up to its end. */
static struct constexpr next_item(const struct wat *wat, struct reader *r)
{
    struct insn insn;
    const uint8_t *from = r->at;
    do
        insn_read(r, wat->module, &insn);
    while (reader_ok(r) && insn.op != OP_END);
    return (struct constexpr){from, (uint32_t)(r->at - from)};
}

static void show_items(const struct wat *wat, const struct elemsegment *elem)
{
    struct err ignored = {0};
    struct reader r =
        reader_of((struct bytes){elem->items, elem->items_len}, wat->module->file, &ignored);
    for (uint32_t i = 0; i < elem->count && reader_ok(&r); i++) {
        if (elem->are_functions) {
            out_format(wat->out, " %u", reader_u32(&r));
            continue;
        }
        out_text(wat->out, " (item");
        wat_expression(wat, next_item(wat, &r));
        out_char(wat->out, ')');
    }
}

static void show_elements(const struct wat *wat)
{
    for (uint32_t i = 0; i < wat->module->nelems; i++) {
        const struct elemsegment *elem = &wat->module->elems[i];
        begin(wat, "elem", i);
        if (elem->mode == SEGMENT_ACTIVE)
            show_offset(wat, "table", elem->table, elem->offset);
        else if (elem->mode == SEGMENT_DECLARATIVE)
            out_text(wat->out, " declare");
        out_char(wat->out, ' ');
        if (elem->are_functions)
            out_text(wat->out, "func");
        else
            wat_valtype(wat, elem->type);
        show_items(wat, elem);
        end(wat);
    }
}

static void show_datas(const struct wat *wat)
{
    for (uint32_t i = 0; i < wat->module->ndatas; i++) {
        const struct datasegment *data = &wat->module->datas[i];
        begin(wat, "data", i);
        if (data->mode == SEGMENT_ACTIVE)
            show_offset(wat, "memory", data->memory, data->offset);
        if (data->bytes.len > DATA_LINE)
            out_format(wat->out, " (; %zu bytes ;)", data->bytes.len);
        for (size_t at = 0; at < data->bytes.len; at += DATA_LINE) {
            size_t left = data->bytes.len - at;
            out_text(wat->out, data->bytes.len > DATA_LINE ? "\n    " : " ");
            out_quoted(wat->out,
                       (struct bytes){data->bytes.at + at, left < DATA_LINE ? left : DATA_LINE});
        }
        end(wat);
    }
}

/* --- Functions ----------------------------------------------------------------------------------
 */

/* What the body declares; more than a few are told, not shown. */
static void show_locals(const struct wat *wat, struct reader *r)
{
    uint32_t shown = 0;
    uint64_t hidden = 0;
    for (uint32_t groups = reader_u32(r); groups && reader_ok(r); groups--) {
        uint32_t count = reader_u32(r);
        valtype type = valtype_read(r, wat->module);
        for (; count && shown < LOCALS_SHOWN; count--, shown++) {
            out_text(wat->out, shown ? " " : "    (local ");
            wat_valtype(wat, type);
        }
        hidden += count;
    }
    if (hidden)
        out_format(wat->out, " (; and %" PRIu64 " more ;)", hidden);
    if (shown)
        end(wat);
}

static bool opens(enum op op)
{
    return op == OP_BLOCK || op == OP_LOOP || op == OP_IF || op == OP_TRY || op == OP_TRY_TABLE;
}

/* Stands one level further out than what it divides. */
static bool divides(enum op op)
{
    return op == OP_ELSE || op == OP_CATCH || op == OP_CATCH_ALL;
}

static void show_code(const struct wat *wat, struct reader *r)
{
    struct insn insn;
    for (uint32_t depth = 1; depth && reader_ok(r);) {
        insn_read(r, wat->module, &insn);
        if (insn.op == OP_END || insn.op == OP_DELEGATE)
            depth--;
        if (!depth)
            return; /* the function's own end is a parenthesis */
        uint32_t indent = 2 * (depth - (divides(insn.op) ? 1 : 0));
        out_format(wat->out, "(;@%06" PRIx64 ";) ", wat_offset(wat, insn.at));
        out_spaces(wat->out, indent < INDENT_MOST ? indent : INDENT_MOST);
        wat_insn(wat, &insn);
        if (opens(insn.op))
            out_format(wat->out, " ;; label %u", depth++);
        out_char(wat->out, '\n');
    }
}

void wat_function(const struct wat *wat, uint32_t func)
{
    const struct function *function = &wat->module->funcs[func];
    struct err ignored = {0};
    struct reader r =
        reader_of((struct bytes){function->body, function->body_len}, wat->module->file, &ignored);
    begin(wat, "func", func);
    wat_comment_name(wat, wat_func_name(wat, func));
    out_text(wat->out, " (type ");
    wat_type_index(wat, function->type);
    out_char(wat->out, ')');
    wat_signature(wat, types_func(wat->module->types, function->type));
    out_format(wat->out, " ;; 0x%" PRIx64 ", %u bytes\n", wat_offset(wat, function->body),
               function->body_len);
    show_locals(wat, &r);
    show_code(wat, &r);
    out_text(wat->out, "  )\n");
}

/* --- Sections -----------------------------------------------------------------------------------
 */

static void show_functions(const struct wat *wat, wat_after *after, void *data)
{
    for (uint32_t i = wat->module->imported_funcs; i < wat->module->nfuncs; i++) {
        wat_function(wat, i);
        if (after)
            after(wat, i, data);
    }
}

static void show_content(struct wat *wat, const struct wat_section *section, wat_after *after,
                         void *data)
{
    const struct module *module = wat->module;
    switch (section->id) {
    case SECTION_TYPE: show_types(wat); break;
    case SECTION_IMPORT: show_imports(wat); break;
    case SECTION_TABLE: show_tables(wat); break;
    case SECTION_MEMORY:
        show_plain(wat, EXTERN_MEMORY, "memory", module->imported_memories, module->nmemories);
        break;
    case SECTION_TAG:
        show_plain(wat, EXTERN_TAG, "tag", module->imported_tags, module->ntags);
        break;
    case SECTION_GLOBAL:
        show_plain(wat, EXTERN_GLOBAL, "global", module->imported_globals, module->nglobals);
        break;
    case SECTION_EXPORT: show_exports(wat); break;
    case SECTION_START: out_format(wat->out, "  (start %u)\n", module->start); break;
    case SECTION_ELEMENT: show_elements(wat); break;
    case SECTION_CODE: show_functions(wat, after, data); break;
    case SECTION_DATA: show_datas(wat); break;
    default: break; /* custom, functions' types, the number of data segments */
    }
}

void wat_module(struct wat *wat, wat_after *after, void *data)
{
    const struct module *module = wat->module;
    const uint8_t *at = NULL;
    struct wat_section section;
    out_text(wat->out, "(module");
    wat_comment_name(wat, module_name(module));
    out_format(wat->out, " ;; 0x%" PRIx64 ", %zu bytes\n", wat_offset(wat, module->bytes.at),
               module->bytes.len);
    while (wat_section(module, &at, &section)) {
        show_section(wat, &section);
        show_content(wat, &section, after, data);
    }
    out_text(wat->out, ")\n");
}
