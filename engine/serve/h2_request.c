/* Requests of HTTP/2 as text; see h2.h. */
#include "engine/serve/h2.h"

#include "engine/http/syntax.h"

/* --- Fields -------------------------------------------------------------------------------------
 */

static int lost(void)
{
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Would it end the line, or the text? (nghttp2 refuses these, too.) */
static bool breaks(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == '\r' || text.at[i] == '\n' || text.at[i] == 0)
            return true;
    return false;
}

static bool put(struct h2_stream *stream, struct buffer *to, struct str text)
{
    return buffer_put(to, &stream->conn->server->heap, text.at, text.len);
}

static int put_field(struct h2_stream *stream, struct buffer *to, struct str name, struct str value)
{
    bool done = put(stream, to, name) && put(stream, to, str_of(": ")) && put(stream, to, value) &&
                put(stream, to, str_of("\r\n"));
    return done ? 0 : lost();
}

static struct str pseudo(const struct h2_stream *stream, unsigned which)
{
    const struct http_span *span = &stream->spans[which];
    if (!span->len)
        return str_of("");
    return (struct str){(const char *)stream->pseudo.bytes + span->at, span->len};
}

/* nghttp2 has seen to it that each comes once, and before the others. */
static int keep_pseudo(struct h2_stream *stream, struct str name, struct str value)
{
    static const char *const names[H2_PSEUDO] = {":method", ":scheme", ":authority", ":path"};
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.at[i] <= ' ')
            stream->refused = 400;
    for (unsigned i = 0; i < H2_PSEUDO; i++)
        if (str_eq(name, str_of(names[i])))
            stream->spans[i] = (struct http_span){stream->pseudo.len, (uint32_t)value.len};
    return put(stream, &stream->pseudo, value) ? 0 : lost();
}

/* The request line, and Host. */
static int put_line(struct h2_stream *stream)
{
    struct buffer *in = &stream->conn->in;
    const struct str method = pseudo(stream, H2_METHOD), authority = pseudo(stream, H2_AUTHORITY);
    bool tunnel = str_eq(method, str_of("CONNECT"));
    stream->lined = true;
    bool done = put(stream, in, method) && put(stream, in, str_of(" ")) &&
                put(stream, in, tunnel ? authority : pseudo(stream, H2_PATH)) &&
                put(stream, in, str_of(" HTTP/1.1\r\n"));
    if (!done)
        return lost();
    return authority.len ? put_field(stream, in, str_of("host"), authority) : 0;
}

/* RFC 9113, 8.2.3 */
static int keep_cookie(struct h2_stream *stream, struct str value)
{
    bool done = (!stream->cookie.len || put(stream, &stream->cookie, str_of("; "))) &&
                put(stream, &stream->cookie, value);
    return done ? 0 : lost();
}

int h2_field(struct h2_stream *stream, bool trailer, struct str name, struct str value)
{
    struct conn *conn = stream->conn;
    if (stream->refused)
        return 0;
    if (breaks(name) || breaks(value))
        stream->refused = 400;
    else if (conn->in.len + stream->pseudo.len + stream->cookie.len + name.len + value.len >
                 HTTP_MAX_HEAD &&
             !trailer)
        stream->refused = 431;
    else if (stream->trailer.len + name.len + value.len > HTTP_MAX_TRAILER)
        return lost();
    if (stream->refused)
        return trailer ? lost() : 0;
    if (trailer)
        return put_field(stream, &stream->trailer, name, value);
    if (name.len && name.at[0] == ':')
        return keep_pseudo(stream, name, value);
    if (!stream->lined && put_line(stream))
        return lost();
    if (str_eq(name, str_of("cookie")))
        return keep_cookie(stream, value);
    /* The same once more says nothing; something else is a second Host, which is refused. */
    if (str_eq(name, str_of("host")) && str_eq(value, pseudo(stream, H2_AUTHORITY)))
        return 0;
    return put_field(stream, &conn->in, name, value);
}

/* --- The whole head -----------------------------------------------------------------------------
 */

void h2_close_head(struct h2_stream *stream)
{
    struct conn *conn = stream->conn;
    const struct str cookie = {(const char *)stream->cookie.bytes, stream->cookie.len};
    bool done = (stream->lined || !put_line(stream)) &&
                (!cookie.len || !put_field(stream, &conn->in, str_of("cookie"), cookie)) &&
                put(stream, &conn->in, str_of("\r\n"));
    if (!done && !stream->refused)
        stream->refused = 503;
}

static unsigned read_head(struct h2_stream *stream)
{
    struct conn *conn = stream->conn;
    struct server *server = conn->server;
    if (stream->refused)
        return stream->refused;
    const struct bytes text = buffer_text(&conn->in);
    conn->head = http_head_new(HTTP_REQUEST, server->fields, HTTP_MAX_FIELDS, HTTP_MAX_HEAD);
    switch (http_head_read(&conn->head, text)) {
    case HTTP_DONE: return 0;
    case HTTP_BAD: return http_fault_status(conn->head.fault);
    default: return 400;
    }
}

void h2_request(struct h2_stream *stream)
{
    struct conn *conn = stream->conn;
    if (!stream->id) {
        conn_end(conn);
        return;
    }
    unsigned status = read_head(stream);
    if (status)
        conn_refuse(conn, status);
    else
        conn_request(conn);
    conn_go_on(conn);
}

bool h2_over(struct conn *conn)
{
    struct h2_stream *stream = conn->stream;
    if (!stream->over)
        return false;
    const struct str trailer = {(const char *)stream->trailer.bytes, stream->trailer.len};
    conn->body_state = trailer.len ? BODY_TRAILS : BODY_OVER;
    if (trailer.len &&
        (!put(stream, &conn->in, trailer) || !put(stream, &conn->in, str_of("\r\n"))))
        conn->body_state = BODY_FAILED;
    return true;
}

void h2_consumed(struct conn *conn, size_t len)
{
    struct h2_stream *stream = conn->stream;
    const struct h2 *h2 = h2_of(conn);
    stream->held -= (uint32_t)len;
    if (!h2)
        return;
    if (stream->id)
        nghttp2_session_consume(h2->session, stream->id, len);
    else
        nghttp2_session_consume_connection(h2->session, len);
    h2_dirty(conn->carrier);
}
