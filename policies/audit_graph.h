/* An audit as a graph in four columns: what is imported, the capability that this is about, what is
 * handed over for it, the system calls that follow. Drawn by audit_dot.c and audit_html.c. */
#ifndef CARREL_POLICIES_AUDIT_GRAPH_H
#define CARREL_POLICIES_AUDIT_GRAPH_H

#include "policies/audit.h"

enum graph_column { GRAPH_IMPORT, GRAPH_CAPABILITY, GRAPH_GRANT, GRAPH_CALL, GRAPH_COLUMNS };

/* How a node or an edge is drawn. */
enum graph_state { GRAPH_GIVEN, GRAPH_WITHHELD, GRAPH_MISSING, GRAPH_STATES };

struct graph_node {
    enum graph_column column;
    enum graph_state state;
    char label[160]; /* printable */
};

#define GRAPH_NODES 512
#define GRAPH_EDGES 2048

struct graph_edge {
    uint16_t from, to;
    enum graph_state state;
};

struct graph {
    size_t count;
    struct graph_node nodes[GRAPH_NODES];
    size_t edge_count;
    struct graph_edge edges[GRAPH_EDGES];
    bool cut; /* something did not fit */
};

void audit_graph(const struct audit *audit, struct graph *ret);

/* "given", "withheld", "missing". */
const char *graph_state_word(enum graph_state state);

#endif
