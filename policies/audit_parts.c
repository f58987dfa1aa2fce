/* Facts and parts that every form of an audit's text has; see audit_parts.h. Pure but for the
 * printing. */
#include "policies/audit_parts.h"

#include "policies/digest.h"
#include "policies/printable.h"
#include <inttypes.h>

const struct audit_lack isolations[ISOLATIONS] = {
#define ISOLATION(mode, word, shares, lacks) [ISOLATION_##mode] = {word, shares, lacks},
#include "policies/isolation.def"
};

const struct audit_lack tiers[TIERS] = {
#define TIER(name, word, who, lacks) [TIER_##name] = {word, who, lacks},
#include "policies/isolation.def"
};

bool audit_next_given(const struct audit *audit, size_t *at, char ret[AUDIT_GIVEN_SIZE])
{
    static const enum operation_kind order[] = {
        OPERATION_DIRECTORY, OPERATION_NET_RULE,    OPERATION_NET_DENIAL, OPERATION_ENVIRONMENT,
        OPERATION_CONFIG,    OPERATION_STORE,       OPERATION_ZONE,       OPERATION_LIMITS,
        OPERATION_TIME,      OPERATION_CGROUP_LIMIT};
    const struct plan *plan = audit->in.plan;
    while (*at < countof(order) * plan->count) {
        const struct operation *operation = &plan->at[*at % plan->count];
        enum operation_kind told = order[(*at)++ / plan->count];
        if (operation->kind != told)
            continue;
        operation_text(operation, ret, AUDIT_GIVEN_SIZE);
        return true;
    }
    return false;
}

const struct audit_lack *audit_tier(const struct audit *audit)
{
    return &tiers[plan_find(audit->in.plan, OPERATION_SET_ID) ? TIER_ROOT : TIER_USER];
}

const char *audit_kind(const struct demand *demand)
{
    if (demand_is(demand, DEMAND_IS_WIT))
        return "WIT world";
    bool image = demand_is(demand, DEMAND_IS_IMAGE);
    if (demand_is(demand, DEMAND_IS_COMPONENT))
        return image ? "image of a component" : "component";
    return image ? "image of a core module" : "core module";
}

size_t audit_package_length(const char *interface)
{
    return strcspn(interface, "/");
}

/* --- Over-import --------------------------------------------------------------------------------
 */

struct audit_counts audit_count(const struct audit *audit)
{
    struct audit_counts counts = {0, 0};
    for (size_t i = 0; i < audit->group_count; i++) {
        counts.imported += audit->groups[i].count;
        counts.reached += audit->groups[i].answer == ANSWER_DEAD ? 0 : audit->groups[i].count;
    }
    return counts;
}

bool audit_over_import(const struct audit *audit, char *ret, size_t size)
{
    struct audit_counts counts = audit_count(audit);
    size_t dead = counts.imported - counts.reached, whole = 0, named = 0;
    if (dead == 0)
        return false;
    size_t used = (size_t)snprintf(ret, size,
                                   "Imported and never called: %zu of %zu functions of WASI, which "
                                   "a run links to a trap",
                                   dead, counts.imported);
    for (size_t i = 0; i < audit->group_count;) {
        const char *interface = audit->groups[i].interface;
        bool any = false;
        size_t first = i;
        for (; i < audit->group_count && audit->groups[i].interface == interface; i++)
            any = any || audit->groups[i].answer != ANSWER_DEAD;
        if (any)
            continue;
        whole++;
        const char *name =
            audit_interface(audit->in.demand, (enum row)audit->groups[first].rows[0]);
        int wrote = snprintf(ret + used, size - used, "%s %s", named ? "," : "; all of", name);
        if (wrote < 0 || (size_t)wrote >= size - used - sizeof ", and 999 more") {
            ret[used] = '\0';
            continue;
        }
        used += (size_t)wrote;
        named++;
    }
    if (whole > named)
        snprintf(ret + used, size - used, ", and %zu more", whole - named);
    return true;
}

/* --- Worlds -------------------------------------------------------------------------------------
 */

/* Is `name`, "interface" or "interface@version", one of the list? */
static bool listed(struct str name, const char *list)
{
    size_t bare = 0;
    while (bare < name.len && name.at[bare] != '@')
        bare++;
    while (*list) {
        size_t length = strcspn(list, " ");
        bool package = list[length - 1] == '/';
        if ((package ? bare > length : bare == length) && memcmp(name.at, list, length) == 0)
            return true;
        list += length;
        list += strspn(list, " ");
    }
    return false;
}

static bool fits(const struct demand *demand, enum demand_fact fact, const char *list)
{
    uint32_t seen = 0;
    if (!demand_is(demand, fact) || demand->head.totals[DEMAND_UNKNOWN] > 0 ||
        demand->head.totals[DEMAND_UNCALLED] > 0)
        return false;
    for (size_t i = 0; i < demand->name_count; i++) {
        if (demand->names[i].list != DEMAND_IMPORT)
            continue;
        seen++;
        if (!listed(demand->names[i].text, list))
            return false;
    }
    return seen == demand->head.totals[DEMAND_IMPORT]; /* else some did not fit the answer */
}

void audit_worlds(const struct audit *audit, char *ret, size_t size)
{
    static const struct {
        enum demand_fact fact;
        const char *name;
        const char *list;
    } worlds[] = {
#define WORLD(fact, name, list, what) {DEMAND_IS_##fact, name, list},
#include "policies/world.def"
    };
    size_t used = 0;
    *ret = '\0';
    for (size_t i = 0; i < countof(worlds); i++) {
        if (!fits(audit->in.demand, worlds[i].fact, worlds[i].list))
            continue;
        int wrote = snprintf(ret + used, size - used, "%s%s", used ? ", " : "", worlds[i].name);
        used += wrote > 0 && (size_t)wrote < size - used ? (size_t)wrote : 0;
    }
}

void audit_wit_worlds(const struct audit *audit, char *ret, size_t size)
{
    static const char more[] = ", and more", end[] = "; --world NAME shows one of them.";
    const struct demand *demand = audit->in.demand;
    uint32_t total = demand->head.totals[DEMAND_WORLD];
    const size_t room = size - sizeof more - sizeof end;
    bool first = true;
    *ret = '\0';
    if (total == 0)
        return;
    size_t used = total == 1 ? (size_t)snprintf(ret, size, "It shows the world ")
                             : (size_t)snprintf(ret, size,
                                                "It shows what components of %" PRIu32
                                                " worlds could do, all of them together: ",
                                                total);
    for (size_t i = 0; i < demand->name_count; i++) {
        char name[4 * DEMAND_NAME_MAX];
        if (demand->names[i].list != DEMAND_WORLD)
            continue;
        printable(name, sizeof name, demand->names[i].text);
        if (used + 2 + strlen(name) >= room)
            break;
        used += (size_t)snprintf(ret + used, size - used, "%s%s", first ? "" : ", ", name);
        first = false;
        total--;
    }
    bool one = demand->head.totals[DEMAND_WORLD] == 1;
    snprintf(ret + used, size - used, "%s%s", total ? more : "", one ? "." : end);
}

/* --- Parts --------------------------------------------------------------------------------------
 */

void audit_row_name(enum row row, char ret[96])
{
    const char *name = row_infos[row].name;
    const char *bare = *name == '[' && strchr(name, ']') ? strchr(name, ']') + 1 : name;
    snprintf(ret, 96, "%s%s", row_infos[row].kind == ROW_DROP ? "drop " : "", bare);
}

static void print_size(FILE *out, uint64_t bytes)
{
    if (bytes < 10000)
        fprintf(out, "%" PRIu64 " bytes", bytes);
    else if (bytes < 1000000)
        fprintf(out, "%.0f kB", (double)bytes / 1e3);
    else
        fprintf(out, "%.1f MB", (double)bytes / 1e6);
}

void audit_print_head(const struct page *page)
{
    const struct audit *audit = page->audit;
    const struct audit_input *in = &audit->in;
    char text[512], digits[DIGEST_DIGITS];
    page_painted(page, BOLD, "%s", printable(text, sizeof text, str_of(in->file)));
    fprintf(page->out, "  %s, ", audit_kind(in->demand));
    print_size(page->out, in->size);
    fprintf(page->out, ", sha256 %s\n  ", digest_text(in->digest, digits));
    page_paint(page, BOLD);
    struct flow flow = flow_from(page, 2, 2);
    flow_text(&flow, audit->summary);
    page_paint(page, PLAIN);
    flow_end(&flow);
    if (audit->refused)
        page_painted(page, RED, "  It would be refused: it %s.", audit->refusal.text);
    else
        page_painted(page, audit_runs(audit) ? GREEN : PLAIN, "  %s",
                     audit_start_sentence(audit->start));
    audit_worlds(audit, text, sizeof text);
    if (*text)
        fprintf(page->out, " It is of the world %s.", text);
    fputc('\n', page->out);
    audit_wit_worlds(audit, text, sizeof text);
    if (*text) {
        flow = flow_from(page, 2, 0);
        flow_text(&flow, text);
        flow_end(&flow);
    }
}

void audit_print_names(const struct page *page, enum demand_list list, const char *title)
{
    const struct demand *demand = page->audit->in.demand;
    const uint32_t most = page->style->verbose ? UINT32_MAX : 10;
    uint32_t shown = 0, total = demand->head.totals[list];
    if (total == 0)
        return;
    page_heading(page, title);
    for (size_t i = 0; i < demand->name_count && shown < most; i++) {
        char name[4 * DEMAND_NAME_MAX];
        if (demand->names[i].list != list)
            continue;
        fprintf(page->out, "  %s\n", printable(name, sizeof name, demand->names[i].text));
        shown++;
    }
    if (shown < total)
        fprintf(page->out, "  and %" PRIu32 " more\n", total - shown);
}

/* "  WORD        text on as many lines as it takes" */
static void print_lack(const struct page *page, const char *word, const char *text,
                       const char *more)
{
    int wide = fprintf(page->out, "  %-14s", word);
    struct flow flow = flow_from(page, 16, (unsigned)wide);
    flow_text(&flow, text);
    if (*more) {
        flow_text(&flow, "--");
        flow_text(&flow, more);
    }
    flow_end(&flow);
}

void audit_print_lacks(const struct page *page, const struct audit_lack *tier)
{
    page_heading(page, "What no wall holds, in each way of isolation and for whoever starts it");
    for (int i = 0; i < ISOLATIONS; i++)
        print_lack(page, isolations[i].word, isolations[i].what, isolations[i].lacks);
    for (int i = 0; i < TIERS; i++) {
        char word[32];
        snprintf(word, sizeof word, "%s%s", tiers[i].word, &tiers[i] == tier ? ", here" : "");
        print_lack(page, word, tiers[i].what, tiers[i].lacks);
    }
}
