/* The name section of a component (Binary.md "Name Section"); see component.h. Whatever is wrong
 * with it means that there is no name. */
#include "engine/base/reader.h"
#include "engine/component/component.h"

#define SUBSECTION_COMPONENT 0

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
