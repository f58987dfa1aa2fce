/* One connection: TLS towards a peer, plaintext towards the cell of a component. What comes from a
 * server is handed on in records (shim/protocol.def, `secured`), what comes from a client, and from
 * the cell, as it is. Nothing waits; at most one record in each direction is kept. */
#ifndef CARREL_TLS_LINK_H
#define CARREL_TLS_LINK_H

#include "engine/cell/protocol.h"
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>

enum { LINK_CHUNK = 16384 }; /* of TLS's own records, at most */

struct link {
    SSL *ssl;
    bool serves;        /* the peer is the client, not the server */
    int server;         /* the TCP socket */
    int client;         /* of the component's cell */
    bool ready;         /* hands were shaken */
    bool half;          /* the client has ended its half, and the cell was told */
    bool ended;         /* nothing more comes from the server, and the cell was told why, or is */
    short server_wants; /* what OpenSSL waits for */
    size_t down_from, down_to;
    size_t up_from, up_to;
    unsigned char down[sizeof(struct record_secured) + LINK_CHUNK]; /* to the cell */
    unsigned char up[LINK_CHUNK];                                   /* to the server */
};

/* Begins, as a client or, if the message says so, as a server. Takes both descriptors, also if it
 * answers NULL, for lack of memory. */
struct link *link_open(SSL_CTX *context, int server, int client,
                       const struct message_secure *message);

/* Goes on as far as it can. False: it is over. */
bool link_advance(struct link *link);

/* What it waits for: the server, the client. */
void link_wait(const struct link *link, struct pollfd ret[2]);

void link_close(struct link *link);

#endif
