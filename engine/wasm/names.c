/* Names for backtraces; see module.h. The name section (appendix §7.4.1) is read when
 * somebody asks, a reading that gives up quietly where it is malformed. */
#include "engine/wasm/module.h"

#include "engine/base/reader.h"

enum { SUBSECTION_MODULE, SUBSECTION_FUNCTIONS };

/* The name of `func` in a name map, whose indices ascend; empty if it is not there. So no more is
 * gone over than there are functions, however long the map is. */
static struct str find_name(struct reader *map, uint32_t func)
{
    uint32_t count = reader_u32(map);
    for (uint32_t i = 0, least = 0; i < count && reader_ok(map); i++) {
        uint32_t index = reader_u32(map);
        struct str name = reader_name(map, "function name");
        if (index == func && reader_ok(map))
            return name;
        if (index < least || index > func)
            break;
        least = index + 1;
    }
    return (struct str){0};
}

/* The content of a subsection; empty if it is not there. Their numbers ascend. */
static struct reader subsection(const struct module *module, uint8_t wanted, struct err *ignored)
{
    struct reader r = reader_of(module->names, module->file, ignored);
    while (reader_ok(&r) && !reader_at_end(&r)) {
        uint8_t id = reader_u8(&r);
        struct reader part = reader_part(&r, "name subsection");
        if (id == wanted)
            return part;
        if (id > wanted)
            break;
    }
    return reader_of((struct bytes){module->names.at, 0}, module->file, ignored);
}

static struct str from_names(const struct module *module, uint32_t func)
{
    struct err ignored = {0};
    struct reader map = subsection(module, SUBSECTION_FUNCTIONS, &ignored);
    return find_name(&map, func);
}

struct str module_name(const struct module *module)
{
    struct err ignored = {0};
    struct reader part = subsection(module, SUBSECTION_MODULE, &ignored);
    return reader_at_end(&part) ? (struct str){0} : reader_name(&part, "module name");
}

static struct str from_imports(const struct module *module, uint32_t func)
{
    for (uint32_t i = 0, n = 0; i < module->nimports; i++)
        if (module->imports[i].type.kind == EXTERN_FUNC && n++ == func)
            return module->imports[i].name;
    return (struct str){0};
}

struct str module_func_name(const struct module *module, uint32_t func)
{
    struct str name = from_names(module, func);
    if (name.len)
        return name;
    for (uint32_t i = 0; i < module->nexports; i++)
        if (module->exports[i].kind == EXTERN_FUNC && module->exports[i].index == func)
            return module->exports[i].name;
    return func < module->imported_funcs ? from_imports(module, func) : (struct str){0};
}
