/* The type section, and the types of tables, memories, globals and tags; see decode.h.
 * Core spec §5.3, §5.5.4, §3.2 (validity of types). */
#include "engine/wasm/decode.h"

#include <inttypes.h>

/* --- Defined types ------------------------------------------------------------------------------
 */

enum {
    BYTE_ARRAY = 0x5e,
    BYTE_STRUCT = 0x5f,
    BYTE_FUNC = 0x60,
    BYTE_SUB_FINAL = 0x4f,
    BYTE_SUB = 0x50,
    BYTE_REC = 0x4e,
    BYTE_I16 = 0x77,
    BYTE_I8 = 0x78,
};

static void *scratch_take(struct decoder *d, struct reader *r, size_t count, size_t each)
{
    void *array = region_take(d->scratch, count, each, _Alignof(max_align_t));
    if (!array)
        reader_fail(r, ERR_MEMORY, "no memory left for types");
    return array;
}

static const valtype *valtypes(struct decoder *d, struct reader *r, enum limit limit,
                               uint32_t *ret_count)
{
    uint32_t count = limit_count(r, limit);
    valtype *types = scratch_take(d, r, count, sizeof *types);
    *ret_count = types ? count : 0;
    for (uint32_t i = 0; i < *ret_count; i++)
        types[i] = valtype_read(r, d->module);
    return types;
}

static bool mutability(struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t byte = reader_u8(r);
    if (byte > 1)
        reader_fail_at(r, at, ERR_MALFORMED, "malformed mutability 0x%02x", byte);
    return byte == 1;
}

static struct fieldtype field(struct decoder *d, struct reader *r)
{
    struct fieldtype field = {.type = VT_I32};
    uint8_t byte = reader_peek(r);
    if (byte == BYTE_I8 || byte == BYTE_I16) {
        r->at++;
        field.packed = byte == BYTE_I8 ? 8 : 16;
    } else {
        field.type = valtype_read(r, d->module);
    }
    field.mutable = mutability(r);
    return field;
}

static struct structtype structure(struct decoder *d, struct reader *r)
{
    uint32_t count = limit_count(r, COUNT_FIELDS);
    struct fieldtype *fields = scratch_take(d, r, count, sizeof *fields);
    if (!fields)
        return (struct structtype){0};
    for (uint32_t i = 0; i < count; i++)
        fields[i] = field(d, r);
    return (struct structtype){.nfields = count, .fields = fields};
}

/* A type with what it declares about supertypes (§5.3.10, §5.3.11). */
static void subtype(struct decoder *d, struct reader *r, struct deftype *type)
{
    uint8_t byte = reader_peek(r);
    type->final = byte != BYTE_SUB;
    type->super = TYPE_NONE;
    if (byte == BYTE_SUB || byte == BYTE_SUB_FINAL) {
        const uint8_t *at = r->at++;
        uint32_t nsupers = reader_count(r, UINT32_MAX, "supertypes");
        for (uint32_t i = 0; i < nsupers && reader_ok(r); i++)
            type->super = typeid_read(r, d->module);
        if (nsupers > 1)
            reader_fail_at(r, at, ERR_INVALID, "%u supertypes, there may be one", nsupers);
    }
    const uint8_t *at = r->at;
    byte = reader_u8(r);
    switch (byte) {
    case BYTE_FUNC:
        type->kind = TYPE_FUNC;
        type->func.params = valtypes(d, r, COUNT_PARAMS, &type->func.nparams);
        type->func.results = valtypes(d, r, COUNT_RESULTS, &type->func.nresults);
        break;
    case BYTE_STRUCT:
        type->kind = TYPE_STRUCT;
        type->structure = structure(d, r);
        break;
    case BYTE_ARRAY:
        type->kind = TYPE_ARRAY;
        type->element = field(d, r);
        break;
    default: reader_fail_at(r, at, ERR_MALFORMED, "malformed definition type 0x%02x", byte); break;
    }
}

/* A recursion group, or a type that stands for a group of its own (§5.3.12). Its types may name
 * each other, so they have ids before they are read. */
void decode_rectype(struct decoder *d, struct reader *r)
{
    struct module *module = d->module;
    const uint8_t *at = r->at;
    uint32_t count = 1;
    uint32_t first = module->ntypes;
    if (reader_peek(r) == BYTE_REC) {
        r->at++;
        count = limit_count(r, COUNT_RECURSION);
    }
    struct deftype *group = scratch_take(d, r, count, sizeof *group);
    if (!group || !limit_check(r, at, COUNT_TYPES, (uint64_t)first + count))
        return;
    for (uint32_t i = 0; i < count; i++)
        d->type_ids[first + i] = types_count(module->types) + i;
    module->ntypes = first + count;
    for (uint32_t i = 0; i < count && reader_ok(r); i++)
        subtype(d, r, &group[i]);
    uint32_t id;
    if (!reader_ok(r))
        return;
    if (types_intern(module->types, group, count, (uint64_t)(at - r->base), &id, r->err) != 0) {
        reader_stop(r);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        d->type_ids[first + i] = id + i;
}

void decode_types(struct decoder *d, struct section *section)
{
    struct reader *r = &section->r;
    uint32_t ngroups = section_count(section, COUNT_TYPES);
    /* A type takes two bytes or more, so this is enough for all types of all groups. */
    size_t most = reader_left(r) / 2 < LIMIT_TYPES ? reader_left(r) / 2 : LIMIT_TYPES;
    d->type_ids = DECODE_ARRAY(d, r, uint32_t, most);
    d->module->type_ids = d->type_ids;
    for (uint32_t i = 0; i < ngroups && reader_ok(r); i++) {
        uint8_t *mark = region_mark(d->scratch);
        decode_rectype(d, r);
        region_release(d->scratch, mark);
    }
}

/* --- Types of parts -----------------------------------------------------------------------------
 */

enum { LIMITS_MAX = 1, LIMITS_SHARED = 2, LIMITS_64 = 4, LIMITS_PAGE = 8 };

/* Flags, minimum, maximum (§5.3.13); the page size if it is announced. */
static struct limits limits(struct reader *r, uint8_t allowed, uint8_t *ret_page_log2)
{
    const uint8_t *at = r->at;
    uint8_t flags = reader_u8(r);
    if (flags & ~allowed)
        reader_fail_at(r, at, ERR_MALFORMED, "malformed limits flags 0x%02x", flags);
    struct limits limits = {
        .has_max = flags & LIMITS_MAX,
        .is64 = flags & LIMITS_64,
        .shared = flags & LIMITS_SHARED,
        .max = UINT64_MAX,
    };
    limits.min = reader_u64(r);
    if (limits.has_max)
        limits.max = reader_u64(r);
    if (!(flags & LIMITS_PAGE))
        return limits;
    at = r->at;
    uint32_t page_log2 = reader_u32(r);
    if (page_log2 >= 64)
        reader_fail_at(r, at, ERR_MALFORMED, "malformed custom page size 2^%u", page_log2);
    else if (page_log2 != 0 && page_log2 != 16)
        reader_fail_at(r, at, ERR_INVALID, "invalid custom page size 2^%u, it may be 1 or 65536",
                       page_log2);
    *ret_page_log2 = page_log2 == 0 ? 0 : 16;
    return limits;
}

/* Are minimum and maximum in order and within the address space (§3.2.16)? */
static void check_limits(struct reader *r, const uint8_t *at, const struct limits *limits,
                         uint64_t most, const char *what)
{
    if (limits->min > most || (limits->has_max && limits->max > most))
        reader_fail_at(r, at, ERR_INVALID, "%s size must be at most %" PRIu64, what, most);
    else if (limits->min > limits->max)
        reader_fail_at(r, at, ERR_INVALID, "size minimum must not be greater than maximum");
}

struct tabletype decode_tabletype(struct decoder *d, struct reader *r)
{
    uint8_t page_log2 = 0;
    struct tabletype type = {.element = reftype_read(r, d->module)};
    const uint8_t *at = r->at;
    type.limits = limits(r, LIMITS_MAX | LIMITS_64, &page_log2);
    check_limits(r, at, &type.limits, type.limits.is64 ? UINT64_MAX : UINT32_MAX, "table");
    return type;
}

struct memtype decode_memtype(struct reader *r)
{
    const uint8_t *at = r->at;
    struct memtype type = {.page_log2 = 16};
    type.limits = limits(r, LIMITS_MAX | LIMITS_SHARED | LIMITS_64 | LIMITS_PAGE, &type.page_log2);
    uint64_t most = type.limits.is64 ? UINT64_MAX >> type.page_log2 : UINT32_MAX >> type.page_log2;
    if (type.page_log2)
        most++; /* the whole address space; of pages of a byte it is one less */
    check_limits(r, at, &type.limits, most, "memory");
    if (type.limits.shared && !type.limits.has_max)
        reader_fail_at(r, at, ERR_INVALID, "shared memory must have maximum");
    return type;
}

struct globaltype decode_globaltype(struct decoder *d, struct reader *r)
{
    struct globaltype type = {.type = valtype_read(r, d->module)};
    type.mutable = mutability(r);
    return type;
}

uint32_t decode_functype(struct decoder *d, struct reader *r)
{
    const uint8_t *at = r->at;
    uint32_t id = typeid_read(r, d->module);
    if (reader_ok(r) && !types_func(d->module->types, id))
        reader_fail_at(r, at, ERR_INVALID, "type mismatch: not a function type");
    return id;
}

uint32_t decode_tagtype(struct decoder *d, struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t attribute = reader_u8(r);
    if (attribute != 0)
        reader_fail_at(r, at, ERR_MALFORMED, "malformed tag attribute 0x%02x, zero expected",
                       attribute);
    uint32_t id = decode_functype(d, r);
    if (reader_ok(r) && types_func(d->module->types, id)->nresults)
        reader_fail_at(r, at, ERR_INVALID, "non-empty tag result type");
    return id;
}
