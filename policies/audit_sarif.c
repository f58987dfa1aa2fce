/* Audits as SARIF 2.1.0 (OASIS): a rule for each capability, a result for each that a file demands
 * beyond what every component has. `note` if it is given, `warning` if the policy does not give it,
 * `error` if the file would be refused for it. */
#include "policies/audit_forms.h"

#include "policies/printable.h"

static json_object *message(const char *value)
{
    json_object *one = json_object_new_object();
    put(one, "text", text(value));
    return one;
}

static json_object *rule(const char *id, const char *what)
{
    json_object *one = json_object_new_object();
    put(one, "id", text(id));
    put(one, "shortDescription", message(what));
    return one;
}

/* The rules beside capabilities. */
static const char unknown_id[] = "import.unknown", mismatch_id[] = "import.type";

static json_object *rule_list(void)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < CAP_COUNT; i++) {
        char what[160];
        snprintf(what, sizeof what, "It may %s.", capabilities[i].what);
        json_object_array_add(list, rule(capabilities[i].word, what));
    }
    json_object_array_add(list, rule(unknown_id, "It imports what carrel does not know."));
    json_object_array_add(list, rule(mismatch_id, "It imports with a type other than WASI's."));
    return list;
}

json_object *audit_sarif_begin(void)
{
    json_object *all = json_object_new_object(), *runs = json_object_new_array(),
                *run = json_object_new_object(), *tool = json_object_new_object(),
                *driver = json_object_new_object();
    put(all, "$schema", text("https://json.schemastore.org/sarif-2.1.0.json"));
    put(all, "version", text("2.1.0"));
    put(driver, "name", text("carrel"));
    put(driver, "version", text(CARREL_VERSION));
    put(driver, "rules", rule_list());
    put(tool, "driver", driver);
    put(run, "tool", tool);
    put(run, "artifacts", json_object_new_array());
    put(run, "results", json_object_new_array());
    json_object_array_add(runs, run);
    put(all, "runs", runs);
    return all;
}

/* A file name as a relative reference (RFC 3986): what is no unreserved byte or `/` is
 * percent-encoded. */
static json_object *uri(const char *file)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    char to[3 * 512 + 8];
    size_t used = 0;
    if (*file == '/')
        used = (size_t)snprintf(to, sizeof to, "file://");
    for (; *file && used + 4 < sizeof to; file++)
        used += (size_t)snprintf(to + used, sizeof to - used,
                                 strchr(plain, *file) ? "%c" : "%%%02X", (unsigned char)*file);
    to[used] = '\0';
    return text(to);
}

static json_object *location(const struct audit *audit)
{
    json_object *list = json_object_new_array(), *one = json_object_new_object(),
                *physical = json_object_new_object(), *artifact = json_object_new_object();
    put(artifact, "uri", uri(audit->in.file));
    put(physical, "artifactLocation", artifact);
    put(one, "physicalLocation", physical);
    json_object_array_add(list, one);
    return list;
}

static void add_result(json_object *results, const struct audit *audit, const char *id,
                       size_t index, const char *level, const char *words)
{
    json_object *one = json_object_new_object(), *prints = json_object_new_object();
    char print[80] = "";
    for (size_t i = 0; i < 8; i++)
        snprintf(print + 2 * i, 3, "%02x", audit->in.digest[i]);
    put(prints, "demand/v1", text(print));
    put(one, "ruleId", text(id));
    put(one, "ruleIndex", json_object_new_int64((int64_t)index));
    put(one, "level", text(level));
    put(one, "message", message(words));
    put(one, "locations", location(audit));
    put(one, "partialFingerprints", prints);
    json_object_array_add(results, one);
}

static void add_capability(json_object *results, const struct audit *audit,
                           enum capability capability)
{
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
    if (calls == 0 || capabilities[capability].given == CAP_GIVEN_DEFAULT)
        return;
    snprintf(words, sizeof words, "Demands %s: to %s, by %zu function%s. It is %s%s%s.",
             capabilities[capability].word, capabilities[capability].what, calls,
             calls == 1 ? "" : "s",
             missing ? "not provided"
             : given ? "given"
                     : "not given",
             given || !*capabilities[capability].flag ? "" : "; this gives it: ",
             given ? "" : capabilities[capability].flag);
    add_result(results, audit, capabilities[capability].word, (size_t)capability,
               missing ? "error"
               : given ? "note"
                       : "warning",
               words);
}

void audit_sarif_add(json_object *document, const struct audit *audit)
{
    json_object *runs = json_object_object_get(document, "runs");
    json_object *run = json_object_array_get_idx(runs, 0);
    json_object *results = json_object_object_get(run, "results"),
                *artifact = json_object_new_object(), *place = json_object_new_object(),
                *hashes = json_object_new_object();
    put(place, "uri", uri(audit->in.file));
    put(artifact, "location", place);
    put(artifact, "length", json_object_new_uint64(audit->in.size));
    put(hashes, "sha-256", audit_hex(audit->in.digest));
    put(artifact, "hashes", hashes);
    put(artifact, "description", message(audit->summary));
    json_object_array_add(json_object_object_get(run, "artifacts"), artifact);
    for (int i = 0; i < CAP_COUNT; i++)
        add_capability(results, audit, (enum capability)i);
    const struct demand *demand = audit->in.demand;
    for (size_t i = 0; i < demand->name_count; i++) {
        char words[4 * DEMAND_NAME_MAX + 64], name[4 * DEMAND_NAME_MAX];
        bool unknown = demand->names[i].list == DEMAND_UNKNOWN;
        if (!unknown && demand->names[i].list != DEMAND_MISMATCH)
            continue;
        snprintf(words, sizeof words, "%s: %s",
                 unknown ? "Imports what carrel does not know" : "Imports with another type",
                 printable(name, sizeof name, demand->names[i].text));
        add_result(results, audit, unknown ? unknown_id : mismatch_id, CAP_COUNT + !unknown,
                   "error", words);
    }
}
