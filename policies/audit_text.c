/* Prints an audit for people; see audit.h. Everything printed is a row's text, a number, or a name
 * of unknown origin that went through printable(). */
#include "policies/audit.h"

#include "policies/printable.h"
#include <inttypes.h>
#include <stdarg.h>

#define NAMED_MAX 6 /* how many functions are named as the reason for a system call */

enum colour { PLAIN, BOLD, DIM, GREEN, YELLOW, RED };

struct page {
    const struct audit *audit;
    const struct audit_style *style;
    FILE *out;
};

static void paint(const struct page *page, enum colour colour)
{
    static const char *const codes[] = {
        [PLAIN] = "\033[0m",  [BOLD] = "\033[1m",    [DIM] = "\033[2m",
        [GREEN] = "\033[32m", [YELLOW] = "\033[33m", [RED] = "\033[31m",
    };
    if (page->style->colour)
        fputs(codes[colour], page->out);
}

static void painted(const struct page *page, enum colour colour, const char *format, ...)
    PRINTF(3, 4);
static void painted(const struct page *page, enum colour colour, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    paint(page, colour);
    vfprintf(page->out, format, args);
    paint(page, PLAIN);
    va_end(args);
}

static void heading(const struct page *page, const char *text)
{
    fputc('\n', page->out);
    painted(page, BOLD, "%s", text);
    fputc('\n', page->out);
}

/* --- Flowing text ------------------------------------------------------------------------------
 */

/* Words on lines that begin at `indent` and end before the page does. */
struct flow {
    const struct page *page;
    unsigned indent;
    unsigned at; /* the column */
};

static struct flow flow_from(const struct page *page, unsigned indent, unsigned at)
{
    if (at < indent)
        fprintf(page->out, "%*s", (int)(indent - at), "");
    return (struct flow){page, indent, indent};
}

/* How many columns it takes: bytes of UTF-8 that begin a character. */
static unsigned columns(const char *text, size_t length)
{
    unsigned count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static void flow_word(struct flow *flow, const char *word, size_t length)
{
    unsigned wide = columns(word, length);
    if (flow->at > flow->indent) {
        if (flow->at + 1 + wide > flow->page->style->width) {
            fprintf(flow->page->out, "\n%*s", (int)flow->indent, "");
            flow->at = flow->indent;
        } else {
            fputc(' ', flow->page->out);
            flow->at++;
        }
    }
    fprintf(flow->page->out, "%.*s", (int)length, word);
    flow->at += wide;
}

static void flow_text(struct flow *flow, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, " ");
        flow_word(flow, text, length);
        text += length;
        text += strspn(text, " ");
    }
}

static void flow_end(const struct flow *flow)
{
    fputc('\n', flow->page->out);
}

/* A row's name as people say it: without the kind of function in front. */
static void row_name(enum row row, char ret[96])
{
    const char *name = row_infos[row].name;
    const char *bare = *name == '[' && strchr(name, ']') ? strchr(name, ']') + 1 : name;
    snprintf(ret, 96, "%s%s", row_infos[row].kind == ROW_DROP ? "drop " : "", bare);
}

/* Up to `most` of the rows' names with commas between; `whole` adds the interface where the name
 * alone does not tell it. */
static void flow_rows(struct flow *flow, const uint16_t *rows, size_t count, size_t most,
                      bool whole)
{
    char name[96], word[192];
    for (size_t i = 0; i < count && i < most; i++) {
        const char *interface = row_infos[rows[i]].interface;
        const char *package_end = strchr(interface, '/');
        row_name((enum row)rows[i], name);
        bool tells = !whole || strchr(name, '.') || !package_end;
        int length = snprintf(word, sizeof word, "%s%s%s%s", tells ? "" : package_end + 1,
                              tells ? "" : "/", name, i + 1 < count ? "," : "");
        flow_word(flow, word, (size_t)length);
    }
    if (count > most) {
        snprintf(word, sizeof word, "and %zu more", count - most);
        flow_text(flow, word);
    }
}

/* --- The parts ---------------------------------------------------------------------------------
 */

static void print_head(const struct page *page)
{
    const struct audit *audit = page->audit;
    const struct audit_input *in = &audit->in;
    char file[512];
    painted(page, BOLD, "%s", printable(file, sizeof file, str_of(in->file)));
    fprintf(page->out, "  %s, %" PRIu64 " bytes, sha256 ",
            demand_is(in->demand, DEMAND_IS_COMPONENT) ? "component" : "core module", in->size);
    for (size_t i = 0; i < 32; i++)
        fprintf(page->out, "%02x", in->digest[i]);
    fputs("\n  ", page->out);
    struct flow flow = flow_from(page, 2, 2);
    flow_text(&flow, audit->summary);
    flow_end(&flow);
    if (audit->refused)
        painted(page, RED, "  It would be refused: it %s", audit->refusal.text);
    else
        painted(page, GREEN, "  It would run.");
    fputc('\n', page->out);
}

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

static enum colour answer_colour(enum row_answer answer)
{
    return answer == ANSWER_GRANTED    ? GREEN
           : answer == ANSWER_WITHHELD ? YELLOW
           : answer == ANSWER_MISSING  ? RED
                                       : DIM;
}

static void print_group(const struct page *page, const struct audit_group *group)
{
    const struct capability_info *capability = &capabilities[group->capability];
    fputs("    ", page->out);
    painted(page, answer_colour(group->answer), "%-13s", audit_answer_word(group->answer));
    int wide = fprintf(page->out, "%-16s", capability->word);
    struct flow flow = flow_from(page, 33, 17 + (unsigned)wide);
    flow_text(&flow, capability->what);
    if (group->answer == ANSWER_WITHHELD && *capability->flag) {
        flow_text(&flow, "-- give it with");
        flow_word(&flow, capability->flag, strlen(capability->flag));
    }
    flow_end(&flow);
    paint(page, DIM);
    flow = flow_from(page, 17, 0);
    flow_rows(&flow, group->rows, group->count, SIZE_MAX, false);
    paint(page, PLAIN);
    flow_end(&flow);
}

static void print_imports(const struct page *page)
{
    const struct audit *audit = page->audit;
    if (audit->group_count == 0) {
        heading(page, "It imports no function of WASI");
        return;
    }
    heading(page, "Imports");
    for (size_t i = 0; i < audit->group_count; i++) {
        if (i == 0 || audit->groups[i].interface != audit->groups[i - 1].interface)
            print_interface(page, (enum row)audit->groups[i].rows[0]);
        print_group(page, &audit->groups[i]);
    }
}

static void print_names(const struct page *page, enum demand_list list, const char *title)
{
    const struct demand *demand = page->audit->in.demand;
    uint32_t shown = 0, total = demand->head.totals[list];
    if (total == 0)
        return;
    heading(page, title);
    for (size_t i = 0; i < demand->name_count; i++) {
        char name[4 * DEMAND_NAME_MAX];
        if (demand->names[i].list != list)
            continue;
        fprintf(page->out, "  %s\n", printable(name, sizeof name, demand->names[i].text));
        shown++;
    }
    if (shown < total)
        fprintf(page->out, "  and %" PRIu32 " more\n", total - shown);
}

static void print_rule(const struct page *page, const struct audit_rule *rule)
{
    int wide = fprintf(page->out, "  %-16s", rules[rule->rule].call);
    struct flow flow = flow_from(page, 18, (unsigned)wide);
    flow_text(&flow, rules[rule->rule].why);
    flow_end(&flow);
    paint(page, DIM);
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
    paint(page, PLAIN);
    flow_end(&flow);
}

static void print_rules(const struct page *page)
{
    heading(page, "System calls that follow; any other kills the cell");
    for (size_t i = 0; i < page->audit->rule_count; i++)
        print_rule(page, &page->audit->rules[i]);
}

static void print_plan(const struct page *page)
{
    static const enum operation_kind shown[] = {
        OPERATION_DIRECTORY, OPERATION_GRANT,     OPERATION_LANDLOCK_RULE, OPERATION_NET_RULE,
        OPERATION_LIMITS,    OPERATION_ARENA_CUT, OPERATION_TIME,
    };
    heading(page, "What it would be given, and its bounds");
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
    painted(page, standing == AUDIT_STANDS ? GREEN : PLAIN, "%-12s", audit_standing_word(standing));
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

static void print_walls(const struct page *page)
{
    heading(page, "Walls on this machine");
    print_wall_list(page, AUDIT_STANDS);
    print_wall_list(page, AUDIT_PLANNED);
    print_wall_list(page, AUDIT_UNNEEDED);
    for (int i = 0; i < WALL_COUNT; i++) {
        if (page->audit->walls[i] != AUDIT_MISSING)
            continue;
        fputs("  ", page->out);
        painted(page, RED, "%-12s", audit_standing_word(AUDIT_MISSING));
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
    print_head(&page);
    print_imports(&page);
    print_names(&page, DEMAND_UNKNOWN, "Imports that carrel does not know");
    print_names(&page, DEMAND_MISMATCH, "Imports with a type other than WASI's");
    print_names(&page, DEMAND_EXPORT, "Exports");
    print_rules(&page);
    print_plan(&page);
    print_walls(&page);
}
