/* Index spaces and lists of a component or type that is being decoded; see scope.h. */
#include "engine/component/scope.h"

#include "engine/component/subst.h"

int decode_failed(struct reader *r, const uint8_t *at)
{
    if (r->err->offset == ERR_NOWHERE)
        r->err->offset = (uint64_t)(at - r->base);
    reader_stop(r);
    return -1;
}

int decode_full(struct reader *r, const uint8_t *at)
{
    return reader_fail_at(r, at, ERR_MEMORY, "no memory left for this component");
}

struct scope *scope_open(struct cm_decode *d, struct reader *r, enum scope_kind kind)
{
    uint8_t *mark = region_mark(d->scratch);
    struct scope *scope = region_new(d->scratch, struct scope);
    if (!scope) {
        decode_full(r, r->at);
        return NULL;
    }
    scope->kind = kind;
    scope->outer = d->scope;
    scope->binder = ++d->types->binder;
    scope->core_types = typespace_of(d->types->core, d->scratch);
    scope->mark = mark;
    d->scope = scope;
    return scope;
}

/* --- Index spaces -------------------------------------------------------------------------------
 */

uint32_t scope_count(const struct scope *scope, enum cm_sort sort)
{
    switch (sort) {
    case SORT_CORE_FUNC: return scope->core_funcs.count;
    case SORT_CORE_TABLE: return scope->core_tables.count;
    case SORT_CORE_MEMORY: return scope->core_memories.count;
    case SORT_CORE_GLOBAL: return scope->core_globals.count;
    case SORT_CORE_TAG: return scope->core_tags.count;
    case SORT_CORE_TYPE: return scope->core_types.count;
    case SORT_MODULE: return scope->modules.count;
    case SORT_CORE_INSTANCE: return scope->core_instances.count;
    case SORT_FUNC: return scope->funcs.count;
    case SORT_TYPE: return scope->types.count;
    case SORT_COMPONENT: return scope->components.count;
    case SORT_INSTANCE: return scope->instances.count;
    default: return 0;
    }
}

int scope_check(struct scope *scope, struct reader *r, const uint8_t *at, enum cm_sort sort,
                uint32_t index)
{
    if (!reader_ok(r))
        return -1;
    uint32_t count = scope_count(scope, sort);
    if (index < count)
        return 0;
    return reader_fail_at(r, at, ERR_INVALID, "%s index out of bounds: %u, there are %u",
                          cm_sort_text(sort), index, count);
}

const struct cm_type *scope_type_at(struct scope *scope, struct reader *r, const uint8_t *at,
                                    uint32_t index)
{
    return scope_check(scope, r, at, SORT_TYPE, index) ? NULL : scope->types.at[index];
}

const struct cm_type *scope_type_of(struct scope *scope, struct reader *r, const uint8_t *at,
                                    uint32_t index, enum cm_kind kind)
{
    const struct cm_type *type = scope_type_at(scope, r, at, index);
    if (!type || type->kind == kind)
        return type;
    reader_fail_at(r, at, ERR_INVALID, "type %u is of kind %s, not %s", index,
                   cm_kind_text(type->kind), cm_kind_text(kind));
    return NULL;
}

const struct cm_type *scope_value_type(struct scope *scope, struct reader *r, const uint8_t *at,
                                       uint32_t index)
{
    const struct cm_type *type = scope_type_at(scope, r, at, index);
    if (!type || cm_is_value(type))
        return type;
    reader_fail_at(r, at, ERR_INVALID, "type %u is of kind %s, not a value type", index,
                   cm_kind_text(type->kind));
    return NULL;
}

const struct cm_module_type *scope_module_type(struct scope *scope, struct reader *r,
                                               const uint8_t *at, uint32_t index)
{
    if (scope_check(scope, r, at, SORT_CORE_TYPE, index))
        return NULL;
    const struct cm_module_type *type = scope->core_module_types.at[index];
    if (!type)
        reader_fail_at(r, at, ERR_INVALID, "core type %u is not a module type", index);
    return type;
}

int scope_extern(struct scope *scope, struct reader *r, const uint8_t *at, enum cm_sort sort,
                 uint32_t index, struct cm_extern *ret)
{
    *ret = (struct cm_extern){.sort = sort};
    if (sort == SORT_VALUE)
        return reader_fail_at(r, at, ERR_INVALID, "values are a gated feature");
    if (scope_check(scope, r, at, sort, index))
        return -1;
    switch (sort) {
    case SORT_MODULE: ret->module = scope->modules.at[index]; return 0;
    case SORT_FUNC: ret->type = scope->funcs.at[index]; return 0;
    case SORT_TYPE: ret->type = scope->types.at[index]; return 0;
    case SORT_COMPONENT: ret->type = scope->components.at[index]; return 0;
    case SORT_INSTANCE: ret->type = scope->instances.at[index]; return 0;
    default:
        return reader_fail_at(r, at, ERR_INVALID,
                              "%s: this sort cannot be passed between components",
                              cm_sort_text(sort));
    }
}

int scope_core_extern(struct scope *scope, struct reader *r, const uint8_t *at, enum cm_sort sort,
                      uint32_t index, struct externtype *ret)
{
    if (scope_check(scope, r, at, sort, index))
        return -1;
    *ret = (struct externtype){0};
    switch (sort) {
    case SORT_CORE_FUNC:
        ret->kind = EXTERN_FUNC;
        ret->func = scope->core_funcs.at[index];
        return 0;
    case SORT_CORE_TABLE:
        ret->kind = EXTERN_TABLE;
        ret->table = scope->core_tables.at[index];
        return 0;
    case SORT_CORE_MEMORY:
        ret->kind = EXTERN_MEMORY;
        ret->memory = scope->core_memories.at[index];
        return 0;
    case SORT_CORE_GLOBAL:
        ret->kind = EXTERN_GLOBAL;
        ret->global = scope->core_globals.at[index];
        return 0;
    case SORT_CORE_TAG:
        ret->kind = EXTERN_TAG;
        ret->func = scope->core_tags.at[index];
        return 0;
    default:
        return reader_fail_at(r, at, ERR_INVALID, "%s: a core instance cannot export this sort",
                              cm_sort_text(sort));
    }
}

/* Is there room in the index space of a sort under its limit? */
static int under_limit(struct scope *scope, struct reader *r, const uint8_t *at, enum cm_sort sort)
{
    static const enum cm_limit limits[SORTS] = {
#define SORT(name, core, component, limit, text) [SORT_##name] = CM_COUNT_##limit,
#include "engine/component/sort.def"
#undef SORT
    };
    if (scope_count(scope, sort) < cm_limit_rows[limits[sort]].number)
        return 0;
    cm_limit_passed(r->err, ERR_NOWHERE, limits[sort]);
    return decode_failed(r, at);
}

#define APPEND(list, element)                                                                      \
    (grow_room(list, d->scratch) ? (grow_push(list, element), 0) : decode_full(r, at))

int scope_add(struct cm_decode *d, struct reader *r, const uint8_t *at, const struct cm_extern *is)
{
    struct scope *scope = d->scope;
    if (under_limit(scope, r, at, is->sort))
        return -1;
    switch (is->sort) {
    case SORT_MODULE: return APPEND(&scope->modules, is->module);
    case SORT_FUNC: return APPEND(&scope->funcs, is->type);
    case SORT_TYPE: return APPEND(&scope->types, is->type);
    case SORT_COMPONENT: return APPEND(&scope->components, is->type);
    case SORT_INSTANCE: return APPEND(&scope->instances, is->type);
    default: return reader_fail_at(r, at, ERR_FAULT, "%s as an extern", cm_sort_text(is->sort));
    }
}

int scope_add_core(struct cm_decode *d, struct reader *r, const uint8_t *at,
                   const struct externtype *type)
{
    static const enum cm_sort sorts[] = {
        [EXTERN_FUNC] = SORT_CORE_FUNC,     [EXTERN_TABLE] = SORT_CORE_TABLE,
        [EXTERN_MEMORY] = SORT_CORE_MEMORY, [EXTERN_GLOBAL] = SORT_CORE_GLOBAL,
        [EXTERN_TAG] = SORT_CORE_TAG,
    };
    struct scope *scope = d->scope;
    if (under_limit(scope, r, at, sorts[type->kind]))
        return -1;
    switch (type->kind) {
    case EXTERN_FUNC: return APPEND(&scope->core_funcs, type->func);
    case EXTERN_TABLE: return APPEND(&scope->core_tables, type->table);
    case EXTERN_MEMORY: return APPEND(&scope->core_memories, type->memory);
    case EXTERN_GLOBAL: return APPEND(&scope->core_globals, type->global);
    case EXTERN_TAG: return APPEND(&scope->core_tags, type->func);
    }
    return -1;
}

int scope_add_def(struct cm_decode *d, struct reader *r, const uint8_t *at,
                  const struct cm_def *def)
{
    struct scope *scope = d->scope;
    if (scope->kind != SCOPE_COMPONENT)
        return 0; /* types have nothing to do at run time */
    return APPEND(&scope->defs, *def);
}

/* --- Resource types -----------------------------------------------------------------------------
 */

struct cm_var *scope_var(struct cm_decode *d, struct reader *r, const uint8_t *at)
{
    struct scope *scope = d->scope;
    struct cm_var *var = cm_var_new(d->types, scope->binder, r->err);
    if (!var) {
        decode_failed(r, at);
        return NULL;
    }
    var->slot = scope->nslots++;
    if (!grow_room(&scope->vars, d->scratch)) {
        decode_full(r, at);
        return NULL;
    }
    grow_push(&scope->vars, var);
    return var;
}

const struct cm_type *scope_freshen(struct cm_decode *d, struct reader *r, const uint8_t *at,
                                    const struct cm_type *type, bool imported)
{
    if (type->nbound == 0)
        return type;
    struct cm_subst subst = cm_subst_begin(d->types, d->scratch, r->err);
    for (uint32_t i = 0; i < type->nbound; i++) {
        struct cm_var *var = scope_var(d, r, at);
        if (!var)
            return NULL;
        var->imported = imported;
        var->name = type->bound[i]->name;
        type->bound[i]->to = var->node;
    }
    struct cm_type draft = *type;
    int failed = cm_subst_decls(&subst, &type->exports, &draft.exports);
    for (uint32_t i = 0; i < type->nbound; i++)
        type->bound[i]->to = NULL;
    draft.nbound = 0;
    draft.bound = NULL;
    const struct cm_type *fresh = failed ? NULL : cm_type_closed(d->types, &draft, r->err);
    if (!fresh)
        decode_failed(r, at);
    return fresh;
}

/* --- The type of what was decoded ---------------------------------------------------------------
 */

static int keep_list(struct cm_decode *d, const struct scope_list *list, struct cm_decls *ret)
{
    ret->count = list->decls.count;
    ret->at = region_copy(d->image, list->decls.at, list->decls.count * sizeof *ret->at,
                          _Alignof(struct cm_decl));
    ret->places = ret->at ? cm_decl_places(d->image, ret->at, ret->count) : NULL;
    return ret->places ? 0 : -1;
}

/* The resource types that every instance of this type has anew: those of the scope that its exports
 * mention, all of which must be exported somewhere (of an instance type: all there are). */
static int keep_bound(struct cm_decode *d, struct reader *r, const uint8_t *at,
                      struct cm_type *draft)
{
    struct scope *scope = d->scope;
    bool all = scope->kind == SCOPE_INSTANCE_TYPE;
    struct cm_var **bound = region_array(d->image, struct cm_var *, scope->vars.count);
    if (!bound)
        return decode_full(r, at);
    for (uint32_t i = 0; i < scope->vars.count; i++) {
        struct cm_var *var = scope->vars.at[i];
        if (var->imported || !(var->mentioned || all))
            continue;
        if (!var->exported && !all)
            return reader_fail_at(r, at, ERR_INVALID,
                                  "an export uses a resource type of this component that is not "
                                  "exported itself");
        bound[draft->nbound++] = var;
    }
    draft->bound = bound;
    return 0;
}

const struct cm_type *scope_type(struct cm_decode *d, struct reader *r, const uint8_t *at)
{
    struct scope *scope = d->scope;
    struct cm_type draft = {
        .kind = scope->kind == SCOPE_INSTANCE_TYPE ? CM_INSTANCE : CM_COMPONENT,
        .binder = scope->binder,
    };
    if (keep_list(d, &scope->lists[SIDE_IMPORT], &draft.imports) ||
        keep_list(d, &scope->lists[SIDE_EXPORT], &draft.exports)) {
        decode_full(r, at);
        return NULL;
    }
    if (keep_bound(d, r, at, &draft))
        return NULL;
    const struct cm_type *type = cm_type_closed(d->types, &draft, r->err);
    if (!type)
        decode_failed(r, at);
    return type;
}
