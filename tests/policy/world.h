/* What tests ask every filter about: worlds, each of which is what a component imports and what it
 * is granted, and probes, which are system calls with arguments of every class that a rule tells
 * apart. */
#ifndef CARREL_TESTS_POLICY_WORLD_H
#define CARREL_TESTS_POLICY_WORLD_H

#include "policies/policy.h"
#include "policies/syscall.h"

#define LAST_NUMBER 520

enum directory { NO_DIRECTORY, READ_ONLY, READ_WRITE };

/* Interfaces are given by the beginnings of their names; none: a cell without a component. */
struct world {
    const char *name;
    const char *interfaces[10];
    enum directory directory;
    capability_set net;
    rule_set beside; /* rules of what it is, besides those of its rows */
};

enum { WORLDS = 21 };

extern const struct world worlds[WORLDS];

/* The rules of the filter that such a component gets. */
rule_set world_rules(const struct world *world);

struct probe {
    const char *call;
    const char *class;
    int number;
    uint64_t args[6];
};

extern const struct probe probes[];
extern const size_t probe_count;

#endif
