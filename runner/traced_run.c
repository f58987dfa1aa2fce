/* Runs that are watched; see traced_run.h. Leads from the session to trace.h, and from there to the
 * report. */
#include "runner/traced_run.h"

#include <string.h>

static int watch(void *data, pid_t pid, struct err *err)
{
    struct traced_run *run = data;
    return trace_watch(&run->trace, pid, err);
}

static void hear(void *data, const struct seccomp_data *call)
{
    struct traced_run *run = data;
    trace_hear(&run->trace, call);
}

int traced_run_open(struct traced_run *run, struct examiner *examiner,
                    const struct options *options, struct err *err)
{
    int failed = trace_open(&run->trace, err);
    if (!failed && options->suggest)
        failed = trace_may_suggest(options->suggest, err);
    examiner->witnessed = run->trace.heard;
    return failed;
}

int traced_run(struct traced_run *run, struct examiner *examiner, const struct options *options,
               const char *path, const struct examined *of, struct outcome *ret, struct err *err)
{
    const struct traced traced = {path, options, of, &run->trace, &run->uses};
    struct session *session = &examiner->session;
    run->trace.allowed = of->verdict.rules;
    if (examiner->serve && cell_isolates_by_process(examiner->serve->isolation))
        run->trace.allowed |= RULES_COPIES; /* as policies/isolation.def says */
    session->watch = watch;
    session->hear = hear;
    session->watching = run;
    session->uses = &run->uses;
    session_run(session, &of->component, &of->run.plan, ret);
    trace_read(&run->trace);
    trace_report(&traced);
    return options->suggest ? trace_suggest(&traced, options->suggest, err) : 0;
}

void traced_run_close(struct traced_run *run)
{
    trace_close(&run->trace);
}
