/* libFuzzer on the translator: every body of a module that validates is translated, as the last
 * byte says with and without fuel, runs of fuse.def, traces and interruption, and some of its code
 * is found again where it came from. Nothing is executed. */
#include "engine/wasm/translate.h"
#include "engine/wasm/xop.h"

#include <stdlib.h>
#include <sys/mman.h>

#define REGION_SIZE ((size_t)1 << 28)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct region regions[2];
static handler_offset handlers[XOP_COUNT];

static struct region *ready(struct region *region)
{
    if (!region->base) {
        void *at = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED)
            abort();
        *region = region_of(at, REGION_SIZE);
        for (size_t i = 0; i < XOP_COUNT; i++)
            handlers[i] = (handler_offset)i;
    }
    region_release(region, region->base);
    return region;
}

static void translate(const struct module *module, uint8_t options, struct region *image,
                      struct region *scratch)
{
    struct err err = {0};
    struct translation translation = {
        .module = module,
        .handlers = handlers,
        .fuel = options & 1,
        .single = options & 2,
        .traced = options & 4,
        .onward = options & 8 ? handlers : NULL,
    };
    if (translate_prepare(module, handlers, image, &err) != 0 ||
        translate_all(&translation, image, &err) != 0)
        return;
    const struct code *code = *module->code;
    for (uint32_t i = 0; i < code->nranges && i < 4; i++) {
        const struct code_range *range = &code->ranges[i];
        if (code_find(code, range->start) != range->func)
            abort();
        translate_offset(&translation, range->func, range->start, scratch);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct region *image = ready(&regions[0]);
    struct region *scratch = ready(&regions[1]);
    struct types *types = types_new(image);
    const struct module *module =
        module_read((struct bytes){data, size}, data, types, image, scratch, NULL);
    if (module)
        translate(module, size ? data[size - 1] : 0, image, scratch);
    return 0;
}
