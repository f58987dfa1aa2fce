/* Lists of names in error texts: as many as fit, and never more. */
#include "tests/unit/unit.h"

#include "engine/base/names.h"

static void names_stand_in_a_row(void **state)
{
    (void)state;
    struct names names = {.used = 0};
    assert_string_equal(names.text, "");
    names_add(&names, str_of("add"));
    assert_string_equal(names.text, "add");
    names_add(&names, str_of("sub"));
    assert_string_equal(names.text, "add, sub");
}

/* Whatever the lengths are: the list ends in dots and within its bounds. */
static void what_does_not_fit_is_dots(void **state)
{
    (void)state;
    static char letters[400];
    memset(letters, 'x', sizeof letters);
    for (size_t len = 1; len < sizeof letters; len++) {
        struct names names = {.used = 0};
        for (int i = 0; i < 200; i++)
            names_add(&names, (struct str){letters, len});
        size_t is = strnlen(names.text, sizeof names.text);
        assert_in_range(is, 3, sizeof names.text - 1);
        assert_string_equal(names.text + is - 3, "...");
        assert_int_equal(names.text[0], len <= 122 ? 'x' : '.');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stand_in_a_row),
        cmocka_unit_test(what_does_not_fit_is_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
