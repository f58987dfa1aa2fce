/* Every system call of the launch is forced to fail, one at a time: the cell never runs without a
 * wall that is required, and the error names the wall. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "tests/shim/fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ANY    UINT32_MAX
#define KILLED 0 /* the call does not fail: it kills the process */

/* A system call that fails with `error` if its arguments are these (ANY: whatever they are). */
struct fault {
    const char *name;
    uint32_t call;
    uint32_t first, second;
    int error;
    const char *says; /* of the refusal */
    wall_set missing; /* instead: the run goes on and reports these */
};

static const struct fault *fault;

static void load_argument(struct sock_filter *at, unsigned number)
{
    *at = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, args[0]) + 8 * number);
}

/* Makes the fault happen in this process and all that follow. */
static void inject(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, fault->call, 0, 5),
        BPF_STMT(BPF_LD | BPF_IMM, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, fault->first == ANY ? 0 : fault->first, 0, 3),
        BPF_STMT(BPF_LD | BPF_IMM, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, fault->second == ANY ? 0 : fault->second, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, fault->error == KILLED
                                      ? SECCOMP_RET_KILL_PROCESS
                                      : SECCOMP_RET_ERRNO | (uint32_t)fault->error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    if (fault->first != ANY)
        load_argument(&code[2], 0);
    if (fault->second != ANY)
        load_argument(&code[4], 1);
    struct sock_fprog program = {countof(code), code};
    if (!fixture_root())
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
        perror("inject");
}

static const struct policy_directory directories[] = {{"/usr", "/usr", true}};

static bool sharing, ahead;

static const struct result *run_with(const struct fault *injected, wall_set degraded)
{
    fault = injected;
    return fixture_run(&(struct wish){.script = "print it runs\nexit 0\n",
                                      .directories = directories,
                                      .directory_count = 1,
                                      .rules = R(OPEN_READ),
                                      .degraded = degraded,
                                      .shared = sharing,
                                      .ahead = ahead,
                                      .before = inject});
}

#define WALL_SAYS(name) "the wall \"" name "\" cannot be built"

static const struct fault faults[] = {
    {"socketpair", SYS_socketpair, ANY, ANY, ENOBUFS, "cannot make a socket", 0},
    {"clone3", SYS_clone3, ANY, ANY, EAGAIN, "clone3", 0},
    {"setsid", SYS_setsid, ANY, ANY, EPERM, "a session of its own", 0},
    {"close_range", SYS_close_range, 0, ANY, EINVAL, WALL_SAYS("descriptors"), 0},
    {"dup3", SYS_dup3, ANY, 3, EMFILE, WALL_SAYS("descriptors"), 0},
    {"mount", SYS_mount, ANY, ANY, EPERM, WALL_SAYS("empty-root"), 0},
    {"fsopen", SYS_fsopen, ANY, ANY, ENODEV, WALL_SAYS("empty-root"), 0},
    {"fsconfig", SYS_fsconfig, ANY, ANY, EINVAL, WALL_SAYS("empty-root"), 0},
    {"fsmount", SYS_fsmount, ANY, ANY, EBUSY, WALL_SAYS("empty-root"), 0},
    {"move_mount", SYS_move_mount, ANY, ANY, EINVAL, WALL_SAYS("empty-root"), 0},
    {"fchdir", SYS_fchdir, ANY, ANY, EACCES, WALL_SAYS("empty-root"), 0},
    {"pivot_root", SYS_pivot_root, ANY, ANY, EINVAL, WALL_SAYS("empty-root"), 0},
    {"umount2", SYS_umount2, ANY, ANY, EBUSY, WALL_SAYS("empty-root"), 0},
    {"prlimit64", SYS_prlimit64, 0, ANY, EPERM, WALL_SAYS("rlimits"), 0},
    {"unshare(user)", SYS_unshare, CLONE_NEWUSER, ANY, ENOSPC, WALL_SAYS("user-namespace"), 0},
    {"bounding set", SYS_prctl, PR_CAPBSET_DROP, 40, EINVAL, WALL_SAYS("capabilities"), 0},
    {"ambient set", SYS_prctl, PR_CAP_AMBIENT, ANY, EINVAL, WALL_SAYS("capabilities"), 0},
    {"capset", SYS_capset, ANY, ANY, EPERM, WALL_SAYS("capabilities"), 0},
    {"no_new_privs", SYS_prctl, PR_SET_NO_NEW_PRIVS, ANY, EINVAL, WALL_SAYS("no-new-privs"), 0},
    {"death signal", SYS_prctl, PR_SET_PDEATHSIG, ANY, EINVAL, "die with the shim", 0},
    {"execveat", SYS_execveat, ANY, ANY, ENOEXEC, "execute the engine", 0},
    {"open_tree", SYS_open_tree, ANY, ANY, EPERM, WALL_SAYS("detached-mounts"), 0},
    {"mount_setattr", SYS_mount_setattr, ANY, ANY, EINVAL, WALL_SAYS("detached-mounts"), 0},
    {"munmap", SYS_munmap, ANY, ANY, EINVAL, "munmap", 0},
    {"landlock_create_ruleset", 444, ANY, ANY, EOPNOTSUPP, WALL_SAYS("landlock"), 0},
    {"landlock_add_rule", 445, ANY, ANY, EBADFD, WALL_SAYS("landlock"), 0},
    {"landlock_restrict_self", 446, ANY, ANY, EPERM, WALL_SAYS("landlock"), 0},
    {"seccomp", SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, EINVAL, WALL_SAYS("seccomp"), 0},
    {"recvmsg", SYS_recvmsg, 3, ANY, EIO, "without saying why", 0},
    {"mdwe", SYS_prctl, 65, ANY, EINVAL, NULL, WALL_BIT(WALL_MDWE)},
    {"dumpable", SYS_prctl, PR_SET_DUMPABLE, ANY, EINVAL, NULL, WALL_BIT(WALL_DUMPABLE)},
    {"passrights", SYS_setsockopt, ANY, ANY, ENOPROTOOPT, NULL, WALL_BIT(WALL_PASSRIGHTS)},
};

/* Under root only, or as an ordinary user only. */
static const struct fault root_faults[] = {
    {"setgroups", SYS_setgroups, ANY, ANY, EPERM, WALL_SAYS("host-id"), 0},
    {"setresgid", SYS_setresgid, ANY, ANY, EINVAL, WALL_SAYS("host-id"), 0},
    {"setresuid", SYS_setresuid, ANY, ANY, EAGAIN, WALL_SAYS("host-id"), 0},
};
static const struct fault user_faults[] = {
    {"unshare(user, mount)", SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS, ANY, EPERM,
     WALL_SAYS("user-namespace"), 0},
    {"securebits", SYS_prctl, PR_SET_SECUREBITS, ANY, EPERM, WALL_SAYS("capabilities"), 0},
};

/* Of a cell that shares the empty namespaces of its shim. */
static const struct fault shared_faults[] = {
    {"setns(net)", SYS_setns, ANY, CLONE_NEWNET, EPERM, WALL_SAYS("net-namespace"), 0},
    {"setns(ipc)", SYS_setns, ANY, CLONE_NEWIPC, EPERM, WALL_SAYS("ipc-namespace"), 0},
    {"setns(mount)", SYS_setns, ANY, CLONE_NEWNS, EPERM, WALL_SAYS("mount-namespace"), 0},
    {"chdir", SYS_chdir, ANY, ANY, EACCES, WALL_SAYS("empty-root"), 0},
};

/* Of one whose net namespace another process makes: neither that process nor the cell itself can
 * make one. */
static const struct fault ahead_fault = {
    "unshare(net)", SYS_unshare, CLONE_NEWNET, ANY, ENOSPC, WALL_SAYS("net-namespace"), 0};

/* That process is killed before it has made one, or the cell cannot enter: then the cell makes one.
 * (Nobody else asks for its parent.) */
static const struct fault maker_faults[] = {
    {"maker killed", SYS_getppid, ANY, ANY, KILLED, "", 0},
    {"maker that has another parent", SYS_getppid, ANY, ANY, EPERM, "", 0},
    {"setns(net)", SYS_setns, ANY, CLONE_NEWNET, EPERM, "", 0},
};

static void check(const struct fault *injected)
{
    const struct result *result = run_with(injected, 0);
    const struct outcome *outcome = &result->outcome;
    if (injected->missing) {
        if (!outcome->by_guest || !(outcome->walls.missing & injected->missing) ||
            outcome->walls.standing & injected->missing)
            fail_msg("%s: %s (missing %x)", injected->name, outcome->why.text,
                     outcome->walls.missing);
        return;
    }
    if (outcome->by_guest || result->output_size > 0)
        fail_msg("%s: the cell ran", injected->name);
    if (!strstr(outcome->why.text, injected->says))
        fail_msg("%s: \"%s\" does not say \"%s\"", injected->name, outcome->why.text,
                 injected->says);
    bool wall = strncmp(injected->says, "the wall", 8) == 0;
    bool killed = injected->error == KILLED && !wall;
    assert_int_equal(outcome->why.kind, wall ? ERR_WALL : killed ? ERR_KILLED : ERR_FAULT);
    assert_int_equal(outcome->exit_code, killed ? 137 : 125);
}

/* Killed between two walls: what was not built is not said to stand. */
static void a_child_that_is_killed_has_no_walls(void **state)
{
    (void)state;
    static const struct fault cases[] = {
        {"setsid", SYS_setsid, ANY, ANY, KILLED, "killed by SIGSYS before its engine ran", 0},
        {"pivot_root", SYS_pivot_root, ANY, ANY, KILLED, "killed by SIGSYS before its engine ran",
         0},
        {"capset", SYS_capset, ANY, ANY, KILLED, "killed by SIGSYS before its engine ran", 0},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        check(&cases[i]);
        const struct result *result = run_with(&cases[i], 0);
        assert_int_equal(result->outcome.walls.standing & WALL_BIT(WALL_CAPABILITIES), 0);
    }
}

static void every_step_that_fails_refuses_the_launch(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(faults); i++)
        check(&faults[i]);
    for (size_t i = 0; fixture_root() && i < countof(root_faults); i++)
        check(&root_faults[i]);
    for (size_t i = 0; !fixture_root() && i < countof(user_faults); i++)
        check(&user_faults[i]);
}

/* Nor does a cell that shares; and where nothing can be shared, it has namespaces of its own. */
static void every_step_of_sharing_that_fails_refuses_the_launch(void **state)
{
    (void)state;
    static const struct fault unshare = {
        "unshare(files)", SYS_unshare, CLONE_FILES, ANY, EPERM, "", 0};
    sharing = true;
    for (size_t i = 0; i < countof(shared_faults); i++)
        check(&shared_faults[i]);
    const struct result *result = run_with(&unshare, 0);
    sharing = false;
    assert_string_equal(result->outcome.why.text, "");
    assert_true(wall_in(result->outcome.walls.standing, WALL_NET_NAMESPACE));
}

static void a_net_namespace_that_nobody_can_make_refuses_the_launch(void **state)
{
    (void)state;
    ahead = true;
    check(&ahead_fault);
    const struct result *result = run_with(&ahead_fault, WALL_BIT(WALL_NET_NAMESPACE));
    ahead = false;
    assert_string_equal(result->outcome.why.text, "");
    assert_true(wall_in(result->outcome.walls.missing, WALL_NET_NAMESPACE));
}

static void a_cell_whose_maker_fails_makes_its_own(void **state)
{
    (void)state;
    ahead = true;
    for (size_t i = 0; i < countof(maker_faults); i++) {
        const struct result *result = run_with(&maker_faults[i], 0);
        if (!result->outcome.by_guest)
            fail_msg("%s: %s", maker_faults[i].name, result->outcome.why.text);
        assert_true(wall_in(result->outcome.walls.standing, WALL_NET_NAMESPACE));
        assert_string_equal(result->output, "it runs\n");
    }
    ahead = false;
}

/* The operator accepts the absence of a wall by its name, and of no other. */
static void degrading_accepts_one_wall(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        enum wall wall;
    } cases[] = {{"fsopen", WALL_EMPTY_ROOT},      {"prlimit64", WALL_RLIMITS},
                 {"capset", WALL_CAPABILITIES},    {"landlock_restrict_self", WALL_LANDLOCK},
                 {"seccomp", WALL_SECCOMP},        {"unshare(user)", WALL_USER_NAMESPACE},
                 {"close_range", WALL_DESCRIPTORS}};
    for (size_t i = 0; i < countof(cases); i++) {
        const struct fault *injected = faults;
        while (strcmp(injected->name, cases[i].fault) != 0)
            injected++;
        const struct result *result = run_with(injected, WALL_BIT(cases[i].wall));
        if (!result->outcome.by_guest)
            fail_msg("%s: %s", injected->name, result->outcome.why.text);
        assert_true(wall_in(result->outcome.walls.missing, cases[i].wall));
        assert_false(wall_in(result->outcome.walls.standing, cases[i].wall));
        result = run_with(injected, WALL_BIT(WALL_TERMINAL));
        assert_int_equal(result->outcome.why.kind, ERR_WALL);
    }
}

/* A descriptor with a higher number than any limit allows by then, and no way to close them all at
 * once. */
static void inject_above_limits(void)
{
    const struct rlimit high = {4096, 4096}, low = {1024, 4096};
    if (setrlimit(RLIMIT_NOFILE, &high) || dup2(STDERR_FILENO, 3000) != 3000 ||
        setrlimit(RLIMIT_NOFILE, &low))
        abort();
    inject();
}

static void what_may_stay_open_is_left_whatever_its_number(void **state)
{
    (void)state;
    static const struct fault none = {"close_range", SYS_close_range,          0, ANY,
                                      EINVAL,        WALL_SAYS("descriptors"), 0};
    fault = &none;
    const struct result *result =
        fixture_run(&(struct wish){.script = "call 1 3000 @x 0\ncall 1 1 @x 0\nexit 0\n",
                                   .degraded = WALL_BIT(WALL_DESCRIPTORS),
                                   .before = inject_above_limits});
    assert_string_equal(result->outcome.why.text, "");
    assert_string_equal(result->output, "-9\n0\n");
}

/* A copy of the engine that belongs to the user; its path, to be unlinked. */
static const char *own_engine(mode_t mode)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/carrel-test-engine-%d", (int)getpid());
    cleanup_close int from = open(fixture_engine("engine"), O_RDONLY | O_CLOEXEC);
    cleanup_close int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    struct stat status;
    if (from < 0 || to < 0 || fstat(from, &status) ||
        sendfile(to, from, NULL, (size_t)status.st_size) != status.st_size || fchmod(to, mode))
        abort();
    return path;
}

/* --- Namespaces, by the kernel's own limits ----------------------------------------------------
 */

static const char *limited;

static void write_to(const char *path, const char *text)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        perror(path);
}

/* In a user namespace of the test's own, no namespace of one kind can be made. */
static void limit_namespaces(void)
{
    char map[64], group[64], path[64];
    snprintf(map, sizeof map, "%u %u 1", geteuid(), geteuid());
    snprintf(group, sizeof group, "%u %u 1", getegid(), getegid());
    if (unshare(CLONE_NEWUSER))
        perror("unshare");
    write_to("/proc/self/setgroups", "deny");
    write_to("/proc/self/uid_map", map);
    write_to("/proc/self/gid_map", group);
    snprintf(path, sizeof path, "/proc/sys/user/max_%s_namespaces", limited);
    write_to(path, strcmp(limited, "mnt") == 0 ? "1" : strcmp(limited, "user") == 0 ? "1" : "0");
}

static void each_namespace_is_named(void **state)
{
    (void)state;
    const char *engine = own_engine(0700);
    static const struct {
        const char *kind, *wall;
        wall_set missing;
    } cases[] = {
        {"mnt", "mount-namespace", 0},
        {"pid", "pid-namespace", 0},
        {"net", "net-namespace", 0},
        {"ipc", "ipc-namespace", 0},
        {"user", "user-namespace", 0},
        {"uts", NULL, WALL_BIT(WALL_UTS_NAMESPACE)},
        {"cgroup", NULL, WALL_BIT(WALL_CGROUP_NAMESPACE)},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        limited = cases[i].kind;
        const struct result *result = fixture_run(&(struct wish){
            .script = "print it runs\nexit 0\n", .engine = engine, .before = limit_namespaces});
        const struct outcome *outcome = &result->outcome;
        if (cases[i].missing) {
            assert_string_equal(outcome->why.text, "");
            assert_true(outcome->walls.missing & cases[i].missing);
            continue;
        }
        assert_int_equal(result->output_size, 0);
        if (!strstr(outcome->why.text, cases[i].wall))
            fail_msg("%s: %s", cases[i].kind, outcome->why.text);
        assert_int_equal(outcome->why.kind, ERR_WALL);
    }
    unlink(engine);
}

/* As under a kernel that keeps ordinary users from making namespaces: the limit is none, and no
 * capability is left that could make one. */
static void forbid_namespaces(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    limited = "user";
    limit_namespaces();
    write_to("/proc/sys/user/max_user_namespaces", "0");
    if (prctl(PR_SET_SECUREBITS, 1, 0, 0, 0) || syscall(SYS_capset, &header, none))
        perror("capset");
}

static void without_namespaces_it_runs_only_if_that_is_accepted(void **state)
{
    (void)state;
    const char *engine = own_engine(0700);
    const char *const script = "call 257 4 @bin 65536\ncall 257 4 @.. 65536\nprint it runs\n";
    struct wish wish = {.script = script,
                        .engine = engine,
                        .directories = directories,
                        .directory_count = 1,
                        .rules = R(OPEN_READ),
                        .before = forbid_namespaces};
    const struct result *result = fixture_run(&(struct wish){.script = "exit 0\n"});
    const wall_set lacking = result->outcome.walls.missing; /* for which this kernel is too old */
    assert_true(result->outcome.by_guest);
    result = fixture_run(&wish);
    assert_int_equal(result->outcome.why.kind, ERR_WALL);
    assert_non_null(strstr(result->outcome.why.text, "user-namespace"));
    assert_int_equal(result->output_size, 0);

    wish.degraded = wall_named("namespaces");
    result = fixture_run(&wish);
    assert_string_equal(result->outcome.why.text, "");
    /* Below the grant it opens, above it Landlock holds it. */
    assert_string_equal(result->output, "5\n-13\nit runs\n");
    const struct wall_report *report = &result->outcome.walls;
    assert_int_equal(report->missing, wish.degraded | lacking);
    const wall_set tier = WALL_BIT(WALL_SECCOMP) | WALL_BIT(WALL_LANDLOCK) |
                          WALL_BIT(WALL_NO_NEW_PRIVS) | WALL_BIT(WALL_RLIMITS) |
                          WALL_BIT(WALL_DESCRIPTORS) | WALL_BIT(WALL_MDWE);
    assert_int_equal(report->standing & tier, tier & ~lacking);
    unlink(engine);
}

static void an_engine_that_others_can_write_to_is_refused(void **state)
{
    (void)state;
    const char *engine = own_engine(0722);
    const struct result *result =
        fixture_run(&(struct wish){.script = "print no\n", .engine = engine});
    unlink(engine);
    assert_int_equal(result->output_size, 0);
    assert_int_equal(result->outcome.why.kind, ERR_FAULT);
    assert_non_null(strstr(result->outcome.why.text, "nobody else can write to"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_that_fails_refuses_the_launch),
        cmocka_unit_test(every_step_of_sharing_that_fails_refuses_the_launch),
        cmocka_unit_test(a_net_namespace_that_nobody_can_make_refuses_the_launch),
        cmocka_unit_test(a_cell_whose_maker_fails_makes_its_own),
        cmocka_unit_test(a_child_that_is_killed_has_no_walls),
        cmocka_unit_test(degrading_accepts_one_wall),
        cmocka_unit_test(what_may_stay_open_is_left_whatever_its_number),
        cmocka_unit_test(each_namespace_is_named),
        cmocka_unit_test(without_namespaces_it_runs_only_if_that_is_accepted),
        cmocka_unit_test(an_engine_that_others_can_write_to_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
