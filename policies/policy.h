/* What the operator allows: from the flags of the command line, from policy files, later from OCI
 * annotations, all into this one form. Nothing that a publisher ships gets in here. */
#ifndef CARREL_POLICIES_POLICY_H
#define CARREL_POLICIES_POLICY_H

#include "policies/capability.h"
#include "policies/net.h"
#include "policies/operation.h"
#include "policies/wall.h"

/* A limit that is none. */
#define POLICY_UNLIMITED UINT64_MAX

struct policy_directory {
    const char *host; /* a path of the host, absolute and without links or dots when it gets here */
    const char *guest; /* its name in the guest */
    bool read_only;
};

/* A store of wasi:keyvalue. */
struct policy_store {
    const char *name; /* that the guest opens it by */
    const char *path; /* of its file on the host, absolute and without links in its folder's */
};

/* Texts and arrays belong to whoever made the policy, and outlive what is derived from it. */
struct policy {
    capability_set
        allowed; /* the defaults, and what the fields below give; nothing that is denied */
    capability_set denied; /* what a policy file takes away */
    const struct policy_directory *directories;
    size_t directory_count;
    const struct policy_store *stores;
    size_t store_count;
    struct text_list environment; /* "NAME=VALUE" each */
    struct text_list config;      /* "NAME=VALUE" each */
    const char *zone;             /* of its time zone, as engine/wasi/zone.h reads it; or NULL */
    const char *zone_name;
    const struct net_rule *net;
    size_t net_count;
    const struct net_rule *net_denied; /* covered by one of these, nothing else helps */
    size_t net_denied_count;
    uint64_t memory;   /* bytes that the guest may have */
    uint64_t timeout;  /* nanoseconds */
    uint64_t fuel;     /* units */
    uint64_t cpus;     /* millionths of a processor; 0: as many as it likes */
    bool traced;       /* every instruction is told of */
    wall_set degraded; /* walls whose absence the operator accepts */
    bool fresh;        /* every cell has all namespaces to itself */
};

#endif
