/* Streams of wasi:io over open things. A file's stream has an offset of its own; a standard stream,
 * a FIFO or a device has none and may have to wait.
 *
 * What "never blocks" takes: the description behind a descriptor is shared with others, so it is
 * never made non-blocking. Before an operation that must not wait the kernel is asked; a pipe that
 * can take anything takes PIPE_BUF bytes. (A socket's description is the cell's own and never
 * blocks, and so may be a standard stream's: it is just tried, and what it does not take is kept
 * with the descriptor.) Where nothing in the cell can wait (no PPOLL in its filter) nobody
 * could make use of the time either, and writing just takes as long as it takes. */
#ifndef CARREL_WASI_STREAM_H
#define CARREL_WASI_STREAM_H

#include "engine/wasi/descriptor.h"

/* --- Streams of something else: the bodies of HTTP messages (body.h)
 * ------------------------------
 */

/* What has to happen before it is worth while to look again. */
struct stream_wait {
    int fd; /* -1: nothing that the kernel knows of */
    short events;
    uint64_t until; /* as sys_now; UINT64_MAX: no moment */
};

struct http_failure;

/* None of these waits. */
struct input_ops {
    /* As input_read. */
    int64_t (*read)(struct wasi *wasi, void *of, void *to, size_t len);
    bool (*ready)(struct wasi *wasi, void *of);
    struct stream_wait (*wait)(void *of);
    const struct http_failure *(*error)(void *of); /* why it failed */
    void (*release)(struct wasi *wasi, void *of);
};

struct output_ops {
    /* As output_room, output_accept, output_flush. */
    int64_t (*room)(struct wasi *wasi, void *of);
    int (*accept)(struct wasi *wasi, void *of, const uint8_t *from, size_t len);
    int (*flush)(struct wasi *wasi, void *of);
    struct stream_wait (*wait)(void *of);
    const struct http_failure *(*error)(void *of);
    void (*release)(struct wasi *wasi, void *of);
};

/* Of a stream both its handle and every pollable made from it hold a reference. */
struct input_stream {
    uint32_t refs;
    bool closed;
    uint64_t offset;
    struct descriptor *file;     /* or, if this is NULL, */
    const struct input_ops *ops; /* what these do with `of` */
    void *of;
};

struct output_stream {
    uint32_t refs;
    bool closed;
    bool append;
    uint32_t permit;        /* bytes that check-write permitted and write has not used */
    uint64_t permit_writes; /* `writes` of the descriptor then */
    uint64_t offset;
    struct descriptor *file;      /* or, if this is NULL, */
    const struct output_ops *ops; /* what these do with `of` */
    void *of;
};

static inline bool input_closed(const struct input_stream *stream)
{
    return stream->closed || (stream->file && stream->file->shut_in);
}

static inline bool output_closed(const struct output_stream *stream)
{
    return stream->closed || (stream->file && stream->file->shut_out);
}

/* --- Reading ------------------------------------------------------------------------------------
 */

/* Keeps the descriptor. NULL as wasi_resource. */
struct input_stream *input_new(struct wasi *wasi, struct descriptor *file, uint64_t offset);
/* Takes `of`, unless it answers NULL. */
struct input_stream *input_of(struct wasi *wasi, const struct input_ops *ops, void *of);
void input_release(struct wasi *wasi, struct input_stream *stream);

/* Reads at most `len` (not 0) and WASI_CHUNK bytes; 0 at the end, which closes the stream. -EAGAIN
 * if there is nothing yet, which with `wait` only happens where the fiber has to wait instead of
 * the cell. Another negated errno: the operation failed, and the stream is closed. */
int64_t input_read(struct wasi *wasi, struct input_stream *stream, void *to, uint64_t len,
                   bool wait);

/* Would a read give something, or the end? */
bool input_ready(struct wasi *wasi, const struct input_stream *stream);

/* What a read that answered -EAGAIN waits for. */
struct stream_wait input_waits(const struct input_stream *stream);

/* --- Writing ------------------------------------------------------------------------------------
 */

struct output_stream *output_new(struct wasi *wasi, struct descriptor *file, uint64_t offset,
                                 bool append);
struct output_stream *output_of(struct wasi *wasi, const struct output_ops *ops, void *of);
void output_release(struct wasi *wasi, struct output_stream *stream);

/* Bytes that output_accept would write at once; 0 if none, or a negated errno. */
int64_t output_room(struct wasi *wasi, struct output_stream *stream);

/* Writes `len` bytes, zeroes if `from` is NULL; what cannot be written now stays pending, so `len`
 * is bounded by whoever gave a permit. `fresh`: nothing was written since output_room allowed as
 * much. 0 or a negated errno. */
int output_accept(struct wasi *wasi, struct output_stream *stream, const uint8_t *from, size_t len,
                  bool fresh);

/* Writes some of `len` (not 0) bytes, zeroes if `from` is NULL, once nothing is pending any more.
 * -EAGAIN as in input_read. */
int64_t output_put(struct wasi *wasi, struct output_stream *stream, const uint8_t *from, size_t len,
                   bool wait);

/* Writes what is pending, by whichever stream of the descriptor. 0, -EAGAIN as in input_read, or
 * another negated errno, and then nothing is pending any more. */
int output_flush(struct wasi *wasi, struct output_stream *stream, bool wait);

/* The guest is at its end: what standard output and error accepted is written, as long as that may
 * take. */
void output_drain(struct wasi *wasi);

/* Would check-write permit something, or fail? */
bool output_ready(struct wasi *wasi, struct output_stream *stream);

/* What a write that answered -EAGAIN waits for. */
struct stream_wait output_waits(const struct output_stream *stream);

#endif
