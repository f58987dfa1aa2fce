/* Prints audits for programs; see audit.h. Names of unknown origin are escaped as in the text, so
 * the document is UTF-8 whatever they are. A member is added, never renamed or given another
 * meaning, without a new "schema". */
#include "policies/audit_forms.h"
#include "policies/quantity.h"

/* "no limit" is null. */
static json_object *limit(uint64_t value)
{
    return value == POLICY_UNLIMITED ? NULL : json_object_new_uint64(value);
}

/* As many as an operator writes: 0.5. */
static json_object *processors(uint64_t millionths)
{
    char digits[QUANTITY_PROCESSORS_SIZE];
    return millionths ? json_object_new_double_s((double)millionths / (double)QUANTITY_PROCESSOR,
                                                 quantity_processors_text(millionths, digits))
                      : NULL;
}

static json_object *rule_names(rule_set set)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < RULE_COUNT; i++)
        if (set >> i & 1)
            json_object_array_add(list, text(rules[i].name));
    return list;
}

static json_object *functions(const struct audit *audit)
{
    json_object *list = json_object_new_array();
    for (size_t g = 0; g < audit->group_count; g++) {
        const struct audit_group *group = &audit->groups[g];
        for (size_t i = 0; i < group->count; i++) {
            enum row row = (enum row)group->rows[i];
            json_object *one = json_object_new_object();
            put(one, "function", audit_row_id(audit->in.demand, row));
            put(one, "capability", text(capabilities[group->capability].word));
            put(one, "answer", text(audit_answer_word(group->answer)));
            put(one, "rules", rule_names(derive_row_rules(audit->in.verdict, row)));
            json_object_array_add(list, one);
        }
    }
    return list;
}

/* Those of one list, and how many there are in truth if the reader left some out. */
static void put_names(json_object *to, const char *key, const struct demand *demand,
                      enum demand_list list)
{
    json_object *names = json_object_new_array();
    for (size_t i = 0; i < demand->name_count; i++)
        if (demand->names[i].list == list)
            json_object_array_add(names, audit_foreign(demand->names[i].text));
    size_t shown = json_object_array_length(names);
    put(to, key, names);
    if (shown < demand->head.totals[list]) {
        char more[64];
        snprintf(more, sizeof more, "%s_total", key);
        put(to, more, json_object_new_uint64(demand->head.totals[list]));
    }
}

/* The functions that it can call and that need the capability: as their own, or besides, as the
 * clock for the time-outs of requests. */
static json_object *needed_by(const struct audit *audit, enum capability capability)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < ROW_COUNT; i++) {
        enum row row = (enum row)i;
        uint8_t answer = audit->in.verdict->answers[row];
        bool called =
            answer == ANSWER_GRANTED || answer == ANSWER_WITHHELD || answer == ANSWER_MISSING;
        if (called && capability_in(derive_needs(row), capability))
            json_object_array_add(list, audit_row_id(audit->in.demand, row));
    }
    return list;
}

static json_object *capability_list(const struct audit *audit)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < CAP_COUNT; i++) {
        enum capability capability = (enum capability)i;
        if (!capability_in(audit->in.verdict->demanded, capability))
            continue;
        json_object *one = json_object_new_object();
        put(one, "capability", text(capabilities[i].word));
        put(one, "lets_it", text(capabilities[i].what));
        put(one, "given",
            json_object_new_boolean(capability_in(audit->in.verdict->granted, capability)));
        if (*capabilities[i].flag)
            put(one, "flag", text(capabilities[i].flag));
        put(one, "because_of", needed_by(audit, capability));
        json_object_array_add(list, one);
    }
    return list;
}

static json_object *rule_list(const struct audit *audit)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < audit->rule_count; i++) {
        const struct audit_rule *rule = &audit->rules[i];
        json_object *one = json_object_new_object(), *only_if = json_object_new_array(),
                    *because = json_object_new_array();
        put(one, "rule", text(rules[rule->rule].name));
        put(one, "system_call", text(rules[rule->rule].call));
        for (int c = 0; c < RULE_CHECKS && rule_checked[rule->rule][c]; c++)
            json_object_array_add(only_if, text(rule_checked[rule->rule][c]));
        put(one, "only_if", only_if);
        put(one, "why", text(rules[rule->rule].why));
        put(one, "in_every_cell", json_object_new_boolean(rule->always));
        for (size_t r = 0; r < rule->count; r++)
            json_object_array_add(because, audit_row_id(audit->in.demand, (enum row)rule->rows[r]));
        put(one, "because_of", because);
        json_object_array_add(list, one);
    }
    return list;
}

/* The very operations that a run carries out. */
static json_object *operations(const struct plan *plan)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation *operation = &plan->at[i];
        const struct operation_info *info = &operation_infos[operation->kind];
        char line[2048];
        operation_text(operation, line, sizeof line);
        json_object *one = json_object_new_object();
        put(one, "operation", text(info->word));
        put(one, "phase", text(phase_infos[info->phase].word));
        put(one, "wall", info->wall == WALL_NONE ? NULL : text(walls[info->wall].word));
        put(one, "text", text(line));
        json_object_array_add(list, one);
    }
    return list;
}

static json_object *wall_list(const struct audit *audit)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < WALL_COUNT; i++) {
        json_object *one = json_object_new_object();
        put(one, "wall", text(walls[i].word));
        put(one, "state", text(audit_standing_word(audit->walls[i])));
        put(one, "required", json_object_new_boolean(walls[i].need == WALL_REQUIRED));
        put(one, "kernel", text(walls[i].kernel));
        put(one, "keeps", text(walls[i].keeps));
        if (audit->walls[i] == AUDIT_MISSING)
            put(one, "why", audit->in.why[i] ? text(audit->in.why[i]) : NULL);
        json_object_array_add(list, one);
    }
    return list;
}

static json_object *world_list(const struct audit *audit)
{
    char names[128], *rest = names;
    json_object *list = json_object_new_array();
    audit_worlds(audit, names, sizeof names);
    for (const char *name = strsep(&rest, ","); name && *name; name = strsep(&rest, ","))
        json_object_array_add(list, text(name + strspn(name, " ")));
    return list;
}

static json_object *lack(const struct audit_lack *of)
{
    json_object *one = json_object_new_object();
    put(one, "isolation", text(of->word));
    put(one, "what", text(of->what));
    put(one, "not_held", text(of->lacks));
    return one;
}

/* What no wall holds: of each way of isolation, and for whoever starts carrel; that of the tier
 * which this carrel is comes last. */
static json_object *lack_list(const struct audit *audit)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < ISOLATIONS; i++)
        json_object_array_add(list, lack(&isolations[i]));
    for (int i = 0; i < TIERS; i++)
        if (&tiers[i] != audit_tier(audit))
            json_object_array_add(list, lack(&tiers[i]));
    json_object_array_add(list, lack(audit_tier(audit)));
    return list;
}

static const char *const starters[] = {
    [START_RUN] = "carrel run",
    [START_SERVE] = "carrel serve",
    [START_INVOKE] = "carrel run --invoke",
};

static json_object *whole(const struct audit *audit)
{
    const struct audit_input *in = &audit->in;
    json_object *one = json_object_new_object(), *limits = json_object_new_object();
    put(one, "file", audit_foreign(str_of(in->file)));
    put(one, "sha256", audit_hex(in->digest));
    put(one, "size", json_object_new_uint64(in->size));
    put(one, "kind", text(audit_kind(in->demand)));
    put(one, "summary", text(audit->summary));
    put(one, "worlds", world_list(audit));
    if (demand_is(in->demand, DEMAND_IS_WIT))
        put_names(one, "wit_worlds", in->demand, DEMAND_WORLD);
    put(one, "runs", json_object_new_boolean(audit_runs(audit)));
    put(one, "refusal", audit_runs(audit) ? NULL : text(audit->refusal.text));
    put(one, "started_by", audit->refused ? NULL : text(starters[audit->start]));
    put_names(one, "imports", in->demand, DEMAND_IMPORT);
    put_names(one, "exports", in->demand, DEMAND_EXPORT);
    put_names(one, "unknown", in->demand, DEMAND_UNKNOWN);
    put_names(one, "uncalled", in->demand, DEMAND_UNCALLED);
    put_names(one, "mismatched", in->demand, DEMAND_MISMATCH);
    put_names(one, "requests", in->demand, DEMAND_REQUEST);
    put(one, "functions", functions(audit));
    put(one, "capabilities", capability_list(audit));
    put(one, "system_calls", rule_list(audit));
    put(limits, "memory", limit(in->policy->memory));
    put(limits, "nanoseconds", limit(in->policy->timeout));
    put(limits, "fuel", limit(in->policy->fuel));
    put(limits, "cpus", processors(in->policy->cpus));
    put(limits, "memory_at_start", json_object_new_uint64(in->demand->head.memory[0]));
    put(one, "limits", limits);
    put(one, "operations", operations(in->plan));
    put(one, "walls", wall_list(audit));
    put(one, "not_held", lack_list(audit));
    return one;
}

json_object *audit_json_begin(void)
{
    json_object *all = json_object_new_object();
    put(all, "schema", text("carrel-audit-1"));
    put(all, "files", json_object_new_array());
    return all;
}

void audit_json_add(json_object *document, const struct audit *audit)
{
    json_object *files = NULL;
    if (json_object_object_get_ex(document, "files", &files))
        json_object_array_add(files, whole(audit));
}

void audit_json_fail(json_object *document, const char *file, const struct err *err)
{
    json_object *files = NULL, *one = json_object_new_object(), *error = json_object_new_object();
    put(error, "kind", text(err_word(err->kind)));
    put(error, "text", audit_foreign(str_of(err->text)));
    if (err->offset != ERR_NOWHERE)
        put(error, "offset", json_object_new_uint64(err->offset));
    put(one, "file", audit_foreign(str_of(file)));
    put(one, "runs", json_object_new_boolean(false));
    put(one, "error", error);
    if (json_object_object_get_ex(document, "files", &files))
        json_object_array_add(files, one);
    else
        json_object_put(one);
}
