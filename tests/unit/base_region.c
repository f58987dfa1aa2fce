/* The bump allocator: alignment, zeroes also after a release, exhaustion, overflow. */
#include "tests/unit/unit.h"

#include "engine/base/region.h"
#include <string.h>

static _Alignas(64) uint8_t memory[4096];

static void test_alignment(void **state)
{
    (void)state;
    memset(memory, 0, sizeof memory);
    struct region region = region_of(memory, sizeof memory);
    assert_non_null(region_take(&region, 1, 1, 1));
    for (size_t align = 1; align <= 64; align *= 2) {
        uint8_t *at = region_take(&region, 3, 1, align);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % align, 0);
    }
}

static void test_zeroed_after_release(void **state)
{
    (void)state;
    memset(memory, 0, sizeof memory);
    struct region region = region_of(memory, sizeof memory);
    for (unsigned round = 1; round <= 5; round++) {
        uint8_t *mark = region_mark(&region);
        uint8_t *block = region_take(&region, round * 100, 1, 8);
        assert_non_null(block);
        for (unsigned i = 0; i < round * 100; i++)
            assert_int_equal(block[i], 0);
        memset(block, 0xa5, round * 100);
        region_release(&region, mark);
    }
    assert_ptr_equal(region.at, region.base);
}

static void test_exhaustion(void **state)
{
    (void)state;
    memset(memory, 0, sizeof memory);
    struct region region = region_of(memory, 100);
    assert_null(region_take(&region, 101, 1, 1));
    assert_null(region_take(&region, SIZE_MAX, 2, 1));
    assert_null(region_take(&region, SIZE_MAX / 2 + 1, 2, 1));
    assert_null(region_take(&region, SIZE_MAX, 1, 16));
    assert_non_null(region_take(&region, 99, 1, 1));
    assert_int_equal(region_left(&region), 1);
    assert_null(region_take(&region, 1, 1, 64)); /* the padding alone is too much */
    assert_non_null(region_take(&region, 1, 1, 1));
    assert_null(region_take(&region, 1, 1, 1));
    assert_non_null(region_take(&region, 0, 8, 1)); /* of nothing there is always enough */
}

static void test_copy(void **state)
{
    (void)state;
    memset(memory, 0, sizeof memory);
    struct region region = region_of(memory, 64);
    char *copy = region_copy(&region, "hello", 6, 1);
    assert_string_equal(copy, "hello");
    assert_non_null(region_copy(&region, NULL, 0, 1));
    assert_null(region_copy(&region, memory, 65, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_zeroed_after_release),
        cmocka_unit_test(test_exhaustion),
        cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
