/* Sizes, durations, counts and processors: every unit, every end of the range, and what is refused.
 */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "policies/quantity.h"
#include <string.h>

typedef const char *parser(const char *text, uint64_t *ret);

static void gives(parser *parse, const char *text, uint64_t expected)
{
    uint64_t value = 0;
    assert_null(parse(text, &value));
    assert_int_equal(value, expected);
}

static void refuses(parser *parse, const char *text, const char *because)
{
    uint64_t value = 42;
    const char *wrong = parse(text, &value);
    assert_non_null(wrong);
    assert_non_null(strstr(wrong, because));
    assert_int_equal(value, 42);
}

static void test_size(void **state)
{
    (void)state;
    gives(quantity_size, "1", 1);
    gives(quantity_size, "4096", 4096);
    gives(quantity_size, "1K", 1024);
    gives(quantity_size, "64M", UINT64_C(64) << 20);
    gives(quantity_size, "2G", UINT64_C(2) << 30);
    gives(quantity_size, "3TiB", UINT64_C(3) << 40);
    gives(quantity_size, "9223372036854775807", INT64_MAX);
    gives(quantity_size, "8388607T", UINT64_C(8388607) << 40);
    const char *const bad[] = {"",   "K",   "-1",  "+1",   " 1",   "1 K",
                               "1k", "1KB", "1Ki", "1.5G", "0x10", "1P"};
    for (size_t i = 0; i < countof(bad); i++)
        refuses(quantity_size, bad[i], "is no size");
    refuses(quantity_size, "0", "is no limit: write more, or leave the flag out");
    refuses(quantity_size, "0G", "is no limit: write more, or leave the flag out");
    refuses(quantity_size, "8388608T", "too large");
    refuses(quantity_size, "9223372036854775808", "too large");
    refuses(quantity_size, "99999999999999999999", "too large");
}

static void test_duration(void **state)
{
    (void)state;
    gives(quantity_duration, "30", 30000000000);
    gives(quantity_duration, "30s", 30000000000);
    gives(quantity_duration, "250ms", 250000000);
    gives(quantity_duration, "10us", 10000);
    gives(quantity_duration, "5ns", 5);
    gives(quantity_duration, "1.5m", 90000000000);
    gives(quantity_duration, "0.25s", 250000000);
    gives(quantity_duration, "0.1234567s", 123456000);
    gives(quantity_duration, "2h", 7200000000000);
    gives(quantity_duration, "876000h", UINT64_C(876000) * 3600000000000);
    const char *const bad[] = {"", "s", "-1s", "1.s", ".5s", "1 s", "1d", "1sec", "1.5.5s", "1e3"};
    for (size_t i = 0; i < countof(bad); i++)
        refuses(quantity_duration, bad[i], "is no duration");
    refuses(quantity_duration, "0", "is no limit: write more, or leave the flag out");
    refuses(quantity_duration, "0.0ms", "is no limit: write more, or leave the flag out");
    refuses(quantity_duration, "0.5ns", "is no limit: write more, or leave the flag out");
    refuses(quantity_duration, "876001h", "too large");
    refuses(quantity_duration, "99999999999999999999s", "too large");
}

static void test_count(void **state)
{
    (void)state;
    gives(quantity_count, "1", 1);
    gives(quantity_count, "18446744073709551615", UINT64_MAX);
    refuses(quantity_count, "18446744073709551616", "too large");
    refuses(quantity_count, "0", "is no limit: write more, or leave the flag out");
    const char *const bad[] = {"", "x", "-1", "1K", "1 ", "1e9", "1,000"};
    for (size_t i = 0; i < countof(bad); i++)
        refuses(quantity_count, bad[i], "is no number");
}

static void test_processors(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t millionths;
        const char *back;
    } good[] = {
        {"1", 1000000, "1"},         {"2", 2000000, "2"},
        {"10", 10000000, "10"},      {"0.5", 500000, "0.5"},
        {"00.50", 500000, "0.5"},    {"1.25", 1250000, "1.25"},
        {"0.01", 10000, "0.01"},     {"0.333333333333333333333333333333333333", 333333, "0.333333"},
        {"1.0000009", 1000000, "1"}, {"8192", UINT64_C(8192000000), "8192"},
    };
    for (size_t i = 0; i < countof(good); i++) {
        char text[QUANTITY_PROCESSORS_SIZE];
        gives(quantity_processors, good[i].text, good[i].millionths);
        assert_string_equal(quantity_processors_text(good[i].millionths, text), good[i].back);
    }
    char longest[QUANTITY_PROCESSORS_SIZE];
    assert_string_equal(quantity_processors_text(UINT64_MAX, longest), "18446744073709.551615");
    const char *const bad[] = {"",   "x",  "-1",    "+1",  " 1",  "1 ",  "1e9", "0x1",
                               "1.", ".5", "1.5.2", "nan", "inf", "1,5", "50%", "500m"};
    for (size_t i = 0; i < countof(bad); i++)
        refuses(quantity_processors, bad[i], "is no number of processors");
    const char *const few[] = {"0", "0.0", "0.001", "0.009999", "0.0099999999"};
    for (size_t i = 0; i < countof(few); i++)
        refuses(quantity_processors, few[i], "write 0.01 or more");
    const char *const many[] = {"8193", "8192.000001", "1000000000", "18446744073709551616",
                                "99999999999999999999.5"};
    for (size_t i = 0; i < countof(many); i++)
        refuses(quantity_processors, many[i], "too large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
