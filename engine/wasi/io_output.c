/* The output streams of wasi:io/streams. What the functions do is told by their WIT text, how
 * writing works by stream.h. */
#include "engine/wasi/pollable.h"
#include "engine/wasi/stream.h"
#include "engine/wasi/table.h"

#include <errno.h>

typedef HOST_RESULT(uint64_t, struct stream_error) count_result;
struct unit_result {
    uint8_t tag;
    struct stream_error err;
};

/* --- Writing -----------------------------------------------------------------------------------
 */

enum host_answer wasi_output_stream_check_write(struct host_call *call, const void *args,
                                                void *result)
{
    struct output_stream *const *self = args;
    count_result *count = result;
    int64_t room = output_room(call->host, *self);
    (*self)->permit = room > 0 ? (uint32_t)room : 0;
    (*self)->permit_writes = (*self)->file ? (*self)->file->writes : 0;
    if (room >= 0) {
        count->ok = (uint64_t)room;
    } else {
        count->tag = HOST_ERR;
        count->err = output_error(call->host, *self, room);
    }
    return HOST_DONE;
}

struct write_args {
    struct output_stream *self;
    byte_list contents;
};

struct zeroes_args {
    struct output_stream *self;
    uint64_t len;
};

/* The answer that an operation without result gives. */
static enum host_answer answer(struct host_call *call, const struct output_stream *stream,
                               int64_t error, struct unit_result *result)
{
    if (error < 0) {
        result->tag = HOST_ERR;
        result->err = output_error(call->host, stream, error);
    }
    return HOST_DONE;
}

static enum host_answer write_bytes(struct host_call *call, struct output_stream *stream,
                                    const uint8_t *from, uint64_t len, void *result)
{
    /* Closed since something was permitted, perhaps by another that writes there (WIT, write). */
    if (output_closed(stream))
        return answer(call, stream, -EPIPE, result);
    if (len > stream->permit)
        return host_trap(call, "write of %llu bytes, %u were permitted by check-write",
                         (unsigned long long)len, stream->permit);
    stream->permit -= (uint32_t)len;
    /* The permit is the kernel's word only as long as nobody wrote after it was given. */
    bool fresh = !stream->file ||
                 (stream->permit_writes == stream->file->writes && !stream->file->pending.at);
    int error = output_accept(call->host, stream, from, (size_t)len, fresh);
    return answer(call, stream, error, result);
}

enum host_answer wasi_output_stream_write(struct host_call *call, const void *args, void *result)
{
    const struct write_args *a = args;
    return write_bytes(call, a->self, a->contents.at, a->contents.len, result);
}

enum host_answer wasi_output_stream_write_zeroes(struct host_call *call, const void *args,
                                                 void *result)
{
    const struct zeroes_args *a = args;
    return write_bytes(call, a->self, NULL, a->len, result);
}

/* How far it is lies in call->state between calls. */
static enum host_answer write_and_flush(struct host_call *call, struct output_stream *stream,
                                        const uint8_t *from, uint64_t len, void *result)
{
    if (len > WASI_BLOCKING)
        return host_trap(call, "blocking write of %llu bytes, %d are allowed",
                         (unsigned long long)len, WASI_BLOCKING);
    size_t done = (size_t)(uintptr_t)call->state;
    int64_t put = 0;
    while (put >= 0 && done < len) {
        put = output_put(call->host, stream, from ? from + done : NULL, (size_t)len - done,
                         /*wait=*/true);
        if (put > 0)
            done += (size_t)put;
    }
    if (done == len && put >= 0)
        put = output_closed(stream) ? -EPIPE : output_flush(call->host, stream, /*wait=*/true);
    if (put == -EAGAIN) {
        call->state = (void *)(uintptr_t)done;
        return wasi_wait_stream(call, output_waits(stream));
    }
    return answer(call, stream, put, result);
}

enum host_answer wasi_output_stream_blocking_write_and_flush(struct host_call *call,
                                                             const void *args, void *result)
{
    const struct write_args *a = args;
    return write_and_flush(call, a->self, a->contents.at, a->contents.len, result);
}

enum host_answer wasi_output_stream_blocking_write_zeroes_and_flush(struct host_call *call,
                                                                    const void *args, void *result)
{
    const struct zeroes_args *a = args;
    return write_and_flush(call, a->self, NULL, a->len, result);
}

enum host_answer wasi_output_stream_flush(struct host_call *call, const void *args, void *result)
{
    struct output_stream *const *self = args;
    int64_t error = output_closed(*self) ? -EPIPE : output_flush(call->host, *self, /*wait=*/false);
    return answer(call, *self, error == -EAGAIN ? 0 : error, result);
}

enum host_answer wasi_output_stream_blocking_flush(struct host_call *call, const void *args,
                                                   void *result)
{
    struct output_stream *const *self = args;
    return write_and_flush(call, *self, NULL, 0, result);
}

enum host_answer wasi_output_stream_subscribe(struct host_call *call, const void *args,
                                              void *result)
{
    struct output_stream *const *self = args;
    struct pollable **pollable = result;
    *pollable = pollable_output(call->host, *self);
    return *pollable ? HOST_DONE : wasi_no_memory(call);
}

bool wasi_drop_output_stream(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    output_release(host, representation);
    return true;
}

/* --- Splicing -----------------------------------------------------------------------------------
 */

struct splice_args {
    struct output_stream *self;
    struct input_stream *source;
    uint64_t len;
};

static enum host_answer move(struct host_call *call, const struct splice_args *args, bool wait,
                             count_result *result)
{
    struct wasi *wasi = call->host;
    struct output_stream *to = args->self;
    bool from_source = false; /* what failed */
    uint8_t *scratch = wasi_scratch(wasi);
    if (!scratch)
        return wasi_no_memory(call);
    int64_t moved = output_room(wasi, to);
    if (moved == 0 && wait)
        return wasi_wait_stream(call, output_waits(to));
    if (moved > 0 && args->len < (uint64_t)moved)
        moved = (int64_t)args->len;
    if (moved > 0) {
        from_source = true;
        moved = input_read(wasi, args->source, scratch, (uint64_t)moved, wait);
        if (moved == -EAGAIN && wait)
            return wasi_wait_stream(call, input_waits(args->source));
        moved = moved == 0 ? -EPIPE : moved == -EAGAIN ? 0 : moved;
    }
    if (moved > 0) {
        from_source = false;
        int error = output_accept(wasi, to, scratch, (size_t)moved, /*fresh=*/true);
        moved = error < 0 ? error : moved;
    }
    if (moved < 0) {
        result->tag = HOST_ERR;
        result->err =
            from_source ? input_error(wasi, args->source, moved) : output_error(wasi, to, moved);
    } else {
        result->ok = (uint64_t)moved;
    }
    return HOST_DONE;
}

enum host_answer wasi_output_stream_splice(struct host_call *call, const void *args, void *result)
{
    return move(call, args, /*wait=*/false, result);
}

enum host_answer wasi_output_stream_blocking_splice(struct host_call *call, const void *args,
                                                    void *result)
{
    return move(call, args, /*wait=*/true, result);
}
