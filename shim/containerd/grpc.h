/* Calls of containerd's own services: gRPC over HTTP/2 (RFC 9113) on its socket, one call at a
 * time, as far as fetching a component needs them. The peer is containerd, which is trusted; it is
 * read as if it were not. What fields of heads say is not decoded: an answer's messages are there,
 * or not. (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md) */
#ifndef CARREL_SHIM_CONTAINERD_GRPC_H
#define CARREL_SHIM_CONTAINERD_GRPC_H

#include "engine/base/err.h"
#include "shim/containerd/buffer.h"
#include <stdbool.h>

#define GRPC_MESSAGE_MOST (16u << 20) /* of an answer; containerd's own are of 1 MiB and a head */

struct grpc {
    int fd; /* a connected socket; owned */
    const char *namespace;
    uint32_t stream;    /* of the latest call; 0: there was none */
    struct buffer in;   /* frames */
    struct buffer body; /* what the answer's frames held, of which no message was taken yet */
};

/* A connection to the socket at `address`, a path. It must be closed, even if this fails.
 * `namespace` is that of containers and images, and lives as long. Errors: FAULT. */
int grpc_connect(const char *address, const char *namespace, struct grpc *ret, struct err *err);

/* Takes one message of an answer, which lives until this returns; -1 with *err ends the call. */
typedef int grpc_taker(void *data, struct bytes message, struct err *err);

/* Calls `method`, as in /package.Service/Method, and gives every message of the answer to `take`;
 * how many there were, in *ret_count. No message at all is how a service says that there is no such
 * thing. Errors: FAULT, and those of `take`; the connection cannot be used afterwards. */
int grpc_call(struct grpc *grpc, const char *method, struct bytes request, grpc_taker *take,
              void *data, size_t *ret_count, struct err *err);

void grpc_close(struct grpc *grpc);

#endif
