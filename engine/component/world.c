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

/* The item for a declaration of one side: that of the same name if the other side has it already,
 * else a new one. `item_of` has the items of the imported declarations. */
static uint32_t item_for(struct world_interface *in, uint32_t number,
                         const struct cm_decls *const lists[2], unsigned side, uint32_t *item_of,
                         const struct cm_decl *decl)
{
    const struct cm_decl *known = side && lists[0] ? cm_decl_find(lists[0], decl->name) : NULL;
    uint32_t item = in->nitems;
    if (known && is_type(known)) {
        item = item_of[known - lists[0]->at];
    } else {
        in->items[in->nitems++] = (struct world_item){.decl = decl, .interface = number};
        if (!side)
            item_of[decl - lists[0]->at] = item;
    }
    in->items[item].side[side] = true;
    return item;
}

/* Appends the types of both lists to an interface. A type that both name is there once, and found
 * by both nodes; a resource type also by its variables. False: no memory. */
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
            const struct cm_type *type = decl->is.type;
            uint32_t item = item_for(in, number, lists, side, item_of, decl);
            in->types[nplaces++] = (struct symbol_place){type->serial, item};
            if (type->kind == CM_RESOURCE)
                in->types[nplaces++] = (struct symbol_place){type->var->node->serial, item};
        }
    }
    in->ntypes = nplaces;
    symbol_sort(in->types, nplaces);
    return true;
}

/* The same for functions; those that both lists have are noted by the places of the imported ones.
 */
static bool gather_funcs(struct world_interface *in, uint32_t number,
                         const struct cm_decls *const lists[2], struct region *region)
{
    uint32_t *item_of = region_array(region, uint32_t, lists[0] ? lists[0]->count : 0);
    if (!item_of)
        return false;
    for (unsigned side = 0; side < 2; side++) {
        for (uint32_t i = 0; lists[side] && i < lists[side]->count; i++) {
            const struct cm_decl *decl = &lists[side]->at[i];
            const char *why;
            if (decl->is.sort != SORT_FUNC)
                continue;
            const struct cm_decl *known =
                side && lists[0] ? cm_decl_find(lists[0], decl->name) : NULL;
            if (known && known->is.sort == SORT_FUNC)
                in->items[item_of[known - lists[0]->at]].side[side] = true;
            if (known)
                continue;
            struct world_item *item = &in->items[in->nitems];
            *item = (struct world_item){
                .decl = decl, .name = name_parse(decl->name->text, &why), .interface = number};
            item->side[side] = true;
            if (!side)
                item_of[i] = in->nitems;
            in->nitems++;
        }
    }
    return true;
}

/* An interface with what its two lists have. */
static bool fill(const struct world *world, struct world_interface *in,
                 const struct cm_decls *const lists[2], struct region *region)
{
    uint32_t number = (uint32_t)(in - world->interfaces);
    in->world = world;
    uint32_t most = (lists[0] ? lists[0]->count : 0) + (lists[1] ? lists[1]->count : 0);
    in->items = region_array(region, struct world_item, most);
    in->types = region_array(region, struct symbol_place, 2 * (size_t)most);
    in->members = region_array(region, struct symbol_place, most);
    if (!in->items || !in->types || !in->members)
        return false;
    if (!gather_types(in, number, lists, region) || !gather_funcs(in, number, lists, region))
        return false;
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

/* The interface that declaration `i` of a side is: a new one if it is not imported as well. */
static bool add_interface(struct world *world, enum world_side side, uint32_t i,
                          struct region *region)
{
    const char *why;
    const struct cm_type *type = world->component->type;
    const struct cm_decl *decl = &(side == WORLD_IMPORT ? type->imports : type->exports).at[i];
    const struct cm_decl *imported = instance_in(&type->imports, decl->name);
    const struct cm_decl *exported = instance_in(&type->exports, decl->name);
    if (side == WORLD_EXPORT && imported) {
        world->number[side][i] = world->number[WORLD_IMPORT][imported - type->imports.at];
        return true;
    }
    world->number[side][i] = world->ninterfaces;
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

/* --- Where types come from ----------------------------------------------------------------------
 */

enum key { KEY_NODE, KEY_VARIABLE };

/* Places the types that a list declares in an interface. */
static void place_list(struct world *world, const struct world_interface *in,
                       const struct cm_decls *list, enum key by)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct cm_type *type = list->at[i].is.type;
        if (!is_type(&list->at[i]) || (by == KEY_VARIABLE && type->kind != CM_RESOURCE))
            continue;
        uint32_t key = by == KEY_NODE ? type->serial : type->var->node->serial;
        world->all[world->ntypes] = &in->items[find(in->types, in->ntypes, type)];
        world->types[world->ntypes] = (struct symbol_place){key, world->ntypes};
        world->ntypes++;
    }
}

/* The same for all interfaces that have an id, or have none, in the order of the component. */
static void place_interfaces(struct world *world, bool has_id, enum key by)
{
    const struct cm_type *type = world->component->type;
    const struct cm_decls *sides[2] = {&type->imports, &type->exports};
    for (unsigned side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < sides[side]->count; i++) {
            const struct cm_decl *decl = &sides[side]->at[i];
            if (decl->is.sort != SORT_INSTANCE)
                continue;
            const struct world_interface *in = &world->interfaces[world->number[side][i]];
            if (in->has_id == has_id)
                place_list(world, in, &decl->is.type->exports, by);
        }
    }
}

static void place_world(struct world *world, enum key by)
{
    place_list(world, &world->interfaces[0], &world->component->type->imports, by);
    place_list(world, &world->interfaces[0], &world->component->type->exports, by);
}

/* The types of all interfaces together: what is placed first is where a type comes from. An
 * imported resource type comes from what introduces it, whose node is that of its variable. What
 * exports name is all named anew: there it comes from the first interface that exports it and that
 * others may use. */
static bool place_all(struct world *world, struct region *region)
{
    size_t most = 0;
    for (uint32_t i = 0; i < world->ninterfaces; i++)
        most += world->interfaces[i].ntypes;
    world->types = region_array(region, struct symbol_place, most);
    world->all = region_array(region, struct world_item *, most);
    if (!world->types || !world->all)
        return false;
    place_world(world, KEY_NODE);
    place_interfaces(world, true, KEY_NODE);
    place_interfaces(world, false, KEY_NODE);
    place_interfaces(world, true, KEY_VARIABLE);
    place_interfaces(world, false, KEY_VARIABLE);
    place_world(world, KEY_VARIABLE);
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
    for (unsigned side = 0; good && side < 2; side++) {
        ret->number[side] = region_array(region, uint32_t, sides[side]->count);
        good = ret->number[side] != NULL;
        for (uint32_t i = 0; good && i < sides[side]->count; i++)
            if (sides[side]->at[i].is.sort == SORT_INSTANCE)
                good = add_interface(ret, (enum world_side)side, i, region);
    }
    if (!good || !place_all(ret, region))
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to show a component's world");
    return 0;
}
