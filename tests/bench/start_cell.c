/* What `carrel run` does between its command line and its end, with an engine that ends at once:
 * the cost of a cell alone.
 *
 *   start_cell ENGINE [read] [groups]
 *
 * `read` runs a reader before it, as if its demand were not known. */
#include "policies/cell_plan.h"
#include "shim/host.h"
#include "shim/session.h"
#include <stdio.h>
#include <string.h>

static int fail(const struct err *err)
{
    fprintf(stderr, "%s\n", err->text);
    return 125;
}

int main(int count, char **arguments)
{
    static struct session session;
    static struct cell_plan reader, run;
    static struct outcome outcome;
    static struct demand demand;
    static uint8_t seed[32];
    bool reads = false, groups = false;
    for (int i = 2; i < count; i++) {
        reads = reads || strcmp(arguments[i], "read") == 0;
        groups = groups || strcmp(arguments[i], "groups") == 0;
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
    if (reads && (cell_plan_make(&request, &reader, &err) ||
                  session_read(&session, &component, &reader.plan, true, &demand, &report, &err)))
        return fail(&err);
    request.role = CELL_RUN;
    if (cell_plan_make(&request, &run, &err))
        return fail(&err);
    session_run(&session, &component, &run.plan, &outcome);
    session_close(&session);
    if (!outcome.by_guest)
        return fail(&outcome.why);
    return outcome.exit_code;
}
