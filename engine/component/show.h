/* Types as WIT text, for messages and listings. */
#ifndef CARREL_COMPONENT_SHOW_H
#define CARREL_COMPONENT_SHOW_H

#include "engine/component/type.h"

/* Text that grows until its room is full; what does not fit is left out. */
struct cm_text {
    char *at;
    size_t size;
    size_t len; /* at most size - 1: a NUL always follows */
};

void cm_text_put(struct cm_text *text, struct str part);

/* "func(self: borrow<descriptor>) -> result<u64, error-code>"; named types are written out, and
 * resources by the name that they were first given. */
void cm_show(struct cm_text *text, const struct cm_type *type);

/* What an extern is: a type as above, else "instance", "component" or "core module". */
void cm_show_extern(struct cm_text *text, const struct cm_extern *is);

#endif
