/* The flags of the command line, understood: a policy, and what else a command needs to know. */
#ifndef CARREL_RUNNER_OPTIONS_H
#define CARREL_RUNNER_OPTIONS_H

#include "policies/audit_output.h"
#include "policies/policy.h"
#include "runner/cli.h"
#include "runner/policy_file.h"

struct options {
    struct policy policy; /* points into the fields below, argv and `file` */
    struct policy_directory *directories;
    struct net_rule *net;
    struct policy_store *stores;
    const char **environment;
    const char **config;
    char *zone;
    const char *invoke; /* or NULL */
    const char *engine; /* or NULL: the installed one */
    const struct cli *cli;
    const struct policy_file *file; /* of --policy or --check; or NULL */
    struct net_rule *net_denied;
    const char *world;   /* of WIT text, that is meant; or NULL */
    const char *check;   /* the policy file of --check; or NULL */
    const char *suggest; /* where a policy is written of what a trace saw; or NULL */
    bool trace;
    const char *audit_log; /* a path; or NULL */
    bool bounded;          /* a control group is to bound the cell; of a command: or one for
                              some component of its policy file */
    bool denials_json;
    enum audit_format format;
    bool diff;
    bool verbose;
    struct {
        struct net_address address;
        struct net_address metrics; /* family 0: nobody asks */
        const char *access_log;     /* a path; or NULL */
        bool log_json;
        const char *certificate; /* paths; or both NULL: no TLS */
        const char *key;
        const char *isolation;
        uint64_t requests;
        uint64_t workers;
        uint64_t request_timeout; /* nanoseconds */
        uint64_t body;            /* bytes */
    } serve;
    bool explain;
    bool no_cache;
    bool json;
    const char *views[4]; /* words of the VIEW rows that `inspect` is to show */
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

/* The same with what a policy file says of `subject`: its settings come first, flags add to them,
 * and what it denies is taken away. The result lives as long as the file, too. */
int options_with_policy(const struct cli *cli, const struct policy_file *file,
                        const struct policy_subject *subject, struct options *ret, struct err *err);

/* The options of a command: with the policy file that it names, read into `file`, or without. All
 * of the file is checked. `file` is to be given to policy_file_free, also after a failure. */
int options_of_command(const struct cli *cli, struct policy_file *file, struct options *ret,
                       struct err *err);

void options_free(struct options *options);

#endif
