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

static int describe(scmp_filter_ctx ctx, rule_set set, struct err *err)
{
    /* Level 2 is the binary tree. The calls made most often need no priority: the kernel remembers
     * the verdict of a call whose arguments the filter does not look at. */
    int failed = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!failed)
        failed = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (failed)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "libseccomp refused an attribute: %s",
                       strerror(-failed));
    for (int i = 0; i < RULE_COUNT; i++) {
        if (!(set >> i & 1))
            continue;
        failed = add(ctx, &rules[i]);
        if (failed)
            return err_set(err, ERR_FAULT, ERR_NOWHERE, "libseccomp refused the rule %s: %s",
                           rules[i].name, strerror(-failed));
    }
    return 0;
}

/* libseccomp 2.5 gives a program only to a descriptor. It goes behind what stands in `ret` already:
 * jumps are relative. */
static int export(scmp_filter_ctx ctx, int fd, struct filter *ret, struct err *err)
{
    int failed = seccomp_export_bpf(ctx, fd);
    if (failed)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "libseccomp made no filter: %s",
                       strerror(-failed));
    size_t room = sizeof ret->code - ret->len * sizeof ret->code[0];
    ssize_t size = pread(fd, ret->code + ret->len, room, 0);
    if (size < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "the filter could not be read: %s",
                       strerror(errno));
    if (lseek(fd, 0, SEEK_END) > (off_t)room)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "a filter of more than %d instructions",
                       FILTER_MAX);
    ret->len += (size_t)size / sizeof ret->code[0];
    return 0;
}

int seccomp_filter(rule_set set, struct filter *ret, struct err *err)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!ctx)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "libseccomp made no context");
    int fd = memfd_create("filter", MFD_CLOEXEC);
    int failed =
        fd >= 0 ? 0
                : err_set(err, ERR_FAULT, ERR_NOWHERE, "no file in memory: %s", strerror(errno));
    if (!failed)
        failed = describe(ctx, set | RULES_BASE, err);
    ret->len = floor_code(set, ret->code);
    if (!failed)
        failed = export(ctx, fd, ret, err);
    if (fd >= 0)
        close(fd);
    seccomp_release(ctx);
    return failed;
}
