/* The rules of --net: what is one, and what each covers. */
#include "tests/unit/unit.h"

#include "policies/net.h"
#include <arpa/inet.h>
#include <string.h>

static struct net_address at(const char *text, uint16_t port)
{
    struct net_address address = {.family = strchr(text, ':') ? NET_IPV6 : NET_IPV4, .port = port};
    assert_int_equal(
        inet_pton(address.family == NET_IPV6 ? AF_INET6 : AF_INET, text, address.bytes), 1);
    return address;
}

static struct net_rule rule_of(const char *text)
{
    struct net_rule rule;
    struct err err = {0};
    assert_int_equal(net_rule_read(text, &rule, &err), 0);
    return rule;
}

static bool covers(const char *rule, enum net_use use, const char *text, uint16_t port)
{
    const struct net_rule read = rule_of(rule);
    const struct net_address address = at(text, port);
    return net_rule_covers(&read, use, &address);
}

static bool names(const char *rule, const char *name)
{
    const struct net_rule read = rule_of(rule);
    return net_rule_names(&read, NET_LOOKUP, str_of(name));
}

/* Does the rule of --http give this origin? An address is one if it is no name. */
static bool sends(const char *text, bool secure, const char *host, uint16_t port)
{
    struct net_rule rule;
    struct err err = {0};
    struct net_origin origin = {.secure = secure};
    assert_int_equal(net_origin_rule_read(text, &rule, &err), 0);
    bool literal = host[strspn(host, "0123456789.:abcdef")] == '\0';
    if (literal)
        origin.address = at(host, port);
    else
        origin.name = str_of(host);
    origin.address.port = port;
    return net_rule_gives_origin(&rule, &origin);
}

static void origins(void **state)
{
    (void)state;
    assert_true(sends("https://api.example.com", true, "API.example.com", 443));
    assert_true(sends("https://api.example.com", true, "api.example.com.", 443));
    assert_false(sends("https://api.example.com", false, "api.example.com", 443));
    assert_false(sends("https://api.example.com", true, "api.example.com", 444));
    assert_false(sends("https://api.example.com", true, "x.api.example.com", 443));
    assert_true(sends("http://api.example.com:8080", false, "api.example.com", 8080));
    assert_true(sends("https://*.example.com", true, "a.b.example.com", 443));
    assert_false(sends("https://*.example.com", true, "example.com", 443));
    assert_false(sends("https://*.example.com", true, "notexample.com", 443));
    assert_true(sends("http://127.0.0.1:8080", false, "127.0.0.1", 8080));
    assert_false(sends("http://127.0.0.1:8080", false, "127.0.0.2", 8080));
    assert_true(sends("http://[::1]:*", false, "::1", 9));
    assert_true(sends("all", true, "example.com", 1));
    assert_true(sends("all", false, "192.88.98.1", 1));
    assert_false(sends("all", false, "10.0.0.1", 80));
    assert_false(sends("all", false, "127.0.0.1", 80));
    assert_false(sends("https://*", true, "169.254.169.254", 443));
    assert_true(sends("https://*", true, "example.com", 443));
}

static void origins_that_are_none(void **state)
{
    static const char *const bad[] = {
        "",
        "example.com",
        "ftp://example.com",
        "http://",
        "http://:80",
        "https://example.com/",
        "https://example.com/path",
        "http://a b",
        "http://user@example.com",
        "http://example.com:99999",
        "http://example.com:",
        "http://::1",
        "http://[::1",
        "HTTP://example.com",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct net_rule rule;
        struct err err = {0};
        assert_int_equal(net_origin_rule_read(bad[i], &rule, &err), -1);
        assert_non_null(strstr(err.text, "--http"));
    }
}

static void origins_as_text(void **state)
{
    char text[NET_TEXT_MAX];
    struct net_origin origin = {.secure = true, .name = str_of("a.example")};
    (void)state;
    origin.address.port = 443;
    assert_string_equal(net_origin_text(&origin, text), "https://a.example");
    origin.address.port = 80;
    assert_string_equal(net_origin_text(&origin, text), "https://a.example:80");
    origin = (struct net_origin){.address = at("::1", 80)};
    assert_string_equal(net_origin_text(&origin, text), "http://[::1]");
}

static capability_set gives(const char *rule)
{
    const struct net_rule read = rule_of(rule);
    return net_rule_gives(&read);
}

static void addresses_and_ports(void **state)
{
    (void)state;
    assert_true(covers("connect=192.0.2.1:80", NET_CONNECT, "192.0.2.1", 80));
    assert_false(covers("connect=192.0.2.1:80", NET_CONNECT, "192.0.2.2", 80));
    assert_false(covers("connect=192.0.2.1:80", NET_CONNECT, "192.0.2.1", 81));
    assert_false(covers("connect=192.0.2.1:80", NET_LISTEN, "192.0.2.1", 80));
    assert_false(covers("connect=192.0.2.1:80", NET_DATAGRAMS, "192.0.2.1", 80));
    assert_true(covers("connect=192.0.2.1:80-90", NET_CONNECT, "192.0.2.1", 90));
    assert_false(covers("connect=192.0.2.1:80-90", NET_CONNECT, "192.0.2.1", 91));
    assert_true(covers("connect=[2a00::1]:*", NET_CONNECT, "2a00::1", 65535));
    assert_false(covers("connect=[2a00::1]:*", NET_CONNECT, "2a00::2", 65535));
    assert_true(covers("listen=127.0.0.1:0", NET_LISTEN, "127.0.0.1", 0));
    assert_false(covers("listen=127.0.0.1:0", NET_LISTEN, "127.0.0.1", 1));
    assert_true(covers("all", NET_CONNECT, "127.0.0.1", 1));
    assert_true(covers("all", NET_DATAGRAMS, "::1", 1));
}

static void ranges(void **state)
{
    (void)state;
    assert_true(covers("connect=198.51.100.0/22:1", NET_CONNECT, "198.51.103.255", 1));
    assert_false(covers("connect=198.51.100.0/22:1", NET_CONNECT, "198.51.104.0", 1));
    assert_true(covers("udp=[2a00::/13]:1", NET_DATAGRAMS, "2a07::1", 1));
    assert_true(covers("udp=[2a00::]/13:1", NET_DATAGRAMS, "2a07::1", 1));
    assert_false(covers("udp=[2a00::/13]:1", NET_DATAGRAMS, "2a08::1", 1));
    assert_true(covers("connect=0.0.0.0/0:*", NET_CONNECT, "8.8.8.8", 1));
    assert_false(covers("connect=0.0.0.0/0:*", NET_CONNECT, "2a00::1", 1));
}

/* Private and loopback addresses are covered only by rules that name them. */
static void special_ranges(void **state)
{
    static const char *const special[] = {
        "127.0.0.1",
        "127.255.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "fc00::1",
        "::ffff:8.8.8.8",
        "64:ff9b::1",
        "2002:7f00:1::1",
        "ff02::1",
        "2001::1",
    };
    (void)state;
    for (size_t i = 0; i < countof(special); i++) {
        bool six = strchr(special[i], ':');
        assert_false(covers("connect=*:*", NET_CONNECT, special[i], 80));
        assert_false(covers("udp=*:*", NET_DATAGRAMS, special[i], 80));
        assert_false(
            covers(six ? "connect=[::]/0:*" : "connect=0.0.0.0/0:*", NET_CONNECT, special[i], 80));
        assert_true(covers("all", NET_CONNECT, special[i], 80));
        assert_true(covers("listen=*:*", NET_LISTEN, special[i], 80));
    }
    assert_true(covers("connect=*:*", NET_CONNECT, "172.32.0.1", 80));
    assert_true(covers("connect=*:*", NET_CONNECT, "100.128.0.1", 80));
    assert_true(covers("connect=*:*", NET_CONNECT, "2a00::1", 80));
    assert_true(covers("connect=10.0.0.0/8:80", NET_CONNECT, "10.1.2.3", 80));
    assert_true(covers("connect=10.1.0.0/16:80", NET_CONNECT, "10.1.2.3", 80));
    assert_false(covers("connect=8.0.0.0/6:80", NET_CONNECT, "10.1.2.3", 80));
    assert_true(covers("connect=[::1]:80", NET_CONNECT, "::1", 80));
    assert_true(covers("connect=[fd00::/8]:80", NET_CONNECT, "fd12::1", 80));
}

static void host_names(void **state)
{
    (void)state;
    assert_true(names("connect=example.com:443", "example.com"));
    assert_true(names("connect=Example.COM.:443", "eXample.com."));
    assert_false(names("connect=example.com:443", "www.example.com"));
    assert_false(names("connect=example.com:443", "example.co"));
    assert_true(names("dns=*.example.com", "a.b.example.com"));
    assert_false(names("dns=*.example.com", "example.com"));
    assert_false(names("dns=*.example.com", "badexample.com"));
    assert_false(names("dns=*.example.com", ".example.com"));
    assert_true(names("udp=ns.example.com:53", "ns.example.com"));
    assert_true(names("dns=*", "anything"));
    assert_true(names("all", "anything"));
    assert_false(names("connect=*:443", "anything"));
    assert_false(names("listen=*:443", "anything"));
    /* A name covers no address by itself. */
    assert_false(covers("connect=example.com:443", NET_CONNECT, "93.184.216.34", 443));
    assert_true(net_name_valid(str_of("a-b.c_d.example")));
    assert_false(net_name_valid(str_of("-a.example")));
    assert_false(net_name_valid(str_of("a-.example")));
    assert_false(net_name_valid(str_of("a..example")));
    assert_false(net_name_valid(str_of("a b")));
    assert_false(net_name_valid(str_of("\303\244.example")));
    assert_false(net_name_valid((struct str){"a\0b", 3}));
}

static void what_is_no_rule(void **state)
{
    static const char *const wrong[] = {
        "",
        "every",
        "connect",
        "connect=",
        "connect=:80",
        "connect=example.com",
        "connect=example.com:",
        "connect=example.com:http",
        "connect=example.com:65536",
        "connect=example.com:9-8",
        "connect=example.com:-8",
        "connect=example.com:1-",
        "connect=192.0.2.1/33:80",
        "connect=192.0.2.1/:80",
        "connect=192.0.2.256:80",
        "connect=1.2.3:80",
        "connect=::1:80",
        "connect=[::1]",
        "connect=[::1:80",
        "connect=[:::80",
        "connect=[]:80",
        "connect=*.:80",
        "connect=*.*.com:80",
        "connect=a..b:80",
        "connect=a b:80",
        "listen=example.com:80",
        "dns=192.0.2.1",
        "dns=",
        "dns=[::1]",
        "udp=1.2.3.4",
    };
    (void)state;
    for (size_t i = 0; i < countof(wrong); i++) {
        struct net_rule rule;
        struct err err = {0};
        if (!net_rule_read(wrong[i], &rule, &err))
            print_error("--net %s is taken\n", wrong[i]);
        assert_int_equal(err.kind, ERR_USAGE);
    }
    char longest[1000] = "dns=";
    memset(longest + 4, 'a', sizeof longest - 5);
    struct net_rule rule;
    struct err err = {0};
    assert_int_equal(net_rule_read(longest, &rule, &err), -1);
}

static void what_rules_give(void **state)
{
    (void)state;
    assert_int_equal(gives("connect=*:80"),
                     CAPABILITY(NET) | CAPABILITY(NET_TCP) | CAPABILITY(NET_TCP_CONNECT));
    assert_true(gives("connect=a.b:80") & CAPABILITY(NET_DNS));
    assert_int_equal(gives("listen=*:80"),
                     CAPABILITY(NET) | CAPABILITY(NET_TCP) | CAPABILITY(NET_TCP_LISTEN));
    assert_int_equal(gives("udp=*:80"), CAPABILITY(NET) | CAPABILITY(NET_UDP));
    assert_int_equal(gives("dns=*"), CAPABILITY(NET) | CAPABILITY(NET_DNS));
}

static void addresses_as_text(void **state)
{
    char text[NET_TEXT_MAX];
    struct net_address four = at("192.0.2.1", 80), six = at("2001:db8::1", 443);
    (void)state;
    assert_string_equal(net_address_text(&four, text), "192.0.2.1:80");
    assert_string_equal(net_address_text(&six, text), "[2001:db8::1]:443");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins),         cmocka_unit_test(origins_that_are_none),
        cmocka_unit_test(origins_as_text), cmocka_unit_test(addresses_and_ports),
        cmocka_unit_test(ranges),          cmocka_unit_test(special_ranges),
        cmocka_unit_test(host_names),      cmocka_unit_test(what_is_no_rule),
        cmocka_unit_test(what_rules_give), cmocka_unit_test(addresses_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
