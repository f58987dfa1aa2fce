/* Linking: finding what a component imports, at the host or among instances that were given names,
 * and checking it by full component-level type. */
#ifndef CARREL_COMPONENT_LINK_H
#define CARREL_COMPONENT_LINK_H

#include "engine/component/store.h"

/* A host's table in use: the types that were read so far, and its resource types. */
struct cm_host;

/* Lies in `memory`, and is needed as long as anything is linked to the table, which stays where it
 * is. NULL: no memory. */
struct cm_host *cm_host_new(struct cm_store *store, struct region *memory,
                            const struct host_table *table);

/* An instance that components may import under a name. */
struct cm_provided {
    struct str name;
    const struct cm_type *type; /* kind INSTANCE */
    const struct cm_exports *exports;
    const struct cm_provided *next;
};

/* Told of each import that nobody provides. `name` is empty if it is the import as a whole;
 * `resource`: it is a resource type. */
typedef void cm_missing(void *data, struct str interface, struct str name, bool resource);

struct cm_linker {
    struct cm_store *store;
    struct region *scratch;             /* given back */
    struct cm_host *host;               /* NULL: none */
    const struct cm_provided *provided; /* looked at first; NULL: none */
    bool prune; /* what is out of reach (prune.h) is linked to a trap, and need not be there */
    cm_missing *missing; /* NULL: nobody wants to know */
    void *data;
};

/* An instance of `component` with its imports linked, nothing of it run yet; *ret_type, if it is
 * given, becomes its type. NULL and *err: UNLINKABLE if something is missing (all of it was told to
 * `missing` before) or has another type, or is not implemented; or beyond a limit. */
struct cm_instance *cm_link(const struct cm_linker *linker, const struct component *component,
                            const struct cm_type **ret_type, struct err *err);

/* Told of each import, or export of an instance that is imported, that is provided with another
 * type; `why` says what was expected and what was found. `name` is empty if it is the import as a
 * whole. */
typedef void cm_mismatch(void *data, struct str interface, struct str name, const struct err *why);

/* Finds the imports of `component` and checks their types, all of them, and makes no instance; what
 * is missing is told to linker->missing. 0, also if something is missing or does not fit; -1 and
 * *err: no memory, or beyond a limit. */
int cm_check_imports(const struct cm_linker *linker, const struct component *component,
                     cm_mismatch *mismatch, struct err *err);

#endif
