/* A component of the proxy world for tests/proxy.mjs: passes each request on, to the authority that
 * its field x-to names (a reverse proxy), else to its own (a forward proxy), and the response back.
 * With x-bare nothing of the fields is passed on. Both bodies move at once, a piece at a time, with
 * their trailers: its memory does not grow. */
#include <stdint.h>

typedef int32_t handle;
typedef uint32_t u32;
#define TYPES(name) __attribute__((import_module("wasi:http/types@0.2.12"), import_name(name)))
#define HANDLER(name)                                                                              \
    __attribute__((import_module("wasi:http/outgoing-handler@0.2.12"), import_name(name)))
#define STREAMS(name) __attribute__((import_module("wasi:io/streams@0.2.12"), import_name(name)))
#define POLL(name)    __attribute__((import_module("wasi:io/poll@0.2.12"), import_name(name)))
#define EXPORT(name)  __attribute__((export_name(name)))

TYPES("[constructor]fields") handle fields_new(void);
TYPES("[method]fields.get") void fields_get(handle, const char *, u32, u32 *);
TYPES("[method]fields.delete") void fields_delete(handle, const char *, u32, u32 *);
TYPES("[method]fields.clone") handle fields_clone(handle);
TYPES("[resource-drop]fields") void fields_drop(handle);
TYPES("[method]incoming-request.method") void request_method(handle, u32 *);
TYPES("[method]incoming-request.path-with-query") void request_path(handle, u32 *);
TYPES("[method]incoming-request.authority") void request_authority(handle, u32 *);
TYPES("[method]incoming-request.headers") handle request_headers(handle);
TYPES("[method]incoming-request.consume") void request_consume(handle, u32 *);
TYPES("[resource-drop]incoming-request") void request_drop(handle);
TYPES("[constructor]outgoing-request") handle asked_new(handle);
TYPES("[method]outgoing-request.set-method") int asked_method(handle, u32, u32, u32);
TYPES("[method]outgoing-request.set-path-with-query") int asked_path(handle, u32, u32, u32);
TYPES("[method]outgoing-request.set-scheme") int asked_scheme(handle, u32, u32, u32, u32);
TYPES("[method]outgoing-request.set-authority") int asked_authority(handle, u32, u32, u32);
TYPES("[method]outgoing-request.body") void asked_body(handle, u32 *);
HANDLER("handle") void ask(handle, u32, handle, u32 *);
TYPES("[method]future-incoming-response.get") void future_get(handle, u32 *);
TYPES("[method]future-incoming-response.subscribe") handle future_subscribe(handle);
TYPES("[resource-drop]future-incoming-response") void future_drop(handle);
TYPES("[method]incoming-response.status") int answer_status(handle);
TYPES("[method]incoming-response.headers") handle answer_headers(handle);
TYPES("[method]incoming-response.consume") void answer_consume(handle, u32 *);
TYPES("[resource-drop]incoming-response") void answer_drop(handle);
TYPES("[method]incoming-body.stream") void in_stream(handle, u32 *);
TYPES("[static]incoming-body.finish") handle in_finish(handle);
TYPES("[method]future-trailers.get") void trailers_get(handle, u32 *);
TYPES("[method]future-trailers.subscribe") handle trailers_subscribe(handle);
TYPES("[resource-drop]future-trailers") void trailers_drop(handle);
TYPES("[method]outgoing-body.write") void out_stream(handle, u32 *);
TYPES("[static]outgoing-body.finish") void out_finish(handle, u32, handle, u32 *);
TYPES("[resource-drop]outgoing-body") void out_drop(handle);
TYPES("[constructor]outgoing-response") handle response_new(handle);
TYPES("[method]outgoing-response.set-status-code") int response_status(handle, int);
TYPES("[method]outgoing-response.body") void response_body(handle, u32 *);
TYPES("[static]response-outparam.set")
void outparam_set(handle, u32, u32, u32, uint64_t, u32, u32, u32, u32);
STREAMS("[method]input-stream.read") void stream_read(handle, uint64_t, u32 *);
STREAMS("[method]input-stream.subscribe") handle input_subscribe(handle);
STREAMS("[resource-drop]input-stream") void input_drop(handle);
STREAMS("[method]output-stream.check-write") void stream_room(handle, u32 *);
STREAMS("[method]output-stream.write") void stream_write(handle, u32, u32, u32 *);
STREAMS("[method]output-stream.flush") void stream_flush(handle, u32 *);
STREAMS("[method]output-stream.subscribe") handle output_subscribe(handle);
STREAMS("[resource-drop]output-stream") void output_drop(handle);
POLL("poll") void poll(const handle *, u32, u32 *);
POLL("[resource-drop]pollable") void pollable_drop(handle);

enum { PIECE = 65536 };
static _Alignas(16) uint8_t room[4 * PIECE];
static u32 used, kept;
static _Alignas(16) u32 r[64];

/* What the host gives lies in `room` until the next piece. */
EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 old_size, u32 align, u32 size)
{
    (void)old, (void)old_size;
    used = (used + align - 1) & ~(align - 1);
    if (size > sizeof room - used)
        __builtin_trap();
    used += size;
    return room + used - size;
}

static int failed(void)
{
    return *(uint8_t *)r;
}

/* --- One direction ------------------------------------------------------------------------------
 */

struct way {
    enum { CLOSED, MOVES, TRAILS } state;
    int full; /* it waits for the target, not for the source */
    handle from_body, from, trailers, to_body, to;
};

static struct way ways[2]; /* of the request, of the response */
static handle waits[4];
static u32 nwaits;

static void way_open(struct way *way, handle from_body, handle to_body)
{
    *way = (struct way){.state = MOVES, .from_body = from_body, .to_body = to_body};
    in_stream(from_body, r);
    way->from = (handle)r[1];
    out_stream(to_body, r);
    way->to = (handle)r[1];
}

/* Without its end: the other side sees that something is missing. */
static void way_cut(struct way *way)
{
    if (way->state == MOVES) {
        input_drop(way->from);
        output_drop(way->to);
        trailers_drop(in_finish(way->from_body));
    } else {
        trailers_drop(way->trailers);
    }
    out_drop(way->to_body);
    way->state = CLOSED;
}

/* The body is whole, and its trailers come, if there are any. */
static int way_trail(struct way *way)
{
    trailers_get(way->trailers, r);
    const uint8_t *at = (const uint8_t *)r;
    if (!at[0])
        return 0;
    if (at[8] || at[16]) {
        way_cut(way);
        return 1;
    }
    u32 some = at[24];
    handle trailers = (handle)r[7];
    trailers_drop(way->trailers);
    out_finish(way->to_body, some, some ? trailers : 0, r);
    way->state = CLOSED;
    return 1;
}

/* Moves a piece. 0: it has to wait. */
static int way_move(struct way *way)
{
    used = kept;
    if (way->state == TRAILS)
        return way_trail(way);
    stream_room(way->to, r);
    if (failed()) {
        way_cut(way);
        return 1;
    }
    uint64_t most = *(uint64_t *)(r + 2);
    way->full = !most;
    if (!most)
        return 0;
    stream_read(way->from, most < PIECE ? most : PIECE, r);
    if (!failed()) {
        u32 at = r[1], len = r[2];
        if (!len)
            stream_flush(way->to, r);
        else
            stream_write(way->to, at, len, r);
        if (failed())
            way_cut(way);
        return len || way->state == CLOSED;
    }
    if (*(uint8_t *)(r + 1) == 0) { /* not the end: it failed */
        way_cut(way);
        return 1;
    }
    input_drop(way->from);
    output_drop(way->to);
    way->trailers = in_finish(way->from_body);
    way->state = TRAILS;
    return 1;
}

static void way_wait(const struct way *way)
{
    if (way->state == TRAILS)
        waits[nwaits++] = trailers_subscribe(way->trailers);
    else if (way->state == MOVES)
        waits[nwaits++] = way->full ? output_subscribe(way->to) : input_subscribe(way->from);
}

/* --- The whole ----------------------------------------------------------------------------------
 */

static handle pass_on(handle request)
{
    handle theirs = request_headers(request);
    fields_get(theirs, "x-bare", 6, r);
    handle headers = r[1] ? fields_new() : fields_clone(theirs);
    fields_get(theirs, "x-to", 4, r);
    u32 named = r[1], name = 0, name_len = 0;
    if (named) {
        name = ((u32 *)r[0])[0];
        name_len = ((u32 *)r[0])[1];
    } else {
        request_authority(request, r);
        name = r[1];
        name_len = r[2];
    }
    fields_delete(headers, "x-to", 4, r);
    fields_delete(headers, "expect", 6, r);
    fields_drop(theirs);
    handle asked = asked_new(headers);
    request_method(request, r);
    asked_method(asked, *(uint8_t *)r, r[1], r[2]);
    request_path(request, r);
    asked_path(asked, *(uint8_t *)r, r[1], r[2]);
    asked_scheme(asked, 1, 0, 0, 0);
    asked_authority(asked, 1, name, name_len);
    return asked;
}

/* True: it came, or there will be none. */
static int take_answer(handle future, handle outparam)
{
    future_get(future, r);
    const uint8_t *at = (const uint8_t *)r;
    if (!at[0])
        return 0;
    if (at[16]) {
        handle response = response_new(fields_new());
        response_status(response, 502);
        outparam_set(outparam, 0, (u32)response, 0, 0, 0, 0, 0, 0);
        return 1;
    }
    handle answer = (handle)r[6];
    handle theirs = answer_headers(answer);
    handle response = response_new(fields_clone(theirs));
    fields_drop(theirs);
    response_status(response, answer_status(answer));
    answer_consume(answer, r);
    handle from = (handle)r[1];
    response_body(response, r);
    handle to = (handle)r[1];
    outparam_set(outparam, 0, (u32)response, 0, 0, 0, 0, 0, 0);
    answer_drop(answer);
    way_open(&ways[1], from, to);
    return 1;
}

EXPORT("wasi:http/incoming-handler@0.2.12#handle")
void handle_request(handle request, handle outparam)
{
    handle asked = pass_on(request);
    request_consume(request, r);
    handle from = (handle)r[1];
    asked_body(asked, r);
    way_open(&ways[0], from, (handle)r[1]);
    ask(asked, 0, 0, r);
    handle future = failed() ? 0 : (handle)r[2];
    int answered = failed();
    if (answered) {
        handle response = response_new(fields_new());
        response_status(response, *(uint8_t *)(r + 2) == 15 ? 403 : 502);
        outparam_set(outparam, 0, (u32)response, 0, 0, 0, 0, 0, 0);
        way_cut(&ways[0]);
    }
    kept = used;
    while (!answered || ways[0].state || ways[1].state) {
        int moved = 0;
        used = kept;
        if (!answered && take_answer(future, outparam))
            answered = moved = 1;
        for (int i = 0; i < 2; i++)
            moved |= ways[i].state && way_move(&ways[i]);
        if (answered && !ways[1].state) /* all was answered: who would read the rest? */
            break;
        if (moved)
            continue;
        nwaits = 0;
        if (!answered)
            waits[nwaits++] = future_subscribe(future);
        way_wait(&ways[0]);
        way_wait(&ways[1]);
        poll(waits, nwaits, r);
        for (u32 i = 0; i < nwaits; i++)
            pollable_drop(waits[i]);
    }
    if (ways[0].state)
        way_cut(&ways[0]);
    if (future)
        future_drop(future);
    request_drop(request);
}
