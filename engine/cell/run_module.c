/* Running a core module with preview 1. */
#include "engine/cell/program.h"

#include "engine/cell/tell.h"
#include "engine/component/demand.h"
#include "engine/wasi/p1.h"
#include <stdio.h>

/* What no code of the module can call: a trap, so that a mistake is one, and not a system call that
 * the filter does not have. */
static enum native_answer unreached_step(struct vm *vm, struct native *frame)
{
    const struct import *import = frame->data;
    vm_trap_set(vm, TRAP_HOST,
                STR_FMT " was called, which was judged to be out of reach: a fault in carrel, "
                        "please report it",
                STR_ARG(import->name));
    return NATIVE_TRAP;
}

static struct func *unreached(struct vm *vm, const struct import *import, struct err *err)
{
    struct func *func =
        func_native(vm, import->type.func, unreached_step, (void *)(uintptr_t)import);
    if (!func)
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to link the module");
    return func;
}

/* The functions that the module imports. Those that are not there are named, all in one failure. */
static struct core_extern *link(struct program *program, const struct module *module,
                                struct err *err)
{
    struct p1 *p1 = p1_new(program->vm, program->wasi);
    struct core_extern *imports =
        heap_zeroed(vm_heap(program->vm), (size_t)module->nimports + 1, sizeof *imports);
    bool *reached = region_array(&program->ground.scratch, bool, module->nimports);
    if (!p1 || !imports || !reached) {
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to link the module");
        return NULL;
    }
    cm_module_demand(module, &program->ground.scratch, reached);
    char missing[160] = "";
    size_t used = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < module->nimports; i++) {
        const struct import *import = &module->imports[i];
        struct err why = {0};
        struct func *func = NULL;
        if (import->type.kind == EXTERN_FUNC && !reached[i])
            func = unreached(program->vm, import, &why);
        else if (import->type.kind == EXTERN_FUNC)
            func = p1_func(p1, import->module, import->name, &why);
        if (func) {
            imports[i] = (struct core_extern){.kind = EXTERN_FUNC, .func = func};
            continue;
        }
        if (why.kind == ERR_MEMORY) {
            *err = why;
            return NULL;
        }
        count++;
        if (used < sizeof missing - 1)
            used += (size_t)snprintf(missing + used, sizeof missing - used,
                                     "%s\"" STR_FMT "\" \"" STR_FMT "\"", used ? ", " : "",
                                     STR_ARG(import->module), STR_ARG(import->name));
    }
    if (count) {
        err_set(err, ERR_UNLINKABLE, ERR_NOWHERE, "%u imports are not provided to core modules: %s",
                count, missing);
        return NULL;
    }
    return imports;
}

static enum ran call_export(struct program *program, struct instance *instance, const char *name)
{
    struct core_extern external;
    instance_export(instance, str_of(name), &external);
    return program_run(program, external.func);
}

static bool exports_function(const struct module *module, const char *name)
{
    const struct export *export = module_export(module, str_of(name));
    return export && export->kind == EXTERN_FUNC;
}

enum ran run_module(struct program *program, struct err *err)
{
    const struct cell *cell = program->cell;
    struct ground *ground = &program->ground;
    const struct module *module = module_read_noted(
        cell->component, cell->component.at, ground->types, &ground->image, &ground->scratch, err);
    if (!module) {
        ground_refuses(err);
        return RAN_FAILED;
    }
    bool command = !cell->invokes && module_has_entry(module, str_of("_start"));
    if (!command && !cell->invokes) {
        err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                exports_function(module, "_start")
                    ? "its function \"_start\" has parameters or results, and where a program "
                      "starts there are none: call it, or another export, with --invoke"
                    : "the module exports no function \"_start\": nothing to run; name one with "
                      "--invoke");
        return RAN_FAILED;
    }
    struct core_extern *imports = link(program, module, err);
    struct instance *instance = imports ? instance_new(program->vm, module, imports, err) : NULL;
    if (!instance)
        return RAN_FAILED;
    enum ran ran = program_run(program, instance_initializer(instance));
    if (ran == RAN_DONE && !command && module_has_entry(module, str_of("_initialize")))
        ran = call_export(program, instance, "_initialize");
    if (ran == RAN_DONE)
        ran = command ? call_export(program, instance, "_start")
                      : invoke_module(program, instance, err);
    if (ran == RAN_DONE)
        tell_exit(0);
    return ran;
}
