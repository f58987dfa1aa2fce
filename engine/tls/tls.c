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
    const struct cmsghdr *rights = size > 0 ? CMSG_FIRSTHDR(&packet) : NULL;
    if (size != (ssize_t)sizeof *ret || ret->kind != MESSAGE_SECURE || !rights ||
        rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
        rights->cmsg_len != CMSG_LEN(2 * sizeof(int)))
        _exit(0);
    memcpy(ret_fds, CMSG_DATA(rights), 2 * sizeof(int));
    return true;
}

/* Where there is no room for one more it ends at once. */
static void begin(SSL_CTX *context)
{
    struct message_secure message;
    int fds[2];
    if (!receive(&message, fds))
        return;
    if (link_count == LINKS) {
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

void role_tls(struct cell *cell)
{
    static struct pollfd polls[1 + 2 * LINKS];
    struct err err = {0};
    int trust = -1;
    alloc_open(cell->arena, cell->arena_size);
    for (size_t i = 0; i < cell->grant_count; i++)
        if (cell->grants[i].kind == GRANT_TRUST)
            trust = cell->grants[i].descriptor;
    SSL_CTX *context = trust_client(trust, &err);
    if (!context) {
        tell_failure(&err);
        return;
    }
    for (;;) {
        polls[0] = (struct pollfd){PROTOCOL_SOCKET, POLLIN, 0};
        for (size_t i = 0; i < link_count; i++)
            link_wait(links[i], polls + 1 + 2 * i);
        if (ppoll(polls, 1 + 2 * link_count, NULL, NULL) < 0)
            continue;
        if (polls[0].revents)
            begin(context);
        advance_all();
    }
}
