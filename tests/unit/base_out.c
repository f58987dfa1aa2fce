/* Text on its way out: nothing is lost between pieces, and hostile names come out harmless. */
#include "tests/unit/unit.h"

#include "engine/base/out.h"

struct sink {
    size_t len;
    size_t pieces;
    char text[65536];
};

static void put(void *data, struct str piece)
{
    struct sink *sink = data;
    assert_true(piece.len > 0 && piece.len <= sizeof sink->text - 1 - sink->len);
    memcpy(sink->text + sink->len, piece.at, piece.len);
    sink->len += piece.len;
    sink->text[sink->len] = '\0';
    sink->pieces++;
}

static struct sink sink;
static struct out out;

static void begin(void)
{
    sink = (struct sink){0};
    out = (struct out){.put = put, .data = &sink};
}

static const char *end(void)
{
    out_flush(&out);
    out_flush(&out); /* nothing is passed on twice, and no empty piece */
    return sink.text;
}

static void test_pieces(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 5000; i++)
        out_format(&out, "%05d", i);
    out_spaces(&out, 3);
    out_str(&out, (struct str){0});
    end();
    assert_int_equal(sink.len, 25003);
    assert_int_equal(sink.pieces, 25003 / OUT_BUFFER + 1);
    assert_memory_equal(sink.text + 24990,
                        "04998"
                        "04999"
                        "   ",
                        13);
}

static void check_quoted(const char *bytes, size_t len, const char *quoted, const char *json)
{
    begin();
    out_quoted(&out, (struct bytes){(const uint8_t *)bytes, len});
    assert_string_equal(end(), quoted);
    begin();
    out_json(&out, (struct bytes){(const uint8_t *)bytes, len});
    assert_string_equal(end(), json);
}

#define QUOTED(bytes, quoted, json) check_quoted(bytes, sizeof bytes - 1, quoted, json)

static void test_quoted(void **state)
{
    (void)state;
    QUOTED("", "\"\"", "\"\"");
    QUOTED("plain", "\"plain\"", "\"plain\"");
    QUOTED("a\"b\\c\0", "\"a\\22b\\5cc\\00\"", "\"a\\u0022b\\u005cc\\u0000\"");
    QUOTED("\x1b[31m\x7f", "\"\\1b[31m\\7f\"", "\"\\u001b[31m\\u007f\"");
    QUOTED("\xc3\xa9\xe2\x82\xac", "\"\xc3\xa9\xe2\x82\xac\"", "\"\xc3\xa9\xe2\x82\xac\"");
    QUOTED("\xe2\x80\xae", "\"\\e2\\80\\ae\"", "\"\\u202e\"");                /* right to left */
    QUOTED("\xf3\xa0\x80\x81", "\"\\f3\\a0\\80\\81\"", "\"\\udb40\\udc01\""); /* a tag */
    QUOTED("\xff\xc3", "\"\\ff\\c3\"", "\"\\ufffd\\ufffd\"");
    QUOTED("\xed\xa0\x80", "\"\\ed\\a0\\80\"", "\"\\ufffd\\ufffd\\ufffd\""); /* a surrogate */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
