/* mutate reads components. */
#include "engine/component/component.h"
#include "tests/fuzz/mutate.h"

void mutate_read(struct bytes bytes, struct region *image, struct region *scratch, struct err *err)
{
    struct cm_types *types = cm_types_new(image, types_new(image));
    component_read(bytes, bytes.at, types, scratch, err);
}
