/* Answering what cells ask of the network; see network.h. A cell may be owned: every field of a
 * message is checked here as if the engine had checked nothing.
 *
 * What enters a cell is a TCP socket that listens, is connected, or is on its way to one peer, and
 * so will never be used for another: connecting is in no filter, and a socket whose connection
 * failed can send nothing.
 *
 * A UDP socket enters a cell too, and the shim keeps it as well. Connected to a peer that the
 * policy gives, it sends by itself, to nobody else. Unconnected, the kernel lets it receive only:
 * without an address sendto fails, and calls that take one are in no filter, since no filter could
 * see it. So each datagram with an address of its own comes here (ASK_SEND), is looked up in the
 * policy, and is sent from the same socket. Sockets connected to one peer each, all bound to the
 * same port, would spare that way; but they need SO_REUSEPORT, which shares the port with whoever
 * has the same user id, take the peer's datagrams away from the one that is read, and are as many
 * as there are peers. Whoever sends many datagrams to one peer says so in `stream`, and pays
 * nothing. A socket whose port the kernel chose receives from whoever knows the port, as anywhere.
 */
#include "shim/network.h"
#include "shim/cleanup.h"
#include "shim/hosts.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG_MAX 4096
#define SECOND      UINT64_C(1000000000)

void network_start(struct network *network)
{
    network->granted = 0;
    network->uses = NULL;
    network->rule_count = 0;
    network->denied_count = 0;
    denials_start(&network->denials);
    network->refilled = 0;
    network->tokens = 0;
    network->lookup_count = 0;
    network->secure_count = 0;
    network->speaks_tls = false;
    network->known_count = 0;
    network->places = 0;
    network->asker = 0;
}

void network_open(struct network *network, const struct plan *plan, const char *file,
                  const struct audit_log *log)
{
    network_start(network);
    network->denials.file = file;
    network->denials.log = log;
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation *operation = &plan->at[i];
        if (operation->kind == OPERATION_GRANTED)
            network->granted = operation->of.granted.capabilities;
        else if (operation->kind == OPERATION_DENIED)
            network->denials.denied = operation->of.denied.capabilities;
        else if (operation->kind == OPERATION_NET_RULE && network->rule_count < NETWORK_RULES)
            network->rules[network->rule_count++] = operation->of.net_rule.rule;
        else if (operation->kind == OPERATION_NET_DENIAL)
            network->denied[network->denied_count++] = operation->of.net_denial.rule;
        else
            denials_note(&network->denials, operation);
    }
}

void network_forget(struct network *network, uint32_t asker)
{
    for (size_t i = 0; i < network->places; i++)
        if (network->sockets[i].fd >= 0 && network->sockets[i].asker == asker)
            close(take_fd(&network->sockets[i].fd));
}

void network_close(struct network *network)
{
    for (size_t i = 0; i < network->places; i++)
        if (network->sockets[i].fd >= 0)
            close(take_fd(&network->sockets[i].fd));
    for (size_t i = 0; i < network->lookup_count; i++)
        close(take_fd(&network->lookups[i].pipe));
    network->lookup_count = 0;
    while (network->secure_count > 0)
        network_secured(network);
}

/* --- The policy ---------------------------------------------------------------------------------
 */

/* What a use needs besides a rule: a rule may be for more than was granted. `all` is for
 * everything, and a policy that denies a capability denies it whatever its rules say. */
static const enum capability needs[] = {
    [NET_CONNECT] = CAP_NET_TCP_CONNECT, [NET_LISTEN] = CAP_NET_TCP_LISTEN,
    [NET_DATAGRAMS] = CAP_NET_UDP,       [NET_LOOKUP] = CAP_NET_DNS,
    [NET_HTTP] = CAP_HTTP_OUT,
};

static bool granted(const struct network *network, enum capability capability)
{
    return capability_in(network->granted, capability);
}

/* Why a use is refused that no rule of a `deny` forbids. */
static enum denied_why why_not(const struct network *network, enum net_use use)
{
    return granted(network, needs[use]) ? DENIED_NO_RULE : DENIED_NOT_GRANTED;
}

/* Is there a rule for this use at all? */
static bool may(const struct network *network, enum net_use use)
{
    for (size_t i = 0; i < network->rule_count; i++)
        if (network->rules[i]->use == use || network->rules[i]->use == NET_ALL)
            return true;
    return false;
}

/* The rule whose name a look-up gave this address to; NULL if there is none. */
static const struct net_rule *known_by_name(const struct network *network, enum net_use use,
                                            const struct net_address *address)
{
    for (size_t i = 0; i < network->known_count && i < NETWORK_KNOWN; i++) {
        const struct network_known *known = &network->known[i];
        if (known->rule->use == use && net_rule_has_port(known->rule, address->port) &&
            known->address.family == address->family &&
            memcmp(known->address.bytes, address->bytes, sizeof address->bytes) == 0)
            return known->rule;
    }
    return NULL;
}

/* The rule that takes this away from everybody; NULL if none does. */
static const struct net_rule *denying(const struct network *network, enum net_use use,
                                      const struct net_address *address)
{
    for (size_t i = 0; i < network->denied_count; i++)
        if (net_rule_denies(network->denied[i], use, address))
            return network->denied[i];
    return NULL;
}

static void note_use(const struct network *network, const struct net_rule *by, const char *word,
                     struct str what)
{
    struct network_uses *uses = network->uses;
    if (!uses || uses->count == countof(uses->at))
        return;
    struct network_use *next = &uses->at[uses->count];
    snprintf(next->text, sizeof next->text, "%s%.*s", word, (int)what.len, what.at);
    next->by = by;
    for (size_t i = 0; i < uses->count; i++)
        if (strcmp(uses->at[i].text, next->text) == 0 && uses->at[i].by == by)
            return;
    uses->count++;
}

/* Did the kernel choose this port for a socket of the cell? It will choose another one next time.
 */
static bool port_by_chance(const struct network *network, uint16_t port)
{
    for (size_t i = 0; i < network->places; i++)
        if (network->sockets[i].bound && network->sockets[i].asked.port == 0 &&
            network->sockets[i].local.port == port)
            return true;
    return false;
}

/* An address that a rule covers, or the rule itself if it does so by a name. */
static void note_address(const struct network *network, enum net_use use,
                         const struct net_address *address, const struct net_rule *by)
{
    static const char *const words[] = {
        [NET_CONNECT] = "connect=", [NET_LISTEN] = "listen=", [NET_DATAGRAMS] = "udp="};
    char text[NET_TEXT_MAX];
    if (by->host == NET_NAME || by->host == NET_BELOW) {
        note_use(network, by, "", str_of(by->text));
        return;
    }
    net_address_text(address, text);
    if (port_by_chance(network, address->port) || (use == NET_DATAGRAMS && address->port == 0))
        strcpy(strrchr(text, ':') + 1, "*");
    note_use(network, by, words[use], str_of(text));
}

/* A look-up; of a rule that gives more than that, the rule. */
static void note_lookup(const struct network *network, struct str name, const struct net_rule *by)
{
    if (by->use == NET_CONNECT || by->use == NET_DATAGRAMS)
        note_use(network, by, "", str_of(by->text));
    else
        note_use(network, by, "dns=", name);
}

/* The one that takes away being bound to this address; NULL if none does. */
static const struct net_rule *denying_local(const struct network *network, enum net_use use,
                                            const struct net_address *local)
{
    for (size_t i = 0; i < network->denied_count; i++)
        if (net_rule_denies_local(network->denied[i], use, local))
            return network->denied[i];
    return NULL;
}

static bool covered(const struct network *network, enum net_use use,
                    const struct net_address *address)
{
    if (!granted(network, needs[use]) || denying(network, use, address))
        return false;
    const struct net_rule *by = NULL;
    for (size_t i = 0; i < network->rule_count && !by; i++)
        if (net_rule_covers(network->rules[i], use, address))
            by = network->rules[i];
    if (!by)
        by = known_by_name(network, use, address);
    if (by)
        note_address(network, use, address, by);
    return by;
}

/* Says no, and why: `by` is the rule that denies it, or NULL. */
static int deny_by(struct network *network, enum row row, enum net_use use,
                   const struct net_address *address, const struct net_rule *by)
{
    const struct denied_subject subject = {.capability = needs[use],
                                           .address = address,
                                           .by = by,
                                           .any_port = port_by_chance(network, address->port)};
    denial_tell(&network->denials, row, &subject, why_not(network, use));
    return -EACCES;
}

static int deny(struct network *network, enum row row, enum net_use use,
                const struct net_address *address)
{
    return deny_by(network, row, use, address, denying(network, use, address));
}

static int deny_origin(struct network *network, const struct net_origin *origin, bool astray,
                       const struct net_rule *by)
{
    const struct denied_subject subject = {
        .capability = CAP_HTTP_OUT, .origin = origin, .leads_astray = astray, .by = by};
    denial_tell(&network->denials, ROW_http_outgoing_handle, &subject, why_not(network, NET_HTTP));
    return astray ? -EPERM : -EACCES;
}

static int deny_secure(struct network *network, const struct net_origin *origin)
{
    const struct denied_subject subject = {
        .capability = CAP_HTTP_OUT, .origin = origin, .unspoken = true};
    denial_tell(&network->denials, ROW_http_outgoing_handle, &subject, DENIED_NO_RULE);
    return -EPROTONOSUPPORT;
}

static int deny_name(struct network *network, struct str name, const struct net_rule *by)
{
    const struct denied_subject subject = {.capability = CAP_NET_DNS, .name = name, .by = by};
    denial_tell(&network->denials, ROW_resolve_addresses, &subject, why_not(network, NET_LOOKUP));
    return -EACCES;
}

/* No rule can be evaded by writing an IPv4 address as one of IPv6, and 0.0.0.0 is no destination.
 */
static int check_destination(const struct network_socket *of, const struct net_address *to)
{
    if (to->family != of->family || net_address_mapped(to) || net_address_unspecified(to) ||
        to->port == 0)
        return -EINVAL;
    return 0;
}

/* --- Questions ----------------------------------------------------------------------------------
 * Each gives 0 or a negated errno, and fills in what else the answer holds. */

static struct network_socket *socket_of(struct network *network, uint32_t number, uint32_t protocol)
{
    if (number >= network->places || network->sockets[number].fd < 0 ||
        network->sockets[number].asker != network->asker ||
        network->sockets[number].protocol != protocol)
        return NULL;
    return &network->sockets[number];
}

static struct network_socket *any_socket(struct network *network, uint32_t number)
{
    struct network_socket *of = socket_of(network, number, PROTOCOL_TCP);
    return of ? of : socket_of(network, number, PROTOCOL_UDP);
}

static int on_socket(struct network *network, const struct message_ask_socket *ask,
                     struct network_answer *answer)
{
    bool tcp = ask->protocol == PROTOCOL_TCP;
    if ((!tcp && ask->protocol != PROTOCOL_UDP) ||
        (ask->family != PROTOCOL_IPV4 && ask->family != PROTOCOL_IPV6))
        return -EINVAL;
    if (tcp ? !may(network, NET_CONNECT) && !may(network, NET_LISTEN)
            : !may(network, NET_DATAGRAMS))
        return -EACCES;
    if (!granted(network, tcp ? CAP_NET_TCP : CAP_NET_UDP))
        return -EACCES;
    uint32_t number = 0;
    while (number < network->places && network->sockets[number].fd >= 0)
        number++;
    if (number == PROTOCOL_SOCKETS)
        return -EMFILE;
    uint8_t family = (uint8_t)ask->family;
    int fd = socket_make(ask->protocol, family);
    if (fd < 0)
        return fd;
    network->sockets[number] = (struct network_socket){
        .fd = fd, .asker = network->asker, .protocol = ask->protocol, .family = family};
    if (number == network->places)
        network->places++;
    answer->message.socket = number;
    socket_values(fd, family, answer->message.values);
    return 0;
}

static int on_option(struct network *network, const struct message_ask_option *ask,
                     struct network_answer *answer)
{
    const struct network_socket *of = any_socket(network, ask->socket);
    if (!of || ask->option >= SOCKET_OPTIONS)
        return -EINVAL;
    int error = socket_set(of->fd, of->family, (enum socket_option)ask->option, ask->value);
    socket_values(of->fd, of->family, answer->message.values);
    return error;
}

/* A port that the kernel chooses opens nothing by itself: what is bound so is still only connected,
 * or made to listen, as the policy has it. So a rule that denies some addresses does not keep a
 * client from 0.0.0.0:0, though a server from 0.0.0.0:80. */
static const struct net_rule *denying_bind(const struct network *network, enum net_use use,
                                           const struct net_address *address)
{
    return address->port == 0 ? denying(network, use, address)
                              : denying_local(network, use, address);
}

static bool may_bind(const struct network *network, enum net_use use,
                     const struct net_address *address)
{
    if (denying_bind(network, use, address))
        return false;
    return covered(network, use, address) ||
           (address->port == 0 && may(network, use == NET_LISTEN ? NET_CONNECT : NET_DATAGRAMS));
}

static int on_bind(struct network *network, const struct message_ask_bind *ask,
                   struct network_answer *answer)
{
    struct network_socket *of = any_socket(network, ask->socket);
    struct net_address address;
    if (!of || of->bound || !socket_address_from(&ask->address, &address) ||
        address.family != of->family || net_address_mapped(&address))
        return -EINVAL;
    bool tcp = of->protocol == PROTOCOL_TCP;
    enum net_use use = tcp ? NET_LISTEN : NET_DATAGRAMS;
    if (!may_bind(network, use, &address))
        return deny_by(network, tcp ? ROW_tcp_socket_start_bind : ROW_udp_socket_start_bind, use,
                       &address, denying_bind(network, use, &address));
    int error = socket_bind(of->fd, &address);
    if (error < 0)
        return error;
    of->bound = true;
    of->asked = of->local = address;
    socket_local(of->fd, &of->local);
    answer->message.local = socket_address_to(&of->local);
    return 0;
}

static int on_listen(struct network *network, const struct message_ask_listen *ask,
                     struct network_answer *answer)
{
    struct network_socket *of = socket_of(network, ask->socket, PROTOCOL_TCP);
    if (!of || !of->bound)
        return -EINVAL;
    /* Rules give what was asked for; what they deny is what came of it. */
    const struct net_rule *by = denying_local(network, NET_LISTEN, &of->local);
    if (by || !covered(network, NET_LISTEN, &of->asked))
        return deny_by(network, ROW_tcp_socket_start_listen, NET_LISTEN, &of->asked,
                       by ? by : denying(network, NET_LISTEN, &of->asked));
    if (listen(of->fd, ask->backlog < BACKLOG_MAX ? (int)ask->backlog : BACKLOG_MAX))
        return -errno;
    answer->fd = take_fd(&of->fd);
    return 0;
}

static int on_connect(struct network *network, const struct message_ask_connect *ask,
                      struct network_answer *answer)
{
    struct network_socket *of = socket_of(network, ask->socket, PROTOCOL_TCP);
    struct net_address to;
    if (!of || !socket_address_from(&ask->address, &to))
        return -EINVAL;
    int error = check_destination(of, &to);
    if (error < 0)
        return error;
    if (!covered(network, NET_CONNECT, &to))
        return deny(network, ROW_tcp_socket_start_connect, NET_CONNECT, &to);
    error = socket_connect(of->fd, &to);
    if (error < 0)
        return error;
    if (socket_local(of->fd, &of->local))
        answer->message.local = socket_address_to(&of->local);
    answer->fd = take_fd(&of->fd);
    return 0;
}

static int on_stream(struct network *network, const struct message_ask_stream *ask,
                     struct network_answer *answer)
{
    struct network_socket *of = socket_of(network, ask->socket, PROTOCOL_UDP);
    struct net_address to = {.family = 0}, local;
    if (!of || !of->bound || (ask->address.family && !socket_address_from(&ask->address, &to)))
        return -EINVAL;
    int error = to.family ? check_destination(of, &to) : 0;
    if (error == 0 && to.family && !covered(network, NET_DATAGRAMS, &to))
        error = deny(network, ROW_udp_socket_stream, NET_DATAGRAMS, &to);
    if (error == 0 && of->connected)
        error = socket_disconnect(of->fd, &of->local);
    if (error == 0 && to.family)
        error = socket_connect(of->fd, &to);
    if (error < 0)
        return error;
    of->connected = to.family != 0;
    if (socket_local(of->fd, &local))
        answer->message.local = socket_address_to(&local);
    if (!of->given)
        answer->fd = fcntl(of->fd, F_DUPFD_CLOEXEC, 0);
    of->given = of->given || answer->fd >= 0;
    return of->given ? 0 : -EMFILE;
}

static int on_send(struct network *network, const struct message_ask_send *ask, size_t size)
{
    const struct network_socket *of = socket_of(network, ask->socket, PROTOCOL_UDP);
    struct net_address to;
    if (!of || !of->bound || !socket_address_from(&ask->address, &to))
        return -EINVAL;
    int error = of->connected ? -EISCONN : check_destination(of, &to);
    if (error < 0)
        return error;
    if (!covered(network, NET_DATAGRAMS, &to))
        return deny(network, ROW_outgoing_datagram_stream_send, NET_DATAGRAMS, &to);
    return socket_send(of->fd, ask->data, size - offsetof(struct message_ask_send, data), &to);
}

/* --- Names --------------------------------------------------------------------------------------
 */

/* Does a rule of --http have this host by name, whatever the port? */
static bool sends_to(const struct net_rule *rule, struct str name)
{
    const struct net_origin origin = {
        .secure = rule->use == NET_HTTPS, .name = name, .address = {.port = rule->first_port}};
    return net_rule_gives_origin(rule, &origin);
}

/* The address becomes one that may be used as the name may. */
static void learn(struct network *network, struct str name, const struct net_address *address)
{
    for (size_t i = 0; i < network->rule_count; i++) {
        const struct net_rule *rule = network->rules[i];
        bool uses = rule->use == NET_CONNECT || rule->use == NET_DATAGRAMS;
        if (!(uses && net_rule_names(rule, NET_LOOKUP, name)) && !sends_to(rule, name))
            continue;
        network->known[network->known_count++ % NETWORK_KNOWN] =
            (struct network_known){*address, rule};
    }
}

/* What a nameserver says of private addresses opens none; what the host's own file says does. */
static void deliver(struct network *network, int to, struct str name,
                    const struct hosts_addresses *found, uint32_t error, bool ours)
{
    struct record_names names = {.error = error};
    for (size_t i = 0; i < found->count; i++) {
        names.at[names.count++] = socket_address_to(&found->at[i]);
        if (ours || !net_address_special(&found->at[i]))
            learn(network, name, &found->at[i]);
    }
    /* A pipe has room for this much, and if nobody reads it any more that is the cell's choice. */
    if (write(to, &names, sizeof names) < 0)
        return;
}

/* Begins to look up a name that may be looked up. */
static int look_up(struct network *network, struct str name, struct network_answer *answer)
{
    struct hosts_addresses found;
    int pipe[2];
    if (network->lookup_count == PROTOCOL_LOOKUPS)
        return -ENOBUFS;
    if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK))
        return -errno;
    answer->fd = pipe[0];
    hosts_find("/etc/hosts", name, &found);
    if (found.count > 0) {
        deliver(network, pipe[1], name, &found, 0, /*ours=*/true);
        close(pipe[1]);
        return 0;
    }
    struct network_lookup *lookup = &network->lookups[network->lookup_count++];
    lookup->pipe = pipe[1];
    snprintf(lookup->name, sizeof lookup->name, "%.*s", (int)name.len, name.at);
    return 0;
}

/* The rule of a policy's `deny` that keeps the name from being looked up, or NULL. */
static const struct net_rule *denied_name(const struct network *network, struct str name)
{
    for (size_t i = 0; i < network->denied_count; i++)
        if (net_rule_names(network->denied[i], NET_LOOKUP, name))
            return network->denied[i];
    return NULL;
}

static int on_lookup(struct network *network, const struct message_ask_lookup *ask,
                     struct network_answer *answer)
{
    const struct str name = {ask->name, ask->size};
    const struct net_rule *given = NULL;
    if (ask->size > sizeof ask->name || !net_name_valid(net_name_bare(name)))
        return -EINVAL;
    for (size_t i = 0; granted(network, CAP_NET_DNS) && !given && i < network->rule_count; i++)
        if (net_rule_names(network->rules[i], NET_LOOKUP, name))
            given = network->rules[i];
    const struct net_rule *by = denied_name(network, name);
    if (!given || by)
        return deny_name(network, name, by);
    note_lookup(network, net_name_bare(name), given);
    return look_up(network, name, answer);
}

const char *network_lookup(const struct network *network)
{
    return network->lookup_count > 0 ? network->lookups[0].name : NULL;
}

void network_resolved(struct network *network, const struct message_resolved *resolved)
{
    struct hosts_addresses found = {.count = 0};
    if (network->lookup_count == 0)
        return;
    struct network_lookup *first = &network->lookups[0];
    for (size_t i = 0; i < resolved->count && i < HOSTS_ADDRESSES; i++)
        if (socket_address_from(&resolved->addresses[i], &found.at[found.count]) &&
            !net_address_mapped(&found.at[found.count])) {
            found.at[found.count].port = 0;
            found.at[found.count].scope = 0;
            found.count++;
        }
    uint32_t error = found.count > 0 ? 0 : resolved->error ? resolved->error : ENOENT;
    deliver(network, first->pipe, str_of(first->name), &found, error, /*ours=*/false);
    close(take_fd(&first->pipe));
    network->lookup_count--;
    memmove(first, first + 1, network->lookup_count * sizeof *first);
}

/* --- HTTP requests ------------------------------------------------------------------------------
 */

/* May a request to this origin go to its address? To that of a name only if a look-up gave it, or
 * if any public one is given. */
static bool leads_right(const struct network *network, const struct net_rule *rule,
                        const struct net_origin *origin)
{
    const struct net_address *to = &origin->address;
    if (!origin->name.len)
        return true;
    if (net_rule_any_host(rule))
        return !net_address_special(to);
    for (size_t i = 0; i < network->known_count && i < NETWORK_KNOWN; i++) {
        const struct network_known *known = &network->known[i];
        if (known->rule == rule && known->address.family == to->family &&
            memcmp(known->address.bytes, to->bytes, sizeof to->bytes) == 0)
            return true;
    }
    return false;
}

/* What the message says, or a negated errno. */
static int read_origin(const struct message_ask_http *ask, bool looks, struct net_origin *ret)
{
    *ret = (struct net_origin){.secure = ask->secure != 0, .name = {ask->name, ask->size}};
    if (ask->secure > 1 || ask->size > sizeof ask->name ||
        (ask->size && !net_name_valid(net_name_bare(ret->name))))
        return -EINVAL;
    if (looks) {
        ret->address.port = ask->address.port;
        return ask->size && ask->address.port ? 0 : -EINVAL;
    }
    if (!socket_address_from(&ask->address, &ret->address))
        return -EINVAL;
    const struct network_socket of = {.family = ret->address.family};
    return check_destination(&of, &ret->address);
}

/* The rule of a policy's `deny` that keeps a request from this origin, or NULL. */
static const struct net_rule *denied_origin(const struct network *network,
                                            const struct net_origin *origin, bool looks)
{
    const struct net_rule *by = origin->name.len ? denied_name(network, origin->name) : NULL;
    const struct net_origin nameless = {.secure = origin->secure, .address = origin->address};
    for (size_t i = 0; !by && i < network->denied_count; i++)
        if (net_rule_gives_origin(network->denied[i], origin) ||
            (!looks && net_rule_gives_origin(network->denied[i], &nameless)))
            by = network->denied[i];
    return by || looks ? by : denying(network, NET_CONNECT, &origin->address);
}

/* The cell gets a socket of which whoever speaks TLS gets the other end. */
static int secure(struct network *network, int *server, const struct net_origin *origin,
                  struct network_answer *answer)
{
    int pair[2];
    if (network->secure_count == NETWORK_SECURES)
        return -ENOBUFS;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
        return -errno;
    struct network_secure *next = &network->secures[network->secure_count++];
    *next = (struct network_secure){
        .server = take_fd(server), .client = pair[1], .message = {.kind = MESSAGE_SECURE}};
    struct str name = net_name_bare(origin->name);
    char text[NET_TEXT_MAX];
    if (!name.len) {
        next->message.literal = 1;
        name = net_address_bare(&origin->address, text);
    }
    next->message.size = (uint32_t)name.len;
    memcpy(next->message.name, name.at, name.len);
    answer->fd = pair[0];
    return 0;
}

const struct network_secure *network_next_secure(const struct network *network)
{
    return network->secure_count > 0 ? &network->secures[0] : NULL;
}

void network_secured(struct network *network)
{
    struct network_secure *first = &network->secures[0];
    close(take_fd(&first->server));
    close(take_fd(&first->client));
    network->secure_count--;
    memmove(first, first + 1, network->secure_count * sizeof *first);
}

static int on_http(struct network *network, const struct message_ask_http *ask,
                   struct network_answer *answer)
{
    struct net_origin origin;
    const struct net_rule *given = NULL, *right = NULL;
    bool looks = ask->address.family == 0;
    int error = read_origin(ask, looks, &origin);
    if (error < 0)
        return error;
    for (size_t i = 0; granted(network, CAP_HTTP_OUT) && i < network->rule_count; i++) {
        if (!net_rule_gives_origin(network->rules[i], &origin))
            continue;
        given = network->rules[i];
        if (leads_right(network, given, &origin))
            right = given;
    }
    const struct net_rule *by = denied_origin(network, &origin, looks);
    if (!given || by)
        return deny_origin(network, &origin, /*astray=*/false, by);
    if (looks)
        return look_up(network, origin.name, answer);
    if (!right)
        return deny_origin(network, &origin, /*astray=*/true, NULL);
    char text[NET_TEXT_MAX];
    note_use(network, right, "", str_of(net_origin_text(&origin, text)));
    if (origin.secure && !network->speaks_tls)
        return deny_secure(network, &origin);
    cleanup_close int fd = socket_make(PROTOCOL_TCP, origin.address.family);
    if (fd < 0)
        return fd;
    error = socket_connect(fd, &origin.address);
    if (error < 0)
        return error;
    if (origin.secure)
        return secure(network, &fd, &origin, answer);
    answer->fd = take_fd(&fd);
    return 0;
}

static int on_release(struct network *network, const struct message_ask_release *ask)
{
    struct network_socket *of = any_socket(network, ask->socket);
    if (!of)
        return -EINVAL;
    close(take_fd(&of->fd));
    return 0;
}

/* --- Answers ------------------------------------------------------------------------------------
 */

bool network_asks(uint32_t kind)
{
    return kind >= MESSAGE_ASK_SOCKET && kind <= MESSAGE_ASK_LOOKUP;
}

void network_charge(struct network *network, int32_t cost)
{
    network->tokens -= cost;
}

struct network_answer network_no_answer(void)
{
    return (struct network_answer){
        .message = {.kind = MESSAGE_ANSWER, .socket = PROTOCOL_NO_SOCKET}, .fd = -1};
}

void network_answer(struct network *network, const union message *message, size_t size,
                    uint64_t now, struct network_answer *ret)
{
    int error = -EINVAL;
    *ret = network_no_answer();
    network_pause(network, now);
    network_charge(network, message->kind == MESSAGE_ASK_SEND ? 1 : PROTOCOL_COST);
    switch (message->kind) {
    case MESSAGE_ASK_SOCKET: error = on_socket(network, &message->ask_socket, ret); break;
    case MESSAGE_ASK_OPTION: error = on_option(network, &message->ask_option, ret); break;
    case MESSAGE_ASK_BIND: error = on_bind(network, &message->ask_bind, ret); break;
    case MESSAGE_ASK_LISTEN: error = on_listen(network, &message->ask_listen, ret); break;
    case MESSAGE_ASK_CONNECT: error = on_connect(network, &message->ask_connect, ret); break;
    case MESSAGE_ASK_STREAM: error = on_stream(network, &message->ask_stream, ret); break;
    case MESSAGE_ASK_SEND: error = on_send(network, &message->ask_send, size); break;
    case MESSAGE_ASK_HTTP: error = on_http(network, &message->ask_http, ret); break;
    case MESSAGE_ASK_LOOKUP: error = on_lookup(network, &message->ask_lookup, ret); break;
    case MESSAGE_ASK_RELEASE: error = on_release(network, &message->ask_release); break;
    default: break;
    }
    ret->message.error = (uint32_t)-error;
}

int network_send(int socket, struct network_answer *answer)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    cleanup_close int passed = take_fd(&answer->fd);
    struct iovec part = {&answer->message, sizeof answer->message};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        control.header = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(&control.header), &passed, sizeof(int));
        packet.msg_control = control.bytes;
        packet.msg_controllen = sizeof control.bytes;
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    /* A cell that is dying needs no answer. */
    return sent >= 0 || errno == EPIPE || errno == ECONNRESET ? 0 : errno;
}

void network_denied(struct network *network, const struct message_denied *denied)
{
    struct net_address address;
    struct denied_subject subject = {.address = NULL};
    struct net_origin origin = {.secure = denied->address.scope == 1};
    if (denied->row >= ROW_COUNT ||
        (denied->capability >= CAP_COUNT && denied->capability != PROTOCOL_OWN_CAPABILITY))
        return;
    subject.capability = denied->capability == PROTOCOL_OWN_CAPABILITY
                             ? row_infos[denied->row].capability
                             : (enum capability)denied->capability;
    if (denied->row == ROW_http_outgoing_handle && denied->name_size <= sizeof denied->name) {
        origin.name = (struct str){denied->name, denied->name_size};
        origin.address.port = denied->address.port;
        subject.origin = &origin;
    } else if (socket_address_from(&denied->address, &address))
        subject.address = &address;
    else if (denied->name_size <= sizeof denied->name)
        subject.name = (struct str){denied->name, denied->name_size};
    subject.directory = denials_directory(&network->denials, denied->grant);
    subject.leaves = denied->leaves;
    denial_tell(&network->denials, (enum row)denied->row, &subject, DENIED_NOT_GRANTED);
}

/* Whoever may ask may ask anything, so nobody is listened to who cannot pay for the dearest
 * question; the few messages that are taken without a look in between may leave a debt. */
uint64_t network_pause(struct network *network, uint64_t now)
{
    const uint64_t each = SECOND / PROTOCOL_RATE;
    uint64_t gained = (now - network->refilled) / each;
    if (gained >= (uint64_t)(PROTOCOL_BURST - network->tokens)) {
        network->tokens = PROTOCOL_BURST;
        network->refilled = now;
    } else {
        network->tokens += (int32_t)gained;
        network->refilled += gained * each;
    }
    int32_t missing = PROTOCOL_COST - network->tokens;
    return missing <= 0 ? 0 : network->refilled + (uint64_t)missing * each - now;
}
