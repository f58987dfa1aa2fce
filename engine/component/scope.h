/* What is known while a component, or a component or instance type, is decoded: its index spaces,
 * imports and exports so far, and the names that types have for the outside.
 *
 * Everything here is scratch memory but what ends up in the component. */
#ifndef CARREL_COMPONENT_SCOPE_H
#define CARREL_COMPONENT_SCOPE_H

#include "engine/base/reader.h"
#include "engine/component/component.h"
#include "engine/component/grow.h"
#include "engine/component/limits.h"
#include "engine/wasm/notes.h"
#include "engine/wasm/typespace.h"

enum scope_kind { SCOPE_COMPONENT, SCOPE_COMPONENT_TYPE, SCOPE_INSTANCE_TYPE };

/* Imports or exports, with what names may not come again and what types they name. */
struct scope_list {
    GROW(struct cm_decl) decls;
    struct grow_set names;     /* folded symbols */
    struct grow_set types;     /* nodes that may be used in this list */
    struct grow_set resources; /* symbols of resource types */
};

enum scope_side { SIDE_IMPORT, SIDE_EXPORT, SIDE_NONE };

struct scope {
    enum scope_kind kind;
    struct scope *outer;
    uint32_t binder;
    uint32_t nslots;

    /* Index spaces. */
    struct typespace core_types;                           /* ids; a module type has TYPE_NONE */
    GROW(const struct cm_module_type *) core_module_types; /* NULL: not one */
    GROW(uint32_t) core_funcs;                             /* type ids */
    GROW(struct tabletype) core_tables;
    GROW(struct memtype) core_memories;
    GROW(struct globaltype) core_globals;
    GROW(uint32_t) core_tags;
    GROW(const struct cm_module_type *) modules;
    GROW(const struct cm_module_type *) core_instances;
    GROW(const struct cm_type *) funcs;
    GROW(const struct cm_type *) types;
    GROW(const struct cm_type *) components;
    GROW(const struct cm_type *) instances;

    struct scope_list lists[2]; /* imports, exports */
    GROW(struct cm_var *) vars; /* that this scope binds */
    uint8_t context_type;       /* of context.get and .set; 0: none yet */

    /* Of a component. */
    struct component *component;
    GROW(struct cm_def) defs;
    struct reader reader; /* its bytes, from here */
    uint8_t *mark;        /* of the scratch region, before this scope */
};

/* Decoding at work. */
struct cm_decode {
    struct cm_types *types;
    struct region *image;
    struct region *scratch;
    struct scope *scope; /* the innermost */
    enum module_care care;
    unsigned nesting;
    unsigned closed; /* component and instance types around the current place */
};

/* A failure of something that does not know its place: puts it at `at`, and the reader fails.
 * Always -1. */
int decode_failed(struct reader *r, const uint8_t *at);

/* Memory is used up: ERR_MEMORY at `at`. Always -1. */
int decode_full(struct reader *r, const uint8_t *at);

/* A new innermost scope; NULL, and the reader failed. */
struct scope *scope_open(struct cm_decode *d, struct reader *r, enum scope_kind kind);

/* The type of a finished component type or instance type, or of a component; NULL, and the reader
 * failed. The scope stays open. */
const struct cm_type *scope_type(struct cm_decode *d, struct reader *r, const uint8_t *at);

/* --- Index spaces. All fail the reader at `at` and give NULL, or -1, if there is no such thing.
 * --- */

uint32_t scope_count(const struct scope *scope, enum cm_sort sort);
int scope_check(struct scope *scope, struct reader *r, const uint8_t *at, enum cm_sort sort,
                uint32_t index);
const struct cm_type *scope_type_at(struct scope *scope, struct reader *r, const uint8_t *at,
                                    uint32_t index);
/* One of this kind: CM_FUNC, CM_INSTANCE, CM_COMPONENT, CM_RESOURCE. */
const struct cm_type *scope_type_of(struct scope *scope, struct reader *r, const uint8_t *at,
                                    uint32_t index, enum cm_kind kind);
const struct cm_type *scope_value_type(struct scope *scope, struct reader *r, const uint8_t *at,
                                       uint32_t index);
const struct cm_module_type *scope_module_type(struct scope *scope, struct reader *r,
                                               const uint8_t *at, uint32_t index);

/* What lies at an index, as an extern; for core sorts but MODULE as a core type. */
int scope_extern(struct scope *scope, struct reader *r, const uint8_t *at, enum cm_sort sort,
                 uint32_t index, struct cm_extern *ret);
int scope_core_extern(struct scope *scope, struct reader *r, const uint8_t *at, enum cm_sort sort,
                      uint32_t index, struct externtype *ret);

/* Appending. 0, or -1 and the reader failed. */
int scope_add(struct cm_decode *d, struct reader *r, const uint8_t *at, const struct cm_extern *is);
int scope_add_core(struct cm_decode *d, struct reader *r, const uint8_t *at,
                   const struct externtype *type);
int scope_add_def(struct cm_decode *d, struct reader *r, const uint8_t *at,
                  const struct cm_def *def);

/* A new resource type of the innermost scope. */
struct cm_var *scope_var(struct cm_decode *d, struct reader *r, const uint8_t *at);

/* Gives all resource types that `type`, an instance type, binds to the innermost scope, as new
 * ones: the type that a particular instance has. `imported` marks them. */
const struct cm_type *scope_freshen(struct cm_decode *d, struct reader *r, const uint8_t *at,
                                    const struct cm_type *type, bool imported);

/* --- Imports and exports (extern.c) --- */

/* Adds an import or export: its item to the index space, its name to the list. Checks the name,
 * what the name demands of the type, and that all types in it have names for the outside. `is` may
 * become fresh types. */
int scope_declare(struct cm_decode *d, struct reader *r, const uint8_t *at, enum scope_side side,
                  struct cm_decl *decl);

#endif
