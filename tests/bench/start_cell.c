/* What `carrel run` does between its command line and its end, with an engine that ends at once:
 * the cost of a cell alone.
 *
 *   start_cell ENGINE [read] [groups] [shared] [NUMBER] [idle]
 *
 * `read` runs a reader before it, as if its demand were not known. With a number, so many cells are
 * started, a few at a time, and their rate is printed; `shared`: they share what is empty. `idle`
 * starts one that waits for its order, and prints its private memory in KiB. */
#include "policies/cell_plan.h"
#include "shim/host.h"
#include "shim/session.h"
#include "shim/shared.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AT_ONCE 4

static int fail(const struct err *err)
{
    fprintf(stderr, "%s\n", err->text);
    return 125;
}

/* What an idle cell has that it shares with nobody. */
static int print_idle(struct session *session, const struct plan *plan)
{
    struct err err = {0};
    const struct timespec moment = {0, 100000000};
    char path[64], line[256];
    if (cell_launch(session->cell, &session->shim, plan, &err))
        return fail(&err);
    nanosleep(&moment, NULL);
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", session->cell->process.pid);
    FILE *file = fopen(path, "re");
    unsigned long all = 0, size;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Private_%*[^:]: %lu", &size) == 1)
            all += size;
    if (file)
        fclose(file);
    cell_close(session->cell);
    printf("%lu\n", all);
    return 0;
}

/* Waits until something happens to one of the cells, and lets them act on it. How many ended. */
static long attend(struct cell cells[AT_ONCE], struct err *err)
{
    struct pollfd waits[2 * AT_ONCE];
    long ended = 0;
    for (size_t i = 0; i < AT_ONCE; i++) {
        waits[2 * i] = (struct pollfd){cells[i].process.socket, POLLIN, 0};
        waits[2 * i + 1] = (struct pollfd){cells[i].process.pidfd, POLLIN, 0};
    }
    poll(waits, 2 * AT_ONCE, -1);
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (waits[2 * i].revents)
            cell_receive(&cells[i]);
        if (!waits[2 * i + 1].revents)
            continue;
        cell_bury(&cells[i]);
        if (!cells[i].outcome.by_guest)
            *err = cells[i].outcome.why;
        cell_close(&cells[i]);
        ended++;
    }
    return ended;
}

/* Starts and ends so many cells, as a shim that serves many does: none waits for another. */
static int start_many(struct session *session, const struct component *component,
                      const struct plan *plan, long times)
{
    static struct cell cells[AT_ONCE];
    struct err err = {0};
    for (size_t i = 0; i < AT_ONCE; i++)
        cell_start(&cells[i]);
    uint64_t begin = cell_now();
    for (long started = 0, ended = 0; ended < times && err.kind == ERR_NONE;) {
        for (size_t i = 0; i < AT_ONCE && started < times; i++) {
            if (!cell_gone(&cells[i]))
                continue;
            if (cell_launch(&cells[i], &session->shim, plan, &err) ||
                cell_order(&cells[i], plan, component, &err))
                return fail(&err);
            started++;
        }
        ended += attend(cells, &err);
    }
    if (err.kind != ERR_NONE)
        return fail(&err);
    printf("%.0f\n", (double)times * 1e9 / (double)(cell_now() - begin));
    return 0;
}

static int start_one(struct session *session, const struct component *component,
                     const struct plan *plan, struct outcome *outcome)
{
    session_run(session, component, plan, outcome);
    return outcome->by_guest ? outcome->exit_code : fail(&outcome->why);
}

int main(int count, char **arguments)
{
    static struct session session;
    static struct cell_plan reader, run;
    static struct outcome outcome;
    static struct demand demand;
    static uint8_t seed[32];
    bool reads = false, groups = false, idle = false, shared = false;
    long times = 1;
    for (int i = 2; i < count; i++) {
        reads = reads || strcmp(arguments[i], "read") == 0;
        groups = groups || strcmp(arguments[i], "groups") == 0;
        idle = idle || strcmp(arguments[i], "idle") == 0;
        shared = shared || strcmp(arguments[i], "shared") == 0;
        times = atol(arguments[i]) > 0 ? atol(arguments[i]) : times;
    }
    struct err err = {0};
    struct host host;
    struct component component;
    struct wall_report report = {0};
    const struct policy policy = {.allowed = capability_defaults(),
                                  .memory = UINT64_C(1) << 30,
                                  .timeout = POLICY_UNLIMITED,
                                  .fuel = POLICY_UNLIMITED};
    static struct verdict verdict;
    verdict.granted = CAPABILITY(STDOUT);
    verdict.rules = RULES_BASE;
    if (component_copy("/dev/null", NULL, NULL, &component, &err))
        return fail(&err);
    host_probe(arguments[1], groups, &host);
    struct cell_request request = {.role = CELL_READER,
                                   .host = &host,
                                   .policy = &policy,
                                   .verdict = &verdict,
                                   .digest = component.digest,
                                   .seed = seed};
    if (session_open(&session, &err))
        return fail(&err);
    if (shared)
        shared_open(&session.shim, &host);
    if (reads && (cell_plan_make(&request, &reader, &err) ||
                  session_read(&session, &component, &reader.plan, true, &demand, &report, &err)))
        return fail(&err);
    request.role = CELL_RUN;
    if (cell_plan_make(&request, &run, &err))
        return fail(&err);
    int code = idle        ? print_idle(&session, &run.plan)
               : times > 1 ? start_many(&session, &component, &run.plan, times)
                           : start_one(&session, &component, &run.plan, &outcome);
    session_close(&session);
    return code;
}
