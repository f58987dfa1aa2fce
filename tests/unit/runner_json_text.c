/* What is JSON and what is not, to the letter, and where. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "runner/json_text.h"
#include <stdlib.h>
#include <string.h>

/* In a copy that ends where the text does, so that a sanitizer sees what reads beyond it. */
static const char *check(const char *text, size_t length, size_t *at)
{
    uint8_t *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    const char *wrong = json_text_wrong((struct bytes){copy, length}, at);
    free(copy);
    return wrong;
}

static void what_is(void **state)
{
    static const char *const texts[] = {
        "{}",
        " [ ] \n",
        "null",
        "{\"a\": [1, -0, 0.5, 1e9, -12.25E-3, true, false, null, \"\"]}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fF\xe2\x82\xac\"",
        "{\"version\":1,\"allow\":{\"dir\":\"a::b\"}}\n\n",
    };
    (void)state;
    for (size_t i = 0; i < countof(texts); i++) {
        size_t at = 0;
        assert_null(check(texts[i], strlen(texts[i]), &at));
        assert_int_equal(at, strlen(texts[i]));
    }
}

static void what_is_not(void **state)
{
    static const struct {
        const char *text;
        size_t at;
    } rows[] = {
        {"", 0},          {"version: 1\n", 0},   {"{a: 1}", 1},       {"{'a': 1}", 1},
        {"{\"a\" 1}", 5}, {"{\"a\": 1,}", 8},    {"{\"a\": 1} x", 9}, {"{\"a\": 1", 7},
        {"# so\n{}", 0},  {"[1,]", 3},           {"[1 2]", 3},        {"[01]", 2},
        {"[1.]", 3},      {"[.5]", 1},           {"[+1]", 1},         {"[-]", 2},
        {"[1e]", 3},      {"[NaN]", 1},          {"[tru]", 1},        {"\"a\nb\"", 2},
        {"\"\\q\"", 2},   {"\"\\u12g4\"", 5},    {"\"a", 2},          {"\"\\", 2},
        {"&a {}", 0},     {"\xef\xbb\xbf{}", 0}, {"--- {}", 1},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        size_t at = SIZE_MAX;
        assert_non_null(check(rows[i].text, strlen(rows[i].text), &at));
        assert_int_equal(at, rows[i].at);
    }
}

static void it_is_bounded(void **state)
{
    static char deep[1 << 20];
    size_t at;
    (void)state;
    memset(deep, '[', sizeof deep);
    assert_string_equal(check(deep, sizeof deep, &at), "expected fewer levels");
    assert_int_equal(at, JSON_DEPTH_MAX);
    memset(deep, ' ', sizeof deep);
    assert_non_null(check(deep, sizeof deep, &at));
    assert_int_equal(at, sizeof deep);
    assert_non_null(check("[\0]", 3, &at));
    assert_int_equal(at, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is),
        cmocka_unit_test(what_is_not),
        cmocka_unit_test(it_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
