/* Compares demands with policies and with each other; see audit_compare.h. Pure but for the
 * printing; names of unknown origin go through printable(). */
#include "policies/audit_compare.h"

#include "policies/printable.h"
#include <inttypes.h>

#define NAMED_MAX 4 /* functions that a line names */
#define NAMES_MAX 8 /* lines about imports of one sort; of the others their number is told */

static bool reached(const struct demand *demand, int row)
{
    return row_infos[row].kind != ROW_EXPORT && demand_reaches(demand, (enum row)row);
}

/* "interface#name, ..., and 3 more" of the rows that `wanted` says. */
static void print_rows(FILE *out, const struct demand *demand, const bool wanted[ROW_COUNT])
{
    size_t count = 0;
    for (int row = 0; row < ROW_COUNT; row++) {
        if (!wanted[row])
            continue;
        if (count < NAMED_MAX)
            fprintf(out, "%s%s#%s%s", count ? ", " : "", audit_interface(demand, (enum row)row),
                    row_infos[row].kind == ROW_DROP ? "[resource-drop]" : "", row_infos[row].name);
        count++;
    }
    if (count > NAMED_MAX)
        fprintf(out, " and %zu more", count - NAMED_MAX);
}

/* --- Excess -------------------------------------------------------------------------------------
 */

static const char *remedy(const struct policy *policy, enum capability capability)
{
    return capability_in(policy->denied, capability)           ? "denied by the policy"
           : capabilities[capability].given == CAP_GIVEN_LATER ? "nothing gives it yet"
                                                               : "not allowed by the policy";
}

static size_t excess_names(const struct audit *audit, const char *file, enum demand_list list,
                           const char *what, FILE *out)
{
    const struct demand *demand = audit->in.demand;
    uint32_t shown = 0, total = demand->head.totals[list];
    for (size_t i = 0; i < demand->name_count; i++) {
        char name[4 * DEMAND_NAME_MAX];
        if (demand->names[i].list != list)
            continue;
        if (shown == NAMES_MAX)
            break;
        shown++;
        fprintf(out, "%s: %s: %s\n", file, what,
                printable(name, sizeof name, demand->names[i].text));
    }
    if (shown < total)
        fprintf(out, "%s: %s: %" PRIu32 " more\n", file, what, total - shown);
    return total;
}

size_t audit_print_excess(const struct audit *audit, FILE *out)
{
    const struct audit_input *in = &audit->in;
    char file[512];
    size_t count = 0;
    printable(file, sizeof file, str_of(in->file));
    for (int i = 0; i < CAP_COUNT; i++) {
        enum capability capability = (enum capability)i;
        bool wanted[ROW_COUNT] = {false}, any = false;
        for (int row = 0; row < ROW_COUNT; row++) {
            wanted[row] = reached(in->demand, row) && row_infos[row].capability == capability &&
                          !capability_in(in->policy->allowed, capability);
            any = any || wanted[row];
        }
        if (!any)
            continue;
        count++;
        fprintf(out, "%s: %s: %s: wants to %s by ", file, capabilities[i].word,
                remedy(in->policy, capability), capabilities[i].what);
        print_rows(out, in->demand, wanted);
        fputc('\n', out);
    }
    count += excess_names(audit, file, DEMAND_UNKNOWN, "imports what carrel does not know", out);
    count +=
        excess_names(audit, file, DEMAND_MISMATCH, "imports with a type other than WASI's", out);
    if (in->demand->head.memory[0] > in->policy->memory) {
        fprintf(out,
                "%s: limits.memory: starts with %" PRIu64 " bytes, and the policy has %" PRIu64
                "\n",
                file, in->demand->head.memory[0], in->policy->memory);
        count++;
    }
    return count;
}

/* --- Growth -------------------------------------------------------------------------------------
 */

/* All that the component could be given. */
static void utmost(const struct audit *audit, struct verdict *ret)
{
    struct policy all = *audit->in.policy;
    all.allowed = ~(capability_set)0;
    derive_verdict(audit->in.demand, &all, ret);
}

static bool names_it(const struct demand *demand, const struct demand_name *name)
{
    for (size_t i = 0; i < demand->name_count; i++)
        if (demand->names[i].list == name->list && str_eq(demand->names[i].text, name->text))
            return true;
    return false;
}

/* What `now` has and `before` has not, with `sign` in front. */
static size_t difference(const struct audit *before, const struct audit *now, char sign, FILE *out)
{
    struct verdict old, new;
    size_t count = 0;
    utmost(before, &old);
    utmost(now, &new);
    for (int i = 0; i < CAP_COUNT; i++) {
        if (!((new.demanded & ~old.demanded) >> i & 1))
            continue;
        bool wanted[ROW_COUNT];
        for (int row = 0; row < ROW_COUNT; row++)
            wanted[row] = reached(now->in.demand, row) && !reached(before->in.demand, row) &&
                          derive_needs((enum row)row) >> i & 1;
        fprintf(out, "%c capability %s: %s, by ", sign, capabilities[i].word, capabilities[i].what);
        print_rows(out, now->in.demand, wanted);
        fputc('\n', out);
        count++;
    }
    for (int i = 0; i < RULE_COUNT; i++) {
        if (!((new.rules & ~old.rules) >> i & 1))
            continue;
        fprintf(out, "%c system call %s: %s\n", sign, rules[i].call, rules[i].why);
        count++;
    }
    const struct demand *demand = now->in.demand;
    for (size_t i = 0; i < demand->name_count; i++) {
        char name[4 * DEMAND_NAME_MAX];
        if (demand->names[i].list != DEMAND_UNKNOWN ||
            names_it(before->in.demand, &demand->names[i]))
            continue;
        fprintf(out, "%c import that carrel does not know: %s\n", sign,
                printable(name, sizeof name, demand->names[i].text));
        count++;
    }
    return count;
}

/* Functions within capabilities that both have: no right is new, but somebody may wonder. */
static void print_functions(const struct audit *before, const struct audit *now, char sign,
                            FILE *out)
{
    bool wanted[ROW_COUNT], any = false;
    struct verdict old;
    utmost(before, &old);
    for (int row = 0; row < ROW_COUNT; row++) {
        wanted[row] = reached(now->in.demand, row) && !reached(before->in.demand, row) &&
                      !(derive_needs((enum row)row) & ~old.demanded);
        any = any || wanted[row];
    }
    if (!any)
        return;
    fprintf(out, "%c within what both can do: ", sign);
    print_rows(out, now->in.demand, wanted);
    fputc('\n', out);
}

size_t audit_print_growth(const struct audit *before, const struct audit *now, FILE *out)
{
    size_t grown = difference(before, now, '+', out);
    print_functions(before, now, '+', out);
    if (now->in.demand->head.memory[0] > before->in.demand->head.memory[0])
        fprintf(out, "+ memory at its start: %" PRIu64 " bytes, before %" PRIu64 "\n",
                now->in.demand->head.memory[0], before->in.demand->head.memory[0]);
    difference(now, before, '-', out);
    print_functions(now, before, '-', out);
    return grown;
}
