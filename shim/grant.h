/* What is handed to one cell: the phase GRANT of an array of operations. */
#ifndef CARREL_SHIM_GRANT_H
#define CARREL_SHIM_GRANT_H

#include "shim/keeper.h"
#include "shim/protocol.h"
#include "shim/pump.h"
#include "shim/walls.h"

struct grants {
    size_t count;
    int at[PROTOCOL_GRANTS]; /* descriptors, by number of grant; -1 where none was made yet */
    int streams[3];          /* what the caller's standard streams are: 0, 1 and 2 unless told */
    size_t pump_count;
    size_t keeper_count;
    struct keeper_patience patience;
    int keepers[PROTOCOL_GRANTS]; /* processes, as pidfds */
    struct pump pumps[3];
};

/* No grants yet. */
void grants_start(struct grants *grants);

/* Carries out one operation of phase GRANT for the cell with process id `pid`. Errors: WALL, FAULT,
 * ABSENT (a directory that does not exist, an address that cannot be listened at). */
int grants_make(struct grants *grants, const struct operation *operation, int pid,
                struct wall_report *report, struct err *err);

/* Closes the shim's copies of what was handed over; the pumps and keepers stay. */
void grants_close(struct grants *grants);

/* The cell is gone: so are its keepers, once they have put everything in its place. */
void grants_end(struct grants *grants);

/* Output still has to reach whoever takes it after the cell is gone; input has not. */
bool grants_output_pending(const struct grants *grants);

#endif
