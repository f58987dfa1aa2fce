/* The capabilities of capability.def as numbers and sets. */
#ifndef CARREL_POLICIES_CAPABILITY_H
#define CARREL_POLICIES_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

enum capability {
#define CAP(name, word, given, flag, what) CAP_##name,
#include "policies/capability.def"
#undef CAP
    CAP_COUNT
};

/* How a capability is given; see capability.def. */
enum capability_given { CAP_GIVEN_DEFAULT, CAP_GIVEN_FLAG, CAP_GIVEN_LATER };

/* A set of capabilities, one bit each. */
typedef uint32_t capability_set;
_Static_assert(CAP_COUNT <= 32, "capability_set is too small");

#define CAPABILITY(NAME) ((capability_set)1 << CAP_##NAME)

struct capability_info {
    const char *word;
    enum capability_given given;
    const char *flag; /* "" if no flag gives it */
    const char *what; /* completes "it may ..." */
};

extern const struct capability_info capabilities[CAP_COUNT];

/* Those that every component has. */
capability_set capability_defaults(void);

/* Those that a word of the operator's means: itself and what lies below it ("net" is also
 * "net.tcp.connect"), "*" all. 0 if there is no such word. */
capability_set capability_matching(const char *word);

static inline bool capability_in(capability_set set, enum capability capability)
{
    return set >> capability & 1;
}

#endif
