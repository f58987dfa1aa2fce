/* Component instances and aliases; see decode.h. Binary.md "Instance Definitions", "Alias
 * Definitions". */
#include "engine/component/decode.h"
#include "engine/component/instance_type.h"

/* --- Items --------------------------------------------------------------------------------------
 */

/* What an item refers to: its sort and index, and for a type the resource type that it is. */
static void item_read(struct cm_decode *d, struct reader *r, struct cm_item *item,
                      struct cm_extern *ret)
{
    item->sort = sort_read(r);
    const uint8_t *at = r->at;
    item->index = reader_u32(r);
    if (!reader_ok(r) || scope_extern(d->scope, r, at, item->sort, item->index, ret))
        return;
    if (item->sort == SORT_TYPE && ret->type->kind == CM_RESOURCE)
        item->var = ret->type->var;
}

/* Copies items and sorts them; fails if a name is given twice (`names` are their declarations). */
static int keep_items(struct cm_decode *d, struct reader *r, const uint8_t *at, struct cm_def *def,
                      const struct cm_item *items, struct cm_decls *decls)
{
    uint32_t count = decls->count;
    decls->places = cm_decl_places(d->image, decls->at, count);
    def->nitems = count;
    def->places = decls->places;
    def->items = region_copy(d->image, items, count * sizeof *items, _Alignof(struct cm_item));
    if (!def->items || !def->places)
        return decode_full(r, at);
    for (uint32_t i = 1; i < count; i++)
        if (def->places[i].key == def->places[i - 1].key)
            return reader_fail_at(r, at, ERR_INVALID, "the name '" STR_FMT "' is given twice",
                                  STR_ARG(items[def->places[i].index].name->text));
    return 0;
}

/* --- Instantiation ------------------------------------------------------------------------------
 */

/* A resource type for cm_instance_type: one of the innermost scope. */
struct new_var {
    struct cm_decode *d;
    struct reader *r;
    const uint8_t *at;
};

static struct cm_var *new_var(void *data, struct err *err)
{
    struct new_var *n = data;
    (void)err;
    return scope_var(n->d, n->r, n->at);
}

static const struct cm_type *instantiate_read(struct cm_decode *d, struct reader *r,
                                              const uint8_t *at, struct cm_def *def)
{
    const uint8_t *index_at = r->at;
    def->kind = DEF_INSTANTIATE;
    def->of = reader_u32(r);
    if (scope_check(d->scope, r, index_at, SORT_COMPONENT, def->of))
        return NULL;
    uint32_t count = cm_limit_count(r, CM_COUNT_ARGUMENTS);
    struct cm_item *items = region_array(d->scratch, struct cm_item, count);
    struct cm_decl *decls = region_array(d->scratch, struct cm_decl, count);
    if (!items || !decls) {
        decode_full(r, at);
        return NULL;
    }
    for (uint32_t i = 0; i < count && reader_ok(r); i++) {
        decls[i].name = items[i].name = symbol_read(d, r, "name of an argument");
        item_read(d, r, &items[i], &decls[i].is);
    }
    struct cm_decls given = {count, decls, NULL};
    if (!reader_ok(r) || keep_items(d, r, at, def, items, &given))
        return NULL;
    struct new_var n = {d, r, at};
    const struct cm_type *type = cm_instance_type(
        d->types, d->scratch, d->scope->components.at[def->of], &given, new_var, &n, r->err);
    if (!type)
        decode_failed(r, at);
    else if (type->flags & CM_RESOURCES)
        def->binds = type;
    return type;
}

static const struct cm_type *exports_read(struct cm_decode *d, struct reader *r, const uint8_t *at,
                                          struct cm_def *def)
{
    uint32_t count = cm_limit_count(r, CM_COUNT_INLINE_EXPORTS);
    struct cm_item *items = region_array(d->scratch, struct cm_item, count);
    struct cm_decl *decls = region_array(d->image, struct cm_decl, count);
    struct grow_set names = {0};
    def->kind = DEF_EXPORTS;
    if (!items || !decls) {
        decode_full(r, at);
        return NULL;
    }
    for (uint32_t i = 0; i < count && reader_ok(r); i++) {
        const uint8_t *item_at = r->at;
        extern_name_read(d, r, &decls[i]);
        item_read(d, r, &items[i], &decls[i].is);
        items[i].name = decls[i].name;
        /* No resource type has a name here: an instance of exports has no types of its own. */
        if (reader_ok(r))
            extern_check_name(d, r, item_at, &names, NULL, 0, &decls[i]);
    }
    struct cm_type draft = {.kind = CM_INSTANCE, .exports = {count, decls, NULL}};
    if (!reader_ok(r) || keep_items(d, r, at, def, items, &draft.exports))
        return NULL;
    const struct cm_type *type = cm_type_closed(d->types, &draft, r->err);
    if (!type)
        decode_failed(r, at);
    def->shape = type;
    return type;
}

void instance_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    struct cm_def def = {.sort = SORT_INSTANCE, .offset = reader_offset(r)};
    struct cm_extern is = {.sort = SORT_INSTANCE};
    uint8_t form = reader_u8(r);
    if (form == 0)
        is.type = instantiate_read(d, r, at, &def);
    else if (form == 1)
        is.type = exports_read(d, r, at, &def);
    else
        reader_fail_at(r, at, ERR_MALFORMED, "0x%02x does not begin an instance", form);
    if (is.type && scope_add(d, r, at, &is) == 0)
        scope_add_def(d, r, at, &def);
}

/* --- Aliases ------------------------------------------------------------------------------------
 */

static void alias_export_read(struct cm_decode *d, struct reader *r, const uint8_t *at,
                              enum cm_sort sort)
{
    struct scope *scope = d->scope;
    struct cm_def def = {
        .kind = DEF_ALIAS_EXPORT, .sort = sort, .offset = (uint64_t)(at - r->base)};
    const uint8_t *index_at = r->at;
    def.from = reader_u32(r);
    def.name = symbol_read(d, r, "name of an export");
    if (!def.name || scope_check(scope, r, index_at, SORT_INSTANCE, def.from))
        return;
    if (scope->kind != SCOPE_COMPONENT && sort != SORT_TYPE && sort != SORT_INSTANCE) {
        reader_fail_at(r, at, ERR_INVALID,
                       "an alias in a type may refer to types or instances only");
        return;
    }
    const struct cm_decl *decl = cm_decl_find(&scope->instances.at[def.from]->exports, def.name);
    if (!decl) {
        reader_fail_at(r, at, ERR_INVALID, "instance %u has no export named '" STR_FMT "'",
                       def.from, STR_ARG(def.name->text));
        return;
    }
    if (decl->is.sort != sort) {
        reader_fail_at(r, at, ERR_INVALID, "export '" STR_FMT "' of instance %u is no %s",
                       STR_ARG(def.name->text), def.from, cm_sort_text(sort));
        return;
    }
    if (scope_add(d, r, at, &decl->is) == 0 && sort != SORT_TYPE)
        scope_add_def(d, r, at, &def);
}

static void alias_core_export_read(struct cm_decode *d, struct reader *r, const uint8_t *at,
                                   enum cm_sort sort)
{
    static const enum cm_sort sorts[] = {
        [EXTERN_FUNC] = SORT_CORE_FUNC,     [EXTERN_TABLE] = SORT_CORE_TABLE,
        [EXTERN_MEMORY] = SORT_CORE_MEMORY, [EXTERN_GLOBAL] = SORT_CORE_GLOBAL,
        [EXTERN_TAG] = SORT_CORE_TAG,
    };
    struct scope *scope = d->scope;
    struct cm_def def = {
        .kind = DEF_ALIAS_CORE_EXPORT, .sort = sort, .offset = (uint64_t)(at - r->base)};
    const uint8_t *index_at = r->at;
    def.from = reader_u32(r);
    def.name = symbol_read(d, r, "name of an export");
    if (!def.name || scope_check(scope, r, index_at, SORT_CORE_INSTANCE, def.from))
        return;
    const struct cm_module_type *instance = scope->core_instances.at[def.from];
    uint32_t export =
        symbol_search(instance->export_places, instance->nexports, symbol_key(def.name));
    if (scope->kind != SCOPE_COMPONENT)
        reader_fail_at(r, at, ERR_INVALID,
                       "an alias in a type may refer to types or instances only");
    else if (export == SYMBOL_ABSENT)
        reader_fail_at(r, at, ERR_INVALID, "core instance %u has no export named '" STR_FMT "'",
                       def.from, STR_ARG(def.name->text));
    else if (sorts[instance->exports[export].type.kind] != sort)
        reader_fail_at(r, at, ERR_INVALID, "export '" STR_FMT "' of core instance %u is no %s",
                       STR_ARG(def.name->text), def.from, cm_sort_text(sort));
    else if (scope_add_core(d, r, at, &instance->exports[export].type) == 0)
        scope_add_def(d, r, at, &def);
}

/* The binders of the closed types around a place in a type. */
struct around {
    uint32_t binder;
    const struct around *outer;
};

/* Does a type mention a resource type that is not its own? -1: too much work. */
static int has_free(struct cm_decode *d, const struct cm_type *type, const struct around *around,
                    uint32_t stamp, struct err *err);

static int has_free_list(struct cm_decode *d, const struct cm_decls *list,
                         const struct around *around, uint32_t stamp, struct err *err)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct cm_extern *is = &list->at[i].is;
        int free = is->sort == SORT_MODULE ? 0 : has_free(d, is->type, around, stamp, err);
        if (free)
            return free;
    }
    return 0;
}

static int has_free(struct cm_decode *d, const struct cm_type *type, const struct around *around,
                    uint32_t stamp, struct err *err)
{
    if (!(type->flags & CM_RESOURCES) || type->stamp == stamp)
        return 0;
    ((struct cm_type *)(uintptr_t)type)->stamp = stamp;
    uint32_t count = cm_part_count(type);
    if (cm_types_work(d->types, count + 1, err))
        return -1;
    if (type->kind == CM_RESOURCE) {
        for (; around; around = around->outer)
            if (around->binder == type->var->binder)
                return 0;
        return 1;
    }
    if (type->kind == CM_COMPONENT || type->kind == CM_INSTANCE) {
        struct around inside = {type->binder, around};
        int free =
            type->kind == CM_COMPONENT ? has_free_list(d, &type->imports, &inside, stamp, err) : 0;
        return free ? free : has_free_list(d, &type->exports, &inside, stamp, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_type *part = cm_part_at(type, i).type;
        int free = part ? has_free(d, part, around, stamp, err) : 0;
        if (free)
            return free;
    }
    return 0;
}

/* Adds what lies in an outer scope; `crossed` is the scope one inwards from there. */
static void alias_outer(struct cm_decode *d, struct reader *r, const uint8_t *at,
                        const struct cm_def *def, struct scope *target, const struct scope *crossed)
{
    struct cm_extern is;
    if (def->sort == SORT_CORE_TYPE) {
        struct scope *scope = d->scope;
        if (scope_check(target, r, at, SORT_CORE_TYPE, def->index) ||
            !typespace_add(&scope->core_types, r, target->core_types.ids[def->index]))
            return;
        if (grow_room(&scope->core_module_types, d->scratch))
            grow_push(&scope->core_module_types, target->core_module_types.at[def->index]);
        else
            decode_full(r, at);
        return;
    }
    if (scope_extern(target, r, at, def->sort, def->index, &is))
        return;
    if (def->sort == SORT_TYPE && crossed && crossed->kind == SCOPE_COMPONENT) {
        int free = has_free(d, is.type, NULL, ++d->types->stamp, r->err);
        if (free < 0) {
            decode_failed(r, at);
            return;
        }
        if (free) {
            reader_fail_at(r, at, ERR_INVALID,
                           "an alias across a component cannot refer to resource types, which "
                           "type %u does",
                           def->index);
            return;
        }
    }
    if (scope_add(d, r, at, &is) == 0 && def->sort != SORT_TYPE)
        scope_add_def(d, r, at, def);
}

static void alias_outer_read(struct cm_decode *d, struct reader *r, const uint8_t *at,
                             enum cm_sort sort)
{
    struct cm_def def = {.kind = DEF_ALIAS_OUTER, .sort = sort, .offset = (uint64_t)(at - r->base)};
    if (sort != SORT_MODULE && sort != SORT_CORE_TYPE && sort != SORT_COMPONENT &&
        sort != SORT_TYPE) {
        reader_fail_at(r, at, ERR_MALFORMED, "%s: this sort cannot be aliased from outside",
                       cm_sort_text(sort));
        return;
    }
    def.from = reader_u32(r);
    def.index = reader_u32(r);
    if (!reader_ok(r))
        return;
    if (d->scope->kind != SCOPE_COMPONENT && sort != SORT_TYPE && sort != SORT_CORE_TYPE) {
        reader_fail_at(r, at, ERR_INVALID,
                       "an alias in a type may refer to types or instances only");
        return;
    }
    struct scope *target = d->scope;
    const struct scope *crossed = NULL;
    for (uint32_t i = 0; i < def.from && target; i++) {
        crossed = target;
        target = target->outer;
    }
    if (!target)
        reader_fail_at(r, at, ERR_INVALID, "invalid outer alias count of %u", def.from);
    else
        alias_outer(d, r, at, &def, target, crossed);
}

void alias_read(struct cm_decode *d, struct reader *r)
{
    const uint8_t *at = r->at;
    enum cm_sort sort = sort_read(r);
    const uint8_t *target_at = r->at;
    uint8_t target = reader_u8(r);
    if (!reader_ok(r))
        return;
    if (sort == SORT_VALUE) {
        reader_fail_at(r, at, ERR_INVALID, "values are a gated feature");
        return;
    }
    switch (target) {
    case 0: alias_export_read(d, r, at, sort); break;
    case 1: alias_core_export_read(d, r, at, sort); break;
    case 2: alias_outer_read(d, r, at, sort); break;
    default:
        reader_fail_at(r, target_at, ERR_MALFORMED, "0x%02x is no target of an alias", target);
        break;
    }
}
