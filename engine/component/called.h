/* What functions and instances are called, in the component's own words: for people, who look at a
 * backtrace. Looked up among the definitions when somebody asks: nothing is kept for it. */
#ifndef CARREL_COMPONENT_CALLED_H
#define CARREL_COMPONENT_CALLED_H

#include "engine/component/instance.h"
#include "engine/component/show.h"

/* A name that stands for nothing else, as all names here: quoted if it looks like something else,
 * cut in front if there is too little room (engine/base/tail.h). */
void cm_called_name(struct cm_text *to, struct str name);

/* "outer/inner", from the outside: names, or places in their index spaces. */
void cm_called_instance(struct cm_text *to, const struct cm_instance *instance);

/* The same of a core instance: "outer/inner/core"; of a module that is no component's, its name. */
void cm_called_core(struct cm_text *to, const struct instance *instance);

/* A function by its index, as the component knows it: "wasi:io/poll@0.2.12#poll", "first#sum". */
void cm_called_func(struct cm_text *to, const struct component *component, uint32_t index);

/* A function that an instance has lifted, by the name that it is exported under, alone or in an
 * instance: "wasi:cli/run@0.2.12#run"; else by its name or index. */
void cm_called_lifted(struct cm_text *to, const struct cm_func *func);

#endif
