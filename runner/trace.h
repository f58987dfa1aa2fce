/* Watching a cell: which system calls it makes once its filter stands, by which rule, and below
 * which grant. Uses BPF (policies/bpf/trace.bpf.c): the cell is not stopped, and not told. Where no
 * programs may be loaded, it is stopped for each call (shim/witness.h). */
#ifndef CARREL_RUNNER_TRACE_H
#define CARREL_RUNNER_TRACE_H

#include "engine/base/err.h"
#include "policies/bpf/trace.h"
#include "policies/syscall.h"
#include <linux/seccomp.h>
#include <sys/types.h>

#define TRACE_OTHERS 64

struct trace_bpf; /* of the generated skeleton */

struct trace {
    struct trace_bpf *programs;
    uint64_t rules[RULE_COUNT]; /* how often each allowed a call */
    uint64_t first[RULE_COUNT]; /* when it first did: nanoseconds after the filter stood */
    rule_set by_grant[TRACE_DESCRIPTORS]; /* of the grant that is this descriptor in the cell */
    int others[TRACE_OTHERS];             /* system calls that no rule of the tables allows */
    size_t other_count;
    uint64_t lost;    /* distinct calls for which there was no room */
    bool stood;       /* the filter was seen to be installed */
    uint64_t since;   /* when, of what is heard: as CLOCK_MONOTONIC */
    bool heard;       /* by user notification: what was opened is not known by its grant */
    rule_set allowed; /* the cell's filter */
};

/* Loads and attaches the programs, for a cell whose filter is `allowed`. Where they may not be
 * loaded, the cell is to be launched with a WITNESS (trace->heard), and trace_hear be told of each
 * call. Always to be followed by trace_close. Errors: FAULT. */
int trace_open(struct trace *trace, struct err *err);

/* Watches the cell whose process is `pid`, from its filter on. Errors: FAULT. */
int trace_watch(struct trace *trace, pid_t pid, struct err *err);
void trace_hear(struct trace *trace, const struct seccomp_data *call);

/* After the cell is gone: fills in what was seen. */
void trace_read(struct trace *trace);
void trace_close(struct trace *trace);

#endif
