/* Which value a trap is about: "parameter who[3].name". Lifting and lowering tell it from the
 * inside outwards, while they give up because a part of theirs trapped; what goes well pays nothing
 * for it. All of these answer false, which is what their callers answer then. */
#ifndef CARREL_COMPONENT_WITHIN_H
#define CARREL_COMPONENT_WITHIN_H

#include "engine/component/instance.h"

struct cm_end;

/* The element of a list at that index. */
bool cm_within_element(const struct cm_store *store, uint32_t index) COLD;

/* The field of a record or tuple. */
bool cm_within_field(const struct cm_store *store, const struct cm_type *type, uint32_t index) COLD;

/* The payload of a variant's case. */
bool cm_within_case(const struct cm_store *store, const struct cm_type *type, uint32_t which) COLD;

/* A parameter of a function of this type; its result; all its parameters together, where they are.
 */
bool cm_within_param(const struct cm_store *store, const struct cm_type *func, uint32_t index) COLD;
bool cm_within_result(const struct cm_store *store) COLD;
bool cm_within_params(const struct cm_store *store) COLD;

/* A value that goes through a stream or future, by its place in the write or read of that end, a
 * guest's: on its way from there, or to there. */
bool cm_within_written(const struct cm_end *end, uint32_t index) COLD;
bool cm_within_read(const struct cm_end *end, uint32_t index) COLD;

#endif
