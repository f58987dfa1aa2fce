/* Denials explain themselves: a line on standard error, once for each distinct cause, that names
 * the component, the imported function and what it was asked for, why not, and the exact flag and
 * the line of a policy file that would allow it. (DESIGN §5) */
#ifndef CARREL_SHIM_DENIAL_H
#define CARREL_SHIM_DENIAL_H

#include "policies/net.h"
#include "policies/row.h"
#include "shim/audit_log.h"
#include "shim/protocol.h"

/* Causes that one cell can have explained to people, and those that can be on record; of what
 * follows only that it is there is said. */
#define DENIALS_TOLD   32
#define DENIALS_LOGGED 1024

/* A directory that the cell was given; texts of its plan. */
struct denied_directory {
    const char *host;
    const char *guest;
    uint64_t grant;
    bool read_only;
};

struct denials {
    const char *file;            /* the component, as the operator named it */
    const struct audit_log *log; /* or NULL: standard error alone, as sentences */
    capability_set denied;       /* by the policy: no flag gives these */
    size_t directory_count;
    bool all;  /* what programs ask for as a matter of routine is told, too */
    bool full; /* that there was more is on record */
    bool cut;  /* and people were told */
    size_t shown;
    size_t count;
    struct denied_directory directories[PROTOCOL_GRANTS];
    struct {
        uint64_t digest; /* of the cause */
        uint64_t number; /* of its line in the log */
        bool shown;
        bool kept;          /* back, as routine, until it is known whether the run ends well */
        uint8_t capability; /* of one that is kept */
        uint16_t row;
    } told[DENIALS_LOGGED];
};

/* Nothing was refused yet. */
void denials_start(struct denials *denials);

/* What a function was asked for: an address, or a name or path of unknown origin, or where an HTTP
 * request was to go, or none of them. */
struct denied_subject {
    enum capability capability;               /* of DENIED_NOT_GRANTED: the one that is lacking */
    const struct net_address *address;        /* or NULL */
    struct str name;                          /* empty: none */
    const struct net_rule *by;                /* of a policy's `deny` that covers it, or NULL */
    const struct net_origin *origin;          /* or NULL */
    const struct denied_directory *directory; /* that the path of `name` starts at, or NULL */
    uint32_t leaves;   /* one of PROTOCOL_LEAVES_: it leads out of that directory */
    bool leads_astray; /* the origin is given, but its name has an address that no rule names */
    bool unspoken;     /* the origin is given, but there is nobody who speaks TLS */
    bool any_port;     /* the kernel chooses the port of the address, another one each time */
};

enum denied_why {
    DENIED_NOT_GRANTED, /* the capability, which is mostly that of the function */
    DENIED_NO_RULE,     /* that is granted, but no rule covers the subject; or one denies it */
};

/* Notes what an operation of the cell's plan says of its directories; others say nothing. */
void denials_note(struct denials *denials, const struct operation *operation);

/* The directory with the number of this grant; NULL: there is none. */
const struct denied_directory *denials_directory(const struct denials *denials, uint64_t grant);

/* Explains that `row` refused `subject`. */
void denial_tell(struct denials *denials, enum row row, const struct denied_subject *subject,
                 enum denied_why why);

/* The run failed: what was kept back may be the reason, and is told. */
void denial_tell_kept(struct denials *denials);

#endif
