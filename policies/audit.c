/* Arranges a verdict for readers; see audit.h. Pure. */
#include "policies/audit.h"

const char *audit_answer_word(enum row_answer answer)
{
    switch (answer) {
    case ANSWER_GRANTED: return "given";
    case ANSWER_WITHHELD: return "not given";
    case ANSWER_DEAD: return "never called";
    case ANSWER_MISSING: return "not provided";
    case ANSWER_ABSENT: break;
    }
    return "not imported";
}

const char *audit_standing_word(enum audit_standing standing)
{
    static const char *const words[] = {
        [AUDIT_STANDS] = "stands",
        [AUDIT_MISSING] = "missing",
        [AUDIT_PLANNED] = "planned",
        [AUDIT_UNNEEDED] = "not needed",
    };
    return words[standing];
}

bool audit_imports(const struct demand *demand, const char *module)
{
    for (size_t i = 0; i < demand->name_count; i++)
        if (demand->names[i].list == DEMAND_IMPORT && str_is(demand->names[i].text, module))
            return true;
    return false;
}

const char *audit_interface(const struct demand *demand, enum row row)
{
    bool old = row_infos[row].kind == ROW_PREVIEW1 && audit_imports(demand, "wasi_unstable") &&
               !audit_imports(demand, row_infos[row].interface);
    return old ? "wasi_unstable" : row_infos[row].interface;
}

bool audit_runs(const struct audit *audit)
{
    return !audit->refused && audit->start == START_RUN;
}

const char *audit_start_sentence(enum derive_start start)
{
    switch (start) {
    case START_SERVE: return "It would run with `carrel serve`.";
    case START_INVOKE: return "It has no program: its exports can be called with --invoke.";
    case START_RUN: break;
    }
    return "It would run.";
}

/* --- Groups ------------------------------------------------------------------------------------
 */

/* The order within an interface: what works first, then by capability. */
static unsigned rank(const struct verdict *verdict, unsigned row)
{
    static const unsigned of[] = {
        [ANSWER_GRANTED] = 0, [ANSWER_WITHHELD] = 1, [ANSWER_MISSING] = 2,
        [ANSWER_DEAD] = 3,    [ANSWER_ABSENT] = 4,
    };
    return of[verdict->answers[row]] * CAP_COUNT + row_infos[row].capability;
}

/* Adds the groups of the interface whose rows are first to end - 1. */
static size_t add_groups(struct audit *audit, unsigned first, unsigned end, size_t at)
{
    const struct verdict *verdict = audit->in.verdict;
    for (unsigned wanted = 0; wanted < 4 * CAP_COUNT; wanted++) {
        size_t begin = at;
        for (unsigned row = first; row < end; row++)
            if (rank(verdict, row) == wanted)
                audit->group_rows[at++] = (uint16_t)row;
        if (at == begin)
            continue;
        unsigned row = audit->group_rows[begin];
        audit->groups[audit->group_count++] = (struct audit_group){
            .interface = row_infos[row].interface,
            .capability = row_infos[row].capability,
            .answer = (enum row_answer)verdict->answers[row],
            .rows = &audit->group_rows[begin],
            .count = at - begin,
        };
    }
    return at;
}

static void make_groups(struct audit *audit)
{
    size_t at = 0;
    unsigned first = 0;
    while (first < ROW_COUNT) {
        unsigned end = first + 1;
        while (end < ROW_COUNT && row_infos[end].interface == row_infos[first].interface)
            end++;
        at = add_groups(audit, first, end, at);
        first = end;
    }
}

/* --- Rules and walls ---------------------------------------------------------------------------
 */

static void make_rules(struct audit *audit)
{
    const struct verdict *verdict = audit->in.verdict;
    for (unsigned rule = 0; rule < RULE_COUNT; rule++) {
        if (!(verdict->rules >> rule & 1))
            continue;
        struct audit_rule *to = &audit->rules[audit->rule_count++];
        uint16_t *rows = audit->rule_rows[rule];
        *to = (struct audit_rule){
            .rule = (enum rule_name)rule, .always = RULES_BASE >> rule & 1, .rows = rows};
        for (unsigned row = 0; row < ROW_COUNT; row++)
            if (derive_row_rules(verdict, (enum row)row) >> rule & 1)
                rows[to->count++] = (uint16_t)row;
    }
}

static wall_set planned(const struct plan *plan)
{
    wall_set set = 0;
    for (size_t i = 0; i < plan->count; i++) {
        enum wall wall = operation_infos[plan->at[i].kind].wall;
        if (wall != WALL_NONE)
            set |= WALL_BIT(wall);
    }
    return set;
}

static void make_walls(struct audit *audit)
{
    wall_set plan = planned(audit->in.plan);
    for (int i = 0; i < WALL_COUNT; i++) {
        enum wall wall = (enum wall)i;
        audit->walls[wall] = wall_in(audit->in.missing, wall)    ? AUDIT_MISSING
                             : !wall_in(plan, wall)              ? AUDIT_UNNEEDED
                             : wall_in(audit->in.standing, wall) ? AUDIT_STANDS
                                                                 : AUDIT_PLANNED;
    }
}

/* --- The verdict in a line ---------------------------------------------------------------------
 */

/* What is worth a word in the summary, in the order of the words; the first that fits of a set. */
static const struct {
    capability_set any;    /* demanded */
    capability_set unless; /* said by another row already */
    const char *words;
} phrases[] = {
    {CAPABILITY(DIR_WRITE) | CAPABILITY(DIR_MUTATE), 0, "reads and changes files that you give it"},
    {CAPABILITY(DIR_READ), CAPABILITY(DIR_WRITE) | CAPABILITY(DIR_MUTATE),
     "reads files that you give it"},
    {CAPABILITY(ENV), 0, "reads environment variables that you give it"},
    {CAPABILITY(CONFIG), 0, "reads settings that you give it"},
    {CAPABILITY(KEYVALUE), 0, "keeps values in stores that you give it"},
    {CAPABILITY(NET_TCP_CONNECT), 0, "opens TCP connections"},
    {CAPABILITY(NET_TCP_LISTEN), 0, "accepts TCP connections"},
    {CAPABILITY(NET_UDP), 0, "sends and receives UDP datagrams"},
    {CAPABILITY(NET_DNS), 0, "looks up host names"},
    {CAPABILITY(HTTP_OUT), 0, "sends HTTP requests"},
    {CAPABILITY(HTTP_IN), 0, "answers HTTP requests"},
};

static void make_summary(struct audit *audit)
{
    capability_set demanded = audit->in.verdict->demanded;
    char *to = audit->summary;
    size_t used = 0, size = sizeof audit->summary;
    for (size_t i = 0; i < countof(phrases); i++) {
        if (!(demanded & phrases[i].any) || demanded & phrases[i].unless)
            continue;
        int wrote = snprintf(to + used, size - used, "%s%s", used ? ", " : "", phrases[i].words);
        if (wrote > 0 && (size_t)wrote < size - used)
            used += (size_t)wrote;
    }
    if (audit->in.demand->head.totals[DEMAND_UNKNOWN] > 0)
        snprintf(to + used, size - used, "%swants what carrel does not know", used ? ", " : "");
    else if (used == 0)
        snprintf(to, size, "computes only, on its arguments and standard streams");
}

void audit_make(const struct audit_input *in, struct audit *ret)
{
    ret->in = *in;
    ret->group_count = 0;
    ret->rule_count = 0;
    ret->refusal = (struct err){.offset = ERR_NOWHERE};
    ret->refused = derive_refusal(in->demand, in->policy, in->verdict, &ret->refusal) != 0;
    ret->start = derive_start(in->demand);
    if (!ret->refused)
        derive_startable(in->demand, START_RUN, &ret->refusal);
    make_groups(ret);
    make_rules(ret);
    make_walls(ret);
    make_summary(ret);
}
