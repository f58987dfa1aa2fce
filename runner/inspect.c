/* `carrel inspect`: what is inside a file. It is read in a cell, which prints to a pipe; the shim
 * lets plain text through and nothing else. */
#include "runner/command.h"
#include "runner/examine.h"
#include "runner/report.h"
#include "shim/host.h"

#include <stdlib.h>
#include <unistd.h>

static int inspect(struct examiner *examiner, const struct options *options, const char *path,
                   struct component *component, struct outcome *ret, struct err *err)
{
    static struct cell_plan plan;
    if (session_copy(&examiner->session, path, options->policy.timeout, component, err))
        return -1;
    const struct cell_request request = {
        .role = CELL_INSPECT,
        .host = &examiner->host,
        .policy = &options->policy,
        .component_size = component->size,
        .digest = component->digest,
        .arguments = {options->views, options->view_count},
    };
    if (cell_plan_make(&request, &plan, err))
        return -1;
    if (options->explain && examine_explain("The cell that inspects", &plan.plan, err))
        return -1;
    session_run(&examiner->session, component, &plan.plan, ret);
    return 0;
}

int command_inspect(const struct options *options, char **operands, size_t count)
{
    struct err err = {.offset = ERR_NOWHERE};
    struct examiner *examiner = examiner_here();
    static struct outcome outcome;
    if (count != 1) {
        cli_misused(options->cli, count ? "more than one FILE" : "no FILE", &err);
        return report_error(NULL, &err);
    }
    if (!host_writable(STDOUT_FILENO)) {
        err_set(&err, ERR_USAGE, ERR_NOWHERE,
                "inspect prints what is in a file, and standard output is closed: give it one, as "
                "in >result");
        return report_error(NULL, &err);
    }
    if (examiner_open(examiner, options, &err))
        return report_error(NULL, &err);
    struct component component = {.memory = -1};
    int failed = inspect(examiner, options, operands[0], &component, &outcome, &err);
    component_close(&component);
    examiner_close(examiner);
    int code = outcome.exit_code;
    if (failed)
        code = report_error(operands[0], &err);
    else
        report_outcome(operands[0], &outcome);
    session_heed(&examiner->session);
    return code;
}
