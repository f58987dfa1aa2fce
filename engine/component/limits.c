/* The limits of components; see limits.h. */
#include "engine/component/limits.h"

const struct cm_limit_row cm_limit_rows[CM_LIMITS] = {
#define LIMIT(name, number, what) [CM_COUNT_##name] = {number, what},
#include "engine/component/limits.def"
#undef LIMIT
};

int cm_limit_passed(struct err *err, uint64_t offset, enum cm_limit limit)
{
    return err_set(err, ERR_LIMIT, offset, "more than %u %s", cm_limit_rows[limit].number,
                   cm_limit_rows[limit].what);
}
