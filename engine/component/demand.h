/* The demand of a component: what it can ask of its host, and what of that code that runs can get
 * to. Reaching is judged on the file alone, and errs on one side only: what is told to be out of
 * reach is. */
#ifndef CARREL_COMPONENT_DEMAND_H
#define CARREL_COMPONENT_DEMAND_H

#include "engine/component/component.h"

/* component_read for who wants the demand alone, and leaves it to another that will run the
 * component to validate the code in it: that is gone over only. Such a component must not be
 * instantiated. */
const struct component *component_scan(struct bytes bytes, const uint8_t *file,
                                       struct cm_types *types, struct region *scratch,
                                       struct err *err);

/* One thing that a component can ask of its host. */
struct cm_demand {
    struct str interface; /* as it is imported, with its version; empty: the component itself */
    struct str name;      /* of the function, or of the resource type */
    bool drop;            /* dropping a resource of that type */
    bool reachable;       /* can code that runs get there? */
};

typedef void cm_demand_visit(void *data, const struct cm_demand *demand);

/* Tells all functions that a component imports, and the drops of the resource types that it
 * imports. Needs no store. `scratch` is for finding out what is reachable, and given back; with
 * NULL, where it is not enough, and if code was not noted (cm_types.noted), all is told to be
 * reachable. */
void cm_demand(const struct component *component, struct region *scratch, cm_demand_visit *visit,
               void *data);

/* The same for a core module alone, whose host calls what it exports: sets ret[i] for each import
 * that is a function in reach. `ret` has room for module->nimports. */
void cm_module_demand(const struct module *module, struct region *scratch, bool *ret);

#endif
