/* Demands, policies and hosts for tests of policies, made by hand. */
#ifndef CARREL_TESTS_UNIT_POLICY_FIXTURE_H
#define CARREL_TESTS_UNIT_POLICY_FIXTURE_H

#include "policies/cell_plan.h"
#include <string.h>

static inline void fixture_import(struct demand *demand, enum row row)
{
    demand->head.imported[row / 8] |= (uint8_t)(1u << row % 8);
}

static inline void fixture_reach(struct demand *demand, enum row row)
{
    fixture_import(demand, row);
    demand->head.reachable[row / 8] |= (uint8_t)(1u << row % 8);
}

/* A component that imports nothing. */
static inline void fixture_demand(struct demand *demand)
{
    memset(&demand->head, 0, sizeof demand->head);
    demand->head.rows[0] = DEMAND_ROWS;
    demand->head.facts[0] = DEMAND_IS_COMPONENT | DEMAND_IS_COMMAND;
    demand->name_count = 0;
}

/* The policy of no flags. */
static inline struct policy fixture_policy(void)
{
    return (struct policy){
        .allowed = capability_defaults(),
        .memory = UINT64_C(1) << 30,
        .timeout = POLICY_UNLIMITED,
        .fuel = POLICY_UNLIMITED,
    };
}

/* Gives a policy one or more directories, as --dir does. */
static inline void fixture_directories(struct policy *policy, const struct policy_directory *at,
                                       size_t count)
{
    policy->directories = at;
    policy->directory_count = count;
    policy->allowed |= CAPABILITY(DIR_READ);
    for (size_t i = 0; i < count; i++)
        if (!at[i].read_only)
            policy->allowed |= CAPABILITY(DIR_WRITE) | CAPABILITY(DIR_MUTATE);
}

static inline struct host fixture_host(bool root)
{
    return (struct host){
        .root = root,
        .uid = root ? 0 : 1000,
        .gid = root ? 0 : 1000,
        .landlock = 7,
        .last_cap = 40,
        .arena = UINT64_C(64) << 30,
        .engine = "/usr/libexec/carrel/carrel-engine",
        .streams = {HOST_FILE, HOST_FILE, HOST_FILE},
    };
}

#endif
