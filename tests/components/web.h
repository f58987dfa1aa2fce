/* What the components that answer requests share: they include this instead of rows.h. */
#ifndef CARREL_TESTS_WEB_H
#define CARREL_TESTS_WEB_H

#ifndef ROW
#define ROW(id, with, without) void row_##id(int request, int outparam)
#endif
#include "text.h"

/* A response that is being sent. */
struct sending {
    int body, stream;
};

static inline int field(int fields, struct text name, struct text value)
{
    w_http_fields_append(fields, NUMBERS(name), NUMBERS(value), R);
    MUST(TAG == 0);
    return fields;
}

static inline struct sending respond(int outparam, int status, int fields)
{
    struct sending to;
    int response = w_http_outgoing_response_new(fields);
    MUST(w_http_outgoing_response_set_status_code(response, status) == 0);
    w_http_outgoing_response_body(response, R);
    MUST(TAG == 0);
    to.body = (int)U32(4);
    w_http_outgoing_body_write(to.body, R);
    MUST(TAG == 0);
    to.stream = (int)U32(4);
    w_http_response_outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
    return to;
}

/* Whether the client has waited for all of it is its own affair. */
static inline void finish(struct sending to, int has_trailers, int trailers)
{
    w_drop_output_stream(to.stream);
    w_http_outgoing_body_finish(to.body, has_trailers, trailers, R);
}

/* The whole of a response that is a text. */
static inline void answer(int outparam, int status, struct text text)
{
    struct sending to =
        respond(outparam, status,
                field(w_http_fields_new(), LITERAL("content-type"), LITERAL("text/plain")));
    put(to.stream, text);
    finish(to, 0, 0);
}

static inline struct text path_of(int request)
{
    w_http_incoming_request_path_with_query(request, R);
    return TAG ? (struct text){(const char *)(unsigned long)U32(4), U32(8)} : LITERAL("");
}

#endif
