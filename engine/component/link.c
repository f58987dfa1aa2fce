/* Linking; see link.h. */
#include "engine/component/link.h"

#include "engine/component/host_table.h"
#include "engine/component/instance_type.h"
#include "engine/component/name.h"
#include "engine/component/prune.h"
#include "engine/component/subtype.h"

/* Linking at work. */
struct linking {
    const struct cm_linker *linker;
    struct cm_types *types;
    struct err *err;
    struct cm_pruned pruned;
    uint32_t nmissing;
    struct str first_interface; /* of what is missing */
    struct str first_name;
};

static bool no_memory(struct linking *l)
{
    err_set(l->err, ERR_MEMORY, ERR_NOWHERE, "no memory left to link this component");
    return false;
}

static void miss(struct linking *l, struct str interface, struct str name, bool resource)
{
    if (l->nmissing++ == 0) {
        l->first_interface = interface;
        l->first_name = name;
    }
    if (l->linker->missing)
        l->linker->missing(l->linker->data, interface, name, resource);
}

/* --- Imports from the host ----------------------------------------------------------------------
 */

static bool is_resource(const struct cm_extern *is)
{
    return is->sort == SORT_TYPE && is->type->kind == CM_RESOURCE;
}

/* What nobody can call needs no host: a function that traps, of the type that is wanted. False: no
 * memory. */
static bool prune_func(struct linking *l, const struct symbol *interface, struct cm_decl *given,
                       void **ret)
{
    given->is.pruned = true;
    *ret = cm_pruned_func(l->linker->store, interface, given);
    return *ret || no_memory(l);
}

/* A resource type that is wanted and not there. If it is never dropped, nobody has to provide it:
 * its functions may be out of reach as well, or they are missing themselves. */
static bool prune_resource(struct linking *l, void **ret)
{
    *ret = (void *)(uintptr_t)cm_pruned_resource(l->linker->store);
    return *ret || no_memory(l);
}

/* What the host has for one export of an interface that is imported: its type goes to `given`, its
 * value to *ret. False on failure; what is missing only counts. */
static bool host_export(struct linking *l, uint32_t interface, const struct symbol *import,
                        struct cm_decl *given, void **ret)
{
    struct cm_host *host = l->linker->host;
    uint32_t item = HOST_ABSENT;
    if (host && interface != HOST_ABSENT)
        item = cm_host_item(host, interface, given->name->text);
    bool func = item != HOST_ABSENT && host->table->items[item].kind == HOST_FUNC;
    bool there = item != HOST_ABSENT && func == (given->is.sort == SORT_FUNC) &&
                 (!func || host->table->items[item].fn);
    bool pruned = cm_is_pruned(&l->pruned, import, given->name);
    if (pruned && given->is.sort == SORT_FUNC)
        return prune_func(l, import, given, ret);
    if (!there && pruned && is_resource(&given->is))
        return prune_resource(l, ret);
    if (!there) {
        /* A type that is no resource is what it is, also if the host has no name for it. */
        if (given->is.sort != SORT_TYPE || is_resource(&given->is))
            miss(l, import->text, given->name->text, is_resource(&given->is));
        return true;
    }
    given->is.type = cm_host_type(host, item, l->linker->scratch, l->err);
    if (!given->is.type)
        return false;
    if (func)
        *ret = cm_host_func(host, item);
    else if (given->is.type->kind == CM_RESOURCE)
        *ret = (void *)(uintptr_t)cm_host_resource(host, item);
    else
        return true;
    if (*ret && !func && given->is.fresh && !pruned)
        ((struct cm_resource *)*ret)->kept = false;
    return *ret || no_memory(l);
}

/* An instance with what the host has of an interface that is imported. */
static bool host_instance(struct linking *l, const struct cm_decl *import, struct cm_decl *given,
                          void **ret)
{
    struct heap *heap = vm_heap(l->linker->store->vm);
    const struct cm_decls *wanted = &import->is.type->exports;
    const char *why;
    struct name name = name_parse(import->name->text, &why);
    uint32_t interface = HOST_ABSENT;
    if (l->linker->host && name.kind == NAME_INTERFACE)
        interface = cm_host_interface(l->linker->host, name.path, name.version);
    struct cm_decl *decls = region_copy(l->types->region, wanted->at, wanted->count * sizeof *decls,
                                        _Alignof(struct cm_decl));
    struct cm_exports *exports = heap_zeroed(heap, 1, sizeof *exports);
    void **items = heap_zeroed(heap, wanted->count, sizeof *items);
    if (!decls || !exports || !items)
        return no_memory(l);
    for (uint32_t i = 0; i < wanted->count; i++)
        if (!host_export(l, interface, import->name, &decls[i], &items[i]))
            return false;
    struct cm_type draft = {.kind = CM_INSTANCE, .exports = *wanted};
    draft.exports.at = decls;
    given->is.type = cm_type_closed(l->types, &draft, l->err);
    *exports = (struct cm_exports){wanted, items};
    *ret = exports;
    return given->is.type != NULL;
}

/* --- Imports ------------------------------------------------------------------------------------
 */

static const struct cm_provided *find_provided(const struct cm_linker *linker, struct str name)
{
    const struct cm_provided *at = linker->provided;
    while (at && !str_eq(at->name, name))
        at = at->next;
    return at;
}

static bool import(struct linking *l, const struct cm_decl *wanted, struct cm_decl *given,
                   void **ret)
{
    const struct cm_provided *provided = find_provided(l->linker, wanted->name->text);
    if (provided) {
        given->is = (struct cm_extern){.sort = SORT_INSTANCE, .type = provided->type};
        *ret = (void *)(uintptr_t)provided->exports;
        return true;
    }
    if (wanted->is.sort == SORT_INSTANCE)
        return host_instance(l, wanted, given, ret);
    bool pruned = cm_is_pruned(&l->pruned, NULL, wanted->name);
    if (pruned && wanted->is.sort == SORT_FUNC)
        return prune_func(l, NULL, given, ret);
    if (pruned && is_resource(&wanted->is))
        return prune_resource(l, ret);
    if (wanted->is.sort != SORT_TYPE || is_resource(&wanted->is))
        miss(l, wanted->name->text, (struct str){0}, is_resource(&wanted->is));
    return true;
}

static struct cm_var *new_var(void *data, struct err *err)
{
    struct linking *l = data;
    return cm_var_new(l->types, 0, err);
}

static void report_missing(struct linking *l)
{
    const char *dot = l->first_name.len ? "#" : "";
    if (l->nmissing == 1)
        err_set(l->err, ERR_UNLINKABLE, ERR_NOWHERE,
                "import " STR_FMT "%s" STR_FMT " is not provided", STR_ARG(l->first_interface), dot,
                STR_ARG(l->first_name));
    else
        err_set(l->err, ERR_UNLINKABLE, ERR_NOWHERE,
                "%u imports are not provided; the first is " STR_FMT "%s" STR_FMT, l->nmissing,
                STR_ARG(l->first_interface), dot, STR_ARG(l->first_name));
}

/* What is given for the imports, and the values; what is missing is taken for what is wanted. */
static bool give_imports(struct linking *l, const struct component *component, void **values,
                         struct cm_decls *ret)
{
    const struct cm_decls *wanted = &component->type->imports;
    struct cm_decl *given = region_copy(l->linker->scratch, wanted->at,
                                        wanted->count * sizeof *given, _Alignof(struct cm_decl));
    if (!given)
        return no_memory(l);
    for (uint32_t i = 0; i < wanted->count; i++)
        if (!import(l, &wanted->at[i], &given[i], &values[i]))
            return false;
    *ret = (struct cm_decls){wanted->count, given, wanted->places};
    return true;
}

/* The type of the instance; NULL and l->err. */
static const struct cm_type *link_imports(struct linking *l, const struct component *component,
                                          void **values)
{
    struct cm_decls list;
    if (!give_imports(l, component, values, &list))
        return NULL;
    if (l->nmissing) {
        report_missing(l);
        return NULL;
    }
    const struct cm_type *type =
        cm_instance_type(l->types, l->linker->scratch, component->type, &list, new_var, l, l->err);
    if (!type && l->err->kind == ERR_INVALID)
        l->err->kind = ERR_UNLINKABLE;
    return type;
}

/* Does a component, or one in it, need a definition that is not implemented? Components lie within
 * each other to a limited depth. */
static bool implemented(const struct component *component, struct err *err)
{
    for (uint32_t i = 0; i < component->ndefs; i++) {
        const struct cm_def *def = &component->defs[i];
        if (def->kind == DEF_COMPONENT && !implemented(def->component, err))
            return false;
        if (def->kind != DEF_CANON)
            continue;
        if (!canon_provided(def->canon->canon)) {
            err_set(err, ERR_UNLINKABLE, def->offset,
                    "canon %s is not provided yet: build it without",
                    canon_text(def->canon->canon));
            return false;
        }
    }
    return true;
}

struct cm_instance *cm_link(const struct cm_linker *linker, const struct component *component,
                            const struct cm_type **ret_type, struct err *err)
{
    struct err ignored = {0};
    struct linking l = {
        .linker = linker, .types = linker->store->types, .err = err ? err : &ignored};
    uint8_t *mark = region_mark(linker->scratch);
    void **values =
        heap_zeroed(vm_heap(linker->store->vm), component->type->imports.count, sizeof *values);
    const struct cm_type *type = NULL;
    l.types->work = 0;
    if (linker->prune)
        l.pruned = cm_prune(component, linker->scratch);
    if (!values)
        no_memory(&l);
    else if (implemented(component, l.err))
        type = link_imports(&l, component, values);
    region_release(linker->scratch, mark);
    if (!type)
        return NULL;
    if (ret_type)
        *ret_type = type;
    return cm_instance_new(linker->store, component, values, l.err);
}

/* --- Checking alone -----------------------------------------------------------------------------
 */

/* Does one item fit? What does not is told. -1: no memory, or beyond a limit. */
static int check_item(struct cm_check *check, const struct cm_linker *linker, struct str interface,
                      struct str name, const struct cm_extern *given,
                      const struct cm_extern *wanted, cm_mismatch *mismatch)
{
    struct err *err = check->err;
    struct err why = {0};
    check->err = &why;
    int failed = cm_matches_under(check, given, wanted);
    check->err = err;
    if (failed && why.kind != ERR_INVALID)
        return err_set(err, why.kind, why.offset, "%s", why.text);
    if (failed)
        mismatch(linker->data, interface, name, &why);
    return 0;
}

static int check_import(struct cm_check *check, const struct cm_linker *linker,
                        const struct cm_decl *given, const struct cm_decl *wanted,
                        cm_mismatch *mismatch)
{
    struct str interface = wanted->name->text;
    if (wanted->is.sort != SORT_INSTANCE || given->is.sort != SORT_INSTANCE)
        return check_item(check, linker, interface, (struct str){0}, &given->is, &wanted->is,
                          mismatch);
    const struct cm_decls *list = &wanted->is.type->exports;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct cm_decl *by = cm_decl_find(&given->is.type->exports, list->at[i].name);
        if (by && check_item(check, linker, interface, by->name->text, &by->is, &list->at[i].is,
                             mismatch))
            return -1;
    }
    return 0;
}

/* Checks all, unless the first look, which finds out what resource types stand for, says that all
 * fits. */
static int check_given(struct linking *l, const struct component *component,
                       const struct cm_decls *given, cm_mismatch *mismatch)
{
    const struct cm_decls *wanted = &component->type->imports;
    struct err first = {0};
    struct cm_check check = {l->types, &first, {NULL, NULL}};
    int failed = cm_open_list(&check, given, wanted, component->type->binder, "import");
    if (failed && first.kind == ERR_INVALID) {
        check.err = l->err;
        failed = 0;
        for (uint32_t i = 0; i < wanted->count && !failed; i++)
            failed = check_import(&check, l->linker, &given->at[i], &wanted->at[i], mismatch);
    } else if (failed) {
        err_set(l->err, first.kind, first.offset, "%s", first.text);
    }
    cm_close_list(&check);
    return failed;
}

int cm_check_imports(const struct cm_linker *linker, const struct component *component,
                     cm_mismatch *mismatch, struct err *err)
{
    struct linking l = {.linker = linker, .types = linker->store->types, .err = err};
    uint8_t *mark = region_mark(linker->scratch);
    void **values =
        heap_zeroed(vm_heap(linker->store->vm), component->type->imports.count, sizeof *values);
    struct cm_decls given;
    l.types->work = 0;
    if (linker->prune)
        l.pruned = cm_prune(component, linker->scratch);
    bool found = values ? give_imports(&l, component, values, &given) : no_memory(&l);
    int failed = found ? check_given(&l, component, &given, mismatch) : -1;
    region_release(linker->scratch, mark);
    return failed;
}
