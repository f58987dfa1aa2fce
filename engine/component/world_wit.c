/* The world as a document of WIT; see world.h. */
#include "engine/component/world.h"

/* An interface's name in parts. */
struct id {
    struct str package; /* "wasi:io" */
    struct str interface;
    struct str version;
};

static struct id id_of(struct str text)
{
    const char *why;
    struct name name = name_parse(text, &why);
    struct id id = {.package = name.path, .version = name.version};
    for (size_t i = 0; i < name.path.len; i++) {
        if (name.path.at[i] != '/')
            continue;
        id.package = (struct str){name.path.at, i};
        id.interface = (struct str){name.path.at + i + 1, name.path.len - i - 1};
    }
    return id;
}

static bool same_package(const struct id *a, const struct id *b)
{
    return str_eq(a->package, b->package) && str_eq(a->version, b->version);
}

/* "a:b/c", each part of it behind '%' if it is a keyword. */
static void put_path(struct out *out, struct str path)
{
    size_t begin = 0;
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] != ':' && path.at[i] != '/')
            continue;
        world_label(out, (struct str){path.at + begin, i - begin});
        out_char(out, path.at[i]);
        begin = i + 1;
    }
    world_label(out, (struct str){path.at + begin, path.len - begin});
}

static void put_version(struct out *out, struct str version)
{
    if (!version.len)
        return;
    out_char(out, '@');
    out_str(out, version);
}

/* An interface's name as others call it, "a:b/c@1.0.0". */
static void put_name(struct out *out, struct str text)
{
    const char *why;
    struct name name = name_parse(text, &why);
    put_path(out, name.path);
    put_version(out, name.version);
}

/* --- Types --------------------------------------------------------------------------------------
 */

/* "use a:b/c@1.0.0.{x as y};", shorter within one package. */
static void put_use(struct out *out, const struct world_interface *from,
                    const struct world_interface *in, const struct world_item *item,
                    const struct world_item *origin)
{
    struct id theirs = id_of(from->name);
    struct id ours = id_of(in->name);
    out_text(out, "use ");
    if (in->decl && in->has_id && same_package(&theirs, &ours))
        world_label(out, theirs.interface);
    else
        put_name(out, from->name);
    out_text(out, ".{");
    world_label(out, origin->decl->name->text);
    if (origin->decl->name != item->decl->name) {
        out_text(out, " as ");
        world_label(out, item->decl->name->text);
    }
    out_text(out, "};\n");
}

/* Types of other interfaces that `type`, part of an item of `in`, mentions and that have no name
 * there; each once. */
static void put_mentioned(struct out *out, const struct world_interface *in,
                          const struct cm_type *type)
{
    if (!type || world_type_in(in, type))
        return;
    struct world_item *item = world_type_anywhere(in->world, type);
    uint32_t count = item ? 0 : cm_part_count(type);
    for (uint32_t i = 0; i < count; i++)
        put_mentioned(out, in, cm_part_at(type, i).type);
    if (!item || item->used_in == in || !in->world->interfaces[item->interface].has_id)
        return;
    item->used_in = in;
    world_indent(out, in, 1);
    put_use(out, &in->world->interfaces[item->interface], in, item, item);
}

static void put_mentions(struct out *out, const struct world_interface *in)
{
    for (uint32_t i = 0; i < in->nitems; i++) {
        const struct cm_decl *decl = in->items[i].decl;
        bool defines = decl->is.sort == SORT_FUNC || !world_origin(in->world, &in->items[i]);
        uint32_t count = defines ? cm_part_count(decl->is.type) : 0;
        for (uint32_t k = 0; k < count; k++)
            put_mentioned(out, in, cm_part_at(decl->is.type, k).type);
    }
}

static void put_func(struct out *out, const struct world_interface *in,
                     const struct world_item *item)
{
    const struct cm_type *func = item->decl->is.type;
    const char *async = func->async ? "async " : "";
    switch (item->name.kind) {
    case NAME_CONSTRUCTOR:
        out_text(out, "constructor");
        world_signature(out, in, func, 0, true);
        break;
    case NAME_METHOD:
        world_label(out, item->name.member);
        out_format(out, ": %sfunc", async);
        world_signature(out, in, func, 1, false);
        break;
    case NAME_STATIC:
        world_label(out, item->name.member);
        out_format(out, ": static %sfunc", async);
        world_signature(out, in, func, 0, false);
        break;
    default:
        world_label(out, item->decl->name->text);
        out_format(out, ": %sfunc", async);
        world_signature(out, in, func, 0, false);
        break;
    }
    out_text(out, ";\n");
}

/* A resource with all that is named after it. */
static void put_resource(struct out *out, const struct world_interface *in,
                         const struct world_item *item)
{
    uint64_t key = symbol_key(item->decl->name);
    uint32_t low = 0;
    uint32_t high = in->nmembers;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (in->members[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    out_text(out, "resource ");
    world_label(out, item->decl->name->text);
    if (low == in->nmembers || in->members[low].key != key) {
        out_text(out, ";\n");
        return;
    }
    out_text(out, " {\n");
    for (; low < in->nmembers && in->members[low].key == key; low++) {
        world_indent(out, in, 2);
        put_func(out, in, &in->items[in->members[low].index]);
    }
    world_indent(out, in, 1);
    out_text(out, "}\n");
}

static void put_type(const struct world *world, struct out *out, const struct world_interface *in,
                     const struct world_item *item)
{
    const struct cm_type *type = item->decl->is.type;
    const struct world_item *origin = world_origin(world, item);
    const struct world_interface *from = origin ? &world->interfaces[origin->interface] : NULL;
    bool block = type->kind == CM_RECORD || type->kind == CM_VARIANT || type->kind == CM_ENUM ||
                 type->kind == CM_FLAGS;
    world_indent(out, in, 1);
    /* What a world uses it imports, so its exported types cannot be told as used from an export. */
    bool usable = from && from->has_id && (in->decl || from->side[WORLD_IMPORT]);
    if (usable && from != in) {
        put_use(out, from, in, item, origin);
    } else if (from == in) {
        out_text(out, "type ");
        world_label(out, item->decl->name->text);
        out_text(out, " = ");
        world_label(out, origin->decl->name->text);
        out_text(out, ";\n");
    } else if (type->kind == CM_RESOURCE) {
        put_resource(out, in, item);
    } else if (block) {
        out_text(out, cm_kind_text(type->kind));
        out_char(out, ' ');
        world_label(out, item->decl->name->text);
        out_text(out, " {\n");
        world_structure(out, in, type);
        world_indent(out, in, 1);
        out_text(out, "}\n");
    } else {
        out_text(out, "type ");
        world_label(out, item->decl->name->text);
        out_text(out, " = ");
        /* The name of a resource alone would be the resource here, not a handle of it. */
        out_text(out, type->kind == CM_OWN ? "own<" : "");
        world_structure(out, in, type);
        out_text(out, type->kind == CM_OWN ? ">;\n" : ";\n");
    }
}

/* An interface that is imported with less than it is exported with, or the other way round, is told
 * as it is with both: WIT has one text for it. */
static void put_lacks(struct out *out, const struct world_interface *in)
{
    static const char *const words[] = {"imported", "exported"};
    for (unsigned side = 0; in->side[WORLD_IMPORT] && in->side[WORLD_EXPORT] && side < 2; side++) {
        bool first = true;
        for (uint32_t i = 0; i < in->nitems; i++) {
            if (in->items[i].side[side])
                continue;
            if (first) {
                world_indent(out, in, 1);
                out_format(out, "// %s without ", words[side]);
            }
            out_text(out, first ? "" : ", ");
            out_str(out, in->items[i].decl->name->text);
            first = false;
        }
        out_text(out, first ? "" : "\n");
    }
}

/* Types, and the functions that belong to no resource. */
static void put_items(const struct world *world, struct out *out, const struct world_interface *in)
{
    put_lacks(out, in);
    put_mentions(out, in);
    for (uint32_t i = 0; i < in->nitems; i++) {
        const struct world_item *item = &in->items[i];
        if (item->decl->is.sort == SORT_TYPE) {
            put_type(world, out, in, item);
        } else if (!item->name.resource.len) {
            world_indent(out, in, 1);
            put_func(out, in, item);
        }
    }
}

/* --- The world ----------------------------------------------------------------------------------
 */

static void put_interface(const struct world *world, struct out *out,
                          const struct world_interface *in, const char *word)
{
    out_format(out, "  %s ", word);
    if (in->has_id) {
        put_name(out, in->name);
        out_text(out, ";\n");
        return;
    }
    world_label(out, in->name);
    out_text(out, ": interface {\n");
    put_items(world, out, in);
    out_text(out, "  }\n");
}

/* What a world imports or exports, in its order; its types stand for themselves. */
static void put_side(const struct world *world, struct out *out, enum world_side side)
{
    const struct cm_type *type = world->component->type;
    const struct cm_decls *list = side == WORLD_IMPORT ? &type->imports : &type->exports;
    const char *word = side == WORLD_IMPORT ? "import" : "export";
    const struct world_interface *self = &world->interfaces[0];
    for (uint32_t i = 0; i < list->count; i++) {
        const struct cm_decl *decl = &list->at[i];
        const char *why;
        struct world_item item = {.decl = decl, .name = name_parse(decl->name->text, &why)};
        if (decl->is.sort == SORT_INSTANCE) {
            put_interface(world, out, &world->interfaces[world->number[side][i]], word);
        } else if (decl->is.sort == SORT_FUNC && !item.name.resource.len) {
            out_format(out, "  %s ", word);
            put_func(out, self, &item);
        } else if (decl->is.sort != SORT_TYPE && decl->is.sort != SORT_FUNC) {
            out_format(out, "  // %s ", word);
            out_str(out, decl->name->text);
            out_format(out, ": a %s\n", cm_sort_text(decl->is.sort));
        }
    }
}

/* A package with those of its interfaces that the world names; told at the first of them. */
static void put_interfaces(const struct world *world, struct out *out, uint32_t first, bool *told)
{
    struct id id = id_of(world->interfaces[first].name);
    out_text(out, "\npackage ");
    put_path(out, id.package);
    put_version(out, id.version);
    out_text(out, " {\n");
    for (uint32_t i = first; i < world->ninterfaces; i++) {
        const struct world_interface *in = &world->interfaces[i];
        struct id other = id_of(in->name);
        if (told[i] || !in->has_id || !same_package(&id, &other))
            continue;
        told[i] = true;
        out_text(out, "  interface ");
        world_label(out, other.interface);
        out_text(out, " {\n");
        put_items(world, out, in);
        out_text(out, "  }\n");
    }
    out_text(out, "}\n");
}

#define PACKAGE "root:component"

/* The package of the world: one that none of its interfaces are of. The number behind PACKAGE; 1 is
 * told without it. `taken` has room for one more than there are interfaces. */
static uint32_t own_package(const struct world *world, bool *taken)
{
    const size_t len = sizeof PACKAGE - 1;
    for (uint32_t i = 1; i < world->ninterfaces; i++) {
        struct str package = id_of(world->interfaces[i].name).package;
        if (package.len < len || memcmp(package.at, PACKAGE, len) != 0)
            continue;
        uint32_t number = package.len == len;
        for (size_t k = len; k < package.len && number <= world->ninterfaces; k++) {
            uint32_t digit = (uint32_t)(package.at[k] - '0');
            number = digit > 9 ? world->ninterfaces + 1 : number * 10 + digit;
        }
        if (number && number <= world->ninterfaces)
            taken[number] = true;
    }
    uint32_t number = 1;
    while (taken[number])
        number++;
    return number;
}

int world_wit(const struct world *world, struct region *scratch, struct out *out, struct err *err)
{
    const struct cm_type *type = world->component->type;
    bool *told = region_array(scratch, bool, world->ninterfaces);
    bool *taken = region_array(scratch, bool, world->ninterfaces + 1);
    if (!told || !taken)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room to show a component's world");
    uint32_t number = own_package(world, taken);
    out_text(out, "package " PACKAGE);
    if (number > 1)
        out_format(out, "%u", number);
    out_text(out, ";\n\nworld root {\n");
    const struct world_interface *self = &world->interfaces[0];
    put_mentions(out, self);
    for (uint32_t i = 0; i < self->nitems; i++)
        if (self->items[i].decl->is.sort == SORT_TYPE)
            put_type(world, out, self, &self->items[i]);
    put_side(world, out, WORLD_IMPORT);
    if (type->imports.count && type->exports.count)
        out_char(out, '\n');
    put_side(world, out, WORLD_EXPORT);
    out_text(out, "}\n");
    for (uint32_t i = 1; i < world->ninterfaces; i++)
        if (world->interfaces[i].has_id && !told[i])
            put_interfaces(world, out, i, told);
    return 0;
}
