/* `carrel serve`: a component is examined, judged, and answers HTTP requests in a cell. */
#include "runner/command.h"
#include "runner/examine.h"
#include "runner/record.h"
#include "runner/report.h"
#include "runner/traced_run.h"
#include "runner/workers.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* Can this component answer requests? */
static int judge(const struct examined *of, struct err *err)
{
    if (derive_refusal(&of->demand, of->policy, &of->verdict, err))
        return -1;
    if (derive_startable(&of->demand, START_SERVE, err))
        return -1;
    if (!capability_in(of->verdict.granted, CAP_HTTP_IN))
        return err_set(
            err, ERR_DENIED, ERR_NOWHERE,
            "answers HTTP requests, and the policy denies http.in: leave that out of its deny");
    return 0;
}

static struct cell_serve settings(const struct options *options, const struct serving *serving)
{
    return (struct cell_serve){
        .address = serving->address,
        .listener = serving->listener,
        .leave = serving->leave[0],
        .ticks = serving->ticks,
        .watch = serving->watch,
        .watch_at = serving->watch_at,
        .counters = serving->counters,
        .log = serving->log,
        .log_path = options->serve.access_log,
        .log_json = options->serve.log_json,
        .worker = serving->worker,
        .isolation = options->serve.isolation,
        .secure = options->serve.certificate != NULL,
        .requests = options->serve.requests,
        .time = options->serve.request_timeout,
        .body = options->serve.body,
    };
}

/* While it serves, carrel needs little of what it needed to start: its code is a file's, which the
 * kernel finds again where it is wanted. */
static void forget_code(void)
{
    extern const char __executable_start, etext;
    uintptr_t begin = (uintptr_t)&__executable_start, end = (uintptr_t)&etext & ~(uintptr_t)4095;
    madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/* From the examination to the end of the cell. *ret is zeroed, and stays so if serving is refused,
 * which is said, and is in *err. */
static int serve(struct examiner *examiner, const struct options *options, const char *path,
                 struct serving *serving, struct outcome *ret, struct err *err)
{
    static struct traced_run traced;
    struct examined *of = NULL;
    const struct cell_serve serves = settings(options, serving);
    examiner->serve = &serves;
    int failed = options->trace ? traced_run_open(&traced, examiner, options, err) : 0;
    failed = failed || examine(examiner, options, path, (struct text_list){0}, &of, err);
    failed = failed || judge(of, err);
    if (!failed && options->explain)
        failed = examine_explain("The component's cell", &of->run.plan, err);
    if (!failed) {
        report_line("%s: serves on %s://%s", path, options->serve.certificate ? "https" : "http",
                    serving->address);
        record_begin(examiner->session.log, path, of);
        serving->rests = forget_code;
        session_serve(&examiner->session, serving);
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

/* What a process needs to serve: the first, or a worker. */
struct server {
    const struct options *options;
    const char *path;
    struct serving serving; /* which listens */
    int status;             /* where the status goes, or -1 */
};

/* Serves until it is told to end; the exit code. */
static int work(void *data, uint64_t number)
{
    struct examiner *examiner = examiner_here();
    static struct outcome outcome;
    static struct audit_log log; /* each worker is a session of its own */
    struct server *server = data;
    struct serving *serving = &server->serving;
    struct err err = {.offset = ERR_NOWHERE};
    log = audit_log_none();
    serving->worker = number;
    examiner->run_follows = !server->options->explain;
    int failed = examiner_open(examiner, server->options, &err);
    if (failed) {
        report_error(NULL, &err);
    } else {
        failed = record_open(server->options, &log, &err) || serving_open(serving, &err);
        examiner->session.log = &log;
        if (failed)
            report_error(server->path, &err);
        else
            failed = serve(examiner, server->options, server->path, serving, &outcome, &err);
        examiner_close(examiner);
    }
    serving_close(serving);
    if (!failed)
        report_outcome(server->path, &outcome);
    const struct err *why = failed ? &err : outcome.by_guest ? NULL : &outcome.why;
    int code = failed ? err_exit_code(err.kind) : outcome.exit_code;
    code = session_exit_code(&examiner->session, code);
    report_status(server->status, code, why, examiner->session.interrupted);
    record_end(&log, server->path, code, why);
    session_heed(&examiner->session);
    return code;
}

static int refuse(const struct options *options, struct err *err)
{
    report_status(options->status, err_exit_code(err->kind), err, 0);
    return report_error(NULL, err);
}

int command_serve(const struct options *options, char **operands, size_t count)
{
    static struct server server;
    struct err err = {.offset = ERR_NOWHERE};
    if (count != 1) {
        cli_misused(options->cli, count ? "more than one FILE" : "no FILE", &err);
        return refuse(options, &err);
    }
    if (options->suggest && !options->trace)
        err_set(&err, ERR_USAGE, ERR_NOWHERE,
                "--suggest says what was seen to be used: give --trace, too");
    else if (options->trace && options->serve.workers > 1)
        err_set(&err, ERR_USAGE, ERR_NOWHERE,
                "--trace watches one cell: leave out --workers, or say 1");
    if (err.kind != ERR_NONE)
        return refuse(options, &err);
    server.options = options;
    server.path = operands[0];
    server.status = options->status;
    serving_start(&server.serving);
    server.serving.grace = options->serve.request_timeout;
    if (serving_listen(&server.serving, &options->serve.address, &err))
        return refuse(options, &err);
    if (options->serve.metrics.family &&
        serving_watch(&server.serving, &options->serve.metrics, &err))
        return refuse(options, &err);
    if (options->serve.access_log && serving_log(&server.serving, options->serve.access_log, &err))
        return refuse(options, &err);
    if (server.serving.watch >= 0)
        report_line("metrics and health at http://%s", server.serving.watch_at);
    if (options->serve.certificate)
        serving_secure(&server.serving);
    if (options->serve.workers == 1)
        return work(&server, 0);
    server.status = -1;
    int code = workers_run(options->serve.workers, work, &server);
    serving_close(&server.serving);
    report_status(options->status, code, NULL, 0);
    return code;
}
