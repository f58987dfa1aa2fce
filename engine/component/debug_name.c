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

/* The name of an item in a map, whose indices ascend. So no more is gone over than there are items,
 * however long the map is. */
static struct str find_name(struct reader *map, uint32_t index)
{
    uint32_t count = reader_count(map, UINT32_MAX, "names");
    for (uint32_t i = 0, least = 0; i < count && reader_ok(map); i++) {
        uint32_t at = reader_u32(map);
        struct str name = reader_name(map, "name");
        if (at == index && reader_ok(map))
            return name;
        if (at < least || at > index)
            break;
        least = at + 1;
    }
    return (struct str){0};
}

/* Each sort has one map, so there are no more subsections than sorts, and that of the component. */
struct str component_item_name(const struct component *component, enum cm_sort sort, uint32_t index)
{
    struct err ignored = {0};
    struct reader r = reader_of(component->names, component->file, &ignored);
    for (int i = 0; i <= SORTS && reader_ok(&r) && !reader_at_end(&r); i++) {
        uint8_t id = reader_u8(&r);
        struct reader part = reader_part(&r, "names");
        if (id == SUBSECTION_SORT && sort_read(&part) == sort)
            return find_name(&part, index);
    }
    return (struct str){0};
}
