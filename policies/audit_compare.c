/* Compares demands with policies and with each other; see audit_compare.h. Pure but for the
 * printing; names of unknown origin go through printable(). */
#include "policies/audit_compare.h"

#include "policies/audit_forms.h"
#include "policies/printable.h"
#include <inttypes.h>

#define NAMED_MAX 4 /* functions that a line names */
#define NAMES_MAX 8 /* lines about imports of one sort; of the others their number is told */

/* What is said, in either form. */
struct telling {
    struct audit_compare *to;
    const char *prefix; /* of a line of text: "+ ", or the file's name */
    json_object *list;  /* that a member is added to; NULL: text */
    const char *change; /* of JSON: "more", "less"; NULL: an excess */
};

static bool reached(const struct demand *demand, int row)
{
    return row_infos[row].kind != ROW_EXPORT && demand_reaches(demand, (enum row)row);
}

/* "interface#name, ..., and 3 more" of the rows that `wanted` says. */
static void print_rows(FILE *out, const struct demand *demand, const bool wanted[ROW_COUNT])
{
    size_t count = 0;
    for (int row = 0; row < ROW_COUNT; row++) {
        if (!wanted[row])
            continue;
        if (count < NAMED_MAX)
            fprintf(out, "%s%s#%s%s", count ? ", " : "", audit_interface(demand, (enum row)row),
                    row_infos[row].kind == ROW_DROP ? "[resource-drop]" : "", row_infos[row].name);
        count++;
    }
    if (count > NAMED_MAX)
        fprintf(out, " and %zu more", count - NAMED_MAX);
}

static json_object *row_list(const struct demand *demand, const bool wanted[ROW_COUNT])
{
    json_object *list = json_object_new_array();
    for (int row = 0; row < ROW_COUNT; row++)
        if (wanted[row])
            json_object_array_add(list, audit_row_id(demand, (enum row)row));
    return list;
}

/* One more member, of this kind. */
static json_object *member(const struct telling *telling, const char *kind)
{
    json_object *one = json_object_new_object();
    if (telling->change)
        put(one, "change", text(telling->change));
    put(one, "kind", text(kind));
    json_object_array_add(telling->list, one);
    return one;
}

/* --- What both say ------------------------------------------------------------------------------
 */

/* Names of `list` that are not in `but` (NULL: all), and how many there are besides that did not
 * fit into the answer: those cannot be compared, and count. */
static size_t tell_names(const struct telling *telling, const struct demand *demand,
                         const struct demand *but, enum demand_list list, const char *kind,
                         const char *what)
{
    FILE *out = telling->to->out;
    size_t fresh = 0, listed = 0;
    for (size_t i = 0; i < demand->name_count; i++) {
        char name[4 * DEMAND_NAME_MAX];
        const struct demand_name *of = &demand->names[i];
        bool known = false;
        if (of->list != list)
            continue;
        listed++;
        for (size_t k = 0; but && k < but->name_count && !known; k++)
            known = but->names[k].list == list && str_eq(but->names[k].text, of->text);
        if (known)
            continue;
        fresh++;
        printable(name, sizeof name, of->text);
        if (telling->list)
            put(member(telling, kind), "name", text(name));
        else if (fresh <= NAMES_MAX)
            fprintf(out, "%s%s: %s\n", telling->prefix, what, name);
    }
    uint64_t total = demand->head.totals[list], unlisted = total > listed ? total - listed : 0;
    uint64_t untold = unlisted + (fresh > NAMES_MAX ? fresh - NAMES_MAX : 0);
    if (telling->list && unlisted)
        put(member(telling, kind), "more", json_object_new_uint64(unlisted));
    else if (!telling->list && untold)
        fprintf(out, "%s%s: %" PRIu64 " more\n", telling->prefix, what, untold);
    return fresh + (size_t)unlisted;
}

/* --- Excess -------------------------------------------------------------------------------------
 */

static const char *remedy(const struct policy *policy, enum capability capability)
{
    return capability_in(policy->denied, capability)           ? "denied by the policy"
           : capabilities[capability].given == CAP_GIVEN_LATER ? "nothing gives it yet"
                                                               : "not allowed by the policy";
}

/* What a row can do with all that it could be given: opening a file may create or empty it, too. A
 * function of preview 1 that is for any descriptor changes files only that path_open has opened,
 * which says so itself; of the standard streams it has those that it reads or writes. */
static capability_set demands(enum row row)
{
    const struct row_info *info = &row_infos[row];
    if (info->kind != ROW_PREVIEW1 || info->capability != CAP_IO)
        return derive_needs(row);
    return CAPABILITY(IO) | (info->rules >> RULE_READ & 1 ? CAPABILITY(STDIN) : 0) |
           (info->rules >> RULE_WRITE & 1 ? CAPABILITY(STDOUT) | CAPABILITY(STDERR) : 0);
}

static void tell_excess(const struct telling *telling, const struct audit_input *in,
                        enum capability capability, const bool wanted[ROW_COUNT])
{
    const struct capability_info *info = &capabilities[capability];
    const char *why = remedy(in->policy, capability);
    if (telling->list) {
        json_object *one = member(telling, "capability");
        put(one, "capability", text(info->word));
        put(one, "lets_it", text(info->what));
        put(one, "why", text(why));
        put(one, "functions", row_list(in->demand, wanted));
        return;
    }
    FILE *out = telling->to->out;
    fprintf(out, "%s%s: %s: wants to %s by ", telling->prefix, info->word, why, info->what);
    print_rows(out, in->demand, wanted);
    fputc('\n', out);
}

static size_t tell_memory_excess(const struct telling *telling, const struct audit_input *in)
{
    uint64_t memory = in->demand->head.memory[0];
    if (memory <= in->policy->memory)
        return 0;
    if (telling->list) {
        json_object *one = member(telling, "memory");
        put(one, "bytes", json_object_new_uint64(memory));
        put(one, "limit", json_object_new_uint64(in->policy->memory));
    } else {
        fprintf(telling->to->out,
                "%slimits.memory: starts with %" PRIu64 " bytes, and the policy has %" PRIu64 "\n",
                telling->prefix, memory, in->policy->memory);
    }
    return 1;
}

void audit_compare_policy(struct audit_compare *compare, const struct audit *audit)
{
    const struct audit_input *in = &audit->in;
    char file[512], prefix[sizeof file + 2];
    struct telling telling = {.to = compare, .prefix = prefix};
    snprintf(prefix, sizeof prefix, "%s: ", printable(file, sizeof file, str_of(in->file)));
    if (compare->document) {
        json_object *one = json_object_new_object(), *files = NULL;
        telling.list = json_object_new_array();
        put(one, "file", text(file));
        put(one, "sha256", audit_hex(in->digest));
        put(one, "excess", telling.list);
        json_object_object_get_ex(compare->document, "files", &files);
        json_object_array_add(files, one);
    }
    for (int i = 0; i < CAP_COUNT; i++) {
        bool wanted[ROW_COUNT] = {false}, any = false;
        for (int row = 0; row < ROW_COUNT; row++) {
            wanted[row] = reached(in->demand, row) &&
                          (demands((enum row)row) & ~in->policy->allowed) >> i & 1;
            any = any || wanted[row];
        }
        if (any)
            tell_excess(&telling, in, (enum capability)i, wanted);
        compare->count += any;
    }
    compare->count += tell_names(&telling, in->demand, NULL, DEMAND_UNKNOWN, "unknown-import",
                                 "imports what carrel does not know");
    compare->count += tell_names(&telling, in->demand, NULL, DEMAND_MISMATCH, "mismatched-import",
                                 "imports with a type other than WASI's");
    compare->count += tell_memory_excess(&telling, in);
}

/* --- Growth -------------------------------------------------------------------------------------
 */

/* All that the component could be given. */
static void utmost(const struct audit *audit, struct verdict *ret)
{
    struct policy all = *audit->in.policy;
    all.allowed = ~(capability_set)0;
    derive_verdict(audit->in.demand, &all, ret);
}

static void tell_capability(const struct telling *telling, const struct demand *demand,
                            enum capability capability, const bool wanted[ROW_COUNT])
{
    const struct capability_info *info = &capabilities[capability];
    if (telling->list) {
        json_object *one = member(telling, "capability");
        put(one, "capability", text(info->word));
        put(one, "lets_it", text(info->what));
        put(one, "functions", row_list(demand, wanted));
        return;
    }
    fprintf(telling->to->out, "%scapability %s: %s, by ", telling->prefix, info->word, info->what);
    print_rows(telling->to->out, demand, wanted);
    fputc('\n', telling->to->out);
}

/* Does a line of text about a rule of the set that comes before this one say the same? */
static bool said_before(rule_set set, int rule)
{
    for (int i = 0; i < rule; i++)
        if (set >> i & 1 && strcmp(rules[i].call, rules[rule].call) == 0 &&
            strcmp(rules[i].why, rules[rule].why) == 0)
            return true;
    return false;
}

static void tell_rule(const struct telling *telling, const struct rule *rule)
{
    if (telling->list) {
        json_object *one = member(telling, "system-call");
        put(one, "rule", text(rule->name));
        put(one, "system_call", text(rule->call));
        put(one, "why", text(rule->why));
        return;
    }
    fprintf(telling->to->out, "%ssystem call %s: %s\n", telling->prefix, rule->call, rule->why);
}

/* What `now` has and `before` has not. */
static size_t difference(const struct telling *telling, const struct audit *before,
                         const struct audit *now)
{
    struct verdict old, new;
    size_t count = 0;
    utmost(before, &old);
    utmost(now, &new);
    for (int i = 0; i < CAP_COUNT; i++) {
        if (!((new.demanded & ~old.demanded) >> i & 1))
            continue;
        bool wanted[ROW_COUNT];
        for (int row = 0; row < ROW_COUNT; row++)
            wanted[row] = reached(now->in.demand, row) && !reached(before->in.demand, row) &&
                          derive_needs((enum row)row) >> i & 1;
        tell_capability(telling, now->in.demand, (enum capability)i, wanted);
        count++;
    }
    rule_set fresh = new.rules & ~old.rules;
    for (int i = 0; i < RULE_COUNT; i++) {
        if (!(fresh >> i & 1))
            continue;
        if (telling->list || !said_before(fresh, i))
            tell_rule(telling, &rules[i]);
        count++;
    }
    count += tell_names(telling, now->in.demand, before->in.demand, DEMAND_UNKNOWN,
                        "unknown-import", "import that carrel does not know");
    return count + tell_names(telling, now->in.demand, before->in.demand, DEMAND_MISMATCH,
                              "mismatched-import", "import with a type other than WASI's");
}

/* Functions within capabilities that both have: no right is new, but somebody may wonder. */
static void tell_functions(const struct telling *telling, const struct audit *before,
                           const struct audit *now)
{
    bool wanted[ROW_COUNT], any = false;
    struct verdict old;
    utmost(before, &old);
    for (int row = 0; row < ROW_COUNT; row++) {
        wanted[row] = reached(now->in.demand, row) && !reached(before->in.demand, row) &&
                      !(derive_needs((enum row)row) & ~old.demanded);
        any = any || wanted[row];
    }
    if (any && telling->list)
        put(member(telling, "functions"), "functions", row_list(now->in.demand, wanted));
    else if (any) {
        fprintf(telling->to->out, "%swithin what both can do: ", telling->prefix);
        print_rows(telling->to->out, now->in.demand, wanted);
        fputc('\n', telling->to->out);
    }
}

static void tell_memory_growth(const struct telling *telling, uint64_t before, uint64_t now)
{
    if (now <= before)
        return;
    if (telling->list) {
        json_object *one = member(telling, "memory");
        put(one, "bytes", json_object_new_uint64(now));
        put(one, "before", json_object_new_uint64(before));
        return;
    }
    fprintf(telling->to->out, "%smemory at its start: %" PRIu64 " bytes, before %" PRIu64 "\n",
            telling->prefix, now, before);
}

void audit_compare_versions(struct audit_compare *compare, const struct audit *before,
                            const struct audit *now)
{
    struct telling more = {.to = compare, .prefix = "+ ", .change = "more"},
                   less = {.to = compare, .prefix = "- ", .change = "less"};
    if (compare->document) {
        const struct audit *both[] = {before, now};
        more.list = less.list = json_object_new_array();
        for (size_t i = 0; i < countof(both); i++) {
            json_object *one = json_object_new_object();
            put(one, "file", audit_foreign(str_of(both[i]->in.file)));
            put(one, "sha256", audit_hex(both[i]->in.digest));
            put(compare->document, i ? "new" : "old", one);
        }
        put(compare->document, "changes", more.list);
    }
    /* The same bytes have the same names, also those that did not fit. */
    if (memcmp(before->in.digest, now->in.digest, 32) == 0)
        return;
    compare->count += difference(&more, before, now);
    tell_functions(&more, before, now);
    tell_memory_growth(&more, before->in.demand->head.memory[0], now->in.demand->head.memory[0]);
    difference(&less, now, before);
    tell_functions(&less, now, before);
}

/* --- The document -------------------------------------------------------------------------------
 */

void audit_compare_begin(struct audit_compare *compare, const char *policy, bool json, FILE *out)
{
    *compare = (struct audit_compare){.out = out};
    if (!json)
        return;
    compare->document = json_object_new_object();
    put(compare->document, "schema", text("carrel-compare-1"));
    if (policy) {
        put(compare->document, "policy", audit_foreign(str_of(policy)));
        put(compare->document, "files", json_object_new_array());
    }
}

int audit_compare_end(struct audit_compare *compare)
{
    if (compare->document) {
        put(compare->document, "exceeds", json_object_new_boolean(compare->count > 0));
        const char *document = json_object_to_json_string_ext(
            compare->document,
            JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
        bool printed = document && fprintf(compare->out, "%s\n", document) > 0;
        json_object_put(compare->document);
        compare->document = NULL;
        if (!printed)
            return -1;
    }
    return ferror(compare->out) ? -1 : 0;
}
