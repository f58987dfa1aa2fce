/* Running in a cell; see program.h. */
#include "engine/cell/program.h"

#include "engine/cell/backtrace.h"
#include "engine/cell/tell.h"
#include "engine/cell/trace.h"
#include "engine/component/component.h"
#include "engine/component/store.h"
#include "engine/wasi/clock.h"
#include "engine/wasi/stream.h"
#include "engine/wasi/withheld.h"
#include <errno.h>
#include <unistd.h>

/* --- What was granted ---------------------------------------------------------------------------
 */

/* The rows of the tables that decide, as bits. */
enum {
#define CAP(name, word, given, flag, what) CAPABILITY_##name,
#include "policies/capability.def"
#undef CAP
};
enum {
#define RULE(name, call, cap, checks, why) RULE_##name,
#include "policies/syscall.def"
#undef RULE
};

static bool in(uint64_t set, int row)
{
    return set >> row & 1;
}

/* Splits "NAME=VALUE"; a variable without value has an empty one. */
static struct wasi_variable variable_of(struct str text)
{
    const char *equals = memchr(text.at, '=', text.len);
    size_t name = equals ? (size_t)(equals - text.at) : text.len;
    struct wasi_variable variable = {.name = {text.at, name}};
    if (equals)
        variable.value = (struct str){equals + 1, text.len - name - 1};
    return variable;
}

/* What the grants are for the host: its directories, listeners, stores and streams. */
static bool place_grants(struct wasi_config *config, const struct cell *cell,
                         struct region *scratch)
{
    static const enum wasi_stream_kind kinds[] = {
        [STREAM_WAITS] = WASI_STREAM, [STREAM_FILE] = WASI_FILE, [STREAM_OWN] = WASI_OWN};
    struct wasi_directory *directories =
        region_array(scratch, struct wasi_directory, cell->grant_count);
    int *listeners = region_array(scratch, int, cell->grant_count);
    struct wasi_store *stores = region_array(scratch, struct wasi_store, cell->grant_count);
    if (!directories || !listeners || !stores)
        return false;
    for (int i = 0; i < 3; i++)
        config->streams[i] = (struct wasi_stream){-1, WASI_CLOSED};
    for (size_t i = 0; i < cell->grant_count; i++) {
        const struct cell_grant *grant = &cell->grants[i];
        if (grant->kind == GRANT_DIRECTORY)
            directories[config->ndirectories++] = (struct wasi_directory){
                .fd = grant->descriptor,
                .name = grant->name,
                .grant = (uint8_t)i,
                .writable = grant->rights & RIGHT_WRITE,
                .mutable = grant->rights & RIGHT_MUTATE,
                .no_links = true, /* every grant is mounted so: policies/cell_plan.c */
            };
        else if (grant->kind == GRANT_LISTENER)
            listeners[config->nlisteners++] = grant->descriptor;
        else if (grant->kind == GRANT_STORE)
            stores[config->nstores++] =
                (struct wasi_store){.name = grant->name, .fd = grant->descriptor};
        else if (grant->kind <= GRANT_STDERR)
            config->streams[grant->kind - GRANT_STDIN] =
                (struct wasi_stream){grant->descriptor, kinds[grant->stream]};
    }
    config->directories = directories;
    config->listeners = listeners;
    config->stores = stores;
    return true;
}

/* NULL if there is no room. */
static const struct wasi_variable *variables_of(const struct str *texts, size_t count,
                                                struct region *scratch)
{
    struct wasi_variable *variables = region_array(scratch, struct wasi_variable, count);
    for (size_t i = 0; variables && i < count; i++)
        variables[i] = variable_of(texts[i]);
    return variables;
}

struct wasi *host_state(const struct cell *cell, struct vm *vm, struct region *scratch,
                        struct err *err)
{
    static struct wasi_refusals refusals;
    struct wasi_config config = {
        .refusals = &refusals,
        .arguments = cell->arguments,
        .narguments = cell->argument_count,
        .nenvironment = cell->environment_count,
        .nconfig = cell->config_count,
        .zone = cell->zone,
        .clock = in(cell->capabilities, CAPABILITY_CLOCK),
        .random = in(cell->capabilities, CAPABILITY_RANDOM),
        .terminals = {cell->terminals & TERMINAL_STDIN, cell->terminals & TERMINAL_STDOUT,
                      cell->terminals & TERMINAL_STDERR},
        .withheld = withheld_of(cell->capabilities),
        .may_poll = in(cell->rules, RULE_PPOLL),
        .steady = in(cell->rules, RULE_TIME_MONOTONIC),
        .network = {.shim = PROTOCOL_SOCKET,
                    .tcp = in(cell->capabilities, CAPABILITY_NET_TCP),
                    .connect = in(cell->capabilities, CAPABILITY_NET_TCP_CONNECT),
                    .listen = in(cell->capabilities, CAPABILITY_NET_TCP_LISTEN),
                    .udp = in(cell->capabilities, CAPABILITY_NET_UDP),
                    .names = in(cell->capabilities, CAPABILITY_NET_DNS),
                    .http = in(cell->capabilities, CAPABILITY_HTTP_OUT)},
    };
    memcpy(config.seed, cell->seed, sizeof config.seed);
    config.environment = variables_of(cell->environment, cell->environment_count, scratch);
    config.config = variables_of(cell->config, cell->config_count, scratch);
    if (!config.environment || !config.config || !place_grants(&config, cell, scratch)) {
        err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for what the component was granted");
        return NULL;
    }
    return wasi_new(vm_heap(vm), &config, err);
}

int program_start(struct program *program, const struct cell *cell, struct err *err)
{
    *program = (struct program){.cell = cell};
    if (ground_lay(cell, &program->ground, err))
        return -1;
    program->vm = ground_vm(cell, &program->ground, err);
    if (!program->vm)
        return -1;
    if (cell->traced)
        trace_begin(program->vm);
    program->wasi = host_state(cell, program->vm, &program->ground.scratch, err);
    if (!program->wasi)
        return -1;
    struct vm_clock clock = clock_for_vm(program->wasi);
    vm_set_clock(program->vm, &clock);
    program->fiber = fiber_new(program->vm);
    if (!program->fiber)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for the component's stack");
    return 0;
}

/* --- Running ------------------------------------------------------------------------------------
 */

union slot *program_begin(struct program *program, struct func *func)
{
    return fiber_begin(program->vm, program->fiber, func);
}

enum ran program_finish(struct program *program)
{
    struct vm *vm = program->vm;
    struct reactor *reactor = &program->wasi->reactor;
    enum fiber_state state = fiber_run(vm, program->fiber);
    while (state == FIBER_BLOCKED) {
        if (!reactor_wait(reactor)) {
            fiber_deadlock(vm, program->fiber);
            tell_backtrace(vm);
            return RAN_ENDED;
        }
        for (void *who; (who = reactor_next(reactor)) != NULL;)
            if (who != program->fiber)
                cm_wake(program->store, who);
        state = fiber_run(vm, program->fiber);
    }
    output_drain(program->wasi);
    if (state == FIBER_DONE)
        return RAN_DONE;
    const struct trap *trap = vm_trap(vm);
    if (trap->kind == TRAP_EXIT)
        tell_exit(trap->code);
    else
        tell_backtrace(vm);
    return RAN_ENDED;
}

enum ran program_run(struct program *program, struct func *func)
{
    program_begin(program, func);
    return program_finish(program);
}

/* A result that cannot be printed. No text of libc's: that might look for a translation. */
static int lost(int error, struct err *err)
{
    const char *why = error == EPIPE    ? "nobody reads it any more"
                      : error == ENOSPC ? "there is no space left"
                      : error == EFBIG  ? "its file has reached its limit"
                      : error == EAGAIN ? "it is full and not made to wait"
                                        : "it fails";
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "the call returned, but its result is lost: standard output: %s (errno %d): "
                   "send it elsewhere",
                   why, error);
}

int program_print(struct program *program, struct bytes text, struct err *err)
{
    const struct cell *cell = program->cell;
    size_t i = 0;
    while (i < cell->grant_count && cell->grants[i].kind != GRANT_STDOUT)
        i++;
    while (i < cell->grant_count && text.len) {
        ssize_t written = write(cell->grants[i].descriptor, text.at, text.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return lost(errno, err);
        text.at += written;
        text.len -= (size_t)written;
    }
    return 0;
}

void role_run(struct cell *cell)
{
    static struct program program;
    struct err err = {0};
    enum ran ran = RAN_FAILED;
    if (!program_start(&program, cell, &err))
        ran = component_is(cell->component) ? run_component(&program, &err)
                                            : run_module(&program, &err);
    if (ran == RAN_FAILED)
        tell_failure(&err);
}
