/* Input streams; see stream.h. */
#include "engine/wasi/fs.h"
#include "engine/wasi/stream.h"

#include <errno.h>

struct input_stream *input_new(struct wasi *wasi, struct descriptor *file, uint64_t offset)
{
    struct input_stream *stream = wasi_resource(wasi, sizeof *stream);
    if (!stream)
        return NULL;
    stream->refs = 1;
    stream->offset = offset;
    stream->file = descriptor_keep(file);
    stream->closed = file->fd < 0;
    return stream;
}

struct input_stream *input_of(struct wasi *wasi, const struct input_ops *ops, void *of)
{
    struct input_stream *stream = wasi_resource(wasi, sizeof *stream);
    if (stream)
        *stream = (struct input_stream){.refs = 1, .ops = ops, .of = of};
    return stream;
}

void input_release(struct wasi *wasi, struct input_stream *stream)
{
    if (--stream->refs)
        return;
    if (stream->file)
        descriptor_release(wasi, stream->file);
    else
        stream->ops->release(wasi, stream->of);
    wasi_resource_end(wasi, stream);
}

struct stream_wait input_waits(const struct input_stream *stream)
{
    return stream->file ? (struct stream_wait){stream->file->fd, POLLIN, UINT64_MAX}
                        : stream->ops->wait(stream->of);
}

bool input_ready(struct wasi *wasi, const struct input_stream *stream)
{
    if (!stream->file)
        return stream->closed || stream->ops->ready(wasi, stream->of);
    return input_closed(stream) || descriptor_never_waits(stream->file) ||
           wasi_ready(wasi, stream->file->fd, POLLIN);
}

static int64_t read_some(struct wasi *wasi, struct input_stream *stream, void *to, uint64_t len,
                         bool wait)
{
    struct descriptor *file = stream->file;
    if (len > WASI_CHUNK)
        len = WASI_CHUNK;
    if (!file->sequential) {
        int64_t got = fs_read(file, to, len, stream->offset);
        if (got != -ESPIPE)
            return got;
        file->sequential = true; /* a FIFO */
    }
    if (!file->never_blocks && (!wait || wasi->concurrent) && !input_ready(wasi, stream))
        return -EAGAIN;
    return sys_read(file->fd, to, (size_t)len);
}

int64_t input_read(struct wasi *wasi, struct input_stream *stream, void *to, uint64_t len,
                   bool wait)
{
    if (input_closed(stream))
        return 0;
    int64_t got;
    if (stream->file)
        got = read_some(wasi, stream, to, len, wait);
    else
        got = stream->ops->read(wasi, stream->of, to, len < WASI_CHUNK ? (size_t)len : WASI_CHUNK);
    if (got > 0)
        stream->offset += (uint64_t)got;
    else if (got != -EAGAIN)
        stream->closed = true;
    return got;
}
