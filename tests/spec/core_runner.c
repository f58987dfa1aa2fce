/* Commands of core scripts against the engine's store; see core_runner.h, runner.h. */
#include "tests/spec/core_runner.h"

#include "tests/spec/core_decode.h"
#include "tests/spec/core_spectest.h"
#include "tests/spec/core_value.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA_SIZE ((size_t)1 << 36) /* of address space, for memories that a script lets grow */

/* Something that the script gave a name: an instance ("$M"), a definition, or what may be imported
 * under a name ("M"). */
struct named {
    struct str name;
    struct instance *instance;
    const struct module *module;
    struct named *next;
};

struct core_state {
    struct core_store store;
    void *arena;
    struct vm *vm;
    struct fiber *fiber;
    struct spectest spectest;

    struct instance *current;
    const struct module *defined; /* the last definition */
    struct named *instances;
    struct named *definitions;
    struct named *registered;
};

/* --- The state ----------------------------------------------------------------------------------
 */

static const struct vm_limits limits = {
    .memory_bytes = ARENA_SIZE / 2,
    .gc_bytes = ARENA_SIZE / 8,
    .table_elements = 100000000,
    .stack_bytes = (uint64_t)8 << 20,
    .heap_bytes = (uint64_t)1 << 30,
    .fuel = UINT64_MAX,
    .instances = 10000,
    .memories = 10000,
    .tables = 10000,
};

static void *core_open(void)
{
    struct core_state *state = calloc(1, sizeof *state);
    if (!state || !core_store_open(&state->store))
        return NULL;
    state->arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (state->arena == MAP_FAILED)
        return NULL;
    state->vm = vm_new(state->store.types, &state->store.image, state->arena, ARENA_SIZE, &limits);
    state->fiber = state->vm ? fiber_new(state->vm) : NULL;
    if (state->vm && getenv("GC_STRESS"))
        vm_gc_stress(state->vm);
    return state->fiber && spectest_make(&state->spectest, state->vm) ? state : NULL;
}

static void free_names(struct named *named)
{
    while (named) {
        struct named *next = named->next;
        free(named);
        named = next;
    }
}

static void core_close(void *of)
{
    struct core_state *state = of;
    free_names(state->instances);
    free_names(state->definitions);
    free_names(state->registered);
    munmap(state->arena, ARENA_SIZE);
    core_store_close(&state->store);
    free(state);
}

/* The newest of a name comes first. */
static void set_name(struct named **list, struct str name, struct instance *instance,
                     const struct module *module)
{
    struct named *named = malloc(sizeof *named);
    if (!named)
        abort();
    *named = (struct named){name, instance, module, *list};
    *list = named;
}

static const struct named *find_name(const struct named *list, struct str name)
{
    while (list && !str_eq(list->name, name))
        list = list->next;
    return list;
}

/* The instance that a command or action means: the one named by `key`, or the current one. */
static struct instance *instance_of(struct core_state *state, struct json_object *json,
                                    const char *key, struct note *note)
{
    struct str name = json_text(json, key);
    if (name.len) {
        const struct named *named = find_name(state->instances, name);
        if (!named)
            verdict(note, FAILED, "no instance " STR_FMT, STR_ARG(name));
        return named ? named->instance : NULL;
    }
    if (!state->current)
        verdict(note, FAILED, "there is no instance");
    return state->current;
}

/* --- Execution ----------------------------------------------------------------------------------
 */

/* Runs a function to its end; what is in `args` was put where fiber_begin said. */
static bool run(struct core_state *state)
{
    return fiber_run(state->vm, state->fiber) == FIBER_DONE;
}

static enum trap_kind trap_kind(const struct core_state *state)
{
    return vm_trap(state->vm)->kind;
}

static const char *trap_word(const struct core_state *state)
{
    return trap_text(trap_kind(state));
}

static bool find_import(struct core_state *state, const struct import *import,
                        struct core_extern *ret_item)
{
    const struct named *named = find_name(state->registered, import->module);
    if (named)
        return instance_export(named->instance, import->name, ret_item);
    return str_is(import->module, "spectest") &&
           spectest_find(&state->spectest, import->name, ret_item);
}

/* Links and initialises a module. NULL: `err` is set if it could not be linked, else it trapped. */
static struct instance *instantiate(struct core_state *state, const struct module *module,
                                    struct err *err)
{
    struct core_extern *imports = calloc(module->nimports + 1, sizeof *imports);
    struct instance *instance = NULL;
    bool linked = imports;
    for (uint32_t i = 0; linked && i < module->nimports; i++) {
        linked = find_import(state, &module->imports[i], &imports[i]);
        if (!linked)
            err_set(err, ERR_UNLINKABLE, ERR_NOWHERE, "unknown import " STR_FMT "." STR_FMT,
                    STR_ARG(module->imports[i].module), STR_ARG(module->imports[i].name));
    }
    if (linked)
        instance = instance_new(state->vm, module, imports, err);
    free(imports);
    if (!instance)
        return NULL;
    fiber_begin(state->vm, state->fiber, instance_initializer(instance));
    return run(state) ? instance : NULL;
}

static enum verdict not_instantiated(const struct core_state *state, const struct err *err,
                                     struct note *note)
{
    if (err->kind != ERR_NONE)
        return verdict(note, FAILED, "%s: %s", err_word(err->kind), err->text);
    return verdict(note, FAILED, "trapped: %s", trap_word(state));
}

/* What an action came to. */
struct outcome {
    enum { RETURNED, TRAPPED, IMPOSSIBLE } how;
    uint32_t count;
    const valtype *types;
    const union slot *slots;
    valtype one; /* of a global */
};

static struct outcome invoke(struct core_state *state, struct func *func, struct json_object *args,
                             struct note *note)
{
    const struct functype *type = types_func(state->store.types, func_type(func));
    union slot *slots = fiber_begin(state->vm, state->fiber, func);
    size_t count = args ? json_object_array_length(args) : 0;
    if (!slots || count != type->nparams) {
        verdict(note, FAILED, "%zu arguments for %u parameters, or no stack", count, type->nparams);
        return (struct outcome){.how = IMPOSSIBLE};
    }
    for (size_t i = 0; i < count; i++) {
        if (!value_read(json_object_array_get_idx(args, i), slots)) {
            verdict(note, FAILED, "argument %zu cannot be made", i);
            return (struct outcome){.how = IMPOSSIBLE};
        }
        slots += vt_slots(type->params[i]);
    }
    if (!run(state))
        return (struct outcome){.how = TRAPPED};
    return (struct outcome){.how = RETURNED,
                            .count = type->nresults,
                            .types = type->results,
                            .slots = fiber_results(state->fiber)};
}

static struct outcome act(struct core_state *state, struct json_object *action, struct note *note)
{
    struct outcome impossible = {.how = IMPOSSIBLE};
    struct instance *instance = instance_of(state, action, "module", note);
    struct str field = json_text(action, "field");
    struct core_extern item;
    if (!instance)
        return impossible;
    if (!instance_export(instance, field, &item)) {
        verdict(note, FAILED, "no export " STR_FMT, STR_ARG(field));
        return impossible;
    }
    if (json_is(action, "type", "invoke") && item.kind == EXTERN_FUNC)
        return invoke(state, item.func, json_member(action, "args"), note);
    if (json_is(action, "type", "get") && item.kind == EXTERN_GLOBAL)
        return (struct outcome){.how = RETURNED,
                                .count = 1,
                                .slots = item.global->value,
                                .one = item.global->type.type};
    verdict(note, FAILED, "export " STR_FMT " is of another kind", STR_ARG(field));
    return impossible;
}

/* --- Commands -----------------------------------------------------------------------------------
 */

static enum verdict adopt(struct core_state *state, struct instance *instance, struct str name)
{
    state->current = instance;
    if (name.len)
        set_name(&state->instances, name, instance, NULL);
    return PASSED;
}

static enum verdict do_module(struct core_state *state, const struct command *command,
                              struct note *note)
{
    struct err err = {0};
    state->current = NULL;
    const struct module *module = core_module(&state->store, command, &err, note);
    if (!module)
        return FAILED;
    struct instance *instance = instantiate(state, module, &err);
    return instance ? adopt(state, instance, json_text(command->json, "name"))
                    : not_instantiated(state, &err, note);
}

static enum verdict do_definition(struct core_state *state, const struct command *command,
                                  struct note *note)
{
    struct err err = {0};
    struct str name = json_text(command->json, "name");
    state->defined = core_module(&state->store, command, &err, note);
    if (!state->defined)
        return FAILED;
    if (name.len)
        set_name(&state->definitions, name, NULL, state->defined);
    return PASSED;
}

static enum verdict do_instance(struct core_state *state, const struct command *command,
                                struct note *note)
{
    struct err err = {0};
    struct str name = json_text(command->json, "module");
    const struct named *named = find_name(state->definitions, name);
    const struct module *module = name.len ? (named ? named->module : NULL) : state->defined;
    state->current = NULL;
    if (!module)
        return verdict(note, FAILED, "no definition " STR_FMT, STR_ARG(name));
    struct instance *instance = instantiate(state, module, &err);
    return instance ? adopt(state, instance, json_text(command->json, "instance"))
                    : not_instantiated(state, &err, note);
}

static enum verdict do_register(struct core_state *state, const struct command *command,
                                struct note *note)
{
    struct instance *instance = instance_of(state, command->json, "name", note);
    if (!instance)
        return FAILED;
    set_name(&state->registered, json_text(command->json, "as"), instance, NULL);
    return PASSED;
}

static enum verdict do_action(struct core_state *state, const struct command *command,
                              struct note *note)
{
    struct outcome outcome = act(state, json_member(command->json, "action"), note);
    if (outcome.how == TRAPPED)
        return verdict(note, FAILED, "trapped: %s", trap_word(state));
    return outcome.how == RETURNED ? PASSED : FAILED;
}

static enum verdict do_return(struct core_state *state, const struct command *command,
                              struct note *note)
{
    struct outcome outcome = act(state, json_member(command->json, "action"), note);
    struct json_object *expected = json_member(command->json, "expected");
    if (outcome.how == TRAPPED)
        return verdict(note, FAILED, "trapped: %s", trap_word(state));
    if (outcome.how == IMPOSSIBLE)
        return FAILED;
    if (json_object_array_length(expected) != outcome.count)
        return verdict(note, FAILED, "%u results, %zu are expected", outcome.count,
                       json_object_array_length(expected));
    for (uint32_t i = 0; i < outcome.count; i++) {
        struct json_object *wanted = json_object_array_get_idx(expected, i);
        valtype type = outcome.types ? outcome.types[i] : outcome.one;
        char text[80];
        if (!value_matches(state->vm, wanted, type, outcome.slots, text, sizeof text))
            return verdict(note, FAILED, "result %u is %s, expected %s", i, text,
                           json_object_to_json_string_ext(wanted, JSON_C_TO_STRING_PLAIN));
        outcome.slots += vt_slots(type);
    }
    return PASSED;
}

/* The action must end early, with a trap of this kind of failure. */
static enum verdict do_trap(struct core_state *state, const struct command *command,
                            enum err_kind kind, struct note *note)
{
    struct outcome outcome = act(state, json_member(command->json, "action"), note);
    if (outcome.how == IMPOSSIBLE)
        return FAILED;
    if (outcome.how == RETURNED)
        return verdict(note, FAILED, "returned, but should end: " STR_FMT,
                       STR_ARG(json_text(command->json, "text")));
    return trap_err_kind(trap_kind(state)) == kind && trap_kind(state) != TRAP_EXCEPTION
               ? PASSED
               : verdict(note, FAILED, "ended by: %s, but should be: " STR_FMT, trap_word(state),
                         STR_ARG(json_text(command->json, "text")));
}

static enum verdict do_exception(struct core_state *state, const struct command *command,
                                 struct note *note)
{
    struct outcome outcome = act(state, json_member(command->json, "action"), note);
    if (outcome.how == IMPOSSIBLE)
        return FAILED;
    if (outcome.how == TRAPPED && trap_kind(state) == TRAP_EXCEPTION)
        return PASSED;
    return verdict(note, FAILED, "no exception: %s",
                   outcome.how == TRAPPED ? trap_word(state) : "returned");
}

/* The module is valid, but must not come to be: it does not link, or it traps. */
static enum verdict do_refused(struct core_state *state, const struct command *command,
                               bool must_link, struct note *note)
{
    struct err err = {0};
    const struct module *module = core_module(&state->store, command, &err, note);
    if (!module)
        return FAILED;
    if (instantiate(state, module, &err))
        return verdict(note, FAILED, "instantiated, but should not be: " STR_FMT,
                       STR_ARG(json_text(command->json, "text")));
    bool linked = err.kind == ERR_NONE;
    bool right = must_link ? linked : err.kind == ERR_UNLINKABLE;
    return right ? PASSED : not_instantiated(state, &err, note);
}

static enum verdict core_command(void *of, const struct command *command, struct note *note)
{
    struct core_state *state = of;
    const char *type = command->type;
    enum verdict result;
    if (strcmp(type, "assert_return") == 0)
        return do_return(state, command, note);
    if (strcmp(type, "assert_trap") == 0)
        return do_trap(state, command, ERR_TRAP, note);
    if (strcmp(type, "assert_exhaustion") == 0)
        return do_trap(state, command, ERR_EXHAUSTED, note);
    if (strcmp(type, "assert_exception") == 0)
        return do_exception(state, command, note);
    if (strcmp(type, "action") == 0)
        return do_action(state, command, note);
    if (strcmp(type, "module") == 0)
        return do_module(state, command, note);
    if (strcmp(type, "module_definition") == 0)
        return do_definition(state, command, note);
    if (strcmp(type, "module_instance") == 0)
        return do_instance(state, command, note);
    if (strcmp(type, "register") == 0)
        return do_register(state, command, note);
    if (strcmp(type, "assert_unlinkable") == 0)
        return do_refused(state, command, false, note);
    if (strcmp(type, "assert_uninstantiable") == 0)
        return do_refused(state, command, true, note);
    if (core_decode_command(&state->store, command, note, &result))
        return result;
    return verdict(note, SKIPPED, "no such command here: %s", type);
}

const struct runner core_runner = {
    .name = "core modules",
    .without = core_without,
    .takes = core_takes,
    .open = core_open,
    .close = core_close,
    .command = core_command,
};
