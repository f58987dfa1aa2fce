/* What the role that inspects shows of a file. */
#ifndef CARREL_CELL_INSPECT_H
#define CARREL_CELL_INSPECT_H

#include "engine/base/out.h"
#include "engine/component/component.h"

/* The views that were asked for: bits by the rows VIEW of shim/protocol.def. */
enum view {
#define VIEW(NAME, word, meaning) VIEW_##NAME,
#include "shim/protocol.def"
    VIEWS
};

static inline bool view_in(uint32_t views, enum view view)
{
    return views >> view & 1;
}

/* Shows what a component is to the outside: its world, as WIT or as members of a JSON object. What
 * is shown unless a view of core modules was asked for. -1 and *err: MEMORY. */
int inspect_component(const struct component *component, struct region *scratch, bool json,
                      struct out *out, struct err *err);

#endif
