/* The short form of an audit's text: folded by package, what is never called apart; see audit.h.
 * Says what audit_text.c says, with fewer words; `--verbose` shows the other. */
#include "policies/audit_parts.h"

#include "policies/printable.h"
#include <inttypes.h>

/* The groups of one package. */
struct package {
    const struct audit_group *groups;
    size_t count;
    size_t reached;
    size_t imported;
    capability_set by[ANSWER_MISSING + 1]; /* capabilities of its groups, by answer */
};

static const char *name_of(const struct package *package)
{
    return package->groups[0].interface;
}

/* The package whose groups begin at `first`. */
static struct package package_at(const struct audit *audit, size_t first)
{
    struct package package = {.groups = &audit->groups[first]};
    size_t length = audit_package_length(name_of(&package));
    for (size_t i = first; i < audit->group_count; i++) {
        const struct audit_group *group = &audit->groups[i];
        if (audit_package_length(group->interface) != length ||
            memcmp(group->interface, name_of(&package), length) != 0)
            break;
        package.count++;
        package.imported += group->count;
        if (group->answer != ANSWER_DEAD)
            package.reached += group->count;
        package.by[group->answer] |= (capability_set)1 << group->capability;
    }
    return package;
}

/* The flags that give a set, each once. */
static void flow_flags(struct flow *flow, capability_set set)
{
    const char *said[CAP_COUNT];
    size_t count = 0;
    for (int i = 0; i < CAP_COUNT; i++) {
        const char *flag = capabilities[i].flag;
        bool known = !*flag || !capability_in(set, (enum capability)i);
        for (size_t k = 0; k < count; k++)
            known = known || strcmp(said[k], flag) == 0;
        if (known)
            continue;
        flow_text(flow, count ? "or" : "-- give it with");
        flow_text(flow, flag);
        said[count++] = flag;
    }
}

static void print_capabilities(const struct page *page, enum row_answer answer, capability_set set)
{
    page_painted(page, answer_colour(answer), "%-13s", audit_answer_word(answer));
    struct flow flow = flow_from(page, 49, 49);
    capability_set left = set;
    for (int i = 0; i < CAP_COUNT; i++) {
        char word[40];
        if (!capability_in(set, (enum capability)i))
            continue;
        left &= ~((capability_set)1 << i);
        int length = snprintf(word, sizeof word, "%s%s", capabilities[i].word, left ? "," : "");
        flow_word(&flow, word, (size_t)length);
    }
    if (answer == ANSWER_WITHHELD)
        flow_flags(&flow, set);
    flow_end(&flow);
}

/* "  wasi:io          20 of 34  given   io" and a line for each further answer. */
static void print_package(const struct page *page, const struct package *package)
{
    static const enum row_answer order[] = {ANSWER_GRANTED, ANSWER_WITHHELD, ANSWER_MISSING};
    const char *name =
        audit_interface(page->audit->in.demand, (enum row)package->groups[0].rows[0]);
    bool first = true;
    if (package->reached == 0)
        return;
    for (size_t i = 0; i < countof(order); i++) {
        if (!package->by[order[i]])
            continue;
        if (first)
            fprintf(page->out, "  %-22.*s %3zu of %-3zu ", (int)audit_package_length(name), name,
                    package->reached, package->imported);
        else
            fprintf(page->out, "%*s", 36, "");
        first = false;
        print_capabilities(page, order[i], package->by[order[i]]);
    }
}

static void print_reached(const struct page *page)
{
    const struct audit *audit = page->audit;
    if (audit_count(audit).reached == 0) {
        page_heading(page, audit->group_count ? "It calls no function of WASI"
                                              : "It imports no function of WASI");
        return;
    }
    page_heading(page, "Functions that it can call, of those that it imports");
    for (size_t i = 0; i < audit->group_count;) {
        struct package package = package_at(audit, i);
        print_package(page, &package);
        i += package.count;
    }
}

/* What toolchains bring along: an interface, or some functions of it. */
static void flow_dead(struct flow *flow, const struct package *package)
{
    for (size_t i = 0; i < package->count;) {
        const struct audit_group *group = &package->groups[i];
        const char *interface = group->interface, *bare = strchr(interface, '/');
        size_t dead = 0, all = 0;
        char word[96];
        for (; i < package->count && package->groups[i].interface == interface; i++) {
            all += package->groups[i].count;
            if (package->groups[i].answer == ANSWER_DEAD)
                dead += package->groups[i].count;
        }
        if (dead == 0)
            continue;
        int length = dead == all
                         ? snprintf(word, sizeof word, "%s", bare ? bare + 1 : "all")
                         : snprintf(word, sizeof word, "%s (%zu)", bare ? bare + 1 : "some", dead);
        flow_word(flow, word, (size_t)length);
    }
}

static void print_dead(const struct page *page)
{
    const struct audit *audit = page->audit;
    struct audit_counts counts = audit_count(audit);
    size_t dead = counts.imported - counts.reached;
    if (dead == 0)
        return;
    char title[96];
    snprintf(title, sizeof title,
             "Imported and never called: %zu function%s, which a run links to a trap", dead,
             dead == 1 ? "" : "s");
    page_heading(page, title);
    for (size_t i = 0; i < audit->group_count;) {
        struct package package = package_at(audit, i);
        i += package.count;
        if (package.reached == package.imported)
            continue;
        page_paint(page, DIM);
        int wide =
            fprintf(page->out, "  %-22.*s %3zu  ", (int)audit_package_length(name_of(&package)),
                    name_of(&package), package.imported - package.reached);
        struct flow flow = flow_from(page, 30, (unsigned)wide);
        flow_dead(&flow, &package);
        page_paint(page, PLAIN);
        flow_end(&flow);
    }
}

static void print_calls(const struct page *page)
{
    const struct audit *audit = page->audit;
    page_heading(page, "System calls that follow; any other kills the cell");
    fputs("  ", page->out);
    struct flow flow = flow_from(page, 2, 2);
    for (size_t i = 0; i < audit->rule_count; i++) {
        const char *call = rules[audit->rules[i].rule].call;
        bool said = false;
        for (size_t k = 0; k < i; k++)
            said = said || strcmp(rules[audit->rules[k].rule].call, call) == 0;
        if (!said)
            flow_word(&flow, call, strlen(call));
    }
    flow_end(&flow);
}

static void print_given(const struct page *page)
{
    char line[AUDIT_GIVEN_SIZE];
    page_heading(page, "Given, and its bounds");
    for (size_t at = 0; audit_next_given(page->audit, &at, line);) {
        struct flow flow = flow_from(page, 2, 0);
        flow.indent = 4;
        flow_text(&flow, line);
        flow_end(&flow);
    }
}

static void print_wall_counts(const struct page *page)
{
    const struct audit *audit = page->audit;
    size_t count[AUDIT_UNNEEDED + 1] = {0};
    for (int i = 0; i < WALL_COUNT; i++)
        count[audit->walls[i]]++;
    page_heading(page, "Walls on this machine");
    fprintf(page->out, "  %zu stand, %zu a run builds, %zu not needed", count[AUDIT_STANDS],
            count[AUDIT_PLANNED], count[AUDIT_UNNEEDED]);
    if (count[AUDIT_MISSING])
        page_painted(page, RED, ", %zu missing", count[AUDIT_MISSING]);
    fputc('\n', page->out);
    audit_print_missing(page);
}

void audit_print_brief(const struct page *page)
{
    audit_print_head(page);
    print_reached(page);
    print_dead(page);
    audit_print_names(page, DEMAND_UNKNOWN, "Imports that carrel does not know");
    audit_print_names(page, DEMAND_UNCALLED, AUDIT_UNCALLED);
    audit_print_names(page, DEMAND_MISMATCH, "Imports with a type other than WASI's");
    audit_print_names(page, DEMAND_REQUEST,
                      "Its publisher asks for this, and gets nothing by asking");
    print_calls(page);
    print_given(page);
    print_wall_counts(page);
}
