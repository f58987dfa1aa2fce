/* `carrel run`: a component is examined, judged and run in a cell. */
#include "engine/base/utf.h"
#include "policies/printable.h"
#include "runner/command.h"
#include "runner/examine.h"
#include "runner/record.h"
#include "runner/report.h"
#include "runner/traced_run.h"
#include "shim/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The guest's first argument is the name of the file, without the host's folders. A component is
 * given UTF-8 only: another name is escaped. */
static const char *base_name(const char *path)
{
    static char shown[4 * NAME_MAX + 1];
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    bool valid = utf8_valid((struct bytes){(const uint8_t *)name, strlen(name)});
    return valid ? name : printable(shown, sizeof shown, str_of(name));
}

/* Can this component be run in the way that was asked for? */
static int judge(const struct options *options, const struct examined *of, struct err *err)
{
    if (derive_refusal(&of->demand, of->policy, &of->verdict, err))
        return -1;
    if (options->trace && derive_start(&of->demand) == START_SERVE)
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "it answers HTTP requests and is no program: use `carrel serve --trace`");
    return derive_startable(&of->demand, options->invoke ? START_INVOKE : START_RUN, err);
}

/* From the examination to the end of the cell. *ret is zeroed, and stays so if the run is refused,
 * which is said, and is in *err. */
static int run(struct examiner *examiner, const struct options *options, const char *path,
               struct text_list arguments, struct outcome *ret, struct err *err)
{
    static struct traced_run traced;
    struct examined *of = NULL;
    int failed = options->trace ? traced_run_open(&traced, examiner, options, err) : 0;
    failed = failed || examine(examiner, options, path, arguments, &of, err);
    failed = failed || judge(options, of, err);
    if (!failed && options->explain)
        failed = examine_explain("The component's cell", &of->run.plan, err);
    if (!failed) {
        record_begin(examiner->session.log, path, of);
        if (options->trace)
            failed = traced_run(&traced, examiner, options, path, of, ret, err);
        else
            session_run(&examiner->session, &of->component, &of->run.plan, ret);
    }
    if (failed)
        report_refusal(path, err, of);
    if (options->trace)
        traced_run_close(&traced);
    examined_free(of);
    return failed;
}

/* The signal that ended the run, whoever got it, or 0. */
static int cause(const struct session *session, const struct outcome *outcome)
{
    if (session->interrupted)
        return session->interrupted;
    return !outcome->by_guest && outcome->why.kind == ERR_KILLED ? outcome->signal : 0;
}

int command_run(const struct options *options, char **operands, size_t count)
{
    struct err err = {.offset = ERR_NOWHERE};
    if (count == 0) {
        cli_misused(options->cli, "no FILE", &err);
        report_status(options->status, err_exit_code(err.kind), &err, 0);
        return report_error(NULL, &err);
    }
    if (options->invoke && !host_writable(STDOUT_FILENO)) {
        err_set(&err, ERR_USAGE, ERR_NOWHERE,
                "--invoke prints a result, and standard output is closed: give it one, as in "
                ">result");
        report_status(options->status, err_exit_code(err.kind), &err, 0);
        return report_error(NULL, &err);
    }
    const char *path = operands[0];
    operands[0] = (char *)(uintptr_t)base_name(path);
    const struct text_list arguments = {(const char *const *)operands, count};

    struct examiner *examiner = examiner_here();
    static struct outcome outcome;
    static struct audit_log log;
    log = audit_log_none();
    /* Not when everything is printed before it is done. */
    examiner->run_follows = !options->explain;
    int failed = examiner_open(examiner, options, &err);
    if (failed) {
        report_error(NULL, &err);
    } else {
        failed = record_open(options, &log, &err);
        examiner->session.log = &log;
        if (failed)
            report_error(path, &err);
        else
            failed = run(examiner, options, path, arguments, &outcome, &err);
        examiner_close(examiner);
    }
    if (!failed)
        report_outcome(path, &outcome);
    const struct err *why = failed ? &err : outcome.by_guest ? NULL : &outcome.why;
    int code = failed ? err_exit_code(err.kind) : outcome.exit_code;
    code = session_exit_code(&examiner->session, code);
    report_status(options->status, code, why, cause(&examiner->session, &outcome));
    record_end(&log, path, code, why);
    session_heed(&examiner->session);
    return code;
}
