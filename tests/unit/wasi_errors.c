/* engine/wasi/errors: both lists against the texts that they come from. */
#include "engine/wasi/errors.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

/* The list of the WIT text, as the table has it. */
static const char *wit_list(void)
{
    static const struct {
        const char *interface;
        const char *name;
        const char *type;
    } types[] = {
#define TYPE(interface, name, type) {#interface, name, type},
#include "policies/wasi.def"
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (!strcmp(types[i].interface, "filesystem_types") && !strcmp(types[i].name, "error-code"))
            return types[i].type;
    return NULL;
}

static void same_order_as_wit(void **state)
{
    char text[2048] = "enum { ";
    (void)state;
    for (int i = 0; i < FS_ERRORS; i++) {
        strcat(text, i ? ", " : "");
        strcat(text, fs_error_name((uint8_t)i));
    }
    strcat(text, " }");
    assert_string_equal(text, wit_list());
}

static void every_errno_has_an_answer(void **state)
{
    (void)state;
    for (int number = 0; number < 5000; number++) {
        assert_true(fs_error_of(-number) < FS_ERRORS);
        assert_int_equal(fs_error_of(number), fs_error_of(-number));
        assert_true(p1_errno_of(-number) < P1_ERRNOS);
    }
    assert_int_equal(fs_error_of(INT64_MIN), FS_IO);
    assert_int_equal(p1_errno_of(INT64_MIN), P1_IO);
    assert_string_equal(fs_error_name(200), "unknown");
}

static void known_numbers(void **state)
{
    (void)state;
    assert_int_equal(fs_error_of(-EPERM), 31);
    assert_int_equal(fs_error_of(-ENOENT), 20);
    assert_int_equal(fs_error_of(-EROFS), 33);
    assert_int_equal(fs_error_of(-EMFILE), FS_INSUFFICIENT_MEMORY);
    assert_int_equal(fs_error_of(-EHOSTDOWN), FS_IO);
    assert_int_equal(p1_errno_of(0), 0);
    assert_int_equal(p1_errno_of(-EACCES), 2);
    assert_int_equal(p1_errno_of(-EBADF), 8);
    assert_int_equal(p1_errno_of(-EINVAL), 28);
    assert_int_equal(p1_errno_of(-EXDEV), 75);
    assert_int_equal(P1_NOTCAPABLE, 76);
    assert_int_equal(P1_ERRNOS, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_order_as_wit),
        cmocka_unit_test(every_errno_has_an_answer),
        cmocka_unit_test(known_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
