/* What components can reach, and that what they cannot is linked to a trap: a component with every
 * way of reaching, and the real ones, if they are there. */
#include "tests/unit/component_fixture.h"

#include "engine/component/call.h"
#include "engine/wasi/table.h"
#include "engine/wasm/notes.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL "../shared/components"

static bool read_file(struct build *b, const char *path)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    assert_int_equal(fstat(fd, &stat), 0);
    *b = (struct build){.at = malloc((size_t)stat.st_size), .len = (size_t)stat.st_size};
    assert_non_null(b->at);
    for (size_t have = 0; have < b->len;) {
        ssize_t got = read(fd, b->at + have, b->len - have);
        assert_true(got > 0);
        have += (size_t)got;
    }
    close(fd);
    return true;
}

/* --- A host that has everything, and does nothing -----------------------------------------------
 */

static enum host_answer stub(struct host_call *call, const void *args, void *result)
{
    (void)args;
    (void)result;
    return host_trap(call, "stub");
}

static enum host_answer nothing(struct host_call *call, const void *args, void *result)
{
    (void)call;
    (void)args;
    (void)result;
    return HOST_DONE;
}

static const struct host_table *stubs(void)
{
    static struct host_item items[1000];
    static struct host_table table;
    assert_in_range(wasi_table.nitems, 1, countof(items));
    table = wasi_table;
    memcpy(items, wasi_table.items, wasi_table.nitems * sizeof *items);
    for (uint32_t i = 0; i < table.nitems; i++)
        if (items[i].kind == HOST_FUNC)
            items[i].fn = stub;
    table.items = items;
    return &table;
}

static struct cm_instance *link_pruned(struct fixture *f, const struct component *component,
                                       const struct host_table *table)
{
    const struct cm_linker linker = {.store = f->store,
                                     .scratch = &f->core.scratch,
                                     .host = cm_host_new(f->store, &f->core.scratch, table),
                                     .prune = true};
    assert_non_null(linker.host);
    struct cm_instance *instance = cm_link(&linker, component, NULL, &f->err);
    if (!instance)
        fail_msg("%s: %s", err_word(f->err.kind), f->err.text);
    return instance;
}

static enum fiber_state run(struct fixture *f, struct func *func)
{
    fiber_begin(f->vm, f->fiber, func);
    return fiber_run(f->vm, f->fiber);
}

/* --- Making what is out of reach fire -----------------------------------------------------------
 */

/* Calls a function with zeros; it traps with words that say that it was judged so. */
static void fires(struct fixture *f, struct func *func)
{
    const struct functype *type = types_func(f->core.types, func_type(func));
    union slot *args = fiber_begin(f->vm, f->fiber, func);
    for (uint32_t i = 0; i < type->param_slots; i++)
        args[i].u64 = 0;
    assert_int_equal(fiber_run(f->vm, f->fiber), FIBER_TRAPPED);
    if (!strstr(vm_trap(f->vm)->text, "out of reach"))
        fail_msg("%s", vm_trap(f->vm)->text);
}

/* What fired: all, and the resource types among it, each of which counts once. */
struct fired {
    unsigned count;
    unsigned ndrops;
    const struct cm_resource *drops[60];
};

static void fire_drop(struct fixture *f, struct fired *fired, const struct cm_resource *resource,
                      struct func *drop)
{
    fires(f, drop);
    for (unsigned i = 0; i < fired->ndrops; i++)
        if (fired->drops[i] == resource)
            return;
    assert_in_range(fired->ndrops, 0, countof(fired->drops) - 1);
    fired->drops[fired->ndrops++] = resource;
    fired->count++;
}

/* What an instance and those in it lower from imports that are out of reach. */
static void fire_lowered(struct fixture *f, struct fired *fired, const struct cm_instance *instance)
{
    const struct component *component = instance->component;
    uint32_t counts[SORTS] = {0};
    for (uint32_t i = 0; i < component->ndefs; i++) {
        const struct cm_def *def = &component->defs[i];
        uint32_t place = def->sort < SORTS ? counts[def->sort]++ : 0;
        if (def->kind == DEF_INSTANTIATE) {
            uint8_t *exports = instance->spaces[SORT_INSTANCE][place];
            fire_lowered(f, fired,
                         (struct cm_instance *)(exports - offsetof(struct cm_instance, exports)));
        }
        if (def->kind != DEF_CANON)
            continue;
        const struct cm_canon *canon = def->canon;
        struct func *func = instance->spaces[SORT_CORE_FUNC][place];
        if (canon->canon == CANON_LOWER &&
            ((struct cm_func *)instance->spaces[SORT_FUNC][canon->func])->pruned) {
            fires(f, func);
            fired->count++;
        } else if (canon->canon == CANON_RESOURCE_DROP && instance->slots[canon->var->slot]->kept) {
            fire_drop(f, fired, instance->slots[canon->var->slot], func);
        }
    }
}

/* Most of what is dead is the drop of a resource type that no core function was made for, so no
 * code of the component's can call it: one is made here, as if it had been missed. */
static void fire_drops(struct fixture *f, struct fired *fired, struct cm_instance *instance)
{
    static const valtype handle = VT_I32;
    for (uint32_t i = 0; i < instance->component->nslots; i++) {
        const struct cm_resource *resource = instance->slots[i];
        if (!resource || resource->owner || !resource->kept)
            continue;
        const struct cm_var var = {.slot = i};
        const struct cm_canon canon = {.canon = CANON_RESOURCE_DROP,
                                       .core = types_func_id(f->core.types, &handle, 1, NULL, 0),
                                       .var = &var};
        struct func *drop = cm_builtin_func(instance, &canon);
        assert_non_null(drop);
        fire_drop(f, fired, resource, drop);
    }
}

/* --- Tests --------------------------------------------------------------------------------------
 */

struct seen {
    unsigned all;
    unsigned dead;
    uint64_t which; /* hash */
};

static void note_by_name(void *data, const struct cm_demand *demand)
{
    struct seen *seen = data;
    bool dead = demand->name.len > 4 && memcmp(demand->name.at, "dead", 4) == 0;
    seen->all++;
    seen->dead += dead;
    if (demand->reachable == dead)
        fail_msg(STR_FMT " is told to be %s", STR_ARG(demand->name), dead ? "reachable" : "dead");
}

static void note_all(void *data, const struct cm_demand *demand)
{
    struct seen *seen = data;
    seen->all++;
    seen->dead += !demand->reachable;
    seen->which = seen->which * 31 + demand->reachable;
}

static const struct host_interface demand_interface[] = {{"test:demand/all", ""}};

/* clang-format off */
static const struct host_item demand_items[] = {
    {0, HOST_FUNC, "direct",         "func()", NULL, nothing, NULL},
    {0, HOST_FUNC, "by-start",       "func()", NULL, nothing, NULL},
    {0, HOST_FUNC, "by-slot",        "func()", NULL, nothing, NULL},
    {0, HOST_FUNC, "dead-slot",      "func()", NULL, nothing, NULL},
    {0, HOST_FUNC, "by-type",        "func()", NULL, nothing, NULL},
    {0, HOST_FUNC, "by-reference",   "func()", NULL, nothing, NULL},
    {0, HOST_FUNC, "by-write",       "func()", NULL, nothing, NULL},
    {0, HOST_FUNC, "by-global",      "func()", NULL, nothing, NULL},
    {0, HOST_FUNC, "by-destructor",  "func()", NULL, nothing, NULL},
    {0, HOST_FUNC, "by-post-return", "func()", NULL, nothing, NULL},
    {0, HOST_FUNC, "by-inner",       "func()", NULL, nothing, NULL},
    {0, HOST_RESOURCE, "kept",       NULL,     NULL, NULL,    NULL},
};
/* clang-format on */

/* Some of what is dead is provided, the rest is not: both are traps, and the rest is not missed. */
static void each_way_of_reaching(void **state)
{
    (void)state;
    const struct host_table table = {demand_interface,      demand_items, 1,
                                     countof(demand_items), NULL,         NULL};
    struct fixture f;
    struct build b;
    struct seen seen = {0};
    open_fixture(&f);
    assert_true(read_file(&b, "tests/data/demand.wasm"));
    f.types->noted = true;
    const struct component *component = good_component(&f, &b);
    cm_demand(component, &f.core.scratch, note_by_name, &seen);
    assert_int_equal(seen.all, 16);
    assert_int_equal(seen.dead, 5);
    struct cm_instance *instance = link_pruned(&f, component, &table);
    assert_int_equal(run(&f, cm_instance_initializer(instance)), FIBER_DONE);
    struct fired fired = {0};
    fire_lowered(&f, &fired, instance);
    assert_int_equal(fired.count, 5);
    free(b.at);
    close_fixture(&f);
}

/* A reader that goes over code only tells the same. */
static void scanned_or_validated(void **state)
{
    (void)state;
    struct fixture f;
    struct build b;
    struct seen seen = {0};
    open_types(&f);
    assert_true(read_file(&b, "tests/data/demand.wasm"));
    const struct component *component =
        component_scan((struct bytes){b.at, b.len}, b.at, f.types, &f.core.scratch, &f.err);
    assert_non_null(component);
    cm_demand(component, &f.core.scratch, note_by_name, &seen);
    assert_int_equal(seen.all, 16);
    assert_int_equal(seen.dead, 5);
    free(b.at);
    close_fixture(&f);
}

/* A module that imports two functions and has two: the first is exported and calls one of the
 * imports, the other calls the other. One of them goes on with what is no instruction. */
static void reach_malformed(unsigned which, bool *ret)
{
    struct fixture f;
    struct build b;
    open_types(&f);
    begin_module(&b);
    SECTION_OF(&b, TYPES, 1, 0x60, 0, 0);
    SECTION_OF(&b, IMPORTS, 2, 1, 'm', 1, 'a', 0, 0, 1, 'm', 1, 'b', 0, 0);
    SECTION_OF(&b, FUNCTIONS, 2, 0, 0);
    SECTION_OF(&b, EXPORTS, 1, 1, 'f', 0, 2);
    SECTION_OF(&b, CODE, 2, 5, 0, 0x10, 0, which == 0 ? 0xff : 0x01, 0x0b, 5, 0, 0x10, 1,
               which == 1 ? 0xff : 0x01, 0x0b);
    const struct module *module =
        module_read_with(CARE_SCAN, (struct bytes){b.at, b.len}, b.at, f.core.types, &f.core.image,
                         &f.core.scratch, &f.err);
    assert_non_null(module);
    cm_module_demand(module, &f.core.scratch, ret);
    free(b.at);
    close_fixture(&f);
}

/* What is malformed hides nothing where it is reached, and is not looked at where it is not. */
static void malformed_code(void **state)
{
    (void)state;
    bool reached[2];
    reach_malformed(0, reached);
    assert_true(reached[0] && reached[1]);
    reach_malformed(1, reached);
    assert_true(reached[0] && !reached[1]);
    reach_malformed(2, reached);
    assert_true(reached[0] && !reached[1]);
}

static void without_notes_all_is_in_reach(void **state)
{
    (void)state;
    struct fixture f;
    struct build b;
    struct seen seen = {0};
    open_types(&f);
    assert_true(read_file(&b, "tests/data/demand.wasm"));
    cm_demand(good_component(&f, &b), &f.core.scratch, note_all, &seen);
    assert_int_equal(seen.all, 16);
    assert_int_equal(seen.dead, 0);
    free(b.at);
    close_fixture(&f);
}

static void real_component(const char *name, struct seen *sum)
{
    char path[300];
    struct fixture f;
    struct build b;
    struct seen seen = {0};
    snprintf(path, sizeof path, REAL "/%s", name);
    assert_true(read_file(&b, path));
    if (!component_is((struct bytes){b.at, b.len})) {
        free(b.at);
        return;
    }
    open_fixture(&f);
    f.types->noted = true;
    const struct component *component = good_component(&f, &b);
    cm_demand(component, &f.core.scratch, note_all, &seen);
    struct seen scanned = {0};
    cm_demand(component_scan((struct bytes){b.at, b.len}, b.at, f.types, &f.core.scratch, &f.err),
              &f.core.scratch, note_all, &scanned);
    assert_memory_equal(&scanned, &seen, sizeof seen);
    struct cm_instance *instance = link_pruned(&f, component, stubs());
    if (run(&f, cm_instance_initializer(instance)) != FIBER_DONE)
        fail_msg("%s: %s", name, vm_trap(f.vm)->text);
    struct fired fired = {0};
    fire_lowered(&f, &fired, instance);
    unsigned lowered = fired.count;
    fire_drops(&f, &fired, instance);
    print_message("%-28s %3u imported, %3u dead, %3u of them fired, of which %u are lowered\n",
                  name, seen.all, seen.dead, fired.count, lowered);
    assert_int_equal(fired.count, seen.dead);
    sum->all += seen.all;
    sum->dead += seen.dead;
    free(b.at);
    close_fixture(&f);
}

static void real_components(void **state)
{
    (void)state;
    struct seen sum = {0};
    DIR *folder = opendir(REAL);
    if (!folder)
        skip();
    for (struct dirent *entry; (entry = readdir(folder));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot && !strcmp(dot, ".wasm"))
            real_component(entry->d_name, &sum);
    }
    closedir(folder);
    assert_true(sum.dead > 0);
    print_message("%u imported, %u dead\n", sum.all, sum.dead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_of_reaching), cmocka_unit_test(scanned_or_validated),
        cmocka_unit_test(malformed_code),       cmocka_unit_test(without_notes_all_is_in_reach),
        cmocka_unit_test(real_components),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
