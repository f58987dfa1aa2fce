/* Whatever system call of a session fails, from its first to its last, one run each: a cell that
 * runs nevertheless has all its walls. That is looked at from outside, in /proc, at the moment when
 * the cell does what its component says; what the shim reports is not believed but compared.
 * (refusals.c has the calls that make walls, by name, and what the refusal must say.)
 *
 * The shim lives under a filter that asks this test about every call, its own, its child's and its
 * cell's: a process beside it answers, and counts. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "tests/shim/fixture.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Linux 6.6; Debian's headers are older. */
#define NOTIFY_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define NOTIFY_SYNC      1ul

#define FIRST_CALL SYS_signalfd4 /* of session_open */
#define CALLS_MAX  1000
#define SAYS       "the component runs"

/* What the shim, and who answers it, say to each other. */
struct shared {
    volatile int listener; /* in the shim; -1: not yet */
    volatile pid_t shim;
    long fail_at; /* the call that fails, counted from FIRST_CALL; -1: none */
    int error;
    volatile long count; /* calls seen since FIRST_CALL */
    volatile int number; /* of the call that failed, and its first argument */
    volatile uint64_t argument;
    volatile bool looked; /* the cell did what its component says, and this is missing: */
    volatile wall_set seen_missing;
};

static struct shared *shared;

/* Memory that this process and its children share. */
static void *new_shared(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        abort();
    return at;
}

/* --- The shim's side ---------------------------------------------------------------------------
 */

static void ask_about_everything(void)
{
    struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)};
    struct sock_fprog program = {1, code};
    if (!fixture_root() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        perror("no_new_privs");
    shared->shim = getpid();
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    shared->listener = listener; /* the answers begin when it was taken over */
    close(listener);
}

/* --- What stands, as the kernel tells it -------------------------------------------------------
 */

static bool line_is(const char *status, const char *key, const char *value)
{
    char line[128];
    snprintf(line, sizeof line, "\n%s:\t%s\n", key, value);
    return strstr(status, line) != NULL;
}

static bool same_space(pid_t cell, const char *name)
{
    char path[64];
    struct stat its, ours;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)cell, name);
    if (stat(path, &its))
        return fixture_root(); /* an ordinary user may not look */
    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    return stat(path, &ours) == 0 && its.st_ino == ours.st_ino;
}

static bool root_is_empty(pid_t cell)
{
    char path[64];
    const struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%d/root", (int)cell);
    cleanup_dir DIR *directory = opendir(path);
    if (!directory)
        return !fixture_root();
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            return false;
    return true;
}

static size_t read_proc(pid_t cell, const char *name, char *ret, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)cell, name);
    cleanup_file FILE *file = fopen(path, "re");
    size_t got = file ? fread(ret, 1, size - 1, file) : 0;
    ret[got] = '\0';
    return got;
}

/* The walls that this cell lacks, of those that can be seen. */
static wall_set look_at(pid_t cell)
{
    static const struct {
        const char *name;
        enum wall wall;
    } spaces[] = {{"user", WALL_USER_NAMESPACE},    {"mnt", WALL_MOUNT_NAMESPACE},
                  {"pid", WALL_PID_NAMESPACE},      {"net", WALL_NET_NAMESPACE},
                  {"ipc", WALL_IPC_NAMESPACE},      {"uts", WALL_UTS_NAMESPACE},
                  {"cgroup", WALL_CGROUP_NAMESPACE}};
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    char status[4096], limits[4096];
    wall_set missing = 0;
    for (size_t i = 0; i < countof(spaces); i++)
        missing |= same_space(cell, spaces[i].name) ? WALL_BIT(spaces[i].wall) : 0;
    if (!root_is_empty(cell))
        missing |= WALL_BIT(WALL_EMPTY_ROOT);
    if (read_proc(cell, "status", status, sizeof status) == 0)
        return WALL_BIT(WALL_COUNT) - 1;
    for (size_t i = 0; i < countof(sets); i++)
        if (!line_is(status, sets[i], "0000000000000000"))
            missing |= WALL_BIT(WALL_CAPABILITIES);
    if (!line_is(status, "NoNewPrivs", "1"))
        missing |= WALL_BIT(WALL_NO_NEW_PRIVS);
    if (!line_is(status, "Seccomp_filters", "2")) /* this test's, and the cell's */
        missing |= WALL_BIT(WALL_SECCOMP);
    if (fixture_root() && strstr(status, "\nUid:\t0\t"))
        missing |= WALL_BIT(WALL_HOST_ID);
    if (read_proc(cell, "limits", limits, sizeof limits) == 0 ||
        !strstr(limits, "Max processes             1                    1 ") ||
        !strstr(limits, "Max core file size        0                    0 "))
        missing |= WALL_BIT(WALL_RLIMITS);
    return missing;
}

/* --- Who answers -------------------------------------------------------------------------------
 */

/* A kill of one's own child, and one's own end, do not fail: whoever lost these could end nothing.
 * Nor does asking for one's own ids. */
static bool must_work(int number)
{
    return number == SYS_geteuid || number == SYS_getegid || number == SYS_kill ||
           number == SYS_pidfd_send_signal || number == SYS_exit_group;
}

/* Lets one call go on, or fail. */
static void answer(int listener)
{
    struct seccomp_notif call = {0};
    struct seccomp_notif_resp reply = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
        return; /* it was killed meanwhile */
    reply.id = call.id;
    reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    if (shared->count > 0 || call.data.nr == FIRST_CALL)
        shared->count++;
    if (shared->count > 0 && shared->count - 1 == shared->fail_at && !must_work(call.data.nr)) {
        reply.flags = 0;
        reply.error = -shared->error;
        shared->number = call.data.nr;
        shared->argument = call.data.args[0];
    }
    /* Nothing else writes as many bytes. */
    if (call.data.nr == SYS_write && call.data.args[2] == sizeof SAYS - 1 &&
        (pid_t)call.pid != shared->shim && !shared->looked) {
        shared->seen_missing = look_at((pid_t)call.pid);
        shared->looked = true;
    }
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

static _Noreturn void answer_all(void)
{
    for (int i = 0; i < 20000 && shared->listener < 0; i++)
        usleep(100);
    int pidfd = (int)syscall(SYS_pidfd_open, shared->shim, 0);
    int listener = (int)syscall(SYS_pidfd_getfd, pidfd, shared->listener, 0);
    if (listener < 0)
        perror("listener");
    /* Who waits for an answer and who gives it take turns on one processor, where the kernel can
     * (Linux 6.6): many times as fast. */
    ioctl(listener, NOTIFY_SET_FLAGS, NOTIFY_SYNC);
    struct pollfd waits = {listener, POLLIN, 0};
    while (listener >= 0 && poll(&waits, 1, 20000) > 0 && !(waits.revents & POLLHUP))
        answer(listener);
    _exit(0);
}

static const struct policy_directory directories[] = {{"/usr", "/usr", true}};

static bool shared_spaces, net_ahead;
static wall_set taken; /* from the plan */

static void take_walls(struct plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++)
        if (!wall_in(taken, operation_infos[plan->at[i].kind].wall))
            plan->at[kept++] = plan->at[i];
    plan->count = kept;
}

static const struct result *run(long fail_at, int error)
{
    *shared = (struct shared){.listener = -1, .fail_at = fail_at, .error = error, .number = -1};
    fflush(NULL);
    pid_t helper = fork();
    if (helper == 0)
        answer_all();
    const struct result *result = fixture_run(&(struct wish){.script = "print " SAYS "\nexit 0\n",
                                                             .directories = directories,
                                                             .directory_count = 1,
                                                             .rules = R(OPEN_READ),
                                                             .cgroups = fixture_root(),
                                                             .shared = shared_spaces,
                                                             .ahead = net_ahead,
                                                             .timeout = 2000000000,
                                                             .change = take_walls,
                                                             .before = ask_about_everything});
    waitpid(helper, NULL, 0);
    return result;
}

/* --- Tests -------------------------------------------------------------------------------------
 */

static wall_set extra_walls(void)
{
    wall_set extra = 0;
    for (enum wall wall = 0; wall < WALL_COUNT; wall++)
        extra |= walls[wall].need == WALL_EXTRA ? WALL_BIT(wall) : 0;
    return extra;
}

/* False, and a line that says why, if the cell ran without its walls, or nobody looked. */
static bool judge(const struct result *result, long at)
{
    const struct wall_report *report = &result->outcome.walls;
    bool ran = strstr(result->output, SAYS) != NULL;
    if (!shared->looked && !ran && !result->outcome.by_guest)
        return true;
    if (shared->looked && !(shared->seen_missing & ~extra_walls()) &&
        !(shared->seen_missing & report->standing) && !(report->missing & ~extra_walls()))
        return true;
    print_message("call %ld, number %d (0x%llx): the cell ran%s without walls %llx; the report has "
                  "%llx, and misses %llx\n",
                  at, shared->number, (unsigned long long)shared->argument,
                  shared->looked ? "" : " unseen, perhaps",
                  (unsigned long long)shared->seen_missing, (unsigned long long)report->standing,
                  (unsigned long long)report->missing);
    return false;
}

/* Several processes share the calls: every answer waits for the one before it, and a processor for
 * none of them. */
enum { WORKERS = 6 };

struct tally {
    long refused, wrong;
    bool done;
};

static void work(long calls, long first, struct tally *tally)
{
    shared = new_shared(sizeof *shared);
    for (long at = first; at < calls; at += WORKERS) {
        const struct result *result = run(at, EPERM);
        tally->wrong += !judge(result, at);
        tally->refused += result->output_size == 0;
    }
    tally->done = true;
}

/* With the control: nothing fails, and the cell is seen with all its walls. */
static void fail_each(void)
{
    const struct result *result = run(-1, 0);
    long calls = shared->count, refused = 0;
    assert_string_equal(result->outcome.why.text, "");
    assert_true(judge(result, -1));
    assert_true(shared->looked);
    assert_int_equal(shared->seen_missing, 0);
    assert_in_range(calls, 100, CALLS_MAX);
    struct tally *tallies = new_shared(WORKERS * sizeof *tallies);
    pid_t workers[WORKERS];
    fflush(NULL);
    for (long i = 0; i < WORKERS; i++) {
        workers[i] = fork();
        if (workers[i] == 0) {
            work(calls, i, &tallies[i]);
            fflush(NULL);
            _exit(0);
        }
    }
    for (long i = 0; i < WORKERS; i++) {
        assert_int_equal(waitpid(workers[i], NULL, 0), workers[i]);
        assert_true(tallies[i].done);
        assert_int_equal(tallies[i].wrong, 0);
        refused += tallies[i].refused;
    }
    munmap(tallies, WORKERS * sizeof *tallies);
    assert_true(refused > 30);
    print_message("%ld system calls, each failed once: %ld runs refused, the others had their "
                  "walls\n",
                  calls, refused);
}

static void whatever_fails_no_cell_runs_without_its_walls(void **state)
{
    (void)state;
    fail_each();
}

static void nor_does_one_that_shares(void **state)
{
    (void)state;
    shared_spaces = true;
    fail_each();
    shared_spaces = false;
}

static void nor_does_one_whose_net_namespace_is_made_ahead(void **state)
{
    (void)state;
    net_ahead = true;
    fail_each();
    net_ahead = false;
}

/* The control: what is not there is seen not to be. */
static void a_wall_that_is_taken_away_is_missed(void **state)
{
    (void)state;
    static const enum wall can_be_seen[] = {
        WALL_EMPTY_ROOT,   WALL_PID_NAMESPACE, WALL_NET_NAMESPACE, WALL_IPC_NAMESPACE,
        WALL_CAPABILITIES, WALL_SECCOMP,       WALL_RLIMITS,       WALL_HOST_ID};
    for (size_t i = 0; fixture_root() && i < countof(can_be_seen); i++) {
        taken = WALL_BIT(can_be_seen[i]);
        run(-1, 0);
        taken = 0;
        assert_true(shared->looked);
        assert_true(wall_in(shared->seen_missing, can_be_seen[i]));
    }
}

int main(void)
{
    shared = new_shared(sizeof *shared);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wall_that_is_taken_away_is_missed),
        cmocka_unit_test(whatever_fails_no_cell_runs_without_its_walls),
        cmocka_unit_test(nor_does_one_that_shares),
        cmocka_unit_test(nor_does_one_whose_net_namespace_is_made_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
