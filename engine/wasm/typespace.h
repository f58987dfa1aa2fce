/* Core types outside of modules: an index space of them, and what is read in it. Components define
 * core types (component model, Binary.md "Type Definitions"), and module types have such a space of
 * their own. */
#ifndef CARREL_WASM_TYPESPACE_H
#define CARREL_WASM_TYPESPACE_H

#include "engine/base/reader.h"
#include "engine/wasm/module.h"

struct typespace {
    struct types *types;
    struct region *scratch; /* the list grows here */
    uint32_t *ids;          /* TYPE_NONE: something that is no type to core WebAssembly */
    uint32_t count;
    uint32_t room;
};

/* An empty space. */
struct typespace typespace_of(struct types *types, struct region *scratch);

/* Appends a type by its id. False, and the reader failed, beyond the limit on types or memory. */
bool typespace_add(struct typespace *space, struct reader *r, uint32_t id);

/* Reads `rectype` (§5.3.12) and appends its types. False as above, or malformed, or invalid. */
bool typespace_read(struct typespace *space, struct reader *r);

/* Reads `externtype` (§5.3.17), `valtype` (§5.3.6) in this space. A failure is in the reader. */
struct externtype typespace_externtype(struct typespace *space, struct reader *r);
valtype typespace_valtype(struct typespace *space, struct reader *r);

#endif
