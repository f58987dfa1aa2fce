/* The graph of an audit in the language of graphviz; see audit_graph.h. Labels are printable
 * already; what is left to escape are quotes and backslashes. */
#include "policies/audit_forms.h"
#include "policies/audit_graph.h"

#include "policies/printable.h"

static void put_quoted(FILE *out, const char *label)
{
    fputc('"', out);
    for (; *label; label++) {
        if (*label == '"' || *label == '\\')
            fputc('\\', out);
        fputc(*label, out);
    }
    fputc('"', out);
}

void audit_dot_begin(FILE *out)
{
    fputs("digraph carrel {\n  rankdir=LR; compound=true; node [shape=box, "
          "fontname=\"sans-serif\"];\n",
          out);
}

void audit_dot_add(FILE *out, const struct audit *audit, size_t number)
{
    static const char *const styles[] = {
        [GRAPH_GIVEN] = "solid", [GRAPH_WITHHELD] = "dashed", [GRAPH_MISSING] = "bold"};
    static struct graph graph;
    char title[600], file[512];
    audit_graph(audit, &graph);
    snprintf(title, sizeof title, "%s: %s", printable(file, sizeof file, str_of(audit->in.file)),
             audit->summary);
    fprintf(out, "  subgraph cluster_%zu {\n    label=", number);
    put_quoted(out, title);
    fputs(";\n", out);
    for (size_t i = 0; i < graph.count; i++) {
        fprintf(out, "    n%zu_%zu [style=%s, label=", number, i, styles[graph.nodes[i].state]);
        put_quoted(out, graph.nodes[i].label);
        fputs("];\n", out);
    }
    for (int column = 0; column < GRAPH_COLUMNS; column++) {
        fputs("    { rank=same;", out);
        for (size_t i = 0; i < graph.count; i++)
            if ((int)graph.nodes[i].column == column)
                fprintf(out, " n%zu_%zu;", number, i);
        fputs(" }\n", out);
    }
    for (size_t i = 0; i < graph.edge_count; i++)
        fprintf(out, "    n%zu_%u -> n%zu_%u [style=%s];\n", number, (unsigned)graph.edges[i].from,
                number, (unsigned)graph.edges[i].to, styles[graph.edges[i].state]);
    fputs("  }\n", out);
}

void audit_dot_end(FILE *out)
{
    fputs("}\n", out);
}
