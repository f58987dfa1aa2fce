/* Demand x policy -> verdict; see derive.h. Pure: no system call, no allocation, no text but that
 * of errors. The intersection is here and nowhere else. */
#include "policies/derive.h"

#include <inttypes.h>

/* Every descriptor function of preview 1 may be called on a standard stream. */
static const capability_set preview1_streams =
    CAPABILITY(STDIN) | CAPABILITY(STDOUT) | CAPABILITY(STDERR) | CAPABILITY(TERMINAL);

capability_set derive_needs(enum row row)
{
    const struct row_info *info = &row_infos[row];
    capability_set needs = (capability_set)1 << info->capability;
    for (int i = 0; i < RULE_COUNT; i++)
        if (info->rules >> i & 1)
            needs |= (capability_set)1 << rules[i].capability;
    if (info->kind == ROW_PREVIEW1 && info->capability == CAP_IO)
        needs |= preview1_streams;
    return needs;
}

/* An export is nothing that a component demands: it offers it. But to call the handler of requests
 * is more than to run a program. */
static bool is_demand(const struct demand *demand, const struct policy *policy, enum row row)
{
    if (row_infos[row].kind != ROW_EXPORT)
        return true;
    return row == ROW_export_http_incoming_handle && demand_is(demand, DEMAND_IS_PROXY) &&
           capability_in(policy->allowed, CAP_HTTP_IN);
}

static enum row_answer answer(const struct demand *demand, capability_set allowed, enum row row)
{
    const struct row_info *info = &row_infos[row];
    if (info->kind == ROW_EXPORT)
        return ANSWER_GRANTED;
    if (!demand_imports(demand, row))
        return ANSWER_ABSENT;
    if (!demand_reaches(demand, row))
        return ANSWER_DEAD;
    if (info->state == ROW_LATER)
        return ANSWER_MISSING;
    return capability_in(allowed, info->capability) ? ANSWER_GRANTED : ANSWER_WITHHELD;
}

rule_set derive_row_rules(const struct verdict *verdict, enum row row)
{
    rule_set given = 0;
    if (verdict->answers[row] != ANSWER_GRANTED)
        return 0;
    for (int i = 0; i < RULE_COUNT; i++)
        if (row_infos[row].rules >> i & 1 && capability_in(verdict->granted, rules[i].capability))
            given |= UINT64_C(1) << i;
    return given;
}

void derive_verdict(const struct demand *demand, const struct policy *policy, struct verdict *ret)
{
    *ret = (struct verdict){.rules = RULES_BASE};
    for (int i = 0; i < ROW_COUNT; i++) {
        enum row row = (enum row)i;
        if (!is_demand(demand, policy, row))
            continue;
        enum row_answer got = answer(demand, policy->allowed, row);
        ret->answers[row] = (uint8_t)got;
        if (got == ANSWER_GRANTED || got == ANSWER_WITHHELD || got == ANSWER_MISSING)
            ret->demanded |= derive_needs(row);
        if (got == ANSWER_MISSING)
            ret->missing++;
    }
    ret->granted = ret->demanded & policy->allowed;
    for (int i = 0; i < ROW_COUNT; i++)
        ret->rules |= derive_row_rules(ret, (enum row)i);
}

int derive_refusal(const struct demand *demand, const struct policy *policy,
                   const struct verdict *verdict, struct err *err)
{
    if (demand_is(demand, DEMAND_IS_IMAGE))
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "is an image or an archive: containerd runs images; unpack it to run the "
                       "component in it");
    if (demand_is(demand, DEMAND_IS_WIT))
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "is the text of a world: what runs is a component that is made for it");
    uint64_t unknown = (uint64_t)demand->head.totals[DEMAND_UNKNOWN] + verdict->missing;
    uint32_t mismatched = demand->head.totals[DEMAND_MISMATCH];
    if (unknown && mismatched)
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "has %" PRIu64 " import%s that carrel does not provide, and %" PRIu32
                       " with a type other than WASI's: build it for what WASI has",
                       unknown, unknown == 1 ? "" : "s", mismatched);
    if (unknown)
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "has %" PRIu64 " import%s that carrel does not provide: build it without",
                       unknown, unknown == 1 ? "" : "s");
    if (mismatched)
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "imports %" PRIu32
                       " function%s with a type other than WASI's: build it for what WASI has",
                       mismatched, mismatched == 1 ? "" : "s");
    /* A read may fail in the way of its type, a wait cannot. */
    if (capability_in(verdict->demanded & ~verdict->granted, CAP_IO))
        return err_set(
            err, ERR_DENIED, ERR_NOWHERE,
            "reads, writes or waits, and the policy denies io: leave that out of its deny; stdin, "
            "stdout and stderr can be denied instead");
    if (demand->head.memory[0] > policy->memory)
        return err_set(err, ERR_DENIED, ERR_NOWHERE,
                       "starts with %" PRIu64 " bytes of memory, and %" PRIu64
                       " are allowed: give it more with --memory",
                       demand->head.memory[0], policy->memory);
    return 0;
}

enum derive_start derive_start(const struct demand *demand)
{
    return demand_is(demand, DEMAND_IS_COMMAND) ? START_RUN
           : demand_is(demand, DEMAND_IS_PROXY) ? START_SERVE
                                                : START_INVOKE;
}

static const char *why_no_program(const struct demand *demand)
{
    if (demand_is(demand, DEMAND_IS_PROXY))
        return "it answers HTTP requests and is no program: use `carrel serve`";
    if (demand_is(demand, DEMAND_IS_COMPONENT))
        return "it is no program: call one of its exports with --invoke 'NAME(ARGS)'; `carrel "
               "inspect` lists them";
    return "it is no program, which exports a function \"_start\" without parameters and results: "
           "call one of its exports with --invoke 'NAME(ARGS)'; `carrel inspect` lists them";
}

int derive_startable(const struct demand *demand, enum derive_start how, struct err *err)
{
    if (how == START_RUN && !demand_is(demand, DEMAND_IS_COMMAND))
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE, "%s", why_no_program(demand));
    if (how == START_SERVE && !demand_is(demand, DEMAND_IS_PROXY))
        return err_set(
            err, ERR_UNLINKABLE, ERR_NOWHERE, "%s",
            demand_is(demand, DEMAND_IS_COMMAND)
                ? "it is a program and answers no HTTP requests: use `carrel run`"
                : "it answers no HTTP requests, as it exports no incoming-handler: call one of "
                  "its exports with `carrel run --invoke 'NAME(ARGS)'`");
    return 0;
}
