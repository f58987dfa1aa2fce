/* A component that sends one request and tells what became of it.
 *
 *   SCHEME METHOD AUTHORITY PATH [BYTES [CONNECT FIRST BETWEEN [TIMES]]]
 *
 * SCHEME is http or https; BYTES of body are sent; CONNECT, FIRST and BETWEEN are the times of
 * request-options in milliseconds, 0 for none; all of it is done TIMES. With the PATH /te it says
 * that it takes trailers (TE). Prints `status N`, `field
 * NAME: VALUE` for each whose name begins with x-, `body LENGTH SUM`, `trailer NAME: VALUE`, or
 * `error WHERE CODE ALERT`. */
#include "rows.h"

struct text {
    const char *at;
    u32 len;
};
#define LITERAL(s) ((struct text){s, sizeof(s) - 1})
#define NUMBERS(s) (int)(unsigned long)(s).at, (int)(s).len

static int out;

static void put(struct text text)
{
    for (u32 done = 0; done < text.len;) {
        u32 step = text.len - done < 4096 ? text.len - done : 4096;
        w_output_stream_blocking_write_and_flush(out, (int)(unsigned long)(text.at + done),
                                                 (int)step, R);
        done += step;
    }
}

static void put_number(u64 number)
{
    char digits[20];
    u32 first = sizeof digits;
    do
        digits[--first] = (char)('0' + number % 10);
    while (number /= 10);
    put((struct text){digits + first, (u32)sizeof digits - first});
}

static u64 number_of(struct text text)
{
    u64 number = 0;
    for (u32 i = 0; i < text.len; i++)
        number = number * 10 + (u64)(text.at[i] - '0');
    return number;
}

static int same(struct text a, struct text b)
{
    u32 i = 0;
    while (i < a.len && i < b.len && a.at[i] == b.at[i])
        i++;
    return i == a.len && i == b.len;
}

/* The error-code at byte `at` of the results. */
static int failed(struct text where, u32 at)
{
    u32 code = *AT(at), alert = *AT(at + 8) ? *AT(at + 9) : 0;
    put(LITERAL("error "));
    put(where);
    put(LITERAL(" "));
    put_number(code);
    if (code == 14) {
        put(LITERAL(" "));
        put_number(alert);
    }
    put(LITERAL("\n"));
    return 1;
}

static void put_fields(struct text what, int fields, int all)
{
    w_http_fields_entries(fields, R);
    const struct text *at = (const struct text *)(unsigned long)U32(0);
    u32 count = U32(4);
    for (u32 i = 0; i < count; i++) {
        if (!all && (at[2 * i].len < 2 || at[2 * i].at[1] != '-'))
            continue;
        put(what);
        put(at[2 * i]);
        put(LITERAL(": "));
        put(at[2 * i + 1]);
        put(LITERAL("\n"));
    }
    w_drop_http_fields(fields);
}

/* A stream's error stands at byte 4 of the results: did it fail, and not just end? */
static int stream_failed(struct text where)
{
    if (*AT(4))
        return 0;
    w_http_error_code((int)U32(8), R);
    return TAG ? failed(where, 8) : 1;
}

static int method_of(struct text name)
{
    static const struct text methods[] = {LITERAL("GET"),     LITERAL("HEAD"),   LITERAL("POST"),
                                          LITERAL("PUT"),     LITERAL("DELETE"), LITERAL("CONNECT"),
                                          LITERAL("OPTIONS"), LITERAL("TRACE"),  LITERAL("PATCH")};
    int method = 0;
    while (method < 9 && !same(methods[method], name))
        method++;
    return method;
}

static int request_of(const struct text *args)
{
    int headers = w_http_fields_new();
    w_http_fields_append(headers, TEXT("x-from"), TEXT("fetch"), R);
    if (same(args[3], LITERAL("/te")))
        w_http_fields_append(headers, TEXT("te"), TEXT("trailers"), R);
    int request = w_http_outgoing_request_new(headers);
    int secure = same(args[0], LITERAL("https"));
    w_http_outgoing_request_set_method(request, method_of(args[1]), NUMBERS(args[1]));
    w_http_outgoing_request_set_scheme(request, 1, secure, 0, 0);
    w_http_outgoing_request_set_authority(request, 1, NUMBERS(args[2]));
    w_http_outgoing_request_set_path_with_query(request, 1, NUMBERS(args[3]));
    return request;
}

static int options_of(const struct text *args)
{
    int options = w_http_request_options_new();
    u64 times[3];
    for (u32 i = 0; i < 3; i++)
        times[i] = number_of(args[5 + i]) * 1000000;
    w_http_request_options_set_connect_timeout(options, times[0] != 0, times[0]);
    w_http_request_options_set_first_byte_timeout(options, times[1] != 0, times[1]);
    w_http_request_options_set_between_bytes_timeout(options, times[2] != 0, times[2]);
    return options;
}

static void send_body(int body, u64 bytes)
{
    static char data[4096];
    for (u32 i = 0; i < sizeof data; i++)
        data[i] = (char)('a' + i % 23);
    w_http_outgoing_body_write(body, R);
    int stream = (int)U32(4);
    while (bytes) {
        u32 step = bytes < sizeof data ? (u32)bytes : sizeof data;
        w_output_stream_blocking_write_and_flush(stream, (int)(unsigned long)data, (int)step, R);
        if (TAG) {
            stream_failed(LITERAL("sending"));
            break;
        }
        bytes -= step;
    }
    w_drop_output_stream(stream);
    if (bytes)
        w_drop_http_outgoing_body(body);
    else
        w_http_outgoing_body_finish(body, 0, 0, R);
}

static int receive_body(int body)
{
    u32 sum = 2166136261u;
    u64 length = 0;
    w_http_incoming_body_stream(body, R);
    int stream = (int)U32(4);
    for (;;) {
        w_input_stream_blocking_read(stream, 65536, R);
        if (TAG)
            break;
        const u8 *at = (const u8 *)(unsigned long)U32(4);
        u32 count = U32(8);
        for (u32 i = 0; i < count; i++)
            sum = (sum ^ at[i]) * 16777619;
        length += count;
    }
    u64 error = U64(0), payload = U64(8);
    put(LITERAL("body "));
    put_number(length);
    put(LITERAL(" "));
    put_number(sum);
    put(LITERAL("\n"));
    U64(0) = error;
    U64(8) = payload;
    int failure = stream_failed(LITERAL("body"));
    w_drop_input_stream(stream);
    return failure;
}

static int receive_trailers(int body)
{
    int future = w_http_incoming_body_finish(body);
    int ready = w_http_future_trailers_subscribe(future);
    w_pollable_block(ready);
    w_drop_pollable(ready);
    w_http_future_trailers_get(future, R);
    if (*AT(16))
        return failed(LITERAL("trailers"), 24);
    if (*AT(24))
        put_fields(LITERAL("trailer "), (int)U32(28), 1);
    w_drop_http_future_trailers(future);
    return 0;
}

static int receive(int future)
{
    int ready = w_http_future_incoming_response_subscribe(future);
    w_pollable_block(ready);
    w_drop_pollable(ready);
    w_http_future_incoming_response_get(future, R);
    if (*AT(16))
        return failed(LITERAL("response"), 24);
    int response = (int)U32(24);
    put(LITERAL("status "));
    put_number((u64)w_http_incoming_response_status(response));
    put(LITERAL("\n"));
    put_fields(LITERAL("field "), w_http_incoming_response_headers(response), 0);
    w_http_incoming_response_consume(response, R);
    int body = (int)U32(4), failure = receive_body(body);
    if (!failure)
        failure = receive_trailers(body);
    else
        w_drop_http_incoming_body(body);
    w_drop_http_incoming_response(response);
    w_drop_http_future_incoming_response(future);
    return failure;
}

static int fetch(const struct text *args, u32 count)
{
    int request = request_of(args);
    w_http_outgoing_request_body(request, R);
    int body = (int)U32(4);
    int options = count > 7 ? options_of(args) : 0;
    w_http_outgoing_handle(request, count > 7, options, R);
    if (TAG)
        return failed(LITERAL("handle"), 8);
    int future = (int)U32(8);
    send_body(body, count > 4 ? number_of(args[4]) : 0);
    return receive(future);
}

ROW(fetch, "", "")
{
    static struct text kept[16];
    static char texts[4096];
    w_get_arguments(R);
    const struct text *args = (const struct text *)(unsigned long)U32(0);
    u32 count = U32(4), used = 0;
    /* What a component is given may be overwritten by what it is given later. */
    MUST(count > 4 && count <= 16);
    for (u32 i = 1; i < count; i++) {
        MUST(args[i].len <= sizeof texts - used);
        kept[i - 1] = (struct text){texts + used, args[i].len};
        for (u32 k = 0; k < args[i].len; k++)
            texts[used++] = args[i].at[k];
    }
    out = w_get_stdout();
    int failure = 0;
    for (u64 times = count > 9 ? number_of(kept[8]) : 1; times && !failure; times--)
        failure = fetch(kept, count - 1);
    return failure;
}
