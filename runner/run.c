/* `carrel run`: a component is examined, judged and run in a cell. */
#include "runner/command.h"
#include "runner/examine.h"
#include "runner/report.h"

#include <stdlib.h>
#include <string.h>

/* The guest's first argument is the name of the file, without the host's folders. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Can this component be run in the way that was asked for? */
static int judge(const struct options *options, const struct examined *of, struct err *err)
{
    if (derive_refusal(&of->demand, &options->policy, &of->verdict, err))
        return -1;
    if (options->invoke || demand_is(&of->demand, DEMAND_IS_COMMAND))
        return 0;
    if (demand_is(&of->demand, DEMAND_IS_PROXY))
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "it answers HTTP requests and is no program: carrel cannot serve yet");
    return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                   "it is no program: call one of its exports with --invoke 'NAME(ARGS)'; "
                   "`carrel audit` lists them");
}

/* From the examination to the end of the cell. *ret is zeroed, and stays so if the run is refused,
 * which is in *err. */
static int run(struct examiner *examiner, const struct options *options, const char *path,
               struct text_list arguments, struct outcome *ret, struct err *err)
{
    struct examined *of = NULL;
    int failed = examine(examiner, options, path, arguments, &of, err);
    if (!failed) {
        failed = judge(options, of, err);
        if (failed && err->kind == ERR_UNLINKABLE) {
            report_error(path, err);
            report_missing(path, &of->demand, &of->verdict);
        }
    }
    if (!failed) {
        if (options->explain)
            examine_explain("The component's cell", &of->run.plan);
        session_run(&examiner->session, &of->component, &of->run.plan, ret);
    }
    examined_free(of);
    return failed;
}

int command_run(const struct options *options, char **operands, size_t count)
{
    struct err err = {.offset = ERR_NOWHERE};
    if (count == 0) {
        err_set(&err, ERR_USAGE, ERR_NOWHERE, "no FILE: write `carrel run FILE [ARG...]`");
        report_status(options->status, err_exit_code(err.kind), &err);
        return report_error(NULL, &err);
    }
    const char *path = operands[0];
    operands[0] = (char *)(uintptr_t)base_name(path);
    const struct text_list arguments = {(const char *const *)operands, count};

    static struct examiner examiner;
    static struct outcome outcome;
    /* Not when everything is printed before it is done. */
    examiner.run_follows = !options->explain;
    int failed = examiner_open(&examiner, options, &err);
    const char *about = failed ? NULL : path;
    if (!failed) {
        failed = run(&examiner, options, path, arguments, &outcome, &err);
        examiner_close(&examiner);
    }
    if (failed) {
        if (err.kind != ERR_UNLINKABLE) /* said already, with all that is missing */
            report_error(about, &err);
        report_status(options->status, err_exit_code(err.kind), &err);
        return err_exit_code(err.kind);
    }
    report_outcome(path, &outcome);
    report_status(options->status, outcome.exit_code, outcome.by_guest ? NULL : &outcome.why);
    session_heed(&outcome);
    return outcome.exit_code;
}
