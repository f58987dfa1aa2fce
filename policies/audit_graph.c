/* Makes the graph of an audit; see audit_graph.h. Pure. Nodes and edges are bounded: what does not
 * fit is left out, and `cut` says so. */
#include "policies/audit_graph.h"

#include "policies/printable.h"

#define NO_NODE UINT16_MAX

struct drawing {
    const struct audit *audit;
    struct graph *graph;
    uint16_t capability[CAP_COUNT];
    uint16_t call[RULE_COUNT];
    capability_set has_grant;
};

const char *graph_state_word(enum graph_state state)
{
    static const char *const words[] = {
        [GRAPH_GIVEN] = "given", [GRAPH_WITHHELD] = "withheld", [GRAPH_MISSING] = "missing"};
    return words[state];
}

static uint16_t add_node(struct drawing *d, enum graph_column column, enum graph_state state,
                         const char *label)
{
    struct graph *graph = d->graph;
    if (graph->count == GRAPH_NODES) {
        graph->cut = true;
        return NO_NODE;
    }
    struct graph_node *node = &graph->nodes[graph->count];
    node->column = column;
    node->state = state;
    snprintf(node->label, sizeof node->label, "%s", label);
    return (uint16_t)graph->count++;
}

static void add_edge(struct drawing *d, uint16_t from, uint16_t to, enum graph_state state)
{
    struct graph *graph = d->graph;
    if (from == NO_NODE || to == NO_NODE)
        return;
    for (size_t i = 0; i < graph->edge_count; i++)
        if (graph->edges[i].from == from && graph->edges[i].to == to)
            return;
    if (graph->edge_count == GRAPH_EDGES)
        graph->cut = true;
    else
        graph->edges[graph->edge_count++] = (struct graph_edge){from, to, state};
}

static enum graph_state state_of(enum row_answer answer)
{
    return answer == ANSWER_MISSING   ? GRAPH_MISSING
           : answer == ANSWER_GRANTED ? GRAPH_GIVEN
                                      : GRAPH_WITHHELD;
}

/* --- Columns ------------------------------------------------------------------------------------
 */

/* Interfaces with a function that can be called, and the capabilities that those are about. */
static void add_imports(struct drawing *d)
{
    const struct audit *audit = d->audit;
    for (size_t i = 0; i < audit->group_count;) {
        const char *interface = audit->groups[i].interface;
        enum graph_state state = GRAPH_STATES;
        size_t first = i;
        for (; i < audit->group_count && audit->groups[i].interface == interface; i++) {
            enum graph_state one = state_of(audit->groups[i].answer);
            if (audit->groups[i].answer != ANSWER_DEAD && (state == GRAPH_STATES || one < state))
                state = one;
        }
        if (state == GRAPH_STATES)
            continue;
        uint16_t node =
            add_node(d, GRAPH_IMPORT, state,
                     audit_interface(audit->in.demand, (enum row)audit->groups[first].rows[0]));
        for (size_t k = first; k < i; k++) {
            const struct audit_group *group = &audit->groups[k];
            if (group->answer != ANSWER_DEAD)
                add_edge(d, node, d->capability[group->capability], state_of(group->answer));
        }
    }
}

static void add_capabilities(struct drawing *d)
{
    const struct verdict *verdict = d->audit->in.verdict;
    for (int i = 0; i < CAP_COUNT; i++) {
        bool given = i == CAP_IO || capability_in(verdict->granted, (enum capability)i);
        enum graph_state state = given ? GRAPH_GIVEN : GRAPH_WITHHELD;
        bool direct = false;
        for (int row = 0; row < ROW_COUNT; row++) {
            bool counts =
                (int)row_infos[row].capability == i && verdict->answers[row] >= ANSWER_GRANTED;
            direct = direct || counts;
            if (counts && verdict->answers[row] == ANSWER_MISSING)
                state = GRAPH_MISSING;
        }
        d->capability[i] = NO_NODE;
        if (direct || i == CAP_IO) /* which has what every cell keeps */
            d->capability[i] = add_node(d, GRAPH_CAPABILITY, state, capabilities[i].word);
    }
}

/* Descriptors: what they are for, what they are called, and which calls of those that every cell
 * has are made on them. */
static const struct {
    capability_set serves;
    const char *label;
    rule_set calls;
} handed[GRANT_KINDS] = {
    [GRANT_STDIN] = {CAPABILITY(STDIN), "standard input", R(READ)},
    [GRANT_STDOUT] = {CAPABILITY(STDOUT), "standard output", R(WRITE)},
    [GRANT_STDERR] = {CAPABILITY(STDERR), "standard error", R(WRITE)},
    [GRANT_DIRECTORY] = {CAPABILITY(DIR_READ), "directory", 0},
    [GRANT_STORE] = {CAPABILITY(KEYVALUE), "store", R(READ) | R(WRITE)},
    [GRANT_LISTENER] = {CAPABILITY(NET_TCP_LISTEN), "listening socket", 0},
    [GRANT_NAMESERVER] = {CAPABILITY(NET_DNS), "a nameserver", 0},
};

/* The capabilities that an operation of the plan serves. */
static capability_set serves(const struct operation *operation)
{
    switch (operation->kind) {
    case OPERATION_GRANT: {
        capability_set set = handed[operation->of.grant.kind].serves;
        bool writes = operation->of.grant.kind == GRANT_DIRECTORY &&
                      operation->of.grant.rights & (RIGHT_WRITE | RIGHT_MUTATE);
        return writes ? set | CAPABILITY(DIR_WRITE) | CAPABILITY(DIR_MUTATE) : set;
    }
    case OPERATION_NET_RULE: return net_rule_gives(operation->of.net_rule.rule);
    case OPERATION_ENVIRONMENT: return CAPABILITY(ENV);
    case OPERATION_ARGUMENTS: return CAPABILITY(ARGS);
    case OPERATION_CONFIG: return CAPABILITY(CONFIG);
    case OPERATION_ZONE: return CAPABILITY(TIMEZONE);
    case OPERATION_SEED: return CAPABILITY(RANDOM) | CAPABILITY(RANDOM_INSECURE);
    case OPERATION_TERMINALS: return CAPABILITY(TERMINAL);
    default: return 0;
    }
}

static void grant_label(const struct operation *operation, char ret[160])
{
    char name[128];
    switch (operation->kind) {
    case OPERATION_GRANT:
        printable(name, sizeof name, str_of(operation->of.grant.name));
        snprintf(ret, 160, "%s%s%s", handed[operation->of.grant.kind].label, *name ? " " : "",
                 name);
        break;
    case OPERATION_NET_RULE:
        snprintf(ret, 160, "%s",
                 printable(name, sizeof name, str_of(operation->of.net_rule.rule->text)));
        break;
    case OPERATION_ENVIRONMENT: snprintf(ret, 160, "variables that are named"); break;
    case OPERATION_ARGUMENTS: snprintf(ret, 160, "its arguments"); break;
    case OPERATION_SEED: snprintf(ret, 160, "a seed of its own"); break;
    case OPERATION_CONFIG: snprintf(ret, 160, "settings that are named"); break;
    case OPERATION_ZONE: snprintf(ret, 160, "the time zone"); break;
    default: snprintf(ret, 160, "what is a terminal"); break;
    }
}

/* Edges between what an operation hands over, the capabilities that it serves, and the calls. */
static void join_grant(struct drawing *d, uint16_t node, capability_set set, rule_set calls)
{
    for (int c = 0; c < CAP_COUNT; c++) {
        if (!capability_in(set, (enum capability)c))
            continue;
        d->has_grant |= (capability_set)1 << c;
        add_edge(d, d->capability[c], node, GRAPH_GIVEN);
    }
    for (size_t r = 0; r < d->audit->rule_count; r++) {
        enum rule_name rule = d->audit->rules[r].rule;
        if (capability_in(set, rules[rule].capability) || calls >> rule & 1)
            add_edge(d, node, d->call[rule], GRAPH_GIVEN);
    }
}

/* The capabilities that have a node. */
static capability_set drawn(const struct drawing *d)
{
    capability_set set = 0;
    for (int c = 0; c < CAP_COUNT; c++)
        if (d->capability[c] != NO_NODE)
            set |= (capability_set)1 << c;
    return set;
}

static void add_grants(struct drawing *d)
{
    const struct plan *plan = d->audit->in.plan;
    capability_set granted = d->audit->in.verdict->granted;
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation *operation = &plan->at[i];
        capability_set set = serves(operation) & granted;
        char label[160];
        if (!(set & drawn(d)))
            continue;
        grant_label(operation, label);
        join_grant(d, add_node(d, GRAPH_GRANT, GRAPH_GIVEN, label), set,
                   operation->kind == OPERATION_GRANT ? handed[operation->of.grant.kind].calls : 0);
    }
    /* What no operation of this plan gives: the flag that gives it, or gave it. */
    for (int c = 0; c < CAP_COUNT; c++) {
        bool given = capability_in(granted, (enum capability)c);
        if (d->capability[c] == NO_NODE || !*capabilities[c].flag ||
            capability_in(d->has_grant, (enum capability)c))
            continue;
        uint16_t node =
            add_node(d, GRAPH_GRANT, given ? GRAPH_GIVEN : GRAPH_WITHHELD, capabilities[c].flag);
        if (given)
            join_grant(d, node, (capability_set)1 << c, 0);
        else
            add_edge(d, d->capability[c], node, GRAPH_WITHHELD);
    }
}

static void add_calls(struct drawing *d)
{
    for (size_t i = 0; i < RULE_COUNT; i++)
        d->call[i] = NO_NODE;
    for (size_t i = 0; i < d->audit->rule_count; i++) {
        enum rule_name rule = d->audit->rules[i].rule;
        for (size_t k = 0; k < i && d->call[rule] == NO_NODE; k++)
            if (strcmp(rules[d->audit->rules[k].rule].call, rules[rule].call) == 0)
                d->call[rule] = d->call[d->audit->rules[k].rule];
        if (d->call[rule] == NO_NODE)
            d->call[rule] = add_node(d, GRAPH_CALL, GRAPH_GIVEN, rules[rule].call);
    }
}

/* Calls of capabilities that need no grant, and those that serve every stream. */
static void join_calls(struct drawing *d)
{
    for (size_t i = 0; i < d->audit->rule_count; i++) {
        enum rule_name rule = d->audit->rules[i].rule;
        enum capability capability = rules[rule].capability;
        if (!(d->has_grant >> capability & 1))
            add_edge(d, d->capability[capability], d->call[rule], GRAPH_GIVEN);
    }
}

void audit_graph(const struct audit *audit, struct graph *ret)
{
    struct drawing d = {.audit = audit, .graph = ret};
    ret->count = ret->edge_count = 0;
    ret->cut = false;
    add_calls(&d);
    add_capabilities(&d);
    add_grants(&d);
    add_imports(&d);
    join_calls(&d);
}
