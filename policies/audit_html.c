/* Audits as one page of HTML that needs nothing else: an overview, and for each file a graph
 * (audit_svg.c) and tables, with a search; see audit.h. All text that is not a row's goes through
 * printable() and then through html_escaped(), and the page's policy lets only its own script run:
 * no name of a component is ever markup, let alone live. */
#include "policies/audit_html.h"
#include "policies/audit_forms.h"
#include "policies/digest.h"

#include "policies/printable.h"
#include <inttypes.h>
#include <stdlib.h>

void html_escaped(FILE *out, const char *value)
{
    for (; *value; value++)
        switch (*value) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: fputc(*value, out);
        }
}

static void put_foreign(FILE *out, struct str value)
{
    char shown[2048];
    html_escaped(out, printable(shown, sizeof shown, value));
}

/* "<TAG>text</TAG>" with a class, if that is not empty. */
static void put_element(FILE *out, const char *tag, const char *class, const char *value)
{
    fprintf(out, *class ? "<%s class=\"%s\">" : "<%s>", tag, class);
    html_escaped(out, value);
    fprintf(out, "</%s>", tag);
}

/* --- Tables -------------------------------------------------------------------------------------
 */

static const char *answer_class(enum row_answer answer)
{
    return answer == ANSWER_GRANTED    ? "given"
           : answer == ANSWER_WITHHELD ? "withheld"
           : answer == ANSWER_MISSING  ? "missing"
                                       : "dead";
}

static void begin_table(FILE *out, const char *title, bool open, const char *heads)
{
    fprintf(out,
            "<details%s><summary>%s</summary><div "
            "class=\"wide\"><table><thead><tr>%s</tr></thead><tbody>\n",
            open ? " open" : "", title, heads);
}

static void end_table(FILE *out)
{
    fputs("</tbody></table></div></details>\n", out);
}

/* The system calls of a set of rules, each once. */
static void put_call_names(FILE *out, rule_set set)
{
    const char *before = "";
    for (int i = 0; i < RULE_COUNT; i++) {
        bool said = !(set >> i & 1);
        for (int k = 0; k < i && !said; k++)
            said = set >> k & 1 && strcmp(rules[i].call, rules[k].call) == 0;
        if (said)
            continue;
        fprintf(out, "%s%s", before, rules[i].call);
        before = " ";
    }
}

static void put_functions(FILE *out, const struct audit *audit)
{
    char title[96];
    struct audit_counts counts = audit_count(audit);
    if (counts.imported == 0)
        return;
    snprintf(title, sizeof title, "Functions of WASI: %zu imported, %zu that it can call",
             counts.imported, counts.reached);
    begin_table(out, title, false,
                "<th>interface</th><th>function</th><th>capability</th><th>answer</th><th>system "
                "calls</th>");
    for (size_t g = 0; g < audit->group_count; g++) {
        const struct audit_group *group = &audit->groups[g];
        for (size_t i = 0; i < group->count; i++) {
            enum row row = (enum row)group->rows[i];
            char name[96];
            audit_row_name(row, name);
            fputs("<tr><td>", out);
            put_element(out, "code", "", audit_interface(audit->in.demand, row));
            fputs("</td><td>", out);
            put_element(out, "code", "", name);
            fputs("</td>", out);
            put_element(out, "td", "", capabilities[group->capability].word);
            put_element(out, "td", answer_class(group->answer), audit_answer_word(group->answer));
            fputs("<td><code>", out);
            put_call_names(out, derive_row_rules(audit->in.verdict, row));
            fputs("</code></td></tr>\n", out);
        }
    }
    end_table(out);
}

static void put_calls(FILE *out, const struct audit *audit)
{
    begin_table(out, "System calls that follow; any other kills the cell", true,
                "<th>system call</th><th>why</th><th>only if</th>");
    for (size_t i = 0; i < audit->rule_count; i++) {
        enum rule_name rule = audit->rules[i].rule;
        fputs("<tr><td>", out);
        put_element(out, "code", "", rules[rule].call);
        fputs("</td>", out);
        put_element(out, "td", "", rules[rule].why);
        fputs("<td>", out);
        for (int c = 0; c < RULE_CHECKS && rule_checked[rule][c]; c++) {
            fputs(c ? " and " : "", out);
            html_escaped(out, rule_checked[rule][c]);
        }
        fputs("</td></tr>\n", out);
    }
    end_table(out);
}

static void put_given(FILE *out, const struct audit *audit)
{
    char line[AUDIT_GIVEN_SIZE];
    begin_table(out, "What it would be given, and its bounds", true, "");
    for (size_t at = 0; audit_next_given(audit, &at, line);) {
        fputs("<tr>", out);
        put_element(out, "td", "", line);
        fputs("</tr>\n", out);
    }
    end_table(out);
}

static void put_walls(FILE *out, const struct audit *audit)
{
    begin_table(out, "Walls on the machine of the audit", false,
                "<th>wall</th><th>state</th><th>what it keeps</th>");
    for (int i = 0; i < WALL_COUNT; i++) {
        fputs("<tr>", out);
        put_element(out, "td", "", walls[i].word);
        put_element(out, "td", audit->walls[i] == AUDIT_MISSING ? "missing" : "",
                    audit_standing_word(audit->walls[i]));
        put_element(out, "td", "", walls[i].keeps);
        fputs("</tr>\n", out);
    }
    end_table(out);
}

static void put_names(FILE *out, const struct demand *demand, enum demand_list list,
                      const char *title)
{
    uint32_t shown = 0, total = demand->head.totals[list];
    if (total == 0)
        return;
    fprintf(out, "<details><summary>%s: %" PRIu32 "</summary><ul>\n", title, total);
    for (size_t i = 0; i < demand->name_count; i++) {
        if (demand->names[i].list != list)
            continue;
        fputs("<li><code>", out);
        put_foreign(out, demand->names[i].text);
        fputs("</code></li>\n", out);
        shown++;
    }
    if (shown < total)
        fprintf(out, "<li>and %" PRIu32 " more</li>\n", total - shown);
    fputs("</ul></details>\n", out);
}

static void put_lack(FILE *out, const struct audit_lack *of)
{
    fputs("<tr>", out);
    put_element(out, "td", "", of->word);
    put_element(out, "td", "", of->what);
    put_element(out, "td", "", of->lacks);
    fputs("</tr>\n", out);
}

/* --- The page -----------------------------------------------------------------------------------
 */

void audit_html_begin(struct audit_html *page, FILE *out)
{
    *page = (struct audit_html){.out = out};
    page->body = open_memstream(&page->text, &page->size);
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "style-src 'unsafe-inline'; script-src '"
#define SCRIPT_HASH(value) "sha256-" value
#include "policies/audit_page.def"
          "'\">\n<title>carrel audit</title>\n<style>\n"
#define STYLE(line) line "\n"
#include "policies/audit_page.def"
          "</style>\n</head>\n<body>\n<h1>What these components can do</h1>\n"
          "<div class=\"bar\"><input id=\"search\" type=\"search\" placeholder=\"Search functions "
          "and system "
          "calls\" aria-label=\"Search\"> <span id=\"count\" class=\"soft\" "
          "role=\"status\"></span></div>\n"
          "<nav><table><thead><tr><th>file</th><th>what it can do</th>"
          "<th>functions called</th><th>started by</th></tr></thead><tbody>\n",
          out);
}

static const char *start_class(const struct audit *audit)
{
    return audit->refused ? "missing" : audit_runs(audit) ? "given" : "";
}

/* A line of the overview. */
static void put_overview(FILE *out, size_t number, const struct audit *audit)
{
    static const char *const starts[] = {
        [START_RUN] = "carrel run", [START_SERVE] = "carrel serve", [START_INVOKE] = "--invoke"};
    struct audit_counts counts = audit_count(audit);
    fprintf(out, "<tr><td><a href=\"#file-%zu\">", number);
    put_foreign(out, str_of(audit->in.file));
    fputs("</a></td>", out);
    put_element(out, "td", "", audit->summary);
    fprintf(out, "<td>%zu of %zu</td>", counts.reached, counts.imported);
    put_element(out, "td", start_class(audit), audit->refused ? "refused" : starts[audit->start]);
    fputs("</tr>\n", out);
}

static void put_head(FILE *out, const struct audit *audit, size_t number)
{
    const struct audit_input *in = &audit->in;
    char worlds[512], over[320], digits[DIGEST_DIGITS];
    fprintf(out, "<section id=\"file-%zu\">\n<h2>", number);
    put_foreign(out, str_of(in->file));
    fprintf(out, "</h2>\n<div class=\"soft\">%s, %" PRIu64 " bytes, <code>sha256:",
            audit_kind(in->demand), in->size);
    fputs(digest_text(in->digest, digits), out);
    fputs("</code></div>\n<p class=\"verdict\"><strong>", out);
    html_escaped(out, audit->summary);
    fprintf(out, "</strong><br><span class=\"%s\">", start_class(audit));
    if (audit->refused) {
        fputs("It would be refused: it ", out);
        html_escaped(out, audit->refusal.text);
    } else {
        fputs(audit_start_sentence(audit->start), out);
    }
    fputs("</span>", out);
    audit_worlds(audit, worlds, sizeof worlds);
    if (*worlds)
        fprintf(out, " It is of the world %s.", worlds);
    fputs("</p>\n", out);
    audit_wit_worlds(audit, worlds, sizeof worlds);
    if (*worlds)
        put_element(out, "p", "soft", worlds);
    if (audit_over_import(audit, over, sizeof over))
        put_element(out, "p", "soft", over);
}

void audit_html_add(struct audit_html *page, const struct audit *audit)
{
    const struct demand *demand = audit->in.demand;
    FILE *out = page->body;
    size_t number = page->files++;
    if (!out)
        return;
    put_overview(page->out, number, audit);
    put_head(out, audit, number);
    html_graph(out, audit);
    put_calls(out, audit);
    put_given(out, audit);
    put_functions(out, audit);
    put_names(out, demand, DEMAND_UNKNOWN, "Imports that carrel does not know");
    put_names(out, demand, DEMAND_UNCALLED, AUDIT_UNCALLED);
    put_names(out, demand, DEMAND_MISMATCH, "Imports with a type other than WASI's");
    put_names(out, demand, DEMAND_EXPORT, "Exports");
    put_names(out, demand, DEMAND_REQUEST,
              "Its publisher asks for this, and gets nothing by asking");
    put_walls(out, audit);
    begin_table(out, "What the walls do not hold", false,
                "<th>isolation</th><th>what it is</th><th>not held</th>");
    for (int i = 0; i < ISOLATIONS; i++)
        put_lack(out, &isolations[i]);
    for (int i = 0; i < TIERS; i++)
        put_lack(out, &tiers[i]);
    end_table(out);
    fputs("</section>\n", out);
}

void audit_html_fail(struct audit_html *page, const char *file, const struct err *err)
{
    size_t number = page->files++;
    if (!page->body)
        return;
    fprintf(page->out, "<tr><td><a href=\"#file-%zu\">", number);
    put_foreign(page->out, str_of(file));
    fputs("</a></td><td></td><td></td><td class=\"missing\">not read</td></tr>\n", page->out);
    fprintf(page->body, "<section id=\"file-%zu\">\n<h2>", number);
    put_foreign(page->body, str_of(file));
    fputs("</h2>\n<p class=\"verdict missing\">It could not be audited: ", page->body);
    put_foreign(page->body, str_of(err->text));
    fputs("</p>\n</section>\n", page->body);
}

int audit_html_end(struct audit_html *page)
{
    bool whole = page->body && fclose(page->body) == 0 && page->text;
    fputs("</tbody></table></nav>\n", page->out);
    if (whole)
        fwrite(page->text, 1, page->size, page->out);
    free(page->text);
    *page = (struct audit_html){.out = page->out};
    fputs("<script>"
#define SCRIPT(line) line "\n"
#include "policies/audit_page.def"
          "</script>\n</body>\n</html>\n",
          page->out);
    return whole ? 0 : -1;
}
