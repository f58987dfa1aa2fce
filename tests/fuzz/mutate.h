/* What mutate reads: linked in, so that each program has only the rooms it needs. */
#ifndef CARREL_TESTS_FUZZ_MUTATE_H
#define CARREL_TESTS_FUZZ_MUTATE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/region.h"

/* Decodes and validates what the bytes hold; the image region is empty. The verdict goes to err. */
void mutate_read(struct bytes bytes, struct region *image, struct region *scratch, struct err *err);

#endif
