/* Builds filters with libseccomp; see seccomp.h. Installs nothing: the only system calls made here
 * carry the finished program out of the library, through a file in memory. */
#include "policies/seccomp.h"

#include "policies/floor.h"
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int add(scmp_filter_ctx ctx, const struct rule *rule)
{
    struct scmp_arg_cmp compare[RULE_CHECKS];
    unsigned count = 0;
    for (; count < RULE_CHECKS && rule->checks[count].mask; count++) {
        const struct rule_check *c = &rule->checks[count];
        compare[count] = SCMP_CMP64(c->arg, SCMP_CMP_MASKED_EQ, c->mask, c->value);
    }
    return seccomp_rule_add_exact_array(ctx, SCMP_ACT_ALLOW, rule->number, count, compare);
}

static int set_attributes(scmp_filter_ctx ctx, struct err *err)
{
    /* Level 2 is the binary tree. The calls made most often need no priority: the kernel remembers
     * the verdict of a call whose arguments the filter does not look at. */
    int failed = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!failed)
        failed = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!failed)
        return 0;
    return err_set(
        err, ERR_FAULT, ERR_NOWHERE,
        "libseccomp refused an attribute: %s: this is a mistake in carrel: please report it",
        strerror(-failed));
}

static int refused(const struct rule *rule, int failed, struct err *err)
{
    return err_set(
        err, ERR_FAULT, ERR_NOWHERE,
        "libseccomp refused the rule %s: %s: this is a mistake in carrel: please report it",
        rule->name, strerror(-failed));
}

static int describe(scmp_filter_ctx ctx, rule_set set, struct err *err)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        int failed = set >> i & 1 ? add(ctx, &rules[i]) : 0;
        if (failed)
            return refused(&rules[i], failed, err);
    }
    return 0;
}

static int describe_lost(scmp_filter_ctx ctx, rule_set lost, struct err *err)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        int failed = lost >> i & 1 ? seccomp_rule_add_exact_array(ctx, SCMP_ACT_KILL_PROCESS,
                                                                  rules[i].number, 0, NULL)
                                   : 0;
        if (failed)
            return refused(&rules[i], failed, err);
    }
    return 0;
}

/* libseccomp 2.5 gives a program only to a descriptor. It goes behind what stands in `ret` already:
 * jumps are relative. */
static int export(scmp_filter_ctx ctx, int fd, struct filter *ret, struct err *err)
{
    int failed = seccomp_export_bpf(ctx, fd);
    if (failed)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "libseccomp made no filter: %s: free some memory", strerror(-failed));
    size_t room = sizeof ret->code - ret->len * sizeof ret->code[0];
    ssize_t size = pread(fd, ret->code + ret->len, room, 0);
    if (size < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the filter could not be read: %s: free some memory", strerror(errno));
    if (lseek(fd, 0, SEEK_END) > (off_t)room)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "a filter of more than %d instructions: give fewer things", FILTER_MAX);
    ret->len += (size_t)size / sizeof ret->code[0];
    return 0;
}

/* What libseccomp may use: KILL_PROCESS, of Linux 4.14, which the wall needs (wall.def). It would
 * ask the kernel, with nine system calls. */
#define API_LEVEL 3

static scmp_filter_ctx context(uint32_t otherwise, struct err *err)
{
    seccomp_api_set(API_LEVEL);
    scmp_filter_ctx ctx = seccomp_init(otherwise);
    if (!ctx) {
        err_set(err, ERR_FAULT, ERR_NOWHERE, "libseccomp made no context: free some memory");
        return NULL;
    }
    if (set_attributes(ctx, err)) {
        seccomp_release(ctx);
        return NULL;
    }
    return ctx;
}

/* Exports the filter unless it `failed` to be described, and frees it. */
static int finish(scmp_filter_ctx ctx, int failed, struct filter *ret, struct err *err)
{
    int fd = failed ? -1 : memfd_create("filter", MFD_CLOEXEC);
    if (!failed)
        failed = fd >= 0 ? export(ctx, fd, ret, err)
                         : err_set(err, ERR_FAULT, ERR_NOWHERE,
                                   "no file in memory: %s: free some memory", strerror(errno));
    if (fd >= 0)
        close(fd);
    seccomp_release(ctx);
    return failed;
}

static int build(rule_set set, struct filter *ret, struct err *err)
{
    scmp_filter_ctx ctx = context(SCMP_ACT_KILL_PROCESS, err);
    if (!ctx)
        return -1;
    ret->len = floor_code(set, ret->code);
    return finish(ctx, describe(ctx, set | RULES_BASE, err), ret, err);
}

static void copy(const struct sock_filter *code, size_t len, struct filter *ret)
{
    ret->len = len;
    memcpy(ret->code, code, len * sizeof code[0]);
}

static const struct filter_made *known;
static size_t known_count;

void seccomp_know(const struct filter_made *made, size_t count)
{
    known = made;
    known_count = count;
}

/* The latest is remembered: to build one takes as long as much of a launch, and cells of one
 * process are mostly of one kind. */
int seccomp_filter(rule_set set, struct filter *ret, struct err *err)
{
    static struct filter latest;
    static rule_set latest_set;
    for (size_t i = 0; i < known_count; i++) {
        if (known[i].set != (set | RULES_BASE))
            continue;
        copy(known[i].code, known[i].len, ret);
        return 0;
    }
    if (latest.len > 0 && latest_set == set) {
        copy(latest.code, latest.len, ret);
        return 0;
    }
    if (build(set, ret, err))
        return -1;
    copy(ret->code, ret->len, &latest);
    latest_set = set;
    return 0;
}

int seccomp_narrow(rule_set set, rule_set less, struct filter *ret, struct err *err)
{
    scmp_filter_ctx ctx = context(SCMP_ACT_ALLOW, err);
    if (!ctx)
        return -1;
    ret->len = 0;
    return finish(ctx, describe_lost(ctx, rules_lost(set, less), err), ret, err);
}
