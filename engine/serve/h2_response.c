/* Responses of HTTP/2; see h2.h. The head is put together when the guest gives it and handed to
 * nghttp2 when somebody has to wait or all is there: until then another response can take its
 * place. The body waits in `out` and is asked for frame by frame. */
#include "engine/serve/h2.h"

#include "engine/http/field.h"

/* Fields of the server's own: :status, date, content-length. */
#define OWN_FIELDS 3
#define OWN_TEXTS  96

/* --- Fields -------------------------------------------------------------------------------------
 */

/* A block that is being filled. */
struct filling {
    struct h2_fields *fields;
    char *text;
};

static bool filling_new(struct conn *conn, const struct fields *from, struct filling *ret)
{
    size_t count = OWN_FIELDS + (from ? from->count : 0);
    size_t nvs = sizeof *ret->fields + count * sizeof *ret->fields->at;
    ret->fields = heap_take(&conn->server->heap, nvs + OWN_TEXTS + (from ? from->size : 0));
    if (!ret->fields)
        return false;
    ret->fields->count = 0;
    ret->text = (char *)ret->fields + nvs;
    return true;
}

static uint8_t *add_text(struct filling *filling, struct str text)
{
    char *at = filling->text;
    if (text.len)
        memcpy(at, text.at, text.len);
    filling->text += text.len;
    return (uint8_t *)at;
}

static void add(struct filling *filling, struct str name, struct str value)
{
    filling->fields->at[filling->fields->count++] =
        (nghttp2_nv){add_text(filling, name), add_text(filling, value), name.len, value.len,
                     NGHTTP2_NV_FLAG_NONE};
}

static struct str decimal(uint64_t number, char text[20])
{
    size_t at = 20;
    do
        text[--at] = (char)('0' + number % 10);
    while (number /= 10);
    return (struct str){text + at, 20 - at};
}

/* `trailers`: fields alone, and not those that mean nothing there. */
static struct h2_fields *fields_made(struct conn *conn, unsigned status, const struct fields *from,
                                     bool trailers)
{
    struct filling filling;
    char text[20];
    bool dated = trailers || status < 200;
    if (!filling_new(conn, from, &filling))
        return NULL;
    if (!trailers)
        add(&filling, str_of(":status"), decimal(status, text));
    for (uint32_t i = 0; from && i < from->count; i++) {
        enum http_known known = http_field_known(from->at[i].name);
        dated = dated || known == HTTP_FIELD_DATE;
        if (http_field_forbidden(known) || (trailers && !http_field_trails(known)) ||
            (!trailers && known == HTTP_FIELD_CONTENT_LENGTH && !http_tells_length(status)))
            continue;
        add(&filling, from->at[i].name, from->at[i].value);
    }
    if (!dated)
        add(&filling, str_of("date"), server_date(conn->server));
    return filling.fields;
}

/* Room for it was kept. */
static void add_length(struct h2_fields *fields, uint64_t length, char text[20])
{
    static uint8_t name[] = "content-length";
    struct str value = decimal(length, text);
    fields->at[fields->count++] = (nghttp2_nv){name, (uint8_t *)(uintptr_t)value.at,
                                               sizeof name - 1, value.len, NGHTTP2_NV_FLAG_NONE};
}

bool h2_head(struct conn *conn, unsigned status, const struct fields *headers)
{
    struct h2_stream *stream = conn->stream;
    heap_give(&conn->server->heap, stream->head);
    stream->head = fields_made(conn, status, headers, /*trailers=*/false);
    return stream->head != NULL;
}

bool h2_trailers(struct conn *conn, const struct fields *trailers)
{
    struct h2_stream *stream = conn->stream;
    stream->trailers = fields_made(conn, 0, trailers, /*trailers=*/true);
    return stream->trailers != NULL;
}

bool h2_inform(struct conn *conn, unsigned status, const struct fields *headers)
{
    const struct h2 *h2 = h2_of(conn);
    if (!h2 || !conn->stream->id || conn->broken)
        return false;
    struct h2_fields *fields = fields_made(conn, status, headers, /*trailers=*/false);
    if (!fields)
        return false;
    int failed = nghttp2_submit_headers(h2->session, NGHTTP2_FLAG_NONE, conn->stream->id, NULL,
                                        fields->at, fields->count, NULL);
    heap_give(&conn->server->heap, fields);
    h2_send(conn->carrier);
    return !failed;
}

/* --- Sending ------------------------------------------------------------------------------------
 */

/* Of what is written nothing is left: is the body at its end? */
static ssize_t at_end(nghttp2_session *session, struct h2_stream *stream, size_t sent,
                      uint32_t *flags)
{
    const struct conn *conn = stream->conn;
    if (conn->cut || conn->broken)
        return sent ? (ssize_t)sent : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (!conn->whole)
        return sent ? (ssize_t)sent : NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->trailers && stream->trailers->count &&
        nghttp2_submit_trailer(session, stream->id, stream->trailers->at,
                               stream->trailers->count) == 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return (ssize_t)sent;
}

static ssize_t give_data(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *data)
{
    struct h2_stream *stream = source->ptr;
    struct conn *conn = stream->conn;
    struct buffer *out = &conn->out;
    (void)id, (void)data;
    if (len > buffer_left(out))
        len = buffer_left(out);
    if (len) {
        memcpy(to, out->bytes + out->at, len);
        out->at += (uint32_t)len;
        conn->moved = true;
        conn->traffic += len;
        if (conn->seat && buffer_left(out) < SERVE_OUTPUT)
            conn->seat->woken = true;
    }
    return buffer_left(out) ? (ssize_t)len : at_end(session, stream, len, flags);
}

/* Is there a body, or may there be? */
static bool has_data(const struct conn *conn)
{
    if (conn->framing == FRAMING_NONE)
        return false;
    return !conn->whole || buffer_left(&conn->out) || conn->cut || conn->stream->trailers;
}

void h2_submit(struct h2_stream *stream)
{
    struct conn *conn = stream->conn;
    const struct h2 *h2 = h2_of(conn);
    struct h2_fields *head = stream->head;
    char text[20];
    if (!h2 || !stream->id || conn->broken)
        return;
    if (!head) {
        nghttp2_session_resume_data(h2->session, stream->id);
        return;
    }
    bool silent = conn->framing == FRAMING_NONE &&
                  (conn->head.method != HTTP_HEAD || conn->status == HTTP_RESET_CONTENT);
    if (conn->whole && !conn->told_length && !stream->trailers && !silent)
        add_length(head, conn->framing == FRAMING_NONE ? conn->skipped : buffer_left(&conn->out),
                   text);
    const nghttp2_data_provider data = {{.ptr = stream}, give_data};
    conn->broken = nghttp2_submit_response(h2->session, stream->id, head->at, head->count,
                                           has_data(conn) ? &data : NULL) != 0;
    heap_give(&conn->server->heap, head);
    stream->head = NULL;
    conn->sent = conn->committed = true;
}

void h2_push(struct conn *conn)
{
    if (conn->broken || !conn->carrier)
        conn->out.at = conn->out.len;
    if (conn->broken || !conn->carrier || !conn->answered)
        return;
    h2_submit(conn->stream);
    h2_send(conn->carrier);
}
