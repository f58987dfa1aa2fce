/* The filters that were built with carrel: runner/filters/main.c wrote them. */
#include "runner/filters.h"

#include "engine/base/attr.h"

static const struct filter_made made[] = {
#include "runner/filters.inc"
};

const struct filter_made *filters_made(size_t *ret_count)
{
    *ret_count = countof(made);
    return made;
}
