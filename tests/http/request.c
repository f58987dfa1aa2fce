/* What the WIT text of wasi:http/types says about requests that come, their bodies and trailers,
 * and how they are answered: a component whose handler looks at what in.mjs sends it. The path says
 * what is looked at; what holds is answered with 200, what does not is a trap, so 500. */
#ifndef ROW
#define ROW(id, with, without) void row_##id(int request, int outparam)
#endif
#include "rows.h"

#include "bodies.h"

enum { IMMUTABLE = 2 }; /* header-error */
enum { PUT = 3, OTHER = 9 };
enum { HTTP = 0 };
/* error-code */
enum {
    REQUEST_BODY_SIZE = 17,
    REQUEST_TRAILER_SECTION_SIZE = 23,
    REQUEST_TRAILER_SIZE = 24,
    PROTOCOL_ERROR = 35,
    INTERNAL_ERROR = 38
};

static int same(u32 at, u32 len, const char *text)
{
    u32 i = 0;
    while (i < len && text[i] && ((const char *)(unsigned long)at)[i] == text[i])
        i++;
    return i == len && !text[i];
}

static void answer(int outparam, int status)
{
    int response = w_http_outgoing_response_new(w_http_fields_new());
    MUST(w_http_outgoing_response_set_status_code(response, status) == 0);
    w_http_response_outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
}

static void fail(int outparam, int code)
{
    w_http_response_outparam_set(outparam, 1, code, 0, 0, 0, 0, 0, 0);
}

/* What the host says to an informational response; 0: it is sent. */
static int inform(int outparam, int status)
{
    int fields = w_http_fields_new();
    w_http_fields_append(fields, TEXT("link"), TEXT("</a>; rel=preload"), R);
    MUST(TAG == 0);
    w_http_response_outparam_send_informational(outparam, status, fields, R);
    return TAG ? AT(8)[0] : 0;
}

/* As many as it likes come before the answer, but no answer, and no other protocol. */
static void informed(int outparam)
{
    MUST(inform(outparam, 103) == 0);
    MUST(inform(outparam, 102) == 0);
    MUST(inform(outparam, 101) == PROTOCOL_ERROR);
    MUST(inform(outparam, 99) == PROTOCOL_ERROR);
    MUST(inform(outparam, 200) == PROTOCOL_ERROR);
    answer(outparam, 200);
}

/* RFC 9110, 15.2: nothing of the kind goes to a client of 1.0. */
static void informed_in_vain(int outparam)
{
    MUST(inform(outparam, 103) == INTERNAL_ERROR);
    answer(outparam, 200);
}

/* A response of this status that tells this length. */
static int telling(int status, int length, int length_len)
{
    int fields = w_http_fields_new();
    w_http_fields_append(fields, TEXT("content-length"), length, length_len, R);
    MUST(TAG == 0);
    int response = w_http_outgoing_response_new(fields);
    MUST(w_http_outgoing_response_set_status_code(response, status) == 0);
    return response;
}

static int begin_body(int response)
{
    w_http_outgoing_response_body(response, R);
    MUST(TAG == 0);
    return (int)U32(4);
}

/* The length of what another request would get: without a body that is no fault where there is none
 * (RFC 9110, 8.6). */
static void told(int outparam, int status)
{
    int response = telling(status, TEXT("6")), body = begin_body(response);
    w_http_response_outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
    w_http_outgoing_body_finish(body, 0, 0, R);
    MUST(TAG == 0);
}

/* The same, of a body that has ended before anybody knows what it is of. */
static void told_ahead(int outparam)
{
    int response = telling(200, TEXT("6")), body = begin_body(response);
    w_http_outgoing_body_finish(body, 0, 0, R);
    MUST(TAG == 0);
    w_http_response_outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
}

/* The same, of a body that never begins. */
static void told_alone(int outparam)
{
    w_http_response_outparam_set(outparam, 0, telling(200, TEXT("6")), 0, 0, 0, 0, 0, 0);
}

/* RFC 9110, 15.3.6: what it writes is sent to nobody, and nobody is told that it would come. */
static void reset(int outparam)
{
    int response = telling(205, TEXT("4")), body = begin_body(response);
    w_http_response_outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
    w_http_outgoing_body_write(body, R);
    MUST(TAG == 0);
    int stream = (int)U32(4);
    w_output_stream_blocking_write_and_flush(stream, TEXT("text"), R);
    MUST(TAG == 0);
    w_drop_output_stream(stream);
    w_http_outgoing_body_finish(body, 0, 0, R);
}

static int body_of(int request)
{
    w_http_incoming_request_consume(request, R);
    MUST(TAG == 0);
    return (int)U32(4);
}

/* What get of their future gave, which is at the beginning of the area again. */
static int trailers_of(int body)
{
    int future = w_http_incoming_body_finish(body);
    int ready = w_http_future_trailers_subscribe(future);
    w_pollable_block(ready);
    MUST(w_pollable_ready(ready));
    w_drop_pollable(ready);
    w_http_future_trailers_get(future, R);
    MUST(TAG == 1 && AT(8)[0] == 0);
    return future;
}

/* --- The request --------------------------------------------------------------------------------
 */

static void method(int request)
{
    w_http_incoming_request_method(request, R);
    MUST(TAG == PUT);
}

static void other_method(int request)
{
    w_http_incoming_request_method(request, R);
    MUST(TAG == OTHER && same(U32(4), U32(8), "PROPFIND"));
}

static void target(int request)
{
    w_http_incoming_request_path_with_query(request, R);
    MUST(TAG == 1 && same(U32(4), U32(8), "/target?a=b&c"));
    w_http_incoming_request_scheme(request, R);
    MUST(TAG == 1 && AT(4)[0] == HTTP);
    w_http_incoming_request_authority(request, R);
    MUST(TAG == 1 && same(U32(4), U32(8), "name.example:81"));
}

/* Fields of a request are immutable, each copy of them is not; names are compared without regard
 * to case, and values keep their order. */
static void headers(int request)
{
    int fields = w_http_incoming_request_headers(request);
    MUST(w_http_fields_has(fields, TEXT("X-MANY")));
    MUST(!w_http_fields_has(fields, TEXT("x-none")));
    w_http_fields_get(fields, TEXT("x-many"), R);
    MUST(U32(4) == 2);
    const u32 *values = (const u32 *)(unsigned long)U32(0);
    MUST(same(values[0], values[1], "one") && same(values[2], values[3], "two"));
    w_http_fields_append(fields, TEXT("a"), TEXT("1"), R);
    MUST(TAG == 1 && AT(1)[0] == IMMUTABLE);
    w_http_fields_set(fields, TEXT("a"), 0, 0, R);
    MUST(TAG == 1 && AT(1)[0] == IMMUTABLE);
    w_http_fields_delete(fields, TEXT("x-many"), R);
    MUST(TAG == 1 && AT(1)[0] == IMMUTABLE);
    int copy = w_http_fields_clone(fields);
    w_http_fields_delete(copy, TEXT("x-many"), R);
    MUST(TAG == 0 && !w_http_fields_has(copy, TEXT("x-many")));
    MUST(w_http_fields_has(fields, TEXT("x-many")));
    w_drop_http_fields(copy);
    w_drop_http_fields(fields);
}

/* --- Its body -----------------------------------------------------------------------------------
 */

/* At most once, each; and the body outlives the request. */
static void body(int request)
{
    int its = body_of(request);
    w_http_incoming_request_consume(request, R);
    MUST(TAG == 1);
    w_drop_http_incoming_request(request);
    int stream = stream_of(its);
    w_http_incoming_body_stream(its, R);
    MUST(TAG == 1);
    MUST(read_all(stream) == 11);
    w_drop_input_stream(stream);
    int future = trailers_of(its);
    MUST(AT(16)[0] == 0 && AT(24)[0] == 0); /* there were none */
    w_http_future_trailers_get(future, R);
    MUST(TAG == 1 && AT(8)[0] == 1); /* at most once */
    w_drop_http_future_trailers(future);
}

static void check_trailers(int future)
{
    MUST(AT(16)[0] == 0 && AT(24)[0] == 1);
    int trailers = (int)U32(28);
    MUST(w_http_fields_has(trailers, TEXT("X-Sum")));
    w_http_fields_append(trailers, TEXT("a"), TEXT("1"), R);
    MUST(TAG == 1 && AT(1)[0] == IMMUTABLE);
    w_drop_http_fields(trailers);
    w_drop_http_future_trailers(future);
}

static void trailers(int request)
{
    int its = body_of(request), stream = stream_of(its);
    MUST(read_all(stream) == 4);
    w_drop_input_stream(stream);
    check_trailers(trailers_of(its));
}

/* Whoever reads nothing of a body has its trailers all the same. */
static void unread(int request)
{
    check_trailers(trailers_of(body_of(request)));
}

/* A body that breaks off is an error of its stream, and of its trailers. */
static void broken(int request)
{
    int its = body_of(request), stream = stream_of(its);
    do
        w_input_stream_blocking_read(stream, 1000, R);
    while (TAG == 0);
    MUST(AT(4)[0] != CLOSED);
    w_drop_io_error((int)U32(8));
    w_drop_input_stream(stream);
    trailers_of(its);
    MUST(AT(16)[0] == 1);
}

/* What is wrong with trailers is told by name, as it is of a head. */
static void trailers_fail(int request, int code)
{
    trailers_of(body_of(request));
    MUST(AT(16)[0] == 1 && AT(24)[0] == code);
}

static void folded_trailers(int request)
{
    trailers_fail(request, PROTOCOL_ERROR);
}

static void nameless_trailers(int request)
{
    trailers_fail(request, PROTOCOL_ERROR);
}

static void many_trailers(int request)
{
    trailers_fail(request, REQUEST_TRAILER_SECTION_SIZE);
}

static void large_trailers(int request)
{
    trailers_fail(request, REQUEST_TRAILER_SECTION_SIZE);
}

static void long_trailer(int request)
{
    trailers_fail(request, REQUEST_TRAILER_SIZE);
}

/* --- Children that outlive what they are of: traps ----------------------------------------------
 */

static void request_before_headers(int request)
{
    w_http_incoming_request_headers(request);
    w_drop_http_incoming_request(request);
}

static void body_before_stream(int request)
{
    int its = body_of(request);
    stream_of(its);
    w_drop_http_incoming_body(its);
}

static void finish_before_stream(int request)
{
    int its = body_of(request);
    stream_of(its);
    w_http_incoming_body_finish(its);
}

/* --- The handler --------------------------------------------------------------------------------
 */

static const struct look {
    const char *path;
    void (*at)(int request);
} looks[] = {
    {"/method", method},
    {"/other-method", other_method},
    {"/target?a=b&c", target},
    {"/headers", headers},
    {"/body", body},
    {"/trailers", trailers},
    {"/unread", unread},
    {"/broken", broken},
    {"/folded-trailers", folded_trailers},
    {"/nameless-trailers", nameless_trailers},
    {"/many-trailers", many_trailers},
    {"/large-trailers", large_trailers},
    {"/long-trailer", long_trailer},
    {"/request-before-headers", request_before_headers},
    {"/body-before-stream", body_before_stream},
    {"/finish-before-stream", finish_before_stream},
};

ROW(request, "request", "")
{
    w_http_incoming_request_path_with_query(request, R);
    u32 path = U32(4), len = U32(8);
    if (same(path, len, "/error")) {
        fail(outparam, INTERNAL_ERROR);
        return;
    }
    if (same(path, len, "/too-large")) {
        fail(outparam, REQUEST_BODY_SIZE);
        return;
    }
    if (same(path, len, "/informed")) {
        informed(outparam);
        return;
    }
    if (same(path, len, "/informed-in-vain")) {
        informed_in_vain(outparam);
        return;
    }
    if (same(path, len, "/reset")) {
        reset(outparam);
        return;
    }
    if (same(path, len, "/told")) {
        told(outparam, 200);
        return;
    }
    if (same(path, len, "/told-204")) {
        told(outparam, 204);
        return;
    }
    if (same(path, len, "/told-304")) {
        told(outparam, 304);
        return;
    }
    if (same(path, len, "/told-ahead")) {
        told_ahead(outparam);
        return;
    }
    if (same(path, len, "/told-alone")) {
        told_alone(outparam);
        return;
    }
    if (same(path, len, "/dropped")) {
        w_drop_http_response_outparam(outparam);
        return;
    }
    if (same(path, len, "/nothing"))
        return;
    for (u32 i = 0; i < sizeof looks / sizeof *looks; i++)
        if (same(path, len, looks[i].path)) {
            looks[i].at(request);
            answer(outparam, 200);
            return;
        }
    answer(outparam, 404);
}
