/* What of the network the operator allows: the rules of --net and --http, read and asked. Pure
 * functions; the shim asks them before it makes, binds or connects a socket.
 *
 *   all                    everything below, with everybody
 *   connect=HOST:PORTS     open TCP connections to it; if HOST is a name, also look it up
 *   listen=HOST:PORTS      accept TCP connections at this address of the host's
 *   udp=HOST:PORTS         exchange UDP datagrams with it, or from this address of the host's
 *   dns=NAME               look up the name
 *
 * and of --http:
 *
 *   all                       send HTTP requests to every origin that is public
 *   http://HOST[:PORTS]       send them to it, the port being 80
 *   https://HOST[:PORTS]      by TLS, the port being 443
 *
 *   HOST   *, an IPv4 address, an IPv6 address in brackets, either with /BITS for a range, NAME, or
 *          *.NAME for all names below NAME
 *   PORTS  *, a number, or FIRST-LAST; 0 stands for one that the kernel chooses
 *
 * Ranges that are not public count as named only when they are named: see net_range.def. */
#ifndef CARREL_POLICIES_NET_H
#define CARREL_POLICIES_NET_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "policies/capability.h"

/* What a rule is for; `all` is for everything, of --net or of --http. */
enum net_use {
    NET_CONNECT,
    NET_LISTEN,
    NET_DATAGRAMS,
    NET_LOOKUP,
    NET_ALL,
    NET_HTTP,
    NET_HTTPS,
    NET_HTTP_ALL,
};

enum net_host {
    NET_ANY,   /* * */
    NET_RANGE, /* an address, or a range of them */
    NET_NAME,  /* a name */
    NET_BELOW, /* names below it */
};

enum { NET_IPV4 = 4, NET_IPV6 = 6 };

/* A port and an address, in network order; IPv4 takes the first four bytes. */
struct net_address {
    uint8_t family; /* NET_IPV4, NET_IPV6 */
    uint16_t port;
    uint8_t bytes[16];
    uint32_t scope; /* of IPv6 */
    uint32_t flow;
};

#define NET_NAME_MAX 253 /* bytes of a name (RFC 1035, 2.3.4), without the dot at its end */
#define NET_TEXT_MAX 320 /* bytes of an address or a name with a port, as text, with its NUL */

struct net_rule {
    const char *text; /* as the operator wrote it; theirs */
    enum net_use use;
    enum net_host host;
    uint8_t family; /* of NET_RANGE, as the two that follow */
    uint8_t bits;
    uint8_t bytes[16];
    char name[NET_NAME_MAX + 1]; /* of NET_NAME and NET_BELOW, in small letters */
    uint16_t first_port;
    uint16_t last_port;
};

/* Where an HTTP request goes. */
struct net_origin {
    bool secure;
    struct str name;            /* of the host; empty: it is the address itself */
    struct net_address address; /* with the port, which also a name has */
};

/* Reads what was given to --net, to --http, which must outlive the rule. Errors: USAGE. */
int net_rule_read(const char *text, struct net_rule *ret, struct err *err);
int net_origin_rule_read(const char *text, struct net_rule *ret, struct err *err);

/* What the rule lets a component do. */
capability_set net_rule_gives(const struct net_rule *rule);

/* Does the rule let a component use this address so? An address of the host's own, which is what is
 * listened at, may be covered by `*` whatever it is. */
bool net_rule_covers(const struct net_rule *rule, enum net_use use,
                     const struct net_address *address);

/* The same of a rule that denies: `*` then covers every address, and `all` everything. */
bool net_rule_denies(const struct net_rule *rule, enum net_use use,
                     const struct net_address *address);

/* The same of an address that a socket of the host's is bound to. One bound to 0.0.0.0 or :: is at
 * every address of its family, and so at those that the rule denies. (Sockets here are of one
 * family: IPV6_V6ONLY.) */
bool net_rule_denies_local(const struct net_rule *rule, enum net_use use,
                           const struct net_address *local);

/* Is the rule for this use, and does it give this name? (For NET_LOOKUP: may the name be looked
 * up?) Letters of either size are the same. */
bool net_rule_names(const struct net_rule *rule, enum net_use use, struct str name);

/* The address and port to listen at that a text is: 127.0.0.1:80, [::1]:80, or *:80 for every IPv4
 * address. False if it is none. */
bool net_listen_address(const char *text, struct net_address *ret);

/* The one address and port that the rule is about; false if there are more, or none. */
bool net_rule_address(const struct net_rule *rule, struct net_address *ret);

/* Is the rule of --http, and does it give this origin? Which addresses a name may lead to is
 * another question. */
bool net_rule_gives_origin(const struct net_rule *rule, const struct net_origin *origin);

/* Does it let a request to a name go to whatever public address that has? (Else only to those that
 * a look-up gave to the name.) */
static inline bool net_rule_any_host(const struct net_rule *rule)
{
    return rule->host == NET_ANY;
}

/* The origin as rules write it: "https://api.example.com", "http://127.0.0.1:8080". */
const char *net_origin_text(const struct net_origin *origin, char ret[NET_TEXT_MAX]);

/* Is the port one of the rule's? */
bool net_rule_has_port(const struct net_rule *rule, uint16_t port);

/* Is the address in one of the ranges that are not public? */
bool net_address_special(const struct net_address *address);

/* Is it 0.0.0.0 or ::? */
bool net_address_unspecified(const struct net_address *address);

/* Is it an IPv6 address that stands for one of IPv4? */
bool net_address_mapped(const struct net_address *address);

/* The address and its port, as rules write them: "127.0.0.1:80", "[::1]:80". */
const char *net_address_text(const struct net_address *address, char ret[NET_TEXT_MAX]);

/* The address alone: "127.0.0.1", "::1". */
struct str net_address_bare(const struct net_address *address, char ret[NET_TEXT_MAX]);

/* The name without the dot that may end it. */
struct str net_name_bare(struct str name);

/* Is it a host name (RFC 1123, 2.1; also with the underscores that many have)? */
bool net_name_valid(struct str name);

#endif
