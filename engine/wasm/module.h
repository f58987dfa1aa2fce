/* A decoded core module (core spec §2.5): immutable, in the image region, free of anything that
 * belongs to an instance. Byte runs point into the module's bytes, which outlive it. */
#ifndef CARREL_WASM_MODULE_H
#define CARREL_WASM_MODULE_H

#include "engine/base/err.h"
#include "engine/wasm/types.h"

enum extern_kind { EXTERN_FUNC, EXTERN_TABLE, EXTERN_MEMORY, EXTERN_GLOBAL, EXTERN_TAG };

struct limits {
    uint64_t min;
    uint64_t max; /* UINT64_MAX: none was given */
    bool has_max;
    bool is64;   /* index type i64 */
    bool shared; /* memories only */
};

struct tabletype {
    valtype element;
    struct limits limits; /* in elements */
};

struct memtype {
    struct limits limits; /* in pages of 1 << page_log2 bytes */
    uint8_t page_log2;    /* 16, or 0 with custom page sizes */
};

struct globaltype {
    valtype type;
    bool mutable;
};

/* A type in an import or export. */
struct externtype {
    enum extern_kind kind;
    union {
        uint32_t func; /* type id, also of a tag */
        struct tabletype table;
        struct memtype memory;
        struct globaltype global;
    };
};

/* A constant expression, as its bytes up to and including `end`; validated. */
struct constexpr
{
    const uint8_t *at;
    uint32_t len;
};

struct import {
    struct str module;
    struct str name;
    struct externtype type;
};

struct export
{
    struct str name;
    enum extern_kind kind;
    uint32_t index;
};

/* A function: imported ones come first and have no body. */
struct function {
    uint32_t type;       /* id */
    const uint8_t *body; /* the locals and the code; NULL if imported */
    uint32_t body_len;
};

struct table {
    struct tabletype type;
    struct constexpr init; /* at == NULL: null */
};

struct globaldef {
    struct globaltype type;
    struct constexpr init; /* at == NULL: imported */
};

enum segment_mode { SEGMENT_PASSIVE, SEGMENT_ACTIVE, SEGMENT_DECLARATIVE };

struct elemsegment {
    enum segment_mode mode;
    uint32_t table;
    struct constexpr offset; /* if active */
    valtype type;
    uint32_t count;
    bool are_functions; /* `items` are function indices (LEB128), else expressions */
    const uint8_t *items;
    uint32_t items_len;
};

struct datasegment {
    enum segment_mode mode;
    uint32_t memory;
    struct constexpr offset; /* if active */
    struct bytes bytes;
};

struct customsection {
    struct str name;
    struct bytes bytes;
};

struct module {
    struct bytes bytes;
    const uint8_t *file; /* offset 0 of the file that the module lies in, for messages */
    struct types *types; /* the cell's registry */

    uint32_t ntypes;
    const uint32_t *type_ids; /* by the module's own type index */

    /* Index spaces: imports first, then definitions (§2.5.1). */
    uint32_t nfuncs, ntables, nmemories, nglobals, ntags;
    uint32_t imported_funcs, imported_tables, imported_memories, imported_globals, imported_tags;
    const struct function *funcs;
    const struct table *tables;
    const struct memtype *memories;
    const struct globaldef *globals;
    const uint32_t *tags; /* type ids */

    uint32_t nimports, nexports, nelems, ndatas, ncustoms;
    const struct import *imports;
    const struct export *exports;
    const uint32_t *exports_by_name; /* places in `exports`, sorted */
    const struct elemsegment *elems;
    const struct datasegment *datas;
    const struct customsection *customs;

    bool has_start;
    uint32_t start;
    bool has_data_count;

    const uint8_t *declared; /* bit per function: may be taken by ref.func (§3.4.10) */

    struct bytes names; /* the name section's content, empty if there is none */

    struct notes *notes; /* what code leads to; NULL: was not noted */

    struct code *
        *code; /* a cell for the translation (code.h); holds NULL until translate_prepare */
};

/* Decodes and validates a whole module, bodies included. `bytes` lies in the file that starts at
 * `file` and stays mapped. Structures go to `image`; `scratch` is given back. NULL and *err: the
 * offset counts from `file`. Core spec §5.5, §3.4. */
struct module *module_read(struct bytes bytes, const uint8_t *file, struct types *types,
                           struct region *image, struct region *scratch, struct err *err);

/* The same, and what code leads to is noted (notes.h) if there is memory for that. */
struct module *module_read_noted(struct bytes bytes, const uint8_t *file, struct types *types,
                                 struct region *image, struct region *scratch, struct err *err);

/* The export of that name, or NULL. Names are compared by length and bytes. */
const struct export *module_export(const struct module *module, struct str name);

/* Is there an exported function of that name without parameters and results? */
bool module_has_entry(const struct module *module, struct str name);

/* The type of an entry of an index space. */
struct externtype module_type(const struct module *module, enum extern_kind kind, uint32_t index);

/* May something of type `actual` stand where `wanted` is imported (§3.5, import matching)? */
bool externtype_matches(const struct types *types, const struct externtype *actual,
                        const struct externtype *wanted);

/* The name of a function from the name section (appendix §7.4.1), else from its first export or
 * import; empty if it has none. Never fails on a malformed name section. */
struct str module_func_name(const struct module *module, uint32_t func);

/* The name that a module's name section gives it; empty if there is none. Never fails either. */
struct str module_name(const struct module *module);

#endif
