/* Types of WASI that several interfaces share, in host layout (engine/component/host.h). */
#ifndef CARREL_WASI_TYPES_H
#define CARREL_WASI_TYPES_H

#include "engine/component/host.h"
#include "engine/wasi/http_failure.h"
#include "engine/wasi/stream.h"

#include <time.h>

typedef HOST_LIST(uint8_t) byte_list;

/* wasi:clocks/wall-clock.datetime */
struct datetime {
    uint64_t seconds;
    uint32_t nanoseconds;
};

typedef HOST_OPTION(struct datetime) option_datetime;

/* The resource wasi:io/error.error. */
struct io_error {
    int error;       /* errno */
    bool filesystem; /* filesystem-error-code knows it */
    bool network;    /* network-error-code knows it */
    bool http;       /* http-error-code knows it, as */
    struct http_failure code;
};

/* wasi:io/streams.stream-error */
enum { STREAM_FAILED, STREAM_CLOSED };
struct stream_error {
    uint8_t tag;
    struct io_error *error; /* own, of STREAM_FAILED */
};

/* What a failed operation on a stream of `file` gives. */
struct stream_error stream_error_of(struct wasi *wasi, const struct descriptor *file,
                                    int64_t error);

struct stream_error input_error(struct wasi *wasi, const struct input_stream *stream,
                                int64_t error);
struct stream_error output_error(struct wasi *wasi, const struct output_stream *stream,
                                 int64_t error);

/* Blocks the running fiber until `events` happen to `fd`, or until a moment. */
enum host_answer wasi_wait_fd(struct host_call *call, int fd, short events);
enum host_answer wasi_wait_until(struct host_call *call, uint64_t until);
enum host_answer wasi_wait_stream(struct host_call *call, struct stream_wait wait);

enum host_answer wasi_no_memory(struct host_call *call);

#endif
