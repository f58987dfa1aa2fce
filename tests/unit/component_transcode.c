/* String conversions, against a plain reference that works scalar value by scalar value. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "engine/component/transcode.h"
#include <stdio.h>
#include <stdlib.h>

#define MAX 200 /* scalar values of a text */

/* A text in every form. */
struct text {
    uint32_t scalars[MAX];
    size_t count;
    uint8_t utf8[4 * MAX];
    size_t utf8_size;
    uint8_t utf16[4 * MAX];
    size_t utf16_units;
    uint8_t latin1[MAX];
    size_t latin1_units; /* before the first scalar that is none */
};

static void put_utf8(struct text *text, uint32_t c)
{
    uint8_t *at = text->utf8 + text->utf8_size;
    if (c < 0x80) {
        at[0] = (uint8_t)c;
        text->utf8_size += 1;
    } else if (c < 0x800) {
        at[0] = (uint8_t)(0xc0 + c / 64);
        at[1] = (uint8_t)(0x80 + c % 64);
        text->utf8_size += 2;
    } else if (c < 0x10000) {
        at[0] = (uint8_t)(0xe0 + c / 4096);
        at[1] = (uint8_t)(0x80 + c / 64 % 64);
        at[2] = (uint8_t)(0x80 + c % 64);
        text->utf8_size += 3;
    } else {
        at[0] = (uint8_t)(0xf0 + c / 262144);
        at[1] = (uint8_t)(0x80 + c / 4096 % 64);
        at[2] = (uint8_t)(0x80 + c / 64 % 64);
        at[3] = (uint8_t)(0x80 + c % 64);
        text->utf8_size += 4;
    }
}

static void put_unit(struct text *text, uint32_t unit)
{
    text->utf16[2 * text->utf16_units] = (uint8_t)(unit % 256);
    text->utf16[2 * text->utf16_units + 1] = (uint8_t)(unit / 256);
    text->utf16_units++;
}

static void put_scalar(struct text *text, uint32_t c)
{
    put_utf8(text, c);
    if (c < 0x10000) {
        put_unit(text, c);
    } else {
        put_unit(text, 0xd800 + (c - 0x10000) / 1024);
        put_unit(text, 0xdc00 + (c - 0x10000) % 1024);
    }
    if (c < 256 && text->latin1_units == text->count)
        text->latin1[text->latin1_units++] = (uint8_t)c;
    text->scalars[text->count++] = c;
}

/* How much of a text, in scalars, the first `count` are in UTF-8 and UTF-16. */
static size_t utf8_of(const struct text *text, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += text->scalars[i] < 0x80 ? 1u : text->scalars[i] < 0x800 ? 2u : 3u;
    return size;
}

static void to_utf8(const struct text *text)
{
    uint8_t to[4 * MAX + 1];
    assert_int_equal(utf16_utf8_size(text->utf16, text->utf16_units), text->utf8_size);
    to[text->utf8_size] = 0xa5;
    assert_int_equal(utf16_to_utf8(text->utf16, text->utf16_units, to), text->utf8_size);
    assert_memory_equal(to, text->utf8, text->utf8_size);
    assert_int_equal(to[text->utf8_size], 0xa5);
    if (text->latin1_units == text->count) {
        assert_int_equal(latin1_utf8_size(text->latin1, text->count), text->utf8_size);
        assert_int_equal(latin1_to_utf8(text->latin1, text->count, to), text->utf8_size);
        assert_memory_equal(to, text->utf8, text->utf8_size);
        assert_int_equal(to[text->utf8_size], 0xa5);
    }
}

static void to_utf16(const struct text *text)
{
    uint8_t to[4 * MAX + 1];
    size_t size = 2 * text->utf16_units;
    to[size] = 0xa5;
    assert_int_equal(utf8_to_utf16(text->utf8, text->utf8_size, to), text->utf16_units);
    assert_memory_equal(to, text->utf16, size);
    assert_int_equal(to[size], 0xa5);
    if (text->latin1_units == text->count) {
        assert_int_equal(latin1_to_utf16(text->latin1, text->count, to), text->utf16_units);
        assert_memory_equal(to, text->utf16, size);
        memcpy(to, text->latin1, text->count);
        latin1_widen(to, text->count);
        assert_memory_equal(to, text->utf16, size);
        assert_int_equal(to[size], 0xa5);
    }
}

static void to_latin1(const struct text *text)
{
    uint8_t to[MAX + 1];
    size_t used;
    to[text->latin1_units] = 0xa5;
    assert_int_equal(utf8_to_latin1(text->utf8, text->utf8_size, to, &used), text->latin1_units);
    assert_int_equal(used, utf8_of(text, text->latin1_units));
    assert_memory_equal(to, text->latin1, text->latin1_units);
    assert_int_equal(to[text->latin1_units], 0xa5);
    assert_int_equal(utf16_to_latin1(text->utf16, text->utf16_units, to), text->latin1_units);
    assert_memory_equal(to, text->latin1, text->latin1_units);
    assert_int_equal(to[text->latin1_units], 0xa5);
    assert_int_equal(utf16_latin1_count(text->utf16, text->utf16_units), text->latin1_units);
}

static void check(const struct text *text)
{
    size_t ascii = 0;
    while (ascii < text->count && text->scalars[ascii] < 0x80)
        ascii++;
    assert_int_equal(ascii_count(text->utf8, text->utf8_size), ascii);
    assert_int_equal(utf16_ascii_count(text->utf16, text->utf16_units), ascii);
    assert_true(utf16_valid(text->utf16, text->utf16_units));
    to_utf8(text);
    to_utf16(text);
    to_latin1(text);
}

static void every_scalar_value(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        if (c / 0x800 == 0x1b) /* surrogates */
            continue;
        struct text text;
        text.count = text.utf8_size = text.utf16_units = text.latin1_units = 0;
        put_scalar(&text, c);
        check(&text);
    }
}

/* ASCII, then one of each sort at every place. */
static void every_place(void **state)
{
    (void)state;
    static const uint32_t sorts[] = {0x7f,   0x80,   0xff,   0x100,   0x7ff,   0x800,
                                     0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    for (size_t len = 1; len < 40; len++) {
        for (size_t place = 0; place < len; place++) {
            for (size_t sort = 0; sort < countof(sorts); sort++) {
                struct text text = {0};
                for (size_t i = 0; i < len; i++)
                    put_scalar(&text, i == place ? sorts[sort] : 'a' + (uint32_t)i % 26);
                check(&text);
            }
        }
    }
}

static void random_texts(void **state)
{
    (void)state;
    static const uint32_t bounds[] = {0x80, 0x100, 0x800, 0xd800, 0x10ffff};
    uint64_t seed = 99;
    for (int round = 0; round < 20000; round++) {
        struct text text = {0};
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t count = seed >> 33 & 127;
        uint32_t bound = bounds[(seed >> 48) % countof(bounds)];
        while (text.count < count) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            uint32_t c = (uint32_t)(seed >> 33) % bound;
            put_scalar(&text, c / 0x800 == 0x1b ? 0xe000 : c);
        }
        check(&text);
    }
}

/* Is it well-formed? By the definition. */
static bool plain_utf16_valid(const uint16_t *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (units[i] < 0xd800 || units[i] > 0xdfff)
            continue;
        if (units[i] > 0xdbff || i + 1 == count || units[i + 1] < 0xdc00 || units[i + 1] > 0xdfff)
            return false;
        i++;
    }
    return true;
}

/* All texts of up to four units of these, after some that are harmless. */
static void surrogates_come_in_pairs(void **state)
{
    (void)state;
    static const uint16_t sorts[] = {'a', 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000};
    for (size_t before = 0; before < 12; before++) {
        for (size_t which = 0; which < 7 * 7 * 7 * 7; which++) {
            uint16_t units[16];
            uint8_t bytes[32];
            size_t count = before + 4;
            size_t rest = which;
            for (size_t i = 0; i < count; i++) {
                units[i] = i < before ? 'x' : sorts[rest % 7];
                rest = i < before ? rest : rest / 7;
                bytes[2 * i] = (uint8_t)units[i];
                bytes[2 * i + 1] = (uint8_t)(units[i] >> 8);
            }
            assert_int_equal(utf16_valid(bytes, count), plain_utf16_valid(units, count));
            assert_int_equal(utf16_valid(bytes, count - 1), plain_utf16_valid(units, count - 1));
        }
    }
    assert_true(utf16_valid(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scalar_value),
        cmocka_unit_test(every_place),
        cmocka_unit_test(random_texts),
        cmocka_unit_test(surrogates_come_in_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
