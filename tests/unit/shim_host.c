/* What the caller's standard streams are, and where control groups may be made. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "shim/host.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void pipes(void **state)
{
    (void)state;
    int pipe[2];
    for (int flag = 0; flag <= O_NONBLOCK; flag += O_NONBLOCK) {
        assert_int_equal(pipe2(pipe, O_CLOEXEC | flag), 0);
        enum host_stream open = flag ? HOST_UNBLOCKED : HOST_FILE;
        assert_int_equal(host_stream_kind(0, pipe[0]), open);
        assert_int_equal(host_stream_kind(1, pipe[1]), open);
        assert_int_equal(host_stream_kind(1, pipe[0]), HOST_CLOSED);
        assert_int_equal(host_stream_kind(0, pipe[1]), HOST_CLOSED);
        close(pipe[0]);
        close(pipe[1]);
    }
}

/* A file has always room, or none for good. */
static void files(void **state)
{
    (void)state;
    char path[] = "/tmp/carrel-host-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    int only = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    unlink(path);
    assert_int_equal(host_stream_kind(2, only), HOST_FILE);
    assert_int_equal(host_stream_kind(2, file), HOST_BOTH);
    close(file);
    close(only);
    assert_int_equal(host_stream_kind(2, only), HOST_CLOSED);
}

/* What is open stays, even if nothing can be done with it; what is not gets the wrong direction. */
static void streams(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        int place = open("/", O_PATH | O_CLOEXEC);
        bool prepared = place > 2 && dup2(place, 0) == 0 && close(1) == 0;
        host_secure_streams();
        bool stays = fcntl(0, F_GETFL) & O_PATH;
        _exit(prepared && stays && (fcntl(1, F_GETFL) & O_ACCMODE) == O_RDONLY ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* --- Control groups ---------------------------------------------------------------------------
 * The probe runs in a mount namespace of its own, in which there is nothing but version 2, which
 * says that it has the controllers that a file names. */

/* The innermost first. */
static bool unmount_hierarchies(void)
{
    cleanup_file FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char points[64][256], line[4096];
    size_t count = 0;
    while (mounts && fgets(line, sizeof line, mounts) && count < countof(points))
        if (strstr(line, " - cgroup") && sscanf(line, "%*s %*s %*s %*s %255s", points[count]) == 1)
            count++;
    while (count > 0)
        if (umount2(points[--count], MNT_DETACH))
            return false;
    return true;
}

/* False if this cannot be tried here. */
static bool have_version2(const char *place, const char *controllers)
{
    char file[128], claimed[128];
    snprintf(file, sizeof file, "%s/claimed", place);
    cleanup_close int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool written = write(fd, controllers, strlen(controllers)) == (ssize_t)strlen(controllers);
    char point[128];
    snprintf(point, sizeof point, "%s/group", place);
    snprintf(claimed, sizeof claimed, "%s/cgroup.controllers", point);
    return written && (mkdir(point, 0700) == 0 || errno == EEXIST) &&
           unshare(CLONE_NEWNS | CLONE_NEWCGROUP) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && unmount_hierarchies() &&
           mount("none", point, "cgroup2", 0, NULL) == 0 &&
           mount(file, claimed, NULL, MS_BIND, NULL) == 0;
}

/* What the probe finds where version 2 has these controllers. False if that cannot be tried. */
static bool probe_with(const char *controllers, struct host_cgroups *ret)
{
    char place[] = "/tmp/carrel-host-XXXXXX", command[64];
    struct {
        bool tried;
        struct host_cgroups found;
    } *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED && mkdtemp(place));
    pid_t child = fork();
    if (child == 0) {
        shared->tried = have_version2(place, controllers);
        host_probe_cgroups(true, &shared->found);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    snprintf(command, sizeof command, "rm -r %s", place);
    assert_int_equal(system(command), 0);
    bool tried = shared->tried;
    *ret = shared->found;
    munmap(shared, sizeof *shared);
    return tried;
}

static void processors_are_bounded_in_version_2(void **state)
{
    (void)state;
    struct host_cgroups found;
    if (!probe_with("cpuset cpu io memory pids\n", &found))
        skip(); /* not root, or no version 2 */
    assert_non_null(strstr(found.unified, "/group"));
    for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
        assert_true(found.in_unified[i]);
        assert_string_equal(found.version1[i], "");
    }
}

/* "cpuset" is not "cpu". */
static void a_controller_that_version_2_lacks_bounds_nothing(void **state)
{
    (void)state;
    struct host_cgroups found;
    if (!probe_with("cpuset io memory\n", &found))
        skip();
    assert_false(found.in_unified[CGROUP_CPU]);
    assert_false(found.in_unified[CGROUP_PIDS]);
    assert_true(found.in_unified[CGROUP_MEMORY]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipes),
        cmocka_unit_test(files),
        cmocka_unit_test(streams),
        cmocka_unit_test(processors_are_bounded_in_version_2),
        cmocka_unit_test(a_controller_that_version_2_lacks_bounds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
