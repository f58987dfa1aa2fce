/* Looking things up in a host's table, for the linker. */
#ifndef CARREL_COMPONENT_HOST_TABLE_H
#define CARREL_COMPONENT_HOST_TABLE_H

#include "engine/component/link.h"

#define HOST_ABSENT UINT32_MAX

struct cm_host {
    struct cm_store *store;
    const struct host_table *table;
    const struct cm_type **types;         /* of each item; NULL: not read yet */
    const struct cm_resource **resources; /* likewise */
    uint32_t *first;                      /* item of each interface, and one behind the last */
};

/* The interface of that path: of the same version, or else of the same track; HOST_ABSENT. */
uint32_t cm_host_interface(const struct cm_host *host, struct str path, struct str version);

/* The item of that name in an interface, or HOST_ABSENT. */
uint32_t cm_host_item(const struct cm_host *host, uint32_t interface, struct str name);

/* The type that an item is or has; a resource is its variable's node. NULL and *err: the table is
 * wrong, or there is no memory. */
const struct cm_type *cm_host_type(struct cm_host *host, uint32_t item, struct region *scratch,
                                   struct err *err);

/* The resource type that an item is, possibly by a use; the function that an item is, whose type
 * was read. NULL: no memory. */
const struct cm_resource *cm_host_resource(struct cm_host *host, uint32_t item);
struct cm_func *cm_host_func(struct cm_host *host, uint32_t item);

#endif
