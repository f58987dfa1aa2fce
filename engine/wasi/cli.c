/* wasi:cli. Everything was told when the cell started: no function asks anybody. */
#include "engine/wasi/stream.h"
#include "engine/wasi/table.h"
#include "engine/wasi/types.h"

/* --- Environment --------------------------------------------------------------------------------
 */

enum host_answer wasi_get_environment(struct host_call *call, const void *args, void *result)
{
    struct wasi *wasi = call->host;
    HOST_LIST(struct wasi_variable) *list = result;
    (void)args;
    list->at = wasi->environment;
    list->len = wasi->nenvironment;
    return HOST_DONE;
}

enum host_answer wasi_get_arguments(struct host_call *call, const void *args, void *result)
{
    struct wasi *wasi = call->host;
    HOST_LIST(struct str) *list = result;
    (void)args;
    list->at = wasi->arguments;
    list->len = wasi->narguments;
    return HOST_DONE;
}

enum host_answer wasi_initial_cwd(struct host_call *call, const void *args, void *result)
{
    const struct wasi *wasi = call->host;
    HOST_OPTION(struct str) *cwd = result;
    (void)args;
    cwd->some = wasi->cwd.len > 0;
    cwd->of = wasi->cwd;
    return HOST_DONE;
}

/* --- Exit ---------------------------------------------------------------------------------------
 */

enum host_answer wasi_exit(struct host_call *call, const void *args, void *result)
{
    (void)result;
    return host_exit(call, *(const uint8_t *)args == HOST_OK ? 0 : 1);
}

enum host_answer wasi_exit_with_code(struct host_call *call, const void *args, void *result)
{
    (void)result;
    return host_exit(call, *(const uint8_t *)args);
}

/* --- Standard streams ---------------------------------------------------------------------------
 */

enum host_answer wasi_get_stdin(struct host_call *call, const void *args, void *result)
{
    struct wasi *wasi = call->host;
    struct input_stream **stream = result;
    (void)args;
    *stream = input_new(wasi, wasi->streams[0], 0);
    return *stream ? HOST_DONE : wasi_no_memory(call);
}

static enum host_answer output(struct host_call *call, int which, struct output_stream **stream)
{
    struct wasi *wasi = call->host;
    *stream = output_new(wasi, wasi->streams[which], 0, /*append=*/false);
    return *stream ? HOST_DONE : wasi_no_memory(call);
}

enum host_answer wasi_get_stdout(struct host_call *call, const void *args, void *result)
{
    (void)args;
    return output(call, 1, result);
}

enum host_answer wasi_get_stderr(struct host_call *call, const void *args, void *result)
{
    (void)args;
    return output(call, 2, result);
}

/* --- Terminals ----------------------------------------------------------------------------------
 */

/* A terminal has no functions yet: one of three addresses stands for it. */
static enum host_answer terminal(struct host_call *call, int which, void *result)
{
    struct wasi *wasi = call->host;
    HOST_OPTION(void *) *option = result;
    option->some = wasi->terminal[which];
    option->of = &wasi->terminal[which];
    return HOST_DONE;
}

enum host_answer wasi_get_terminal_stdin(struct host_call *call, const void *args, void *result)
{
    (void)args;
    return terminal(call, 0, result);
}

enum host_answer wasi_get_terminal_stdout(struct host_call *call, const void *args, void *result)
{
    (void)args;
    return terminal(call, 1, result);
}

enum host_answer wasi_get_terminal_stderr(struct host_call *call, const void *args, void *result)
{
    (void)args;
    return terminal(call, 2, result);
}

bool wasi_drop_terminal_input(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    (void)host;
    (void)representation;
    return true;
}

bool wasi_drop_terminal_output(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    (void)host;
    (void)representation;
    return true;
}
