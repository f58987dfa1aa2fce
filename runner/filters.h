/* The filters that were built with carrel. */
#ifndef CARREL_RUNNER_FILTERS_H
#define CARREL_RUNNER_FILTERS_H

#include "policies/seccomp.h"

/* All of them, for seccomp_know. */
const struct filter_made *filters_made(size_t *ret_count);

#endif
