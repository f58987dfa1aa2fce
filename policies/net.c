/* The rules of --net and --http; see net.h. Makes no system call, resolves no name. Texts come from
 * the operator, addresses and names that are asked about from cells: both are checked. */
#include "policies/net.h"

#include "engine/base/ascii.h"
#include "engine/base/attr.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443 };

/* --- Addresses ----------------------------------------------------------------------------------
 */

static unsigned bits_of(uint8_t family)
{
    return family == NET_IPV4 ? 32 : 128;
}

/* Do the first `bits` agree? */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned rest = bits % 8;
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

static bool read_address(const char *text, uint8_t *ret_family, uint8_t ret_bytes[16])
{
    *ret_family = strchr(text, ':') ? NET_IPV6 : NET_IPV4;
    memset(ret_bytes, 0, 16);
    return inet_pton(*ret_family == NET_IPV6 ? AF_INET6 : AF_INET, text, ret_bytes) == 1;
}

/* Does a range that is not public hold all `bits` of this one? */
static bool within_special(uint8_t family, const uint8_t bytes[16], unsigned bits)
{
    static const struct {
        const char *first;
        unsigned bits;
    } ranges[] = {
#define RANGE(first, bits, what) {first, bits},
#include "policies/net_range.def"
    };
    for (size_t i = 0; i < countof(ranges); i++) {
        uint8_t first[16], range_family;
        if (read_address(ranges[i].first, &range_family, first) && range_family == family &&
            bits >= ranges[i].bits && same_prefix(first, bytes, ranges[i].bits))
            return true;
    }
    return false;
}

bool net_address_special(const struct net_address *address)
{
    return within_special(address->family, address->bytes, bits_of(address->family));
}

bool net_address_unspecified(const struct net_address *address)
{
    static const uint8_t zero[16];
    return memcmp(address->bytes, zero, bits_of(address->family) / 8) == 0;
}

bool net_address_mapped(const struct net_address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return address->family == NET_IPV6 && memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

const char *net_address_text(const struct net_address *address, char ret[NET_TEXT_MAX])
{
    char text[INET6_ADDRSTRLEN] = "?";
    bool six = address->family == NET_IPV6;
    inet_ntop(six ? AF_INET6 : AF_INET, address->bytes, text, sizeof text);
    snprintf(ret, NET_TEXT_MAX, six ? "[%s]:%u" : "%s:%u", text, (unsigned)address->port);
    return ret;
}

struct str net_address_bare(const struct net_address *address, char ret[NET_TEXT_MAX])
{
    bool six = address->family == NET_IPV6;
    if (!inet_ntop(six ? AF_INET6 : AF_INET, address->bytes, ret, NET_TEXT_MAX))
        *ret = '\0';
    return str_of(ret);
}

/* --- Names --------------------------------------------------------------------------------------
 */

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool net_name_valid(struct str name)
{
    size_t label = 0;
    if (name.len == 0 || name.len > NET_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool last = i + 1 == name.len || name.at[i + 1] == '.';
        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
            continue;
        }
        bool fits = is_letter_or_digit(c) || c == '_' || (c == '-' && label > 0 && !last);
        if (!fits || ++label > 63)
            return false;
    }
    return label > 0;
}

struct str net_name_bare(struct str name)
{
    if (name.len > 1 && name.at[name.len - 1] == '.')
        name.len--;
    return name;
}

static bool same_name(const char *one, const char *other, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (ascii_small(one[i]) != ascii_small(other[i]))
            return false;
    return true;
}

bool net_rule_has_port(const struct net_rule *rule, uint16_t port)
{
    return rule->use == NET_ALL || (port >= rule->first_port && port <= rule->last_port);
}

static bool of_http(const struct net_rule *rule)
{
    return rule->use >= NET_HTTP;
}

/* Whoever may connect to a name, or exchange datagrams with it, may look it up. */
static bool is_for(const struct net_rule *rule, enum net_use use)
{
    if (rule->use == use || rule->use == NET_ALL)
        return true;
    return use == NET_LOOKUP && rule->use != NET_LISTEN && !of_http(rule) &&
           (rule->host == NET_NAME || rule->host == NET_BELOW);
}

/* Is it the name, or one of those below it, that the rule has as its host? */
static bool host_named(const struct net_rule *rule, struct str name)
{
    name = net_name_bare(name);
    size_t length = strlen(rule->name);
    if (rule->host == NET_NAME)
        return name.len == length && same_name(name.at, rule->name, length);
    return rule->host == NET_BELOW && name.len > length + 1 &&
           name.at[name.len - length - 1] == '.' &&
           same_name(name.at + name.len - length, rule->name, length);
}

bool net_rule_names(const struct net_rule *rule, enum net_use use, struct str name)
{
    if (!is_for(rule, use))
        return false;
    if (rule->use == NET_ALL || rule->host == NET_ANY)
        return rule->use == NET_ALL || rule->use == NET_LOOKUP;
    return host_named(rule, name);
}

static bool in_range(const struct net_rule *rule, const struct net_address *address)
{
    return rule->host == NET_RANGE && rule->family == address->family &&
           same_prefix(rule->bytes, address->bytes, rule->bits);
}

/* Is all of the rule's range in one that is not public, so that it can have meant nothing else? */
static bool names_special(const struct net_rule *rule)
{
    return within_special(rule->family, rule->bytes, rule->bits);
}

bool net_rule_covers(const struct net_rule *rule, enum net_use use,
                     const struct net_address *address)
{
    if (rule->use == NET_ALL)
        return true;
    if (rule->use != use || !net_rule_has_port(rule, address->port))
        return false;
    if (rule->host == NET_ANY)
        return use == NET_LISTEN || !net_address_special(address);
    return in_range(rule, address) &&
           (use == NET_LISTEN || !net_address_special(address) || names_special(rule));
}

bool net_rule_gives_origin(const struct net_rule *rule, const struct net_origin *origin)
{
    if (!of_http(rule) || (rule->use == NET_HTTP && origin->secure) ||
        (rule->use == NET_HTTPS && !origin->secure) ||
        !net_rule_has_port(rule, origin->address.port))
        return false;
    if (origin->name.len)
        return rule->host == NET_ANY || host_named(rule, origin->name);
    if (rule->host == NET_ANY)
        return !net_address_special(&origin->address);
    return in_range(rule, &origin->address) &&
           (!net_address_special(&origin->address) || names_special(rule));
}

const char *net_origin_text(const struct net_origin *origin, char ret[NET_TEXT_MAX])
{
    char host[NET_TEXT_MAX];
    uint16_t usual = origin->secure ? PORT_HTTPS : PORT_HTTP;
    if (origin->name.len)
        snprintf(host, sizeof host, "%.*s:%u", (int)origin->name.len, origin->name.at,
                 (unsigned)origin->address.port);
    else
        net_address_text(&origin->address, host);
    if (origin->address.port == usual)
        *strrchr(host, ':') = '\0';
    snprintf(ret, NET_TEXT_MAX, "%s://%.*s", origin->secure ? "https" : "http",
             NET_TEXT_MAX - (int)sizeof "https://", host);
    return ret;
}

bool net_rule_denies(const struct net_rule *rule, enum net_use use,
                     const struct net_address *address)
{
    if (rule->use == NET_ALL)
        return true;
    if (rule->use != use || !net_rule_has_port(rule, address->port))
        return false;
    return rule->host == NET_ANY || (rule->host == NET_RANGE && rule->family == address->family &&
                                     same_prefix(rule->bytes, address->bytes, rule->bits));
}

bool net_rule_denies_local(const struct net_rule *rule, enum net_use use,
                           const struct net_address *local)
{
    if (net_rule_denies(rule, use, local))
        return true;
    return net_address_unspecified(local) && rule->use == use && rule->host == NET_RANGE &&
           rule->family == local->family && net_rule_has_port(rule, local->port);
}

bool net_listen_address(const char *text, struct net_address *ret)
{
    char rule_text[NET_TEXT_MAX + 8];
    struct net_rule rule;
    bool any = strncmp(text, "*:", 2) == 0;
    snprintf(rule_text, sizeof rule_text, "listen=%s", text);
    if (strlen(text) >= NET_TEXT_MAX || net_rule_read(rule_text, &rule, NULL) ||
        rule.first_port != rule.last_port ||
        !(any || (rule.host == NET_RANGE && rule.bits == (rule.family == NET_IPV4 ? 32 : 128))))
        return false;
    *ret = (struct net_address){.family = any ? NET_IPV4 : rule.family, .port = rule.first_port};
    if (!any)
        memcpy(ret->bytes, rule.bytes, sizeof rule.bytes);
    return true;
}

bool net_rule_address(const struct net_rule *rule, struct net_address *ret)
{
    *ret = (struct net_address){.family = rule->family, .port = rule->first_port};
    memcpy(ret->bytes, rule->bytes, sizeof ret->bytes);
    return rule->use != NET_ALL && rule->host == NET_RANGE && rule->bits == bits_of(rule->family) &&
           rule->first_port == rule->last_port;
}

/* --- Reading ------------------------------------------------------------------------------------
 */

static const struct {
    const char *word;
    enum net_use use;
} uses[] = {
    {"connect=", NET_CONNECT},
    {"listen=", NET_LISTEN},
    {"udp=", NET_DATAGRAMS},
    {"dns=", NET_LOOKUP},
};

static int wrong(const struct net_rule *rule, const char *what, struct err *err)
{
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s %s: %s", of_http(rule) ? "--http" : "--net",
                   rule->text, what);
}

/* A number without sign up to `most`, which ends at `end`. */
static bool read_number(const char *text, const char *end, unsigned most, unsigned *ret)
{
    unsigned value = 0;
    if (text == end)
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
        if (value > most)
            return false;
    }
    *ret = value;
    return true;
}

static int read_ports(const char *ports, struct net_rule *rule, struct err *err)
{
    unsigned first = 0, last = UINT16_MAX;
    const char *end = ports + strlen(ports), *between = strchr(ports, '-');
    if (strcmp(ports, "*") != 0) {
        if (!read_number(ports, between ? between : end, UINT16_MAX, &first))
            return wrong(rule,
                         "the port is no number up to 65535, no range and no *: write HOST:PORT, "
                         "as in example.com:443",
                         err);
        last = first;
        if (between && (!read_number(between + 1, end, UINT16_MAX, &last) || last < first))
            return wrong(rule, "the range of ports is none: write FIRST-LAST", err);
    }
    rule->first_port = (uint16_t)first;
    rule->last_port = (uint16_t)last;
    return 0;
}

static int read_name(struct str name, enum net_host host, struct net_rule *rule, struct err *err)
{
    name = net_name_bare(name);
    if (!net_name_valid(name))
        return wrong(
            rule, "neither an address nor a host name: write one, as in 192.0.2.1 or example.com",
            err);
    rule->host = host;
    for (size_t i = 0; i < name.len; i++)
        rule->name[i] = ascii_small(name.at[i]);
    rule->name[name.len] = '\0';
    return 0;
}

/* "address" or "[address]", with /BITS inside or outside of the brackets. */
static int read_range(char *host, struct net_rule *rule, struct err *err)
{
    char *slash = strchr(host, '/');
    unsigned bits = 0;
    if (*host == '[') {
        char *close = strchr(host, ']');
        if (!close || (close[1] != '\0' && close + 1 != slash))
            return wrong(rule, "an IPv6 address stands in brackets: write it as in [::1]:80", err);
        *close = '\0';
        host++;
    }
    if (slash)
        *slash = '\0';
    rule->host = NET_RANGE;
    if (!read_address(host, &rule->family, rule->bytes))
        return wrong(
            rule,
            "the address is neither IPv4 nor IPv6: write one, as in 192.0.2.1 or [2001:db8::1]",
            err);
    bits = bits_of(rule->family);
    if (slash && !read_number(slash + 1, slash + 1 + strlen(slash + 1), bits, &bits))
        return wrong(rule, "the range is none: write ADDRESS/BITS", err);
    rule->bits = (uint8_t)bits;
    return 0;
}

static int read_host(char *host, struct net_rule *rule, struct err *err)
{
    if (strcmp(host, "*") == 0) {
        rule->host = NET_ANY;
        return 0;
    }
    if (strncmp(host, "*.", 2) == 0)
        return read_name(str_of(host + 2), NET_BELOW, rule, err);
    bool number = host[strspn(host, "0123456789./")] == '\0';
    if (strchr(host, '/') && of_http(rule))
        return wrong(rule, "an origin ends with its host and port: leave the path out", err);
    if (*host == '[' || number)
        return read_range(host, rule, err);
    if (strchr(host, ':'))
        return wrong(rule, "an IPv6 address stands in brackets: write it as in [::1]:80", err);
    return read_name(str_of(host), NET_NAME, rule, err);
}

int net_rule_read(const char *text, struct net_rule *ret, struct err *err)
{
    char copy[NET_TEXT_MAX];
    *ret = (struct net_rule){.text = text, .use = NET_ALL, .last_port = UINT16_MAX};
    if (strcmp(text, "all") == 0)
        return 0;
    for (size_t i = 0; i < countof(uses); i++) {
        size_t length = strlen(uses[i].word);
        if (strncmp(text, uses[i].word, length) != 0)
            continue;
        if (strlen(text + length) >= sizeof copy)
            return wrong(ret, "longer than any host name: write less", err);
        snprintf(copy, sizeof copy, "%s", text + length);
        ret->use = uses[i].use;
        char *port = strrchr(copy, ':');
        if (ret->use != NET_LOOKUP) {
            if (!port || !port[1] || port == copy || strchr(port, ']'))
                return wrong(ret, "the host or its port is missing: write HOST:PORT", err);
            *port = '\0';
            if (read_ports(port + 1, ret, err))
                return -1;
        }
        if (read_host(copy, ret, err))
            return -1;
        if (ret->host == NET_RANGE && ret->use == NET_LOOKUP)
            return wrong(ret, "an address is not looked up: write dns=NAME", err);
        if ((ret->host == NET_NAME || ret->host == NET_BELOW) && ret->use == NET_LISTEN)
            return wrong(
                ret, "listening takes an address, not a name: write one of this host, or *", err);
        return 0;
    }
    return wrong(ret,
                 "no rule: write all, connect=HOST:PORT, listen=ADDR:PORT, udp=ADDR:PORT or "
                 "dns=NAME",
                 err);
}

int net_origin_rule_read(const char *text, struct net_rule *ret, struct err *err)
{
    char copy[NET_TEXT_MAX];
    *ret = (struct net_rule){.text = text, .use = NET_HTTP_ALL, .last_port = UINT16_MAX};
    if (strcmp(text, "all") == 0)
        return 0;
    bool secure = strncmp(text, "https://", 8) == 0;
    if (!secure && strncmp(text, "http://", 7) != 0)
        return wrong(ret, "no origin: write all, http://HOST:PORT or https://HOST:PORT", err);
    const char *host = text + (secure ? 8 : 7);
    if (strlen(host) >= sizeof copy)
        return wrong(ret, "longer than any host name: write less", err);
    snprintf(copy, sizeof copy, "%s", host);
    ret->use = secure ? NET_HTTPS : NET_HTTP;
    ret->first_port = ret->last_port = secure ? PORT_HTTPS : PORT_HTTP;
    char *port = strrchr(copy, ':');
    if (port && !strchr(port, ']')) {
        *port = '\0';
        if (read_ports(port + 1, ret, err))
            return -1;
    }
    return *copy ? read_host(copy, ret, err)
                 : wrong(ret, "the host is missing: write http://HOST:PORT", err);
}

capability_set net_rule_gives(const struct net_rule *rule)
{
    static const capability_set gives[] = {
        [NET_CONNECT] = CAPABILITY(NET_TCP) | CAPABILITY(NET_TCP_CONNECT),
        [NET_LISTEN] = CAPABILITY(NET_TCP) | CAPABILITY(NET_TCP_LISTEN),
        [NET_DATAGRAMS] = CAPABILITY(NET_UDP),
        [NET_LOOKUP] = CAPABILITY(NET_DNS),
        [NET_ALL] = CAPABILITY(NET_TCP) | CAPABILITY(NET_TCP_CONNECT) | CAPABILITY(NET_TCP_LISTEN) |
                    CAPABILITY(NET_UDP) | CAPABILITY(NET_DNS),
    };
    if (of_http(rule))
        return CAPABILITY(HTTP_OUT);
    capability_set set = gives[rule->use];
    if (is_for(rule, NET_LOOKUP))
        set |= CAPABILITY(NET_DNS);
    return set | CAPABILITY(NET);
}
