/* Types of WebAssembly 3.0 (core spec §2.3): value types, heap types and defined types, canonical
 * across all modules of a cell.
 *
 * A defined type (function, struct, array) is named by its *id* in the cell's registry. Recursion
 * groups are hash-consed when they enter it, so two types are equal exactly when their ids are, in
 * whatever module they were written: call_indirect, linking and casts compare numbers. */
#ifndef CARREL_WASM_TYPES_H
#define CARREL_WASM_TYPES_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/region.h"

/* --- Value types --------------------------------------------------------------------------------
 * 32 bits: the kind in the low byte (the byte of the binary format, §5.3), and for references a
 * flag and a heap type. VT_BOT is the bottom type that validation meets in unreachable code. */
typedef uint32_t valtype;
typedef uint32_t heaptype;

enum {
    VT_BOT = 0,
    VT_I32 = 0x7f,
    VT_I64 = 0x7e,
    VT_F32 = 0x7d,
    VT_F64 = 0x7c,
    VT_V128 = 0x7b,
    VT_REF = 0x64, /* kind of every reference, with the flag and heap type above it */
};

/* A heap type is a type id, or HEAP_ABSTRACT plus the byte of an abstract one (§5.3.3). */
#define HEAP_ABSTRACT UINT32_C(0x7fff00)
enum {
    HEAP_NOEXN = HEAP_ABSTRACT + 0x74,
    HEAP_NOFUNC = HEAP_ABSTRACT + 0x73,
    HEAP_NOEXTERN = HEAP_ABSTRACT + 0x72,
    HEAP_NONE = HEAP_ABSTRACT + 0x71,
    HEAP_FUNC = HEAP_ABSTRACT + 0x70,
    HEAP_EXTERN = HEAP_ABSTRACT + 0x6f,
    HEAP_ANY = HEAP_ABSTRACT + 0x6e,
    HEAP_EQ = HEAP_ABSTRACT + 0x6d,
    HEAP_I31 = HEAP_ABSTRACT + 0x6c,
    HEAP_STRUCT = HEAP_ABSTRACT + 0x6b,
    HEAP_ARRAY = HEAP_ABSTRACT + 0x6a,
    HEAP_EXN = HEAP_ABSTRACT + 0x69,
    HEAP_BOT = HEAP_ABSTRACT, /* of a reference popped in unreachable code */
};

#define VT_NULLABLE UINT32_C(0x100)

static inline valtype vt_ref(heaptype heap, bool nullable)
{
    return VT_REF | (nullable ? VT_NULLABLE : 0) | heap << 9;
}

static inline uint8_t vt_kind(valtype t)
{
    return (uint8_t)t;
}

static inline bool vt_is_ref(valtype t)
{
    return vt_kind(t) == VT_REF;
}

static inline bool vt_is_nullable(valtype t)
{
    return t & VT_NULLABLE;
}

static inline heaptype vt_heap(valtype t)
{
    return t >> 9;
}

static inline bool heap_is_abstract(heaptype heap)
{
    return heap >= HEAP_ABSTRACT;
}

#define VT_FUNCREF   (VT_REF | VT_NULLABLE | (valtype)HEAP_FUNC << 9)
#define VT_EXTERNREF (VT_REF | VT_NULLABLE | (valtype)HEAP_EXTERN << 9)
#define VT_EXNREF    (VT_REF | VT_NULLABLE | (valtype)HEAP_EXN << 9)

/* Slots of 8 bytes that a value of this type takes in a frame: v128 takes two. */
static inline uint32_t vt_slots(valtype t)
{
    return vt_kind(t) == VT_V128 ? 2 : 1;
}

/* Is a default (zero, null) there, so that a local may be read before it is set (§3.3.4)? */
static inline bool vt_defaultable(valtype t)
{
    return !vt_is_ref(t) || vt_is_nullable(t);
}

/* --- Defined types ------------------------------------------------------------------------------
 */
#define TYPE_NONE     UINT32_MAX
#define TYPE_ID_LIMIT UINT32_C(4000000) /* distinct types in one cell */

struct functype {
    uint32_t nparams;
    uint32_t nresults;
    const valtype *params;
    const valtype *results;
    uint32_t param_slots;
    uint32_t result_slots;
};

/* A field of a struct, or the element of an array. Packed fields have `packed` 8 or 16 and are i32
 * on the stack. */
struct fieldtype {
    valtype type;
    uint8_t packed;
    bool mutable;
    uint32_t offset; /* in a struct, from the end of the object's head; told by the registry */
};

/* Bytes of a field or element in an object. */
static inline uint32_t field_size(const struct fieldtype *field)
{
    switch (vt_kind(field->type)) {
    case VT_I32: return field->packed ? field->packed / 8 : 4;
    case VT_F32: return 4;
    case VT_V128: return 16;
    default: return 8;
    }
}

/* Fields lie in their order, each aligned to its size (a v128 to 8), so that those of a supertype
 * lie where the supertype has them. */
struct structtype {
    uint32_t nfields;
    uint32_t size;    /* bytes of all fields; told by the registry */
    bool defaultable; /* every field is; likewise */
    const struct fieldtype *fields;
};

enum type_kind { TYPE_FUNC, TYPE_STRUCT, TYPE_ARRAY };

/* One defined type. In the registry all type ids within are canonical. */
struct deftype {
    enum type_kind kind;
    bool final;
    uint8_t depth;          /* how many supertypes lie above it */
    uint32_t super;         /* id of the declared supertype, or TYPE_NONE */
    const uint32_t *supers; /* ids of all supertypes from the root down, `depth` of them */
    uint32_t group;         /* id of the first type of its recursion group */
    uint32_t group_size;
    union {
        struct functype func;
        struct structtype structure;
        struct fieldtype element; /* of an array */
    };
};

/* The registry of one cell: append-only, in the image region. */
struct types;

/* Makes an empty registry; NULL if the region is full. */
struct types *types_new(struct region *region);

/* How many types there are: ids are the numbers below. */
uint32_t types_count(const struct types *types);

/* Makes a recursion group canonical: *ret_first becomes the id of its first type, be it new or
 * known from before; the others follow. Of each type `kind`, `final`, `super` and the type itself
 * are read; ids in them are canonical, or types_count + n for type n of this group. Everything is
 * copied. Checks the declared supertypes (§3.4.1 of core: exists before, not final, matched). -1:
 * one of them is wrong (INVALID), the registry is full (LIMIT, MEMORY); nothing is added. The error
 * is placed at `offset`. */
int types_intern(struct types *types, const struct deftype *group, uint32_t count, uint64_t offset,
                 uint32_t *ret_first, struct err *err);

/* The id of a final function type with these parameters and results, for host functions; TYPE_NONE
 * if the registry is full. The arrays are copied. */
uint32_t types_func_id(struct types *types, const valtype *params, uint32_t nparams,
                       const valtype *results, uint32_t nresults);

/* The type with that id, which must be one that the registry gave. */
const struct deftype *types_get(const struct types *types, uint32_t id);

/* Its function type; NULL if it is another kind. */
const struct functype *types_func(const struct types *types, uint32_t id);

/* Subtyping (§3.3.3). `sub` and `super` are ids, heap types, value types. The bottom types match
 * everything, in line with what validation of unreachable code wants. */
bool types_id_matches(const struct types *types, uint32_t sub, uint32_t super);
bool types_heap_matches(const struct types *types, heaptype sub, heaptype super);
bool types_ref_matches(const struct types *types, valtype sub, valtype super);

static inline bool types_matches(const struct types *types, valtype sub, valtype super)
{
    if (sub == super || sub == VT_BOT)
        return true;
    return vt_is_ref(sub) && vt_is_ref(super) && types_ref_matches(types, sub, super);
}

/* The root of the hierarchy that a heap type belongs to: any, func, extern or exn. */
heaptype types_heap_top(const struct types *types, heaptype heap);

/* Writes a type as in the text format ("i32", "(ref null func)"); returns the bytes written, at
 * most `size` - 1, and always a NUL. */
size_t valtype_show(valtype type, char *text, size_t size);

#endif
