/* Instantiation of types; see instance_type.h. */
#include "engine/component/instance_type.h"

#include "engine/component/subst.h"
#include "engine/component/subtype.h"

/* Types that were given for imported types stand for them in the exports, too. */
static int replace_given(struct cm_subst *subst, const struct cm_decls *given,
                         const struct cm_decls *wanted)
{
    if (cm_types_work(subst->types, wanted->count, subst->err))
        return -1;
    for (uint32_t i = 0; i < wanted->count; i++) {
        const struct cm_extern *want = &wanted->at[i].is;
        const struct cm_decl *by = cm_decl_find(given, wanted->at[i].name);
        if (want->sort == SORT_TYPE)
            cm_subst_node(subst, want->type, by->is.type);
        else if (want->sort == SORT_INSTANCE &&
                 replace_given(subst, &by->is.type->exports, &want->type->exports))
            return -1;
    }
    return 0;
}

static int replace_exports(struct cm_subst *subst, const struct cm_type *component,
                           const struct cm_check *check, cm_new_var *new_var, void *data,
                           struct cm_decls *ret)
{
    for (struct cm_var *var = check->meant[1]; var; var = var->as_before[1])
        var->to = var->as[1]->node;
    for (uint32_t i = 0; i < component->nbound; i++) {
        struct cm_var *var = new_var(data, subst->err);
        if (!var)
            return -1;
        var->name = component->bound[i]->name;
        component->bound[i]->to = var->node;
    }
    return cm_subst_decls(subst, &component->exports, ret);
}

static const struct cm_type *instance_of(struct cm_subst *subst, const struct cm_type *component,
                                         const struct cm_decls *given, const struct cm_check *check,
                                         cm_new_var *new_var, void *data)
{
    struct cm_type draft = {.kind = CM_INSTANCE};
    int failed = replace_given(subst, given, &component->imports) ||
                 replace_exports(subst, component, check, new_var, data, &draft.exports);
    for (struct cm_var *var = check->meant[1]; var; var = var->as_before[1])
        var->to = NULL;
    for (uint32_t i = 0; i < component->nbound; i++)
        component->bound[i]->to = NULL;
    return failed ? NULL : cm_type_closed(subst->types, &draft, subst->err);
}

const struct cm_type *cm_instance_type(struct cm_types *types, struct region *scratch,
                                       const struct cm_type *component,
                                       const struct cm_decls *given, cm_new_var *new_var,
                                       void *data, struct err *err)
{
    struct cm_check check = {types, err, {NULL, NULL}};
    const struct cm_type *type = NULL;
    if (cm_open_list(&check, given, &component->imports, component->binder, "import") == 0) {
        struct cm_subst subst = cm_subst_begin(types, scratch, err);
        type = instance_of(&subst, component, given, &check, new_var, data);
    }
    cm_close_list(&check);
    return type;
}
