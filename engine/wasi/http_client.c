/* The client's connection: looking up, connecting, sending, and the response's head. See
 * http_client.h. */
#include "engine/wasi/http_client.h"

#include "engine/wasi/sys.h"

#include <errno.h>

/* --- The end ------------------------------------------------------------------------------------
 */

static void close_all(struct http_client *client)
{
    if (client->pipe >= 0)
        sys_close(client->pipe);
    client->pipe = -1;
    wire_close(&client->wire);
}

void client_let_go(struct wasi *wasi, struct wasi_held *held)
{
    (void)wasi;
    close_all((struct http_client *)held);
}

void client_fail_as(struct http_client *client, const struct http_failure *failure)
{
    if (client->phase == CLIENT_FAILED)
        return;
    client->phase = CLIENT_FAILED;
    client->failure = client->source.failure = client->sink.failure = *failure;
    close_all(client);
}

void client_fail(struct http_client *client, enum http_error error)
{
    const struct http_failure failure = http_failure_of(error);
    client_fail_as(client, &failure);
}

static enum http_error error_of_network(int64_t error)
{
    switch (-error) {
    case EACCES: return HTTP_ERROR_HTTP_REQUEST_DENIED;
    case EPERM: return HTTP_ERROR_DESTINATION_IP_PROHIBITED;
    case ECONNREFUSED: return HTTP_ERROR_CONNECTION_REFUSED;
    case ETIMEDOUT: return HTTP_ERROR_CONNECTION_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: return HTTP_ERROR_DESTINATION_IP_UNROUTABLE;
    case ENETDOWN:
    case EHOSTDOWN: return HTTP_ERROR_DESTINATION_UNAVAILABLE;
    case EMFILE:
    case ENFILE:
    case ENOBUFS: return HTTP_ERROR_CONNECTION_LIMIT_REACHED;
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED: return HTTP_ERROR_CONNECTION_TERMINATED;
    default: return HTTP_ERROR_INTERNAL_ERROR;
    }
}

void client_fail_read(struct http_client *client, int64_t error)
{
    if (error == -EPROTO)
        client_fail_as(client, &client->wire.failure);
    else if (error == -ETIMEDOUT) /* it was there, and the other side fell silent */
        client_fail(client, HTTP_ERROR_CONNECTION_READ_TIMEOUT);
    else if (error && error != -ECONNRESET)
        client_fail(client, error_of_network(error));
    else
        client_fail(client, client->heard ? HTTP_ERROR_HTTP_RESPONSE_INCOMPLETE
                                          : HTTP_ERROR_CONNECTION_TERMINATED);
}

bool client_late(struct http_client *client)
{
    if (client->until == UINT64_MAX || sys_now() < client->until)
        return false;
    client_fail(client, client->phase <= CLIENT_CONNECTING ? HTTP_ERROR_CONNECTION_TIMEOUT
                                                           : HTTP_ERROR_CONNECTION_READ_TIMEOUT);
    return true;
}

void client_settle(struct http_client *client)
{
    if (client->phase != CLIENT_OVER || !wire_open(&client->wire))
        return;
    bool sent = client->finished && client->out.from == client->out.to && !client->deaf;
    /* As long as the sink lives the guest may want to finish. */
    if (!sent && client->sink_lives && !client->deaf)
        return;
    if (sent && client->message.keep_alive && client->in.from == client->in.to) {
        const struct wire_origin origin = {client->secure, client->port, client->host};
        wire_park(&client->wire, &origin);
    } else {
        wire_close(&client->wire);
    }
}

void client_release(struct wasi *wasi, struct http_client *client)
{
    if (client->source_lives || client->sink_lives || client->future_lives)
        return;
    client_settle(client);
    close_all(client);
    if (client->trailers)
        fields_release(wasi, client->trailers);
    heap_give(wasi->heap, client->out.at);
    heap_give(wasi->heap, client->in.at);
    heap_give(wasi->heap, (void *)(uintptr_t)client->host.at);
    wasi_unhold(wasi, &client->held);
    wasi_resource_end(wasi, client);
}

/* --- Buffers ------------------------------------------------------------------------------------
 */

bool client_reserve(struct wasi *wasi, struct http_client *client, size_t more)
{
    struct client_out *out = &client->out;
    if (out->room - out->to >= more)
        return true;
    if (!client->replays && out->from) {
        memmove(out->at, out->at + out->from, out->to - out->from);
        out->to -= out->from;
        out->from = 0;
    }
    if (out->room - out->to >= more)
        return true;
    uint8_t *at = heap_resize(wasi->heap, out->at, out->to + more);
    if (!at)
        return false;
    out->at = at;
    out->room = out->to + more;
    return true;
}

int client_push(struct http_client *client)
{
    struct client_out *out = &client->out;
    if (client->phase < CLIENT_CONNECTING || (client->secure && client->phase < CLIENT_AWAITING))
        return out->from < out->to ? -EAGAIN : 0;
    while (out->from < out->to) {
        if (client->deaf || !wire_open(&client->wire))
            return -EPIPE;
        int64_t put = wire_write(&client->wire, out->at + out->from, out->to - out->from);
        if (put < 0)
            return (int)put;
        out->from += (size_t)put;
    }
    if (!client->replays)
        out->from = out->to = 0;
    return 0;
}

int64_t client_pull(struct wasi *wasi, struct http_client *client, size_t most)
{
    enum { STEP = 16384 };
    struct client_in *in = &client->in;
    if (in->from && (in->from == in->to || in->to == in->room)) {
        memmove(in->at, in->at + in->from, in->to - in->from);
        in->to -= in->from;
        in->from = 0;
    }
    if (in->to == in->room) {
        size_t room = in->room ? 2 * in->room : STEP;
        uint8_t *at = in->to < most ? heap_resize(wasi->heap, in->at, room) : NULL;
        if (!at)
            return -ENOMEM;
        in->at = at;
        in->room = room;
    }
    int64_t got = wire_read(&client->wire, in->at + in->to, in->room - in->to);
    if (got > 0) {
        in->to += (size_t)got;
        client->heard = true;
    }
    return got;
}

/* --- Looking up and connecting ------------------------------------------------------------------
 */

static void fail_lookup(struct http_client *client, uint32_t error)
{
    struct http_failure failure = http_failure_of(HTTP_ERROR_DNS_ERROR);
    if (error == EAGAIN)
        failure.code = HTTP_ERROR_DNS_TIMEOUT;
    else
        failure.of.dns.rcode = (option_str){true, error == ENOENT         ? str_of("NXDOMAIN")
                                                  : error == ECONNREFUSED ? str_of("REFUSED")
                                                                          : str_of("SERVFAIL")};
    client_fail_as(client, &failure);
}

/* Begins to connect to the next address; what the last one said if there is none. */
static void connect_next(struct wasi *wasi, struct http_client *client, int64_t error)
{
    const struct str name = client->named ? client->host : (struct str){"", 0};
    wire_close(&client->wire);
    while (client->next_address < client->naddresses) {
        struct wasi_address *to = &client->addresses[client->next_address++];
        struct ask_answer answer;
        to->port = client->port;
        error = ask_http(wasi, client->secure, name, to, &answer);
        if (error < 0)
            continue;
        client->wire = (struct wire){.fd = answer.fd, .secure = client->secure};
        client->phase = CLIENT_CONNECTING;
        return;
    }
    if (error == -EPROTO)
        client_fail_as(client, &client->wire.failure);
    else
        client_fail(client, error_of_network(error));
}

static bool look(struct wasi *wasi, struct http_client *client)
{
    struct ask_names names;
    int64_t got = sys_read(client->pipe, &names, sizeof names);
    if (got == -EAGAIN)
        return false;
    sys_close(client->pipe);
    client->pipe = -1;
    if (got != (int64_t)sizeof names || names.count > ASK_ADDRESSES) {
        fail_lookup(client, EAGAIN);
    } else if (names.error || !names.count) {
        fail_lookup(client, names.error ? names.error : ENOENT);
    } else {
        client->naddresses = names.count;
        for (uint32_t i = 0; i < names.count; i++)
            client->addresses[i] = ask_address_of(&names.at[i]);
        connect_next(wasi, client, -EADDRNOTAVAIL);
    }
    return true;
}

static void connected(struct http_client *client)
{
    client->phase = CLIENT_AWAITING;
    client->until = client->first_byte == UINT64_MAX ? UINT64_MAX : sys_now() + client->first_byte;
}

/* A TCP socket is connected once it takes something, and there is a head to send. */
static bool go_on_connecting(struct wasi *wasi, struct http_client *client)
{
    size_t before = client->out.from;
    int error = client->secure ? wire_secured(&client->wire) : client_push(client);
    if (error == 0 || client->out.from != before) {
        connected(client);
        return true;
    }
    if (error == -EAGAIN)
        return false;
    /* What TLS refused, it refuses at every address. */
    if (error == -EPROTO && client->wire.failure.code != HTTP_ERROR_CONNECTION_REFUSED)
        client_fail_as(client, &client->wire.failure);
    else
        connect_next(wasi, client, error);
    return true;
}

/* --- The response's head ------------------------------------------------------------------------
 */

static struct bytes arrived(const struct http_client *client)
{
    return (struct bytes){client->in.at + client->in.from, client->in.to - client->in.from};
}

/* A server may close an idle connection at any time. What was lost so is sent again, if nothing of
 * it can have had an effect (RFC 9110, 9.2.2) and nothing was answered. */
static bool send_again(struct wasi *wasi, struct http_client *client)
{
    if (!client->reused || client->heard || !client->replays)
        return false;
    client->reused = false;
    client->deaf = false;
    client->out.from = 0;
    client->next_address = 0;
    wire_close(&client->wire);
    client_begin(wasi, client);
    return true;
}

/* An informational response is passed over (RFC 9110, 15.2). */
static void take_head(struct http_client *client)
{
    if (!http_response_message(&client->head, arrived(client), client->method, &client->message)) {
        client_fail(client, http_fault_error(client->message.fault));
        return;
    }
    if (client->head.status >= 200) {
        client->body = http_body_new(&client->message);
        client->phase = CLIENT_RESPONDED;
        return;
    }
    client->in.from += client->head.size;
    client->head = http_head_new(HTTP_RESPONSE, client->fields, HTTP_MAX_FIELDS, HTTP_MAX_HEAD);
    if (++client->informed > HTTP_MAX_INFORMATIONAL)
        client_fail(client, HTTP_ERROR_HTTP_PROTOCOL_ERROR);
}

static bool await(struct wasi *wasi, struct http_client *client)
{
    int put = client_push(client);
    client->deaf = client->deaf || (put < 0 && put != -EAGAIN);
    enum http_progress progress = client->in.to > client->in.from
                                      ? http_head_read(&client->head, arrived(client))
                                      : HTTP_MORE;
    if (progress == HTTP_DONE)
        take_head(client);
    else if (progress == HTTP_BAD)
        client_fail(client, http_fault_error(client->head.fault));
    if (progress != HTTP_MORE)
        return true;
    int64_t got = client_pull(wasi, client, HTTP_MAX_HEAD);
    if (got == -EAGAIN)
        return client_late(client);
    if (got <= 0 && !send_again(wasi, client))
        client_fail_read(client, got);
    return true;
}

void client_advance(struct wasi *wasi, struct http_client *client)
{
    bool again = true;
    while (again) {
        switch (client->phase) {
        case CLIENT_LOOKING: again = look(wasi, client) || client_late(client); break;
        case CLIENT_CONNECTING:
            again = go_on_connecting(wasi, client) || client_late(client);
            break;
        case CLIENT_AWAITING: again = await(wasi, client); break;
        case CLIENT_RESPONDED:
        case CLIENT_OVER: client_push(client); return;
        case CLIENT_FAILED: return;
        }
    }
}

void client_begin(struct wasi *wasi, struct http_client *client)
{
    const struct wire_origin origin = {client->secure, client->port, client->host};
    client->head = http_head_new(HTTP_RESPONSE, client->fields, HTTP_MAX_FIELDS, HTTP_MAX_HEAD);
    client->wire = wire_reuse(&origin);
    if (wire_open(&client->wire)) {
        client->reused = true;
        connected(client);
        return;
    }
    if (!client->named || client->naddresses) {
        connect_next(wasi, client, -EADDRNOTAVAIL);
        return;
    }
    struct wasi_address port = {.port = client->port};
    struct ask_answer answer;
    int error = ask_http(wasi, client->secure, client->host, &port, &answer);
    client->pipe = answer.fd;
    client->phase = CLIENT_LOOKING;
    if (error < 0)
        client_fail(client, error_of_network(error));
}

struct stream_wait client_wait(const struct http_client *client, bool sends)
{
    struct stream_wait wait = {client->wire.fd, 0, client->until};
    bool pending = client->out.from < client->out.to && !client->deaf;
    switch (client->phase) {
    case CLIENT_LOOKING: return (struct stream_wait){client->pipe, POLLIN, client->until};
    case CLIENT_CONNECTING: wait.events = client->secure ? POLLIN : POLLOUT; break;
    case CLIENT_AWAITING:
    case CLIENT_RESPONDED:
        wait.events = (short)((sends ? 0 : POLLIN) | (pending ? POLLOUT : 0));
        break;
    case CLIENT_OVER: wait.events = POLLOUT; break;
    case CLIENT_FAILED: break;
    }
    return wait;
}
