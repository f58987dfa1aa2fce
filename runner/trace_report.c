/* Reports of `carrel trace`; see trace_report.h. Says only what was seen: what a run did not do,
 * another run may. */
#include "runner/trace_report.h"

#include "policies/printable.h"
#include "runner/report.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
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

/* --- System calls -------------------------------------------------------------------------------
 */

size_t trace_report(const struct traced *traced)
{
    const struct trace *trace = traced->trace;
    char idle[1024] = ""; /* rules of the filter by which no call was made */
    size_t length = 0, strange = 0;
    if (!trace->stood)
        report_line("trace: the cell ended before its filter stood: nothing was seen");
    for (int i = 0; i < RULE_COUNT; i++) {
        bool allowed = traced->of->verdict.rules >> i & 1;
        if (trace->rules[i])
            report_line("trace: %-14s %6" PRIu64 " times: %s%s", rules[i].call, trace->rules[i],
                        rules[i].why, allowed ? "" : " -- this is NOT in the audit");
        else if (allowed)
            length +=
                (size_t)snprintf(idle + length, length < sizeof idle ? sizeof idle - length : 0,
                                 "%s%s", length ? " " : "", rules[i].name);
        strange += trace->rules[i] && !allowed;
    }
    for (size_t i = 0; i < trace->other_count; i++)
        report_line("trace: system call %d, which is in no table: this is NOT in the audit",
                    trace->others[i]);
    if (length)
        report_line("trace: in the filter and not made: %s", idle);
    if (trace->lost)
        report_line("trace: %" PRIu64 " further distinct calls did not fit", trace->lost);
    report_grants(traced);
    return strange + trace->other_count;
}

/* --- The suggestion -----------------------------------------------------------------------------
 */

/* A text as YAML has it between double quotes, which JSON's is. */
static void put_quoted(FILE *out, const char *text)
{
    json_object *string = json_object_new_string(text);
    fputs(json_object_to_json_string_ext(string, JSON_C_TO_STRING_NOSLASHESCAPE), out);
    json_object_put(string);
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

/* Reading a variable is no system call: what was given stays, if the component can read it at all.
 */
static void put_environment(FILE *out, const struct traced *traced)
{
    const struct text_list *list = &traced->of->policy->environment;
    if (!capability_in(traced->of->verdict.granted, CAP_ENV) || list->count == 0)
        return;
    fputs("  # Reading a variable cannot be seen: these are all that were given.\n  env:\n", out);
    for (size_t i = 0; i < list->count; i++) {
        fputs("    - ", out);
        put_quoted(out, list->at[i]);
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
    put_environment(out, traced);
    if (policy->memory == CLI_MEMORY_DEFAULT && policy->timeout == POLICY_UNLIMITED &&
        policy->fuel == POLICY_UNLIMITED)
        return;
    fputs("limits:\n", out);
    if (policy->memory != CLI_MEMORY_DEFAULT)
        fprintf(out, "  memory: %" PRIu64 "\n", policy->memory);
    if (policy->timeout != POLICY_UNLIMITED)
        fprintf(out, "  timeout: %" PRIu64 "ns\n", policy->timeout);
    if (policy->fuel != POLICY_UNLIMITED)
        fprintf(out, "  fuel: %" PRIu64 "\n", policy->fuel);
}

int trace_suggest(const struct traced *traced, const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out) {
        int failed = errno;
        if (fd >= 0)
            close(fd);
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "--suggest %s: %s", path,
                       failed == EEXIST ? "there is a file of that name: name another one"
                                        : strerror(failed));
    }
    put_policy(out, traced);
    if (fclose(out))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "--suggest %s: cannot be written: %s", path,
                       strerror(errno));
    return 0;
}
