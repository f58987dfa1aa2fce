/* Calling an export by its name with values in WAVE, and printing what it returns (--invoke). */
#include "engine/cell/program.h"

#include "engine/base/names.h"
#include "engine/cell/tell.h"
#include "engine/component/store.h"
#include "engine/component/wave.h"

/* --- Printing -----------------------------------------------------------------------------------
 */

/* Pieces of text on their way to standard output. */
struct printer {
    struct program *program;
    struct err *err;
    bool lost; /* what comes further has nowhere to go */
    size_t used;
    uint8_t text[4096];
};

static void flush(struct printer *printer)
{
    const struct bytes text = {printer->text, printer->used};
    printer->lost = printer->lost || program_print(printer->program, text, printer->err);
    printer->used = 0;
}

static void put(void *data, struct str piece)
{
    struct printer *printer = data;
    while (piece.len) {
        size_t room = sizeof printer->text - printer->used;
        size_t len = piece.len < room ? piece.len : room;
        memcpy(printer->text + printer->used, piece.at, len);
        printer->used += len;
        piece.at += len;
        piece.len -= len;
        if (printer->used == sizeof printer->text)
            flush(printer);
    }
}

static enum ran print_value(struct program *program, const struct cm_type *type, const void *value,
                            struct err *err)
{
    static struct printer printer;
    const struct wave_out out = {put, &printer};
    printer.program = program;
    printer.err = err;
    wave_show(type, value, &out);
    put(&printer, str_of("\n"));
    flush(&printer);
    return printer.lost ? RAN_FAILED : RAN_DONE;
}

/* --- Components ---------------------------------------------------------------------------------
 */

static bool split(const struct cell *cell, struct wave_call *ret, struct err *err)
{
    if (wave_call_split(cell->call, ret))
        return true;
    err_set(err, ERR_USAGE, ERR_NOWHERE,
            "\"" STR_FMT "\" is no call: write the export's name and its arguments in "
            "parentheses, like 'add(1, 2)'",
            STR_ARG(cell->call));
    return false;
}

enum ran invoke_component(struct program *program, struct cm_instance *instance, struct err *err)
{
    struct wave_call typed;
    if (!split(program->cell, &typed, err))
        return RAN_FAILED;
    const struct cm_func *func = cm_export_typed(instance, typed.name, err);
    if (!func)
        return RAN_FAILED;
    struct host_scratch scratch = {.store = instance->store};
    void *args = scratch_take(&scratch, func->type->layout.host_size);
    if (!args) {
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for the arguments");
        return RAN_FAILED;
    }
    memset(args, 0, func->type->layout.host_size);
    if (wave_args_read(func->type, typed.args, args, &scratch, err)) {
        err_within(err, "in the arguments of " STR_FMT " (`carrel inspect` shows its type)",
                   STR_ARG(typed.name));
        return RAN_FAILED;
    }
    struct cm_call *call = cm_call_new(instance->store, func, args);
    if (!call) {
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to call the component");
        return RAN_FAILED;
    }
    enum ran ran = program_run(program, cm_call_func(call));
    if (ran != RAN_DONE)
        return ran;
    if (func->type->result)
        ran = print_value(program, func->type->result, cm_call_result(call), err);
    if (ran == RAN_DONE)
        tell_exit(0);
    return ran;
}

/* --- Core modules -------------------------------------------------------------------------------
 */

/* Core numbers in the words of WAVE: integers signed, floats as they are. */
static const struct cm_type *type_of(const struct cm_types *types, valtype type)
{
    switch (vt_kind(type)) {
    case VT_I32: return cm_prim(types, CM_S32);
    case VT_I64: return cm_prim(types, CM_S64);
    case VT_F32: return cm_prim(types, CM_F32);
    case VT_F64: return cm_prim(types, CM_F64);
    default: return NULL;
    }
}

/* Reads the arguments to `to`, the slots of the parameters: WAVE sees a function of numbers. */
static int read_numbers(struct program *program, const struct cm_types *types,
                        const struct functype *type, struct str args, union slot *to,
                        struct err *err)
{
    struct cm_field *params = region_take(&program->ground.image, type->nparams, sizeof *params,
                                          _Alignof(struct cm_field));
    if (!params && type->nparams)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for the arguments");
    for (uint32_t i = 0; i < type->nparams; i++) {
        params[i] = (struct cm_field){.type = type_of(types, type->params[i]),
                                      .host_offset = i * (uint32_t)sizeof *to};
        if (!params[i].type)
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "argument %u is no number: write one, because nothing else of a core "
                           "module has a text",
                           i + 1);
        to[i].u64 = 0;
    }
    const struct cm_type func = {.kind = CM_FUNC, .nparams = type->nparams, .params = params};
    return wave_args_read(&func, args, to, NULL, err);
}

/* The module exports no function of that name: those that it exports, as many as fit. */
static void no_function(const struct module *module, struct str name, struct err *err)
{
    struct names names = {.used = 0};
    for (uint32_t i = 0; i < module->nexports; i++)
        if (module->exports[i].kind == EXTERN_FUNC)
            names_add(&names, module->exports[i].name);
    err_set(err, ERR_USAGE, ERR_NOWHERE,
            "the module exports no function '" STR_FMT "': it exports %s", STR_ARG(name),
            names.text[0] ? names.text : "none");
}

enum ran invoke_module(struct program *program, struct instance *instance, struct err *err)
{
    struct wave_call typed;
    if (!split(program->cell, &typed, err))
        return RAN_FAILED;
    struct core_extern external;
    if (!instance_export(instance, typed.name, &external) || external.kind != EXTERN_FUNC) {
        no_function(instance_module(instance), typed.name, err);
        return RAN_FAILED;
    }
    struct cm_types *types = cm_types_new(&program->ground.image, program->ground.types);
    if (!types) {
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no memory is left for the types of a call");
        return RAN_FAILED;
    }
    const struct functype *type = types_func(program->ground.types, func_type(external.func));
    const struct cm_type *result = type->nresults == 1 ? type_of(types, type->results[0]) : NULL;
    if (type->nresults && !result) {
        err_set(
            err, ERR_USAGE, ERR_NOWHERE,
            "\"" STR_FMT
            "\" does not return one number, so that there is no text for its result: call another",
            STR_ARG(typed.name));
        return RAN_FAILED;
    }
    union slot *args = program_begin(program, external.func);
    if (read_numbers(program, types, type, typed.args, args, err)) {
        err_within(err, "in the arguments of " STR_FMT " (`carrel inspect` shows its type)",
                   STR_ARG(typed.name));
        return RAN_FAILED;
    }
    enum ran ran = program_finish(program);
    if (ran == RAN_DONE && result)
        ran = print_value(program, result, fiber_results(program->fiber), err);
    return ran;
}
