/* One connection by TLS; see link.h. */
#include "engine/tls/link.h"

#include "engine/http/http.h"
#include "engine/tls/trust.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- Life ---------------------------------------------------------------------------------------
 */

/* Who the server must be: by its certificate, and by what it is asked for (SNI), which is never an
 * address (RFC 6066, 3). */
static bool name_server(SSL *ssl, char *name, bool literal)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (literal)
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct link *link_open(SSL_CTX *context, int server, int client,
                       const struct message_secure *message)
{
    char name[sizeof message->name + 1];
    struct link *link = calloc(1, sizeof *link);
    SSL *ssl = link ? SSL_new(context) : NULL;
    size_t size = message->size < sizeof message->name ? message->size : sizeof message->name;
    memcpy(name, message->name, size);
    name[size] = '\0';
    bool serves = message->serves != 0;
    if (!ssl || (!serves && !name_server(ssl, name, message->literal)) ||
        !SSL_set_fd(ssl, server)) {
        SSL_free(ssl);
        free(link);
        close(server);
        close(client);
        ERR_clear_error();
        return NULL;
    }
    if (serves)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    trust_without_h2(ssl, message->serves == 2);
    *link = (struct link){.ssl = ssl,
                          .serves = serves,
                          .server = server,
                          .client = client,
                          .server_wants = serves ? POLLIN : POLLOUT};
    return link;
}

void link_close(struct link *link)
{
    SSL_free(link->ssl);
    close(link->server);
    close(link->client);
    free(link);
}

/* --- Records ------------------------------------------------------------------------------------
 */

/* A record into `down`, which is empty; the data of SECURED_DATA are there already. What comes from
 * a client is told without records: its end is an end. */
static void record(struct link *link, uint16_t kind, uint16_t code, uint32_t size)
{
    const struct record_secured head = {.kind = kind, .code = code, .size = size};
    if (link->serves) {
        link->down_from = sizeof head;
        link->down_to = sizeof head + size;
        return;
    }
    memcpy(link->down, &head, sizeof head);
    link->down_from = 0;
    link->down_to = sizeof head + size;
}

static uint16_t code_of_errno(int error)
{
    switch (error) {
    case ECONNREFUSED: return HTTP_ERROR_CONNECTION_REFUSED;
    case ETIMEDOUT: return HTTP_ERROR_CONNECTION_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH: return HTTP_ERROR_DESTINATION_IP_UNROUTABLE;
    default: return HTTP_ERROR_CONNECTION_TERMINATED;
    }
}

/* Why OpenSSL failed, as the code of a record; `error` is errno then. */
static uint16_t code_of_failure(SSL *ssl, int failure, int error)
{
    unsigned long why = ERR_peek_error();
    int reason = ERR_GET_REASON(why);
    uint16_t code = HTTP_ERROR_TLS_PROTOCOL_ERROR;
    uint8_t alert = 0;
    if (failure == SSL_ERROR_SYSCALL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        code = code_of_errno(failure == SSL_ERROR_SYSCALL ? error : 0);
    } else if (SSL_get_verify_result(ssl) != X509_V_OK) {
        code = HTTP_ERROR_TLS_CERTIFICATE_ERROR;
    } else if (ERR_GET_LIB(why) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET &&
               reason < SSL_AD_REASON_OFFSET + 256) {
        code = HTTP_ERROR_TLS_ALERT_RECEIVED;
        alert = (uint8_t)(reason - SSL_AD_REASON_OFFSET);
    }
    return (uint16_t)(code << 8 | alert);
}

/* An operation of OpenSSL did not succeed. True: it waits, and is to be repeated. */
static bool waits(struct link *link, int answer)
{
    int error = errno;
    int failure = SSL_get_error(link->ssl, answer);
    link->server_wants = failure == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
    if (failure == SSL_ERROR_WANT_READ || failure == SSL_ERROR_WANT_WRITE)
        return true;
    if (link->serves && link->ready && failure == SSL_ERROR_ZERO_RETURN) {
        /* The client may still read what answers it. */
        link->half = true;
        shutdown(link->client, SHUT_WR);
        return false;
    }
    link->ended = true;
    uint16_t code = code_of_failure(link->ssl, failure, error);
    /* A server that just goes away said nothing of an end: neither is one told of. */
    bool silent = link->ready && code >> 8 == HTTP_ERROR_CONNECTION_TERMINATED;
    silent = silent || link->down_from < link->down_to;
    if (failure == SSL_ERROR_ZERO_RETURN)
        record(link, PROTOCOL_SECURED_END, 0, 0);
    else if (!silent)
        record(link, PROTOCOL_SECURED_FAILED, code, 0);
    ERR_clear_error();
    return false;
}

/* --- Going on -----------------------------------------------------------------------------------
 * Each answers whether something was done. */

static bool shake_hands(struct link *link)
{
    if (link->ready || link->ended)
        return false;
    ERR_clear_error();
    errno = 0;
    int answer = SSL_do_handshake(link->ssl);
    if (answer != 1)
        return !waits(link, answer);
    link->ready = true;
    link->server_wants = POLLIN;
    record(link, PROTOCOL_SECURED_READY, 0, 0);
    return true;
}

/* From the server into `down`. */
static bool receive(struct link *link)
{
    if (!link->ready || link->ended || link->half || link->down_from < link->down_to)
        return false;
    ERR_clear_error();
    errno = 0;
    int got = SSL_read(link->ssl, link->down + sizeof(struct record_secured), LINK_CHUNK);
    if (got <= 0)
        return !waits(link, got);
    record(link, PROTOCOL_SECURED_DATA, 0, (uint32_t)got);
    return true;
}

/* From `up` to the server. */
static bool send_up(struct link *link)
{
    if (!link->ready || link->ended || link->up_from == link->up_to)
        return false;
    ERR_clear_error();
    errno = 0;
    int put = SSL_write(link->ssl, link->up + link->up_from, (int)(link->up_to - link->up_from));
    if (put <= 0)
        return !waits(link, put);
    link->up_from += (size_t)put;
    return true;
}

/* From `down` to the cell. -1: it is gone. */
static int deliver(struct link *link)
{
    if (link->down_from == link->down_to)
        return 0;
    ssize_t put =
        write(link->client, link->down + link->down_from, link->down_to - link->down_from);
    if (put < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    link->down_from += (size_t)put;
    return 1;
}

/* From the cell into `up`. -1: it wants no more. */
static int take(struct link *link)
{
    if (link->up_from < link->up_to)
        return 0;
    ssize_t got = read(link->client, link->up, sizeof link->up);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    link->up_from = 0;
    link->up_to = (size_t)got;
    return got ? 1 : -1;
}

bool link_advance(struct link *link)
{
    bool again = true;
    while (again) {
        again = shake_hands(link);
        again = receive(link) || again;
        int down = deliver(link), up = take(link);
        if (down < 0 || up < 0) {
            if (link->ready && !link->ended)
                SSL_shutdown(link->ssl);
            ERR_clear_error();
            return false;
        }
        again = send_up(link) || down || up || again;
        if (link->ended && link->down_from == link->down_to)
            return false;
    }
    return true;
}

void link_wait(const struct link *link, struct pollfd ret[2])
{
    bool delivers = link->down_from < link->down_to;
    bool sends = link->up_from < link->up_to;
    /* While nothing can be handed on nothing is taken, and the server is slowed down. */
    int server = !link->ready                    ? link->server_wants
                 : link->half                    ? (sends ? POLLOUT : 0)
                 : link->ended                   ? 0
                 : delivers && !sends            ? 0
                 : link->server_wants == POLLOUT ? POLLIN | POLLOUT
                                                 : POLLIN | (sends ? POLLOUT : 0);
    ret[0] = (struct pollfd){server ? link->server : -1, (short)server, 0};
    ret[1] =
        (struct pollfd){link->client, (short)((delivers ? POLLOUT : 0) | (sends ? 0 : POLLIN)), 0};
}
