/* Landlock's rules as data: what is denied everywhere, and allowed below each granted directory. */
#ifndef CARREL_POLICIES_LANDLOCK_H
#define CARREL_POLICIES_LANDLOCK_H

#include "policies/syscall.h"

/* Bits as in <linux/landlock.h>. */
struct landlock_denied {
    uint64_t files;
    uint64_t net;
    uint64_t scopes;
};

/* All that a kernel of this ABI can deny, among what is known here. Nothing for ABI 0. */
struct landlock_denied landlock_denies(int abi);

/* What is allowed below a directory, of FILES: what the filter's rules need there, without what
 * would change anything if the grant is read-only, and without what this ABI does not know. */
uint64_t landlock_allows(rule_set set, bool read_only, int abi);

#endif
