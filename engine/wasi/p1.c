/* Linking and stepping the functions of preview 1; see p1.h. */
#include "engine/wasi/p1_call.h"

#include "engine/base/utf.h"
#include <stdio.h>

/* --- The table ----------------------------------------------------------------------------------
 */

enum { UNSTABLE_SAME, UNSTABLE_OTHER, UNSTABLE_NONE };

struct row {
    const char *name;
    const char *params; /* letters of p1.def */
    const char *results;
    p1_fn *fn;
    bool in_unstable;
    uint8_t id; /* enum ask_row, from the first of preview 1 */
    uint8_t capability;
};

static const struct row rows[] = {
#define P1(name, params, results, unstable, capability, rules, state)                              \
    {#name,                                                                                        \
     params,                                                                                       \
     results,                                                                                      \
     p1_##name,                                                                                    \
     UNSTABLE_##unstable != UNSTABLE_NONE,                                                         \
     ASK_ROW_p1_##name - ASK_ROW_p1_args_get,                                                      \
     WASI_CAP_##capability},
#include "policies/p1.def"
#undef P1
};

static const char stable_module[] = "wasi_snapshot_preview1";
static const char unstable_module[] = "wasi_unstable";

/* What a linked function finds. */
struct link {
    struct p1 *p1;
    const struct row *row;
    bool unstable;
};

bool p1_is_module(struct str module)
{
    return str_is(module, stable_module) || str_is(module, unstable_module);
}

static const struct row *find(struct str module, struct str name)
{
    bool unstable = str_is(module, unstable_module);
    for (size_t i = 0; i < countof(rows); i++)
        if (str_is(name, rows[i].name))
            return unstable && !rows[i].in_unstable ? NULL : &rows[i];
    return NULL;
}

static uint32_t types_of(const char *letters, valtype to[9])
{
    uint32_t count = 0;
    for (; letters[count]; count++)
        to[count] = letters[count] == 'I' ? VT_I64 : VT_I32;
    return count;
}

static uint32_t type_id(struct types *types, const struct row *row)
{
    valtype params[9];
    valtype results[9];
    uint32_t nparams = types_of(row->params, params);
    uint32_t nresults = types_of(row->results, results);
    return types_func_id(types, params, nparams, results, nresults);
}

bool p1_type(struct types *types, struct str module, struct str name, uint32_t *ret)
{
    const struct row *row = find(module, name);
    *ret = row ? type_id(types, row) : TYPE_NONE;
    return *ret != TYPE_NONE;
}

/* --- Stepping -----------------------------------------------------------------------------------
 */

/* The memory that the caller exports by the name that preview 1 asks for; an empty one if there is
 * none, into which no address leads. */
static struct linear_memory *memory_of(struct p1 *p1, struct instance *caller)
{
    static struct linear_memory none;
    struct core_extern external;
    if (caller && caller == p1->caller)
        return p1->memory;
    p1->caller = caller;
    p1->memory = &none;
    if (caller && instance_export(caller, str_of("memory"), &external) &&
        external.kind == EXTERN_MEMORY)
        p1->memory = external.memory;
    return p1->memory;
}

static enum native_answer step(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct link *link = frame->data;
    struct p1_call call = {
        .p1 = link->p1,
        .wasi = link->p1->wasi,
        .args = frame->args,
        .memory = memory_of(link->p1, native_caller(frame)),
        .frame = frame,
        .unstable = link->unstable,
    };
    uint16_t answer = link->row->fn(&call);
    if (answer == P1_BLOCKED)
        return NATIVE_BLOCKED;
    if (answer == P1_TRAPPED)
        return NATIVE_TRAP;
    const enum wasi_capability capability = link->row->capability;
    /* Where there are directories, a number without a file is the program's own mistake. */
    bool mistake = answer == P1_BADF && call.wasi->npreopens > 0;
    if (withheld_now(call.wasi, capability, answer != P1_SUCCESS && !mistake))
        withheld_tell(call.wasi, ASK_ROW_p1_args_get + link->row->id, capability, (struct str){0});
    if (*link->row->results)
        frame->args[0].u64 = answer;
    return NATIVE_DONE;
}

struct func *p1_func(struct p1 *p1, struct str module, struct str name, struct err *err)
{
    const struct row *row = find(module, name);
    if (!row) {
        err_set(err, ERR_UNLINKABLE, ERR_NOWHERE, "preview 1 has no function " STR_FMT "." STR_FMT,
                STR_ARG(module), STR_ARG(name));
        return NULL;
    }
    uint32_t type = type_id(vm_types(p1->vm), row);
    struct link *link = heap_take(p1->wasi->heap, sizeof *link);
    struct func *func = NULL;
    if (link && type != TYPE_NONE) {
        *link = (struct link){p1, row, str_is(module, unstable_module)};
        func = func_native(p1->vm, type, step, link);
    }
    if (!func)
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no memory to link " STR_FMT, STR_ARG(name));
    return func;
}

void p1_called(const struct func *func, char *to, size_t size)
{
    const struct native_parts parts = func_parts(func);
    const struct link *link = parts.data;
    bool here = parts.step == step;
    snprintf(to, size, "%s%s%s", here ? link->unstable ? unstable_module : stable_module : "",
             here ? "." : "", here ? link->row->name : "");
}

/* --- What the functions share -------------------------------------------------------------------
 */

bool p1_put(struct p1_call *call, uint64_t at, const void *from, size_t len)
{
    uint8_t *to = memory_to(call->memory, at, len);
    if (to && len)
        memcpy(to, from, len);
    return to;
}

bool p1_put_u32(struct p1_call *call, uint64_t at, uint32_t value)
{
    return p1_put(call, at, &value, sizeof value);
}

bool p1_put_u64(struct p1_call *call, uint64_t at, uint64_t value)
{
    return p1_put(call, at, &value, sizeof value);
}

uint16_t p1_path(struct p1_call *call, uint32_t at, uint32_t len, struct str *ret_path)
{
    const uint8_t *path = memory_at(call->memory, at, len);
    if (!path)
        return P1_FAULT;
    /* Longer ones fail in the walk: no need to look at all of them. */
    if (len < WASI_PATH && !utf8_valid((struct bytes){path, len}))
        return P1_ILSEQ;
    *ret_path = (struct str){(const char *)path, len};
    return P1_SUCCESS;
}

uint16_t p1_wait_fd(struct p1_call *call, int fd, short events)
{
    struct vm *vm = call->p1->vm;
    return reactor_fd(&call->wasi->reactor, vm_fiber(vm), fd, events) ? P1_BLOCKED
                                                                      : p1_no_memory(call);
}

uint16_t p1_no_memory(struct p1_call *call)
{
    vm_trap_set(call->p1->vm, TRAP_OUT_OF_MEMORY, "no memory for the host");
    return P1_TRAPPED;
}

uint8_t p1_filetype(uint8_t descriptor_type)
{
    /* There is none for FIFOs; sockets are those of bytes. */
    static const uint8_t types[] = {
        [TYPE_UNKNOWN] = 0,   [TYPE_BLOCK_DEVICE] = 1, [TYPE_CHARACTER_DEVICE] = 2,
        [TYPE_DIRECTORY] = 3, [TYPE_FIFO] = 0,         [TYPE_SYMBOLIC_LINK] = 7,
        [TYPE_SOCKET] = 6,    [TYPE_REGULAR_FILE] = 4,
    };
    return descriptor_type < countof(types) ? types[descriptor_type] : 0;
}
