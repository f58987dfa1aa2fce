/* Live cells for tests: plans made by policies, carried out by the shim, in a process of their own
 * (the shim changes its process for good), with an engine that obeys a script. */
#ifndef CARREL_TESTS_SHIM_FIXTURE_H
#define CARREL_TESTS_SHIM_FIXTURE_H

#include "policies/cell_plan.h"
#include "shim/outcome.h"
#include <sys/types.h>

/* What a test wants; zero is the plain case. */
struct wish {
    const char *script;
    const char *engine; /* file name beside the obeying engine; NULL: that one */
    rule_set rules;     /* besides those of every cell */
    const struct policy_directory *directories;
    size_t directory_count;
    const struct net_rule *net;
    size_t net_count;
    struct text_list arguments;
    struct text_list environment;
    uint64_t timeout; /* nanoseconds; 0: none */
    uint64_t memory;  /* bytes; 0: 256 MiB */
    bool reader;
    bool reads_first; /* a reader, then a run */
    bool cgroups;
    bool shared; /* the cells of the shim share empty namespaces */
    bool ahead;  /* the cell takes a net namespace that was made meanwhile */
    int into;    /* above 0: a control group that the cell is cloned into */
    wall_set degraded;
    const char *input;                 /* standard input; NULL: /dev/null */
    int streams[3];                    /* used as they are where not 0 */
    void (*change)(struct plan *plan); /* the last word on the plan; or NULL */
    void (*before)(void); /* called in the shim's process before anything else; or NULL */
};

/* What came of it. Lies in memory that both processes share. */
struct result {
    struct outcome outcome;
    bool answered; /* a reader: its demand was well-formed */
    bool spared;   /* the run took the cell that was launched while the reader decoded */
    int cell;      /* the cell's process id while it lives, else that it had */
    char output[65536];
    size_t output_size;
    char errors[4096];
    size_t errors_size;
};

/* The path of an engine by its name. */
const char *fixture_engine(const char *name);

/* Runs a cell to its end. */
const struct result *fixture_run(const struct wish *wish);

/* Starts one and returns while it runs: the shim's process id. Its first output has been read. */
pid_t fixture_start(const struct wish *wish, struct result **ret);

/* Waits for the end of what was started; the shim's wait status. */
int fixture_end(pid_t shim, struct result *result);

/* The process id of the cell of a running shim: its only child. */
pid_t fixture_cell(pid_t shim);

/* True if this test runs as root. */
bool fixture_root(void);

#endif
