/* What carries HTTP messages, for tests of the resources of wasi:http/types: a source of a text
 * with a trailer, a sink that keeps what it gets, an exchange that remembers its answer. */
#ifndef CARREL_TESTS_UNIT_HTTP_FIXTURE_H
#define CARREL_TESTS_UNIT_HTTP_FIXTURE_H

#include "engine/wasi/http.h"

#include <errno.h>

/* --- A source -----------------------------------------------------------------------------------
 */

struct test_source {
    struct http_source source;
    const char *text;
    size_t left;
    bool trails; /* with one trailer */
    bool stuck;  /* nothing has arrived yet */
    int error;   /* at the end: it fails so */
};

static inline int64_t test_read(struct wasi *wasi, struct http_source *of, void *to, size_t len)
{
    struct test_source *source = (struct test_source *)of;
    (void)wasi;
    if (source->stuck)
        return -EAGAIN;
    if (!source->left && source->error) {
        of->failure = http_failure_of(HTTP_ERROR_CONNECTION_TERMINATED);
        return source->error;
    }
    len = len < source->left ? len : source->left;
    memcpy(to, source->text, len);
    source->text += len;
    source->left -= len;
    return (int64_t)len;
}

static inline bool test_ready(struct wasi *wasi, struct http_source *of)
{
    (void)wasi;
    return !((struct test_source *)of)->stuck;
}

static inline struct stream_wait test_wait(const struct http_source *of)
{
    (void)of;
    return (struct stream_wait){-1, 0, UINT64_MAX};
}

static inline bool test_trailers(struct wasi *wasi, struct http_source *of, struct fields **ret)
{
    if (!((struct test_source *)of)->trails)
        return true;
    *ret = fields_new(wasi);
    return *ret && fields_add(wasi, *ret, str_of("x-sum"), str_of("42"));
}

static inline void test_source_release(struct wasi *wasi, struct http_source *of)
{
    wasi_resource_end(wasi, of);
}

static inline struct test_source *test_source_new(struct wasi *wasi, const char *text)
{
    static const struct http_source_ops ops = {test_read, test_ready, test_wait, test_trailers,
                                               test_source_release};
    struct test_source *source = wasi_resource(wasi, sizeof *source);
    *source = (struct test_source){
        .source = {.refs = 1, .ops = &ops}, .text = text, .left = strlen(text)};
    return source;
}

/* --- A sink -------------------------------------------------------------------------------------
 */

struct test_sink {
    struct http_sink sink;
    char got[256];
    size_t len;
    size_t room;
    bool finished;
    bool aborted;
    bool released;
    uint32_t trailers;
};

static inline int64_t test_room(struct wasi *wasi, struct http_sink *of)
{
    (void)wasi;
    return (int64_t)((struct test_sink *)of)->room;
}

static inline int test_accept(struct wasi *wasi, struct http_sink *of, const uint8_t *from,
                              size_t len)
{
    struct test_sink *sink = (struct test_sink *)of;
    (void)wasi;
    if (from)
        memcpy(sink->got + sink->len, from, len);
    sink->len += len;
    return 0;
}

static inline int test_flush(struct wasi *wasi, struct http_sink *of)
{
    (void)wasi;
    (void)of;
    return 0;
}

static inline int test_finish(struct wasi *wasi, struct http_sink *of,
                              const struct fields *trailers)
{
    struct test_sink *sink = (struct test_sink *)of;
    (void)wasi;
    sink->finished = true;
    sink->trailers = trailers ? trailers->count : 0;
    return 0;
}

static inline void test_abort(struct wasi *wasi, struct http_sink *of)
{
    (void)wasi;
    ((struct test_sink *)of)->aborted = true;
}

static inline struct stream_wait test_sink_wait(const struct http_sink *of)
{
    (void)of;
    return (struct stream_wait){-1, 0, UINT64_MAX};
}

static inline void test_sink_release(struct wasi *wasi, struct http_sink *of)
{
    (void)wasi;
    ((struct test_sink *)of)->released = true;
}

static inline struct test_sink test_sink_new(void)
{
    static const struct http_sink_ops ops = {test_room,        test_accept, test_flush,
                                             test_finish,      test_abort,  test_sink_wait,
                                             test_sink_release};
    return (struct test_sink){.sink = {.refs = 1, .ops = &ops}, .room = 256};
}

/* --- An exchange --------------------------------------------------------------------------------
 */

struct test_exchange {
    struct http_exchange exchange;
    struct test_sink sink;
    unsigned status;
    unsigned informed;
    bool failed;
    uint8_t why;
};

static inline bool test_inform(struct wasi *wasi, struct http_exchange *of, uint16_t status,
                               const struct fields *headers)
{
    (void)wasi;
    (void)headers;
    ((struct test_exchange *)of)->informed = status;
    return true;
}

static inline void test_respond(struct wasi *wasi, struct http_exchange *of,
                                struct outgoing_response *response)
{
    struct test_exchange *exchange = (struct test_exchange *)of;
    exchange->status = response->status;
    outgoing_message_send(wasi, &response->message, &exchange->sink.sink);
}

static inline void test_fail(struct wasi *wasi, struct http_exchange *of,
                             const struct http_failure *why)
{
    struct test_exchange *exchange = (struct test_exchange *)of;
    (void)wasi;
    exchange->failed = true;
    exchange->why = why ? why->code : 0;
}

static inline struct test_exchange test_exchange_new(void)
{
    static const struct http_exchange_ops ops = {test_inform, test_respond, test_fail};
    return (struct test_exchange){.exchange = {&ops}, .sink = test_sink_new()};
}

/* --- A future response --------------------------------------------------------------------------
 */

struct test_future {
    struct future_response future;
    bool arrived;
};

static inline bool test_future_ready(struct wasi *wasi, void *of)
{
    (void)wasi;
    return ((struct test_future *)of)->arrived;
}

static inline struct stream_wait test_future_wait(void *of)
{
    (void)of;
    return (struct stream_wait){-1, 0, UINT64_MAX};
}

static inline void test_future_release(struct wasi *wasi, void *of)
{
    (void)wasi;
    ((struct test_future *)of)->future.refs--;
}

static inline struct incoming_response *
test_future_get(struct wasi *wasi, struct future_response *of, struct http_failure *ret_why)
{
    (void)wasi;
    (void)of;
    *ret_why = http_failure_of(HTTP_ERROR_CONNECTION_REFUSED);
    return NULL;
}

static inline struct test_future test_future_new(void)
{
    static const struct http_future_ops ops = {
        {test_future_ready, test_future_wait, test_future_release}, test_future_get};
    return (struct test_future){.future = {.refs = 1, .ops = &ops}};
}

/* --- A request ----------------------------------------------------------------------------------
 */

/* The request of this text, or NULL if it is none. */
static inline struct incoming_request *test_request(struct wasi *wasi, const char *text,
                                                    struct test_source *source)
{
    struct http_field fields[16];
    struct http_head head = http_head_new(HTTP_REQUEST, fields, 16, 4096);
    const struct bytes bytes = {(const uint8_t *)text, strlen(text)};
    if (http_head_read(&head, bytes) != HTTP_DONE)
        return NULL;
    return incoming_request_new(wasi, &head, bytes, false, &source->source);
}

#define TEST_REQUEST                                                                               \
    "POST /a?b=c HTTP/1.1\r\nHost: example.com\r\nX-One: 1\r\nConnection: close\r\nx-one: "        \
    "2\r\n\r\n"

#endif
