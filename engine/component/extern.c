/* Names and types of imports and exports; see extern.h. */
#include "engine/component/extern.h"

#include "engine/component/name.h"

/* --- Reading ------------------------------------------------------------------------------------
 */

static struct str name_of_limit(struct reader *r, const char *what)
{
    const uint8_t *at = r->at;
    struct str name = reader_name(r, what);
    if (name.len > CM_LIMIT_NAME_SIZE) {
        reader_fail_at(r, at, ERR_LIMIT, "%s of %zu bytes, at most %u are allowed", what, name.len,
                       CM_LIMIT_NAME_SIZE);
        return (struct str){0};
    }
    return name;
}

enum { ATTRIBUTE_IMPLEMENTS, ATTRIBUTE_VERSION_SUFFIX, ATTRIBUTE_EXTERNAL_ID };

static void attributes_read(struct reader *r, struct cm_decl *decl)
{
    unsigned seen = 0;
    uint32_t count = cm_limit_count(r, CM_COUNT_ATTRIBUTES);
    for (uint32_t i = 0; i < count && reader_ok(r); i++) {
        const uint8_t *at = r->at;
        uint8_t kind = reader_u8(r);
        if (kind > ATTRIBUTE_EXTERNAL_ID) {
            reader_fail_at(r, at, ERR_MALFORMED, "0x%02x is no attribute of a name", kind);
            return;
        }
        struct str text = name_of_limit(r, "attribute of a name");
        if (seen & 1u << kind)
            reader_fail_at(r, at, ERR_INVALID, "an attribute of a name is given twice");
        seen |= 1u << kind;
        if (kind == ATTRIBUTE_IMPLEMENTS)
            decl->implements = text.len ? text : (struct str){"", 0};
        else if (kind == ATTRIBUTE_EXTERNAL_ID)
            decl->external_id = text;
        else
            reader_fail_at(r, at, ERR_INVALID,
                           "versionsuffix belongs to a gated feature (canonical interface names)");
    }
}

void extern_name_read(struct cm_decode *d, struct reader *r, struct cm_decl *decl)
{
    const uint8_t *at = r->at;
    decl->offset = reader_offset(r);
    uint8_t form = reader_u8(r);
    if (form > 2) {
        reader_fail_at(r, at, ERR_MALFORMED, "0x%02x does not begin a component name", form);
        return;
    }
    struct str name = name_of_limit(r, "component name");
    if (form == 2)
        attributes_read(r, decl);
    if (!reader_ok(r))
        return;
    decl->name = symbol_of(&d->types->symbols, name, false);
    if (!decl->name)
        decode_full(r, at);
}

static const struct {
    uint8_t core, component;
} sort_bytes[SORTS] = {
#define NONE                                     0xff
#define SORT(name, core, component, limit, text) [SORT_##name] = {core, component},
#include "engine/component/sort.def"
#undef SORT
#undef NONE
};

enum cm_sort core_sort_read(struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t byte = reader_u8(r);
    for (unsigned sort = 0; byte != 0xff && sort < SORTS; sort++)
        if (sort_bytes[sort].core == byte)
            return (enum cm_sort)sort;
    reader_fail_at(r, at, ERR_MALFORMED, "0x%02x is no core sort", byte);
    return SORTS;
}

enum cm_sort sort_read(struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t byte = reader_u8(r);
    if (byte == 0)
        return core_sort_read(r);
    for (unsigned sort = 0; byte != 0xff && sort < SORTS; sort++)
        if (sort_bytes[sort].component == byte)
            return (enum cm_sort)sort;
    reader_fail_at(r, at, ERR_MALFORMED, "0x%02x is no sort", byte);
    return SORTS;
}

static void type_bound_read(struct cm_decode *d, struct reader *r, enum scope_side side,
                            struct cm_extern *ret)
{
    const uint8_t *at = r->at;
    uint8_t bound = reader_u8(r);
    if (bound == 0) {
        at = r->at;
        uint32_t index = reader_u32(r);
        const struct cm_type *type = scope_type_at(d->scope, r, at, index);
        if (!type)
            return;
        ret->type = cm_type_named(d->types, type, r->err);
        if (!ret->type)
            decode_failed(r, at);
    } else if (bound == 1) {
        struct cm_var *var = scope_var(d, r, at);
        if (!var)
            return;
        var->imported = side == SIDE_IMPORT;
        ret->type = var->node;
        ret->fresh = true;
    } else {
        reader_fail_at(r, at, ERR_MALFORMED, "0x%02x is no type bound", bound);
    }
}

void extern_type_read(struct cm_decode *d, struct reader *r, enum scope_side side,
                      struct cm_extern *ret)
{
    const uint8_t *at = r->at;
    enum cm_sort sort = sort_read(r);
    *ret = (struct cm_extern){.sort = sort};
    if (sort == SORT_TYPE) {
        type_bound_read(d, r, side, ret);
        return;
    }
    const uint8_t *index_at = r->at;
    switch (sort) {
    case SORT_MODULE: ret->module = scope_module_type(d->scope, r, index_at, reader_u32(r)); break;
    case SORT_FUNC: ret->type = scope_type_of(d->scope, r, index_at, reader_u32(r), CM_FUNC); break;
    case SORT_INSTANCE:
        ret->type = scope_type_of(d->scope, r, index_at, reader_u32(r), CM_INSTANCE);
        break;
    case SORT_COMPONENT:
        ret->type = scope_type_of(d->scope, r, index_at, reader_u32(r), CM_COMPONENT);
        break;
    case SORT_VALUE: reader_fail_at(r, at, ERR_INVALID, "values are a gated feature"); break;
    default:
        if (reader_ok(r))
            reader_fail_at(r, at, ERR_MALFORMED, "%s: this sort cannot be imported or exported",
                           cm_sort_text(sort));
        break;
    }
}

/* --- Names --------------------------------------------------------------------------------------
 */

/* The resource type that an annotated function is about, by its type; NULL if it is another. */
static const struct cm_type *constructed(const struct cm_type *func)
{
    const struct cm_type *result = func->result;
    if (result && result->kind == CM_RESULT)
        result = result->cases[0].type;
    return result && result->kind == CM_OWN ? result->resource : NULL;
}

static const struct cm_type *receiver(const struct cm_type *func)
{
    if (func->nparams == 0 || !str_is(func->params[0].label->text, "self"))
        return NULL;
    const struct cm_type *self = func->params[0].type;
    return self->kind == CM_BORROW ? self->resource : NULL;
}

static int annotation_fails(struct reader *r, const uint8_t *at, const struct cm_decl *decl,
                            const char *why)
{
    return reader_fail_at(r, at, ERR_INVALID, "'" STR_FMT "': %s", STR_ARG(decl->name->text), why);
}

/* What [constructor], [method] and [static] demand. */
static int check_annotation(struct cm_decode *d, struct reader *r, const uint8_t *at,
                            const struct scope_list *list, uint32_t list_id,
                            const struct cm_decl *decl, const struct name *name)
{
    if (decl->is.sort != SORT_FUNC)
        return annotation_fails(r, at, decl, "only a function may have an annotated name");
    const struct cm_type *func = decl->is.type;
    if (name->kind == NAME_STATIC) {
        const struct symbol *resource = symbol_of(&d->types->symbols, name->resource, false);
        if (!resource)
            return decode_full(r, at);
        if (list && grow_set_has(&list->resources, resource->serial))
            return 0;
        return annotation_fails(r, at, decl, "no resource type of that name comes before it");
    }
    if (name->kind == NAME_CONSTRUCTOR && func->async)
        return annotation_fails(r, at, decl, "a constructor cannot be async");
    const struct cm_type *resource =
        name->kind == NAME_CONSTRUCTOR ? constructed(func) : receiver(func);
    if (!resource && name->kind == NAME_CONSTRUCTOR)
        return annotation_fails(r, at, decl, "a constructor returns own<T> or result<own<T>, E>");
    if (!resource)
        return annotation_fails(r, at, decl,
                                "the first parameter of a method is 'self', a borrow<T>");
    if (!list || resource->outside_in != list_id)
        return annotation_fails(r, at, decl, "its resource type has no name here");
    if (!str_eq(resource->outside->text, name->resource))
        return annotation_fails(r, at, decl, "its resource type has another name");
    return 0;
}

static int check_implements(struct reader *r, const uint8_t *at, const struct cm_decl *decl,
                            const struct name *name)
{
    const char *why;
    if (name->kind != NAME_LABEL)
        return annotation_fails(r, at, decl, "only a plain label may have 'implements'");
    if (decl->is.sort != SORT_INSTANCE)
        return annotation_fails(r, at, decl, "only instances may have 'implements'");
    if (name_parse(decl->implements, &why).kind != NAME_INTERFACE)
        return annotation_fails(r, at, decl, "'implements' takes the name of an interface");
    return 0;
}

int extern_check_name(struct cm_decode *d, struct reader *r, const uint8_t *at,
                      struct grow_set *names, const struct scope_list *list, uint32_t list_id,
                      const struct cm_decl *decl)
{
    const char *why;
    struct str text = decl->name->text;
    struct name name = name_parse(text, &why);
    if (name.kind == NAME_WRONG)
        return reader_fail_at(r, at, ERR_INVALID, "'" STR_FMT "' is no name: %s", STR_ARG(text),
                              why);
    if (decl->implements.at && check_implements(r, at, decl, &name))
        return -1;
    if (name.kind != NAME_LABEL && name.kind != NAME_INTERFACE &&
        check_annotation(d, r, at, list, list_id, decl, &name))
        return -1;
    const struct symbol *folded = symbol_folded(&d->types->symbols, decl->name);
    if (!folded)
        return decode_full(r, at);
    if (grow_set_has(names, folded->serial))
        return reader_fail_at(r, at, ERR_INVALID,
                              "'" STR_FMT "' conflicts with an earlier name (names must be "
                              "strongly unique)",
                              STR_ARG(text));
    return grow_set_add(names, folded->serial, d->scratch) ? 0 : decode_full(r, at);
}

/* --- Names that types have for the outside ------------------------------------------------------
 */

/* Is a type that is used in a list of imports or exports made of what that list may use? Records,
 * variants, enums, flags and resources must have been named by it. -1: too much work. */
static int usable(struct cm_decode *d, const struct scope_list *list, const struct cm_type *type,
                  struct err *err)
{
    if (!(type->flags & (CM_NAMEABLE | CM_RESOURCES)))
        return 1;
    switch (type->kind) {
    case CM_RECORD:
    case CM_VARIANT:
    case CM_ENUM:
    case CM_FLAGS:
    case CM_RESOURCE: return grow_set_has(&list->types, type->serial);
    default: break;
    }
    uint32_t count = cm_part_count(type);
    if (cm_types_work(d->types, count + 1, err))
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_type *part = cm_part_at(type, i).type;
        int is = part ? usable(d, list, part, err) : 1;
        if (is <= 0)
            return is;
    }
    return 1;
}

/* The same for the parts of a type that is being named, or of a function. */
static int parts_usable(struct cm_decode *d, const struct scope_list *list,
                        const struct cm_type *type, struct err *err)
{
    if (type->kind == CM_RESOURCE || type->kind == CM_COMPONENT)
        return 1; /* component types are checked when they are made */
    if (type->kind == CM_INSTANCE) {
        if (cm_types_work(d->types, type->exports.count + 1, err))
            return -1;
        for (uint32_t i = 0; i < type->exports.count; i++) {
            const struct cm_extern *is = &type->exports.at[i].is;
            int good = is->sort == SORT_MODULE ? 1 : parts_usable(d, list, is->type, err);
            if (good <= 0)
                return good;
        }
        return 1;
    }
    uint32_t count = cm_part_count(type);
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_type *part = cm_part_at(type, i).type;
        int good = part ? usable(d, list, part, err) : 1;
        if (good <= 0)
            return good;
    }
    return 1;
}

/* Checks an item and gives its types their names in the list: imported types may be used in
 * exports, too. An instance names what it exports. 1, 0 if a type has no name, -1 and *err. */
static int name_types(struct cm_decode *d, enum scope_side side, const struct cm_extern *is,
                      struct err *err)
{
    struct scope_list *lists = d->scope->lists;
    if (is->sort == SORT_INSTANCE) {
        if (cm_types_work(d->types, is->type->exports.count + 1, err))
            return -1;
        for (uint32_t i = 0; i < is->type->exports.count; i++) {
            int good = name_types(d, side, &is->type->exports.at[i].is, err);
            if (good <= 0)
                return good;
        }
        return 1;
    }
    if (is->sort == SORT_FUNC)
        return parts_usable(d, &lists[side], is->type, err);
    if (is->sort != SORT_TYPE)
        return 1;
    int good = parts_usable(d, &lists[side], is->type, err);
    if (good <= 0)
        return good;
    if (!grow_set_add(&lists[SIDE_EXPORT].types, is->type->serial, d->scratch) ||
        (side == SIDE_IMPORT &&
         !grow_set_add(&lists[SIDE_IMPORT].types, is->type->serial, d->scratch)))
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no memory left for names of types");
    return 1;
}

/* --- Resource types of this scope ---------------------------------------------------------------
 */

/* Marks the variables of the scope that a type mentions; *ret_local: one of them is not imported.
 * A component or instance type's own variables have other binders. */
static int mention(struct cm_decode *d, const struct cm_type *type, uint32_t stamp, bool *ret_local,
                   struct err *err);

static int mention_list(struct cm_decode *d, const struct cm_decls *list, uint32_t stamp,
                        bool *ret_local, struct err *err)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->at[i].is.sort != SORT_MODULE &&
            mention(d, list->at[i].is.type, stamp, ret_local, err))
            return -1;
    return 0;
}

static int mention(struct cm_decode *d, const struct cm_type *type, uint32_t stamp, bool *ret_local,
                   struct err *err)
{
    struct cm_type *notes = (struct cm_type *)(uintptr_t)type;
    if (!(type->flags & CM_RESOURCES) || type->stamp == stamp)
        return 0;
    notes->stamp = stamp;
    uint32_t count = cm_part_count(type);
    if (cm_types_work(d->types, count + 1, err))
        return -1;
    if (type->kind == CM_RESOURCE && type->var->binder == d->scope->binder) {
        type->var->mentioned = true;
        *ret_local |= !type->var->imported;
    }
    if (type->kind == CM_COMPONENT && mention_list(d, &type->imports, stamp, ret_local, err))
        return -1;
    if (type->kind == CM_COMPONENT || type->kind == CM_INSTANCE)
        return mention_list(d, &type->exports, stamp, ret_local, err);
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_type *part = cm_part_at(type, i).type;
        if (part && mention(d, part, stamp, ret_local, err))
            return -1;
    }
    return 0;
}

/* Resource types that an export makes known under a name, also inside an instance. */
static void export_vars(const struct scope *scope, const struct cm_extern *is)
{
    if (is->sort == SORT_TYPE && is->type->kind == CM_RESOURCE &&
        is->type->var->binder == scope->binder)
        is->type->var->exported = true;
    if (is->sort == SORT_INSTANCE && (is->type->flags & CM_RESOURCES))
        for (uint32_t i = 0; i < is->type->exports.count; i++)
            export_vars(scope, &is->type->exports.at[i].is);
}

static int check_vars(struct cm_decode *d, struct reader *r, const uint8_t *at,
                      enum scope_side side, const struct cm_decl *decl)
{
    bool local = false;
    if (decl->is.sort == SORT_MODULE || !(decl->is.type->flags & CM_RESOURCES))
        return 0;
    if (mention(d, decl->is.type, ++d->types->stamp, &local, r->err))
        return decode_failed(r, at);
    if (side == SIDE_IMPORT && local)
        return annotation_fails(r, at, decl,
                                "an import cannot use a resource type of this component");
    if (side == SIDE_EXPORT)
        export_vars(d->scope, &decl->is);
    return 0;
}

/* --- Declaring ----------------------------------------------------------------------------------
 */

/* A resource type at the top of a list: methods may be named after it from now on. */
static int register_resource(struct cm_decode *d, struct reader *r, const uint8_t *at,
                             enum scope_side side, const struct cm_decl *decl, uint32_t list_id)
{
    if (decl->is.sort != SORT_TYPE || decl->is.type->kind != CM_RESOURCE)
        return 0;
    struct cm_type *notes = (struct cm_type *)(uintptr_t)decl->is.type;
    notes->outside = decl->name;
    notes->outside_in = list_id;
    if (!notes->var->name)
        notes->var->name = decl->name;
    struct grow_set *resources = &d->scope->lists[side].resources;
    return grow_set_add(resources, decl->name->serial, d->scratch) ? 0 : decode_full(r, at);
}

int scope_declare(struct cm_decode *d, struct reader *r, const uint8_t *at, enum scope_side side,
                  struct cm_decl *decl)
{
    struct scope *scope = d->scope;
    struct scope_list *list = &scope->lists[side];
    uint32_t list_id = scope->binder * 2 + (uint32_t)side;
    if (decl->is.sort == SORT_INSTANCE) {
        decl->is.type = scope_freshen(d, r, at, decl->is.type, side == SIDE_IMPORT);
        if (!decl->is.type)
            return -1;
    }
    if (scope_add(d, r, at, &decl->is) || register_resource(d, r, at, side, decl, list_id))
        return -1;
    /* What is inside an instance type is checked when somebody imports or exports an instance. */
    if (scope->kind != SCOPE_INSTANCE_TYPE) {
        int good = name_types(d, side, &decl->is, r->err);
        if (good < 0)
            return decode_failed(r, at);
        if (!good)
            return annotation_fails(r, at, decl,
                                    side == SIDE_IMPORT
                                        ? "not valid as an import: a type in it is not imported "
                                          "under a name"
                                        : "not valid as an export: a type in it is not exported "
                                          "under a name");
        if (check_vars(d, r, at, side, decl))
            return -1;
    }
    if (extern_check_name(d, r, at, &list->names, list, list_id, decl))
        return -1;
    if (list->decls.count >= cm_limit_rows[CM_COUNT_EXPORTS].number) {
        cm_limit_passed(r->err, ERR_NOWHERE, CM_COUNT_EXPORTS);
        return decode_failed(r, at);
    }
    if (!grow_room(&list->decls, d->scratch))
        return decode_full(r, at);
    grow_push(&list->decls, *decl);
    return 0;
}
