/* Imports that code cannot reach (demand.h), for the linker: they need not be provided, and are
 * linked to a trap, so that a mistake about them is a trap and not a system call that the filter
 * does not have. */
#ifndef CARREL_COMPONENT_PRUNE_H
#define CARREL_COMPONENT_PRUNE_H

#include "engine/component/instance.h"

struct cm_pruned {
    struct symbol_place *places; /* by interface and name, sorted */
    uint32_t count;
};

/* Finds them; in `scratch`, which stays taken. None if there is no memory, or if code was not
 * noted.
 */
struct cm_pruned cm_prune(const struct component *component, struct region *scratch);

/* Is a function, or the drop of a resource type, one of them? `interface` is NULL for what the
 * component imports by itself. */
bool cm_is_pruned(const struct cm_pruned *pruned, const struct symbol *interface,
                  const struct symbol *name);

/* A function that traps, and says which one it is; a resource type that has no drop. NULL: no
 * memory. */
struct cm_func *cm_pruned_func(struct cm_store *store, const struct symbol *interface,
                               const struct cm_decl *decl);
const struct cm_resource *cm_pruned_resource(struct cm_store *store);

#endif
