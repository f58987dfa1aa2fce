/* Sockets, whatever their protocol; see net_socket.h. */
#include "engine/wasi/net_socket.h"

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

static struct net_socket *new_object(struct wasi *wasi, uint32_t protocol, uint8_t family)
{
    struct net_socket *socket = wasi_resource(wasi, sizeof *socket);
    if (socket) {
        socket->refs = 1;
        socket->protocol = (uint8_t)protocol;
        socket->family = family;
        socket->number = ASK_NO_SOCKET;
        socket->backlog = 128;
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
        wasi_resource_end(wasi, socket);
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
        wasi_resource_end(wasi, socket);
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
    if (socket->number != ASK_NO_SOCKET)
        ask_release(wasi, socket->number);
    if (socket->out)
        output_release(wasi, socket->out);
    if (socket->file)
        descriptor_release(wasi, socket->file);
    wasi_resource_end(wasi, socket);
}

short net_socket_events(const struct net_socket *socket)
{
    if (!socket->file)
        return 0;
    return socket->state == SOCKET_CONNECTING && socket->protocol == ASK_TCP ? POLLOUT
           : socket->state == SOCKET_LISTENING                               ? POLLIN
                                                                             : 0;
}

/* --- Addresses ----------------------------------------------------------------------------------
 */

int net_socket_bind(struct wasi *wasi, struct net_socket *socket, enum ask_row row,
                    const struct wasi_address *address)
{
    if (socket->state == SOCKET_BINDING)
        return -EALREADY;
    if (socket->state != SOCKET_UNBOUND)
        return -ENOTCONN; /* invalid-state */
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
        return -ENOTCONN;
    *ret = socket->local;
    if (!socket->file)
        return 0;
    struct sockaddr_storage kernel = {0};
    int error = sys_local(socket->file->fd, &kernel);
    if (error < 0)
        return error;
    *ret = address_of_kernel(&kernel);
    return ret->family ? 0 : -ENOTCONN;
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
        return -ENOTCONN;
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
        return -ENOTCONN;
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
