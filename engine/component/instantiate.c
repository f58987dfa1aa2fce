/* Instantiation: carrying out the definitions of a component, in order; see store.h, component.h.
 *
 * It is a native function, because core start functions run in between and may call out. Instances
 * within are instantiated by native functions of their own, called by this one. */
#include "engine/component/call.h"
#include "engine/component/limits.h"
#include "engine/component/store.h"

/* --- Making an instance -------------------------------------------------------------------------
 */

/* Does an index space hold anything at run time? */
static bool has_values(unsigned sort)
{
    return sort != SORT_TYPE && sort != SORT_CORE_TYPE && sort != SORT_VALUE;
}

static bool allocate(struct cm_instance *instance, struct heap *heap)
{
    const struct component *component = instance->component;
    for (unsigned sort = 0; sort < SORTS; sort++) {
        if (!has_values(sort) || !component->counts[sort])
            continue;
        instance->spaces[sort] = heap_zeroed(heap, component->counts[sort], sizeof(void *));
        if (!instance->spaces[sort])
            return false;
    }
    const struct cm_decls *exports = &component->type->exports;
    instance->exports.names = exports;
    instance->exports.items = heap_zeroed(heap, exports->count, sizeof(void *));
    instance->slots = heap_zeroed(heap, component->nslots, sizeof *instance->slots);
    return instance->exports.items && instance->slots;
}

struct cm_instance *cm_instance_new(struct cm_store *store, const struct component *component,
                                    void **imports, struct err *err)
{
    struct heap *heap = vm_heap(store->vm);
    if (store->ninstances >= CM_LIMIT_LIVE_INSTANCES) {
        cm_limit_passed(err, ERR_NOWHERE, CM_COUNT_LIVE_INSTANCES);
        return NULL;
    }
    struct cm_instance *instance = heap_zeroed(heap, 1, sizeof *instance);
    if (instance) {
        instance->component = component;
        instance->store = store;
        instance->imports = imports;
        instance->may_leave = true;
        instance->initializer =
            func_native(store->vm, types_func_id(store->types->core, NULL, 0, NULL, 0),
                        instantiate_step, instance);
    }
    if (!instance || !instance->initializer || !allocate(instance, heap)) {
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no memory left for a component instance");
        return NULL;
    }
    store->ninstances++;
    return instance;
}

struct func *cm_instance_initializer(struct cm_instance *instance)
{
    return instance->initializer;
}

/* --- Definitions --------------------------------------------------------------------------------
 */

static bool no_memory(const struct cm_instance *instance)
{
    return cm_full(instance->store, "a component instance");
}

/* An instance could not be made: a trap that says why. */
static void refused(const struct cm_instance *instance, const struct err *err)
{
    struct vm *vm = instance->store->vm;
    if (err->kind == ERR_MEMORY && vm_heap(vm)->at_limit)
        no_memory(instance);
    else if (err->kind == ERR_MEMORY)
        vm_trap_set(vm, TRAP_OUT_OF_MEMORY, "%s", err->text);
    else if (err->kind == ERR_LIMIT)
        vm_trap_set(vm, TRAP_HELD, "%s", err->text);
    else
        vm_trap_set(vm, TRAP_HOST, "%s", err->text);
}

/* Appends to an index space. False if there is nothing to append: the heap was full. */
static bool append(struct cm_instance *instance, enum cm_sort sort, void *value)
{
    if (!value)
        return no_memory(instance);
    instance->spaces[sort][instance->counts[sort]++] = value;
    return true;
}

/* What an item of an instance stands for. */
static void *item_value(const struct cm_instance *instance, const struct cm_item *item)
{
    if (item->sort != SORT_TYPE)
        return instance->spaces[item->sort][item->index];
    return item->var ? (void *)(uintptr_t)instance->slots[item->var->slot] : NULL;
}

static void *export_of(const struct cm_exports *exports, const struct symbol *name)
{
    return exports
        ->items[symbol_search(exports->names->places, exports->names->count, symbol_key(name))];
}

/* Resource types of this component that an instance type introduces get their slots from the
 * instance itself. */
static void bind(struct cm_instance *instance, const struct cm_type *type, void *value)
{
    uint32_t binder = instance->component->type->binder;
    if (type->kind == CM_RESOURCE && type->var->binder == binder)
        instance->slots[type->var->slot] = value;
    if (type->kind != CM_INSTANCE || !value)
        return;
    const struct cm_exports *exports = value;
    for (uint32_t i = 0; i < type->exports.count; i++) {
        const struct cm_decl *decl = &type->exports.at[i];
        if (cm_extern_flags(&decl->is) & CM_RESOURCES &&
            (decl->is.sort == SORT_TYPE || decl->is.sort == SORT_INSTANCE))
            bind(instance, decl->is.type, export_of(exports, decl->name));
    }
}

static bool do_component(struct cm_instance *instance, const struct cm_def *def)
{
    struct cm_closure *closure = heap_zeroed(vm_heap(instance->store->vm), 1, sizeof *closure);
    if (closure)
        *closure = (struct cm_closure){def->component, instance};
    return append(instance, def->sort, closure);
}

static bool do_exports(struct cm_instance *instance, const struct cm_def *def)
{
    struct heap *heap = vm_heap(instance->store->vm);
    struct cm_exports *exports = heap_zeroed(heap, 1, sizeof *exports);
    void **items = heap_zeroed(heap, def->nitems, sizeof *items);
    if (!exports || !items)
        return no_memory(instance);
    for (uint32_t i = 0; i < def->nitems; i++)
        items[i] = item_value(instance, &def->items[i]);
    *exports = (struct cm_exports){&def->shape->exports, items};
    return append(instance, def->sort, exports);
}

/* A core item of an index space. */
static struct core_extern core_item(const struct cm_instance *instance, const struct cm_item *item)
{
    void *value = instance->spaces[item->sort][item->index];
    switch (item->sort) {
    case SORT_CORE_TABLE: return (struct core_extern){.kind = EXTERN_TABLE, .table = value};
    case SORT_CORE_MEMORY: return (struct core_extern){.kind = EXTERN_MEMORY, .memory = value};
    case SORT_CORE_GLOBAL: return (struct core_extern){.kind = EXTERN_GLOBAL, .global = value};
    case SORT_CORE_TAG: return (struct core_extern){.kind = EXTERN_TAG, .tag = value};
    default: return (struct core_extern){.kind = EXTERN_FUNC, .func = value};
    }
}

static bool do_core_exports(struct cm_instance *instance, const struct cm_def *def)
{
    struct heap *heap = vm_heap(instance->store->vm);
    struct cm_core_instance *core = heap_zeroed(heap, 1, sizeof *core);
    struct core_extern *items = heap_zeroed(heap, def->nitems, sizeof *items);
    if (!core || !items)
        return no_memory(instance);
    for (uint32_t i = 0; i < def->nitems; i++)
        items[i] = core_item(instance, &def->items[i]);
    *core = (struct cm_core_instance){NULL, def->core_shape, items};
    return append(instance, def->sort, core);
}

static struct core_extern core_export_of(const struct cm_core_instance *core,
                                         const struct symbol *name)
{
    uint32_t i = symbol_search(core->type->export_places, core->type->nexports, symbol_key(name));
    return core->instance ? instance_export_at(core->instance, i) : core->items[i];
}

static bool do_alias_core(struct cm_instance *instance, const struct cm_def *def)
{
    struct core_extern external =
        core_export_of(instance->spaces[SORT_CORE_INSTANCE][def->from], def->name);
    void *value = NULL;
    switch (external.kind) {
    case EXTERN_FUNC: value = external.func; break;
    case EXTERN_TABLE: value = external.table; break;
    case EXTERN_MEMORY: value = external.memory; break;
    case EXTERN_GLOBAL: value = external.global; break;
    case EXTERN_TAG: value = external.tag; break;
    }
    return append(instance, def->sort, value);
}

static bool do_alias_outer(struct cm_instance *instance, const struct cm_def *def)
{
    const struct cm_instance *from = instance;
    for (uint32_t i = 0; i < def->from; i++)
        from = from->outer;
    return append(instance, def->sort, from->spaces[def->sort][def->index]);
}

static bool do_resource(struct cm_instance *instance, const struct cm_def *def)
{
    struct cm_resource *resource = heap_zeroed(vm_heap(instance->store->vm), 1, sizeof *resource);
    if (!resource)
        return no_memory(instance);
    resource->owner = instance;
    if (def->has_destructor)
        resource->destructor = instance->spaces[SORT_CORE_FUNC][def->destructor];
    instance->slots[def->var->slot] = resource;
    return true;
}

static bool do_canon(struct cm_instance *instance, const struct cm_def *def)
{
    const struct cm_canon *canon = def->canon;
    if (canon->canon == CANON_LIFT)
        return append(instance, def->sort, cm_lift_func(instance, canon));
    if (canon->canon == CANON_LOWER)
        return append(instance, def->sort,
                      cm_lower_func(instance, canon, instance->spaces[SORT_FUNC][canon->func]));
    return append(instance, def->sort, cm_builtin_func(instance, canon));
}

static bool do_import(struct cm_instance *instance, const struct cm_def *def)
{
    void *value = instance->imports[def->extern_index];
    if (def->binds)
        bind(instance, def->binds, value);
    return def->sort == SORT_TYPE || append(instance, def->sort, value);
}

static bool do_export(struct cm_instance *instance, const struct cm_def *def)
{
    void *value;
    if (def->sort == SORT_TYPE)
        value =
            def->exported_var ? (void *)(uintptr_t)instance->slots[def->exported_var->slot] : NULL;
    else
        value = instance->spaces[def->sort][def->exported];
    instance->exports.items[def->extern_index] = value;
    if (def->binds)
        bind(instance, def->binds, value);
    return def->sort == SORT_TYPE || append(instance, def->sort, value);
}

/* --- Definitions that run guest code ------------------------------------------------------------
 */

/* Links a core module; its initializer is called next. */
static struct func *begin_core(struct cm_instance *instance, const struct cm_def *def)
{
    struct vm *vm = instance->store->vm;
    struct heap *heap = vm_heap(vm);
    const struct cm_module *module = instance->spaces[SORT_MODULE][def->of];
    const struct cm_module_type *type = module->type;
    struct cm_core_instance *core = heap_zeroed(heap, 1, sizeof *core);
    struct core_extern *imports = heap_zeroed(heap, type->nimports, sizeof *imports);
    if (!core || !imports)
        return no_memory(instance), NULL;
    for (uint32_t i = 0; i < type->nimports; i++) {
        uint32_t arg = symbol_search(def->places, def->nitems, symbol_key(type->imports[i].module));
        imports[i] = core_export_of(instance->spaces[SORT_CORE_INSTANCE][def->items[arg].index],
                                    type->imports[i].name);
    }
    struct err err = {0};
    heap->at_limit = false;
    struct instance *made = instance_new(vm, module->module, imports, &err);
    heap_give(heap, imports);
    if (!made) {
        refused(instance, &err);
        return NULL;
    }
    instance_set_owner(made, instance);
    *core = (struct cm_core_instance){made, type, NULL};
    return append(instance, def->sort, core) ? instance_initializer(made) : NULL;
}

/* Makes an instance of a component; its initializer is called next. */
static struct func *begin_instance(struct cm_instance *instance, const struct cm_def *def)
{
    struct vm *vm = instance->store->vm;
    const struct cm_closure *closure = instance->spaces[SORT_COMPONENT][def->of];
    const struct cm_decls *wanted = &closure->component->type->imports;
    void **imports = heap_zeroed(vm_heap(vm), wanted->count, sizeof *imports);
    if (!imports)
        return no_memory(instance), NULL;
    for (uint32_t i = 0; i < wanted->count; i++) {
        uint32_t arg = symbol_search(def->places, def->nitems, symbol_key(wanted->at[i].name));
        imports[i] = item_value(instance, &def->items[arg]);
    }
    struct err err = {0};
    struct cm_instance *made = cm_instance_new(instance->store, closure->component, imports, &err);
    if (!made) {
        refused(instance, &err);
        return NULL;
    }
    made->parent = instance;
    made->outer = closure->outer;
    made->depth = instance->depth + 1;
    return append(instance, def->sort, &made->exports) ? made->initializer : NULL;
}

static bool do_plain(struct cm_instance *instance, const struct cm_def *def)
{
    switch (def->kind) {
    case DEF_MODULE: return append(instance, def->sort, (void *)(uintptr_t)def->module);
    case DEF_CORE_EXPORTS: return do_core_exports(instance, def);
    case DEF_COMPONENT: return do_component(instance, def);
    case DEF_EXPORTS: return do_exports(instance, def);
    case DEF_ALIAS_EXPORT:
        return append(instance, def->sort,
                      export_of(instance->spaces[SORT_INSTANCE][def->from], def->name));
    case DEF_ALIAS_CORE_EXPORT: return do_alias_core(instance, def);
    case DEF_ALIAS_OUTER: return do_alias_outer(instance, def);
    case DEF_RESOURCE: return do_resource(instance, def);
    case DEF_CANON: return do_canon(instance, def);
    case DEF_IMPORT: return do_import(instance, def);
    case DEF_EXPORT: return do_export(instance, def);
    case DEF_CORE_INSTANTIATE:
    case DEF_INSTANTIATE: break;
    }
    return false;
}

enum native_answer instantiate_step(struct vm *vm, struct native *frame)
{
    struct cm_instance *instance = frame->data;
    const struct component *component = instance->component;
    if (frame->state) { /* what the definition before called has returned */
        const struct cm_def *def = &component->defs[instance->next - 1];
        if (def->binds)
            bind(instance, def->binds,
                 instance->spaces[SORT_INSTANCE][instance->counts[SORT_INSTANCE] - 1]);
    } else {
        struct cm_task *task = native_locals(vm, frame, sizeof *task);
        if (!task)
            return NATIVE_TRAP;
        cm_task_begin(task, instance, instance->store->thread);
    }
    instance->store->thread = &((struct cm_task *)frame->locals)->thread;
    while (instance->next < component->ndefs) {
        const struct cm_def *def = &component->defs[instance->next++];
        struct func *callee = NULL;
        if (def->kind == DEF_CORE_INSTANTIATE)
            callee = begin_core(instance, def);
        else if (def->kind == DEF_INSTANTIATE)
            callee = begin_instance(instance, def);
        else if (do_plain(instance, def))
            continue;
        if (!callee)
            return NATIVE_TRAP;
        frame->state = 1;
        native_call(vm, frame, callee);
        return NATIVE_CALL;
    }
    instance->store->thread = ((struct cm_task *)frame->locals)->caller;
    instance->may_enter = true;
    return NATIVE_DONE;
}
