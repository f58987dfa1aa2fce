/* What is done apart, in a process of its own: what it says, that it fails, and that it dies. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "shim/containerd/prepare.h"
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int says(const void *data, char *ret, struct err *err)
{
    (void)err;
    memcpy(ret, data, strlen(data) + 1);
    return 0;
}

static int fails(const void *data, char *ret, struct err *err)
{
    (void)ret;
    return err_set(err, ERR_LIMIT, ERR_NOWHERE, "%s", (const char *)data);
}

/* Half of it is done when it is killed. */
static int dies(const void *data, char *ret, struct err *err)
{
    (void)err;
    memcpy(ret, "half", sizeof "half");
    raise(*(const int *)data);
    return 0;
}

static int leaves(const void *data, char *ret, struct err *err)
{
    (void)data;
    (void)ret;
    (void)err;
    _exit(0);
}

static void no_child_is_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void what_is_done_apart_is_told(void **state)
{
    (void)state;
    char ret[ID_MAX] = "";
    struct err err = {0};
    assert_int_equal(prepare_apart(says, "a word", ret, &err), 0);
    assert_string_equal(ret, "a word");
    assert_int_equal(prepare_apart(says, "nobody asks", NULL, &err), 0);
    assert_int_equal(prepare_apart(fails, "why", ret, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_string_equal(err.text, "why");
    assert_string_equal(ret, "a word");
    no_child_is_left();
}

static void a_helper_that_dies_is_an_error(void **state)
{
    (void)state;
    static const int signals[] = {SIGKILL, SIGTERM, SIGABRT};
    for (size_t i = 0; i < countof(signals); i++) {
        char ret[ID_MAX] = "before";
        struct err err = {0};
        assert_int_equal(prepare_apart(dies, &signals[i], ret, &err), -1);
        assert_int_equal(err.kind, ERR_FAULT);
        assert_non_null(strstr(err.text, "it died"));
        assert_string_equal(ret, "before");
    }
    struct err err = {0};
    assert_int_equal(prepare_apart(leaves, NULL, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_FAULT);
    no_child_is_left();
}

/* No group is written to: these are refused before. */
static void limits_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "1",
                                        "\"memory\"",
                                        "{\"memory\": 1}",
                                        "{\"memory\": {\"limit\": \"1G\"}}",
                                        "{\"cpu\": {\"period\": -1}}"};
    for (size_t i = 0; i < countof(texts); i++) {
        struct err err = {0};
        if (prepare_limits("/nowhere", bytes_of(texts[i]), &err) == 0 || err.kind != ERR_USAGE)
            fail_msg("%s: %s", texts[i], err.text);
    }
    no_child_is_left();
}

/* As an Update whose helper is killed: what it was to read is not there. */
static void limits_that_killed_their_helper_are_an_error(void **state)
{
    (void)state;
    enum { SIZE = 4096 };
    struct err err = {0};
    void *nothing = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(nothing != MAP_FAILED);
    signal(SIGSEGV, SIG_DFL); /* cmocka's handler would go on with the tests */
    assert_int_equal(prepare_limits("/nowhere", (struct bytes){nothing, SIZE}, &err), -1);
    assert_int_equal(err.kind, ERR_FAULT);
    assert_non_null(strstr(err.text, "it died"));
    munmap(nothing, SIZE);
    no_child_is_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_done_apart_is_told),
        cmocka_unit_test(a_helper_that_dies_is_an_error),
        cmocka_unit_test(limits_that_are_none_are_refused),
        cmocka_unit_test(limits_that_killed_their_helper_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
