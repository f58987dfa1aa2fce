/* mutate reads modules. */
#include "engine/wasm/module.h"
#include "tests/fuzz/mutate.h"

void mutate_read(struct bytes bytes, struct region *image, struct region *scratch, struct err *err)
{
    struct types *types = types_new(image);
    module_read(bytes, bytes.at, types, image, scratch, err);
}
