/* Operations as text: every text names fields that exist, and nothing raw comes through. */
#include "tests/unit/unit.h"

#include "policies/operation.h"
#include <linux/mount.h>
#include <string.h>

static struct plan plan;

static const char *text_of(const struct operation *operation)
{
    static char text[1024];
    operation_text(operation, text, sizeof text);
    return text;
}

static void every_place_in_a_text_is_a_field(void **state)
{
    (void)state;
    for (enum operation_kind kind = 0; kind < OPERATION_COUNT; kind++) {
        struct operation operation = {.kind = kind};
        const char *text = text_of(&operation);
        if (strchr(text, '{') || strchr(text, '}'))
            fail_msg("%s: %s", operation_infos[kind].word, text);
        assert_true(operation_infos[kind].wall <= WALL_NONE);
    }
}

static void phases_come_in_order(void **state)
{
    (void)state;
    for (enum operation_kind kind = 1; kind < OPERATION_COUNT; kind++)
        assert_true(operation_infos[kind].phase >= operation_infos[kind - 1].phase);
}

static void values_are_readable(void **state)
{
    (void)state;
    struct operation limit = {.kind = OPERATION_ARENA, .of.arena.size = UINT64_C(16) << 30};
    assert_string_equal(text_of(&limit), "reserve 16 GiB of address space; wait for messages");
    limit.of.arena.size = 1025;
    assert_string_equal(text_of(&limit), "reserve 1025 bytes of address space; wait for messages");
    struct operation time = {.kind = OPERATION_TIME, .of.time.time = UINT64_C(2000000000)};
    assert_string_equal(text_of(&time), "the shim kills the cell after 2 s");
    time.of.time.time = 1500000;
    assert_string_equal(text_of(&time), "the shim kills the cell after 1.500 ms");
    struct operation directory = {
        .kind = OPERATION_DIRECTORY,
        .of.directory = {
            .grant = 3, .path = "/data", .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC}};
    assert_string_equal(text_of(&directory), "grant 3: the mounts below /data, cloned, attached "
                                             "nowhere, read-only, noexec");
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    static const char *const variables[] = {"TOKEN=hidden", "EMPTY="};
    static const uint8_t seed[32] = {1, 2, 3};
    struct operation environment = {.kind = OPERATION_ENVIRONMENT,
                                    .of.environment.list = {variables, 2}};
    assert_string_equal(text_of(&environment), "environment variables: TOKEN EMPTY");
    struct operation operation = {.kind = OPERATION_SEED, .of.seed.seed = seed};
    assert_null(strchr(text_of(&operation), '1'));
}

static void foreign_text_is_escaped_and_cut(void **state)
{
    (void)state;
    struct operation grant = {.kind = OPERATION_INVOKE, .of.invoke.call = "a\x1b[2J\n\xff"};
    assert_string_equal(text_of(&grant), "call a\\x1b[2J\\x0a\\xff");
    char small[8];
    assert_int_equal(operation_text(&grant, small, sizeof small),
                     strlen("call a\\x1b[2J\\x0a\\xff"));
    assert_string_equal(small, "call a\\");
    assert_int_equal(operation_text(&grant, NULL, 0), strlen("call a\\x1b[2J\\x0a\\xff"));
}

static void a_full_plan_says_so(void **state)
{
    (void)state;
    plan.count = 0;
    plan.overflown = false;
    for (size_t i = 0; i < PLAN_MAX; i++)
        plan_add(&plan, OPERATION_MDWE, true);
    assert_false(plan.overflown);
    assert_non_null(plan_add(&plan, OPERATION_ROOT, false));
    assert_true(plan.overflown);
    assert_int_equal(plan.count, PLAN_MAX);
    assert_null(plan_find(&plan, OPERATION_ROOT));
}

static void sameness_is_that_of_values(void **state)
{
    (void)state;
    char path[] = "/data";
    struct operation one = {.kind = OPERATION_DIRECTORY, .of.directory = {1, "/data", 5}};
    struct operation other = {.kind = OPERATION_DIRECTORY, .of.directory = {1, path, 5}};
    assert_true(operation_same(&one, &other));
    path[1] = 'x';
    assert_false(operation_same(&one, &other));
    other = one;
    other.of.directory.attributes = 4;
    assert_false(operation_same(&one, &other));
    other = one;
    other.may_fail = true;
    assert_false(operation_same(&one, &other));
    static const char *const words[] = {"a", "b"};
    const struct operation list = {.kind = OPERATION_ARGUMENTS, .of.arguments.list = {words, 2}};
    const struct operation shorter = {.kind = OPERATION_ARGUMENTS, .of.arguments.list = {words, 1}};
    assert_true(operation_same(&list, &list));
    assert_false(operation_same(&list, &shorter));
    assert_false(operation_same(&list, &one));
}

static void walls_have_names(void **state)
{
    (void)state;
    for (enum wall wall = 0; wall < WALL_COUNT; wall++)
        assert_int_equal(wall_named(walls[wall].word), WALL_BIT(wall));
    assert_int_equal(wall_named("nothing"), 0);
    wall_set all = wall_named("namespaces");
    assert_true(wall_in(all, WALL_NET_NAMESPACE) && wall_in(all, WALL_EMPTY_ROOT));
    assert_false(wall_in(all, WALL_SECCOMP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_in_a_text_is_a_field),
        cmocka_unit_test(phases_come_in_order),
        cmocka_unit_test(values_are_readable),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(foreign_text_is_escaped_and_cut),
        cmocka_unit_test(a_full_plan_says_so),
        cmocka_unit_test(sameness_is_that_of_values),
        cmocka_unit_test(walls_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
