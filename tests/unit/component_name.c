/* The grammar of names. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "engine/component/name.h"

static enum name_kind kind_of(const char *text)
{
    const char *why = NULL;
    enum name_kind kind = name_parse(str_of(text), &why).kind;
    assert_non_null(why);
    return kind;
}

static void labels_are_kebab_case(void **state)
{
    (void)state;
    static const char *const good[] = {"a",   "a-b",    "abc-DEF-g1", "HTTP",
                                       "a-1", "x86-64", "A1-b2",      "run"};
    static const char *const bad[] = {"",    "-",   "a-", "-a",  "a--b",  "1a", "aB", "Ab-c",
                                      "a_b", "a b", "é",  "a.b", "a-B1c", "%a", "a\n"};
    for (size_t i = 0; i < countof(good); i++)
        assert_true(name_is_label(str_of(good[i])));
    for (size_t i = 0; i < countof(bad); i++)
        assert_false(name_is_label(str_of(bad[i])));
    assert_false(name_is_label((struct str){"a\0", 2}));
}

static void names_are_taken_apart(void **state)
{
    (void)state;
    const char *why;
    struct name name = name_parse(str_of("[method]out-stream.write-Z"), &why);
    assert_int_equal(name.kind, NAME_METHOD);
    assert_true(str_is(name.resource, "out-stream"));
    assert_true(str_is(name.member, "write-Z"));
    name = name_parse(str_of("[constructor]fields"), &why);
    assert_int_equal(name.kind, NAME_CONSTRUCTOR);
    assert_true(str_is(name.resource, "fields"));
    name = name_parse(str_of("wasi:http/types@0.2.6-rc.1+b"), &why);
    assert_int_equal(name.kind, NAME_INTERFACE);
    assert_true(str_is(name.path, "wasi:http/types"));
    assert_true(str_is(name.version, "0.2.6-rc.1+b"));
    name = name_parse(str_of("a1:b-2/C-d"), &why);
    assert_int_equal(name.kind, NAME_INTERFACE);
    assert_int_equal(name.version.len, 0);
    assert_int_equal(kind_of("run"), NAME_LABEL);
    assert_int_equal(kind_of("[static]a.b"), NAME_STATIC);
}

static void dependencies_are_told_apart(void **state)
{
    (void)state;
    const char *why;
    assert_int_equal(name_parse(str_of("unlocked-dep=<a:b@{>=1.0.0}>"), &why).kind, NAME_WRONG);
    assert_non_null(strstr(why, "another file"));
    assert_int_equal(name_parse(str_of("url=<https://a/b>"), &why).kind, NAME_WRONG);
    assert_non_null(strstr(why, "another file"));
    assert_int_equal(name_parse(str_of("unlocked:dep/a"), &why).kind, NAME_INTERFACE);
}

static void wrong_names_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "[method]a",
                                      "[method]a.",
                                      "[method].a",
                                      "[method]a.b.c",
                                      "[static]",
                                      "[other]a",
                                      "[constructor]",
                                      "[constructor]a.b",
                                      "a:b",
                                      "a:/b",
                                      ":b/c",
                                      "a/b:c",
                                      "A:b/c",
                                      "a:B/c",
                                      "a:b/c@",
                                      "a:b/c@1",
                                      "a:b/c@1.0",
                                      "a:b/c@01.0.0",
                                      "a:b/c/d",
                                      "a:b:c/d",
                                      "a:b/c@1.0.0@",
                                      "[Method]a.b",
                                      "a.b"};
    for (size_t i = 0; i < countof(bad); i++)
        if (kind_of(bad[i]) != NAME_WRONG)
            fail_msg("'%s' is no name", bad[i]);
}

static void versions_are_semantic(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0.0.0",          "1.2.3",          "10.20.30",
        "1.0.0-alpha",    "1.0.0-alpha.1",  "1.0.0-0.3.7",
        "1.0.0-x-y-z.--", "1.0.0+20130313", "1.0.0-beta+exp.sha.5114f85",
        "1.0.0+001",      "1.0.0--",        "99999999999999999999.0.0"};
    static const char *const bad[] = {"",           "1",         "1.0",       "1.0.0.0", "01.0.0",
                                      "1.01.0",     "1.0.00",    "1.0.0-",    "1.0.0+",  "1.0.0-01",
                                      "1.0.0-a..b", "1.0.0-a_b", "1.0.0+a+b", "v1.0.0",  "1.0.0-é",
                                      "-1.0.0",     "1..0",      "1.0.0 "};
    for (size_t i = 0; i < countof(good); i++)
        if (!name_is_semver(str_of(good[i])))
            fail_msg("'%s' is a version", good[i]);
    for (size_t i = 0; i < countof(bad); i++)
        if (name_is_semver(str_of(bad[i])))
            fail_msg("'%s' is no version", bad[i]);
}

static void tracks_tell_what_is_compatible(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"1.0.0", "1"},           {"1.4.7", "1"},
        {"12.0.1", "12"},         {"0.2.6", "0.2"},
        {"0.12.0", "0.12"},       {"0.0.3", "0.0.3"},
        {"0.0.0", "0.0.0"},       {"1.0.0-rc.1", "1.0.0-rc.1"},
        {"0.3.0-rc", "0.3.0-rc"}, {"0.2.6+build", "0.2"},
        {"1.0.0+a-b", "1"},       {"", ""},
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_true(str_is(name_track(str_of(rows[i][0])), rows[i][1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_kebab_case),   cmocka_unit_test(names_are_taken_apart),
        cmocka_unit_test(wrong_names_are_refused), cmocka_unit_test(dependencies_are_told_apart),
        cmocka_unit_test(versions_are_semantic),   cmocka_unit_test(tracks_tell_what_is_compatible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
