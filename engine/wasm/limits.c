/* The limits of core modules; see limits.h. */
#include "engine/wasm/limits.h"

#include <inttypes.h>

const struct limit_row limit_rows[LIMITS] = {
#define LIMIT(name, number, what) [COUNT_##name] = {number, what},
#include "engine/wasm/limits.def"
#undef LIMIT
};

bool limit_check(struct reader *r, const uint8_t *at, enum limit limit, uint64_t count)
{
    if (count <= limit_rows[limit].number)
        return true;
    reader_fail_at(r, at, ERR_LIMIT, "%" PRIu64 " %s, at most %u are allowed", count,
                   limit_rows[limit].what, limit_rows[limit].number);
    return false;
}
