/* Bodies: every framing in pieces of every size, and damaged chunks. */
#include "engine/base/attr.h"
#include "engine/http/body.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static char got[4096];
static size_t ngot;
static size_t consumed;
static struct http_body body;

/* Feeds `text` in pieces of `step` bytes, asking for at most `most` at a time. */
static enum http_body_progress feed(struct http_message message, const char *text, size_t len,
                                    size_t step, size_t most)
{
    body = http_body_new(&message);
    ngot = consumed = 0;
    enum http_body_progress progress = HTTP_BODY_MORE;
    size_t end = 0;
    while (progress == HTTP_BODY_MORE && end < len) {
        end = end + step < len ? end + step : len;
        do {
            size_t used;
            struct bytes data;
            struct bytes in = {(const uint8_t *)text + consumed, end - consumed};
            progress = http_body_read(&body, in, most, &used, &data);
            assert_true(used <= in.len && data.len <= most && ngot + data.len <= sizeof got);
            memcpy(got + ngot, data.at, data.len);
            ngot += data.len;
            consumed += used;
        } while (progress == HTTP_BODY_DATA);
        if (progress == HTTP_BODY_MORE)
            assert_int_equal(consumed, end);
    }
    return progress;
}

static const struct http_message chunked = {.framing = HTTP_CHUNKED};

static void chunks(void **state)
{
    static const char text[] =
        "5\r\nhello\r\n001; a=\"b\"; c\r\n \r\nA \t;x\r\n0123456789\r\n0\r\nx: y\r\n\r\n";
    (void)state;
    for (size_t step = 1; step < sizeof text; step++) {
        for (size_t most = 1; most < 12; most++) {
            assert_int_equal(feed(chunked, text, sizeof text - 1, step, most), HTTP_BODY_TRAILERS);
            assert_int_equal(ngot, 16);
            assert_memory_equal(got, "hello 0123456789", 16);
            assert_string_equal(text + consumed, "x: y\r\n\r\n");
            assert_true(http_body_over(&body));
        }
    }
}

static void damaged_chunks(void **state)
{
    static const struct {
        const char *text;
        enum http_fault fault;
    } bad[] = {
        {"\r\n", HTTP_FAULT_CHUNK_SIZE},
        {"g\r\n", HTTP_FAULT_CHUNK_SIZE},
        {"-1\r\n", HTTP_FAULT_CHUNK_SIZE},
        {"+1\r\n", HTTP_FAULT_CHUNK_SIZE},
        {" 1\r\n", HTTP_FAULT_CHUNK_SIZE},
        {"0x1\r\n", HTTP_FAULT_CHUNK_SIZE},
        {"1 \r\n", HTTP_FAULT_CHUNK},
        {"1\n", HTTP_FAULT_CHUNK_SIZE},
        {"1\r\r\n", HTTP_FAULT_CHUNK},
        {"1\ra", HTTP_FAULT_CHUNK},
        {"1;a\n", HTTP_FAULT_CHUNK},
        {"1;a\x01\r\n", HTTP_FAULT_CHUNK},
        {"1\r\nab", HTTP_FAULT_CHUNK},
        {"1\r\na\n", HTTP_FAULT_CHUNK},
        {"1\r\na\r\r", HTTP_FAULT_CHUNK},
        {"1000000000000000\r\n", HTTP_FAULT_CHUNK_SIZE},
        {"0000000000000001\r\n", HTTP_FAULT_CHUNK_SIZE},
        {"ffffffffffffffffff\r\n", HTTP_FAULT_CHUNK_SIZE},
    };
    (void)state;
    for (size_t i = 0; i < countof(bad); i++) {
        for (size_t step = 1; step < 30; step++) {
            assert_int_equal(feed(chunked, bad[i].text, strlen(bad[i].text), step, 99),
                             HTTP_BODY_BAD);
            assert_int_equal(body.fault, bad[i].fault);
        }
        struct bytes in = {(const uint8_t *)"0\r\n", 3}, data;
        size_t used;
        assert_int_equal(http_body_read(&body, in, 9, &used, &data), HTTP_BODY_BAD);
    }
}

static void extensions(void **state)
{
    static char text[HTTP_MAX_CHUNK_LINE + 64];
    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "1;", 2);
    assert_int_equal(feed(chunked, text, sizeof text, 7, 9), HTTP_BODY_BAD);
    assert_int_equal(body.fault, HTTP_FAULT_CHUNK_EXTENSION);
    /* Many chunks of one byte with long extensions each. */
    static char flood[100 * 256];
    size_t len = 0;
    for (int i = 0; i < 99; i++)
        len += (size_t)sprintf(flood + len, "1;%0200d\r\na\r\n", 0);
    assert_int_equal(feed(chunked, flood, len, 1000, 9), HTTP_BODY_BAD);
    assert_int_equal(body.fault, HTTP_FAULT_CHUNK_EXTENSION);
    /* Many chunks of one byte with short ones are nobody's attack. */
    len = 0;
    for (int i = 0; i < 2000; i++)
        len += (size_t)sprintf(flood + len, "1;a=b\r\na\r\n");
    assert_int_equal(feed(chunked, flood, len, 1000, 9), HTTP_BODY_MORE);
    assert_int_equal(ngot, 2000);
}

static void lengths(void **state)
{
    const struct http_message five = {.framing = HTTP_LENGTH, .length = 5};
    (void)state;
    for (size_t step = 1; step < 9; step++) {
        for (size_t most = 1; most < 7; most++) {
            assert_int_equal(feed(five, "helloNEXT", 9, step, most), HTTP_BODY_END);
            assert_int_equal(ngot, 5);
            assert_int_equal(consumed, 5);
        }
    }
    assert_int_equal(feed(five, "hell", 4, 9, 9), HTTP_BODY_MORE);
    assert_int_equal(http_body_cut(&body), HTTP_BODY_BAD);
    assert_int_equal(body.fault, HTTP_FAULT_INCOMPLETE);
}

static void ends(void **state)
{
    const struct http_message close = {.framing = HTTP_CLOSE};
    const struct http_message none = {.framing = HTTP_NO_BODY};
    (void)state;
    assert_int_equal(feed(close, "all of it", 9, 2, 99), HTTP_BODY_MORE);
    assert_int_equal(ngot, 9);
    assert_int_equal(http_body_cut(&body), HTTP_BODY_END);
    assert_int_equal(feed(none, "NEXT", 4, 4, 99), HTTP_BODY_END);
    assert_int_equal(consumed, 0);
    assert_int_equal(http_body_cut(&body), HTTP_BODY_END);
    assert_int_equal(feed(chunked, "1\r\na\r\n", 6, 9, 9), HTTP_BODY_MORE);
    assert_int_equal(http_body_cut(&body), HTTP_BODY_BAD);
    assert_int_equal(feed(chunked, "0\r\n", 3, 9, 9), HTTP_BODY_TRAILERS);
    assert_int_equal(http_body_cut(&body), HTTP_BODY_BAD);
}

static void chunks_on_the_way_out(void **state)
{
    static const uint64_t sizes[] = {1, 9, 10, 15, 16, 255, 256, 65536, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < countof(sizes); i++) {
        char head[HTTP_CHUNK_HEAD + 1], expected[32];
        size_t len = http_chunk_head(sizes[i], head);
        head[len] = '\0';
        snprintf(expected, sizeof expected, "%jx\r\n", (uintmax_t)sizes[i]);
        assert_string_equal(head, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks),     cmocka_unit_test(damaged_chunks),
        cmocka_unit_test(extensions), cmocka_unit_test(lengths),
        cmocka_unit_test(ends),       cmocka_unit_test(chunks_on_the_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
