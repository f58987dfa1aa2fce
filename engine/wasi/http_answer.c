/* wasi:http/types: response-outparam, and request-options. */
#include "engine/wasi/http.h"
#include "engine/wasi/table.h"

/* --- Answers ------------------------------------------------------------------------------------
 */

struct response_outparam *response_outparam_new(struct wasi *wasi, struct http_exchange *exchange)
{
    struct response_outparam *outparam = wasi_resource(wasi, sizeof *outparam);
    if (outparam)
        outparam->exchange = exchange;
    return outparam;
}

struct set_args {
    struct response_outparam *self;
    HOST_RESULT(struct outgoing_response *, struct http_failure) response;
};

enum host_answer wasi_http_response_outparam_set(struct host_call *call, const void *args,
                                                 void *result)
{
    const struct set_args *a = args;
    struct http_exchange *exchange = a->self->exchange;
    (void)result;
    if (a->response.tag == HOST_OK) {
        if (exchange)
            exchange->ops->respond(call->host, exchange, a->response.ok);
        outgoing_message_release(call->host, &a->response.ok->message);
    } else if (exchange) {
        exchange->ops->fail(call->host, exchange, &a->response.err);
    }
    wasi_resource_end(call->host, a->self);
    return HOST_DONE;
}

struct inform_args {
    struct response_outparam *self;
    uint16_t status;
    struct fields *headers;
};

enum host_answer wasi_http_response_outparam_send_informational(struct host_call *call,
                                                                const void *args, void *result)
{
    const struct inform_args *a = args;
    struct {
        uint8_t tag;
        struct http_failure err;
    } *done = result;
    struct http_exchange *exchange = a->self->exchange;
    /* 101 would switch protocols, which no component can. */
    if (a->status < 100 || a->status > 199 || a->status == 101) {
        done->tag = HOST_ERR;
        done->err = http_failure_of(HTTP_ERROR_HTTP_PROTOCOL_ERROR);
    } else if (!exchange || !exchange->ops->inform(call->host, exchange, a->status, a->headers)) {
        done->tag = HOST_ERR;
        done->err = http_failure_of(HTTP_ERROR_INTERNAL_ERROR);
    }
    fields_drop(call->host, a->headers);
    return HOST_DONE;
}

/* Nobody will answer. */
bool wasi_drop_http_response_outparam(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    struct response_outparam *outparam = representation;
    if (outparam->exchange)
        outparam->exchange->ops->fail(host, outparam->exchange, NULL);
    wasi_resource_end(host, outparam);
    return true;
}

/* --- Options of requests ------------------------------------------------------------------------
 */

enum host_answer wasi_http_request_options_new(struct host_call *call, const void *args,
                                               void *result)
{
    struct request_options **made = result;
    (void)args;
    *made = wasi_resource(call->host, sizeof **made);
    return *made ? HOST_DONE : wasi_no_memory(call);
}

bool wasi_drop_http_request_options(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    wasi_resource_end(host, representation);
    return true;
}

struct timeout_args {
    struct request_options *self;
    HOST_OPTION(uint64_t) duration;
};

#define TIMEOUT_FUNCTIONS(id, which)                                                               \
    enum host_answer wasi_http_request_options_##id(struct host_call *call, const void *args,      \
                                                    void *result)                                  \
    {                                                                                              \
        const struct request_options *const *self = args;                                          \
        (void)call;                                                                                \
        memcpy(result, &(*self)->timeouts[which], sizeof(*self)->timeouts[which]);                 \
        return HOST_DONE;                                                                          \
    }                                                                                              \
    enum host_answer wasi_http_request_options_set_##id(struct host_call *call, const void *args,  \
                                                        void *result)                              \
    {                                                                                              \
        const struct timeout_args *a = args;                                                       \
        (void)call;                                                                                \
        (void)result;                                                                              \
        memcpy(&a->self->timeouts[which], &a->duration, sizeof a->duration);                       \
        return HOST_DONE;                                                                          \
    }
TIMEOUT_FUNCTIONS(connect_timeout, TIMEOUT_CONNECT)
TIMEOUT_FUNCTIONS(first_byte_timeout, TIMEOUT_FIRST_BYTE)
TIMEOUT_FUNCTIONS(between_bytes_timeout, TIMEOUT_BETWEEN_BYTES)
