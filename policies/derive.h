/* Demand and policy make a verdict: what the component gets, which system calls follow, and why.
 * Pure functions; the verdict is what runs, what `--explain` prints and what the audit shows. */
#ifndef CARREL_POLICIES_DERIVE_H
#define CARREL_POLICIES_DERIVE_H

#include "policies/demand.h"
#include "policies/policy.h"

/* What becomes of a row. */
enum row_answer {
    ANSWER_ABSENT,   /* not imported */
    ANSWER_DEAD,     /* imported, but nothing can call it: it is linked to a trap */
    ANSWER_GRANTED,  /* it works */
    ANSWER_WITHHELD, /* its capability is not granted: it says no in the way its type has for it */
    ANSWER_MISSING,  /* not provided yet: the component is refused */
};

struct verdict {
    uint8_t answers[ROW_COUNT]; /* enum row_answer */
    capability_set demanded;    /* what the rows that it can reach are about */
    capability_set granted;     /* those of them that the policy allows */
    rule_set rules;             /* what the filter allows */
    unsigned missing;           /* how many rows are */
};

/* Never fails: what is not known is not granted. */
void derive_verdict(const struct demand *demand, const struct policy *policy, struct verdict *ret);

/* The capabilities that calling a row may need: its own and those of its rules. */
capability_set derive_needs(enum row row);

/* The rules that the verdict gives because of this row; 0 unless it is granted. */
rule_set derive_row_rules(const struct verdict *verdict, enum row row);

/* May a component with this verdict run? 0, or -1 with the first reason, which counts all of its
 * kind. Errors: UNLINKABLE if it can reach what is not provided or has another type, DENIED if it
 * starts with more memory than the policy allows, or needs io, which the policy denies. */
int derive_refusal(const struct demand *demand, const struct policy *policy,
                   const struct verdict *verdict, struct err *err);

/* How a component is started. */
enum derive_start {
    START_RUN,    /* `carrel run` */
    START_SERVE,  /* `carrel serve` */
    START_INVOKE, /* `carrel run --invoke`, which calls an export */
};

/* The first of them that it can be started with. */
enum derive_start derive_start(const struct demand *demand);

/* Can it be started in this way? Errors: UNLINKABLE, with the way in which it can. */
int derive_startable(const struct demand *demand, enum derive_start how, struct err *err);

#endif
