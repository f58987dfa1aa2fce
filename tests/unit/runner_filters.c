/* The filters that were built with carrel are those that would be built when they are asked for. */
#include "tests/unit/unit.h"

#include "runner/filters.h"

static void assert_same(const struct filter *filter, const struct filter_made *made)
{
    assert_int_equal(filter->len, made->len);
    assert_memory_equal(filter->code, made->code, made->len * sizeof made->code[0]);
}

static void each_is_what_libseccomp_makes(void **state)
{
    (void)state;
    size_t count;
    const struct filter_made *made = filters_made(&count);
    for (size_t i = 0; i < count; i++) {
        struct filter filter;
        struct err err = {0};
        assert_int_equal(seccomp_filter(made[i].set, &filter, &err), 0);
        assert_same(&filter, &made[i]);
    }
}

static void cells_without_files_are_all_there(void **state)
{
    (void)state;
    const rule_set may = R(PPOLL) | R(TIME_MONOTONIC) | R(TIME_REAL);
    size_t count;
    const struct filter_made *made = filters_made(&count);
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(made[i].set & RULES_BASE, RULES_BASE);
        assert_int_equal(made[i].set & ~(RULES_BASE | may), 0);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(made[k].set, made[i].set);
    }
}

/* One that is known is given for its own set, and no other. */
static void what_is_known_is_given(void **state)
{
    (void)state;
    static struct filter_made mine;
    struct filter filter, other;
    struct err err = {0};
    mine = (struct filter_made){RULES_BASE | R(PPOLL), 1, {BPF_STMT(BPF_RET | BPF_K, 7)}};
    seccomp_know(&mine, 1);
    assert_int_equal(seccomp_filter(R(PPOLL), &filter, &err), 0);
    assert_same(&filter, &mine);
    assert_int_equal(seccomp_filter(R(PPOLL) | R(CLOSE), &other, &err), 0);
    assert_true(other.len > mine.len);
    seccomp_know(NULL, 0);
    assert_int_equal(seccomp_filter(R(PPOLL), &filter, &err), 0);
    assert_true(filter.len > mine.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_what_libseccomp_makes),
        cmocka_unit_test(cells_without_files_are_all_there),
        cmocka_unit_test(what_is_known_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
