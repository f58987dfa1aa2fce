/* UTF-8: every scalar value there and back, every kind of malformed sequence, every length. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "engine/base/utf.h"
#include <stdlib.h>

static bool valid(const void *text, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1); /* so that a sanitizer sees a step over the end */
    assert_non_null(copy);
    if (len)
        memcpy(copy, text, len);
    bool ok = utf8_valid((struct bytes){copy, len});
    uint8_t *other = malloc(len ? len : 1);
    assert_non_null(other);
    assert_int_equal(utf8_copy((struct bytes){copy, len}, other), ok);
    if (ok && len)
        assert_memory_equal(other, copy, len);
    free(other);
    free(copy);
    return ok;
}

static bool is_scalar(uint32_t c)
{
    return c < 0xd800 || (c > 0xdfff && c <= 0x10ffff);
}

static void test_every_scalar(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        if (!is_scalar(c))
            continue;
        uint8_t bytes[4];
        size_t len = utf8_put(bytes, c);
        assert_true(utf8_valid((struct bytes){bytes, len}));
        const uint8_t *at = bytes;
        assert_int_equal(utf8_next(&at), c);
        assert_int_equal(at - bytes, len);
    }
}

/* All of the two-byte sequences, against the definition. */
static void test_pairs(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const uint8_t pair[2] = {(uint8_t)a, (uint8_t)b};
            bool expected =
                (a < 0x80 && b < 0x80) || (a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf);
            assert_int_equal(utf8_valid((struct bytes){pair, 2}), expected);
        }
    }
}

static void test_malformed(void **state)
{
    (void)state;
    const char *const bad[] = {
        "\x80",     /* a continuation alone */
        "\xc0\x80", /* overlong */
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", /* surrogates */
        "\xed\xbf\xbf",
        "\xed\xa0\x80\xed\xb0\x80",
        "\xf4\x90\x80\x80", /* over U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xfe",
        "\xe2\x82", /* cut short */
        "\xf0\x9f\x98",
        "\xc3",
        "a\xe2\x82z",
        "\xf0\x9f\x98z",
    };
    for (size_t i = 0; i < countof(bad); i++)
        assert_false(valid(bad[i], strlen(bad[i])));
    assert_true(valid("", 0));
    assert_true(valid("\0a\0", 3));
}

/* A bad byte at every place of texts around the stride of the fast path. */
static void test_every_place(void **state)
{
    (void)state;
    static const uint8_t euro[3] = {0xe2, 0x82, 0xac};
    char text[300];
    for (size_t len = 0; len <= sizeof text; len++) {
        memset(text, 'x', sizeof text);
        assert_true(valid(text, len));
        for (size_t at = 0; at < len; at++) {
            text[at] = '\xff';
            assert_false(valid(text, len));
            text[at] = 'x';
        }
        for (size_t at = 0; at + 3 <= len; at++) {
            memcpy(text + at, euro, sizeof euro);
            assert_true(valid(text, len));
            memset(text + at, 'x', sizeof euro);
        }
    }
}

/* The definition, by scalar values: the shortest form of one that is none of the surrogates. */
static bool plainly_valid(const uint8_t *at, size_t len)
{
    while (len) {
        size_t size = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : 4;
        if ((size == 4 && at[0] >> 3 != 30) || size > len)
            return false;
        uint32_t scalar = size == 1 ? at[0] : at[0] & (0x7fu >> size);
        for (size_t i = 1; i < size; i++) {
            if (at[i] >> 6 != 2)
                return false;
            scalar = scalar << 6 | (at[i] & 0x3f);
        }
        uint8_t shortest[4];
        if (!is_scalar(scalar) || utf8_put(shortest, scalar) != size)
            return false;
        at += size;
        len -= size;
    }
    return true;
}

/* Four bytes of those that are at the edge of some rule, in all ways, across the edge of a block,
 * and at the end of the text. */
static void test_edges(void **state)
{
    (void)state;
    static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                    0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
                                    0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    uint8_t text[112];
    memset(text, 'x', sizeof text);
    memcpy(text, "\xc3\xa9", 2); /* so that the blocks begin here */
    for (uint32_t which = 0; which < 24 * 24 * 24 * 24; which++) {
        size_t at = 13 + which % 4;
        for (uint32_t i = 0, rest = which; i < 4; i++, rest /= 24)
            text[at + i] = edges[rest % 24];
        bool expected = plainly_valid(text + at, 4);
        if (utf8_valid((struct bytes){text, sizeof text}) != expected ||
            utf8_valid((struct bytes){text, at + 4}) != expected)
            fail_msg("%02x %02x %02x %02x at %zu", text[at], text[at + 1], text[at + 2],
                     text[at + 3], at);
        memset(text + at, 'x', 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),       cmocka_unit_test(test_every_scalar),
        cmocka_unit_test(test_pairs),       cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
