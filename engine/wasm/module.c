/* Questions about a decoded module; see module.h. */
#include "engine/wasm/module.h"

const struct export *module_export(const struct module *module, struct str name)
{
    uint32_t low = 0;
    uint32_t high = module->nexports;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct export *export = &module->exports[module->exports_by_name[middle]];
        int order = str_compare(name, export->name);
        if (order == 0)
            return export;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool module_has_entry(const struct module *module, struct str name)
{
    const struct export *export = module_export(module, name);
    if (!export || export->kind != EXTERN_FUNC)
        return false;
    const struct functype *type =
        types_func(module->types, module_type(module, EXTERN_FUNC, export->index).func);
    return !type->nparams && !type->nresults;
}

struct externtype module_type(const struct module *module, enum extern_kind kind, uint32_t index)
{
    struct externtype type = {.kind = kind};
    switch (kind) {
    case EXTERN_FUNC: type.func = module->funcs[index].type; break;
    case EXTERN_TABLE: type.table = module->tables[index].type; break;
    case EXTERN_MEMORY: type.memory = module->memories[index]; break;
    case EXTERN_GLOBAL: type.global = module->globals[index].type; break;
    case EXTERN_TAG: type.func = module->tags[index]; break;
    }
    return type;
}

/* --- Import matching (§3.3.9 to §3.3.14) --------------------------------------------------------
 */

static bool limits_match(const struct limits *actual, const struct limits *wanted)
{
    return actual->is64 == wanted->is64 && actual->min >= wanted->min &&
           (!wanted->has_max || (actual->has_max && actual->max <= wanted->max));
}

bool externtype_matches(const struct types *types, const struct externtype *actual,
                        const struct externtype *wanted)
{
    if (actual->kind != wanted->kind)
        return false;
    switch (actual->kind) {
    case EXTERN_FUNC: return types_id_matches(types, actual->func, wanted->func);
    case EXTERN_TAG: return actual->func == wanted->func;
    case EXTERN_TABLE:
        return actual->table.element == wanted->table.element &&
               limits_match(&actual->table.limits, &wanted->table.limits);
    case EXTERN_MEMORY:
        return actual->memory.page_log2 == wanted->memory.page_log2 &&
               actual->memory.limits.shared == wanted->memory.limits.shared &&
               limits_match(&actual->memory.limits, &wanted->memory.limits);
    case EXTERN_GLOBAL:
        if (actual->global.mutable != wanted->global.mutable)
            return false;
        return wanted->global.mutable
                   ? actual->global.type == wanted->global.type
                   : types_matches(types, actual->global.type, wanted->global.type);
    }
    return false;
}
