/* Substitution of types; see subst.h. Every node is rewritten once and remembers into what, so the
 * cost is that of the graph, not of the tree. Depth is bounded by CM_LIMIT_TYPE_DEPTH. */
#include "engine/component/subst.h"

struct cm_subst cm_subst_begin(struct cm_types *types, struct region *scratch, struct err *err)
{
    return (struct cm_subst){types, scratch, err, ++types->stamp};
}

/* Nodes are const for everybody but the registry and this file, which only writes its own notes. */
static struct cm_type *notes(const struct cm_type *node)
{
    return (struct cm_type *)(uintptr_t)node;
}

void cm_subst_node(struct cm_subst *subst, const struct cm_type *node, const struct cm_type *to)
{
    notes(node)->stamp = subst->stamp;
    notes(node)->to = to;
}

static const struct cm_type *full(struct cm_subst *subst)
{
    err_set(subst->err, ERR_MEMORY, ERR_NOWHERE, "no memory left for types");
    return NULL;
}

/* What stands now for what a node was named from, if that is of the structure `to`; else NULL. */
static const struct cm_type *origin_now(const struct cm_subst *subst, const struct cm_type *type,
                                        const struct cm_type *to)
{
    const struct cm_type *of = type->named ? type->of : NULL;
    bool follows = of && of->named && of->stamp == subst->stamp && of->to->canon == to->canon;
    return follows ? of->to : NULL;
}

static const struct cm_type *subst_resource(struct cm_subst *subst, const struct cm_type *type)
{
    const struct cm_type *to = type->var->to;
    if (!to)
        return type;
    if (!type->named)
        return to;
    const struct cm_type *origin = origin_now(subst, type, to);
    return cm_type_named(subst->types, origin ? origin : to, subst->err);
}

/* Replaces a type in place; *changed tells whether it is another now. False on failure. */
static bool replace(struct cm_subst *subst, const struct cm_type **type, bool *changed)
{
    if (!*type)
        return true;
    const struct cm_type *to = cm_subst_type(subst, *type);
    *changed |= to != *type;
    *type = to;
    return to != NULL;
}

static bool replace_fields(struct cm_subst *subst, const struct cm_field **fields, uint32_t count,
                           bool *changed)
{
    struct cm_field *copy =
        region_copy(subst->scratch, *fields, count * sizeof *copy, _Alignof(struct cm_field));
    *fields = copy;
    if (!copy)
        return full(subst);
    for (uint32_t i = 0; i < count; i++)
        if (!replace(subst, &copy[i].type, changed))
            return false;
    return true;
}

static bool replace_cases(struct cm_subst *subst, struct cm_type *draft, bool *changed)
{
    struct cm_case *copy = region_copy(subst->scratch, draft->cases, draft->ncases * sizeof *copy,
                                       _Alignof(struct cm_case));
    draft->cases = copy;
    if (!copy)
        return full(subst);
    for (uint32_t i = 0; i < draft->ncases; i++)
        if (!replace(subst, &copy[i].type, changed))
            return false;
    return true;
}

static bool replace_parts(struct cm_subst *subst, struct cm_type *draft, bool *changed)
{
    switch (draft->kind) {
    case CM_RECORD:
    case CM_TUPLE:
    case CM_ENTRY: return replace_fields(subst, &draft->fields, draft->nfields, changed);
    case CM_FUNC:
        return replace_fields(subst, &draft->params, draft->nparams, changed) &&
               replace(subst, &draft->result, changed);
    case CM_VARIANT:
    case CM_ENUM:
    case CM_OPTION:
    case CM_RESULT: return replace_cases(subst, draft, changed);
    case CM_LIST:
    case CM_FIXED_LIST:
    case CM_MAP:
    case CM_STREAM:
    case CM_FUTURE: return replace(subst, &draft->element, changed);
    case CM_OWN:
    case CM_BORROW: return replace(subst, &draft->resource, changed);
    default: return true;
    }
}

static const struct cm_type *subst_structure(struct cm_subst *subst, const struct cm_type *type)
{
    struct cm_type draft = *type;
    bool changed = false;
    uint8_t *mark = region_mark(subst->scratch);
    const struct cm_type *to = NULL;
    if (replace_parts(subst, &draft, &changed))
        to = changed ? cm_type_of(subst->types, &draft, subst->err) : type;
    region_release(subst->scratch, mark);
    if (!to || !type->named)
        return to;
    /* It is named anew from there: the same structure may have got another origin, too. */
    const struct cm_type *origin = origin_now(subst, type, to);
    if (changed || (origin && origin != type->of))
        return cm_type_named(subst->types, origin ? origin : to, subst->err);
    return to;
}

int cm_subst_decls(struct cm_subst *subst, const struct cm_decls *decls, struct cm_decls *ret)
{
    struct cm_decl *copy = NULL;
    for (uint32_t i = 0; i < decls->count; i++) {
        const struct cm_extern *is = &decls->at[i].is;
        if (is->sort == SORT_MODULE)
            continue;
        const struct cm_type *to = cm_subst_type(subst, is->type);
        if (!to)
            return -1;
        if (to == is->type)
            continue;
        if (!copy) {
            copy = region_copy(subst->types->region, decls->at, decls->count * sizeof *copy,
                               _Alignof(struct cm_decl));
            if (!copy)
                return full(subst), -1;
        }
        copy[i].is.type = to;
    }
    *ret = *decls;
    if (copy)
        ret->at = copy;
    return 0;
}

static const struct cm_type *subst_closed(struct cm_subst *subst, const struct cm_type *type)
{
    struct cm_type draft = *type;
    if (cm_subst_decls(subst, &type->imports, &draft.imports) ||
        cm_subst_decls(subst, &type->exports, &draft.exports))
        return NULL;
    if (draft.imports.at == type->imports.at && draft.exports.at == type->exports.at)
        return type;
    return cm_type_closed(subst->types, &draft, subst->err);
}

const struct cm_type *cm_subst_type(struct cm_subst *subst, const struct cm_type *type)
{
    if (type->stamp == subst->stamp)
        return type->to;
    if (!(type->flags & (CM_NAMED | CM_RESOURCES)))
        return type;
    if (cm_types_work(subst->types, cm_part_count(type) + 1, subst->err))
        return NULL;
    const struct cm_type *to;
    if (type->kind == CM_RESOURCE)
        to = subst_resource(subst, type);
    else if (type->kind == CM_INSTANCE || type->kind == CM_COMPONENT)
        to = subst_closed(subst, type);
    else
        to = subst_structure(subst, type);
    cm_subst_node(subst, type, to);
    return to;
}
