/* Modules as text: the disassembler and the listing of parts, which read what the decoder made and
 * code through insn.h. Nothing here can fail: what does not fit its memory is shown without names.
 */
#ifndef CARREL_WASM_WAT_H
#define CARREL_WASM_WAT_H

#include "engine/base/out.h"
#include "engine/wasm/module.h"

/* A module as it is being shown. */
struct wat {
    struct out *out;
    const struct module *module;
    const struct str *names;   /* of functions, by index; NULL: there was no room for them */
    const uint32_t *type_of;   /* type id -> the module's first index of it; NULL as above */
    uint32_t group, group_ids; /* the recursion group at hand: its first index and its first id, */
    uint32_t group_size;       /* so that types within name themselves; 0: none */
};

/* Begins to show a module. What it needs to find names lies in `scratch` until the caller releases
 * it. */
struct wat wat_begin(const struct module *module, struct region *scratch, struct out *out);

/* The name of a function, as module_func_name, but found at once. */
struct str wat_func_name(const struct wat *wat, uint32_t func);

/* --- Sections -----------------------------------------------------------------------------------
 */

enum {
    SECTION_CUSTOM = 0,
#define SECTION(id, NAME, name, function) SECTION_##NAME = (id),
#include "engine/wasm/section.def"
#undef SECTION
};

struct wat_section {
    uint8_t id;          /* 0: custom */
    const char *name;    /* "type section"; NULL if it is custom */
    struct str custom;   /* its name, if it is */
    struct bytes bytes;  /* what follows id and size */
    const uint8_t *from; /* where the section begins */
};

/* The section at *at (NULL: the first); moves *at behind it. False at the end. */
bool wat_section(const struct module *module, const uint8_t **at, struct wat_section *ret);

/* --- Showing ------------------------------------------------------------------------------------
 */

/* Parts with their sizes: sections, imports, exports, functions. As text for people, or as one
 * object of JSON. */
void wat_list(const struct wat *wat);
void wat_list_json(const struct wat *wat);

/* The whole module in the text format, its functions, or one of them. What `after` shows comes
 * behind each function; NULL: nothing. */
typedef void wat_after(const struct wat *wat, uint32_t func, void *data);
void wat_module(struct wat *wat, wat_after *after, void *data);
void wat_function(const struct wat *wat, uint32_t func);

/* The register code of a function, as the interpreter would run it. The module is prepared
 * (translate_prepare); the scratch holds the code while it is shown. */
void wat_registers(const struct wat *wat, uint32_t func, struct region *scratch);

/* Types as in the text format, with the module's own type indices. */
void wat_valtype(const struct wat *wat, valtype type);
void wat_heaptype(const struct wat *wat, heaptype heap);
void wat_type_index(const struct wat *wat, uint32_t id);
void wat_signature(const struct wat *wat, const struct functype *type); /* (param ..) (result ..) */
void wat_extern_type(const struct wat *wat, const struct externtype *type);
void wat_limits(const struct wat *wat, const struct limits *limits);
void wat_deftype(const struct wat *wat, const struct deftype *type);

#endif
