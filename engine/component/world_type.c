/* Types in WIT, with the names that they have where they stand; see world.h. Depth is bounded by
 * CM_LIMIT_TYPE_DEPTH. */
#include "engine/component/world.h"

void world_indent(struct out *out, const struct world_interface *in, unsigned depth)
{
    bool nested = in != &in->world->interfaces[0];
    for (unsigned i = 0; i < depth + nested; i++)
        out_text(out, "  ");
}

void world_label(struct out *out, struct str label)
{
    static const char *const keywords[] = {
        "as",        "async",       "bool",          "borrow",
        "char",      "constructor", "enum",          "export",
        "f32",       "f64",         "flags",         "from",
        "func",      "future",      "import",        "include",
        "interface", "list",        "map",           "option",
        "own",       "package",     "record",        "resource",
        "result",    "s16",         "s32",           "s64",
        "s8",        "static",      "stream",        "string",
        "tuple",     "type",        "u16",           "u32",
        "u64",       "u8",          "use",           "variant",
        "with",      "world",       "error-context",
    };
    for (size_t i = 0; i < countof(keywords); i++)
        if (str_is(label, keywords[i]))
            out_char(out, '%');
    out_str(out, label);
}

static void put_fields(struct out *out, const struct world_interface *in,
                       const struct cm_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        out_text(out, i ? ", " : "");
        if (fields[i].label) {
            world_label(out, fields[i].label->text);
            out_text(out, ": ");
        }
        world_type(out, in, fields[i].type);
    }
}

/* "<T>", or nothing without T. */
static void put_argument(struct out *out, const struct world_interface *in,
                         const struct cm_type *type)
{
    if (!type)
        return;
    out_char(out, '<');
    world_type(out, in, type);
    out_char(out, '>');
}

static void put_result(struct out *out, const struct world_interface *in,
                       const struct cm_type *type)
{
    const struct cm_type *ok = type->cases[0].type;
    const struct cm_type *error = type->cases[1].type;
    out_text(out, "result");
    if (!ok && !error)
        return;
    out_char(out, '<');
    if (ok)
        world_type(out, in, ok);
    else
        out_char(out, '_');
    if (error) {
        out_text(out, ", ");
        world_type(out, in, error);
    }
    out_char(out, '>');
}

static void put_list(struct out *out, const struct world_interface *in, const struct cm_type *type)
{
    out_text(out, type->kind == CM_MAP ? "map<" : "list<");
    if (type->kind == CM_MAP)
        put_fields(out, in, type->element->fields, 2);
    else
        world_type(out, in, type->element);
    if (type->kind == CM_FIXED_LIST)
        out_format(out, ", %u", type->length);
    out_char(out, '>');
}

/* The lines between the braces of a record, variant, enum or flags. */
static void put_lines(struct out *out, const struct world_interface *in, const struct cm_type *type)
{
    uint32_t count = type->kind == CM_FLAGS ? type->nlabels : cm_part_count(type);
    for (uint32_t i = 0; i < count; i++) {
        struct cm_part part = {0};
        if (type->kind == CM_FLAGS)
            part.label = type->labels[i];
        else
            part = cm_part_at(type, i);
        world_indent(out, in, 2);
        world_label(out, part.label->text);
        if (part.type) {
            out_text(out, type->kind == CM_RECORD ? ": " : "(");
            world_type(out, in, part.type);
            out_text(out, type->kind == CM_RECORD ? "" : ")");
        }
        out_text(out, ",\n");
    }
}

void world_structure(struct out *out, const struct world_interface *in, const struct cm_type *type)
{
    switch (type->kind) {
    case CM_RECORD:
    case CM_VARIANT:
    case CM_ENUM:
    case CM_FLAGS: put_lines(out, in, type); return;
    case CM_TUPLE:
        out_text(out, "tuple<");
        put_fields(out, in, type->fields, type->nfields);
        out_char(out, '>');
        return;
    case CM_OPTION:
        out_text(out, "option");
        put_argument(out, in, type->cases[1].type);
        return;
    case CM_RESULT: put_result(out, in, type); return;
    case CM_LIST:
    case CM_FIXED_LIST:
    case CM_MAP: put_list(out, in, type); return;
    case CM_STREAM:
    case CM_FUTURE:
        out_text(out, cm_kind_text(type->kind));
        put_argument(out, in, type->element);
        return;
    case CM_OWN: world_type(out, in, type->resource); return;
    case CM_BORROW:
        out_text(out, "borrow");
        put_argument(out, in, type->resource);
        return;
    default: out_text(out, cm_kind_text(type->kind)); return;
    }
}

void world_type(struct out *out, const struct world_interface *in, const struct cm_type *type)
{
    const struct world_item *named = world_type_in(in, type);
    if (!named) /* world_wit.c has it used from there */
        named = world_type_anywhere(in->world, type);
    bool resource = type->kind == CM_RESOURCE;
    if (named)
        world_label(out, named->decl->name->text);
    else if (resource && type->var->name)
        world_label(out, type->var->name->text);
    else
        world_structure(out, in, type);
}

void world_signature(struct out *out, const struct world_interface *in, const struct cm_type *func,
                     uint32_t skip, bool constructor)
{
    out_char(out, '(');
    if (func->nparams > skip)
        put_fields(out, in, func->params + skip, func->nparams - skip);
    out_char(out, ')');
    const struct cm_type *result = func->result;
    if (!result || (constructor && result->kind == CM_OWN))
        return;
    out_text(out, " -> ");
    world_type(out, in, result);
}
