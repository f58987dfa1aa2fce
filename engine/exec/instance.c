/* Instances of core modules: allocation, linking, exports (core spec §4.5.3, §4.5.4); see vm.h. */
#include "engine/exec/state.h"
#include "engine/wasm/xop.h"

/* --- Linking -------------------------------------------------------------------------------------
 */

struct externtype core_extern_type(const struct core_extern *external)
{
    struct externtype type = {.kind = external->kind};
    switch (external->kind) {
    case EXTERN_FUNC: type.func = external->func->type; break;
    case EXTERN_TABLE:
        type.table = external->table->type;
        type.table.limits.min = external->table->count;
        break;
    case EXTERN_MEMORY:
        type.memory = external->memory->type;
        type.memory.limits.min = external->memory->pages;
        break;
    case EXTERN_GLOBAL: type.global = external->global->type; break;
    case EXTERN_TAG: type.func = external->tag->type; break;
    }
    return type;
}

static const char *kind_word(enum extern_kind kind)
{
    static const char *const words[] = {"function", "table", "memory", "global", "tag"};
    return words[kind];
}

static int check_imports(const struct vm *vm, const struct module *module,
                         const struct core_extern *imports, struct err *err)
{
    for (uint32_t i = 0; i < module->nimports; i++) {
        const struct import *wanted = &module->imports[i];
        if (imports[i].kind != wanted->type.kind)
            return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                           "incompatible import type: \"" STR_FMT "\" \"" STR_FMT
                           "\" is imported as a %s and provided as a %s",
                           STR_ARG(wanted->module), STR_ARG(wanted->name),
                           kind_word(wanted->type.kind), kind_word(imports[i].kind));
        struct externtype actual = core_extern_type(&imports[i]);
        if (!externtype_matches(vm->types, &actual, &wanted->type))
            return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                           "incompatible import type: the %s \"" STR_FMT "\" \"" STR_FMT
                           "\" is provided with another type",
                           kind_word(wanted->type.kind), STR_ARG(wanted->module),
                           STR_ARG(wanted->name));
    }
    return 0;
}

static void link_imports(struct instance *in, const struct core_extern *imports)
{
    uint32_t next[EXTERN_TAG + 1] = {0};
    for (uint32_t i = 0; i < in->module->nimports; i++) {
        uint32_t at = next[imports[i].kind]++;
        switch (imports[i].kind) {
        case EXTERN_FUNC: in->funcs[at] = imports[i].func; break;
        case EXTERN_TABLE: in->tables[at] = imports[i].table; break;
        case EXTERN_MEMORY: in->memories[at] = imports[i].memory; break;
        case EXTERN_GLOBAL: in->globals[at] = imports[i].global; break;
        case EXTERN_TAG: in->tags[at] = imports[i].tag; break;
        }
    }
}

/* --- Allocation ----------------------------------------------------------------------------------
 */

/* The index spaces of an instance as one block of the heap. */
static bool allocate_spaces(struct instance *in)
{
    const struct module *m = in->module;
    uint32_t nown = m->nfuncs - m->imported_funcs;
    size_t pointers =
        (size_t)m->nfuncs + m->ntables + m->nmemories + m->nglobals + m->ntags + m->nelems;
    size_t size = pointers * sizeof(void *) + nown * sizeof *in->own + m->nelems + m->ndatas;
    uint8_t *block = heap_zeroed(&in->vm->heap, 1, size);
    if (!block)
        return false;
    in->own = (struct func *)block;
    void **at = (void **)(in->own + nown);
    in->funcs = (struct func **)at;
    in->tables = (struct table_instance **)(at += m->nfuncs);
    in->memories = (struct linear_memory **)(at += m->ntables);
    in->globals = (struct global_instance **)(at += m->nmemories);
    in->tags = (struct tag_instance **)(at += m->nglobals);
    in->elems = (union slot **)(at += m->ntags);
    in->dropped_elems = (uint8_t *)(at + m->nelems);
    in->dropped_datas = in->dropped_elems + m->nelems;
    return true;
}

static void allocate_funcs(struct instance *in)
{
    const struct module *m = in->module;
    const struct code *code = *m->code;
    for (uint32_t i = m->imported_funcs; i < m->nfuncs; i++) {
        struct func *func = &in->own[i - m->imported_funcs];
        uint32_t type = m->funcs[i].type;
        *func = (struct func){.type = type,
                              .index = i,
                              .link = frame_link(types_func(m->types, type)),
                              .entry = &code->entries[i],
                              .instance = in};
        in->funcs[i] = func;
    }
}

static int allocate_memories(struct instance *in, struct err *err)
{
    const struct module *m = in->module;
    for (uint32_t i = m->imported_memories; i < m->nmemories; i++) {
        in->memories[i] = memory_new(in->vm, &m->memories[i]);
        if (!in->memories[i])
            return err_set(err, ERR_MEMORY, ERR_NOWHERE,
                           "a memory of %llu pages does not fit the memory limit",
                           (unsigned long long)m->memories[i].limits.min);
    }
    in->memory0 = m->nmemories ? in->memories[0] : &in->vm->no_memory;
    return 0;
}

static int allocate_globals(struct instance *in)
{
    const struct module *m = in->module;
    for (uint32_t i = m->imported_globals; i < m->nglobals; i++) {
        union slot value[2] = {0};
        if (!constexpr_eval(in, m->globals[i].init, value))
            return -1;
        in->globals[i] = global_new(in->vm, &m->globals[i].type, value);
        if (!in->globals[i])
            return -1;
    }
    return 0;
}

static int allocate_tables(struct instance *in, struct err *err)
{
    const struct module *m = in->module;
    for (uint32_t i = m->imported_tables; i < m->ntables; i++) {
        const struct table *table = &m->tables[i];
        in->tables[i] = table_new(in->vm, &table->type);
        if (!in->tables[i])
            return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                           "a table of %llu elements does not fit the limits",
                           (unsigned long long)table->type.limits.min);
    }
    return 0;
}

/* Tables with an initial value may name globals and functions, so they are filled last. */
static int fill_tables(struct instance *in)
{
    const struct module *m = in->module;
    for (uint32_t i = m->imported_tables; i < m->ntables; i++) {
        union slot value[2] = {0};
        if (!m->tables[i].init.at)
            continue;
        if (!constexpr_eval(in, m->tables[i].init, value))
            return -1;
        table_fill(in->vm, in->tables[i], 0, value[0].ref, in->tables[i]->count);
    }
    return 0;
}

static int allocate_tags(struct instance *in)
{
    const struct module *m = in->module;
    for (uint32_t i = m->imported_tags; i < m->ntags; i++) {
        in->tags[i] = heap_take(&in->vm->heap, sizeof *in->tags[i]);
        if (!in->tags[i])
            return -1;
        in->tags[i]->type = m->tags[i];
    }
    return 0;
}

/* --- Element segments
 * ----------------------------------------------------------------------------- */

/* The next item of a segment: a function index or a constant expression. */
static bool next_item(struct instance *in, const struct elemsegment *segment, struct reader *r,
                      union slot *ret_item)
{
    if (segment->are_functions) {
        ret_item->ref = in->funcs[reader_u32(r)];
        return true;
    }
    union slot value[2] = {0};
    struct constexpr item = {r->at, (uint32_t)reader_left(r)};
    uint32_t len = constexpr_length(in->module, item);
    reader_take(r, len, "item");
    if (!constexpr_eval(in, (struct constexpr){item.at, len}, value))
        return false;
    *ret_item = value[0];
    return true;
}

static struct reader items_of(const struct instance *in, const struct elemsegment *segment,
                              struct err *err)
{
    return reader_of((struct bytes){segment->items, segment->items_len}, in->module->file, err);
}

/* Passive segments are evaluated now (§4.5.4): their references exist once. */
static int evaluate_passive(struct instance *in)
{
    const struct module *m = in->module;
    for (uint32_t i = 0; i < m->nelems; i++) {
        const struct elemsegment *segment = &m->elems[i];
        if (segment->mode != SEGMENT_PASSIVE) {
            in->dropped_elems[i] = 1;
            continue;
        }
        in->elems[i] = heap_zeroed(&in->vm->heap, segment->count, sizeof **in->elems);
        if (!in->elems[i])
            return -1;
        struct err err = {0};
        struct reader r = items_of(in, segment, &err);
        for (uint32_t k = 0; k < segment->count; k++)
            if (!next_item(in, segment, &r, &in->elems[i][k]))
                return -1;
    }
    return 0;
}

/* Copies an active segment into its table: all of it or, if it does not fit, nothing. */
static enum trap_kind copy_active(struct instance *in, const struct elemsegment *segment)
{
    union slot offset[2] = {0};
    if (!constexpr_eval(in, segment->offset, offset))
        return TRAP_OUT_OF_MEMORY;
    struct table_instance *table = in->tables[segment->table];
    uint64_t at = offset[0].u64;
    if (at > table->count || segment->count > table->count - at)
        return TRAP_TABLE_BOUNDS;
    struct err err = {0};
    struct reader r = items_of(in, segment, &err);
    gc_overwrite_all(&in->vm->gc, table_slots(table) + at, segment->count);
    for (uint32_t k = 0; k < segment->count; k++)
        if (!next_item(in, segment, &r, &table_slots(table)[at + k]))
            return TRAP_OUT_OF_MEMORY;
    return TRAP_NONE;
}

/* --- Instances
 * ------------------------------------------------------------------------------------ */

struct instance *instance_new(struct vm *vm, const struct module *module,
                              const struct core_extern *imports, struct err *err)
{
    if (check_imports(vm, module, imports, err))
        return NULL;
    if (vm->ninstances >= vm->limits.instances) {
        err_set(err, ERR_LIMIT, ERR_NOWHERE, "more than %u instances", vm->limits.instances);
        return NULL;
    }
    /* Constant expressions make objects, and the collector does not come between them. */
    if (!vm->fiber && vm->gc.due)
        gc_slice(vm, NULL, NULL, NULL);
    struct instance *in = heap_zeroed(&vm->heap, 1, sizeof *in);
    if (in) {
        in->vm = vm;
        in->marks = vm->marks;
        in->interrupt = vm->interrupt;
        in->interrupt_at = vm->interrupt_at;
        in->module = module;
    }
    if (!in || !allocate_spaces(in)) {
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for an instance");
        return NULL;
    }
    if (translate_prepare(module, interp_handlers, vm->image, err))
        return NULL;
    vm->ninstances++;
    link_imports(in, imports);
    allocate_funcs(in);
    in->initializer =
        func_native(vm, types_func_id(vm->types, NULL, 0, NULL, 0), instance_init_step, in);
    if (allocate_memories(in, err) || allocate_tables(in, err))
        return NULL;
    if (!in->initializer || allocate_tags(in) || allocate_globals(in) || fill_tables(in) ||
        evaluate_passive(in)) {
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for an instance");
        return NULL;
    }
    in->next = vm->gc.instances;
    vm->gc.instances = in;
    return in;
}

struct func *instance_initializer(struct instance *instance)
{
    return instance->initializer;
}

struct instance *func_initializes(const struct func *func)
{
    return func->step == instance_init_step ? func->data : NULL;
}

/* State 0: copy the active segments and call the start function; 1: it has returned. */
enum native_answer instance_init_step(struct vm *vm, struct native *frame)
{
    struct instance *in = frame->data;
    const struct module *m = in->module;
    if (frame->state == 1)
        return NATIVE_DONE;
    enum trap_kind kind = TRAP_NONE;
    for (uint32_t i = 0; i < m->nelems && !kind; i++)
        if (m->elems[i].mode == SEGMENT_ACTIVE)
            kind = copy_active(in, &m->elems[i]);
    for (uint32_t i = 0; i < m->ndatas && !kind; i++) {
        const struct datasegment *data = &m->datas[i];
        union slot offset[2] = {0};
        if (data->mode != SEGMENT_ACTIVE)
            continue;
        kind =
            !constexpr_eval(in, data->offset, offset)
                ? TRAP_OUT_OF_MEMORY
                : memory_init(in, i, in->memories[data->memory], offset[0].u64, 0, data->bytes.len);
        in->dropped_datas[i] = 1;
    }
    if (kind) {
        vm_trap_set(vm, kind, "%s", "while the module's segments were copied");
        return NATIVE_TRAP;
    }
    if (!m->has_start)
        return NATIVE_DONE;
    frame->state = 1;
    native_call(vm, frame, in->funcs[m->start]);
    return NATIVE_CALL;
}

const struct module *instance_module(const struct instance *instance)
{
    return instance->module;
}

struct core_extern instance_export_at(struct instance *instance, uint32_t index)
{
    const struct export *export = &instance->module->exports[index];
    struct core_extern external = {.kind = export->kind};
    switch (export->kind) {
    case EXTERN_FUNC: external.func = instance->funcs[export->index]; break;
    case EXTERN_TABLE: external.table = instance->tables[export->index]; break;
    case EXTERN_MEMORY: external.memory = instance->memories[export->index]; break;
    case EXTERN_GLOBAL: external.global = instance->globals[export->index]; break;
    case EXTERN_TAG: external.tag = instance->tags[export->index]; break;
    }
    return external;
}

bool instance_export(struct instance *instance, struct str name, struct core_extern *ret_extern)
{
    const struct export *export = module_export(instance->module, name);
    if (!export)
        return false;
    *ret_extern = instance_export_at(instance, (uint32_t)(export - instance->module->exports));
    return true;
}

void *instance_owner(const struct instance *instance)
{
    return instance->owner;
}

void instance_set_owner(struct instance *instance, void *owner)
{
    instance->owner = owner;
}

struct global_instance *global_new(struct vm *vm, const struct globaltype *type,
                                   const union slot value[2])
{
    struct global_instance *global = heap_zeroed(&vm->heap, 1, sizeof *global);
    if (!global)
        return NULL;
    global->type = *type;
    memcpy(global->value, value, sizeof global->value);
    if (vt_is_ref(type->type)) {
        global->next = vm->gc.globals;
        vm->gc.globals = global;
    }
    return global;
}
