/* Live cells for tests; see fixture.h. */
#include "tests/shim/fixture.h"
#include "shim/cleanup.h"
#include "shim/host.h"
#include "shim/session.h"
#include "shim/shared.h"
#include "tests/shim/script.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

struct running {
    int output, errors; /* read ends */
};

static struct running running;

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "fixture: %s: %s\n", what, strerror(errno));
    abort();
}

bool fixture_root(void)
{
    return geteuid() == 0;
}

/* The engines lie in test/cell of the build directory, this program in test/VARIANT. */
const char *fixture_engine(const char *name)
{
    static char path[PATH_MAX];
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (name[0] == '/')
        return name;
    if (size < 0)
        give_up("/proc/self/exe");
    self[size] = '\0';
    *strrchr(self, '/') = '\0';
    if (snprintf(path, sizeof path, "%s/../cell/%s", self, name) >= (int)sizeof path)
        give_up("path");
    return path;
}

/* The plan that policies make for such a wish. */
static void make_plan(const struct wish *wish, struct session *session,
                      const struct component *component, enum cell_role role, struct cell_plan *ret)
{
    static struct host host;
    static struct policy policy;
    static struct verdict verdict;
    static uint8_t seed[32];
    struct err err = {0};
    host_probe(fixture_engine(wish->engine ? wish->engine : "engine"), wish->cgroups, &host);
    if (wish->shared)
        shared_open(&session->shim, &host);
    if (wish->ahead) {
        shared_begin(&session->shim, &host);
        shared_take(&host);
    }
    policy = (struct policy){
        .allowed = capability_defaults() | CAPABILITY(ENV) | CAPABILITY(DIR_READ) |
                   CAPABILITY(DIR_WRITE) | CAPABILITY(DIR_MUTATE),
        .directories = wish->directories,
        .directory_count = wish->directory_count,
        .net = wish->net,
        .net_count = wish->net_count,
        .environment = wish->environment,
        .memory = wish->memory ? wish->memory : UINT64_C(256) << 20,
        .timeout = wish->timeout ? wish->timeout : POLICY_UNLIMITED,
        .fuel = POLICY_UNLIMITED,
        .degraded = wish->degraded,
    };
    for (size_t i = 0; i < wish->net_count; i++)
        policy.allowed |= net_rule_gives(&wish->net[i]);
    verdict.granted = policy.allowed;
    verdict.rules = RULES_BASE | wish->rules;
    const struct cell_request request = {
        .role = role,
        .host = &host,
        .policy = &policy,
        .verdict = &verdict,
        .component_size = component->size,
        .digest = component->digest,
        .seed = seed,
        .arguments = wish->arguments,
    };
    if (cell_plan_make(&request, ret, &err))
        give_up(err.text);
    if (wish->change)
        wish->change(&ret->plan);
}

/* As `carrel run` does it: a reader, then the cell that was launched meanwhile. */
static void read_first(struct session *session, const struct component *component,
                       const struct wish *wish, struct result *result)
{
    static struct cell_plan plan;
    static struct demand demand;
    struct err err = {0};
    make_plan(wish, session, component, CELL_READER, &plan);
    result->answered = session_read(session, component, &plan.plan, wish->reads_first, &demand,
                                    &result->outcome.walls, &err) == 0;
    result->spared = session->spare != NULL;
    result->outcome = session->cell->outcome;
}

/* The shim's process. */
static _Noreturn void be_shim(const struct wish *wish, struct result *result)
{
    static struct session session;
    static struct cell_plan plan;
    struct component component;
    struct err err = {0};
    if (wish->before)
        wish->before();
    host_secure_streams();
    script_component(wish->script ? wish->script : "", &component);
    if (session_open(&session, &err))
        give_up(err.text);
    if (wish->into > 0)
        session.shim.into = wish->into;
    make_plan(wish, &session, &component, CELL_RUN, &plan);
    if (wish->reader || wish->reads_first)
        read_first(&session, &component, wish, result);
    if (!wish->reader && (!wish->reads_first || result->answered)) {
        const struct cell *spare = session.spare;
        session_run(&session, &component, &plan.plan, &result->outcome);
        result->spared = spare && spare == session.cell;
    }
    result->cell = session.cell->process.pid;
    session_close(&session);
    component_close(&component);
    session_heed(&session);
    _exit(0);
}

static int input_from(const char *text)
{
    if (!text)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) || write(ends[1], text, strlen(text)) < 0)
        give_up("input");
    close(ends[1]);
    return ends[0];
}

static void take_output(int fd, char *to, size_t room, size_t *size, bool once)
{
    ssize_t got;
    while (*size < room && (got = read(fd, to + *size, room - *size)) > 0) {
        *size += (size_t)got;
        if (once)
            return;
    }
}

pid_t fixture_start(const struct wish *wish, struct result **ret)
{
    struct result *result =
        mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int output[2], errors[2], input = input_from(wish->input);
    if (result == MAP_FAILED || input < 0 || pipe2(output, O_CLOEXEC) || pipe2(errors, O_CLOEXEC))
        give_up("fixture");
    fflush(NULL);
    pid_t shim = fork();
    if (shim < 0)
        give_up("fork");
    if (shim == 0) {
        const int streams[3] = {wish->streams[0] ? wish->streams[0] : input,
                                wish->streams[1] ? wish->streams[1] : output[1],
                                wish->streams[2] ? wish->streams[2] : errors[1]};
        for (int i = 0; i < 3; i++)
            dup2(streams[i], i);
        be_shim(wish, result);
    }
    close(output[1]);
    close(errors[1]);
    close(input);
    running = (struct running){output[0], errors[0]};
    *ret = result;
    if (!wish->streams[1])
        take_output(running.output, result->output, sizeof result->output, &result->output_size,
                    true);
    return shim;
}

/* The first process of a pid namespace of its own. What helps the shim is in the shim's. */
static bool is_cell(int pid)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    cleanup_file FILE *status = fopen(path, "re");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "NSpid:", 6) == 0)
            return strcmp(strrchr(line, '\t'), "\t1\n") == 0;
    return false;
}

pid_t fixture_cell(pid_t shim)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)shim, (int)shim);
    cleanup_file FILE *children = fopen(path, "re");
    /* A process that made a net namespace ahead may not have ended yet. */
    while (children && fscanf(children, "%d", &child) == 1)
        if (is_cell(child))
            return child;
    give_up(path);
}

int fixture_end(pid_t shim, struct result *result)
{
    int status;
    take_output(running.output, result->output, sizeof result->output - 1, &result->output_size,
                false);
    take_output(running.errors, result->errors, sizeof result->errors - 1, &result->errors_size,
                false);
    close(running.output);
    close(running.errors);
    while (waitpid(shim, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

const struct result *fixture_run(const struct wish *wish)
{
    static struct result kept;
    struct result *result;
    pid_t shim = fixture_start(wish, &result);
    fixture_end(shim, result);
    kept = *result;
    munmap(result, sizeof *result);
    return &kept;
}
