/* Arguments, environment, clocks, random bytes and the end, in preview 1. */
#include "engine/wasi/clock.h"
#include "engine/wasi/p1_call.h"

/* --- Lists of strings ---------------------------------------------------------------------------
 */

/* Writes pointers to `at` and texts to `texts`. An entry is a name alone, or NAME=VALUE. */
static bool put_entry(struct p1_call *call, uint64_t *at, uint64_t *texts, struct str name,
                      const struct str *value)
{
    bool put = p1_put_u32(call, *at, (uint32_t)*texts) && p1_put(call, *texts, name.at, name.len);
    *texts += name.len;
    if (value) {
        put =
            put && p1_put(call, *texts, "=", 1) && p1_put(call, *texts + 1, value->at, value->len);
        *texts += value->len + 1;
    }
    put = put && p1_put(call, *texts, "", 1);
    *texts += 1;
    *at += 4;
    return put;
}

static uint16_t put_sizes(struct p1_call *call, size_t count, size_t bytes)
{
    if (count > UINT32_MAX || bytes > UINT32_MAX)
        return P1_OVERFLOW;
    return p1_put_u32(call, call->args[0].u32, (uint32_t)count) &&
                   p1_put_u32(call, call->args[1].u32, (uint32_t)bytes)
               ? P1_SUCCESS
               : P1_FAULT;
}

uint16_t p1_args_sizes_get(struct p1_call *call)
{
    size_t bytes = 0;
    for (size_t i = 0; i < call->wasi->narguments; i++)
        bytes += call->wasi->arguments[i].len + 1;
    return put_sizes(call, call->wasi->narguments, bytes);
}

uint16_t p1_args_get(struct p1_call *call)
{
    uint64_t at = call->args[0].u32;
    uint64_t texts = call->args[1].u32;
    for (size_t i = 0; i < call->wasi->narguments; i++)
        if (!put_entry(call, &at, &texts, call->wasi->arguments[i], NULL))
            return P1_FAULT;
    return P1_SUCCESS;
}

uint16_t p1_environ_sizes_get(struct p1_call *call)
{
    size_t bytes = 0;
    for (size_t i = 0; i < call->wasi->nenvironment; i++)
        bytes += call->wasi->environment[i].name.len + call->wasi->environment[i].value.len + 2;
    return put_sizes(call, call->wasi->nenvironment, bytes);
}

uint16_t p1_environ_get(struct p1_call *call)
{
    uint64_t at = call->args[0].u32;
    uint64_t texts = call->args[1].u32;
    for (size_t i = 0; i < call->wasi->nenvironment; i++) {
        const struct wasi_variable *variable = &call->wasi->environment[i];
        if (!put_entry(call, &at, &texts, variable->name, &variable->value))
            return P1_FAULT;
    }
    return P1_SUCCESS;
}

/* --- Clocks -------------------------------------------------------------------------------------
 */

enum { CLOCK_ID_REALTIME, CLOCK_ID_MONOTONIC };

uint16_t p1_clock_res_get(struct p1_call *call)
{
    if (call->args[0].u32 > CLOCK_ID_MONOTONIC)
        return P1_INVAL; /* the clocks of processor time are not offered */
    return p1_put_u64(call, call->args[1].u32, CLOCK_RESOLUTION) ? P1_SUCCESS : P1_FAULT;
}

uint16_t p1_clock_time_get(struct p1_call *call)
{
    uint64_t now;
    switch (call->args[0].u32) {
    case CLOCK_ID_REALTIME: now = p1_timestamp(clock_real(call->wasi)); break;
    case CLOCK_ID_MONOTONIC: now = clock_steady(call->wasi); break;
    default: return P1_INVAL;
    }
    return p1_put_u64(call, call->args[2].u32, now) ? P1_SUCCESS : P1_FAULT;
}

/* --- Random bytes -------------------------------------------------------------------------------
 */

uint16_t p1_random_get(struct p1_call *call)
{
    uint32_t len = call->args[1].u32;
    uint8_t *to = memory_to(call->memory, call->args[0].u32, len);
    if (!call->wasi->random)
        return P1_NOTSUP;
    if (!to)
        return P1_FAULT;
    chacha_bytes(&wasi_numbers(call->wasi)->chacha, to, len);
    return P1_SUCCESS;
}

/* --- The process --------------------------------------------------------------------------------
 */

uint16_t p1_proc_exit(struct p1_call *call)
{
    vm_exit_set(call->p1->vm, call->args[0].u32);
    return P1_TRAPPED;
}

/* There is nobody to send a signal to, and nothing that would catch one. */
uint16_t p1_proc_raise(struct p1_call *call)
{
    (void)call;
    return P1_NOTSUP;
}

uint16_t p1_sched_yield(struct p1_call *call)
{
    (void)call;
    return P1_SUCCESS;
}
