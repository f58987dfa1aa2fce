/* The walls of a live cell, looked at from outside. */
#include "tests/unit/unit.h"

#include "policies/host.h"
#include "policies/seccomp.h"
#include "shim/cleanup.h"
#include "tests/shim/fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* One cell that runs while the tests look at it. */
static pid_t shim, cell;
static struct result *running;
static bool ahead;  /* its net namespace was made meanwhile */
static bool shared; /* the cell's empty namespaces are those of all cells of its shim */

static int start(void **state)
{
    (void)state;
    shim = fixture_start(
        &(struct wish){.script = "print on\nwait\n", .input = "", .shared = shared, .ahead = ahead},
        &running);
    cell = fixture_cell(shim);
    return 0;
}

static int start_sharing(void **state)
{
    shared = true;
    return start(state);
}

static int start_ahead(void **state)
{
    shared = false;
    ahead = true;
    return start(state);
}

static int end(void **state)
{
    (void)state;
    kill(shim, SIGTERM);
    fixture_end(shim, running);
    return 0;
}

/* A file of the cell's /proc/PID. An ordinary user may not read all of them: then the test is
 * skipped. */
static FILE *open_of_cell(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)cell, name);
    FILE *file = fopen(path, "re");
    if (!file) {
        skip();
        abort();
    }
    return file;
}

/* The value of a line of the cell's status. */
static const char *status_of(const char *key)
{
    static char line[256];
    cleanup_file FILE *file = open_of_cell("status");
    while (fgets(line, sizeof line, file)) {
        size_t length = strlen(key);
        if (strncmp(line, key, length) == 0 && line[length] == ':') {
            line[strcspn(line, "\n")] = '\0';
            return line + length + 1 + strspn(line + length + 1, "\t ");
        }
    }
    fail_msg("no %s in the status", key);
    return "";
}

static void it_has_no_capability(void **state)
{
    (void)state;
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    for (size_t i = 0; i < countof(sets); i++)
        assert_string_equal(status_of(sets[i]), "0000000000000000");
    assert_string_equal(status_of("NoNewPrivs"), "1");
}

static void it_has_a_host_id_of_its_own(void **state)
{
    (void)state;
    char expected[128];
    unsigned id = fixture_root() ? HOST_ID_FIRST + (unsigned)cell : geteuid();
    snprintf(expected, sizeof expected, "%u\t%u\t%u\t%u", id, id, id, id);
    assert_string_equal(status_of("Uid"), expected);
    if (!fixture_root())
        return;
    assert_string_equal(status_of("Gid"), expected);
    assert_string_equal(status_of("Groups"), "");
}

static void every_namespace_is_its_own(void **state)
{
    (void)state;
    static const char *const spaces[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"};
    for (size_t i = 0; i < countof(spaces); i++) {
        char path[64];
        struct stat its, ours;
        snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)cell, spaces[i]);
        if (stat(path, &its))
            skip(); /* as an ordinary user one may not look */
        snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)shim, spaces[i]);
        assert_int_equal(stat(path, &ours), 0);
        assert_true(its.st_ino != ours.st_ino);
        snprintf(path, sizeof path, "/proc/self/ns/%s", spaces[i]);
        assert_int_equal(stat(path, &ours), 0);
        assert_true(its.st_ino != ours.st_ino);
    }
    const char *pids = status_of("NSpid");
    assert_string_equal(strrchr(pids, '\t'), "\t1");
}

/* What is not dumpable belongs to root, whatever its user. (The user who runs carrel may still look
 * into it: the namespaces are his.) */
static void it_is_not_dumpable(void **state)
{
    (void)state;
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)cell);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, 0);
}

/* The entries of a directory of /proc/PID as one line, sorted by scandir. */
static void list(const char *of, char *ret, size_t size)
{
    struct dirent **entries;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)cell, of);
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        skip();
    size_t length = 0;
    ret[0] = '\0';
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.')
            length += (size_t)snprintf(ret + length, size - length, "%s ", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static void it_holds_its_grants_and_its_socket(void **state)
{
    (void)state;
    char names[256];
    list("fd", names, sizeof names);
    assert_string_equal(names, "0 1 2 3 ");
    list("task", names, sizeof names);
    assert_null(strchr(names, ' ')[1] ? names : NULL); /* one thread */
}

static void its_root_is_empty_and_read_only(void **state)
{
    (void)state;
    char names[256], line[512];
    list("root", names, sizeof names);
    assert_string_equal(names, "");
    cleanup_file FILE *mounts = open_of_cell("mountinfo");
    assert_non_null(fgets(line, sizeof line, mounts));
    assert_non_null(strstr(line, " / / ro,nosuid,nodev,noexec"));
    assert_non_null(strstr(line, " - tmpfs none ro"));
    assert_null(fgets(line, sizeof line, mounts));
}

static void its_network_is_empty(void **state)
{
    (void)state;
    char path[64], line[512];
    cleanup_file FILE *devices = open_of_cell("net/dev");
    int count = 0;
    while (fgets(line, sizeof line, devices))
        count += strchr(line, ':') != NULL;
    assert_int_equal(count, 1); /* lo, which is down */
    snprintf(path, sizeof path, "/proc/%d/net/fib_trie", (int)cell);
    cleanup_file FILE *routes = fopen(path, "re");
    assert_true(!routes || !fgets(line, sizeof line, routes) || !strstr(line, "127.0.0.1"));
}

static void nothing_is_writable_and_executable(void **state)
{
    (void)state;
    char line[512], rights[8];
    cleanup_file FILE *maps = open_of_cell("maps");
    int executable = 0;
    while (fgets(line, sizeof line, maps)) {
        assert_int_equal(sscanf(line, "%*s %7s", rights), 1);
        assert_false(rights[1] == 'w' && rights[2] == 'x');
        executable += rights[2] == 'x' && strstr(line, "engine");
        if (rights[2] == 'x')
            assert_true(strstr(line, "engine") || strstr(line, "[vdso]") ||
                        strstr(line, "[vsyscall]"));
    }
    assert_int_equal(executable, 1);
}

static void its_limits_are_low(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } limits[] = {{"Max core file size", " 0 "},
                  {"Max processes", " 1 "},
                  {"Max locked memory", " 0 "},
                  {"Max msgqueue size", " 0 "},
                  {"Max pending signals", " 0 "}};
    char line[512];
    cleanup_file FILE *file = open_of_cell("limits");
    size_t found = 0;
    while (fgets(line, sizeof line, file)) {
        for (size_t i = 0; i < countof(limits); i++) {
            if (strncmp(line, limits[i].name, strlen(limits[i].name)) == 0) {
                assert_non_null(strstr(line, limits[i].value));
                found++;
            }
        }
    }
    assert_int_equal(found, countof(limits));
}

static void its_environment_is_empty(void **state)
{
    (void)state;
    char path[64], bytes[8];
    snprintf(path, sizeof path, "/proc/%d/environ", (int)cell);
    cleanup_close int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        skip();
    assert_int_equal(read(file, bytes, sizeof bytes), 0);
}

/* The filter that the kernel holds for the live cell is, byte for byte, the one that policies made
 * for `read`, `write` and `exit_group`. */
static void its_filter_is_the_verdicts(void **state)
{
    (void)state;
    static struct sock_filter live[FILTER_MAX];
    static struct filter wanted;
    struct err err = {0};
    assert_string_equal(status_of("Seccomp"), "2");
    assert_string_equal(status_of("Seccomp_filters"), "1");
    if (!fixture_root())
        skip();
    assert_int_equal(seccomp_filter(RULES_BASE, &wanted, &err), 0);
    assert_int_equal(ptrace(PTRACE_SEIZE, cell, NULL, NULL), 0);
    assert_int_equal(ptrace(PTRACE_INTERRUPT, cell, NULL, NULL), 0);
    int status;
    assert_int_equal(waitpid(cell, &status, __WALL), cell);
    long length = ptrace(PTRACE_SECCOMP_GET_FILTER, cell, (void *)0, live);
    int error = errno;
    ptrace(PTRACE_DETACH, cell, NULL, NULL);
    if (length < 0)
        fail_msg("PTRACE_SECCOMP_GET_FILTER: %s", strerror(error));
    assert_int_equal(length, wanted.len);
    assert_memory_equal(live, wanted.code, wanted.len * sizeof *live);
}

/* Each system call is tried by a cell of its own. */
static void every_other_system_call_kills(void **state)
{
    (void)state;
    for (int number = 0; number <= 520; number++) {
        char script[64];
        snprintf(script, sizeof script, "call %d 0 0 0 0 0 0\nexit 9\n", number);
        const struct result *result = fixture_run(&(struct wish){.script = script});
        if (number == 0 || number == 1) { /* read, write */
            assert_int_equal(result->outcome.exit_code, 9);
        } else if (number == 231) { /* exit_group */
            assert_int_equal(result->outcome.why.kind, ERR_FAULT);
        } else if (number == 335 || number == 336) {
            /* uretprobe and uprobe pass by every filter, in the kernel itself. They do nothing
             * here. */
            assert_true(result->outcome.signal == SIGILL || result->outcome.exit_code == 9 ||
                        result->outcome.signal == SIGSYS);
        } else if (result->outcome.signal != SIGSYS) {
            fail_msg("system call %d: %s", number, result->outcome.why.text);
        }
    }
}

static void the_report_names_every_wall(void **state)
{
    (void)state;
    const struct policy_directory directory = {"/usr", "/usr", true};
    const struct result *result = fixture_run(&(struct wish){
        .script = "exit 0\n", .directories = &directory, .directory_count = 1, .shared = shared});
    const struct wall_report *report = &result->outcome.walls;
    wall_set expected = WALL_BIT(WALL_COUNT) - 1;
    /* Not asked for here. */
    expected &= ~(WALL_BIT(WALL_TERMINAL) | WALL_BIT(WALL_CGROUP) | WALL_BIT(WALL_CGROUP_HOOKS));
    if (!fixture_root())
        expected &= ~(WALL_BIT(WALL_HOST_ID) | WALL_BIT(WALL_IDMAP));
    wall_set extra_missing = report->missing;
    for (enum wall wall = 0; wall < WALL_COUNT; wall++) {
        if (wall_in(extra_missing, wall))
            assert_int_equal(walls[wall].need, WALL_EXTRA);
    }
    assert_int_equal(report->standing | extra_missing, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_no_capability),
        cmocka_unit_test(it_has_a_host_id_of_its_own),
        cmocka_unit_test(every_namespace_is_its_own),
        cmocka_unit_test(it_is_not_dumpable),
        cmocka_unit_test(it_holds_its_grants_and_its_socket),
        cmocka_unit_test(its_root_is_empty_and_read_only),
        cmocka_unit_test(its_network_is_empty),
        cmocka_unit_test(nothing_is_writable_and_executable),
        cmocka_unit_test(its_limits_are_low),
        cmocka_unit_test(its_environment_is_empty),
        cmocka_unit_test(its_filter_is_the_verdicts),
        cmocka_unit_test(the_report_names_every_wall),
        cmocka_unit_test(every_other_system_call_kills),
    };
    /* The last one says nothing of namespaces. */
    return cmocka_run_group_tests(tests, start, end) +
           _cmocka_run_group_tests("sharing", tests, countof(tests) - 1, start_sharing, end) +
           _cmocka_run_group_tests("ahead", tests, countof(tests) - 1, start_ahead, end);
}
