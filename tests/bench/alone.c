/* Runs a core module with the engine alone: no cell, no component. For measuring against engines
 * that are a program of their own, so not for programs that one does not trust.
 *
 *   alone [--eager] [--load] MODULE
 *
 * --eager translates everything first; --load runs nothing. */
#include "engine/exec/state.h"
#include "engine/wasi/p1.h"
#include "engine/wasm/xop.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define IMAGE_BYTES ((size_t)1 << 30)
#define STORE_BYTES ((size_t)6 << 30)

static void *reserve(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (at == MAP_FAILED) {
        perror("alone: mmap");
        exit(2);
    }
    return at;
}

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "alone: %s: %s\n", what, why);
    exit(2);
}

static struct core_extern *link_all(struct vm *vm, const struct module *module)
{
    static struct str arguments[] = {{"alone", 5}};
    static const struct wasi_config config = {
        .streams = {{0, WASI_STREAM}, {1, WASI_STREAM}, {2, WASI_STREAM}},
        .arguments = arguments,
        .narguments = 1,
        .clock = true,
        .random = true,
        .may_poll = true,
    };
    if (!module->nimports)
        return NULL;
    struct err err = {0};
    struct wasi *wasi = wasi_new(vm_heap(vm), &config, &err);
    struct p1 *p1 = wasi ? p1_new(vm, wasi) : NULL;
    struct core_extern *imports = calloc(module->nimports, sizeof *imports);
    for (uint32_t i = 0; i < module->nimports; i++) {
        imports[i].kind = EXTERN_FUNC;
        imports[i].func = p1_func(p1, module->imports[i].module, module->imports[i].name, &err);
        if (!imports[i].func)
            give_up("import", err.text);
    }
    return imports;
}

/* Carries a function out, to its end; gives the exit code. */
static int carry_out(struct vm *vm, struct func *func)
{
    struct fiber *fiber = fiber_new(vm);
    fiber_begin(vm, fiber, func);
    const struct trap *trap = vm_trap(vm);
    if (fiber_run(vm, fiber) != FIBER_TRAPPED)
        return 0;
    if (trap->kind != TRAP_EXIT)
        give_up(trap_text(trap->kind), trap->text);
    return (int)trap->code;
}

static const struct module *read_file(const char *path, struct types *types, struct region *image,
                                      struct region *scratch)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status))
        give_up(path, "cannot be opened");
    size_t size = (size_t)status.st_size;
    const uint8_t *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        give_up(path, "cannot be mapped");
    struct err err = {0};
    const struct module *module =
        module_read((struct bytes){file, size}, file, types, image, scratch, &err);
    if (!module)
        give_up(path, err.text);
    return module;
}

static const struct vm_limits limits = {
    .memory_bytes = UINT64_C(4) << 30,
    .table_elements = 10000000,
    .stack_bytes = 8 << 20,
    .heap_bytes = 1 << 30,
    .fuel = UINT64_MAX,
    .instances = 100,
    .memories = 100,
    .tables = 100,
};

int main(int count, char **arguments)
{
    bool eager = false, load = false;
    int at = 1;
    for (; at < count - 1; at++) {
        eager |= strcmp(arguments[at], "--eager") == 0;
        load |= strcmp(arguments[at], "--load") == 0;
    }
    if (at != count - 1)
        give_up("usage", "alone [--eager] [--load] MODULE");
    struct region image = region_of(reserve(IMAGE_BYTES), IMAGE_BYTES);
    struct region scratch = region_of(reserve(IMAGE_BYTES), IMAGE_BYTES);
    struct err err = {0};
    const struct module *module = read_file(arguments[at], types_new(&image), &image, &scratch);
    struct vm *vm = vm_new(module->types, &image, reserve(STORE_BYTES), STORE_BYTES, &limits);
    if (eager) {
        struct translation translation = vm->translation;
        translation.module = module;
        if (translate_prepare(module, interp_handlers, &image, &err) ||
            translate_all(&translation, &image, &err))
            give_up(arguments[at], err.text);
    }
    if (load)
        return 0;
    struct instance *instance = instance_new(vm, module, link_all(vm, module), &err);
    struct core_extern start;
    if (!instance)
        give_up(arguments[at], err.text);
    if (!instance_export(instance, str_of("_start"), &start))
        give_up(arguments[at], "no _start");
    int code = carry_out(vm, instance_initializer(instance));
    return code ? code : carry_out(vm, start.func);
}
