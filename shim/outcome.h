/* How a cell ended. */
#ifndef CARREL_SHIM_OUTCOME_H
#define CARREL_SHIM_OUTCOME_H

#include "shim/protocol.h"
#include "shim/walls.h"

/* What a process can end with. */
#define EXIT_CODE_MAX 255

struct outcome {
    bool by_guest; /* it ended by itself with `told` */
    uint32_t told;
    int exit_code;  /* of `carrel run` (err.def): what was told, but at most EXIT_CODE_MAX */
    int signal;     /* the cell was killed by it; 0: it was not */
    struct err why; /* unless by_guest; its text may hold what the component chose */
    uint32_t depth; /* of a trap's stack */
    uint32_t frame_count;
    struct wall_report walls;
    struct record_frame frames[PROTOCOL_FRAMES]; /* innermost first; as told, not printable */
};

/* The first thing that is known about an end is what counts: all of these leave an outcome alone
 * that is known. */
bool outcome_known(const struct outcome *outcome);
void outcome_exit(struct outcome *outcome, uint32_t code);
void outcome_fail(struct outcome *outcome, enum err_kind kind, uint64_t offset, const char *format,
                  ...) PRINTF(4, 5);
void outcome_trap(struct outcome *outcome, const struct message_trap *trap);

/* Only as many frames as there are: room for all is several pages. */
void outcome_copy(struct outcome *to, const struct outcome *from);

/* From what waitid says about a cell that told nothing. `bounded`: the kernel kept a limit on its
 * memory. */
void outcome_death(struct outcome *outcome, int code, int status, bool bounded);

#endif
