/* A host's table in use; see link.h, host.h, host_table.h. */
#include "engine/component/host_table.h"

#include "engine/component/name.h"
#include "engine/component/wit.h"

struct cm_host *cm_host_new(struct cm_store *store, struct region *memory,
                            const struct host_table *table)
{
    struct cm_host *host = region_new(memory, struct cm_host);
    if (!host)
        return NULL;
    host->store = store;
    host->table = table;
    host->types = region_array(memory, const struct cm_type *, table->nitems);
    host->resources = region_array(memory, const struct cm_resource *, table->nitems);
    host->first = region_array(memory, uint32_t, (size_t)table->ninterfaces + 1);
    if (!host->types || !host->resources || !host->first)
        return NULL;
    for (uint32_t i = 0; i < table->nitems; i++)
        host->first[table->items[i].interface + 1] = i + 1;
    for (uint32_t i = 1; i <= table->ninterfaces; i++) /* interfaces without items */
        if (host->first[i] < host->first[i - 1])
            host->first[i] = host->first[i - 1];
    return host;
}

uint32_t cm_host_interface(const struct cm_host *host, struct str path, struct str version)
{
    const struct host_table *table = host->table;
    uint32_t on_track = HOST_ABSENT;
    for (uint32_t i = 0; i < table->ninterfaces; i++) {
        struct str is = str_of(table->interfaces[i].version);
        if (!str_is(path, table->interfaces[i].name))
            continue;
        if (str_eq(is, version))
            return i;
        if (on_track == HOST_ABSENT && is.len && version.len &&
            str_eq(name_track(is), name_track(version)))
            on_track = i;
    }
    return on_track;
}

uint32_t cm_host_item(const struct cm_host *host, uint32_t interface, struct str name)
{
    for (uint32_t i = host->first[interface]; i < host->first[interface + 1]; i++)
        if (str_is(name, host->table->items[i].name))
            return i;
    return HOST_ABSENT;
}

/* --- Types --------------------------------------------------------------------------------------
 */

/* Where a type's text stands. */
struct place {
    struct cm_host *host;
    struct region *scratch;
    uint32_t interface;
};

static const struct cm_type *look_up(void *data, struct str name, struct err *err)
{
    const struct place *place = data;
    uint32_t item = cm_host_item(place->host, place->interface, name);
    if (item != HOST_ABSENT && place->host->table->items[item].kind != HOST_FUNC)
        return cm_host_type(place->host, item, place->scratch, err);
    err_set(err, ERR_FAULT, ERR_NOWHERE, "the host's interface %s has no type " STR_FMT,
            place->host->table->interfaces[place->interface].name, STR_ARG(name));
    return NULL;
}

/* What an item is another name of: a type of another interface, of the version that this one has or
 * its track; or one of its own interface ("headers" is "fields"). HOST_ABSENT: it is no such name,
 * or there is no such type. */
static uint32_t used_item(const struct cm_host *host, uint32_t item)
{
    const struct host_item *use = &host->table->items[item];
    if (use->kind == HOST_TYPE)
        return cm_host_item(host, use->interface, str_of(use->type));
    struct str version = str_of(host->table->interfaces[use->interface].version);
    uint32_t interface = cm_host_interface(host, str_of(use->type), version);
    return interface == HOST_ABSENT ? HOST_ABSENT
                                    : cm_host_item(host, interface, str_of(use->there));
}

static const struct cm_type *resource_type(struct cm_host *host, const struct host_item *item,
                                           struct err *err)
{
    struct cm_types *types = host->store->types;
    struct cm_var *var = cm_var_new(types, 0, err);
    if (!var)
        return NULL;
    var->name = symbol_of(&types->symbols, str_of(item->name), false);
    return var->node;
}

const struct cm_type *cm_host_type(struct cm_host *host, uint32_t item, struct region *scratch,
                                   struct err *err)
{
    const struct host_item *row = &host->table->items[item];
    struct place place = {host, scratch, row->interface};
    const struct cm_type *type = host->types[item];
    if (type)
        return type;
    if (row->kind == HOST_RESOURCE) {
        type = resource_type(host, row, err);
    } else if (row->kind == HOST_USE || (row->kind == HOST_TYPE && used_item(host, item) < item)) {
        /* What is used comes before what uses it, so this ends. */
        uint32_t used = used_item(host, item);
        if (used < item)
            type = cm_host_type(host, used, scratch, err);
        else
            err_set(err, ERR_FAULT, ERR_NOWHERE, "the host's table uses %s.%s, which is not there",
                    row->type, row->there);
    } else {
        type = wit_read(host->store->types, scratch, str_of(row->type), look_up, &place, err);
    }
    host->types[item] = type;
    return type;
}

/* --- Values -------------------------------------------------------------------------------------
 */

const struct cm_resource *cm_host_resource(struct cm_host *host, uint32_t item)
{
    const struct host_item *row = &host->table->items[item];
    if (row->kind != HOST_RESOURCE) {
        uint32_t used = used_item(host, item);
        return used < item ? cm_host_resource(host, used) : NULL;
    }
    if (!host->resources[item]) {
        struct cm_resource *resource = heap_zeroed(vm_heap(host->store->vm), 1, sizeof *resource);
        if (!resource)
            return NULL;
        resource->drop = row->drop;
        resource->host = host->table->host;
        resource->kept = true; /* until an import says otherwise */
        host->resources[item] = resource;
    }
    return host->resources[item];
}

struct cm_func *cm_host_func(struct cm_host *host, uint32_t item)
{
    struct cm_func *func = heap_zeroed(vm_heap(host->store->vm), 1, sizeof *func);
    if (!func)
        return NULL;
    func->type = host->types[item]->canon;
    func->fn = host->table->items[item].fn;
    func->forget = host->table->forget;
    func->host = host->table->host;
    return func;
}
