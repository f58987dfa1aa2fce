/* Every attack of attack.def, each from a cell of its own: with all walls, and with the filter
 * taken away, to show that another wall stands behind it. The last lines are `N attacks, N
 * contained, N open` and what the suites count; the exit code is 0 if none is open and the table is
 * right about the second walls.
 *
 *   escape [-v]          -v: one line for each attack
 *   escape --walls       the same in a host of the test's own, where walls may be missing: each
 * attack with no wall (the control: it must succeed), with one wall down after the other, and with
 * each wall alone */
#include "shim/hooks.h"
#include "shim/host.h"
#include "tests/escape/own_host.h"
#include "tests/escape/verdict.h"
#include "tests/policy/world.h"
#include "tests/shim/fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

enum second { ALSO, ALONE };

static const struct attack {
    const char *name;
    int group;
    bool net; /* in a cell that was granted sockets */
    bool power;
    enum second second;
    const char *why;
} attacks[] = {
#define GETS                                      false
#define POWER                                     true
#define CALL(name, group, goal, second, why, ...) {#name, group, false, goal, second, why},
#define CODE(name, group, second, why)            {#name, group, false, false, second, why},
#define NET(name, group, second, why)             {#name, group, true, false, second, why},
#include "tests/escape/attack.def"
#undef GETS
#undef POWER
};

static const struct {
    int number;
    const char *what, *also;
} groups[] = {
#define GROUP(number, what, also) {number, what, also},
#include "tests/escape/group.def"
};

/* Attacks that the control cannot show, besides those whose goal is POWER. */
static const struct {
    const char *name, *why;
} not_shown[] = {
#define HOST "only root of the real host could"
    {"ports", HOST},
    {"kernel_log", HOST},
    {"set_clock", HOST},
    {"watch_everything", HOST},
    {"open_by_handle", HOST},
    {"move_program", HOST},
    {"release_agent", HOST},
    {"make_node", HOST},
    {"real_time", HOST},
    {"own_program", "no program that runs can be written to"},
    {"leaked_directories", "none leaks"},
    {"pivot", "not onto itself"},
    {"move_mount", "not onto itself"},
    {"join_by_pidfd", "there is none to join"},
    {"send_descriptor", "the shim is not taken away"},
    {"push_into_terminal", "the shim is not taken away"},
    {"write_input", "the stream is the same"},
    {"raise_ambient", "nobody is given capabilities that can be inherited"},
    {"undo_landlock", "there is no such call"},
    {"unset_no_new_privs", "there is no such call"},
    {"x32_call", "the kernel has none"},
    {"namespace_by_handle", HOST},
    {"deadlines", HOST},
    {"disk_priority", HOST},
    {"map_nothing", HOST},
    {"advise_shim", HOST},
    {"mark_packets", HOST},
    {"machine_socket", "as the kernel was configured"},
    {"cipher_socket", "as the kernel was configured"},
    {"connect_by_mptcp", "as the kernel was configured"},
#undef HOST
};

/* Attacks whose second wall is younger than Linux 6.1, or that older kernels lack: below this
 * version the table's word on them does not hold. */
static const struct {
    const char *name;
    unsigned version; /* 1000 times the first number, and the second */
} younger[] = {
    {"map_writable_code", 6003}, /* PR_SET_MDWE */
    {"make_code", 6003},
    {"unprotect_text", 6003},
    {"key_code", 6003},
    {"secret_memory", 6005},      /* on by default */
    {"reach_another_peer", 6007}, /* Landlock's ABI 4 */
    {"listen_instead", 6007},
    {"list_mounts", 6008},
    {"mount_facts", 6008},
    {"security_modules", 6008},
    {"seal_memory", 6010},
    {"watch_by_id", 5013},
    {"machine_socket", UINT32_MAX},
    {"cipher_socket", UINT32_MAX},
    {"io_uring", 6018},                /* asks for locked memory: not in 6.1, and in 6.18 */
    {"ask_from_vsyscall", UINT32_MAX}, /* as the kernel was configured */
};

static unsigned kernel_version(void)
{
    struct utsname name;
    unsigned first = 0, second = 0;
    if (uname(&name) || sscanf(name.release, "%u.%u", &first, &second) != 2)
        return UINT32_MAX;
    return first * 1000 + second;
}

/* Whether the table's word on an attack is about younger kernels than this one. */
static bool is_younger(const char *name)
{
    for (size_t i = 0; i < sizeof younger / sizeof *younger; i++)
        if (strcmp(younger[i].name, name) == 0)
            return kernel_version() < younger[i].version;
    return false;
}

/* Walls that are taken away together, because one without the other is none. The others
 * (descriptors, terminals, the sealed component) cannot be taken away: a cell has no other way to
 * start. */
static const struct {
    const char *name;
    wall_set walls;
} columns[] = {
    {"seccomp", WALL_BIT(WALL_SECCOMP)},
    {"landlock", WALL_BIT(WALL_LANDLOCK)},
    {"root", WALL_BIT(WALL_MOUNT_NAMESPACE) | WALL_BIT(WALL_EMPTY_ROOT)},
    {"pid", WALL_BIT(WALL_PID_NAMESPACE)},
    {"net", WALL_BIT(WALL_NET_NAMESPACE)},
    {"ipc", WALL_BIT(WALL_IPC_NAMESPACE)},
    {"uts", WALL_BIT(WALL_UTS_NAMESPACE)},
    {"rights",
     WALL_BIT(WALL_USER_NAMESPACE) | WALL_BIT(WALL_HOST_ID) | WALL_BIT(WALL_CAPABILITIES)},
    {"rlimits", WALL_BIT(WALL_RLIMITS)},
    {"mdwe", WALL_BIT(WALL_MDWE)},
    {"passrights", WALL_BIT(WALL_PASSRIGHTS)},
    {"hooks", WALL_BIT(WALL_CGROUP_HOOKS)},
};

enum { ATTACKS = sizeof attacks / sizeof *attacks, COLUMNS = sizeof columns / sizeof *columns };

/* What the plan is robbed of. */
static wall_set taken;

static void take_walls(struct plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++) {
        enum wall wall = operation_infos[plan->at[i].kind].wall;
        if (wall == WALL_NONE || !wall_in(taken, wall))
            plan->at[kept++] = plan->at[i];
    }
    plan->count = kept;
}

/* --- What there is to reach --------------------------------------------------------------------
 */

/* Something to reach on the host: an abstract socket, one with a path, a port. The number tells the
 * attacker. */
static unsigned long listen_on_host(void)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    int size =
        snprintf(local.sun_path + 1, sizeof local.sun_path - 1, "carrel-escape-%d", (int)getpid());
    int abstract = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (abstract < 0 ||
        bind(abstract, (struct sockaddr *)&local,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)) ||
        listen(abstract, 1024))
        perror("abstract socket");
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof inet;
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (tcp < 0 || bind(tcp, (struct sockaddr *)&inet, sizeof inet) || listen(tcp, 1024) ||
        getsockname(tcp, (struct sockaddr *)&inet, &length))
        perror("port");
    return (unsigned long)getpid() | (unsigned long)ntohs(inet.sin_port) << 32;
}

static void listen_at_path(void)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/own-host"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local) || listen(fd, 1024))
        perror("socket with a path");
}

/* --- One attack --------------------------------------------------------------------------------
 */

static unsigned long parameter;
static struct net_rule net[2];
static rule_set net_rules;

/* What a cell with sockets may do, and with whom. */
static void allow_net(void)
{
    char text[64];
    struct err err = {0};
    const char *const kinds[2] = {"connect", "udp"};
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "%s=127.0.0.1:%lu", kinds[i], parameter >> 32);
        if (net_rule_read(text, &net[i], &err))
            fprintf(stderr, "%s: %s\n", text, err.text);
    }
    for (int i = 0; i < WORLDS; i++)
        if (strcmp(worlds[i].name, "net") == 0)
            net_rules = world_rules(&worlds[i]);
}

static const long secret = 1234567; /* what is read from this process, if it can be */
static bool in_own_host;
static int hooked = -1; /* a control group with the programs of shim/hooks.c, if there can be one */

/* Whose namespaces a cell has. */
static enum spaces {
    FRESH,  /* made with it */
    SHARED, /* with others of its shim */
    AHEAD,  /* its own, of which another process has made one */
    SPACES_END
} spaces;

/* Where no wall is, an attack changes the mounts: for the next one they are as they were. */
static void leave_no_mounts(void)
{
    if (unshare(CLONE_NEWNS))
        perror("unshare");
}

static const struct result *attack_without(const struct attack *attack, wall_set missing)
{
    char name[128];
    snprintf(name, sizeof name, "%s %lu %lu", attack->name, parameter, (unsigned long)&secret);
    struct wish wish = {.script = name,
                        .engine = "attacker",
                        .timeout = 5000000000,
                        .change = take_walls,
                        .before = in_own_host ? leave_no_mounts : NULL,
                        .net = net,
                        .net_count = attack->net ? 2 : 0,
                        .shared = spaces == SHARED,
                        .ahead = spaces == AHEAD,
                        .into = wall_in(missing, WALL_CGROUP_HOOKS) ? -1 : hooked,
                        .rules = attack->net ? net_rules : 0};
    taken = missing;
    const struct result *result = fixture_run(&wish);
    if (in_own_host && unlink("/x"))
        rmdir("/x");
    return result;
}

static size_t unstarted;

/* Did the attack take place, or has the cell not even started? Then nothing is known. */
static bool has_run(const struct result *result)
{
    return result->outcome.by_guest || result->outcome.signal != 0 ||
           result->outcome.why.kind == ERR_KILLED;
}

static bool is_won(const struct result *result)
{
    if (strstr(result->outcome.why.text, "the engine ended")) /* it is another program by now */
        return true;
    if (!has_run(result))
        printf("the cell did not start: %s\n", result->outcome.why.text);
    unstarted += !has_run(result);
    return result->outcome.by_guest && result->outcome.exit_code == ESCAPE_WON;
}

/* The same however a cell comes to its namespaces. */
static bool wins(const struct attack *attack, wall_set missing)
{
    bool won = false;
    for (spaces = FRESH; spaces < SPACES_END; spaces++)
        won = is_won(attack_without(attack, missing)) || won;
    spaces = FRESH;
    return won;
}

/* What became of one attack, in a word. */
static const char *fate(const struct result *result)
{
    if (result->outcome.by_guest)
        return is_won(result) ? "WON" : "refused";
    if (result->outcome.signal == SIGSYS)
        return "killed by the filter";
    return result->outcome.why.kind == ERR_KILLED ? "killed" : result->outcome.why.text;
}

static int two_walls(bool verbose)
{
    size_t open = 0, wrong = 0;
    for (size_t i = 0; i < ATTACKS; i++) {
        char all[256];
        bool won = wins(&attacks[i], 0);
        snprintf(all, sizeof all, "%s", fate(attack_without(&attacks[i], 0)));
        bool as_said = wins(&attacks[i], WALL_BIT(WALL_SECCOMP)) == (attacks[i].second == ALONE) ||
                       is_younger(attacks[i].name);
        const struct result *result = attack_without(&attacks[i], WALL_BIT(WALL_SECCOMP));
        open += won;
        wrong += !as_said;
        if (verbose || won || !as_said)
            printf("%2d %-22s %-22s without the filter: %-10s%s (%s)\n", attacks[i].group,
                   attacks[i].name, all, fate(result), as_said ? "" : " NOT AS THE TABLE SAYS",
                   attacks[i].why);
    }
    printf("%d attacks, %zu contained, %zu open\n", ATTACKS, ATTACKS - open, open);
    printf("%zu passed, %zu failed\n", ATTACKS - open - wrong, open + wrong + unstarted);
    return open + wrong + unstarted > 0;
}

/* --- Wall by wall ------------------------------------------------------------------------------
 */

/* Walls that some column has, and no_new_privs, which the filter and Landlock need. */
static wall_set all_walls(void)
{
    wall_set all = WALL_BIT(WALL_NO_NEW_PRIVS) | WALL_BIT(WALL_CGROUP_NAMESPACE);
    for (size_t c = 0; c < COLUMNS; c++)
        all |= columns[c].walls;
    return all;
}

static wall_set alone(size_t column)
{
    wall_set kept = columns[column].walls;
    if (kept & (WALL_BIT(WALL_SECCOMP) | WALL_BIT(WALL_LANDLOCK)))
        kept |= WALL_BIT(WALL_NO_NEW_PRIVS);
    return all_walls() & ~kept;
}

static const char *why_not_shown(const struct attack *attack)
{
    for (size_t i = 0; i < sizeof not_shown / sizeof *not_shown; i++)
        if (strcmp(not_shown[i].name, attack->name) == 0)
            return not_shown[i].why;
    return attack->power ? "only root of the real host could" : NULL;
}

struct count {
    size_t open, degraded, dead, single, two, wrong;
};

static void add_name(char names[256], size_t *count, const char *name)
{
    snprintf(names + strlen(names), 256 - strlen(names), " %s", name);
    ++*count;
}

static void judge_walls(const struct attack *attack, struct count *count)
{
    char stop[256] = "", opens[256] = "";
    size_t stops = 0, openings = 0;
    bool won = wins(attack, 0);
    bool degraded = wins(attack, wall_named("namespaces"));
    bool live = is_won(attack_without(attack, all_walls()));
    const char *why_not = why_not_shown(attack);
    for (size_t c = 0; c < COLUMNS; c++) {
        if (wins(attack, columns[c].walls))
            add_name(opens, &openings, columns[c].name);
        if (live && !wins(attack, alone(c)))
            add_name(stop, &stops, columns[c].name);
    }
    printf("%2d %-22s %-11s %-10s", attack->group, attack->name,
           live      ? "succeeds"
           : why_not ? "not shown"
                     : "DOES NOT",
           won ? "OPEN" : "contained");
    if (openings > 0)
        printf(" 1 wall:%s (%s)", opens, attack->why);
    else if (stops > 1)
        printf(" %zu walls, each alone:%s", stops, stop);
    else
        printf(" 2 walls: seccomp, %s%s%s%s", attack->why, why_not ? " (not shown: " : "",
               why_not ? why_not : "", why_not ? ")" : "");
    bool as_said = (openings > 0) == (attack->second == ALONE) || is_younger(attack->name);
    printf("%s%s\n", as_said ? "" : " NOT AS THE TABLE SAYS",
           degraded ? " OPEN WITHOUT NAMESPACES" : "");
    fflush(stdout);
    count->open += won;
    count->degraded += degraded;
    count->dead += !live && !why_not;
    count->single += openings > 0;
    count->two += openings == 0;
    count->wrong += !as_said;
}

static int wall_by_wall(void)
{
    struct count count = {0};
    in_own_host = true;
    listen_at_path();
    puts(" # attack                 no wall     all walls  what stops it");
    for (size_t i = 0; i < ATTACKS; i++)
        judge_walls(&attacks[i], &count);
    puts("\nGroups, with the number of attacks above and where else:");
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        size_t of = 0;
        for (size_t i = 0; i < ATTACKS; i++)
            of += attacks[i].group == groups[g].number;
        printf("%2d %-50s %3zu  %s\n", groups[g].number, groups[g].what, of, groups[g].also);
    }
    printf("\n%zu stopped by two walls or more, %zu by one, for the reason given; %zu controls "
           "that do not "
           "succeed, %zu not as attack.def says, %zu cells that did not start\n",
           count.two, count.single, count.dead, count.wrong, unstarted);
    printf("under --degrade=namespaces (no_new_privs, Landlock, seccomp and rlimits are left): %d "
           "attacks, %zu contained, %zu open\n",
           ATTACKS, ATTACKS - count.degraded, count.degraded);
    printf("%d attacks, %zu contained, %zu open\n", ATTACKS, ATTACKS - count.open, count.open);
    return count.open + count.degraded + count.dead + count.wrong + unstarted > 0;
}

/* --- A control group with programs ---------------------------------------------------------------
 * Only root of the real host may load them, so the group is made there, and reaches the own host as
 * an open descriptor. Where there can be none, the column of the hooks is like no wall at all. */

#define HOOKED_NAME "CARREL_ESCAPE_GROUP" /* in the environment: the descriptor's number */

static char hooked_path[PATH_MAX];

static void make_hooked(void)
{
    static struct host host;
    char number[16];
    const char *call = "";
    host_probe("", true, &host);
    if (!fixture_root() || !host.cgroups.unified[0])
        return;
    snprintf(hooked_path, sizeof hooked_path, "%s/carrel-escape-%d", host.cgroups.unified,
             (int)getpid());
    int group = mkdir(hooked_path, 0755) ? -1 : open(hooked_path, O_RDONLY | O_DIRECTORY);
    if (group < 0 || hooks_attach(group, &call)) {
        printf("no control group with programs here: %s: %s\n", call, strerror(errno));
        return;
    }
    snprintf(number, sizeof number, "%d", group);
    setenv(HOOKED_NAME, number, 1);
}

static void remove_hooked(void)
{
    if (hooked_path[0] && rmdir(hooked_path))
        perror(hooked_path);
}

static void take_hooked(void)
{
    const char *number = getenv(HOOKED_NAME);
    if (!number)
        return;
    hooked = (int)strtol(number, NULL, 10);
    fcntl(hooked, F_SETFD, FD_CLOEXEC);
    unsetenv(HOOKED_NAME);
}

int main(int count, char **arguments)
{
    bool verbose = count > 1 && strcmp(arguments[1], "-v") == 0;
    if (count > 1 && strcmp(arguments[1], "--walls") == 0) {
        make_hooked();
        int code = own_host_run("--inside", count, arguments);
        remove_hooked();
        if (code < 0)
            puts("no namespaces of one's own here: nothing is tried");
        return code < 0 ? 1 : code;
    }
    take_hooked();
    parameter = listen_on_host();
    allow_net();
    return count > 1 && strcmp(arguments[1], "--inside") == 0 ? wall_by_wall() : two_walls(verbose);
}
