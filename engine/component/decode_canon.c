/* Canonical definitions; see decode.h. Binary.md "Canonical Definitions", CanonicalABI.md "canonopt
 * Validation" and after. */
#include "engine/component/decode.h"
#include "engine/component/layout.h"

static const struct {
    const char *text;
    const char *immediates;
    const char *params;
    const char *result;
    char step[20];
    uint8_t opcode;
} canons[CANONS] = {
#define CANON(opcode, name, text, immediates, params, result, step)                                \
    [CANON_##name] = {text, immediates, params, result, #step, opcode},
#include "engine/component/canon.def"
#undef CANON
};

const char *canon_text(enum canon canon)
{
    return canons[canon].text;
}

bool canon_provided(enum canon canon)
{
    return strcmp(canons[canon].step, "later") != 0;
}

/* A canonical definition while it is read. */
struct canon_reading {
    struct cm_decode *d;
    struct reader *r;
    const uint8_t *at;
    struct cm_canon canon;
};

static int invalid(struct canon_reading *c, const char *why)
{
    return reader_fail_at(c->r, c->at, ERR_INVALID, "canon %s: %s", canons[c->canon.canon].text,
                          why);
}

/* --- Core function types ------------------------------------------------------------------------
 */

#define CORE_MAX (CM_FLAT_MAX + 1) /* parameters: the flat ones and a pointer for the result */

static uint32_t core_type(struct canon_reading *c, const valtype *params, uint32_t nparams,
                          const valtype *results, uint32_t nresults)
{
    uint32_t id = types_func_id(c->d->types->core, params, nparams, results, nresults);
    if (id == TYPE_NONE)
        decode_full(c->r, c->at);
    return id;
}

static uint32_t flat_types(const struct cm_layout *layout, valtype *to)
{
    for (unsigned i = 0; i < layout->nflat; i++)
        to[i] = layout->flat[i];
    return layout->nflat;
}

/* The core type of a lifted or lowered function (`flatten_functype`). */
static uint32_t flatten(struct canon_reading *c, const struct cm_type *type, bool lift)
{
    const struct cm_options *options = &c->canon.options;
    const struct cm_type *result = type->canon->result;
    const struct cm_layout *params = &type->canon->layout;
    valtype from[CORE_MAX];
    valtype to = VT_I32;
    uint32_t nfrom = 0;
    uint32_t nto = 0;
    unsigned most = options->async && !lift ? CM_FLAT_ASYNC_MAX : CM_FLAT_MAX;
    if (params->nflat <= most)
        nfrom = flat_types(params, from);
    else
        from[nfrom++] = VT_I32;
    if (options->async) {
        if (lift) {
            nto = options->has_callback;
        } else {
            if (result)
                from[nfrom++] = VT_I32;
            nto = 1;
        }
    } else if (result) {
        if (result->layout.nflat == 1) {
            to = result->layout.flat[0];
            nto = 1;
        } else if (lift) {
            nto = 1;
        } else {
            from[nfrom++] = VT_I32;
        }
    }
    return core_type(c, from, nfrom, &to, nto);
}

/* --- Options ------------------------------------------------------------------------------------
 */

enum {
    OPTION_UTF8,
    OPTION_UTF16,
    OPTION_LATIN1_UTF16,
    OPTION_MEMORY,
    OPTION_REALLOC,
    OPTION_POST_RETURN,
    OPTION_ASYNC,
    OPTION_CALLBACK,
    OPTION_LAST = OPTION_CALLBACK,
};

/* A memory that the canonical ABI may use: with 32-bit addresses, and with pages of 64 KiB or not.
 */
static int check_memory(struct canon_reading *c, const uint8_t *at, uint32_t index)
{
    struct scope *scope = c->d->scope;
    if (scope_check(scope, c->r, at, SORT_CORE_MEMORY, index))
        return -1;
    const struct memtype *type = &scope->core_memories.at[index];
    if (type->limits.is64)
        return reader_fail_at(c->r, at, ERR_INVALID, "a 64-bit memory is a gated feature here");
    if (type->limits.shared)
        return reader_fail_at(c->r, at, ERR_INVALID, "a shared memory cannot be used here");
    return 0;
}

static void option_read(struct canon_reading *c, uint8_t option, const uint8_t *at)
{
    struct cm_options *o = &c->canon.options;
    struct reader *r = c->r;
    struct scope *scope = c->d->scope;
    const uint8_t *index_at = r->at;
    switch (option) {
    case OPTION_UTF8:
    case OPTION_UTF16:
    case OPTION_LATIN1_UTF16: o->encoding = (enum cm_encoding)option; return;
    case OPTION_MEMORY:
        o->has_memory = true;
        o->memory = reader_u32(r);
        if (reader_ok(r))
            check_memory(c, index_at, o->memory);
        return;
    case OPTION_REALLOC:
        o->has_realloc = true;
        o->realloc = reader_u32(r);
        scope_check(scope, r, index_at, SORT_CORE_FUNC, o->realloc);
        return;
    case OPTION_POST_RETURN:
        o->has_post_return = true;
        o->post_return = reader_u32(r);
        scope_check(scope, r, index_at, SORT_CORE_FUNC, o->post_return);
        return;
    case OPTION_ASYNC: o->async = true; return;
    case OPTION_CALLBACK:
        o->has_callback = true;
        o->callback = reader_u32(r);
        scope_check(scope, r, index_at, SORT_CORE_FUNC, o->callback);
        return;
    default: reader_fail_at(r, at, ERR_MALFORMED, "0x%02x is no canonical option", option); return;
    }
}

/* What holds of options wherever they stand. */
static int check_options(struct canon_reading *c)
{
    const struct cm_options *o = &c->canon.options;
    const struct scope *scope = c->d->scope;
    static const valtype i32[4] = {VT_I32, VT_I32, VT_I32, VT_I32};
    if (o->has_realloc && !o->has_memory)
        return invalid(c, "option realloc requires memory");
    if (o->has_realloc &&
        scope->core_funcs.at[o->realloc] != types_func_id(c->d->types->core, i32, 4, i32, 1))
        return invalid(c, "realloc has a wrong signature: it takes four i32 and returns one");
    if (o->has_callback && !o->async)
        return invalid(c, "option callback requires async");
    if (o->has_callback &&
        scope->core_funcs.at[o->callback] != types_func_id(c->d->types->core, i32, 3, i32, 1))
        return invalid(c, "callback has a wrong signature: it takes three i32 and returns one");
    if (o->has_post_return && o->async)
        return invalid(c, "post-return cannot be given with async");
    return 0;
}

static void options_read(struct canon_reading *c)
{
    unsigned seen = 0;
    struct reader *r = c->r;
    uint32_t count = cm_limit_count(r, CM_COUNT_OPTIONS);
    for (uint32_t i = 0; i < count && reader_ok(r); i++) {
        const uint8_t *at = r->at;
        uint8_t option = reader_u8(r);
        /* The three encodings exclude each other. */
        unsigned bit = option <= OPTION_LATIN1_UTF16 ? 1u << OPTION_UTF8 : 1u << (option & 31);
        if (reader_ok(r) && option <= OPTION_LAST && seen & bit) {
            reader_fail_at(r, at, ERR_INVALID,
                           "a canonical option is given twice, or two string encodings");
            return;
        }
        seen |= bit;
        option_read(c, option, at);
    }
    if (reader_ok(r))
        check_options(c);
}

static int need_memory(struct canon_reading *c, bool needed)
{
    if (needed && !c->canon.options.has_memory)
        return invalid(c, "option memory is required");
    return 0;
}

static int need_realloc(struct canon_reading *c, bool needed)
{
    if (need_memory(c, needed))
        return -1;
    if (needed && !c->canon.options.has_realloc)
        return invalid(c, "option realloc is required");
    return 0;
}

static bool has_pointers(const struct cm_type *type)
{
    return type && type->flags & CM_POINTERS;
}

static bool params_have_pointers(const struct cm_type *func)
{
    for (uint32_t i = 0; i < func->nparams; i++)
        if (has_pointers(func->params[i].type))
            return true;
    return false;
}

/* --- Lift and lower -----------------------------------------------------------------------------
 */

static int check_lift(struct canon_reading *c, const struct cm_type *type)
{
    const struct cm_options *o = &c->canon.options;
    const struct cm_type *canon = type->canon;
    unsigned most = o->async ? CM_FLAT_MAX : 1;
    if (o->async && !type->async)
        return invalid(c, "option async requires an async function type");
    if (need_realloc(c, params_have_pointers(canon) || canon->layout.nflat > CM_FLAT_MAX) ||
        need_memory(c, canon->result &&
                           (has_pointers(canon->result) || canon->result->layout.nflat > most)))
        return -1;
    c->canon.core = flatten(c, type, true);
    if (!reader_ok(c->r))
        return -1;
    const struct scope *scope = c->d->scope;
    if (scope->core_funcs.at[c->canon.func] != c->canon.core)
        return invalid(c, "the core function has not the signature that the function type "
                          "flattens to");
    if (!o->has_post_return)
        return 0;
    const struct functype *core = types_func(c->d->types->core, c->canon.core);
    if (scope->core_funcs.at[o->post_return] !=
        core_type(c, core->results, core->nresults, NULL, 0))
        return invalid(c, "post-return has a wrong signature: it takes what the core function "
                          "returns and returns nothing");
    return 0;
}

static void lift_read(struct canon_reading *c)
{
    struct scope *scope = c->d->scope;
    struct reader *r = c->r;
    const uint8_t *at = r->at;
    c->canon.func = reader_u32(r);
    if (scope_check(scope, r, at, SORT_CORE_FUNC, c->canon.func))
        return;
    options_read(c);
    at = r->at;
    const struct cm_type *type = scope_type_of(scope, r, at, reader_u32(r), CM_FUNC);
    if (!type || check_lift(c, type))
        return;
    c->canon.type = type;
}

static int check_lower(struct canon_reading *c, const struct cm_type *type)
{
    const struct cm_options *o = &c->canon.options;
    const struct cm_type *canon = type->canon;
    unsigned most = o->async ? CM_FLAT_ASYNC_MAX : CM_FLAT_MAX;
    if (o->has_post_return)
        return invalid(c, "option post-return cannot be given here");
    if (o->has_callback)
        return invalid(c, "option callback cannot be given here");
    if (o->async && !type->async)
        return invalid(c, "option async requires an async function type");
    if (need_memory(c, params_have_pointers(canon) || canon->layout.nflat > most ||
                           (canon->result && (o->async || canon->result->layout.nflat > 1))) ||
        need_realloc(c, has_pointers(canon->result)))
        return -1;
    c->canon.core = flatten(c, type, false);
    return reader_ok(c->r) ? 0 : -1;
}

static void lower_read(struct canon_reading *c)
{
    struct scope *scope = c->d->scope;
    struct reader *r = c->r;
    const uint8_t *at = r->at;
    c->canon.func = reader_u32(r);
    if (scope_check(scope, r, at, SORT_FUNC, c->canon.func))
        return;
    options_read(c);
    const struct cm_type *type = scope->funcs.at[c->canon.func];
    if (!reader_ok(r) || check_lower(c, type))
        return;
    c->canon.type = type;
}

/* --- Built-ins ----------------------------------------------------------------------------------
 */

static bool flag_read(struct canon_reading *c, const char *what)
{
    const uint8_t *at = c->r->at;
    uint8_t byte = reader_u8(c->r);
    if (byte > 1)
        reader_fail_at(c->r, at, ERR_MALFORMED, "0x%02x does not say whether it is %s", byte, what);
    return byte == 1;
}

static void resource_immediate(struct canon_reading *c, bool local)
{
    struct scope *scope = c->d->scope;
    const uint8_t *at = c->r->at;
    const struct cm_type *type = scope_type_of(scope, c->r, at, reader_u32(c->r), CM_RESOURCE);
    if (!type)
        return;
    c->canon.var = type->var;
    if (local && !(type->var->local && type->var->binder == scope->binder))
        reader_fail_at(c->r, at, ERR_INVALID,
                       "canon %s: not a resource type that this component defines",
                       canons[c->canon.canon].text);
}

static void async_type_immediate(struct canon_reading *c, enum cm_kind kind)
{
    const uint8_t *at = c->r->at;
    uint32_t index = reader_u32(c->r);
    const struct cm_type *type = scope_type_at(c->d->scope, c->r, at, index);
    if (!type)
        return;
    c->canon.type = type;
    if (type->kind != kind)
        reader_fail_at(c->r, at, ERR_INVALID, "type %u is of kind %s, not %s", index,
                       cm_kind_text(type->kind), cm_kind_text(kind));
}

static void thread_type_immediate(struct canon_reading *c)
{
    struct scope *scope = c->d->scope;
    const uint8_t *at = c->r->at;
    uint32_t index = reader_u32(c->r);
    valtype i32 = VT_I32;
    if (scope_check(scope, c->r, at, SORT_CORE_TYPE, index))
        return;
    c->canon.core_type = scope->core_types.ids[index];
    if (c->canon.core_type != types_func_id(c->d->types->core, &i32, 1, NULL, 0))
        reader_fail_at(c->r, at, ERR_INVALID,
                       "canon %s: a thread starts in a function that takes an i32 and returns "
                       "nothing",
                       canons[c->canon.canon].text);
}

static void table_immediate(struct canon_reading *c)
{
    struct scope *scope = c->d->scope;
    const uint8_t *at = c->r->at;
    c->canon.index = reader_u32(c->r);
    if (scope_check(scope, c->r, at, SORT_CORE_TABLE, c->canon.index))
        return;
    const struct tabletype *table = &scope->core_tables.at[c->canon.index];
    if (table->limits.is64 || table->element != VT_FUNCREF)
        reader_fail_at(c->r, at, ERR_INVALID,
                       "canon %s: not a table of function references with 32-bit indices",
                       canons[c->canon.canon].text);
}

static void context_immediate(struct canon_reading *c)
{
    struct scope *scope = c->d->scope;
    const uint8_t *at = c->r->at;
    valtype type = typespace_valtype(&scope->core_types, c->r);
    if (reader_ok(c->r) && type != VT_I32)
        reader_fail_at(c->r, at, ERR_INVALID, "canon %s: only i32 is supported%s",
                       canons[c->canon.canon].text,
                       type == VT_I64 ? ", i64 is a gated feature" : "");
    c->canon.core_type = type;
}

static void immediate_read(struct canon_reading *c, char immediate)
{
    const uint8_t *at = c->r->at;
    switch (immediate) {
    case 'r': resource_immediate(c, false); return;
    case 'l': resource_immediate(c, true); return;
    case 's': async_type_immediate(c, CM_STREAM); return;
    case 'f': async_type_immediate(c, CM_FUTURE); return;
    case 'o': options_read(c); return;
    case 'a': c->canon.async = flag_read(c, "async"); return;
    case 'c': c->canon.cancellable = flag_read(c, "cancellable"); return;
    case 'S': flag_read(c, "shared"); return;
    case 'F': thread_type_immediate(c); return;
    case 'T': table_immediate(c); return;
    case 'v': context_immediate(c); return;
    case 'R': c->canon.type = resultlist_read(c->d, c->r); return;
    case 'm':
        c->canon.index = reader_u32(c->r);
        if (reader_ok(c->r))
            check_memory(c, at, c->canon.index);
        return;
    case 'u':
        c->canon.index = reader_u32(c->r);
        if (reader_ok(c->r) && c->canon.index > 1)
            reader_fail_at(c->r, at, ERR_INVALID, "canon %s: index %u, there are two places",
                           canons[c->canon.canon].text, c->canon.index);
        return;
    default: return;
    }
}

/* What built-ins demand of their options. */
static int check_builtin_options(struct canon_reading *c)
{
    const struct cm_options *o = &c->canon.options;
    const struct cm_type *element = c->canon.type ? c->canon.type->canon : NULL;
    bool reads = c->canon.canon == CANON_STREAM_READ || c->canon.canon == CANON_FUTURE_READ;
    if (o->has_post_return)
        return invalid(c, "option post-return cannot be given here");
    if (o->has_callback)
        return invalid(c, "option callback cannot be given here");
    switch (c->canon.canon) {
    case CANON_STREAM_READ:
    case CANON_STREAM_WRITE:
    case CANON_FUTURE_READ:
    case CANON_FUTURE_WRITE:
        element = element ? element->element : NULL;
        return need_memory(c, element != NULL) || need_realloc(c, reads && has_pointers(element));
    case CANON_TASK_RETURN:
        if (o->async || o->has_realloc)
            return invalid(c, "only memory and a string encoding can be given here");
        return need_memory(c, element &&
                                  (has_pointers(element) || element->layout.nflat > CM_FLAT_MAX));
    case CANON_ERROR_CONTEXT_NEW:
    case CANON_ERROR_CONTEXT_DEBUG_MESSAGE:
        if (o->async)
            return invalid(c, "option async cannot be given here");
        return need_realloc(c, c->canon.canon == CANON_ERROR_CONTEXT_DEBUG_MESSAGE) ||
               need_memory(c, true);
    default: return 0;
    }
}

static valtype letter_type(char letter)
{
    return letter == 'I' ? VT_I64 : VT_I32;
}

static void builtin_type(struct canon_reading *c)
{
    const char *letters = canons[c->canon.canon].params;
    valtype params[CORE_MAX];
    uint32_t nparams = 0;
    if (letters[0] == '*') { /* task.return: takes the result */
        const struct cm_type *result = c->canon.type ? c->canon.type->canon : NULL;
        if (result && result->layout.nflat <= CM_FLAT_MAX)
            nparams = flat_types(&result->layout, params);
        else if (result)
            params[nparams++] = VT_I32;
    } else {
        for (; letters[nparams]; nparams++)
            params[nparams] = letter_type(letters[nparams]);
    }
    const char *result = canons[c->canon.canon].result;
    valtype to = letter_type(result[0]);
    c->canon.core = core_type(c, params, nparams, &to, result[0] ? 1 : 0);
}

static void builtin_read(struct canon_reading *c)
{
    for (const char *i = canons[c->canon.canon].immediates; *i && reader_ok(c->r); i++)
        immediate_read(c, *i);
    if (!reader_ok(c->r))
        return;
    if (strcmp(canons[c->canon.canon].step, "never") == 0) {
        invalid(c, "this is a gated feature");
        return;
    }
    if (check_builtin_options(c) == 0)
        builtin_type(c);
}

/* --- The definition -----------------------------------------------------------------------------
 */

static enum canon canon_of(uint8_t opcode)
{
    for (unsigned canon = 0; canon < CANONS; canon++)
        if (canons[canon].opcode == opcode)
            return (enum canon)canon;
    return CANONS;
}

/* lift and lower name the sort that they are about. */
static void func_sort_read(struct canon_reading *c)
{
    const uint8_t *at = c->r->at;
    uint8_t sort = reader_u8(c->r);
    if (sort != 0)
        reader_fail_at(c->r, at, ERR_MALFORMED, "0x%02x is nothing that can be lifted or lowered",
                       sort);
}

static void add(struct canon_reading *c)
{
    struct cm_decode *d = c->d;
    struct cm_canon *canon =
        region_copy(d->image, &c->canon, sizeof c->canon, _Alignof(struct cm_canon));
    if (!canon) {
        decode_full(c->r, c->at);
        return;
    }
    struct cm_def def = {.kind = DEF_CANON,
                         .sort = canon->canon == CANON_LIFT ? SORT_FUNC : SORT_CORE_FUNC,
                         .offset = (uint64_t)(c->at - c->r->base),
                         .canon = canon};
    struct cm_extern lifted = {.sort = SORT_FUNC, .type = c->canon.type};
    struct externtype core = {.kind = EXTERN_FUNC, .func = canon->core};
    int failed = canon->canon == CANON_LIFT ? scope_add(d, c->r, c->at, &lifted)
                                            : scope_add_core(d, c->r, c->at, &core);
    if (canon->type)
        canon->type = canon->type->canon;
    if (!failed)
        scope_add_def(d, c->r, c->at, &def);
}

void canon_read(struct cm_decode *d, struct reader *r)
{
    struct canon_reading c = {.d = d, .r = r, .at = r->at};
    c.canon.canon = canon_of(reader_u8(r));
    if (!reader_ok(r))
        return;
    if (c.canon.canon == CANONS) {
        reader_fail_at(r, c.at, ERR_MALFORMED, "0x%02x does not begin a canonical definition",
                       *c.at);
        return;
    }
    if (c.canon.canon == CANON_LIFT || c.canon.canon == CANON_LOWER) {
        func_sort_read(&c);
        if (c.canon.canon == CANON_LIFT)
            lift_read(&c);
        else
            lower_read(&c);
    } else {
        builtin_read(&c);
    }
    if (reader_ok(r))
        add(&c);
}
