/* Handlers of branches, one for each operation. */
#include "engine/exec/ops_control.h"

#define XOP(name) HANDLE(name)
#include "engine/wasm/xop_control.def"
