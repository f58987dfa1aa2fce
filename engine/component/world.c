/* Gathering what a component's world consists of; see world.h. Linear in the size of its type, but
 * for sorting. */
#include "engine/component/world.h"

#include "engine/component/symbol.h"

/* The place of a type: by the node that was named, else, for a resource, by its variable. */
static uint32_t find(const struct symbol_place *places, uint32_t count, const struct cm_type *type)
{
    uint32_t at = symbol_search(places, count, type->serial);
    if (at == SYMBOL_ABSENT && type->kind == CM_RESOURCE)
        at = symbol_search(places, count, type->var->node->serial);
    return at;
}

const struct world_item *world_type_in(const struct world_interface *in, const struct cm_type *type)
{
    uint32_t at = find(in->types, in->ntypes, type);
    return at == SYMBOL_ABSENT ? NULL : &in->items[at];
}

struct world_item *world_type_anywhere(const struct world *world, const struct cm_type *type)
{
    uint32_t at = find(world->types, world->ntypes, type);
    return at == SYMBOL_ABSENT ? NULL : world->all[at];
}

const struct world_item *world_origin(const struct world *world, const struct world_item *item)
{
    const struct cm_type *type = item->decl->is.type;
    const struct cm_type *of = type->of;
    if (!of && type->kind == CM_RESOURCE)
        of = type;
    if (!of || (of->kind != CM_RESOURCE && !of->named))
        return NULL;
    const struct world_item *origin = world_type_anywhere(world, of);
    return origin == item ? NULL : origin;
}

/* --- Gathering ----------------------------------------------------------------------------------
 */

static bool is_type(const struct cm_decl *decl)
{
    return decl->is.sort == SORT_TYPE &&
           (cm_is_value(decl->is.type) || decl->is.type->kind == CM_RESOURCE);
}

/* Appends the types of both lists to an interface. A type that both name is there once, and found
 * by both nodes. False: no memory. */
static bool gather_types(struct world_interface *in, uint32_t number,
                         const struct cm_decls *const lists[2], struct region *region)
{
    uint32_t *item_of = region_array(region, uint32_t, lists[0] ? lists[0]->count : 0);
    uint32_t nplaces = 0;
    if (!item_of)
        return false;
    for (unsigned side = 0; side < 2; side++) {
        for (uint32_t i = 0; lists[side] && i < lists[side]->count; i++) {
            const struct cm_decl *decl = &lists[side]->at[i];
            if (!is_type(decl))
                continue;
            const struct cm_decl *known =
                side && lists[0] ? cm_decl_find(lists[0], decl->name) : NULL;
            uint32_t item = in->nitems;
            if (known && is_type(known))
                item = item_of[known - lists[0]->at];
            else
                in->items[in->nitems++] = (struct world_item){.decl = decl, .interface = number};
            if (!side)
                item_of[i] = item;
            in->types[nplaces++] = (struct symbol_place){decl->is.type->serial, item};
        }
    }
    in->ntypes = nplaces;
    symbol_sort(in->types, nplaces);
    return true;
}

static void gather_funcs(struct world_interface *in, uint32_t number,
                         const struct cm_decls *const lists[2])
{
    for (unsigned side = 0; side < 2; side++) {
        for (uint32_t i = 0; lists[side] && i < lists[side]->count; i++) {
            const struct cm_decl *decl = &lists[side]->at[i];
            const char *why;
            if (decl->is.sort == SORT_FUNC &&
                !(side && lists[0] && cm_decl_find(lists[0], decl->name)))
                in->items[in->nitems++] =
                    (struct world_item){decl, name_parse(decl->name->text, &why), number, NULL};
        }
    }
}

/* An interface with what its two lists have. */
static bool fill(const struct world *world, struct world_interface *in,
                 const struct cm_decls *const lists[2], struct region *region)
{
    uint32_t number = (uint32_t)(in - world->interfaces);
    in->world = world;
    uint32_t most = (lists[0] ? lists[0]->count : 0) + (lists[1] ? lists[1]->count : 0);
    in->items = region_array(region, struct world_item, most);
    in->types = region_array(region, struct symbol_place, most);
    in->members = region_array(region, struct symbol_place, most);
    if (!in->items || !in->types || !in->members)
        return false;
    if (!gather_types(in, number, lists, region))
        return false;
    gather_funcs(in, number, lists);
    for (uint32_t i = 0; i < in->nitems; i++) {
        struct str resource = in->items[i].name.resource;
        if (!resource.len)
            continue;
        const struct symbol *symbol = symbol_of(&world->component->types->symbols, resource, false);
        if (!symbol)
            return false;
        in->members[in->nmembers++] = (struct symbol_place){symbol_key(symbol), i};
    }
    symbol_sort(in->members, in->nmembers);
    return true;
}

/* The instance that a list has under a name; NULL. */
static const struct cm_decl *instance_in(const struct cm_decls *list, const struct symbol *name)
{
    const struct cm_decl *decl = cm_decl_find(list, name);
    return decl && decl->is.sort == SORT_INSTANCE ? decl : NULL;
}

static bool add_interface(struct world *world, const struct cm_decl *decl, enum world_side side,
                          const struct component *component, struct region *region)
{
    const char *why;
    const struct cm_decl *imported = instance_in(&component->type->imports, decl->name);
    const struct cm_decl *exported = instance_in(&component->type->exports, decl->name);
    if (side == WORLD_EXPORT && imported)
        return true;
    struct world_interface *in = &world->interfaces[world->ninterfaces++];
    in->decl = decl;
    in->name = decl->name->text;
    in->has_id = name_parse(in->name, &why).kind == NAME_INTERFACE;
    in->side[WORLD_IMPORT] = imported != NULL;
    in->side[WORLD_EXPORT] = exported != NULL;
    const struct cm_decls *lists[2] = {imported ? &imported->is.type->exports : NULL,
                                       exported ? &exported->is.type->exports : NULL};
    return fill(world, in, lists, region);
}

/* The types of all interfaces together: what is found first is where a type comes from. */
static bool place_all(struct world *world, struct region *region)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < world->ninterfaces; i++)
        most += world->interfaces[i].ntypes;
    world->types = region_array(region, struct symbol_place, most);
    world->all = region_array(region, struct world_item *, most);
    if (!world->types || !world->all)
        return false;
    for (uint32_t i = 0; i < world->ninterfaces; i++) {
        const struct world_interface *in = &world->interfaces[i];
        for (uint32_t k = 0; k < in->ntypes; k++) {
            world->all[world->ntypes] = &in->items[in->types[k].index];
            world->types[world->ntypes] = (struct symbol_place){in->types[k].key, world->ntypes};
            world->ntypes++;
        }
    }
    symbol_sort(world->types, world->ntypes);
    return true;
}

int world_of(const struct component *component, struct region *region, struct world *ret,
             struct err *err)
{
    const struct cm_decls *sides[2] = {&component->type->imports, &component->type->exports};
    *ret = (struct world){.component = component, .ninterfaces = 1};
    ret->interfaces =
        region_array(region, struct world_interface, 1 + sides[0]->count + sides[1]->count);
    bool good = ret->interfaces && fill(ret, &ret->interfaces[0], sides, region);
    for (unsigned side = 0; side < 2; side++)
        for (uint32_t i = 0; good && i < sides[side]->count; i++)
            if (sides[side]->at[i].is.sort == SORT_INSTANCE)
                good = add_interface(ret, &sides[side]->at[i], (enum world_side)side, component,
                                     region);
    if (!good || !place_all(ret, region))
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to show a component's world");
    return 0;
}
