/* The engine's memcpy, memmove and memset, in the place of musl's; see copy.h. The compiler is not
 * to see what the loops are, or it would call these functions for them. */
#include "engine/base/copy.h"

#include <string.h>

#ifdef __clang__
#define AS_WRITTEN __attribute__((no_builtin))
#else
#define AS_WRITTEN __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

AS_WRITTEN void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    copy_apart(to, from, size);
    return to;
}

AS_WRITTEN void *memmove(void *to, const void *from, size_t size)
{
    copy_moved(to, from, size);
    return to;
}

AS_WRITTEN void *memset(void *to, int byte, size_t size)
{
    copy_filled(to, (uint8_t)byte, size);
    return to;
}
