/* Does what the path of the request says: well, badly, slowly, too much, or never. */
#include "web.h"

static int begins(struct text text, struct text with)
{
    return text.len >= with.len && same((struct text){text.at, with.len}, with);
}

/* /s/NNN: that status. */
static void status(int outparam, struct text path)
{
    answer(outparam, (int)number_of((struct text){path.at + 3, path.len - 3}), LITERAL("status\n"));
}

static void no_response(int outparam, struct text path)
{
    (void)outparam, (void)path;
}

static void trap(int outparam, struct text path)
{
    (void)outparam, (void)path;
    __builtin_trap();
}

static void trap_after(int outparam, struct text path)
{
    (void)path;
    struct sending to = respond(outparam, 200, w_http_fields_new());
    put(to.stream, LITERAL("partial"));
    __builtin_trap();
}

static void error(int outparam, struct text path)
{
    enum { INTERNAL_ERROR = 38 }; /* error-code */
    (void)path;
    w_http_response_outparam_set(outparam, 1, INTERNAL_ERROR, 0, 0, 0, 0, 0, 0);
}

/* 4 MiB, in which no two pieces are the same. */
static void big(int outparam, struct text path)
{
    enum { PIECES = 1024 };
    static char piece[4096];
    (void)path;
    int fields =
        field(w_http_fields_new(), LITERAL("content-type"), LITERAL("application/octet-stream"));
    struct sending to = respond(outparam, 200, fields);
    for (u32 i = 0; i < sizeof piece; i++)
        piece[i] = (char)(i * 7);
    for (u32 i = 0; i < PIECES; i++) {
        piece[0] = (char)i;
        put(to.stream, (struct text){piece, sizeof piece});
    }
    finish(to, 0, 0);
}

static void trailers(int outparam, struct text path)
{
    (void)path;
    int fields = field(w_http_fields_new(), LITERAL("trailer"), LITERAL("x-sum"));
    struct sending to = respond(outparam, 200, fields);
    put(to.stream, LITERAL("body\n"));
    finish(to, 1, field(w_http_fields_new(), LITERAL("x-sum"), LITERAL("42")));
}

static void slow(int outparam, struct text path)
{
    enum { MILLISECOND = 1000000 };
    (void)path;
    struct sending to = respond(outparam, 200, w_http_fields_new());
    for (u32 i = 0; i < 3; i++) {
        put(to.stream, (struct text){&"012"[i], 1});
        int later = w_monotonic_subscribe_duration(150 * MILLISECOND);
        w_pollable_block(later);
        w_drop_pollable(later);
    }
    finish(to, 0, 0);
}

/* Five bytes, and a field that says how many there are. */
static void five(int outparam, struct text length)
{
    int fields = field(w_http_fields_new(), LITERAL("content-length"), length);
    struct sending to = respond(outparam, 200, fields);
    put(to.stream, LITERAL("12345"));
    finish(to, 0, 0);
}

static void length(int outparam, struct text path)
{
    (void)path;
    five(outparam, LITERAL("5"));
}

static void wrong_length(int outparam, struct text path)
{
    (void)path;
    five(outparam, LITERAL("10"));
}

static void loop(int outparam, struct text path)
{
    (void)outparam, (void)path;
    for (volatile u32 i = 0;; i++)
        ;
}

static void grow(int outparam, struct text path)
{
    enum { PAGES = 256 };
    (void)path;
    while (__builtin_wasm_memory_grow(0, PAGES) != (unsigned long)-1)
        ;
    answer(outparam, 200, LITERAL("grew\n"));
}

static void unknown(int outparam, struct text path)
{
    (void)path;
    answer(outparam, 404, LITERAL("not found\n"));
}

/* The first whose beginning fits. */
static const struct {
    struct text begins;
    void (*does)(int outparam, struct text path);
} paths[] = {
    {LITERAL("/s/"), status},
    {LITERAL("/noresp"), no_response},
    {LITERAL("/trapafter"), trap_after},
    {LITERAL("/trap"), trap},
    {LITERAL("/err"), error},
    {LITERAL("/big"), big},
    {LITERAL("/trailers"), trailers},
    {LITERAL("/slow"), slow},
    {LITERAL("/len"), length},
    {LITERAL("/badlen"), wrong_length},
    {LITERAL("/loop"), loop},
    {LITERAL("/grow"), grow},
    {LITERAL(""), unknown},
};

ROW(hstatus, "request", "")
{
    struct text path = path_of(request);
    u32 i = 0;
    while (!begins(path, paths[i].begins))
        i++;
    paths[i].does(outparam, path);
    w_drop_http_incoming_request(request);
}
