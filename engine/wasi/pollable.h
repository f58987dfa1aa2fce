/* The resource wasi:io/poll.pollable: something that happens, or has happened. */
#ifndef CARREL_WASI_POLLABLE_H
#define CARREL_WASI_POLLABLE_H

#include "engine/wasi/stream.h"
#include "engine/wasi/types.h"

enum pollable_kind {
    POLLABLE_TIME,
    POLLABLE_INPUT,
    POLLABLE_OUTPUT,
    POLLABLE_SOCKET,
    POLLABLE_FUTURE,
};

/* Something that will have happened, of whatever kind. None of these waits. */
struct future_ops {
    bool (*ready)(struct wasi *wasi, void *of);
    struct stream_wait (*wait)(void *of);
    void (*release)(struct wasi *wasi, void *of);
};

struct net_socket;

struct pollable {
    enum pollable_kind kind;
    short events; /* of POLLABLE_SOCKET */
    union {
        uint64_t until; /* as sys_now; 0: always ready */
        struct input_stream *input;
        struct output_stream *output;
        struct net_socket *socket;
        struct {
            const struct future_ops *ops;
            void *of;
        } future;
    };
};

/* Those of streams and sockets keep them. NULL as wasi_resource. */
struct pollable *pollable_time(struct wasi *wasi, uint64_t until);
struct pollable *pollable_input(struct wasi *wasi, struct input_stream *input);
struct pollable *pollable_output(struct wasi *wasi, struct output_stream *output);

/* Of what a socket is about when somebody asks (net_socket_events), or of `events` if that is not
 * 0. */
struct pollable *pollable_socket(struct wasi *wasi, struct net_socket *socket, short events);

/* Takes `of`, unless it answers NULL. */
struct pollable *pollable_future(struct wasi *wasi, const struct future_ops *ops, void *of);

#endif
