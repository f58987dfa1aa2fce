/* Finding out which imports a component can reach, shared by demand.c and the reach_*.c files and
 * by nobody else.
 *
 * A component says in its file what it instantiates and how that is linked, so all of it can be
 * carried out without running anything (reach_instance.c). What comes out are core functions, with
 * the tables that they share. From the roots (what the host may call: exports with their options,
 * destructors; what runs by itself: start functions) bodies are followed, each once, by the
 * notes of them (reach_code.c), until all that is lowered from an import was got to: what nothing
 * lowers no code can call.
 *
 * A table that no reached instruction writes or reads holds what active segments put there: an
 * indirect call through it gets to the functions of its type in it, and if its operand is a
 * constant, to those of that slot. Toolchains route imports through such tables. From a table that
 * is written to, and from a reference, every function of the type whose reference was ever taken
 * may be called.
 *
 * All lies in scratch memory, and work is bounded; beyond that, and where something comes from
 * outside (imported modules and components), the search gives up, and all is in reach. */
#ifndef CARREL_COMPONENT_REACH_H
#define CARREL_COMPONENT_REACH_H

#include "engine/component/demand.h"
#include "engine/component/grow.h"

struct reach_core;
struct reach_links;

/* A core function. */
struct reach_func {
    struct reach_core *in; /* the core instance; NULL: made by a canonical definition */
    union {
        uint32_t index;                  /* in it */
        const struct reach_links *links; /* of that definition */
    };
    uint32_t type; /* id */
    bool reached;
    bool taken;              /* its reference is at large */
    uint8_t size;            /* log2 of how long its body is */
    struct reach_func *next; /* of those whose bodies are to be followed */
};

/* What follows when a function of a component, or one that a canonical definition made, is called.
 */
struct reach_links {
    struct reach_func *funcs[4];
    const struct reach_links *callee; /* what is lowered */
    struct reach_want *wanted;        /* the import that this is; NULL: none */
};

#define REACH_ANYWHERE UINT64_MAX

/* What an active segment puts into a table. */
struct reach_slot {
    uint64_t slot; /* REACH_ANYWHERE: not known */
    struct reach_func *func;
};

/* Function types, by id. */
struct reach_types {
    uint8_t *bits; /* made when the first one is added */
    GROW(uint32_t) list;
};

struct reach_table {
    GROW(struct reach_slot) slots;
    bool changed;              /* may hold references from elsewhere */
    bool read;                 /* references are taken out of it */
    struct reach_types called; /* types that are called at slots not known */
    struct reach_types fixed;  /* at known slots */
};

/* A core instance. */
struct reach_core {
    const struct module *module;       /* NULL: made of exports */
    const struct cm_module_type *type; /* NULL: not known */
    void **items;                      /* made of exports: in the order of the type's */
    struct reach_func **imported;      /* functions */
    struct reach_func *funcs;          /* that it defines */
    struct reach_table **tables;
    uint8_t *taken_segments; /* a bit each */
};

/* A resource type. */
struct reach_resource {
    struct reach_want *wanted; /* the import that dropping it is; NULL: the component's own */
};

struct reach_want {
    struct cm_demand is;
    bool lowered; /* code may call it */
    struct reach_want *next;
};

#define REACH_SIZES 32

struct reach {
    struct region *scratch;
    const struct types *types; /* core types */
    bool gave_up;
    uint64_t steps; /* left */

    /* By the size of their bodies: small ones come first, as what calls imports is small. */
    struct reach_func *todo[REACH_SIZES];
    uint32_t sizes;           /* a bit for each size of which there are some */
    struct reach_want *wants; /* in the order of the imports */
    struct reach_want **last;
    uint32_t hidden; /* how many are lowered and were not reached yet */

    GROW(struct reach_func *) taken;
    struct reach_types opened; /* types of calls that get to what is taken */
};

/* Memory that is zeroed; NULL, and the search gave up. */
void *reach_take(struct reach *r, size_t count, size_t each);
#define REACH_ARRAY(r, type, count) ((type *)reach_take(r, count, sizeof(type)))

/* Counts work; false if the search gave up. */
bool reach_work(struct reach *r, uint64_t steps);

/* The function may be called; its reference is at large; references of a type are called. */
void reach_func(struct reach *r, struct reach_func *func);
void reach_taken(struct reach *r, struct reach_func *func);
void reach_type(struct reach *r, uint32_t type);
void reach_links(struct reach *r, const struct reach_links *links);

/* There is a core function that calls the import; NULL: that calls none. */
void reach_lowered(struct reach *r, struct reach_want *want);

/* --- reach_code.c --- */

/* The function at an index of a core instance of a module. */
struct reach_func *reach_func_at(struct reach_core *core, uint32_t index);

/* What happens when a module is instantiated: segments, initial values, the start function. */
void reach_instantiated(struct reach *r, struct reach_core *core);

/* Follows the body of a function that is reached. */
void reach_body(struct reach *r, struct reach_core *core, uint32_t index);

/* --- reach_instance.c --- */

/* Carries out what the component defines; what its imports stand for is added to `wants`. What the
 * host may call is reached. */
void reach_component(struct reach *r, const struct component *component);

/* A core instance of a module whose imported functions and tables are `imports`, by import. NULL,
 * and the search gave up. */
struct reach_core *reach_core_new(struct reach *r, const struct module *module,
                                  void *const *imports);

#endif
