/* The floor under descriptors; see floor.h. */
#include "policies/floor.h"

#include <linux/seccomp.h>

/* All rules of one system call look at the same descriptors (tests/unit/policy_seccomp.c), so that
 * its number is enough to know which. */
static unsigned descriptors_of(const struct rule *rule)
{
    unsigned arguments = 0;
    for (int c = 0; c < RULE_CHECKS; c++)
        if (rule->checks[c].least)
            arguments |= 1u << rule->checks[c].arg;
    return arguments;
}

static bool is_first_of_call(rule_set set, int rule)
{
    for (int i = 0; i < rule; i++)
        if (set >> i & 1 && rules[i].number == rules[rule].number)
            return false;
    return true;
}

/* The low half of an argument; that the high one is 0 is checked behind the floor. */
static uint32_t offset_of_argument(unsigned argument)
{
    size_t half = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : sizeof(uint32_t);
    return (uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) + half);
}

/* For each kind of call that `set` has, by which arguments are descriptors: if the number is one of
 * them, the arguments are compared. The jumps that lead to the end are set by the caller. */
static size_t floor_of_kind(rule_set set, unsigned arguments, struct sock_filter *code)
{
    size_t calls = 0, at;
    for (int i = 0; i < RULE_COUNT; i++)
        if (set >> i & 1 && descriptors_of(&rules[i]) == arguments && is_first_of_call(set, i))
            code[calls++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                         (uint32_t)rules[i].number, 0, 0);
    if (calls == 0)
        return 0;
    for (size_t i = 0; i < calls; i++)
        code[i].jt = (uint8_t)(calls - i); /* over the jump that follows them */
    at = calls + 1;
    for (unsigned argument = 0; argument < 6; argument++) {
        if (!(arguments >> argument & 1))
            continue;
        code[at++] =
            (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset_of_argument(argument));
        code[at++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, DESCRIPTOR_FIRST, 1, 0);
        code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    }
    code[calls] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(at - calls));
    return at;
}

size_t floor_code(rule_set set, struct sock_filter *ret)
{
    size_t len = 0, ends[1u << 3];
    size_t kinds = 0;
    if (!rules_number_descriptors(set))
        return 0;
    ret[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                              (uint32_t)offsetof(struct seccomp_data, nr));
    for (unsigned arguments = 1; arguments < 1u << 3; arguments++) {
        size_t more = floor_of_kind(set, arguments, ret + len);
        len += more;
        if (more)
            ends[kinds++] = len++;
    }
    /* Behind a kind's comparisons the number is no longer at hand: straight to the end. */
    for (size_t i = 0; i < kinds; i++)
        ret[ends[i]] =
            (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(len - ends[i] - 1));
    return len;
}
