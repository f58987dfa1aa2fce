/* Runs a core module that needs nothing but WASI preview 1, and writes how often each instruction
 * of register code was carried out; pairs.mjs chooses the rows of fuse.def from that. Not in a
 * cell: for programs that one trusts.
 *
 *   count MODULE OUT [weigh]     weigh: do not run; translate everything, and guess from loops
 *
 * OUT has a line `func` for each function, and one for each of its instructions: position in words,
 * operator, executions, how often the next was not the one behind it, and the distance in words
 * that a branch has. */
#include "engine/exec/state.h"
#include "engine/wasi/p1.h"
#include "engine/wasm/xop.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char *const names[XOP_COUNT] = {
#define XOP(name) #name,
#include "engine/wasm/xop.def"
};

enum {
    IMAGE_BYTES = 1 << 30,
    STACK_BYTES = 8 << 20,
};

/* Counters by word of the image. */
struct counter {
    uint64_t runs;
    uint64_t leaves;
};
static struct counter *counters;
static const code_word *image_start;
static const code_word *last;

static struct counter *counter_of(const code_word *pc)
{
    size_t at = (size_t)(pc - image_start);
    return pc >= image_start && at < IMAGE_BYTES / sizeof *pc ? &counters[at] : NULL;
}

void interp_count(const code_word *pc)
{
    /* No instruction but br_table, which always leaves, is longer than five words. */
    if (last && (pc <= last || pc - last > 5) && counter_of(last))
        counter_of(last)->leaves++;
    if (counter_of(pc))
        counter_of(pc)->runs++;
    last = pc;
}

static void *reserve(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (at == MAP_FAILED) {
        perror("count: mmap");
        exit(2);
    }
    return at;
}

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "count: %s: %s\n", what, why);
    exit(2);
}

/* The operator of the handler word at `at`, or XOP_COUNT if it is an operand. */
static enum xop operator_at(const code_word *at)
{
    for (unsigned i = 0; i < XOP_COUNT; i++)
        if (interp_word((enum xop)i) == *at)
            return (enum xop)i;
    return XOP_COUNT;
}

static int32_t distance_of(const char *name, const code_word *at)
{
    int32_t fields[2];
    memcpy(fields, at + 1, sizeof fields);
    if (strncmp(name, "BR", 2) != 0 || strncmp(name, "BR_TABLE", 8) == 0)
        return 0;
    return strcmp(name, "BR") == 0 ? fields[0] : fields[1];
}

/* A guess where nothing ran: every loop around an instruction makes it run eight times as often. */
static void weigh(const struct code_range *range)
{
    for (const code_word *at = range->start; at < range->end; at++)
        counter_of(at)->runs = 1;
    for (const code_word *at = range->start; at < range->end; at++) {
        enum xop xop = operator_at(at);
        int32_t distance = xop == XOP_COUNT ? 0 : distance_of(names[xop], at);
        if (distance >= 0 || at + distance < range->start)
            continue;
        for (const code_word *in = at + distance; in <= at; in++)
            if (counter_of(in)->runs < 4096)
                counter_of(in)->runs *= 8;
    }
}

static void write_counts(const struct code *code, const char *path, bool guess)
{
    FILE *out = fopen(path, "w");
    if (!out)
        give_up(path, "cannot be written");
    for (uint32_t i = 0; i < code->nranges; i++) {
        const struct code_range *range = &code->ranges[i];
        if (guess)
            weigh(range);
        fprintf(out, "func\n");
        for (const code_word *at = range->start; at < range->end; at++) {
            enum xop xop = operator_at(at);
            if (xop == XOP_COUNT)
                continue;
            const struct counter *counter = counter_of(at);
            fprintf(out, "%td %s %lu %lu %d\n", at - range->start, names[xop], counter->runs,
                    counter->leaves, distance_of(names[xop], at));
        }
    }
    if (fclose(out))
        give_up(path, "cannot be written");
}

static struct core_extern *link_all(struct vm *vm, const struct module *module)
{
    static struct str arguments[] = {{"count", 5}};
    static const struct wasi_config config = {
        .streams = {{0, WASI_STREAM}, {1, WASI_STREAM}, {2, WASI_STREAM}},
        .arguments = arguments,
        .narguments = 1,
        .clock = true,
        .random = true,
        .may_poll = true,
    };
    struct err err = {0};
    struct wasi *wasi = wasi_new(vm_heap(vm), &config, &err);
    struct p1 *p1 = wasi ? p1_new(vm, wasi) : NULL;
    struct core_extern *imports = calloc(module->nimports + 1, sizeof *imports);
    for (uint32_t i = 0; i < module->nimports; i++) {
        imports[i].kind = EXTERN_FUNC;
        imports[i].func = p1_func(p1, module->imports[i].module, module->imports[i].name, &err);
        if (!imports[i].func)
            give_up("import", err.text);
    }
    return imports;
}

/* Carries a function out, to its end. */
static void carry_out(struct vm *vm, struct func *func)
{
    struct fiber *fiber = fiber_new(vm);
    fiber_begin(vm, fiber, func);
    const struct trap *trap = vm_trap(vm);
    if (fiber_run(vm, fiber) == FIBER_TRAPPED && (trap->kind != TRAP_EXIT || trap->code))
        give_up(trap_text(trap->kind), trap->text);
}

int main(int count, char **arguments)
{
    bool guess = count == 4 && strcmp(arguments[3], "weigh") == 0;
    int fd = count >= 3 ? open(arguments[1], O_RDONLY | O_CLOEXEC) : -1;
    struct stat status;
    if (fd < 0 || fstat(fd, &status))
        give_up("usage", "count MODULE OUT [weigh]");
    size_t size = (size_t)status.st_size;
    const uint8_t *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        give_up(arguments[1], "cannot be mapped");
    void *image_at = reserve(IMAGE_BYTES);
    struct region image = region_of(image_at, IMAGE_BYTES);
    struct region scratch = region_of(reserve(IMAGE_BYTES), IMAGE_BYTES);
    image_start = image_at;
    counters = reserve(IMAGE_BYTES / sizeof *image_start * sizeof *counters);
    struct err err = {0};
    struct types *types = types_new(&image);
    struct module *module =
        module_read((struct bytes){file, size}, file, types, &image, &scratch, &err);
    if (!module)
        give_up(arguments[1], err.text);
    static const struct vm_limits limits = {
        .memory_bytes = UINT64_C(4) << 30,
        .table_elements = 10000000,
        .stack_bytes = STACK_BYTES,
        .heap_bytes = 1 << 30,
        .fuel = UINT64_MAX,
        .instances = 100,
        .memories = 100,
        .tables = 100,
    };
    size_t store_bytes = (size_t)6 << 30;
    struct vm *vm = vm_new(types, &image, reserve(store_bytes), store_bytes, &limits);
    vm->translation.single = true;
    if (guess) {
        struct translation translation = vm->translation;
        translation.module = module;
        if (translate_prepare(module, interp_handlers, &image, &err) ||
            translate_all(&translation, &image, &err))
            give_up(arguments[1], err.text);
    } else {
        struct instance *instance = instance_new(vm, module, link_all(vm, module), &err);
        struct core_extern start;
        if (!instance || !instance_export(instance, str_of("_start"), &start))
            give_up(arguments[1], instance ? "no _start" : err.text);
        carry_out(vm, instance_initializer(instance));
        carry_out(vm, start.func);
    }
    write_counts(*module->code, arguments[2], guess);
    return 0;
}
