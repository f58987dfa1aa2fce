/* What goes out: responses, as guests write them and as the server makes them; see conn.h.
 *
 * Nothing is sent before somebody has to wait, or much has come together, or the guest stops: so a
 * short response leaves in one piece, and its length can be told. What has to stand before the data
 * and is not known yet (the end of the head, the length of a chunk) gets a place kept free. */
#include "engine/serve/server.h"

#include "engine/http/write.h"

#include <errno.h>

enum {
    RESERVE_CHUNK = HTTP_CHUNK_HEAD,
    RESERVE_HEAD = 96, /* the longest that seal_head writes, and a chunk's head */
};

/* A flush that comes this late after the guest began to run is carried out at once. */
#define LATE UINT64_C(5000000)

/* What is said to the client where the guest has no answer but an error. */
static unsigned status_of(enum http_error code)
{
    switch (code) {
    case HTTP_ERROR_DNS_TIMEOUT:
    case HTTP_ERROR_CONNECTION_TIMEOUT:
    case HTTP_ERROR_CONNECTION_READ_TIMEOUT:
    case HTTP_ERROR_CONNECTION_WRITE_TIMEOUT:
    case HTTP_ERROR_HTTP_RESPONSE_TIMEOUT: return 504;
    case HTTP_ERROR_HTTP_REQUEST_BODY_SIZE: return 413;
    case HTTP_ERROR_HTTP_REQUEST_DENIED: return 403;
    case HTTP_ERROR_LOOP_DETECTED: return 508;
    case HTTP_ERROR_CONFIGURATION_ERROR:
    case HTTP_ERROR_INTERNAL_ERROR: return 500;
    default:
        return code < HTTP_ERROR_HTTP_REQUEST_DENIED || code >= HTTP_ERROR_HTTP_RESPONSE_INCOMPLETE
                   ? 502
                   : 500;
    }
}

/* --- Sending ------------------------------------------------------------------------------------
 */

void conn_send(struct conn *conn)
{
    struct buffer *out = &conn->out;
    if (conn->stream) {
        h2_push(conn);
        return;
    }
    while (buffer_left(out) && conn->writable && !conn->broken) {
        int64_t put = sys_write(conn->fd, out->bytes + out->at, buffer_left(out));
        if (put > 0) {
            conn->writable = (uint32_t)put == buffer_left(out);
            out->at += (uint32_t)put;
            conn->sent = conn->answered;
            conn->committed = conn->committed || conn->answered;
            conn->moved = true;
            conn->traffic += (uint64_t)put;
        } else if (put == -EAGAIN) {
            conn->writable = false;
        } else {
            conn->broken = true;
        }
    }
    if (conn->broken)
        out->at = out->len;
    if (!buffer_left(out))
        conn->extra = 0;
}

/* --- Putting responses together -----------------------------------------------------------------
 */

/* No memory: the response cannot go on. */
static bool lost(struct conn *conn)
{
    conn->broken = true;
    return false;
}

static bool put(struct conn *conn, const void *from, size_t len)
{
    return buffer_put(&conn->out, &conn->server->heap, from, len) || lost(conn);
}

/* Keeps a place free at the end. */
static bool keep_free(struct conn *conn, uint32_t size)
{
    struct buffer *out = &conn->out;
    if (!buffer_room(out, &conn->server->heap, size))
        return lost(conn);
    conn->reserve = size;
    conn->reserve_at = buffer_left(out);
    out->len += size;
    return true;
}

/* A client that still waits for 100 (Continue) may send its body or not: who knows. */
static void stop_waiting(struct conn *conn)
{
    conn->closing = conn->closing || !conn->continued;
}

/* The end of the head: how long the body is, if that is known (`last`: all of it is there), and
 * whether the connection goes on. */
static void seal_head(struct conn *conn, struct http_writer *writer, uint64_t len, bool last)
{
    bool open = conn->framing == FRAMING_OPEN;
    stop_waiting(conn);
    if (open && last) {
        conn->framing = FRAMING_LENGTH;
        http_write_length(writer, len);
    } else if (open && conn->head.minor) {
        conn->framing = FRAMING_CHUNKED;
        http_write(writer, str_of("Transfer-Encoding: chunked\r\n"));
    } else if (open) {
        conn->framing = FRAMING_CLOSE;
        conn->closing = true;
    } else if (conn->framing == FRAMING_NONE && conn->status == HTTP_RESET_CONTENT) {
        http_write_length(writer, 0);
    } else if (conn->framing == FRAMING_NONE && last && conn->head.method == HTTP_HEAD &&
               !conn->told_length) {
        http_write_length(writer, conn->skipped);
    }
    if (conn->closing)
        http_write(writer, str_of("Connection: close\r\n"));
    else if (!conn->head.minor)
        http_write(writer, str_of("Connection: keep-alive\r\n"));
    http_write_end(writer);
    conn->head_open = false;
}

/* Fills the place that was kept free; what was before moves up to it. */
static void seal(struct conn *conn, bool last)
{
    struct buffer *out = &conn->out;
    if (!conn->reserve || conn->broken)
        return;
    uint8_t *before = out->bytes + out->at;
    uint8_t *data = before + conn->reserve_at + conn->reserve;
    uint32_t len = (uint32_t)(out->bytes + out->len - data);
    char text[RESERVE_HEAD];
    struct http_writer writer = {text, sizeof text, 0, false};
    if (conn->head_open)
        seal_head(conn, &writer, len, last);
    bool chunk = conn->framing == FRAMING_CHUNKED && len;
    if (chunk) {
        char head[HTTP_CHUNK_HEAD];
        http_write(&writer, (struct str){head, http_chunk_head(len, head)});
    }
    uint32_t gap = conn->reserve - (uint32_t)writer.used;
    memmove(before + gap, before, conn->reserve_at);
    memcpy(data - writer.used, text, writer.used);
    out->at += gap;
    conn->reserve = 0;
    if (chunk)
        put(conn, HTTP_CHUNK_TAIL, sizeof HTTP_CHUNK_TAIL - 1);
}

/* Sends all that is there. */
void conn_push(struct conn *conn)
{
    seal(conn, /*last=*/false);
    conn_send(conn);
}

/* --- The server's own responses -----------------------------------------------------------------
 */

/* Forgets what was not sent. */
static void forget(struct conn *conn)
{
    conn->out.at = conn->out.len = 0;
    conn->extra = conn->reserve = 0;
    conn->head_open = false;
}

void conn_answer(struct conn *conn, unsigned status)
{
    char text[256];
    struct http_writer writer = {text, sizeof text, 0, false};
    forget(conn);
    conn->status = (uint16_t)status;
    conn->answered = conn->whole = true;
    conn->framing = FRAMING_LENGTH;
    if (conn->stream) {
        conn->told_length = false;
        conn->broken = conn->broken || !h2_head(conn, status, NULL);
        return;
    }
    stop_waiting(conn);
    http_write_status_line(&writer, status);
    http_write_field(&writer, str_of("Date"), server_date(conn->server));
    http_write_length(&writer, 0);
    if (conn->closing)
        http_write(&writer, str_of("Connection: close\r\n"));
    http_write_end(&writer);
    put(conn, text, writer.used);
}

void conn_settle(struct conn *conn)
{
    if (conn->whole)
        return;
    if (!conn->answered || !conn->committed) {
        conn_answer(conn, conn->why ? conn->why : 500);
        return;
    }
    conn->closing = conn->cut = true;
    seal(conn, /*last=*/false);
}

/* --- The guest's sink ---------------------------------------------------------------------------
 */

static struct conn *conn_of(struct http_sink *sink)
{
    return ((struct response_sink *)sink)->conn;
}

/* The connection is gone, or the request is over. */
static int failed(struct http_sink *sink)
{
    sink->failure = http_failure_of(HTTP_ERROR_CONNECTION_TERMINATED);
    return -ECONNRESET;
}

/* Bytes of the body that wait. */
static uint32_t waiting(const struct conn *conn)
{
    uint32_t left = buffer_left(&conn->out);
    return left > conn->extra ? left - conn->extra : 0;
}

static int64_t sink_room(struct wasi *wasi, struct http_sink *sink)
{
    struct conn *conn = conn_of(sink);
    (void)wasi;
    if (conn && waiting(conn) >= SERVE_OUTPUT)
        conn_push(conn);
    if (!conn || conn->broken)
        return failed(sink);
    return waiting(conn) >= SERVE_OUTPUT ? 0 : SERVE_OUTPUT;
}

/* Bytes, or zeroes. */
static bool put_data(struct conn *conn, const uint8_t *from, size_t len)
{
    if (from)
        return put(conn, from, len);
    if (!buffer_room(&conn->out, &conn->server->heap, len))
        return lost(conn);
    memset(conn->out.bytes + conn->out.len, 0, len);
    conn->out.len += (uint32_t)len;
    return true;
}

static int sink_accept(struct wasi *wasi, struct http_sink *sink, const uint8_t *from, size_t len)
{
    struct conn *conn = conn_of(sink);
    (void)wasi;
    if (!conn || conn->broken)
        return failed(sink);
    conn->given += len;
    if (conn->framing == FRAMING_NONE) {
        conn->given = 0;
        conn->skipped += len;
        return 0;
    }
    if (conn->framing == FRAMING_CHUNKED && !conn->reserve && !keep_free(conn, RESERVE_CHUNK))
        return failed(sink);
    if (!put_data(conn, from, len))
        return failed(sink);
    if (waiting(conn) >= SERVE_TOGETHER)
        conn_push(conn);
    return 0;
}

static int sink_flush(struct wasi *wasi, struct http_sink *sink)
{
    struct conn *conn = conn_of(sink);
    (void)wasi;
    if (!conn || conn->broken)
        return failed(sink);
    conn->committed = true;
    bool much = waiting(conn) >= SERVE_OUTPUT;
    if (much || sys_now() - conn->seat->began > LATE)
        conn_push(conn);
    return much && waiting(conn) >= SERVE_OUTPUT ? -EAGAIN : 0;
}

/* The last chunk, and trailers. */
static void put_last(struct conn *conn, const struct fields *trailers)
{
    put(conn, HTTP_LAST_CHUNK, sizeof HTTP_LAST_CHUNK - 1);
    for (uint32_t i = 0; trailers && i < trailers->count; i++) {
        const struct fields_entry *entry = &trailers->at[i];
        if (!http_field_trails(http_field_known(entry->name)))
            continue;
        put(conn, entry->name.at, entry->name.len);
        put(conn, ": ", 2);
        put(conn, entry->value.at, entry->value.len);
        put(conn, "\r\n", 2);
    }
    put(conn, "\r\n", 2);
}

/* Less than its head tells: what follows on this connection would be taken for the rest. */
static int incomplete(struct conn *conn, struct http_sink *sink)
{
    sink->failure = http_failure_of(HTTP_ERROR_HTTP_RESPONSE_BODY_SIZE);
    sink->failure.of.size.some = true;
    sink->failure.of.size.of = conn->given;
    conn_settle(conn);
    return -EMSGSIZE;
}

static int sink_finish(struct wasi *wasi, struct http_sink *sink, const struct fields *trailers)
{
    struct conn *conn = conn_of(sink);
    (void)wasi;
    if (!conn)
        return failed(sink);
    if (conn->framing == FRAMING_LENGTH && conn->told_length && conn->given != conn->told)
        return incomplete(conn, sink);
    seal(conn, /*last=*/!trailers || !conn->head.minor);
    if (conn->stream && trailers && !h2_trailers(conn, trailers))
        lost(conn);
    if (conn->framing == FRAMING_CHUNKED)
        put_last(conn, trailers);
    conn->whole = true;
    return conn->broken ? failed(sink) : 0;
}

static void sink_abort(struct wasi *wasi, struct http_sink *sink)
{
    struct conn *conn = conn_of(sink);
    (void)wasi;
    if (conn)
        conn_settle(conn);
}

static struct stream_wait sink_wait(const struct http_sink *sink)
{
    const struct conn *conn = ((const struct response_sink *)sink)->conn;
    return (struct stream_wait){conn ? conn->fd : -1, POLLOUT, UINT64_MAX};
}

static void sink_release(struct wasi *wasi, struct http_sink *sink)
{
    struct conn *conn = conn_of(sink);
    if (conn)
        conn->sink = NULL;
    wasi_resource_end(wasi, sink);
}

static struct http_sink *sink_new(struct wasi *wasi, struct conn *conn)
{
    static const struct http_sink_ops ops = {sink_room,  sink_accept, sink_flush,  sink_finish,
                                             sink_abort, sink_wait,   sink_release};
    struct response_sink *sink = wasi_resource(wasi, sizeof *sink);
    if (!sink)
        return NULL;
    *sink = (struct response_sink){.sink = {.refs = 1, .ops = &ops}, .conn = conn};
    conn->sink = sink;
    return &sink->sink;
}

/* --- The guest's answer -------------------------------------------------------------------------
 */

static struct conn *of_exchange(struct http_exchange *exchange)
{
    return (struct conn *)((char *)exchange - offsetof(struct conn, exchange));
}

static size_t head_room(const struct fields *headers)
{
    return 256 + headers->size + (size_t)headers->count * 4;
}

/* Writes status and fields, without what ends the head. False: it is none, or no memory. */
static bool put_head(struct conn *conn, unsigned status, const struct fields *headers)
{
    struct buffer *out = &conn->out;
    size_t room = head_room(headers);
    if (!buffer_room(out, &conn->server->heap, room))
        return false;
    struct http_writer writer = {(char *)out->bytes + out->len, room, 0, false};
    bool dated = false;
    http_write_status_line(&writer, status);
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct fields_entry *entry = &headers->at[i];
        enum http_known known = http_field_known(entry->name);
        dated = dated || known == HTTP_FIELD_DATE;
        if (known == HTTP_FIELD_CONTENT_LENGTH && !http_tells_length(status))
            continue;
        http_write_field(&writer, entry->name, entry->value);
    }
    if (!dated && status >= 200)
        http_write_field(&writer, str_of("Date"), server_date(conn->server));
    if (!http_written(&writer))
        return false;
    out->len += (uint32_t)writer.used;
    conn->extra += (uint32_t)writer.used;
    return true;
}

static bool exchange_inform(struct wasi *wasi, struct http_exchange *exchange, uint16_t status,
                            const struct fields *headers)
{
    struct conn *conn = of_exchange(exchange);
    (void)wasi;
    if (conn->stream)
        return !conn->answered && h2_inform(conn, status, headers);
    if (conn->answered || !conn->head.minor || !put_head(conn, status, headers) ||
        !put(conn, "\r\n", 2))
        return false;
    conn->extra += 2;
    conn_send(conn);
    return !conn->broken;
}

static void exchange_fail(struct wasi *wasi, struct http_exchange *exchange,
                          const struct http_failure *why)
{
    struct conn *conn = of_exchange(exchange);
    (void)wasi;
    if (conn->answered)
        return;
    conn_answer(conn, why ? status_of((enum http_error)why->code) : 500);
}

static bool begin_response(struct conn *conn, unsigned status, const struct fields *headers)
{
    if (conn->stream)
        return h2_head(conn, status, headers);
    if (!put_head(conn, status, headers) || !keep_free(conn, RESERVE_HEAD))
        return false;
    conn->extra += RESERVE_HEAD;
    conn->head_open = true;
    return true;
}

static void exchange_respond(struct wasi *wasi, struct http_exchange *exchange,
                             struct outgoing_response *response)
{
    struct conn *conn = of_exchange(exchange);
    const struct fields *headers = response->message.headers;
    if (conn->answered)
        return;
    struct http_sink *sink = sink_new(wasi, conn);
    if (!sink || !begin_response(conn, response->status, headers)) {
        conn_answer(conn, 500);
        return;
    }
    conn->answered = true;
    conn->status = response->status;
    conn->given = 0;
    conn->told = fields_length(headers);
    conn->told_length = http_tells_length(response->status) && conn->told != UINT64_MAX;
    bool silent = response->status == HTTP_RESET_CONTENT ||
                  !http_has_body(response->status, conn->head.method);
    sink->silent = silent;
    conn->framing = silent ? FRAMING_NONE : conn->told_length ? FRAMING_LENGTH : FRAMING_OPEN;
    outgoing_message_send(wasi, &response->message, sink);
}

const struct http_exchange_ops conn_exchange = {exchange_inform, exchange_respond, exchange_fail};
