/* Subtyping; see subtype.h.
 *
 * A check has two sides, 0 and 1, whose roles change when it goes into the imports of a component.
 * Variables that one side binds are read as variables of the other: ->as[side]. Depth is bounded by
 * CM_LIMIT_TYPE_DEPTH, work by CM_LIMIT_TYPE_WORK. */
#include "engine/component/subtype.h"

#include "engine/component/show.h"

/* `a` is what there is, on side `s`; `b` what is wanted, on the other. */
static int check_extern(struct cm_check *check, const struct cm_extern *a,
                        const struct cm_extern *b, unsigned s);
static int check_type(struct cm_check *check, const struct cm_type *a, const struct cm_type *b,
                      unsigned s);

/* --- Messages -----------------------------------------------------------------------------------
 */

#define SHOWN 90 /* bytes of a type in a message */

static int mismatch(struct cm_check *check, const struct cm_type *a, const struct cm_type *b)
{
    char wanted[SHOWN];
    char found[SHOWN];
    cm_show(&(struct cm_text){wanted, sizeof wanted, 0}, b);
    cm_show(&(struct cm_text){found, sizeof found, 0}, a);
    if (a->kind == CM_RESOURCE && b->kind == CM_RESOURCE)
        return err_set(check->err, ERR_INVALID, ERR_NOWHERE,
                       "resource types are not the same: expected %s, found %s", wanted, found);
    return err_set(check->err, ERR_INVALID, ERR_NOWHERE, "expected %s, found %s", wanted, found);
}

/* Do both fit into a message, and look different there? */
static bool tells_apart(const struct cm_type *a, const struct cm_type *b)
{
    char texts[2][SHOWN];
    struct cm_text first = {texts[0], SHOWN, 0};
    struct cm_text second = {texts[1], SHOWN, 0};
    cm_show(&first, a);
    cm_show(&second, b);
    return first.len < SHOWN - 1 && second.len < SHOWN - 1 && strcmp(texts[0], texts[1]) != 0;
}

/* --- Variables ----------------------------------------------------------------------------------
 */

static const struct cm_var *meaning(const struct cm_var *var, unsigned s)
{
    return var->as[s] ? var->as[s] : var;
}

static void mean(struct cm_check *check, struct cm_var *var, unsigned s, const struct cm_var *as)
{
    if (var->as[s])
        return;
    var->as[s] = as;
    var->as_before[s] = check->meant[s];
    check->meant[s] = var;
}

/* Takes meanings away until `until` is the last variable that has one. */
static void forget(struct cm_check *check, unsigned s, const struct cm_var *until)
{
    while (check->meant[s] != until) {
        struct cm_var *var = check->meant[s];
        check->meant[s] = var->as_before[s];
        var->as[s] = NULL;
    }
}

void cm_mean(struct cm_check *check, struct cm_var *wanted, const struct cm_var *actual)
{
    mean(check, wanted, 1, actual);
}

/* Reads the variables that `wanted` (side `w`) binds by what is given under the same names. What
 * does not fit is left for the check itself to report. */
static int read_variables(struct cm_check *check, const struct cm_decls *given,
                          const struct cm_decls *wanted, uint32_t binder, unsigned w)
{
    if (cm_types_work(check->types, wanted->count, check->err))
        return -1;
    for (uint32_t i = 0; i < wanted->count; i++) {
        const struct cm_extern *is = &wanted->at[i].is;
        if (!(cm_extern_flags(is) & CM_RESOURCES))
            continue;
        const struct cm_decl *by = cm_decl_find(given, wanted->at[i].name);
        if (!by || by->is.sort != is->sort)
            continue;
        if (is->sort == SORT_INSTANCE) {
            if (read_variables(check, &by->is.type->exports, &is->type->exports, binder, w))
                return -1;
        } else if (is->sort == SORT_TYPE && is->type->kind == CM_RESOURCE &&
                   is->type->var->binder == binder && by->is.type->kind == CM_RESOURCE) {
            mean(check, is->type->var, w, meaning(by->is.type->var, !w));
        }
    }
    return 0;
}

/* --- Lists --------------------------------------------------------------------------------------
 */

static int check_list(struct cm_check *check, const struct cm_decls *given,
                      const struct cm_decls *wanted, unsigned s, const char *what)
{
    for (uint32_t i = 0; i < wanted->count; i++) {
        const struct cm_decl *want = &wanted->at[i];
        const struct cm_decl *by = cm_decl_find(given, want->name);
        if (!by)
            return err_set(check->err, ERR_INVALID, ERR_NOWHERE, "missing %s '" STR_FMT "'", what,
                           STR_ARG(want->name->text));
        if (check_extern(check, &by->is, &want->is, s))
            return err_within(check->err, "type mismatch in %s '" STR_FMT "'", what,
                              STR_ARG(want->name->text));
    }
    return 0;
}

static int open_list(struct cm_check *check, const struct cm_decls *given,
                     const struct cm_decls *wanted, uint32_t binder, unsigned w, const char *what)
{
    if (read_variables(check, given, wanted, binder, w))
        return -1;
    return check_list(check, given, wanted, !w, what);
}

int cm_open_list(struct cm_check *check, const struct cm_decls *given,
                 const struct cm_decls *wanted, uint32_t binder, const char *what)
{
    return open_list(check, given, wanted, binder, 1, what);
}

void cm_close_list(struct cm_check *check)
{
    forget(check, 0, NULL);
    forget(check, 1, NULL);
}

/* --- Types --------------------------------------------------------------------------------------
 */

/* What wants `b` gives it the imports of `b`, so these must do for `a`; and it takes the exports of
 * `a` for those of `b`. */
static int check_component(struct cm_check *check, const struct cm_type *a, const struct cm_type *b,
                           unsigned s)
{
    struct cm_var *meant[2] = {check->meant[0], check->meant[1]};
    int failed = open_list(check, &b->imports, &a->imports, a->binder, s, "import") ||
                 open_list(check, &a->exports, &b->exports, b->binder, !s, "export");
    forget(check, 0, meant[0]);
    forget(check, 1, meant[1]);
    return failed ? -1 : 0;
}

static int check_parts(struct cm_check *check, const struct cm_type *a, const struct cm_type *b,
                       unsigned s)
{
    uint32_t count = cm_part_count(a);
    if (count != cm_part_count(b) || (a->kind == CM_FIXED_LIST && a->length != b->length) ||
        (a->kind == CM_FUNC && a->async != b->async))
        return mismatch(check, a, b);
    for (uint32_t i = 0; i < count; i++) {
        struct cm_part pa = cm_part_at(a, i);
        struct cm_part pb = cm_part_at(b, i);
        if (pa.label != pb.label || !pa.type != !pb.type)
            return mismatch(check, a, b);
        if (pa.type && check_type(check, pa.type, pb.type, s)) {
            if (pb.label)
                err_within(check->err, "in '" STR_FMT "'", STR_ARG(pb.label->text));
            return -1;
        }
    }
    return 0;
}

/* A function is shown as a whole if that fits and tells the difference; else the part is. */
static int check_func(struct cm_check *check, const struct cm_type *a, const struct cm_type *b,
                      unsigned s)
{
    struct err *err = check->err;
    struct err why = {0};
    check->err = &why;
    int failed = check_parts(check, a, b, s);
    check->err = err;
    if (!failed)
        return 0;
    if (why.kind == ERR_INVALID && tells_apart(a, b))
        return mismatch(check, a, b);
    return err_set(err, why.kind, why.offset, "%s", why.text);
}

static int check_type(struct cm_check *check, const struct cm_type *a, const struct cm_type *b,
                      unsigned s)
{
    if (cm_types_work(check->types, 1 + cm_part_count(a), check->err))
        return -1;
    if (a->kind != b->kind)
        return mismatch(check, a, b);
    switch (a->kind) {
    case CM_RESOURCE: return meaning(a->var, s) == meaning(b->var, !s) ? 0 : mismatch(check, a, b);
    case CM_INSTANCE: return check_list(check, &a->exports, &b->exports, s, "instance export");
    case CM_COMPONENT: return check_component(check, a, b, s);
    default: break;
    }
    if (a->canon == b->canon && !(a->flags & CM_RESOURCES))
        return 0;
    if (a->kind == CM_FUNC)
        return check_func(check, a->canon, b->canon, s);
    return check_parts(check, a->canon, b->canon, s);
}

/* Imports contravariant, exports covariant, by core import matching. */
static int check_module(struct cm_check *check, const struct cm_module_type *a,
                        const struct cm_module_type *b)
{
    const struct types *core = check->types->core;
    if (cm_types_work(check->types, 1 + (uint64_t)a->nimports + b->nexports, check->err))
        return -1;
    for (uint32_t i = 0; i < a->nimports; i++) {
        const struct cm_core_import *import = &a->imports[i];
        uint32_t at = symbol_search(b->import_places, b->nimports,
                                    symbol_key_pair(import->module, import->name));
        if (at == SYMBOL_ABSENT)
            return err_set(check->err, ERR_INVALID, ERR_NOWHERE,
                           "the core module imports '" STR_FMT "' '" STR_FMT
                           "', which the expected type does not",
                           STR_ARG(import->module->text), STR_ARG(import->name->text));
        if (!externtype_matches(core, &b->imports[at].type, &import->type))
            return err_set(check->err, ERR_INVALID, ERR_NOWHERE,
                           "type mismatch in core import '" STR_FMT "' '" STR_FMT "'",
                           STR_ARG(import->module->text), STR_ARG(import->name->text));
    }
    for (uint32_t i = 0; i < b->nexports; i++) {
        const struct cm_core_export *export = &b->exports[i];
        uint32_t at = symbol_search(a->export_places, a->nexports, symbol_key(export->name));
        if (at == SYMBOL_ABSENT)
            return err_set(check->err, ERR_INVALID, ERR_NOWHERE,
                           "missing core export '" STR_FMT "'", STR_ARG(export->name->text));
        if (!externtype_matches(core, &a->exports[at].type, &export->type))
            return err_set(check->err, ERR_INVALID, ERR_NOWHERE,
                           "type mismatch in core export '" STR_FMT "'",
                           STR_ARG(export->name->text));
    }
    return 0;
}

static int check_extern(struct cm_check *check, const struct cm_extern *a,
                        const struct cm_extern *b, unsigned s)
{
    if (a->sort != b->sort)
        return err_set(check->err, ERR_INVALID, ERR_NOWHERE, "expected %s, found %s",
                       cm_sort_text(b->sort), cm_sort_text(a->sort));
    if (a->pruned)
        return 0;
    if (a->sort == SORT_MODULE)
        return check_module(check, a->module, b->module);
    return check_type(check, a->type, b->type, s);
}

int cm_subtype(struct cm_types *types, const struct cm_extern *actual,
               const struct cm_extern *wanted, struct err *err)
{
    struct cm_check check = {types, err, {NULL, NULL}};
    int failed = check_extern(&check, actual, wanted, 0);
    cm_close_list(&check);
    return failed;
}

int cm_equal_under(struct cm_check *check, const struct cm_type *actual,
                   const struct cm_type *wanted)
{
    return check_type(check, actual, wanted, 0);
}

int cm_matches_under(struct cm_check *check, const struct cm_extern *actual,
                     const struct cm_extern *wanted)
{
    return check_extern(check, actual, wanted, 0);
}
