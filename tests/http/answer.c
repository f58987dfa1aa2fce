/* What the WIT text of wasi:http/types says about responses that come, and the bodies of both. The
 * server is the honest one of out.mjs, whose authority is the first argument. */
#include "rows.h"

#include "bodies.h"

enum { IMMUTABLE = 2 };          /* header-error */
enum { POST = 2 };               /* method */
enum { REQUEST_BODY_SIZE = 17 }; /* error-code */

/* A request of this path, of a body with this Content-Length if `length` is no empty text. */
static int request(int method, int path, int path_len, int length, int length_len)
{
    static char authority[64];
    w_get_arguments(R);
    const u32 *args = (const u32 *)(unsigned long)U32(0);
    u32 len = args[3];
    MUST(U32(4) > 1 && len < sizeof authority);
    for (u32 i = 0; i < len; i++)
        authority[i] = ((const char *)(unsigned long)args[2])[i];
    int headers = w_http_fields_new();
    if (length_len) {
        w_http_fields_append(headers, TEXT("content-length"), length, length_len, R);
        MUST(TAG == 0);
    }
    int made = w_http_outgoing_request_new(headers);
    MUST(w_http_outgoing_request_set_method(made, method, 0, 0) == 0);
    MUST(w_http_outgoing_request_set_scheme(made, 1, 0, 0, 0) == 0);
    MUST(w_http_outgoing_request_set_authority(made, 1, (int)(unsigned long)authority, (int)len) ==
         0);
    MUST(w_http_outgoing_request_set_path_with_query(made, 1, path, path_len) == 0);
    return made;
}

static int sent(int made)
{
    w_http_outgoing_handle(made, 0, 0, R);
    MUST(TAG == 0);
    return (int)U32(8);
}

/* Waits for it; the result of get is in the area then. */
static void arrive(int future)
{
    int ready = w_http_future_incoming_response_subscribe(future);
    w_pollable_block(ready);
    MUST(w_pollable_ready(ready));
    w_drop_pollable(ready);
    w_http_future_incoming_response_get(future, R);
    MUST(TAG == 1); /* what is ready is there */
}

static int response_of(int future)
{
    arrive(future);
    MUST(AT(8)[0] == 0 && AT(16)[0] == 0);
    return (int)U32(24);
}

static int response(int path, int path_len)
{
    return response_of(sent(request(0, path, path_len, 0, 0)));
}

static int body_of(int answer)
{
    w_http_incoming_response_consume(answer, R);
    MUST(TAG == 0);
    return (int)U32(4);
}

/* The trailers, as get of their future gave them. */
static int trailers_of(int body)
{
    int future = w_http_incoming_body_finish(body),
        ready = w_http_future_trailers_subscribe(future);
    w_pollable_block(ready);
    w_drop_pollable(ready);
    w_http_future_trailers_get(future, R);
    MUST(TAG == 1 && AT(8)[0] == 0 && AT(16)[0] == 0);
    return future;
}

ROW(answer, "", "0")
{
    int future = sent(request(0, TEXT("/status"), 0, 0)), answer = response_of(future);
    MUST(w_http_incoming_response_status(answer) == 418);
    w_http_future_incoming_response_get(future, R);
    MUST(TAG == 1 && AT(8)[0] == 1); /* at most once */
    int headers = w_http_incoming_response_headers(answer);
    MUST(w_http_fields_has(headers, TEXT("X-SIZE")));
    w_http_fields_append(headers, TEXT("a"), TEXT("1"), R);
    MUST(TAG == 1 && AT(1)[0] == IMMUTABLE);
    w_http_fields_delete(headers, TEXT("x-size"), R);
    MUST(TAG == 1 && AT(1)[0] == IMMUTABLE);
    w_drop_http_fields(headers);
    int body = body_of(answer);
    w_http_incoming_response_consume(answer, R);
    MUST(TAG == 1);
    int stream = stream_of(body);
    w_http_incoming_body_stream(body, R);
    MUST(TAG == 1);
    w_drop_http_incoming_response(answer); /* its body stays */
    w_drop_http_future_incoming_response(future);
    read_all(stream);
    w_drop_input_stream(stream);
    future = trailers_of(body);
    if (AT(24)[0]) { /* there were none: the empty set, if it is any */
        int trailers = (int)U32(28);
        w_http_fields_entries(trailers, R);
        MUST(U32(4) == 0);
        w_drop_http_fields(trailers);
    }
    w_drop_http_future_trailers(future);
    return 0;
}

ROW(answer_trailers, "", "0")
{
    int body = body_of(response(TEXT("/trailers"))), stream = stream_of(body);
    read_all(stream);
    w_drop_input_stream(stream);
    int future = trailers_of(body);
    MUST(AT(24)[0] == 1);
    int trailers = (int)U32(28);
    MUST(w_http_fields_has(trailers, TEXT("X-Sum")));
    w_http_fields_append(trailers, TEXT("a"), TEXT("1"), R);
    MUST(TAG == 1 && AT(1)[0] == IMMUTABLE);
    w_drop_http_fields(trailers);
    w_http_future_trailers_get(future, R);
    MUST(TAG == 1 && AT(8)[0] == 1); /* at most once */
    return 0;
}

/* Whoever reads nothing of a body has its trailers all the same. */
ROW(answer_unread, "", "0")
{
    int body = body_of(response(TEXT("/trailers")));
    trailers_of(body);
    MUST(AT(24)[0] == 1 && w_http_fields_has((int)U32(28), TEXT("X-Sum")));
    body = body_of(response(TEXT("/trailers")));
    int stream = stream_of(body);
    w_drop_input_stream(stream);
    trailers_of(body);
    MUST(AT(24)[0] == 1);
    return 0;
}

/* Fields of one message become another's; the first one keeps them. */
ROW(answer_headers_sent, "", "0")
{
    int answer = response(TEXT("/a")), headers = w_http_incoming_response_headers(answer);
    int made = w_http_outgoing_response_new(headers);
    int its = w_http_outgoing_response_headers(made);
    w_drop_http_incoming_response(answer); /* no child of it is left */
    MUST(w_http_fields_has(its, TEXT("x-size")));
    w_drop_http_fields(its);
    w_drop_http_outgoing_response(made);
    return 0;
}

/* A body that is not as long as was said. */
ROW(answer_length, "", "0")
{
    int made = request(POST, TEXT("/"), TEXT("10"));
    w_http_outgoing_request_body(made, R);
    int body = (int)U32(4), future = sent(made);
    w_http_outgoing_body_write(body, R);
    int stream = (int)U32(4);
    w_output_stream_blocking_write_and_flush(stream, TEXT("short"), R);
    MUST(TAG == 0);
    w_drop_output_stream(stream);
    w_http_outgoing_body_finish(body, 0, 0, R);
    MUST(TAG == 1 && AT(8)[0] == REQUEST_BODY_SIZE && AT(16)[0] == 1 && U64(24) == 5);
    arrive(future);
    MUST(AT(8)[0] == 0 && AT(16)[0] == 1); /* there is no response to it */
    return 0;
}

/* One that was told and never begun is not sent as such, and the connection on which it would have
 * gone carries nothing after it. */
static void untold(int method)
{
    int body = body_of(response(TEXT("/"))), stream = stream_of(body);
    read_all(stream);
    w_drop_input_stream(stream);
    w_drop_http_incoming_body(body); /* a connection is idle now */
    int future = sent(request(method, TEXT("/"), TEXT("60")));
    arrive(future);
    MUST(AT(8)[0] == 0 && AT(16)[0] == 1 && AT(24)[0] == REQUEST_BODY_SIZE);
    MUST(AT(32)[0] == 1 && U64(40) == 0);
    MUST(w_http_incoming_response_status(response(TEXT("/status"))) == 418);
}

ROW(answer_untold, "", "0")
{
    untold(0);
    untold(POST);
    return 0;
}

/* One that was told and is empty: before it is sent, and after. */
ROW(answer_empty, "", "0")
{
    int made = request(POST, TEXT("/"), TEXT("60"));
    w_http_outgoing_request_body(made, R);
    w_http_outgoing_body_finish((int)U32(4), 0, 0, R);
    MUST(TAG == 1 && AT(8)[0] == REQUEST_BODY_SIZE && AT(16)[0] == 1 && U64(24) == 0);
    arrive(sent(made));
    MUST(AT(8)[0] == 0 && AT(16)[0] == 1);
    made = request(POST, TEXT("/"), TEXT("60"));
    w_http_outgoing_request_body(made, R);
    int body = (int)U32(4), future = sent(made);
    w_http_outgoing_body_finish(body, 0, 0, R);
    MUST(TAG == 1 && AT(8)[0] == REQUEST_BODY_SIZE && AT(16)[0] == 1 && U64(24) == 0);
    arrive(future);
    MUST(AT(8)[0] == 0 && AT(16)[0] == 1);
    return 0;
}

/* One that is dropped is incomplete, and so is the request. */
ROW(answer_dropped, "", "0")
{
    int made = request(POST, TEXT("/"), 0, 0);
    w_http_outgoing_request_body(made, R);
    int body = (int)U32(4), future = sent(made);
    w_drop_http_outgoing_body(body);
    arrive(future);
    MUST(AT(8)[0] == 0 && AT(16)[0] == 1);
    return 0;
}

/* The times of a request are what its future keeps to. */
ROW(answer_late, "", "0")
{
    int options = w_http_request_options_new();
    MUST(w_http_request_options_set_first_byte_timeout(options, 1, 1) == 0);
    w_http_outgoing_handle(request(0, TEXT("/big"), 0, 0), 1, options, R);
    MUST(TAG == 0);
    arrive((int)U32(8));
    MUST(AT(8)[0] == 0 && AT(16)[0] == 1);
    return 0;
}

/* --- Children ------------------------------------------------------------------------------------
 */

ROW(answer_before_headers, "", "134")
{
    int answer = response(TEXT("/"));
    w_http_incoming_response_headers(answer);
    w_drop_http_incoming_response(answer);
    return 0;
}

ROW(answer_body_before_stream, "", "134")
{
    int body = body_of(response(TEXT("/")));
    stream_of(body);
    w_drop_http_incoming_body(body);
    return 0;
}

ROW(answer_finish_before_stream, "", "134")
{
    int body = body_of(response(TEXT("/")));
    stream_of(body);
    w_http_incoming_body_finish(body);
    return 0;
}
