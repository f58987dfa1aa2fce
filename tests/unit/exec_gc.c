/* The collected heap: what is reachable stays, what is not goes, in slices of bounded work; through
 * objects made here, and through a module whose frames hold them. */
#include "tests/unit/exec_fixture.h"

#include "engine/exec/bulk.h"
#include "engine/exec/object.h"
#include <time.h>

/* The module of the second half (its text is in front of the tests there). */
/* clang-format off */
static const uint8_t module_bytes[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x28, 0x08, 0x5f, 0x02, 0x7f, 0x01, 0x63, 0x00, 0x01,
    0x60, 0x00, 0x00, 0x5e, 0x78, 0x01, 0x60, 0x01, 0x7f, 0x00, 0x60, 0x02, 0x64, 0x00, 0x7f, 0x01, 0x7f, 0x60,
    0x02, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x00, 0x01, 0x7f, 0x60, 0x01, 0x7f, 0x01, 0x7f, 0x02, 0x0a, 0x01, 0x01,
    0x6d, 0x04, 0x68, 0x6f, 0x73, 0x74, 0x00, 0x01, 0x03, 0x0c, 0x0b, 0x03, 0x04, 0x05, 0x03, 0x06, 0x03, 0x07,
    0x04, 0x07, 0x07, 0x07, 0x04, 0x05, 0x01, 0x63, 0x00, 0x00, 0x04, 0x06, 0x07, 0x01, 0x63, 0x00, 0x01, 0xd0,
    0x00, 0x0b, 0x07, 0x21, 0x08, 0x01, 0x30, 0x00, 0x03, 0x01, 0x31, 0x00, 0x04, 0x01, 0x32, 0x00, 0x05, 0x01,
    0x33, 0x00, 0x06, 0x01, 0x34, 0x00, 0x07, 0x01, 0x35, 0x00, 0x09, 0x01, 0x36, 0x00, 0x0a, 0x01, 0x37, 0x00,
    0x0b, 0x0a, 0xb6, 0x02, 0x0b, 0x1d, 0x00, 0x03, 0x40, 0x41, 0xda, 0xb4, 0xe9, 0xd2, 0x05, 0xd0, 0x00, 0xfb,
    0x00, 0x00, 0x1a, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x41, 0x00, 0x4a, 0x0d, 0x00, 0x0b, 0x0b, 0x0b,
    0x00, 0x20, 0x00, 0xfb, 0x02, 0x00, 0x00, 0x20, 0x01, 0x6a, 0x0b, 0x27, 0x00, 0x20, 0x00, 0x45, 0x04, 0x7f,
    0x10, 0x00, 0x20, 0x01, 0x10, 0x01, 0x41, 0x00, 0x05, 0x20, 0x00, 0xd0, 0x00, 0xfb, 0x00, 0x00, 0x20, 0x00,
    0x41, 0x01, 0x6b, 0x20, 0x01, 0x10, 0x03, 0x10, 0x02, 0x20, 0x01, 0x10, 0x01, 0x0b, 0x0b, 0x1b, 0x00, 0xd0,
    0x00, 0x24, 0x00, 0x03, 0x40, 0x20, 0x00, 0x23, 0x00, 0xfb, 0x00, 0x00, 0x24, 0x00, 0x20, 0x00, 0x41, 0x01,
    0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b, 0x0b, 0x2d, 0x02, 0x01, 0x63, 0x00, 0x01, 0x7f, 0x23, 0x00, 0x21, 0x00,
    0x02, 0x40, 0x03, 0x40, 0x20, 0x00, 0xd1, 0x0d, 0x01, 0x20, 0x01, 0x20, 0x00, 0xfb, 0x02, 0x00, 0x00, 0x6a,
    0x21, 0x01, 0x20, 0x00, 0xfb, 0x02, 0x00, 0x01, 0x21, 0x00, 0x0c, 0x00, 0x0b, 0x0b, 0x20, 0x01, 0x0b, 0x06,
    0x00, 0x20, 0x00, 0x10, 0x01, 0x0b, 0x0d, 0x00, 0x20, 0x00, 0xd0, 0x00, 0xfb, 0x00, 0x00, 0x20, 0x00, 0x12,
    0x08, 0x0b, 0x28, 0x00, 0x41, 0x14, 0x10, 0x01, 0x20, 0x01, 0x45, 0x04, 0x40, 0x20, 0x00, 0xfb, 0x02, 0x00,
    0x00, 0x0f, 0x0b, 0x20, 0x00, 0xfb, 0x02, 0x00, 0x00, 0x41, 0x01, 0x6a, 0x20, 0x00, 0xfb, 0x00, 0x00, 0x20,
    0x01, 0x41, 0x01, 0x6b, 0x12, 0x08, 0x0b, 0x26, 0x01, 0x01, 0x63, 0x00, 0x20, 0x00, 0xd0, 0x00, 0xfb, 0x00,
    0x00, 0x21, 0x01, 0x20, 0x00, 0x41, 0xe8, 0x07, 0x6c, 0xd0, 0x00, 0xfb, 0x00, 0x00, 0x02, 0x7f, 0x10, 0x00,
    0x20, 0x01, 0xfb, 0x02, 0x00, 0x00, 0x0b, 0x10, 0x02, 0x0b, 0x09, 0x00, 0x20, 0x00, 0xfb, 0x07, 0x02, 0xfb,
    0x0f, 0x0b, 0x29, 0x01, 0x01, 0x7f, 0x03, 0x40, 0x20, 0x01, 0x41, 0x03, 0x71, 0x20, 0x01, 0xd0, 0x00, 0xfb,
    0x00, 0x00, 0x26, 0x00, 0x20, 0x01, 0x41, 0x01, 0x6a, 0x22, 0x01, 0x20, 0x00, 0x49, 0x0d, 0x00, 0x0b, 0x41,
    0x01, 0x25, 0x00, 0xfb, 0x02, 0x00, 0x00, 0x0b,
};
/* clang-format on */

/* --- A room with a heap --------------------------------------------------------------------------
 */

static void open_heap(struct machine_room *room, uint64_t gc_bytes)
{
    struct vm_limits limits = usual_limits;
    limits.gc_bytes = gc_bytes;
    open_room(room, &limits);
}

static struct gc *gc_of(const struct machine_room *room)
{
    return &room->vm->gc;
}

/* By what the last object or frame of a slice may exceed its units, in these tests. */
#define OVERSHOOT 64

/* The native frame that a test runs in: slices happen within a running fiber only. */
static struct native *here;

/* Slices of all tests, those of them that took longer than a millisecond of processor time, and the
 * longest, in nanoseconds. */
static uint64_t slices_run, slices_late, slice_longest;

static uint64_t processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void one_slice(struct vm *vm)
{
    struct native_frame *frame = (void *)((char *)here - offsetof(struct native_frame, pub));
    uint64_t since = processor_time();
    gc_slice(vm, frame->resume, here->args, frame->caller);
    uint64_t took = processor_time() - since;
    slices_run++;
    slices_late += took > 1000000;
    if (took > slice_longest)
        slice_longest = took;
    assert_true(vm->gc.most_units <= GC_SLICE_UNITS + OVERSHOOT);
}

/* Ends the cycle that runs, if one does, and runs a whole one. */
static void collect(struct vm *vm)
{
    uint64_t wanted = vm->gc.begun + 1;
    do
        one_slice(vm);
    while (vm->gc.phase != GC_IDLE || vm->gc.begun < wanted);
}

typedef void scene(struct vm *vm);

static enum native_answer play(struct vm *vm, struct native *frame)
{
    here = frame;
    scene *const *acts = frame->data;
    (*acts)(vm);
    return NATIVE_DONE;
}

/* Runs a test within a fiber. */
static void in_fiber(struct machine_room *room, scene *acts)
{
    uint32_t type = types_func_id(room->store.types, NULL, 0, NULL, 0);
    struct func *func = func_native(room->vm, type, play, &acts);
    assert_non_null(func);
    fiber_begin(room->vm, room->fiber, func);
    assert_int_equal(fiber_run(room->vm, room->fiber), FIBER_DONE);
}

static void with_heap(uint64_t gc_bytes, scene *acts)
{
    struct machine_room room;
    open_heap(&room, gc_bytes);
    in_fiber(&room, acts);
    close_room(&room);
}

/* --- Types ---------------------------------------------------------------------------------------
 */

static uint32_t intern(struct vm *vm, struct deftype type)
{
    uint32_t id;
    type.final = true;
    type.super = TYPE_NONE;
    assert_int_equal(types_intern(vm_types(vm), &type, 1, 0, &id, NULL), 0);
    return id;
}

static const valtype anyref = VT_REF | VT_NULLABLE | (valtype)HEAP_ANY << 9;

/* (struct (field i64) (field anyref) ... ), with so many references */
static uint32_t node_type(struct vm *vm, uint32_t references)
{
    struct fieldtype fields[9] = {{.type = VT_I64}};
    for (uint32_t i = 1; i <= references; i++)
        fields[i] = (struct fieldtype){.type = anyref, .mutable = true};
    return intern(vm, (struct deftype){.kind = TYPE_STRUCT,
                                       .structure = {.nfields = references + 1, .fields = fields}});
}

static uint32_t array_type(struct vm *vm, valtype element, uint8_t packed)
{
    return intern(
        vm, (struct deftype){.kind = TYPE_ARRAY,
                             .element = {.type = element, .packed = packed, .mutable = true}});
}

/* A node as node_type makes them. */
struct node {
    struct object head;
    uint64_t number;
    uint64_t to[];
};

static struct node *new_node(struct vm *vm, uint32_t type, uint64_t number)
{
    struct node *node = (struct node *)struct_new_default(vm, type);
    assert_non_null(node);
    node->number = number;
    return node;
}

/* Of default elements; NULL if there is no room. */
static struct array *new_array(struct vm *vm, uint32_t type, uint32_t length)
{
    struct array *array;
    assert_int_equal(array_new(vm, type, NULL, length, &array), TRAP_NONE);
    return array;
}

static void set(struct vm *vm, uint64_t *to, uint64_t ref)
{
    gc_overwrite(&vm->gc, *to);
    *to = ref;
}

static union slot slot_of(const void *object)
{
    return (union slot){.u64 = object ? object_ref(object) : 0};
}

/* What the heap has in use when nothing is alive. */
static uint64_t nothing(void)
{
    return 2;
}

static uint64_t granules_of(const struct vm *vm, const void *object)
{
    return (gc_object_size(vm->types, object) + GRANULE - 1) / GRANULE;
}

/* --- Collecting ----------------------------------------------------------------------------------
 */

static void garbage_goes(struct vm *vm)
{
    uint32_t type = node_type(vm, 2);
    for (int i = 0; i < 1000; i++)
        new_node(vm, type, (uint64_t)i);
    struct node *self = new_node(vm, type, 0);
    struct node *other = new_node(vm, type, 0);
    self->to[0] = object_ref(self); /* cycles are no reason to stay */
    self->to[1] = object_ref(other);
    other->to[0] = object_ref(self);
    assert_true(vm->gc.used > 1000);
    collect(vm);
    assert_int_equal(vm->gc.used, nothing());
    assert_int_equal(vm->gc.top, nothing());
}

static void roots_stay(struct vm *vm)
{
    uint32_t type = node_type(vm, 1);
    struct gc_root roots[3];
    struct node *nodes[4];
    for (uint64_t i = 0; i < 4; i++)
        nodes[i] = new_node(vm, type, i);
    nodes[2]->to[0] = object_ref(nodes[3]);
    for (int i = 0; i < 3; i++)
        vm_root_add(vm, &roots[i], slot_of(nodes[i]));
    vm_root_remove(vm, &roots[1]);
    vm_root_set(vm, &roots[0], slot_of(NULL));
    collect(vm);
    assert_int_equal(vm->gc.used, nothing() + 2 * granules_of(vm, nodes[2]));
    assert_int_equal(nodes[2]->number, 2);
    assert_int_equal(nodes[3]->number, 3);
    vm_root_remove(vm, &roots[2]);
    vm_root_remove(vm, &roots[0]);
    collect(vm);
    assert_int_equal(vm->gc.used, nothing());
}

/* What is removed while marking was there when the cycle began, so it stays for that cycle. */
static void snapshot(struct vm *vm)
{
    uint32_t type = node_type(vm, 1);
    struct gc_root root;
    struct node *first = new_node(vm, type, 1);
    vm_root_add(vm, &root, slot_of(first));
    struct node *last = first;
    for (uint64_t i = 0; i < 4 * GC_SLICE_UNITS; i++) {
        struct node *node = new_node(vm, type, i);
        last->to[0] = object_ref(node);
        last = node;
    }
    one_slice(vm);
    assert_int_equal(vm->gc.phase, GC_MARK);
    /* The end of the list is not marked yet. It is cut off, and hung to the black beginning. */
    struct node *before = first;
    while (((struct node *)ref_object(before->to[0]))->to[0])
        before = ref_object(before->to[0]);
    struct node *end = ref_object(before->to[0]);
    end->number = 4711;
    set(vm, &before->to[0], 0);
    set(vm, &first->to[0], object_ref(end));
    while (vm->gc.phase != GC_IDLE)
        one_slice(vm);
    collect(vm);
    assert_int_equal(vm->gc.used, nothing() + 2 * granules_of(vm, first));
    assert_int_equal(((struct node *)ref_object(first->to[0]))->number, 4711);
    vm_root_remove(vm, &root);
}

#define LONG 10000000u

static void long_list(struct vm *vm)
{
    uint32_t type = node_type(vm, 1);
    struct gc_root root;
    vm_root_add(vm, &root, slot_of(NULL));
    for (uint64_t i = 0; i < LONG; i++) {
        struct node *node = new_node(vm, type, i);
        node->to[0] = root.value.u64;
        vm_root_set(vm, &root, slot_of(node));
        if (vm->gc.due)
            one_slice(vm);
    }
    collect(vm);
    uint64_t each = granules_of(vm, ref_object(root.value.u64));
    assert_int_equal(vm->gc.used, nothing() + LONG * each);
    uint64_t expected = LONG;
    for (uint64_t at = root.value.u64; at; at = ((struct node *)ref_object(at))->to[0])
        if (((struct node *)ref_object(at))->number != --expected)
            fail_msg("node %llu is damaged", (unsigned long long)expected);
    assert_int_equal(expected, 0);
    vm_root_remove(vm, &root);
    collect(vm);
    assert_int_equal(vm->gc.used, nothing());
}

/* An array of arrays, each wider than a slice. */
static void wide_arrays(struct vm *vm)
{
    enum { WIDE = 300000, DEEP = 8 };
    uint32_t type = array_type(vm, anyref, 0);
    uint32_t leaf_type = node_type(vm, 0);
    struct gc_root root;
    struct array *outer = new_array(vm, type, DEEP);
    vm_root_add(vm, &root, slot_of(outer));
    for (uint32_t i = 0; i < DEEP; i++) {
        struct array *inner = new_array(vm, type, WIDE);
        ((uint64_t *)outer->at)[i] = object_ref(inner);
        for (uint32_t k = 0; k < WIDE; k += 100) {
            struct node *leaf = new_node(vm, leaf_type, k);
            set(vm, (uint64_t *)inner->at + k, object_ref(leaf));
        }
    }
    collect(vm);
    uint64_t leaves = (uint64_t)DEEP * (WIDE / 100) * 2;
    assert_int_equal(vm->gc.used, nothing() + granules_of(vm, outer) +
                                      DEEP * (WIDE + sizeof(struct array) / GRANULE) + leaves);
    for (uint32_t i = 0; i < DEEP; i++) {
        const struct array *inner = ref_object(((uint64_t *)outer->at)[i]);
        for (uint32_t k = 0; k < WIDE; k += 100)
            assert_int_equal(((struct node *)ref_object(((const uint64_t *)inner->at)[k]))->number,
                             k);
    }
    vm_root_remove(vm, &root);
    collect(vm);
    assert_int_equal(vm->gc.used, nothing());
}

/* i31, functions, what the host gave: references that name no object of the heap. */
static void other_references(struct vm *vm)
{
    uint32_t type = node_type(vm, 4);
    struct gc_root root;
    static uint32_t outside;
    struct node *node = new_node(vm, type, 1);
    vm_root_add(vm, &root, slot_of(node));
    node->to[0] = ref_of_i31(UINT32_MAX);
    node->to[1] = (uint64_t)(uintptr_t)here->func;
    node->to[2] = (uint64_t)(uintptr_t)&outside;
    collect(vm);
    assert_int_equal(vm->gc.used, nothing() + granules_of(vm, node));
    assert_int_equal(i31_signed(node->to[0]), UINT32_MAX);
    assert_int_equal(i31_unsigned(node->to[0]), 0x7fffffff);
    assert_true(vm_ref_is(vm, (union slot){.u64 = node->to[0]}, vt_ref(HEAP_I31, false)));
    assert_false(vm_ref_is(vm, (union slot){.u64 = node->to[2]}, vt_ref(HEAP_EQ, true)));
    assert_true(vm_ref_is(vm, (union slot){.u64 = node->to[2]}, vt_ref(HEAP_ANY, false)));
    assert_true(vm_ref_is(vm, root.value, vt_ref(type, false)));
    assert_false(vm_ref_is(vm, root.value, vt_ref(node_type(vm, 3), true)));
    assert_false(vm_ref_is(vm, (union slot){0}, vt_ref(type, false)));
    assert_true(vm_ref_is(vm, (union slot){0}, vt_ref(HEAP_NONE, true)));
    vm_root_remove(vm, &root);
}

static void exceptions_hold(struct vm *vm)
{
    const valtype params[] = {VT_V128, anyref, VT_I32, VT_EXTERNREF};
    struct tag_instance tag = {.type = types_func_id(vm_types(vm), params, 4, NULL, 0)};
    uint32_t type = node_type(vm, 0);
    struct gc_root root;
    struct exception *exception = gc_new_exception(vm, &tag);
    assert_non_null(exception);
    vm_root_add(vm, &root, slot_of(exception));
    memset(exception->values, 0x55, 5 * sizeof(union slot)); /* scalars that look like objects */
    exception->values[2].u64 = object_ref(new_node(vm, type, 42));
    exception->values[4].u64 = object_ref(new_node(vm, type, 43));
    new_node(vm, type, 44);
    collect(vm);
    assert_int_equal(vm->gc.used, nothing() + granules_of(vm, exception) + 2 + 2);
    assert_ptr_equal(exception->tag, &tag);
    assert_int_equal(((struct node *)ref_object(exception->values[4].u64))->number, 43);
    vm_root_remove(vm, &root);
}

/* --- Any graph -----------------------------------------------------------------------------------
 */

static uint64_t state = 1;

static uint32_t random_below(uint32_t most)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((state >> 33) % most);
}

enum { ROOTS = 64, EDGES = 4 };

/* Marks what can be reached in the test's own way; gives the granules. */
static uint64_t reachable(const struct vm *vm, const struct gc_root *roots, uint64_t stamp)
{
    enum { MOST = 1 << 16 };
    static struct node *stack[MOST];
    size_t top = 0;
    uint64_t granules = 0;
    for (int i = 0; i <= ROOTS; i++) {
        if (i < ROOTS && roots[i].value.u64)
            stack[top++] = ref_object(roots[i].value.u64);
        while (top) {
            struct node *node = stack[--top];
            if (node->number == stamp)
                continue;
            if (node->number > stamp || object_type(&node->head) > types_count(vm->types))
                fail_msg("a reachable node is damaged");
            node->number = stamp;
            granules += granules_of(vm, node);
            for (int k = 0; k < EDGES; k++)
                if (node->to[k])
                    stack[top++] = ref_object(node->to[k]);
            assert_true(top < MOST - EDGES);
        }
    }
    return granules;
}

/* Steps of a program that links nodes at random, with slices in between: whatever the moment,
 * everything reachable is whole, and after a whole cycle nothing else is left. */
static void any_graph(struct vm *vm)
{
    uint32_t type = node_type(vm, EDGES);
    uint32_t bytes = array_type(vm, VT_I32, 8);
    struct gc_root roots[ROOTS];
    for (int i = 0; i < ROOTS; i++)
        vm_root_add(vm, &roots[i], slot_of(NULL));
    for (uint64_t step = 1; step <= 200000; step++) {
        struct gc_root *root = &roots[random_below(ROOTS)];
        struct node *node = root->value.u64 ? ref_object(root->value.u64) : NULL;
        switch (random_below(8)) {
        case 0: vm_root_set(vm, root, slot_of(NULL)); break;
        case 1:
        case 2:
        case 3: {
            struct node *made = new_node(vm, type, 0);
            for (int k = 0; k < EDGES; k++)
                made->to[k] = roots[random_below(ROOTS)].value.u64;
            vm_root_set(vm, root, slot_of(made));
            break;
        }
        case 4: /* move on along an edge */
            if (node)
                vm_root_set(vm, root, (union slot){.u64 = node->to[random_below(EDGES)]});
            break;
        case 5: assert_non_null(new_array(vm, bytes, random_below(3000))); break;
        default:
            if (node)
                set(vm, &node->to[random_below(EDGES)], roots[random_below(ROOTS)].value.u64);
            break;
        }
        if (vm->gc.due || random_below(50) == 0)
            one_slice(vm);
        if (step % 20000 == 0) {
            collect(vm);
            assert_int_equal(reachable(vm, roots, step), vm->gc.used - nothing());
        }
    }
    for (int i = 0; i < ROOTS; i++)
        vm_root_remove(vm, &roots[i]);
    collect(vm);
    assert_int_equal(vm->gc.used, nothing());
    assert_int_equal(vm->gc.top, nothing());
}

/* --- The limit -----------------------------------------------------------------------------------
 */

#define LIMIT ((uint64_t)1 << 20)

/* As a handler does it. */
static enum trap_kind wait_for_room(struct vm *vm)
{
    struct native_frame *frame = (void *)((char *)here - offsetof(struct native_frame, pub));
    return gc_wait(vm, frame->resume, here->args, frame->caller);
}

static void both_sides(struct vm *vm)
{
    uint32_t type = array_type(vm, VT_I32, 8);
    uint32_t most = (uint32_t)(LIMIT - nothing() * GRANULE - sizeof(struct array));
    assert_null(new_array(vm, type, most + 1));
    struct array *all = new_array(vm, type, most);
    assert_non_null(all);
    struct gc_root root;
    vm_root_add(vm, &root, slot_of(all));
    assert_null(new_array(vm, type, 0));
    /* It is alive, so a whole cycle makes no room; dead, it does. */
    enum trap_kind kind = TRAP_NONE;
    for (int slices = 0; !kind; slices++) {
        assert_in_range(slices, 0, 10);
        kind = wait_for_room(vm);
    }
    assert_int_equal(kind, TRAP_OUT_OF_MEMORY);
    vm_root_remove(vm, &root);
    while (!new_array(vm, type, most))
        assert_int_equal(wait_for_room(vm), TRAP_NONE);
}

static void never_fits(struct vm *vm)
{
    uint32_t type = array_type(vm, VT_V128, 0);
    assert_null(new_array(vm, type, UINT32_MAX));
    while (!wait_for_room(vm))
        assert_null(new_array(vm, type, UINT32_MAX));
    assert_int_equal(vm->gc.used, nothing());
}

/* The linear memories and the heap share what memory_bytes gives. */
static void shared_limit(struct vm *vm)
{
    uint32_t type = array_type(vm, VT_I32, 8);
    uint64_t left = vm->limits.memory_bytes - vm->memory_bytes;
    vm->memory_bytes += left - 4096;
    assert_null(new_array(vm, type, 5000));
    assert_non_null(new_array(vm, type, 2000));
}

static uint32_t stop = 1;

static void interrupted(struct vm *vm)
{
    vm->interrupt = &stop;
    assert_int_equal(wait_for_room(vm), TRAP_INTERRUPT);
}

/* Work on whole arrays is paid for, and stopped between slices. */
static void whole_arrays(struct vm *vm)
{
    enum { MANY = 3 << 18 }; /* 6 MiB */
    uint32_t type = array_type(vm, VT_I64, 0);
    const union slot value = {.u64 = UINT64_C(0x0123456789abcdef)};
    struct array *array = new_array(vm, type, MANY);
    const uint64_t *at = (const uint64_t *)array->at;
    uint64_t cost = MANY * sizeof(uint64_t) / BULK_UNIT;
    vm->fuel = (int64_t)cost;
    assert_int_equal(array_fill(vm, array, 0, &value, MANY), TRAP_NONE);
    assert_int_equal(vm->fuel, 0);
    assert_int_equal(at[MANY - 1], value.u64);
    /* Overlapping, in both directions. */
    vm->fuel = INT64_MAX;
    for (uint32_t i = 0; i < MANY; i++)
        ((uint64_t *)array->at)[i] = i;
    assert_int_equal(array_copy(vm, array, 7, array, 0, MANY - 7), TRAP_NONE);
    assert_int_equal(at[MANY - 1], MANY - 8);
    assert_int_equal(at[200007], 200000);
    assert_int_equal(array_copy(vm, array, 0, array, 7, MANY - 7), TRAP_NONE);
    assert_int_equal(at[0], 0);
    assert_int_equal(at[MANY - 8], MANY - 8);
    vm->fuel = (int64_t)cost - 1;
    assert_int_equal(array_fill(vm, array, 0, &value, MANY), TRAP_FUEL);
    vm->fuel = INT64_MAX;
    vm->interrupt = &stop;
    assert_int_equal(array_fill(vm, array, 0, &value, MANY), TRAP_INTERRUPT);
    assert_int_equal(array_fill(vm, array, 0, &value, 100), TRAP_NONE);
    assert_int_equal(array_new(vm, type, &value, MANY, &array), TRAP_INTERRUPT);
    assert_int_equal(array_fill(vm, NULL, 0, &value, 0), TRAP_NULL_REFERENCE);
    assert_int_equal(array_fill(vm, array, MANY, &value, 1), TRAP_ARRAY_BOUNDS);
    assert_int_equal(array_copy(vm, array, MANY, array, 1, UINT32_MAX), TRAP_ARRAY_BOUNDS);
}

/* Every amount of fuel, on every operator that works on a whole array: with too little nothing is
 * done, for it is all one slice, and what is done is paid for. */
enum whole { FILL_IT, COPY_UP, COPY_DOWN, MAKE_IT, WHOLES };

static enum trap_kind do_whole(struct vm *vm, enum whole which, struct array *array)
{
    static const union slot value = {.u64 = UINT64_C(0xfedcba9876543210)};
    uint32_t count = array->length - 1;
    struct array *made = NULL;
    enum trap_kind trap = TRAP_NONE;
    switch (which) {
    case FILL_IT: return array_fill(vm, array, 1, &value, count);
    case COPY_UP: return array_copy(vm, array, 1, array, 0, count);
    case COPY_DOWN: return array_copy(vm, array, 0, array, 1, count);
    default:
        trap = array_new(vm, object_type((struct object *)array), &value, count, &made);
        assert_non_null(made);
        return trap;
    }
}

static void every_amount(struct vm *vm)
{
    enum { COUNT = 520 };
    struct array *array = new_array(vm, array_type(vm, VT_I64, 0), COUNT + 1);
    uint64_t *elements = (uint64_t *)array->at;
    const int64_t cost = COUNT * sizeof(uint64_t) / BULK_UNIT;
    for (enum whole which = 0; which < WHOLES; which++)
        for (int64_t fuel = 0; fuel <= cost + 2; fuel++) {
            for (uint64_t i = 0; i <= COUNT; i++)
                elements[i] = i;
            vm->fuel = fuel;
            enum trap_kind trap = do_whole(vm, which, array);
            bool changed = false;
            for (uint64_t i = 0; i <= COUNT; i++)
                changed |= elements[i] != i;
            assert_int_equal(trap, fuel < cost ? TRAP_FUEL : TRAP_NONE);
            assert_int_equal(changed, fuel >= cost && which != MAKE_IT);
            if (!trap)
                assert_int_equal(vm->fuel, fuel - cost);
        }
    vm->fuel = INT64_MAX;
}

/* Holes of every size are found again, and grow together. */
static void holes(struct vm *vm)
{
    enum { COUNT = 400 };
    uint32_t type = array_type(vm, VT_I32, 8);
    struct gc_root roots[COUNT];
    for (uint32_t i = 0; i < COUNT; i++)
        vm_root_add(vm, &roots[i], slot_of(new_array(vm, type, i * 7)));
    for (uint32_t i = 0; i < COUNT; i += 2)
        vm_root_set(vm, &roots[i], slot_of(NULL));
    collect(vm);
    uint32_t top = vm->gc.top;
    for (uint32_t i = COUNT; i-- > 0;)
        if (i % 2 == 0)
            vm_root_set(vm, &roots[i], slot_of(new_array(vm, type, i * 7)));
    gc_retire(&vm->gc);
    assert_in_range(vm->gc.top, 0, top + top / 4);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(((struct array *)ref_object(roots[i].value.u64))->length, i * 7);
        vm_root_remove(vm, &roots[i]);
    }
    collect(vm);
    assert_int_equal(vm->gc.top, nothing());
}

#define SCENE(name, bytes)                                                                         \
    static void test_##name(void **unused)                                                         \
    {                                                                                              \
        (void)unused;                                                                              \
        with_heap(bytes, name);                                                                    \
    }
SCENE(garbage_goes, LIMIT)
SCENE(roots_stay, LIMIT)
SCENE(snapshot, 4 * LIMIT)
SCENE(long_list, LONG *UINT64_C(48))
SCENE(wide_arrays, 64 * LIMIT)
SCENE(other_references, LIMIT)
SCENE(exceptions_hold, LIMIT)
SCENE(any_graph, 64 * LIMIT)
SCENE(both_sides, LIMIT)
SCENE(never_fits, LIMIT)
SCENE(shared_limit, LIMIT)
SCENE(interrupted, LIMIT)
SCENE(whole_arrays, 64 * LIMIT)
SCENE(every_amount, 64 * LIMIT)
SCENE(holes, 4 * LIMIT)

/* --- Frames --------------------------------------------------------------------------------------
 * The module:
 *
 *     (type $node (struct (field (mut i32)) (field (mut (ref null $node)))))
 *     (type $void (func))
 *     (import "m" "host" (func $host))
 *     (global $kept (mut (ref null $node)) (ref.null $node))
 *     (table $table 4 (ref null $node))
 *     (func $churn (param $n i32)
 *       (loop $again
 *         (drop (struct.new $node (i32.const 0x5a5a5a5a) (ref.null $node)))
 *         (br_if $again (i32.gt_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const
 * 0))))) (func $first_and (param $node (ref $node)) (param $sum i32) (result i32) (i32.add
 * (struct.get $node 0 (local.get $node)) (local.get $sum)))
 *     ;; 0: the sum of 1 to n, each held on the operand stack of a frame of its own
 *     (func $deep (export "0") (param $n i32) (param $garbage i32) (result i32)
 *       (if (result i32) (i32.eqz (local.get $n))
 *         (then (call $host) (call $churn (local.get $garbage)) (i32.const 0))
 *         (else
 *           (call $first_and
 *             (struct.new $node (local.get $n) (ref.null $node))
 *             (call $deep (i32.sub (local.get $n) (i32.const 1)) (local.get $garbage)))
 *           (call $churn (local.get $garbage)))))
 *     ;; 1: a list of n nodes, kept in the global
 *     (func $list (export "1") (param $n i32)
 *       (global.set $kept (ref.null $node))
 *       (loop $again
 *         (global.set $kept (struct.new $node (local.get $n) (global.get $kept)))
 *         (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
 *     ;; 2: the sum of the list
 *     (func $sum (export "2") (result i32) (local $at (ref null $node)) (local $sum i32)
 *       (local.set $at (global.get $kept))
 *       (block $end
 *         (loop $again
 *           (br_if $end (ref.is_null (local.get $at)))
 *           (local.set $sum (i32.add (local.get $sum) (struct.get $node 0 (local.get $at))))
 *           (local.set $at (struct.get $node 1 (local.get $at)))
 *           (br $again)))
 *       (local.get $sum))
 *     ;; 3: churn
 *     (func (export "3") (param $n i32) (call $churn (local.get $n)))
 *     ;; 4: tail calls that hand a node on, with garbage in between
 *     (func $hand_on (export "4") (param $n i32) (result i32)
 *       (return_call $on (struct.new $node (local.get $n) (ref.null $node)) (local.get $n)))
 *     (func $on (param $node (ref $node)) (param $n i32) (result i32)
 *       (call $churn (i32.const 20))
 *       (if (i32.eqz (local.get $n)) (then (return (struct.get $node 0 (local.get $node)))))
 *       (return_call $on
 *         (struct.new $node (i32.add (struct.get $node 0 (local.get $node)) (i32.const 1))
 * (local.get $node)) (i32.sub (local.get $n) (i32.const 1))))
 *     ;; 5: a node in a local while the host does what it wants
 *     (func $wait (export "5") (param $n i32) (result i32) (local $node (ref null $node))
 *       (local.set $node (struct.new $node (local.get $n) (ref.null $node)))
 *       (call $first_and
 *         (struct.new $node (i32.mul (local.get $n) (i32.const 1000)) (ref.null $node))
 *         (block (result i32) (call $host) (struct.get $node 0 (local.get $node)))))
 *     ;; 6: an array with so many elements; its length
 *     (type $bytes (array (mut i8)))
 *     (func (export "6") (param $n i32) (result i32)
 *       (array.len (array.new_default $bytes (local.get $n))))
 *     ;; 7: n nodes through a table
 *     (func (export "7") (param $n i32) (result i32) (local $i i32)
 *       (loop $again
 *         (table.set $table (i32.and (local.get $i) (i32.const 3)) (struct.new $node (local.get $i)
 * (ref.null $node))) (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
 * (local.get $n)))) (struct.get $node 0 (table.get $table (i32.const 1))))
 */

enum { DEEP, LIST, SUM, CHURN, HAND_ON, WAIT, BYTES, THROUGH_TABLE };

struct acting {
    struct machine_room room;
    struct instance *instance;
    unsigned calls;
    bool blocks;
    bool nests;
};

/* The module's host function: blocks, or churns in a nested call, or returns. */
static enum native_answer host(struct vm *vm, struct native *frame)
{
    struct acting *a = frame->data;
    a->calls++;
    if (a->blocks)
        return frame->answered ? NATIVE_DONE : NATIVE_BLOCKED;
    if (!a->nests)
        return NATIVE_DONE;
    union slot *args = native_args(vm, frame, 1);
    assert_non_null(args);
    args[0].u64 = 50000;
    return native_leaf(vm, frame, function(a->instance, CHURN)) ? NATIVE_DONE : NATIVE_TRAP;
}

static void open_acting(struct acting *a, uint64_t gc_bytes, bool stress)
{
    *a = (struct acting){0};
    open_heap(&a->room, gc_bytes);
    if (stress)
        vm_gc_stress(a->room.vm);
    uint32_t type = types_func_id(a->room.store.types, NULL, 0, NULL, 0);
    struct core_extern import = {.kind = EXTERN_FUNC,
                                 .func = func_native(a->room.vm, type, host, a)};
    const struct build b = {.at = (uint8_t *)(uintptr_t)module_bytes, .len = sizeof module_bytes};
    a->instance = instantiate(&a->room, &b, &import, FIBER_DONE);
}

static void assert_gives(struct acting *a, uint32_t export, uint64_t n, uint64_t m,
                         uint64_t expected)
{
    uint64_t args[] = {n, m};
    struct func *func = function(a->instance, export);
    uint32_t count = types_func(a->room.store.types, func_type(func))->nparams;
    assert_true(count <= countof(args));
    assert_returns(&a->room, func, args, count, expected);
    assert_true(gc_of(&a->room)->most_units <= GC_SLICE_UNITS + OVERSHOOT);
}

/* Many frames, each with an object that only it knows, while cycle after cycle passes. */
static void test_deep_stack(void **unused)
{
    (void)unused;
    struct acting a;
    open_acting(&a, 512 << 10, false);
    assert_gives(&a, DEEP, 6000, 100, 6000 * 6001 / 2);
    assert_true(gc_of(&a.room)->ended > 20);
    close_room(&a.room);
    open_acting(&a, LIMIT, true);
    assert_gives(&a, DEEP, 100, 3, 100 * 101 / 2);
    close_room(&a.room);
}

static void test_list_in_global(void **unused)
{
    (void)unused;
    struct acting a;
    open_acting(&a, 4 * LIMIT, false);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(call_on(&a.room, a.room.fiber, function(a.instance, LIST), ARGS(100000)),
                         FIBER_DONE);
        assert_gives(&a, SUM, 0, 0, (uint32_t)(UINT64_C(100000) * 100001 / 2));
    }
    close_room(&a.room);
}

static void test_tail_calls(void **unused)
{
    (void)unused;
    struct acting a;
    open_acting(&a, 4 * LIMIT, false);
    assert_gives(&a, HAND_ON, 20000, 0, 40000);
    close_room(&a.room);
    open_acting(&a, LIMIT, true);
    assert_gives(&a, HAND_ON, 50, 0, 100);
    close_room(&a.room);
}

static void test_table(void **unused)
{
    (void)unused;
    struct acting a;
    open_acting(&a, LIMIT, false);
    assert_gives(&a, THROUGH_TABLE, 200000, 0, 199997);
    close_room(&a.room);
}

/* Fibers that are blocked keep what is on their stacks. */
static void test_blocked_fibers(void **unused)
{
    (void)unused;
    enum { FIBERS = 5 };
    struct acting a;
    open_acting(&a, LIMIT, false);
    struct fiber *fibers[FIBERS];
    a.blocks = true;
    for (uint32_t i = 0; i < FIBERS; i++) {
        fibers[i] = fiber_new(a.room.vm);
        assert_int_equal(call_on(&a.room, fibers[i], function(a.instance, WAIT), ARGS(i + 1)),
                         FIBER_BLOCKED);
        assert_int_equal(
            call_on(&a.room, a.room.fiber, function(a.instance, CHURN), ARGS(30000 * i)),
            FIBER_DONE);
    }
    for (uint32_t i = 0; i < FIBERS; i++) {
        assert_int_equal(fiber_run(a.room.vm, fibers[i]), FIBER_DONE);
        assert_int_equal(fiber_results(fibers[i])[0].u64, (i + 1) * 1001);
        fiber_free(a.room.vm, fibers[i]);
        assert_int_equal(call_on(&a.room, a.room.fiber, function(a.instance, CHURN), ARGS(20000)),
                         FIBER_DONE);
    }
    assert_true(gc_of(&a.room)->ended > 2);
    close_room(&a.room);
}

/* A fiber with many frames goes on in the middle of a cycle, before the collector is through with
 * its stack; and while other fibers take turns with it. */
static void test_resumed_while_marking(void **unused)
{
    (void)unused;
    enum { FIBERS = 3, FRAMES = 3000 };
    struct acting a;
    open_acting(&a, 4 * LIMIT, false);
    struct fiber *fibers[FIBERS];
    for (int round = 0; round < 10; round++) {
        a.blocks = true;
        for (int i = 0; i < FIBERS; i++) {
            fibers[i] = round ? fibers[i] : fiber_new(a.room.vm);
            assert_int_equal(
                call_on(&a.room, fibers[i], function(a.instance, DEEP), ARGS(FRAMES, 50)),
                FIBER_BLOCKED);
        }
        /* A list that takes a while to mark, and garbage up to so many slices into a cycle. */
        assert_int_equal(call_on(&a.room, a.room.fiber, function(a.instance, LIST), ARGS(20000)),
                         FIBER_DONE);
        uint64_t begun = gc_of(&a.room)->begun;
        while (gc_of(&a.room)->begun == begun)
            assert_int_equal(call_on(&a.room, a.room.fiber, function(a.instance, CHURN), ARGS(500)),
                             FIBER_DONE);
        assert_int_equal(call_on(&a.room, a.room.fiber, function(a.instance, CHURN),
                                 ARGS(1400 * (uint64_t)round)),
                         FIBER_DONE);
        for (int i = 0; i < FIBERS; i++) {
            assert_int_equal(fiber_run(a.room.vm, fibers[i]), FIBER_DONE);
            assert_int_equal(fiber_results(fibers[i])[0].u64, FRAMES * (FRAMES + 1) / 2);
        }
    }
    close_room(&a.room);
}

/* A nested call collects: the frames outside of it are seen, and may run again. */
static void test_nested_call(void **unused)
{
    (void)unused;
    struct acting a;
    open_acting(&a, LIMIT, false);
    a.nests = true;
    for (uint32_t i = 0; i < 10; i++)
        assert_gives(&a, WAIT, i, 0, i * 1001);
    assert_int_equal(a.calls, 10);
    assert_true(gc_of(&a.room)->ended > 2);
    close_room(&a.room);
}

static void test_out_of_memory(void **unused)
{
    (void)unused;
    struct acting a;
    open_acting(&a, LIMIT, false);
    assert_traps(&a.room, function(a.instance, LIST), ARGS(1000000), TRAP_OUT_OF_MEMORY);
    assert_traps(&a.room, function(a.instance, BYTES), ARGS(LIMIT), TRAP_OUT_OF_MEMORY);
    /* Once what filled it is gone, everything works again. */
    assert_int_equal(call_on(&a.room, a.room.fiber, function(a.instance, LIST), ARGS(1)),
                     FIBER_DONE);
    assert_gives(&a, BYTES, LIMIT - 1000, 0, LIMIT - 1000);
    assert_gives(&a, DEEP, 100, 100, 5050);
    close_room(&a.room);
}

/* A frame is scanned in one piece, so it may not have any number of references. The function has
 * 50,000 locals that are references, pushes so many more, and calls another one. */
static void call_over(uint32_t operands, enum fiber_state expected)
{
    struct vm_limits limits = usual_limits;
    struct machine_room room;
    struct build b;
    limits.stack_bytes = 8 << 20;
    open_room(&room, &limits);
    begin_module(&b);
    SECTION_OF(&b, TYPES, 1, 0x60, 0, 0);
    SECTION_OF(&b, FUNCTIONS, 2, 0, 0);
    export_functions(&b, 1);
    size_t bodies = begin_bodies(&b, 2);
    size_t body = begin_part(&b);
    PUT(&b, 1, 0xd0, 0x86, 0x03, 0x6e);
    for (uint32_t i = 0; i < operands; i++)
        PUT(&b, 0x20, 0);
    PUT(&b, 0x02, 0x40, 0x10, 1, 0x0b); /* at the beginning of a block all are in slots */
    for (uint32_t i = 0; i < operands; i++)
        put(&b, 0x1a);
    put(&b, 0x0b);
    end_part(&b, body);
    BODY(&b, 0);
    end_part(&b, bodies);
    struct instance *instance = instantiate(&room, &b, NULL, FIBER_DONE);
    assert_int_equal(call_on(&room, room.fiber, function(instance, 0), NULL, 0), expected);
    if (expected == FIBER_TRAPPED)
        assert_non_null(strstr(vm_trap(room.vm)->text, "references"));
    close_room(&room);
    free(b.at);
}

static void test_references_of_a_frame(void **unused)
{
    (void)unused;
    call_over(LIMIT_FRAME_REFERENCES - 50000, FIBER_DONE);
    call_over(LIMIT_FRAME_REFERENCES - 50000 + 1, FIBER_TRAPPED);
}

static void test_no_heap(void **unused)
{
    (void)unused;
    struct acting a;
    open_acting(&a, 0, false);
    assert_traps(&a.room, function(a.instance, BYTES), ARGS(0), TRAP_OUT_OF_MEMORY);
    close_room(&a.room);
}

/* After the others: long lists, wide arrays and random graphs, larger than any cache. One in a
 * thousand may have been disturbed. */
static void test_time_of_slices(void **unused)
{
    (void)unused;
    print_message("%llu slices, %llu above a millisecond, the longest %llu us\n",
                  (unsigned long long)slices_run, (unsigned long long)slices_late,
                  (unsigned long long)slice_longest / 1000);
    assert_true(slices_run > 10000);
#if !defined(CARREL_DISPATCH_LOOP) /* sanitizers take their time */
    assert_true(slices_late * 1000 <= slices_run);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_garbage_goes),
        cmocka_unit_test(test_roots_stay),
        cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_long_list),
        cmocka_unit_test(test_wide_arrays),
        cmocka_unit_test(test_other_references),
        cmocka_unit_test(test_exceptions_hold),
        cmocka_unit_test(test_any_graph),
        cmocka_unit_test(test_both_sides),
        cmocka_unit_test(test_never_fits),
        cmocka_unit_test(test_shared_limit),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_whole_arrays),
        cmocka_unit_test(test_every_amount),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_deep_stack),
        cmocka_unit_test(test_list_in_global),
        cmocka_unit_test(test_tail_calls),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_blocked_fibers),
        cmocka_unit_test(test_nested_call),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_resumed_while_marking),
        cmocka_unit_test(test_references_of_a_frame),
        cmocka_unit_test(test_no_heap),
        cmocka_unit_test(test_time_of_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
