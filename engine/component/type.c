/* The registry of component-level types; see type.h.
 *
 * A node is found by its *shape*: the bytes of its kind, its labels' serials and its parts'
 * serials. Parts are shared themselves, so equal shapes are equal trees. */
#include "engine/component/type.h"

#include "engine/component/layout.h"
#include "engine/component/limits.h"

static const char *const kind_texts[CM_KINDS] = {
#define PRIM(name, opcode, text, ...) [CM_##name] = text,
#define KIND(name, opcode, text, ...) [CM_##name] = text,
#include "engine/component/kind.def"
};

const uint8_t cm_shapes[CM_KINDS] = {
#define PRIM(name, opcode, text, shape, ...) [CM_##name] = SHAPE_##shape,
#define KIND(name, opcode, text, shape)      [CM_##name] = SHAPE_##shape,
#include "engine/component/kind.def"
};

static const uint16_t prim_flags[CM_PRIMS] = {
#define PRIM(name, opcode, text, shape, size, align, flat, flags) [CM_##name] = flags,
#include "engine/component/kind.def"
};

const char *cm_kind_text(enum cm_kind kind)
{
    return kind_texts[kind];
}

const char *cm_sort_text(enum cm_sort sort)
{
    static const char *const texts[SORTS] = {
#define SORT(name, core, component, limit, text) [SORT_##name] = text,
#include "engine/component/sort.def"
#undef SORT
    };
    return texts[sort];
}

static void *full(struct err *err)
{
    err_set(err, ERR_MEMORY, ERR_NOWHERE, "no memory left for types");
    return NULL;
}

int cm_types_work(struct cm_types *types, uint64_t steps, struct err *err)
{
    types->work += steps;
    if (types->work > CM_LIMIT_TYPE_WORK)
        return cm_limit_passed(err, ERR_NOWHERE, CM_COUNT_TYPE_WORK);
    return 0;
}

/* --- Parts --------------------------------------------------------------------------------------
 */

uint32_t cm_part_count(const struct cm_type *type)
{
    switch (type->kind) {
    case CM_RECORD:
    case CM_TUPLE:
    case CM_ENTRY: return type->nfields;
    case CM_VARIANT:
    case CM_ENUM:
    case CM_OPTION:
    case CM_RESULT: return type->ncases;
    case CM_FLAGS: return type->nlabels;
    case CM_LIST:
    case CM_FIXED_LIST:
    case CM_MAP:
    case CM_STREAM:
    case CM_FUTURE:
    case CM_OWN:
    case CM_BORROW: return 1;
    case CM_FUNC: return type->nparams + 1;
    default: return 0;
    }
}

struct cm_part cm_part_at(const struct cm_type *type, uint32_t i)
{
    switch (type->kind) {
    case CM_RECORD:
    case CM_TUPLE:
    case CM_ENTRY: return (struct cm_part){type->fields[i].label, type->fields[i].type};
    case CM_VARIANT:
    case CM_ENUM:
    case CM_OPTION:
    case CM_RESULT: return (struct cm_part){type->cases[i].label, type->cases[i].type};
    case CM_FLAGS: return (struct cm_part){type->labels[i], NULL};
    case CM_OWN:
    case CM_BORROW: return (struct cm_part){NULL, type->resource};
    case CM_FUNC:
        if (i < type->nparams)
            return (struct cm_part){type->params[i].label, type->params[i].type};
        return (struct cm_part){NULL, type->result};
    default: return (struct cm_part){NULL, type->element};
    }
}

/* --- Shapes -------------------------------------------------------------------------------------
 */

static void put32(uint8_t *to, uint32_t word)
{
    memcpy(to, &word, sizeof word);
}

/* The bytes of a draft's shape, at the region's end; none if it is full. */
static struct bytes shape_of(struct region *region, const struct cm_type *draft)
{
    uint32_t count = cm_part_count(draft);
    size_t len = 8 + (size_t)count * 8;
    uint8_t *at = region_take(region, len, 1, 1);
    if (!at)
        return (struct bytes){0};
    uint32_t more = draft->kind == CM_FUNC         ? draft->async
                    : draft->kind == CM_FIXED_LIST ? draft->length
                                                   : 0;
    put32(at, (uint32_t)draft->kind);
    put32(at + 4, more);
    for (uint32_t i = 0; i < count; i++) {
        struct cm_part part = cm_part_at(draft, i);
        put32(at + 8 + (size_t)i * 8, part.label ? part.label->serial + 1 : 0);
        put32(at + 12 + (size_t)i * 8, part.type ? part.type->serial + 1 : 0);
    }
    return (struct bytes){at, len};
}

/* Flags that a kind adds to those of its parts. */
static uint16_t own_flags(enum cm_kind kind)
{
    switch (kind) {
    case CM_RECORD:
    case CM_VARIANT:
    case CM_ENUM:
    case CM_FLAGS: return CM_NAMEABLE;
    case CM_LIST:
    case CM_MAP: return CM_POINTERS;
    case CM_OWN: return CM_HANDLES;
    case CM_BORROW: return CM_HANDLES | CM_BORROWS;
    case CM_STREAM:
    case CM_FUTURE: return CM_HANDLES | CM_ASYNC;
    default: return 0;
    }
}

/* Flags, depth and parts of a draft from those of its parts. What a stream carries needs no memory
 * when the stream itself is passed. */
static int sum_up(struct cm_type *node, struct err *err)
{
    uint32_t count = cm_part_count(node);
    uint64_t parts = 1 + (uint64_t)count;
    uint16_t flags = 0;
    uint8_t depth = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_type *type = cm_part_at(node, i).type;
        if (!type)
            continue;
        flags |= type->flags;
        depth = type->depth > depth ? type->depth : depth;
        parts += type->parts;
    }
    flags &= (uint16_t)~CM_PLAIN;
    if (node->kind == CM_STREAM || node->kind == CM_FUTURE)
        flags &= (uint16_t)~CM_POINTERS;
    node->flags = flags | own_flags(node->kind);
    node->depth = depth + 1;
    if (node->depth > CM_LIMIT_TYPE_DEPTH)
        return cm_limit_passed(err, ERR_NOWHERE, CM_COUNT_TYPE_DEPTH);
    if (parts > CM_LIMIT_TYPE_SIZE)
        return cm_limit_passed(err, ERR_NOWHERE, CM_COUNT_TYPE_SIZE);
    node->parts = (uint32_t)parts;
    return 0;
}

/* --- Making nodes -------------------------------------------------------------------------------
 */

static struct cm_type *node_new(struct cm_types *types, const struct cm_type *draft)
{
    struct cm_type *node = region_new(types->region, struct cm_type);
    if (!node)
        return NULL;
    *node = *draft;
    node->serial = types->serial++;
    node->named = false;
    node->stamp = 0;
    node->to = NULL;
    node->outside = NULL;
    node->outside_in = 0;
    node->canon = node;
    return node;
}

/* Gives the node lists of its own. With `canonical` their types are replaced by what they are
 * canonically. The fields of a record or function can be written to. */
static bool own_lists(struct cm_types *types, struct cm_type *node, bool canonical,
                      struct cm_field **ret_fields)
{
    struct region *region = types->region;
    const void *list = NULL;
    switch (cm_shape(node->kind)) {
    case SHAPE_VARIANT: {
        struct cm_case *cases = region_copy(region, node->cases, node->ncases * sizeof *cases,
                                            _Alignof(struct cm_case));
        for (uint32_t i = 0; cases && canonical && i < node->ncases; i++)
            if (cases[i].type)
                cases[i].type = cases[i].type->canon;
        list = node->cases = cases;
        break;
    }
    case SHAPE_FLAGS:
        list = node->labels =
            region_copy(region, node->labels, node->nlabels * sizeof *node->labels,
                        _Alignof(const struct symbol *));
        break;
    case SHAPE_NONE:
    case SHAPE_RECORD: {
        bool func = node->kind == CM_FUNC;
        uint32_t count = func ? node->nparams : node->nfields;
        struct cm_field *fields = region_copy(region, func ? node->params : node->fields,
                                              count * sizeof *fields, _Alignof(struct cm_field));
        for (uint32_t i = 0; fields && canonical && i < count; i++)
            fields[i].type = fields[i].type->canon;
        if (func)
            node->params = fields;
        else
            node->fields = fields;
        if (func && canonical && node->result)
            node->result = node->result->canon;
        list = *ret_fields = fields;
        break;
    }
    case SHAPE_OWN:
    case SHAPE_BORROW:
        if (canonical)
            node->resource = node->resource->canon;
        return true;
    default:
        if (canonical && node->element)
            node->element = node->element->canon;
        return true;
    }
    return list != NULL;
}

/* Of a canonical value type: may it be copied as bytes? Records are the sum of their parts, without
 * anything between them; flags use every bit. */
static bool is_plain(const struct cm_type *node)
{
    if (node->kind == CM_FLAGS)
        return node->nlabels == node->layout.size * 8;
    if (node->kind == CM_FIXED_LIST)
        return node->element->flags & CM_PLAIN;
    if (cm_shape(node->kind) != SHAPE_RECORD)
        return false;
    uint32_t size = 0;
    for (uint32_t i = 0; i < node->nfields; i++) {
        if (!(node->fields[i].type->flags & CM_PLAIN))
            return false;
        size += node->fields[i].type->layout.size;
    }
    return size == node->layout.size;
}

static bool is_canonical(const struct cm_type *draft)
{
    uint32_t count = cm_part_count(draft);
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_type *type = cm_part_at(draft, i).type;
        if (type && type->canon != type)
            return false;
    }
    return true;
}

static int finish_canonical(struct cm_type *node, struct cm_field *fields, struct err *err)
{
    if (!cm_layout_fill(node, fields)) {
        if (node->kind == CM_FUNC)
            return err_set(err, ERR_LIMIT, ERR_NOWHERE, "parameters of 2^28 bytes or more");
        return err_set(err, ERR_INVALID, ERR_NOWHERE,
                       "a value of this %s type takes 2^28 bytes or more (Binary.md: elem_size)",
                       cm_kind_text(node->kind));
    }
    if (is_plain(node))
        node->flags |= CM_PLAIN;
    return 0;
}

const struct cm_type *cm_type_of(struct cm_types *types, const struct cm_type *draft,
                                 struct err *err)
{
    if (draft->kind < CM_PRIMS)
        return cm_prim(types, draft->kind);
    uint8_t *mark = region_mark(types->region);
    struct bytes shape = shape_of(types->region, draft);
    if (!shape.len)
        return full(err);
    struct trie_entry *entry = trie_at(&types->shapes, types->region, shape, false);
    if (!entry)
        return full(err);
    if (entry->value) {
        region_release(types->region, mark);
        return entry->value;
    }
    struct cm_type sum = *draft;
    if (sum_up(&sum, err))
        return NULL;
    struct cm_type *node = node_new(types, &sum);
    struct cm_field *fields = NULL;
    bool canonical = is_canonical(draft);
    if (!node || !own_lists(types, node, false, &fields))
        return full(err);
    if (canonical) {
        if (finish_canonical(node, fields, err))
            return NULL;
    } else {
        /* One level of recursion: the parts of the canonical draft are canonical. */
        struct cm_type bare = sum;
        if (!own_lists(types, &bare, true, &fields))
            return full(err);
        node->canon = cm_type_of(types, &bare, err);
        if (!node->canon)
            return NULL;
    }
    entry->value = node;
    return node;
}

const struct cm_type *cm_option_of(struct cm_types *types, const struct cm_type *some,
                                   struct err *err)
{
    struct cm_case cases[2] = {{symbol_of(&types->symbols, str_of("none"), false), NULL},
                               {symbol_of(&types->symbols, str_of("some"), false), some}};
    if (!cases[0].label || !cases[1].label)
        return full(err);
    return cm_type_of(types, &(struct cm_type){.kind = CM_OPTION, .ncases = 2, .cases = cases},
                      err);
}

const struct cm_type *cm_result_of(struct cm_types *types, const struct cm_type *ok,
                                   const struct cm_type *error, struct err *err)
{
    struct cm_case cases[2] = {{symbol_of(&types->symbols, str_of("ok"), false), ok},
                               {symbol_of(&types->symbols, str_of("error"), false), error}};
    if (!cases[0].label || !cases[1].label)
        return full(err);
    return cm_type_of(types, &(struct cm_type){.kind = CM_RESULT, .ncases = 2, .cases = cases},
                      err);
}

const struct cm_type *cm_map_of(struct cm_types *types, const struct cm_type *key,
                                const struct cm_type *value, struct err *err)
{
    struct cm_field pair[2] = {{.type = key}, {.type = value}};
    struct cm_type draft = {.kind = CM_ENTRY, .nfields = 2, .fields = pair};
    const struct cm_type *entry = cm_type_of(types, &draft, err);
    if (!entry)
        return NULL;
    return cm_type_of(types, &(struct cm_type){.kind = CM_MAP, .element = entry}, err);
}

const struct cm_type *cm_type_named(struct cm_types *types, const struct cm_type *type,
                                    struct err *err)
{
    struct cm_type *node = node_new(types, type);
    if (!node)
        return full(err);
    node->canon = type->canon;
    node->named = true;
    node->of = type;
    node->flags |= CM_NAMED;
    return node;
}

const struct cm_type *cm_type_closed(struct cm_types *types, const struct cm_type *draft,
                                     struct err *err)
{
    struct cm_type sum = *draft;
    const struct cm_decls *lists[2] = {&draft->imports, &draft->exports};
    uint64_t parts = 1;
    sum.flags = 0;
    sum.depth = 0;
    for (unsigned k = 0; k < 2; k++)
        for (uint32_t i = 0; i < lists[k]->count; i++) {
            const struct cm_extern *is = &lists[k]->at[i].is;
            sum.flags |= cm_extern_flags(is);
            parts += cm_extern_parts(is);
            if (is->sort != SORT_MODULE && is->type->depth > sum.depth)
                sum.depth = is->type->depth;
        }
    sum.flags &= (uint16_t)~CM_PLAIN;
    sum.depth++;
    if (sum.depth > CM_LIMIT_TYPE_DEPTH) {
        cm_limit_passed(err, ERR_NOWHERE, CM_COUNT_TYPE_DEPTH);
        return NULL;
    }
    if (parts > CM_LIMIT_TYPE_SIZE) {
        cm_limit_passed(err, ERR_NOWHERE, CM_COUNT_TYPE_SIZE);
        return NULL;
    }
    sum.parts = (uint32_t)parts;
    struct cm_type *node = node_new(types, &sum);
    return node ? node : full(err);
}

struct cm_var *cm_var_new(struct cm_types *types, uint32_t binder, struct err *err)
{
    if (types->nvars >= CM_LIMIT_RESOURCES) {
        cm_limit_passed(err, ERR_NOWHERE, CM_COUNT_RESOURCES);
        return NULL;
    }
    struct cm_var *var = region_new(types->region, struct cm_var);
    if (!var)
        return full(err);
    struct cm_type draft = {.kind = CM_RESOURCE, .depth = 1, .parts = 1, .flags = CM_RESOURCES};
    draft.var = var;
    var->binder = binder;
    var->node = node_new(types, &draft);
    types->nvars++;
    return var->node ? var : full(err);
}

struct cm_types *cm_types_new(struct region *region, struct types *core)
{
    struct cm_types *types = region_new(region, struct cm_types);
    if (!types)
        return NULL;
    types->region = region;
    types->core = core;
    types->symbols.region = region;
    for (unsigned k = 0; k < CM_PRIMS; k++) {
        struct cm_type draft = {
            .kind = (enum cm_kind)k, .flags = prim_flags[k], .depth = 1, .parts = 1};
        struct cm_type *node = node_new(types, &draft);
        if (!node)
            return NULL;
        cm_layout_fill(node, NULL);
        types->prims[k] = node;
    }
    return types;
}

/* --- Externs and lists of them ------------------------------------------------------------------
 */

uint16_t cm_extern_flags(const struct cm_extern *is)
{
    return is->sort == SORT_MODULE ? 0 : is->type->flags;
}

uint32_t cm_extern_parts(const struct cm_extern *is)
{
    return is->sort == SORT_MODULE ? 1 : is->type->parts;
}

const struct symbol_place *cm_decl_places(struct region *region, const struct cm_decl *decls,
                                          uint32_t count)
{
    struct symbol_place *places = region_array(region, struct symbol_place, count);
    if (!places)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        places[i] = (struct symbol_place){symbol_key(decls[i].name), i};
    symbol_sort(places, count);
    return places;
}

const struct cm_decl *cm_decl_find(const struct cm_decls *decls, const struct symbol *name)
{
    uint32_t i = symbol_search(decls->places, decls->count, symbol_key(name));
    return i == SYMBOL_ABSENT ? NULL : &decls->at[i];
}
