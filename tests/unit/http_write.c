/* Heads on their way out: what is written is read again, and nothing breaks out of its place. */
#include "engine/http/head.h"
#include "engine/http/write.h"
#include "tests/unit/unit.h"

static char out[512];

static struct http_writer begin(size_t room)
{
    memset(out, 0, sizeof out);
    return (struct http_writer){.at = out, .room = room};
}

static void a_request(void **state)
{
    struct http_writer w = begin(sizeof out);
    (void)state;
    http_write_request_line(&w, str_of("POST"), str_of("/a?b"));
    http_write_field(&w, str_of("Host"), str_of("x:80"));
    http_write_length(&w, 0);
    http_write_length(&w, UINT64_MAX);
    http_write_end(&w);
    assert_true(http_written(&w));
    assert_string_equal(out, "POST /a?b HTTP/1.1\r\nHost: x:80\r\nContent-Length: 0\r\n"
                             "Content-Length: 18446744073709551615\r\n\r\n");
}

static void a_response(void **state)
{
    struct http_field fields[4];
    struct http_writer w = begin(sizeof out);
    (void)state;
    http_write_status_line(&w, 404);
    http_write_field(&w, str_of("a"), str_of(""));
    http_write_end(&w);
    assert_string_equal(out, "HTTP/1.1 404 Not Found\r\na: \r\n\r\n");
    struct http_head head = http_head_new(HTTP_RESPONSE, fields, 4, 512);
    assert_int_equal(http_head_read(&head, (struct bytes){(uint8_t *)out, w.used}), HTTP_DONE);
    w = begin(sizeof out);
    http_write_status_line(&w, 599);
    assert_string_equal(out, "HTTP/1.1 599 \r\n");
}

static void injection(void **state)
{
    static const char *const names[] = {"", "a b", "a:", "a\r\nb", "\xc3\xa9"};
    static const char *const values[] = {"a\r\nb: c", "a\n", "\r", " a", "a ", "a\x01"};
    static const char *const targets[] = {"", "/a b", "/\r\n", "/ HTTP/1.1\r\nx: y", "/\xc3\xa9"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct http_writer w = begin(sizeof out);
        http_write_field(&w, str_of(names[i]), str_of("v"));
        assert_false(http_written(&w));
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct http_writer w = begin(sizeof out);
        http_write_field(&w, str_of("n"), str_of(values[i]));
        assert_false(http_written(&w));
    }
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct http_writer w = begin(sizeof out);
        http_write_request_line(&w, str_of("GET"), str_of(targets[i]));
        assert_false(http_written(&w));
        w = begin(sizeof out);
        http_write_request_line(&w, str_of(targets[i]), str_of("/"));
        assert_false(http_written(&w));
    }
    struct http_writer w = begin(sizeof out);
    http_write_status_line(&w, 1000);
    assert_false(http_written(&w));
}

static void no_room(void **state)
{
    (void)state;
    for (size_t room = 0; room < 40; room++) {
        struct http_writer w = begin(room);
        http_write_request_line(&w, str_of("GET"), str_of("/"));
        http_write_field(&w, str_of("Host"), str_of("x"));
        http_write_end(&w);
        assert_int_equal(w.used, 27);
        assert_int_equal(http_written(&w), room >= 27);
        for (size_t i = room; i < sizeof out; i++)
            assert_int_equal(out[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request),
        cmocka_unit_test(a_response),
        cmocka_unit_test(injection),
        cmocka_unit_test(no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
