/* What the kernel says to every system call under the filter of every world: each number from 0 to
 * LAST_NUMBER, native with zeros, ones and pointers, as x32 and through int 0x80, and each probe of
 * tests/policy/probe.def. It must be what policies/bpf_eval.c says, from which the verdict tables
 * and the audit come. In a host of the test's own; each call from a process of its own.
 *
 *   sweep [-v]    -v: a line for each world
 *
 * Today's kernels carry out 335 and 336 (uretprobe, uprobe) before seccomp is asked: they are the
 * only exceptions, and do nothing for who is not traced by a probe. */
#include "engine/base/attr.h"
#include "policies/bpf_eval.h"
#include "policies/seccomp.h"
#include "tests/escape/own_host.h"
#include "tests/policy/world.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define X32 0x40000000

enum gate { NATIVE, INT_80 };

#if defined __x86_64__
#define NATIVE_ARCH          AUDIT_ARCH_X86_64
#define PASS_THROUGH(number) ((number) == 335 || (number) == 336)
#else
#define NATIVE_ARCH          AUDIT_ARCH_AARCH64
#define PASS_THROUGH(number) false
#endif

static struct call {
    enum gate gate;
    int number;
    uint64_t args[6];
} call;

static struct filter filter;
static char page[4096] __attribute__((aligned(4096)));
static suseconds_t patience; /* microseconds that a call may take */
static size_t passed, failed, exceptions;

static void through_int_80(void)
{
#if defined __x86_64__
    long result = call.number;
    __asm__ volatile("int $0x80"
                     : "+a"(result)
                     : "b"(call.args[0]), "c"(call.args[1]), "d"(call.args[2]), "S"(call.args[3]),
                       "D"(call.args[4])
                     : "memory", "r8", "r9", "r10", "r11");
#endif
}

/* Shares the memory of this process, which waits until it is gone. */
static int make_call(void *unused)
{
    const struct itimerval end = {{0, 0}, {0, patience}}; /* for what waits */
    struct sock_fprog program = {(unsigned short)filter.len, filter.code};
    const uint64_t *a = call.args;
    (void)unused;
    setitimer(ITIMER_REAL, &end, NULL);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
        syscall(SYS_exit_group, 99);
    if (call.gate == INT_80)
        through_int_80();
    else
        syscall(call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    syscall(SYS_exit_group, 0);
    return 0;
}

/* How the process ended that made the call. */
static int try_call(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    int status = 0;
    pid_t child = clone(make_call, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    if (child < 0 || waitpid(child, &status, 0) != child ||
        (WIFEXITED(status) && WEXITSTATUS(status) == 99)) {
        perror("sweep");
        exit(1);
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Whether the kernel lets the call through. One that waits is let through, but the machine may be
 * slow, too. */
static bool is_allowed(void)
{
    patience = 20000;
    int signal = try_call();
    if (signal == SIGALRM) {
        patience = 500000;
        signal = try_call();
    }
    return signal != SIGSYS;
}

static bool is_pass_through(void)
{
    return call.gate == NATIVE && PASS_THROUGH(call.number);
}

static bool should_be(void)
{
    struct seccomp_data data = {.nr = call.number,
                                .arch = call.gate == NATIVE ? NATIVE_ARCH : AUDIT_ARCH_I386};
    memcpy(data.args, call.args, sizeof data.args);
    return bpf_eval(filter.code, filter.len, &data) == SECCOMP_RET_ALLOW;
}

static void judge(const char *world, const char *about)
{
    bool allowed = is_allowed(), wanted = should_be();
    if (allowed == wanted) {
        passed++;
    } else if (allowed && is_pass_through()) {
        exceptions++;
    } else {
        failed++;
        printf("FAILED %s: %s %d %s: %s\n", world, call.gate == NATIVE ? "call" : "int 0x80",
               call.number, about, allowed ? "the kernel allows it" : "the kernel kills");
    }
}

static void sweep_numbers(const char *world)
{
    const uint64_t at = (uint64_t)(uintptr_t)page;
    const struct {
        const char *name;
        uint64_t args[6];
    } classes[] = {{"with zeros", {0}},
                   {"with ones", {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL}},
                   {"with pointers", {at, at, at, at, at, at}}};
    for (int number = 0; number <= LAST_NUMBER; number++) {
        for (size_t c = 0; c < countof(classes); c++) {
            call = (struct call){.gate = NATIVE, .number = number};
            memcpy(call.args, classes[c].args, sizeof call.args);
            judge(world, classes[c].name);
        }
#if defined __x86_64__
        call = (struct call){.gate = NATIVE, .number = number | X32};
        judge(world, "as x32");
        call = (struct call){.gate = INT_80, .number = number};
        judge(world, "");
#endif
    }
}

static int sweep(bool verbose)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return 1;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0) /* so that nobody reads or writes a terminal */
        return 1;
    rule_set known[WORLDS];
    for (size_t w = 0; w < WORLDS; w++) {
        struct err err = {0};
        const char *as = NULL;
        known[w] = world_rules(&worlds[w]);
        for (size_t i = 0; i < w && !as; i++)
            as = known[i] == known[w] ? worlds[i].name : NULL;
        if (verbose && as)
            printf("%-8s has the filter of %s\n", worlds[w].name, as);
        if (as)
            continue;
        if (seccomp_filter(known[w], &filter, &err)) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        size_t before = failed, calls = passed + failed + exceptions;
        sweep_numbers(worlds[w].name);
        for (size_t p = 0; p < probe_count; p++) {
            call = (struct call){.gate = NATIVE, .number = probes[p].number};
            memcpy(call.args, probes[p].args, sizeof call.args);
            judge(worlds[w].name, probes[p].class);
        }
        if (verbose)
            printf("%-8s %zu calls, of which %zu are not as the filter says\n", worlds[w].name,
                   passed + failed + exceptions - calls, failed - before);
    }
    printf("%zu calls that the kernel carries out before any filter is asked (335 and 336)\n",
           exceptions);
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed > 0;
}

int main(int count, char **arguments)
{
    bool inside = count > 1 && strcmp(arguments[1], "--inside") == 0;
    bool verbose = count > 1 && strcmp(arguments[count - 1], "-v") == 0;
    if (inside)
        return sweep(verbose);
    int code = own_host_run("--inside", count, arguments);
    if (code >= 0)
        return code;
    printf("no namespaces of one's own here: nothing is tried\n0 passed, 0 failed, 1 skipped\n");
    return 0;
}
