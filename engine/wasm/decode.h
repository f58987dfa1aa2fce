/* Decoding of a module, shared by the decode_*.c files and by nobody else: one function for each
 * section, called in the order of section.def, also for sections that the module does not have. */
#ifndef CARREL_WASM_DECODE_H
#define CARREL_WASM_DECODE_H

#include "engine/wasm/insn.h"
#include "engine/wasm/limits.h"
#include "engine/wasm/notes.h"
#include "engine/wasm/validate.h"

struct decoder {
    struct module *module;
    struct region *image;   /* what stays */
    struct region *scratch; /* what does not */
    struct validator *validator;
    enum module_care care;

    /* The module's arrays, which are constant for everybody else. */
    uint32_t *type_ids;
    struct function *funcs;
    uint8_t *declared;
};

/* Each reads its section, or makes the module's part empty if `section` is not `present`. A failure
 * is in the reader. */
struct section {
    struct reader r;
    bool present;
};

#define SECTION(id, name, text, function) void function(struct decoder *d, struct section *section);
#include "engine/wasm/section.def"
#undef SECTION

/* The length of the vector that a section begins with; 0 if it is not there. */
uint32_t section_count(struct section *section, enum limit limit);

/* Zeroed memory in the image for an array; NULL, and the reader failed, if there is none left. */
void *decode_take(struct decoder *d, struct reader *r, size_t count, size_t each);
#define DECODE_ARRAY(d, r, type, count) ((type *)decode_take(d, r, count, sizeof(type)))

/* A name within its limit. */
struct str decode_name(struct reader *r, const char *what);

/* A constant expression of this type. */
struct constexpr decode_constexpr(struct decoder *d, struct reader *r, valtype type);

/* Function `func` may be taken by ref.func in code. */
void decode_declare(struct decoder *d, uint32_t func);

/* A recursion group (§5.3.12): its types are appended to `type_ids`, which has room for them. */
void decode_rectype(struct decoder *d, struct reader *r);

/* Types of parts (§5.3.13 and after), checked. */
struct tabletype decode_tabletype(struct decoder *d, struct reader *r);
struct memtype decode_memtype(struct reader *r);
struct globaltype decode_globaltype(struct decoder *d, struct reader *r);
uint32_t decode_tagtype(struct decoder *d, struct reader *r);
void decode_externtype(struct decoder *d, struct reader *r, struct externtype *type);
/* A type index that must be one of a function; the type's id. */
uint32_t decode_functype(struct decoder *d, struct reader *r);

/* The type of addresses and offsets. */
static inline valtype address_valtype(const struct limits *limits)
{
    return limits->is64 ? VT_I64 : VT_I32;
}

#endif
