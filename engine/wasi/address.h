/* Addresses: as the kernel, the shim and WIT (wasi:sockets/network) have them. */
#ifndef CARREL_WASI_ADDRESS_H
#define CARREL_WASI_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct sockaddr_storage;

enum { ADDRESS_IPV4 = 4, ADDRESS_IPV6 = 6 };

/* `bytes` in network order; IPv4 takes the first four. */
struct wasi_address {
    uint8_t family; /* ADDRESS_IPV4, ADDRESS_IPV6; 0: none */
    uint16_t port;
    uint8_t bytes[16];
    uint32_t scope;
    uint32_t flow;
};

/* --- In host layout -----------------------------------------------------------------------------
 */

enum ip_family { IP_IPV4, IP_IPV6 };

struct ip_address {
    uint8_t tag; /* enum ip_family */
    union {
        uint8_t ipv4[4];
        uint16_t ipv6[8];
    };
};

struct ip_socket_address {
    uint8_t tag; /* enum ip_family */
    union {
        struct {
            uint16_t port;
            uint8_t address[4];
        } ipv4;
        struct {
            uint16_t port;
            uint32_t flow_info;
            uint16_t address[8];
            uint32_t scope_id;
        } ipv6;
    };
};

struct wasi_address address_of(const struct ip_socket_address *from);
struct ip_socket_address address_to(const struct wasi_address *from);
struct ip_address address_to_ip(const struct wasi_address *from);

/* What the kernel wrote; family 0 if it is none of these. */
struct wasi_address address_of_kernel(const struct sockaddr_storage *from);

/* --- Questions ----------------------------------------------------------------------------------
 */

bool address_same(const struct wasi_address *a, const struct wasi_address *b);
bool address_unspecified(const struct wasi_address *address); /* 0.0.0.0 or :: */
bool address_unicast(const struct wasi_address *address);     /* neither multicast nor broadcast */
bool address_mapped(const struct wasi_address *address);      /* IPv6 that stands for IPv4 */

/* May something of this family be sent or connected there? */
bool address_destination(const struct wasi_address *address, uint8_t family);

#endif
