/* Suggestions for words that are not known. */
#ifndef CARREL_RUNNER_NEAREST_H
#define CARREL_RUNNER_NEAREST_H

#include <stddef.h>

/* How many letters must be added, dropped, replaced or swapped with their neighbour to make one
 * word of the other. Words of more than 63 letters count as far apart. */
size_t nearest_distance(const char *one, const char *other);

/* Looks at candidates one after the other: keeps in `*best` the first that is nearest to `word`,
 * and near enough that it may have been meant (`*best` NULL and `*distance` 0 to begin with). */
void nearest_try(const char *word, const char *candidate, const char **best, size_t *distance);

#endif
