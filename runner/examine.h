/* What `run` and `audit` have in common: a component is copied, a reader in a cell tells its
 * demand, and the verdict of the given policy follows, with the operations that carry it out. */
#ifndef CARREL_RUNNER_EXAMINE_H
#define CARREL_RUNNER_EXAMINE_H

#include "policies/cell_plan.h"
#include "runner/options.h"
#include "shim/component.h"
#include "shim/session.h"
#include <limits.h>

struct examined {
    const struct policy *policy; /* that holds for this component */
    struct options own;          /* where its policy lives, if the policy file speaks of it */
    struct component component;
    struct verdict verdict;
    const char *reading[2];   /* how the reader is to read: its arguments */
    struct wall_report walls; /* of the reader */
    uint8_t seed[32];
    struct demand demand;
    struct cell_plan reader;
    struct cell_plan run;
};

/* Where cells come from: the engine and the facts about this host. */
struct examiner {
    const struct cell_serve *serve; /* the run serves with this; or NULL */
    bool witnessed;                 /* the run's system calls are told of */
    bool run_follows; /* what is examined will be run: its cell may be launched meanwhile */
    char engine[PATH_MAX];
    struct host host;
    struct session session;
};

/* That of this process: commands need one, and it is large. */
struct examiner *examiner_here(void);

/* Finds the engine, asks the host for its facts and begins a session. Errors: FAULT. */
int examiner_open(struct examiner *examiner, const struct options *options, struct err *err);
void examiner_close(struct examiner *examiner);

/* Examines the file at `path`. `arguments` are for the plan of the run and must live as long. The
 * result is to be given to examined_free, also after a failure. With options->explain the
 * operations of the reader are printed before they are carried out. Errors: ABSENT, what the reader
 * says about the component, WALL, FAULT. */
int examine(struct examiner *examiner, const struct options *options, const char *path,
            struct text_list arguments, struct examined **ret, struct err *err);
void examined_free(struct examined *examined);

/* Prints an array of operations on standard error, a line each. Errors: FAULT if they got lost. */
int examine_explain(const char *title, const struct plan *plan, struct err *err);

#endif
