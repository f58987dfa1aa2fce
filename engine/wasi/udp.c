/* wasi:sockets/udp and udp-create-socket, but for the options (net_option.c).
 *
 * The shim makes and binds the socket; `stream` brings it into the cell, connected to a peer or
 * not. Connected it sends by itself; a datagram with an address of its own goes through the shim,
 * which asks the policy for each (shim/network.c says why). The streams of an earlier `stream` say
 * invalid-state. */
#include "engine/wasi/net_socket.h"
#include "engine/wasi/pollable.h"
#include "engine/wasi/table.h"

#include <errno.h>

/* Received by one call, and permitted by one check-send. */
#define DATAGRAMS 64

/* Of incoming and outgoing alike; each holds a reference to its socket. */
struct datagram_stream {
    struct net_socket *socket;
    uint32_t association; /* the socket's, when it was made */
    uint32_t permit;      /* what check-send permitted and send has not used */
};

/* --- Making and binding -------------------------------------------------------------------------
 */

enum host_answer wasi_create_udp_socket(struct host_call *call, const void *args, void *result)
{
    return net_call_create(call, ASK_UDP, args, result);
}

bool wasi_drop_udp_socket(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    net_socket_release(host, representation);
    return true;
}

enum host_answer wasi_udp_socket_start_bind(struct host_call *call, const void *args, void *result)
{
    return net_call_start_bind(call, ASK_ROW_udp_socket_start_bind, args, result);
}

enum host_answer wasi_udp_socket_finish_bind(struct host_call *call, const void *args, void *result)
{
    (void)call;
    return net_call_finish_bind(args, result);
}

/* --- Streaming ----------------------------------------------------------------------------------
 */

struct stream_args {
    struct net_socket *self;
    HOST_OPTION(struct ip_socket_address) remote;
};

struct datagram_streams {
    struct datagram_stream *in;
    struct datagram_stream *out;
};

/* Can a datagram of this socket go there? */
static bool takes(const struct net_socket *socket, const struct wasi_address *to)
{
    return to->family == socket->family && !address_unspecified(to) && to->port != 0 &&
           !address_mapped(to);
}

static int associate(struct wasi *wasi, struct net_socket *socket, const struct wasi_address *to)
{
    struct ask_answer answer;
    if (socket->state != SOCKET_BOUND && socket->state != SOCKET_CONNECTED)
        return WRONG_STATE;
    if (to && !takes(socket, to))
        return -EINVAL;
    int error = ask_stream(wasi, socket->number, to, &answer);
    if (error < 0)
        return error == -EADDRNOTAVAIL ? -EADDRINUSE : error;
    if (!socket->file && answer.fd < 0)
        return -EMFILE;
    if (!socket->file && net_socket_take(wasi, socket, answer.fd) < 0)
        return -ENOMEM;
    socket->association++;
    socket->state = to ? SOCKET_CONNECTED : SOCKET_BOUND;
    socket->remote = to ? *to : (struct wasi_address){.family = 0};
    return 0;
}

static struct datagram_stream *stream_new(struct wasi *wasi, struct net_socket *socket)
{
    struct datagram_stream *stream = wasi_resource(wasi, sizeof *stream);
    if (!stream)
        return NULL;
    *stream = (struct datagram_stream){.socket = socket, .association = socket->association};
    socket->refs++;
    return stream;
}

static void stream_end(struct wasi *wasi, struct datagram_stream *stream)
{
    net_socket_release(wasi, stream->socket);
    wasi_resource_end(wasi, stream);
}

bool wasi_drop_incoming_datagram_stream(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    stream_end(host, representation);
    return true;
}

bool wasi_drop_outgoing_datagram_stream(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    stream_end(host, representation);
    return true;
}

static int make_streams(struct wasi *wasi, struct net_socket *socket, struct datagram_streams *ret)
{
    ret->in = stream_new(wasi, socket);
    ret->out = ret->in ? stream_new(wasi, socket) : NULL;
    if (ret->out)
        return 0;
    if (ret->in)
        stream_end(wasi, ret->in);
    return -ENOMEM;
}

enum host_answer wasi_udp_socket_stream(struct host_call *call, const void *args, void *result)
{
    const struct stream_args *a = args;
    HOST_RESULT(struct datagram_streams, uint8_t) *made = result;
    struct wasi_address to = {.family = 0};
    if (a->remote.some)
        to = address_of(&a->remote.of);
    int error = associate(call->host, a->self, a->remote.some ? &to : NULL);
    if (error == 0)
        error = make_streams(call->host, a->self, &made->ok);
    if (error < 0) {
        made->tag = HOST_ERR;
        made->err = net_error_of(error);
    }
    return HOST_DONE;
}

/* --- Asking about it ----------------------------------------------------------------------------
 */

enum host_answer wasi_udp_socket_local_address(struct host_call *call, const void *args,
                                               void *result)
{
    (void)call;
    return net_call_local_address(args, result);
}

enum host_answer wasi_udp_socket_remote_address(struct host_call *call, const void *args,
                                                void *result)
{
    struct net_socket *const *self = args;
    (void)call;
    return net_address_answer((*self)->state == SOCKET_CONNECTED ? 0 : WRONG_STATE,
                              &(*self)->remote, result);
}

enum host_answer wasi_udp_socket_address_family(struct host_call *call, const void *args,
                                                void *result)
{
    (void)call;
    return net_call_address_family(args, result);
}

enum host_answer wasi_udp_socket_subscribe(struct host_call *call, const void *args, void *result)
{
    struct net_socket *const *self = args;
    return net_call_subscribe(call, *self, 0, result);
}

enum host_answer wasi_incoming_datagram_stream_subscribe(struct host_call *call, const void *args,
                                                         void *result)
{
    struct datagram_stream *const *self = args;
    return net_call_subscribe(call, (*self)->socket, POLLIN, result);
}

enum host_answer wasi_outgoing_datagram_stream_subscribe(struct host_call *call, const void *args,
                                                         void *result)
{
    struct datagram_stream *const *self = args;
    return net_call_subscribe(call, (*self)->socket, POLLOUT, result);
}

/* --- Receiving ----------------------------------------------------------------------------------
 */

struct receive_args {
    struct datagram_stream *self;
    uint64_t max;
};

struct incoming {
    byte_list data;
    struct ip_socket_address remote;
};

typedef HOST_RESULT(HOST_LIST(struct incoming), uint8_t) incoming_result;

static bool current(const struct datagram_stream *stream)
{
    return stream->association == stream->socket->association;
}

/* What is there, and of what kind a failure was: a peer that resets is one that is not reached. */
static int64_t receive_one(const struct net_socket *socket, uint8_t *to, struct wasi_address *ret)
{
    struct sockaddr_storage kernel = {0};
    for (;;) {
        int64_t got = sys_recv(socket->file->fd, to, WASI_CHUNK, &kernel);
        *ret = address_of_kernel(&kernel);
        if (got < 0)
            return got == -ECONNRESET ? -EHOSTUNREACH : got;
        /* One that came before it was connected may still be there from somebody else. */
        if (socket->state != SOCKET_CONNECTED || address_same(ret, &socket->remote))
            return got;
    }
}

static int keep(struct host_call *call, const uint8_t *data, size_t size,
                const struct wasi_address *from, struct incoming *ret)
{
    ret->data.at = host_alloc(call, size ? size : 1);
    if (!ret->data.at)
        return -ENOMEM;
    memcpy(ret->data.at, data, size);
    ret->data.len = size;
    ret->remote = address_to(from);
    return 0;
}

enum host_answer wasi_incoming_datagram_stream_receive(struct host_call *call, const void *args,
                                                       void *result)
{
    const struct receive_args *a = args;
    incoming_result *out = result;
    uint8_t *scratch = wasi_scratch(call->host);
    size_t most = a->max < DATAGRAMS ? (size_t)a->max : DATAGRAMS;
    struct incoming *list = host_alloc(call, most * sizeof *list + 1);
    if (!scratch || !list)
        return wasi_no_memory(call);
    size_t count = 0;
    int64_t got = current(a->self) ? 0 : WRONG_STATE;
    while (got >= 0 && count < most) {
        struct wasi_address from;
        got = receive_one(a->self->socket, scratch, &from);
        if (got < 0)
            break;
        if (keep(call, scratch, (size_t)got, &from, &list[count]) < 0)
            return wasi_no_memory(call);
        count++;
    }
    if (got < 0 && got != -EAGAIN && count == 0) {
        out->tag = HOST_ERR;
        out->err = net_error_of(got);
        return HOST_DONE;
    }
    out->ok.at = list;
    out->ok.len = count;
    return HOST_DONE;
}

/* --- Sending ------------------------------------------------------------------------------------
 */

typedef HOST_RESULT(uint64_t, uint8_t) count_result;

struct outgoing {
    byte_list data;
    HOST_OPTION(struct ip_socket_address) remote;
};

struct send_args {
    struct datagram_stream *self;
    HOST_LIST(struct outgoing) datagrams;
};

enum host_answer wasi_outgoing_datagram_stream_check_send(struct host_call *call, const void *args,
                                                          void *result)
{
    struct datagram_stream *self = *(struct datagram_stream *const *)args;
    count_result *out = result;
    self->permit = 0;
    if (!current(self)) {
        out->tag = HOST_ERR;
        out->err = net_error_of(WRONG_STATE);
        return HOST_DONE;
    }
    if (wasi_ready(call->host, self->socket->file->fd, POLLOUT))
        self->permit = DATAGRAMS;
    out->ok = self->permit;
    return HOST_DONE;
}

static int send_one(struct wasi *wasi, const struct net_socket *socket,
                    const struct outgoing *datagram)
{
    struct wasi_address to = {.family = 0};
    bool connected = socket->state == SOCKET_CONNECTED;
    if (datagram->remote.some)
        to = address_of(&datagram->remote.of);
    if (connected) {
        if (datagram->remote.some && !address_same(&to, &socket->remote))
            return -EINVAL;
        int64_t put = sys_send(socket->file->fd, datagram->data.at, datagram->data.len);
        return put < 0 ? (int)put : 0;
    }
    if (!takes(socket, &to))
        return -EINVAL;
    return ask_send(wasi, socket->number, &to, datagram->data.at, datagram->data.len);
}

enum host_answer wasi_outgoing_datagram_stream_send(struct host_call *call, const void *args,
                                                    void *result)
{
    const struct send_args *a = args;
    struct datagram_stream *self = a->self;
    count_result *out = result;
    if (a->datagrams.len > self->permit)
        return host_trap(call, "send of %llu datagrams, %u were permitted by check-send",
                         (unsigned long long)a->datagrams.len, self->permit);
    uint64_t count = 0;
    int error = current(self) ? 0 : WRONG_STATE;
    while (error == 0 && count < a->datagrams.len) {
        error = send_one(call->host, self->socket, &a->datagrams.at[count]);
        count += error == 0;
    }
    self->permit -= (uint32_t)count;
    if (error < 0 && error != -EAGAIN && count == 0) {
        out->tag = HOST_ERR;
        out->err = net_error_of(error == -ECONNRESET ? -EHOSTUNREACH : error);
        return HOST_DONE;
    }
    out->ok = count;
    return HOST_DONE;
}
