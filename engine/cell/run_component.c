/* Running a component: linking it to WASI, instantiating it, calling its `run`. */
#include "engine/cell/program.h"

#include "engine/cell/answer.h"
#include "engine/cell/tell.h"
#include "engine/component/link.h"
#include "engine/wasi/table.h"
#include <stdio.h>

/* What is missing, named in one text. */
struct missing {
    uint32_t count;
    size_t used;
    char text[160];
};

static void note_missing(void *data, struct str interface, struct str name, bool resource)
{
    struct missing *missing = data;
    missing->count++;
    if (missing->used >= sizeof missing->text - 1)
        return;
    missing->used += (size_t)snprintf(
        missing->text + missing->used, sizeof missing->text - missing->used,
        "%s" STR_FMT "%s" STR_FMT "%s", missing->used ? ", " : "", STR_ARG(interface),
        name.len ? "#" : "", STR_ARG(name), resource ? " (resource)" : "");
}

struct cm_instance *link_component(struct vm *vm, struct wasi *wasi, struct region *scratch,
                                   const struct component *component, struct cm_types *types,
                                   struct host_table *table, struct cm_store **ret_store,
                                   struct err *err)
{
    uint8_t *mark = region_mark(scratch);
    *table = wasi_table;
    table->host = wasi;
    struct cm_store *store = cm_store_new(vm, types);
    struct cm_host *host = store ? cm_host_new(store, scratch, table) : NULL;
    if (!host) {
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to link the component");
        return NULL;
    }
    *ret_store = store;
    struct missing missing = {0};
    const struct cm_linker linker = {.store = store,
                                     .scratch = scratch,
                                     .host = host,
                                     .prune = true,
                                     .missing = note_missing,
                                     .data = &missing};
    struct err why = {0};
    struct cm_instance *instance = cm_link(&linker, component, NULL, &why);
    region_release(scratch, mark);
    if (!instance && missing.count)
        err_set(err, ERR_UNLINKABLE, ERR_NOWHERE, "%u imports are not provided: %s", missing.count,
                missing.text);
    else if (!instance)
        *err = why;
    return instance;
}

const struct component *decode_component(const struct cell *cell, struct ground *ground,
                                         struct cm_types **ret_types, struct err *err)
{
    struct cm_types *types = cm_types_new(&ground->image, ground->types);
    if (!types) {
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for the types of a component");
        return NULL;
    }
    types->noted = true;
    const struct component *component =
        component_read(cell->component, cell->component.at, types, &ground->scratch, err);
    if (!component)
        ground_refuses(err);
    *ret_types = types;
    return component;
}

enum ran run_component(struct program *program, struct err *err)
{
    /* The table with this cell's state. */
    static struct host_table table;
    const struct cell *cell = program->cell;
    struct ground *ground = &program->ground;
    struct cm_types *types;
    const struct component *component = decode_component(cell, ground, &types, err);
    if (!component)
        return RAN_FAILED;
    struct cm_instance *instance = link_component(program->vm, program->wasi, &ground->scratch,
                                                  component, types, &table, &program->store, err);
    if (!instance)
        return RAN_FAILED;
    enum ran ran = program_run(program, cm_instance_initializer(instance));
    if (ran != RAN_DONE)
        return ran;
    if (cell->invokes)
        return invoke_component(program, instance, err);
    const struct row_export command = export_of_row(ROW_export_run);
    const struct cm_func *run = cm_export_func(instance, str_of(command.interface), command.name);
    struct cm_call *call = run ? cm_call_new(instance->store, run, NULL) : NULL;
    if (!call) {
        if (run)
            err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to call the component");
        else
            err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                    "the component exports no %s: nothing to run; name an export with --invoke",
                    command.interface);
        return RAN_FAILED;
    }
    ran = program_run(program, cm_call_func(call));
    if (ran != RAN_DONE)
        return ran;
    /* result: its tag is HOST_OK or HOST_ERR; the command world makes an error code 1. */
    const uint8_t *result = cm_call_result(call);
    tell_exit(*result == HOST_OK ? 0 : 1);
    return RAN_DONE;
}
