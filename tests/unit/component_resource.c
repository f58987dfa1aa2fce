/* Resources of the host in the hands of a guest, and what host functions may answer. */
#include "tests/unit/component_fixture.h"

/* --- The host -----------------------------------------------------------------------------------
 */

struct thing {
    uint32_t value;
    bool dropped;
    bool taken;
};

static struct thing things[8];
static uint32_t nthings;
static unsigned blocks; /* how often `wait` blocks */
static unsigned calls;  /* of `wait` */

static enum host_answer make(struct host_call *call, const void *args, void *result)
{
    (void)call;
    assert_in_range(nthings, 0, countof(things) - 1);
    things[nthings] = (struct thing){.value = *(const uint32_t *)args};
    *(struct thing **)result = &things[nthings++];
    return HOST_DONE;
}

static enum host_answer value(struct host_call *call, const void *args, void *result)
{
    (void)call;
    const struct thing *thing = *(struct thing *const *)args;
    assert_false(thing->dropped);
    *(uint32_t *)result = thing->value;
    return HOST_DONE;
}

static enum host_answer take(struct host_call *call, const void *args, void *result)
{
    (void)call;
    (void)result;
    (*(struct thing *const *)args)->taken = true;
    return HOST_DONE;
}

/* Blocks as often as asked, with the same state all the time. */
static enum host_answer wait_for(struct host_call *call, const void *args, void *result)
{
    assert_int_equal(call->resumed, calls != 0);
    assert_ptr_equal(call->state, calls ? &calls : NULL);
    calls++;
    call->state = &calls;
    if (calls <= blocks)
        return HOST_BLOCKED;
    *(uint32_t *)result = *(const uint32_t *)args + 1;
    return HOST_DONE;
}

static enum host_answer end(struct host_call *call, const void *args, void *result)
{
    (void)result;
    uint32_t code = *(const uint32_t *)args;
    return code < 256 ? host_exit(call, code) : host_trap(call, "no such code: %u", code);
}

static bool drop(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    (void)host;
    struct thing *thing = representation;
    assert_false(thing->dropped);
    thing->dropped = true;
    return true;
}

static const struct host_interface interfaces[] = {{"carrel:test/things", "1.0.0"}};
static const struct host_item items[] = {
    {0, HOST_RESOURCE, "thing", NULL, NULL, NULL, drop},
    {0, HOST_FUNC, "[constructor]thing", "func(n: u32) -> thing", NULL, make, NULL},
    {0, HOST_FUNC, "[method]thing.value", "func(self: borrow<thing>) -> u32", NULL, value, NULL},
    {0, HOST_FUNC, "take", "func(t: thing)", NULL, take, NULL},
    {0, HOST_FUNC, "wait", "func(n: u32) -> u32", NULL, wait_for, NULL},
    {0, HOST_FUNC, "end", "func(n: u32) -> u32", NULL, end, NULL},
};
static const struct host_table table = {interfaces, items, 1, countof(items), NULL, NULL};

/* --- The guest ----------------------------------------------------------------------------------
 */

enum { MAKE, VALUE, TAKE, WAIT, END, DROP }; /* core functions that it imports */

#define GET    0x20 /* local.get */
#define SET    0x21
#define CALL   0x10
#define CONST  0x41
#define RETURN 0x0b /* end */

/* Exports, and their code after one local was declared; the type: 0 func(n: u32) -> u32,
 * 1 func(t: thing) -> u32, 2 func(t: borrow<thing>) -> u32. */
static const struct {
    const char *name;
    uint8_t type;
    uint8_t len;
    uint8_t code[32];
} exports[] = {
    {"use", 0, 14, {GET, 0, CALL, MAKE, SET, 1, GET, 1, CALL, VALUE, GET, 1, CALL, DROP}},
    {"keep", 0, 4, {GET, 0, CALL, MAKE}},
    {"peek", 0, 4, {GET, 0, CALL, VALUE}},
    {"drop", 0, 6, {GET, 0, CALL, DROP, CONST, 0}},
    {"give", 0, 6, {GET, 0, CALL, TAKE, CONST, 0}},
    {"wait", 0, 4, {GET, 0, CALL, WAIT}},
    {"end", 0, 4, {GET, 0, CALL, END}},
    {"own", 1, 2, {GET, 0}},
    {"look", 2, 8, {GET, 0, CALL, VALUE, GET, 0, CALL, DROP}},
    {"lend-kept", 2, 4, {GET, 0, CALL, VALUE}},
};

static struct build build_module(void)
{
    struct build b;
    begin_module(&b);
    SECTION_OF(&b, TYPES, 2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 1, 0x7f, 0);
    static const uint8_t types[] = {0, 0, 1, 0, 0, 1};
    size_t section = begin_section(&b, IMPORTS);
    put(&b, countof(types));
    for (size_t i = 0; i < countof(types); i++)
        PUT(&b, 1, 'h', 1, (uint8_t)('0' + i), 0, types[i]);
    end_part(&b, section);
    section = begin_section(&b, FUNCTIONS);
    put(&b, countof(exports));
    for (size_t i = 0; i < countof(exports); i++)
        put(&b, 0);
    end_part(&b, section);
    section = begin_section(&b, EXPORTS);
    put(&b, countof(exports));
    for (size_t i = 0; i < countof(exports); i++) {
        put_name(&b, exports[i].name);
        PUT(&b, 0, (uint8_t)(countof(types) + i));
    }
    end_part(&b, section);
    section = begin_section(&b, CODE);
    put(&b, countof(exports));
    for (size_t i = 0; i < countof(exports); i++) {
        size_t body = begin_part(&b);
        PUT(&b, 1, 1, 0x7f);
        put_bytes(&b, exports[i].code, exports[i].len);
        put(&b, RETURN);
        end_part(&b, body);
    }
    end_part(&b, section);
    return b;
}

static void put_func_export(struct build *b, const char *name, uint8_t type)
{
    put(b, 4);
    put_extern_name(b, name);
    PUT(b, 1, type);
}

static void put_import(struct build *b)
{
    size_t section = begin_section(b, TYPE);
    PUT(b, 1, 0x42, 13);
    put(b, 4);
    put_extern_name(b, "thing");
    PUT(b, 3, 1);                                          /* 0: (sub resource) */
    PUT(b, 1, 0x69, 0, 1, 0x68, 0);                        /* 1: own, 2: borrow */
    PUT(b, 1, 0x40, 1, 1, 'n', 0x79, 0, 1);                /* 3: func(n: u32) -> own */
    PUT(b, 1, 0x40, 1, 4, 's', 'e', 'l', 'f', 2, 0, 0x79); /* 4 */
    PUT(b, 1, 0x40, 1, 1, 't', 1, 1, 0);                   /* 5: func(t: own) */
    PUT(b, 1, 0x40, 1, 1, 'n', 0x79, 0, 0x79);             /* 6 */
    PUT(b, 1, 0x79);                                       /* 7: u32, of no use */
    put_func_export(b, "[constructor]thing", 3);
    put_func_export(b, "[method]thing.value", 4);
    put_func_export(b, "take", 5);
    put_func_export(b, "wait", 6);
    put_func_export(b, "end", 6);
    end_part(b, section);
    section = begin_section(b, IMPORT);
    put(b, 1);
    put_extern_name(b, "carrel:test/things@1.0.0");
    PUT(b, 5, 0);
    end_part(b, section);
    section = begin_section(b, ALIAS);
    put(b, 6);
    PUT(b, 3, 0, 0);
    put_name(b, "thing"); /* type 1 */
    for (size_t i = 1; i < countof(items); i++) {
        PUT(b, 1, 0, 0);
        put_name(b, items[i].name);
    }
    end_part(b, section);
}

static void build_guest(struct build *b)
{
    begin_component(b);
    put_import(b);
    /* own, borrow; func(n: u32) -> u32, func(t: own) -> u32, func(t: borrow) -> u32 */
    SECTION_OF(b, TYPE, 5, 0x69, 1, 0x68, 1, 0x40, 1, 1, 'n', 0x79, 0, 0x79, 0x40, 1, 1, 't', 2, 0,
               0x79, 0x40, 1, 1, 't', 3, 0, 0x79);
    SECTION_OF(b, CANON, 6, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 4, 0, 3, 1);
    struct build module = build_module();
    put_nested(b, CORE_MODULE, &module);
    size_t section = begin_section(b, CORE_INSTANCE);
    PUT(b, 2, 1, 6);
    for (uint8_t i = 0; i < 6; i++)
        PUT(b, 1, (uint8_t)('0' + i), 0, i);
    PUT(b, 0, 0, 1, 1, 'h', 0x12, 0);
    end_part(b, section);
    section = begin_section(b, ALIAS);
    put(b, countof(exports));
    for (size_t i = 0; i < countof(exports); i++) {
        PUT(b, 0, 0, 1, 1);
        put_name(b, exports[i].name);
    }
    end_part(b, section);
    section = begin_section(b, CANON);
    put(b, countof(exports));
    for (size_t i = 0; i < countof(exports); i++)
        PUT(b, 0, 0, (uint8_t)(6 + i), 0, 4 + exports[i].type);
    end_part(b, section);
    section = begin_section(b, EXPORT);
    put(b, countof(exports));
    for (size_t i = 0; i < countof(exports); i++) {
        put_extern_name(b, exports[i].name);
        PUT(b, 1, (uint8_t)(5 + i), 0);
    }
    end_part(b, section);
}

/* --- Calls --------------------------------------------------------------------------------------
 */

struct guest {
    struct fixture fixture;
    struct cm_instance *instance;
};

static void open_guest(struct guest *guest)
{
    struct build b;
    nthings = 0;
    calls = 0;
    blocks = 0;
    open_fixture(&guest->fixture);
    build_guest(&b);
    guest->instance = start_component(&guest->fixture, &b, &table);
    free(b.at);
}

static struct cm_call *begin(struct guest *guest, const char *name, const void *args)
{
    struct fixture *f = &guest->fixture;
    const struct cm_func *func = cm_export_func(guest->instance, (struct str){0}, str_of(name));
    assert_non_null(func);
    struct cm_call *call = cm_call_new(f->store, func, args);
    assert_non_null(call);
    fiber_begin(f->vm, f->fiber, cm_call_func(call));
    return call;
}

static uint32_t call_with(struct guest *guest, const char *name, const void *args)
{
    struct fixture *f = &guest->fixture;
    struct cm_call *call = begin(guest, name, args);
    if (fiber_run(f->vm, f->fiber) != FIBER_DONE)
        fail_msg("%s: %s", name, vm_trap(f->vm)->text);
    uint32_t result = *(const uint32_t *)cm_call_result(call);
    cm_call_free(call);
    return result;
}

static uint32_t call(struct guest *guest, const char *name, uint32_t n)
{
    return call_with(guest, name, &n);
}

/* The call traps with that text; the guest is of no more use. */
static void traps_with(struct guest *guest, const char *name, const void *args, const char *why)
{
    struct fixture *f = &guest->fixture;
    begin(guest, name, args);
    assert_int_equal(fiber_run(f->vm, f->fiber), FIBER_TRAPPED);
    assert_int_equal(vm_trap(f->vm)->kind, TRAP_COMPONENT);
    assert_string_equal(vm_trap(f->vm)->text, why);
    uint32_t n = 0;
    begin(guest, "keep", &n);
    assert_int_equal(fiber_run(f->vm, f->fiber), FIBER_TRAPPED);
    assert_string_equal(vm_trap(f->vm)->text, "cannot enter component instance");
}

static void traps(struct guest *guest, const char *name, uint32_t n, const char *why)
{
    traps_with(guest, name, &n, why);
}

static void a_guest_makes_uses_and_drops(void **state)
{
    (void)state;
    struct guest guest;
    open_guest(&guest);
    assert_int_equal(call(&guest, "use", 41), 41);
    assert_true(things[0].dropped);
    uint32_t first = call(&guest, "keep", 1);
    uint32_t second = call(&guest, "keep", 2);
    assert_int_not_equal(first, second);
    assert_int_equal(call(&guest, "peek", second), 2);
    assert_int_equal(call(&guest, "peek", first), 1);
    call(&guest, "drop", first);
    assert_true(things[1].dropped);
    assert_false(things[2].dropped);
    assert_int_equal(call(&guest, "keep", 3), first); /* freed places are used again */
    call(&guest, "give", second);
    assert_true(things[2].taken);
    assert_false(things[2].dropped);
    close_fixture(&guest.fixture);
}

static void handles_are_checked(void **state)
{
    (void)state;
    static const uint32_t wrong[] = {0, 1, 2, 1000000, UINT32_MAX};
    for (size_t i = 0; i < countof(wrong); i++) {
        struct guest guest;
        open_guest(&guest);
        traps(&guest, i % 2 ? "peek" : "drop", wrong[i], "unknown handle index");
        close_fixture(&guest.fixture);
    }
    static const char *const after[] = {"peek", "drop", "give"};
    for (size_t i = 0; i < countof(after); i++) {
        struct guest guest;
        open_guest(&guest);
        uint32_t handle = call(&guest, "keep", 1);
        call(&guest, i == 2 ? "give" : "drop", handle);
        traps(&guest, after[i], handle, "unknown handle index");
        close_fixture(&guest.fixture);
    }
}

static void resources_go_in_owned_and_borrowed(void **state)
{
    (void)state;
    struct guest guest;
    open_guest(&guest);
    struct thing mine = {.value = 7};
    const struct thing *args = &mine;
    uint32_t handle = call_with(&guest, "own", &args);
    assert_int_equal(call(&guest, "peek", handle), 7);
    call(&guest, "drop", handle);
    assert_true(mine.dropped);
    struct thing other = {.value = 8};
    args = &other;
    assert_int_equal(call_with(&guest, "look", &args), 8);
    assert_false(other.dropped); /* it was a borrow that the guest dropped */
    traps_with(&guest, "lend-kept", &args, "borrow handles still remain at the end of the call");
    close_fixture(&guest.fixture);
}

static void a_host_function_blocks_and_goes_on(void **state)
{
    (void)state;
    for (unsigned times = 0; times < 4; times++) {
        struct guest guest;
        open_guest(&guest);
        struct fixture *f = &guest.fixture;
        blocks = times;
        uint32_t n = 5;
        struct cm_call *call = begin(&guest, "wait", &n);
        for (unsigned i = 0; i < times; i++)
            assert_int_equal(fiber_run(f->vm, f->fiber), FIBER_BLOCKED);
        assert_int_equal(fiber_run(f->vm, f->fiber), FIBER_DONE);
        assert_int_equal(*(const uint32_t *)cm_call_result(call), 6);
        assert_int_equal(calls, times + 1);
        close_fixture(f);
    }
}

static void a_blocked_instance_is_not_entered(void **state)
{
    (void)state;
    struct guest guest;
    open_guest(&guest);
    struct fixture *f = &guest.fixture;
    blocks = 1;
    uint32_t n = 5;
    struct cm_call *call = begin(&guest, "wait", &n);
    assert_int_equal(fiber_run(f->vm, f->fiber), FIBER_BLOCKED);
    struct fiber *other = fiber_new(f->vm);
    const struct cm_func *keep = cm_export_func(guest.instance, (struct str){0}, str_of("keep"));
    fiber_begin(f->vm, other, cm_call_func(cm_call_new(f->store, keep, &n)));
    assert_int_equal(fiber_run(f->vm, other), FIBER_TRAPPED);
    assert_string_equal(vm_trap(f->vm)->text, "cannot enter component instance");
    assert_int_equal(fiber_run(f->vm, f->fiber), FIBER_DONE);
    assert_int_equal(*(const uint32_t *)cm_call_result(call), 6);
    close_fixture(f);
}

static void a_host_function_ends_the_program(void **state)
{
    (void)state;
    struct guest guest;
    open_guest(&guest);
    struct fixture *f = &guest.fixture;
    uint32_t code = 42;
    begin(&guest, "end", &code);
    assert_int_equal(fiber_run(f->vm, f->fiber), FIBER_TRAPPED);
    assert_int_equal(vm_trap(f->vm)->kind, TRAP_EXIT);
    assert_int_equal(vm_trap(f->vm)->code, 42);
    close_fixture(f);
    open_guest(&guest);
    code = 256;
    begin(&guest, "end", &code);
    assert_int_equal(fiber_run(f->vm, f->fiber), FIBER_TRAPPED);
    assert_int_equal(vm_trap(f->vm)->kind, TRAP_HOST);
    assert_string_equal(vm_trap(f->vm)->text, "no such code: 256");
    close_fixture(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_makes_uses_and_drops),
        cmocka_unit_test(handles_are_checked),
        cmocka_unit_test(resources_go_in_owned_and_borrowed),
        cmocka_unit_test(a_host_function_blocks_and_goes_on),
        cmocka_unit_test(a_blocked_instance_is_not_entered),
        cmocka_unit_test(a_host_function_ends_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
