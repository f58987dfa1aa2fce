/* The role of a reader: decodes and validates the whole file and answers with its demand. Where a
 * cell that runs it will validate it, code is only gone over. */
#include "engine/cell/answer.h"
#include "engine/cell/ground.h"
#include "engine/cell/image.h"
#include "engine/cell/reader_wit.h"
#include "engine/cell/request.h"
#include "engine/cell/tell.h"
#include "engine/cell/wit_files.h"
#include "engine/component/demand.h"
#include "engine/component/link.h"
#include "engine/component/name.h"
#include "engine/component/package.h"
#include "engine/wasi/p1.h"
#include "engine/wasi/table.h"
#include "engine/wasm/notes.h"
#include "engine/wasm/wat.h"
#include <stdio.h>

enum reading {
#define READING(NAME, word, meaning) READING_##NAME,
#include "shim/protocol.def"
};

/* Is it to be read in this way? */
static bool reads(const struct cell *cell, enum reading reading)
{
    static const char *const words[] = {
#define READING(NAME, word, meaning) word,
#include "shim/protocol.def"
    };
    return cell->argument_count && str_is(cell->arguments[0], words[reading]);
}

/* Is code to be gone over only? */
static bool scans(const struct cell *cell)
{
    return reads(cell, READING_SCAN);
}

/* The world that is asked about; empty: all of them. */
static struct str world_of(const struct cell *cell)
{
    bool named = reads(cell, READING_WORLD) && cell->argument_count > 1;
    return named ? cell->arguments[1] : (struct str){"", 0};
}

/* --- Memories ----------------------------------------------------------------------------------
 */

/* What the memories of a module have at the start, and whether one may grow. */
static void tell_memories(struct answer *answer, const struct module *module)
{
    for (uint32_t i = module->imported_memories; i < module->nmemories; i++) {
        const struct memtype *type = &module->memories[i];
        uint64_t bytes;
        if (__builtin_mul_overflow(type->limits.min, UINT64_C(1) << type->page_log2, &bytes))
            bytes = UINT64_MAX;
        answer_memory(answer, bytes);
        if (!type->limits.has_max || type->limits.max > type->limits.min)
            answer_fact(answer, ANSWER_IS_GROWS);
    }
}

/* --- Components --------------------------------------------------------------------------------
 */

/* The memories of what a component and those within it instantiate, each component counted once:
 * less than the truth where one is instantiated twice, and then instantiation is where it ends.
 * Components nest to a limited depth (limits.def). */
static int tell_instantiated(struct answer *answer, const struct component *component,
                             struct region *scratch, struct err *err)
{
    uint8_t *mark = region_mark(scratch);
    uint32_t count = 0;
    const struct module **modules =
        region_array(scratch, const struct module *, component->counts[SORT_MODULE]);
    if (!modules)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to look at a component's modules");
    for (uint32_t i = 0; i < component->ndefs; i++) {
        const struct cm_def *def = &component->defs[i];
        if (def->kind == DEF_COMPONENT && tell_instantiated(answer, def->component, scratch, err))
            return -1;
        if (def->kind == DEF_CORE_INSTANTIATE && modules[def->of])
            tell_memories(answer, modules[def->of]);
        if (def->sort == SORT_MODULE) /* others are imported, or come from elsewhere */
            modules[count++] = def->kind == DEF_MODULE ? def->module->module : NULL;
    }
    region_release(scratch, mark);
    return 0;
}

static void tell_demanded(void *data, const struct cm_demand *demand)
{
    struct answer *answer = data;
    const char *why;
    struct name name = name_parse(demand->interface, &why);
    uint32_t row = ROW_NONE;
    if (name.kind == NAME_INTERFACE)
        row = demand->drop ? row_of_drop(name.path, name.version, demand->name)
                           : row_of_function(name.path, name.version, demand->name);
    if (row != ROW_NONE)
        answer_row(answer, row, demand->reachable);
    else if (!demand->drop)
        answer_name(answer, demand->reachable ? ANSWER_UNKNOWN : ANSWER_UNCALLED, demand->interface,
                    demand->name);
}

static void tell_exported(struct answer *answer, const struct cm_decls *exports)
{
    for (uint32_t i = 0; i < exports->count; i++) {
        const char *why;
        struct str text = exports->at[i].name->text;
        struct name name = name_parse(text, &why);
        answer_name(answer, ANSWER_EXPORT, text, (struct str){0});
        if (exports->at[i].is.sort == SORT_INSTANCE)
            answer_fact(answer, ANSWER_IS_NESTS);
        if (name.kind != NAME_INTERFACE)
            continue;
        uint32_t row = row_of_export(name.path, name.version);
        if (row == ROW_NONE)
            continue;
        answer_row(answer, row, true);
        answer_fact(answer, row == ROW_export_run ? ANSWER_IS_COMMAND : ANSWER_IS_PROXY);
    }
}

static void tell_imported(struct answer *answer, const struct cm_decls *imports)
{
    for (uint32_t i = 0; i < imports->count; i++)
        answer_name(answer, ANSWER_IMPORT, imports->at[i].name->text, (struct str){0});
}

/* A name, and what is wrong with its type: "INTERFACE#NAME: expected ..., found ...". */
static void tell_mismatch(void *data, struct str interface, struct str name, const struct err *why)
{
    struct answer *answer = data;
    char text[2 * sizeof why->text];
    int len =
        snprintf(text, sizeof text, STR_FMT "%s%s", STR_ARG(name), name.len ? ": " : "", why->text);
    size_t used = len < 0 ? 0 : (size_t)len;
    answer_name(answer, ANSWER_MISMATCH, interface,
                (struct str){text, used < sizeof text ? used : sizeof text - 1});
}

static void note_mismatch(void *data, struct str interface, struct str name, const struct err *why)
{
    (void)interface, (void)name, (void)why;
    *(bool *)data = true;
}

/* What the component imports from WASI with another type than WASI's, and can reach: what it can
 * reach is found out once more only if something does not fit. */
static int tell_mistyped(const struct cell *cell, struct ground *ground, struct cm_types *types,
                         const struct component *component, struct answer *answer, struct err *err)
{
    struct vm *vm = ground_vm(cell, ground, err);
    if (!vm)
        return -1;
    struct cm_store *store = cm_store_new(vm, types);
    struct cm_host *host = store ? cm_host_new(store, &ground->scratch, &wasi_table) : NULL;
    if (!host)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to check the imports' types");
    bool mistyped = false;
    struct cm_linker linker = {
        .store = store, .scratch = &ground->scratch, .host = host, .data = &mistyped};
    int failed = cm_check_imports(&linker, component, note_mismatch, err);
    if (failed || !mistyped)
        return failed;
    linker.prune = true;
    linker.data = answer;
    return cm_check_imports(&linker, component, tell_mismatch, err);
}

static int read_component(const struct cell *cell, struct ground *ground, struct answer *answer,
                          struct err *err)
{
    struct cm_types *types = cm_types_new(&ground->image, ground->types);
    if (!types)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for the types of a component");
    types->noted = true;
    const struct component *component = (scans(cell) ? component_scan : component_read)(
        cell->component, cell->component.at, types, &ground->scratch, err);
    if (!component)
        return ground_refuses(err);
    answer_fact(answer, ANSWER_IS_COMPONENT);
    tell_imported(answer, &component->type->imports);
    tell_exported(answer, &component->type->exports);
    cm_demand(component, &ground->scratch, tell_demanded, answer);
    if (tell_instantiated(answer, component, &ground->scratch, err) ||
        tell_mistyped(cell, ground, types, component, answer, err))
        return ground_refuses(err);
    return 0;
}

/* --- Core modules ------------------------------------------------------------------------------
 */

struct signature {
    char text[80];
    size_t used;
};

static void put_signature(void *data, struct str piece)
{
    struct signature *signature = data;
    size_t room = sizeof signature->text - 1 - signature->used;
    size_t len = piece.len < room ? piece.len : room;
    memcpy(signature->text + signature->used, piece.at, len);
    signature->used += len;
}

/* "(func (param i32 i64))", as far as there is room. */
static struct signature show_func(const struct functype *type)
{
    struct signature signature = {0};
    struct out out = {.put = put_signature, .data = &signature};
    const struct wat wat = {.out = &out};
    out_text(&out, "(func");
    wat_signature(&wat, type);
    out_char(&out, ')');
    out_flush(&out);
    return signature;
}

/* Tells an import that is not of the type that preview 1 has for it; false if it is. */
static bool tell_mistyped_p1(struct answer *answer, struct types *types,
                             const struct import *import)
{
    struct externtype wanted = {.kind = EXTERN_FUNC};
    if (!p1_type(types, import->module, import->name, &wanted.func) ||
        externtype_matches(types, &wanted, &import->type))
        return false;
    struct signature has = show_func(types_func(types, wanted.func));
    struct signature wants = show_func(types_func(types, import->type.func));
    struct err why = {0};
    err_set(&why, ERR_INVALID, ERR_NOWHERE, "expected %s, found %s", wants.text, has.text);
    tell_mismatch(answer, import->module, import->name, &why);
    return true;
}

static int read_module(const struct cell *cell, struct ground *ground, struct answer *answer,
                       struct err *err)
{
    const struct module *module =
        module_read_with(scans(cell) ? CARE_SCAN : CARE_NOTE, cell->component, cell->component.at,
                         ground->types, &ground->image, &ground->scratch, err);
    if (!module)
        return ground_refuses(err);
    bool *reached = region_array(&ground->scratch, bool, module->nimports);
    if (!reached)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to look at a module's imports");
    cm_module_demand(module, &ground->scratch, reached);
    for (uint32_t i = 0; i < module->nimports; i++) {
        const struct import *import = &module->imports[i];
        bool func = import->type.kind == EXTERN_FUNC;
        uint32_t row = func ? row_of_p1(import->module, import->name) : ROW_NONE;
        if (row == ROW_NONE)
            answer_name(answer, func && !reached[i] ? ANSWER_UNCALLED : ANSWER_UNKNOWN,
                        import->module, import->name);
        else if (!reached[i] || !tell_mistyped_p1(answer, ground->types, import))
            answer_row(answer, row, reached[i]);
        if (i == 0 || !str_eq(import->module, module->imports[i - 1].module))
            answer_name(answer, ANSWER_IMPORT, import->module, (struct str){0});
    }
    for (uint32_t i = 0; i < module->nexports; i++)
        answer_name(answer, ANSWER_EXPORT, module->exports[i].name, (struct str){0});
    if (module_has_entry(module, str_of("_start")))
        answer_fact(answer, ANSWER_IS_COMMAND);
    tell_memories(answer, module);
    return 0;
}

/* Finds the component in an image. What has to be unpacked gets its room from the arena's begin. */
static int read_image(struct cell *cell, struct err *err)
{
    uint8_t *begin = cell->arena;
    size_t size = ground_spare(cell->arena_size);
    struct unpack_room room = {begin, begin + size};
    cell->arena = begin + size;
    cell->arena_size -= size;
    return image_component(cell->component, &room, &cell->component, err);
}

void role_reader(struct cell *cell)
{
    static struct answer answer;
    struct ground ground;
    struct err err = {0};
    answer_start(&answer);
    bool archive = image_is(cell->component) || unpack_is(cell->component);
    bool wit = archive ? wit_archive_is(cell->component) : wit_is(cell->component);
    bool image = archive && !wit;
    if (image)
        answer_fact(&answer, ANSWER_IS_IMAGE);
    bool failed = (image && read_image(cell, &err)) || ground_lay(cell, &ground, &err) ||
                  (wit ? read_wit(cell->component, world_of(cell), &ground.image, &answer, &err) &&
                             ground_refuses(&err)
                   : component_is(cell->component) ? read_component(cell, &ground, &answer, &err)
                                                   : read_module(cell, &ground, &answer, &err));
    if (!failed && !wit)
        request_tell(cell->component, &answer);
    if (failed)
        tell_failure(&err);
    else
        tell_demand(answer_bytes(&answer));
}
