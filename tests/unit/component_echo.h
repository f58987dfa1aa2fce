/* Components that send a value through: `go: func(v: T) -> T`, for every T.
 *
 *   build_caller   go calls an imported `echo`, of the host or of another component
 *   build_echo     exports `echo`, which gives back what it gets
 *   build_pair     both of them, composed */
#ifndef CARREL_TESTS_COMPONENT_ECHO_H
#define CARREL_TESTS_COMPONENT_ECHO_H

#include "tests/unit/component_fixture.h"

#define ECHO_INTERFACE "carrel:test/echo@1.0.0"

/* Of the memory of build_caller: where results lie, and where realloc begins; the pages. */
#define RESULT_AT  UINT32_C(4096)
#define REALLOC_AT UINT32_C(65536)
#define PAGES      1024

/* realloc logs its arguments: their number at LOG_AT, then four words each. */
#define LOG_AT  UINT32_C(16)
#define LOG_MAX UINT32_C(200)

/* A memory and a realloc that gives new room at every call, and copies. Exports "m" and "r". */
static inline struct build build_memory(void)
{
    struct build b;
    begin_module(&b);
    SECTION_OF(&b, TYPES, 1, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f);
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    SECTION_OF(&b, MEMORIES, 1, 0, 0x80 | PAGES % 128, PAGES / 128);
    SECTION_OF(&b, GLOBALS, 1, 0x7f, 1, 0x41, 0x80, 0x80, 0x04, 0x0b);
    SECTION_OF(&b, EXPORTS, 2, 1, 'm', 2, 0, 1, 'r', 0, 0);
    size_t code = begin_section(&b, CODE);
    put(&b, 1);
    size_t body = begin_part(&b);
    PUT(&b, 1, 2, 0x7f); /* 4: the new block; 5: the number of calls */
    PUT(&b, 0x41, LOG_AT, 0x28, 2, 0, 0x22, 5);
    PUT(&b, 0x41, 0xc8, 1, 0x49, 0x04, 0x40); /* fewer than LOG_MAX */
    for (uint8_t i = 0; i < 4; i++)
        PUT(&b, 0x20, 5, 0x41, 4, 0x74, 0x20, i, 0x36, 2, (uint8_t)(LOG_AT + 4 + 4 * i));
    PUT(&b, 0x0b);
    PUT(&b, 0x41, LOG_AT, 0x20, 5, 0x41, 1, 0x6a, 0x36, 2, 0);
    /* block = (top + align - 1) & -align; top = block + size */
    PUT(&b, 0x23, 0, 0x20, 2, 0x6a, 0x41, 1, 0x6b, 0x41, 0, 0x20, 2, 0x6b, 0x71, 0x22, 4);
    PUT(&b, 0x20, 3, 0x6a, 0x24, 0);
    /* memory.copy(block, old, min(old size, size)) */
    PUT(&b, 0x20, 4, 0x20, 0, 0x20, 1, 0x20, 3, 0x20, 1, 0x20, 3, 0x49, 0x1b);
    PUT(&b, 0xfc, 10, 0, 0);
    PUT(&b, 0x20, 4, 0x0b);
    end_part(&b, body);
    end_part(&b, code);
    return b;
}

/* The core type of a function (T) -> T, lifted or lowered. */
static inline void put_core_type(struct build *b, const struct cm_layout *value, bool lowered)
{
    bool spilled = value->nflat > CM_FLAT_MAX;
    bool indirect = value->nflat > 1;
    uint8_t nparams = spilled ? 1 : value->nflat;
    PUT(b, 0x60, (uint8_t)(nparams + (lowered && indirect)));
    for (uint8_t i = 0; i < nparams; i++)
        put(b, spilled ? 0x7f : value->flat[i]);
    if (lowered && indirect)
        PUT(b, 0x7f, 0);
    else
        PUT(b, 1, indirect ? 0x7f : value->flat[0]);
}

/* Exports "go", which calls the import "h" "e" of a type (T) -> T with what it gets. */
static inline struct build build_pass(const struct cm_layout *value)
{
    struct build b;
    begin_module(&b);
    size_t types = begin_section(&b, TYPES);
    put(&b, 2);
    put_core_type(&b, value, true);
    put_core_type(&b, value, false);
    end_part(&b, types);
    SECTION_OF(&b, IMPORTS, 1, 1, 'h', 1, 'e', 0, 0);
    SECTION_OF(&b, FUNCTIONS, 1, 1);
    SECTION_OF(&b, EXPORTS, 1, 2, 'g', 'o', 0, 1);
    size_t code = begin_section(&b, CODE);
    put(&b, 1);
    size_t body = begin_part(&b);
    put(&b, 0);
    uint8_t nparams = value->nflat > CM_FLAT_MAX ? 1 : value->nflat;
    for (uint8_t i = 0; i < nparams; i++)
        PUT(&b, 0x20, i);
    if (value->nflat > 1)
        PUT(&b, 0x41, 0x80, 0x20); /* RESULT_AT */
    PUT(&b, 0x10, 0);
    if (value->nflat > 1)
        PUT(&b, 0x41, 0x80, 0x20);
    put(&b, 0x0b);
    end_part(&b, body);
    end_part(&b, code);
    return b;
}

/* Exports "go", the identity. */
static inline struct build build_identity(const struct cm_layout *value)
{
    struct build b;
    assert_true(value->nflat == 1 || value->nflat > CM_FLAT_MAX);
    begin_module(&b);
    size_t types = begin_section(&b, TYPES);
    put(&b, 1);
    put_core_type(&b, value, false);
    end_part(&b, types);
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    SECTION_OF(&b, EXPORTS, 1, 2, 'g', 'o', 0, 0);
    SECTION_OF(&b, CODE, 1, 4, 0, 0x20, 0, 0x0b);
    return b;
}

/* Instantiates module 0, a memory, and gives core memory 0 and core function 0, its realloc. */
static inline void put_memory_of(struct build *b, struct build (*build)(void))
{
    struct build memory = build();
    put_nested(b, CORE_MODULE, &memory);
    SECTION_OF(b, CORE_INSTANCE, 1, 0, 0, 0);
    SECTION_OF(b, ALIAS, 2, 0, 2, 1, 0, 1, 'm', 0, 0, 1, 0, 1, 'r');
}

static inline void put_memory(struct build *b)
{
    put_memory_of(b, build_memory);
}

/* Options: memory 0, realloc 0, an encoding. */
#define PUT_OPTIONS(b, encoding) PUT(b, 3, (uint8_t)(encoding), 3, 0, 4, 0)

/* Lifts core function `core` as function `func` of a type, and exports it. */
static inline void put_lifted(struct build *b, const char *name, uint32_t core, uint32_t type,
                              enum cm_encoding encoding, uint32_t func)
{
    size_t canon = begin_section(b, CANON);
    PUT(b, 1, 0, 0);
    put_u32(b, core);
    PUT_OPTIONS(b, encoding);
    put_u32(b, type);
    end_part(b, canon);
    size_t exports = begin_section(b, EXPORT);
    put(b, 1);
    put_extern_name(b, name);
    put(b, 1);
    put_u32(b, func);
    put(b, 0);
    end_part(b, exports);
}

static inline void build_caller(struct build *b, const struct cm_type *value,
                                enum cm_encoding encoding)
{
    begin_component(b);
    struct build decls = {0};
    struct encoder e = {.to = &decls, .declarations = true};
    uint32_t v = export_type(&e, "v", encode_type(&e, value));
    uint32_t echo = encode_echo(&e, v);
    put(&decls, 4);
    put_extern_name(&decls, "echo");
    put(&decls, 1);
    put_u32(&decls, echo);
    size_t types = begin_section(b, TYPE);
    PUT(b, 1, 0x42);
    put_u32(b, e.ndecls + 1);
    put_bytes(b, decls.at, decls.len);
    free(decls.at);
    end_part(b, types);
    size_t import = begin_section(b, IMPORT);
    put(b, 1);
    put_extern_name(b, ECHO_INTERFACE);
    PUT(b, 5, 0);
    end_part(b, import);
    SECTION_OF(b, ALIAS, 2, 3, 0, 0, 1, 'v', 1, 0, 0, 4, 'e', 'c', 'h', 'o');
    struct encoder own = {.to = b, .ntypes = 2};
    uint32_t go = encode_echo(&own, 1);
    put_memory(b);
    size_t canon = begin_section(b, CANON);
    PUT(b, 1, 1, 0, 0);
    PUT_OPTIONS(b, encoding);
    end_part(b, canon);
    struct build pass = build_pass(&value->canon->layout);
    put_nested(b, CORE_MODULE, &pass);
    SECTION_OF(b, CORE_INSTANCE, 2, 1, 1, 1, 'e', 0, 1, 0, 1, 1, 1, 'h', 0x12, 1);
    SECTION_OF(b, ALIAS, 1, 0, 0, 1, 2, 2, 'g', 'o');
    put_lifted(b, "go", 2, go, encoding, 1);
}

static inline void build_echo(struct build *b, const struct cm_type *value,
                              enum cm_encoding encoding)
{
    begin_component(b);
    struct encoder e = {.to = b};
    uint32_t v = export_type(&e, "v", encode_type(&e, value));
    uint32_t echo = encode_echo(&e, v);
    put_memory(b);
    struct build identity = build_identity(&value->canon->layout);
    put_nested(b, CORE_MODULE, &identity);
    SECTION_OF(b, CORE_INSTANCE, 1, 0, 1, 0);
    SECTION_OF(b, ALIAS, 1, 0, 0, 1, 1, 2, 'g', 'o');
    put_lifted(b, "echo", 1, echo, encoding, 0);
}

static inline void build_pair(struct build *b, const struct cm_type *value, enum cm_encoding outer,
                              enum cm_encoding inner)
{
    struct build echo;
    struct build caller;
    build_echo(&echo, value, inner);
    build_caller(&caller, value, outer);
    begin_component(b);
    put_nested(b, COMPONENT, &echo);
    put_nested(b, COMPONENT, &caller);
    size_t instances = begin_section(b, INSTANCE);
    PUT(b, 2, 0, 0, 0, 0, 1, 1);
    put_name(b, ECHO_INTERFACE);
    PUT(b, 5, 0);
    end_part(b, instances);
    SECTION_OF(b, ALIAS, 1, 1, 0, 1, 2, 'g', 'o');
    struct encoder e = {.to = b};
    uint32_t v = export_type(&e, "v", encode_type(&e, value));
    uint32_t go = encode_echo(&e, v);
    size_t exports = begin_section(b, EXPORT);
    put(b, 1);
    put_extern_name(b, "go");
    PUT(b, 1, 0, 1, 1);
    put_u32(b, go);
    end_part(b, exports);
}

/* --- Calls --------------------------------------------------------------------------------------
 */

/* Text that grows as WAVE puts pieces to it. */
struct shown {
    char text[1 << 16];
    size_t len;
};

static inline void show_piece(void *data, struct str piece)
{
    struct shown *shown = data;
    assert_true(piece.len < sizeof shown->text - shown->len);
    memcpy(shown->text + shown->len, piece.at, piece.len);
    shown->len += piece.len;
    shown->text[shown->len] = 0;
}

/* Calls an exported function with WAVE text; FIBER_DONE: *ret_shown is the result. */
static inline enum fiber_state call_text(struct fixture *f, struct cm_instance *instance,
                                         const char *name, const char *args,
                                         struct shown *ret_shown)
{
    const struct cm_func *func = cm_export_typed(instance, str_of(name), NULL);
    assert_non_null(func);
    struct host_scratch scratch = {.store = f->store};
    void *values = scratch_take(&scratch, func->type->layout.host_size);
    memset(values, 0, func->type->layout.host_size);
    f->err = (struct err){0};
    if (wave_args_read(func->type, str_of(args), values, &scratch, &f->err) != 0)
        fail_msg("%s at %llu: %s", args, (unsigned long long)f->err.offset, f->err.text);
    struct cm_call *call = cm_call_new(f->store, func, values);
    assert_non_null(call);
    fiber_begin(f->vm, f->fiber, cm_call_func(call));
    enum fiber_state state = fiber_run(f->vm, f->fiber);
    *ret_shown = (struct shown){0};
    if (state == FIBER_DONE && func->type->result) {
        const struct wave_out out = {show_piece, ret_shown};
        wave_show(func->type->result, cm_call_result(call), &out);
    }
    cm_call_free(call);
    scratch_release(&scratch);
    return state;
}

/* The same, and the result is that text. */
static inline void expect_call(struct fixture *f, struct cm_instance *instance, const char *name,
                               const char *args, const char *result)
{
    static struct shown shown;
    if (call_text(f, instance, name, args, &shown) != FIBER_DONE)
        fail_msg("%s%s: %s %s", name, args, trap_text(vm_trap(f->vm)->kind), vm_trap(f->vm)->text);
    assert_string_equal(shown.text, result);
}

#endif
