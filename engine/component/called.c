/* What functions and instances are called; see called.h. */
#include "engine/component/called.h"

#include <inttypes.h>
#include <stdio.h>

#define NAME_SHOWN 60 /* bytes of each name in a path */
#define DEPTH_MAX  8  /* names within names; farther ones are left out */

/* Where a value lies in an index space; its count if it does not. */
static uint32_t place_of(const struct cm_instance *in, enum cm_sort sort, const void *value)
{
    uint32_t i = 0;
    while (i < in->counts[sort] && in->spaces[sort][i] != value)
        i++;
    return i;
}

/* Without a name: "instance 3". */
static void put_number(struct cm_text *to, enum cm_sort sort, uint32_t index)
{
    char text[40];
    snprintf(text, sizeof text, "%s %" PRIu32, cm_sort_text(sort), index);
    cm_text_put(to, str_of(text));
}

/* --- Instances, as paths ------------------------------------------------------------------------
 */

/* The next part of a path: a name, else a place. */
static void put_part(struct cm_text *to, struct str name, enum cm_sort sort, uint32_t place)
{
    if (to->len)
        cm_text_put(to, str_of("/"));
    name.len = name.len < NAME_SHOWN ? name.len : NAME_SHOWN;
    if (name.len)
        cm_text_put(to, name);
    else
        put_number(to, sort, place);
}

/* What an instance of a component is called where it was made, else what its component calls
 * itself, else its place. The outermost has none. */
static void put_instance(struct cm_text *to, const struct cm_instance *instance)
{
    const struct cm_instance *parent = instance->parent;
    uint32_t place = parent ? place_of(parent, SORT_INSTANCE, &instance->exports) : 0;
    struct str name = {0};
    if (parent)
        name = component_item_name(parent->component, SORT_INSTANCE, place);
    if (!name.len)
        name = component_name(instance->component);
    if (name.len || parent)
        put_part(to, name, SORT_INSTANCE, place);
}

void cm_called_instance(struct cm_text *to, const struct cm_instance *instance)
{
    const struct cm_instance *around[DEPTH_MAX];
    size_t count = 0;
    for (const struct cm_instance *at = instance; at && count < DEPTH_MAX; at = at->parent)
        around[count++] = at;
    while (count)
        put_instance(to, around[--count]);
}

void cm_called_core(struct cm_text *to, const struct instance *instance)
{
    const struct cm_instance *owner = instance_owner(instance);
    struct str name = {0};
    uint32_t place = 0;
    cm_called_instance(to, owner);
    for (uint32_t i = 0; owner && i < owner->counts[SORT_CORE_INSTANCE]; i++) {
        const struct cm_core_instance *core = owner->spaces[SORT_CORE_INSTANCE][i];
        if (core->instance == instance)
            place = i;
    }
    if (owner)
        name = component_item_name(owner->component, SORT_CORE_INSTANCE, place);
    if (!name.len)
        name = module_name(instance_module(instance));
    if (name.len || owner)
        put_part(to, name, SORT_CORE_INSTANCE, place);
}

/* --- Functions ----------------------------------------------------------------------------------
 */

/* The definition that appended the item of that index; it is there. */
static const struct cm_def *definition(const struct component *component, enum cm_sort sort,
                                       uint32_t index)
{
    const struct cm_def *def = component->defs;
    while (def->sort != sort || index--)
        def++;
    return def;
}

/* An instance or a function, by where it is from: the name of an import or export, or
 * "instance#name" of what is an instance's. `depth` more may lie within each other. */
static void put_item(struct cm_text *to, const struct component *component, enum cm_sort sort,
                     uint32_t index, unsigned depth)
{
    const struct cm_def *def = definition(component, sort, index);
    struct str name = component_item_name(component, sort, index);
    if (def->kind == DEF_IMPORT) {
        name = component->type->imports.at[def->extern_index].name->text;
    } else if (def->kind == DEF_EXPORT) {
        name = component->type->exports.at[def->extern_index].name->text;
    } else if (def->kind == DEF_ALIAS_EXPORT) {
        if (depth)
            put_item(to, component, SORT_INSTANCE, def->from, depth - 1);
        cm_text_put(to, str_of("#"));
        name = def->name->text;
    }
    if (name.len)
        cm_text_put(to, name);
    else
        put_number(to, sort, index);
}

void cm_called_func(struct cm_text *to, const struct component *component, uint32_t index)
{
    put_item(to, component, SORT_FUNC, index, DEPTH_MAX);
}

/* Is it one of these? Then by its name. */
static bool put_export(struct cm_text *to, const struct cm_exports *exports,
                       const struct cm_func *func, struct str of)
{
    const struct cm_decls *names = exports->names;
    for (uint32_t i = 0; i < names->count; i++) {
        if (names->at[i].is.sort != SORT_FUNC || exports->items[i] != func)
            continue;
        cm_text_put(to, of);
        cm_text_put(to, str_of(of.len ? "#" : ""));
        cm_text_put(to, names->at[i].name->text);
        return true;
    }
    return false;
}

void cm_called_lifted(struct cm_text *to, const struct cm_func *func)
{
    const struct cm_instance *instance = func->instance;
    const struct cm_exports *exports = &instance->exports;
    if (put_export(to, exports, func, (struct str){0}))
        return;
    for (uint32_t i = 0; i < exports->names->count; i++) {
        const struct cm_decl *decl = &exports->names->at[i];
        if (decl->is.sort == SORT_INSTANCE && exports->items[i] &&
            put_export(to, exports->items[i], func, decl->name->text))
            return;
    }
    put_item(to, instance->component, SORT_FUNC, place_of(instance, SORT_FUNC, func), 0);
}
