/* What functions and instances are called; see called.h. */
#include "engine/component/called.h"

#include "engine/base/tail.h"
#include <inttypes.h>
#include <stdio.h>

/* Where a value lies in an index space; its count if it does not. */
static uint32_t place_of(const struct cm_instance *in, enum cm_sort sort, const void *value)
{
    uint32_t i = 0;
    while (i < in->counts[sort] && in->spaces[sort][i] != value)
        i++;
    return i;
}

/* What follows in a text grows from its end: the innermost stays, however little room there is. */
static struct tail behind(struct cm_text *text)
{
    text->at[text->len] = '\0';
    return tail_of(text->at + text->len, text->size - text->len);
}

/* Puts a name in front, else a place: "instance 3". */
static void put_called(struct tail *to, struct str name, enum cm_sort sort, uint32_t place)
{
    char text[40];
    if (name.len) {
        tail_put_name(to, name);
        return;
    }
    snprintf(text, sizeof text, "%s %" PRIu32, cm_sort_text(sort), place);
    tail_put(to, str_of(text));
}

void cm_called_name(struct cm_text *to, struct str name)
{
    struct tail tail = behind(to);
    tail_put_name(&tail, name);
    to->len += tail.len;
}

/* --- Instances, as paths ------------------------------------------------------------------------
 */

/* The part of a path before the one that was put last. */
static void put_part(struct tail *to, struct str name, enum cm_sort sort, uint32_t place)
{
    if (to->len)
        tail_put(to, str_of("/"));
    put_called(to, name, sort, place);
}

/* What an instance of a component is called where it was made, else what its component calls
 * itself, else its place. The outermost has none. */
static void put_instance(struct tail *to, const struct cm_instance *instance)
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

/* From the inside outwards, as far as there is room. */
static void put_path(struct tail *to, const struct cm_instance *instance)
{
    for (; instance && !to->cut; instance = instance->parent)
        put_instance(to, instance);
}

void cm_called_instance(struct cm_text *to, const struct cm_instance *instance)
{
    struct tail tail = behind(to);
    put_path(&tail, instance);
    to->len += tail.len;
}

void cm_called_core(struct cm_text *to, const struct instance *instance)
{
    const struct cm_instance *owner = instance_owner(instance);
    struct tail tail = behind(to);
    struct str name = {0};
    uint32_t place = 0;
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
        put_part(&tail, name, SORT_CORE_INSTANCE, place);
    put_path(&tail, owner);
    to->len += tail.len;
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

/* A function, by where it is from: the name of an import or export, or "instance#name" of what is
 * an instance's, which may be another's. */
void cm_called_func(struct cm_text *to, const struct component *component, uint32_t index)
{
    enum cm_sort sort = SORT_FUNC;
    struct tail tail = behind(to);
    const struct cm_def *def = definition(component, sort, index);
    while (def->kind == DEF_ALIAS_EXPORT && !tail.cut) {
        tail_put_name(&tail, def->name->text);
        tail_put(&tail, str_of("#"));
        sort = SORT_INSTANCE;
        index = def->from;
        def = definition(component, sort, index);
    }
    struct str name = component_item_name(component, sort, index);
    if (def->kind == DEF_IMPORT)
        name = component->type->imports.at[def->extern_index].name->text;
    else if (def->kind == DEF_EXPORT)
        name = component->type->exports.at[def->extern_index].name->text;
    put_called(&tail, name, sort, index);
    to->len += tail.len;
}

/* Is it one of these? Then by its name. */
static bool put_export(struct cm_text *to, const struct cm_exports *exports,
                       const struct cm_func *func, struct str of)
{
    const struct cm_decls *names = exports->names;
    for (uint32_t i = 0; i < names->count; i++) {
        if (names->at[i].is.sort != SORT_FUNC || exports->items[i] != func)
            continue;
        struct tail tail = behind(to);
        tail_put_name(&tail, names->at[i].name->text);
        tail_put(&tail, str_of(of.len ? "#" : ""));
        tail_put(&tail, of);
        to->len += tail.len;
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
    cm_called_func(to, instance->component, place_of(instance, SORT_FUNC, func));
}
