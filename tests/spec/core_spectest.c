/* The host module "spectest"; see core_spectest.h. Its functions print nothing. */
#include "tests/spec/core_spectest.h"

static enum native_answer print(struct vm *vm, struct native *frame)
{
    (void)vm;
    (void)frame;
    return NATIVE_DONE;
}

static void add(struct spectest *spectest, const char *name, struct core_extern item)
{
    spectest->items[spectest->count].name = name;
    spectest->items[spectest->count].item = item;
    spectest->count++;
}

static bool add_functions(struct spectest *spectest, struct vm *vm)
{
    static const struct {
        const char *name;
        uint32_t nparams;
        valtype params[2];
    } rows[] = {
        {"print", 0, {0}},
        {"print_i32", 1, {VT_I32}},
        {"print_i64", 1, {VT_I64}},
        {"print_f32", 1, {VT_F32}},
        {"print_f64", 1, {VT_F64}},
        {"print_i32_f32", 2, {VT_I32, VT_F32}},
        {"print_f64_f64", 2, {VT_F64, VT_F64}},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        uint32_t type = types_func_id(vm_types(vm), rows[i].params, rows[i].nparams, NULL, 0);
        struct func *func = type == TYPE_NONE ? NULL : func_native(vm, type, print, NULL);
        if (!func)
            return false;
        add(spectest, rows[i].name, (struct core_extern){.kind = EXTERN_FUNC, .func = func});
    }
    return true;
}

static bool add_globals(struct spectest *spectest, struct vm *vm)
{
    static const struct {
        const char *name;
        valtype type;
        uint64_t bits;
    } rows[] = {
        {"global_i32", VT_I32, 666},
        {"global_i64", VT_I64, 666},
        {"global_f32", VT_F32, UINT64_C(0x4426a666)},
        {"global_f64", VT_F64, UINT64_C(0x4084d4cccccccccd)},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct globaltype type = {.type = rows[i].type};
        union slot value[2] = {{.u64 = rows[i].bits}};
        struct global_instance *global = global_new(vm, &type, value);
        if (!global)
            return false;
        add(spectest, rows[i].name, (struct core_extern){.kind = EXTERN_GLOBAL, .global = global});
    }
    return true;
}

static bool add_tables(struct spectest *spectest, struct vm *vm)
{
    for (int is64 = 0; is64 < 2; is64++) {
        struct tabletype type = {
            .element = VT_FUNCREF,
            .limits = {.min = 10, .max = 20, .has_max = true, .is64 = is64},
        };
        struct table_instance *table = table_new(vm, &type);
        if (!table)
            return false;
        add(spectest, is64 ? "table64" : "table",
            (struct core_extern){.kind = EXTERN_TABLE, .table = table});
    }
    return true;
}

static bool add_memories(struct spectest *spectest, struct vm *vm)
{
    for (int shared = 0; shared < 2; shared++) {
        struct memtype type = {
            .limits = {.min = 1, .max = 2, .has_max = true, .shared = shared},
            .page_log2 = 16,
        };
        struct linear_memory *memory = memory_new(vm, &type);
        if (!memory)
            return false;
        add(spectest, shared ? "shared_memory" : "memory",
            (struct core_extern){.kind = EXTERN_MEMORY, .memory = memory});
    }
    return true;
}

bool spectest_make(struct spectest *spectest, struct vm *vm)
{
    *spectest = (struct spectest){0};
    return add_functions(spectest, vm) && add_globals(spectest, vm) && add_tables(spectest, vm) &&
           add_memories(spectest, vm);
}

bool spectest_find(const struct spectest *spectest, struct str name, struct core_extern *ret_item)
{
    for (size_t i = 0; i < spectest->count; i++) {
        if (!str_is(name, spectest->items[i].name))
            continue;
        *ret_item = spectest->items[i].item;
        return true;
    }
    return false;
}
