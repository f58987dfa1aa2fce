/* Reports of `carrel trace`; see trace_report.h. Says only what was seen: what a run did not do,
 * another run may. */
#include "runner/trace_report.h"

#include "engine/base/utf.h"
#include "policies/printable.h"
#include "policies/quantity.h"
#include "runner/report.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Grants -------------------------------------------------------------------------------------
 */

static bool is_grant(const struct plan *plan, size_t descriptor)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->at[i].kind == OPERATION_GRANT && plan->at[i].of.grant.descriptor == descriptor)
            return true;
    return false;
}

static bool opens(rule_set set)
{
    for (int i = 0; i < RULE_COUNT; i++)
        if (set >> i & 1 && strcmp(rules[i].call, "openat") == 0)
            return true;
    return false;
}

/* The rules by which calls were made on a grant, and on what was opened below it. Where that is not
 * known, on whatever was opened: a suggestion then has too much rather than too little. */
static rule_set used_by(const struct traced *traced, const struct operation_grant *grant)
{
    const struct trace *trace = traced->trace;
    rule_set set = grant->descriptor < TRACE_DESCRIPTORS ? trace->by_grant[grant->descriptor] : 0;
    for (size_t i = 0; trace->heard && opens(set) && i < TRACE_DESCRIPTORS; i++)
        if (trace->by_grant[i] && !is_grant(&traced->of->run.plan, i))
            set |= trace->by_grant[i];
    return set;
}

static bool changes(rule_set set)
{
    for (int i = 0; i < RULE_COUNT; i++)
        if (set >> i & 1 &&
            (rules[i].capability == CAP_DIR_WRITE || rules[i].capability == CAP_DIR_MUTATE))
            return true;
    return false;
}

static bool needed(const struct network_uses *uses, const struct net_rule *rule)
{
    for (size_t i = 0; i < uses->count; i++)
        if (uses->at[i].by == rule)
            return true;
    return uses->count == countof(uses->at);
}

static void report_grants(const struct traced *traced)
{
    static const char *const kinds[GRANT_KINDS] = {
        [GRANT_STDIN] = "stdin", [GRANT_STDOUT] = "stdout", [GRANT_STDERR] = "stderr"};
    const struct plan *plan = &traced->of->run.plan;
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation_grant *grant = &plan->at[i].of.grant;
        if (plan->at[i].kind != OPERATION_GRANT)
            continue;
        rule_set set = used_by(traced, grant);
        bool writable = grant->rights & (RIGHT_WRITE | RIGHT_MUTATE);
        if (kinds[grant->kind])
            report_line("trace: %s: %s", kinds[grant->kind], set ? "used" : "given and not used");
        else if (grant->kind == GRANT_DIRECTORY)
            report_line("trace: directory %s: %s", grant->name,
                        !set           ? "given and not used"
                        : changes(set) ? "read and changed"
                        : writable     ? "read only, and given for writing"
                                       : "read");
    }
    for (size_t i = 0; i < traced->uses->count; i++)
        report_line("trace: network: used %s", traced->uses->at[i].text);
    for (size_t i = 0; i < traced->of->policy->net_count; i++)
        if (!needed(traced->uses, &traced->of->policy->net[i]))
            report_line("trace: network: --%s %s: given and not used",
                        traced->of->policy->net[i].use >= NET_HTTP ? "http" : "net",
                        traced->of->policy->net[i].text);
}

/* What was given that is read without a system call of its own. */
static void report_settings(const struct traced *traced)
{
    const struct policy *policy = traced->of->policy;
    const struct {
        const char *what;
        enum capability capability;
        size_t count;
    } given[] = {
        {"environment variables", CAP_ENV, policy->environment.count},
        {"settings", CAP_CONFIG, policy->config.count},
        {"stores", CAP_KEYVALUE, policy->store_count},
        {"the time zone", CAP_TIMEZONE, policy->zone_name != NULL},
    };
    for (size_t i = 0; i < countof(given); i++)
        if (given[i].count)
            report_line("trace: %s: %s", given[i].what,
                        capability_in(traced->of->verdict.granted, given[i].capability)
                            ? "given; whether they were read cannot be seen"
                            : "given, and it has nothing to read them with");
}

/* What it can ask for and was not given, and what it did ask for. */
static void report_denied(const struct traced *traced)
{
    const struct verdict *verdict = &traced->of->verdict;
    capability_set withheld = verdict->demanded & ~verdict->granted;
    char words[512] = "";
    size_t length = 0;
    for (int i = 0; i < CAP_COUNT; i++)
        if (capability_in(withheld, (enum capability)i))
            length += (size_t)snprintf(words + length, sizeof words - length, "%s%s",
                                       length ? ", " : "", capabilities[i].word);
    if (withheld)
        report_line("trace: demanded and not given: %s", words);
    if (traced->uses->denied)
        report_line("trace: denied: %zu cause%s, told above", traced->uses->denied,
                    traced->uses->denied == 1 ? "" : "s");
    else
        report_line("trace: denied: nothing that it asked for");
}

/* --- System calls -------------------------------------------------------------------------------
 */

/* The rule by which a call was made next after those of `done`; RULE_COUNT: there is none. */
static int next_rule(const struct trace *trace, rule_set done)
{
    int next = RULE_COUNT;
    for (int i = 0; i < RULE_COUNT; i++)
        if (trace->rules[i] && !(done >> i & 1) &&
            (next == RULE_COUNT || trace->first[i] < trace->first[next]))
            next = i;
    return next;
}

/* Those of the filter by which none was made. */
static void report_idle(const struct traced *traced)
{
    char idle[1024] = "";
    size_t length = 0;
    for (int i = 0; i < RULE_COUNT; i++)
        if (traced->trace->allowed >> i & 1 && !traced->trace->rules[i])
            length +=
                (size_t)snprintf(idle + length, length < sizeof idle ? sizeof idle - length : 0,
                                 "%s%s", length ? " " : "", rules[i].name);
    if (length)
        report_line("trace: in the filter and not made: %s", idle);
}

size_t trace_report(const struct traced *traced)
{
    const struct trace *trace = traced->trace;
    size_t strange = 0;
    if (!trace->stood)
        report_line("trace: the cell ended before its filter stood: nothing was seen");
    rule_set done = 0;
    for (int i; (i = next_rule(trace, done)) < RULE_COUNT; done |= (rule_set)1 << i) {
        bool allowed = trace->allowed >> i & 1;
        report_line("trace: %-14s %6" PRIu64 " times, first after %" PRIu64 ".%03" PRIu64
                    " ms: %s%s",
                    rules[i].call, trace->rules[i], trace->first[i] / 1000000,
                    trace->first[i] / 1000 % 1000, rules[i].why,
                    allowed ? "" : " -- this is NOT in the audit");
        strange += !allowed;
    }
    for (size_t i = 0; i < trace->other_count; i++)
        report_line("trace: system call %d, which is in no table: this is NOT in the audit",
                    trace->others[i]);
    report_idle(traced);
    if (trace->lost)
        report_line("trace: %" PRIu64 " further distinct calls did not fit", trace->lost);
    report_grants(traced);
    report_settings(traced);
    report_denied(traced);
    return strange + trace->other_count;
}

/* --- The suggestion -----------------------------------------------------------------------------
 */

static bool is_utf8(const char *text)
{
    return utf8_valid((struct bytes){(const uint8_t *)text, strlen(text)});
}

/* A text as YAML has it between double quotes: what cannot be seen, or moves what is beside it, is
 * escaped. */
static void put_quoted(FILE *out, const char *text)
{
    char shown[512];
    const uint8_t *at =
        (const uint8_t *)(is_utf8(text) ? text : printable(shown, sizeof shown, str_of(text)));
    fputc('"', out);
    while (*at) {
        const uint8_t *from = at;
        uint32_t scalar = utf8_next(&at);
        if (scalar == '"' || scalar == '\\')
            fprintf(out, "\\%c", (char)scalar);
        else if (utf8_hides(scalar))
            fprintf(out, "\\U%08" PRIx32, scalar);
        else
            fwrite(from, 1, (size_t)(at - from), out);
    }
    fputc('"', out);
}

static const struct policy_directory *directory_of(const struct policy *policy, const char *guest)
{
    for (size_t i = 0; i < policy->directory_count; i++)
        if (strcmp(policy->directories[i].guest, guest) == 0)
            return &policy->directories[i];
    return NULL;
}

static void put_directories(FILE *out, const struct traced *traced)
{
    const struct plan *plan = &traced->of->run.plan;
    bool first = true;
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation_grant *grant = &plan->at[i].of.grant;
        if (plan->at[i].kind != OPERATION_GRANT || grant->kind != GRANT_DIRECTORY)
            continue;
        const struct policy_directory *from = directory_of(traced->of->policy, grant->name);
        rule_set set = used_by(traced, grant);
        if (!from || !set)
            continue;
        fputs(first ? "  dir:\n    - {host: " : "    - {host: ", out);
        put_quoted(out, from->host);
        fputs(", guest: ", out);
        put_quoted(out, from->guest);
        fprintf(out, ", access: %s}\n", changes(set) ? "write" : "read");
        first = false;
    }
}

/* What the network was used for: "http ORIGIN" is a line of `http`, the others are rules of `net`.
 */
static void put_network(FILE *out, const struct network_uses *uses, bool http)
{
    bool first = true;
    for (size_t i = 0; i < uses->count; i++) {
        bool origin = strncmp(uses->at[i].text, "http", 4) == 0;
        if (origin != http)
            continue;
        fprintf(out, first ? "  %s:\n    - " : "    - ", http ? "http" : "net");
        put_quoted(out, uses->at[i].text);
        fputc('\n', out);
        first = false;
    }
}

/* A list below a key of `allow`. */
static void put_list(FILE *out, const char *key, const struct text_list *list)
{
    fprintf(out, "  %s:\n", key);
    for (size_t i = 0; i < list->count; i++) {
        fputs("    - ", out);
        put_quoted(out, list->at[i]);
        fputc('\n', out);
    }
}

/* Reading a variable or a setting is no system call, and which store a call is about cannot be
 * seen: what was given stays, if the component can ask for it at all. */
static void put_settings(FILE *out, const struct traced *traced)
{
    const struct policy *policy = traced->of->policy;
    capability_set granted = traced->of->verdict.granted;
    bool environment = capability_in(granted, CAP_ENV) && policy->environment.count,
         config = capability_in(granted, CAP_CONFIG) && policy->config.count,
         stores = capability_in(granted, CAP_KEYVALUE) && policy->store_count,
         zone = capability_in(granted, CAP_TIMEZONE) && policy->zone_name;
    if (environment || config || stores || zone)
        fputs("  # What of these was used cannot be seen: they are all that was given.\n", out);
    if (environment)
        put_list(out, "env", &policy->environment);
    if (config)
        put_list(out, "config", &policy->config);
    if (stores)
        fputs("  keyvalue:\n", out);
    for (size_t i = 0; stores && i < policy->store_count; i++) {
        char store[PATH_MAX + 256];
        snprintf(store, sizeof store, "%s=%s", policy->stores[i].name, policy->stores[i].path);
        fputs("    - ", out);
        put_quoted(out, store);
        fputc('\n', out);
    }
    if (zone) {
        fputs("  timezone: ", out);
        put_quoted(out, policy->zone_name);
        fputc('\n', out);
    }
}

static void put_policy(FILE *out, const struct traced *traced)
{
    const struct policy *policy = traced->of->policy;
    char name[512];
    snprintf(name, sizeof name, "what one run of %s used, as `carrel trace` saw it", traced->path);
    fputs("version: 1\ndescription: ", out);
    put_quoted(out, name);
    fputs("\nallow:\n  capability: []\n", out);
    put_directories(out, traced);
    put_network(out, traced->uses, /*http=*/false);
    put_network(out, traced->uses, /*http=*/true);
    put_settings(out, traced);
    if (policy->memory == CLI_MEMORY_DEFAULT && policy->timeout == POLICY_UNLIMITED &&
        policy->fuel == POLICY_UNLIMITED && !policy->cpus)
        return;
    fputs("limits:\n", out);
    if (policy->memory != CLI_MEMORY_DEFAULT)
        fprintf(out, "  memory: %" PRIu64 "\n", policy->memory);
    char cpus[QUANTITY_PROCESSORS_SIZE];
    if (policy->cpus)
        fprintf(out, "  cpus: %s\n", quantity_processors_text(policy->cpus, cpus));
    if (policy->timeout != POLICY_UNLIMITED)
        fprintf(out, "  timeout: %" PRIu64 "ns\n", policy->timeout);
    if (policy->fuel != POLICY_UNLIMITED)
        fprintf(out, "  fuel: %" PRIu64 "\n", policy->fuel);
}

/* What a policy file, which is UTF-8, cannot hold of what was given; or NULL. */
static const char *find_unwritable(const struct policy *policy)
{
    for (size_t i = 0; i < policy->directory_count; i++)
        if (!is_utf8(policy->directories[i].host) || !is_utf8(policy->directories[i].guest))
            return policy->directories[i].host;
    for (size_t i = 0; i < policy->store_count; i++)
        if (!is_utf8(policy->stores[i].name) || !is_utf8(policy->stores[i].path))
            return policy->stores[i].path;
    for (size_t i = 0; i < policy->environment.count; i++)
        if (!is_utf8(policy->environment.at[i]))
            return "an environment variable";
    for (size_t i = 0; i < policy->config.count; i++)
        if (!is_utf8(policy->config.at[i]))
            return "a setting of --config";
    return NULL;
}

static int no_suggestion(const char *path, int error, struct err *err)
{
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "--suggest %s: %s: %s", path,
                   error == EEXIST ? "there is a file of that name" : strerror(error),
                   error == ENOENT ? "make its folder, or name another file" : "name another file");
}

int trace_may_suggest(const char *path, struct err *err)
{
    struct stat status;
    const char *slash = strrchr(path, '/');
    if (lstat(path, &status) == 0)
        return no_suggestion(path, EEXIST, err);
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    int error = !folder ? ENOMEM : access(folder, W_OK | X_OK) ? errno : 0;
    free(folder);
    return error ? no_suggestion(path, error, err) : 0;
}

int trace_suggest(const struct traced *traced, const char *path, struct err *err)
{
    const char *unwritable = find_unwritable(traced->of->policy);
    if (unwritable)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--suggest %s: %s is no UTF-8, and policy files are: give it another name "
                       "or value",
                       path, unwritable);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out) {
        int failed = errno;
        if (fd >= 0)
            close(fd);
        return no_suggestion(path, failed, err);
    }
    put_policy(out, traced);
    if (fclose(out))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "--suggest %s: cannot be written: %s: name another file", path,
                       strerror(errno));
    return 0;
}
