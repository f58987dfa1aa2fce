/* wasi:sockets, on the loopback interface. Without a rule a socket is a thing that can do nothing:
 * whatever would take it further is access-denied. */
#include "rows.h"

enum { ACCESS_DENIED = 1, WOULD_BLOCK = 8 };

#define LOOPBACK(port) 0, (port), 127, 0, 0, 1, 0, 0, 0, 0, 0, 0

/* A call that gives nothing: done, refused, or something that it must not be. */
static int did(void)
{
    if (TAG == 0)
        return 1;
    MUST(AT(1)[0] == ACCESS_DENIED);
    return 0;
}

static int tcp(void)
{
    w_create_tcp_socket(0, R);
    MUST(TAG == 0);
    return (int)U32(4);
}

/* 0: it is refused. */
static int tcp_bind(int self)
{
    w_tcp_socket_start_bind(self, w_instance_network(), LOOPBACK(0), R);
    if (!did())
        return 0;
    w_tcp_socket_finish_bind(self, R);
    return did();
}

static int tcp_listen(int self)
{
    if (!tcp_bind(self))
        return 0;
    w_tcp_socket_start_listen(self, R);
    if (!did())
        return 0;
    w_tcp_socket_finish_listen(self, R);
    return did();
}

static int port_of(int self)
{
    w_tcp_socket_local_address(self, R);
    MUST(TAG == 0 && AT(4)[0] == 0);
    return U16(8);
}

struct connection {
    int listener, socket, in, out;
};

/* One to a listener of its own. 0: it is refused. */
static int connected(struct connection *ret)
{
    ret->listener = tcp();
    ret->socket = tcp();
    if (!tcp_listen(ret->listener))
        return 0;
    w_tcp_socket_start_connect(ret->socket, w_instance_network(), LOOPBACK(port_of(ret->listener)),
                               R);
    if (!did())
        return 0;
    for (;;) {
        w_tcp_socket_finish_connect(ret->socket, R);
        if (TAG == 0)
            break;
        MUST(AT(4)[0] == WOULD_BLOCK);
    }
    ret->in = (int)U32(4);
    ret->out = (int)U32(8);
    return 1;
}

/* A scenario of `self`: a socket that listens. */
#define LISTENS(id)                                                                                \
    static void listens_##id(int self);                                                            \
    ROW(id, "net", "-")                                                                            \
    {                                                                                              \
        int self = tcp();                                                                          \
        if (!tcp_listen(self))                                                                     \
            return REFUSED;                                                                        \
        listens_##id(self);                                                                        \
        return WORKS;                                                                              \
    }                                                                                              \
    static void listens_##id(int self)

#define CONNECTED(id)                                                                              \
    static void connected_##id(struct connection to);                                              \
    ROW(id, "net", "-")                                                                            \
    {                                                                                              \
        struct connection to;                                                                      \
        if (!connected(&to))                                                                       \
            return REFUSED;                                                                        \
        connected_##id(to);                                                                        \
        return WORKS;                                                                              \
    }                                                                                              \
    static void connected_##id(struct connection to)

LISTENS(instance_network)
{
    (void)self;
}

LISTENS(drop_network)
{
    (void)self;
    w_drop_network(w_instance_network());
}

LISTENS(create_tcp_socket)
{
    (void)self;
}

LISTENS(drop_tcp_socket)
{
    w_drop_tcp_socket(self);
}

LISTENS(tcp_socket_start_bind)
{
    (void)self;
}

LISTENS(tcp_socket_finish_bind)
{
    w_tcp_socket_finish_bind(self, R);
    MUST(TAG == 1 && AT(1)[0] == 7); /* not-in-progress */
}

LISTENS(tcp_socket_start_listen)
{
    (void)self;
}

LISTENS(tcp_socket_finish_listen)
{
    (void)self;
}

LISTENS(tcp_socket_local_address)
{
    MUST(port_of(self) != 0);
}

LISTENS(tcp_socket_is_listening)
{
    MUST(w_tcp_socket_is_listening(self));
}

LISTENS(tcp_socket_address_family)
{
    MUST(w_tcp_socket_address_family(self) == 0);
}

LISTENS(tcp_socket_subscribe)
{
    MUST(!w_pollable_ready(w_tcp_socket_subscribe(self)));
}

CONNECTED(tcp_socket_start_connect)
{
    (void)to;
}

CONNECTED(tcp_socket_finish_connect)
{
    w_output_stream_blocking_write_and_flush(to.out, TEXT("hello"), R);
    MUST(TAG == 0);
}

CONNECTED(tcp_socket_accept)
{
    w_tcp_socket_accept(to.listener, R);
    MUST(TAG == 0);
    int in = (int)U32(8), out = (int)U32(12);
    w_output_stream_blocking_write_and_flush(to.out, TEXT("hello"), R);
    MUST(TAG == 0);
    w_input_stream_blocking_read(in, 5, R);
    MUST(TAG == 0 && U32(8) == 5);
    w_output_stream_blocking_write_and_flush(out, TEXT("hi"), R);
    MUST(TAG == 0);
    w_input_stream_blocking_read(to.in, 5, R);
    MUST(TAG == 0 && U32(8) == 2);
}

CONNECTED(tcp_socket_remote_address)
{
    w_tcp_socket_remote_address(to.socket, R);
    MUST(TAG == 0 && U16(8) == port_of(to.listener));
}

CONNECTED(tcp_socket_shutdown)
{
    w_tcp_socket_shutdown(to.socket, 1, R);
    MUST(did());
    w_output_stream_check_write(to.out, R);
    MUST(TAG == 1);
}

/* An error of a connection: the peer is gone with data unread, which resets it. */
CONNECTED(network_error_code)
{
    w_tcp_socket_accept(to.listener, R);
    MUST(TAG == 0);
    int peer = (int)U32(4), in = (int)U32(8), out = (int)U32(12);
    w_output_stream_blocking_write_and_flush(to.out, TEXT("hello"), R);
    w_drop_input_stream(in);
    w_drop_output_stream(out);
    w_drop_tcp_socket(peer);
    w_input_stream_blocking_read(to.in, 5, R);
    MUST(TAG == 1 && AT(4)[0] == 0);
    w_network_error_code((int)U32(8), R);
    MUST(TAG == 1 && AT(1)[0] == 15); /* connection-reset */
}

/* --- Options of TCP -----------------------------------------------------------------------------
 */

/* The kernel decides what becomes of a size. */
#define OPTION(name, value, check)                                                                 \
    LISTENS(tcp_socket_##name)                                                                     \
    {                                                                                              \
        w_tcp_socket_##name(self, R);                                                              \
        MUST(TAG == 0);                                                                            \
    }                                                                                              \
    LISTENS(tcp_socket_set_##name)                                                                 \
    {                                                                                              \
        w_tcp_socket_set_##name(self, value, R);                                                   \
        MUST(did());                                                                               \
        w_tcp_socket_##name(self, R);                                                              \
        MUST(TAG == 0 && (check));                                                                 \
    }

OPTION(keep_alive_enabled, 1, AT(1)[0] == 1)
OPTION(keep_alive_idle_time, 5000000000ll, U64(8) == 5000000000ll)
OPTION(keep_alive_interval, 7000000000ll, U64(8) == 7000000000ll)
OPTION(keep_alive_count, 4, U32(4) == 4)
OPTION(hop_limit, 9, AT(1)[0] == 9)
OPTION(receive_buffer_size, 65536, U64(8) >= 65536)
OPTION(send_buffer_size, 65536, U64(8) >= 65536)

ROW(tcp_socket_set_listen_backlog_size, "net", "-")
{
    int self = tcp();
    w_tcp_socket_set_listen_backlog_size(self, 5, R);
    MUST(did());
    return tcp_listen(self) ? WORKS : REFUSED;
}

/* --- UDP ----------------------------------------------------------------------------------------
 */

static int udp(void)
{
    w_create_udp_socket(0, R);
    MUST(TAG == 0);
    return (int)U32(4);
}

static int udp_bind(int self)
{
    w_udp_socket_start_bind(self, w_instance_network(), LOOPBACK(0), R);
    if (!did())
        return 0;
    w_udp_socket_finish_bind(self, R);
    return did();
}

static int udp_port(int self)
{
    w_udp_socket_local_address(self, R);
    MUST(TAG == 0);
    return U16(8);
}

struct datagrams {
    int socket, in, out;
};

static int streams(struct datagrams *ret, int to)
{
    ret->socket = udp();
    if (!udp_bind(ret->socket))
        return 0;
    w_udp_socket_stream(ret->socket, to != 0, LOOPBACK(to), R);
    MUST(TAG == 0);
    ret->in = (int)U32(4);
    ret->out = (int)U32(8);
    return 1;
}

/* One that receives, and one that is connected to it. */
#define DATAGRAMS(id)                                                                              \
    static void datagrams_##id(struct datagrams from, struct datagrams to);                        \
    ROW(id, "net", "-")                                                                            \
    {                                                                                              \
        struct datagrams from, to;                                                                 \
        if (!streams(&from, 0))                                                                    \
            return REFUSED;                                                                        \
        MUST(streams(&to, udp_port(from.socket)));                                                 \
        datagrams_##id(from, to);                                                                  \
        return WORKS;                                                                              \
    }                                                                                              \
    static void datagrams_##id(struct datagrams from, struct datagrams to)

struct datagram {
    int data, size;
    u8 has_address, unused[3];
    u8 address[32];
};

/* From `to`, which is connected, or from `from` with an address. */
static void send(struct datagrams by, int port)
{
    struct datagram one = {TEXT("hello"), port != 0, {0}, {0}};
    one.address[4] = (u8)port;
    one.address[5] = (u8)(port >> 8);
    one.address[6] = 127;
    one.address[9] = 1;
    w_outgoing_datagram_stream_check_send(by.out, R);
    MUST(TAG == 0 && U64(8) > 0);
    w_outgoing_datagram_stream_send(by.out, (int)(unsigned long)&one, 1, R);
    MUST(TAG == 0 && U64(8) == 1);
}

static void receive(struct datagrams by)
{
    w_pollable_block(w_incoming_datagram_stream_subscribe(by.in));
    w_incoming_datagram_stream_receive(by.in, 4, R);
    MUST(TAG == 0 && U32(8) == 1);
}

DATAGRAMS(create_udp_socket)
{
    MUST(from.socket != to.socket);
}

DATAGRAMS(drop_udp_socket)
{
    (void)from;
    w_drop_incoming_datagram_stream(to.in);
    w_drop_outgoing_datagram_stream(to.out);
    w_drop_udp_socket(to.socket);
}

DATAGRAMS(drop_incoming_datagram_stream)
{
    (void)from;
    w_drop_incoming_datagram_stream(to.in);
}

DATAGRAMS(drop_outgoing_datagram_stream)
{
    (void)from;
    w_drop_outgoing_datagram_stream(to.out);
}

DATAGRAMS(udp_socket_start_bind)
{
    MUST(udp_port(from.socket) != udp_port(to.socket));
}

DATAGRAMS(udp_socket_finish_bind)
{
    (void)to;
    w_udp_socket_finish_bind(from.socket, R);
    MUST(TAG == 1 && AT(1)[0] == 7);
}

DATAGRAMS(udp_socket_stream)
{
    send(to, 0);
    receive(from);
}

DATAGRAMS(udp_socket_local_address)
{
    MUST(udp_port(from.socket) && udp_port(to.socket));
}

DATAGRAMS(udp_socket_remote_address)
{
    w_udp_socket_remote_address(to.socket, R);
    MUST(TAG == 0 && U16(8) == udp_port(from.socket));
}

DATAGRAMS(udp_socket_address_family)
{
    MUST(w_udp_socket_address_family(from.socket) == w_udp_socket_address_family(to.socket));
}

DATAGRAMS(udp_socket_subscribe)
{
    (void)to;
    MUST(w_pollable_ready(w_udp_socket_subscribe(from.socket)));
}

DATAGRAMS(incoming_datagram_stream_receive)
{
    send(to, 0);
    receive(from);
}

DATAGRAMS(incoming_datagram_stream_subscribe)
{
    MUST(!w_pollable_ready(w_incoming_datagram_stream_subscribe(from.in)));
    send(to, 0);
    receive(from);
}

DATAGRAMS(outgoing_datagram_stream_check_send)
{
    (void)from;
    w_outgoing_datagram_stream_check_send(to.out, R);
    MUST(TAG == 0 && U64(8) > 0);
}

/* To the peer by the cell itself, and to an address by the shim. */
DATAGRAMS(outgoing_datagram_stream_send)
{
    send(to, 0);
    receive(from);
    send(from, udp_port(to.socket));
    receive(to);
}

DATAGRAMS(outgoing_datagram_stream_subscribe)
{
    (void)from;
    MUST(w_pollable_ready(w_outgoing_datagram_stream_subscribe(to.out)));
}

#define UDP_OPTION(name, value, check)                                                             \
    DATAGRAMS(udp_socket_##name)                                                                   \
    {                                                                                              \
        (void)to;                                                                                  \
        w_udp_socket_##name(from.socket, R);                                                       \
        MUST(TAG == 0);                                                                            \
    }                                                                                              \
    DATAGRAMS(udp_socket_set_##name)                                                               \
    {                                                                                              \
        (void)to;                                                                                  \
        w_udp_socket_set_##name(from.socket, value, R);                                            \
        MUST(did());                                                                               \
        w_udp_socket_##name(from.socket, R);                                                       \
        MUST(TAG == 0 && (check));                                                                 \
    }

UDP_OPTION(unicast_hop_limit, 9, AT(1)[0] == 9)
UDP_OPTION(receive_buffer_size, 65536, U64(8) >= 65536)
UDP_OPTION(send_buffer_size, 65536, U64(8) >= 65536)

/* --- Names --------------------------------------------------------------------------------------
 */

/* The stream of a look-up, or -1. */
static int lookup(void)
{
    w_resolve_addresses(w_instance_network(), TEXT("localhost"), R);
    if (TAG == 0)
        return (int)U32(4);
    MUST(AT(4)[0] == ACCESS_DENIED);
    return -1;
}

#define NAMES(id)                                                                                  \
    static void names_##id(int stream);                                                            \
    ROW(id, "net", "-")                                                                            \
    {                                                                                              \
        int stream = lookup();                                                                     \
        if (stream < 0)                                                                            \
            return REFUSED;                                                                        \
        names_##id(stream);                                                                        \
        return WORKS;                                                                              \
    }                                                                                              \
    static void names_##id(int stream)

NAMES(resolve_addresses)
{
    (void)stream;
}

NAMES(resolve_address_stream_resolve_next_address)
{
    w_pollable_block(w_resolve_address_stream_subscribe(stream));
    w_resolve_address_stream_resolve_next_address(stream, R);
    MUST(TAG == 0 && AT(2)[0] == 1);
}

NAMES(resolve_address_stream_subscribe)
{
    w_pollable_block(w_resolve_address_stream_subscribe(stream));
}

NAMES(drop_resolve_address_stream)
{
    w_drop_resolve_address_stream(stream);
}
