/* Output streams; see stream.h. */
#include "engine/wasi/fs.h"
#include "engine/wasi/stream.h"

#include <errno.h>
#include <limits.h>

static const uint8_t zeroes[4096];

struct output_stream *output_new(struct wasi *wasi, struct descriptor *file, uint64_t offset,
                                 bool append)
{
    struct output_stream *stream = wasi_resource(wasi, sizeof *stream);
    if (!stream)
        return NULL;
    stream->refs = 1;
    stream->offset = offset;
    stream->append = append;
    stream->file = descriptor_keep(file);
    stream->closed = file->fd < 0;
    return stream;
}

struct output_stream *output_of(struct wasi *wasi, const struct output_ops *ops, void *of)
{
    struct output_stream *stream = wasi_resource(wasi, sizeof *stream);
    if (stream)
        *stream = (struct output_stream){.refs = 1, .ops = ops, .of = of};
    return stream;
}

void output_release(struct wasi *wasi, struct output_stream *stream)
{
    if (--stream->refs)
        return;
    if (stream->file)
        descriptor_release(wasi, stream->file);
    else
        stream->ops->release(wasi, stream->of);
    wasi_resource_end(wasi, stream);
}

/* Nothing would wait: it is a file, or the kernel says so. */
static bool goes_through(struct wasi *wasi, const struct descriptor *file)
{
    return descriptor_never_waits(file) || wasi_ready(wasi, file->fd, POLLOUT);
}

/* Writes to where the stream is, as the descriptor does; no question asked. */
static int64_t write_now(struct output_stream *stream, const uint8_t *from, size_t len)
{
    struct descriptor *file = stream->file;
    if (!from) {
        from = zeroes;
        len = len < sizeof zeroes ? len : sizeof zeroes;
    }
    int64_t put = -ESPIPE;
    if (!file->sequential) {
        put =
            stream->append ? fs_append(file, from, len) : fs_write(file, from, len, stream->offset);
        file->sequential = put == -ESPIPE; /* a FIFO */
    }
    if (put == -ESPIPE) {
        file->writes++;
        put = sys_write(file->fd, from, len);
    }
    if (put > 0)
        stream->offset += (uint64_t)put;
    else if (put == 0)
        put = -ENOSPC;
    if (put < 0 && put != -EAGAIN)
        stream->closed = true;
    return put;
}

/* How much of `len` bytes may be written without more ado; 0: it would have to wait. */
static size_t writable(struct wasi *wasi, const struct descriptor *file, size_t len, bool wait)
{
    if (!wasi->may_poll || file->never_blocks || descriptor_never_waits(file) ||
        (wait && !wasi->concurrent))
        return len;
    if (!goes_through(wasi, file))
        return 0;
    return len < PIPE_BUF ? len : PIPE_BUF;
}

static int64_t write_some(struct wasi *wasi, struct output_stream *stream, const uint8_t *from,
                          size_t len, bool wait)
{
    len = writable(wasi, stream->file, len, wait);
    return len ? write_now(stream, from, len) : -EAGAIN;
}

struct stream_wait output_waits(const struct output_stream *stream)
{
    return stream->file ? (struct stream_wait){stream->file->fd, POLLOUT, UINT64_MAX}
                        : stream->ops->wait(stream->of);
}

/* What an operation came to: whatever fails is closed. */
static int64_t settled(struct output_stream *stream, int64_t answer)
{
    if (answer < 0 && answer != -EAGAIN)
        stream->closed = true;
    return answer;
}

static int flush(struct wasi *wasi, struct descriptor *file, bool wait)
{
    struct pending *pending = &file->pending;
    int64_t put = 0;
    while (put >= 0 && pending->done < pending->len) {
        size_t len = writable(wasi, file, pending->len - pending->done, wait);
        file->writes++;
        put = len ? sys_write(file->fd, pending->at + pending->done, len) : -EAGAIN;
        if (put == -EAGAIN)
            return -EAGAIN;
        pending->done += put > 0 ? (uint32_t)put : 0;
    }
    heap_give(wasi->heap, pending->at);
    *pending = (struct pending){.at = NULL};
    return put < 0 ? (int)put : 0;
}

int output_flush(struct wasi *wasi, struct output_stream *stream, bool wait)
{
    if (!stream->file)
        return stream->closed ? -EPIPE : (int)settled(stream, stream->ops->flush(wasi, stream->of));
    return stream->file->pending.at ? (int)settled(stream, flush(wasi, stream->file, wait)) : 0;
}

void output_drain(struct wasi *wasi)
{
    for (int i = 1; i < 3; i++)
        while (wasi->streams[i]->pending.at && flush(wasi, wasi->streams[i], true) == -EAGAIN) {
            struct pollfd poll = {.fd = wasi->streams[i]->fd, .events = POLLOUT};
            if (wasi->may_poll)
                sys_poll(&poll, 1, UINT64_MAX);
        }
}

int64_t output_put(struct wasi *wasi, struct output_stream *stream, const uint8_t *from, size_t len,
                   bool wait)
{
    if (!stream->file) {
        int64_t room = output_room(wasi, stream);
        if (room <= 0)
            return room < 0 ? room : -EAGAIN;
        len = len < (size_t)room ? len : (size_t)room;
        int failed = output_accept(wasi, stream, from, len, /*fresh=*/true);
        return failed < 0 ? failed : (int64_t)len;
    }
    int error = output_flush(wasi, stream, wait);
    if (error < 0)
        return error;
    if (output_closed(stream))
        return -EPIPE;
    return write_some(wasi, stream, from, len, wait);
}

bool output_ready(struct wasi *wasi, struct output_stream *stream)
{
    if (!stream->file)
        return stream->closed || stream->ops->room(wasi, stream->of) != 0;
    return output_closed(stream) || (goes_through(wasi, stream->file) &&
                                     output_flush(wasi, stream, /*wait=*/false) != -EAGAIN);
}

/* What a socket that can take anything surely takes at once: the kernel says so when a third of
 * what it may hold is free, and the rest of that is for its own books. Of one that may hold very
 * little some will be pending. */
static int64_t socket_room(int fd)
{
    int32_t holds = 0;
    sys_get_option(fd, SOL_SOCKET, SO_SNDBUF, &holds);
    return holds / 4 > WASI_CHUNK ? WASI_CHUNK : holds / 4 > PIPE_BUF ? holds / 4 : PIPE_BUF;
}

int64_t output_room(struct wasi *wasi, struct output_stream *stream)
{
    if (output_closed(stream))
        return -EPIPE;
    if (!stream->file)
        return settled(stream, stream->ops->room(wasi, stream->of));
    int error = output_flush(wasi, stream, /*wait=*/false);
    if (error < 0)
        return error == -EAGAIN ? 0 : error;
    if (!wasi->may_poll || descriptor_never_waits(stream->file))
        return WASI_CHUNK;
    bool tried = stream->file->never_blocks;
    if (tried && stream->file->granted) /* what it does not take is written in the end */
        return WASI_CHUNK;
    if (!goes_through(wasi, stream->file))
        return 0;
    return tried ? socket_room(stream->file->fd) : PIPE_BUF;
}

/* Makes room for `len` bytes behind what is pending. Twice what is needed then, so that many small
 * writes do not move it each time. */
static int make_room(struct wasi *wasi, struct pending *pending, size_t len)
{
    size_t left = pending->len - pending->done;
    if (len <= pending->room - pending->len)
        return 0;
    size_t room = left ? 2 * (left + len) : len;
    uint8_t *at = room <= UINT32_MAX ? heap_take(wasi->heap, room) : NULL;
    if (!at)
        return -ENOMEM;
    if (left)
        memcpy(at, pending->at + pending->done, left);
    heap_give(wasi->heap, pending->at);
    *pending = (struct pending){.at = at, .len = (uint32_t)left, .room = (uint32_t)room};
    return 0;
}

/* Keeps what could not be written: `len` bytes, not 0, or as many zeroes. */
static int hold(struct wasi *wasi, struct descriptor *file, const uint8_t *from, size_t len)
{
    struct pending *pending = &file->pending;
    if (make_room(wasi, pending, len) < 0)
        return -ENOMEM;
    if (from)
        memcpy(pending->at + pending->len, from, len);
    else
        memset(pending->at + pending->len, 0, len);
    pending->len += (uint32_t)len;
    return 0;
}

int output_accept(struct wasi *wasi, struct output_stream *stream, const uint8_t *from, size_t len,
                  bool fresh)
{
    if (output_closed(stream))
        return -EPIPE;
    if (!stream->file)
        return (int)settled(stream, stream->ops->accept(wasi, stream->of, from, len));
    for (size_t done = 0; done < len;) {
        int64_t put = -EAGAIN;
        const uint8_t *at = from ? from + done : NULL;
        if (fresh)
            put = write_now(stream, at, len - done);
        else if (!stream->file->pending.at)
            put = write_some(wasi, stream, at, len - done, /*wait=*/false);
        if (put == -EAGAIN)
            return hold(wasi, stream->file, at, len - done);
        if (put < 0)
            return (int)put;
        done += (size_t)put;
        fresh = fresh && descriptor_never_waits(stream->file);
    }
    return 0;
}
