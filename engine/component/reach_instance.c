/* Carrying out what a component defines without running it; see reach.h. The same steps as
 * instantiate.c takes, over things that only say what they can reach.
 *
 * Index spaces hold, by sort: struct reach_func *, struct reach_table *, struct reach_core *,
 * struct cm_module *, struct reach_links * for functions of components, struct exports *, struct
 * closure *; what leads nowhere (memories, globals, tags) is `nothing`. */
#include "engine/component/limits.h"
#include "engine/component/reach.h"

static char nothing;

/* A component instance from outside. */
struct exports {
    const struct cm_decls *names;
    void **items;
};

/* A component as a value. */
struct closure {
    const struct component *component;
    struct made *outer;
};

/* A component instance while it is made, and after. */
struct made {
    const struct component *component;
    struct made *outer;  /* where its outer aliases look things up */
    struct made *caller; /* which instantiates it */
    struct reach_resource **slots;
    void **spaces[SORTS];
    uint32_t counts[SORTS];
    void **imports;
    struct exports exports;
    uint32_t next; /* definition to do */
};

static struct made *made_new(struct reach *r, const struct component *component, void **imports)
{
    struct made *made = REACH_ARRAY(r, struct made, 1);
    if (!made)
        return NULL;
    made->component = component;
    made->imports = imports;
    for (unsigned sort = 0; sort < SORTS; sort++)
        made->spaces[sort] = REACH_ARRAY(r, void *, component->counts[sort]);
    made->slots = REACH_ARRAY(r, struct reach_resource *, component->nslots);
    made->exports.names = &component->type->exports;
    made->exports.items = REACH_ARRAY(r, void *, made->exports.names->count);
    return r->gave_up ? NULL : made;
}

static void append(struct reach *r, struct made *made, enum cm_sort sort, void *value)
{
    if (!value)
        r->gave_up = true; /* it comes from outside, or there is no memory */
    else
        made->spaces[sort][made->counts[sort]++] = value;
}

static void *export_of(const struct exports *exports, const struct symbol *name)
{
    return exports
        ->items[symbol_search(exports->names->places, exports->names->count, symbol_key(name))];
}

static void *item_value(const struct made *made, const struct cm_item *item)
{
    if (item->sort != SORT_TYPE)
        return made->spaces[item->sort][item->index];
    return item->var ? made->slots[item->var->slot] : NULL;
}

/* As in instantiate.c: resource types that an instance type introduces get their slots. */
static void bind(struct made *made, const struct cm_type *type, void *value)
{
    uint32_t binder = made->component->type->binder;
    if (type->kind == CM_RESOURCE && type->var->binder == binder)
        made->slots[type->var->slot] = value;
    if (type->kind != CM_INSTANCE || !value)
        return;
    for (uint32_t i = 0; i < type->exports.count; i++) {
        const struct cm_decl *decl = &type->exports.at[i];
        if (cm_extern_flags(&decl->is) & CM_RESOURCES &&
            (decl->is.sort == SORT_TYPE || decl->is.sort == SORT_INSTANCE))
            bind(made, decl->is.type, export_of(value, decl->name));
    }
}

/* --- Core instances -----------------------------------------------------------------------------
 */

struct reach_core *reach_core_new(struct reach *r, const struct module *module,
                                  void *const *imports)
{
    struct reach_core *core = REACH_ARRAY(r, struct reach_core, 1);
    r->gave_up = r->gave_up || (!module->notes && module->nfuncs > module->imported_funcs);
    if (r->gave_up)
        return NULL;
    uint32_t nfuncs = module->nfuncs - module->imported_funcs;
    core->module = module;
    core->imported = REACH_ARRAY(r, struct reach_func *, module->imported_funcs);
    core->funcs = REACH_ARRAY(r, struct reach_func, nfuncs);
    core->tables = REACH_ARRAY(r, struct reach_table *, module->ntables);
    core->taken_segments = REACH_ARRAY(r, uint8_t, module->nelems / 8 + 1);
    struct reach_table *own =
        REACH_ARRAY(r, struct reach_table, module->ntables - module->imported_tables);
    if (r->gave_up || !reach_work(r, (uint64_t)module->nfuncs + module->nimports))
        return NULL;
    uint32_t funcs = 0;
    uint32_t tables = 0;
    for (uint32_t i = 0; i < module->nimports; i++) {
        if (module->imports[i].type.kind == EXTERN_FUNC)
            core->imported[funcs++] = imports[i];
        else if (module->imports[i].type.kind == EXTERN_TABLE)
            core->tables[tables++] = imports[i];
    }
    for (uint32_t i = 0; i < nfuncs; i++) {
        uint32_t index = module->imported_funcs + i;
        const struct function *function = &module->funcs[index];
        core->funcs[i] =
            (struct reach_func){.in = core,
                                .index = index,
                                .type = function->type,
                                .size = (uint8_t)(31 - __builtin_clz(function->body_len | 1))};
    }
    for (uint32_t i = 0; tables < module->ntables; i++)
        core->tables[tables++] = &own[i];
    reach_instantiated(r, core);
    return core;
}

static void *core_export_of(const struct reach_core *core, const struct symbol *name)
{
    uint32_t i = symbol_search(core->type->export_places, core->type->nexports, symbol_key(name));
    if (!core->module)
        return core->items[i];
    const struct export *export = &core->module->exports[i];
    struct reach_core *in = (struct reach_core *)(uintptr_t)core;
    switch (export->kind) {
    case EXTERN_FUNC: return reach_func_at(in, export->index);
    case EXTERN_TABLE: return core->tables[export->index];
    default: return &nothing;
    }
}

static struct reach_core *core_instantiate(struct reach *r, struct made *made,
                                           const struct cm_def *def)
{
    const struct cm_module *module = made->spaces[SORT_MODULE][def->of];
    const struct cm_module_type *type = module->type;
    void **imports = REACH_ARRAY(r, void *, type->nimports);
    for (uint32_t i = 0; i < type->nimports && !r->gave_up; i++) {
        uint32_t arg = symbol_search(def->places, def->nitems, symbol_key(type->imports[i].module));
        imports[i] = core_export_of(made->spaces[SORT_CORE_INSTANCE][def->items[arg].index],
                                    type->imports[i].name);
    }
    struct reach_core *core = r->gave_up ? NULL : reach_core_new(r, module->module, imports);
    if (core)
        core->type = type;
    return core;
}

static struct reach_core *core_exports(struct reach *r, const struct made *made,
                                       const struct cm_def *def)
{
    struct reach_core *core = REACH_ARRAY(r, struct reach_core, 1);
    void **items = REACH_ARRAY(r, void *, def->nitems);
    if (r->gave_up)
        return NULL;
    for (uint32_t i = 0; i < def->nitems; i++)
        items[i] = made->spaces[def->items[i].sort][def->items[i].index];
    core->type = def->core_shape;
    core->items = items;
    return core;
}

/* --- Definitions --------------------------------------------------------------------------------
 */

static struct exports *exports_of(struct reach *r, const struct made *made,
                                  const struct cm_def *def)
{
    struct exports *exports = REACH_ARRAY(r, struct exports, 1);
    void **items = REACH_ARRAY(r, void *, def->nitems);
    if (r->gave_up)
        return NULL;
    for (uint32_t i = 0; i < def->nitems; i++)
        items[i] = item_value(made, &def->items[i]);
    *exports = (struct exports){&def->shape->exports, items};
    return exports;
}

static struct closure *closure_of(struct reach *r, struct made *made, const struct cm_def *def)
{
    struct closure *closure = REACH_ARRAY(r, struct closure, 1);
    if (closure)
        *closure = (struct closure){def->component, made};
    return closure;
}

/* The host drops what it was given, too, so destructors are always in reach. */
static void resource(struct reach *r, struct made *made, const struct cm_def *def)
{
    struct reach_resource *resource = REACH_ARRAY(r, struct reach_resource, 1);
    made->slots[def->var->slot] = resource;
    if (def->has_destructor)
        reach_func(r, made->spaces[SORT_CORE_FUNC][def->destructor]);
}

/* What a canonical definition leads to: its options and what it is about. */
static struct reach_links *links_of(struct reach *r, const struct made *made,
                                    const struct cm_canon *canon)
{
    const struct cm_options *options = &canon->options;
    void *const *funcs = made->spaces[SORT_CORE_FUNC];
    struct reach_links *links = REACH_ARRAY(r, struct reach_links, 1);
    if (!links)
        return NULL;
    if (options->has_realloc)
        links->funcs[0] = funcs[options->realloc];
    if (options->has_post_return)
        links->funcs[1] = funcs[options->post_return];
    if (options->has_callback)
        links->funcs[2] = funcs[options->callback];
    if (canon->canon == CANON_LIFT)
        links->funcs[3] = funcs[canon->func];
    if (canon->canon == CANON_LOWER) {
        links->callee = made->spaces[SORT_FUNC][canon->func];
        reach_lowered(r, links->callee->wanted);
    }
    if (canon->canon == CANON_RESOURCE_DROP && made->slots[canon->var->slot]) {
        links->wanted = made->slots[canon->var->slot]->wanted;
        reach_lowered(r, links->wanted);
    }
    if (canon->canon == CANON_THREAD_NEW_INDIRECT)
        r->gave_up = true; /* starts whatever lies in a table */
    return links;
}

static void *canon_value(struct reach *r, const struct made *made, const struct cm_canon *canon)
{
    struct reach_links *links = links_of(r, made, canon);
    if (canon->canon == CANON_LIFT || !links)
        return links;
    struct reach_func *func = REACH_ARRAY(r, struct reach_func, 1);
    if (func)
        *func = (struct reach_func){.links = links, .type = canon->core};
    return func;
}

static void import(struct reach *r, struct made *made, const struct cm_def *def)
{
    void *value = made->imports[def->extern_index];
    if (def->binds)
        bind(made, def->binds, value);
    if (def->sort != SORT_TYPE)
        append(r, made, def->sort, value);
}

static void export(struct reach *r, struct made *made, const struct cm_def *def)
{
    void *value;
    if (def->sort == SORT_TYPE)
        value = def->exported_var ? made->slots[def->exported_var->slot] : NULL;
    else
        value = made->spaces[def->sort][def->exported];
    made->exports.items[def->extern_index] = value;
    if (def->binds)
        bind(made, def->binds, value);
    if (def->sort != SORT_TYPE)
        append(r, made, def->sort, value);
}

/* What this definition begins to instantiate; the definition is done when that is made. */
static struct made *instantiate(struct reach *r, struct made *made, const struct cm_def *def)
{
    const struct closure *closure = made->spaces[SORT_COMPONENT][def->of];
    const struct cm_decls *wanted = &closure->component->type->imports;
    void **imports = REACH_ARRAY(r, void *, wanted->count);
    if (!imports || !reach_work(r, wanted->count))
        return NULL;
    for (uint32_t i = 0; i < wanted->count; i++) {
        uint32_t arg = symbol_search(def->places, def->nitems, symbol_key(wanted->at[i].name));
        imports[i] = item_value(made, &def->items[arg]);
    }
    struct made *inner = made_new(r, closure->component, imports);
    if (!inner)
        return NULL;
    inner->outer = closure->outer;
    inner->caller = made;
    return inner;
}

static void *outer_value(const struct made *made, const struct cm_def *def)
{
    for (uint32_t i = 0; i < def->from; i++)
        made = made->outer;
    return made->spaces[def->sort][def->index];
}

/* All but instantiation of components. */
static void do_plain(struct reach *r, struct made *made, const struct cm_def *def)
{
    void *value = NULL;
    switch (def->kind) {
    case DEF_MODULE: value = (void *)(uintptr_t)def->module; break;
    case DEF_CORE_INSTANTIATE: value = core_instantiate(r, made, def); break;
    case DEF_CORE_EXPORTS: value = core_exports(r, made, def); break;
    case DEF_COMPONENT: value = closure_of(r, made, def); break;
    case DEF_EXPORTS: value = exports_of(r, made, def); break;
    case DEF_ALIAS_EXPORT:
        value = export_of(made->spaces[SORT_INSTANCE][def->from], def->name);
        break;
    case DEF_ALIAS_CORE_EXPORT:
        value = core_export_of(made->spaces[SORT_CORE_INSTANCE][def->from], def->name);
        break;
    case DEF_ALIAS_OUTER: value = outer_value(made, def); break;
    case DEF_CANON: value = canon_value(r, made, def->canon); break;
    case DEF_RESOURCE: resource(r, made, def); return;
    case DEF_IMPORT: import(r, made, def); return;
    case DEF_EXPORT: export(r, made, def); return;
    case DEF_INSTANTIATE: return;
    }
    append(r, made, def->sort, value);
}

/* The innermost instance that is at work is a step deeper, not a call: components can make others
 * to a depth that only the number of instances bounds. */
static void carry_out(struct reach *r, struct made *made)
{
    uint32_t instances = 1;
    while (made && !r->gave_up) {
        const struct component *component = made->component;
        if (made->next == component->ndefs) {
            struct made *caller = made->caller;
            if (caller) {
                const struct cm_def *def = &caller->component->defs[caller->next - 1];
                append(r, caller, def->sort, &made->exports);
                if (def->binds)
                    bind(caller, def->binds, &made->exports);
            }
            made = caller;
            continue;
        }
        const struct cm_def *def = &component->defs[made->next++];
        if (!reach_work(r, 1 + (uint64_t)def->nitems * (def->kind == DEF_EXPORTS)))
            return;
        if (def->kind != DEF_INSTANTIATE) {
            do_plain(r, made, def);
            continue;
        }
        if (++instances > CM_LIMIT_LIVE_INSTANCES)
            r->gave_up = true;
        else
            made = instantiate(r, made, def);
    }
}

/* --- The host -----------------------------------------------------------------------------------
 */

static struct reach_want *want(struct reach *r, struct str interface, struct str name, bool drop)
{
    struct reach_want *want = REACH_ARRAY(r, struct reach_want, 1);
    if (!want)
        return NULL;
    want->is = (struct cm_demand){interface, name, drop, false};
    *r->last = want;
    r->last = &want->next;
    return want;
}

/* What an import stands for. Types nest to a limited depth. */
static void *host_value(struct reach *r, struct made *made, struct str interface,
                        const struct cm_decl *decl)
{
    const struct cm_type *type = decl->is.type;
    if (decl->is.sort == SORT_FUNC) {
        struct reach_links *links = REACH_ARRAY(r, struct reach_links, 1);
        if (links)
            links->wanted = want(r, interface, decl->name->text, false);
        return links;
    }
    if (decl->is.sort == SORT_TYPE && type->kind == CM_RESOURCE) {
        if (type->var->binder != made->component->type->binder) {
            r->gave_up = true;
            return NULL;
        }
        struct reach_resource **slot = &made->slots[type->var->slot];
        if (!decl->is.fresh)
            return *slot;
        *slot = REACH_ARRAY(r, struct reach_resource, 1);
        if (*slot)
            (*slot)->wanted = want(r, interface, decl->name->text, true);
        return *slot;
    }
    if (decl->is.sort != SORT_INSTANCE) {
        r->gave_up = r->gave_up || decl->is.sort != SORT_TYPE;
        return NULL;
    }
    struct exports *exports = REACH_ARRAY(r, struct exports, 1);
    void **items = REACH_ARRAY(r, void *, type->exports.count);
    if (!exports || !items)
        return NULL;
    *exports = (struct exports){&type->exports, items};
    for (uint32_t i = 0; i < type->exports.count && !r->gave_up; i++)
        items[i] =
            host_value(r, made, interface.len ? interface : decl->name->text, &type->exports.at[i]);
    return exports;
}

/* What the host can get at through exports. */
static void reach_exports(struct reach *r, const struct exports *exports)
{
    for (uint32_t i = 0; i < exports->names->count && reach_work(r, 1); i++) {
        switch (exports->names->at[i].is.sort) {
        case SORT_FUNC: reach_links(r, exports->items[i]); break;
        case SORT_INSTANCE: reach_exports(r, exports->items[i]); break;
        case SORT_TYPE: break;
        default: r->gave_up = true; break; /* who knows what is made of a component or module */
        }
    }
}

void reach_component(struct reach *r, const struct component *component)
{
    const struct cm_decls *imports = &component->type->imports;
    void **values = REACH_ARRAY(r, void *, imports->count);
    struct made *made = values ? made_new(r, component, values) : NULL;
    if (!made)
        return;
    for (uint32_t i = 0; i < imports->count && !r->gave_up; i++)
        values[i] = host_value(r, made, (struct str){0}, &imports->at[i]);
    carry_out(r, made);
    if (!r->gave_up)
        reach_exports(r, &made->exports);
}
