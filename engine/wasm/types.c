/* The registry of canonical types; see types.h. Core spec §3.1.5 (rolling and unrolling), §3.4.1.
 *
 * A recursion group is compared in a form that does not depend on where it stands: ids that point
 * into the group itself count from its start. Two groups are equal exactly when these forms are,
 * word by word, because every other id in them is canonical already. */
#include "engine/wasm/types.h"

#include "engine/wasm/limits.h"

#define CHUNK   1024u /* types in a block of the registry */
#define NCHUNKS ((TYPE_ID_LIMIT + CHUNK - 1) / CHUNK)

/* A place in the hash table: one recursion group; `first` is one more than its first id. */
struct place {
    uint32_t hash;
    uint32_t first;
};

struct types {
    struct region *region;
    uint32_t count;
    uint32_t ngroups;
    uint32_t nplaces; /* a power of two, more than `ngroups` */
    struct place *places;
    /* An address of this process, which no file can know: so nobody can write a module all of whose
     * types fall into one place. */
    uint64_t seed;
    struct deftype *chunks[NCHUNKS];
};

/* Where a group stands: what its own ids are told by. */
struct group {
    uint32_t first;
    uint32_t count;
};

/* Ids inside a group, as they are compared: above all real ids, below the abstract heap types. */
#define ID_OWN UINT32_C(0x400000)
_Static_assert(ID_OWN >= TYPE_ID_LIMIT && ID_OWN + LIMIT_RECURSION < HEAP_ABSTRACT, "ids overlap");
_Static_assert(LIMIT_SUBTYPE_DEPTH <= UINT8_MAX, "deftype.depth");

static struct deftype *type_at(const struct types *types, uint32_t id)
{
    return &types->chunks[id / CHUNK][id % CHUNK];
}

uint32_t types_count(const struct types *types)
{
    return types->count;
}

const struct deftype *types_get(const struct types *types, uint32_t id)
{
    return type_at(types, id);
}

const struct functype *types_func(const struct types *types, uint32_t id)
{
    const struct deftype *type = type_at(types, id);
    return type->kind == TYPE_FUNC ? &type->func : NULL;
}

/* --- The form in which groups are compared ------------------------------------------------------
 */

static uint32_t own_id(const struct group *group, uint32_t id)
{
    return id - group->first < group->count ? ID_OWN + (id - group->first) : id;
}

static uint64_t own_valtype(const struct group *group, valtype t)
{
    if (!vt_is_ref(t) || heap_is_abstract(vt_heap(t)))
        return t;
    return vt_ref(own_id(group, vt_heap(t)), vt_is_nullable(t));
}

static uint64_t own_field(const struct group *group, const struct fieldtype *field)
{
    return own_valtype(group, field->type) | (uint64_t)field->packed << 32 |
           (uint64_t)field->mutable << 40;
}

/* A type as words: two of head, then one for each value type or field. */
#define HEAD_WORDS 2

static uint32_t type_words(const struct deftype *type)
{
    switch (type->kind) {
    case TYPE_FUNC: return HEAD_WORDS + type->func.nparams + type->func.nresults;
    case TYPE_STRUCT: return HEAD_WORDS + type->structure.nfields;
    case TYPE_ARRAY: return HEAD_WORDS + 1;
    }
    return 0;
}

static uint64_t type_word(const struct group *group, const struct deftype *type, uint32_t word)
{
    if (word == 0)
        return (uint64_t)type->kind | (uint64_t)type->final << 8 |
               (uint64_t)own_id(group, type->super) << 32;
    switch (type->kind) {
    case TYPE_FUNC: {
        const struct functype *func = &type->func;
        if (word == 1)
            return (uint64_t)func->nparams << 32 | func->nresults;
        word -= HEAD_WORDS;
        return own_valtype(group, word < func->nparams ? func->params[word]
                                                       : func->results[word - func->nparams]);
    }
    case TYPE_STRUCT:
        return word == 1 ? type->structure.nfields
                         : own_field(group, &type->structure.fields[word - HEAD_WORDS]);
    case TYPE_ARRAY: return word == 1 ? 1 : own_field(group, &type->element);
    }
    return 0;
}

/* Folds a word into a hash: a full multiplication, its halves combined. */
static uint64_t mix(uint64_t hash, uint64_t word, uint64_t seed)
{
    __extension__ unsigned __int128 product = (unsigned __int128)(hash ^ word) * (seed | 1);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t group_hash(const struct types *types, const struct group *where,
                           const struct deftype *group)
{
    uint64_t hash = types->seed + where->count;
    for (uint32_t i = 0; i < where->count; i++) {
        uint32_t nwords = type_words(&group[i]);
        for (uint32_t w = 0; w < nwords; w++)
            hash = mix(hash, type_word(where, &group[i], w), types->seed);
    }
    return (uint32_t)(hash >> 32);
}

/* Is the group that is known as `first` the same as this one? */
static bool group_is(const struct types *types, uint32_t first, const struct group *where,
                     const struct deftype *group)
{
    struct group known = {first, type_at(types, first)->group_size};
    if (known.count != where->count)
        return false;
    for (uint32_t i = 0; i < known.count; i++) {
        const struct deftype *a = type_at(types, first + i);
        uint32_t nwords = type_words(a);
        if (nwords != type_words(&group[i]))
            return false;
        for (uint32_t w = 0; w < nwords; w++)
            if (type_word(&known, a, w) != type_word(where, &group[i], w))
                return false;
    }
    return true;
}

/* --- The hash table -----------------------------------------------------------------------------
 */

/* The place of a group, or the empty one where it belongs. */
static struct place *find_place(const struct types *types, uint32_t hash, const struct group *where,
                                const struct deftype *group)
{
    for (uint32_t i = hash;; i++) {
        struct place *place = &types->places[i & (types->nplaces - 1)];
        if (!place->first ||
            (place->hash == hash && group_is(types, place->first - 1, where, group)))
            return place;
    }
}

/* Makes room for one more group. The old table stays behind in the region. */
static bool grow_places(struct types *types)
{
    if (types->ngroups < types->nplaces / 2)
        return true;
    uint32_t nplaces = types->nplaces ? types->nplaces * 2 : 64;
    struct place *places = region_array(types->region, struct place, nplaces);
    if (!places)
        return false;
    for (uint32_t i = 0; i < types->nplaces; i++) {
        uint32_t j = types->places[i].hash;
        if (!types->places[i].first)
            continue;
        while (places[j & (nplaces - 1)].first)
            j++;
        places[j & (nplaces - 1)] = types->places[i];
    }
    types->places = places;
    types->nplaces = nplaces;
    return true;
}

/* Makes room for ids up to `count`. */
static bool grow_chunks(struct types *types, uint32_t count)
{
    for (uint32_t i = types->count / CHUNK; i * CHUNK < count; i++)
        if (!types->chunks[i] &&
            !(types->chunks[i] = region_array(types->region, struct deftype, CHUNK)))
            return false;
    return true;
}

struct types *types_new(struct region *region)
{
    struct types *types = region_new(region, struct types);
    if (!types)
        return NULL;
    types->region = region;
    types->seed = mix((uintptr_t)types, (uintptr_t)&region, UINT64_C(0x9fb21c651e98df25));
    return grow_places(types) ? types : NULL;
}

/* --- Entering a group ---------------------------------------------------------------------------
 */

static uint32_t slots(const valtype *of, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += vt_slots(of[i]);
    return sum;
}

#define COPY_ARRAY(region, from, count)                                                            \
    region_copy(region, from, (count) * sizeof *(from), _Alignof(uint32_t))

/* Lays the fields out, which are those of the registry. */
static bool enter_struct(struct types *types, struct structtype *to, const struct structtype *from)
{
    struct fieldtype *fields = COPY_ARRAY(types->region, from->fields, from->nfields);
    if (!fields)
        return false;
    *to = (struct structtype){.nfields = from->nfields, .defaultable = true, .fields = fields};
    for (uint32_t i = 0; i < to->nfields; i++) {
        uint32_t size = field_size(&fields[i]);
        uint32_t align = size > 8 ? 8 : size;
        fields[i].offset = (to->size + align - 1) & ~(align - 1);
        to->size = fields[i].offset + size;
        to->defaultable &= vt_defaultable(fields[i].type);
    }
    return true;
}

/* Copies a type into the registry, which has a place for it. */
static bool enter(struct types *types, uint32_t id, const struct deftype *type)
{
    struct deftype *to = type_at(types, id);
    *to = *type;
    switch (type->kind) {
    case TYPE_FUNC:
        to->func.params = COPY_ARRAY(types->region, type->func.params, type->func.nparams);
        to->func.results = COPY_ARRAY(types->region, type->func.results, type->func.nresults);
        to->func.param_slots = slots(type->func.params, type->func.nparams);
        to->func.result_slots = slots(type->func.results, type->func.nresults);
        return to->func.params && to->func.results;
    case TYPE_STRUCT: return enter_struct(types, &to->structure, &type->structure);
    case TYPE_ARRAY: return true;
    }
    return false;
}

/* The supertypes of a type from those of its declared one. */
static bool enter_supers(struct types *types, struct deftype *type, const struct deftype *super)
{
    uint32_t *supers = region_array(types->region, uint32_t, super->depth + 1u);
    if (!supers)
        return false;
    if (super->depth)
        memcpy(supers, super->supers, super->depth * sizeof *supers);
    supers[super->depth] = type->super;
    type->supers = supers;
    type->depth = (uint8_t)(super->depth + 1);
    return true;
}

static bool field_matches(const struct types *types, const struct fieldtype *sub,
                          const struct fieldtype *super)
{
    if (sub->packed != super->packed || sub->mutable != super->mutable)
        return false;
    return super->mutable ? sub->type == super->type : types_matches(types, sub->type, super->type);
}

static bool all_match(const struct types *types, const valtype *sub, const valtype *super,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!types_matches(types, sub[i], super[i]))
            return false;
    return true;
}

/* May a type declare that one as its supertype (§3.3.7, matching of composite types)? */
static bool shape_matches(const struct types *types, const struct deftype *sub,
                          const struct deftype *super)
{
    if (sub->kind != super->kind)
        return false;
    switch (sub->kind) {
    case TYPE_FUNC:
        return sub->func.nparams == super->func.nparams &&
               sub->func.nresults == super->func.nresults &&
               all_match(types, super->func.params, sub->func.params, sub->func.nparams) &&
               all_match(types, sub->func.results, super->func.results, sub->func.nresults);
    case TYPE_STRUCT:
        if (sub->structure.nfields < super->structure.nfields)
            return false;
        for (uint32_t i = 0; i < super->structure.nfields; i++)
            if (!field_matches(types, &sub->structure.fields[i], &super->structure.fields[i]))
                return false;
        return true;
    case TYPE_ARRAY: return field_matches(types, &sub->element, &super->element);
    }
    return false;
}

static int enter_group(struct types *types, const struct group *where, const struct deftype *group,
                       uint64_t offset, struct err *err)
{
    for (uint32_t i = 0; i < where->count; i++) {
        struct deftype *type = type_at(types, where->first + i);
        if (!enter(types, where->first + i, &group[i]))
            return err_set(err, ERR_MEMORY, offset, "no memory left for types");
        type->depth = 0;
        type->supers = NULL;
        type->group = where->first;
        type->group_size = where->count;
        if (type->super == TYPE_NONE)
            continue;
        if (type->super >= where->first + i)
            return err_set(err, ERR_INVALID, offset,
                           "unknown type: the supertype of type %u of "
                           "the group comes after it",
                           i);
        const struct deftype *super = type_at(types, type->super);
        if (super->depth >= LIMIT_SUBTYPE_DEPTH)
            return err_set(err, ERR_LIMIT, offset, "more than %u %s",
                           limit_rows[COUNT_SUBTYPE_DEPTH].number,
                           limit_rows[COUNT_SUBTYPE_DEPTH].what);
        if (!enter_supers(types, type, super))
            return err_set(err, ERR_MEMORY, offset, "no memory left for types");
    }
    /* Only now, because types of the group may be named before they are defined. */
    for (uint32_t i = 0; i < where->count; i++) {
        const struct deftype *type = type_at(types, where->first + i);
        if (type->super == TYPE_NONE)
            continue;
        const struct deftype *super = type_at(types, type->super);
        if (super->final || !shape_matches(types, type, super))
            return err_set(err, ERR_INVALID, offset, "sub type %u of the group %s", i,
                           super->final ? "has a final supertype" : "does not match its supertype");
    }
    return 0;
}

int types_intern(struct types *types, const struct deftype *group, uint32_t count, uint64_t offset,
                 uint32_t *ret_first, struct err *err)
{
    struct group where = {types->count, count};
    if (count == 0) {
        *ret_first = types->count;
        return 0;
    }
    uint32_t hash = group_hash(types, &where, group);
    struct place *place = find_place(types, hash, &where, group);
    if (place->first) {
        *ret_first = place->first - 1;
        return 0;
    }
    if (count > TYPE_ID_LIMIT - types->count)
        return err_set(err, ERR_LIMIT, offset, "more than %u distinct types", TYPE_ID_LIMIT);
    if (!grow_chunks(types, types->count + count) || !grow_places(types))
        return err_set(err, ERR_MEMORY, offset, "no memory left for types");

    uint8_t *mark = region_mark(types->region);
    if (enter_group(types, &where, group, offset, err) != 0) {
        region_release(types->region, mark);
        return -1;
    }
    *find_place(types, hash, &where, group) = (struct place){hash, where.first + 1};
    types->ngroups++;
    types->count += count;
    *ret_first = where.first;
    return 0;
}

uint32_t types_func_id(struct types *types, const valtype *params, uint32_t nparams,
                       const valtype *results, uint32_t nresults)
{
    struct deftype type = {
        .kind = TYPE_FUNC,
        .final = true,
        .super = TYPE_NONE,
        .func = {.nparams = nparams, .nresults = nresults, .params = params, .results = results},
    };
    uint32_t id;
    return types_intern(types, &type, 1, ERR_NOWHERE, &id, NULL) == 0 ? id : TYPE_NONE;
}
