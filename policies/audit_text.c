/* Prints an audit for people, every row of it; see audit.h. Everything printed is a row's text, a
 * number, or a name of unknown origin that went through printable(). audit_brief.c prints less. */
#include "policies/audit_flow.h"
#include "policies/audit_parts.h"

#include "policies/printable.h"
#include <inttypes.h>

#define NAMED_MAX 6 /* how many functions are named as the reason for a system call */

/* --- The parts ---------------------------------------------------------------------------------
 */

static void print_interface(const struct page *page, enum row row)
{
    const struct demand *demand = page->audit->in.demand;
    const char *interface = row_infos[row].interface;
    size_t length = strlen(interface);
    bool versions = false;
    fprintf(page->out, "  %s", audit_interface(demand, row));
    if (row_infos[row].kind == ROW_PREVIEW1 && audit_imports(demand, interface) &&
        audit_imports(demand, "wasi_unstable"))
        fputs(" and wasi_unstable", page->out);
    for (size_t i = 0; i < demand->name_count; i++) {
        struct str name = demand->names[i].text;
        char shown[64];
        if (demand->names[i].list != DEMAND_IMPORT || name.len <= length + 1 ||
            memcmp(name.at, interface, length) != 0 || name.at[length] != '@')
            continue;
        struct str version = {name.at + length + 1, name.len - length - 1};
        fprintf(page->out, "%s%s", versions ? ", " : " @", printable(shown, sizeof shown, version));
        versions = true;
    }
    fputc('\n', page->out);
}

static void print_group(const struct page *page, const struct audit_group *group)
{
    const struct capability_info *capability = &capabilities[group->capability];
    fputs("    ", page->out);
    page_painted(page, answer_colour(group->answer), "%-13s", audit_answer_word(group->answer));
    int wide = fprintf(page->out, "%-16s", capability->word);
    struct flow flow = flow_from(page, 33, 17 + (unsigned)wide);
    flow_text(&flow, capability->what);
    if (group->answer == ANSWER_WITHHELD && *capability->flag) {
        flow_text(&flow, "-- give it with");
        flow_word(&flow, capability->flag, strlen(capability->flag));
    }
    flow_end(&flow);
    page_paint(page, DIM);
    flow = flow_from(page, 17, 0);
    flow_rows(&flow, group->rows, group->count, SIZE_MAX, false);
    page_paint(page, PLAIN);
    flow_end(&flow);
}

static void print_imports(const struct page *page)
{
    const struct audit *audit = page->audit;
    if (audit->group_count == 0) {
        page_heading(page, "It imports no function of WASI");
        return;
    }
    page_heading(page, "Imports");
    for (size_t i = 0; i < audit->group_count; i++) {
        if (i == 0 || audit->groups[i].interface != audit->groups[i - 1].interface)
            print_interface(page, (enum row)audit->groups[i].rows[0]);
        print_group(page, &audit->groups[i]);
    }
}

static void print_rule(const struct page *page, const struct audit_rule *rule)
{
    int wide = fprintf(page->out, "  %-16s", rules[rule->rule].call);
    struct flow flow = flow_from(page, 18, (unsigned)wide);
    flow_text(&flow, rules[rule->rule].why);
    flow_end(&flow);
    page_paint(page, DIM);
    const char *const *checked = rule_checked[rule->rule];
    if (checked[0]) {
        flow = flow_from(page, 20, 0);
        flow_text(&flow, "only if");
        for (int i = 0; i < RULE_CHECKS && checked[i]; i++) {
            flow_text(&flow, i ? "and" : "");
            flow_text(&flow, checked[i]);
        }
        flow_end(&flow);
    }
    flow = flow_from(page, 20, 0);
    flow_text(&flow, rule->always ? "in every cell" : "for");
    if (!rule->always)
        flow_rows(&flow, rule->rows, rule->count, NAMED_MAX, true);
    page_paint(page, PLAIN);
    flow_end(&flow);
}

static void print_rules(const struct page *page)
{
    page_heading(page, "System calls that follow; any other kills the cell");
    for (size_t i = 0; i < page->audit->rule_count; i++)
        print_rule(page, &page->audit->rules[i]);
}

static void print_plan(const struct page *page)
{
    static const enum operation_kind shown[] = {
        OPERATION_DIRECTORY, OPERATION_GRANT,     OPERATION_LANDLOCK_RULE, OPERATION_NET_RULE,
        OPERATION_LIMITS,    OPERATION_ARENA_CUT, OPERATION_TIME,          OPERATION_CGROUP_LIMIT,
    };
    page_heading(page, "What it would be given, and its bounds");
    const struct plan *plan = page->audit->in.plan;
    for (size_t i = 0; i < plan->count; i++) {
        char text[1024];
        bool wanted = false;
        for (size_t k = 0; k < countof(shown); k++)
            wanted = wanted || plan->at[i].kind == shown[k];
        if (!wanted)
            continue;
        operation_text(&plan->at[i], text, sizeof text);
        struct flow flow = flow_from(page, 2, 0);
        flow.indent = 4;
        flow_text(&flow, text);
        flow_end(&flow);
    }
}

static void print_wall_list(const struct page *page, enum audit_standing standing)
{
    const struct audit *audit = page->audit;
    unsigned left = 0;
    for (int i = 0; i < WALL_COUNT; i++)
        left += audit->walls[i] == standing;
    if (left == 0)
        return;
    fputs("  ", page->out);
    page_painted(page, standing == AUDIT_STANDS ? GREEN : PLAIN, "%-12s",
                 audit_standing_word(standing));
    struct flow flow = flow_from(page, 14, 14);
    for (int i = 0; i < WALL_COUNT; i++) {
        char word[64];
        if (audit->walls[i] != standing)
            continue;
        int length = snprintf(word, sizeof word, "%s%s", walls[i].word, --left ? "," : "");
        flow_word(&flow, word, (size_t)length);
    }
    flow_end(&flow);
}

void audit_print_walls(const struct page *page)
{
    page_heading(page, "Walls on this machine");
    print_wall_list(page, AUDIT_STANDS);
    print_wall_list(page, AUDIT_PLANNED);
    print_wall_list(page, AUDIT_UNNEEDED);
    audit_print_missing(page);
}

void audit_print_missing(const struct page *page)
{
    for (int i = 0; i < WALL_COUNT; i++) {
        if (page->audit->walls[i] != AUDIT_MISSING)
            continue;
        fputs("  ", page->out);
        page_painted(page, RED, "%-12s", audit_standing_word(AUDIT_MISSING));
        struct flow flow = flow_from(page, 14, 14);
        char text[512];
        const char *why = page->audit->in.why[i];
        snprintf(text, sizeof text, "%s (%s; Linux %s has it): %s%s%s", walls[i].word,
                 walls[i].need == WALL_EXTRA ? "extra" : "required, and accepted by --degrade",
                 walls[i].kernel, why ? why : "", why ? "; what is missed: " : "", walls[i].keeps);
        flow_text(&flow, text);
        flow_end(&flow);
    }
}

void audit_print_text(const struct audit *audit, const struct audit_style *style, FILE *out)
{
    const struct page page = {audit, style, out};
    if (!style->verbose) {
        audit_print_brief(&page);
        return;
    }
    audit_print_head(&page);
    print_imports(&page);
    audit_print_names(&page, DEMAND_UNKNOWN, "Imports that carrel does not know");
    audit_print_names(&page, DEMAND_UNCALLED, AUDIT_UNCALLED);
    audit_print_names(&page, DEMAND_MISMATCH, "Imports with a type other than WASI's");
    audit_print_names(&page, DEMAND_EXPORT, "Exports");
    audit_print_names(&page, DEMAND_REQUEST,
                      "Its publisher asks for this, and gets nothing by asking");
    print_rules(&page);
    print_plan(&page);
    audit_print_walls(&page);
}
