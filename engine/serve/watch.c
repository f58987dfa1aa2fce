/* Counters, the access log, and who asks for them; see watch.h. The line about a request is written
 * here, in the cell, as everything in it is the client's: control characters never get into it. */
#include "engine/serve/watch.h"

#include "engine/base/out.h"
#include "engine/http/write.h"
#include "engine/wasi/sys.h"

/* Bytes of method and target that a line has. */
#define NOTE_MOST 2048

/* --- Counters -----------------------------------------------------------------------------------
 */

static volatile uint64_t *counters_of(const struct serve_config *config, uint32_t cell)
{
    return config->counters + cell * config->counters_each;
}

void watch_count(struct server *server, enum counter counter, uint64_t by)
{
    if (server->config->counters)
        __atomic_fetch_add(&counters_of(server->config, server->config->worker)[counter], by,
                           __ATOMIC_RELAXED); /* processes of requests count there, too */
}

static void set(struct server *server, enum counter counter, uint64_t value)
{
    counters_of(server->config, server->config->worker)[counter] = value;
}

/* Those of a request's process are its server's, which knows more. */
static void set_gauges(struct server *server)
{
    if (server->copy)
        return;
    set(server, COUNTER_CONNECTIONS, server->connections + server->ncopies);
    set(server, COUNTER_ACTIVE, server->active + server->ncopies);
    set(server, COUNTER_INSTANCES, server->nseats);
    set(server, COUNTER_MEMORY, server->heap.used);
}

void watch_open(struct server *server)
{
    watch_count(server, COUNTER_STARTS, 1);
    if (server->config->counters)
        set_gauges(server);
}

/* Of all cells that serve beside each other. */
static uint64_t sum(const struct server *server, enum counter counter)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < server->config->workers; i++)
        all += counters_of(server->config, i)[counter];
    return all;
}

static enum counter bucket_of(uint64_t nanoseconds)
{
#define BUCKET(name, most, seconds)                                                                \
    if (nanoseconds <= most)                                                                       \
        return COUNTER_##name;
#include "engine/serve/counter.def"
    return COUNTER_B11;
}

/* --- Requests -----------------------------------------------------------------------------------
 */

static bool watched(const struct server *server)
{
    return server->config->counters || server->config->log >= 0;
}

/* Method and target, with a blank between them. */
static void take_note(struct conn *conn)
{
    const struct bytes text = buffer_text(&conn->in);
    const struct str method = http_text(text, conn->head.method_name);
    const struct str target = http_text(text, conn->head.target);
    size_t len = target.len < NOTE_MOST ? target.len : NOTE_MOST;
    conn->note = heap_take(&conn->server->heap, method.len + 1 + len);
    if (!conn->note)
        return;
    memcpy(conn->note, method.at, method.len);
    conn->note[method.len] = ' ';
    memcpy(conn->note + method.len + 1, target.at, len);
    conn->note_method = (uint32_t)method.len;
    conn->note_len = (uint32_t)(method.len + 1 + len);
}

void watch_begin(struct conn *conn)
{
    if (!watched(conn->server) || conn->watching || conn->noted)
        return;
    conn->noted = true;
    conn->began = sys_now();
    conn->given = 0;
    if (conn->server->config->log >= 0 && conn->head.begun && !conn->head.fault)
        take_note(conn);
}

static void put_log(void *data, struct str piece)
{
    struct server *server = data;
    buffer_put(&server->log, &server->heap, piece.at, piece.len);
}

/* 2026-01-02T03:04:05.678Z */
static void put_time(struct server *server, struct out *out)
{
    const struct str date = server_date(server); /* Fri, 02 Jan 2026 03:04:05 GMT */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    unsigned month = 1;
    for (unsigned i = 0; i < 12; i++)
        if (memcmp(date.at + 8, months + i * 3, 3) == 0)
            month = i + 1;
    out_format(out, "%.4s-%02u-%.2sT%.8sZ", date.at + 12, month, date.at + 5, date.at + 17);
}

/* What people read in a line: blanks and control characters are told by number. */
static void put_plain(struct out *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\')
            out_format(out, "\\x%02x", c);
        else
            out_char(out, (char)c);
    }
}

static struct bytes raw(struct str text)
{
    return (struct bytes){(const uint8_t *)text.at, text.len};
}

static void put_line(struct conn *conn, uint64_t nanoseconds)
{
    struct server *server = conn->server;
    struct out out = {.put = put_log, .data = server};
    struct str method = {"-", 1}, target = method;
    if (conn->note) {
        method = (struct str){conn->note, conn->note_method};
        target = (struct str){conn->note + conn->note_method + 1,
                              conn->note_len - conn->note_method - 1};
    }
    const char *version = conn->stream ? "2" : conn->head.minor ? "1.1" : "1.0";
    unsigned long long bytes = conn->given, micros = nanoseconds / 1000;
    if (server->config->log_json) {
        out_text(&out, "{\"time\":\"");
        put_time(server, &out);
        out_text(&out, "\",\"method\":");
        out_json(&out, raw(method));
        out_text(&out, ",\"target\":");
        out_json(&out, raw(target));
        out_format(&out, ",\"http\":\"%s\",\"status\":%u,\"bytes\":%llu,\"microseconds\":%llu",
                   version, conn->answered ? conn->status : 0, bytes, micros);
        out_format(&out, ",\"cut\":%s}\n", conn->cut || !conn->whole ? "true" : "false");
    } else {
        put_time(server, &out);
        out_char(&out, ' ');
        put_plain(&out, method);
        out_char(&out, ' ');
        put_plain(&out, target);
        out_format(&out, " HTTP/%s %u %llu %llu.%03llums%s\n", version,
                   conn->answered ? conn->status : 0, bytes, micros / 1000, micros % 1000,
                   conn->cut || !conn->whole ? " cut" : "");
    }
    out_flush(&out);
}

void watch_end(struct conn *conn)
{
    struct server *server = conn->server;
    if (!conn->noted)
        return;
    uint64_t nanoseconds = sys_now() - conn->began;
    conn->noted = false;
    if (conn->answered && conn->status >= 100 && conn->status < 600)
        watch_count(server, (enum counter)(COUNTER_OF_1XX + conn->status / 100 - 1), 1);
    if (conn->cut || !conn->whole)
        watch_count(server, COUNTER_CUT, 1);
    watch_count(server, COUNTER_SENT, conn->given);
    watch_count(server, COUNTER_NANOSECONDS, nanoseconds);
    watch_count(server, bucket_of(nanoseconds), 1);
    if (server->config->log >= 0)
        put_line(conn, nanoseconds);
    heap_give(&server->heap, conn->note);
    conn->note = NULL;
    if (buffer_left(&server->log) >= SERVE_LOG)
        watch_flush(server);
}

/* What was refused since this was asked last; all instances count together. */
static void count_denials(struct server *server)
{
    const struct wasi_refusals *refusals = server->seats[0].instance.wasi->refusals;
    if (!refusals)
        return;
    watch_count(server, COUNTER_DENIALS, refusals->all - server->denials);
    server->denials = refusals->all;
}

/* A log that takes no more has gaps: requests go first. */
void watch_flush(struct server *server)
{
    struct buffer *log = &server->log;
    if (server->config->counters) {
        set_gauges(server);
        count_denials(server);
    }
    if (buffer_left(log))
        sys_write(server->config->log, log->bytes + log->at, buffer_left(log));
    log->at = log->len = 0;
}

/* --- Numbers and health -------------------------------------------------------------------------
 */

static void put_number(struct out *out, const char *name, const char *label, uint64_t value)
{
    out_format(out, label[0] ? "%s{%s} %llu\n" : "%s%s %llu\n", name, label,
               (unsigned long long)value);
}

static void put_family(struct out *out, const char *family, const char *type, const char *what)
{
    out_format(out, "# TYPE %s %s\n# HELP %s ", family, type, family);
    out_format(out, "%s.\n", what);
}

static void put_histogram(const struct server *server, struct out *out)
{
    static const char family[] = "carrel_request_duration_seconds";
    uint64_t count = 0, time = sum(server, COUNTER_NANOSECONDS);
    put_family(out, family, "histogram", "how long requests took");
#define BUCKET(name, nanoseconds, seconds)                                                         \
    count += sum(server, COUNTER_##name);                                                          \
    out_format(out, "%s_bucket{le=\"%s\"} %llu\n", family, seconds, (unsigned long long)count);
#include "engine/serve/counter.def"
    out_format(out, "%s_count %llu\n", family, (unsigned long long)count);
    out_format(out, "%s_sum %llu.%09llu\n# EOF\n", family, (unsigned long long)(time / 1000000000),
               (unsigned long long)(time % 1000000000));
}

static void put_metrics(struct server *server, struct out *out)
{
    set_gauges(server);
#define COUNTER(name, family, label, what)                                                         \
    if (what[0])                                                                                   \
        put_family(out, family, "counter", what);                                                  \
    put_number(out, family "_total", label, sum(server, COUNTER_##name));
#define GAUGE(name, family, what)                                                                  \
    put_family(out, family, "gauge", what);                                                        \
    put_number(out, family, "", sum(server, COUNTER_##name));
#include "engine/serve/counter.def"
    put_histogram(server, out);
}

struct body {
    struct conn *conn;
    struct buffer text;
};

static void put_body(void *data, struct str piece)
{
    struct body *body = data;
    if (!buffer_put(&body->text, &body->conn->server->heap, piece.at, piece.len))
        body->conn->broken = true;
}

static void respond(struct conn *conn, const char *type, const struct buffer *body)
{
    struct heap *heap = &conn->server->heap;
    char text[512];
    struct http_writer writer = {text, sizeof text, 0, false};
    conn->status = 200;
    conn->answered = conn->whole = true;
    conn->framing = FRAMING_LENGTH;
    http_write_status_line(&writer, 200);
    http_write_field(&writer, str_of("Date"), server_date(conn->server));
    http_write_field(&writer, str_of("Content-Type"), str_of(type));
    http_write_length(&writer, buffer_left(body));
    if (conn->closing)
        http_write(&writer, str_of("Connection: close\r\n"));
    http_write_end(&writer);
    bool silent = conn->head.method == HTTP_HEAD;
    if (!buffer_put(&conn->out, heap, text, writer.used) ||
        (!silent && !buffer_put(&conn->out, heap, body->bytes, body->len)))
        conn->broken = true;
}

void watch_answer(struct conn *conn)
{
    struct server *server = conn->server;
    const struct bytes text = buffer_text(&conn->in);
    const struct str target = http_text(text, conn->head.target);
    bool metrics = str_is(target, "/metrics"), health = str_is(target, "/health");
    bool asks = conn->head.method == HTTP_GET || conn->head.method == HTTP_HEAD;
    conn_body_begin(conn);
    conn->in.at += conn->head.size;
    conn->state = CONN_ENDING;
    conn->closing = conn->closing || !conn->continued;
    struct body body = {.conn = conn};
    struct out out = {.put = put_body, .data = &body};
    if (!asks || !(metrics || health) || (metrics && !server->config->counters)) {
        conn_answer(conn, asks ? 404 : 405);
        return;
    }
    if (health)
        out_text(&out, "ok\n");
    else
        put_metrics(server, &out);
    out_flush(&out);
    respond(conn,
            health ? "text/plain" : "application/openmetrics-text; version=1.0.0; charset=utf-8",
            &body.text);
    buffer_free(&body.text, &server->heap);
}
