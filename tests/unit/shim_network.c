/* What the shim answers to a cell that is taken over and asks whatever it likes: questions go
 * straight to network_answer, and no engine checks them before. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "shim/network.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct network network;
static struct net_rule read_rules[8];
static struct plan plan;

/* The network that these rules give, of which the last `denials` deny. */
static void open_network(capability_set granted, size_t denials, const char *const *texts)
{
    struct err err = {0};
    size_t count = 0;
    plan.count = 0;
    plan_add(&plan, OPERATION_GRANTED, false)->of.granted.capabilities = granted;
    while (texts[count]) {
        bool http = strncmp(texts[count], "http", 4) == 0;
        assert_int_equal(
            (http ? net_origin_rule_read : net_rule_read)(texts[count], &read_rules[count], &err),
            0);
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        if (i + denials < count)
            plan_add(&plan, OPERATION_NET_RULE, false)->of.net_rule.rule = &read_rules[i];
        else
            plan_add(&plan, OPERATION_NET_DENIAL, false)->of.net_denial.rule = &read_rules[i];
    }
    network_open(&network, &plan, "test.wasm", NULL);
}

#define OPEN(granted, denials, ...)                                                                \
    open_network((granted), (denials), (const char *const[]){__VA_ARGS__, NULL})

static struct record_address address(const char *text, uint16_t port)
{
    struct record_address to = {.family = strchr(text, ':') ? PROTOCOL_IPV6 : PROTOCOL_IPV4,
                                .port = port};
    assert_int_equal(inet_pton(to.family == PROTOCOL_IPV6 ? AF_INET6 : AF_INET, text, to.bytes), 1);
    return to;
}

/* Asks; closes what it is given. The errno; *ret_socket is the socket's number, unless NULL. */
static uint32_t ask(const union message *message, size_t size, uint32_t *ret_socket)
{
    struct network_answer answer;
    network_answer(&network, message, size, 0, &answer);
    if (ret_socket)
        *ret_socket = answer.message.socket;
    if (answer.fd >= 0)
        close(take_fd(&answer.fd));
    return answer.message.error;
}

static uint32_t ask_socket(uint32_t protocol, uint32_t family, uint32_t *ret_socket)
{
    union message message = {
        .ask_socket = {.kind = MESSAGE_ASK_SOCKET, .protocol = protocol, .family = family}};
    return ask(&message, sizeof message.ask_socket, ret_socket);
}

static uint32_t ask_bind(uint32_t socket, const char *text, uint16_t port)
{
    union message message = {
        .ask_bind = {.kind = MESSAGE_ASK_BIND, .socket = socket, .address = address(text, port)}};
    return ask(&message, sizeof message.ask_bind, NULL);
}

static uint32_t ask_listen(uint32_t socket)
{
    union message message = {.ask_listen = {.kind = MESSAGE_ASK_LISTEN, .socket = socket}};
    return ask(&message, sizeof message.ask_listen, NULL);
}

static uint32_t ask_connect(uint32_t socket, const char *text, uint16_t port)
{
    union message message = {.ask_connect = {.kind = MESSAGE_ASK_CONNECT,
                                             .socket = socket,
                                             .address = address(text, port)}};
    return ask(&message, sizeof message.ask_connect, NULL);
}

static uint32_t ask_stream(uint32_t socket, const char *text, uint16_t port)
{
    union message message = {.ask_stream = {.kind = MESSAGE_ASK_STREAM,
                                            .socket = socket,
                                            .address = address(text, port)}};
    return ask(&message, sizeof message.ask_stream, NULL);
}

static uint32_t ask_lookup(const char *name)
{
    union message message = {.ask_lookup = {.kind = MESSAGE_ASK_LOOKUP}};
    message.ask_lookup.size = (uint32_t)strlen(name);
    memcpy(message.ask_lookup.name, name, strlen(name));
    return ask(&message, sizeof message.ask_lookup, NULL);
}

static uint32_t ask_http(const char *text, uint16_t port)
{
    union message message = {
        .ask_http = {.kind = MESSAGE_ASK_HTTP, .address = address(text, port)}};
    return ask(&message, sizeof message.ask_http, NULL);
}

/* --- What was not granted -------------------------------------------------------------------- */

#define UDP_ONLY (CAPABILITY(NET) | CAPABILITY(NET_UDP))
#define TCP_ONLY (CAPABILITY(NET) | CAPABILITY(NET_TCP))

static void no_rule_replaces_a_capability(void **state)
{
    uint32_t socket;
    (void)state;
    OPEN(UDP_ONLY, 0, "all", "http://127.0.0.1:1");
    assert_int_equal(ask_socket(PROTOCOL_TCP, PROTOCOL_IPV4, NULL), EACCES);
    assert_int_equal(ask_socket(PROTOCOL_UDP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_bind(socket, "127.0.0.1", 0), 0);
    assert_int_equal(ask_stream(socket, "127.0.0.1", 9), 0);
    assert_int_equal(ask_lookup("localhost"), EACCES);
    assert_int_equal(ask_http("127.0.0.1", 1), EACCES);
    network_close(&network);
    OPEN(TCP_ONLY, 0, "all");
    assert_int_equal(ask_socket(PROTOCOL_UDP, PROTOCOL_IPV4, NULL), EACCES);
    assert_int_equal(ask_socket(PROTOCOL_TCP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_connect(socket, "127.0.0.1", 1), EACCES);
    assert_int_equal(ask_bind(socket, "127.0.0.1", 39999), EACCES);
    assert_int_equal(ask_bind(socket, "127.0.0.1", 0), 0); /* opens nothing by itself */
    assert_int_equal(ask_listen(socket), EACCES);
    network_close(&network);
}

/* A rule to connect to a name is also one to look it up, but the capability may be denied. */
static void a_rule_with_a_name_looks_up_only_what_is_granted(void **state)
{
    (void)state;
    OPEN(TCP_ONLY | CAPABILITY(NET_TCP_CONNECT), 0, "connect=localhost:443");
    assert_int_equal(ask_lookup("localhost"), EACCES);
    network_close(&network);
    OPEN(TCP_ONLY | CAPABILITY(NET_TCP_CONNECT) | CAPABILITY(NET_DNS), 0, "connect=localhost:443");
    assert_int_equal(ask_lookup("localhost"), 0);
    network_close(&network);
}

static void what_is_granted_is_given(void **state)
{
    uint32_t socket;
    (void)state;
    OPEN(TCP_ONLY | CAPABILITY(NET_TCP_CONNECT) | CAPABILITY(NET_TCP_LISTEN), 0,
         "listen=127.0.0.1:*", "connect=127.0.0.1:*");
    assert_int_equal(ask_socket(PROTOCOL_TCP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_bind(socket, "127.0.0.1", 0), 0);
    assert_int_equal(ask_listen(socket), 0);
    assert_int_equal(ask_socket(PROTOCOL_TCP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_connect(socket, "127.0.0.1", 1), 0); /* begun; nobody is there */
    network_close(&network);
}

/* Before there is a verdict, and in cells that have none. */
static void nothing_is_given_without_a_verdict(void **state)
{
    (void)state;
    plan.count = 0;
    network_open(&network, &plan, "test.wasm", NULL);
    assert_int_equal(ask_socket(PROTOCOL_TCP, PROTOCOL_IPV4, NULL), EACCES);
    assert_int_equal(ask_lookup("localhost"), EACCES);
    assert_int_equal(ask_http("127.0.0.1", 80), EACCES);
    network_close(&network);
}

/* --- What is denied -------------------------------------------------------------------------- */

static void denials_are_carried_out(void **state)
{
    uint32_t socket;
    (void)state;
    OPEN(TCP_ONLY | CAPABILITY(NET_TCP_CONNECT) | CAPABILITY(NET_TCP_LISTEN) | CAPABILITY(NET_UDP) |
             CAPABILITY(NET_DNS),
         4, "all", "connect=127.0.0.1:1", "listen=127.0.0.2:*", "udp=127.0.0.1:9", "dns=localhost");
    assert_int_equal(ask_socket(PROTOCOL_TCP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_connect(socket, "127.0.0.1", 1), EACCES);
    assert_int_equal(ask_bind(socket, "127.0.0.2", 0), EACCES);
    assert_int_equal(ask_connect(socket, "127.0.0.1", 2), 0);
    assert_int_equal(ask_socket(PROTOCOL_UDP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_bind(socket, "127.0.0.1", 0), 0);
    assert_int_equal(ask_stream(socket, "127.0.0.1", 9), EACCES);
    assert_int_equal(ask_stream(socket, "127.0.0.1", 10), 0);
    assert_int_equal(ask_lookup("localhost"), EACCES);
    network_close(&network);
}

/* Whoever is at every address is also at the one that is denied. */
/* An origin that is denied, by its address also if it is reached by a name. */
static void denied_origins_get_no_request(void **state)
{
    (void)state;
    OPEN(CAPABILITY(HTTP_OUT), 1, "http://127.0.0.1:38090-38091", "http://127.0.0.1:38090");
    assert_int_equal(ask_http("127.0.0.1", 38090), EACCES);
    assert_int_not_equal(ask_http("127.0.0.1", 38091), EACCES);
    OPEN(CAPABILITY(HTTP_OUT), 1, "http://localhost:38090", "http://127.0.0.1:38090");
    union message message = {.ask_http = {.kind = MESSAGE_ASK_HTTP,
                                          .address = address("127.0.0.1", 38090),
                                          .size = 9,
                                          .name = "localhost"}};
    assert_int_equal(ask(&message, sizeof message.ask_http, NULL), EACCES);
    OPEN(CAPABILITY(HTTP_OUT), 1, "http://localhost:38090", "http://localhost:38090");
    message.ask_http.address = (struct record_address){.port = 38090};
    assert_int_equal(ask(&message, sizeof message.ask_http, NULL), EACCES);
    network_close(&network);
}

static void the_wildcard_evades_no_denial(void **state)
{
    const capability_set listens = TCP_ONLY | CAPABILITY(NET_TCP_LISTEN) | CAPABILITY(NET_UDP);
    uint32_t socket;
    (void)state;
    OPEN(listens, 3, "listen=*:*", "udp=*:*", "listen=127.0.0.2:38080", "listen=[::1]:38081",
         "udp=127.0.0.2:38080");
    assert_int_equal(ask_socket(PROTOCOL_TCP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_bind(socket, "127.0.0.2", 38080), EACCES);
    assert_int_equal(ask_bind(socket, "0.0.0.0", 38080), EACCES);
    assert_int_equal(ask_bind(socket, "0.0.0.0", 38081), 0);
    assert_int_equal(ask_listen(socket), 0);
    assert_int_equal(ask_socket(PROTOCOL_TCP, PROTOCOL_IPV6, &socket), 0);
    assert_int_equal(ask_bind(socket, "::", 38081), EACCES);
    assert_int_equal(ask_bind(socket, "::", 38080), 0); /* never at 127.0.0.2 */
    assert_int_equal(ask_listen(socket), 0);
    assert_int_equal(ask_socket(PROTOCOL_UDP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_bind(socket, "0.0.0.0", 38080), EACCES);
    assert_int_equal(ask_bind(socket, "0.0.0.0", 0), 0);
    network_close(&network);
    OPEN(listens, 1, "all", "udp=127.0.0.2:38080");
    assert_int_equal(ask_socket(PROTOCOL_UDP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_bind(socket, "0.0.0.0", 38080), EACCES);
    assert_int_equal(ask_bind(socket, "0.0.0.0", 38081), 0);
    network_close(&network);
    OPEN(listens, 1, "all", "listen=127.0.0.2:*");
    assert_int_equal(ask_socket(PROTOCOL_TCP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_bind(socket, "0.0.0.0", 0), 0); /* to connect from */
    assert_int_equal(ask_listen(socket), EACCES);
    network_close(&network);
    /* The port that the kernel chose is the one that counts. */
    OPEN(listens, 1, "listen=127.0.0.1:0", "listen=127.0.0.1:1024-65535");
    assert_int_equal(ask_socket(PROTOCOL_TCP, PROTOCOL_IPV4, &socket), 0);
    assert_int_equal(ask_bind(socket, "127.0.0.1", 0), 0);
    assert_int_equal(ask_listen(socket), EACCES);
    network_close(&network);
}

/* How many of a question a cell has answered within `seconds`, if it waits for nothing but leave.
 */
static size_t asked_within(uint64_t seconds, const union message *message, size_t size)
{
    const uint64_t start = UINT64_C(1000000000000), second = 1000000000;
    size_t count = 0;
    for (uint64_t now = start, pause; now < start + seconds * second;) {
        if ((pause = network_pause(&network, now)) > 0) {
            now += pause;
            continue;
        }
        struct network_answer answer;
        network_answer(&network, message, size, now, &answer);
        assert_int_equal(answer.fd, -1);
        count++;
    }
    return count;
}

static void more_questions_than_the_rate_are_not_listened_to(void **state)
{
    (void)state;
    const union message socket = {.ask_socket = {.kind = MESSAGE_ASK_SOCKET}},
                        send = {.ask_send = {.kind = MESSAGE_ASK_SEND}};
    OPEN(0, 0, "connect=192.0.2.1:1");
    assert_in_range(asked_within(2, &socket, sizeof socket.ask_socket),
                    2 * PROTOCOL_RATE / PROTOCOL_COST,
                    (PROTOCOL_BURST + 2 * PROTOCOL_RATE) / PROTOCOL_COST);
    OPEN(0, 0, "connect=192.0.2.1:1");
    assert_in_range(asked_within(2, &send, sizeof send.ask_send), 2 * PROTOCOL_RATE,
                    PROTOCOL_BURST + 2 * PROTOCOL_RATE);
}

/* Messages that came while the last was answered are answered as well, and paid for later. */
static void debts_are_paid(void **state)
{
    (void)state;
    const uint64_t now = UINT64_C(1000000000000), each = UINT64_C(1000000000) / PROTOCOL_RATE;
    const union message socket = {.ask_socket = {.kind = MESSAGE_ASK_SOCKET}};
    struct network_answer answer;
    OPEN(0, 0, "connect=192.0.2.1:1");
    for (size_t i = 0; i < PROTOCOL_BURST / PROTOCOL_COST + 16; i++)
        network_answer(&network, &socket, sizeof socket.ask_socket, now, &answer);
    assert_int_equal(network_pause(&network, now), 17 * PROTOCOL_COST * each);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rule_replaces_a_capability),
        cmocka_unit_test(a_rule_with_a_name_looks_up_only_what_is_granted),
        cmocka_unit_test(what_is_granted_is_given),
        cmocka_unit_test(nothing_is_given_without_a_verdict),
        cmocka_unit_test(denials_are_carried_out),
        cmocka_unit_test(denied_origins_get_no_request),
        cmocka_unit_test(the_wildcard_evades_no_denial),
        cmocka_unit_test(more_questions_than_the_rate_are_not_listened_to),
        cmocka_unit_test(debts_are_paid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
