/* What this host's own files say about names: /etc/hosts and /etc/resolv.conf. They are the
 * operator's, so they are trusted as flags are, and read here; an answer from the network never is.
 * An address that /etc/hosts gives to a name counts as named with it, loopback too. */
#ifndef CARREL_SHIM_HOSTS_H
#define CARREL_SHIM_HOSTS_H

#include "policies/net.h"

#define HOSTS_ADDRESSES 32 /* of one name; as in protocol.def */
#define HOSTS_SERVERS   3  /* nameservers that are asked, as resolv.conf(5) has it */

struct hosts_addresses {
    size_t count;
    struct net_address at[HOSTS_ADDRESSES];
};

/* The addresses of a name that is known here: from the file `path` ("/etc/hosts"), and of localhost
 * and what is below it the loopback addresses (RFC 6761, 6.3). Leaves *ret empty if there are none.
 */
void hosts_find(const char *path, struct str name, struct hosts_addresses *ret);

/* The nameservers of the file `path` ("/etc/resolv.conf"), with their port; this host itself if it
 * names none. */
void hosts_servers(const char *path, struct hosts_addresses *ret);

#endif
