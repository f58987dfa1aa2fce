/* A decoded and validated component (Explainer.md "Component Definitions"): immutable, in the image
 * region, free of anything that belongs to an instance.
 *
 * What instantiation has to do is a list of definitions, in the order of the file; each appends to
 * the index space of its sort. Types need nothing at run time but the identity of resource types:
 * each that a component knows has a slot in its instances. */
#ifndef CARREL_COMPONENT_COMPONENT_H
#define CARREL_COMPONENT_COMPONENT_H

#include "engine/component/type.h"

/* --- Canonical definitions ----------------------------------------------------------------------
 */

enum canon {
#define CANON(opcode, name, text, immediates, params, result, step) CANON_##name,
#include "engine/component/canon.def"
#undef CANON
    CANONS
};

/* The row's name; whether instances with it can be made. */
const char *canon_text(enum canon canon);
bool canon_provided(enum canon canon);

enum cm_encoding { ENCODING_UTF8, ENCODING_UTF16, ENCODING_LATIN1_UTF16 };

/* Canonical options, checked. The indices are into core memories and core functions. */
struct cm_options {
    enum cm_encoding encoding;
    bool async;
    bool has_memory;
    bool has_realloc;
    bool has_post_return;
    bool has_callback;
    uint32_t memory;
    uint32_t realloc;
    uint32_t post_return;
    uint32_t callback;
};

struct cm_canon {
    enum canon canon;
    bool async; /* the immediates `async?` and `cancel?`; the option stands in `options` */
    bool cancellable;
    uint32_t func;      /* LIFT: core function; LOWER: function */
    uint32_t core;      /* type id of the core function that is lifted or made */
    uint32_t index;     /* of context.get and .set; a core table; a memory that is no option */
    uint32_t core_type; /* of context.get and .set: VT_I32; of a thread's start: its id */
    const struct cm_type *type; /* LIFT, LOWER: the function type; stream.* and future.*: theirs;
                                   task.return: the result, or NULL. All canonical */
    const struct cm_var *var;   /* resource.* */
    struct cm_options options;
};

/* --- Definitions --------------------------------------------------------------------------------
 */

enum cm_def_kind {
    DEF_MODULE,
    DEF_CORE_INSTANTIATE,
    DEF_CORE_EXPORTS,
    DEF_COMPONENT,
    DEF_INSTANTIATE,
    DEF_EXPORTS,
    DEF_ALIAS_EXPORT,
    DEF_ALIAS_CORE_EXPORT,
    DEF_ALIAS_OUTER,
    DEF_RESOURCE,
    DEF_CANON,
    DEF_IMPORT,
    DEF_EXPORT,
};

/* A core module, as instantiation sees it. */
struct cm_module {
    const struct module *module;
    const struct cm_module_type *type;
};

/* An argument, or an item of an instance made of exports. */
struct cm_item {
    const struct symbol *name;
    enum cm_sort sort;
    uint32_t index;           /* into the index space of the sort, unless it is TYPE */
    const struct cm_var *var; /* TYPE: the resource type; NULL if it is another type */
};

struct cm_def {
    enum cm_def_kind kind;
    enum cm_sort sort; /* whose index space it appends to; SORTS: none */
    uint64_t offset;   /* in the file */
    /* IMPORT, INSTANTIATE, EXPORT: the type of what is appended, if it introduces resource types of
     * this component: they get their slots from there. Else NULL. */
    const struct cm_type *binds;
    union {
        const struct cm_module *module;
        const struct component *component;
        struct { /* CORE_INSTANTIATE, INSTANTIATE: of this core module or component;
                    CORE_EXPORTS, EXPORTS */
            uint32_t of;
            uint32_t nitems;
            const struct cm_item *items;
            const struct symbol_place *places;       /* of the items, by name */
            const struct cm_module_type *core_shape; /* CORE_EXPORTS */
            const struct cm_type *shape;             /* EXPORTS: their type */
        };
        struct { /* ALIAS_*: an export of this instance, or a definition so many scopes outwards */
            uint32_t from;
            uint32_t index;
            const struct symbol *name;
        };
        struct { /* RESOURCE */
            const struct cm_var *var;
            bool has_destructor;
            uint32_t destructor; /* core function */
        };
        const struct cm_canon *canon;
        struct {                   /* IMPORT, EXPORT */
            uint32_t extern_index; /* in the component type's imports or exports */
            uint32_t exported;     /* EXPORT: into the index space of the sort, unless it is TYPE */
            const struct cm_var *exported_var; /* EXPORT of a resource type */
        };
    };
};

struct component {
    struct bytes bytes;
    const uint8_t *file; /* offset 0 of the file that it lies in */
    struct cm_types *types;
    const struct cm_type *type; /* kind COMPONENT */
    const struct component *outer;
    uint32_t ndefs;
    const struct cm_def *defs;
    uint32_t counts[SORTS]; /* of each index space when all definitions are done */
    uint32_t nslots;        /* resource types */
    struct bytes names;     /* content of the component-name section; empty if there is none */
};

/* Is it a component, going by the first 8 bytes (magic, version, layer)? */
bool component_is(struct bytes bytes);

/* Decodes and validates a component with all modules and components in it. `bytes` lies in the file
 * that starts at `file` and stays mapped. Structures go to `image` (the region of `types`),
 * `scratch` is given back. NULL and *err: the offset counts from `file`. Binary.md. */
const struct component *component_read(struct bytes bytes, const uint8_t *file,
                                       struct cm_types *types, struct region *scratch,
                                       struct err *err);

/* The name that a component's own name section gives it; empty if there is none. Never fails on a
 * malformed section. */
struct str component_name(const struct component *component);

/* The name that it gives to something in one of its index spaces; likewise. */
struct str component_item_name(const struct component *component, enum cm_sort sort,
                               uint32_t index);

#endif
