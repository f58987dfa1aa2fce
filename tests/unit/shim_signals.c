/* Sets of signals have what libc leaves out. */
#include "shim/signals.h"
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <string.h>

static uint64_t bits(const sigset_t *set)
{
    uint64_t first;
    memcpy(&first, set, sizeof first);
    return first;
}

static void all_are_all(void **state)
{
    (void)state;
    sigset_t all = signals_all();
    assert_true(bits(&all) == UINT64_MAX);
}

static void some_and_those_of_real_time(void **state)
{
    (void)state;
    static const int numbers[] = {SIGHUP, SIGTERM};
    sigset_t set = signals_and_real_time(numbers, 2);
    for (int number = 1; number <= 64; number++) {
        bool in = bits(&set) >> (number - 1) & 1;
        assert_int_equal(in, number == SIGHUP || number == SIGTERM || number >= 34);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_all),
        cmocka_unit_test(some_and_those_of_real_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
