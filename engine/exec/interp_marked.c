/* The second set of handlers (interp_polled.c): stores, which mark the pages that they write to. */
#define INTERP_POLLED
#include "engine/exec/interp.h"

#define XOP(name)
#define XOP_POLLED(name) handler polled_##name;
#include "engine/wasm/xop_mem.def"

#include "engine/wasm/xop_simd_mem.def"
#undef XOP_POLLED

#include "engine/exec/ops_mem.h"
#include "engine/exec/ops_simd_mem.h"

#define XOP_POLLED(name) HANDLE(name)
#include "engine/wasm/xop_mem.def"

#include "engine/wasm/xop_simd_mem.def"
#undef XOP
#undef XOP_POLLED
