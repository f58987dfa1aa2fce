/* libFuzzer on WIT text: whatever it says, what is read is within bounds and points into the text.
 */
#include "engine/component/package.h"

#include <stdlib.h>

static uint8_t memory[1 << 22];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct region region = region_of(memory, sizeof memory);
    struct bytes text = {data, size};
    struct wit_package package;
    struct err err = {0};
    volatile size_t length = 0;
    if (wit_is(text) && wit_read_package(text, &region, &package, &err) == 0)
        for (const struct wit_decl *decl = package.first; decl; decl = decl->next)
            for (const struct wit_item *item = decl->items.first; item; item = item->next)
                length +=
                    item->name.len + item->path.name.len + (item->name.len ? *item->name.at : 0);
    memset(memory, 0, (size_t)(region.at - region.base));
    return 0;
}
