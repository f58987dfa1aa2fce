/* State files: where they are written, who may own the place, and what a sweep finds. As an
 * ordinary user, which root becomes for a while. No control groups: the parents that are written
 * down are plain directories. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "shim/guardian.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOMEBODY 54321 /* whom nothing belongs to */

static char base[] = "/tmp/carrel-test-XXXXXX";
static char runtime[64], own[64]; /* the two places */
static bool root;

static int become_somebody(void **state)
{
    char path[80];
    (void)state;
    root = geteuid() == 0;
    if (!mkdtemp(base) || chmod(base, 0755))
        return -1;
    if (root && (chown(base, SOMEBODY, -1) || seteuid(SOMEBODY)))
        return -1;
    snprintf(path, sizeof path, "%s/run", base);
    snprintf(runtime, sizeof runtime, "%s/run/carrel", base);
    snprintf(own, sizeof own, "/tmp/carrel-%u", geteuid());
    return mkdir(path, 0700);
}

static int become_oneself(void **state)
{
    char command[64];
    (void)state;
    if (root && seteuid(0))
        return -1;
    snprintf(command, sizeof command, "rm -r %s", base);
    return system(command);
}

static void name_runtime_directory(bool yes)
{
    char path[80];
    snprintf(path, sizeof path, "%s/run", base);
    assert_int_equal(yes ? setenv("XDG_RUNTIME_DIR", path, 1) : unsetenv("XDG_RUNTIME_DIR"), 0);
}

static void make_state(const char *place, const char *id)
{
    char path[128];
    assert_true(mkdir(place, 0700) == 0 || errno == EEXIST);
    snprintf(path, sizeof path, "%s/%s", place, id);
    cleanup_close int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(file, "/nowhere\n", 9), 9);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static int watch(struct guardian *guardian, struct err *err)
{
    static struct plan plan;
    plan.count = 0;
    struct operation *group = plan_add(&plan, OPERATION_CGROUP, false);
    group->of.cgroup.parent = base;
    group->of.cgroup.controller = "";
    *guardian = guardian_none();
    return guardian_watch(guardian, &plan, "id", err);
}

static void a_state_file_comes_and_goes(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        char path[128];
        struct guardian guardian;
        struct err err = {0};
        const char *place = named ? runtime : own;
        name_runtime_directory(named);
        assert_int_equal(watch(&guardian, &err), 0);
        snprintf(path, sizeof path, "%s/id", place);
        assert_true(is_there(path));
        guardian_dismiss(&guardian, false);
        assert_false(is_there(place));
    }
}

/* What is left is the guardian's: it removes the groups, then the file. */
static void what_is_left_is_removed_by_the_guardian(void **state)
{
    (void)state;
    char common[80], group[80];
    struct guardian guardian;
    struct err err = {0};
    name_runtime_directory(true);
    assert_int_equal(watch(&guardian, &err), 0);
    snprintf(common, sizeof common, "%s/carrel", base);
    snprintf(group, sizeof group, "%s/carrel/id-0", base);
    assert_int_equal(mkdir(common, 0700), 0);
    assert_int_equal(mkdir(group, 0700), 0);
    guardian_dismiss(&guardian, true);
    for (int i = 0; i < 500 && is_there(runtime); i++)
        usleep(10000);
    assert_false(is_there(group));
    assert_false(is_there(runtime));
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

/* A place that somebody else has made, or that others may write to, is not used. */
static void a_place_of_somebody_else_is_refused(void **state)
{
    (void)state;
    struct guardian guardian;
    struct err err = {0};
    name_runtime_directory(false);
    assert_int_equal(mkdir(own, 0700), 0);
    assert_int_equal(chmod(own, 0777), 0);
    assert_int_equal(watch(&guardian, &err), -1);
    assert_int_equal(err.kind, ERR_FAULT);
    assert_non_null(strstr(err.text, "not yours alone"));
    assert_int_equal(rmdir(own), 0); /* nothing was made in it */
    if (!root)
        return;
    assert_int_equal(
        seteuid(0) | mkdir(own, 0700) | chown(own, SOMEBODY + 1, -1) | chmod(own, 0777), 0);
    assert_int_equal(seteuid(SOMEBODY), 0);
    assert_int_equal(watch(&guardian, &err), -1);
    assert_int_equal(seteuid(0) | rmdir(own) | seteuid(SOMEBODY), 0);
}

/* Where the session's own place is not there, the other one does; a link in it is refused. */
static void the_other_place_stands_in(void **state)
{
    (void)state;
    struct guardian guardian;
    struct err err = {0};
    setenv("XDG_RUNTIME_DIR", "/nowhere/at/all", 1);
    assert_int_equal(watch(&guardian, &err), 0);
    assert_true(is_there(own));
    guardian_dismiss(&guardian, false);
    assert_false(is_there(own));
    assert_int_equal(symlink("/tmp", own), 0);
    assert_int_equal(watch(&guardian, &err), -1);
    assert_non_null(strstr(err.text, "not yours alone"));
    assert_int_equal(unlink(own), 0);
}

static void both_places_are_swept(void **state)
{
    (void)state;
    make_state(runtime, "one");
    make_state(own, "other");
    name_runtime_directory(true);
    guardian_sweep();
    assert_false(is_there(runtime));
    assert_false(is_there(own));
}

static void a_bound_socket_has_no_name(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    name_runtime_directory(true);
    cleanup_close int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cleanup_close int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cleanup_close int back = guardian_bind(listener);
    assert_true(back >= 0);
    assert_false(is_there(runtime));
    assert_int_equal(listen(listener, 1), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", back);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
}

/* As if whoever bound it had been killed before its name was gone. */
static void a_name_that_is_left_is_swept(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    name_runtime_directory(true);
    make_state(runtime, "7-bind");
    cleanup_close int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/7-bind.socket", runtime);
    assert_int_equal(bind(left, (struct sockaddr *)&address, sizeof address), 0);
    guardian_sweep();
    assert_false(is_there(runtime));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_file_comes_and_goes),
        cmocka_unit_test(what_is_left_is_removed_by_the_guardian),
        cmocka_unit_test(a_place_of_somebody_else_is_refused),
        cmocka_unit_test(the_other_place_stands_in),
        cmocka_unit_test(both_places_are_swept),
        cmocka_unit_test(a_bound_socket_has_no_name),
        cmocka_unit_test(a_name_that_is_left_is_swept),
    };
    return cmocka_run_group_tests(tests, become_somebody, become_oneself);
}
