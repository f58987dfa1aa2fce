/* A component from outside; see inspect.h. */
#include "engine/cell/inspect.h"

#include "engine/component/world.h"

int inspect_component(const struct component *component, struct region *scratch, bool json,
                      struct out *out, struct err *err)
{
    struct world world;
    uint8_t *mark = region_mark(scratch);
    int failed = world_of(component, scratch, &world, err);
    if (!failed && json)
        world_json(&world, out);
    else if (!failed)
        failed = world_wit(&world, scratch, out, err);
    region_release(scratch, mark);
    return failed;
}
