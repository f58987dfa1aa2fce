/* Audits as one page of HTML that needs nothing else: a graph, tables, a search; see audit.h. All
 * text that is not a row's goes through printable() and then through put_escaped(), and the page's
 * policy lets only its own script run: no name of a component is ever markup, let alone live. */
#include "policies/audit_forms.h"
#include "policies/audit_graph.h"

#include "policies/printable.h"
#include <inttypes.h>

static void put_escaped(FILE *out, const char *value)
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
    put_escaped(out, printable(shown, sizeof shown, value));
}

/* "<TAG>text</TAG>" with a class, if that is not empty. */
static void put_element(FILE *out, const char *tag, const char *class, const char *value)
{
    fprintf(out, *class ? "<%s class=\"%s\">" : "<%s>", tag, class);
    put_escaped(out, value);
    fprintf(out, "</%s>", tag);
}

/* --- The graph ----------------------------------------------------------------------------------
 */

enum { ROW_HEIGHT = 30, BOX_HEIGHT = 24, TOP = 34, WIDTH = 1120 };

static const struct {
    const char *title;
    int x, width;
} columns[GRAPH_COLUMNS] = {
    [GRAPH_IMPORT] = {"imports", 10, 240},
    [GRAPH_CAPABILITY] = {"capabilities", 340, 150},
    [GRAPH_GRANT] = {"what is handed over", 580, 240},
    [GRAPH_CALL] = {"system calls", 910, 160},
};

/* Puts each column's nodes below each other; gives the height. */
static int place(const struct graph *graph, int y[GRAPH_NODES])
{
    int used[GRAPH_COLUMNS] = {0}, most = 0;
    for (size_t i = 0; i < graph->count; i++) {
        int *row = &used[graph->nodes[i].column];
        y[i] = TOP + ROW_HEIGHT * (*row)++;
        most = *row > most ? *row : most;
    }
    for (size_t i = 0; i < graph->count; i++)
        y[i] += (most - used[graph->nodes[i].column]) * ROW_HEIGHT / 2;
    return TOP + ROW_HEIGHT * most + 8;
}

static void put_edge(FILE *out, const struct graph *graph, const struct graph_edge *edge,
                     const int *y)
{
    const struct graph_node *from = &graph->nodes[edge->from], *to = &graph->nodes[edge->to];
    int x1 = columns[from->column].x + columns[from->column].width, x2 = columns[to->column].x;
    int y1 = y[edge->from] + BOX_HEIGHT / 2, y2 = y[edge->to] + BOX_HEIGHT / 2,
        middle = (x1 + x2) / 2;
    fprintf(out, "<path class=\"%s\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n",
            graph_state_word(edge->state), x1, y1, middle, y1, middle, y2, x2, y2);
}

static void put_node(FILE *out, const struct graph_node *node, int y)
{
    int width = columns[node->column].width, x = columns[node->column].x;
    char label[64];
    /* A box holds a number of letters; the whole label is the title. */
    printable(label, (size_t)(width / 8), str_of(node->label));
    fprintf(out, "<g class=\"%s\"><title>", graph_state_word(node->state));
    put_escaped(out, node->label);
    fprintf(out,
            "</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\"/><text x=\"%d\" "
            "y=\"%d\">",
            x, y, width, BOX_HEIGHT, x + 8, y + 17);
    put_escaped(out, strlen(node->label) < (size_t)(width / 8) ? node->label : label);
    fputs("</text></g>\n", out);
}

static void put_graph(FILE *out, const struct audit *audit)
{
    static struct graph graph;
    int y[GRAPH_NODES];
    audit_graph(audit, &graph);
    int height = place(&graph, y);
    fprintf(out,
            "<h3>From import to system call</h3>\n<div class=\"wide\"><svg viewBox=\"0 0 %d %d\" "
            "role=\"img\" "
            "aria-label=\"graph of imports, capabilities, grants and system calls\">\n",
            WIDTH, height);
    for (int i = 0; i < GRAPH_COLUMNS; i++)
        fprintf(out, "<text class=\"title\" x=\"%d\" y=\"22\">%s</text>\n", columns[i].x,
                columns[i].title);
    for (size_t i = 0; i < graph.edge_count; i++)
        put_edge(out, &graph, &graph.edges[i], y);
    for (size_t i = 0; i < graph.count; i++)
        put_node(out, &graph.nodes[i], y[i]);
    fputs("</svg></div>\n", out);
    if (graph.cut)
        fputs("<p class=\"soft\">The graph leaves something out: there is too much to draw.</p>\n",
              out);
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

static void put_functions(FILE *out, const struct audit *audit)
{
    size_t count = 0;
    char title[64];
    for (size_t g = 0; g < audit->group_count; g++)
        count += audit->groups[g].count;
    snprintf(title, sizeof title, "%zu functions that it imports", count);
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
            rule_set set = derive_row_rules(audit->in.verdict, row);
            for (int r = 0; r < RULE_COUNT; r++)
                if (set >> r & 1)
                    fprintf(out, "%s ", rules[r].call);
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
            put_escaped(out, rule_checked[rule][c]);
        }
        fputs("</td></tr>\n", out);
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

static void put_lack(FILE *out, const struct isolation *of)
{
    fputs("<tr>", out);
    put_element(out, "td", "", of->word);
    put_element(out, "td", "", of->what);
    put_element(out, "td", "", of->lacks);
    fputs("</tr>\n", out);
}

/* --- The page -----------------------------------------------------------------------------------
 */

void audit_html_begin(FILE *out)
{
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
          "<div class=\"bar\"><input id=\"search\" type=\"search\" placeholder=\"Search functions, "
          "capabilities, system "
          "calls\" aria-label=\"Search\"> <span id=\"count\" class=\"soft\" "
          "role=\"status\"></span></div>\n",
          out);
}

static void put_head(FILE *out, const struct audit *audit, size_t number)
{
    const struct audit_input *in = &audit->in;
    char worlds[128];
    fprintf(out, "<section id=\"file-%zu\">\n<h2>", number);
    put_foreign(out, str_of(in->file));
    fprintf(out, "</h2>\n<div class=\"soft\">%s, %" PRIu64 " bytes, <code>sha256:",
            audit_kind(in->demand), in->size);
    for (size_t i = 0; i < 32; i++)
        fprintf(out, "%02x", in->digest[i]);
    fputs("</code></div>\n<p class=\"verdict\"><strong>", out);
    put_escaped(out, audit->summary);
    fputs("</strong><br>", out);
    if (audit->refused) {
        fputs("<span class=\"missing\">It would be refused: it ", out);
        put_escaped(out, audit->refusal.text);
        fputs("</span>", out);
    } else {
        fprintf(out, "<span class=\"given\">%s</span>", audit_start_sentence(audit->start));
    }
    audit_worlds(audit, worlds, sizeof worlds);
    if (*worlds)
        fprintf(out, " It is of the world %s.", worlds);
    fputs("</p>\n", out);
}

void audit_html_add(FILE *out, const struct audit *audit, size_t number)
{
    const struct demand *demand = audit->in.demand;
    put_head(out, audit, number);
    put_graph(out, audit);
    put_calls(out, audit);
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
    put_lack(out, audit_tier(audit));
    end_table(out);
    fputs("</section>\n", out);
}

void audit_html_end(FILE *out)
{
    fputs("<script>"
#define SCRIPT(line) line "\n"
#include "policies/audit_page.def"
          "</script>\n</body>\n</html>\n",
          out);
}
