/* The array of operations: complete, in the order of its phases, and no more than was granted. */
#include "tests/unit/unit.h"

#include "tests/unit/policy_fixture.h"
#include <linux/mount.h>

static struct demand demand;
static struct verdict verdict;
static struct cell_plan made;
static const uint8_t bytes[32] = {1, 2, 3};

static struct cell_request request_of(enum cell_role role, const struct host *host,
                                      const struct policy *policy)
{
    derive_verdict(&demand, policy, &verdict);
    return (struct cell_request){
        .role = role,
        .host = host,
        .policy = policy,
        .verdict = role == CELL_RUN ? &verdict : NULL,
        .component_size = 1000,
        .digest = bytes,
        .seed = bytes,
    };
}

static void make(const struct cell_request *request)
{
    struct err err = {0};
    assert_int_equal(cell_plan_make(request, &made, &err), 0);
}

static size_t count(enum operation_kind kind)
{
    size_t found = 0;
    for (size_t i = 0; i < made.plan.count; i++)
        found += made.plan.at[i].kind == kind;
    return found;
}

/* What holds for every array, whoever asked. */
static void check_always(const struct policy *policy)
{
    enum operation_phase phase = PHASE_SHIM;
    for (size_t i = 0; i < made.plan.count; i++) {
        const struct operation *operation = &made.plan.at[i];
        const struct operation_info *info = &operation_infos[operation->kind];
        assert_true(info->phase >= phase);
        phase = info->phase;
        bool accepted = info->wall != WALL_NONE && (walls[info->wall].need == WALL_EXTRA ||
                                                    wall_in(policy->degraded, info->wall));
        assert_int_equal(operation->may_fail, accepted);
    }
    static const enum operation_kind once[] = {
        OPERATION_DESCRIPTORS, OPERATION_ROOT,      OPERATION_SPACE_USER,   OPERATION_SPACE_MOUNT,
        OPERATION_SPACE_PID,   OPERATION_SPACE_NET, OPERATION_SPACE_IPC,    OPERATION_BOUNDING,
        OPERATION_SECUREBITS,  OPERATION_CAPSET,    OPERATION_NO_NEW_PRIVS, OPERATION_EXECUTE,
        OPERATION_MDWE,        OPERATION_DUMPABLE,  OPERATION_ARENA,        OPERATION_ARENA_CUT,
        OPERATION_ROLE,        OPERATION_COMPONENT, OPERATION_LANDLOCK,     OPERATION_SECCOMP,

    };
    for (size_t i = 0; i < countof(once); i++)
        assert_int_equal(count(once[i]), 1);
    assert_int_equal(made.plan.at[made.plan.count - 1].kind, OPERATION_SECCOMP);
    assert_false(made.plan.overflown);
}

static void test_reader(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    struct host host = fixture_host(false);
    struct cell_request request = request_of(CELL_READER, &host, &policy);
    make(&request);
    check_always(&policy);
    assert_int_equal(count(OPERATION_GRANT), 0);
    assert_int_equal(count(OPERATION_SEED), 0);
    assert_int_equal(count(OPERATION_LANDLOCK_RULE), 0);
    assert_int_equal(count(OPERATION_OWN_SPACES), 1);
    assert_int_equal(count(OPERATION_SET_ID), 0);
    const struct operation *seccomp = plan_find(&made.plan, OPERATION_SECCOMP);
    assert_int_equal(seccomp->of.seccomp.calls.count, 3);
}

/* What is printed for carrel may be the component's words: it passes the shim, wherever it goes. */
static void test_inspect(void **state)
{
    (void)state;
    static const enum host_stream kinds[] = {HOST_FILE, HOST_TERMINAL, HOST_BOTH, HOST_UNBLOCKED,
                                             HOST_CLOSED};
    static const char *const views[] = {"wat", "json"};
    struct policy policy = fixture_policy();
    struct host host = fixture_host(false);
    for (size_t i = 0; i < countof(kinds); i++) {
        host.streams[1] = kinds[i];
        struct cell_request request = request_of(CELL_INSPECT, &host, &policy);
        request.arguments = (struct text_list){views, 2};
        make(&request);
        check_always(&policy);
        assert_int_equal(count(OPERATION_GRANT), 1);
        assert_int_equal(plan_find(&made.plan, OPERATION_GRANT)->of.grant.rights, RIGHT_WRITE);
        assert_int_equal(count(OPERATION_STREAM_TEXT), kinds[i] != HOST_CLOSED);
        assert_int_equal(count(OPERATION_STREAM_NONE), kinds[i] == HOST_CLOSED);
        assert_int_equal(count(OPERATION_STREAM_PASS) + count(OPERATION_STREAM_PUMP), 0);
        assert_int_equal(plan_find(&made.plan, OPERATION_ARGUMENTS)->of.arguments.list.count, 2);
        assert_int_equal(plan_find(&made.plan, OPERATION_SECCOMP)->of.seccomp.calls.count, 3);
        assert_int_equal(count(OPERATION_LIMITS) + count(OPERATION_SEED), 0);
    }
}

/* What does not make its writer wait goes only to who can ask when there is room. */
static void test_unblocked(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    struct host host = fixture_host(false);
    host.streams[1] = HOST_UNBLOCKED;
    for (int polls = 0; polls <= 1; polls++) {
        fixture_demand(&demand);
        fixture_reach(&demand, ROW_get_stdout);
        if (polls)
            fixture_reach(&demand, ROW_poll);
        struct cell_request request = request_of(CELL_RUN, &host, &policy);
        make(&request);
        check_always(&policy);
        assert_int_equal(count(OPERATION_STREAM_PUMP), !polls);
        assert_int_equal(count(OPERATION_STREAM_OWN), polls);
    }
}

/* Cells that share have each wall once all the same, and the operator can have it otherwise. */
static void test_shared(void **state)
{
    (void)state;
    static const struct {
        enum operation_kind own, shared;
    } pairs[] = {{OPERATION_SPACE_NET, OPERATION_ENTER_NET},
                 {OPERATION_SPACE_IPC, OPERATION_ENTER_IPC},
                 {OPERATION_SPACE_MOUNT, OPERATION_ENTER_MOUNT},
                 {OPERATION_ROOT, OPERATION_ENTER_ROOT}};
    struct policy policy = fixture_policy();
    struct host host = fixture_host(true);
    host.shares = true;
    host.spaces[HOST_SPACE_MOUNT] = 7;
    struct cell_request request = request_of(CELL_READER, &host, &policy);
    make(&request);
    wall_set shared = 0, fresh = 0;
    for (size_t i = 0; i < made.plan.count; i++)
        shared |= WALL_BIT(operation_infos[made.plan.at[i].kind].wall);
    assert_int_equal(plan_find(&made.plan, OPERATION_ENTER_MOUNT)->of.enter_mount.file, 7);
    for (size_t i = 0; i < countof(pairs); i++) {
        assert_int_equal(count(pairs[i].own), 0);
        assert_int_equal(count(pairs[i].shared), 1);
        assert_int_equal(operation_infos[pairs[i].own].wall, operation_infos[pairs[i].shared].wall);
    }
    policy.fresh = true;
    make(&request);
    check_always(&policy);
    for (size_t i = 0; i < made.plan.count; i++)
        fresh |= WALL_BIT(operation_infos[made.plan.at[i].kind].wall);
    assert_int_equal(shared, fresh);
    assert_int_equal(count(OPERATION_ENTER_NET), 0);
}

/* A net namespace that is made ahead is the cell's own: all else is as without. */
static void test_ahead(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    struct host host = fixture_host(true);
    host.ahead = true;
    host.maker = 7;
    struct cell_request request = request_of(CELL_READER, &host, &policy);
    make(&request);
    assert_int_equal(plan_find(&made.plan, OPERATION_TAKE_NET)->of.take_net.maker, 7);
    assert_int_equal(operation_infos[OPERATION_TAKE_NET].wall, WALL_NET_NAMESPACE);
    assert_int_equal(count(OPERATION_SPACE_NET), 0);
    assert_int_equal(count(OPERATION_SPACE_MOUNT), 1);
    assert_int_equal(count(OPERATION_SPACE_IPC), 1);
    assert_int_equal(count(OPERATION_ROOT), 1);
    policy.fresh = true;
    make(&request);
    check_always(&policy);
    assert_int_equal(count(OPERATION_SPACE_NET), 1);
    assert_int_equal(count(OPERATION_TAKE_NET), 0);
}

/* A component that imports nothing is handed nothing, whatever the flags give. */
static void test_compute_only(void **state)
{
    (void)state;
    static const struct policy_directory directory = {"/srv", "/", false};
    struct policy policy = fixture_policy();
    fixture_directories(&policy, &directory, 1);
    struct host host = fixture_host(true);
    fixture_demand(&demand);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    make(&request);
    check_always(&policy);
    assert_int_equal(count(OPERATION_GRANT), 0);
    assert_int_equal(count(OPERATION_DIRECTORY), 0);
    assert_int_equal(count(OPERATION_ARGUMENTS), 0);
    assert_int_equal(count(OPERATION_SEED), 0);
    assert_int_equal(plan_find(&made.plan, OPERATION_SECCOMP)->of.seccomp.calls.count, 3);
    assert_int_equal(count(OPERATION_OWN_SPACES), 0);
    assert_int_equal(count(OPERATION_SET_ID), 1);
}

static void test_grants(void **state)
{
    (void)state;
    static const struct policy_directory two[] = {{"/a", "x", true}, {"/b", "y", false}};
    static const char *const words[] = {"A=1"};
    struct policy policy = fixture_policy();
    fixture_directories(&policy, two, 2);
    policy.environment = (struct text_list){words, 1};
    policy.allowed |= CAPABILITY(ENV);
    struct host host = fixture_host(true);
    host.streams[0] = HOST_CLOSED;
    host.streams[1] = HOST_TERMINAL;
    host.streams[2] = HOST_BOTH;
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_get_stdin);
    fixture_reach(&demand, ROW_get_stdout);
    fixture_reach(&demand, ROW_get_stderr);
    fixture_reach(&demand, ROW_get_terminal_stdout);
    fixture_reach(&demand, ROW_get_environment);
    fixture_reach(&demand, ROW_get_random_bytes);
    fixture_reach(&demand, ROW_descriptor_open_at);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    request.invoke = "f()";
    make(&request);
    check_always(&policy);
    assert_int_equal(count(OPERATION_STREAM_NONE), 1);
    assert_int_equal(count(OPERATION_STREAM_PUMP), 2);
    assert_int_equal(count(OPERATION_STREAM_PASS), 0);
    assert_int_equal(count(OPERATION_IDMAP), 2);
    assert_int_equal(count(OPERATION_ENVIRONMENT), 1);
    assert_int_equal(count(OPERATION_ARGUMENTS), 0); /* it asks for none */
    assert_int_equal(count(OPERATION_SEED), 1);
    assert_int_equal(count(OPERATION_INVOKE), 1);
    static const uint64_t descriptors[] = {0, 1, 2, 4, 5};
    static const uint64_t rights[] = {
        RIGHT_READ, RIGHT_WRITE, RIGHT_WRITE, RIGHT_READ, RIGHT_READ | RIGHT_WRITE | RIGHT_MUTATE,
    };
    size_t at = 0, directory = 0, rule = 0;
    for (size_t i = 0; i < made.plan.count; i++) {
        const struct operation *o = &made.plan.at[i];
        if (o->kind == OPERATION_GRANT) {
            assert_int_equal(o->of.grant.grant, at);
            assert_int_equal(o->of.grant.descriptor, descriptors[at]);
            assert_int_equal(o->of.grant.rights, rights[at]);
            at++;
        } else if (o->kind == OPERATION_DIRECTORY) {
            assert_int_equal(o->of.directory.grant, 3 + directory);
            bool locked = o->of.directory.attributes & MOUNT_ATTR_RDONLY;
            assert_int_equal(locked, two[directory].read_only);
            assert_true(o->of.directory.attributes & MOUNT_ATTR_NOEXEC);
            directory++;
        } else if (o->kind == OPERATION_LANDLOCK_RULE) {
            bool writes = o->of.landlock_rule.files & 1 << 1;
            assert_int_equal(o->of.landlock_rule.grant, 3 + rule);
            assert_int_equal(writes, !two[rule].read_only);
            rule++;
        }
    }
    assert_int_equal(at, 5);
    assert_int_equal(directory, 2);
    assert_int_equal(rule, 2);
}

/* Where calls are told apart by the number of a descriptor, nothing but streams is below 4: what is
 * not given has its place kept. */
static void test_places_of_streams(void **state)
{
    (void)state;
    static const struct policy_directory one[] = {{"/a", "x", true}};
    struct policy policy = fixture_policy();
    fixture_directories(&policy, one, 1);
    struct host host = fixture_host(false);
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_get_stdout);
    fixture_reach(&demand, ROW_descriptor_open_at);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    make(&request);
    static const enum grant_kind kinds[] = {GRANT_NOTHING, GRANT_STDOUT, GRANT_NOTHING,
                                            GRANT_DIRECTORY};
    static const uint64_t descriptors[] = {0, 1, 2, 4};
    size_t at = 0;
    for (size_t i = 0; i < made.plan.count; i++) {
        const struct operation *o = &made.plan.at[i];
        if (o->kind != OPERATION_GRANT)
            continue;
        assert_int_equal(o->of.grant.kind, kinds[at]);
        assert_int_equal(o->of.grant.descriptor, descriptors[at]);
        assert_int_equal(o->of.grant.rights == 0, kinds[at] == GRANT_NOTHING);
        at++;
    }
    assert_int_equal(at, 4);
    assert_int_equal(count(OPERATION_STREAM_NONE), 2);
    assert_int_equal(count(OPERATION_STREAM_PASS), 1);
}

/* Whether a stream is a terminal is told to who asks for it, and not with the stream. */
static void test_terminals(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    struct host host = fixture_host(false);
    host.streams[1] = host.streams[2] = HOST_TERMINAL;
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_get_terminal_stderr);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    make(&request);
    assert_int_equal(count(OPERATION_GRANT), 0);
    assert_int_equal(count(OPERATION_TERMINALS), 1);
    assert_int_equal(plan_find(&made.plan, OPERATION_TERMINALS)->of.terminals.streams,
                     TERMINAL_STDOUT | TERMINAL_STDERR);
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_get_stderr);
    request = request_of(CELL_RUN, &host, &policy);
    make(&request);
    assert_int_equal(count(OPERATION_TERMINALS), 0);
}

static struct net_rule rule_of(const char *text)
{
    struct net_rule rule;
    struct err err = {0};
    assert_int_equal(
        (strncmp(text, "http", 4) == 0 ? net_origin_rule_read : net_rule_read)(text, &rule, &err),
        0);
    return rule;
}

/* No rule is in an array without all that is denied, whatever of the network the component uses:
 * each row here is about another capability, and none of them about "net" itself. */
static void test_denials_go_with_rules(void **state)
{
    (void)state;
    static const enum row rows[] = {ROW_tcp_socket_start_connect, ROW_tcp_socket_start_listen,
                                    ROW_udp_socket_stream, ROW_resolve_addresses,
                                    ROW_http_outgoing_handle};
    const struct net_rule given[] = {rule_of("all"), rule_of("http://example.com")};
    const struct net_rule denied[] = {rule_of("connect=10.0.0.0/8:*"), rule_of("dns=*")};
    struct policy policy = fixture_policy();
    struct host host = fixture_host(false);
    policy.net = given;
    policy.net_count = countof(given);
    policy.net_denied = denied;
    policy.net_denied_count = countof(denied);
    policy.allowed |= net_rule_gives(&given[0]) | net_rule_gives(&given[1]);
    for (size_t i = 0; i < countof(rows); i++) {
        fixture_demand(&demand);
        fixture_reach(&demand, rows[i]);
        struct cell_request request = request_of(CELL_RUN, &host, &policy);
        make(&request);
        check_always(&policy);
        assert_int_equal(count(OPERATION_NET_RULE), 1);
        assert_int_equal(count(OPERATION_NET_DENIAL), countof(denied));
    }
    fixture_demand(&demand);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    make(&request);
    assert_int_equal(count(OPERATION_NET_RULE), 0);
    assert_int_equal(count(OPERATION_NET_DENIAL), 0);
}

/* What a program of preview 1 may accept from; or why there is no array. */
static void plan_listeners(const char *rule, const char *denial, struct err *err)
{
    static struct net_rule given, denied;
    struct policy policy = fixture_policy();
    struct host host = fixture_host(false);
    given = rule_of(rule);
    policy.net = &given;
    policy.net_count = 1;
    if (denial) {
        denied = rule_of(denial);
        policy.net_denied = &denied;
        policy.net_denied_count = 1;
    }
    policy.allowed |= net_rule_gives(&given);
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_p1_sock_accept);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    int failed = cell_plan_make(&request, &made, err);
    assert_int_equal(failed, err->kind == ERR_NONE ? 0 : -1);
}

/* A rule to listen is carried out, or it is an error. */
static void test_listeners(void **state)
{
    static const struct {
        const char *rule, *denial;
        size_t sockets;
        const char *why; /* NULL: there is an array */
    } cases[] = {
        {"listen=127.0.0.1:8080", NULL, 1, NULL},
        {"listen=[::1]:8080", "listen=127.0.0.1:*", 1, NULL},
        {"listen=0.0.0.0:8080", "listen=10.0.0.5:8081", 1, NULL},
        {"all", NULL, 0, NULL},
        {"listen=*:8080", NULL, 0, "one address and one port"},
        {"listen=127.0.0.0/8:8080", NULL, 0, "one address and one port"},
        {"listen=127.0.0.1:8080-8090", NULL, 0, "one address and one port"},
        {"listen=127.0.0.1:8080", "listen=127.0.0.0/8:*", 0, "denies listen=127.0.0.0/8:*"},
        {"listen=0.0.0.0:8080", "listen=10.0.0.5:*", 0, "denies listen=10.0.0.5:*"},
    };
    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        struct err err = {0};
        plan_listeners(cases[i].rule, cases[i].denial, &err);
        assert_int_equal(err.kind, cases[i].why ? ERR_USAGE : ERR_NONE);
        if (cases[i].why) {
            assert_non_null(strstr(err.text, cases[i].why));
            assert_non_null(strstr(err.text, cases[i].rule));
        } else
            assert_int_equal(count(OPERATION_LISTENER), cases[i].sockets);
    }
}

/* A component that cannot write gets a mount that cannot be written, though the flag allows it. */
static void test_grant_narrows(void **state)
{
    (void)state;
    static const struct policy_directory directory = {"/srv", "/", false};
    struct policy policy = fixture_policy();
    fixture_directories(&policy, &directory, 1);
    struct host host = fixture_host(false);
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_descriptor_read_directory);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    make(&request);
    check_always(&policy);
    const struct operation *mount = plan_find(&made.plan, OPERATION_DIRECTORY);
    assert_true(mount->of.directory.attributes & MOUNT_ATTR_RDONLY);
    for (size_t i = 0; i < made.plan.count; i++)
        if (made.plan.at[i].kind == OPERATION_GRANT &&
            made.plan.at[i].of.grant.kind == GRANT_DIRECTORY)
            assert_int_equal(made.plan.at[i].of.grant.rights, RIGHT_READ);
}

static void test_cgroups_and_degraded(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    policy.degraded = wall_named("namespaces");
    struct host host = fixture_host(true);
    strcpy(host.cgroups.unified, "/sys/fs/cgroup/carrel");
    host.cgroups.in_unified[CGROUP_PIDS] = true;
    strcpy(host.cgroups.version1[CGROUP_MEMORY], "/sys/fs/cgroup/memory");
    fixture_demand(&demand);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    make(&request);
    check_always(&policy);
    assert_int_equal(count(OPERATION_CGROUP), 2);
    assert_int_equal(count(OPERATION_CGROUP_LIMIT), 2);
    assert_int_equal(count(OPERATION_CGROUP_ENTER), 1);
    assert_true(plan_find(&made.plan, OPERATION_SPACE_NET)->may_fail);
    assert_false(plan_find(&made.plan, OPERATION_SECCOMP)->may_fail);
}

/* The value of a limit; NULL if the plan has none of that file. It holds or the run is refused. */
static const char *limit_in(const char *file, bool may_fail)
{
    for (size_t i = 0; i < made.plan.count; i++) {
        const struct operation *operation = &made.plan.at[i];
        if (operation->kind != OPERATION_CGROUP_LIMIT ||
            strcmp(operation->of.cgroup_limit.file, file) != 0)
            continue;
        assert_int_equal(operation->may_fail, may_fail);
        return operation->of.cgroup_limit.value;
    }
    return NULL;
}

static bool enters(const char *controller)
{
    for (size_t i = 0; i < made.plan.count; i++)
        if (made.plan.at[i].kind == OPERATION_CGROUP_ENTER &&
            strcmp(made.plan.at[i].of.cgroup_enter.controller, controller) == 0)
            return true;
    return false;
}

static void test_processors(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    struct host host = fixture_host(true);
    host.bounded = true;
    strcpy(host.cgroups.unified, "/sys/fs/cgroup/carrel");
    host.cgroups.in_unified[CGROUP_MEMORY] = host.cgroups.in_unified[CGROUP_CPU] = true;
    fixture_demand(&demand);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    make(&request); /* that it could be bounded bounds nothing */
    assert_null(limit_in("cpu.max", true));
    policy.cpus = 250000;
    make(&request);
    assert_string_equal(limit_in("cpu.max", false), "25000 100000");
    assert_null(limit_in("cpu.cfs_quota_us", false));
    assert_false(enters("cpu"));
    assert_non_null(limit_in("memory.max", true));
    policy.degraded = WALL_BIT(WALL_CGROUP);
    make(&request);
    assert_string_equal(limit_in("cpu.max", true), "25000 100000");
    policy.degraded = 0;
    host.cgroups.in_unified[CGROUP_CPU] = false;
    strcpy(host.cgroups.version1[CGROUP_CPU], "/sys/fs/cgroup/cpu");
    policy.cpus = 10009; /* what the kernel can keep to, never more than was said */
    make(&request);
    assert_null(limit_in("cpu.max", false));
    assert_string_equal(limit_in("cpu.cfs_quota_us", false), "1000");
    assert_true(enters("cpu"));
    assert_int_equal(made.missing, 0);
    request = request_of(CELL_READER, &host, &policy);
    make(&request);
    assert_null(limit_in("cpu.cfs_quota_us", false));
    assert_false(enters("cpu"));
    check_always(&policy);
}

static void test_no_place_to_bound_processors(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    struct host host = fixture_host(false);
    struct err err = {0};
    host.bounded = true;
    host.cgroups.in_unified[CGROUP_MEMORY] = true;
    fixture_demand(&demand);
    policy.cpus = 500000;
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    assert_int_equal(cell_plan_make(&request, &made, &err), -1);
    assert_int_equal(err.kind, ERR_WALL);
    assert_non_null(strstr(err.text, "may limit processors"));
    assert_non_null(strstr(err.text, "--degrade=cgroup"));
    policy.degraded = WALL_BIT(WALL_CGROUP);
    make(&request);
    assert_true(wall_in(made.missing, WALL_CGROUP));
    assert_non_null(strstr(made.lacks, "may limit processors"));
    policy.degraded = policy.cpus = 0;
    make(&request);
    assert_int_equal(made.missing, 0);
    assert_null(made.lacks);
}

static void test_memory(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    struct host host = fixture_host(false);
    fixture_demand(&demand);
    policy.memory = 1 << 20;
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    make(&request);
    uint64_t cut = plan_find(&made.plan, OPERATION_ARENA_CUT)->of.arena_cut.size;
    assert_true(cut > policy.memory && cut < policy.memory + (UINT64_C(1) << 30));
    assert_int_equal(plan_find(&made.plan, OPERATION_LIMITS)->of.limits.memory, policy.memory);
    policy.memory = INT64_MAX; /* never more than was reserved */
    make(&request);
    assert_int_equal(plan_find(&made.plan, OPERATION_ARENA_CUT)->of.arena_cut.size, host.arena);
    request.component_size = UINT64_MAX / 100;
    make(&request);
    assert_int_equal(plan_find(&made.plan, OPERATION_ARENA_CUT)->of.arena_cut.size, host.arena);
}

/* A policy's time bounds the cell, also one that serves; that of its requests is another. (In a
 * policy file of `carrel serve` it bounds each request: runner/examine.c.) */
static void test_time(void **state)
{
    (void)state;
    struct policy policy = fixture_policy();
    struct host host = fixture_host(true);
    fixture_demand(&demand);
    policy.timeout = 5;
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    make(&request);
    assert_int_equal(plan_find(&made.plan, OPERATION_TIME)->of.time.time, 5);
    struct cell_serve serve = {
        .address = "", .isolation = "instance", .watch = -1, .counters = -1, .log = -1, .time = 7};
    request.serve = &serve;
    make(&request);
    assert_int_equal(plan_find(&made.plan, OPERATION_TIME)->of.time.time, 5);
    assert_int_equal(plan_find(&made.plan, OPERATION_SERVE)->of.serve.time, 7);
    policy.timeout = POLICY_UNLIMITED;
    make(&request);
    assert_int_equal(count(OPERATION_TIME), 0);
}

static void test_many_directories(void **state)
{
    (void)state;
    static struct policy_directory many[200];
    for (size_t i = 0; i < countof(many); i++)
        many[i] = (struct policy_directory){"/d", "/d", false};
    struct policy policy = fixture_policy();
    fixture_directories(&policy, many, 125); /* and three places for streams */
    struct host host = fixture_host(true);
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_descriptor_open_at);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    make(&request);
    check_always(&policy);
    assert_int_equal(count(OPERATION_GRANT), 128);
    policy.directory_count = 126;
    struct err err = {0};
    assert_int_equal(cell_plan_make(&request, &made, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
}

/* The same request gives the same array, to the byte. */
static void test_deterministic(void **state)
{
    (void)state;
    static struct cell_plan first;
    struct policy policy = fixture_policy();
    struct host host = fixture_host(true);
    fixture_demand(&demand);
    for (int row = 0; row < ROW_COUNT; row++)
        fixture_reach(&demand, (enum row)row);
    struct cell_request request = request_of(CELL_RUN, &host, &policy);
    struct err err = {0};
    assert_int_equal(cell_plan_make(&request, &first, &err), 0);
    make(&request);
    assert_int_equal(first.plan.count, made.plan.count);
    for (size_t i = 0; i < made.plan.count; i++) {
        char one[4096], other[4096];
        operation_text(&first.plan.at[i], one, sizeof one);
        operation_text(&made.plan.at[i], other, sizeof other);
        assert_string_equal(one, other);
    }
    assert_memory_equal(first.filter.code, made.filter.code,
                        made.filter.len * sizeof made.filter.code[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_unblocked),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_ahead),
        cmocka_unit_test(test_compute_only),
        cmocka_unit_test(test_grants),
        cmocka_unit_test(test_places_of_streams),
        cmocka_unit_test(test_terminals),
        cmocka_unit_test(test_denials_go_with_rules),
        cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_grant_narrows),
        cmocka_unit_test(test_cgroups_and_degraded),
        cmocka_unit_test(test_processors),
        cmocka_unit_test(test_no_place_to_bound_processors),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_many_directories),
        cmocka_unit_test(test_deterministic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
