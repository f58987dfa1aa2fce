/* Tables of time zones: what is one, and what holds when. */
#include "engine/wasi/zone.h"
#include "tests/unit/wasi_fixture.h"

static struct fixture f;

static int read_zone(const char *text)
{
    return zone_read(f.wasi->heap, str_of(text), &f.wasi->zone, &f.wasi->nzone);
}

static void what_is_none(void **state)
{
    static const char *const wrong[] = {
        "0",
        ";",
        "0 0 0",
        "0 0 0 A",
        "x 0 0 A;",
        "0 x 0 A;",
        "0 0  A;",
        "0 90000 0 A;",
        "5 0 0 A;5 0 0 B;",
        "5 0 0 A;4 0 0 B;",
        "- 0 0 A;",
        "0 0 0 A;x",
        "99999999999999999999 0 0 A;",
    };
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    for (size_t i = 0; i < countof(wrong); i++)
        assert_int_equal(read_zone(wrong[i]), -1);
    assert_int_equal(read_zone(""), 0);
    assert_null(zone_at(f.wasi, 0));
    fixture_close(&f);
}

static void what_holds_when(void **state)
{
    (void)state;
    fixture_open(&f, fixture_config(), NULL);
    assert_int_equal(read_zone("-9000 -3600 0 OLD;1000 7200 1 SUM;2000 3600 0 WIN;"), 0);
    assert_true(str_is(zone_at(f.wasi, 0)->name, "OLD") && zone_at(f.wasi, 0)->offset == -3600);
    assert_true(str_is(zone_at(f.wasi, 999)->name, "OLD"));
    assert_true(str_is(zone_at(f.wasi, 1000)->name, "SUM") && zone_at(f.wasi, 1000)->daylight);
    assert_true(str_is(zone_at(f.wasi, 2000)->name, "WIN"));
    assert_true(str_is(zone_at(f.wasi, UINT64_MAX)->name, "WIN"));
    /* A rule that still holds in 2400 begins again, 400 years before. */
    const uint64_t cycle = UINT64_C(146097) * 86400, last = UINT64_C(13580000000);
    assert_int_equal(read_zone("-9000 -3600 0 OLD;13570000000 7200 1 SUM;13580000000 3600 0 WIN;"),
                     0);
    assert_true(str_is(zone_at(f.wasi, last + cycle)->name, "WIN"));
    assert_true(str_is(zone_at(f.wasi, last + cycle - 1)->name, "SUM"));
    assert_true(str_is(zone_at(f.wasi, last + 1)->name, "OLD"));
    assert_non_null(zone_at(f.wasi, UINT64_MAX));
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(what_holds_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
