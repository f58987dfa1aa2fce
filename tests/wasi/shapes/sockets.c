/* The states of sockets, and what each function answers in each of them, as the WIT text and
 * TcpSocketOperationalSemantics.md have them; options; the ends of connections; datagrams. Each for
 * IPv4 and for IPv6. */
#include "rows.h"

enum {
    INVALID_ARGUMENT = 3,
    NOT_IN_PROGRESS = 7,
    WOULD_BLOCK,
    INVALID_STATE,
    ADDRESS_IN_USE = 12,
    CONNECTION_REFUSED = 14,
    DATAGRAM_TOO_LARGE = 17,
};
enum { RECEIVE, SEND, BOTH };

/* As it is lowered: the family, the port, and what follows. */
struct address {
    int at[12];
};
#define SPREAD(a)                                                                                  \
    (a).at[0], (a).at[1], (a).at[2], (a).at[3], (a).at[4], (a).at[5], (a).at[6], (a).at[7],        \
        (a).at[8], (a).at[9], (a).at[10], (a).at[11]

static struct address loopback(int six, int port)
{
    return six ? (struct address){{1, port, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}}
               : (struct address){{0, port, 127, 0, 0, 1}};
}

static struct address unspecified(int six, int port)
{
    return (struct address){{six, port}};
}

static void done(void)
{
    MUST(TAG == 0);
}

/* A function without result, or with one of that alignment, failed with `code`. */
static void failed(int code)
{
    MUST(TAG == 1 && AT(1)[0] == code);
}

static void failed4(int code)
{
    MUST(TAG == 1 && AT(4)[0] == code);
}

static int network;

static int tcp(int six)
{
    if (!network)
        network = w_instance_network();
    w_create_tcp_socket(six, R);
    done();
    return (int)U32(4);
}

static void bind_tcp(int self, struct address to)
{
    w_tcp_socket_start_bind(self, network, SPREAD(to), R);
    done();
    w_tcp_socket_finish_bind(self, R);
    done();
}

static int listening(int six)
{
    int self = tcp(six);
    bind_tcp(self, loopback(six, 0));
    w_tcp_socket_start_listen(self, R);
    done();
    w_tcp_socket_finish_listen(self, R);
    done();
    return self;
}

static int port_of(int self)
{
    w_tcp_socket_local_address(self, R);
    done();
    return U16(8);
}

struct end {
    int socket, in, out;
};

static struct end connect_to(int six, int port)
{
    struct end end = {tcp(six), 0, 0};
    w_tcp_socket_start_connect(end.socket, network, SPREAD(loopback(six, port)), R);
    done();
    w_pollable_block(w_tcp_socket_subscribe(end.socket));
    w_tcp_socket_finish_connect(end.socket, R);
    done();
    end.in = (int)U32(4);
    end.out = (int)U32(8);
    return end;
}

static struct end accept_from(int listener)
{
    w_pollable_block(w_tcp_socket_subscribe(listener));
    w_tcp_socket_accept(listener, R);
    done();
    return (struct end){(int)U32(4), (int)U32(8), (int)U32(12)};
}

struct pair {
    int listener;
    struct end client, server;
};

static struct pair connection(int six)
{
    struct pair pair = {.listener = listening(six)};
    pair.client = connect_to(six, port_of(pair.listener));
    pair.server = accept_from(pair.listener);
    return pair;
}

/* --- States of TCP ------------------------------------------------------------------------------
 */

/* What holds of an option in every state. */
static void options_work(int self)
{
    w_tcp_socket_keep_alive_enabled(self, R);
    done();
    w_tcp_socket_set_keep_alive_enabled(self, 0, R);
    done();
    w_tcp_socket_set_keep_alive_idle_time(self, 1, R);
    done();
    w_tcp_socket_keep_alive_idle_time(self, R);
    MUST(TAG == 0 && U64(8) == 1000000000);
    w_tcp_socket_set_keep_alive_interval(self, 1, R);
    done();
    w_tcp_socket_keep_alive_interval(self, R);
    MUST(TAG == 0 && U64(8) == 1000000000);
    w_tcp_socket_set_keep_alive_count(self, 1, R);
    done();
    w_tcp_socket_keep_alive_count(self, R);
    MUST(TAG == 0 && U32(4) == 1);
    w_tcp_socket_set_hop_limit(self, 255, R);
    done();
    w_tcp_socket_hop_limit(self, R);
    MUST(TAG == 0 && AT(1)[0] == 255);
    w_tcp_socket_set_receive_buffer_size(self, 16000, R);
    done();
    w_tcp_socket_receive_buffer_size(self, R);
    MUST(TAG == 0 && U64(8) == 16000);
    w_tcp_socket_set_send_buffer_size(self, 16000, R);
    done();
    w_tcp_socket_send_buffer_size(self, R);
    MUST(TAG == 0 && U64(8) == 16000);
}

/* Nothing is in progress. */
static void nothing_to_finish(int self)
{
    w_tcp_socket_finish_bind(self, R);
    failed(NOT_IN_PROGRESS);
    w_tcp_socket_finish_connect(self, R);
    failed4(NOT_IN_PROGRESS);
    w_tcp_socket_finish_listen(self, R);
    failed(NOT_IN_PROGRESS);
}

/* Neither accept nor shutdown nor a peer's address. */
static void not_connected(int self)
{
    w_tcp_socket_shutdown(self, BOTH, R);
    failed(INVALID_STATE);
    w_tcp_socket_remote_address(self, R);
    failed4(INVALID_STATE);
}

static void before_bind(int self, int six)
{
    nothing_to_finish(self);
    not_connected(self);
    w_tcp_socket_start_listen(self, R);
    failed(INVALID_STATE);
    w_tcp_socket_accept(self, R);
    failed4(INVALID_STATE);
    w_tcp_socket_local_address(self, R);
    failed4(INVALID_STATE);
    MUST(!w_tcp_socket_is_listening(self) && w_tcp_socket_address_family(self) == six);
    MUST(w_pollable_ready(w_tcp_socket_subscribe(self)));
    w_tcp_socket_set_listen_backlog_size(self, 32, R);
    done();
    options_work(self);
}

static void after_bind(int self, int six)
{
    nothing_to_finish(self);
    not_connected(self);
    w_tcp_socket_start_bind(self, network, SPREAD(loopback(six, 0)), R);
    failed(INVALID_STATE);
    w_tcp_socket_accept(self, R);
    failed4(INVALID_STATE);
    MUST(port_of(self) != 0 && !w_tcp_socket_is_listening(self));
    w_tcp_socket_set_listen_backlog_size(self, 32, R);
    done();
    options_work(self);
}

static void after_listen(int self, int six)
{
    nothing_to_finish(self);
    not_connected(self);
    w_tcp_socket_start_bind(self, network, SPREAD(loopback(six, 0)), R);
    failed(INVALID_STATE);
    w_tcp_socket_start_connect(self, network, SPREAD(loopback(six, 9)), R);
    failed(INVALID_STATE);
    w_tcp_socket_start_listen(self, R);
    failed(INVALID_STATE);
    MUST(w_tcp_socket_is_listening(self));
    w_tcp_socket_accept(self, R);
    failed4(WOULD_BLOCK);
    MUST(!w_pollable_ready(w_tcp_socket_subscribe(self)));
    options_work(self);
}

static void after_connect(int self, int six)
{
    nothing_to_finish(self);
    w_tcp_socket_start_bind(self, network, SPREAD(loopback(six, 0)), R);
    failed(INVALID_STATE);
    w_tcp_socket_start_connect(self, network, SPREAD(loopback(six, 9)), R);
    failed(INVALID_STATE);
    w_tcp_socket_start_listen(self, R);
    failed(INVALID_STATE);
    w_tcp_socket_accept(self, R);
    failed4(INVALID_STATE);
    w_tcp_socket_set_listen_backlog_size(self, 32, R);
    failed(INVALID_STATE);
    w_tcp_socket_remote_address(self, R);
    MUST(TAG == 0 && AT(4)[0] == six);
    MUST(w_pollable_ready(w_tcp_socket_subscribe(self)));
    options_work(self);
    w_tcp_socket_shutdown(self, BOTH, R);
    done();
    w_tcp_socket_shutdown(self, BOTH, R); /* idempotent */
    done();
}

static void states_of_tcp(int six)
{
    int self = tcp(six);
    before_bind(self, six);
    bind_tcp(self, loopback(six, 0));
    after_bind(self, six);
    w_tcp_socket_start_listen(self, R);
    done();
    MUST(!w_tcp_socket_is_listening(self)); /* listen-in-progress */
    w_tcp_socket_finish_listen(self, R);
    done();
    after_listen(self, six);
    after_connect(connect_to(six, port_of(self)).socket, six);
}

ROW(tcp_states, "net", "0")
{
    states_of_tcp(0);
    return 0;
}

ROW(tcp_states_of_ipv6, "net6", "0")
{
    states_of_tcp(1);
    return 0;
}

/* A failed start-connect leaves nothing but a socket that can be dropped; a failed start-bind
 * leaves it as it was. */
static void connect_fails(int six, struct address to)
{
    int self = tcp(six);
    w_tcp_socket_start_connect(self, network, SPREAD(to), R);
    failed(INVALID_ARGUMENT);
    w_tcp_socket_start_connect(self, network, SPREAD(loopback(six, 9)), R);
    failed(INVALID_STATE);
    w_tcp_socket_keep_alive_enabled(self, R);
    failed(INVALID_STATE);
    w_tcp_socket_local_address(self, R);
    failed4(INVALID_STATE);
    w_drop_tcp_socket(self);
}

static void bind_fails(int six, struct address to)
{
    int self = tcp(six);
    w_tcp_socket_start_bind(self, network, SPREAD(to), R);
    failed(INVALID_ARGUMENT);
    bind_tcp(self, loopback(six, 0));
    w_drop_tcp_socket(self);
}

static void addresses_of_tcp(int six)
{
    const struct address multicast =
        six ? (struct address){{1, 80, 0, 0xff00}} : (struct address){{0, 80, 224, 254, 0, 0}};
    connect_fails(six, unspecified(six, 47));
    connect_fails(six, loopback(six, 0));
    connect_fails(six, loopback(!six, 47));
    connect_fails(six, multicast);
    bind_fails(six, loopback(!six, 0));
    bind_fails(six, multicast);
    if (!six) {
        connect_fails(0, (struct address){{0, 47, 255, 255, 255, 255}});
        bind_fails(0, (struct address){{0, 0, 255, 255, 255, 255}});
    }
    /* Bound to what is in use. */
    int first = listening(six), second = tcp(six);
    w_tcp_socket_start_bind(second, network, SPREAD(loopback(six, port_of(first))), R);
    failed(ADDRESS_IN_USE);
    bind_tcp(second, loopback(six, 0));
    /* A client may be bound, and to nothing in particular. */
    w_tcp_socket_start_connect(second, network, SPREAD(loopback(six, port_of(first))), R);
    done();
    w_pollable_block(w_tcp_socket_subscribe(second));
    w_tcp_socket_finish_connect(second, R);
    done();
    /* Nobody listens there any more. */
    int port = port_of(first);
    w_drop_tcp_socket(first);
    int late = tcp(six);
    w_tcp_socket_start_connect(late, network, SPREAD(loopback(six, port)), R);
    done();
    w_pollable_block(w_tcp_socket_subscribe(late));
    w_tcp_socket_finish_connect(late, R);
    failed4(CONNECTION_REFUSED);
    w_tcp_socket_finish_connect(late, R);
    failed4(NOT_IN_PROGRESS);
}

ROW(tcp_addresses, "net", "0")
{
    addresses_of_tcp(0);
    return 0;
}

ROW(tcp_addresses_of_ipv6, "net6", "0")
{
    addresses_of_tcp(1);
    return 0;
}

/* --- Options ------------------------------------------------------------------------------------
 */

/* 0 is no value, and every other is one. */
#define RANGE(set, most)                                                                           \
    do {                                                                                           \
        set(self, 0, R);                                                                           \
        failed(INVALID_ARGUMENT);                                                                  \
        set(self, 1, R);                                                                           \
        done();                                                                                    \
        set(self, most, R);                                                                        \
        done();                                                                                    \
    } while (0)

static void options_of(int six)
{
    int self = tcp(six);
    RANGE(w_tcp_socket_set_listen_backlog_size, ~0ull);
    RANGE(w_tcp_socket_set_keep_alive_idle_time, ~0ull);
    RANGE(w_tcp_socket_set_keep_alive_interval, ~0ull);
    RANGE(w_tcp_socket_set_keep_alive_count, -1);
    RANGE(w_tcp_socket_set_hop_limit, 255);
    RANGE(w_tcp_socket_set_receive_buffer_size, ~0ull);
    RANGE(w_tcp_socket_set_send_buffer_size, ~0ull);
    w_create_udp_socket(six, R);
    self = (int)U32(4);
    RANGE(w_udp_socket_set_unicast_hop_limit, 255);
    RANGE(w_udp_socket_set_receive_buffer_size, ~0ull);
    RANGE(w_udp_socket_set_send_buffer_size, ~0ull);
}

ROW(socket_options, "net", "0")
{
    options_of(0);
    return 0;
}

ROW(socket_options_of_ipv6, "net6", "0")
{
    options_of(1);
    return 0;
}

static void set_all(int self, int to)
{
    w_tcp_socket_set_keep_alive_enabled(self, to & 1, R);
    w_tcp_socket_set_keep_alive_idle_time(self, to * 1000000000ull, R);
    w_tcp_socket_set_keep_alive_interval(self, to * 1000000000ull, R);
    w_tcp_socket_set_keep_alive_count(self, to, R);
    w_tcp_socket_set_hop_limit(self, to, R);
    w_tcp_socket_set_receive_buffer_size(self, to * 1024, R);
    w_tcp_socket_set_send_buffer_size(self, to * 1024, R);
    done();
}

static void all_are(int self, int set)
{
    w_tcp_socket_keep_alive_enabled(self, R);
    MUST(TAG == 0 && AT(1)[0] == (set & 1));
    w_tcp_socket_keep_alive_idle_time(self, R);
    MUST(TAG == 0 && U64(8) == set * 1000000000ull);
    w_tcp_socket_keep_alive_interval(self, R);
    MUST(TAG == 0 && U64(8) == set * 1000000000ull);
    w_tcp_socket_keep_alive_count(self, R);
    MUST(TAG == 0 && U32(4) == (unsigned)set);
    w_tcp_socket_hop_limit(self, R);
    MUST(TAG == 0 && AT(1)[0] == set);
    w_tcp_socket_receive_buffer_size(self, R);
    MUST(TAG == 0 && U64(8) >= (u64)set * 1024);
    w_tcp_socket_send_buffer_size(self, R);
    MUST(TAG == 0 && U64(8) >= (u64)set * 1024);
}

/* A connection has the options of its listener at that time, and its own from then on. */
static void inherited(int six)
{
    int listener = listening(six);
    set_all(listener, 43);
    all_are(listener, 43);
    connect_to(six, port_of(listener));
    struct end server = accept_from(listener);
    all_are(server.socket, 43);
    set_all(listener, 44);
    all_are(server.socket, 43);
}

ROW(options_are_inherited, "net", "0")
{
    inherited(0);
    return 0;
}

ROW(options_are_inherited_of_ipv6, "net6", "0")
{
    inherited(1);
    return 0;
}

/* --- The ends of connections --------------------------------------------------------------------
 */

static const char text[64] = "hello";
#define HELLO (int)(unsigned long)text, 5

static void closed4(void)
{
    MUST(TAG == 1 && AT(4)[0] == 1);
}

static void put(int out)
{
    w_output_stream_blocking_write_and_flush(out, HELLO, R);
    done();
}

/* Half closed: what was sent comes, then the end; the other way goes on. */
static void half_close(int six)
{
    struct pair c = connection(six);
    put(c.client.out);
    w_tcp_socket_shutdown(c.client.socket, SEND, R);
    done();
    w_input_stream_blocking_read(c.server.in, 100, R);
    MUST(TAG == 0 && U32(8) == 5);
    w_pollable_block(w_input_stream_subscribe(c.server.in));
    w_input_stream_read(c.server.in, 100, R);
    closed4();
    w_input_stream_read(c.server.in, 0, R);
    closed4();
    put(c.server.out);
    w_input_stream_blocking_read(c.client.in, 100, R);
    MUST(TAG == 0 && U32(8) == 5);
    /* The stream that was shut is closed, and says so at once. */
    w_output_stream_check_write(c.client.out, R);
    MUST(TAG == 1 && AT(8)[0] == 1);
    w_output_stream_flush(c.client.out, R);
    closed4();
    MUST(w_pollable_ready(w_output_stream_subscribe(c.client.out)));
}

ROW(half_closed, "net", "0")
{
    half_close(0);
    return 0;
}

ROW(half_closed_of_ipv6, "net6", "0")
{
    half_close(1);
    return 0;
}

/* After shutting down its receiving side nothing more is read, not even what was there. */
ROW(shut_receiving, "net", "0")
{
    struct pair c = connection(0);
    put(c.server.out);
    w_pollable_block(w_input_stream_subscribe(c.client.in));
    w_tcp_socket_shutdown(c.client.socket, RECEIVE, R);
    done();
    w_input_stream_read(c.client.in, 10, R);
    closed4();
    w_input_stream_read(c.client.in, 0, R);
    closed4();
    put(c.client.out);
    w_input_stream_blocking_read(c.server.in, 10, R);
    MUST(TAG == 0 && U32(8) == 5);
    return 0;
}

/* What was written before the end was announced goes out before it. */
ROW(shut_sending_loses_nothing, "net", "0")
{
    static char block[65536];
    struct pair c = connection(0);
    w_tcp_socket_set_send_buffer_size(c.client.socket, 1024, R);
    done();
    w_tcp_socket_send_buffer_size(c.client.socket, R);
    u64 holds = U64(8);
    w_output_stream_check_write(c.client.out, R);
    done();
    unsigned size = (unsigned)U64(8);
    MUST(size > holds);
    w_output_stream_write(c.client.out, (int)(unsigned long)block, (int)size, R);
    done();
    w_tcp_socket_shutdown(c.client.socket, SEND, R);
    done();
    for (unsigned got = 0;;) {
        w_input_stream_blocking_read(c.server.in, 65536, R);
        if (TAG)
            return got != size;
        got += U32(8);
    }
}

/* Nobody reads: the stream permits less and less, and then nothing until somebody does. */
ROW(backpressure, "net", "0")
{
    static char block[65536];
    struct pair c = connection(0);
    int ready = w_output_stream_subscribe(c.client.out);
    u64 put = 0, got = 0;
    for (;;) {
        w_output_stream_check_write(c.client.out, R);
        done();
        if (!U64(8)) { /* until it stays so */
            int list[2] = {ready, w_monotonic_subscribe_duration(100000000)};
            w_poll((int)(unsigned long)list, 2, R);
            if (*(int *)(unsigned long)U32(0) == 1)
                break;
            continue;
        }
        unsigned some = U64(8) < sizeof block ? (unsigned)U64(8) : (unsigned)sizeof block;
        w_output_stream_write(c.client.out, (int)(unsigned long)block, (int)some, R);
        done();
        put += some;
        MUST(put < 1ull << 30);
    }
    while (got < put / 2) {
        w_input_stream_blocking_read(c.server.in, sizeof block, R);
        done();
        got += U32(8);
    }
    w_pollable_block(ready);
    w_output_stream_check_write(c.client.out, R);
    return TAG || !U64(8);
}

/* --- UDP ----------------------------------------------------------------------------------------
 */

static int udp(int six)
{
    if (!network)
        network = w_instance_network();
    w_create_udp_socket(six, R);
    done();
    return (int)U32(4);
}

static void bind_udp(int self, struct address to)
{
    w_udp_socket_start_bind(self, network, SPREAD(to), R);
    done();
    w_udp_socket_finish_bind(self, R);
    done();
}

static int udp_port(int self)
{
    w_udp_socket_local_address(self, R);
    done();
    return U16(8);
}

struct way {
    int in, out;
};

static struct way stream_to(int self, int some, struct address to)
{
    w_udp_socket_stream(self, some, SPREAD(to), R);
    done();
    return (struct way){(int)U32(4), (int)U32(8)};
}

struct datagram {
    int data, size;
    u8 some, unused[3];
    struct {
        u8 tag, unused[3];
        u16 port, more[13];
    } to;
};

static struct datagram datagram(const void *data, int size)
{
    return (struct datagram){(int)(unsigned long)data, size, 0, {0}, {0}};
}

/* To an address of its own. */
static struct datagram addressed(int six, int port)
{
    struct datagram one = datagram(text, 5);
    one.some = 1;
    one.to.tag = (u8)six;
    one.to.port = (u16)port;
    if (six) {
        one.to.more[10] = 1; /* behind the flow and seven zeroes */
    } else {
        one.to.more[0] = 127;
        one.to.more[1] = 1 << 8;
    }
    return one;
}

static void send_one(int out, struct datagram *one)
{
    w_pollable_block(w_outgoing_datagram_stream_subscribe(out));
    w_outgoing_datagram_stream_check_send(out, R);
    MUST(TAG == 0 && U64(8) > 0);
    w_outgoing_datagram_stream_send(out, (int)(unsigned long)one, 1, R);
}

/* Exactly one is there, and it comes from `port`. */
static void receive_one(int in, int port)
{
    w_pollable_block(w_incoming_datagram_stream_subscribe(in));
    w_incoming_datagram_stream_receive(in, 10, R);
    MUST(TAG == 0 && U32(8) == 1);
    const u8 *at = (const u8 *)(unsigned long)U32(4);
    MUST(*(const int *)(at + 4) == 5 && *(const u16 *)(at + 12) == port);
}

static void states_of_udp(int six)
{
    int self = udp(six);
    w_udp_socket_finish_bind(self, R);
    failed(NOT_IN_PROGRESS);
    w_udp_socket_stream(self, 0, SPREAD(unspecified(six, 0)), R);
    failed4(INVALID_STATE);
    w_udp_socket_stream(self, 1, SPREAD(loopback(six, 47)), R);
    failed4(INVALID_STATE);
    w_udp_socket_local_address(self, R);
    failed4(INVALID_STATE);
    w_udp_socket_remote_address(self, R);
    failed4(INVALID_STATE);
    w_udp_socket_start_bind(self, network, SPREAD(loopback(!six, 0)), R);
    failed(INVALID_ARGUMENT);
    MUST(w_udp_socket_address_family(self) == six);
    w_udp_socket_set_receive_buffer_size(self, 65536, R);
    w_udp_socket_receive_buffer_size(self, R);
    MUST(TAG == 0 && U64(8) == 65536);

    bind_udp(self, unspecified(six, 0));
    w_udp_socket_start_bind(self, network, SPREAD(loopback(six, 0)), R);
    failed(INVALID_STATE);
    int port = udp_port(self);
    w_udp_socket_stream(self, 1, SPREAD(unspecified(six, 47)), R);
    failed4(INVALID_ARGUMENT);
    w_udp_socket_stream(self, 1, SPREAD(loopback(six, 0)), R);
    failed4(INVALID_ARGUMENT);
    w_udp_socket_stream(self, 1, SPREAD(loopback(!six, 47)), R);
    failed4(INVALID_ARGUMENT);
    /* To nobody, to one, to another, to nobody: its port stays. */
    static const int peers[] = {0, 0, 4321, 4321, 4320, 0, 4321};
    for (unsigned i = 0; i < sizeof peers / sizeof *peers; i++) {
        stream_to(self, peers[i] != 0, loopback(six, peers[i]));
        w_udp_socket_remote_address(self, R);
        if (peers[i])
            MUST(TAG == 0 && U16(8) == peers[i]);
        else
            failed4(INVALID_STATE);
        MUST(udp_port(self) == port);
    }
}

ROW(udp_states, "net", "0")
{
    states_of_udp(0);
    return 0;
}

ROW(udp_states_of_ipv6, "net6", "0")
{
    states_of_udp(1);
    return 0;
}

/* An empty one is one; a large one arrives whole; one that is too large is not sent. */
static void exchange_sizes(struct way any, struct way one)
{
    static char block[65536];
    struct datagram empty = datagram(text, 0), large = datagram(block, 60000),
                    larger = datagram(block, 65536);
    send_one(one.out, &empty);
    send_one(one.out, &large);
    w_pollable_block(w_incoming_datagram_stream_subscribe(any.in));
    w_incoming_datagram_stream_receive(any.in, 0, R);
    MUST(TAG == 0 && U32(8) == 0);
    w_incoming_datagram_stream_receive(any.in, 2, R);
    MUST(TAG == 0 && U32(8) == 2);
    const u8 *at = (const u8 *)(unsigned long)U32(4);
    MUST(*(const int *)(at + 4) == 0 && *(const int *)(at + 40 + 4) == 60000);
    send_one(one.out, &larger);
    MUST(TAG == 1 && AT(8)[0] == DATAGRAM_TOO_LARGE);
    send_one(any.out, &larger);
    MUST(TAG == 1);
}

static void exchange(int six)
{
    int a = udp(six), b = udp(six);
    bind_udp(a, loopback(six, 0));
    bind_udp(b, loopback(six, 0));
    int port_a = udp_port(a), port_b = udp_port(b);
    struct way any = stream_to(a, 0, loopback(six, 0));
    struct way one = stream_to(b, 1, loopback(six, port_a));

    /* By the connection, also with the address that it has; by an address. */
    struct datagram plain = datagram(text, 5), to_a = addressed(six, port_a),
                    to_b = addressed(six, port_b);
    send_one(one.out, &plain);
    MUST(TAG == 0 && U64(8) == 1);
    receive_one(any.in, port_b);
    send_one(one.out, &to_a);
    MUST(TAG == 0 && U64(8) == 1);
    receive_one(any.in, port_b);
    send_one(any.out, &to_b);
    MUST(TAG == 0 && U64(8) == 1);
    receive_one(one.in, port_a);

    /* Another address than the connection's; none where one is needed; one that is none. */
    send_one(one.out, &to_b);
    MUST(TAG == 1 && AT(8)[0] == INVALID_ARGUMENT);
    send_one(any.out, &plain);
    MUST(TAG == 1 && AT(8)[0] == INVALID_ARGUMENT);
    struct datagram nowhere = addressed(six, 0), other = addressed(!six, port_b);
    send_one(any.out, &nowhere);
    MUST(TAG == 1 && AT(8)[0] == INVALID_ARGUMENT);
    send_one(any.out, &other);
    MUST(TAG == 1 && AT(8)[0] == INVALID_ARGUMENT);

    /* The first fails: nothing is sent. The second fails: one is sent, and no error. */
    struct datagram list[2] = {plain, to_b};
    w_outgoing_datagram_stream_check_send(one.out, R);
    w_outgoing_datagram_stream_send(one.out, (int)(unsigned long)list, 2, R);
    MUST(TAG == 0 && U64(8) == 1);
    receive_one(any.in, port_b);
    w_outgoing_datagram_stream_send(one.out, 0, 0, R);
    MUST(TAG == 0 && U64(8) == 0);

    exchange_sizes(any, one);

    /* Nothing more: an empty list, never would-block. */
    w_incoming_datagram_stream_receive(any.in, 10, R);
    MUST(TAG == 0 && U32(8) == 0);

    /* Only the latest streams work. */
    stream_to(b, 0, loopback(six, 0));
    w_incoming_datagram_stream_receive(one.in, 10, R);
    failed4(INVALID_STATE);
    w_outgoing_datagram_stream_check_send(one.out, R);
    MUST(TAG == 1 && AT(8)[0] == INVALID_STATE);
}

ROW(datagrams, "net", "0")
{
    exchange(0);
    return 0;
}

ROW(datagrams_of_ipv6, "net6", "0")
{
    exchange(1);
    return 0;
}

/* What came before it was connected, from somebody else, is not received. */
static void only_from_the_peer(int six)
{
    int to = udp(six), a = udp(six), b = udp(six);
    bind_udp(to, loopback(six, 0));
    bind_udp(a, loopback(six, 0));
    bind_udp(b, loopback(six, 0));
    int port = udp_port(to);
    struct datagram plain = datagram(text, 5);
    int out_a = stream_to(a, 1, loopback(six, port)).out;
    send_one(out_a, &plain);
    send_one(stream_to(b, 1, loopback(six, port)).out, &plain);
    send_one(out_a, &plain);
    struct way way = stream_to(to, 1, loopback(six, udp_port(b)));
    receive_one(way.in, udp_port(b));
}

ROW(datagrams_of_others, "net", "0")
{
    only_from_the_peer(0);
    return 0;
}

ROW(datagrams_of_others_of_ipv6, "net6", "0")
{
    only_from_the_peer(1);
    return 0;
}

/* The peer is no more: receiving says so. */
static void refused(int six)
{
    int gone = udp(six), self = udp(six);
    bind_udp(gone, loopback(six, 0));
    bind_udp(self, loopback(six, 0));
    int port = udp_port(gone);
    w_drop_udp_socket(gone);
    struct way way = stream_to(self, 1, loopback(six, port));
    struct datagram plain = datagram(text, 5);
    send_one(way.out, &plain);
    w_pollable_block(w_incoming_datagram_stream_subscribe(way.in));
    w_incoming_datagram_stream_receive(way.in, 1, R);
    failed4(CONNECTION_REFUSED);
}

ROW(datagrams_to_nobody, "net", "0")
{
    refused(0);
    return 0;
}

ROW(datagrams_to_nobody_of_ipv6, "net6", "0")
{
    refused(1);
    return 0;
}

/* More than check-send permitted, and without asking it. */
ROW(unpermitted_datagrams, "net", "134")
{
    static struct datagram list[4096];
    int self = udp(0);
    bind_udp(self, loopback(0, 0));
    struct way way = stream_to(self, 1, loopback(0, 4320));
    w_outgoing_datagram_stream_check_send(way.out, R);
    done();
    w_outgoing_datagram_stream_send(way.out, (int)(unsigned long)list, (int)U64(8) + 1, R);
    return 0;
}

ROW(unasked_datagram, "net", "134")
{
    static struct datagram one;
    int self = udp(0);
    bind_udp(self, loopback(0, 0));
    struct way way = stream_to(self, 1, loopback(0, 4320));
    w_outgoing_datagram_stream_send(way.out, (int)(unsigned long)&one, 1, R);
    return 0;
}

/* A socket that is connected to nobody sends only to whom the policy gives, each time; and one may
 * be connected to nobody else. */
ROW(datagrams_by_policy, "udp4000", "0")
{
    enum { ACCESS_DENIED = 1 };
    int self = udp(0);
    bind_udp(self, loopback(0, 0));
    struct way any = stream_to(self, 0, loopback(0, 0));
    struct datagram given = addressed(0, 4000), other = addressed(0, 4001);
    send_one(any.out, &given);
    MUST(TAG == 0 && U64(8) == 1);
    send_one(any.out, &other);
    MUST(TAG == 1 && AT(8)[0] == ACCESS_DENIED);
    struct datagram list[2] = {given, other};
    w_outgoing_datagram_stream_check_send(any.out, R);
    w_outgoing_datagram_stream_send(any.out, (int)(unsigned long)list, 2, R);
    MUST(TAG == 0 && U64(8) == 1);
    w_udp_socket_stream(self, 1, SPREAD(loopback(0, 4001)), R);
    failed4(ACCESS_DENIED);
    stream_to(self, 1, loopback(0, 4000));
    return 0;
}
