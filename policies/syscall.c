/* The rows of syscall.def as data. Knows the numbers of system calls, makes none. */
#include "policies/syscall.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The system calls' own names for the flags, with the kernel's values. */
#ifndef AT_EMPTY_PATH
#error "needs the Linux names of <fcntl.h>: define _GNU_SOURCE"
#endif

#define ANY           {{0, 0, 0, 0}}
#define CHECKS(...)   {__VA_ARGS__}
#define FD(n)         {n, ~UINT64_C(0x7fffffff), 0, DESCRIPTOR_FIRST}
#define IS(n, v)      {n, ~UINT64_C(0), (uint64_t)(v), 0}
#define ONLY(n, bits) {n, ~(uint64_t)(bits), 0, 0}

const struct rule rules[RULE_COUNT] = {
#define RULE(name, call, cap, checks, why)                                                         \
    [RULE_##name] = {#name, #call, SYS_##call, CAP_##cap, checks, why},
#include "policies/syscall.def"
#undef RULE
};

#undef ANY
#undef CHECKS
#undef FD
#undef IS
#undef ONLY
#define ANY           {NULL}
#define CHECKS(...)   {__VA_ARGS__}
#define FD(n)         "argument " #n " is a descriptor from 4 on"
#define IS(n, v)      "argument " #n " is " #v
#define ONLY(n, bits) "argument " #n " has no bits but " #bits

const char *const rule_checked[RULE_COUNT][RULE_CHECKS] = {
#define RULE(name, call, cap, checks, why) [RULE_##name] = checks,
#include "policies/syscall.def"
#undef RULE
};

bool rules_number_descriptors(rule_set set)
{
    for (int i = 0; i < RULE_COUNT; i++)
        for (int c = 0; set >> i & 1 && c < RULE_CHECKS; c++)
            if (rules[i].checks[c].least)
                return true;
    return false;
}

static bool has_call(rule_set set, int number)
{
    for (int i = 0; i < RULE_COUNT; i++)
        if (set >> i & 1 && rules[i].number == number)
            return true;
    return false;
}

rule_set rules_lost(rule_set set, rule_set less)
{
    rule_set lost = set & less;
    for (int i = 0; i < RULE_COUNT; i++)
        if (has_call(set & ~less, rules[i].number))
            lost &= ~(UINT64_C(1) << i);
    return lost;
}
