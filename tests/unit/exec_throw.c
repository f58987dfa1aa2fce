/* engine/exec/unwind and engine/wasm/tr_try: exceptions, in the standard form and in the one
 * before. */
#include "tests/unit/exec_fixture.h"

/* Bytes of the binary format. */
enum {
    UNREACHABLE = 0x00,
    BLOCK = 0x02,
    LOOP = 0x03,
    IF = 0x04,
    TRY = 0x06,
    CATCH = 0x07,
    THROW = 0x08,
    RETHROW = 0x09,
    THROW_REF = 0x0a,
    END = 0x0b,
    BR = 0x0c,
    BR_IF = 0x0d,
    CALL = 0x10,
    CALL_INDIRECT = 0x11,
    RETURN_CALL = 0x12,
    DELEGATE = 0x18,
    CATCH_ALL = 0x19,
    DROP = 0x1a,
    TRY_TABLE = 0x1f,
    LOCAL_GET = 0x20,
    LOCAL_SET = 0x21,
    I32_CONST = 0x41,
    I32_EQZ = 0x45,
    I32_ADD = 0x6a,
    I32_SUB = 0x6b,
    REF_NULL = 0xd0,
    VOID = 0x40,
    I32 = 0x7f,
    I64 = 0x7e,
    V128 = 0x7b,
    EXNREF = 0x69,
};
enum { ON_TAG, ON_TAG_REF, ON_ALL, ON_ALL_REF }; /* of clauses */

/* The types that every module here has. */
enum { NONE, INT, INT_INT, GIVES_INT, INT_AND_EXN, MANY, VECTORS };

/* The tags: of no values, of an i32, of an i32 too. */
enum { TAG_EMPTY, TAG_INT, TAG_OTHER, TAG_MANY };

static void begin_types(struct build *b)
{
    begin_module(b);
    SECTION_OF(b, TYPES, 7, 0x60, 0, 0, 0x60, 1, I32, 0, 0x60, 1, I32, 1, I32, 0x60, 0, 1, I32,
               0x60, 0, 2, I32, EXNREF, 0x60, 3, I64, V128, I32, 0, 0x60, 0, 3, I64, V128, I32);
}

/* Functions of these types, all exported, and a table of them. */
static void begin_functions(struct build *b, const uint8_t *types, uint8_t count)
{
    begin_types(b);
    size_t start = begin_section(b, FUNCTIONS);
    put(b, count);
    put_bytes(b, types, count);
    end_part(b, start);
    SECTION_OF(b, TABLES, 1, 0x70, 0, 10);
    SECTION_OF(b, TAGS, 4, 0, NONE, 0, INT, 0, INT, 0, MANY);
    export_functions(b, count);
    start = begin_section(b, ELEMENTS);
    PUT(b, 1, 0, I32_CONST, 0, END, count);
    for (uint8_t i = 0; i < count; i++)
        put(b, i);
    end_part(b, start);
}
#define FUNCTIONS_OF(b, ...)                                                                       \
    begin_functions(b, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

struct test {
    struct machine_room room;
    struct build b;
    size_t bodies;
    struct instance *instance;
};

static void begin_test(struct test *t)
{
    *t = (struct test){0};
    open_room(&t->room, &usual_limits);
}

static void link_test(struct test *t)
{
    end_part(&t->b, t->bodies);
    t->instance = instantiate(&t->room, &t->b, NULL, FIBER_DONE);
}

static struct func *of(struct test *t, uint32_t export)
{
    return function(t->instance, export);
}

static void end_test(struct test *t)
{
    close_room(&t->room);
    free(t->b.at);
}

/* --- try_table ----------------------------------------------------------------------------------
 */

/* Throws what it is given, through calls of every kind. */
static void through_calls(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT, INT, INT, INT_INT, INT_INT);
    t.bodies = begin_bodies(&t.b, 5);
    BODY(&t.b, 0, LOCAL_GET, 0, THROW, TAG_INT);
    BODY(&t.b, 0, LOCAL_GET, 0, CALL, 0);
    BODY(&t.b, 0, LOCAL_GET, 0, I32_CONST, 1, CALL_INDIRECT, INT, 0);
    BODY(&t.b, 0, BLOCK, I32, TRY_TABLE, VOID, 1, ON_TAG, TAG_INT, 0, LOCAL_GET, 0, CALL, 2, END,
         I32_CONST, 9, END);
    /* A tail call leaves the function: its try does not see what is thrown. */
    BODY(&t.b, 0, BLOCK, I32, TRY_TABLE, VOID, 1, ON_TAG, TAG_INT, 0, LOCAL_GET, 0, RETURN_CALL, 3,
         END, UNREACHABLE, END, I32_CONST, 1, I32_ADD);
    link_test(&t);
    assert_returns(&t.room, of(&t, 3), ARGS(42), 42);
    assert_returns(&t.room, of(&t, 4), ARGS(43), 43);
    assert_traps(&t.room, of(&t, 2), ARGS(1), TRAP_EXCEPTION);
    const struct trap *trap = vm_trap(t.room.vm);
    assert_int_equal(trap->depth, 3);
    assert_int_equal(trap->frames[0].func, 0);
    assert_int_equal(trap->frames[2].func, 2);
    assert_int_equal(t.b.at[trap->frames[0].offset], THROW);
    end_test(&t);
}

/* A clause whose label is the function: who calls it has the result in the accumulator as well. */
static void caught_by_the_function(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT_INT, INT_INT);
    t.bodies = begin_bodies(&t.b, 2);
    BODY(&t.b, 0, TRY_TABLE, I32, 1, ON_TAG, TAG_INT, 0, LOCAL_GET, 0, THROW, TAG_INT, END);
    BODY(&t.b, 0, LOCAL_GET, 0, CALL, 0, I32_CONST, 1, I32_ADD);
    link_test(&t);
    assert_returns(&t.room, of(&t, 1), ARGS(41), 42);
    end_test(&t);
}

/* A tail call in a try, to a function that throws. */
static void tail_call_is_outside(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT_INT, INT_INT, INT_INT);
    t.bodies = begin_bodies(&t.b, 3);
    BODY(&t.b, 0, LOCAL_GET, 0, THROW, TAG_INT);
    BODY(&t.b, 0, BLOCK, I32, TRY_TABLE, VOID, 1, ON_TAG, TAG_INT, 0, LOCAL_GET, 0, RETURN_CALL, 0,
         END, UNREACHABLE, END);
    BODY(&t.b, 0, BLOCK, I32, TRY_TABLE, VOID, 1, ON_TAG, TAG_INT, 0, LOCAL_GET, 0, CALL, 1, DROP,
         END, UNREACHABLE, END, I32_CONST, 1, I32_ADD);
    link_test(&t);
    assert_traps(&t.room, of(&t, 1), ARGS(5), TRAP_EXCEPTION);
    assert_returns(&t.room, of(&t, 2), ARGS(5), 6);
    end_test(&t);
}

/* Which clause is taken: the first that fits, of the innermost try_table that has one. */
static void clauses_in_order(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT, INT_INT);
    t.bodies = begin_bodies(&t.b, 2);
    /* 0: no values, 1: tag 1, 2: tag 2, else nothing is thrown */
    BODY(&t.b, 0, BLOCK, VOID, LOCAL_GET, 0, BR_IF, 0, THROW, TAG_EMPTY, END, /* */
         BLOCK, VOID, LOCAL_GET, 0, I32_CONST, 1, I32_SUB, BR_IF, 0, I32_CONST, 10, THROW, TAG_INT,
         END, /* */
         BLOCK, VOID, LOCAL_GET, 0, I32_CONST, 2, I32_SUB, BR_IF, 0, I32_CONST, 20, THROW,
         TAG_OTHER, END);
    BODY(&t.b, 0, BLOCK, VOID, BLOCK, I32, BLOCK, I32,                                     /* */
         TRY_TABLE, VOID, 1, ON_ALL, 2,                                                    /* */
         TRY_TABLE, VOID, 3, ON_TAG, TAG_INT, 1, ON_TAG, TAG_INT, 2, ON_TAG, TAG_OTHER, 2, /* */
         LOCAL_GET, 0, CALL, 0, END, END, I32_CONST, 7, 0x0f, END, /* tag 1 */
         I32_CONST, 1, I32_ADD, 0x0f, END,                         /* tag 2 */
         I32_CONST, 2, I32_ADD, 0x0f, END, I32_CONST, 0);
    link_test(&t);
    assert_returns(&t.room, of(&t, 1), ARGS(0), 0);
    assert_returns(&t.room, of(&t, 1), ARGS(1), 11);
    assert_returns(&t.room, of(&t, 1), ARGS(2), 22);
    assert_returns(&t.room, of(&t, 1), ARGS(3), 7);
    end_test(&t);
}

/* A label may be the function's own, or that of a loop. */
static void labels_of_all_kinds(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT_INT, INT_INT, MANY, VECTORS);
    t.bodies = begin_bodies(&t.b, 4);
    BODY(&t.b, 0, TRY_TABLE, VOID, 1, ON_TAG, TAG_INT, 0, LOCAL_GET, 0, THROW, TAG_INT, END,
         UNREACHABLE);
    /* Counts down by throwing back to the loop. */
    BODY(&t.b, 1, 1, I32, I32_CONST, 0, LOOP, INT_INT, LOCAL_SET, 1, LOCAL_GET, 0, I32_EQZ, IF,
         VOID, LOCAL_GET, 1, 0x0f, END, LOCAL_GET, 0, I32_CONST, 1, I32_SUB, LOCAL_SET, 0,
         TRY_TABLE, VOID, 1, ON_TAG, TAG_INT, 0, LOCAL_GET, 1, I32_CONST, 3, I32_ADD, THROW,
         TAG_INT, END, UNREACHABLE, END);
    BODY(&t.b, 0, LOCAL_GET, 0, LOCAL_GET, 1, LOCAL_GET, 2, THROW, TAG_MANY);
    BODY(&t.b, 0, TRY_TABLE, VOID, 1, ON_TAG, TAG_MANY, 0, 0x42, 1, 0xfd, 12, 2, 0, 0, 0, 0, 0, 0,
         0, 3, 0, 0, 0, 0, 0, 0, 0, I32_CONST, 4, CALL, 2, END, UNREACHABLE);
    link_test(&t);
    assert_returns(&t.room, of(&t, 0), ARGS(77), 77);
    assert_returns(&t.room, of(&t, 1), ARGS(1000), 3000);
    assert_returns(&t.room, of(&t, 3), NULL, 0, 1);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(fiber_results(t.room.fiber)[i].u64, i + 1);
    end_test(&t);
}

/* What lies on the stack below a try survives, wherever it was kept; locals have what was last set.
 */
static void operands_survive(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT, INT_INT);
    t.bodies = begin_bodies(&t.b, 2);
    BODY(&t.b, 0, I32_CONST, 33, LOCAL_SET, 0, LOCAL_GET, 0, THROW, TAG_INT);
    BODY(&t.b, 0, LOCAL_GET, 0, LOCAL_GET, 0, I32_CONST, 1, I32_ADD, I32_CONST, 5, /* */
         BLOCK, I32, TRY_TABLE, VOID, 1, ON_TAG, TAG_INT, 0, I32_CONST, 50, LOCAL_SET, 0, LOCAL_GET,
         0, CALL, 0, END, UNREACHABLE, END, /* */
         I32_ADD, I32_ADD, I32_ADD, LOCAL_GET, 0, I32_ADD);
    link_test(&t);
    assert_returns(&t.room, of(&t, 1), ARGS(1), 1 + 2 + 5 + 33 + 50);
    end_test(&t);
}

static void references(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT, INT_INT, NONE, INT_INT);
    t.bodies = begin_bodies(&t.b, 4);
    BODY(&t.b, 0, LOCAL_GET, 0, THROW, TAG_INT);
    /* Catches everything, throws it again, and catches its value and itself. */
    BODY(&t.b, 0, BLOCK, INT_AND_EXN, TRY_TABLE, VOID, 1, ON_TAG_REF, TAG_INT, 0, /* */
         BLOCK, EXNREF, TRY_TABLE, VOID, 1, ON_ALL_REF, 0, LOCAL_GET, 0, CALL, 0, END, UNREACHABLE,
         END, THROW_REF, END, UNREACHABLE, END, DROP);
    BODY(&t.b, 0, REF_NULL, EXNREF, THROW_REF);
    /* Traps are no exceptions. */
    BODY(&t.b, 0, BLOCK, VOID, TRY_TABLE, VOID, 1, ON_ALL, 0, CALL, 2, END, END, I32_CONST, 0);
    link_test(&t);
    assert_returns(&t.room, of(&t, 1), ARGS(31), 31);
    assert_traps(&t.room, of(&t, 2), NULL, 0, TRAP_NULL_EXCEPTION);
    assert_traps(&t.room, of(&t, 3), ARGS(0), TRAP_NULL_EXCEPTION);
    end_test(&t);
}

/* --- The form before ----------------------------------------------------------------------------
 */

static void catch_and_rethrow(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT, INT_INT, INT_INT);
    t.bodies = begin_bodies(&t.b, 3);
    BODY(&t.b, 0, LOCAL_GET, 0, BR_IF, 0, LOCAL_GET, 0, THROW, TAG_INT);
    /* An inner catch throws again what the outer one caught: rethrow 1. */
    BODY(&t.b, 0, TRY, I32,                                            /* */
         TRY, I32, LOCAL_GET, 0, THROW, TAG_INT, CATCH, TAG_INT, DROP, /* */
         TRY, I32, THROW, TAG_EMPTY, CATCH_ALL, RETHROW, 1, END, END,  /* */
         CATCH, TAG_INT, I32_CONST, 1, I32_ADD, CATCH_ALL, I32_CONST, 0x7f, END);
    /* The body's result, or what a catch leaves, goes the same way; a branch out of a catch too. */
    BODY(&t.b, 0, I32_CONST, 7, TRY, I32, LOCAL_GET, 0, CALL, 0, I32_CONST, 1, CATCH, TAG_INT,
         I32_CONST, 2, I32_ADD, LOCAL_GET, 0, I32_EQZ, BR_IF, 0, DROP, I32_CONST, 3, CATCH_ALL,
         UNREACHABLE, END, I32_ADD);
    link_test(&t);
    assert_returns(&t.room, of(&t, 1), ARGS(60), 61);
    assert_returns(&t.room, of(&t, 2), ARGS(1), 8);
    assert_returns(&t.room, of(&t, 2), ARGS(0), 9);
    end_test(&t);
}

/* delegate hands on to the try of its label, to what is around a block, or to the caller; and what
 * is thrown in a catch is not for the catches beside it. */
static void delegates(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT_INT, INT_INT, INT_INT, INT_INT, INT_INT);
    t.bodies = begin_bodies(&t.b, 5);
    /* past the try in the middle */
    BODY(&t.b, 0, TRY, I32, TRY, I32, TRY, I32, LOCAL_GET, 0, THROW, TAG_INT, DELEGATE, 1,
         CATCH_ALL, I32_CONST, 1, END, CATCH, TAG_INT, I32_CONST, 2, I32_ADD, END);
    /* a delegate in a delegate */
    BODY(&t.b, 0, TRY, I32, TRY, I32, TRY, I32, LOCAL_GET, 0, THROW, TAG_INT, DELEGATE, 0, DELEGATE,
         0, CATCH, TAG_INT, I32_CONST, 3, I32_ADD, END);
    /* to the caller */
    BODY(&t.b, 0, TRY, I32, TRY, I32, LOCAL_GET, 0, THROW, TAG_INT, DELEGATE, 1, CATCH_ALL,
         I32_CONST, 1, END);
    BODY(&t.b, 0, TRY, I32, LOCAL_GET, 0, CALL, 2, CATCH, TAG_INT, I32_CONST, 4, I32_ADD, END);
    /* to the catch that it stands in, whose own try does not see it */
    BODY(&t.b, 0, TRY, I32, TRY, I32, THROW, TAG_EMPTY, CATCH_ALL, TRY, I32, LOCAL_GET, 0, THROW,
         TAG_INT, DELEGATE, 0, END, CATCH, TAG_INT, I32_CONST, 5, I32_ADD, END);
    link_test(&t);
    assert_returns(&t.room, of(&t, 0), ARGS(10), 12);
    assert_returns(&t.room, of(&t, 1), ARGS(10), 13);
    assert_traps(&t.room, of(&t, 2), ARGS(10), TRAP_EXCEPTION);
    assert_returns(&t.room, of(&t, 3), ARGS(10), 14);
    assert_returns(&t.room, of(&t, 4), ARGS(10), 15);
    end_test(&t);
}

/* --- Instances and the host ----------------------------------------------------------------------
 */

/* A function that throws tag 0, which is exported with it. */
static struct instance *make_thrower(struct machine_room *room, struct build *b)
{
    begin_types(b);
    SECTION_OF(b, FUNCTIONS, 1, INT);
    SECTION_OF(b, TAGS, 1, 0, INT);
    SECTION_OF(b, EXPORTS, 2, 1, 'f', 0, 0, 1, 't', 4, 0);
    size_t bodies = begin_bodies(b, 1);
    BODY(b, 0, LOCAL_GET, 0, THROW, 0);
    end_part(b, bodies);
    return instantiate(room, b, NULL, FIBER_DONE);
}

/* Calls an imported function and catches tag 1, its own, and tag 0, which is imported. */
static struct instance *make_catcher(struct machine_room *room, struct build *b,
                                     const struct core_extern imports[2])
{
    begin_types(b);
    SECTION_OF(b, IMPORTS, 2, 1, 'a', 1, 'f', 0, INT, 1, 'a', 1, 't', 4, 0, INT);
    SECTION_OF(b, FUNCTIONS, 1, INT_INT);
    SECTION_OF(b, MEMORIES, 1, 0, 1);
    SECTION_OF(b, TAGS, 1, 0, INT);
    SECTION_OF(b, EXPORTS, 1, 1, 'c', 0, 1);
    size_t bodies = begin_bodies(b, 1);
    BODY(b, 0, I32_CONST, 0, I32_CONST, 30, 0x36, 2, 0, I32_CONST, 20, /* 30 to memory */
         BLOCK, I32, BLOCK, I32, TRY_TABLE, VOID, 2, ON_TAG, 1, 0, ON_TAG, 0, 1, LOCAL_GET, 0, CALL,
         0, END, UNREACHABLE, END, DROP, I32_CONST, 1, END, I32_ADD, I32_CONST, 0, 0x28, 2, 0,
         I32_ADD);
    end_part(b, bodies);
    return instantiate(room, b, imports, FIBER_DONE);
}

/* A tag is the one that was made, not one of the same type. The frame that catches has its own
 * instance and memory again. */
static void tags_have_identity(void **state)
{
    struct machine_room room;
    struct build b[4];
    (void)state;
    open_room(&room, &usual_limits);
    struct instance *thrower = make_thrower(&room, &b[0]);
    struct instance *stranger = make_thrower(&room, &b[3]);
    struct core_extern imports[2] = {instance_export_at(thrower, 0),
                                     instance_export_at(thrower, 1)};
    struct instance *knows = make_catcher(&room, &b[1], imports);
    assert_returns(&room, function(knows, 0), ARGS(1), 51);
    imports[1] = instance_export_at(stranger, 1);
    struct instance *other = make_catcher(&room, &b[2], imports);
    assert_traps(&room, function(other, 0), ARGS(1), TRAP_EXCEPTION);
    assert_int_equal(vm_trap(room.vm)->depth, 2);
    close_room(&room);
    for (unsigned i = 0; i < 4; i++)
        free(b[i].at);
}

/* Calls the function that it was given, with its argument. */
static enum native_answer call_back(struct vm *vm, struct native *frame)
{
    if (frame->state)
        return NATIVE_DONE;
    frame->state = 1;
    union slot *args = native_args(vm, frame, 1);
    args[0] = frame->args[0];
    native_call(vm, frame, frame->data);
    return NATIVE_CALL;
}

static enum native_answer call_leaf(struct vm *vm, struct native *frame)
{
    union slot *args = native_args(vm, frame, 1);
    args[0] = frame->args[0];
    return native_leaf(vm, frame, frame->data) ? NATIVE_DONE : NATIVE_TRAP;
}

/* Between the one who throws and the one who could catch stands the host. */
static void not_through_the_host(void **state)
{
    static native_step *const steps[] = {call_back, call_leaf};
    (void)state;
    for (size_t i = 0; i < countof(steps); i++) {
        struct machine_room room;
        struct build b[2];
        open_room(&room, &usual_limits);
        struct instance *thrower = make_thrower(&room, &b[0]);
        struct func *throws = function(thrower, 0);
        struct core_extern imports[2] = {
            {.kind = EXTERN_FUNC,
             .func = func_native(room.vm, func_type(throws), steps[i], throws)},
            instance_export_at(thrower, 1)};
        struct instance *catcher = make_catcher(&room, &b[1], imports);
        assert_traps(&room, function(catcher, 0), ARGS(1), TRAP_EXCEPTION);
        const struct trap *trap = vm_trap(room.vm);
        assert_ptr_equal(trap->frames[0].instance, thrower); /* where it was thrown */
        assert_int_equal(b[0].at[trap->frames[0].offset], THROW);
        close_room(&room);
        free(b[0].at);
        free(b[1].at);
    }
}

static void in_the_start_function(void **state)
{
    struct machine_room room;
    struct build b;
    (void)state;
    open_room(&room, &usual_limits);
    begin_types(&b);
    SECTION_OF(&b, FUNCTIONS, 1, NONE);
    SECTION_OF(&b, TAGS, 1, 0, NONE);
    SECTION_OF(&b, START, 0);
    size_t bodies = begin_bodies(&b, 1);
    BODY(&b, 0, THROW, 0);
    end_part(&b, bodies);
    instantiate(&room, &b, NULL, FIBER_TRAPPED);
    assert_int_equal(vm_trap(room.vm)->kind, TRAP_EXCEPTION);
    close_room(&room);
    free(b.at);
}

/* --- Limits -------------------------------------------------------------------------------------
 */

/* Throws and catches for ever, or a number of times; every exception holds the one before. */
static void loop_body(struct build *b)
{
    BODY(b, 1, 1, EXNREF, LOOP, VOID, BLOCK, EXNREF, TRY_TABLE, VOID, 1, ON_ALL_REF, 0, LOCAL_GET,
         0, THROW, TAG_INT, END, UNREACHABLE, END, LOCAL_SET, 1, LOCAL_GET, 0, I32_CONST, 1,
         I32_SUB, LOCAL_SET, 0, LOCAL_GET, 0, BR_IF, 0, END, I32_CONST, 7);
}

static void bounded_memory(void **state)
{
    struct test t;
    struct vm_limits limits = usual_limits;
    limits.gc_bytes = 64 << 10;
    (void)state;
    t = (struct test){0};
    open_room(&t.room, &limits);
    FUNCTIONS_OF(&t.b, INT_INT);
    t.bodies = begin_bodies(&t.b, 1);
    loop_body(&t.b);
    link_test(&t);
    assert_returns(&t.room, of(&t, 0), ARGS(1000000), 7);
    end_test(&t);
}

static void fuel_ends_it(void **state)
{
    struct test t;
    struct vm_limits limits = usual_limits;
    limits.fuel = 100000;
    (void)state;
    t = (struct test){0};
    open_room(&t.room, &limits);
    FUNCTIONS_OF(&t.b, INT_INT);
    t.bodies = begin_bodies(&t.b, 1);
    loop_body(&t.b);
    link_test(&t);
    assert_traps(&t.room, of(&t, 0), ARGS(0), TRAP_FUEL);
    end_test(&t);
}

/* Through as many frames as fit the stack; and the stack can be used anew. */
static void deep(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT, INT_INT);
    t.bodies = begin_bodies(&t.b, 2);
    BODY(&t.b, 0, LOCAL_GET, 0, I32_EQZ, IF, VOID, I32_CONST, 11, THROW, TAG_INT, END, LOCAL_GET, 0,
         I32_CONST, 1, I32_SUB, CALL, 0);
    BODY(&t.b, 0, BLOCK, I32, TRY_TABLE, VOID, 1, ON_TAG, TAG_INT, 0, LOCAL_GET, 0, CALL, 0, END,
         UNREACHABLE, END);
    link_test(&t);
    for (unsigned i = 0; i < 3; i++)
        assert_returns(&t.room, of(&t, 1), ARGS(10000), 11);
    assert_traps(&t.room, of(&t, 1), ARGS(10000000), TRAP_STACK);
    end_test(&t);
}

/* Many tries, nested and one after the other, and the throw in the innermost. */
static void many_tries(void **state)
{
    enum { TRIES = 20000 };
    struct test t;
    (void)state;
    begin_test(&t);
    FUNCTIONS_OF(&t.b, INT_INT);
    t.bodies = begin_bodies(&t.b, 1);
    size_t body = begin_part(&t.b);
    put(&t.b, 0);
    for (unsigned i = 0; i < TRIES; i++)
        PUT(&t.b, TRY, VOID, CATCH, TAG_OTHER, DROP, END);
    PUT(&t.b, TRY, I32);
    for (unsigned i = 0; i < TRIES; i++)
        PUT(&t.b, TRY, VOID);
    PUT(&t.b, LOCAL_GET, 0, THROW, TAG_INT);
    for (unsigned i = 0; i < TRIES; i++) {
        if (i % 3)
            PUT(&t.b, CATCH, TAG_OTHER, DROP, END);
        else
            PUT(&t.b, DELEGATE, 0);
    }
    PUT(&t.b, I32_CONST, 0, CATCH, TAG_INT, END, END);
    end_part(&t.b, body);
    link_test(&t);
    assert_returns(&t.room, of(&t, 0), ARGS(99), 99);
    end_test(&t);
}

/* Exceptions that hold references, with the collector at every allocation. */
static void values_are_marked(void **state)
{
    struct test t;
    (void)state;
    begin_test(&t);
    vm_gc_stress(t.room.vm);
    begin_module(&t.b);
    /* 0: struct {i32}  1: (ref null 0)  2: i32 -> i32  3: -> (ref null 0) exnref */
    SECTION_OF(&t.b, TYPES, 4, 0x5f, 1, I32, 0, 0x60, 1, 0x63, 0, 0, 0x60, 1, I32, 1, I32, 0x60, 0,
               2, 0x63, 0, EXNREF);
    SECTION_OF(&t.b, FUNCTIONS, 2, 2, 2);
    SECTION_OF(&t.b, TAGS, 1, 0, 1);
    export_functions(&t.b, 2);
    t.bodies = begin_bodies(&t.b, 2);
    /* makes garbage, throws a struct with the argument */
    BODY(&t.b, 0, I32_CONST, 1, 0xfb, 0, 0, DROP, LOCAL_GET, 0, 0xfb, 0, 0, THROW, 0);
    BODY(&t.b, 2, 1, EXNREF, 1, 0x63, 0, BLOCK, 3, TRY_TABLE, VOID, 1, ON_TAG_REF, 0, 0, LOCAL_GET,
         0, CALL, 0, DROP, END, UNREACHABLE, END, LOCAL_SET, 1,
         DROP, /* only the exception is left */
         I32_CONST, 2, 0xfb, 0, 0, DROP, I32_CONST, 3, 0xfb, 0, 0, DROP, /* */
         BLOCK, 0x63, 0, TRY_TABLE, VOID, 1, ON_TAG, 0, 0, LOCAL_GET, 1, THROW_REF, END,
         UNREACHABLE, END, LOCAL_SET, 2, I32_CONST, 4, 0xfb, 0, 0, DROP, LOCAL_GET, 2, 0xfb, 2, 0,
         0);
    link_test(&t);
    assert_returns(&t.room, of(&t, 1), ARGS(1234), 1234);
    end_test(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(through_calls),
        cmocka_unit_test(caught_by_the_function),
        cmocka_unit_test(tail_call_is_outside),
        cmocka_unit_test(clauses_in_order),
        cmocka_unit_test(labels_of_all_kinds),
        cmocka_unit_test(operands_survive),
        cmocka_unit_test(references),
        cmocka_unit_test(catch_and_rethrow),
        cmocka_unit_test(delegates),
        cmocka_unit_test(tags_have_identity),
        cmocka_unit_test(not_through_the_host),
        cmocka_unit_test(in_the_start_function),
        cmocka_unit_test(bounded_memory),
        cmocka_unit_test(fuel_ends_it),
        cmocka_unit_test(deep),
        cmocka_unit_test(many_tries),
        cmocka_unit_test(values_are_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
