/* Addresses in their forms; see address.h. */
#include "engine/wasi/address.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void read_groups(const uint16_t from[8], uint8_t to[16])
{
    for (int i = 0; i < 8; i++) {
        to[2 * i] = (uint8_t)(from[i] >> 8);
        to[2 * i + 1] = (uint8_t)from[i];
    }
}

static void write_groups(const uint8_t from[16], uint16_t to[8])
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint16_t)(from[2 * i] << 8 | from[2 * i + 1]);
}

struct wasi_address address_of(const struct ip_socket_address *from)
{
    struct wasi_address to = {.family = ADDRESS_IPV4};
    if (from->tag == IP_IPV4) {
        to.port = from->ipv4.port;
        memcpy(to.bytes, from->ipv4.address, 4);
        return to;
    }
    to.family = ADDRESS_IPV6;
    to.port = from->ipv6.port;
    to.flow = from->ipv6.flow_info;
    to.scope = from->ipv6.scope_id;
    read_groups(from->ipv6.address, to.bytes);
    return to;
}

struct ip_socket_address address_to(const struct wasi_address *from)
{
    struct ip_socket_address to = {.tag = from->family == ADDRESS_IPV4 ? IP_IPV4 : IP_IPV6};
    if (to.tag == IP_IPV4) {
        to.ipv4.port = from->port;
        memcpy(to.ipv4.address, from->bytes, 4);
        return to;
    }
    to.ipv6.port = from->port;
    to.ipv6.flow_info = from->flow;
    to.ipv6.scope_id = from->scope;
    write_groups(from->bytes, to.ipv6.address);
    return to;
}

struct ip_address address_to_ip(const struct wasi_address *from)
{
    struct ip_address to = {.tag = from->family == ADDRESS_IPV4 ? IP_IPV4 : IP_IPV6};
    if (to.tag == IP_IPV4)
        memcpy(to.ipv4, from->bytes, 4);
    else
        write_groups(from->bytes, to.ipv6);
    return to;
}

struct wasi_address address_of_kernel(const struct sockaddr_storage *from)
{
    struct wasi_address to = {.family = 0};
    if (from->ss_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, from, sizeof four);
        to.family = ADDRESS_IPV4;
        to.port = ntohs(four.sin_port);
        memcpy(to.bytes, &four.sin_addr, 4);
    } else if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, from, sizeof six);
        to.family = ADDRESS_IPV6;
        to.port = ntohs(six.sin6_port);
        to.flow = ntohl(six.sin6_flowinfo);
        to.scope = six.sin6_scope_id;
        memcpy(to.bytes, &six.sin6_addr, 16);
    }
    return to;
}

bool address_same(const struct wasi_address *a, const struct wasi_address *b)
{
    return a->family == b->family && a->port == b->port && a->scope == b->scope &&
           memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_unspecified(const struct wasi_address *address)
{
    static const uint8_t zero[16];
    return memcmp(address->bytes, zero, address->family == ADDRESS_IPV4 ? 4 : 16) == 0;
}

bool address_unicast(const struct wasi_address *address)
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    if (address->family == ADDRESS_IPV6)
        return address->bytes[0] != 0xff;
    return (address->bytes[0] & 0xf0) != 0xe0 && memcmp(address->bytes, broadcast, 4) != 0;
}

bool address_mapped(const struct wasi_address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return address->family == ADDRESS_IPV6 && memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

bool address_destination(const struct wasi_address *address, uint8_t family)
{
    return address->family == family && address_unicast(address) && !address_mapped(address) &&
           !address_unspecified(address) && address->port != 0;
}
