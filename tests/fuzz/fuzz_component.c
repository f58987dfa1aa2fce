/* libFuzzer on the decoder and validator of components, and on what reads a valid one: demand,
 * names, types as text. What a reader finds that only goes over the code is the same demand. */
#include "engine/component/demand.h"
#include "engine/component/show.h"

#include <stdlib.h>
#include <sys/mman.h>

#define REGION_SIZE ((size_t)1 << 30)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct region regions[2];

static struct region *ready(struct region *region)
{
    if (!region->base) {
        void *at = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED)
            abort();
        *region = region_of(at, REGION_SIZE);
    }
    region_release(region, region->base);
    return region;
}

/* How many, and a hash of what is told. */
struct seen {
    size_t count;
    uint64_t hash;
};

static void demanded(void *data, const struct cm_demand *demand)
{
    struct seen *seen = data;
    if (!demand->name.len && !demand->interface.len)
        abort();
    seen->count++;
    seen->hash = (seen->hash ^ (demand->reachable + 2u * demand->drop)) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < demand->name.len; i++)
        seen->hash = (seen->hash ^ (uint8_t)demand->name.at[i]) * UINT64_C(0x100000001b3);
}

/* Every export is found by its name, and its type can be shown. */
static void look_at(const struct cm_decls *decls)
{
    char text[200];
    for (uint32_t i = 0; i < decls->count && i < 100; i++) {
        if (cm_decl_find(decls, decls->at[i].name) != &decls->at[i])
            abort();
        cm_show_extern(&(struct cm_text){text, sizeof text, 0}, &decls->at[i].is);
    }
}

/* The demand of what another cell is to validate; 0 if it is not well-formed. */
static struct seen scan(struct bytes bytes)
{
    struct region *image = ready(&regions[0]);
    struct region *scratch = ready(&regions[1]);
    struct err err = {0};
    struct seen seen = {0};
    struct cm_types *types = cm_types_new(image, types_new(image));
    const struct component *component = component_scan(bytes, bytes.at, types, scratch, &err);
    if (component)
        cm_demand(component, scratch, demanded, &seen);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen scanned = scan((struct bytes){data, size});
    struct region *image = ready(&regions[0]);
    struct region *scratch = ready(&regions[1]);
    struct err err = {0};
    struct types *core = types_new(image);
    struct cm_types *types = cm_types_new(image, core);
    types->noted = true;
    const struct component *component =
        component_read((struct bytes){data, size}, data, types, scratch, &err);
    if (!component != (err.kind != ERR_NONE) || scratch->at != scratch->base)
        abort();
    if (err.kind == ERR_FAULT || (err.kind != ERR_NONE && err.offset > size))
        abort();
    if (!component)
        return 0;
    struct seen seen = {0};
    cm_demand(component, scratch, demanded, &seen);
    if (memcmp(&seen, &scanned, sizeof seen) != 0)
        abort();
    component_name(component);
    look_at(&component->type->imports);
    look_at(&component->type->exports);
    return 0;
}
