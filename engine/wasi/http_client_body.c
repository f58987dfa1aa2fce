/* The client's three sides: the sink of the request's body, the future of the response, the source
 * of its body. See http_client.h. */
#include "engine/wasi/http_client.h"

#include "engine/http/write.h"
#include "engine/wasi/sys.h"

#include <errno.h>

#define CLIENT_OF(side, member)                                                                    \
    ((struct http_client *)((char *)(side) - offsetof(struct http_client, member)))

/* What a chunk needs besides its data, and the last chunk. */
enum { CHUNK_MORE = HTTP_CHUNK_HEAD + 2 + 5 };

static const struct http_client *client_of_source(const struct http_source *source)
{
    return (const struct http_client *)((const char *)source -
                                        offsetof(struct http_client, source));
}

static const struct http_client *client_of_sink(const struct http_sink *sink)
{
    return (const struct http_client *)((const char *)sink - offsetof(struct http_client, sink));
}

/* --- The request's body -------------------------------------------------------------------------
 */

/* The server does not listen any more. Its response may still come, and say why. */
static int gone(struct http_client *client)
{
    if (client->phase != CLIENT_FAILED)
        client->sink.failure = http_failure_of(HTTP_ERROR_CONNECTION_TERMINATED);
    return -EPIPE;
}

/* Sends what can be sent. 0, -EAGAIN or -EPIPE. */
static int go_on(struct wasi *wasi, struct http_client *client)
{
    if (client->phase < CLIENT_AWAITING)
        client_advance(wasi, client);
    if (client->phase == CLIENT_FAILED)
        return gone(client);
    int put = client_push(client);
    if (put < 0 && put != -EAGAIN)
        client->deaf = true;
    return client->deaf ? gone(client) : put;
}

static int64_t sink_room(struct wasi *wasi, struct http_sink *sink)
{
    struct http_client *client = CLIENT_OF(sink, sink);
    int put = go_on(wasi, client);
    if (put == -EPIPE)
        return put;
    size_t pending = client->out.to - client->out.from;
    return pending < WASI_HTTP_AHEAD ? (int64_t)(WASI_HTTP_AHEAD - pending) : 0;
}

static void append(struct http_client *client, const void *from, size_t len)
{
    struct client_out *out = &client->out;
    if (from)
        memcpy(out->at + out->to, from, len);
    else
        memset(out->at + out->to, 0, len);
    out->to += len;
}

static int sink_accept(struct wasi *wasi, struct http_sink *sink, const uint8_t *from, size_t len)
{
    struct http_client *client = CLIENT_OF(sink, sink);
    char head[HTTP_CHUNK_HEAD];
    if (client->phase == CLIENT_FAILED || client->deaf)
        return gone(client);
    if (!client_reserve(wasi, client, len + CHUNK_MORE)) {
        client_fail(client, HTTP_ERROR_INTERNAL_ERROR);
        return -ENOMEM;
    }
    if (client->chunked)
        append(client, head, http_chunk_head(len, head));
    append(client, from, len);
    client->put += len;
    if (client->chunked)
        append(client, HTTP_CHUNK_TAIL, 2);
    int put = go_on(wasi, client);
    return put == -EAGAIN ? 0 : put;
}

static int sink_flush(struct wasi *wasi, struct http_sink *sink)
{
    return go_on(wasi, CLIENT_OF(sink, sink));
}

/* Of a trailer section only what may stand in one. */
static void write_trailers(struct http_writer *writer, const struct fields *trailers)
{
    for (uint32_t i = 0; trailers && i < trailers->count; i++)
        if (http_field_trails(http_field_known(trailers->at[i].name)))
            http_write_field(writer, trailers->at[i].name, trailers->at[i].value);
}

/* The last chunk. False: it is too large, or there is no memory. */
static bool put_end(struct wasi *wasi, struct http_client *client, const struct fields *trailers)
{
    struct http_writer measure = {.room = 0};
    write_trailers(&measure, trailers);
    size_t size = sizeof HTTP_LAST_CHUNK - 1 + measure.used + 2;
    if (measure.bad || measure.used > HTTP_MAX_TRAILER || !client_reserve(wasi, client, size))
        return false;
    struct http_writer writer = {.at = (char *)client->out.at + client->out.to, .room = size};
    http_write(&writer, str_of(HTTP_LAST_CHUNK));
    write_trailers(&writer, trailers);
    http_write_end(&writer);
    client->out.to += writer.used;
    return true;
}

/* Less than its head told: what this connection carries next would be taken for the rest. */
static int incomplete(struct http_client *client)
{
    struct http_failure why = http_failure_of(HTTP_ERROR_HTTP_REQUEST_BODY_SIZE);
    why.of.size.some = true;
    why.of.size.of = client->put;
    client_fail_as(client, &why);
    return -EMSGSIZE;
}

static int sink_finish(struct wasi *wasi, struct http_sink *sink, const struct fields *trailers)
{
    struct http_client *client = CLIENT_OF(sink, sink);
    if (client->phase == CLIENT_FAILED || client->deaf)
        return gone(client);
    if (!client->chunked && client->put != client->told)
        return incomplete(client);
    if (client->chunked && !put_end(wasi, client, trailers)) {
        client_fail(client, HTTP_ERROR_HTTP_REQUEST_TRAILER_SECTION_SIZE);
        return -EMSGSIZE;
    }
    client->finished = true;
    go_on(wasi, client);
    return 0;
}

/* The server cannot be left to wait for the rest; a response that is there already stays. */
static void sink_abort(struct wasi *wasi, struct http_sink *sink)
{
    struct http_client *client = CLIENT_OF(sink, sink);
    (void)wasi;
    client->deaf = true;
    if (client->phase < CLIENT_RESPONDED)
        client_fail(client, HTTP_ERROR_HTTP_PROTOCOL_ERROR);
}

static struct stream_wait sink_wait(const struct http_sink *sink)
{
    return client_wait(client_of_sink(sink), /*sends=*/true);
}

static void sink_release(struct wasi *wasi, struct http_sink *sink)
{
    struct http_client *client = CLIENT_OF(sink, sink);
    client->sink_lives = false;
    client_settle(client);
    client_release(wasi, client);
}

const struct http_sink_ops client_sink = {sink_room,  sink_accept, sink_flush,  sink_finish,
                                          sink_abort, sink_wait,   sink_release};

/* --- The response -------------------------------------------------------------------------------
 */

static bool future_ready(struct wasi *wasi, void *of)
{
    struct http_client *client = CLIENT_OF((struct future_response *)of, future);
    client_advance(wasi, client);
    return client->phase >= CLIENT_RESPONDED;
}

static struct stream_wait future_wait(void *of)
{
    return client_wait(CLIENT_OF((struct future_response *)of, future), /*sends=*/false);
}

static void future_release(struct wasi *wasi, void *of)
{
    struct http_client *client = CLIENT_OF((struct future_response *)of, future);
    if (--client->future.refs)
        return;
    client->future_lives = false;
    client_release(wasi, client);
}

static struct incoming_response *future_get(struct wasi *wasi, struct future_response *future,
                                            struct http_failure *ret_why)
{
    struct http_client *client = CLIENT_OF(future, future);
    if (client->phase == CLIENT_FAILED) {
        *ret_why = client->failure;
        return NULL;
    }
    const struct bytes text = {client->in.at + client->in.from, client->in.to - client->in.from};
    client->source.refs = 1;
    client->source_lives = true;
    struct incoming_response *response =
        incoming_response_new(wasi, &client->head, text, &client->source);
    if (!response) {
        *ret_why = http_failure_of(HTTP_ERROR_INTERNAL_ERROR);
        return NULL;
    }
    client->in.from += client->head.size;
    client->until = UINT64_MAX;
    if (client->between_bytes != UINT64_MAX)
        client->until = sys_now() + client->between_bytes;
    return response;
}

const struct http_future_ops client_future = {{future_ready, future_wait, future_release},
                                              future_get};

/* --- The response's body ------------------------------------------------------------------------
 */

static void over(struct http_client *client)
{
    client->phase = CLIENT_OVER;
    client->until = UINT64_MAX;
    client_settle(client);
}

/* More of the body, of its coding or of its trailers. True: look again. */
static bool more(struct wasi *wasi, struct http_client *client, size_t most)
{
    int64_t got = client_pull(wasi, client, most);
    if (got == -EAGAIN)
        return client_late(client);
    if (got > 0) {
        if (client->between_bytes != UINT64_MAX)
            client->until = sys_now() + client->between_bytes;
        return true;
    }
    if (got == -ENOMEM)
        client_fail(client, HTTP_ERROR_INTERNAL_ERROR);
    else if (got == 0 && !client->in_trailers && http_body_cut(&client->body) == HTTP_BODY_END)
        over(client);
    else
        client_fail_read(client, got);
    return true;
}

static struct bytes arrived(const struct http_client *client)
{
    return (struct bytes){client->in.at + client->in.from, client->in.to - client->in.from};
}

static bool read_trailers(struct wasi *wasi, struct http_client *client)
{
    if (!client->in_trailers)
        client->head =
            http_head_new(HTTP_TRAILERS, client->fields, HTTP_MAX_TRAILERS, HTTP_MAX_TRAILER);
    client->in_trailers = true;
    switch (http_head_read(&client->head, arrived(client))) {
    case HTTP_MORE: return more(wasi, client, HTTP_MAX_TRAILER);
    case HTTP_BAD:
        client_fail(client, http_trailer_error(client->head.fault, /*of_request=*/false));
        return true;
    case HTTP_DONE: break;
    }
    if (client->head.nfields) {
        client->trailers = fields_new(wasi);
        if (!client->trailers || !fields_add_read(wasi, client->trailers, client->fields,
                                                  client->head.nfields, arrived(client))) {
            client_fail(client, HTTP_ERROR_INTERNAL_ERROR);
            return true;
        }
    }
    client->in.from += client->head.size;
    over(client);
    return true;
}

/* What is done where there is no data. Is the body to be asked again? */
static bool go_past(struct wasi *wasi, struct http_client *client, enum http_body_progress progress)
{
    switch (progress) {
    case HTTP_BODY_DATA: return false;
    case HTTP_BODY_MORE: return more(wasi, client, 1);
    case HTTP_BODY_TRAILERS: return read_trailers(wasi, client);
    case HTTP_BODY_END: over(client); return true;
    case HTTP_BODY_BAD: client_fail(client, http_fault_error(client->body.fault)); return true;
    }
    return false;
}

/* One step of the body into `to`: bytes, or 0 and *ret_again. */
static int64_t step(struct wasi *wasi, struct http_client *client, void *to, size_t len,
                    bool *ret_again)
{
    struct bytes data;
    size_t used;
    enum http_body_progress progress =
        http_body_read(&client->body, arrived(client), len, &used, &data);
    client->in.from += used;
    if (progress == HTTP_BODY_DATA)
        memcpy(to, data.at, data.len);
    *ret_again = go_past(wasi, client, progress);
    return (int64_t)data.len;
}

static int64_t source_read(struct wasi *wasi, struct http_source *source, void *to, size_t len)
{
    struct http_client *client = CLIENT_OF(source, source);
    bool again = true;
    client_push(client);
    while (again && client->phase == CLIENT_RESPONDED) {
        again = false;
        int64_t got = step(wasi, client, to, len, &again);
        if (got)
            return got;
    }
    return client->phase == CLIENT_OVER ? 0 : client->phase == CLIENT_FAILED ? -EPROTO : -EAGAIN;
}

/* Are there bytes of the body, or its end? What stands before them is passed over. */
static bool source_ready(struct wasi *wasi, struct http_source *source)
{
    struct http_client *client = CLIENT_OF(source, source);
    client_push(client);
    while (client->phase == CLIENT_RESPONDED) {
        struct bytes none;
        size_t used;
        enum http_body_progress progress =
            http_body_read(&client->body, arrived(client), 0, &used, &none);
        client->in.from += used;
        if (progress == HTTP_BODY_MORE && client->in.from < client->in.to)
            return true;
        if (!go_past(wasi, client, progress))
            return false;
    }
    return true;
}

static struct stream_wait source_wait(const struct http_source *source)
{
    return client_wait(client_of_source(source), /*sends=*/false);
}

static bool source_trailers(struct wasi *wasi, struct http_source *source, struct fields **ret)
{
    struct http_client *client = CLIENT_OF(source, source);
    (void)wasi;
    *ret = client->trailers ? fields_keep(client->trailers) : NULL;
    return true;
}

static void source_release(struct wasi *wasi, struct http_source *source)
{
    struct http_client *client = CLIENT_OF(source, source);
    client->source_lives = false;
    if (client->phase == CLIENT_RESPONDED && client->body.framing == HTTP_NO_BODY)
        over(client);
    if (client->phase == CLIENT_RESPONDED && !client->sink_lives)
        wire_close(&client->wire);
    client_release(wasi, client);
}

const struct http_source_ops client_source = {source_read, source_ready, source_wait,
                                              source_trailers, source_release};
