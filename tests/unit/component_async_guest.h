/* A component for tests of concurrency. Each built-in is an export of its own, so that a test says
 * step by step what the guest does: "s-NAME" of a synchronous type, "a-NAME" of an async one, both
 * func(a: u32, b: u32, c: u32) -> u64. So are the calls of two async functions of the host and of
 * the component's own async functions, its *workers*. Everything lies in one instance. */
#ifndef CARREL_TESTS_COMPONENT_ASYNC_GUEST_H
#define CARREL_TESTS_COMPONENT_ASYNC_GUEST_H

#include "tests/unit/component_fixture.h"

/* Types of the component. */
enum { T_STREAM, T_FUTURE, T_WORKER, T_SYNC, T_ASYNC, T_HOST, T_OWN_TYPES };

/* Core types of the modules, by parameters and result. */
enum { C_V, C_I_V, C_V_I, C_I_I, C_II_I, C_III_I, C_V_L, C_II_V, C_III_L, C_TYPES };

#define MEMORY_OPTION 3, 0
#define ASYNC_OPTION  6

/* BUILTIN(NAME, "name", core type, parameters, bytes of the definition...) */
/* clang-format off */
#define BUILTINS(BUILTIN)                                                                  \
    BUILTIN(BP_INC,      "bp-inc",      C_V,     0, 0x24)                                  \
    BUILTIN(BP_DEC,      "bp-dec",      C_V,     0, 0x25)                                  \
    BUILTIN(RETURN,      "return",      C_I_V,   1, 0x09, 0, 0x79, 0)                      \
    BUILTIN(TASK_CANCEL, "task-cancel", C_V,     0, 0x05)                                  \
    BUILTIN(GET,         "get",         C_V_I,   0, 0x0a, 0x7f, 0)                         \
    BUILTIN(SET,         "set",         C_I_V,   1, 0x0b, 0x7f, 0)                         \
    BUILTIN(SUB_CANCEL,  "sub-cancel",  C_I_I,   1, 0x06, 0)                               \
    BUILTIN(SUB_CANCEL_ASYNC, "sub-cancel-async", C_I_I, 1, 0x06, 1)                       \
    BUILTIN(SUB_DROP,    "sub-drop",    C_I_V,   1, 0x0d)                                  \
    BUILTIN(SET_NEW,     "set-new",     C_V_I,   0, 0x1f)                                  \
    BUILTIN(WAIT,        "wait",        C_II_I,  2, 0x20, 0, 0)                            \
    BUILTIN(POLL,        "poll",        C_II_I,  2, 0x21, 0, 0)                            \
    BUILTIN(SET_DROP,    "set-drop",    C_I_V,   1, 0x22)                                  \
    BUILTIN(JOIN,        "join",        C_II_V,  2, 0x23)                                  \
    BUILTIN(S_NEW,       "stream",      C_V_L,   0, 0x0e, T_STREAM)                        \
    BUILTIN(S_READ,      "read",        C_III_I, 3, 0x0f, T_STREAM, 2, MEMORY_OPTION, ASYNC_OPTION) \
    BUILTIN(S_WRITE,     "write",       C_III_I, 3, 0x10, T_STREAM, 2, MEMORY_OPTION, ASYNC_OPTION) \
    BUILTIN(S_WRITE_SYNC, "write-sync", C_III_I, 3, 0x10, T_STREAM, 1, MEMORY_OPTION)      \
    BUILTIN(S_CANCEL_READ, "cancel-read", C_I_I, 1, 0x11, T_STREAM, 0)                     \
    BUILTIN(S_CANCEL_WRITE, "cancel-write", C_I_I, 1, 0x12, T_STREAM, 0)                   \
    BUILTIN(S_DROP_READ, "drop-read",   C_I_V,   1, 0x13, T_STREAM)                        \
    BUILTIN(S_DROP_WRITE, "drop-write", C_I_V,   1, 0x14, T_STREAM)                        \
    BUILTIN(F_NEW,       "future",      C_V_L,   0, 0x15, T_FUTURE)                        \
    BUILTIN(F_READ,      "get-future",  C_II_I,  2, 0x16, T_FUTURE, 2, MEMORY_OPTION, ASYNC_OPTION) \
    BUILTIN(F_WRITE,     "put-future",  C_II_I,  2, 0x17, T_FUTURE, 2, MEMORY_OPTION, ASYNC_OPTION) \
    BUILTIN(F_CANCEL_READ, "cancel-get", C_I_I,  1, 0x18, T_FUTURE, 0)                     \
    BUILTIN(F_DROP_READ, "drop-get",    C_I_V,   1, 0x1a, T_FUTURE)                        \
    BUILTIN(F_DROP_WRITE, "drop-put",   C_I_V,   1, 0x1b, T_FUTURE)                        \
    BUILTIN(YIELD,       "yield",       C_V_I,   0, 0x0c, 0)

/* Functions of the host, lowered: async (n, address of the result) -> status; and synchronously. */
#define HOSTS(HOST)                                                                        \
    HOST(HOST_WAIT,      "host-wait",   C_II_I,  2, 0x01, 0, 0, 2, ASYNC_OPTION, MEMORY_OPTION, T_HOST) \
    HOST(HOST_SYNC,      "host-sync",   C_I_I,   1, 0x01, 0, 0, 0, T_HOST)

/* WORKER(NAME, "name", core type, with a callback, code): async functions () -> u32 of the component;
 * those with a callback are followed by it. */
#define WORKERS(WORKER)                                                                    \
    /* waits for an event in an empty set, for ever; if it is cancelled, it agrees */      \
    WORKER(PARK,         "park",        C_V_I,   true,  0x10, B_SET_NEW, 0x41, 4, 0x74, 0x41, 2, 0x72) \
    WORKER(PARK_CB,      "",            C_III_I, false, 0x20, 0, 0x41, 6, 0x46, 0x04, 0x40, 0x10, B_TASK_CANCEL, 0x05, \
                                                        0x41, 7, 0x10, B_RETURN, 0x0b, 0x41, 0) \
    /* yields three times, counting in its context, and returns 9 */                       \
    WORKER(SPIN,         "spin",        C_V_I,   true,  0x41, 3, 0x10, B_SET, 0x41, 1)     \
    WORKER(SPIN_CB,      "",            C_III_I, false, 0x10, B_GET, 0x41, 1, 0x6b, 0x10, B_SET, 0x10, B_GET, 0x04, 0x7f, \
                                                        0x41, 1, 0x05, 0x41, 9, 0x10, B_RETURN, 0x41, 0, 0x0b) \
    /* without a callback: returns 5, then goes on for a while */                          \
    WORKER(LATE,         "late",        C_V,     false, 0x41, 5, 0x10, B_RETURN, 0x10, B_YIELD, 0x1a, 0x10, B_YIELD, 0x1a) \
    /* without a callback: yields, then returns 4 */                                       \
    WORKER(SLOW,         "slow",        C_V,     false, 0x10, B_YIELD, 0x1a, 0x41, 4, 0x10, B_RETURN) \
    /* what a worker may not do */                                                         \
    WORKER(FORGET,       "forget",      C_V,     false, 0x01)                              \
    WORKER(TWICE,        "twice",       C_V,     false, 0x41, 1, 0x10, B_RETURN, 0x41, 1, 0x10, B_RETURN) \
    WORKER(QUIT,         "quit",        C_V,     false, 0x10, B_TASK_CANCEL)               \
    WORKER(CODE,         "code",        C_V_I,   true,  0x41, 3)                           \
    WORKER(CODE_CB,      "",            C_III_I, false, 0x41, 0)                           \
    /* the same, when it has yielded */                                                    \
    WORKER(LAPSE,        "lapse",       C_V_I,   true,  0x41, 1)                           \
    WORKER(LAPSE_CB,     "",            C_III_I, false, 0x41, 3)
/* clang-format on */

enum {
#define NAMED(name, ...) B_##name,
    BUILTINS(NAMED) NBUILTINS,
#undef NAMED
};
enum {
#define NAMED(name, ...) H_##name,
    HOSTS(NAMED) NHOSTS,
#undef NAMED
};
enum {
#define NAMED(name, ...) W_##name,
    WORKERS(NAMED) NWORKERS,
#undef NAMED
};

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

struct builtin_row {
    const char *name;
    uint8_t type;
    uint8_t params;
    const uint8_t *bytes;
    size_t len;
};

struct worker_row {
    const char *name;
    uint8_t type;
    bool callback;
    const uint8_t *code;
    size_t len;
};

static const struct builtin_row builtin_rows[] = {
#define ROW(name, text, type, params, ...) {text, type, params, BYTES(__VA_ARGS__)},
    BUILTINS(ROW) HOSTS(ROW)
#undef ROW
};
static const struct worker_row worker_rows[] = {
#define ROW(name, text, type, callback, ...) {text, type, callback, BYTES(__VA_ARGS__)},
    WORKERS(ROW)
#undef ROW
};

/* --- Modules ------------------------------------------------------------------------------------
 */

static inline void put_core_types(struct build *b)
{
    SECTION_OF(b, TYPES, C_TYPES, 0x60, 0, 0, 0x60, 1, 0x7f, 0, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 1,
               0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 1,
               0x7e, 0x60, 2, 0x7f, 0x7f, 0, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7e);
}

static inline void put_index_name(struct build *b, uint32_t i)
{
    char name[12];
    snprintf(name, sizeof name, "%u", i);
    put_name(b, name);
}

static inline void put_core_imports(struct build *b, uint32_t count, uint32_t nworkers)
{
    size_t section = begin_section(b, IMPORTS);
    put_u32(b, count + nworkers);
    for (uint32_t i = 0; i < count + nworkers; i++) {
        put_name(b, "h");
        put_index_name(b, i);
        PUT(b, 0, i < count ? builtin_rows[i].type : C_I_I);
    }
    end_part(b, section);
}

static inline void put_core_exports(struct build *b, uint32_t first, uint32_t count)
{
    size_t section = begin_section(b, EXPORTS);
    put_u32(b, count);
    for (uint32_t i = 0; i < count; i++) {
        put_index_name(b, i);
        put(b, 0);
        put_u32(b, first + i);
    }
    end_part(b, section);
}

/* The core functions of the workers. */
static inline struct build worker_module(void)
{
    struct build b;
    begin_module(&b);
    put_core_types(&b);
    put_core_imports(&b, NBUILTINS, 0);
    size_t section = begin_section(&b, FUNCTIONS);
    put(&b, NWORKERS);
    for (size_t i = 0; i < NWORKERS; i++)
        put(&b, worker_rows[i].type);
    end_part(&b, section);
    put_core_exports(&b, NBUILTINS, NWORKERS);
    section = begin_section(&b, CODE);
    put(&b, NWORKERS);
    for (size_t i = 0; i < NWORKERS; i++) {
        size_t body = begin_part(&b);
        put(&b, 0);
        put_bytes(&b, worker_rows[i].code, worker_rows[i].len);
        put(&b, 0x0b);
        end_part(&b, body);
    }
    end_part(&b, section);
    return b;
}

/* A function for each built-in, function of the host and worker, that calls it. */
static inline struct build driver_module(void)
{
    struct build b;
    uint32_t count = NBUILTINS + NHOSTS + NWORKERS;
    begin_module(&b);
    put_core_types(&b);
    put_core_imports(&b, NBUILTINS + NHOSTS, NWORKERS);
    size_t section = begin_section(&b, FUNCTIONS);
    put_u32(&b, count);
    for (size_t i = 0; i < count; i++)
        put(&b, C_III_L);
    end_part(&b, section);
    put_core_exports(&b, count, count);
    section = begin_section(&b, CODE);
    put_u32(&b, count);
    for (uint32_t i = 0; i < count; i++) {
        bool worker = i >= NBUILTINS + NHOSTS;
        uint8_t type = worker ? (uint8_t)C_I_I : builtin_rows[i].type;
        size_t body = begin_part(&b);
        put(&b, 0);
        uint8_t params = worker ? 1u : builtin_rows[i].params;
        for (uint8_t p = 0; p < params; p++)
            PUT(&b, 0x20, p);
        put(&b, 0x10);
        put_u32(&b, i);
        if (type == C_V || type == C_I_V || type == C_II_V)
            PUT(&b, 0x42, 0);
        else if (type != C_V_L)
            put(&b, 0xad);
        put(&b, 0x0b);
        end_part(&b, body);
    }
    end_part(&b, section);
    return b;
}

/* --- The component ------------------------------------------------------------------------------
 */

static inline void put_async_types(struct build *b)
{
    size_t section = begin_section(b, TYPE);
    put(b, T_OWN_TYPES + 1);
    PUT(b, 0x66, 1, 0x7d);    /* stream<u8> */
    PUT(b, 0x65, 1, 0x7d);    /* future<u8> */
    PUT(b, 0x43, 0, 0, 0x79); /* async func() -> u32 */
    PUT(b, 0x40, 3, 1, 'a', 0x79, 1, 'b', 0x79, 1, 'c', 0x79, 0, 0x77);
    PUT(b, 0x43, 3, 1, 'a', 0x79, 1, 'b', 0x79, 1, 'c', 0x79, 0, 0x77);
    PUT(b, 0x43, 1, 1, 'n', 0x79, 0, 0x79); /* async func(n: u32) -> u32 */
    PUT(b, 0x42, 2, 1, 0x43, 1, 1, 'n', 0x79, 0, 0x79, 4);
    put_extern_name(b, "wait");
    PUT(b, 1, 0);
    end_part(b, section);
    section = begin_section(b, IMPORT);
    put(b, 1);
    put_extern_name(b, "carrel:test/async@1.0.0");
    PUT(b, 5, T_OWN_TYPES);
    end_part(b, section);
    section = begin_section(b, ALIAS);
    PUT(b, 1, 1, 0, 0);
    put_name(b, "wait");
    end_part(b, section);
}

/* The module with the memory, and core memory 0. */
static inline void put_memory(struct build *b)
{
    struct build module;
    begin_module(&module);
    SECTION_OF(&module, MEMORIES, 1, 0, 1);
    SECTION_OF(&module, EXPORTS, 1, 1, 'm', 2, 0);
    put_nested(b, CORE_MODULE, &module);
    SECTION_OF(b, CORE_INSTANCE, 1, 0, 0, 0);
    SECTION_OF(b, ALIAS, 1, 0, 2, 1, 0, 1, 'm');
}

/* An instance of core functions [from, from + count) and [more, more + nmore), and of `module`
 * with it. */
static inline void put_core_instance(struct build *b, uint8_t module, uint32_t count, uint32_t more,
                                     uint32_t nmore, uint8_t instance)
{
    size_t section = begin_section(b, CORE_INSTANCE);
    PUT(b, 2, 1);
    put_u32(b, count + nmore);
    for (uint32_t i = 0; i < count + nmore; i++) {
        put_index_name(b, i);
        put(b, 0);
        put_u32(b, i < count ? i : more + i - count);
    }
    PUT(b, 0, module, 1, 1, 'h', 0x12, instance);
    end_part(b, section);
}

static inline void put_core_aliases(struct build *b, uint8_t instance, uint32_t count)
{
    size_t section = begin_section(b, ALIAS);
    put_u32(b, count);
    for (uint32_t i = 0; i < count; i++) {
        PUT(b, 0, 0, 1, instance);
        put_index_name(b, i);
    }
    end_part(b, section);
}

/* Lifts the workers, whose core functions begin at `core`, and lowers them again. */
static inline void put_workers(struct build *b, uint32_t core)
{
    size_t section = begin_section(b, CANON);
    put(b, 2 * NWORKERS);
    for (uint32_t i = 0; i < NWORKERS; i++) {
        /* A callback alone is no function to lift: the worker before it stands in. */
        uint32_t worker = worker_rows[i].type == C_III_I ? i - 1 : i;
        PUT(b, 0, 0);
        put_u32(b, core + worker);
        put(b, worker_rows[worker].callback ? 2 : 1);
        put(b, ASYNC_OPTION);
        if (worker_rows[worker].callback) {
            put(b, 7);
            put_u32(b, core + worker + 1);
        }
        put(b, T_WORKER);
    }
    for (unsigned i = 0; i < NWORKERS; i++)
        PUT(b, 1, 0, (uint8_t)(1 + i), 2, ASYNC_OPTION, MEMORY_OPTION);
    end_part(b, section);
}

static inline const char *driver_name(uint32_t i)
{
    if (i < NBUILTINS + NHOSTS)
        return builtin_rows[i].name;
    return worker_rows[i - NBUILTINS - NHOSTS].name;
}

/* Lifts and exports the drivers, twice. */
static inline void put_drivers(struct build *b, uint32_t core, uint32_t func)
{
    uint32_t count = NBUILTINS + NHOSTS + NWORKERS;
    uint32_t named = 0;
    size_t section = begin_section(b, CANON);
    put_u32(b, 2 * count);
    for (uint32_t i = 0; i < 2 * count; i++) {
        PUT(b, 0, 0);
        put_u32(b, core + i / 2);
        PUT(b, 0, i % 2 ? T_ASYNC : T_SYNC);
    }
    end_part(b, section);
    for (uint32_t i = 0; i < count; i++)
        named += driver_name(i)[0] ? 2 : 0;
    section = begin_section(b, EXPORT);
    put_u32(b, named);
    for (uint32_t i = 0; i < 2 * count; i++) {
        char name[40];
        if (!driver_name(i / 2)[0])
            continue;
        snprintf(name, sizeof name, "%c-%s", i % 2 ? 'a' : 's', driver_name(i / 2));
        put_extern_name(b, name);
        put(b, 1);
        put_u32(b, func + i);
        put(b, 0);
    }
    end_part(b, section);
}

static inline void build_async_guest(struct build *b)
{
    uint32_t plain = NBUILTINS + NHOSTS;
    begin_component(b);
    put_async_types(b);
    put_memory(b);
    size_t section = begin_section(b, CANON);
    put_u32(b, plain);
    for (size_t i = 0; i < plain; i++) {
        const struct builtin_row *row = &builtin_rows[i];
        put_bytes(b, row->bytes, row->len - (i >= NBUILTINS ? 1 : 0)); /* lower names no type */
    }
    end_part(b, section);
    struct build module = worker_module();
    put_nested(b, CORE_MODULE, &module);
    module = driver_module();
    put_nested(b, CORE_MODULE, &module);
    put_core_instance(b, 1, NBUILTINS, 0, 0, 1); /* core instances 1, 2 */
    put_core_aliases(b, 2, NWORKERS);            /* core functions from `plain` on */
    put_workers(b, plain);                       /* functions from 1 on, and core functions */
    put_core_instance(b, 2, plain, plain + NWORKERS, NWORKERS, 3);
    put_core_aliases(b, 4, plain + NWORKERS);
    put_drivers(b, plain + 2 * NWORKERS, 1 + NWORKERS);
}

/* --- Calls ----------------------------------------------------------------------------------
 */

struct guest {
    struct fixture f;
    struct cm_instance *instance;
    uint32_t args[3];
};

static inline void open_guest_with(struct guest *g, const struct host_table *table)
{
    struct build b;
    open_fixture(&g->f);
    build_async_guest(&b);
    g->instance = start_component(&g->f, &b, table);
    free(b.at);
}

static inline struct cm_call *begin(struct guest *g, const char *name, uint32_t a, uint32_t b,
                                    uint32_t c)
{
    const struct cm_func *func = cm_export_func(g->instance, (struct str){0}, str_of(name));
    if (!func)
        fail_msg("no export %s", name);
    memcpy(g->args, (const uint32_t[]){a, b, c}, sizeof g->args);
    struct cm_call *call = cm_call_new(g->f.store, func, g->args);
    assert_non_null(call);
    fiber_begin(g->f.vm, g->f.fiber, cm_call_func(call));
    return call;
}

static inline uint64_t end(struct guest *g, struct cm_call *call)
{
    if (fiber_run(g->f.vm, g->f.fiber) != FIBER_DONE)
        fail_msg("%s", vm_trap(g->f.vm)->text);
    uint64_t result = *(const uint64_t *)cm_call_result(call);
    cm_call_free(call);
    return result;
}

static inline uint64_t call(struct guest *g, const char *name, uint32_t a, uint32_t b, uint32_t c)
{
    return end(g, begin(g, name, a, b, c));
}

#define CALL(g, name, ...)       call_of(g, name, (const uint32_t[3]){__VA_ARGS__})
#define TRAPS(g, why, name, ...) traps(g, why, name, (const uint32_t[3]){__VA_ARGS__})

static inline uint64_t call_of(struct guest *g, const char *name, const uint32_t args[3])
{
    return call(g, name, args[0], args[1], args[2]);
}

/* It traps with that text, and the guest can be closed. */
static inline void traps(struct guest *g, const char *why, const char *name, const uint32_t args[3])
{
    begin(g, name, args[0], args[1], args[2]);
    assert_int_equal(fiber_run(g->f.vm, g->f.fiber), FIBER_TRAPPED);
    assert_string_equal(vm_trap(g->f.vm)->text, why);
    close_fixture(&g->f);
}

static inline uint32_t word(const struct guest *g, uint32_t at)
{
    const struct linear_memory *memory = g->instance->spaces[SORT_CORE_MEMORY][0];
    uint32_t value;
    memcpy(&value, memory->span.at + at, sizeof value);
    return value;
}

/* What a subtask's handle and state are. */
static inline uint32_t subtask(uint64_t status)
{
    return (uint32_t)status >> 4;
}

enum { STARTING, STARTED, RETURNED, CANCELLED_BEFORE_STARTED, CANCELLED_BEFORE_RETURNED };

/* Waits in a set for the one event of the waitable, with a function that can; gives the payload. */
static inline uint32_t wait_with(struct guest *g, const char *wait, uint32_t waitable,
                                 uint32_t code)
{
    uint32_t set = (uint32_t)CALL(g, "s-set-new", 0);
    CALL(g, "s-join", waitable, set);
    assert_int_equal(CALL(g, wait, set, 16), code);
    assert_int_equal(word(g, 16), waitable);
    CALL(g, "s-join", waitable, 0);
    CALL(g, "s-set-drop", set);
    return word(g, 20);
}

/* While a synchronous function waits, the tasks of its instance run. */
static inline uint32_t wait_one(struct guest *g, uint32_t waitable, uint32_t code)
{
    return wait_with(g, "s-wait", waitable, code);
}

#endif
