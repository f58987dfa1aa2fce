/* Handlers of structures, arrays, i31 and casts, one for each operation. */
#include "engine/exec/ops_gc.h"

#define XOP(name) HANDLE(name)
#include "engine/wasm/xop_gc.def"
#undef XOP
