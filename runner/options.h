/* The flags of the command line, understood: a policy, and what else a command needs to know. */
#ifndef CARREL_RUNNER_OPTIONS_H
#define CARREL_RUNNER_OPTIONS_H

#include "policies/policy.h"
#include "runner/cli.h"

struct options {
    struct policy policy; /* points into the fields below and into argv */
    struct policy_directory *directories;
    struct net_rule *net;
    const char **environment;
    const char *invoke; /* or NULL */
    const char *engine; /* or NULL: the installed one */
    bool explain;
    bool json;
    const char *views[3]; /* words of the VIEW rows that `inspect` is to show */
    size_t view_count;
    int status; /* a descriptor of the caller's, or -1 */
};

/* Where --status-json wants the status, for failures that come before the flags are understood: a
 * descriptor of the caller's, or -1. */
int options_status(const struct cli *cli);

/* Understands the flags. Looks at the file system (what --dir names must be there) and at carrel's
 * own environment. The result lives as long as the command line. Errors: USAGE, ABSENT for a
 * directory that is not there. */
int options_make(const struct cli *cli, struct options *ret, struct err *err);
void options_free(struct options *options);

#endif
