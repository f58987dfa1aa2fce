/* The demand of the worlds in a file of WIT text: for a reader only. */
#ifndef CARREL_CELL_READER_WIT_H
#define CARREL_CELL_READER_WIT_H

#include "engine/base/err.h"
#include "engine/base/region.h"
#include "engine/cell/answer.h"

/* Answers with all that a component of these worlds could import. Errors: MALFORMED, LIMIT, MEMORY,
 * UNLINKABLE if there is no world in it. */
int read_wit(struct bytes file, struct region *region, struct answer *answer, struct err *err);

#endif
