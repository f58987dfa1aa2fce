/* Handlers of loads and stores, one for each operation. */
#include "engine/exec/ops_mem.h"

#define XOP(name) HANDLE(name)
#include "engine/wasm/xop_mem.def"
