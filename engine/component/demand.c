/* Demand, and the search for what is reachable; see demand.h, reach.h. */
#include "engine/component/reach.h"

/* Steps of the search for each byte of the file, and besides: what is real takes less than one. */
#define STEPS_TIMES 8
#define STEPS_FIXED UINT64_C(20000000)

void *reach_take(struct reach *r, size_t count, size_t each)
{
    void *memory = region_take(r->scratch, count, each, _Alignof(max_align_t));
    r->gave_up = r->gave_up || !memory;
    return memory;
}

bool reach_work(struct reach *r, uint64_t steps)
{
    if (steps > r->steps)
        r->gave_up = true;
    else
        r->steps -= steps;
    return !r->gave_up;
}

void reach_func(struct reach *r, struct reach_func *func)
{
    if (func->reached)
        return;
    func->reached = true;
    func->next = r->todo[func->size];
    r->todo[func->size] = func;
    r->sizes |= UINT32_C(1) << func->size;
}

void reach_links(struct reach *r, const struct reach_links *links)
{
    for (; links; links = links->callee) { /* what is lowered was lifted, and has no callee */
        for (size_t i = 0; i < countof(links->funcs); i++)
            if (links->funcs[i])
                reach_func(r, links->funcs[i]);
        if (links->wanted && !links->wanted->is.reachable) {
            links->wanted->is.reachable = true;
            r->hidden -= links->wanted->lowered;
        }
    }
}

void reach_lowered(struct reach *r, struct reach_want *want)
{
    if (!want || want->lowered)
        return;
    want->lowered = true;
    r->hidden += !want->is.reachable;
}

static struct reach begin(struct region *scratch, const struct types *types, size_t size)
{
    return (struct reach){
        .scratch = scratch, .types = types, .steps = STEPS_FIXED + (uint64_t)size * STEPS_TIMES};
}

/* Bodies are followed in no order in which they lie: the next one is brought near meanwhile. */
static void fetch_body(const struct reach_func *func)
{
    if (func && func->in)
        __builtin_prefetch(func->in->module->funcs[func->index].body);
}

static void follow_all(struct reach *r)
{
    while (r->sizes && r->hidden && !r->gave_up) {
        uint32_t size = (uint32_t)__builtin_ctz(r->sizes);
        struct reach_func *func = r->todo[size];
        r->todo[size] = func->next;
        r->sizes ^= (uint32_t)!func->next << size;
        fetch_body(func->next);
        if (func->in)
            reach_body(r, func->in, func->index);
        else
            reach_links(r, func->links);
    }
}

/* --- Components ---------------------------------------------------------------------------------
 */

/* All that is imported, as if it were all in reach. */
static void visit_list(const struct cm_decls *list, struct str interface, cm_demand_visit *visit,
                       void *data)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct cm_decl *decl = &list->at[i];
        struct cm_demand demand = {interface, decl->name->text, false, true};
        if (decl->is.sort == SORT_TYPE && decl->is.fresh) {
            demand.drop = true;
            visit(data, &demand);
        } else if (decl->is.sort == SORT_FUNC) {
            visit(data, &demand);
        } else if (decl->is.sort == SORT_INSTANCE) {
            visit_list(&decl->is.type->exports, interface.len ? interface : decl->name->text, visit,
                       data);
        }
    }
}

void cm_demand(const struct component *component, struct region *scratch, cm_demand_visit *visit,
               void *data)
{
    struct reach r = {.gave_up = true};
    uint8_t *mark = scratch ? region_mark(scratch) : NULL;
    if (scratch) {
        r = begin(scratch, component->types->core, component->bytes.len);
        r.last = &r.wants;
        reach_component(&r, component);
        follow_all(&r);
    }
    if (r.gave_up)
        visit_list(&component->type->imports, (struct str){0}, visit, data);
    else
        for (const struct reach_want *want = r.wants; want; want = want->next)
            visit(data, &want->is);
    if (scratch)
        region_release(scratch, mark);
}

/* --- Core modules -------------------------------------------------------------------------------
 */

/* The host's things for each import: functions that note in `wants` that they are reached. */
static void **host_imports(struct reach *r, const struct module *module, struct reach_want *wants)
{
    void **imports = REACH_ARRAY(r, void *, module->nimports);
    for (uint32_t i = 0; i < module->nimports && !r->gave_up; i++) {
        const struct externtype *type = &module->imports[i].type;
        if (type->kind == EXTERN_FUNC) {
            struct reach_links *links = REACH_ARRAY(r, struct reach_links, 1);
            struct reach_func *func = REACH_ARRAY(r, struct reach_func, 1);
            if (!links || !func)
                return NULL;
            links->wanted = &wants[i];
            reach_lowered(r, &wants[i]);
            func->links = links;
            func->type = type->func;
            imports[i] = func;
        } else if (type->kind == EXTERN_TABLE) {
            r->gave_up = true; /* nobody knows what lies in it */
        }
    }
    return imports;
}

void cm_module_demand(const struct module *module, struct region *scratch, bool *ret)
{
    struct reach r = begin(scratch, module->types, module->bytes.len);
    uint8_t *mark = region_mark(scratch);
    struct reach_want *wants = REACH_ARRAY(&r, struct reach_want, module->nimports);
    void **imports = wants ? host_imports(&r, module, wants) : NULL;
    struct reach_core *core = r.gave_up ? NULL : reach_core_new(&r, module, imports);
    for (uint32_t i = 0; core && i < module->nexports; i++) {
        const struct export *export = &module->exports[i];
        if (export->kind == EXTERN_FUNC)
            reach_func(&r, reach_func_at(core, export->index));
    }
    follow_all(&r);
    for (uint32_t i = 0; i < module->nimports; i++)
        ret[i] = r.gave_up ? module->imports[i].type.kind == EXTERN_FUNC : wants[i].is.reachable;
    region_release(scratch, mark);
}
