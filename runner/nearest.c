/* Edit distance with neighbouring swaps (optimal string alignment); see nearest.h. Pure. */
#include "runner/nearest.h"

#include <string.h>

#define LONGEST 63

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t nearest_distance(const char *one, const char *other)
{
    size_t rows = strlen(one), columns = strlen(other);
    if (rows > LONGEST || columns > LONGEST)
        return rows + columns;
    size_t line[3][LONGEST + 1]; /* of the table, the row being made and the two before it */
    for (size_t c = 0; c <= columns; c++)
        line[0][c] = c;
    for (size_t r = 1; r <= rows; r++) {
        size_t *now = line[r % 3];
        const size_t *before = line[(r + 2) % 3], *earlier = line[(r + 1) % 3];
        now[0] = r;
        for (size_t c = 1; c <= columns; c++) {
            size_t cost = one[r - 1] != other[c - 1];
            now[c] = least(least(before[c] + 1, now[c - 1] + 1), before[c - 1] + cost);
            if (r > 1 && c > 1 && one[r - 1] == other[c - 2] && one[r - 2] == other[c - 1])
                now[c] = least(now[c], earlier[c - 2] + 1);
        }
    }
    return line[rows % 3][columns];
}

void nearest_try(const char *word, const char *candidate, const char **best, size_t *distance)
{
    size_t apart = nearest_distance(word, candidate);
    size_t length = strlen(word);
    if (length >= 3 && strncmp(candidate, word, length) == 0)
        apart = 1; /* the beginning of a word is as good as a slip */
    if (apart > 1 + length / 4)
        return;
    if (!*best || apart < *distance) {
        *best = candidate;
        *distance = apart;
    }
}
