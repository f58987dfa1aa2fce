/* wasi:sockets/tcp and tcp-create-socket, but for most options (net_option.c). The states and the
 * steps between them are those of TcpSocketOperationalSemantics.md: a function that does not fit
 * the state is invalid-state and changes nothing, a start-connect or start-listen that fails closes
 * the socket. The shim answers at once, so binding and listening are over when finish-bind and
 * finish-listen are called; connecting is over when the kernel says so. */
#include "engine/wasi/net_socket.h"
#include "engine/wasi/pollable.h"
#include "engine/wasi/table.h"

#include <errno.h>
#include <sys/socket.h>

/* --- Making and binding -------------------------------------------------------------------------
 */

enum host_answer wasi_create_tcp_socket(struct host_call *call, const void *args, void *result)
{
    return net_call_create(call, ASK_TCP, args, result);
}

bool wasi_drop_tcp_socket(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    net_socket_release(host, representation);
    return true;
}

enum host_answer wasi_tcp_socket_start_bind(struct host_call *call, const void *args, void *result)
{
    return net_call_start_bind(call, ASK_ROW_tcp_socket_start_bind, args, result);
}

enum host_answer wasi_tcp_socket_finish_bind(struct host_call *call, const void *args, void *result)
{
    (void)call;
    return net_call_finish_bind(args, result);
}

/* --- Connecting ---------------------------------------------------------------------------------
 */

/* The shim has nothing of it any more, or is to have nothing. */
static int close_socket(struct wasi *wasi, struct net_socket *socket, int error)
{
    if (socket->number != ASK_NO_SOCKET)
        ask_release(wasi, socket->number);
    socket->number = ASK_NO_SOCKET;
    if (socket->file)
        descriptor_release(wasi, socket->file);
    socket->file = NULL;
    socket->state = SOCKET_CLOSED;
    return error;
}

static int start_connect(struct wasi *wasi, struct net_socket *socket,
                         const struct wasi_address *to)
{
    struct ask_answer answer;
    if (socket->state == SOCKET_CONNECTING)
        return -EALREADY;
    if (socket->state != SOCKET_UNBOUND && socket->state != SOCKET_BOUND)
        return WRONG_STATE;
    if (!address_destination(to, socket->family))
        return close_socket(wasi, socket, -EINVAL);
    if (net_socket_inert(socket) || !wasi->network.connect)
        return close_socket(
            wasi, socket, ask_denied(wasi, ASK_ROW_tcp_socket_start_connect, to, (struct str){0}));
    int error = ask_connect(wasi, socket->number, to, &answer);
    if (error < 0) /* no address is free any more: the socket was bound by connecting it */
        return close_socket(wasi, socket, error == -EADDRNOTAVAIL ? -EADDRINUSE : error);
    socket->number = ASK_NO_SOCKET;
    if (net_socket_take(wasi, socket, answer.fd) < 0)
        return close_socket(wasi, socket, -ENOMEM);
    socket->state = SOCKET_CONNECTING;
    return 0;
}

enum host_answer wasi_tcp_socket_start_connect(struct host_call *call, const void *args,
                                               void *result)
{
    const struct net_address_args *a = args;
    const struct wasi_address to = address_of(&a->address);
    return net_answer(start_connect(call->host, a->self, &to), result);
}

struct streams {
    struct input_stream *in;
    struct output_stream *out;
};

/* The two streams of a connection. False: no memory; then there is neither. */
static bool make_streams(struct wasi *wasi, struct net_socket *socket, struct streams *ret)
{
    ret->in = input_new(wasi, socket->file, 0);
    ret->out = output_new(wasi, socket->file, 0, /*append=*/false);
    if (ret->in && ret->out) {
        ret->out->refs++;
        socket->out = ret->out;
        return true;
    }
    if (ret->in)
        input_release(wasi, ret->in);
    if (ret->out)
        output_release(wasi, ret->out);
    return false;
}

/* How connecting went: 0, -EAGAIN as long as it goes on, or why it failed. */
static int connected(struct wasi *wasi, const struct net_socket *socket)
{
    int32_t error = 0;
    if (!wasi_ready(wasi, socket->file->fd, POLLOUT))
        return -EAGAIN;
    int failed = sys_get_option(socket->file->fd, SOL_SOCKET, SO_ERROR, &error);
    return failed < 0 ? failed : -error;
}

enum host_answer wasi_tcp_socket_finish_connect(struct host_call *call, const void *args,
                                                void *result)
{
    struct net_socket *socket = *(struct net_socket *const *)args;
    HOST_RESULT(struct streams, uint8_t) *made = result;
    if (socket->state != SOCKET_CONNECTING)
        return net_not_in_progress(&made->tag, &made->err);
    int error = connected(call->host, socket);
    if (error == 0 && !make_streams(call->host, socket, &made->ok))
        error = -ENOMEM;
    if (error == 0) {
        socket->state = SOCKET_CONNECTED;
        return HOST_DONE;
    }
    if (error != -EAGAIN)
        close_socket(call->host, socket, error);
    made->tag = HOST_ERR;
    made->err = net_error_of(error);
    return HOST_DONE;
}

/* --- Listening ----------------------------------------------------------------------------------
 */

static int start_listen(struct wasi *wasi, struct net_socket *socket)
{
    struct ask_answer answer;
    if (socket->state == SOCKET_LISTENS_SOON)
        return -EALREADY;
    if (socket->state != SOCKET_BOUND)
        return WRONG_STATE;
    if (!wasi->network.listen)
        return close_socket(
            wasi, socket,
            ask_denied(wasi, ASK_ROW_tcp_socket_start_listen, &socket->local, (struct str){0}));
    int error = ask_listen(wasi, socket->number, socket->backlog, &answer);
    if (error < 0)
        return close_socket(wasi, socket, error);
    socket->number = ASK_NO_SOCKET;
    if (net_socket_take(wasi, socket, answer.fd) < 0)
        return close_socket(wasi, socket, -ENOMEM);
    socket->state = SOCKET_LISTENS_SOON;
    return 0;
}

enum host_answer wasi_tcp_socket_start_listen(struct host_call *call, const void *args,
                                              void *result)
{
    struct net_socket *const *self = args;
    return net_answer(start_listen(call->host, *self), result);
}

enum host_answer wasi_tcp_socket_finish_listen(struct host_call *call, const void *args,
                                               void *result)
{
    struct net_socket *const *self = args;
    struct unit_or_net_error *done = result;
    (void)call;
    if ((*self)->state != SOCKET_LISTENS_SOON)
        return net_not_in_progress(&done->tag, &done->err);
    (*self)->state = SOCKET_LISTENING;
    return HOST_DONE;
}

struct backlog_args {
    struct net_socket *self;
    uint64_t value;
};

/* Once it listens, only listen(2) could change it, which no filter allows. */
enum host_answer wasi_tcp_socket_set_listen_backlog_size(struct host_call *call, const void *args,
                                                         void *result)
{
    const struct backlog_args *a = args;
    struct net_socket *socket = a->self;
    (void)call;
    if (!a->value)
        return net_answer(-EINVAL, result);
    switch (socket->state) {
    case SOCKET_CONNECTING:
    case SOCKET_CONNECTED:
    case SOCKET_CLOSED: return net_answer(WRONG_STATE, result);
    case SOCKET_LISTENS_SOON:
    case SOCKET_LISTENING: return net_answer(-EOPNOTSUPP, result);
    default: break;
    }
    socket->backlog = (uint32_t)(a->value < UINT32_MAX ? a->value : UINT32_MAX);
    return HOST_DONE;
}

struct accepted {
    struct net_socket *socket;
    struct streams streams;
};

/* accept(2): what went wrong with a connection before it was taken is told here, too. */
static int accept_error(int error)
{
    switch (-error) {
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return -ECONNABORTED;
    default: return error;
    }
}

static int take_connection(struct wasi *wasi, const struct net_socket *listener,
                           struct accepted *ret)
{
    if (listener->state != SOCKET_LISTENING)
        return WRONG_STATE;
    int fd = sys_accept(listener->file->fd);
    if (fd < 0)
        return accept_error(fd);
    ret->socket = net_socket_of_descriptor(wasi, listener, fd);
    if (!ret->socket)
        return -EMFILE;
    if (!make_streams(wasi, ret->socket, &ret->streams)) {
        net_socket_release(wasi, ret->socket);
        return -EMFILE;
    }
    ret->socket->state = SOCKET_CONNECTED;
    return 0;
}

enum host_answer wasi_tcp_socket_accept(struct host_call *call, const void *args, void *result)
{
    struct net_socket *const *self = args;
    HOST_RESULT(struct accepted, uint8_t) *made = result;
    int error = take_connection(call->host, *self, &made->ok);
    if (error < 0) {
        made->tag = HOST_ERR;
        made->err = net_error_of(error);
    }
    return HOST_DONE;
}

enum host_answer wasi_tcp_socket_is_listening(struct host_call *call, const void *args,
                                              void *result)
{
    struct net_socket *const *self = args;
    bool *listening = result;
    (void)call;
    *listening = (*self)->state == SOCKET_LISTENING;
    return HOST_DONE;
}

/* --- Asking about it ----------------------------------------------------------------------------
 */

enum host_answer wasi_tcp_socket_local_address(struct host_call *call, const void *args,
                                               void *result)
{
    (void)call;
    return net_call_local_address(args, result);
}

enum host_answer wasi_tcp_socket_remote_address(struct host_call *call, const void *args,
                                                void *result)
{
    struct net_socket *const *self = args;
    struct sockaddr_storage kernel = {0};
    (void)call;
    int error =
        (*self)->state == SOCKET_CONNECTED ? sys_peer((*self)->file->fd, &kernel) : WRONG_STATE;
    const struct wasi_address address = address_of_kernel(&kernel);
    return net_address_answer(error, &address, result);
}

enum host_answer wasi_tcp_socket_address_family(struct host_call *call, const void *args,
                                                void *result)
{
    (void)call;
    return net_call_address_family(args, result);
}

enum host_answer wasi_tcp_socket_subscribe(struct host_call *call, const void *args, void *result)
{
    struct net_socket *const *self = args;
    return net_call_subscribe(call, *self, 0, result);
}

/* --- The end ------------------------------------------------------------------------------------
 */

enum { SHUTDOWN_RECEIVE, SHUTDOWN_SEND, SHUTDOWN_BOTH };

struct shutdown_args {
    struct net_socket *self;
    uint8_t how;
};

/* What was written before goes out before the end does. */
enum host_answer wasi_tcp_socket_shutdown(struct host_call *call, const void *args, void *result)
{
    static const int hows[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
    const struct shutdown_args *a = args;
    struct net_socket *socket = a->self;
    if (socket->state != SOCKET_CONNECTED)
        return net_answer(WRONG_STATE, result);
    struct descriptor *file = socket->file;
    bool sends = a->how != SHUTDOWN_RECEIVE;
    if (sends && !file->shut_out && file->pending.at &&
        output_flush(call->host, socket->out, /*wait=*/false) == -EAGAIN)
        return wasi_wait_fd(call, file->fd, POLLOUT);
    file->shut_in = file->shut_in || a->how != SHUTDOWN_SEND;
    file->shut_out = file->shut_out || sends;
    return net_answer(sys_shutdown(file->fd, hows[a->how]), result);
}
