/* libFuzzer on the decoder and validator of core modules, and on what reads a valid module: names,
 * exports, and every instruction of every body. */
#include "engine/wasm/insn.h"

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

/* A body that was validated is read again without a failure, up to its last byte. */
static void read_body(const struct module *module, const struct function *func, struct err *err)
{
    struct reader r = reader_of((struct bytes){func->body, func->body_len}, module->file, err);
    uint32_t nruns = reader_u32(&r);
    for (uint32_t i = 0; i < nruns; i++) {
        reader_u32(&r);
        valtype_read(&r, module);
    }
    struct insn insn = {0};
    while (reader_ok(&r) && !reader_at_end(&r))
        insn_read(&r, module, &insn);
    if (!reader_ok(&r) || insn.op != OP_END)
        abort();
}

static void look_around(const struct module *module)
{
    struct err err = {0};
    for (uint32_t i = 0; i < module->nexports; i++)
        if (module_export(module, module->exports[i].name) != &module->exports[i])
            abort();
    for (uint32_t i = 0; i < module->nfuncs && i < 50; i++)
        module_func_name(module, i);
    for (uint32_t i = module->imported_funcs; i < module->nfuncs; i++)
        read_body(module, &module->funcs[i], &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct region *image = ready(&regions[0]);
    struct region *scratch = ready(&regions[1]);
    struct err err = {0};
    struct types *types = types_new(image);
    const struct module *module =
        module_read((struct bytes){data, size}, data, types, image, scratch, &err);
    if (!module != (err.kind != ERR_NONE) || scratch->at != scratch->base)
        abort();
    if (module)
        look_around(module);
    return 0;
}
