/* What a cell is told and given, and how the shim learns how it ended. */
#include "tests/unit/unit.h"

#include "tests/shim/fixture.h"
#include <signal.h>
#include <string.h>

static void assert_text(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void exits_with_the_guests_code(void **state)
{
    (void)state;
    const struct result *result = fixture_run(&(struct wish){.script = "print hello\nexit 7\n"});
    assert_string_equal(result->outcome.why.text, "");
    assert_true(result->outcome.by_guest);
    assert_int_equal(result->outcome.exit_code, 7);
    assert_string_equal(result->output, "hello\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exits_with_the_guests_code),
    };
    (void)assert_text;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
