/* Gives each request's body back, a piece at a time, with its content-type. */
#include "web.h"

enum { PIECE = 65536 };

/* The fields of the response. */
static int typed_as(int request)
{
    int fields = w_http_fields_new(), asked = w_http_incoming_request_headers(request);
    w_http_fields_get(asked, TEXT("content-type"), R);
    if (U32(4))
        field(fields, LITERAL("content-type"), *(const struct text *)(unsigned long)U32(0));
    w_drop_http_fields(asked);
    return fields;
}

ROW(hecho, "request", "")
{
    int fields = typed_as(request);
    w_http_incoming_request_consume(request, R);
    MUST(TAG == 0);
    int body = (int)U32(4);
    w_http_incoming_body_stream(body, R);
    MUST(TAG == 0);
    int from = (int)U32(4);
    struct sending to = respond(outparam, 200, fields);
    for (;;) {
        w_input_stream_blocking_read(from, PIECE, R);
        if (TAG)
            break;
        put(to.stream, (struct text){(const char *)(unsigned long)U32(4), U32(8)});
    }
    w_drop_input_stream(from);
    w_drop_http_future_trailers(w_http_incoming_body_finish(body));
    finish(to, 0, 0);
    w_drop_http_incoming_request(request);
}
