/* A connection from its first byte to its last; see conn.h. */
#include "engine/serve/copy.h"
#include "engine/serve/watch.h"

#include <errno.h>

/* Types of frames of HTTP/2, and an error code (RFC 9113, 6.5, 6.8 and 7). */
enum { H2_SETTINGS = 4, H2_GOAWAY = 7, H2_HTTP_1_1_REQUIRED = 0xd };

/* Requests that one connection may have answered before others get their turn. */
#define TURNS 16

/* --- Lists of clocks ----------------------------------------------------------------------------
 */

static void clock_out(struct conn *conn)
{
    struct server *server = conn->server;
    if (conn->clock == CLOCK_NONE)
        return;
    if (conn->before)
        conn->before->after = conn->after;
    else
        server->clocks[conn->clock].first = conn->after;
    if (conn->after)
        conn->after->before = conn->before;
    else
        server->clocks[conn->clock].last = conn->before;
    conn->clock = CLOCK_NONE;
}

void conn_clock(struct conn *conn, enum clock clock)
{
    struct server *server = conn->server;
    clock_out(conn);
    if (clock == CLOCK_NONE)
        return;
    conn->clock = (uint8_t)clock;
    conn->since = server->now;
    conn->after = NULL;
    conn->before = server->clocks[clock].last;
    if (conn->before)
        conn->before->after = conn;
    else
        server->clocks[clock].first = conn;
    server->clocks[clock].last = conn;
}

/* --- Beginning and end --------------------------------------------------------------------------
 */

/* Everything that was the request's. */
static void request_end(struct conn *conn)
{
    struct heap *heap = &conn->server->heap;
    watch_end(conn);
    heap_give(heap, conn->fields);
    heap_give(heap, conn->trailer_fields);
    conn->fields = conn->trailer_fields = NULL;
    conn->trailer.nfields = 0;
    conn->answered = conn->sent = conn->committed = conn->whole = conn->cut = false;
    conn->reserve = conn->extra = 0;
    conn->head_open = false;
    conn->skipped = conn->passed = 0;
    conn->why = 0;
    conn->head = http_head_new(HTTP_REQUEST, conn->server->fields, HTTP_MAX_FIELDS, HTTP_MAX_HEAD);
}

void conn_new(struct server *server, int fd, bool watching)
{
    struct conn *conn = heap_zeroed(&server->heap, 1, sizeof *conn);
    if (!conn) {
        sys_close(fd);
        return;
    }
    *conn = (struct conn){.server = server,
                          .fd = fd,
                          .virgin = !watching,
                          .watching = watching,
                          .readable = true,
                          .writable = true,
                          .exchange = {&conn_exchange}};
    server->connections++;
    request_end(conn);
    conn_clock(conn, CLOCK_IDLE);
    /* Where requests get processes, most heads are there by now, and nothing needs to be told. */
    if (server->copies || conn_listen(conn))
        conn_go_on(conn);
    else
        conn_end(conn);
}

bool conn_listen(struct conn *conn)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data = {.ptr = conn}};
    conn->listened = conn->listened ||
                     sys_watch(conn->server->config->events, EPOLL_CTL_ADD, conn->fd, &event) == 0;
    return conn->listened;
}

/* Takes it out of those that may go on, of which it is seldom one. */
static void again_out(struct conn *conn)
{
    for (struct conn **at = &conn->server->again; conn->again && *at; at = &(*at)->next)
        if (*at == conn) {
            *at = conn->next;
            break;
        }
    conn->again = false;
}

void conn_end(struct conn *conn)
{
    struct server *server = conn->server;
    if (conn->state == CONN_GONE)
        return;
    clock_out(conn);
    again_out(conn);
    request_end(conn);
    if (conn->h2)
        h2_end(conn);
    if (conn->stream) {
        h2_stream_end(conn);
    } else {
        /* Where there are other processes, events of what one of them still has open would go on.
         */
        struct epoll_event none = {0};
        if (conn->listened && server->copies)
            sys_watch(server->config->events, EPOLL_CTL_DEL, conn->fd, &none);
        sys_close(conn->fd);
        server->connections--;
    }
    buffer_free(&conn->in, &server->heap);
    buffer_free(&conn->out, &server->heap);
    conn->state = CONN_GONE;
    conn->next = server->gone;
    server->gone = conn;
}

/* --- Requests -----------------------------------------------------------------------------------
 */

void conn_refuse(struct conn *conn, unsigned status)
{
    watch_begin(conn);
    conn->closing = true;
    conn->continued = true;
    conn->body_state = BODY_FAILED;
    conn_answer(conn, status);
    conn->state = CONN_ENDING;
}

/* A head that does not come whole needs a table of its own; what was read is read once more. */
static bool own_fields(struct conn *conn)
{
    if (conn->fields)
        return true;
    conn->fields = heap_take(&conn->server->heap, HTTP_MAX_FIELDS * sizeof *conn->fields);
    if (conn->fields)
        conn->head = http_head_new(HTTP_REQUEST, conn->fields, HTTP_MAX_FIELDS, HTTP_MAX_HEAD);
    return conn->fields != NULL;
}

void conn_request(struct conn *conn)
{
    const struct serve_config *config = conn->server->config;
    const struct bytes text = buffer_text(&conn->in);
    conn_clock(conn, CLOCK_NONE);
    conn->virgin = false;
    watch_begin(conn);
    if (!http_request_message(&conn->head, text, &conn->message)) {
        conn_refuse(conn, http_fault_status(conn->message.fault));
        return;
    }
    conn->closing = !conn->message.keep_alive || conn->server->leaving;
    if (conn->message.framing == HTTP_LENGTH && conn->message.length > config->body) {
        conn_refuse(conn, 413);
        return;
    }
    /* A tunnel is nothing that a component can make. */
    if (conn->head.method == HTTP_CONNECT) {
        conn_refuse(conn, 501);
        return;
    }
    if (conn->watching)
        watch_answer(conn);
    else
        seat_take(conn->server, conn);
}

/* RFC 9113, 3.4: who speaks HTTP/2 without being asked begins like this. */
enum preface { PREFACE_NONE, PREFACE_BEGUN, PREFACE };

static enum preface preface(const struct conn *conn)
{
    static const char text[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const struct buffer *in = &conn->in;
    size_t size = sizeof text - 1, len = buffer_left(in) < size ? buffer_left(in) : size;
    if (!conn->virgin || memcmp(in->bytes + in->at, text, len) != 0)
        return PREFACE_NONE;
    return len == size ? PREFACE : PREFACE_BEGUN;
}

/* A process for one request has no use for a connection that brings many (RFC 9113, 7): its client
 * is told to speak HTTP/1.1. */
static void refuse_h2(struct conn *conn)
{
    /* clang-format off */
    static const uint8_t frames[] = { /* RFC 9113, 4.1: length, type, flags, stream; then what it says */
        0, 0, 0, H2_SETTINGS, 0, 0, 0, 0, 0, /* nothing to agree on */
        0, 0, 8, H2_GOAWAY,   0, 0, 0, 0, 0, /* no stream was looked at; and why: */
            0, 0, 0, 0,  0, 0, 0, H2_HTTP_1_1_REQUIRED,
    };
    /* clang-format on */
    conn->closing = conn->answered = conn->whole = conn->continued = true;
    conn->body_state = BODY_FAILED;
    conn->state = CONN_ENDING;
    if (!buffer_put(&conn->out, &conn->server->heap, frames, sizeof frames))
        conn->broken = true;
}

static void speak_h2(struct conn *conn)
{
    struct buffer *in = &conn->in;
    if (conn->server->copy) {
        refuse_h2(conn);
        return;
    }
    if (!h2_begin(conn)) {
        conn_end(conn);
        return;
    }
    h2_take(conn, in->bytes + in->at, buffer_left(in));
    buffer_free(in, &conn->server->heap);
}

/* Reads what is there of a head. True: it is read, or there is none. */
static bool read_some(struct conn *conn)
{
    const struct buffer *in = &conn->in;
    enum preface begins = preface(conn);
    if (begins == PREFACE) {
        speak_h2(conn);
        return true;
    }
    if (begins == PREFACE_NONE) {
        const struct bytes text = buffer_text(in);
        enum http_progress progress = http_head_read(&conn->head, text);
        if (progress == HTTP_DONE)
            conn_request(conn);
        else if (progress == HTTP_BAD)
            conn_refuse(conn, http_fault_status(conn->head.fault));
        if (progress != HTTP_MORE)
            return true;
    }
    if (conn->state == CONN_IDLE) {
        conn->state = CONN_HEAD;
        conn_clock(conn, CLOCK_HEAD);
    }
    if (begins == PREFACE_NONE && !own_fields(conn)) {
        conn_refuse(conn, 503);
        return true;
    }
    return false;
}

/* Reads on in a head. False: it has to wait, or the connection is gone. */
static bool read_head(struct conn *conn)
{
    struct buffer *in = &conn->in;
    for (;;) {
        if (buffer_left(in) && read_some(conn))
            return true;
        int64_t count = conn_fill(conn, 512);
        if (count == -EAGAIN) {
            if (!buffer_left(in))
                buffer_free(in, &conn->server->heap);
            return false;
        }
        if (count <= 0) {
            conn_end(conn);
            return false;
        }
    }
}

/* --- Endings ------------------------------------------------------------------------------------
 */

/* Passes over what is left of the body. 0: nothing is; or -EAGAIN or worse. Not inlined: only who
 * comes here is to touch so much of the stack, which a process for one request pays for. */
static NOINLINE int64_t pass_over(struct conn *conn)
{
    uint8_t scratch[4096];
    for (;;) {
        int64_t count = conn_body_read(conn, scratch, sizeof scratch);
        if (count <= 0)
            return count;
        conn->passed += (uint64_t)count;
        if (conn->passed > SERVE_PASSED_OVER)
            return -EFBIG;
    }
}

void conn_linger(struct conn *conn)
{
    if (conn->broken || conn->cut || conn->ended ||
        (conn->body_state == BODY_OVER && !buffer_left(&conn->in))) {
        conn_end(conn);
        return;
    }
    sys_shutdown(conn->fd, SHUT_WR);
    conn->state = CONN_LINGERING;
    conn_clock(conn, CLOCK_LINGER);
}

/* True: another request may follow now. */
static bool end_request(struct conn *conn)
{
    conn_send(conn);
    if (conn->broken) {
        conn_end(conn);
        return false;
    }
    if (buffer_left(&conn->out)) {
        if (conn->clock != CLOCK_END || conn->moved)
            conn_clock(conn, CLOCK_END);
        conn->moved = false;
        return false;
    }
    if (!conn->closing) {
        conn->continued = true;
        int64_t left = conn->body_state == BODY_OVER ? 0 : pass_over(conn);
        if (left == -EAGAIN) {
            if (conn->clock != CLOCK_END)
                conn_clock(conn, CLOCK_END);
            return false;
        }
        conn->closing = conn->closing || left < 0;
    }
    if (conn->closing || conn->server->leaving) {
        conn_linger(conn);
        return false;
    }
    buffer_free(&conn->out, &conn->server->heap);
    request_end(conn);
    conn->state = CONN_IDLE;
    conn_clock(conn, CLOCK_IDLE);
    return true;
}

static void throw_away(struct conn *conn)
{
    int64_t count = 0;
    for (int i = 0; i < TURNS; i++) {
        conn->in.at = conn->in.len = 0;
        count = conn_fill(conn, 512);
        if (count <= 0)
            break;
    }
    if (count <= 0 && count != -EAGAIN)
        conn_end(conn);
}

void conn_go_on(struct conn *conn)
{
    if (conn->stream) {
        h2_stream_go_on(conn);
        return;
    }
    if (conn->server->copies) {
        copies_take(conn);
        return;
    }
    for (int turns = 0;;) {
        switch ((enum conn_state)conn->state) {
        case CONN_IDLE:
        case CONN_HEAD:
            if (turns == TURNS) {
                server_again(conn);
                return;
            }
            turns++;
            if (!read_head(conn))
                return;
            break;
        case CONN_ENDING:
            if (!end_request(conn))
                return;
            break;
        case CONN_H2: h2_go_on(conn); return;
        case CONN_LINGERING: throw_away(conn); return;
        case CONN_QUEUED:
        case CONN_ACTIVE:
        case CONN_GONE: return;
        }
    }
}
