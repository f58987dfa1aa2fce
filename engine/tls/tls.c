/* The role: one loop over the shim's socket and all connections. */
#include "engine/base/attr.h"
#include "engine/cell/role.h"
#include "engine/cell/tell.h"
#include "engine/tls/alloc.h"
#include "engine/tls/link.h"
#include "engine/tls/trust.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINKS = 400 };

static struct link *links[LINKS];
static size_t link_count;

static bool last; /* the shim has no more connections: those that are left go to their end */

/* A message of the shim and the two descriptors with it. False: there is none. Ends the cell if the
 * shim is gone. */
static bool receive(struct message_secure *ret, int ret_fds[2])
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec part = {ret, sizeof *ret};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    ssize_t size = recvmsg(PROTOCOL_SOCKET, &packet, MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR)
        return false;
    if (size == 0) {
        last = true;
        return false;
    }
    const struct cmsghdr *rights = size > 0 ? CMSG_FIRSTHDR(&packet) : NULL;
    if (size != (ssize_t)sizeof *ret || ret->kind != MESSAGE_SECURE || !rights ||
        rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
        rights->cmsg_len != CMSG_LEN(2 * sizeof(int)))
        _exit(0);
    memcpy(ret_fds, CMSG_DATA(rights), 2 * sizeof(int));
    return true;
}

/* What connections are made with: as a client, as a server; or NULL. */
struct contexts {
    SSL_CTX *client;
    SSL_CTX *server;
};

/* Where there is no room for one more it ends at once. */
static void begin(const struct contexts *contexts)
{
    struct message_secure message;
    int fds[2];
    if (!receive(&message, fds))
        return;
    SSL_CTX *context = message.serves ? contexts->server : contexts->client;
    if (link_count == LINKS || !context) {
        close(fds[0]);
        close(fds[1]);
        return;
    }
    struct link *link = link_open(context, fds[0], fds[1], &message);
    if (link)
        links[link_count++] = link;
}

static void advance_all(void)
{
    for (size_t i = 0; i < link_count;) {
        if (link_advance(links[i])) {
            i++;
            continue;
        }
        link_close(links[i]);
        links[i] = links[--link_count];
    }
}

/* What it was granted makes it a client, a server, or both. */
static int open_contexts(const struct cell *cell, struct contexts *ret, struct err *err)
{
    int trust = -1, certificate = -1, key = -1;
    for (size_t i = 0; i < cell->grant_count; i++) {
        int fd = cell->grants[i].descriptor;
        switch (cell->grants[i].kind) {
        case GRANT_TRUST: trust = fd; break;
        case GRANT_CERTIFICATE: certificate = fd; break;
        case GRANT_KEY: key = fd; break;
        default: break;
        }
    }
    *ret = (struct contexts){NULL, NULL};
    if (trust >= 0 && !(ret->client = trust_client(trust, err)))
        return -1;
    if (certificate >= 0 && !(ret->server = trust_server(certificate, key, err)))
        return -1;
    if (key >= 0)
        close(key);
    return 0;
}

void role_tls(struct cell *cell)
{
    static struct pollfd polls[1 + 2 * LINKS];
    struct contexts contexts;
    struct err err = {0};
    alloc_open(cell->arena, cell->arena_size);
    if (open_contexts(cell, &contexts, &err)) {
        tell_failure(&err);
        return;
    }
    while (!last || (contexts.server && link_count)) {
        /* A server's clients wait, where there is no room, for others to end. */
        bool full = link_count == LINKS && contexts.server;
        polls[0] = (struct pollfd){full || last ? -1 : PROTOCOL_SOCKET, POLLIN, 0};
        for (size_t i = 0; i < link_count; i++)
            link_wait(links[i], polls + 1 + 2 * i);
        if (ppoll(polls, 1 + 2 * link_count, NULL, NULL) < 0)
            continue;
        if (polls[0].revents)
            begin(&contexts);
        advance_all();
    }
}
