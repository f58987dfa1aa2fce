/* wasi:http/outgoing-handler: what of a request is valid, and how it is written. The rest is the
 * client's (http_client.h). */
#include "engine/http/write.h"
#include "engine/wasi/http_client.h"
#include "engine/wasi/http_trace.h"
#include "engine/wasi/sys.h"
#include "engine/wasi/table.h"

#include <arpa/inet.h>
#include <errno.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443, LENGTH_UNKNOWN = -1 };

/* What is to be sent. */
struct sending {
    const struct outgoing_request *request;
    const struct http_trace *trace; /* of the request that is being answered */
    bool secure;
    struct http_authority authority;
    struct str method;
    struct str path;
    bool whole;     /* all of the body is known */
    int64_t length; /* of the body; LENGTH_UNKNOWN: it goes in chunks */
};

/* --- Is it valid? -------------------------------------------------------------------------------
 */

/* What Content-Length says, if it is there, must be one number: whoever reads two, or another than
 * was written here, would see another end of the message. */
static bool length_valid(const struct fields *headers)
{
    const struct str name = str_of("content-length");
    uint64_t length;
    uint32_t at = fields_find(headers, name, 0);
    if (at == headers->count)
        return true;
    return http_number(headers->at[at].value, &length) && length <= INT64_MAX &&
           fields_find(headers, name, at + 1) == headers->count;
}

/* A message without body says so where its method lets one expect (RFC 9110, 8.6). */
static void find_length(struct sending *s)
{
    uint64_t whole, told = fields_length(s->request->message.headers);
    s->whole = outgoing_message_whole(&s->request->message, &whole);
    s->length = LENGTH_UNKNOWN;
    if (told != UINT64_MAX)
        s->length = (int64_t)told;
    else if (s->whole)
        s->length = (int64_t)whole;
}

static bool read_request(const struct outgoing_request *request, struct sending *ret,
                         struct http_failure *why)
{
    enum http_method method = (enum http_method)request->method;
    *ret = (struct sending){.request = request,
                            .secure = request->scheme != SCHEME_HTTP,
                            .method = method == HTTP_OTHER_METHOD ? request->method_name
                                                                  : http_method_name(method),
                            .path = request->path};
    if (method == HTTP_CONNECT) {
        *why = http_failure_of(HTTP_ERROR_HTTP_REQUEST_METHOD_INVALID);
        return false;
    }
    if (request->scheme == SCHEME_OTHER || !length_valid(request->message.headers)) {
        *why = http_failure_of(HTTP_ERROR_HTTP_PROTOCOL_ERROR);
        return false;
    }
    if (!request->authority.len || !http_authority_read(request->authority, &ret->authority)) {
        *why = http_failure_of(HTTP_ERROR_INTERNAL_ERROR);
        why->of.text = (option_str){true, str_of("the request has no authority")};
        return false;
    }
    if (str_is(request->path, "*") && method != HTTP_OPTIONS) {
        *why = http_failure_of(HTTP_ERROR_HTTP_REQUEST_URI_INVALID);
        return false;
    }
    find_length(ret);
    return true;
}

/* --- Writing ------------------------------------------------------------------------------------
 */

static bool own_field(enum http_known known)
{
    return known == HTTP_FIELD_CONTENT_LENGTH || http_field_forbidden(known);
}

static void write_head(const struct sending *s, struct http_writer *writer)
{
    char path[HTTP_MAX_TARGET + 1] = "/";
    size_t slash = !s->path.len || s->path.at[0] == '?';
    size_t len = s->path.len < sizeof path - 1 ? s->path.len : sizeof path - 1;
    if (len)
        memcpy(path + slash, s->path.at, len);
    http_write_request_line(writer, s->method, (struct str){path, len + slash});
    http_write_field(writer, str_of("Host"), s->request->authority);
    const struct fields *headers = s->request->message.headers;
    for (uint32_t i = 0; i < headers->count; i++)
        if (!own_field(http_field_known(headers->at[i].name)))
            http_write_field(writer, headers->at[i].name, headers->at[i].value);
    /* Who sends TE says that it is the connection's (RFC 9110, 10.1.4), which guests cannot. */
    if (fields_find(headers, str_of("te"), 0) != headers->count)
        http_write_field(writer, str_of("Connection"), str_of("TE"));
    http_trace_write(s->trace, headers, writer);
    bool expects = s->request->method != HTTP_GET && s->request->method != HTTP_HEAD &&
                   s->request->method != HTTP_DELETE && s->request->method != HTTP_OPTIONS &&
                   s->request->method != HTTP_TRACE;
    if (s->length == LENGTH_UNKNOWN)
        http_write_field(writer, str_of("Transfer-Encoding"), str_of("chunked"));
    else if (s->length > 0 || expects)
        http_write_length(writer, (uint64_t)s->length);
    http_write_end(writer);
}

/* The head into `out`, with room for a body that is known. */
static bool put_head(struct wasi *wasi, struct http_client *client, const struct sending *s,
                     struct http_failure *why)
{
    struct http_writer measure = {.room = 0};
    write_head(s, &measure);
    if (measure.bad || measure.used > HTTP_MAX_HEAD || s->path.len > HTTP_MAX_TARGET - 1) {
        *why = http_failure_of(s->path.len >= HTTP_MAX_TARGET ? HTTP_ERROR_HTTP_REQUEST_URI_TOO_LONG
                               : measure.bad                  ? HTTP_ERROR_HTTP_PROTOCOL_ERROR
                                             : HTTP_ERROR_HTTP_REQUEST_HEADER_SECTION_SIZE);
        return false;
    }
    *why = http_failure_of(HTTP_ERROR_INTERNAL_ERROR);
    if (!client_reserve(wasi, client, measure.used))
        return false;
    struct http_writer writer = {.at = (char *)client->out.at, .room = client->out.room};
    write_head(s, &writer);
    client->out.to = writer.used;
    return true;
}

/* --- Beginning ----------------------------------------------------------------------------------
 */

/* The host as a name, or as its only address. */
static bool set_host(struct wasi *wasi, struct http_client *client, const struct sending *s)
{
    const struct http_authority *from = &s->authority;
    char text[INET6_ADDRSTRLEN] = "";
    char *copy = heap_take(wasi->heap, from->host.len);
    if (!copy)
        return false;
    memcpy(copy, from->host.at, from->host.len);
    client->host = (struct str){copy, from->host.len};
    client->secure = s->secure;
    client->port = (uint16_t)(from->port >= 0 ? from->port : s->secure ? PORT_HTTPS : PORT_HTTP);
    if (from->host.len < sizeof text)
        memcpy(text, from->host.at, from->host.len);
    struct wasi_address *address = &client->addresses[0];
    address->family = from->literal6 ? ADDRESS_IPV6 : ADDRESS_IPV4;
    bool literal = inet_pton(from->literal6 ? AF_INET6 : AF_INET, text, address->bytes) == 1;
    client->named = !literal;
    client->naddresses = literal;
    return literal || !from->literal6;
}

/* Idempotent (RFC 9110, 9.2.2). */
static bool repeatable(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_PUT ||
           method == HTTP_DELETE || method == HTTP_OPTIONS || method == HTTP_TRACE;
}

static void set_times(struct http_client *client, const struct request_options *options)
{
    uint64_t times[3] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    for (size_t i = 0; options && i < 3; i++)
        if (options->timeouts[i].some && options->timeouts[i].of < (uint64_t)INT64_MAX)
            times[i] = options->timeouts[i].of;
    client->until = UINT64_MAX;
    if (times[TIMEOUT_CONNECT] != UINT64_MAX)
        client->until = sys_now() + times[TIMEOUT_CONNECT];
    client->first_byte = times[TIMEOUT_FIRST_BYTE];
    client->between_bytes = times[TIMEOUT_BETWEEN_BYTES];
}

static struct http_client *client_new(struct wasi *wasi)
{
    struct http_client *client = wasi_resource(wasi, sizeof *client);
    if (!client)
        return NULL;
    client->source.ops = &client_source;
    client->sink = (struct http_sink){.refs = 1, .ops = &client_sink};
    client->future = (struct future_response){.refs = 1, .ops = &client_future};
    client->sink_lives = client->future_lives = true;
    client->pipe = client->wire.fd = -1;
    wasi_hold(wasi, &client->held, client_let_go);
    return client;
}

/* As if it had never been. */
static void discard(struct wasi *wasi, struct http_client *client)
{
    client->sink_lives = client->future_lives = false;
    client_release(wasi, client);
}

static bool prepare(struct wasi *wasi, struct http_client *client, const struct sending *s,
                    struct http_failure *why)
{
    client->method = (enum http_method)s->request->method;
    client->chunked = s->length == LENGTH_UNKNOWN;
    client->told = client->chunked ? 0 : (uint64_t)s->length;
    client->replays = s->whole && repeatable(client->method);
    *why = http_failure_of(HTTP_ERROR_HTTP_REQUEST_URI_INVALID);
    return set_host(wasi, client, s) && client->port && put_head(wasi, client, s, why);
}

typedef HOST_RESULT(struct future_response *, struct http_failure) handle_result;

/* The capability is not granted: the shim explains it. */
static struct http_failure not_granted(struct wasi *wasi, const struct sending *s)
{
    uint16_t port = s->secure ? PORT_HTTPS : PORT_HTTP;
    if (s->authority.port >= 0)
        port = (uint16_t)s->authority.port;
    ask_denied_origin(wasi, s->secure, s->authority.host, port);
    return http_failure_of(HTTP_ERROR_HTTP_REQUEST_DENIED);
}

/* What is wrong with a request is told by the future, as all else that can go wrong; that it may
 * not be made is told at once. */
static enum host_answer send_request(struct host_call *call, struct outgoing_request *request,
                                     const struct request_options *options, handle_result *result)
{
    struct wasi *wasi = call->host;
    struct sending s;
    struct http_failure why;
    struct http_client *client = client_new(wasi);
    if (!client)
        return wasi_no_memory(call);
    bool valid = read_request(request, &s, &why);
    s.trace = &wasi->trace;
    if (valid && !wasi->network.http) {
        why = not_granted(wasi, &s);
        valid = false;
    }
    set_times(client, options);
    if (valid && prepare(wasi, client, &s, &why))
        client_begin(wasi, client);
    else
        client_fail_as(client, &why);
    if (client->failure.code == HTTP_ERROR_HTTP_REQUEST_DENIED) {
        *result = (handle_result){.tag = HOST_ERR, .err = client->failure};
        discard(wasi, client);
        return HOST_DONE;
    }
    outgoing_message_send(wasi, &request->message, &client->sink);
    *result = (handle_result){.tag = HOST_OK, .ok = &client->future};
    return HOST_DONE;
}

struct handle_args {
    struct outgoing_request *request;
    HOST_OPTION(struct request_options *) options;
};

enum host_answer wasi_http_outgoing_handle(struct host_call *call, const void *args, void *result)
{
    const struct handle_args *a = args;
    struct request_options *options = a->options.some ? a->options.of : NULL;
    enum host_answer answer = send_request(call, a->request, options, result);
    outgoing_request_release(call->host, a->request);
    if (options)
        wasi_resource_end(call->host, options);
    return answer;
}
