/* Control groups, with plain directories in their place: which group a limit goes to, what is
 * removed, who is killed. */
#include "tests/unit/unit.h"

#include "shim/cgroup.h"
#include "shim/cleanup.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[] = "/tmp/carrel-test-XXXXXX";

static int make_base(void **state)
{
    (void)state;
    return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", base);
    return system(command);
}

static void path_in(char ret[128], const char *directory, const char *name)
{
    assert_true(snprintf(ret, 128, "%s/%s", directory, name) < 128);
}

static void make_file(const char *directory, const char *name, const char *text)
{
    char path[128];
    path_in(path, directory, name);
    cleanup_close int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
}

static struct operation group_below(const char *parent, const char *controller)
{
    struct operation operation = {.kind = OPERATION_CGROUP, .may_fail = true};
    operation.of.cgroup.parent = parent;
    operation.of.cgroup.controller = controller;
    return operation;
}

static struct operation limit_of(const char *file)
{
    struct operation operation = {.kind = OPERATION_CGROUP_LIMIT, .may_fail = true};
    operation.of.cgroup_limit.file = file;
    operation.of.cgroup_limit.value = "1";
    return operation;
}

/* The second controller's group cannot be made: its limit must not be the first one's. */
static void a_limit_without_its_group_goes_nowhere(void **state)
{
    (void)state;
    struct cgroups cgroups = cgroups_none();
    struct wall_report report = {0};
    struct err err = {0};
    struct operation operation = group_below(base, "");
    assert_int_equal(cgroups_prepare(&cgroups, &operation, "id", &report, &err), 0);
    assert_int_equal(cgroups.count, 1);
    make_file(cgroups.at[0].path, "pids.max", "x");
    operation = group_below("/nowhere", "pids");
    assert_int_equal(cgroups_prepare(&cgroups, &operation, "id", &report, &err), 0);
    operation = limit_of("pids.max");
    assert_int_equal(cgroups_prepare(&cgroups, &operation, "id", &report, &err), 0);
    assert_true(wall_in(report.missing, WALL_CGROUP));
    char path[128], text[8] = "";
    path_in(path, cgroups.at[0].path, "pids.max");
    cleanup_close int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(file, text, sizeof text), 1);
    assert_string_equal(text, "x");
    assert_false(cgroups_remove(&cgroups)); /* there is something in it */
    assert_int_equal(cgroups.count, 1);
    assert_int_equal(unlink(path), 0);
    assert_true(cgroups_remove(&cgroups));
    assert_int_equal(cgroups.count, 0);
}

/* Only groups of this id, and their members. */
static void what_was_left_is_cleared(void **state)
{
    (void)state;
    char common[128], mine[128], other[128], number_file[128], number[16];
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    path_in(common, base, "carrel");
    path_in(mine, common, "id-0");
    path_in(other, common, "idle-0");
    assert_int_equal(mkdir(common, 0700) | mkdir(mine, 0700) | mkdir(other, 0700), 0);
    snprintf(number, sizeof number, "%d\n", (int)child);
    make_file(mine, "cgroup.procs", number);
    assert_false(cgroups_clear(base, "id")); /* a plain directory with a file remains */
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    path_in(number_file, mine, "cgroup.procs");
    assert_int_equal(unlink(number_file), 0);
    assert_true(cgroups_clear(base, "id"));
    assert_int_equal(rmdir(other), 0);
}

static void has(const char *directory, const char *name, const char *expected)
{
    char path[128], text[16] = "";
    path_in(path, directory, name);
    cleanup_close int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(read(file, text, sizeof text - 1) >= 0);
    assert_string_equal(text, expected);
    assert_int_equal(unlink(path), 0);
}

/* Only in groups that bound processors: another has nothing that could be lifted. */
static void who_waits_for_processors_is_let_go(void **state)
{
    (void)state;
    struct cgroups cgroups = cgroups_none();
    struct wall_report report = {0};
    struct err err = {0};
    struct operation operation = group_below(base, "");
    assert_int_equal(cgroups_prepare(&cgroups, &operation, "id", &report, &err), 0);
    const char *group = cgroups.at[0].path;
    make_file(group, "cpu.max", "?");
    cgroups_release(&cgroups);
    has(group, "cpu.max", "?");
    make_file(group, "cpu.max", "?");
    operation = limit_of("cpu.max");
    assert_int_equal(cgroups_prepare(&cgroups, &operation, "id", &report, &err), 0);
    has(group, "cpu.max", "1");
    make_file(group, "cpu.max", "1");
    cgroups_release(&cgroups);
    has(group, "cpu.max", "max");
    cgroups.at[0].procs = open("/dev/null", O_WRONLY | O_CLOEXEC); /* as one of version 1 */
    make_file(group, "cpu.cfs_quota_us", "1");
    cgroups_release(&cgroups);
    has(group, "cpu.cfs_quota_us", "-1");
    assert_true(cgroups_remove(&cgroups));
    cgroups_release(&cgroups);
}

/* A limit that nothing else stands for ends the launch. */
static void a_limit_that_must_hold_is_no_wall_that_may_be_missing(void **state)
{
    (void)state;
    struct cgroups cgroups = cgroups_none();
    struct wall_report report = {0};
    struct err err = {0};
    struct operation operation = group_below("/nowhere", "cpu");
    assert_int_equal(cgroups_prepare(&cgroups, &operation, "id", &report, &err), 0);
    operation = limit_of("cpu.cfs_quota_us");
    operation.may_fail = false;
    assert_int_equal(cgroups_prepare(&cgroups, &operation, "id", &report, &err), -1);
    assert_int_equal(err.kind, ERR_WALL);
    assert_non_null(strstr(err.text, "--degrade=cgroup"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_without_its_group_goes_nowhere),
        cmocka_unit_test(what_was_left_is_cleared),
        cmocka_unit_test(who_waits_for_processors_is_let_go),
        cmocka_unit_test(a_limit_that_must_hold_is_no_wall_that_may_be_missing),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
