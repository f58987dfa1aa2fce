/* Demand x policy: nothing is granted that is not both demanded and allowed, for every row. */
#include "tests/unit/unit.h"

#include "policies/landlock.h"
#include "tests/unit/policy_fixture.h"

static struct demand demand;
static struct verdict verdict;

static const struct policy_directory read_only = {"/srv", "/", true};
static const struct policy_directory read_write = {"/srv", "/", false};

static void test_nothing_demanded(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    policy.allowed = ~(capability_set)0; /* even if everything is allowed */
    fixture_demand(&demand);
    derive_verdict(&demand, &policy, &verdict);
    assert_int_equal(verdict.rules, RULES_BASE);
    assert_int_equal(verdict.granted, 0);
    assert_int_equal(verdict.missing, 0);
    struct err err = {0};
    assert_int_equal(derive_refusal(&demand, &policy, &verdict, &err), 0);
}

static void test_nothing_allowed(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    policy.allowed = 0;
    fixture_demand(&demand);
    for (int row = 0; row < ROW_COUNT; row++)
        fixture_reach(&demand, (enum row)row);
    derive_verdict(&demand, &policy, &verdict);
    assert_int_equal(verdict.rules, RULES_BASE);
    assert_int_equal(verdict.granted, 0);
    for (int row = 0; row < ROW_COUNT; row++)
        assert_int_not_equal(verdict.answers[row], ANSWER_GRANTED);
}

/* Each row alone, under each capability alone and together: the laws of the intersection. */
static void test_every_row(void **state)
{
    (void)state;
    for (int r = 0; r < ROW_COUNT; r++) {
        enum row row = (enum row)r;
        const struct row_info *info = &row_infos[row];
        fixture_demand(&demand);
        fixture_reach(&demand, row);
        for (int c = -1; c <= CAP_COUNT; c++) {
            struct policy policy = fixture_policy();
            policy.allowed = c < 0            ? 0
                             : c == CAP_COUNT ? ~(capability_set)0
                                              : (capability_set)1 << c;
            derive_verdict(&demand, &policy, &verdict);
            assert_int_equal(verdict.granted & ~policy.allowed, 0);
            assert_int_equal(verdict.granted & ~verdict.demanded, 0);
            assert_int_equal(verdict.rules & ~(RULES_BASE | info->rules), 0);
            bool allowed = capability_in(policy.allowed, info->capability);
            unsigned expected = info->kind == ROW_EXPORT   ? ANSWER_ABSENT
                                : info->state == ROW_LATER ? ANSWER_MISSING
                                : allowed                  ? ANSWER_GRANTED
                                                           : ANSWER_WITHHELD;
            assert_int_equal(verdict.answers[row], expected);
            for (int i = 0; i < RULE_COUNT; i++)
                if (verdict.rules >> i & 1 && !(RULES_BASE >> i & 1))
                    assert_true(allowed && capability_in(policy.allowed, rules[i].capability));
        }
    }
}

/* More allowed or more demanded never takes anything away, and less never adds. */
static void test_monotone(void **state)
{
    (void)state;
    struct policy none = fixture_policy(), all = fixture_policy();
    fixture_directories(&all, &read_write, 1);
    rule_set before_none = RULES_BASE, before_all = RULES_BASE;
    fixture_demand(&demand);
    for (int row = 0; row < ROW_COUNT; row++) {
        fixture_reach(&demand, (enum row)row);
        derive_verdict(&demand, &none, &verdict);
        rule_set with_none = verdict.rules;
        derive_verdict(&demand, &all, &verdict);
        assert_int_equal(before_none & ~with_none, 0);
        assert_int_equal(before_all & ~verdict.rules, 0);
        assert_int_equal(with_none & ~verdict.rules, 0);
        before_none = with_none;
        before_all = verdict.rules;
    }
}

static void test_dead_imports_give_nothing(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    fixture_directories(&policy, &read_write, 1);
    fixture_demand(&demand);
    for (int row = 0; row < ROW_COUNT; row++)
        fixture_import(&demand, (enum row)row);
    derive_verdict(&demand, &policy, &verdict);
    assert_int_equal(verdict.rules, RULES_BASE);
    assert_int_equal(verdict.demanded, 0);
    assert_int_equal(verdict.missing, 0);
    assert_int_equal(verdict.answers[ROW_descriptor_open_at], ANSWER_DEAD);
}

static void test_read_only_directory(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    fixture_directories(&policy, &read_only, 1);
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_descriptor_open_at);
    fixture_reach(&demand, ROW_descriptor_write);
    fixture_reach(&demand, ROW_descriptor_unlink_file_at);
    derive_verdict(&demand, &policy, &verdict);
    assert_int_equal(verdict.answers[ROW_descriptor_open_at], ANSWER_GRANTED);
    assert_int_equal(verdict.answers[ROW_descriptor_write], ANSWER_WITHHELD);
    assert_true(verdict.rules & R(OPEN_READ));
    assert_false(verdict.rules & (R(OPEN_WRITE) | R(PWRITE) | R(UNLINK)));
    assert_true(capability_in(verdict.demanded, CAP_DIR_WRITE)); /* open-at could create */
}

static void test_preview1_streams(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_p1_fd_write);
    derive_verdict(&demand, &policy, &verdict);
    assert_true(capability_in(verdict.granted, CAP_STDOUT));
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_p1_random_get);
    derive_verdict(&demand, &policy, &verdict);
    assert_false(capability_in(verdict.granted, CAP_STDOUT));
}

static void refused(const struct policy *policy, enum err_kind kind, const char *because)
{
    struct err err = {0};
    derive_verdict(&demand, policy, &verdict);
    assert_int_equal(derive_refusal(&demand, policy, &verdict, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_non_null(strstr(err.text, because));
}

static void test_refusals(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    fixture_demand(&demand);
    demand.head.totals[DEMAND_UNKNOWN] = UINT32_MAX;
    refused(&policy, ERR_UNLINKABLE, "4294967295 imports that carrel does not provide");
    fixture_demand(&demand);
    demand.head.totals[DEMAND_MISMATCH] = 1;
    refused(&policy, ERR_UNLINKABLE, "1 function with a type");
    demand.head.totals[DEMAND_UNKNOWN] = 4;
    refused(&policy, ERR_UNLINKABLE, "4 imports that carrel does not provide, and 1 with a type");
    fixture_demand(&demand);
    demand.head.memory[0] = policy.memory + 1;
    refused(&policy, ERR_DENIED, "--memory");
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_pollable_block);
    policy.allowed &= ~CAPABILITY(IO);
    refused(&policy, ERR_DENIED, "denies io");
}

static void not_started(enum derive_start how, const char *because)
{
    struct err err = {0};
    assert_int_equal(derive_startable(&demand, how, &err), -1);
    assert_int_equal(err.kind, ERR_UNLINKABLE);
    assert_non_null(strstr(err.text, because));
}

static void test_starts(void **state)
{
    (void)state;
    struct err err = {0};
    fixture_demand(&demand);
    assert_int_equal(derive_start(&demand), START_RUN);
    assert_int_equal(derive_startable(&demand, START_RUN, &err), 0);
    assert_int_equal(derive_startable(&demand, START_INVOKE, &err), 0);
    not_started(START_SERVE, "use `carrel run`");
    demand.head.facts[0] = DEMAND_IS_COMPONENT | DEMAND_IS_PROXY;
    assert_int_equal(derive_start(&demand), START_SERVE);
    assert_int_equal(derive_startable(&demand, START_SERVE, &err), 0);
    not_started(START_RUN, "use `carrel serve`");
    demand.head.facts[0] = 0;
    assert_int_equal(derive_start(&demand), START_INVOKE);
    not_started(START_RUN, "\"_start\" without parameters and results: call one of its exports");
    not_started(START_SERVE, "answers no HTTP requests");
}

static void test_landlock(void **state)
{
    (void)state;
    const rule_set all = UINT64_MAX >> (64 - RULE_COUNT);
    assert_int_equal(landlock_denies(0).files, 0);
    assert_int_equal(landlock_denies(1).files, 0x1fff);
    assert_int_equal(landlock_denies(2).files, 0x3fff);
    assert_int_equal(landlock_denies(3).net, 0);
    assert_int_equal(landlock_denies(7).files, 0xffff);
    assert_int_equal(landlock_denies(7).net, 3);
    assert_int_equal(landlock_denies(7).scopes, 3);
    assert_int_equal(landlock_allows(RULES_BASE, false, 7), 0);
    assert_int_equal(landlock_allows(all, true, 7), 1 << 2 | 1 << 3);
    for (int abi = 0; abi < 10; abi++) {
        uint64_t files = landlock_allows(all, false, abi);
        assert_int_equal(files & ~landlock_denies(abi).files, 0);
        /* never: execute, make-char, make-sock, make-fifo, make-block, ioctl-dev */
        assert_int_equal(files & (1 << 0 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 15), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_demanded),
        cmocka_unit_test(test_nothing_allowed),
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_monotone),
        cmocka_unit_test(test_dead_imports_give_nothing),
        cmocka_unit_test(test_read_only_directory),
        cmocka_unit_test(test_preview1_streams),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_landlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
