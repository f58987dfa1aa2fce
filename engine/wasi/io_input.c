/* wasi:io/error, and the input streams of wasi:io/streams. What the functions do is told by their
 * WIT text, how reading works by stream.h. */
#include "engine/wasi/stream.h"

#include "engine/wasi/errors.h"
#include "engine/wasi/pollable.h"
#include "engine/wasi/table.h"

#include <errno.h>

typedef HOST_RESULT(byte_list, struct stream_error) bytes_result;
typedef HOST_RESULT(uint64_t, struct stream_error) count_result;

/* --- Errors -------------------------------------------------------------------------------------
 */

struct stream_error stream_error_of(struct wasi *wasi, const struct descriptor *file, int64_t error)
{
    /* The other side of a pipe is gone: the stream is closed. */
    if (error == -EPIPE)
        return (struct stream_error){.tag = STREAM_CLOSED};
    struct io_error *resource = wasi_resource(wasi, sizeof *resource);
    if (!resource)
        return (struct stream_error){.tag = STREAM_CLOSED};
    resource->error = (int)-error;
    resource->network = file->type == TYPE_SOCKET;
    resource->filesystem = !resource->network; /* standard streams may be files, too */
    return (struct stream_error){STREAM_FAILED, resource};
}

/* The same of a stream that failed for a reason of HTTP. */
static struct stream_error http_failed(struct wasi *wasi, const struct http_failure *why)
{
    struct io_error *resource = wasi_resource(wasi, sizeof *resource);
    if (!resource)
        return (struct stream_error){.tag = STREAM_CLOSED};
    resource->http = true;
    resource->code = *why;
    return (struct stream_error){STREAM_FAILED, resource};
}

struct stream_error input_error(struct wasi *wasi, const struct input_stream *stream, int64_t error)
{
    if (stream->file)
        return stream_error_of(wasi, stream->file, error);
    if (error == -EPIPE)
        return (struct stream_error){.tag = STREAM_CLOSED};
    return http_failed(wasi, stream->ops->error(stream->of));
}

struct stream_error output_error(struct wasi *wasi, const struct output_stream *stream,
                                 int64_t error)
{
    if (stream->file)
        return stream_error_of(wasi, stream->file, error);
    if (error == -EPIPE)
        return (struct stream_error){.tag = STREAM_CLOSED};
    return http_failed(wasi, stream->ops->error(stream->of));
}

bool wasi_drop_io_error(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    wasi_resource_end(host, representation);
    return true;
}

enum host_answer wasi_error_to_debug_string(struct host_call *call, const void *args, void *result)
{
    const struct io_error *const *self = args;
    struct str *text = result;
    (void)call;
    int error = (*self)->error;
    if ((*self)->http)
        *text = http_failure_text(&(*self)->code);
    else
        *text = str_of((*self)->network ? net_error_name(net_error_of(error))
                                        : fs_error_name(fs_error_of(error)));
    return HOST_DONE;
}

/* --- Waiting ------------------------------------------------------------------------------------
 */

enum host_answer wasi_no_memory(struct host_call *call)
{
    return host_trap(call, "out of memory, or too many resources");
}

enum host_answer wasi_wait_fd(struct host_call *call, int fd, short events)
{
    struct wasi *wasi = call->host;
    return reactor_fd(&wasi->reactor, host_waiter(call), fd, events) ? HOST_BLOCKED
                                                                     : wasi_no_memory(call);
}

enum host_answer wasi_wait_stream(struct host_call *call, struct stream_wait wait)
{
    enum host_answer answer = HOST_BLOCKED;
    if (wait.fd >= 0)
        answer = wasi_wait_fd(call, wait.fd, wait.events);
    if (answer == HOST_BLOCKED && (wait.fd < 0 || wait.until != UINT64_MAX))
        answer = wasi_wait_until(call, wait.until);
    return answer;
}

enum host_answer wasi_wait_until(struct host_call *call, uint64_t until)
{
    struct wasi *wasi = call->host;
    return reactor_time(&wasi->reactor, host_waiter(call), until) ? HOST_BLOCKED
                                                                  : wasi_no_memory(call);
}

/* --- Input streams ------------------------------------------------------------------------------
 */

struct read_args {
    struct input_stream *self;
    uint64_t len;
};

static enum host_answer read_bytes(struct host_call *call, const struct read_args *args, bool wait,
                                   bytes_result *result)
{
    struct input_stream *stream = args->self;
    if (!args->len && !input_closed(stream))
        return HOST_DONE;
    size_t room = args->len < WASI_CHUNK ? (size_t)args->len : WASI_CHUNK;
    if (!call->state)
        call->state = host_alloc(call, room ? room : 1);
    if (!call->state)
        return wasi_no_memory(call);
    int64_t got = input_read(call->host, stream, call->state, room, wait);
    if (got == -EAGAIN && wait)
        return wasi_wait_stream(call, input_waits(stream));
    if (got > 0) {
        result->ok.at = call->state;
        result->ok.len = (size_t)got;
    } else if (got != -EAGAIN) {
        result->tag = HOST_ERR;
        result->err = input_error(call->host, stream, got ? got : -EPIPE);
    }
    return HOST_DONE;
}

enum host_answer wasi_input_stream_read(struct host_call *call, const void *args, void *result)
{
    return read_bytes(call, args, /*wait=*/false, result);
}

enum host_answer wasi_input_stream_blocking_read(struct host_call *call, const void *args,
                                                 void *result)
{
    return read_bytes(call, args, /*wait=*/true, result);
}

static enum host_answer skip_bytes(struct host_call *call, const struct read_args *args, bool wait,
                                   count_result *result)
{
    struct input_stream *stream = args->self;
    uint8_t *scratch = wasi_scratch(call->host);
    if (!scratch)
        return wasi_no_memory(call);
    if (!args->len && !input_closed(stream))
        return HOST_DONE;
    int64_t got = input_read(call->host, stream, scratch, args->len, wait);
    if (got == -EAGAIN && wait)
        return wasi_wait_stream(call, input_waits(stream));
    if (got > 0) {
        result->ok = (uint64_t)got;
    } else if (got != -EAGAIN) {
        result->tag = HOST_ERR;
        result->err = input_error(call->host, stream, got ? got : -EPIPE);
    }
    return HOST_DONE;
}

enum host_answer wasi_input_stream_skip(struct host_call *call, const void *args, void *result)
{
    return skip_bytes(call, args, /*wait=*/false, result);
}

enum host_answer wasi_input_stream_blocking_skip(struct host_call *call, const void *args,
                                                 void *result)
{
    return skip_bytes(call, args, /*wait=*/true, result);
}

enum host_answer wasi_input_stream_subscribe(struct host_call *call, const void *args, void *result)
{
    struct input_stream *const *self = args;
    struct pollable **pollable = result;
    *pollable = pollable_input(call->host, *self);
    return *pollable ? HOST_DONE : wasi_no_memory(call);
}

bool wasi_drop_input_stream(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    input_release(host, representation);
    return true;
}
