/* Handlers of scalar arithmetic, one for each operation. */
#include "engine/exec/ops_num.h"

#define XOP(name) HANDLE(name)
#include "engine/wasm/xop_num.def"
