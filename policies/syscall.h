/* The rules of syscall.def: which system calls, with which arguments, for which capability. */
#ifndef CARREL_POLICIES_SYSCALL_H
#define CARREL_POLICIES_SYSCALL_H

#include "policies/capability.h"
#include <stdbool.h>

enum rule_name {
#define RULE(name, call, cap, checks, why) RULE_##name,
#include "policies/syscall.def"
#undef RULE
    RULE_COUNT
};

/* A set of rules, one bit each. R(OPEN_READ) | R(CLOSE) is how rows of wasi.def name theirs. */
typedef uint64_t rule_set;
_Static_assert(RULE_COUNT <= 64, "rule_set is too small");

#define R(NAME) (UINT64_C(1) << RULE_##NAME)

/* What every cell keeps, whatever it imports. */
#define RULES_BASE (R(READ) | R(WRITE) | R(EXIT))

/* What a server needs to give each request a process of its own. A copy keeps what it has of them
 * only until it has laid a filter over them that takes it away, with what it takes to accept. */
#define RULES_COPIES                                                                               \
    (R(FORK) | R(NARROW) | R(CLOSE_ALL) | R(OWN_LINE) | R(END_COPY) | R(PEEK) | R(RECEIVE_FD) |    \
     R(PPOLL))
#define RULES_NOT_IN_COPIES                                                                        \
    (R(FORK) | R(NARROW) | R(CLOSE_ALL) | R(OWN_LINE) | R(END_COPY) | R(PEEK) | R(ACCEPT_HTTP) |   \
     R(WATCH) | R(WAIT))

/* Of the cells that run no component: one that looks up names, and one that speaks TLS, for
 * connections of a cell or for clients of a server. */
#define RULES_RESOLVER (RULES_BASE | R(PPOLL) | R(TIME_MONOTONIC))
#define RULES_TLS                                                                                  \
    (RULES_BASE | R(PPOLL) | R(TIME_MONOTONIC) | R(TIME_REAL) | R(RECEIVE_FD) | R(CLOSE_SOCKET) |  \
     R(RANDOM))
#define RULES_TLS_FRONT (RULES_TLS | R(SHUTDOWN_HTTP))

#define RULE_CHECKS 3

/* The first descriptor that is neither a standard stream nor the cell's socket. */
#define DESCRIPTOR_FIRST 4

/* True if (argument & mask) == value, in all 64 bits, and it is `least` or more. A mask of 0 ends
 * the list. */
struct rule_check {
    uint8_t arg;
    uint64_t mask;
    uint64_t value;
    uint32_t least; /* 0 or DESCRIPTOR_FIRST */
};

struct rule {
    const char *name;
    const char *call; /* as in the manual */
    int number;       /* of this machine's native ABI */
    enum capability capability;
    struct rule_check checks[RULE_CHECKS];
    const char *why;
};

extern const struct rule rules[RULE_COUNT];

/* Whether a rule of `set` looks at the number of a descriptor: then the standard streams, and
 * nothing else, must be below DESCRIPTOR_FIRST. */
bool rules_number_descriptors(rule_set set);

/* What a filter for `less` over one for `set` takes away: the rules of both whose system call no
 * other rule of `set` allows. */
rule_set rules_lost(rule_set set, rule_set less);

/* The checks in words, "argument 0 is a descriptor"; NULL ends the list. */
extern const char *const rule_checked[RULE_COUNT][RULE_CHECKS];

#endif
