/* Handlers of vectors, one for each operation. */
#include "engine/exec/ops_simd.h"

#define XOP(name) HANDLE(name)
#include "engine/wasm/xop_simd.def"
