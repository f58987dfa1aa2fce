/* The system call filter of a cell, as bytes: built from rules with libseccomp in the supervisor,
 * sent to the cell, which installs it. */
#ifndef CARREL_POLICIES_SECCOMP_H
#define CARREL_POLICIES_SECCOMP_H

#include "engine/base/err.h"
#include "policies/syscall.h"
#include <linux/filter.h>
#include <stddef.h>

/* More instructions than any set of rules needs; the kernel's own limit is 4096. */
#define FILTER_MAX 512

struct filter {
    size_t len; /* in instructions */
    struct sock_filter code[FILTER_MAX];
};

/* Writes the filter that allows exactly `set` (RULES_BASE is always in it) and kills the process
 * for anything else, other architectures and x32 included. The same set gives the same bytes.
 * Errors: FAULT if libseccomp fails or the filter would be longer than FILTER_MAX. */
int seccomp_filter(rule_set set, struct filter *ret, struct err *err);

/* What seccomp_filter wrote for `set` when carrel was built: no more instructions than this. */
#define FILTER_MADE_MAX 24

struct filter_made {
    rule_set set;
    size_t len;
    struct sock_filter code[FILTER_MADE_MAX];
};

/* From now on these are not built again. They must live as long as filters are asked for. */
void seccomp_know(const struct filter_made *made, size_t count);

/* Writes a filter to lay over that of `set`: it kills the process for every system call that no
 * rule of `set` but those in `less` has, and leaves the others to the filter below. Errors as
 * above.
 */
int seccomp_narrow(rule_set set, rule_set less, struct filter *ret, struct err *err);

#endif
