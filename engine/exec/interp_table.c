/* The handler table, by enum xop. */
#include "engine/exec/interp.h"

const void *const interp_handlers[XOP_COUNT] = {
#define XOP(name) [XOP_##name] = (const void *)(uintptr_t)xop_##name,
#include "engine/wasm/xop.def"
};
