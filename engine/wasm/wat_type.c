/* Types as in the text format (core spec §6.4). */
#include "engine/wasm/wat.h"

#include <inttypes.h>

static const struct {
    heaptype heap;
    const char *name;
    const char *ref; /* the short form of a nullable reference */
} abstract[] = {
    {HEAP_FUNC, "func", "funcref"},      {HEAP_EXTERN, "extern", "externref"},
    {HEAP_ANY, "any", "anyref"},         {HEAP_EQ, "eq", "eqref"},
    {HEAP_I31, "i31", "i31ref"},         {HEAP_STRUCT, "struct", "structref"},
    {HEAP_ARRAY, "array", "arrayref"},   {HEAP_EXN, "exn", "exnref"},
    {HEAP_NONE, "none", "nullref"},      {HEAP_NOFUNC, "nofunc", "nullfuncref"},
    {HEAP_NOEXN, "noexn", "nullexnref"}, {HEAP_NOEXTERN, "noextern", "nullexternref"},
};

void wat_type_index(const struct wat *wat, uint32_t id)
{
    uint32_t index = id;
    if (wat->group_size && id - wat->group_ids < wat->group_size)
        index = wat->group + (id - wat->group_ids);
    else if (wat->type_of)
        index = wat->type_of[id];
    out_format(wat->out, "%u", index);
}

void wat_heaptype(const struct wat *wat, heaptype heap)
{
    for (size_t i = 0; i < countof(abstract); i++)
        if (abstract[i].heap == heap) {
            out_text(wat->out, abstract[i].name);
            return;
        }
    wat_type_index(wat, heap);
}

static void reference(const struct wat *wat, valtype type)
{
    if (vt_is_nullable(type))
        for (size_t i = 0; i < countof(abstract); i++)
            if (abstract[i].heap == vt_heap(type)) {
                out_text(wat->out, abstract[i].ref);
                return;
            }
    out_text(wat->out, vt_is_nullable(type) ? "(ref null " : "(ref ");
    wat_heaptype(wat, vt_heap(type));
    out_char(wat->out, ')');
}

void wat_valtype(const struct wat *wat, valtype type)
{
    switch (vt_kind(type)) {
    case VT_I32: out_text(wat->out, "i32"); break;
    case VT_I64: out_text(wat->out, "i64"); break;
    case VT_F32: out_text(wat->out, "f32"); break;
    case VT_F64: out_text(wat->out, "f64"); break;
    case VT_V128: out_text(wat->out, "v128"); break;
    default: reference(wat, type); break;
    }
}

static void types(const struct wat *wat, const char *word, const valtype *at, uint32_t count)
{
    if (!count)
        return;
    out_format(wat->out, " (%s", word);
    for (uint32_t i = 0; i < count; i++) {
        out_char(wat->out, ' ');
        wat_valtype(wat, at[i]);
    }
    out_char(wat->out, ')');
}

void wat_signature(const struct wat *wat, const struct functype *type)
{
    types(wat, "param", type->params, type->nparams);
    types(wat, "result", type->results, type->nresults);
}

void wat_limits(const struct wat *wat, const struct limits *limits)
{
    out_format(wat->out, "%s%" PRIu64, limits->is64 ? "i64 " : "", limits->min);
    if (limits->has_max)
        out_format(wat->out, " %" PRIu64, limits->max);
    if (limits->shared)
        out_text(wat->out, " shared");
}

static void memory(const struct wat *wat, const struct memtype *type)
{
    wat_limits(wat, &type->limits);
    if (type->page_log2 != 16)
        out_format(wat->out, " (pagesize %u)", 1u << type->page_log2);
}

static void mutable_type(const struct wat *wat, valtype type, uint8_t packed, bool mutable)
{
    if (mutable)
        out_text(wat->out, "(mut ");
    if (packed)
        out_format(wat->out, "i%u", packed);
    else
        wat_valtype(wat, type);
    if (mutable)
        out_char(wat->out, ')');
}

void wat_extern_type(const struct wat *wat, const struct externtype *type)
{
    switch (type->kind) {
    case EXTERN_FUNC:
    case EXTERN_TAG:
        out_text(wat->out, "(type ");
        wat_type_index(wat, type->func);
        out_char(wat->out, ')');
        wat_signature(wat, types_func(wat->module->types, type->func));
        break;
    case EXTERN_TABLE:
        wat_limits(wat, &type->table.limits);
        out_char(wat->out, ' ');
        wat_valtype(wat, type->table.element);
        break;
    case EXTERN_MEMORY: memory(wat, &type->memory); break;
    case EXTERN_GLOBAL: mutable_type(wat, type->global.type, 0, type->global.mutable); break;
    }
}

static void field(const struct wat *wat, const struct fieldtype *type)
{
    mutable_type(wat, type->type, type->packed, type->mutable);
}

static void composite(const struct wat *wat, const struct deftype *type)
{
    switch (type->kind) {
    case TYPE_FUNC:
        out_text(wat->out, "(func");
        wat_signature(wat, &type->func);
        break;
    case TYPE_STRUCT:
        out_text(wat->out, "(struct");
        for (uint32_t i = 0; i < type->structure.nfields; i++) {
            out_text(wat->out, " (field ");
            field(wat, &type->structure.fields[i]);
            out_char(wat->out, ')');
        }
        break;
    case TYPE_ARRAY:
        out_text(wat->out, "(array ");
        field(wat, &type->element);
        break;
    }
    out_char(wat->out, ')');
}

void wat_deftype(const struct wat *wat, const struct deftype *type)
{
    bool plain = type->final && type->super == TYPE_NONE;
    if (!plain)
        out_text(wat->out, type->final ? "(sub final " : "(sub ");
    if (type->super != TYPE_NONE) {
        wat_type_index(wat, type->super);
        out_char(wat->out, ' ');
    }
    composite(wat, type);
    if (!plain)
        out_char(wat->out, ')');
}
