/* The engine's half of the differential fuzzer: runs every module named on standard input, one path
 * a line, and prints a transcript that diff.mjs compares with V8's, line by line.
 *
 *   == PATH                  then one of: invalid, unlinkable, or
 *   log TYPE VALUE           what the module logs
 *   call NAME -> VALUE... | trap KIND
 *   memory HASH              at the end
 *
 * Values are unsigned bit patterns in hexadecimal, with a type letter; every NaN is "nan". */
#include "engine/exec/vm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REGION ((size_t)256 << 20)
#define STORE  ((size_t)1 << 30)

static void *reserve(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (at == MAP_FAILED) {
        perror("diff_run: mmap");
        exit(2);
    }
    return at;
}

static void print_value(valtype type, union slot value)
{
    switch (vt_kind(type)) {
    case VT_I32: printf(" i%x", value.u32); break;
    case VT_I64: printf(" I%llx", (unsigned long long)value.u64); break;
    case VT_F32:
        if (value.f32 != value.f32)
            printf(" fnan");
        else
            printf(" f%x", value.u32);
        break;
    case VT_F64:
        if (value.f64 != value.f64)
            printf(" Fnan");
        else
            printf(" F%llx", (unsigned long long)value.u64);
        break;
    default: printf(value.ref ? " ref" : " null"); break;
    }
}

/* Argument `i` of function `func`: the same small set of values as in diff.mjs. */
static union slot argument(valtype type, uint32_t func, uint32_t i)
{
    static const uint64_t words[] = {0,     1, 0xffffffffffffffff, 0x7fffffff, 0x80000000, 1024,
                                     65535, 3};
    uint64_t word = words[(func * 7 + i * 3) % 8];
    union slot value = {.u64 = 0};
    switch (vt_kind(type)) {
    case VT_I32: value.u64 = (uint32_t)word; break;
    case VT_I64: value.u64 = word; break;
    case VT_F32: value.f32 = (float)(int32_t)(uint32_t)word; break;
    case VT_F64: value.f64 = (double)(int32_t)(uint32_t)word; break;
    default: break;
    }
    return value;
}

/* Trap kinds as far as V8 tells them apart. */
static const char *trap_word(enum trap_kind kind)
{
    switch (kind) {
    case TRAP_UNREACHABLE: return "unreachable";
    case TRAP_MEMORY_BOUNDS: return "memory";
    case TRAP_DIVIDE_BY_ZERO: return "zero";
    case TRAP_OVERFLOW: return "number";
    case TRAP_CONVERSION: return "number";
    case TRAP_UNDEFINED_ELEMENT:
    case TRAP_TABLE_BOUNDS: return "table";
    case TRAP_UNINITIALIZED:
    case TRAP_SIGNATURE: return "signature";
    case TRAP_STACK: return "stack";
    case TRAP_UNALIGNED: return "unaligned";
    case TRAP_NULL_REFERENCE:
    case TRAP_NULL_FUNCTION: return "null";
    case TRAP_CAST: return "cast";
    case TRAP_ARRAY_BOUNDS: return "array";
    case TRAP_OUT_OF_MEMORY: return "size";
    case TRAP_HOST: return "no value of JavaScript";
    default: return trap_text(kind);
    }
}

/* A vector cannot be handed to JavaScript: V8 throws when it is tried. */
static enum native_answer log_step(struct vm *vm, struct native *frame)
{
    const valtype *type = frame->data;
    if (vt_kind(*type) == VT_V128) {
        vm_trap_set(vm, TRAP_HOST, "%s", "");
        return NATIVE_TRAP;
    }
    printf("log");
    print_value(*type, frame->args[0]);
    printf("\n");
    const struct functype *signature = types_func(vm_types(vm), func_type(frame->func));
    memset(frame->args, 0, signature->result_slots * sizeof *frame->args);
    return NATIVE_DONE;
}

static struct core_extern log_function(struct vm *vm, const struct import *import)
{
    const struct functype *type = types_func(vm_types(vm), import->type.func);
    uint32_t id = import->type.func;
    valtype *param = malloc(sizeof *param);
    *param = type->nparams ? type->params[0] : VT_I32;
    return (struct core_extern){.kind = EXTERN_FUNC, .func = func_native(vm, id, log_step, param)};
}

static bool finish(struct vm *vm, struct fiber *fiber)
{
    if (fiber_run(vm, fiber) == FIBER_DONE)
        return true;
    printf(" trap %s\n", trap_word(vm_trap(vm)->kind));
    return false;
}

/* Functions that take or give vectors cannot be called from JavaScript, and nothing is there for
 * references that may not be null. */
static bool callable(const struct functype *type)
{
    for (uint32_t i = 0; i < type->nparams; i++)
        if (vt_kind(type->params[i]) == VT_V128 || !vt_defaultable(type->params[i]))
            return false;
    for (uint32_t i = 0; i < type->nresults; i++)
        if (vt_kind(type->results[i]) == VT_V128)
            return false;
    return true;
}

static void call(struct vm *vm, struct fiber *fiber, struct str name, struct func *func,
                 uint32_t index)
{
    const struct functype *type = types_func(vm_types(vm), func_type(func));
    if (!callable(type))
        return;
    union slot *args = fiber_begin(vm, fiber, func);
    for (uint32_t i = 0; i < type->nparams; i++)
        args[i] = argument(type->params[i], index, i);
    printf("call %.*s\n", (int)name.len, name.at);
    if (!finish(vm, fiber))
        return;
    printf(" ->");
    for (uint32_t i = 0; i < type->nresults; i++)
        print_value(type->results[i], fiber_results(fiber)[i]);
    printf("\n");
}

/* FNV-1a over words of 32 bits, rotated so that upper bits reach lower ones; as in diff.mjs. */
static void hash_memory(const struct linear_memory *memory)
{
    uint32_t hash = 0x811c9dc5;
    for (size_t at = 0; at < memory->span.size; at += sizeof hash) {
        uint32_t word;
        memcpy(&word, memory->span.at + at, sizeof word);
        hash = (hash ^ word) * 0x01000193;
        hash = hash << 13 | hash >> 19;
    }
    printf("memory %llx %x\n", (unsigned long long)memory->span.size, hash);
}

static void run_exports(struct vm *vm, struct fiber *fiber, struct instance *instance)
{
    const struct module *module = instance_module(instance);
    struct core_extern limit;
    bool limited = instance_export(instance, str_of("hangLimitInitializer"), &limit);
    for (uint32_t i = 0; i < module->nexports; i++) {
        struct core_extern external = instance_export_at(instance, i);
        if (external.kind != EXTERN_FUNC)
            continue;
        if (limited) {
            fiber_begin(vm, fiber, limit.func);
            fiber_run(vm, fiber);
        }
        call(vm, fiber, module->exports[i].name, external.func, i);
    }
    for (uint32_t i = 0; i < module->nexports; i++) {
        struct core_extern external = instance_export_at(instance, i);
        if (external.kind == EXTERN_MEMORY)
            hash_memory(external.memory);
    }
}

static void run_module(struct bytes bytes, struct region *image, struct region *scratch,
                       void *store)
{
    struct err err = {0};
    struct types *types = types_new(image);
    const struct module *module = module_read(bytes, bytes.at, types, image, scratch, &err);
    if (!module) {
        printf("invalid %s\n", err.text);
        return;
    }
    struct vm_limits limits = {.memory_bytes = STORE / 2,
                               .gc_bytes = STORE / 8,
                               .table_elements = 1 << 20,
                               .stack_bytes = 1 << 20,
                               .heap_bytes = 64 << 20,
                               .fuel = UINT64_MAX,
                               .instances = 10,
                               .memories = 10,
                               .tables = 10};
    struct vm *vm = vm_new(types, image, store, STORE, &limits);
    if (getenv("GC_STRESS"))
        vm_gc_stress(vm);
    struct core_extern *imports = calloc(module->nimports + 1, sizeof *imports);
    for (uint32_t i = 0; i < module->nimports; i++)
        imports[i] = log_function(vm, &module->imports[i]);
    struct instance *instance = instance_new(vm, module, imports, &err);
    free(imports);
    if (!instance) {
        printf("unlinkable %s\n", err.text);
        return;
    }
    struct fiber *fiber = fiber_new(vm);
    fiber_begin(vm, fiber, instance_initializer(instance));
    printf("start\n");
    if (!finish(vm, fiber))
        return;
    run_exports(vm, fiber, instance);
}

int main(void)
{
    char path[4096];
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) || !st.st_size) {
            perror(path);
            return 2;
        }
        uint8_t *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        close(fd);
        void *memory[] = {reserve(REGION), reserve(REGION), reserve(STORE)};
        struct region image = region_of(memory[0], REGION);
        struct region scratch = region_of(memory[1], REGION);
        printf("== %s\n", path);
        run_module((struct bytes){file, (size_t)st.st_size}, &image, &scratch, memory[2]);
        fflush(stdout);
        munmap(memory[0], REGION);
        munmap(memory[1], REGION);
        munmap(memory[2], STORE);
        munmap(file, (size_t)st.st_size);
    }
    return 0;
}
