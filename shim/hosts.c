/* Reading the host's files about names; see hosts.h. Lines that are none are left out. */
#include "shim/hosts.h"
#include "shim/cleanup.h"
#include <arpa/inet.h>
#include <string.h>

#define SPACE    " \t\r\n"
#define DNS_PORT 53

static bool read_address(const char *text, struct net_address *ret)
{
    *ret = (struct net_address){.family = strchr(text, ':') ? NET_IPV6 : NET_IPV4};
    return inet_pton(ret->family == NET_IPV6 ? AF_INET6 : AF_INET, text, ret->bytes) == 1;
}

static void add(struct hosts_addresses *to, const struct net_address *address)
{
    for (size_t i = 0; i < to->count; i++)
        if (to->at[i].family == address->family &&
            memcmp(to->at[i].bytes, address->bytes, sizeof address->bytes) == 0)
            return;
    if (to->count < HOSTS_ADDRESSES)
        to->at[to->count++] = *address;
}

static bool same_name(const char *word, struct str name)
{
    return strlen(word) == name.len && strncasecmp(word, name.at, name.len) == 0;
}

static bool is_localhost(struct str name)
{
    static const char local[] = "localhost";
    const size_t size = sizeof local - 1;
    if (name.len < size || strncasecmp(name.at + name.len - size, local, size) != 0)
        return false;
    return name.len == size || name.at[name.len - size - 1] == '.';
}

/* One line: an address and its names. */
static void find_in_line(char *line, struct str name, struct hosts_addresses *ret)
{
    char *rest = NULL;
    struct net_address address;
    line[strcspn(line, "#")] = '\0';
    const char *first = strtok_r(line, SPACE, &rest);
    if (!first || !read_address(first, &address) || net_address_unspecified(&address))
        return;
    for (const char *word; (word = strtok_r(NULL, SPACE, &rest));)
        if (same_name(word, name))
            add(ret, &address);
}

void hosts_find(const char *path, struct str name, struct hosts_addresses *ret)
{
    cleanup_file FILE *file = fopen(path, "re");
    char line[1024];
    ret->count = 0;
    if (name.len > 1 && name.at[name.len - 1] == '.')
        name.len--;
    while (file && fgets(line, sizeof line, file))
        find_in_line(line, name, ret);
    if (ret->count > 0 || !is_localhost(name))
        return;
    struct net_address loopback;
    read_address("127.0.0.1", &loopback);
    add(ret, &loopback);
    read_address("::1", &loopback);
    add(ret, &loopback);
}

void hosts_servers(const char *path, struct hosts_addresses *ret)
{
    cleanup_file FILE *file = fopen(path, "re");
    char line[1024];
    struct net_address address;
    ret->count = 0;
    while (file && ret->count < HOSTS_SERVERS && fgets(line, sizeof line, file)) {
        char *rest = NULL;
        const char *word = strtok_r(line, SPACE, &rest);
        if (!word || strcmp(word, "nameserver") != 0)
            continue;
        word = strtok_r(NULL, SPACE, &rest);
        if (word && read_address(word, &address))
            add(ret, &address);
    }
    if (ret->count == 0) {
        read_address("127.0.0.1", &address);
        add(ret, &address);
    }
    for (size_t i = 0; i < ret->count; i++)
        ret->at[i].port = DNS_PORT;
}
