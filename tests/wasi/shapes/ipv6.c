/* Sockets of IPv6 on the loopback interface: whole exchanges, and what must not be reached by
 * writing an address of IPv4 as one of IPv6. */
#include "rows.h"

enum { ACCESS_DENIED = 1, INVALID_ARGUMENT = 3, WOULD_BLOCK = 8 };

/* (port, flow, the eight numbers, scope) in the places of either family */
#define SIX(port)    1, (port), 0, 0, 0, 0, 0, 0, 0, 0, 1, 0
#define MAPPED(port) 1, (port), 0, 0, 0, 0, 0, 0, 0xffff, 0x7f00, 1, 0
#define FOUR(port)   0, (port), 127, 0, 0, 1, 0, 0, 0, 0, 0, 0

static void done(void)
{
    MUST(TAG == 0);
}

static int fails(int code)
{
    return TAG == 1 && AT(1)[0] == code;
}

static int tcp(void)
{
    w_create_tcp_socket(1, R);
    done();
    return (int)U32(4);
}

static int listener(int network)
{
    int self = tcp();
    w_tcp_socket_start_bind(self, network, SIX(0), R);
    done();
    w_tcp_socket_finish_bind(self, R);
    done();
    w_tcp_socket_start_listen(self, R);
    done();
    w_tcp_socket_finish_listen(self, R);
    done();
    return self;
}

/* The port of an address of IPv6, which is ::1. */
static int port_in_area(void)
{
    MUST(TAG == 0 && AT(4)[0] == 1);
    for (int i = 0; i < 8; i++)
        MUST(U16(16 + 2 * i) == (i == 7));
    return U16(8);
}

ROW(tcp_of_ipv6, "net6", "0")
{
    int network = w_instance_network(), at = listener(network), from = tcp();
    w_tcp_socket_local_address(at, R);
    int port = port_in_area();
    w_tcp_socket_start_connect(from, network, SIX(port), R);
    done();
    int wait = w_tcp_socket_subscribe(from);
    for (;;) {
        w_pollable_block(wait);
        w_tcp_socket_finish_connect(from, R);
        if (TAG == 0)
            break;
        MUST(AT(4)[0] == WOULD_BLOCK);
    }
    int out = (int)U32(8);
    w_pollable_block(w_tcp_socket_subscribe(at));
    w_tcp_socket_accept(at, R);
    done();
    int accepted = (int)U32(4), in = (int)U32(8);
    w_tcp_socket_remote_address(accepted, R);
    MUST(port_in_area() != port);
    w_output_stream_blocking_write_and_flush(out, TEXT("hello"), R);
    done();
    w_input_stream_blocking_read(in, 100, R);
    MUST(TAG == 0 && U32(8) == 5 && *(const char *)(unsigned long)U32(4) == 'h');
    return 0;
}

/* Neither where IPv4 is given nor where it is not: a family has its own form. */
ROW(no_mapped_addresses, "net6 net", "0")
{
    int network = w_instance_network(), self = tcp();
    w_tcp_socket_start_connect(self, network, MAPPED(9), R);
    MUST(fails(INVALID_ARGUMENT));
    self = tcp();
    w_tcp_socket_start_bind(self, network, MAPPED(0), R);
    MUST(fails(INVALID_ARGUMENT));
    self = tcp();
    w_tcp_socket_start_connect(self, network, FOUR(9), R);
    MUST(fails(INVALID_ARGUMENT));
    return 0;
}

/* A rule for one family is none for the other. */
ROW(families_are_apart, "net", "0")
{
    int self = tcp();
    w_tcp_socket_start_connect(self, w_instance_network(), SIX(9), R);
    MUST(fails(ACCESS_DENIED));
    w_create_udp_socket(1, R);
    done();
    w_udp_socket_start_bind((int)U32(4), w_instance_network(), SIX(4000), R);
    MUST(fails(ACCESS_DENIED));
    return 0;
}
