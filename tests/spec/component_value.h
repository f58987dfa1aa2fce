/* Component values of scripts, in host layout (engine/component/host.h). */
#ifndef CARREL_SPEC_COMPONENT_VALUE_H
#define CARREL_SPEC_COMPONENT_VALUE_H

#include "engine/component/type.h"
#include <json-c/json.h>

/* Memory for strings and lists of values, freed as a whole. */
struct value_memory {
    struct value_block *blocks;
};

void value_memory_free(struct value_memory *memory);

/* Zeroed memory; never NULL. */
void *value_take(struct value_memory *memory, size_t size);

/* Writes a value of a canonical type to `to`, zeroed. False: it is not one of that type. */
bool component_value_write(const struct cm_type *type, struct json_object *json, void *to,
                           struct value_memory *memory);

/* Is the value at `at` the one that is expected? */
bool component_value_is(const struct cm_type *type, struct json_object *expected, const void *at);

#endif
