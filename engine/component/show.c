/* Types as WIT text; see show.h. Depth is bounded by CM_LIMIT_TYPE_DEPTH, the rest by the room. */
#include "engine/component/show.h"

#include <stdio.h>

static bool full(const struct cm_text *text)
{
    return text->len + 1 >= text->size;
}

void cm_text_put(struct cm_text *text, struct str part)
{
    size_t room = text->size ? text->size - text->len - 1 : 0;
    size_t len = part.len < room ? part.len : room;
    if (len)
        memcpy(text->at + text->len, part.at, len);
    text->len += len;
    if (text->size)
        text->at[text->len] = 0;
}

static void put(struct cm_text *text, const char *part)
{
    cm_text_put(text, str_of(part));
}

static void put_fields(struct cm_text *text, const struct cm_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count && !full(text); i++) {
        if (i)
            put(text, ", ");
        if (fields[i].label) {
            cm_text_put(text, fields[i].label->text);
            put(text, ": ");
        }
        cm_show(text, fields[i].type);
    }
}

static void show_record(struct cm_text *text, const struct cm_type *type)
{
    bool tuple = type->kind == CM_TUPLE;
    put(text, tuple ? "tuple<" : "record { ");
    put_fields(text, type->fields, type->nfields);
    put(text, tuple ? ">" : " }");
}

static void show_cases(struct cm_text *text, const struct cm_type *type)
{
    put(text, cm_kind_text(type->kind));
    put(text, " { ");
    for (uint32_t i = 0; i < type->ncases && !full(text); i++) {
        if (i)
            put(text, ", ");
        cm_text_put(text, type->cases[i].label->text);
        if (type->cases[i].type) {
            put(text, "(");
            cm_show(text, type->cases[i].type);
            put(text, ")");
        }
    }
    put(text, " }");
}

static void show_result(struct cm_text *text, const struct cm_type *type)
{
    const struct cm_type *ok = type->cases[0].type;
    const struct cm_type *error = type->cases[1].type;
    put(text, "result");
    if (!ok && !error)
        return;
    put(text, "<");
    if (ok)
        cm_show(text, ok);
    else
        put(text, "_");
    if (error) {
        put(text, ", ");
        cm_show(text, error);
    }
    put(text, ">");
}

/* "list<T>" and the like; no brackets without T. */
static void show_of(struct cm_text *text, const char *name, const struct cm_type *of)
{
    put(text, name);
    if (!of)
        return;
    put(text, "<");
    cm_show(text, of);
    put(text, ">");
}

static void show_list(struct cm_text *text, const struct cm_type *type)
{
    if (type->kind == CM_MAP) {
        put(text, "map<");
        put_fields(text, type->element->fields, 2);
    } else {
        put(text, "list<");
        cm_show(text, type->element);
    }
    if (type->kind == CM_FIXED_LIST) {
        char length[16];
        snprintf(length, sizeof length, ", %u", type->length);
        put(text, length);
    }
    put(text, ">");
}

static void show_flags(struct cm_text *text, const struct cm_type *type)
{
    put(text, "flags { ");
    for (uint32_t i = 0; i < type->nlabels && !full(text); i++) {
        if (i)
            put(text, ", ");
        cm_text_put(text, type->labels[i]->text);
    }
    put(text, " }");
}

static void show_func(struct cm_text *text, const struct cm_type *type)
{
    put(text, type->async ? "async func(" : "func(");
    put_fields(text, type->params, type->nparams);
    put(text, ")");
    if (type->result) {
        put(text, " -> ");
        cm_show(text, type->result);
    }
}

void cm_show(struct cm_text *text, const struct cm_type *type)
{
    if (full(text))
        return;
    switch (type->kind) {
    case CM_RECORD:
    case CM_TUPLE: show_record(text, type); break;
    case CM_VARIANT:
    case CM_ENUM: show_cases(text, type); break;
    case CM_OPTION: show_of(text, "option", type->cases[1].type); break;
    case CM_RESULT: show_result(text, type); break;
    case CM_LIST:
    case CM_FIXED_LIST:
    case CM_MAP: show_list(text, type); break;
    case CM_STREAM:
    case CM_FUTURE: show_of(text, cm_kind_text(type->kind), type->element); break;
    case CM_FLAGS: show_flags(text, type); break;
    case CM_OWN:
    case CM_BORROW: show_of(text, cm_kind_text(type->kind), type->resource); break;
    case CM_RESOURCE:
        if (type->var->name)
            cm_text_put(text, type->var->name->text);
        else
            put(text, "resource");
        break;
    case CM_FUNC: show_func(text, type); break;
    default: put(text, cm_kind_text(type->kind)); break;
    }
}

void cm_show_extern(struct cm_text *text, const struct cm_extern *is)
{
    if (is->sort == SORT_FUNC || is->sort == SORT_TYPE)
        cm_show(text, is->type);
    else
        put(text, cm_sort_text(is->sort));
}
