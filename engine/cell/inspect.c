/* The role that inspects: decodes and validates the whole file, then prints what was asked for to
 * its standard output, which is a pipe of the shim's that lets plain text through. */
#include "engine/cell/inspect.h"

#include "engine/cell/ground.h"
#include "engine/cell/tell.h"
#include "engine/exec/state.h"
#include "engine/wasm/wat.h"
#include <unistd.h>

struct inspecting {
    const struct cell *cell;
    struct ground ground;
    uint32_t views;
    uint32_t modules; /* shown so far */
    struct out out;
};

/* Whoever reads may stop reading; then there is nobody to show anything to. */
static void put(void *data, struct str piece)
{
    const struct cell *cell = data;
    while (cell->grant_count && piece.len) {
        ssize_t written = write(cell->grants[0].descriptor, piece.at, piece.len);
        if (written <= 0) {
            tell_exit(0);
            _exit(0);
        }
        piece.at += written;
        piece.len -= (size_t)written;
    }
}

static uint32_t views_of(const struct cell *cell)
{
    static const char *const words[VIEWS] = {
#define VIEW(NAME, word, meaning) word,
#include "shim/protocol.def"
    };
    uint32_t views = 0;
    for (size_t i = 0; i < cell->argument_count; i++)
        for (unsigned view = 0; view < VIEWS; view++)
            if (str_is(cell->arguments[i], words[view]))
                views |= 1u << view;
    return views;
}

static void show_registers(const struct wat *wat, uint32_t func, void *scratch)
{
    wat_registers(wat, func, scratch);
}

/* The translator wants a place for the module's code, though none is kept. */
static bool prepare(struct inspecting *inspecting, const struct module *module)
{
    struct err ignored = {0};
    return view_in(inspecting->views, VIEW_REGISTERS) &&
           translate_prepare(module, interp_handlers, &inspecting->ground.image, &ignored) == 0;
}

static void show_module(struct inspecting *inspecting, const struct module *module)
{
    struct region *scratch = &inspecting->ground.scratch;
    uint8_t *mark = region_mark(scratch);
    struct wat wat = wat_begin(module, scratch, &inspecting->out);
    if (view_in(inspecting->views, VIEW_JSON)) {
        out_text(&inspecting->out, inspecting->modules ? ",\n" : "");
        wat_list_json(&wat);
    } else {
        bool lists = view_in(inspecting->views, VIEW_MODULES);
        out_text(&inspecting->out, inspecting->modules ? "\n" : "");
        if (lists)
            wat_list(&wat);
        if (!lists || view_in(inspecting->views, VIEW_WAT) ||
            view_in(inspecting->views, VIEW_REGISTERS))
            wat_module(&wat, prepare(inspecting, module) ? show_registers : NULL, scratch);
    }
    inspecting->modules++;
    region_release(scratch, mark);
}

/* The modules of a component and of those within it, which nest to a limited depth. */
static void show_modules(struct inspecting *inspecting, const struct component *component)
{
    for (uint32_t i = 0; i < component->ndefs; i++) {
        const struct cm_def *def = &component->defs[i];
        if (def->kind == DEF_COMPONENT)
            show_modules(inspecting, def->component);
        else if (def->kind == DEF_MODULE && def->module->module)
            show_module(inspecting, def->module->module);
    }
}

/* {"kind":"component" or "module","size":N,...,"modules":[...]} */
static int begin_json(struct inspecting *inspecting, const struct component *component,
                      struct err *err)
{
    struct out *out = &inspecting->out;
    out_format(out, "{\"kind\":\"%s\",\"size\":%zu", component ? "component" : "module",
               inspecting->cell->component.len);
    if (component) {
        out_char(out, ',');
        if (inspect_component(component, &inspecting->ground.scratch, true, out, err))
            return -1;
    }
    out_text(out, ",\"modules\":[\n");
    return 0;
}

static int show(struct inspecting *inspecting, struct err *err)
{
    const struct cell *cell = inspecting->cell;
    struct ground *ground = &inspecting->ground;
    const struct component *component = NULL;
    const struct module *module = NULL;
    if (component_is(cell->component)) {
        struct cm_types *types = cm_types_new(&ground->image, ground->types);
        if (!types)
            return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for the types of a component");
        component =
            component_read(cell->component, cell->component.at, types, &ground->scratch, err);
    } else {
        module = module_read(cell->component, cell->component.at, ground->types, &ground->image,
                             &ground->scratch, err);
    }
    if (!component && !module)
        return ground_refuses(err);
    if (view_in(inspecting->views, VIEW_JSON) && begin_json(inspecting, component, err))
        return -1;
    if (component && inspecting->views)
        show_modules(inspecting, component);
    else if (component)
        return inspect_component(component, &ground->scratch, false, &inspecting->out, err);
    else
        show_module(inspecting, module);
    if (view_in(inspecting->views, VIEW_JSON))
        out_text(&inspecting->out, "\n]}\n");
    return 0;
}

void role_inspect(struct cell *cell)
{
    static struct inspecting inspecting;
    struct err err = {0};
    inspecting.cell = cell;
    inspecting.views = views_of(cell);
    inspecting.out.put = put;
    inspecting.out.data = cell;
    int failed = ground_lay(cell, &inspecting.ground, &err) || show(&inspecting, &err);
    out_flush(&inspecting.out);
    if (failed)
        tell_failure(&err);
    else
        tell_exit(0);
}
