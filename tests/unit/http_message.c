/* What heads say about bodies and connections, and the ways of smuggling that are refused. */
#include "engine/base/attr.h"
#include "engine/http/message.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static struct http_field fields[HTTP_MAX_FIELDS];
static struct http_head head;
static struct http_message message;
static char text[4096];

static bool request(const char *line, const char *more)
{
    int len = snprintf(text, sizeof text, "%s\r\n%s\r\n", line, more);
    struct bytes buffer = {(const uint8_t *)text, (size_t)len};
    head = http_head_new(HTTP_REQUEST, fields, HTTP_MAX_FIELDS, HTTP_MAX_HEAD);
    assert_int_equal(http_head_read(&head, buffer), HTTP_DONE);
    return http_request_message(&head, buffer, &message);
}

static bool post(const char *more)
{
    static char all[4096];
    snprintf(all, sizeof all, "Host: x\r\n%s", more);
    return request("POST / HTTP/1.1", all);
}

static bool response(enum http_method method, const char *line, const char *more)
{
    int len = snprintf(text, sizeof text, "%s\r\n%s\r\n", line, more);
    struct bytes buffer = {(const uint8_t *)text, (size_t)len};
    head = http_head_new(HTTP_RESPONSE, fields, HTTP_MAX_FIELDS, HTTP_MAX_HEAD);
    assert_int_equal(http_head_read(&head, buffer), HTTP_DONE);
    return http_response_message(&head, buffer, method, &message);
}

static void bodies_of_requests(void **state)
{
    (void)state;
    assert_true(post(""));
    assert_int_equal(message.framing, HTTP_NO_BODY);
    assert_true(post("Content-Length: 0\r\n"));
    assert_int_equal(message.framing, HTTP_NO_BODY);
    assert_true(message.has_length);
    assert_true(post("Content-Length: 9223372036854775807\r\n"));
    assert_int_equal(message.framing, HTTP_LENGTH);
    assert_int_equal(message.length, INT64_MAX);
    assert_true(post("Transfer-Encoding: Chunked\r\n"));
    assert_int_equal(message.framing, HTTP_CHUNKED);
}

static void smuggling(void **state)
{
    static const struct {
        const char *fields;
        enum http_fault fault;
    } bad[] = {
        {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", HTTP_FAULT_LENGTH_AND_CODING},
        {"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", HTTP_FAULT_LENGTH_AND_CODING},
        {"Content-Length: 5\r\nContent-Length: 6\r\n", HTTP_FAULT_LENGTH},
        {"Content-Length: 5\r\nContent-Length: 5\r\n", HTTP_FAULT_LENGTH},
        {"Content-Length: 5, 5\r\n", HTTP_FAULT_LENGTH},
        {"Content-Length: +5\r\n", HTTP_FAULT_LENGTH},
        {"Content-Length: -1\r\n", HTTP_FAULT_LENGTH},
        {"Content-Length: 0x5\r\n", HTTP_FAULT_LENGTH},
        {"Content-Length: 5 5\r\n", HTTP_FAULT_LENGTH},
        {"Content-Length:\r\n", HTTP_FAULT_LENGTH},
        {"Content-Length: 9223372036854775808\r\n", HTTP_FAULT_LENGTH},
        {"Content-Length: 18446744073709551617\r\n", HTTP_FAULT_LENGTH},
        {"Transfer-Encoding: chunked, chunked\r\n", HTTP_FAULT_CODING},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", HTTP_FAULT_CODING},
        {"Transfer-Encoding: chunked, identity\r\n", HTTP_FAULT_CODING},
        {"Transfer-Encoding: identity\r\n", HTTP_FAULT_CODING},
        {"Transfer-Encoding: xchunked\r\n", HTTP_FAULT_CODING},
        {"Transfer-Encoding: \"chunked\"\r\n", HTTP_FAULT_CODING},
        {"Transfer-Encoding: chunked;q=1\r\n", HTTP_FAULT_CODING},
        {"Transfer-Encoding:\r\n", HTTP_FAULT_CODING},
        {"Transfer-Encoding: gzip, chunked\r\n", HTTP_FAULT_CODING_UNKNOWN},
        {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", HTTP_FAULT_CODING_UNKNOWN},
        {"Host: y\r\n", HTTP_FAULT_HOST},
        {"Host: x\r\n", HTTP_FAULT_HOST},
        {"Expect: 200-ok\r\n", HTTP_FAULT_EXPECTATION},
    };
    (void)state;
    for (size_t i = 0; i < countof(bad); i++) {
        assert_false(post(bad[i].fields));
        assert_int_equal(message.fault, bad[i].fault);
    }
    assert_false(request("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n"));
    assert_int_equal(message.fault, HTTP_FAULT_CODING);
}

static void hosts(void **state)
{
    static const char *const bad[] = {"Host: a b\r\n",
                                      "Host: a/b\r\n",
                                      "Host: u@h\r\n",
                                      "Host: a:b\r\n",
                                      "Host: a:99999\r\n",
                                      "Host: [::1\r\n",
                                      "Host: [x]\r\n",
                                      "Host: a, b\r\n",
                                      "Host: :80\r\n",
                                      "Host: [::1]x\r\n",
                                      ""};
    (void)state;
    for (size_t i = 0; i < countof(bad); i++) {
        assert_false(request("GET / HTTP/1.1", bad[i]));
        assert_int_equal(message.fault, HTTP_FAULT_HOST);
    }
    assert_true(request("GET / HTTP/1.1", "Host: [::1]:80\r\n"));
    assert_true(str_is(message.authority, "[::1]:80"));
    assert_true(request("GET / HTTP/1.1", "Host:\r\n"));
    assert_int_equal(message.authority.len, 0);
    assert_true(request("GET / HTTP/1.0", ""));
}

static void targets(void **state)
{
    (void)state;
    assert_true(request("GET http://a.example:81?q HTTP/1.1", "Host: b\r\n"));
    assert_int_equal(message.target.form, HTTP_ABSOLUTE_FORM);
    assert_true(str_is(message.authority, "a.example:81"));
    assert_true(str_is(message.target.path, "?q"));
    assert_true(request("GET http://a.example HTTP/1.1", "Host: b\r\n"));
    assert_true(str_is(message.target.path, "/"));
    assert_true(request("OPTIONS * HTTP/1.1", "Host: b\r\n"));
    assert_int_equal(message.target.form, HTTP_ASTERISK_FORM);
    assert_true(request("CONNECT a:443 HTTP/1.1", "Host: b\r\n"));
    assert_true(str_is(message.authority, "a:443"));
    static const char *const bad[] = {"GET * HTTP/1.1",        "GET a HTTP/1.1",
                                      "CONNECT / HTTP/1.1",    "CONNECT a HTTP/1.1",
                                      "GET http:/a HTTP/1.1",  "GET http:// HTTP/1.1",
                                      "GET 1ttp://a HTTP/1.1", "GET http://u@a/ HTTP/1.1"};
    for (size_t i = 0; i < countof(bad); i++) {
        assert_false(request(bad[i], "Host: b\r\n"));
        assert_int_equal(message.fault, HTTP_FAULT_TARGET);
    }
}

static void connections(void **state)
{
    (void)state;
    assert_true(post(""));
    assert_true(message.keep_alive);
    assert_true(post("Connection: x, CLOSE\r\n"));
    assert_false(message.keep_alive);
    assert_true(post("Connection: keep-alive\r\nConnection: close\r\n"));
    assert_false(message.keep_alive);
    assert_true(request("GET / HTTP/1.0", ""));
    assert_false(message.keep_alive);
    assert_true(request("GET / HTTP/1.0", "Connection: Keep-Alive\r\n"));
    assert_true(message.keep_alive);
    assert_true(post("Expect: 100-Continue\r\nContent-Length: 1\r\n"));
    assert_true(message.expect_continue);
    assert_true(post("Expect: 100-continue\r\n"));
    assert_false(message.expect_continue);
    assert_true(post("Upgrade: h2c\r\n"));
    assert_true(message.upgrade);
}

static void responses(void **state)
{
    (void)state;
    assert_true(response(HTTP_GET, "HTTP/1.1 200 OK", "Content-Length: 5\r\n"));
    assert_int_equal(message.framing, HTTP_LENGTH);
    assert_true(message.keep_alive);
    assert_true(response(HTTP_HEAD, "HTTP/1.1 200 OK", "Content-Length: 5\r\n"));
    assert_int_equal(message.framing, HTTP_NO_BODY);
    assert_int_equal(message.told_length, 5);
    assert_true(response(HTTP_GET, "HTTP/1.1 304 x", "Content-Length: 5\r\n"));
    assert_int_equal(message.framing, HTTP_NO_BODY);
    assert_true(response(HTTP_GET, "HTTP/1.1 204 x", ""));
    assert_int_equal(message.framing, HTTP_NO_BODY);
    assert_true(message.keep_alive);
    assert_true(response(HTTP_GET, "HTTP/1.1 103 x", ""));
    assert_int_equal(message.framing, HTTP_NO_BODY);
    assert_true(response(HTTP_GET, "HTTP/1.1 200 OK", ""));
    assert_int_equal(message.framing, HTTP_CLOSE);
    assert_false(message.keep_alive);
    assert_true(response(HTTP_GET, "HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n"));
    assert_int_equal(message.framing, HTTP_CHUNKED);
    assert_false(response(HTTP_GET, "HTTP/1.1 101 x", "Upgrade: h2c\r\n"));
    assert_int_equal(http_fault_error(message.fault), HTTP_ERROR_HTTP_UPGRADE_FAILED);
    assert_false(response(HTTP_GET, "HTTP/1.1 200 OK", "Transfer-Encoding: gzip\r\n"));
    assert_int_equal(http_fault_error(message.fault), HTTP_ERROR_HTTP_RESPONSE_TRANSFER_CODING);
    assert_false(response(HTTP_GET, "HTTP/1.1 200 OK",
                          "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"));
    assert_int_equal(http_fault_error(message.fault), HTTP_ERROR_HTTP_PROTOCOL_ERROR);
    assert_false(response(HTTP_GET, "HTTP/1.0 200 OK", "Transfer-Encoding: chunked\r\n"));
}

static void authorities(void **state)
{
    struct http_authority parts;
    (void)state;
    assert_true(http_authority_read(str_of("a.example"), &parts));
    assert_int_equal(parts.port, -1);
    assert_true(http_authority_read(str_of("a.example:"), &parts));
    assert_int_equal(parts.port, -1);
    assert_true(http_authority_read(str_of("127.0.0.1:8080"), &parts));
    assert_int_equal(parts.port, 8080);
    assert_true(str_is(parts.host, "127.0.0.1"));
    assert_true(http_authority_read(str_of("[::1]:1"), &parts));
    assert_true(parts.literal6);
    assert_true(str_is(parts.host, "::1"));
    assert_false(http_authority_read(str_of("bad host"), &parts));
    assert_false(http_authority_read(str_of(""), &parts));
    assert_false(http_authority_read(str_of("a:65536"), &parts));
    assert_false(http_authority_read(str_of("[]"), &parts));
}

static void forbidden_fields(void **state)
{
    (void)state;
    assert_true(http_field_forbidden(http_field_known(str_of("Transfer-Encoding"))));
    assert_true(http_field_forbidden(http_field_known(str_of("HOST"))));
    assert_false(http_field_forbidden(http_field_known(str_of("content-length"))));
    assert_false(http_field_trails(http_field_known(str_of("content-length"))));
    assert_true(http_field_trails(http_field_known(str_of("x-sum"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_of_requests),
        cmocka_unit_test(smuggling),
        cmocka_unit_test(hosts),
        cmocka_unit_test(targets),
        cmocka_unit_test(connections),
        cmocka_unit_test(responses),
        cmocka_unit_test(authorities),
        cmocka_unit_test(forbidden_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
