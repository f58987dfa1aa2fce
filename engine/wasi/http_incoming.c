/* wasi:http/types: incoming requests, responses, their bodies and trailers. */
#include "engine/http/syntax.h"
#include "engine/wasi/http.h"
#include "engine/wasi/table.h"

#include <errno.h>

void http_source_release(struct wasi *wasi, struct http_source *source)
{
    if (--source->refs == 0)
        source->ops->release(wasi, source);
}

/* --- Messages -----------------------------------------------------------------------------------
 */

/* Of `size` bytes, with a copy of the head. */
static void *message_new(struct wasi *wasi, size_t size, const struct http_head *head,
                         struct bytes text, struct http_source *source)
{
    struct incoming_message *message = wasi_resource(wasi, size);
    size_t fields = head->nfields * sizeof *head->fields;
    char *block = message ? heap_take(wasi->heap, fields + head->size) : NULL;
    if (!block) {
        if (message)
            wasi_resource_end(wasi, message);
        http_source_release(wasi, source);
        return NULL;
    }
    message->refs = 1;
    message->read = (struct http_field *)block;
    message->nread = head->nfields;
    message->text = (struct bytes){(const uint8_t *)block + fields, head->size};
    message->source = source;
    if (fields)
        memcpy(block, head->fields, fields);
    memcpy(block + fields, text.at, head->size);
    return message;
}

struct incoming_request *incoming_request_new(struct wasi *wasi, const struct http_head *head,
                                              struct bytes text, bool secure,
                                              struct http_source *source)
{
    struct incoming_request *request = message_new(wasi, sizeof *request, head, text, source);
    if (!request)
        return NULL;
    const struct incoming_message *message = &request->message;
    struct http_target target = {0};
    request->method = head->method;
    request->method_name = http_text(message->text, head->method_name);
    request->secure = secure;
    http_target_read(http_text(message->text, head->target), head->method == HTTP_CONNECT, &target);
    if (target.path.len)
        request->path = target.path;
    request->authority = target.authority;
    for (uint32_t i = 0; i < message->nread && !target.authority.len; i++)
        if (message->read[i].known == HTTP_FIELD_HOST && message->read[i].value.len)
            request->authority = http_text(message->text, message->read[i].value);
    return request;
}

struct incoming_response *incoming_response_new(struct wasi *wasi, const struct http_head *head,
                                                struct bytes text, struct http_source *source)
{
    struct incoming_response *response = message_new(wasi, sizeof *response, head, text, source);
    if (response)
        response->status = head->status;
    return response;
}

void incoming_message_release(struct wasi *wasi, struct incoming_message *message)
{
    if (--message->refs)
        return;
    if (message->headers)
        fields_release(wasi, message->headers);
    http_source_release(wasi, message->source);
    heap_give(wasi->heap, message->read);
    wasi_resource_end(wasi, message);
}

static enum host_answer message_headers(struct host_call *call, struct incoming_message *message,
                                        struct fields **ret)
{
    if (!message->headers) {
        struct fields *fields = fields_new(call->host);
        if (!fields)
            return wasi_no_memory(call);
        if (!fields_add_read(call->host, fields, message->read, message->nread, message->text)) {
            fields_release(call->host, fields);
            return wasi_no_memory(call);
        }
        fields->immutable = true;
        message->headers = fields;
    }
    *ret = fields_lend(message->headers);
    return HOST_DONE;
}

/* The resource incoming-body. */
struct incoming_body {
    uint32_t refs; /* its handle, its stream */
    struct http_source *source;
    bool taken;
    bool streams;
};

typedef HOST_RESULT(void *, uint8_t) handle_result;

static enum host_answer message_consume(struct host_call *call, struct incoming_message *message,
                                        handle_result *result)
{
    if (message->consumed) {
        result->tag = HOST_ERR;
        return HOST_DONE;
    }
    struct incoming_body *body = wasi_resource(call->host, sizeof *body);
    if (!body)
        return wasi_no_memory(call);
    body->refs = 1;
    body->source = message->source;
    body->source->refs++;
    message->consumed = true;
    result->ok = body;
    return HOST_DONE;
}

/* --- Requests -----------------------------------------------------------------------------------
 */

struct method {
    uint8_t tag;
    struct str other;
};

enum host_answer wasi_http_incoming_request_method(struct host_call *call, const void *args,
                                                   void *result)
{
    struct incoming_request *const *self = args;
    struct method *method = result;
    (void)call;
    method->tag = (uint8_t)(*self)->method;
    method->other = (*self)->method_name;
    return HOST_DONE;
}

static enum host_answer maybe(struct str text, option_str *result)
{
    result->some = text.at != NULL;
    result->of = text;
    return HOST_DONE;
}

enum host_answer wasi_http_incoming_request_path_with_query(struct host_call *call,
                                                            const void *args, void *result)
{
    struct incoming_request *const *self = args;
    (void)call;
    return maybe((*self)->path, result);
}

enum host_answer wasi_http_incoming_request_authority(struct host_call *call, const void *args,
                                                      void *result)
{
    struct incoming_request *const *self = args;
    (void)call;
    return maybe((*self)->authority, result);
}

struct scheme {
    uint8_t tag; /* enum http_scheme */
    struct str other;
};

enum host_answer wasi_http_incoming_request_scheme(struct host_call *call, const void *args,
                                                   void *result)
{
    struct incoming_request *const *self = args;
    HOST_OPTION(struct scheme) *scheme = result;
    (void)call;
    scheme->some = true;
    scheme->of.tag = (*self)->secure ? SCHEME_HTTPS : SCHEME_HTTP;
    return HOST_DONE;
}

enum host_answer wasi_http_incoming_request_headers(struct host_call *call, const void *args,
                                                    void *result)
{
    struct incoming_request *const *self = args;
    return message_headers(call, &(*self)->message, result);
}

enum host_answer wasi_http_incoming_request_consume(struct host_call *call, const void *args,
                                                    void *result)
{
    struct incoming_request *const *self = args;
    return message_consume(call, &(*self)->message, result);
}

bool wasi_drop_http_incoming_request(struct vm *vm, void *host, void *representation)
{
    struct incoming_request *request = representation;
    if (!fields_back(vm, request->message.headers))
        return false;
    incoming_message_release(host, &request->message);
    return true;
}

/* --- Responses ----------------------------------------------------------------------------------
 */

enum host_answer wasi_http_incoming_response_status(struct host_call *call, const void *args,
                                                    void *result)
{
    struct incoming_response *const *self = args;
    uint16_t *status = result;
    (void)call;
    *status = (*self)->status;
    return HOST_DONE;
}

enum host_answer wasi_http_incoming_response_headers(struct host_call *call, const void *args,
                                                     void *result)
{
    struct incoming_response *const *self = args;
    return message_headers(call, &(*self)->message, result);
}

enum host_answer wasi_http_incoming_response_consume(struct host_call *call, const void *args,
                                                     void *result)
{
    struct incoming_response *const *self = args;
    return message_consume(call, &(*self)->message, result);
}

bool wasi_drop_http_incoming_response(struct vm *vm, void *host, void *representation)
{
    struct incoming_response *response = representation;
    if (!fields_back(vm, response->message.headers))
        return false;
    incoming_message_release(host, &response->message);
    return true;
}

/* --- Bodies -------------------------------------------------------------------------------------
 */

static void body_release(struct wasi *wasi, struct incoming_body *body)
{
    if (--body->refs)
        return;
    if (body->source)
        http_source_release(wasi, body->source);
    wasi_resource_end(wasi, body);
}

static int64_t stream_read(struct wasi *wasi, void *of, void *to, size_t len)
{
    const struct incoming_body *body = of;
    return body->source->ops->read(wasi, body->source, to, len);
}

static bool stream_ready(struct wasi *wasi, void *of)
{
    const struct incoming_body *body = of;
    return body->source->ops->ready(wasi, body->source);
}

static struct stream_wait stream_wait(void *of)
{
    const struct incoming_body *body = of;
    return body->source->ops->wait(body->source);
}

static const struct http_failure *stream_failure(void *of)
{
    const struct incoming_body *body = of;
    return &body->source->failure;
}

static void stream_release(struct wasi *wasi, void *of)
{
    struct incoming_body *body = of;
    body->streams = false;
    body_release(wasi, body);
}

static const struct input_ops body_input = {stream_read, stream_ready, stream_wait, stream_failure,
                                            stream_release};

enum host_answer wasi_http_incoming_body_stream(struct host_call *call, const void *args,
                                                void *result)
{
    struct incoming_body *body = *(struct incoming_body *const *)args;
    handle_result *stream = result;
    if (body->taken) {
        stream->tag = HOST_ERR;
        return HOST_DONE;
    }
    stream->ok = input_of(call->host, &body_input, body);
    if (!stream->ok)
        return wasi_no_memory(call);
    body->refs++;
    body->taken = body->streams = true;
    return HOST_DONE;
}

bool wasi_drop_http_incoming_body(struct vm *vm, void *host, void *representation)
{
    const struct incoming_body *body = representation;
    if (body->streams) {
        vm_trap_set(vm, TRAP_HOST, "an incoming-body is dropped before its input-stream is");
        return false;
    }
    body_release(host, representation);
    return true;
}

/* --- Trailers -----------------------------------------------------------------------------------
 */

/* The resource future-trailers. */
struct future_trailers {
    uint32_t refs; /* its handle, its pollables */
    struct http_source *source;
    bool taken;
};

enum host_answer wasi_http_incoming_body_finish(struct host_call *call, const void *args,
                                                void *result)
{
    struct incoming_body *body = *(struct incoming_body *const *)args;
    struct future_trailers **made = result;
    if (body->streams) {
        body_release(call->host, body);
        return host_trap(call, "incoming-body.finish while its input-stream is still there");
    }
    struct future_trailers *future = wasi_resource(call->host, sizeof *future);
    if (!future) {
        body_release(call->host, body);
        return wasi_no_memory(call);
    }
    future->refs = 1;
    future->source = body->source;
    body->source = NULL;
    body_release(call->host, body);
    *made = future;
    return HOST_DONE;
}

/* What of the body nobody has read is passed over, as much as is there. 0: all of it came; or a
 * negative number as read of its source. */
static int64_t pass_over(struct wasi *wasi, const struct future_trailers *future)
{
    uint8_t scratch[4096];
    int64_t got;
    do
        got = future->source->ops->read(wasi, future->source, scratch, sizeof scratch);
    while (got > 0);
    return got;
}

static bool trailers_ready(struct wasi *wasi, void *of)
{
    const struct future_trailers *future = of;
    return future->taken || pass_over(wasi, future) != -EAGAIN;
}

static struct stream_wait trailers_wait(void *of)
{
    const struct future_trailers *future = of;
    return future->source->ops->wait(future->source);
}

static void trailers_release(struct wasi *wasi, void *of)
{
    struct future_trailers *future = of;
    if (--future->refs)
        return;
    http_source_release(wasi, future->source);
    wasi_resource_end(wasi, future);
}

static const struct future_ops trailers_future = {trailers_ready, trailers_wait, trailers_release};

enum host_answer wasi_http_future_trailers_subscribe(struct host_call *call, const void *args,
                                                     void *result)
{
    struct future_trailers *future = *(struct future_trailers *const *)args;
    struct pollable **pollable = result;
    *pollable = pollable_future(call->host, &trailers_future, future);
    if (!*pollable)
        return wasi_no_memory(call);
    future->refs++;
    return HOST_DONE;
}

enum host_answer wasi_http_future_trailers_get(struct host_call *call, const void *args,
                                               void *result)
{
    struct future_trailers *future = *(struct future_trailers *const *)args;
    struct http_source *source = future->source;
    HOST_OPTION(HOST_RESULT(HOST_RESULT(HOST_OPTION(struct fields *), struct http_failure),
                            uint8_t)) *answer = result;
    int64_t got = future->taken ? 0 : pass_over(call->host, future);
    if (got == -EAGAIN)
        return HOST_DONE;
    answer->some = true;
    if (future->taken) {
        answer->of.tag = HOST_ERR;
        return HOST_DONE;
    }
    struct fields *trailers = NULL;
    if (got < 0) {
        answer->of.ok.tag = HOST_ERR;
        answer->of.ok.err = source->failure;
    } else if (!source->ops->trailers(call->host, source, &trailers)) {
        return wasi_no_memory(call);
    } else if (trailers) {
        trailers->immutable = true;
        answer->of.ok.ok.some = true;
        answer->of.ok.ok.of = trailers;
    }
    future->taken = true;
    return HOST_DONE;
}

bool wasi_drop_http_future_trailers(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    trailers_release(host, representation);
    return true;
}

/* --- Responses to come --------------------------------------------------------------------------
 */

enum host_answer wasi_http_future_incoming_response_subscribe(struct host_call *call,
                                                              const void *args, void *result)
{
    struct future_response *future = *(struct future_response *const *)args;
    struct pollable **pollable = result;
    *pollable = pollable_future(call->host, &future->ops->future, future);
    if (!*pollable)
        return wasi_no_memory(call);
    future->refs++;
    return HOST_DONE;
}

enum host_answer wasi_http_future_incoming_response_get(struct host_call *call, const void *args,
                                                        void *result)
{
    struct future_response *future = *(struct future_response *const *)args;
    HOST_OPTION(HOST_RESULT(HOST_RESULT(struct incoming_response *, struct http_failure), uint8_t))
    *answer = result;
    if (!future->taken && !future->ops->future.ready(call->host, future))
        return HOST_DONE;
    answer->some = true;
    if (future->taken) {
        answer->of.tag = HOST_ERR;
        return HOST_DONE;
    }
    struct http_failure why = {0};
    struct incoming_response *response = future->ops->get(call->host, future, &why);
    future->taken = true;
    if (response) {
        answer->of.ok.ok = response;
    } else {
        answer->of.ok.tag = HOST_ERR;
        answer->of.ok.err = why;
    }
    return HOST_DONE;
}

/* Where pollables let go of it, too: the client counts. */
bool wasi_drop_http_future_incoming_response(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    struct future_response *future = representation;
    future->ops->future.release(host, future);
    return true;
}
