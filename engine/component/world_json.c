/* The world as members of a JSON object; see world.h. */
#include "engine/component/world.h"

static void put_string(struct out *out, struct str text)
{
    out_json(out, (struct bytes){(const uint8_t *)text.at, text.len});
}

static void put_names(struct out *out, const char *member, const struct cm_decls *list)
{
    out_format(out, "\"%s\":[", member);
    for (uint32_t i = 0; i < list->count; i++) {
        out_text(out, i ? "," : "");
        put_string(out, list->at[i].name->text);
    }
    out_char(out, ']');
}

/* Labels and keywords only, so nothing in it needs escaping. */
static void put_func(struct out *out, const struct world_interface *in,
                     const struct world_item *item)
{
    const struct cm_type *func = item->decl->is.type;
    out_text(out, "{\"name\":");
    put_string(out, item->decl->name->text);
    out_format(out, ",\"type\":\"%sfunc", func->async ? "async " : "");
    world_signature(out, in, func, 0, false);
    out_text(out, "\"}");
}

static void put_type(const struct world *world, struct out *out, const struct world_item *item)
{
    const struct world_item *origin = world_origin(world, item);
    out_text(out, "{\"name\":");
    put_string(out, item->decl->name->text);
    out_format(out, ",\"kind\":\"%s\"", cm_kind_text(item->decl->is.type->kind));
    if (origin) {
        out_text(out, ",\"is\":{\"interface\":");
        put_string(out, world->interfaces[origin->interface].name);
        out_text(out, ",\"name\":");
        put_string(out, origin->decl->name->text);
        out_char(out, '}');
    }
    out_char(out, '}');
}

static void put_interface(const struct world *world, struct out *out,
                          const struct world_interface *in)
{
    out_text(out, "{\"name\":");
    put_string(out, in->name);
    out_format(out, ",\"imported\":%s,\"exported\":%s,\"types\":[",
               in->side[WORLD_IMPORT] ? "true" : "false",
               in->side[WORLD_EXPORT] ? "true" : "false");
    uint32_t i = 0;
    for (; i < in->nitems && in->items[i].decl->is.sort == SORT_TYPE; i++) {
        out_text(out, i ? "," : "");
        put_type(world, out, &in->items[i]);
    }
    out_text(out, "],\"functions\":[");
    for (uint32_t first = i; i < in->nitems; i++) {
        out_text(out, i > first ? "," : "");
        put_func(out, in, &in->items[i]);
    }
    out_text(out, "]}");
}

void world_json(const struct world *world, struct out *out)
{
    const struct cm_type *type = world->component->type;
    put_names(out, "imports", &type->imports);
    out_char(out, ',');
    put_names(out, "exports", &type->exports);
    out_text(out, ",\"world\":");
    put_interface(world, out, &world->interfaces[0]);
    out_text(out, ",\"interfaces\":[");
    for (uint32_t i = 1; i < world->ninterfaces; i++) {
        out_text(out, i > 1 ? ",\n" : "\n");
        put_interface(world, out, &world->interfaces[i]);
    }
    out_char(out, ']');
}
