/* Clean death: whichever process of the chain is killed, nothing is left; and what is left when all
 * are killed at once, the next start sweeps. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "shim/guardian.h"
#include "tests/shim/fixture.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- What could be left ------------------------------------------------------------------------
 */

static bool alive(pid_t pid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    cleanup_file FILE *file = fopen(path, "re");
    if (!file || !fgets(text, sizeof text, file))
        return false;
    const char *state = strrchr(text, ')');
    return state && state[2] != 'Z' && state[2] != 'X';
}

/* Waits up to five seconds. */
static bool gone(pid_t pid)
{
    for (int i = 0; i < 500 && alive(pid); i++)
        usleep(10000);
    return !alive(pid);
}

static size_t count_lines(const char *path)
{
    char line[4096];
    size_t count = 0;
    cleanup_file FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        count++;
    return count;
}

/* Entries of a directory whose names begin so; 0 if there is none. */
static size_t count_entries(const char *path, const char *begin)
{
    size_t count = 0;
    const struct dirent *entry;
    cleanup_dir DIR *directory = opendir(path);
    while (directory && (entry = readdir(directory)))
        count += strncmp(entry->d_name, begin, strlen(begin)) == 0;
    return count;
}

static const char *state_directory(void)
{
    static char path[128];
    const char *user = getenv("XDG_RUNTIME_DIR");
    if (fixture_root())
        return "/run/carrel";
    snprintf(path, sizeof path, user ? "%s/carrel" : "/tmp/carrel-%s", user ? user : "1000");
    return path;
}

/* The groups of cells whose shim is this process or no more: their names begin with its id. Those
 * of others that run beside this test come and go. */
static size_t count_groups(void)
{
    size_t count = 0;
    int shim;
    char rest[256];
    FILE *found =
        popen("find /sys/fs/cgroup -type d -path '*/carrel/*' -printf '%f\\n' 2>/dev/null", "re");
    while (found && fscanf(found, "%d%255[^\n]", &shim, rest) == 2)
        count += shim == getpid() || (kill(shim, 0) && errno == ESRCH);
    if (found)
        pclose(found);
    return count;
}

struct leftovers {
    size_t mounts, temporary, state, groups;
};

static struct leftovers look(void)
{
    return (struct leftovers){count_lines("/proc/self/mountinfo"),
                              count_entries("/tmp", "carrel-test"),
                              count_entries(state_directory(), ""), count_groups()};
}

static struct leftovers before;

static int look_before(void **state)
{
    (void)state;
    before = look();
    return 0;
}

static void assert_nothing_left(void)
{
    struct leftovers now = look();
    assert_int_equal(now.mounts, before.mounts);
    assert_int_equal(now.temporary, before.temporary);
    assert_int_equal(now.state, before.state);
    assert_int_equal(now.groups, before.groups);
}

/* --- The matrix --------------------------------------------------------------------------------
 */

/* The children of the shim: the guardian comes first, if there is one, then the cell. */
static size_t children(pid_t shim, int ret[4])
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)shim, (int)shim);
    cleanup_file FILE *file = fopen(path, "re");
    while (file && count < 4 && fscanf(file, "%d", &ret[count]) == 1)
        count++;
    return count;
}

static const struct policy_directory directory = {"/usr", "/usr", true};

static pid_t start(const char *script, bool reader, struct result **ret)
{
    return fixture_start(&(struct wish){.script = script,
                                        .reader = reader,
                                        .input = "",
                                        .directories = &directory,
                                        .directory_count = 1,
                                        .cgroups = fixture_root()},
                         ret);
}

static void nothing_is_left_of_an_ordinary_run(void **state)
{
    (void)state;
    const struct result *result =
        fixture_run(&(struct wish){.script = "exit 0\n", .cgroups = fixture_root()});
    assert_true(result->outcome.by_guest);
    if (fixture_root())
        assert_true(wall_in(result->outcome.walls.standing, WALL_CGROUP));
    assert_nothing_left();
}

static void killing_the_shim_kills_the_cell(void **state)
{
    (void)state;
    static const char *const scripts[] = {"print on\nspin\n", "print on\nwait\n",
                                          "print on\ncat\nspin\n"};
    for (size_t i = 0; i < countof(scripts); i++) {
        struct result *result;
        int found[4];
        pid_t shim = start(scripts[i], false, &result);
        size_t count = children(shim, found);
        assert_int_equal(count, fixture_root() ? 2 : 1);
        kill(shim, SIGKILL);
        fixture_end(shim, result);
        for (size_t child = 0; child < count; child++)
            assert_true(gone(found[child]));
        assert_nothing_left();
    }
}

static void killing_the_cell_ends_the_run(void **state)
{
    (void)state;
    struct result *result;
    int found[4];
    pid_t shim = start("print on\nspin\n", false, &result);
    size_t count = children(shim, found);
    kill(found[count - 1], SIGKILL);
    int status = fixture_end(shim, result);
    assert_true(WIFEXITED(status));
    assert_int_equal(result->outcome.exit_code, 137);
    assert_int_equal(result->outcome.signal, SIGKILL);
    assert_nothing_left();
}

static void killing_the_guardian_brings_another(void **state)
{
    (void)state;
    if (!fixture_root())
        skip(); /* control groups here are for root */
    struct result *result;
    int found[4], again[4];
    pid_t shim = start("print on\nspin\n", false, &result);
    assert_int_equal(children(shim, found), 2);
    kill(found[0], SIGKILL);
    bool other = false;
    for (int i = 0; i < 200 && !other; i++) {
        usleep(10000);
        other = children(shim, again) == 2 && (again[0] != found[0] && again[1] != found[0]);
    }
    assert_true(other);
    assert_true(alive(found[1]));
    kill(shim, SIGKILL);
    fixture_end(shim, result);
    assert_true(gone(again[0]) && gone(again[1]));
    assert_nothing_left();
}

static void the_next_start_sweeps_what_is_left_when_all_are_killed(void **state)
{
    (void)state;
    struct result *result;
    int found[4];
    pid_t shim = start("print on\nspin\n", false, &result);
    size_t count = children(shim, found);
    kill(shim, SIGSTOP);
    kill(found[0], SIGSTOP);
    for (size_t i = 0; i < count; i++)
        kill(found[i], SIGKILL);
    kill(shim, SIGKILL);
    fixture_end(shim, result);
    for (size_t i = 0; i < count; i++)
        assert_true(gone(found[i]));
    if (fixture_root())
        assert_true(look().groups > before.groups);
    fixture_run(&(struct wish){.script = "exit 0\n"});
    assert_nothing_left();
}

/* From another pid namespace, where nobody of this one can be seen. Its first process is the one
 * that is named, so its cells' groups begin like those of many others. */
static void run_beyond(void)
{
    pid_t outer = fork();
    if (outer == 0) {
        if (unshare(CLONE_NEWPID))
            _exit(1);
        pid_t first = fork();
        if (first == 0) {
            const struct result *result =
                fixture_run(&(struct wish){.script = "exit 0\n", .cgroups = true});
            _exit(result->outcome.by_guest ? 0 : 1);
        }
        int status;
        waitpid(first, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    }
    int status;
    assert_int_equal(waitpid(outer, &status, 0), outer);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static size_t count_states(pid_t shim)
{
    char begin[32];
    snprintf(begin, sizeof begin, "%d-", (int)shim);
    return count_entries(state_directory(), begin);
}

/* What another carrel holds, none sweeps that cannot even see its processes; what nobody holds any
 * more, it does. */
static void a_carrel_in_another_pid_namespace_sweeps_what_nobody_holds(void **state)
{
    (void)state;
    if (!fixture_root())
        skip();
    struct result *result;
    int found[4];
    pid_t shim = start("print on\nspin\n", false, &result);
    assert_int_equal(children(shim, found), 2);
    run_beyond();
    assert_true(alive(found[0]) && alive(found[1]));
    assert_int_equal(count_states(shim), 1);
    /* Stopped, so that the guardian does not sweep itself. */
    kill(found[0], SIGSTOP);
    kill(shim, SIGKILL);
    kill(found[0], SIGKILL);
    fixture_end(shim, result);
    assert_true(gone(found[0]) && gone(found[1]));
    assert_int_equal(count_states(shim), 1);
    run_beyond();
    assert_int_equal(count_states(shim), 0);
    assert_nothing_left();
}

static void killing_the_shim_kills_reader_and_spare(void **state)
{
    (void)state;
    struct result *result;
    int found[4];
    /* A reader has no output that says when it is on. */
    pid_t shim = fork();
    if (shim == 0) {
        fixture_run(&(struct wish){.script = "spin\n", .reads_first = true});
        _exit(0);
    }
    size_t count = 0;
    int inner[4] = {0};
    for (int i = 0; i < 500 && count < 2; i++) {
        usleep(10000);
        if (children(shim, inner) > 0)
            count = children(inner[0], found);
    }
    assert_int_equal(count, 2); /* and the cell that waits for its order */
    kill(inner[0], SIGKILL);
    assert_true(gone(found[0]) && gone(found[1]));
    waitpid(shim, NULL, 0);
    (void)result;
    assert_nothing_left();
}

/* A kill at a moment that nobody chose. */
static void a_kill_at_any_moment_leaves_nothing(void **state)
{
    (void)state;
    unsigned seed = 3;
    for (int i = 0; i < 60; i++) {
        seed = seed * 1103515245 + 12345;
        pid_t shim = fork();
        if (shim == 0) {
            /* What is killed here is the shim itself: the fixture's child. */
            fixture_run(&(struct wish){.script = "print on\nspin\n",
                                       .directories = &directory,
                                       .directory_count = 1,
                                       .cgroups = fixture_root()});
            _exit(0);
        }
        int inner[4], found[4];
        size_t count = 0;
        for (int wait = 0; wait < 1000 && count == 0; wait++) {
            usleep(100);
            count = children(shim, inner);
        }
        usleep((seed >> 16) % 8000);
        size_t cells = children(inner[0], found);
        kill(inner[0], SIGKILL);
        waitpid(shim, NULL, 0);
        for (size_t child = 0; child < cells; child++)
            assert_true(gone(found[child]));
    }
    for (int i = 0; i < 300 && look().groups != before.groups; i++)
        usleep(10000);
    guardian_sweep();
    assert_nothing_left();
}

/* What others mount, and what others hold, comes and goes beside this test: root looks at mounts
 * and at a state directory that are its own. */
static void be_alone(void)
{
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        (mkdir("/run/carrel", 0700) && errno != EEXIST) ||
        mount("tmpfs", "/run/carrel", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700"))
        fail_msg("no mount namespace of its own: %s", strerror(errno));
}

int main(void)
{
    if (fixture_root())
        be_alone();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_of_an_ordinary_run),
        cmocka_unit_test(killing_the_shim_kills_the_cell),
        cmocka_unit_test(killing_the_cell_ends_the_run),
        cmocka_unit_test(killing_the_guardian_brings_another),
        cmocka_unit_test(the_next_start_sweeps_what_is_left_when_all_are_killed),
        cmocka_unit_test(a_carrel_in_another_pid_namespace_sweeps_what_nobody_holds),
        cmocka_unit_test(killing_the_shim_kills_reader_and_spare),
        cmocka_unit_test(a_kill_at_any_moment_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, look_before, NULL);
}
