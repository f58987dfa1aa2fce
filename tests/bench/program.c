/* A core module and a machine for it; see program.h. */
#include "tests/bench/program.h"
#include "engine/wasi/p1.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define STORE_BYTES ((size_t)6 << 30)

_Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    exit(2);
}

void *reserve(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (at == MAP_FAILED)
        give_up("mmap", strerror(errno));
    return at;
}

static struct bytes map_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status))
        give_up(path, "cannot be opened");
    size_t size = (size_t)status.st_size;
    const uint8_t *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        give_up(path, "cannot be mapped");
    return (struct bytes){file, size};
}

void program_load(const char *path, unsigned with, struct program *ret)
{
    static const volatile uint32_t never = 0;
    const struct vm_limits limits = {
        .memory_bytes = UINT64_C(4) << 30,
        .table_elements = 10000000,
        .stack_bytes = 8 << 20,
        .heap_bytes = 1 << 30,
        .fuel = with & PROGRAM_FUELLED ? UINT64_MAX - 1 : UINT64_MAX,
        .interrupt = with & PROGRAM_POLLED ? &never : NULL,
        .instances = 100,
        .memories = 100,
        .tables = 100,
    };
    struct bytes file = map_file(path);
    void *image_at = reserve(PROGRAM_IMAGE);
    *ret = (struct program){
        .path = path,
        .image_at = image_at,
        .image = region_of(image_at, PROGRAM_IMAGE),
        .scratch = region_of(reserve(PROGRAM_IMAGE), PROGRAM_IMAGE),
    };
    struct err err = {0};
    struct types *types = types_new(&ret->image);
    ret->module = module_read(file, file.at, types, &ret->image, &ret->scratch, &err);
    if (!ret->module)
        give_up(path, err.text);
    ret->vm = vm_new(types, &ret->image, reserve(STORE_BYTES), STORE_BYTES, &limits);
}

void program_translate(struct program *program)
{
    struct err err = {0};
    struct translation translation = program->vm->translation;
    translation.module = program->module;
    if (translate_prepare(program->module, interp_handlers, &program->image, &err) ||
        translate_all(&translation, &program->image, &err))
        give_up(program->path, err.text);
}

static struct core_extern *link_all(struct program *program)
{
    struct vm *vm = program->vm;
    const struct module *module = program->module;
    static struct str arguments[] = {{"program", 7}};
    static const struct wasi_config config = {
        .streams = {{0, WASI_STREAM}, {1, WASI_STREAM}, {2, WASI_STREAM}},
        .arguments = arguments,
        .narguments = 1,
        .clock = true,
        .random = true,
        .may_poll = true,
        .steady = true,
    };
    if (!module->nimports)
        return NULL;
    struct err err = {0};
    struct wasi *wasi = wasi_new(vm_heap(vm), &config, &err);
    struct p1 *p1 = wasi ? p1_new(vm, wasi) : NULL;
    struct core_extern *imports =
        region_array(&program->image, struct core_extern, module->nimports);
    if (!p1 || !imports)
        give_up("imports", "no memory");
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

int program_run(struct program *program)
{
    struct vm *vm = program->vm;
    struct err err = {0};
    struct core_extern start;
    struct instance *instance = instance_new(vm, program->module, link_all(program), &err);
    if (!instance)
        give_up(program->path, err.text);
    if (!instance_export(instance, str_of("_start"), &start))
        give_up(program->path, "no _start");
    int code = carry_out(vm, instance_initializer(instance));
    return code ? code : carry_out(vm, start.func);
}
