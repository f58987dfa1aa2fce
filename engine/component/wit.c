/* Types in WIT text; see wit.h. Depth is bounded by DEPTH_MAX. */
#include "engine/component/wit.h"

#include "engine/component/grow.h"
#include "engine/component/name.h"

#define DEPTH_MAX 32

struct wit {
    struct cm_types *types;
    struct region *scratch;
    struct str text;
    size_t at;
    unsigned depth;
    wit_lookup *lookup;
    void *data;
    struct err *err;
};

static const struct cm_type *read_type(struct wit *w);

static const struct cm_type *wrong(struct wit *w, const char *expected)
{
    struct str rest = {w->text.at + w->at, w->text.len - w->at};
    err_set(w->err, ERR_FAULT, ERR_NOWHERE, "a type of the host: expected %s at '" STR_FMT "'",
            expected, STR_ARG(rest));
    return NULL;
}

static const struct cm_type *full(struct wit *w)
{
    err_set(w->err, ERR_MEMORY, ERR_NOWHERE, "no memory left for types");
    return NULL;
}

/* --- Tokens -------------------------------------------------------------------------------------
 */

static void skip_space(struct wit *w)
{
    while (w->at < w->text.len && strchr(" \t\n", w->text.at[w->at]))
        w->at++;
}

static bool take(struct wit *w, const char *token)
{
    size_t len = strlen(token);
    skip_space(w);
    if (w->text.len - w->at < len || memcmp(w->text.at + w->at, token, len) != 0)
        return false;
    w->at += len;
    return true;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* A word that is not behind '%' may be a keyword. */
static struct str take_word(struct wit *w)
{
    skip_space(w);
    if (w->at < w->text.len && w->text.at[w->at] == '%')
        w->at++;
    size_t start = w->at;
    /* "->" is no part of a word. */
    while (w->at < w->text.len && is_word(w->text.at[w->at]) &&
           !(w->text.at[w->at] == '-' && w->at + 1 < w->text.len && w->text.at[w->at + 1] == '>'))
        w->at++;
    return (struct str){w->text.at + start, w->at - start};
}

static const struct symbol *take_label(struct wit *w)
{
    struct str word = take_word(w);
    if (!name_is_label(word)) {
        wrong(w, "a label");
        return NULL;
    }
    const struct symbol *label = symbol_of(&w->types->symbols, word, false);
    if (!label)
        full(w);
    return label;
}

/* --- Types with parts ---------------------------------------------------------------------------
 */

/* "label: type, ..." up to `end`. */
static const struct cm_type *read_fields(struct wit *w, struct cm_type *draft, const char *end,
                                         bool func)
{
    GROW(struct cm_field) fields = {0};
    while (!take(w, end)) {
        struct cm_field field = {.label = take_label(w)};
        if (!field.label || !take(w, ":"))
            return wrong(w, "':'");
        field.type = read_type(w);
        if (!field.type)
            return NULL;
        if (!grow_room(&fields, w->scratch))
            return full(w);
        grow_push(&fields, field);
        if (take(w, end))
            break;
        if (!take(w, ","))
            return wrong(w, "','");
    }
    if (func) {
        draft->nparams = fields.count;
        draft->params = fields.at;
        if (take(w, "->") && !(draft->result = read_type(w)))
            return NULL;
    } else {
        draft->nfields = fields.count;
        draft->fields = fields.at;
    }
    return cm_type_of(w->types, draft, w->err);
}

/* "label, label(type), ..." up to '}'. */
static const struct cm_type *read_cases(struct wit *w, enum cm_kind kind)
{
    GROW(struct cm_case) cases = {0};
    if (!take(w, "{"))
        return wrong(w, "'{'");
    while (!take(w, "}")) {
        struct cm_case one = {.label = take_label(w)};
        if (!one.label)
            return NULL;
        if (kind == CM_VARIANT && take(w, "(")) {
            one.type = read_type(w);
            if (!one.type || !take(w, ")"))
                return wrong(w, "')'");
        }
        if (!grow_room(&cases, w->scratch))
            return full(w);
        grow_push(&cases, one);
        if (take(w, "}"))
            break;
        if (!take(w, ","))
            return wrong(w, "','");
    }
    struct cm_type draft = {.kind = kind, .ncases = cases.count, .cases = cases.at};
    return cm_type_of(w->types, &draft, w->err);
}

static const struct cm_type *read_flags(struct wit *w)
{
    GROW(const struct symbol *) labels = {0};
    if (!take(w, "{"))
        return wrong(w, "'{'");
    while (!take(w, "}")) {
        const struct symbol *label = take_label(w);
        if (!label)
            return NULL;
        if (!grow_room(&labels, w->scratch))
            return full(w);
        grow_push(&labels, label);
        if (take(w, "}"))
            break;
        if (!take(w, ","))
            return wrong(w, "','");
    }
    struct cm_type draft = {.kind = CM_FLAGS, .nlabels = labels.count, .labels = labels.at};
    return cm_type_of(w->types, &draft, w->err);
}

/* "<type, ...>" of a tuple. */
static const struct cm_type *read_tuple(struct wit *w)
{
    GROW(struct cm_field) fields = {0};
    if (!take(w, "<"))
        return wrong(w, "'<'");
    do {
        struct cm_field field = {.type = read_type(w)};
        if (!field.type)
            return NULL;
        if (!grow_room(&fields, w->scratch))
            return full(w);
        grow_push(&fields, field);
    } while (take(w, ","));
    struct cm_type draft = {.kind = CM_TUPLE, .nfields = fields.count, .fields = fields.at};
    return take(w, ">") ? cm_type_of(w->types, &draft, w->err) : wrong(w, "'>'");
}

/* --- Types with arguments -----------------------------------------------------------------------
 */

/* "<type>" */
static const struct cm_type *read_argument(struct wit *w)
{
    if (!take(w, "<"))
        return wrong(w, "'<'");
    const struct cm_type *type = read_type(w);
    return !type || take(w, ">") ? type : wrong(w, "'>'");
}

static const struct cm_type *read_result(struct wit *w)
{
    const struct cm_type *ok = NULL;
    const struct cm_type *error = NULL;
    if (!take(w, "<"))
        return cm_result_of(w->types, NULL, NULL, w->err);
    if (!take(w, "_") && !(ok = read_type(w)))
        return NULL;
    if (take(w, ",") && !(error = read_type(w)))
        return NULL;
    return take(w, ">") ? cm_result_of(w->types, ok, error, w->err) : wrong(w, "'>'");
}

static const struct cm_type *read_map(struct wit *w)
{
    if (!take(w, "<"))
        return wrong(w, "'<'");
    const struct cm_type *key = read_type(w);
    if (!key || !take(w, ","))
        return wrong(w, "','");
    const struct cm_type *value = read_type(w);
    return value && take(w, ">") ? cm_map_of(w->types, key, value, w->err) : wrong(w, "'>'");
}

/* "<type>", or "<type, length>" */
static const struct cm_type *read_list(struct wit *w)
{
    struct cm_type draft = {.kind = CM_LIST};
    if (!take(w, "<"))
        return wrong(w, "'<'");
    draft.element = read_type(w);
    if (!draft.element)
        return NULL;
    if (take(w, ",")) {
        struct str digits = take_word(w);
        draft.kind = CM_FIXED_LIST;
        for (size_t i = 0; i < digits.len; i++) {
            uint32_t digit = (uint32_t)(digits.at[i] - '0');
            if (digit > 9 || draft.length > (UINT32_MAX - digit) / 10)
                return wrong(w, "a length");
            draft.length = draft.length * 10 + digit;
        }
        if (!draft.length)
            return wrong(w, "a length");
    }
    return take(w, ">") ? cm_type_of(w->types, &draft, w->err) : wrong(w, "'>'");
}

/* A stream or future, possibly of no values. */
static const struct cm_type *read_of(struct wit *w, enum cm_kind kind)
{
    struct cm_type draft = {.kind = kind};
    skip_space(w);
    bool bare = w->at == w->text.len || w->text.at[w->at] != '<';
    if (!bare && !(draft.element = read_argument(w)))
        return NULL;
    return cm_type_of(w->types, &draft, w->err);
}

/* own<R>, borrow<R>, or R alone. */
static const struct cm_type *handle_of(struct wit *w, enum cm_kind kind, struct str name)
{
    const struct cm_type *type = w->lookup(w->data, name, w->err);
    if (!type || type->kind != CM_RESOURCE)
        return type ? wrong(w, "a resource") : NULL;
    return cm_type_of(w->types, &(struct cm_type){.kind = kind, .resource = type}, w->err);
}

static const struct cm_type *read_handle(struct wit *w, enum cm_kind kind)
{
    if (!take(w, "<"))
        return wrong(w, "'<'");
    struct str name = take_word(w);
    return take(w, ">") ? handle_of(w, kind, name) : wrong(w, "'>'");
}

static const struct cm_type *read_func(struct wit *w, bool async)
{
    struct cm_type draft = {.kind = CM_FUNC, .async = async};
    return take(w, "(") ? read_fields(w, &draft, ")", true) : wrong(w, "'('");
}

static const struct cm_type *read_record(struct wit *w)
{
    struct cm_type draft = {.kind = CM_RECORD};
    return take(w, "{") ? read_fields(w, &draft, "}", false) : wrong(w, "'{'");
}

static const struct cm_type *read_named(struct wit *w, struct str name)
{
    const struct cm_type *type = w->lookup(w->data, name, w->err);
    return type && type->kind == CM_RESOURCE ? handle_of(w, CM_OWN, name) : type;
}

/* The primitive of that name; CM_PRIMS if there is none. */
static unsigned prim_of(struct str word)
{
    unsigned kind = 0;
    while (kind < CM_PRIMS && !str_is(word, cm_kind_text((enum cm_kind)kind)))
        kind++;
    return kind;
}

static const struct cm_type *read_word(struct wit *w, struct str word)
{
    static const struct {
        const char *word;
        const struct cm_type *(*read)(struct wit *w);
    } words[] = {{"record", read_record}, {"flags", read_flags}, {"tuple", read_tuple},
                 {"result", read_result}, {"list", read_list},   {"map", read_map}};
    static const enum cm_kind ofs[] = {CM_STREAM, CM_FUTURE};
    unsigned prim = prim_of(word);
    if (prim < CM_PRIMS)
        return cm_prim(w->types, (enum cm_kind)prim);
    for (size_t i = 0; i < countof(words); i++)
        if (str_is(word, words[i].word))
            return words[i].read(w);
    for (size_t i = 0; i < countof(ofs); i++)
        if (str_is(word, cm_kind_text(ofs[i])))
            return read_of(w, ofs[i]);
    if (str_is(word, "variant") || str_is(word, "enum"))
        return read_cases(w, str_is(word, "enum") ? CM_ENUM : CM_VARIANT);
    if (str_is(word, "own") || str_is(word, "borrow"))
        return read_handle(w, str_is(word, "own") ? CM_OWN : CM_BORROW);
    if (str_is(word, "option")) {
        const struct cm_type *some = read_argument(w);
        return some ? cm_option_of(w->types, some, w->err) : NULL;
    }
    if (str_is(word, "func"))
        return read_func(w, false);
    if (str_is(word, "async"))
        return take(w, "func") ? read_func(w, true) : wrong(w, "func");
    return read_named(w, word);
}

static const struct cm_type *read_type(struct wit *w)
{
    if (w->depth >= DEPTH_MAX)
        return wrong(w, "fewer levels");
    skip_space(w);
    bool escaped = w->at < w->text.len && w->text.at[w->at] == '%';
    struct str word = take_word(w);
    if (!word.len)
        return wrong(w, "a type");
    w->depth++;
    const struct cm_type *type = escaped ? read_named(w, word) : read_word(w, word);
    w->depth--;
    return type;
}

const struct cm_type *wit_read(struct cm_types *types, struct region *scratch, struct str text,
                               wit_lookup *lookup, void *data, struct err *err)
{
    struct wit w = {types, scratch, text, 0, 0, lookup, data, err};
    uint8_t *mark = region_mark(scratch);
    const struct cm_type *type = read_type(&w);
    skip_space(&w);
    if (type && w.at < text.len)
        type = wrong(&w, "the end");
    region_release(scratch, mark);
    return type;
}
