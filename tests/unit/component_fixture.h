/* A store for component tests, and components built byte by byte. Types are written in WIT text and
 * encoded from there, so one list of texts makes a component, a host's table and a test's values.
 */
#ifndef CARREL_TESTS_COMPONENT_FIXTURE_H
#define CARREL_TESTS_COMPONENT_FIXTURE_H

#include "tests/unit/wasm_fixture.h"

#include "engine/component/demand.h"
#include "engine/component/link.h"
#include "engine/component/show.h"
#include "engine/component/wave.h"
#include "engine/component/wit.h"

/* --- A store ------------------------------------------------------------------------------------
 */

#define ARENA_SIZE ((size_t)1 << 34) /* of address space */

struct fixture {
    struct store core;
    struct err err;
    struct cm_types *types;
    void *arena;
    struct vm *vm;
    struct cm_store *store;
    struct fiber *fiber;
};

static inline void open_types(struct fixture *f)
{
    *f = (struct fixture){0};
    open_store(&f->core);
    f->types = cm_types_new(&f->core.image, f->core.types);
    assert_non_null(f->types);
}

static inline void open_fixture(struct fixture *f)
{
    static const struct vm_limits limits = {
        .memory_bytes = ARENA_SIZE / 2,
        .gc_bytes = ARENA_SIZE / 8,
        .table_elements = 1 << 20,
        .stack_bytes = 1 << 20,
        .heap_bytes = (uint64_t)1 << 31,
        .fuel = UINT64_MAX,
        .instances = 1000,
        .memories = 1000,
        .tables = 1000,
    };
    open_types(f);
    f->arena = reserve(ARENA_SIZE);
    f->vm = vm_new(f->core.types, &f->core.image, f->arena, ARENA_SIZE, &limits);
    assert_non_null(f->vm);
    f->store = cm_store_new(f->vm, f->types);
    f->fiber = fiber_new(f->vm);
    assert_non_null(f->store);
    assert_non_null(f->fiber);
}

static inline void close_fixture(struct fixture *f)
{
    if (f->arena)
        munmap(f->arena, ARENA_SIZE);
    close_store(&f->core);
}

/* Decodes a copy that stays; NULL and f->err. */
static inline const struct component *read_component(struct fixture *f, const struct build *b)
{
    f->err = (struct err){0};
    uint8_t *copy = region_copy(&f->core.image, b->at, b->len, 1);
    assert_non_null(copy);
    const struct component *component =
        component_read((struct bytes){copy, b->len}, copy, f->types, &f->core.scratch, &f->err);
    assert_int_equal(component == NULL, f->err.kind != ERR_NONE);
    assert_ptr_equal(f->core.scratch.at, f->core.scratch.base);
    return component;
}

/* Reads it, and says what is wrong if it should be good. */
static inline const struct component *good_component(struct fixture *f, const struct build *b)
{
    const struct component *component = read_component(f, b);
    if (!component)
        fail_msg("%s at %#llx: %s", err_word(f->err.kind), (unsigned long long)f->err.offset,
                 f->err.text);
    return component;
}

/* An instance, ready to be called. NULL and f->err: it does not link. */
static inline struct cm_instance *link_component(struct fixture *f, const struct build *b,
                                                 const struct host_table *table)
{
    const struct component *component = good_component(f, b);
    struct region *scratch = &f->core.scratch;
    uint8_t *mark = region_mark(scratch);
    struct cm_linker linker = {.store = f->store, .scratch = scratch};
    if (table) {
        linker.host = cm_host_new(f->store, scratch, table);
        assert_non_null(linker.host);
    }
    f->err = (struct err){0};
    struct cm_instance *instance = cm_link(&linker, component, NULL, &f->err);
    region_release(scratch, mark);
    return instance;
}

static inline struct cm_instance *start_component(struct fixture *f, const struct build *b,
                                                  const struct host_table *table)
{
    struct cm_instance *instance = link_component(f, b, table);
    if (!instance)
        fail_msg("%s: %s", err_word(f->err.kind), f->err.text);
    fiber_begin(f->vm, f->fiber, cm_instance_initializer(instance));
    if (fiber_run(f->vm, f->fiber) != FIBER_DONE)
        fail_msg("instantiation: %s (%s)", trap_text(vm_trap(f->vm)->kind), vm_trap(f->vm)->text);
    return instance;
}

/* --- Types from WIT text ------------------------------------------------------------------------
 */

/* Named types, each of those before it or of its own; the last one is what a test is about. */
struct wit {
    const char *name;
    const char *text;
};

#define WITS 16

struct wits {
    struct fixture *fixture;
    const struct wit *rows;
    const struct cm_type *types[WITS];
    size_t count;
};

static inline const struct cm_type *wits_find(void *data, struct str name, struct err *err)
{
    struct wits *wits = data;
    for (size_t i = 0; i < wits->count; i++)
        if (str_is(name, wits->rows[i].name))
            return wits->types[i];
    err_set(err, ERR_FAULT, ERR_NOWHERE, "no type " STR_FMT, STR_ARG(name));
    return NULL;
}

static inline const struct cm_type *wits_read(struct wits *wits, const char *text)
{
    struct fixture *f = wits->fixture;
    f->err = (struct err){0};
    const struct cm_type *type =
        wit_read(f->types, &f->core.scratch, str_of(text), wits_find, wits, &f->err);
    if (!type)
        fail_msg("%s: %s", text, f->err.text);
    assert_ptr_equal(f->core.scratch.at, f->core.scratch.base);
    return type;
}

static inline struct wits wits_of(struct fixture *f, const struct wit *rows, size_t count)
{
    struct wits wits = {.fixture = f, .rows = rows};
    assert_in_range(count, 0, WITS);
    for (size_t i = 0; i < count; i++) {
        wits.types[i] = wits_read(&wits, rows[i].text);
        wits.count++;
    }
    return wits;
}

/* A value type that needs no names. */
static inline const struct cm_type *wit_type(struct fixture *f, const char *text)
{
    struct wits none = {.fixture = f};
    return wits_read(&none, text)->canon;
}

/* --- A component in the making ------------------------------------------------------------------
 */

/* Section ids. */
enum {
    CORE_MODULE = 1,
    CORE_INSTANCE = 2,
    CORE_TYPE = 3,
    COMPONENT = 4,
    INSTANCE = 5,
    ALIAS = 6,
    TYPE = 7,
    CANON = 8,
    IMPORT = 10,
    EXPORT = 11,
};

static inline void begin_component(struct build *b)
{
    *b = (struct build){0};
    PUT(b, 0, 'a', 's', 'm', 0x0d, 0, 1, 0);
}

static inline void put_label(struct build *b, struct str label)
{
    put_u32(b, (uint32_t)label.len);
    put_bytes(b, label.at, label.len);
}

/* `externname` */
static inline void put_extern_name(struct build *b, const char *name)
{
    put(b, 0);
    put_name(b, name);
}

/* Another component or module as a section. */
static inline void put_nested(struct build *b, uint8_t section, const struct build *nested)
{
    put(b, section);
    put_u32(b, (uint32_t)nested->len);
    put_bytes(b, nested->at, nested->len);
    free(nested->at);
}

static inline uint8_t kind_opcode(enum cm_kind kind)
{
    static const uint16_t opcodes[] = {
#define PRIM(name, opcode, ...) opcode,
#define KIND(name, opcode, ...) opcode,
#include "engine/component/kind.def"
    };
    return (uint8_t)opcodes[kind];
}

/* Types on their way into a component, or into an instance type within it. Types that need a name
 * are exported as "t0", "t1", ... */
struct encoder {
    struct build *to;
    bool declarations; /* of an instance type */
    uint32_t ntypes;   /* in the index space */
    uint32_t nnames;
    uint32_t ndecls;
};

static inline size_t begin_type(struct encoder *e)
{
    e->ndecls++;
    if (e->declarations) {
        put(e->to, 1);
        return 0;
    }
    size_t start = begin_section(e->to, TYPE);
    put(e->to, 1);
    return start;
}

static inline uint32_t end_type(struct encoder *e, size_t start)
{
    if (start)
        end_part(e->to, start);
    return e->ntypes++;
}

/* Exports a type under a name; gives its new index. */
static inline uint32_t export_type(struct encoder *e, const char *name, uint32_t index)
{
    e->ndecls++;
    if (e->declarations) {
        put(e->to, 4);
        put_extern_name(e->to, name);
        PUT(e->to, 3, 0);
        put_u32(e->to, index);
    } else {
        size_t start = begin_section(e->to, EXPORT);
        put(e->to, 1);
        put_extern_name(e->to, name);
        put(e->to, 3);
        put_u32(e->to, index);
        put(e->to, 0);
        end_part(e->to, start);
    }
    return e->ntypes++;
}

/* A `valtype`: below 0, the opcode of a primitive type as a negative number; else an index. */
static inline int64_t encode_value(struct encoder *e, const struct cm_type *type);

static inline void put_value(struct build *b, int64_t value)
{
    if (value < 0)
        put(b, (uint8_t)-value);
    else if (value < 0x40)
        put(b, (uint8_t)value);
    else
        PUT(b, (uint8_t)(value | 0x80), (uint8_t)(value >> 7)); /* signed */
}

static inline void put_optional(struct build *b, const struct cm_type *type, int64_t value)
{
    put(b, type != NULL);
    if (type)
        put_value(b, value);
}

/* What stands behind the opcode; `parts` are its parts, encoded. */
static inline void put_parts(struct build *b, const struct cm_type *type, const int64_t *parts)
{
    uint32_t count = cm_part_count(type);
    switch (type->kind) {
    case CM_OPTION: put_value(b, parts[1]); return;
    case CM_RESULT:
        for (uint32_t i = 0; i < 2; i++)
            put_optional(b, cm_part_at(type, i).type, parts[i]);
        return;
    case CM_LIST: put_value(b, parts[0]); return;
    case CM_MAP:
        put_value(b, parts[0]);
        put_value(b, parts[1]);
        return;
    case CM_FIXED_LIST:
        put_value(b, parts[0]);
        put_u32(b, type->length);
        return;
    case CM_STREAM:
    case CM_FUTURE: put_optional(b, type->element, count ? parts[0] : 0); return;
    default: break;
    }
    put_u32(b, count);
    for (uint32_t i = 0; i < count; i++) {
        struct cm_part part = cm_part_at(type, i);
        if (part.label)
            put_label(b, part.label->text);
        if (type->kind == CM_VARIANT)
            put_optional(b, part.type, parts[i]);
        else if (part.type)
            put_value(b, parts[i]);
        if (type->kind == CM_VARIANT)
            put(b, 0);
    }
}

static inline int64_t encode_value(struct encoder *e, const struct cm_type *type)
{
    char name[16];
    if (type->kind < CM_PRIMS)
        return -(int64_t)kind_opcode(type->kind);
    const struct cm_type *whole = type->kind == CM_MAP ? type->element : type; /* has the parts */
    uint32_t count = cm_part_count(whole);
    int64_t *parts = calloc(count + 1, sizeof *parts);
    assert_non_null(parts);
    for (uint32_t i = 0; i < count; i++)
        if (cm_part_at(whole, i).type)
            parts[i] = encode_value(e, cm_part_at(whole, i).type);
    size_t start = begin_type(e);
    put(e->to, kind_opcode(type->kind));
    put_parts(e->to, type, parts);
    free(parts);
    uint32_t index = end_type(e, start);
    switch (type->kind) {
    case CM_RECORD:
    case CM_VARIANT:
    case CM_ENUM:
    case CM_FLAGS:
        snprintf(name, sizeof name, "t%u", e->nnames++);
        return export_type(e, name, index);
    default: return index;
    }
}

/* The same as a type definition of its own; gives its index. */
static inline uint32_t encode_type(struct encoder *e, const struct cm_type *type)
{
    int64_t value = encode_value(e, type);
    if (value >= 0)
        return (uint32_t)value;
    size_t start = begin_type(e);
    put_value(e->to, value);
    return end_type(e, start);
}

/* A function type; gives its index. */
static inline uint32_t encode_func(struct encoder *e, const struct cm_type *func)
{
    int64_t params[16];
    int64_t result = func->result ? encode_value(e, func->result) : 0;
    assert_in_range(func->nparams, 0, countof(params));
    for (uint32_t i = 0; i < func->nparams; i++)
        params[i] = encode_value(e, func->params[i].type);
    size_t start = begin_type(e);
    put(e->to, func->async ? 0x43 : 0x40);
    put_u32(e->to, func->nparams);
    for (uint32_t i = 0; i < func->nparams; i++) {
        put_label(e->to, func->params[i].label->text);
        put_value(e->to, params[i]);
    }
    put(e->to, func->result == NULL);
    if (func->result)
        put_value(e->to, result);
    else
        put(e->to, 0);
    return end_type(e, start);
}

/* The type func(v: T) -> T of a type with that index. */
static inline uint32_t encode_echo(struct encoder *e, uint32_t type)
{
    size_t start = begin_type(e);
    PUT(e->to, 0x40, 1);
    put_name(e->to, "v");
    put_value(e->to, type);
    put(e->to, 0);
    put_value(e->to, type);
    return end_type(e, start);
}

#endif
