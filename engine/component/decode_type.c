/* Component-level types; see decode.h. Binary.md "Type Definitions". */
#include "engine/component/decode.h"
#include "engine/component/name.h"

enum {
#define PRIM(name, opcode, text, shape, size, align, flat, flags) OPCODE_##name = opcode,
#define KIND(name, opcode, text, shape)                           OPCODE_##name = opcode,
#include "engine/component/kind.def"
    OPCODE_ASYNC_FUNC = 0x43,
};

/* --- Value types --------------------------------------------------------------------------------
 */

/* The type of a primitive's opcode, or NULL. */
static const struct cm_type *prim_of(struct cm_decode *d, uint8_t opcode)
{
    static const uint8_t kinds[256] = {
#define PRIM(name, opcode, text, shape, size, align, flat, flags) [opcode] = CM_##name + 1,
#include "engine/component/kind.def"
    };
    return kinds[opcode] ? cm_prim(d->types, (enum cm_kind)(kinds[opcode] - 1)) : NULL;
}

const struct cm_type *valtype_of_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t byte = reader_peek(r);
    const struct cm_type *prim = prim_of(d, byte);
    if (prim && !reader_at_end(r)) {
        r->at++;
        return prim;
    }
    int64_t index = reader_s33(r);
    if (reader_ok(r) && index < 0)
        reader_fail_at(r, at, ERR_MALFORMED, "0x%02x is no value type", byte);
    return reader_ok(r) ? scope_value_type(d->scope, r, at, (uint32_t)index) : NULL;
}

/* An optional item: is it there? */
static bool present(struct reader *r, const char *what)
{
    const uint8_t *at = r->at;
    uint8_t byte = reader_u8(r);
    if (byte > 1)
        reader_fail_at(r, at, ERR_MALFORMED, "0x%02x does not say whether there is a %s", byte,
                       what);
    return byte == 1;
}

static const struct cm_type *optional_valtype(struct cm_decode *d, struct reader *r)
{
    return present(r, "type") ? valtype_of_read(d, r) : NULL;
}

const struct symbol *symbol_read(struct cm_decode *d, struct reader *r, const char *what)
{
    const uint8_t *at = r->at;
    struct str name = reader_name(r, what);
    if (name.len > CM_LIMIT_NAME_SIZE)
        reader_fail_at(r, at, ERR_LIMIT, "%s of %zu bytes, at most %u are allowed", what, name.len,
                       CM_LIMIT_NAME_SIZE);
    if (!reader_ok(r))
        return NULL;
    const struct symbol *symbol = symbol_of(&d->types->symbols, name, false);
    if (!symbol)
        decode_full(r, at);
    return symbol;
}

/* A label that no other one of its list is like. The list began with ++symbols.stamp. */
static const struct symbol *label_read(struct cm_decode *d, struct reader *r, const char *what)
{
    const uint8_t *at = r->at;
    const struct symbol *label = symbol_read(d, r, what);
    if (!label)
        return NULL;
    if (!name_is_label(label->text)) {
        reader_fail_at(r, at, ERR_INVALID, "%s '" STR_FMT "' is not in kebab case", what,
                       STR_ARG(label->text));
        return NULL;
    }
    struct symbols *symbols = &d->types->symbols;
    struct symbol *folded = symbol_folded(symbols, label);
    if (!folded) {
        decode_full(r, at);
        return NULL;
    }
    if (folded->stamp == symbols->stamp)
        reader_fail_at(r, at, ERR_INVALID, "%s '" STR_FMT "' conflicts with an earlier one", what,
                       STR_ARG(label->text));
    folded->stamp = symbols->stamp;
    return label;
}

/* The length of a list of parts that may not be empty, and memory for it. */
static void *parts_take(struct cm_decode *d, struct reader *r, enum cm_limit limit, size_t each,
                        bool may_be_empty, const char *what, uint32_t *ret_count)
{
    const uint8_t *at = r->at;
    *ret_count = cm_limit_count(r, limit);
    if (reader_ok(r) && *ret_count == 0 && !may_be_empty)
        reader_fail_at(r, at, ERR_INVALID, "%s type without parts: there must be at least one",
                       what);
    d->types->symbols.stamp++;
    void *parts = region_take(d->scratch, *ret_count, each, _Alignof(max_align_t));
    if (!parts)
        decode_full(r, at);
    return reader_ok(r) ? parts : NULL;
}

static void record_read(struct cm_decode *d, struct reader *r, struct cm_type *draft)
{
    struct cm_field *fields =
        parts_take(d, r, CM_COUNT_FIELDS, sizeof *fields, false, "record", &draft->nfields);
    draft->kind = CM_RECORD;
    draft->fields = fields;
    for (uint32_t i = 0; i < draft->nfields && reader_ok(r); i++) {
        fields[i].label = label_read(d, r, "record field name");
        fields[i].type = valtype_of_read(d, r);
    }
}

static void tuple_read(struct cm_decode *d, struct reader *r, struct cm_type *draft)
{
    struct cm_field *fields =
        parts_take(d, r, CM_COUNT_FIELDS, sizeof *fields, false, "tuple", &draft->nfields);
    draft->kind = CM_TUPLE;
    draft->fields = fields;
    for (uint32_t i = 0; i < draft->nfields && reader_ok(r); i++)
        fields[i].type = valtype_of_read(d, r);
}

static void variant_read(struct cm_decode *d, struct reader *r, struct cm_type *draft)
{
    struct cm_case *cases =
        parts_take(d, r, CM_COUNT_FIELDS, sizeof *cases, false, "variant", &draft->ncases);
    draft->kind = CM_VARIANT;
    draft->cases = cases;
    for (uint32_t i = 0; i < draft->ncases && reader_ok(r); i++) {
        cases[i].label = label_read(d, r, "variant case name");
        cases[i].type = optional_valtype(d, r);
        const uint8_t *at = r->at;
        uint8_t zero = reader_u8(r);
        if (zero)
            reader_fail_at(r, at, ERR_MALFORMED, "0x%02x behind a case, zero is required", zero);
    }
}

static void enum_read(struct cm_decode *d, struct reader *r, struct cm_type *draft)
{
    struct cm_case *cases =
        parts_take(d, r, CM_COUNT_FIELDS, sizeof *cases, false, "enum", &draft->ncases);
    draft->kind = CM_ENUM;
    draft->cases = cases;
    for (uint32_t i = 0; i < draft->ncases && reader_ok(r); i++)
        cases[i] = (struct cm_case){label_read(d, r, "enum case name"), NULL};
}

#define FLAGS_MAX 32

static void flags_read(struct cm_decode *d, struct reader *r, struct cm_type *draft)
{
    const uint8_t *at = r->at;
    const struct symbol **labels =
        parts_take(d, r, CM_COUNT_FIELDS, sizeof *labels, false, "flags", &draft->nlabels);
    draft->kind = CM_FLAGS;
    draft->labels = labels;
    if (draft->nlabels > FLAGS_MAX && reader_ok(r))
        reader_fail_at(r, at, ERR_INVALID, "%u flags, at most %u are allowed", draft->nlabels,
                       FLAGS_MAX);
    for (uint32_t i = 0; i < draft->nlabels && reader_ok(r); i++)
        labels[i] = label_read(d, r, "flag name");
}

static void element_read(struct cm_decode *d, struct reader *r, struct cm_type *draft,
                         uint8_t opcode)
{
    const uint8_t *at = r->at;
    switch (opcode) {
    case OPCODE_LIST:
        draft->kind = CM_LIST;
        draft->element = valtype_of_read(d, r);
        return;
    case OPCODE_FIXED_LIST:
        draft->kind = CM_FIXED_LIST;
        draft->element = valtype_of_read(d, r);
        at = r->at;
        draft->length = reader_u32(r);
        if (reader_ok(r) && draft->length == 0)
            reader_fail_at(r, at, ERR_INVALID, "a fixed-length list of no elements");
        return;
    default: break;
    }
    draft->kind = opcode == OPCODE_STREAM ? CM_STREAM : CM_FUTURE;
    draft->element = optional_valtype(d, r);
    if (!draft->element)
        return;
    if (draft->element->flags & CM_BORROWS)
        reader_fail_at(r, at, ERR_INVALID, "%s: it cannot carry a borrow",
                       cm_kind_text(draft->kind));
    if (draft->kind == CM_STREAM && draft->element->kind == CM_CHAR)
        reader_fail_at(r, at, ERR_INVALID,
                       "stream<char> is not valid at this time, take stream<u8>");
}

static const struct cm_type *map_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    const struct cm_type *key = valtype_of_read(d, r);
    const struct cm_type *value = valtype_of_read(d, r);
    if (!key || !value)
        return NULL;
    if (key->kind > CM_STRING || key->kind == CM_F32 || key->kind == CM_F64) {
        reader_fail_at(r, at, ERR_INVALID, "%s cannot be the key of a map",
                       cm_kind_text(key->kind));
        return NULL;
    }
    return cm_map_of(d->types, key, value, r->err);
}

static const struct cm_type *result_read(struct cm_decode *d, struct reader *r)
{
    const struct cm_type *ok = optional_valtype(d, r);
    const struct cm_type *error = optional_valtype(d, r);
    return reader_ok(r) ? cm_result_of(d->types, ok, error, r->err) : NULL;
}

static const struct cm_type *option_read(struct cm_decode *d, struct reader *r)
{
    const struct cm_type *some = valtype_of_read(d, r);
    return some ? cm_option_of(d->types, some, r->err) : NULL;
}

/* `defvaltype` behind its opcode. */
static const struct cm_type *defined_read(struct cm_decode *d, struct reader *r, uint8_t opcode)
{
    struct cm_type draft = {0};
    const uint8_t *at = r->at;
    switch (opcode) {
    case OPCODE_RECORD: record_read(d, r, &draft); break;
    case OPCODE_TUPLE: tuple_read(d, r, &draft); break;
    case OPCODE_VARIANT: variant_read(d, r, &draft); break;
    case OPCODE_ENUM: enum_read(d, r, &draft); break;
    case OPCODE_FLAGS: flags_read(d, r, &draft); break;
    case OPCODE_LIST:
    case OPCODE_FIXED_LIST:
    case OPCODE_STREAM:
    case OPCODE_FUTURE: element_read(d, r, &draft, opcode); break;
    case OPCODE_OPTION: return option_read(d, r);
    case OPCODE_RESULT: return result_read(d, r);
    case OPCODE_MAP: return map_read(d, r);
    case OPCODE_OWN:
    case OPCODE_BORROW:
        draft.kind = opcode == OPCODE_OWN ? CM_OWN : CM_BORROW;
        draft.resource = scope_type_of(d->scope, r, at, reader_u32(r), CM_RESOURCE);
        break;
    default: {
        const struct cm_type *prim = prim_of(d, opcode);
        if (prim)
            return prim;
        reader_fail_at(r, at - 1, ERR_MALFORMED, "0x%02x does not begin a type", opcode);
        break;
    }
    }
    return reader_ok(r) ? cm_type_of(d->types, &draft, r->err) : NULL;
}

/* --- Functions and resources --------------------------------------------------------------------
 */

const struct cm_type *resultlist_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t form = reader_u8(r);
    if (form == 0)
        return valtype_of_read(d, r);
    if (form != 1) {
        reader_fail_at(r, at, ERR_MALFORMED, "0x%02x does not begin a result list", form);
        return NULL;
    }
    at = r->at;
    uint8_t count = reader_u8(r);
    if (count)
        reader_fail_at(r, at, ERR_MALFORMED, "0x%02x named results, there may be none", count);
    return NULL;
}

static const struct cm_type *func_read(struct cm_decode *d, struct reader *r, bool async)
{
    struct cm_type draft = {.kind = CM_FUNC, .async = async};
    struct cm_field *params =
        parts_take(d, r, CM_COUNT_PARAMS, sizeof *params, true, "function", &draft.nparams);
    draft.params = params;
    for (uint32_t i = 0; i < draft.nparams && reader_ok(r); i++) {
        params[i].label = label_read(d, r, "function parameter name");
        params[i].type = valtype_of_read(d, r);
    }
    const uint8_t *at = r->at;
    draft.result = resultlist_read(d, r);
    if (draft.result && draft.result->flags & CM_BORROWS)
        reader_fail_at(r, at, ERR_INVALID, "a function's result cannot contain a borrow");
    return reader_ok(r) ? cm_type_of(d->types, &draft, r->err) : NULL;
}

static const struct cm_type *resource_read(struct cm_decode *d, struct reader *r)
{
    struct scope *scope = d->scope;
    const uint8_t *at = r->at - 1;
    if (scope->kind != SCOPE_COMPONENT) {
        reader_fail_at(r, at, ERR_INVALID,
                       "resource types can be defined in a concrete component only");
        return NULL;
    }
    valtype rep = typespace_valtype(&scope->core_types, r);
    if (reader_ok(r) && rep != VT_I32)
        reader_fail_at(r, at, ERR_INVALID,
                       rep == VT_I64 ? "a resource represented by i64 is a gated feature"
                                     : "a resource is represented by i32");
    struct cm_def def = {.kind = DEF_RESOURCE, .sort = SORTS, .offset = (uint64_t)(at - r->base)};
    def.has_destructor = present(r, "destructor");
    const uint8_t *index_at = r->at;
    if (def.has_destructor)
        def.destructor = reader_u32(r);
    if (!reader_ok(r))
        return NULL;
    if (def.has_destructor) {
        valtype i32 = VT_I32;
        if (scope_check(scope, r, index_at, SORT_CORE_FUNC, def.destructor))
            return NULL;
        if (scope->core_funcs.at[def.destructor] !=
            types_func_id(d->types->core, &i32, 1, NULL, 0)) {
            reader_fail_at(r, index_at, ERR_INVALID,
                           "core function %u has a wrong signature for a destructor: it takes an "
                           "i32 and returns nothing",
                           def.destructor);
            return NULL;
        }
    }
    struct cm_var *var = scope_var(d, r, at);
    if (!var)
        return NULL;
    var->local = true;
    def.var = var;
    return scope_add_def(d, r, at, &def) ? NULL : var->node;
}

/* --- Component and instance types ---------------------------------------------------------------
 */

void scope_close(struct cm_decode *d)
{
    struct scope *scope = d->scope;
    d->scope = scope->outer;
    region_release(d->scratch, scope->mark);
}

static void declaration_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t kind = reader_u8(r);
    struct cm_decl decl = {0};
    if (kind == 3 && d->scope->kind == SCOPE_INSTANCE_TYPE)
        kind = 0xff;
    switch (kind) {
    case 0: core_type_read(d, r); return;
    case 1: type_read(d, r); return;
    case 2: alias_read(d, r); return;
    case 3:
    case 4: break;
    default:
        reader_fail_at(r, at, ERR_MALFORMED,
                       "0x%02x does not begin a declaration of a component or instance type", *at);
        return;
    }
    enum scope_side side = kind == 3 ? SIDE_IMPORT : SIDE_EXPORT;
    extern_name_read(d, r, &decl);
    extern_type_read(d, r, side, &decl.is);
    if (reader_ok(r))
        scope_declare(d, r, at, side, &decl);
}

static const struct cm_type *closed_read(struct cm_decode *d, struct reader *r,
                                         enum scope_kind kind)
{
    const uint8_t *at = r->at - 1;
    if (d->closed >= CM_LIMIT_TYPE_DEPTH) {
        cm_limit_passed(r->err, ERR_NOWHERE, CM_COUNT_TYPE_DEPTH);
        decode_failed(r, at);
        return NULL;
    }
    uint32_t count = cm_limit_count(r, CM_COUNT_DECLARATIONS);
    if (!reader_ok(r) || !scope_open(d, r, kind))
        return NULL;
    d->closed++;
    for (uint32_t i = 0; i < count && reader_ok(r); i++)
        declaration_read(d, r);
    const struct cm_type *type = reader_ok(r) ? scope_type(d, r, at) : NULL;
    d->closed--;
    scope_close(d);
    return type;
}

void type_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t *mark = region_mark(d->scratch);
    uint8_t opcode = reader_u8(r);
    struct cm_extern is = {.sort = SORT_TYPE};
    bool defines = false; /* a resource type adds to the scope's lists, which stay in scratch */
    switch (opcode) {
    case OPCODE_FUNC: is.type = func_read(d, r, false); break;
    case OPCODE_ASYNC_FUNC: is.type = func_read(d, r, true); break;
    case OPCODE_COMPONENT: is.type = closed_read(d, r, SCOPE_COMPONENT_TYPE); break;
    case OPCODE_INSTANCE: is.type = closed_read(d, r, SCOPE_INSTANCE_TYPE); break;
    case OPCODE_RESOURCE:
        is.type = resource_read(d, r);
        defines = true;
        break;
    default: is.type = defined_read(d, r, opcode); break;
    }
    if (!defines)
        region_release(d->scratch, mark);
    if (!is.type) {
        decode_failed(r, at);
        return;
    }
    scope_add(d, r, at, &is);
}
