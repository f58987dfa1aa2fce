/* Component-level types (Explainer.md "Type Definitions"), in the image region, shared by all
 * components of a cell.
 *
 * Types are nodes, made once for each structure (cm_type_of), so nodes that have the same parts are
 * the same. What an import or export *names* is a node of its own (cm_type_named): it has the same
 * structure and another identity, because records, variants, enums, flags and resources may be used
 * in imports and exports by an external name only ("External Visibility of Types"). `canon` is the
 * structure without names: two value or function types are equal exactly when their `canon` is the
 * same. Names inside instance and component types make no difference there either.
 *
 * A resource type is a variable (cm_var): an abstract type that is equal to itself only. It is
 * bound by what introduces it: a component, a component type, or an instance type that is not yet
 * anybody's import or export. */
#ifndef CARREL_COMPONENT_TYPE_H
#define CARREL_COMPONENT_TYPE_H

#include "engine/base/err.h"
#include "engine/component/symbol.h"
#include "engine/wasm/module.h"

enum cm_sort {
#define SORT(name, core, component, limit, text) SORT_##name,
#include "engine/component/sort.def"
#undef SORT
    SORTS
};

/* The row's text, for messages. */
const char *cm_sort_text(enum cm_sort sort);

enum cm_kind {
#define PRIM(name, opcode, text, shape, size, align, flat, flags) CM_##name,
#define KIND(name, opcode, text, shape)                           CM_##name,
#include "engine/component/kind.def"
    CM_KINDS
};

#define CM_PRIMS (CM_ERROR_CONTEXT + 1) /* the kinds that have no parts come first */

const char *cm_kind_text(enum cm_kind kind);

/* How a value type is lifted and lowered. */
enum cm_shape {
    SHAPE_NONE, /* not a value type */
    SHAPE_BOOL,
    SHAPE_SIGNED,
    SHAPE_UNSIGNED,
    SHAPE_FLOAT,
    SHAPE_CHAR,
    SHAPE_STRING,
    SHAPE_ERROR_CONTEXT,
    SHAPE_RECORD,
    SHAPE_VARIANT,
    SHAPE_LIST,
    SHAPE_FIXED_LIST,
    SHAPE_FLAGS,
    SHAPE_OWN,
    SHAPE_BORROW,
    SHAPE_STREAM,
    SHAPE_FUTURE,
};

/* What is true of a type and of all its parts together. */
enum {
    CM_PLAIN = 1 << 0,    /* every bit pattern is a value, without padding, the same in host layout:
                             may be copied as bytes */
    CM_POINTERS = 1 << 1, /* a list or string is in it: needs a memory */
    CM_HANDLES = 1 << 2,  /* something that goes through the handle table is in it */
    CM_BORROWS = 1 << 3,  /* a borrow is in it */
    CM_RESOURCES = 1 << 4, /* a resource type is mentioned */
    CM_NAMED = 1 << 5,     /* a node of cm_type_named is in it */
    CM_NAMEABLE = 1 << 6,  /* something that needs an external name is in it */
    CM_ASYNC = 1 << 7,     /* a stream or future is in it */
};

#define CM_FLAT_MAX       16 /* MAX_FLAT_PARAMS */
#define CM_FLAT_OVER      17 /* more than that */
#define CM_FLAT_ASYNC_MAX 4  /* MAX_FLAT_ASYNC_PARAMS */

/* Bytes in guest memory with 32-bit and 64-bit pointers and in host layout; flattening. Of
 * canonical value types and the parameters of functions. */
struct cm_layout {
    uint32_t size;
    uint32_t size64;
    uint32_t host_size;
    uint8_t align;
    uint8_t align64;
    uint8_t host_align;
    uint8_t nflat;             /* CM_FLAT_OVER if there are more */
    uint8_t flat[CM_FLAT_MAX]; /* core types, as VT_I32 and so on, with 32-bit pointers */
};

struct cm_type;

/* A resource type. */
struct cm_var {
    uint32_t binder;            /* of the scope or type that it belongs to */
    uint32_t slot;              /* in the component instances of its binder */
    bool imported;              /* by its binder */
    bool local;                 /* defined there by a resource type: its representation is known */
    bool exported;              /* by its binder, under a name */
    bool mentioned;             /* in an export of its binder */
    const struct symbol *name;  /* that it was first imported or exported under; NULL: none */
    const struct cm_type *node; /* the canonical node of this variable */
    const struct cm_type *to;   /* what a substitution at work puts in its place, or NULL */
    /* What it stands for on each side of a subtype check at work (subtype.c), and the variable that
     * was given a meaning before it. */
    const struct cm_var *as[2];
    struct cm_var *as_before[2];
};

struct cm_field {
    const struct symbol *label; /* NULL in a tuple */
    const struct cm_type *type;
    uint32_t offset;      /* in guest memory; canonical nodes only */
    uint32_t host_offset; /* canonical nodes only */
};

struct cm_case {
    const struct symbol *label;
    const struct cm_type *type; /* NULL: no payload */
};

/* A module type's items, with core types. */
struct cm_core_import {
    const struct symbol *module;
    const struct symbol *name;
    struct externtype type;
};

struct cm_core_export {
    const struct symbol *name;
    struct externtype type;
};

/* The type of a core module, declared or of an actual one; also of a core instance (exports
 * only). */
struct cm_module_type {
    uint32_t nimports;
    uint32_t nexports;
    const struct cm_core_import *imports;
    const struct cm_core_export *exports;
    const struct symbol_place *import_places; /* by symbol_key_pair */
    const struct symbol_place *export_places;
};

/* What an import, an export, an argument or a definition is. */
struct cm_extern {
    enum cm_sort sort; /* MODULE or a component sort */
    bool fresh;        /* a type that is introduced here: (sub resource) */
    bool pruned;       /* given by the linker for what cannot be called: stands for any type */
    union {
        const struct cm_type *type;
        const struct cm_module_type *module;
    };
};

struct cm_decl {
    const struct symbol *name;
    struct cm_extern is;
    struct str implements; /* attributes; empty: none */
    struct str external_id;
    uint64_t offset; /* in the file; ERR_NOWHERE if it is in none */
};

/* A list of imports or exports. */
struct cm_decls {
    uint32_t count;
    const struct cm_decl *at;
    const struct symbol_place *places;
};

struct cm_type {
    enum cm_kind kind;
    uint8_t depth;
    bool named; /* made by cm_type_named */
    uint16_t flags;
    uint32_t parts;  /* nodes below and this one, as a tree */
    uint32_t serial; /* identity, for sets of nodes */
    uint32_t stamp;  /* of the substitution that set `to` last */
    const struct cm_type *to;
    const struct cm_type *canon;
    const struct cm_type *of; /* named: what it was named from, itself maybe named; else NULL */
    /* A resource type that some list of imports or exports names: the name and the list (extern.c).
     */
    const struct symbol *outside;
    uint32_t outside_in;
    union {
        struct { /* RECORD, TUPLE, ENTRY */
            uint32_t nfields;
            const struct cm_field *fields;
        };
        struct { /* VARIANT, ENUM, OPTION, RESULT: as the variant that they despecialise to */
            uint32_t ncases;
            const struct cm_case *cases;
            uint32_t payload;      /* its offset in guest memory; canonical nodes only */
            uint32_t host_payload; /* canonical nodes only */
            uint8_t tag_size;      /* in bytes */
        };
        struct {                           /* LIST, FIXED_LIST, MAP (of entries), STREAM, FUTURE */
            const struct cm_type *element; /* NULL: a stream or future without values */
            uint32_t length;               /* of a fixed-length list */
        };
        struct { /* FLAGS */
            uint32_t nlabels;
            const struct symbol *const *labels;
        };
        const struct cm_type *resource; /* OWN, BORROW: a node of kind RESOURCE */
        struct cm_var *var;             /* RESOURCE */
        struct {                        /* FUNC */
            uint32_t nparams;
            const struct cm_field *params;
            const struct cm_type *result; /* NULL: none */
            bool async;
        };
        struct { /* COMPONENT, INSTANCE (exports only) */
            struct cm_decls imports;
            struct cm_decls exports;
            uint32_t binder; /* of the variables that it binds itself */
            uint32_t nbound;
            struct cm_var *const *bound; /* those of them that its exports introduce */
        };
    };
    /* Of a canonical value type, or the parameters of a canonical function type. */
    struct cm_layout layout;
};

/* The registry of a cell: append-only. */
struct cm_types {
    struct region *region;
    struct types *core;
    bool noted; /* what the code of modules leads to is noted, for cm_demand; set by who reads */
    struct symbols symbols;
    struct trie shapes;
    const struct cm_type *prims[CM_PRIMS];
    uint32_t serial;
    uint32_t stamp;
    uint32_t binder;
    uint32_t nvars;
    uint64_t work; /* steps of type checking so far, for CM_LIMIT_TYPE_WORK */
};

/* Makes an empty registry; NULL if the region is full. */
struct cm_types *cm_types_new(struct region *region, struct types *core);

/* All that follows records failures at ERR_NOWHERE; whoever knows the place puts it in. */

/* The node with the structure of `draft`: its kind and the members of that kind are looked at, its
 * lists are copied. Checks depth and size (Binary.md: elem_size below 2^28), nothing else. NULL and
 * *err if they are too large or the region is full. */
const struct cm_type *cm_type_of(struct cm_types *types, const struct cm_type *draft,
                                 struct err *err);

static inline const struct cm_type *cm_prim(const struct cm_types *types, enum cm_kind kind)
{
    return types->prims[kind];
}

/* Short for common drafts. */
const struct cm_type *cm_option_of(struct cm_types *types, const struct cm_type *some,
                                   struct err *err);
const struct cm_type *cm_result_of(struct cm_types *types, const struct cm_type *ok,
                                   const struct cm_type *error, struct err *err);
const struct cm_type *cm_map_of(struct cm_types *types, const struct cm_type *key,
                                const struct cm_type *value, struct err *err);

/* A node with the structure of `type` and an identity of its own. */
const struct cm_type *cm_type_named(struct cm_types *types, const struct cm_type *type,
                                    struct err *err);

/* A new resource type that `binder` binds; its canonical node is ->var->node. NULL and *err as
 * above. */
struct cm_var *cm_var_new(struct cm_types *types, uint32_t binder, struct err *err);

/* An instance or component type that is not shared: `draft` is copied as it is, lists in the region
 * are kept. */
const struct cm_type *cm_type_closed(struct cm_types *types, const struct cm_type *draft,
                                     struct err *err);

static inline bool cm_is_value(const struct cm_type *type)
{
    return type->kind < CM_FUNC;
}

extern const uint8_t cm_shapes[CM_KINDS];

static inline enum cm_shape cm_shape(enum cm_kind kind)
{
    return (enum cm_shape)cm_shapes[kind];
}

/* The parts of a structure, each with a label, a type, or both: the fields of a record, the cases
 * of a variant, the element of a list, the resource of a handle, the parameters and then the result
 * of a function. Not those of an instance or component type. */
struct cm_part {
    const struct symbol *label;
    const struct cm_type *type;
};

uint32_t cm_part_count(const struct cm_type *type);
struct cm_part cm_part_at(const struct cm_type *type, uint32_t i);

/* Flags, depth and parts of what an extern is; a module has none. */
uint16_t cm_extern_flags(const struct cm_extern *is);
uint32_t cm_extern_parts(const struct cm_extern *is);

/* Sorts the places of a list; NULL if the region is full. The list may hold each name once. */
const struct symbol_place *cm_decl_places(struct region *region, const struct cm_decl *decls,
                                          uint32_t count);

/* The declaration of that name, or NULL. */
const struct cm_decl *cm_decl_find(const struct cm_decls *decls, const struct symbol *name);

/* Counts steps of type checking: -1 and *err beyond CM_LIMIT_TYPE_WORK. */
int cm_types_work(struct cm_types *types, uint64_t steps, struct err *err);

#endif
