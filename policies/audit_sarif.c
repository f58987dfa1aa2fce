/* Audits as SARIF 2.1.0 (OASIS): a rule for each capability, a result for each that a file demands
 * beyond what every component has. `note` if it is given, `warning` if the policy does not give it,
 * `error` if the file would be refused for it, or could not be read. */
#include "policies/audit_forms.h"

#include "policies/printable.h"
#include <inttypes.h>
#include <limits.h>

static json_object *message(const char *value)
{
    json_object *one = json_object_new_object();
    put(one, "text", text(value));
    return one;
}

/* The rules beside capabilities, which come first: OTHER(NAME, "id", "level", "what it says"). */
#define OTHER_RULES                                                                                \
    OTHER(UNKNOWN, "import.unknown", "error", "It imports what carrel does not know.")             \
    OTHER(MISMATCH, "import.type", "error", "It imports with a type other than WASI's.")           \
    OTHER(DEAD, "import.dead", "note", "It imports functions that nothing in it can call.")        \
    OTHER(REQUEST, "request", "note", "Its publisher asks for something, and gets nothing by it.") \
    OTHER(REFUSED, "refused", "error", "A run with this policy would be refused.")                 \
    OTHER(UNREAD, "unread", "error", "It is no file that could be audited.")

enum other_rule {
#define OTHER(name, id, level, what) RULE_##name##_AT,
    OTHER_RULES
#undef OTHER
};

static const struct {
    const char *id;
    const char *level;
    const char *what;
} others[] = {
#define OTHER(name, id, level, what) [RULE_##name##_AT] = {id, level, what},
    OTHER_RULES
#undef OTHER
};

static json_object *rule(const char *id, const char *level, const char *what, const char *help)
{
    json_object *one = json_object_new_object(), *settings = json_object_new_object(),
                *properties = json_object_new_object(), *tags = json_object_new_array();
    put(one, "id", text(id));
    put(one, "shortDescription", message(what));
    if (*help)
        put(one, "help", message(help));
    put(settings, "level", text(level));
    put(one, "defaultConfiguration", settings);
    json_object_array_add(tags, text("security"));
    put(properties, "tags", tags);
    put(one, "properties", properties);
    return one;
}

static json_object *rule_list(void)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < CAP_COUNT; i++) {
        const struct capability_info *of = &capabilities[i];
        char what[160], help[160] = "";
        snprintf(what, sizeof what, "It may %s.", of->what);
        if (*of->flag)
            snprintf(help, sizeof help, "Only the operator gives it, with %s.", of->flag);
        const char *level = of->given == CAP_GIVEN_DEFAULT ? "none" : "warning";
        json_object_array_add(list, rule(of->word, level, what, help));
    }
    for (size_t i = 0; i < countof(others); i++)
        json_object_array_add(list, rule(others[i].id, others[i].level, others[i].what, ""));
    return list;
}

json_object *audit_sarif_begin(void)
{
    json_object *all = json_object_new_object(), *runs = json_object_new_array(),
                *run = json_object_new_object(), *tool = json_object_new_object(),
                *driver = json_object_new_object(), *calls = json_object_new_array(),
                *call = json_object_new_object();
    put(all, "$schema", text("https://json.schemastore.org/sarif-2.1.0.json"));
    put(all, "version", text("2.1.0"));
    put(driver, "name", text("carrel"));
    put(driver, "version", text(CARREL_VERSION));
    put(driver, "rules", rule_list());
    put(tool, "driver", driver);
    put(run, "tool", tool);
    put(call, "executionSuccessful", json_object_new_boolean(true));
    json_object_array_add(calls, call);
    put(run, "invocations", calls);
    put(run, "artifacts", json_object_new_array());
    put(run, "results", json_object_new_array());
    json_object_array_add(runs, run);
    put(all, "runs", runs);
    return all;
}

/* The run of a document, and its results. */
static json_object *run_of(json_object *document)
{
    return json_object_array_get_idx(json_object_object_get(document, "runs"), 0);
}

static json_object *results_of(json_object *document)
{
    return json_object_object_get(run_of(document), "results");
}

/* A file name as a relative reference (RFC 3986): what is no unreserved byte or `/` is
 * percent-encoded. */
static json_object *uri(const char *file)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    char to[3 * PATH_MAX + 8];
    size_t used = 0;
    if (*file == '/')
        used = (size_t)snprintf(to, sizeof to, "file://");
    for (; *file && used + 4 < sizeof to; file++)
        used += (size_t)snprintf(to + used, sizeof to - used,
                                 strchr(plain, *file) ? "%c" : "%%%02X", (unsigned char)*file);
    to[used] = '\0';
    return text(to);
}

static json_object *location(const char *file)
{
    json_object *list = json_object_new_array(), *one = json_object_new_object(),
                *physical = json_object_new_object(), *artifact = json_object_new_object();
    put(artifact, "uri", uri(file));
    put(physical, "artifactLocation", artifact);
    put(one, "physicalLocation", physical);
    json_object_array_add(list, one);
    return list;
}

/* `about` tells results of one rule apart, and stays the same in the next build of the component,
 * so that whoever keeps results knows it for the same one. */
static void add_result(json_object *results, const char *file, size_t index, const char *level,
                       const char *about, const char *words)
{
    json_object *one = json_object_new_object(), *prints = json_object_new_object();
    const char *id = index < CAP_COUNT ? capabilities[index].word : others[index - CAP_COUNT].id;
    put(prints, "demand/v2", text(about));
    put(one, "ruleId", text(id));
    put(one, "ruleIndex", json_object_new_int64((int64_t)index));
    put(one, "level", text(level));
    put(one, "message", message(words));
    put(one, "locations", location(file));
    put(one, "partialFingerprints", prints);
    json_object_array_add(results, one);
}

static void add_other(json_object *results, const char *file, enum other_rule rule,
                      const char *about, const char *words)
{
    add_result(results, file, CAP_COUNT + (size_t)rule, others[rule].level, about, words);
}

static void add_capability(json_object *results, const struct audit *audit,
                           enum capability capability)
{
    const struct capability_info *of = &capabilities[capability];
    const struct verdict *verdict = audit->in.verdict;
    size_t calls = 0, missing = 0;
    char words[320];
    for (int row = 0; row < ROW_COUNT; row++) {
        bool counts =
            row_infos[row].capability == capability && verdict->answers[row] >= ANSWER_GRANTED;
        calls += counts;
        missing += counts && verdict->answers[row] == ANSWER_MISSING;
    }
    bool given = capability_in(verdict->granted, capability);
    if (calls == 0 || of->given == CAP_GIVEN_DEFAULT)
        return;
    snprintf(words, sizeof words, "Demands %s: to %s, by %zu function%s. It is %s%s%s.", of->word,
             of->what, calls, calls == 1 ? "" : "s",
             missing ? "not provided"
             : given ? "given"
                     : "not given",
             given || !*of->flag ? "" : "; this gives it: ", given ? "" : of->flag);
    const char *level = missing ? "error" : given ? "note" : "warning";
    add_result(results, audit->in.file, capability, level, of->word, words);
}

/* What toolchains bring along: told once for a file. */
static void add_dead(json_object *results, const struct audit *audit)
{
    struct audit_counts counts = audit_count(audit);
    char words[160];
    if (counts.reached == counts.imported)
        return;
    snprintf(words, sizeof words,
             "Imports %zu functions of WASI and can call %zu of them: the others are linked to a "
             "trap.",
             counts.imported, counts.reached);
    add_other(results, audit->in.file, RULE_DEAD_AT, "", words);
}

/* The names that are results, and of which rule. */
static void add_names(json_object *results, const struct audit *audit)
{
    static const struct {
        enum demand_list list;
        enum other_rule rule;
        const char *words;
    } told[] = {
        {DEMAND_UNKNOWN, RULE_UNKNOWN_AT, "Imports what carrel does not know"},
        {DEMAND_UNCALLED, RULE_DEAD_AT, "Imports, and never calls, what carrel does not know"},
        {DEMAND_MISMATCH, RULE_MISMATCH_AT, "Imports with another type"},
        {DEMAND_REQUEST, RULE_REQUEST_AT, "Asks for, and gets nothing by asking"},
    };
    const struct demand *demand = audit->in.demand;
    for (size_t i = 0; i < demand->name_count; i++) {
        char words[4 * DEMAND_NAME_MAX + 64], name[4 * DEMAND_NAME_MAX];
        for (size_t k = 0; k < countof(told); k++) {
            if (demand->names[i].list != told[k].list)
                continue;
            printable(name, sizeof name, demand->names[i].text);
            snprintf(words, sizeof words, "%s: %s", told[k].words, name);
            add_other(results, audit->in.file, told[k].rule, name, words);
        }
    }
    for (size_t k = 0; k < countof(told); k++) {
        uint32_t listed = 0, total = demand->head.totals[told[k].list];
        char words[160];
        for (size_t i = 0; i < demand->name_count; i++)
            listed += demand->names[i].list == told[k].list;
        if (listed == total)
            continue;
        snprintf(words, sizeof words, "%s: %" PRIu32 " more", told[k].words, total - listed);
        add_other(results, audit->in.file, told[k].rule, "more", words);
    }
}

void audit_sarif_add(json_object *document, const struct audit *audit)
{
    json_object *results = results_of(document), *artifact = json_object_new_object(),
                *artifacts = json_object_object_get(run_of(document), "artifacts"),
                *place = json_object_new_object(), *hashes = json_object_new_object();
    put(place, "uri", uri(audit->in.file));
    put(artifact, "location", place);
    put(artifact, "length", json_object_new_uint64(audit->in.size));
    put(hashes, "sha-256", audit_hex(audit->in.digest));
    put(artifact, "hashes", hashes);
    put(artifact, "description", message(audit->summary));
    for (size_t i = 0; i < json_object_array_length(artifacts); i++)
        if (json_object_equal(json_object_array_get_idx(artifacts, i), artifact)) {
            json_object_put(artifact); /* the same file twice */
            return;
        }
    json_object_array_add(artifacts, artifact);
    if (audit->refused) {
        char words[sizeof audit->refusal.text + 16];
        snprintf(words, sizeof words, "It %s.", audit->refusal.text);
        add_other(results, audit->in.file, RULE_REFUSED_AT, "", words);
    }
    for (int i = 0; i < CAP_COUNT; i++)
        add_capability(results, audit, (enum capability)i);
    add_names(results, audit);
    add_dead(results, audit);
}

void audit_sarif_fail(json_object *document, const char *file, const struct err *err)
{
    char words[4 * sizeof err->text];
    json_object *call =
        json_object_array_get_idx(json_object_object_get(run_of(document), "invocations"), 0);
    put(call, "executionSuccessful", json_object_new_boolean(false));
    printable(words, sizeof words, str_of(err->text));
    add_other(results_of(document), file, RULE_UNREAD_AT, "", words);
}
