/* Answers every request with its method and its path; some of its fields come more than once, or in
 * mixed case. */
#include "web.h"

static struct text method_of(int request)
{
    static const struct text methods[] = {LITERAL("GET"),     LITERAL("HEAD"),   LITERAL("POST"),
                                          LITERAL("PUT"),     LITERAL("DELETE"), LITERAL("CONNECT"),
                                          LITERAL("OPTIONS"), LITERAL("TRACE"),  LITERAL("PATCH")};
    w_http_incoming_request_method(request, R);
    if (TAG < sizeof methods / sizeof *methods)
        return methods[TAG];
    return (struct text){(const char *)(unsigned long)U32(4), U32(8)};
}

/* One text, so that it is one piece of the body, and its length is known before. */
static char line[8192];
static u32 used;

static void add(struct text text)
{
    for (u32 i = 0; i < text.len && used < sizeof line; i++)
        line[used++] = text.at[i];
}

ROW(hhello, "request", "")
{
    used = 0;
    add(LITERAL("hello "));
    add(method_of(request));
    add(LITERAL(" "));
    add(path_of(request));
    add(LITERAL("\n"));
    int fields = w_http_fields_new();
    field(fields, LITERAL("content-type"), LITERAL("text/plain; charset=utf-8"));
    field(fields, LITERAL("x-multi"), LITERAL("one"));
    field(fields, LITERAL("x-multi"), LITERAL("two"));
    field(fields, LITERAL("X-Mixed-Case"), LITERAL("Kept"));
    struct sending to = respond(outparam, 200, fields);
    put(to.stream, (struct text){line, used});
    finish(to, 0, 0);
    w_drop_http_incoming_request(request);
}
