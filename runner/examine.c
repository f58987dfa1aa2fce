/* From a file to a verdict; see examine.h. The component's bytes are copied and hashed here, never
 * looked into: what they mean, a reader in its cell says. */
#include "runner/examine.h"

#include "runner/filters.h"
#include "shim/demand_cache.h"
#include "shim/engine_file.h"
#include "shim/host.h"
#include "shim/shared.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct examiner *examiner_here(void)
{
    static struct examiner examiner;
    return &examiner;
}

int examiner_open(struct examiner *examiner, const struct options *options, struct err *err)
{
    if (engine_file_find(options->engine, examiner->engine, err))
        return -1;
    size_t count;
    const struct filter_made *made = filters_made(&count);
    seccomp_know(made, count);
    /* A group of its own costs time: only a run whose memory or processors the operator
     * bounds gets one. */
    host_probe(examiner->engine, options->bounded, &examiner->host);
    if (session_open(&examiner->session, err))
        return -1;
    examiner->session.tls.certificate = options->serve.certificate;
    examiner->session.tls.key = options->serve.key;
    examiner->session.tls.single = cell_isolates_by_process(options->serve.isolation);
    return 0;
}

void examiner_close(struct examiner *examiner)
{
    session_close(&examiner->session);
}

int examine_explain(const char *title, const struct plan *plan, struct err *err)
{
    enum operation_phase phase = PHASE_COUNT;
    fprintf(stderr, "%s\n", title);
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation_info *info = &operation_infos[plan->at[i].kind];
        char text[4096];
        operation_text(&plan->at[i], text, sizeof text);
        if (info->phase != phase)
            fprintf(stderr, "  %s: %s\n", phase_infos[info->phase].word,
                    phase_infos[info->phase].meaning);
        phase = info->phase;
        fprintf(stderr, "    %-16s %s\n", info->wall == WALL_NONE ? "-" : walls[info->wall].word,
                text);
    }
    if (ferror(stderr))
        return err_set(
            err, ERR_FAULT, ERR_NOWHERE,
            "cannot write to standard error: what --explain prints is lost: send it elsewhere");
    return 0;
}

static int plan_run(struct examiner *examiner, const struct options *options,
                    struct text_list arguments, struct examined *of, struct err *err)
{
    /* What answers requests is looked at as `carrel serve` would have it. */
    struct policy policy = *of->policy;
    if (options->cli->command == CLI_AUDIT && demand_is(&of->demand, DEMAND_IS_PROXY) &&
        !demand_is(&of->demand, DEMAND_IS_COMMAND))
        policy.allowed |= CAPABILITY(HTTP_IN);
    derive_verdict(&of->demand, &policy, &of->verdict);
    /* The time of a server is that of a request. */
    struct policy run = *of->policy;
    struct cell_serve serve;
    if (examiner->serve) {
        serve = *examiner->serve;
        serve.time = run.timeout < serve.time ? run.timeout : serve.time;
        run.timeout = POLICY_UNLIMITED;
    }
    const struct cell_request request = {
        .role = CELL_RUN,
        .host = &examiner->host,
        .policy = &run,
        .verdict = &of->verdict,
        .component_size = of->component.size,
        .digest = of->component.digest,
        .seed = of->seed,
        .arguments = arguments,
        .invoke = options->invoke,
        .witnessed = examiner->witnessed,
        .serve = examiner->serve ? &serve : NULL,
    };
    return cell_plan_make(&request, &of->run, err);
}

/* Only for a run, which is what has to start soon. */
static bool shares(const struct examiner *examiner, const struct options *options)
{
    return examiner->run_follows && !options->policy.fresh;
}

enum {
#define READING(NAME, word, meaning) READING_##NAME,
#include "shim/protocol.def"
};

static int read_demand(struct examiner *examiner, const struct options *options,
                       struct examined *of, struct err *err)
{
    static const char *const readings[] = {
#define READING(NAME, word, meaning) word,
#include "shim/protocol.def"
    };
    of->reading[0] = readings[examiner->run_follows ? READING_SCAN : READING_WORLD];
    of->reading[1] = options->world;
    const struct cell_request request = {
        .role = CELL_READER,
        .host = &examiner->host,
        .policy = &options->policy,
        .component_size = of->component.size,
        .digest = of->component.digest,
        .arguments = {.at = of->reading,
                      .count = examiner->run_follows ? 1u
                               : options->world      ? 2u
                                                     : 0u},
    };
    /* Only for who wants nothing of the reader but its answer. */
    bool remembers = examiner->run_follows && !options->no_cache;
    bool known = remembers && demand_cache_get(of->component.digest, examiner->engine, &of->demand);
    /* The reader's plan is made twice: what takes most of it, the filter, while others make the
     * namespaces. */
    if (known) {
        shared_take(&examiner->host);
        return 0;
    }
    if (cell_plan_make(&request, &of->reader, err))
        return -1;
    if (shares(examiner, options))
        shared_open(&examiner->session.shim, &examiner->host);
    if (examiner->host.shares && cell_plan_make(&request, &of->reader, err))
        return -1;
    if (options->explain && examine_explain("The reader's cell", &of->reader.plan, err))
        return -1;
    if (session_read(&examiner->session, &of->component, &of->reader.plan, examiner->run_follows,
                     &of->demand, &of->walls, err))
        return -1;
    if (remembers)
        demand_cache_put(of->component.digest, examiner->engine, &of->demand);
    return 0;
}

/* The policy that holds for this component: what the file says of it, by its name and digest. */
static int find_policy(const struct options *options, const char *path, struct examined *of,
                       struct err *err)
{
    const struct policy_file *file = options->file;
    of->policy = &options->policy;
    if (!file || file->component_count == 0)
        return 0;
    const char *slash = strrchr(path, '/');
    const struct policy_subject subject = {.name = slash ? slash + 1 : path,
                                           .digest = of->component.digest};
    if (options_with_policy(options->cli, file, &subject, &of->own, err))
        return -1;
    of->policy = &of->own.policy;
    return 0;
}

/* What serves this component's cell beside it: names are looked up and TLS is spoken under its
 * policy, too. */
static int open_helpers(struct examiner *examiner, const struct examined *of, struct err *err)
{
    struct session *session = &examiner->session;
    lookups_open(&session->lookups, &examiner->host, of->policy);
    return tls_open(&session->tls, &examiner->host, of->policy, &session->shim, err);
}

/* The first of a process is there already: asking the kernel for its room takes longer than a few
 * of its pages. */
static struct examined first;

static struct examined *examined_new(void)
{
    static bool taken;
    struct examined *of = taken ? calloc(1, sizeof *of) : &first;
    taken = true;
    return of;
}

int examine(struct examiner *examiner, const struct options *options, const char *path,
            struct text_list arguments, struct examined **ret, struct err *err)
{
    struct examined *of = examined_new();
    *ret = of;
    if (!of)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "out of memory for the component: close something and try again");
    of->component.memory = -1;
    if (getrandom(of->seed, sizeof of->seed, 0) != (ssize_t)sizeof of->seed)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "no random seed: %s: see what `carrel doctor` says", strerror(errno));
    /* While they are made, the rest of the examination is done. */
    bool early = shares(examiner, options);
    if (early && examiner->host.root)
        shared_begin(&examiner->session.shim, &examiner->host);
    if (session_copy(&examiner->session, path, options->policy.timeout, &of->component, err))
        return -1;
    if (find_policy(options, path, of, err) || open_helpers(examiner, of, err))
        return -1;
    /* An ordinary user's shim enters a user namespace for them, where it may more than here. */
    if (early)
        shared_begin(&examiner->session.shim, &examiner->host);
    if (read_demand(examiner, options, of, err))
        return -1;
    if (options->world && !demand_is(&of->demand, DEMAND_IS_WIT))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "it has no worlds to choose from, being no WIT text: leave out --world");
    return plan_run(examiner, options, arguments, of, err);
}

void examined_free(struct examined *examined)
{
    if (examined) {
        component_close(&examined->component);
        options_free(&examined->own);
    }
    if (examined != &first)
        free(examined);
}
