/* Commands of component scripts against the engine's component layer; see component_runner.h. */
#include "tests/spec/component_runner.h"

#include "engine/component/link.h"
#include "tests/spec/component_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define REGION_SIZE ((size_t)1 << 32) /* of address space; what is not touched costs nothing */
#define ARENA_SIZE  ((size_t)1 << 34)

/* Something that the script gave a name: an instance, a definition, or what may be imported. */
struct named {
    struct str name;
    struct cm_instance *instance;
    const struct cm_type *type; /* of the instance */
    const struct component *component;
    struct named *next;
};

struct state {
    struct region image;
    struct region scratch;
    void *arena;
    struct cm_types *types;
    struct vm *vm;
    struct cm_store *store;
    struct fiber *fiber;

    struct named *current;           /* NULL: none, or what should be it was skipped */
    const struct component *defined; /* the last definition */
    char skipping[256];              /* why there is no instance; empty: no reason */
    struct named *instances;
    struct named *definitions;
    struct cm_provided *registered;
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

static void *reserve(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static bool open_state(struct state *state)
{
    void *image = reserve(REGION_SIZE);
    void *scratch = reserve(REGION_SIZE);
    state->arena = reserve(ARENA_SIZE);
    if (!image || !scratch || !state->arena)
        return false;
    state->image = region_of(image, REGION_SIZE);
    state->scratch = region_of(scratch, REGION_SIZE);
    struct types *core = types_new(&state->image);
    state->types = core ? cm_types_new(&state->image, core) : NULL;
    state->vm = core ? vm_new(core, &state->image, state->arena, ARENA_SIZE, &limits) : NULL;
    if (!state->types || !state->vm)
        return false;
    state->store = cm_store_new(state->vm, state->types);
    state->fiber = fiber_new(state->vm);
    return state->store && state->fiber;
}

static void *component_open(void)
{
    struct state *state = calloc(1, sizeof *state);
    if (state && open_state(state))
        return state;
    free(state);
    return NULL;
}

static void free_names(struct named *named)
{
    while (named) {
        struct named *next = named->next;
        free(named);
        named = next;
    }
}

static void component_close(void *of)
{
    struct state *state = of;
    free_names(state->instances);
    free_names(state->definitions);
    while (state->registered) {
        struct cm_provided *next = (struct cm_provided *)(uintptr_t)state->registered->next;
        free(state->registered);
        state->registered = next;
    }
    munmap(state->image.base, REGION_SIZE);
    munmap(state->scratch.base, REGION_SIZE);
    munmap(state->arena, ARENA_SIZE);
    free(state);
}

static struct named *set_name(struct named **list, struct named named)
{
    struct named *copy = malloc(sizeof *copy);
    if (!copy)
        abort();
    *copy = named;
    copy->next = *list;
    *list = copy;
    return copy;
}

static struct named *find_name(struct named *list, struct str name)
{
    while (list && !str_eq(list->name, name))
        list = list->next;
    return list;
}

/* --- Decoding and instantiation -----------------------------------------------------------------
 */

/* The component of a command. Its bytes stay for as long as the process: it may be imported. */
static const struct component *read_component(struct state *state, const struct command *command,
                                              struct err *err, struct note *note)
{
    size_t len;
    uint8_t *binary = command_binary(command, &len);
    if (!binary) {
        verdict(note, FAILED, "no file \"" STR_FMT "\"",
                STR_ARG(json_text(command->json, "filename")));
        return NULL;
    }
    const struct component *component =
        component_read((struct bytes){binary, len}, binary, state->types, &state->scratch, err);
    if (!component)
        verdict(note, FAILED, "%s at offset %llu: %s", err_word(err->kind),
                (unsigned long long)err->offset, err->text);
    return component;
}

static enum verdict trapped(const struct state *state, struct note *note)
{
    const struct trap *trap = vm_trap(state->vm);
    return verdict(note, FAILED, "trapped: %s: %s", trap_text(trap->kind), trap->text);
}

/* What became of an attempt to instantiate. */
enum made { MADE, MADE_NOT_LINKED, MADE_TRAPPED, MADE_SKIPPED };

static enum made instantiate(struct state *state, const struct component *component,
                             struct named *ret, struct err *err, struct note *note)
{
    struct cm_linker linker = {
        .store = state->store, .scratch = &state->scratch, .provided = state->registered};
    state->skipping[0] = 0;
    ret->instance = cm_link(&linker, component, &ret->type, err);
    if (!ret->instance) {
        verdict(note, FAILED, "%s: %s", err_word(err->kind), err->text);
        if (!strstr(err->text, "not provided yet"))
            return MADE_NOT_LINKED;
        snprintf(state->skipping, sizeof state->skipping, "%s", err->text);
        return MADE_SKIPPED;
    }
    fiber_begin(state->vm, state->fiber, cm_instance_initializer(ret->instance));
    if (fiber_run(state->vm, state->fiber) == FIBER_DONE)
        return MADE;
    trapped(state, note);
    return MADE_TRAPPED;
}

/* Instantiates and makes it the current instance. */
static enum verdict adopt(struct state *state, const struct component *component, struct str name,
                          struct note *note)
{
    struct err err = {0};
    struct named made = {.name = name};
    state->current = NULL;
    enum made how = instantiate(state, component, &made, &err, note);
    if (how == MADE_SKIPPED)
        return SKIPPED;
    if (how != MADE)
        return FAILED;
    state->current = set_name(&state->instances, made);
    return PASSED;
}

static enum verdict do_module(struct state *state, const struct command *command, struct note *note)
{
    struct err err = {0};
    state->current = NULL;
    const struct component *component = read_component(state, command, &err, note);
    return component ? adopt(state, component, json_text(command->json, "name"), note) : FAILED;
}

static enum verdict do_definition(struct state *state, const struct command *command,
                                  struct note *note)
{
    struct err err = {0};
    struct named named = {.name = json_text(command->json, "name")};
    state->defined = named.component = read_component(state, command, &err, note);
    if (!state->defined)
        return FAILED;
    if (named.name.len)
        set_name(&state->definitions, named);
    return PASSED;
}

static enum verdict do_instance(struct state *state, const struct command *command,
                                struct note *note)
{
    struct str name = json_text(command->json, "module");
    const struct named *named = find_name(state->definitions, name);
    const struct component *component =
        name.len ? (named ? named->component : NULL) : state->defined;
    if (!component)
        return verdict(note, FAILED, "no definition " STR_FMT, STR_ARG(name));
    return adopt(state, component, json_text(command->json, "instance"), note);
}

/* The instance that a command or action means. NULL: there is none, or it was skipped. */
static struct named *instance_of(struct state *state, struct json_object *json, const char *key,
                                 struct note *note)
{
    struct str name = json_text(json, key);
    struct named *named = name.len ? find_name(state->instances, name) : state->current;
    if (!named)
        verdict(note, FAILED, "%s",
                state->skipping[0] ? state->skipping : "there is no such instance");
    return named;
}

static enum verdict absent(const struct state *state)
{
    return state->skipping[0] ? SKIPPED : FAILED;
}

static enum verdict do_register(struct state *state, const struct command *command,
                                struct note *note)
{
    const struct named *named = instance_of(state, command->json, "name", note);
    if (!named)
        return absent(state);
    struct cm_provided *provided = malloc(sizeof *provided);
    if (!provided)
        abort();
    *provided = (struct cm_provided){json_text(command->json, "as"), named->type,
                                     &named->instance->exports, state->registered};
    state->registered = provided;
    return PASSED;
}

/* --- Actions ------------------------------------------------------------------------------------
 */

enum outcome { RETURNED, TRAPPED, IMPOSSIBLE, NOT_RUN };

/* Calls the export that an action names; *ret_call has the result. */
static enum outcome act(struct state *state, struct json_object *action,
                        const struct cm_func **ret_func, struct cm_call **ret_call,
                        struct value_memory *memory, struct note *note)
{
    const struct named *named = instance_of(state, action, "module", note);
    if (!named)
        return state->skipping[0] ? NOT_RUN : IMPOSSIBLE;
    struct str field = json_text(action, "field");
    const struct cm_func *func = cm_export_func(named->instance, (struct str){0}, field);
    struct json_object *args = json_member(action, "args");
    if (!func || json_object_array_length(args) != func->type->nparams) {
        verdict(note, FAILED, "no export " STR_FMT " with so many parameters", STR_ARG(field));
        return IMPOSSIBLE;
    }
    uint8_t *host = value_take(memory, func->type->layout.host_size);
    for (uint32_t i = 0; i < func->type->nparams; i++)
        if (!component_value_write(func->type->params[i].type, json_object_array_get_idx(args, i),
                                   host + func->type->params[i].host_offset, memory)) {
            verdict(note, FAILED, "argument %u cannot be made", i);
            return IMPOSSIBLE;
        }
    *ret_func = func;
    *ret_call = cm_call_new(state->store, func, host);
    if (!*ret_call)
        return IMPOSSIBLE;
    fiber_begin(state->vm, state->fiber, cm_call_func(*ret_call));
    if (fiber_run(state->vm, state->fiber) == FIBER_DONE)
        return RETURNED;
    trapped(state, note);
    return TRAPPED;
}

static enum verdict result_is(const struct cm_func *func, const struct cm_call *call,
                              struct json_object *expected, struct note *note)
{
    size_t count = expected ? json_object_array_length(expected) : 0;
    if (count != (func->type->result != NULL))
        return verdict(note, FAILED, "%zu results are expected", count);
    if (!count || component_value_is(func->type->result, json_object_array_get_idx(expected, 0),
                                     cm_call_result(call)))
        return PASSED;
    return verdict(note, FAILED, "the result is not %s",
                   json_object_to_json_string_ext(expected, JSON_C_TO_STRING_PLAIN));
}

static enum verdict do_action(struct state *state, const struct command *command,
                              enum outcome wanted, struct note *note)
{
    const struct cm_func *func = NULL;
    struct cm_call *call = NULL;
    struct value_memory memory = {0};
    enum outcome outcome =
        act(state, json_member(command->json, "action"), &func, &call, &memory, note);
    enum verdict result = FAILED;
    if (outcome == NOT_RUN)
        result = SKIPPED;
    else if (outcome == RETURNED && wanted == TRAPPED)
        result = verdict(note, FAILED, "returned, but should trap: " STR_FMT,
                         STR_ARG(json_text(command->json, "text")));
    else if (outcome == wanted)
        result = PASSED;
    if (result == PASSED && strcmp(command->type, "assert_return") == 0)
        result = result_is(func, call, json_member(command->json, "expected"), note);
    if (call)
        cm_call_free(call);
    value_memory_free(&memory);
    return result;
}

/* --- Refusals -----------------------------------------------------------------------------------
 */

static enum verdict do_refused(struct state *state, const struct command *command, enum made wanted,
                               struct note *note)
{
    struct err err = {0};
    struct named made = {0};
    const struct component *component = read_component(state, command, &err, note);
    if (!component)
        return FAILED;
    enum made how = instantiate(state, component, &made, &err, note);
    if (how == MADE_SKIPPED)
        return SKIPPED;
    if (how == MADE)
        return verdict(note, FAILED, "instantiated, but should not be: " STR_FMT,
                       STR_ARG(json_text(command->json, "text")));
    return how == wanted ? PASSED : FAILED;
}

static enum verdict do_invalid(struct state *state, const struct command *command,
                               enum err_kind kind, struct note *note)
{
    struct err err = {0};
    if (read_component(state, command, &err, note))
        return verdict(note, FAILED, "accepted, but should not be: " STR_FMT,
                       STR_ARG(json_text(command->json, "text")));
    return err.kind == kind ? PASSED : FAILED;
}

static enum verdict component_command(void *of, const struct command *command, struct note *note)
{
    struct state *state = of;
    const char *type = command->type;
    if (strcmp(type, "assert_return") == 0 || strcmp(type, "action") == 0)
        return do_action(state, command, RETURNED, note);
    if (strcmp(type, "assert_trap") == 0)
        return do_action(state, command, TRAPPED, note);
    if (strcmp(type, "module") == 0)
        return do_module(state, command, note);
    if (strcmp(type, "module_definition") == 0)
        return do_definition(state, command, note);
    if (strcmp(type, "module_instance") == 0)
        return do_instance(state, command, note);
    if (strcmp(type, "register") == 0)
        return do_register(state, command, note);
    if (strcmp(type, "assert_invalid") == 0)
        return do_invalid(state, command, ERR_INVALID, note);
    if (strcmp(type, "assert_malformed") == 0)
        return do_invalid(state, command, ERR_MALFORMED, note);
    if (strcmp(type, "assert_unlinkable") == 0)
        return do_refused(state, command, MADE_NOT_LINKED, note);
    if (strcmp(type, "assert_uninstantiable") == 0)
        return do_refused(state, command, MADE_TRAPPED, note);
    return verdict(note, SKIPPED, "no such command here: %s", type);
}

static const char *const without[] = {NULL};

const struct runner component_runner = {
    .name = "components",
    .without = without,
    .takes = component_is,
    .open = component_open,
    .close = component_close,
    .command = component_command,
};
