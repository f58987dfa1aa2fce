/* The name section of a component (Binary.md "Name Section"); see component.h. Whatever is wrong
 * with it means that there is no name. */
#include "engine/base/reader.h"
#include "engine/component/component.h"
#include "engine/component/extern.h"

enum { SUBSECTION_COMPONENT, SUBSECTION_SORT };

struct str component_name(const struct component *component)
{
    struct err ignored = {0};
    struct reader r = reader_of(component->names, component->file, &ignored);
    if (reader_at_end(&r) || reader_u8(&r) != SUBSECTION_COMPONENT)
        return (struct str){0};
    struct reader part = reader_part(&r, "name of the component");
    struct str name = reader_name(&part, "name of the component");
    return reader_ok(&part) ? name : (struct str){0};
}

struct str component_item_name(const struct component *component, enum cm_sort sort, uint32_t index)
{
    struct err ignored = {0};
    struct reader r = reader_of(component->names, component->file, &ignored);
    while (reader_ok(&r) && !reader_at_end(&r)) {
        uint8_t id = reader_u8(&r);
        struct reader part = reader_part(&r, "names");
        if (id != SUBSECTION_SORT || sort_read(&part) != sort)
            continue;
        uint32_t count = reader_count(&part, UINT32_MAX, "names");
        while (count-- && reader_ok(&part)) {
            bool wanted = reader_u32(&part) == index;
            struct str name = reader_name(&part, "name");
            if (wanted && reader_ok(&part))
                return name;
        }
    }
    return (struct str){0};
}
