/* Heads: what is read, what is refused, and that it makes no difference in which pieces they
 * arrive. */
#include "engine/base/attr.h"
#include "engine/http/head.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

static struct http_field fields[HTTP_MAX_FIELDS];
static struct http_head head;
static struct bytes buffer;

static enum http_progress give(enum http_kind kind, const char *text, size_t len, size_t step)
{
    head = http_head_new(kind, fields, HTTP_MAX_FIELDS, HTTP_MAX_HEAD);
    enum http_progress progress = HTTP_MORE;
    for (size_t at = step; progress == HTTP_MORE; at += step) {
        buffer = (struct bytes){(const uint8_t *)text, at < len ? at : len};
        progress = http_head_read(&head, buffer);
        if (at >= len)
            break;
    }
    return progress;
}

static enum http_progress give_all(enum http_kind kind, const char *text)
{
    return give(kind, text, strlen(text), SIZE_MAX / 2);
}

static void is_text(struct http_span span, const char *text)
{
    assert_true(str_is(http_text(buffer, span), text));
}

static void is_field(uint32_t i, const char *name, const char *value, enum http_known known)
{
    assert_true(i < head.nfields);
    assert_true(str_is(http_name(buffer, &fields[i]), name));
    is_text(fields[i].value, value);
    assert_int_equal(fields[i].known, known);
}

static void a_request(void **state)
{
    static const char text[] = "GET /a?b=c%20d HTTP/1.1\r\nHost: x.example\r\nX-Empty:\r\n"
                               "CONTENT-length: \t 12 \t\r\nx: a  b\r\n\r\nrest";
    (void)state;
    for (size_t step = 1; step <= sizeof text; step++) {
        assert_int_equal(give(HTTP_REQUEST, text, sizeof text - 1, step), HTTP_DONE);
        assert_int_equal(head.method, HTTP_GET);
        assert_int_equal(head.minor, 1);
        is_text(head.target, "/a?b=c%20d");
        is_text(head.method_name, "GET");
        assert_int_equal(head.nfields, 4);
        is_field(0, "Host", "x.example", HTTP_FIELD_HOST);
        is_field(1, "X-Empty", "", HTTP_FIELD_UNKNOWN);
        is_field(2, "CONTENT-length", "12", HTTP_FIELD_CONTENT_LENGTH);
        is_field(3, "x", "a  b", HTTP_FIELD_UNKNOWN);
        assert_int_equal(head.size, sizeof text - 1 - 4);
    }
}

static void a_response(void **state)
{
    (void)state;
    assert_int_equal(give_all(HTTP_RESPONSE, "HTTP/1.0 404 Not  Found\r\n\r\n"), HTTP_DONE);
    assert_int_equal(head.status, 404);
    assert_int_equal(head.minor, 0);
    is_text(head.reason, "Not  Found");
    assert_int_equal(give_all(HTTP_RESPONSE, "HTTP/1.1 200 \r\na: \xc3\xa9\r\n\r\n"), HTTP_DONE);
    is_text(head.reason, "");
    is_field(0, "a", "\xc3\xa9", HTTP_FIELD_UNKNOWN);
    assert_int_equal(give_all(HTTP_RESPONSE, "HTTP/1.1 999\r\n\r\n"), HTTP_DONE);
    assert_int_equal(head.status, 999);
}

static void trailers(void **state)
{
    (void)state;
    assert_int_equal(give_all(HTTP_TRAILERS, "\r\n"), HTTP_DONE);
    assert_int_equal(head.size, 2);
    assert_int_equal(head.nfields, 0);
    assert_int_equal(give_all(HTTP_TRAILERS, "a: b\r\nc: d\r\n\r\nHTTP"), HTTP_DONE);
    assert_int_equal(head.size, 14);
    is_field(1, "c", "d", HTTP_FIELD_UNKNOWN);
}

static void empty_lines_before_a_request(void **state)
{
    (void)state;
    assert_int_equal(give_all(HTTP_REQUEST, "\r\n\r\nPURGE / HTTP/1.1\r\n\r\n"), HTTP_DONE);
    assert_int_equal(head.method, HTTP_OTHER_METHOD);
    is_text(head.method_name, "PURGE");
    assert_int_equal(give_all(HTTP_REQUEST, "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
                     HTTP_BAD);
    assert_int_equal(give_all(HTTP_RESPONSE, "\r\nHTTP/1.1 200 OK\r\n\r\n"), HTTP_BAD);
}

/* Each is refused, whole and byte by byte, with the same fault. */
static void refused(void **state)
{
    static const struct {
        enum http_kind kind;
        const char *text;
        enum http_fault fault;
    } bad[] = {
        {HTTP_REQUEST, "GET / HTTP/1.1\nHost: x\n\n", HTTP_FAULT_LINE_END},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\nHost: x\n\r\n", HTTP_FAULT_LINE_END},
        {HTTP_REQUEST, "\n", HTTP_FAULT_LINE_END},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\nHost: x\r\n\n", HTTP_FAULT_LINE_END},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\na: b\rc: d\r\n\r\n", HTTP_FAULT_FIELD_VALUE},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\na: b\r\r\n\r\n", HTTP_FAULT_FIELD_VALUE},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\na\r: b\r\n\r\n", HTTP_FAULT_FIELD_NAME},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\na : b\r\n\r\n", HTTP_FAULT_FIELD_NAME},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\n: b\r\n\r\n", HTTP_FAULT_FIELD_NAME},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\nab\r\n\r\n", HTTP_FAULT_FIELD_NAME},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\na\x01: b\r\n\r\n", HTTP_FAULT_FIELD_NAME},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\n\xc3\xa9: b\r\n\r\n", HTTP_FAULT_FIELD_NAME},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\na: b\x7f\r\n\r\n", HTTP_FAULT_FIELD_VALUE},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n", HTTP_FAULT_FOLD},
        {HTTP_REQUEST, "GET / HTTP/1.1\r\n\ta: b\r\n\r\n", HTTP_FAULT_FOLD},
        {HTTP_REQUEST, "GET  / HTTP/1.1\r\n\r\n", HTTP_FAULT_REQUEST_LINE},
        {HTTP_REQUEST, "GET / HTTP/1.1 \r\n\r\n", HTTP_FAULT_REQUEST_LINE},
        {HTTP_REQUEST, " GET / HTTP/1.1\r\n\r\n", HTTP_FAULT_REQUEST_LINE},
        {HTTP_REQUEST, "GET /\r\n\r\n", HTTP_FAULT_REQUEST_LINE},
        {HTTP_REQUEST, "GET\t/ HTTP/1.1\r\n\r\n", HTTP_FAULT_REQUEST_LINE},
        {HTTP_REQUEST, "G(T / HTTP/1.1\r\n\r\n", HTTP_FAULT_REQUEST_LINE},
        {HTTP_REQUEST, "GET / http/1.1\r\n\r\n", HTTP_FAULT_REQUEST_LINE},
        {HTTP_REQUEST, "GET / HTTP/1.10\r\n\r\n", HTTP_FAULT_REQUEST_LINE},
        {HTTP_REQUEST, "GET / HTTP/2.0\r\n\r\n", HTTP_FAULT_VERSION},
        {HTTP_REQUEST, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP_FAULT_VERSION},
        {HTTP_REQUEST, "GET /a\x80 HTTP/1.1\r\n\r\n", HTTP_FAULT_TARGET},
        {HTTP_REQUEST, "GET /a#b HTTP/1.1\r\n\r\n", HTTP_FAULT_TARGET},
        {HTTP_REQUEST, "GET /a\tb HTTP/1.1\r\n\r\n", HTTP_FAULT_TARGET},
        {HTTP_RESPONSE, "HTTP/1.1 20 OK\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {HTTP_RESPONSE, "HTTP/1.1 2000 OK\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {HTTP_RESPONSE, "HTTP/1.1 099 OK\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {HTTP_RESPONSE, "HTTP/1.1  200 OK\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {HTTP_RESPONSE, "HTTP/1.1 200 O\x01K\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {HTTP_RESPONSE, "HTTP/1.1\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {HTTP_RESPONSE, "ICY 200 OK\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {HTTP_RESPONSE, "HTTP/3.0 200 OK\r\n\r\n", HTTP_FAULT_VERSION},
        {HTTP_TRAILERS, "a: b\r\n c: d\r\n\r\n", HTTP_FAULT_FOLD},
    };
    (void)state;
    for (size_t i = 0; i < countof(bad); i++) {
        assert_int_equal(give_all(bad[i].kind, bad[i].text), HTTP_BAD);
        assert_int_equal(head.fault, bad[i].fault);
        assert_int_equal(give(bad[i].kind, bad[i].text, strlen(bad[i].text), 1), HTTP_BAD);
        assert_int_equal(head.fault, bad[i].fault);
        assert_true(http_fault_status(head.fault) >= 400);
        assert_true(http_fault_text(head.fault)[0]);
    }
}

/* wasi:http has cases of its own for what is too large of trailers, and they say whose. */
static void whose_trailers(void **state)
{
    (void)state;
    assert_int_equal(http_trailer_error(HTTP_FAULT_FIELD_SIZE, true),
                     HTTP_ERROR_HTTP_REQUEST_TRAILER_SIZE);
    assert_int_equal(http_trailer_error(HTTP_FAULT_FIELD_SIZE, false),
                     HTTP_ERROR_HTTP_RESPONSE_TRAILER_SIZE);
    assert_int_equal(http_trailer_error(HTTP_FAULT_TRAILER_SIZE, true),
                     HTTP_ERROR_HTTP_REQUEST_TRAILER_SECTION_SIZE);
    assert_int_equal(http_trailer_error(HTTP_FAULT_FOLD, true), HTTP_ERROR_HTTP_PROTOCOL_ERROR);
    assert_int_equal(http_fault_error(HTTP_FAULT_FIELD_SIZE), HTTP_ERROR_HTTP_RESPONSE_HEADER_SIZE);
}

static void a_nul_is_refused(void **state)
{
    static const char value[] = "GET / HTTP/1.1\r\na: b\0c\r\n\r\n";
    static const char name[] = "GET / HTTP/1.1\r\na\0: b\r\n\r\n";
    static const char target[] = "GET /\0 HTTP/1.1\r\n\r\n";
    (void)state;
    assert_int_equal(give(HTTP_REQUEST, value, sizeof value - 1, 7), HTTP_BAD);
    assert_int_equal(give(HTTP_REQUEST, name, sizeof name - 1, 7), HTTP_BAD);
    assert_int_equal(give(HTTP_REQUEST, target, sizeof target - 1, 7), HTTP_BAD);
}

static void not_all_of_it(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++)
        assert_int_equal(give(HTTP_REQUEST, text, len, SIZE_MAX / 2), HTTP_MORE);
}

static void limits(void **state)
{
    size_t room = HTTP_MAX_HEAD + 1024;
    char *text = malloc(room);
    (void)state;
    /* A line without an end, of each kind of head. */
    memset(text, 'a', room);
    assert_int_equal(give(HTTP_REQUEST, text, room, 4096), HTTP_BAD);
    assert_int_equal(head.fault, HTTP_FAULT_TARGET_SIZE);
    assert_int_equal(give(HTTP_RESPONSE, text, room, 4096), HTTP_BAD);
    assert_int_equal(head.fault, HTTP_FAULT_HEAD_SIZE);
    assert_int_equal(give(HTTP_TRAILERS, text, room, 4096), HTTP_BAD);
    assert_int_equal(head.fault, HTTP_FAULT_TRAILER_SIZE);
    /* A name, a method, a target that are too long. */
    memcpy(text + HTTP_MAX_FIELD_NAME + 1, ": b\r\n\r\n", 7);
    assert_int_equal(give(HTTP_TRAILERS, text, HTTP_MAX_FIELD_NAME + 8, 9999), HTTP_BAD);
    assert_int_equal(head.fault, HTTP_FAULT_FIELD_SIZE);
    memset(text, 'A', room);
    memcpy(text + HTTP_MAX_METHOD + 1, " / HTTP/1.1\r\n\r\n", 15);
    assert_int_equal(give(HTTP_REQUEST, text, HTTP_MAX_METHOD + 16, 9999), HTTP_BAD);
    assert_int_equal(head.fault, HTTP_FAULT_METHOD);
    memset(text, '/', room);
    memcpy(text, "GET ", 4);
    memcpy(text + 4 + HTTP_MAX_TARGET + 1, " HTTP/1.1\r\n\r\n", 13);
    assert_int_equal(give(HTTP_REQUEST, text, HTTP_MAX_TARGET + 18, 9999), HTTP_BAD);
    assert_int_equal(head.fault, HTTP_FAULT_TARGET_SIZE);
    /* Fields without number. */
    size_t len = (size_t)sprintf(text, "GET / HTTP/1.1\r\n");
    for (int i = 0; i <= HTTP_MAX_FIELDS; i++)
        len += (size_t)sprintf(text + len, "a: b\r\n");
    assert_int_equal(give(HTTP_REQUEST, text, len, 9999), HTTP_BAD);
    assert_int_equal(head.fault, HTTP_FAULT_FIELD_COUNT);
    free(text);
}

static void a_callers_own_limits(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\na: b\r\nc: d\r\n\r\n";
    (void)state;
    buffer = (struct bytes){(const uint8_t *)text, sizeof text - 1};
    head = http_head_new(HTTP_REQUEST, fields, 1, HTTP_MAX_HEAD);
    assert_int_equal(http_head_read(&head, buffer), HTTP_BAD);
    assert_int_equal(head.fault, HTTP_FAULT_FIELD_COUNT);
    head = http_head_new(HTTP_REQUEST, fields, 2, 20);
    assert_int_equal(http_head_read(&head, buffer), HTTP_BAD);
    assert_int_equal(head.fault, HTTP_FAULT_HEAD_SIZE);
    head = http_head_new(HTTP_REQUEST, fields, 2, sizeof text - 1);
    assert_int_equal(http_head_read(&head, buffer), HTTP_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request),
        cmocka_unit_test(a_response),
        cmocka_unit_test(trailers),
        cmocka_unit_test(whose_trailers),
        cmocka_unit_test(empty_lines_before_a_request),
        cmocka_unit_test(refused),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(not_all_of_it),
        cmocka_unit_test(limits),
        cmocka_unit_test(a_callers_own_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
