/* Whoever calls the shim: a few connections to its socket, of which containerd keeps one. Requests
 * of one connection may be answered in any order, so an answer names the call that it is for. */
#ifndef CARREL_SHIM_CONTAINERD_CONNECTION_H
#define CARREL_SHIM_CONTAINERD_CONNECTION_H

#include "shim/containerd/buffer.h"
#include "shim/containerd/polls.h"
#include "shim/containerd/ttrpc.h"

#define CONNECTIONS_MAX 16

/* A call that will be answered, now or later. It may outlive its connection: the answer is dropped
 * then. */
struct call {
    uint32_t slot;
    uint32_t serial;
    uint32_t stream;
};

struct connection {
    int fd; /* -1: the slot is free */
    uint32_t serial;
    bool broken; /* is to be closed */
    size_t place;
    struct buffer in;
    struct buffer out;
};

struct connections {
    int listener;
    size_t place;
    uint32_t serial;
    struct connection at[CONNECTIONS_MAX];
};

/* Takes `listener`, a listening socket that does not block. */
void connections_start(struct connections *connections, int listener);

void connections_wait(struct connections *connections, struct polls *polls);

/* What is done with a request: it is read already. The bytes live until this returns. */
typedef void connections_handler(void *data, struct call call,
                                 const struct message_request *request);

/* Accepts, reads and writes what is there, and gives each request to `handle`. */
void connections_act(struct connections *connections, const struct polls *polls,
                     connections_handler *handle, void *data);

/* Answers a call: with a payload, or with what went wrong. */
void connections_answer(struct connections *connections, struct call call, struct bytes payload);
void connections_refuse(struct connections *connections, struct call call, enum ttrpc_code code,
                        const char *text);

/* Whether whoever made the call is still there. */
bool connections_there(const struct connections *connections, struct call call);

/* Gives memory back that only calls need. */
void connections_rest(struct connections *connections);

/* Whether answers still wait to be sent. */
bool connections_pending(const struct connections *connections);

#endif
