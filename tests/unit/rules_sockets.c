/* The rows of wasi:sockets under their own filters; see rules_fixture.h. The shim's side is played
 * by a process of its own with the shim's code and the policy `all`. */
#include "engine/wasi/net_socket.h"
#include "tests/unit/rules_fixture.h"

#include "shim/network.h"
#include <netinet/in.h>
#include <sys/socket.h>

/* --- The shim -----------------------------------------------------------------------------------
 */

static struct network network;
static struct plan plan;

static _Noreturn void answer_all(int socket)
{
    static const struct net_rule all = {.text = "all", .use = NET_ALL};
    static struct message_counts counts;
    static union message message;
    for (int fd = 0; fd < 256; fd++)
        if (fd != socket)
            close(fd);
    plan_add(&plan, OPERATION_GRANTED, false)->of.granted.capabilities = net_rule_gives(&all);
    plan_add(&plan, OPERATION_NET_RULE, false)->of.net_rule.rule = &all;
    network_open(&network, &plan, "test", NULL);
    for (;;) {
        struct network_answer answer;
        ssize_t size = recv(socket, &message, sizeof message, 0);
        if (size <= 0 || protocol_judge(&counts, STATE_RUN, &message, (size_t)size))
            _exit(0);
        if (!network_asks(message.kind))
            continue;
        network_answer(&network, &message, (size_t)size, 0, &answer);
        network_send(socket, &answer);
    }
}

/* From here on the fixture has the network, and the shim's socket where a cell has it. */
static void with_network(struct fixture *f)
{
    int pair[2];
    CLAIM(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    if (fork() == 0)
        answer_all(pair[0]);
    close(pair[0]);
    CLAIM(dup2(pair[1], PROTOCOL_SOCKET) == PROTOCOL_SOCKET);
    f->wasi->network = (struct wasi_network){PROTOCOL_SOCKET, true, true, true, true, true, false};
}

/* --- Calls --------------------------------------------------------------------------------------
 */

static struct host_scratch scratch;
static uint64_t result[16];
static uint8_t *const result_bytes = (uint8_t *)result;

static enum host_answer call(struct fixture *f, host_fn *fn, const void *args)
{
    scratch.store = &f->store;
    struct host_call host_call = {.vm = f->vm, .host = f->wasi, .scratch = &scratch};
    memset(result, 0, sizeof result);
    return fn(&host_call, args, result);
}

static bool ok(struct fixture *f, host_fn *fn, const void *args)
{
    return call(f, fn, args) == HOST_DONE && result_bytes[0] == HOST_OK;
}

/* The handle at `place` of a result. */
static void *made_at(int place)
{
    void *made;
    memcpy(&made, result + place, sizeof made);
    return made;
}

struct address_args {
    void *self;
    void *network;
    struct ip_socket_address address;
};

struct value_args {
    void *self;
    union {
        uint8_t u8;
        uint32_t u32;
        uint64_t u64;
    };
};

static struct ip_socket_address loopback(enum ip_family family, uint16_t port)
{
    struct ip_socket_address address = {.tag = (uint8_t)family};
    if (family == IP_IPV4) {
        address.ipv4.port = port;
        address.ipv4.address[0] = 127;
        address.ipv4.address[3] = 1;
    } else {
        address.ipv6.port = port;
        address.ipv6.address[7] = 1;
    }
    return address;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in at = {0};
    socklen_t size = sizeof at;
    CLAIM(getsockname(fd, (struct sockaddr *)&at, &size) == 0);
    return ntohs(at.sin_port);
}

/* A listener of the host's: its descriptor. */
static int host_listener(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CLAIM(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 8) == 0);
    return fd;
}

/* What TCP and UDP have alike. */
struct protocol {
    host_fn *create;
    host_fn *start_bind;
    host_fn *finish_bind;
};

static const struct protocol of_tcp = {wasi_create_tcp_socket, wasi_tcp_socket_start_bind,
                                       wasi_tcp_socket_finish_bind};
static const struct protocol of_udp = {wasi_create_udp_socket, wasi_udp_socket_start_bind,
                                       wasi_udp_socket_finish_bind};

static struct net_socket *make(struct fixture *f, const struct protocol *of, enum ip_family family)
{
    const uint8_t tag = (uint8_t)family;
    CLAIM(ok(f, of->create, &tag));
    return made_at(1);
}

static struct net_socket *binding(struct fixture *f, const struct protocol *of,
                                  enum ip_family family)
{
    struct net_socket *self = make(f, of, family);
    const struct address_args args = {self, NULL, loopback(family, 0)};
    CLAIM(ok(f, of->start_bind, &args));
    return self;
}

static struct net_socket *bind_one(struct fixture *f, const struct protocol *of,
                                   enum ip_family family)
{
    struct net_socket *self = binding(f, of, family);
    CLAIM(ok(f, of->finish_bind, &self));
    return self;
}

static struct net_socket *tcp(struct fixture *f, enum ip_family family)
{
    return make(f, &of_tcp, family);
}

static struct net_socket *bound(struct fixture *f, enum ip_family family)
{
    return bind_one(f, &of_tcp, family);
}

static struct net_socket *listening(struct fixture *f, enum ip_family family)
{
    struct net_socket *self = bound(f, family);
    CLAIM(ok(f, wasi_tcp_socket_start_listen, &self) &&
          ok(f, wasi_tcp_socket_finish_listen, &self));
    return self;
}

static void start_connecting(struct fixture *f, struct net_socket *self, uint16_t port)
{
    const struct address_args args = {self, NULL, loopback(IP_IPV4, port)};
    CLAIM(ok(f, wasi_tcp_socket_start_connect, &args));
}

struct pair {
    struct net_socket *self;
    struct input_stream *in;
    struct output_stream *out;
};

/* Connected to a listener of the host's. */
static struct pair connected(struct fixture *f)
{
    struct net_socket *self = tcp(f, IP_IPV4);
    start_connecting(f, self, port_of(host_listener()));
    while (!ok(f, wasi_tcp_socket_finish_connect, &self))
        CLAIM(result_bytes[8] == NET_WOULD_BLOCK);
    return (struct pair){self, made_at(1), made_at(2)};
}

/* --- Scenarios that TCP and UDP have alike ------------------------------------------------------
 */

static void creates(struct fixture *f, const struct protocol *of, enum ip_family family)
{
    with_network(f);
    walls_up();
    make(f, of, family);
}

static void starts_to_bind(struct fixture *f, const struct protocol *of)
{
    with_network(f);
    const struct address_args args = {make(f, of, IP_IPV6), NULL, loopback(IP_IPV6, 0)};
    walls_up();
    CLAIM(ok(f, of->start_bind, &args));
}

static void finishes_to_bind(struct fixture *f, const struct protocol *of)
{
    with_network(f);
    struct net_socket *self = binding(f, of, IP_IPV4);
    walls_up();
    CLAIM(ok(f, of->finish_bind, &self));
}

static void tells_its_family(struct fixture *f, const struct protocol *of, host_fn *fn)
{
    with_network(f);
    struct net_socket *self = make(f, of, IP_IPV6);
    walls_up();
    CLAIM(call(f, fn, &self) == HOST_DONE && result_bytes[0] == IP_IPV6);
}

/* `self` is a socket or a stream of it. */
static void is_subscribed(struct fixture *f, host_fn *fn, void *self)
{
    walls_up();
    CLAIM(call(f, fn, &self) == HOST_DONE && made_at(0));
}

/* An option of a socket that the shim has, and of one of each family that the cell has. */
static void get_option(struct fixture *f, host_fn *get, void *const sockets[3])
{
    walls_up();
    for (int i = 0; i < 3; i++)
        CLAIM(ok(f, get, &sockets[i]));
}

static void set_option(struct fixture *f, host_fn *set, struct value_args args,
                       void *const sockets[3])
{
    walls_up();
    for (int i = 0; i < 3; i++) {
        args.self = sockets[i];
        CLAIM(ok(f, set, &args));
    }
}

/* --- Making, binding, connecting ----------------------------------------------------------------
 */

static void row_network_error_code(struct fixture *f)
{
    struct io_error error = {.error = ECONNRESET, .network = true};
    const struct io_error *self = &error;
    walls_up();
    CLAIM(call(f, wasi_network_error_code, &self) == HOST_DONE && result_bytes[0] == 1 &&
          result_bytes[1] == NET_CONNECTION_RESET);
}

static void row_instance_network(struct fixture *f)
{
    walls_up();
    CLAIM(call(f, wasi_instance_network, NULL) == HOST_DONE);
    wasi_drop_network(f->vm, f->wasi, made_at(0));
}

static void row_create_tcp_socket(struct fixture *f)
{
    creates(f, &of_tcp, IP_IPV4);
}

static void row_tcp_socket_start_bind(struct fixture *f)
{
    starts_to_bind(f, &of_tcp);
}

static void row_tcp_socket_finish_bind(struct fixture *f)
{
    finishes_to_bind(f, &of_tcp);
}

static void row_tcp_socket_start_connect(struct fixture *f)
{
    with_network(f);
    uint16_t port = port_of(host_listener());
    struct net_socket *self = tcp(f, IP_IPV4);
    const struct address_args args = {tcp(f, IP_IPV4), NULL, loopback(IP_IPV4, port)};
    walls_up();
    start_connecting(f, self, port);
    /* There is no room for it: it is closed again. */
    f->wasi->resources = WASI_RESOURCES;
    CLAIM(!ok(f, wasi_tcp_socket_start_connect, &args) && result_bytes[1] == NET_OUT_OF_MEMORY);
}

static void row_tcp_socket_finish_connect(struct fixture *f)
{
    with_network(f);
    int gone = host_listener();
    struct net_socket *self = tcp(f, IP_IPV4), *refused = tcp(f, IP_IPV4);
    uint16_t port = port_of(gone);
    close(gone);
    start_connecting(f, self, port_of(host_listener()));
    start_connecting(f, refused, port);
    walls_up();
    CLAIM(ok(f, wasi_tcp_socket_finish_connect, &self));
    void *out = made_at(2);
    CLAIM(ok(f, wasi_output_stream_check_write, &out) && result[1] > 0);
    CLAIM(!ok(f, wasi_tcp_socket_finish_connect, &refused) &&
          result_bytes[8] == NET_CONNECTION_REFUSED);
}

static void row_tcp_socket_start_listen(struct fixture *f)
{
    with_network(f);
    struct net_socket *self = bound(f, IP_IPV4), *other = bound(f, IP_IPV6);
    walls_up();
    CLAIM(ok(f, wasi_tcp_socket_start_listen, &self));
    f->wasi->resources = WASI_RESOURCES;
    CLAIM(!ok(f, wasi_tcp_socket_start_listen, &other) && result_bytes[1] == NET_OUT_OF_MEMORY);
}

static void row_tcp_socket_finish_listen(struct fixture *f)
{
    with_network(f);
    struct net_socket *self = bound(f, IP_IPV4);
    CLAIM(ok(f, wasi_tcp_socket_start_listen, &self));
    walls_up();
    CLAIM(ok(f, wasi_tcp_socket_finish_listen, &self));
}

/* A peer that has connected to a socket of the guest's. */
static void host_connects(const struct net_socket *to)
{
    struct sockaddr_storage at = {0};
    socklen_t size = sizeof at;
    CLAIM(getsockname(to->file->fd, (struct sockaddr *)&at, &size) == 0);
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CLAIM(connect(fd, (struct sockaddr *)&at, size) == 0);
}

static void row_tcp_socket_accept(struct fixture *f)
{
    with_network(f);
    struct net_socket *self = listening(f, IP_IPV6);
    host_connects(self);
    host_connects(self);
    walls_up();
    CLAIM(ok(f, wasi_tcp_socket_accept, &self));
    void *out = made_at(3);
    CLAIM(ok(f, wasi_output_stream_check_write, &out) && result[1] > 0);
    f->wasi->resources = WASI_RESOURCES;
    CLAIM(!ok(f, wasi_tcp_socket_accept, &self) && result_bytes[8] == NET_NEW_SOCKET_LIMIT);
}

/* --- Asking about it ----------------------------------------------------------------------------
 */

static void row_tcp_socket_local_address(struct fixture *f)
{
    with_network(f);
    struct net_socket *self = listening(f, IP_IPV4);
    walls_up();
    CLAIM(ok(f, wasi_tcp_socket_local_address, &self));
}

static void row_tcp_socket_remote_address(struct fixture *f)
{
    with_network(f);
    struct pair pair = connected(f);
    walls_up();
    CLAIM(ok(f, wasi_tcp_socket_remote_address, &pair.self));
}

static void row_tcp_socket_is_listening(struct fixture *f)
{
    with_network(f);
    struct net_socket *self = listening(f, IP_IPV4);
    walls_up();
    CLAIM(call(f, wasi_tcp_socket_is_listening, &self) == HOST_DONE && result_bytes[0] == 1);
}

static void row_tcp_socket_address_family(struct fixture *f)
{
    tells_its_family(f, &of_tcp, wasi_tcp_socket_address_family);
}

static void row_tcp_socket_subscribe(struct fixture *f)
{
    with_network(f);
    is_subscribed(f, wasi_tcp_socket_subscribe, listening(f, IP_IPV4));
}

static void row_tcp_socket_shutdown(struct fixture *f)
{
    with_network(f);
    struct pair pair = connected(f);
    const struct value_args args = {pair.self, {.u8 = 1}};
    walls_up();
    CLAIM(ok(f, wasi_tcp_socket_shutdown, &args));
}

static void row_tcp_socket_set_listen_backlog_size(struct fixture *f)
{
    with_network(f);
    const struct value_args args = {tcp(f, IP_IPV4), {.u64 = 5}};
    walls_up();
    CLAIM(ok(f, wasi_tcp_socket_set_listen_backlog_size, &args));
}

/* --- Options ------------------------------------------------------------------------------------
 */

struct sockets {
    void *of[3];
};

static struct sockets tcp_sockets(struct fixture *f)
{
    with_network(f);
    return (struct sockets){{tcp(f, IP_IPV6), connected(f).self, listening(f, IP_IPV6)}};
}

/* The two functions of an option. */
#define OPTION_ROWS(protocol, name, value)                                                         \
    static void row_##protocol##_socket_##name(struct fixture *f)                                  \
    {                                                                                              \
        get_option(f, wasi_##protocol##_socket_##name, protocol##_sockets(f).of);                  \
    }                                                                                              \
    static void row_##protocol##_socket_set_##name(struct fixture *f)                              \
    {                                                                                              \
        const struct value_args args = {.self = NULL, value};                                      \
        set_option(f, wasi_##protocol##_socket_set_##name, args, protocol##_sockets(f).of);        \
    }

OPTION_ROWS(tcp, keep_alive_enabled, .u8 = 1)
OPTION_ROWS(tcp, keep_alive_idle_time, .u64 = 5000000000)
OPTION_ROWS(tcp, keep_alive_interval, .u64 = 1)
OPTION_ROWS(tcp, keep_alive_count, .u32 = 1000)
OPTION_ROWS(tcp, hop_limit, .u8 = 7)
OPTION_ROWS(tcp, receive_buffer_size, .u64 = 65536)
OPTION_ROWS(tcp, send_buffer_size, .u64 = UINT64_MAX)

/* --- UDP ----------------------------------------------------------------------------------------
 */

static struct net_socket *udp(struct fixture *f, enum ip_family family)
{
    return make(f, &of_udp, family);
}

static struct net_socket *udp_bound(struct fixture *f, enum ip_family family)
{
    return bind_one(f, &of_udp, family);
}

struct stream_args {
    struct net_socket *self;
    HOST_OPTION(struct ip_socket_address) remote;
};

struct datagrams {
    struct net_socket *socket;
    void *in;
    void *out;
};

/* Streaming to a peer, if the port is not 0. */
static struct datagrams streaming(struct fixture *f, struct net_socket *self, uint16_t port)
{
    const struct stream_args args = {self, {port != 0, loopback(IP_IPV4, port)}};
    CLAIM(ok(f, wasi_udp_socket_stream, &args));
    return (struct datagrams){self, made_at(1), made_at(2)};
}

static uint16_t udp_port(struct fixture *f, struct net_socket *self)
{
    struct ip_socket_address at;
    CLAIM(ok(f, wasi_udp_socket_local_address, &self));
    memcpy(&at, (uint8_t *)result + 4, sizeof at);
    return at.ipv4.port;
}

struct outgoing {
    byte_list data;
    HOST_OPTION(struct ip_socket_address) remote;
};

struct send_args {
    void *self;
    HOST_LIST(struct outgoing) datagrams;
};

static uint8_t hello[] = "hello";

static void send_to(struct fixture *f, void *out, uint16_t port)
{
    struct outgoing datagram = {{hello, sizeof hello}, {port != 0, loopback(IP_IPV4, port)}};
    struct send_args args = {out, {&datagram, 1}};
    CLAIM(ok(f, wasi_outgoing_datagram_stream_send, &args) && result[1] == 1);
}

static void row_create_udp_socket(struct fixture *f)
{
    creates(f, &of_udp, IP_IPV6);
}

static void row_udp_socket_start_bind(struct fixture *f)
{
    starts_to_bind(f, &of_udp);
}

static void row_udp_socket_finish_bind(struct fixture *f)
{
    finishes_to_bind(f, &of_udp);
}

static void row_udp_socket_stream(struct fixture *f)
{
    with_network(f);
    struct net_socket *self = udp_bound(f, IP_IPV4), *other = udp_bound(f, IP_IPV4);
    const struct stream_args args = {other, {.some = false}};
    walls_up();
    streaming(f, self, 9);
    f->wasi->resources = WASI_RESOURCES;
    CLAIM(!ok(f, wasi_udp_socket_stream, &args) && result_bytes[8] == NET_OUT_OF_MEMORY);
}

static void row_udp_socket_local_address(struct fixture *f)
{
    with_network(f);
    struct net_socket *self = udp_bound(f, IP_IPV4);
    streaming(f, self, 0);
    walls_up();
    CLAIM(udp_port(f, self) != 0);
}

static void row_udp_socket_remote_address(struct fixture *f)
{
    with_network(f);
    struct net_socket *self = udp_bound(f, IP_IPV4);
    streaming(f, self, 9);
    walls_up();
    CLAIM(ok(f, wasi_udp_socket_remote_address, &self));
}

static void row_udp_socket_address_family(struct fixture *f)
{
    tells_its_family(f, &of_udp, wasi_udp_socket_address_family);
}

static void row_udp_socket_subscribe(struct fixture *f)
{
    with_network(f);
    is_subscribed(f, wasi_udp_socket_subscribe, udp(f, IP_IPV4));
}

static void row_incoming_datagram_stream_subscribe(struct fixture *f)
{
    with_network(f);
    is_subscribed(f, wasi_incoming_datagram_stream_subscribe,
                  streaming(f, udp_bound(f, IP_IPV4), 0).in);
}

static void row_outgoing_datagram_stream_subscribe(struct fixture *f)
{
    with_network(f);
    is_subscribed(f, wasi_outgoing_datagram_stream_subscribe,
                  streaming(f, udp_bound(f, IP_IPV4), 0).out);
}

static void row_outgoing_datagram_stream_check_send(struct fixture *f)
{
    with_network(f);
    struct datagrams all = streaming(f, udp_bound(f, IP_IPV4), 0);
    walls_up();
    CLAIM(ok(f, wasi_outgoing_datagram_stream_check_send, &all.out) && result[1] > 0);
}

/* To the peer of the stream by the cell itself, to an address by the shim. */
static void row_outgoing_datagram_stream_send(struct fixture *f)
{
    with_network(f);
    struct net_socket *to = udp_bound(f, IP_IPV4);
    uint16_t port = udp_port(f, to);
    struct datagrams one = streaming(f, udp_bound(f, IP_IPV4), port);
    struct datagrams any = streaming(f, udp_bound(f, IP_IPV4), 0);
    CLAIM(ok(f, wasi_outgoing_datagram_stream_check_send, &one.out));
    CLAIM(ok(f, wasi_outgoing_datagram_stream_check_send, &any.out));
    walls_up();
    send_to(f, one.out, 0);
    send_to(f, any.out, port);
}

static void row_incoming_datagram_stream_receive(struct fixture *f)
{
    with_network(f);
    struct net_socket *to = udp_bound(f, IP_IPV4);
    struct datagrams from = streaming(f, udp_bound(f, IP_IPV4), 0);
    struct datagrams all = streaming(f, to, 0);
    CLAIM(ok(f, wasi_outgoing_datagram_stream_check_send, &from.out));
    send_to(f, from.out, udp_port(f, to));
    const struct value_args args = {all.in, {.u64 = 5}};
    walls_up();
    CLAIM(ok(f, wasi_incoming_datagram_stream_receive, &args) && result[2] == 1);
}

static struct sockets udp_sockets(struct fixture *f)
{
    with_network(f);
    void *theirs = udp(f, IP_IPV4), *six = udp_bound(f, IP_IPV6), *four = udp_bound(f, IP_IPV4);
    streaming(f, six, 0);
    streaming(f, four, 0);
    return (struct sockets){{theirs, four, six}};
}

OPTION_ROWS(udp, unicast_hop_limit, .u8 = 7)
OPTION_ROWS(udp, receive_buffer_size, .u64 = 65536)
OPTION_ROWS(udp, send_buffer_size, .u64 = UINT64_MAX)

/* The last to let go of a socket closes it. */
static void udp_drop(struct fixture *f, int last)
{
    with_network(f);
    struct datagrams all = streaming(f, udp_bound(f, IP_IPV4), 0);
    for (int i = 0; i < 3; i++) {
        int which = (last + 1 + i) % 3;
        if (i == 2)
            walls_up();
        if (which == 0)
            wasi_drop_udp_socket(f->vm, f->wasi, all.socket);
        else if (which == 1)
            wasi_drop_incoming_datagram_stream(f->vm, f->wasi, all.in);
        else
            wasi_drop_outgoing_datagram_stream(f->vm, f->wasi, all.out);
    }
}

static void row_drop_udp_socket(struct fixture *f)
{
    udp_drop(f, 0);
}

static void row_drop_incoming_datagram_stream(struct fixture *f)
{
    udp_drop(f, 1);
}

static void row_drop_outgoing_datagram_stream(struct fixture *f)
{
    udp_drop(f, 2);
}

/* --- All of them --------------------------------------------------------------------------------
 */

static void row_drop_tcp_socket(struct fixture *f)
{
    with_network(f);
    struct net_socket *theirs = bound(f, IP_IPV4);
    struct pair pair = connected(f);
    wasi_drop_input_stream(f->vm, f->wasi, pair.in);
    wasi_drop_output_stream(f->vm, f->wasi, pair.out);
    walls_up();
    wasi_drop_tcp_socket(f->vm, f->wasi, pair.self);
    wasi_drop_tcp_socket(f->vm, f->wasi, theirs);
}

/* --- Names --------------------------------------------------------------------------------------
 */

struct resolve_args {
    void *network;
    struct str name;
};

static void *lookup(struct fixture *f, const char *name)
{
    const struct resolve_args args = {NULL, str_of(name)};
    CLAIM(ok(f, wasi_resolve_addresses, &args));
    return made_at(1);
}

static void row_resolve_addresses(struct fixture *f)
{
    with_network(f);
    const struct resolve_args args = {NULL, str_of("localhost")};
    walls_up();
    lookup(f, "localhost");
    f->wasi->resources = WASI_RESOURCES - 1;
    CLAIM(!ok(f, wasi_resolve_addresses, &args) && result_bytes[8] == NET_OUT_OF_MEMORY);
}

static void row_resolve_address_stream_resolve_next_address(struct fixture *f)
{
    with_network(f);
    void *names = lookup(f, "localhost"), *literal = lookup(f, "::2");
    walls_up();
    CLAIM(ok(f, wasi_resolve_address_stream_resolve_next_address, &names) && result_bytes[2]);
    CLAIM(ok(f, wasi_resolve_address_stream_resolve_next_address, &literal) && result_bytes[2]);
    CLAIM(ok(f, wasi_resolve_address_stream_resolve_next_address, &literal) && !result_bytes[2]);
}

static void row_resolve_address_stream_subscribe(struct fixture *f)
{
    with_network(f);
    void *names = lookup(f, "localhost");
    walls_up();
    CLAIM(call(f, wasi_resolve_address_stream_subscribe, &names) == HOST_DONE && made_at(0));
}

static void row_drop_resolve_address_stream(struct fixture *f)
{
    with_network(f);
    void *names = lookup(f, "localhost");
    walls_up();
    wasi_drop_resolve_address_stream(f->vm, f->wasi, names);
}

#define SCENARIO_PROVIDED(id) {ROW_##id, row_##id},
#define SCENARIO_LATER(id)
static const struct scenario scenarios[] = {
#define FN(interface, id, name, type, since, gate, cap, rule_set, state) SCENARIO_##state(id)
#define INTERFACE(...)
#define USE(...)
#define TYPE(...)
#define RESOURCE(...)
#include "policies/wasi_sockets.def"
    {ROW_drop_tcp_socket, row_drop_tcp_socket},
    {ROW_drop_udp_socket, row_drop_udp_socket},
    {ROW_drop_resolve_address_stream, row_drop_resolve_address_stream},
    {ROW_drop_incoming_datagram_stream, row_drop_incoming_datagram_stream},
    {ROW_drop_outgoing_datagram_stream, row_drop_outgoing_datagram_stream},
};

RULES_MAIN(scenarios)
