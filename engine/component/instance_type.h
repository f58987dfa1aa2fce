/* The type of an instance of a component: instantiation at the level of types (Explainer.md "Type
 * Checking"). */
#ifndef CARREL_COMPONENT_INSTANCE_TYPE_H
#define CARREL_COMPONENT_INSTANCE_TYPE_H

#include "engine/component/type.h"

/* A new resource type for whoever makes the instance; NULL and *err. */
typedef struct cm_var *cm_new_var(void *data, struct err *err);

/* Checks what is given against the imports of `component`, and gives the type of the instance: its
 * exports with what was given in the place of imported types, and new resource types for those that
 * it defines. NULL and *err (at ERR_NOWHERE). */
const struct cm_type *cm_instance_type(struct cm_types *types, struct region *scratch,
                                       const struct cm_type *component,
                                       const struct cm_decls *given, cm_new_var *new_var,
                                       void *data, struct err *err);

#endif
