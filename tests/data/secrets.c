/* A component of the proxy world for tests/serve.mjs: writes a secret wherever it can, and looks
 * for one that a request before may have left there. 200: there was none; 418: there was. */
#include <stdint.h>

typedef int32_t handle;
#define IMPORT(name) __attribute__((import_module("wasi:http/types@0.2.12"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

IMPORT("[constructor]fields") handle fields_new(void);
IMPORT("[constructor]outgoing-response") handle response_new(handle headers);
IMPORT("[method]outgoing-response.set-status-code")
int32_t set_status(handle response, int32_t status);
IMPORT("[static]response-outparam.set")
void outparam_set(handle param, int32_t tag, int32_t response, int32_t a, int64_t b, int32_t c,
                  int32_t d, int32_t e, int32_t f);

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, uint32_t old_size, uint32_t align, uint32_t size)
{
    (void)old, (void)old_size, (void)align, (void)size;
    return 0; /* nothing comes in */
}

extern uint8_t __heap_base;
enum { PAGE = 65536 };
static volatile uint32_t kept; /* in a page with other data */
static const uint64_t secret = 0x53e11a5e5ec4e700;

static uint8_t *end(void)
{
    return (uint8_t *)(__builtin_wasm_memory_size(0) * PAGE);
}

static uint64_t *begin(void)
{
    return (uint64_t *)(((uintptr_t)&__heap_base + 7) & ~(uintptr_t)7);
}

/* Is it anywhere, in memory that was there or in memory that is new? */
static int found(void)
{
    int is = kept != 0;
    __builtin_wasm_memory_grow(0, 3);
    for (volatile uint64_t *at = begin(); (uint8_t *)at < end(); at++)
        is |= *at == secret + 1;
    return is;
}

EXPORT("wasi:http/incoming-handler@0.2.12#handle")
void handle_request(handle request, handle outparam)
{
    (void)request;
    handle response = response_new(fields_new());
    set_status(response, found() ? 418 : 200);
    __builtin_wasm_memory_grow(0, 2);
    kept = 1;
    for (volatile uint64_t *at = begin(); (uint8_t *)at < end(); at++)
        *at = secret + 1;
    outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
}
