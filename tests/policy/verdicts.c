/* Prints what every world's filter says to every probe, and what every row of the tables adds: the
 * verdict tables that tests/policy/verdicts.txt keeps. Needs no rights; makes none of the calls. */
#include "engine/base/attr.h"
#include "policies/bpf_eval.h"
#include "policies/row.h"
#include "policies/seccomp.h"
#include "tests/policy/world.h"
#include <fcntl.h>
#include <linux/audit.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#if defined __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static struct filter filter_of(rule_set set)
{
    struct filter filter;
    struct err err = {0};
    if (seccomp_filter(set, &filter, &err) || !bpf_valid(filter.code, filter.len)) {
        fprintf(stderr, "no filter: %s\n", err.text);
        exit(1);
    }
    return filter;
}

static bool allows(const struct filter *filter, uint32_t arch, int number, const uint64_t args[6])
{
    struct seccomp_data data = {.nr = number, .arch = arch};
    memcpy(data.args, args, sizeof data.args);
    return bpf_eval(filter->code, filter->len, &data) == SECCOMP_RET_ALLOW;
}

static void print_matrix(const struct filter filters[])
{
    printf("# A: allowed; .: the cell is killed.\n%-42s", "");
    for (size_t w = 0; w < (size_t)WORLDS; w++)
        printf(" %-7s", worlds[w].name);
    putchar('\n');
    for (size_t p = 0; p < probe_count; p++) {
        printf("%-18s%-24s", probes[p].call, probes[p].class);
        for (size_t w = 0; w < (size_t)WORLDS; w++)
            printf(" %-7s",
                   allows(&filters[w], NATIVE, probes[p].number, probes[p].args) ? "A" : ".");
        putchar('\n');
    }
}

/* How many system calls each world may keep, and why one keeps more. Two calls that WASI's writing
 * functions need have no other that does the same: pwritev2 appends without a descriptor that can
 * do nothing else (RWF_APPEND), and fallocate is preview 1's fd_allocate. */
static const struct bound {
    const char *world;
    size_t calls;
    size_t more;     /* calls beyond that, */
    const char *why; /* and the reason */
} bounds[] = {
    {"compute", 3, 0, NULL},
    {"print", 3, 0, NULL},
    {"command", 6, 0, NULL},
    {"no-dir", 6, 0, NULL},
    {"p1", 6, 0, NULL},
    {"no-net", 6, 0, NULL},
    {"ro-dir", 12, 0, NULL},
    {"p1-ro", 12, 0, NULL},
    {"tcp-out", 13, 0, NULL},
    {"tcp-in", 13, 0, NULL},
    {"tcp", 13, 0, NULL},
    {"serve", 14, 0, NULL},
    {"srv-own", 14, 3,
     "a process for each request, which gives up all but 8 before it looks at it: clone, seccomp, "
     "close_range, dup3, pidfd_send_signal, recvmsg, recvfrom"},
    {"srv-out", 14, 0, NULL},
    {"http", 14, 0, NULL},
    {"resolve", 6, 0, NULL},
    {"tls", 13, 0, NULL},
    {"tls-in", 13, 0, NULL},
    {"rw-dir", 22, 1, "append-via-stream: pwritev2"},
    {"p1-rw", 22, 2, "fd_write after O_APPEND: pwritev2; fd_allocate: fallocate"},
    {"net", 13, 2, "UDP beside TCP: sendto, recvfrom"},
};

/* Ends the program if a filter is larger than its world's bound, or smaller than what is argued
 * for. */
static void check_bound(const char *world, size_t calls)
{
    for (size_t i = 0; i < countof(bounds); i++) {
        const struct bound *bound = &bounds[i];
        if (strcmp(bound->world, world) != 0)
            continue;
        if (bound->more ? calls == bound->calls + bound->more : calls <= bound->calls) {
            if (bound->more)
                printf("%-8s  %zu more than %zu, for %s\n", "", bound->more, bound->calls,
                       bound->why);
            return;
        }
        fprintf(stderr, "%s keeps %zu system calls; at most %zu + %zu were argued for\n", world,
                calls, bound->calls, bound->more);
        exit(1);
    }
    fprintf(stderr, "%s has no bound on its system calls\n", world);
    exit(1);
}

static void print_world(const struct world *world, rule_set set, const struct filter *filter)
{
    const char *seen[RULE_COUNT];
    size_t count = 0;
    for (int i = 0; i < RULE_COUNT; i++) {
        size_t k = 0;
        while (k < count && strcmp(seen[k], rules[i].call) != 0)
            k++;
        if (set >> i & 1 && k == count)
            seen[count++] = rules[i].call;
    }
    printf("%-8s %2zu system calls, %3zu instructions:", world->name, count, filter->len);
    for (size_t k = 0; k < count; k++)
        printf(" %s", seen[k]);
    putchar('\n');
    check_bound(world->name, count);
}

/* Numbers that are allowed with plain arguments: zeros, ones, or descriptors where some calls have
 * them, and zeros elsewhere; in any ABI. */
static void print_sweep(const struct world *world, const struct filter *filter)
{
    static const uint64_t zeros[6] = {0};
    static const uint64_t plain[][6] = {
        {0}, {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL}, {4}, {0, 4}, {4, 0, 4}};
    printf("%-8s", world->name);
    for (int nr = 0; nr <= LAST_NUMBER; nr++) {
        bool allowed = false;
        for (size_t i = 0; i < countof(plain); i++)
            allowed = allowed || allows(filter, NATIVE, nr, plain[i]);
        if (allowed)
            printf(" %d", nr);
    }
    unsigned foreign = 0;
    for (int nr = 0; nr <= LAST_NUMBER; nr++) {
        foreign += allows(filter, AUDIT_ARCH_I386, nr, zeros);
        foreign += allows(filter, NATIVE, nr | 0x40000000, zeros);
    }
    printf("; i386 and x32: %u\n", foreign);
}

static void print_rows(void)
{
    for (int row = 0; row < ROW_COUNT; row++) {
        const struct row_info *info = &row_infos[row];
        printf("%s#%s%s %s%s:", info->interface, info->kind == ROW_DROP ? "[resource-drop]" : "",
               info->name, capabilities[info->capability].word,
               info->state == ROW_LATER ? " (later)" : "");
        for (int i = 0; i < RULE_COUNT; i++)
            if (info->rules >> i & 1)
                printf(" %s", rules[i].name);
        putchar('\n');
    }
}

int main(void)
{
    static struct filter filters[WORLDS];
    printf("# Made by tests/policy/verdicts; `make golden` renews it.\n\n");
    for (size_t w = 0; w < (size_t)WORLDS; w++) {
        rule_set set = world_rules(&worlds[w]);
        filters[w] = filter_of(set);
        print_world(&worlds[w], set, &filters[w]);
    }
    printf("\n# Of the numbers 0 to %d, allowed with arguments 0, all ones, or descriptor 4:\n",
           LAST_NUMBER);
    for (size_t w = 0; w < (size_t)WORLDS; w++)
        print_sweep(&worlds[w], &filters[w]);
    putchar('\n');
    print_matrix(filters);
    printf("\n# Rows: capability, rules.\n");
    print_rows();
    return 0;
}
