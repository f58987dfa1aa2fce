/* Types in WIT text, as the tables of a host have them ("func(self: borrow<descriptor>) ->
 * result<u64, error-code>"): read when a component imports them. The text is carrel's own; what is
 * wrong with it is a FAULT that says where. */
#ifndef CARREL_COMPONENT_WIT_H
#define CARREL_COMPONENT_WIT_H

#include "engine/component/type.h"

/* The type that a name means where the text stands; NULL and *err if it means none. */
typedef const struct cm_type *wit_lookup(void *data, struct str name, struct err *err);

/* Reads a value type, a record, variant, enum or flags, or a function type. A resource's name alone
 * means own<>. Lists are kept in `scratch` meanwhile. NULL and *err. */
const struct cm_type *wit_read(struct cm_types *types, struct region *scratch, struct str text,
                               wit_lookup *lookup, void *data, struct err *err);

#endif
