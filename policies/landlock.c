/* Rows of landlock.def, looked at; see landlock.h. Pure. */
#include "policies/landlock.h"

#include "engine/base/attr.h"
#include <stddef.h>

enum {
#define HANDLED(set, name, bit, abi) set##_##name = 1 << (bit),
#include "policies/landlock.def"
};

#define FILES(name) ((uint64_t)files_##name)

/* By rule; most need nothing. */
static const uint64_t needs[RULE_COUNT] = {
#define LANDLOCK(rule, files) [RULE_##rule] = files,
#include "policies/landlock.def"
};

struct landlock_denied landlock_denies(int abi)
{
    struct landlock_denied all = {0};
#define HANDLED(set, name, bit, since)                                                             \
    if (abi >= (since))                                                                            \
        all.set |= UINT64_C(1) << (bit);
#include "policies/landlock.def"
    return all;
}

uint64_t landlock_allows(rule_set set, bool read_only, int abi)
{
    uint64_t files = 0;
    for (int i = 0; i < RULE_COUNT; i++)
        if (set >> i & 1)
            files |= needs[i];
    if (read_only)
        files &= FILES(READ_FILE) | FILES(READ_DIR);
    return files & landlock_denies(abi).files;
}
