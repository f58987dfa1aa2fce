/* Sockets, whatever their protocol; see net_socket.h. */
#include "engine/wasi/net_socket.h"

#include "engine/wasi/pollable.h"
#include "engine/wasi/stream.h"
#include "engine/wasi/sys.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

enum host_answer net_answer(int64_t error, struct unit_or_net_error *result)
{
    if (error < 0) {
        result->tag = HOST_ERR;
        result->err = net_error_of(error);
    }
    return HOST_DONE;
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void let_go(struct wasi *wasi, struct wasi_held *held)
{
    const struct net_socket *socket = (const struct net_socket *)held;
    if (socket->number != ASK_NO_SOCKET)
        ask_release(wasi, socket->number);
}

static void end_object(struct wasi *wasi, struct net_socket *socket)
{
    wasi_unhold(wasi, &socket->held);
    wasi_resource_end(wasi, socket);
}

static struct net_socket *new_object(struct wasi *wasi, uint32_t protocol, uint8_t family)
{
    struct net_socket *socket = wasi_resource(wasi, sizeof *socket);
    if (socket) {
        socket->refs = 1;
        socket->protocol = (uint8_t)protocol;
        socket->family = family;
        socket->number = ASK_NO_SOCKET;
        socket->backlog = 128;
        wasi_hold(wasi, &socket->held, let_go);
    }
    return socket;
}

struct net_socket *net_socket_new(struct wasi *wasi, uint32_t protocol, uint8_t family,
                                  int *ret_error)
{
    struct net_socket *socket = new_object(wasi, protocol, family);
    *ret_error = -EMFILE;
    if (!socket || !(protocol == ASK_TCP ? wasi->network.tcp : wasi->network.udp))
        return socket;
    struct ask_answer answer;
    *ret_error = ask_socket(wasi, protocol, family, &answer);
    if (*ret_error < 0) {
        end_object(wasi, socket);
        return NULL;
    }
    socket->number = answer.socket;
    memcpy(socket->values, answer.values, sizeof socket->values);
    return socket;
}

struct net_socket *net_socket_of_descriptor(struct wasi *wasi, const struct net_socket *listener,
                                            int fd)
{
    struct net_socket *socket = new_object(wasi, listener->protocol, listener->family);
    if (!socket) {
        sys_close(fd);
        return NULL;
    }
    if (net_socket_take(wasi, socket, fd) < 0) {
        end_object(wasi, socket);
        return NULL;
    }
    return socket;
}

int net_socket_take(struct wasi *wasi, struct net_socket *socket, int fd)
{
    struct descriptor *file = descriptor_new(wasi, fd);
    if (!file)
        return -ENOMEM;
    file->type = TYPE_SOCKET;
    file->sequential = true;
    file->never_blocks = true;
    file->flags = DESCRIPTOR_READ | DESCRIPTOR_WRITE;
    socket->file = file;
    return 0;
}

void net_socket_release(struct wasi *wasi, struct net_socket *socket)
{
    if (--socket->refs)
        return;
    let_go(wasi, &socket->held);
    if (socket->out)
        output_release(wasi, socket->out);
    if (socket->file)
        descriptor_release(wasi, socket->file);
    end_object(wasi, socket);
}

short net_socket_events(const struct net_socket *socket)
{
    if (!socket->file)
        return 0;
    if (socket->state == SOCKET_CONNECTING && socket->protocol == ASK_TCP)
        return POLLOUT;
    if (socket->state == SOCKET_LISTENING)
        return POLLIN;
    return 0;
}

/* --- Addresses ----------------------------------------------------------------------------------
 */

int net_socket_bind(struct wasi *wasi, struct net_socket *socket, enum ask_row row,
                    const struct wasi_address *address)
{
    if (socket->state == SOCKET_BINDING)
        return -EALREADY;
    if (socket->state != SOCKET_UNBOUND)
        return WRONG_STATE;
    bool fits = socket->protocol == ASK_UDP || address_unicast(address);
    if (address->family != socket->family || !fits || address_mapped(address))
        return -EINVAL;
    if (net_socket_inert(socket))
        return ask_denied(wasi, row, address, (struct str){0});
    struct ask_answer answer;
    int error = ask_bind(wasi, socket->number, address, &answer);
    if (error < 0)
        return error;
    socket->local = answer.local;
    socket->state = SOCKET_BINDING;
    return 0;
}

int net_socket_local(struct net_socket *socket, struct wasi_address *ret)
{
    if (socket->state == SOCKET_UNBOUND || socket->state == SOCKET_BINDING ||
        socket->state == SOCKET_CLOSED)
        return WRONG_STATE;
    *ret = socket->local;
    if (!socket->file)
        return 0;
    struct sockaddr_storage kernel = {0};
    int error = sys_local(socket->file->fd, &kernel);
    if (error < 0)
        return error;
    *ret = address_of_kernel(&kernel);
    return ret->family ? 0 : WRONG_STATE;
}

/* --- Options ------------------------------------------------------------------------------------
 */

static const struct {
    int level[2]; /* of IPv4, of IPv6 */
    int option[2];
} options[ASK_OPTIONS] = {
#define OPTION(NAME, rule, level, option, level6, option6, what)                                   \
    [ASK_OPTION_##NAME] = {{level, level6}, {option, option6}},
#include "shim/protocol.def"
};

int net_socket_get(struct wasi *wasi, const struct net_socket *socket, enum ask_row row,
                   enum ask_option option, int32_t *ret)
{
    bool six = socket->family == ADDRESS_IPV6;
    if (socket->state == SOCKET_CLOSED)
        return WRONG_STATE;
    if (net_socket_inert(socket))
        return ask_denied(wasi, row, NULL, (struct str){0});
    if (socket->file)
        return sys_get_option(socket->file->fd, options[option].level[six],
                              options[option].option[six], ret);
    *ret = socket->values[option];
    return 0;
}

int net_socket_set(struct wasi *wasi, struct net_socket *socket, enum ask_row row,
                   enum ask_option option, int32_t value)
{
    bool six = socket->family == ADDRESS_IPV6;
    struct ask_answer answer;
    if (socket->state == SOCKET_CLOSED)
        return WRONG_STATE;
    if (net_socket_inert(socket))
        return ask_denied(wasi, row, NULL, (struct str){0});
    if (socket->file)
        return sys_set_option(socket->file->fd, options[option].level[six],
                              options[option].option[six], value);
    int error = ask_option(wasi, socket->number, option, value, &answer);
    if (error == 0)
        memcpy(socket->values, answer.values, sizeof socket->values);
    return error;
}

/* --- Calls of the guest's -----------------------------------------------------------------------
 */

enum host_answer net_not_in_progress(uint8_t *tag, uint8_t *err)
{
    *tag = HOST_ERR;
    *err = NET_NOT_IN_PROGRESS;
    return HOST_DONE;
}

enum host_answer net_address_answer(int error, const struct wasi_address *address, void *result)
{
    HOST_RESULT(struct ip_socket_address, uint8_t) *out = result;
    if (error < 0) {
        out->tag = HOST_ERR;
        out->err = net_error_of(error);
    } else {
        out->ok = address_to(address);
    }
    return HOST_DONE;
}

enum host_answer net_call_create(struct host_call *call, uint32_t protocol, const void *args,
                                 void *result)
{
    const uint8_t *family = args;
    net_handle_result *made = result;
    int error = 0;
    made->ok = net_socket_new(call->host, protocol,
                              *family == IP_IPV4 ? ADDRESS_IPV4 : ADDRESS_IPV6, &error);
    if (!made->ok) {
        made->tag = HOST_ERR;
        made->err = net_error_of(error);
    }
    return HOST_DONE;
}

enum host_answer net_call_start_bind(struct host_call *call, enum ask_row row, const void *args,
                                     void *result)
{
    const struct net_address_args *a = args;
    const struct wasi_address address = address_of(&a->address);
    return net_answer(net_socket_bind(call->host, a->self, row, &address), result);
}

enum host_answer net_call_finish_bind(const void *args, void *result)
{
    struct net_socket *const *self = args;
    struct unit_or_net_error *done = result;
    if ((*self)->state != SOCKET_BINDING)
        return net_not_in_progress(&done->tag, &done->err);
    (*self)->state = SOCKET_BOUND;
    return HOST_DONE;
}

enum host_answer net_call_local_address(const void *args, void *result)
{
    struct net_socket *const *self = args;
    struct wasi_address address;
    return net_address_answer(net_socket_local(*self, &address), &address, result);
}

enum host_answer net_call_address_family(const void *args, void *result)
{
    struct net_socket *const *self = args;
    uint8_t *family = result;
    *family = (*self)->family == ADDRESS_IPV4 ? IP_IPV4 : IP_IPV6;
    return HOST_DONE;
}

enum host_answer net_call_subscribe(struct host_call *call, struct net_socket *socket, short events,
                                    void *result)
{
    struct pollable **pollable = result;
    *pollable = pollable_socket(call->host, socket, events);
    return *pollable ? HOST_DONE : wasi_no_memory(call);
}
