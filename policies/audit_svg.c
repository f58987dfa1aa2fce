/* The graph of an audit as SVG within the HTML page (audit_html.c). Text that is not a row's is
 * printable already, and goes through html_escaped(). */
#include "policies/audit_graph.h"
#include "policies/audit_html.h"

#include <string.h>

enum {
    ROW_HEIGHT = 30,
    BOX_HEIGHT = 24,
    LANE_HEIGHT = 12, /* where an edge passes the grants by */
    TOP = 34,
    WIDTH = 1120,
    LETTER = 8, /* at most so wide */
};

static const struct {
    const char *title;
    int x, width;
} columns[GRAPH_COLUMNS] = {
    [GRAPH_IMPORT] = {"imports", 10, 240},
    [GRAPH_CAPABILITY] = {"capabilities", 340, 150},
    [GRAPH_GRANT] = {"what is handed over", 580, 240},
    [GRAPH_CALL] = {"system calls", 910, 160},
};

struct places {
    int y[GRAPH_NODES];    /* of boxes: the upper edge */
    int lane[GRAPH_NODES]; /* of nodes with an edge past the grants: where that goes; else 0 */
    int height;
};

static bool passes(const struct graph *graph, const struct graph_edge *edge)
{
    return graph->nodes[edge->from].column < GRAPH_GRANT &&
           graph->nodes[edge->to].column > GRAPH_GRANT;
}

/* Puts each column's nodes below each other, and below the grants the lanes. */
static void place(const struct graph *graph, struct places *ret)
{
    int used[GRAPH_COLUMNS] = {0}, most = 0;
    for (size_t i = 0; i < graph->count; i++) {
        ret->y[i] = used[graph->nodes[i].column];
        ret->lane[i] = 0;
        used[graph->nodes[i].column] += ROW_HEIGHT;
    }
    for (size_t i = 0; i < graph->edge_count; i++) {
        uint16_t from = graph->edges[i].from;
        if (!passes(graph, &graph->edges[i]) || ret->lane[from])
            continue;
        ret->lane[from] = TOP + used[GRAPH_GRANT] + LANE_HEIGHT / 2;
        used[GRAPH_GRANT] += LANE_HEIGHT;
    }
    for (int i = 0; i < GRAPH_COLUMNS; i++)
        most = used[i] > most ? used[i] : most;
    for (size_t i = 0; i < graph->count; i++) {
        ret->y[i] += TOP + (most - used[graph->nodes[i].column]) / 2;
        if (ret->lane[i])
            ret->lane[i] += (most - used[GRAPH_GRANT]) / 2;
    }
    ret->height = TOP + most + 8;
}

static void put_curve(FILE *out, int x1, int y1, int x2, int y2)
{
    int middle = (x1 + x2) / 2;
    fprintf(out, "C%d %d %d %d %d %d", middle, y1, middle, y2, x2, y2);
}

static void put_edge(FILE *out, const struct graph *graph, const struct graph_edge *edge,
                     const struct places *places)
{
    const struct graph_node *from = &graph->nodes[edge->from], *to = &graph->nodes[edge->to];
    int x1 = columns[from->column].x + columns[from->column].width, x2 = columns[to->column].x;
    int y1 = places->y[edge->from] + BOX_HEIGHT / 2, y2 = places->y[edge->to] + BOX_HEIGHT / 2;
    fprintf(out, "<path class=\"%s\" d=\"M%d %d", graph_state_word(edge->state), x1, y1);
    if (passes(graph, edge)) {
        int left = columns[GRAPH_GRANT].x, right = left + columns[GRAPH_GRANT].width,
            lane = places->lane[edge->from];
        put_curve(out, x1, y1, left, lane);
        fprintf(out, "H%d", right);
        put_curve(out, right, lane, x2, y2);
    } else {
        put_curve(out, x1, y1, x2, y2);
    }
    fputs("\"/>\n", out);
}

/* A box holds a number of letters; the whole label is the title. */
static void put_label(FILE *out, const char *label, size_t room)
{
    static const char cut[] = "...";
    char shown[64];
    size_t length = strlen(label);
    if (length < room) {
        html_escaped(out, label);
        return;
    }
    length = (room < sizeof shown ? room : sizeof shown) - sizeof cut;
    while (length > 0 && ((uint8_t)label[length] & 0xc0) == 0x80) /* within a character */
        length--;
    snprintf(shown, sizeof shown, "%.*s%s", (int)length, label, cut);
    html_escaped(out, shown);
}

static void put_node(FILE *out, const struct graph_node *node, int y)
{
    int width = columns[node->column].width, x = columns[node->column].x;
    fprintf(out, "<g class=\"%s\"><title>", graph_state_word(node->state));
    html_escaped(out, node->label);
    fprintf(out,
            "</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\"/><text x=\"%d\" "
            "y=\"%d\">",
            x, y, width, BOX_HEIGHT, x + 8, y + 17);
    put_label(out, node->label, (size_t)(width / LETTER));
    fputs("</text></g>\n", out);
}

void html_graph(FILE *out, const struct audit *audit)
{
    static struct graph graph;
    static struct places places;
    audit_graph(audit, &graph);
    place(&graph, &places);
    fprintf(out,
            "<h3>From import to system call</h3>\n<div class=\"wide\" tabindex=\"0\"><svg "
            "viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"graph of imports, capabilities, grants and system calls\">\n",
            WIDTH, places.height);
    for (int i = 0; i < GRAPH_COLUMNS; i++)
        fprintf(out, "<text class=\"title\" x=\"%d\" y=\"22\">%s</text>\n", columns[i].x,
                columns[i].title);
    for (size_t i = 0; i < graph.edge_count; i++)
        put_edge(out, &graph, &graph.edges[i], &places);
    for (size_t i = 0; i < graph.count; i++)
        put_node(out, &graph.nodes[i], places.y[i]);
    fputs("</svg></div>\n", out);
    if (graph.cut)
        fputs("<p class=\"soft\">The graph leaves something out: there is too much to draw.</p>\n",
              out);
}
