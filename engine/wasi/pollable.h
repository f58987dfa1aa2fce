/* The resource wasi:io/poll.pollable: something that happens, or has happened. */
#ifndef CARREL_WASI_POLLABLE_H
#define CARREL_WASI_POLLABLE_H

#include "engine/wasi/stream.h"
#include "engine/wasi/types.h"

enum pollable_kind { POLLABLE_TIME, POLLABLE_INPUT, POLLABLE_OUTPUT };

struct pollable {
    enum pollable_kind kind;
    union {
        uint64_t until; /* as sys_now; 0: always ready */
        struct input_stream *input;
        struct output_stream *output;
    };
};

/* Those of streams keep the stream. NULL as wasi_resource. */
struct pollable *pollable_time(struct wasi *wasi, uint64_t until);
struct pollable *pollable_input(struct wasi *wasi, struct input_stream *input);
struct pollable *pollable_output(struct wasi *wasi, struct output_stream *output);

#endif
