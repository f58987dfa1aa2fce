/* Sockets for cells: the system calls that make, bind and connect them, in the shim's own net
 * namespace. None waits. What the policy says is network.c's business. */
#ifndef CARREL_SHIM_SOCKET_H
#define CARREL_SHIM_SOCKET_H

#include "policies/net.h"
#include "shim/protocol.h"

enum socket_option {
#define OPTION(NAME, rule, level, option, level6, option6, what) SOCKET_##NAME,
#include "shim/protocol.def"
    SOCKET_OPTIONS
};

/* A new one, non-blocking; of IPv6 it is for IPv6 only. A descriptor or a negated errno. */
int socket_make(uint32_t protocol, uint8_t family);

/* Sets one option. 0 or a negated errno. */
int socket_set(int fd, uint8_t family, enum socket_option option, int32_t value);

/* The values of all that it has; -1 for those that it has not. */
void socket_values(int fd, uint8_t family, int32_t ret[SOCKET_OPTIONS]);

/* Each 0 or a negated errno. A connection that is on its way counts as made. */
int socket_bind(int fd, const struct net_address *address);
int socket_connect(int fd, const struct net_address *address);

/* A connected UDP socket is connected to nobody again, and bound to `local` as before. */
int socket_disconnect(int fd, const struct net_address *local);

/* Sends one datagram; whole or not at all. */
int socket_send(int fd, const void *data, size_t size, const struct net_address *to);

/* Where it is. False: nowhere. */
bool socket_local(int fd, struct net_address *ret);

/* Addresses as they travel. False: it is none. */
bool socket_address_from(const struct record_address *from, struct net_address *ret);
struct record_address socket_address_to(const struct net_address *address);

#endif
