/* The cell that speaks TLS; see tls.h. */
#include "shim/tls.h"
#include "shim/moment.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Milliseconds for the last bytes to clients, once the component has ended. */
#define FINISH_TIME 2000

void tls_start(struct tls *tls)
{
    tls->policy = NULL;
    tls->certificate = tls->key = NULL;
    tls->single = tls->asks = tls->active = tls->failed = false;
    tls->nothing = (struct component){.memory = -1};
}

static bool wanted(const struct policy *policy)
{
    for (size_t i = 0; i < policy->net_count; i++)
        if (policy->net[i].use == NET_HTTPS || policy->net[i].use == NET_HTTP_ALL)
            return true;
    return false;
}

/* Beside the engine. */
static int find_program(struct tls *tls, struct err *err)
{
    const char *slash = strrchr(tls->host.engine, '/');
    int folder = slash ? (int)(slash - tls->host.engine) + 1 : 0;
    int length =
        snprintf(tls->program, sizeof tls->program, "%.*scarrel-tls", folder, tls->host.engine);
    if (length < 0 || (size_t)length >= sizeof tls->program)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the path of carrel-tls is too long: install carrel at a shorter one");
    tls->host.tls = tls->program;
    return 0;
}

int tls_open(struct tls *tls, const struct host *host, const struct policy *policy,
             struct shim *shim, struct err *err)
{
    tls->asks = wanted(policy);
    if (!tls->asks && !tls->certificate)
        return 0;
    tls->host = *host;
    tls->host.cgroups = (struct host_cgroups){0};
    if (find_program(tls, err) || shim_open_tls(shim, tls->program, err))
        return -1;
    tls->policy = policy;
    return 0;
}

/* What the component's cell has written before it ended is still on its way to clients. */
static void let_finish(struct tls *tls)
{
    struct pollfd ended = {tls->cell.process.pidfd, POLLIN, 0};
    if (!tls->certificate || !tls_serves(tls) || shutdown(tls->cell.process.socket, SHUT_WR))
        return;
    while (poll(&ended, 1, FINISH_TIME) < 0 && errno == EINTR)
        ;
}

void tls_close(struct tls *tls)
{
    if (tls->active)
        let_finish(tls);
    if (tls->active)
        cell_close(&tls->cell);
    tls->active = false;
    component_close(&tls->nothing);
}

/* Where distributions keep the certificates that they trust; the environment has the last word, as
 * with other programs that use OpenSSL. */
static const char *trusted(void)
{
    static const char *const places[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    };
    const char *named = getenv("SSL_CERT_FILE");
    if (named && *named)
        return named;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return places[0];
}

static int begin(struct tls *tls, struct shim *shim, struct err *err)
{
    if (tls->nothing.memory < 0 && component_copy("/dev/null", NULL, NULL, &tls->nothing, err))
        return -1;
    const struct cell_request request = {
        .role = CELL_TLS,
        .host = &tls->host,
        .policy = tls->policy,
        .component_size = 0,
        .digest = tls->nothing.digest,
        .trust = tls->asks ? trusted() : NULL,
        .certificate = tls->certificate,
        .key = tls->key,
    };
    if (cell_plan_make(&request, &tls->plan, err) ||
        cell_launch(&tls->cell, shim, &tls->plan.plan, err))
        return -1;
    if (cell_order(&tls->cell, &tls->plan.plan, &tls->nothing, err)) {
        cell_close(&tls->cell);
        return -1;
    }
    tls->active = true;
    return 0;
}

/* Without waiting. False: there is no room now. */
static bool hand_over(int socket, int peer, int cell, const struct message_secure *what)
{
    const int passed[2] = {peer, cell};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof passed)];
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS,
                            .cmsg_len = CMSG_LEN(sizeof passed)}};
    struct message_secure message = *what;
    struct iovec part = {&message, sizeof message};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    memcpy(CMSG_DATA(&control.header), passed, sizeof passed);
    return sendmsg(socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
           (errno != EAGAIN && errno != EINTR);
}

/* Without a cell that speaks TLS, connections end: that they failed is told by their end. Of a
 * server it is why that ends, and told so. */
static void give_up(struct tls *tls, const char *why)
{
    if (tls->failed)
        return;
    tls->failed = true;
    snprintf(tls->why, sizeof tls->why, "no TLS: %.*s", (int)sizeof tls->why / 2, why);
    if (!tls->certificate)
        moment_say("carrel: %s\n", tls->why);
}

void tls_advance(struct tls *tls, struct network *network, struct shim *shim)
{
    const struct network_secure *next;
    network->speaks_tls = tls->asks;
    if (tls->active && cell_gone(&tls->cell)) {
        const struct err *why = &tls->cell.outcome.why;
        give_up(tls, why->kind != ERR_NONE ? why->text : "its cell ended");
        cell_close(&tls->cell);
        tls->active = false;
    }
    if (!tls->active && !tls->failed && (tls->certificate || network_next_secure(network))) {
        struct err err = {0};
        if (begin(tls, shim, &err))
            give_up(tls, err.text);
    }
    while ((next = network_next_secure(network))) {
        if (tls->active &&
            (tls->cell.state != STATE_TLS ||
             !hand_over(tls->cell.process.socket, next->server, next->client, &next->message)))
            return;
        network_secured(network);
    }
}

bool tls_serves(const struct tls *tls)
{
    return tls->active && tls->cell.state == STATE_TLS && !cell_gone(&tls->cell);
}

bool tls_serve(const struct tls *tls, int client, int cell)
{
    const struct message_secure message = {.kind = MESSAGE_SECURE, .serves = tls->single ? 2 : 1};
    return hand_over(tls->cell.process.socket, client, cell, &message);
}

void tls_wait(const struct tls *tls, const struct network *network, struct pollfd ret[2])
{
    const struct cell *cell = &tls->cell;
    bool sends = tls->active &&
                 (!cell->ordered || (cell->state == STATE_TLS && network_next_secure(network)));
    cell_wait(cell, tls->active, sends, ret);
}

void tls_act(struct tls *tls, const struct pollfd waits[2])
{
    if (tls->active)
        cell_act(&tls->cell, waits);
}
