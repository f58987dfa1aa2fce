/* What scenarios find below the directory that is granted: f with "0123456789", the directories d
 * and e, and l, a link to f. */
#ifndef CARREL_TESTS_ROWS_FILES_H
#define CARREL_TESTS_ROWS_FILES_H

#include "rows.h"

/* The first directory, or -1. */
static inline int root(void)
{
    w_get_directories(R);
    return U32(4) ? *(int *)(unsigned long)U32(0) : -1;
}

/* f, for reading, and for writing if `write`. */
static inline int open_file(int dir, int write)
{
    w_descriptor_open_at(dir, 0, TEXT("f"), 0, write ? 3 : 1, R);
    MUST(TAG == 0);
    return (int)U32(4);
}

#endif
