/* Handlers of loads and stores of vectors, one for each operation. */
#include "engine/exec/ops_simd_mem.h"

#define XOP(name) HANDLE(name)
#include "engine/wasm/xop_simd_mem.def"
