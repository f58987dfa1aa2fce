/* Deadlines: what has no end has none, whichever of the two it is. */
#include "tests/unit/unit.h"

#include "engine/base/deadline.h"

static void a_deadline_is_the_sum(void **state)
{
    (void)state;
    assert_true(deadline_after(0, 0) == 0);
    assert_true(deadline_after(5, 7) == 12);
    assert_true(deadline_after(UINT64_MAX - 9, 8) == UINT64_MAX - 1);
}

static void what_has_no_end_has_no_deadline(void **state)
{
    (void)state;
    assert_true(deadline_after(0, UINT64_MAX) == UINT64_MAX);
    assert_true(deadline_after(UINT64_MAX, 0) == UINT64_MAX);
    assert_true(deadline_after(UINT64_MAX, UINT64_MAX) == UINT64_MAX);
    assert_true(deadline_after(UINT64_MAX - 9, 10) == UINT64_MAX);
    assert_true(deadline_after(UINT64_MAX - 9, 9) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_is_the_sum),
        cmocka_unit_test(what_has_no_end_has_no_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
