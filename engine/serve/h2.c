/* Connections that speak HTTP/2; see h2.h. What nghttp2 calls while it reads only notes: requests
 * are given to instances, and bytes are sent, when it has returned. */
#include "engine/serve/h2.h"

#include <errno.h>

/* Reads of one connection before others get their turn. */
#define TURNS 16

/* --- Memory -------------------------------------------------------------------------------------
 */

static void *mem_take(size_t size, void *heap)
{
    return heap_take(heap, size);
}

static void mem_give(void *block, void *heap)
{
    heap_give(heap, block);
}

static void *mem_zeroed(size_t count, size_t each, void *heap)
{
    return heap_zeroed(heap, count, each);
}

static void *mem_resize(void *block, size_t size, void *heap)
{
    return heap_resize(heap, block, size);
}

/* --- Leaving ------------------------------------------------------------------------------------
 */

/* What came until now is answered, and nothing that comes later (6.8). */
static void tell(struct h2 *h2)
{
    if (h2->told)
        return;
    h2->told = true;
    nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(h2->session), NGHTTP2_NO_ERROR,
                          NULL, 0);
}

/* A connection with requests is first warned, and told once its client has answered a PING, so has
 * seen that: what it sent meanwhile is not lost. It has no longer than one of its requests. */
static void warn(struct h2 *h2)
{
    if (!h2->requests) {
        tell(h2);
        return;
    }
    h2->warned = true;
    nghttp2_submit_shutdown_notice(h2->session);
    nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
}

/* --- Streams ------------------------------------------------------------------------------------
 */

static struct h2_stream *stream_new(struct h2 *h2, int32_t id)
{
    struct server *server = h2->conn->server;
    struct conn *conn = heap_zeroed(&server->heap, 1, sizeof *conn);
    struct h2_stream *stream = heap_zeroed(&server->heap, 1, sizeof *stream);
    if (!conn || !stream) {
        heap_give(&server->heap, conn);
        heap_give(&server->heap, stream);
        return NULL;
    }
    *conn = (struct conn){.server = server,
                          .fd = CONN_NO_FD,
                          .state = CONN_HEAD,
                          .stream = stream,
                          .carrier = h2->conn,
                          .exchange = {&conn_exchange}};
    *stream = (struct h2_stream){.id = id, .conn = conn, .after = h2->streams};
    if (h2->streams)
        h2->streams->before = stream;
    h2->streams = stream;
    return stream;
}

static void uncount(struct h2 *h2, struct h2_stream *stream)
{
    if (stream->counted && h2->warned)
        tell(h2);
    h2->requests -= stream->counted;
    stream->counted = false;
}

static void stream_out(struct h2 *h2, struct h2_stream *stream)
{
    uncount(h2, stream);
    if (stream->before)
        stream->before->after = stream->after;
    else
        h2->streams = stream->after;
    if (stream->after)
        stream->after->before = stream->before;
    stream->before = stream->after = NULL;
}

/* The connection has nothing to do with it any more. */
static void detach(struct h2_stream *stream)
{
    struct conn *conn = stream->conn;
    stream->id = 0;
    conn->carrier = NULL;
    conn->broken = conn->ended = true;
    conn->out.at = conn->out.len;
    if (conn->seat)
        conn->seat->woken = true;
}

void h2_stream_end(struct conn *conn)
{
    struct h2_stream *stream = conn->stream;
    struct heap *heap = &conn->server->heap;
    struct h2 *h2 = h2_of(conn);
    if (h2) {
        if (stream->held)
            nghttp2_session_consume_connection(h2->session, stream->held);
        if (stream->id) {
            nghttp2_session_set_stream_user_data(h2->session, stream->id, NULL);
            nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                      NGHTTP2_INTERNAL_ERROR);
        }
        stream_out(h2, stream);
        h2_dirty(conn->carrier);
    }
    buffer_free(&stream->pseudo, heap);
    buffer_free(&stream->cookie, heap);
    buffer_free(&stream->trailer, heap);
    heap_give(heap, stream->head);
    heap_give(heap, stream->trailers);
    heap_give(heap, stream);
    conn->stream = NULL;
}

void h2_stream_go_on(struct conn *conn)
{
    struct h2_stream *stream = conn->stream;
    if (conn->state != CONN_ENDING)
        return;
    if (conn->broken || !stream->id) {
        conn_end(conn);
        return;
    }
    h2_submit(stream);
    if (conn->clock != CLOCK_END || conn->moved)
        conn_clock(conn, CLOCK_END);
    conn->moved = false;
    h2_dirty(conn->carrier);
}

/* --- What nghttp2 tells -------------------------------------------------------------------------
 */

static struct h2_stream *find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct h2 *h2 = data;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    /* What GOAWAY leaves out must not be begun, also while that waits to be sent. */
    struct h2_stream *stream = h2->told ? NULL : stream_new(h2, frame->hd.stream_id);
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *data)
{
    struct h2_stream *stream = find(session, frame->hd.stream_id);
    (void)flags, (void)data;
    if (!stream || frame->hd.type != NGHTTP2_HEADERS)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return h2_field(stream, frame->headers.cat != NGHTTP2_HCAT_REQUEST,
                    (struct str){(const char *)name, name_len},
                    (struct str){(const char *)value, value_len});
}

/* What nghttp2 would leave out is refused: others could have read it. */
static int on_bad_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                         size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                         void *data)
{
    (void)session, (void)frame, (void)name, (void)name_len;
    (void)value, (void)value_len, (void)flags, (void)data;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *from,
                   size_t len, void *data)
{
    struct h2_stream *stream = find(session, id);
    (void)flags, (void)data;
    if (!stream || !buffer_put(&stream->conn->in, &stream->conn->server->heap, from, len)) {
        nghttp2_session_consume_connection(session, len);
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
    }
    stream->held += (uint32_t)len;
    stream->conn->traffic += len;
    if (stream->conn->seat)
        stream->conn->seat->woken = true;
    return 0;
}

/* The head is whole: once nghttp2 has returned, the request begins. */
static void note_ready(struct h2 *h2, struct h2_stream *stream)
{
    h2_close_head(stream);
    stream->counted = true;
    h2->requests++;
    if (h2->ready)
        h2->ready_last->ready = stream;
    else
        h2->ready = stream;
    h2->ready_last = stream;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct h2_stream *stream = frame->hd.stream_id ? find(session, frame->hd.stream_id) : NULL;
    const struct h2 *h2 = data;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) && h2->warned)
        tell(data);
    if (!stream || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    stream->over = stream->over || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        note_ready(data, stream);
    if (stream->conn->seat)
        stream->conn->seat->woken = true;
    return 0;
}

/* The response is sent: nobody reads what is still to come of the request (8.1). */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    const struct h2_stream *stream =
        frame->hd.stream_id ? find(session, frame->hd.stream_id) : NULL;
    (void)data;
    if (!stream || stream->over || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
        (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *data)
{
    struct h2 *h2 = data;
    struct h2_stream *stream = find(session, id);
    if (!stream)
        return 0;
    struct conn *conn = stream->conn;
    bool good = code == NGHTTP2_NO_ERROR && conn->whole;
    bool waits = conn->state == CONN_HEAD && !stream->counted;
    stream->id = 0;
    uncount(h2, stream);
    conn->ended = true;
    if (!good) {
        conn->broken = true;
        conn->out.at = conn->out.len;
    }
    if (conn->seat)
        conn->seat->woken = true;
    else if (waits || conn->state == CONN_ENDING || conn->state == CONN_QUEUED)
        conn_end(conn);
    return 0;
}

static nghttp2_session_callbacks *callbacks(void)
{
    static nghttp2_session_callbacks *made;
    if (made || nghttp2_session_callbacks_new(&made))
        return made;
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(made, on_bad_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
    return made;
}

static nghttp2_option *options(void)
{
    static nghttp2_option *made;
    if (made || nghttp2_option_new(&made))
        return made;
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_closed_streams(made, 1);
    return made;
}

/* --- Connections --------------------------------------------------------------------------------
 */

bool h2_begin(struct conn *conn)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, SERVE_STREAMS},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, SERVE_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_MAX_HEAD},
    };
    struct server *server = conn->server;
    nghttp2_mem mem = {&server->heap, mem_take, mem_give, mem_zeroed, mem_resize};
    struct h2 *h2 = heap_zeroed(&server->heap, 1, sizeof *h2);
    if (!h2)
        return false;
    if (!callbacks() || !options() ||
        nghttp2_session_server_new3(&h2->session, callbacks(), h2, options(), &mem)) {
        heap_give(&server->heap, h2);
        return false;
    }
    h2->conn = conn;
    h2->after = server->h2s;
    if (server->h2s)
        server->h2s->before = h2;
    server->h2s = h2;
    conn->h2 = h2;
    conn->state = CONN_H2;
    conn_clock(conn, CLOCK_IDLE);
    h2->failed =
        nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, countof(settings)) ||
        nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, SERVE_WINDOWS);
    return true;
}

void h2_end(struct conn *conn)
{
    struct h2 *h2 = conn->h2;
    struct server *server = conn->server;
    while (h2->streams) {
        struct h2_stream *stream = h2->streams;
        stream_out(h2, stream);
        detach(stream);
        if (!stream->conn->seat)
            conn_end(stream->conn);
    }
    if (h2->before)
        h2->before->after = h2->after;
    else
        server->h2s = h2->after;
    if (h2->after)
        h2->after->before = h2->before;
    for (struct h2 **at = &server->dirty; *at; at = &(*at)->dirty)
        if (*at == h2) {
            *at = h2->dirty;
            break;
        }
    nghttp2_session_del(h2->session);
    heap_give(&server->heap, h2);
    conn->h2 = NULL;
}

void h2_dirty(struct conn *conn)
{
    struct h2 *h2 = conn->h2;
    if (h2->is_dirty)
        return;
    h2->is_dirty = true;
    h2->dirty = conn->server->dirty;
    conn->server->dirty = h2;
}

/* More of what nghttp2 has to say into `out`. False: there is none. */
static bool fill_out(struct conn *conn)
{
    const uint8_t *from;
    ssize_t len = nghttp2_session_mem_send(conn->h2->session, &from);
    if (len < 0 || (len > 0 && !buffer_put(&conn->out, &conn->server->heap, from, (size_t)len)))
        conn->broken = true;
    return len > 0 && !conn->broken;
}

void h2_send(struct conn *conn)
{
    do {
        while (buffer_left(&conn->out) < SERVE_OUTPUT && fill_out(conn))
            ;
        conn_send(conn);
    } while (conn->writable && !conn->broken && nghttp2_session_want_write(conn->h2->session) &&
             fill_out(conn));
}

void h2_take(struct conn *conn, const void *from, size_t len)
{
    struct h2 *h2 = conn->h2;
    h2->failed = h2->failed || nghttp2_session_mem_recv(h2->session, from, len) < 0;
}

/* Takes what has come. */
static void receive(struct conn *conn)
{
    struct h2 *h2 = conn->h2;
    uint8_t bytes[SERVE_INPUT];
    for (int turns = 0; conn->readable && !h2->failed; turns++) {
        /* Who does not read answers is not read from. */
        if (buffer_left(&conn->out) >= SERVE_OUTPUT)
            return;
        if (turns == TURNS)
            return;
        int64_t count = conn_read(conn, bytes, sizeof bytes);
        if (count == -EAGAIN)
            return;
        if (count > 0)
            h2_take(conn, bytes, (size_t)count);
        else
            conn->broken = true; /* who sends nothing opens no window either */
    }
}

static void begin_requests(struct h2 *h2)
{
    while (h2->ready) {
        struct h2_stream *stream = h2->ready;
        h2->ready = stream->ready;
        stream->ready = NULL;
        h2_request(stream);
    }
}

/* What is to become of the connection? */
static void settle(struct conn *conn)
{
    struct h2 *h2 = conn->h2;
    bool idle = !h2->requests;
    if (conn->broken) {
        conn_end(conn);
    } else if (buffer_left(&conn->out)) {
        if (conn->clock != CLOCK_END || conn->moved)
            conn_clock(conn, CLOCK_END);
        conn->moved = false;
    } else if (h2->failed || (idle && h2->told) ||
               (!nghttp2_session_want_read(h2->session) &&
                !nghttp2_session_want_write(h2->session))) {
        h2_end(conn);
        conn_linger(conn);
    } else if (idle && conn->clock != CLOCK_IDLE) {
        conn_clock(conn, CLOCK_IDLE);
    } else if (!idle) {
        conn_clock(conn, CLOCK_NONE);
    }
    if (conn->h2 && conn->readable && !h2->failed && buffer_left(&conn->out) < SERVE_OUTPUT)
        server_again(conn);
}

void h2_go_on(struct conn *conn)
{
    receive(conn);
    begin_requests(conn->h2);
    h2_send(conn);
    settle(conn);
}

void h2_flush(struct server *server)
{
    while (server->dirty) {
        struct h2 *h2 = server->dirty;
        server->dirty = h2->dirty;
        h2->is_dirty = false;
        h2_send(h2->conn);
        settle(h2->conn);
    }
}

void h2_leave(struct server *server)
{
    for (struct h2 *h2 = server->h2s; h2; h2 = h2->after) {
        warn(h2);
        h2_dirty(h2->conn);
    }
}
