/* Prints what every world's filter says to every probe, and what every row of the tables adds: the
 * verdict tables that tests/policy/verdicts.txt keeps. Needs no rights; makes none of the calls. */
#include "engine/base/attr.h"
#include "policies/bpf_eval.h"
#include "policies/cell_plan.h"
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

#define LAST_NUMBER 520

#if defined __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static const struct probe {
    const char *call;
    const char *class;
    int number;
    uint64_t args[6];
} probes[] = {
#define PROBE(call, class, a, b, c, d, e, f) {#call, class, SYS_##call, {a, b, c, d, e, f}},
#include "tests/policy/probe.def"
};

enum directory { NO_DIRECTORY, READ_ONLY, READ_WRITE };

/* What a component imports, by the beginnings of interface names, and which directory and which
 * parts of the network it is given. */
#define COMMAND "wasi:cli", "wasi:io", "wasi:clocks", "wasi:random"
#define TCP     "wasi:sockets/network", "wasi:sockets/instance-network", "wasi:sockets/tcp"
#define NET     CAPABILITY(NET) | CAPABILITY(NET_TCP)

static const struct world {
    const char *name;
    const char *interfaces[10];
    enum directory directory;
    capability_set net;
} worlds[] = {
    {"compute", {NULL}, NO_DIRECTORY, 0},
    {"print", {"wasi:cli/stdout", NULL}, NO_DIRECTORY, 0},
    {"command", {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", NULL}, NO_DIRECTORY, 0},
    {"no-dir",
     {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", NULL},
     NO_DIRECTORY,
     0},
    {"ro-dir",
     {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", NULL},
     READ_ONLY,
     0},
    {"rw-dir",
     {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", NULL},
     READ_WRITE,
     0},
    {"no-net", {COMMAND, "wasi:sockets", NULL}, NO_DIRECTORY, 0},
    {"tcp-out", {COMMAND, TCP, NULL}, NO_DIRECTORY, NET | CAPABILITY(NET_TCP_CONNECT)},
    {"tcp-in", {COMMAND, TCP, NULL}, NO_DIRECTORY, NET | CAPABILITY(NET_TCP_LISTEN)},
    {"tcp",
     {COMMAND, TCP, NULL},
     NO_DIRECTORY,
     NET | CAPABILITY(NET_TCP_CONNECT) | CAPABILITY(NET_TCP_LISTEN)},
    {"net",
     {COMMAND, "wasi:sockets", NULL},
     NO_DIRECTORY,
     NET | CAPABILITY(NET_TCP_CONNECT) | CAPABILITY(NET_TCP_LISTEN) | CAPABILITY(NET_UDP) |
         CAPABILITY(NET_DNS)},
    {"p1", {"wasi_snapshot_preview1", NULL}, NO_DIRECTORY, 0},
    {"p1-ro", {"wasi_snapshot_preview1", NULL}, READ_ONLY, 0},
    {"p1-rw", {"wasi_snapshot_preview1", NULL}, READ_WRITE, 0},
};

static capability_set allowed_with(enum directory directory)
{
    capability_set set = capability_defaults() | CAPABILITY(ENV);
    if (directory != NO_DIRECTORY)
        set |= CAPABILITY(DIR_READ);
    if (directory == READ_WRITE)
        set |= CAPABILITY(DIR_WRITE) | CAPABILITY(DIR_MUTATE);
    return set;
}

static void reach(struct demand *demand, int row)
{
    demand->head.imported[row / 8] |= (uint8_t)(1u << row % 8);
    demand->head.reachable[row / 8] |= (uint8_t)(1u << row % 8);
}

static rule_set rules_of_world(const struct world *world)
{
    static struct demand demand;
    memset(&demand.head, 0, sizeof demand.head);
    for (int row = 0; row < ROW_COUNT; row++)
        for (int i = 0; world->interfaces[i]; i++)
            if (strncmp(row_infos[row].interface, world->interfaces[i],
                        strlen(world->interfaces[i])) == 0)
                reach(&demand, row);
    struct policy policy = {.allowed = allowed_with(world->directory) | world->net};
    struct verdict verdict;
    derive_verdict(&demand, &policy, &verdict);
    return verdict.rules;
}

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
    printf("# A: allowed; .: the cell is killed.\n%-38s", "");
    for (size_t w = 0; w < countof(worlds); w++)
        printf(" %-7s", worlds[w].name);
    putchar('\n');
    for (size_t p = 0; p < countof(probes); p++) {
        printf("%-14s%-24s", probes[p].call, probes[p].class);
        for (size_t w = 0; w < countof(worlds); w++)
            printf(" %-7s",
                   allows(&filters[w], NATIVE, probes[p].number, probes[p].args) ? "A" : ".");
        putchar('\n');
    }
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
    static struct filter filters[countof(worlds)];
    printf("# Made by tests/policy/verdicts; `make golden` renews it.\n\n");
    for (size_t w = 0; w < countof(worlds); w++) {
        rule_set set = rules_of_world(&worlds[w]);
        filters[w] = filter_of(set);
        print_world(&worlds[w], set, &filters[w]);
    }
    printf("\n# Of the numbers 0 to %d, allowed with arguments 0, all ones, or descriptor 4:\n",
           LAST_NUMBER);
    for (size_t w = 0; w < countof(worlds); w++)
        print_sweep(&worlds[w], &filters[w]);
    putchar('\n');
    print_matrix(filters);
    printf("\n# Rows: capability, rules.\n");
    print_rows();
    return 0;
}
