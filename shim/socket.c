/* Making sockets; see socket.h. */
#include "shim/socket.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* The kernel's form; its size is returned. */
static socklen_t kernel_address(const struct net_address *from, union address *ret)
{
    memset(ret, 0, sizeof *ret);
    if (from->family == NET_IPV4) {
        ret->four.sin_family = AF_INET;
        ret->four.sin_port = htons(from->port);
        memcpy(&ret->four.sin_addr, from->bytes, 4);
        return sizeof ret->four;
    }
    ret->six.sin6_family = AF_INET6;
    ret->six.sin6_port = htons(from->port);
    ret->six.sin6_flowinfo = htonl(from->flow);
    ret->six.sin6_scope_id = from->scope;
    memcpy(&ret->six.sin6_addr, from->bytes, 16);
    return sizeof ret->six;
}

static int result(int answer)
{
    return answer < 0 ? -errno : 0;
}

int socket_make(uint32_t protocol, uint8_t family)
{
    const int one = 1;
    int type = protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int fd =
        socket(family == NET_IPV4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (family == NET_IPV6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one)) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

static const struct {
    int level[2]; /* of IPv4, of IPv6 */
    int option[2];
} options[SOCKET_OPTIONS] = {
#define OPTION(NAME, rule, level, option, level6, option6, what)                                   \
    [SOCKET_##NAME] = {{level, level6}, {option, option6}},
#include "shim/protocol.def"
};

int socket_set(int fd, uint8_t family, enum socket_option option, int32_t value)
{
    bool six = family == NET_IPV6;
    return result(setsockopt(fd, options[option].level[six], options[option].option[six], &value,
                             sizeof value));
}

void socket_values(int fd, uint8_t family, int32_t ret[SOCKET_OPTIONS])
{
    bool six = family == NET_IPV6;
    for (int i = 0; i < SOCKET_OPTIONS; i++) {
        socklen_t size = sizeof ret[i];
        if (getsockopt(fd, options[i].level[six], options[i].option[six], &ret[i], &size))
            ret[i] = -1;
    }
}

int socket_bind(int fd, const struct net_address *address)
{
    union address kernel;
    socklen_t size = kernel_address(address, &kernel);
    const int one = 1;
    int type = 0;
    socklen_t type_size = sizeof type;
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size);
    /* A port that was in use a moment ago is free (WIT, tcp-socket.start-bind). For datagrams the
     * same option would let others share the port. */
    if (type == SOCK_STREAM && address->port != 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    return result(bind(fd, &kernel.any, size));
}

int socket_connect(int fd, const struct net_address *address)
{
    union address kernel;
    socklen_t size = kernel_address(address, &kernel);
    int error = result(connect(fd, &kernel.any, size));
    return error == -EINPROGRESS ? 0 : error;
}

int socket_disconnect(int fd, const struct net_address *local)
{
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct net_address now = {.port = 0};
    if (connect(fd, &none, sizeof none))
        return -errno;
    /* The kernel takes a port back that it chose. */
    if (socket_local(fd, &now) && now.port == local->port)
        return 0;
    return socket_bind(fd, local);
}

int socket_send(int fd, const void *data, size_t size, const struct net_address *to)
{
    union address kernel;
    socklen_t length = kernel_address(to, &kernel);
    return sendto(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, &kernel.any, length) < 0 ? -errno
                                                                                        : 0;
}

bool socket_local(int fd, struct net_address *ret)
{
    union address kernel = {.any.sa_family = AF_UNSPEC};
    socklen_t size = sizeof kernel;
    if (getsockname(fd, &kernel.any, &size))
        return false;
    *ret = (struct net_address){.family = NET_IPV4};
    if (kernel.any.sa_family == AF_INET) {
        ret->port = ntohs(kernel.four.sin_port);
        memcpy(ret->bytes, &kernel.four.sin_addr, 4);
        return true;
    }
    if (kernel.any.sa_family != AF_INET6)
        return false;
    ret->family = NET_IPV6;
    ret->port = ntohs(kernel.six.sin6_port);
    ret->flow = ntohl(kernel.six.sin6_flowinfo);
    ret->scope = kernel.six.sin6_scope_id;
    memcpy(ret->bytes, &kernel.six.sin6_addr, 16);
    return true;
}

bool socket_address_from(const struct record_address *from, struct net_address *ret)
{
    if (from->family != PROTOCOL_IPV4 && from->family != PROTOCOL_IPV6)
        return false;
    *ret = (struct net_address){.family = (uint8_t)from->family,
                                .port = from->port,
                                .scope = from->scope,
                                .flow = from->flow};
    memcpy(ret->bytes, from->bytes, from->family == PROTOCOL_IPV4 ? 4 : sizeof ret->bytes);
    return true;
}

struct record_address socket_address_to(const struct net_address *address)
{
    struct record_address to = {.family = address->family,
                                .port = address->port,
                                .scope = address->scope,
                                .flow = address->flow};
    memcpy(to.bytes, address->bytes, sizeof to.bytes);
    return to;
}
