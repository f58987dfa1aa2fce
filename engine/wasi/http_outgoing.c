/* wasi:http/types: outgoing requests and responses, their bodies, request-options. */
#include "engine/http/syntax.h"
#include "engine/wasi/http.h"
#include "engine/wasi/table.h"

#include <errno.h>

typedef HOST_RESULT(void *, uint8_t) handle_result;

static enum host_answer refuse(uint8_t *result)
{
    *result = HOST_ERR;
    return HOST_DONE;
}

/* --- Bodies as their messages see them
 * ------------------------------------------------------------
 */

static void sink_release(struct wasi *wasi, struct http_sink *sink)
{
    if (--sink->refs == 0)
        sink->ops->release(wasi, sink);
}

static void body_release(struct wasi *wasi, struct outgoing_body *body)
{
    if (--body->refs)
        return;
    if (body->sink)
        sink_release(wasi, body->sink);
    if (body->trailers)
        fields_release(wasi, body->trailers);
    heap_give(wasi->heap, body->ahead);
    wasi_resource_end(wasi, body);
}

static void give_ahead(struct wasi *wasi, struct outgoing_body *body)
{
    if (body->nahead)
        body->sink->ops->accept(wasi, body->sink, body->ahead, body->nahead);
    heap_give(wasi->heap, body->ahead);
    body->ahead = NULL;
    body->nahead = 0;
}

void outgoing_message_send(struct wasi *wasi, struct outgoing_message *message,
                           struct http_sink *sink)
{
    struct outgoing_body *body = message->body;
    if (!body) {
        sink->ops->finish(wasi, sink, NULL);
        sink_release(wasi, sink);
        return;
    }
    body->sink = sink;
    give_ahead(wasi, body);
    if (body->finished)
        sink->ops->finish(wasi, sink, body->trailers);
    else if (body->aborted)
        sink->ops->abort(wasi, sink);
}

bool outgoing_message_whole(const struct outgoing_message *message, uint64_t *ret_length)
{
    const struct outgoing_body *body = message->body;
    *ret_length = body ? body->written : 0;
    return !body || (body->finished && !body->trailers);
}

static void message_end(struct wasi *wasi, struct outgoing_message *message)
{
    fields_release(wasi, message->headers);
    if (message->body)
        body_release(wasi, message->body);
    wasi_resource_end(wasi, message);
}

void outgoing_message_release(struct wasi *wasi, struct outgoing_message *message)
{
    if (--message->refs == 0)
        message_end(wasi, message);
}

/* `headers` becomes its own. */
static void *message_new(struct wasi *wasi, size_t size, struct fields *headers)
{
    headers = fields_take(wasi, headers);
    struct outgoing_message *message = headers ? wasi_resource(wasi, size) : NULL;
    if (!message) {
        if (headers)
            fields_release(wasi, headers);
        return NULL;
    }
    headers->immutable = true;
    message->refs = 1;
    message->headers = headers;
    return message;
}

static enum host_answer message_body(struct host_call *call, struct outgoing_message *message,
                                     bool request, handle_result *result)
{
    if (message->body)
        return refuse(&result->tag);
    struct outgoing_body *body = wasi_resource(call->host, sizeof *body);
    if (!body)
        return wasi_no_memory(call);
    body->refs = 2;
    body->expected = fields_length(message->headers);
    body->request = request;
    message->body = body;
    result->ok = body;
    return HOST_DONE;
}

/* --- Bodies as streams --------------------------------------------------------------------------
 */

/* It is not as long as its message says, or was to be. */
static int wrong_size(struct outgoing_body *body)
{
    body->failure = http_failure_of(body->request ? HTTP_ERROR_HTTP_REQUEST_BODY_SIZE
                                                  : HTTP_ERROR_HTTP_RESPONSE_BODY_SIZE);
    body->failure.of.size.some = true;
    body->failure.of.size.of = body->written;
    return -EMSGSIZE;
}

/* An answer of the sink. */
static int64_t of_sink(struct outgoing_body *body, int64_t answer)
{
    if (answer < 0 && answer != -EAGAIN)
        body->failure = body->sink->failure;
    return answer;
}

static int64_t stream_room(struct wasi *wasi, void *of)
{
    struct outgoing_body *body = of;
    if (!body->sink)
        return WASI_HTTP_AHEAD - body->nahead;
    return of_sink(body, body->sink->ops->room(wasi, body->sink));
}

static int keep_ahead(struct wasi *wasi, struct outgoing_body *body, const uint8_t *from,
                      size_t len)
{
    if (!body->ahead)
        body->ahead = heap_take(wasi->heap, WASI_HTTP_AHEAD);
    if (!body->ahead || len > WASI_HTTP_AHEAD - body->nahead) {
        body->failure = http_failure_of(HTTP_ERROR_INTERNAL_ERROR);
        return -ENOMEM;
    }
    if (from)
        memcpy(body->ahead + body->nahead, from, len);
    else
        memset(body->ahead + body->nahead, 0, len);
    body->nahead += (uint32_t)len;
    return 0;
}

static int stream_accept(struct wasi *wasi, void *of, const uint8_t *from, size_t len)
{
    struct outgoing_body *body = of;
    body->written += len;
    if (body->written > body->expected)
        return wrong_size(body);
    if (!len)
        return 0;
    if (!body->sink)
        return keep_ahead(wasi, body, from, len);
    return (int)of_sink(body, body->sink->ops->accept(wasi, body->sink, from, len));
}

/* Nothing goes anywhere before the message is sent, and waiting for that would be for ever. */
static int stream_flush(struct wasi *wasi, void *of)
{
    struct outgoing_body *body = of;
    if (!body->sink)
        return 0;
    return (int)of_sink(body, body->sink->ops->flush(wasi, body->sink));
}

static struct stream_wait stream_wait(void *of)
{
    const struct outgoing_body *body = of;
    if (!body->sink)
        return (struct stream_wait){-1, 0, UINT64_MAX};
    return body->sink->ops->wait(body->sink);
}

static const struct http_failure *stream_failure(void *of)
{
    const struct outgoing_body *body = of;
    return &body->failure;
}

static void stream_release(struct wasi *wasi, void *of)
{
    struct outgoing_body *body = of;
    body->streams = false;
    body_release(wasi, body);
}

static const struct output_ops body_output = {stream_room, stream_accept,  stream_flush,
                                              stream_wait, stream_failure, stream_release};

enum host_answer wasi_http_outgoing_body_write(struct host_call *call, const void *args,
                                               void *result)
{
    struct outgoing_body *body = *(struct outgoing_body *const *)args;
    handle_result *stream = result;
    if (body->taken)
        return refuse(&stream->tag);
    stream->ok = output_of(call->host, &body_output, body);
    if (!stream->ok)
        return wasi_no_memory(call);
    body->refs++;
    body->taken = body->streams = true;
    return HOST_DONE;
}

struct finish_args {
    struct outgoing_body *self;
    HOST_OPTION(struct fields *) trailers;
};

struct unit_or_failure {
    uint8_t tag;
    struct http_failure err;
};

static void spoil(struct wasi *wasi, struct outgoing_body *body)
{
    body->aborted = true;
    if (body->sink)
        body->sink->ops->abort(wasi, body->sink);
}

/* A response to HEAD, or that nothing has changed, tells a length and has no body (RFC 9110, 8.6).
 * Before it is sent nobody knows whether it is one; then its sink compares. */
static bool may_be_empty(const struct outgoing_body *body)
{
    return !body->request && !body->written && (!body->sink || body->sink->silent);
}

/* 0, or the negated errno of a body that is not what it was to be. */
static int finish(struct wasi *wasi, struct outgoing_body *body, struct fields *trailers)
{
    if (body->failure.code || body->aborted)
        return -EPIPE;
    if (body->expected != UINT64_MAX && body->written != body->expected && !may_be_empty(body)) {
        spoil(wasi, body);
        return wrong_size(body);
    }
    body->finished = true;
    body->trailers = trailers ? fields_keep(trailers) : NULL;
    return body->sink ? (int)of_sink(body, body->sink->ops->finish(wasi, body->sink, trailers)) : 0;
}

enum host_answer wasi_http_outgoing_body_finish(struct host_call *call, const void *args,
                                                void *result)
{
    const struct finish_args *a = args;
    struct unit_or_failure *done = result;
    struct outgoing_body *body = a->self;
    struct fields *trailers = a->trailers.some ? a->trailers.of : NULL;
    bool streams = body->streams;
    if (streams) {
        spoil(call->host, body);
    } else if (finish(call->host, body, trailers) < 0) {
        done->tag = HOST_ERR;
        done->err = body->failure;
    }
    if (trailers)
        fields_drop(call->host, trailers);
    body_release(call->host, body);
    return streams ? host_trap(call, "outgoing-body.finish while its output-stream is still there")
                   : HOST_DONE;
}

bool wasi_drop_http_outgoing_body(struct vm *vm, void *host, void *representation)
{
    struct outgoing_body *body = representation;
    if (body->streams) {
        vm_trap_set(vm, TRAP_HOST, "an outgoing-body is dropped before its output-stream is");
        return false;
    }
    if (!body->finished && !body->aborted)
        spoil(host, body);
    body_release(host, body);
    return true;
}

/* --- Responses ----------------------------------------------------------------------------------
 */

enum host_answer wasi_http_outgoing_response_new(struct host_call *call, const void *args,
                                                 void *result)
{
    struct fields *const *headers = args;
    struct outgoing_response **made = result;
    *made = message_new(call->host, sizeof **made, *headers);
    if (!*made)
        return wasi_no_memory(call);
    (*made)->status = 200;
    return HOST_DONE;
}

enum host_answer wasi_http_outgoing_response_status_code(struct host_call *call, const void *args,
                                                         void *result)
{
    const struct outgoing_response *const *self = args;
    uint16_t *status = result;
    (void)call;
    *status = (*self)->status;
    return HOST_DONE;
}

struct status_args {
    struct outgoing_response *self;
    uint16_t status;
};

/* An informational one is no answer. */
enum host_answer wasi_http_outgoing_response_set_status_code(struct host_call *call,
                                                             const void *args, void *result)
{
    const struct status_args *a = args;
    (void)call;
    if (a->status < 200 || a->status > 999)
        return refuse(result);
    a->self->status = a->status;
    return HOST_DONE;
}

enum host_answer wasi_http_outgoing_response_headers(struct host_call *call, const void *args,
                                                     void *result)
{
    const struct outgoing_response *const *self = args;
    struct fields **headers = result;
    (void)call;
    *headers = fields_lend((*self)->message.headers);
    return HOST_DONE;
}

enum host_answer wasi_http_outgoing_response_body(struct host_call *call, const void *args,
                                                  void *result)
{
    struct outgoing_response *const *self = args;
    return message_body(call, &(*self)->message, /*request=*/false, result);
}

bool wasi_drop_http_outgoing_response(struct vm *vm, void *host, void *representation)
{
    struct outgoing_response *response = representation;
    if (!fields_back(vm, response->message.headers))
        return false;
    outgoing_message_release(host, &response->message);
    return true;
}

/* --- Requests -----------------------------------------------------------------------------------
 */

static void text_free(struct wasi *wasi, struct str text)
{
    heap_give(wasi->heap, (void *)(uintptr_t)text.at);
}

void outgoing_request_release(struct wasi *wasi, struct outgoing_request *request)
{
    if (--request->message.refs)
        return;
    text_free(wasi, request->method_name);
    text_free(wasi, request->scheme_name);
    text_free(wasi, request->path);
    text_free(wasi, request->authority);
    message_end(wasi, &request->message);
}

enum host_answer wasi_http_outgoing_request_new(struct host_call *call, const void *args,
                                                void *result)
{
    struct fields *const *headers = args;
    struct outgoing_request **made = result;
    *made = message_new(call->host, sizeof **made, *headers);
    if (!*made)
        return wasi_no_memory(call);
    (*made)->scheme = SCHEME_NONE;
    return HOST_DONE;
}

bool wasi_drop_http_outgoing_request(struct vm *vm, void *host, void *representation)
{
    const struct outgoing_request *request = representation;
    if (!fields_back(vm, request->message.headers))
        return false;
    outgoing_request_release(host, representation);
    return true;
}

enum host_answer wasi_http_outgoing_request_body(struct host_call *call, const void *args,
                                                 void *result)
{
    struct outgoing_request *const *self = args;
    return message_body(call, &(*self)->message, /*request=*/true, result);
}

enum host_answer wasi_http_outgoing_request_headers(struct host_call *call, const void *args,
                                                    void *result)
{
    const struct outgoing_request *const *self = args;
    struct fields **headers = result;
    (void)call;
    *headers = fields_lend((*self)->message.headers);
    return HOST_DONE;
}

/* Replaces a text of a request by a copy; .at NULL: by none. False: no memory. */
static bool replace(struct wasi *wasi, struct str *text, struct str by)
{
    char *copy = NULL;
    if (by.at) {
        copy = heap_take(wasi->heap, by.len ? by.len : 1);
        if (!copy)
            return false;
        memcpy(copy, by.at, by.len);
    }
    text_free(wasi, *text);
    *text = (struct str){copy, copy ? by.len : 0};
    return true;
}

/* The text of an option, never with .at NULL if it is there. */
static struct str given(const option_str *text)
{
    if (!text->some)
        return (struct str){NULL, 0};
    return text->of.len ? text->of : str_of("");
}

struct case_text {
    uint8_t tag;
    struct str other;
};

struct method_args {
    struct outgoing_request *self;
    struct case_text method;
};

enum host_answer wasi_http_outgoing_request_set_method(struct host_call *call, const void *args,
                                                       void *result)
{
    const struct method_args *a = args;
    struct str name = {NULL, 0};
    enum http_method method = (enum http_method)a->method.tag;
    if (method == HTTP_OTHER_METHOD) {
        name = a->method.other;
        if (!name.len || name.len > HTTP_MAX_METHOD || !http_is_token(name))
            return refuse(result);
        method = http_method_of(name);
    }
    if (method != HTTP_OTHER_METHOD)
        name.at = NULL;
    if (!replace(call->host, &a->self->method_name, name))
        return wasi_no_memory(call);
    a->self->method = (uint8_t)method;
    return HOST_DONE;
}

enum host_answer wasi_http_outgoing_request_method(struct host_call *call, const void *args,
                                                   void *result)
{
    const struct outgoing_request *const *self = args;
    struct case_text *method = result;
    (void)call;
    *method = (struct case_text){(*self)->method, (*self)->method_name};
    return HOST_DONE;
}

struct scheme_args {
    struct outgoing_request *self;
    HOST_OPTION(struct case_text) scheme;
};

enum host_answer wasi_http_outgoing_request_set_scheme(struct host_call *call, const void *args,
                                                       void *result)
{
    const struct scheme_args *a = args;
    struct str name = {NULL, 0};
    uint8_t scheme = a->scheme.some ? a->scheme.of.tag : SCHEME_NONE;
    if (scheme == SCHEME_OTHER) {
        name = a->scheme.of.other;
        if (!name.len || name.len > WASI_HTTP_TEXT || !http_is_scheme(name))
            return refuse(result);
    }
    if (!replace(call->host, &a->self->scheme_name, name))
        return wasi_no_memory(call);
    a->self->scheme = scheme;
    return HOST_DONE;
}

enum host_answer wasi_http_outgoing_request_scheme(struct host_call *call, const void *args,
                                                   void *result)
{
    const struct outgoing_request *const *self = args;
    HOST_OPTION(struct case_text) *scheme = result;
    (void)call;
    scheme->some = (*self)->scheme != SCHEME_NONE;
    if (scheme->some)
        scheme->of = (struct case_text){(*self)->scheme, (*self)->scheme_name};
    return HOST_DONE;
}

struct text_args {
    struct outgoing_request *self;
    option_str text;
};

enum host_answer wasi_http_outgoing_request_set_path_with_query(struct host_call *call,
                                                                const void *args, void *result)
{
    const struct text_args *a = args;
    struct str path = given(&a->text);
    if (path.at && (path.len > WASI_HTTP_TEXT || !http_is_path(path)))
        return refuse(result);
    return replace(call->host, &a->self->path, path) ? HOST_DONE : wasi_no_memory(call);
}

enum host_answer wasi_http_outgoing_request_set_authority(struct host_call *call, const void *args,
                                                          void *result)
{
    const struct text_args *a = args;
    struct str authority = given(&a->text);
    struct http_authority parts;
    if (authority.at &&
        (authority.len > HTTP_MAX_AUTHORITY || !http_authority_read(authority, &parts)))
        return refuse(result);
    return replace(call->host, &a->self->authority, authority) ? HOST_DONE : wasi_no_memory(call);
}

static enum host_answer maybe(struct str text, option_str *result)
{
    result->some = text.at != NULL;
    result->of = text;
    return HOST_DONE;
}

enum host_answer wasi_http_outgoing_request_path_with_query(struct host_call *call,
                                                            const void *args, void *result)
{
    const struct outgoing_request *const *self = args;
    (void)call;
    return maybe((*self)->path, result);
}

enum host_answer wasi_http_outgoing_request_authority(struct host_call *call, const void *args,
                                                      void *result)
{
    const struct outgoing_request *const *self = args;
    (void)call;
    return maybe((*self)->authority, result);
}
