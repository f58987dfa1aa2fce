/* Names of images: what containerd and registries take, and what they do not. */
#include "runner/reference.h"
#include "tests/unit/unit.h"

static void good(void **state)
{
    static const char *const names[] = {
        "app",
        "app:latest",
        "localhost/app:latest",
        "localhost:5000/app",
        "ghcr.io/some-one/some_app.2:V1.0-rc",
        "Registry.Example.ORG:443/a/b/c",
        "a__b/c--d",
        "docker.io/library/app:1",
        "x:_",
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!reference_valid(names[i]))
            fail_msg("%s", names[i]);
}

static void bad(void **state)
{
    static const char *const names[] = {
        "",           "Bad Name",      "App",          "localhost/App", "/app",       "app/",
        "a//b",       "app:",          "app:.x",       "app:-x",        "app:a:b",    "a b",
        "-app",       "app-",          "a/_b",         "host:x/a",      "host:/a",    ":5/a",
        "http://h/a", "app@sha256:00", "app:\xc3\xa4", "h.org:5000/",   "localhost/", "app:a/b",
        "app\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (reference_valid(names[i]))
            fail_msg("'%s'", names[i]);
}

static void tag_of_128(void **state)
{
    char name[4 + 129 + 1] = "app:";
    (void)state;
    for (int i = 4; i < 4 + 129; i++)
        name[i] = 'x';
    assert_false(reference_valid(name));
    name[4 + 128] = '\0';
    assert_true(reference_valid(name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(bad),
        cmocka_unit_test(tag_of_128),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
