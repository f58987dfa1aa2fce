/* The host's own files about names. */
#include "tests/unit/unit.h"

#include "shim/hosts.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static void write_file(const char *text)
{
    snprintf(path, sizeof path, "/tmp/carrel-hosts-%d", (int)getpid());
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool is(const struct net_address *address, const char *text)
{
    char shown[INET6_ADDRSTRLEN];
    inet_ntop(address->family == NET_IPV6 ? AF_INET6 : AF_INET, address->bytes, shown,
              sizeof shown);
    return strcmp(shown, text) == 0;
}

static void names_of_hosts(void **state)
{
    struct hosts_addresses found;
    (void)state;
    write_file("# a comment\n"
               "127.0.0.1\tlocalhost local\n"
               "10.0.0.1 db.internal DB   # the database\n"
               "::1 localhost\n"
               "2001:db8::1 db.internal\n"
               "nonsense db.internal\n"
               "0.0.0.0 blocked.example\n"
               "10.0.0.1 db.internal\n"
               "10.0.0.2 last");
    hosts_find(path, str_of("Db.Internal."), &found);
    assert_int_equal(found.count, 2);
    assert_true(is(&found.at[0], "10.0.0.1") && is(&found.at[1], "2001:db8::1"));
    hosts_find(path, str_of("db"), &found);
    assert_int_equal(found.count, 1);
    hosts_find(path, str_of("last"), &found);
    assert_int_equal(found.count, 1);
    hosts_find(path, str_of("localhost"), &found);
    assert_int_equal(found.count, 2);
    static const char *const absent[] = {"internal", "db.interna", "blocked.example",
                                         "comment",  "the",        "10.0.0.1"};
    for (size_t i = 0; i < countof(absent); i++) {
        hosts_find(path, str_of(absent[i]), &found);
        assert_int_equal(found.count, 0);
    }
    unlink(path);
}

/* Whatever the file says, or if there is none. */
static void localhost_is_here(void **state)
{
    struct hosts_addresses found;
    (void)state;
    hosts_find("/nowhere/hosts", str_of("localhost"), &found);
    assert_int_equal(found.count, 2);
    assert_true(is(&found.at[0], "127.0.0.1") && is(&found.at[1], "::1"));
    hosts_find("/nowhere/hosts", str_of("a.LOCALHOST"), &found);
    assert_int_equal(found.count, 2);
    hosts_find("/nowhere/hosts", str_of("alocalhost"), &found);
    assert_int_equal(found.count, 0);
}

static void nameservers(void **state)
{
    struct hosts_addresses found;
    (void)state;
    write_file("; comment\nsearch example.com\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\n"
               "nameserver 2001:db8::1 \noptions edns0\nnameserver\nnameserver 192.0.2.2\n"
               "nameserver 192.0.2.3\n");
    hosts_servers(path, &found);
    assert_int_equal(found.count, HOSTS_SERVERS);
    assert_true(is(&found.at[0], "192.0.2.1") && is(&found.at[1], "2001:db8::1") &&
                is(&found.at[2], "192.0.2.2"));
    assert_int_equal(found.at[0].port, 53);
    unlink(path);
    hosts_servers("/nowhere/resolv.conf", &found);
    assert_int_equal(found.count, 1);
    assert_true(is(&found.at[0], "127.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_hosts),
        cmocka_unit_test(localhost_is_here),
        cmocka_unit_test(nameservers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
