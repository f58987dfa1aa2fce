/* What comes in: bytes, and the bodies of requests as guests read them; see conn.h. */
#include "engine/serve/server.h"

#include <errno.h>

/* What reading told, and what follows for the next time. Where less came than was asked for, there
 * is no more, unless the other side has ended: then only reading says so. */
static int64_t got(struct conn *conn, int64_t count, size_t asked)
{
    if (count > 0)
        conn->traffic += (uint64_t)count;
    if (count == -EAGAIN || (count > 0 && (size_t)count < asked && !conn->hung_up))
        conn->readable = false;
    if (count == 0 || (count < 0 && count != -EAGAIN)) {
        conn->readable = false;
        conn->ended = true;
        conn->broken = conn->broken || count < 0;
    }
    return count;
}

int64_t conn_read(struct conn *conn, void *to, size_t len)
{
    if (conn->ended)
        return 0;
    if (!conn->readable)
        return -EAGAIN;
    return got(conn, sys_read(conn->fd, to, len), len);
}

int64_t conn_fill(struct conn *conn, uint32_t room)
{
    struct buffer *in = &conn->in;
    if (conn->ended)
        return 0;
    if (!conn->readable)
        return -EAGAIN;
    if (!buffer_room(in, &conn->server->heap, room))
        return -ENOMEM;
    int64_t count = conn_read(conn, in->bytes + in->len, in->room - in->len);
    if (count > 0)
        in->len += (uint32_t)count;
    return count;
}

/* --- Bodies -------------------------------------------------------------------------------------
 */

/* In HTTP/2 a body needs no length, so the message does not say whether its client waits. */
static bool expects(const struct conn *conn)
{
    bool expects = false;
    for (uint32_t i = 0; conn->stream && i < conn->head.nfields; i++)
        expects = expects || conn->head.fields[i].known == HTTP_FIELD_EXPECT;
    return expects || conn->message.expect_continue;
}

void conn_body_begin(struct conn *conn)
{
    conn->body = http_body_new(&conn->message);
    conn->body_bytes = 0;
    conn->body_state = !conn->stream && http_body_over(&conn->body) ? BODY_OVER : BODY_COMES;
    conn->continued = !expects(conn);
    conn->trailer_at = 0;
    conn->trailer.nfields = 0;
}

static int64_t fails(struct conn *conn, enum http_error error)
{
    conn->body_state = BODY_FAILED;
    conn->body_error = (uint8_t)error;
    conn->closing = true; /* nobody knows where the next request would begin */
    return -EPROTO;
}

/* The client waits until it is told that its body is wanted (RFC 9110, 10.1.1). */
static void say_continue(struct conn *conn)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    conn->continued = true;
    if (conn->stream) {
        if (!conn->sent)
            h2_inform(conn, 100, NULL);
    } else if (!conn->answered) {
        if (buffer_put(&conn->out, &conn->server->heap, text, sizeof text - 1))
            conn->extra += (uint32_t)sizeof text - 1;
        conn_send(conn);
    } else if (!conn->sent && sys_write(conn->fd, text, sizeof text - 1) != sizeof text - 1) {
        conn->broken = true; /* what waits in `out` cannot follow half of it */
    }
}

/* More of the body into `in`. Above 0; 0: the other side has ended; or -EAGAIN or worse. */
static int64_t more(struct conn *conn)
{
    if (!conn->continued)
        say_continue(conn);
    return conn_fill(conn, SERVE_INPUT);
}

/* The trailer section, once the last chunk is read. 1: it is read. */
static int64_t read_trailers(struct conn *conn)
{
    struct heap *heap = &conn->server->heap;
    if (!conn->trailer_fields) {
        conn->trailer_fields = heap_take(heap, HTTP_MAX_TRAILERS * sizeof *conn->trailer_fields);
        if (!conn->trailer_fields)
            return fails(conn, HTTP_ERROR_INTERNAL_ERROR);
        conn->trailer =
            http_head_new(HTTP_TRAILERS, conn->trailer_fields, HTTP_MAX_TRAILERS, HTTP_MAX_TRAILER);
    }
    for (;;) {
        struct buffer *in = &conn->in;
        const struct bytes text = buffer_text(in);
        enum http_progress progress = http_head_read(&conn->trailer, text);
        if (progress == HTTP_BAD)
            return fails(conn, http_trailer_error(conn->trailer.fault, /*of_request=*/true));
        if (progress == HTTP_DONE) {
            conn->trailer_at = in->at;
            in->at += conn->trailer.size;
            conn->body_state = BODY_OVER;
            return 1;
        }
        int64_t count = more(conn);
        if (count <= 0)
            return count == -EAGAIN ? count : fails(conn, HTTP_ERROR_CONNECTION_TERMINATED);
    }
}

/* Counts what was read. */
static int64_t counted(struct conn *conn, size_t len)
{
    conn->body_bytes += len;
    if (conn->body_bytes > conn->server->config->body)
        return fails(conn, HTTP_ERROR_HTTP_REQUEST_BODY_SIZE);
    return (int64_t)len;
}

/* Of a body with a length, past the buffer. */
static int64_t read_straight(struct conn *conn, void *to, size_t len)
{
    size_t used;
    struct bytes data;
    if (!conn->continued)
        say_continue(conn);
    if (len > conn->body.left)
        len = (size_t)conn->body.left;
    int64_t count = conn_read(conn, to, len);
    if (count > 0)
        http_body_read(&conn->body, (struct bytes){to, (size_t)count}, len, &used, &data);
    return count;
}

/* What is in the buffer of it. 0: nothing. */
static int64_t read_buffered(struct conn *conn, void *to, size_t len)
{
    struct buffer *in = &conn->in;
    while (conn->body_state == BODY_COMES) {
        size_t used = 0;
        struct bytes data = {NULL, 0};
        const struct bytes text = buffer_text(in);
        enum http_body_progress progress = http_body_read(&conn->body, text, len, &used, &data);
        if (progress == HTTP_BODY_DATA)
            memcpy(to, data.at, data.len);
        in->at += (uint32_t)used;
        switch (progress) {
        case HTTP_BODY_DATA: return counted(conn, data.len);
        case HTTP_BODY_MORE: return 0;
        case HTTP_BODY_TRAILERS: conn->body_state = BODY_TRAILS; break;
        case HTTP_BODY_END: conn->body_state = BODY_OVER; break;
        case HTTP_BODY_BAD: return fails(conn, HTTP_ERROR_HTTP_PROTOCOL_ERROR);
        }
    }
    return 0;
}

/* Of a stream, whose body lies in the buffer as it is. 0: it is over. */
static int64_t read_stream(struct conn *conn, void *to, size_t len)
{
    struct buffer *in = &conn->in;
    if (buffer_left(in)) {
        if (len > buffer_left(in))
            len = buffer_left(in);
        memcpy(to, in->bytes + in->at, len);
        in->at += (uint32_t)len;
        h2_consumed(conn, len);
        return counted(conn, len);
    }
    if (h2_over(conn))
        return 0;
    if (conn->ended)
        return fails(conn, HTTP_ERROR_CONNECTION_TERMINATED);
    if (!conn->continued)
        say_continue(conn);
    return -EAGAIN;
}

int64_t conn_body_read(struct conn *conn, void *to, size_t len)
{
    for (;;) {
        if (conn->body_state == BODY_TRAILS) {
            int64_t done = read_trailers(conn);
            if (done <= 0)
                return done;
        }
        if (conn->body_state == BODY_OVER)
            return 0;
        if (conn->body_state == BODY_FAILED)
            return -EPROTO;
        int64_t count = conn->stream ? read_stream(conn, to, len) : read_buffered(conn, to, len);
        if (count)
            return count;
        if (conn->body_state != BODY_COMES)
            continue;
        bool straight = conn->body.framing == HTTP_LENGTH && len >= SERVE_INPUT / 4;
        count = straight ? read_straight(conn, to, len) : more(conn);
        if (count == -EAGAIN)
            return count;
        if (count <= 0)
            return fails(conn, HTTP_ERROR_CONNECTION_TERMINATED);
        if (straight) {
            if (http_body_over(&conn->body))
                conn->body_state = BODY_OVER;
            return counted(conn, (size_t)count);
        }
    }
}

/* --- The guest's source -------------------------------------------------------------------------
 */

static struct request_source *source_of(struct http_source *source)
{
    return (struct request_source *)source;
}

/* The request is over, and what was not read of it is gone. */
static int64_t gone(struct http_source *source)
{
    source->failure = http_failure_of(HTTP_ERROR_CONNECTION_TERMINATED);
    return -ECONNABORTED;
}

static int64_t source_read(struct wasi *wasi, struct http_source *source, void *to, size_t len)
{
    struct conn *conn = source_of(source)->conn;
    (void)wasi;
    if (!conn)
        return gone(source);
    int64_t count = conn_body_read(conn, to, len);
    if (count < 0 && count != -EAGAIN)
        source->failure = http_failure_of((enum http_error)conn->body_error);
    return count;
}

/* Passes over what is no data. Is there data behind it? */
static bool peek(struct conn *conn)
{
    struct buffer *in = &conn->in;
    size_t used = 0;
    struct bytes data;
    const struct bytes text = buffer_text(in);
    switch (http_body_read(&conn->body, text, 0, &used, &data)) {
    case HTTP_BODY_DATA:
    case HTTP_BODY_MORE: break;
    case HTTP_BODY_TRAILERS: conn->body_state = BODY_TRAILS; break;
    case HTTP_BODY_END: conn->body_state = BODY_OVER; break;
    case HTTP_BODY_BAD: fails(conn, HTTP_ERROR_HTTP_PROTOCOL_ERROR); break;
    }
    in->at += (uint32_t)used;
    return conn->body_state == BODY_COMES && buffer_left(in);
}

/* The same of a stream. */
static bool stream_ready(struct conn *conn)
{
    if (conn->body_state != BODY_COMES || buffer_left(&conn->in) || h2_over(conn) || conn->ended)
        return true;
    if (!conn->continued)
        say_continue(conn);
    return false;
}

/* Something is there, or all is, or it has failed: for this some of it is read ahead. */
static bool source_ready(struct wasi *wasi, struct http_source *source)
{
    struct conn *conn = source_of(source)->conn;
    (void)wasi;
    if (!conn)
        return true;
    if (conn->stream)
        return stream_ready(conn);
    for (;;) {
        if (conn->body_state == BODY_COMES && peek(conn))
            return true;
        if (conn->body_state == BODY_TRAILS)
            return read_trailers(conn) != -EAGAIN;
        if (conn->body_state != BODY_COMES)
            return true;
        int64_t count = more(conn);
        if (count == -EAGAIN)
            return false;
        if (count <= 0)
            return true;
    }
}

static struct stream_wait source_wait(const struct http_source *source)
{
    const struct conn *conn = ((const struct request_source *)source)->conn;
    return (struct stream_wait){conn ? conn->fd : -1, POLLIN, UINT64_MAX};
}

static bool source_trailers(struct wasi *wasi, struct http_source *source, struct fields **ret)
{
    const struct conn *conn = source_of(source)->conn;
    if (!conn || !conn->trailer.nfields)
        return true;
    struct fields *fields = fields_new(wasi);
    const struct bytes text = {conn->in.bytes + conn->trailer_at, conn->trailer.size};
    if (!fields ||
        !fields_add_read(wasi, fields, conn->trailer_fields, conn->trailer.nfields, text)) {
        if (fields)
            fields_release(wasi, fields);
        return false;
    }
    *ret = fields;
    return true;
}

static void source_release(struct wasi *wasi, struct http_source *source)
{
    struct conn *conn = source_of(source)->conn;
    if (conn)
        conn->source = NULL;
    wasi_resource_end(wasi, source);
}

struct http_source *request_source_new(struct wasi *wasi, struct conn *conn)
{
    static const struct http_source_ops ops = {source_read, source_ready, source_wait,
                                               source_trailers, source_release};
    struct request_source *source = wasi_resource(wasi, sizeof *source);
    if (!source)
        return NULL;
    *source = (struct request_source){.source = {.refs = 1, .ops = &ops}, .conn = conn};
    conn->source = source;
    return &source->source;
}
