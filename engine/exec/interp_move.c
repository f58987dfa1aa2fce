/* Handlers of moving values, one for each operation. */
#include "engine/exec/ops_move.h"

#define XOP(name) HANDLE(name)
#include "engine/wasm/xop_move.def"
