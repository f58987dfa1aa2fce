/* Denials explain themselves: a line on standard error, once for each distinct cause, that names
 * the component, the imported function and what it was asked for, why not, and the exact flag that
 * would allow it. (DESIGN §5) */
#ifndef CARREL_SHIM_DENIAL_H
#define CARREL_SHIM_DENIAL_H

#include "policies/net.h"
#include "policies/row.h"

/* Causes that one cell can have explained; of those that follow only that they are there is said.
 */
#define DENIALS_TOLD 32

struct denials {
    const char *file; /* the component, as the operator named it */
    size_t count;
    uint64_t told[DENIALS_TOLD]; /* digests of the lines */
};

/* What a function was asked for: an address, or a name of unknown origin, or neither. */
struct denied_subject {
    const struct net_address *address; /* or NULL */
    struct str name;                   /* empty: none */
};

/* Explains that `row` refused `subject`. `by_rules`: its capability is granted, but no rule of the
 * policy covers the subject. */
void denial_tell(struct denials *denials, enum row row, const struct denied_subject *subject,
                 bool by_rules);

#endif
