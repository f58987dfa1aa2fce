/* The network of one cell, as the shim keeps it: the rules of its policy, the sockets that are
 * being made for it, and how often it asks. The cell's own net namespace is empty; whatever it
 * sends or receives goes through a socket that was made here, after the policy was asked. */
#ifndef CARREL_SHIM_NETWORK_H
#define CARREL_SHIM_NETWORK_H

#include "shim/denial.h"
#include "shim/socket.h"

/* A socket that the cell does not hold yet, or that it needs the shim for. */
struct network_socket {
    int fd;         /* -1: the place is free */
    uint32_t asker; /* who had it made, and nobody else may use it */
    uint32_t protocol;
    uint8_t family;
    bool bound;
    bool given;               /* of UDP: the cell has it, too */
    bool connected;           /* of UDP: to a peer */
    struct net_address asked; /* what it was bound to: the port may be 0 */
    struct net_address local; /* where it was found to be */
};

/* A name that is looked up. */
struct network_lookup {
    int pipe; /* where the answer goes */
    char name[PROTOCOL_NAME + 1];
};

/* A connection that waits for the cell that speaks TLS. Both descriptors are owned. */
struct network_secure {
    int server; /* the TCP socket */
    int client; /* the other end of what the component's cell has */
    struct message_secure message;
};

#define NETWORK_SECURES 64 /* that wait */

/* An address that a look-up gave to a name, and the rule that covers it therefore. */
struct network_known {
    struct net_address address; /* without a port */
    const struct net_rule *rule;
};

#define NETWORK_KNOWN 256 /* the latest */
#define NETWORK_RULES 512

/* What the network was used for, each use once, and the rule that allowed it. */
struct network_use {
    char text[NET_TEXT_MAX + 16]; /* as a rule of --net or an origin of --http would say it */
    const struct net_rule *by;
};

struct network_uses {
    size_t count;
    struct network_use at[64]; /* what comes after these is not kept */
    size_t denied;             /* distinct causes for which something was refused */
};

/* What is set before anything happens is together, before the rooms: most cells ask nothing of the
 * network, and pages that nobody touches cost nothing. */
struct network {
    capability_set granted;    /* what no rule replaces */
    struct network_uses *uses; /* where that is noted; or NULL */
    size_t rule_count;
    size_t denied_count;
    size_t places; /* of `sockets`, those that were ever used */
    size_t lookup_count;
    size_t secure_count;
    size_t known_count; /* ever */
    uint32_t
        asker; /* whose question is being answered: 0 is the cell, else a line's number and 1 */
    bool speaks_tls;   /* there is somebody who takes `secures` */
    int32_t tokens;    /* what the cell may ask now, in units of PROTOCOL_RATE; below 0: too much */
    uint64_t refilled; /* when `tokens` were right, as cell_now */
    struct denials denials;
    const struct net_rule *rules[NETWORK_RULES];
    const struct net_rule *denied[PLAN_MAX]; /* room for all: to forget one would open something */
    struct network_socket sockets[PROTOCOL_SOCKETS];
    struct network_lookup lookups[PROTOCOL_LOOKUPS]; /* the first is being looked up */
    struct network_secure secures[NETWORK_SECURES];
    struct network_known known[NETWORK_KNOWN];
};

/* An answer on its way. */
struct network_answer {
    struct message_answer message;
    int fd; /* goes with it; owned. -1: none */
};

/* No network yet, holding nothing. */
void network_start(struct network *network);

/* The network that `plan` gives; `file` is the component's name, `log` where denials are told. All
 * live as long as the cell. */
void network_open(struct network *network, const struct plan *plan, const char *file,
                  const struct audit_log *log);

/* This asker is no more: what was made for it is closed. */
void network_forget(struct network *network, uint32_t asker);

void network_close(struct network *network);

/* Whether this is a question: network_answer answers all but ASK_LINE. */
bool network_asks(uint32_t kind);

/* Does what the cell asks for, or does not. `message` of `size` bytes has passed protocol_judge. */
void network_answer(struct network *network, const union message *message, size_t size,
                    uint64_t now, struct network_answer *ret);

/* An answer with nothing in it yet. */
struct network_answer network_no_answer(void);

/* A question costs so many of those that the cell may ask now. */
void network_charge(struct network *network, int32_t cost);

/* Sends it, without waiting, and closes what went with it. 0, or errno: EAGAIN if there is no room,
 * and an honest cell asks one thing at a time. */
int network_send(int socket, struct network_answer *answer);

/* The name that is to be looked up next, NULL if there is none; and what was found for it.
 * `resolved` is a resolver's: it may be owned by whoever answered it. */
const char *network_lookup(const struct network *network);
void network_resolved(struct network *network, const struct message_resolved *resolved);

/* The connection that is next to get TLS, NULL if there is none; and it was handed on, or cannot
 * be. */
const struct network_secure *network_next_secure(const struct network *network);
void network_secured(struct network *network);

/* The cell tells that a function of its said no. */
void network_denied(struct network *network, const struct message_denied *denied);

/* Nanoseconds until the cell may ask again; 0: now. */
uint64_t network_pause(struct network *network, uint64_t now);

#endif
