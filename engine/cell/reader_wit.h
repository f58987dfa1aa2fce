/* The demand of the worlds in WIT text, a file or a package of several: for a reader only. */
#ifndef CARREL_CELL_READER_WIT_H
#define CARREL_CELL_READER_WIT_H

#include "engine/base/err.h"
#include "engine/base/region.h"
#include "engine/cell/answer.h"

/* Answers with all that a component of these worlds could import: of the one called `world`, alone
 * or with its package, or if that is empty of all of them together. `file` is as wit_files.h
 * has it. Errors: MALFORMED, LIMIT, MEMORY, UNLINKABLE if there is no (such) world in it. */
int read_wit(struct bytes file, struct str world, struct region *region, struct answer *answer,
             struct err *err);

#endif
