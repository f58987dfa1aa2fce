/* The programs on a cell's control group, with no other wall: what they refuse and what
 * they leave. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "shim/hooks.h"
#include "shim/host.h"
#include "tests/shim/fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct host host;
static char group[sizeof host.cgroups.unified + 64];

static bool made; /* the group */

/* Only root may, only where version 2 is mounted, and in a container perhaps not even then. */
static bool can(void)
{
    const char *call = "";
    cleanup_close int directory = made ? open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    return directory >= 0 && (hooks_attach(directory, &call) == 0 || errno != EPERM);
}

static int make_group(void **state)
{
    (void)state;
    host_probe("", true, &host);
    snprintf(group, sizeof group, "%s/carrel-test-hooks-%d", host.cgroups.unified, (int)getpid());
    made = fixture_root() && host.cgroups.unified[0] && mkdir(group, 0755) == 0;
    return 0;
}

static int remove_group(void **state)
{
    (void)state;
    hooks_close();
    return made ? rmdir(group) : 0;
}

/* What a process within may try. True: it could, or failed for another reason than a refusal. */
static bool make_socket(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    return fd >= 0 || errno != EPERM;
}

static bool make_socket_6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    return fd >= 0 || (errno != EPERM && errno != EAFNOSUPPORT);
}

static bool open_device(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0 || errno != EPERM;
}

static bool make_pipe(void)
{
    int ends[2];
    return pipe(ends) == 0;
}

/* Carries out `attempt` in a process of the group; what it returned. */
static bool within(bool (*attempt)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        char path[sizeof group + 16];
        snprintf(path, sizeof path, "%s/cgroup.procs", group);
        int procs = open(path, O_WRONLY | O_CLOEXEC);
        if (procs < 0 || write(procs, "0", 1) != 1)
            _exit(2);
        _exit(attempt() ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 0;
}

static void no_socket_and_no_device_in_the_group(void **state)
{
    (void)state;
    if (!made)
        skip();
    /* What is tried works without the programs. */
    assert_true(within(make_socket));
    assert_true(within(open_device));
    if (!can())
        skip();
    assert_false(within(make_socket));
    assert_false(within(make_socket_6));
    assert_false(within(open_device));
    assert_true(within(make_pipe));
    assert_true(make_socket()); /* out here nothing changed */
}

static void who_may_not_is_told_what_failed(void **state)
{
    (void)state;
    const char *call = "";
    assert_int_equal(hooks_attach(-1, &call), -1);
    assert_int_equal(strncmp(call, "BPF_PROG_", 9), 0);
}

static void a_run_that_is_bounded_has_them(void **state)
{
    (void)state;
    if (!can())
        skip();
    const struct result *result =
        fixture_run(&(struct wish){.script = "exit 0\n", .cgroups = true});
    assert_true(result->outcome.by_guest);
    assert_true(wall_in(result->outcome.walls.standing, WALL_CGROUP_HOOKS));
    assert_false(wall_in(result->outcome.walls.missing, WALL_CGROUP_HOOKS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_socket_and_no_device_in_the_group),
        cmocka_unit_test(a_run_that_is_bounded_has_them),
        cmocka_unit_test(who_may_not_is_told_what_failed),
    };
    return cmocka_run_group_tests(tests, make_group, remove_group);
}
