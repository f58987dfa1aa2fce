/* Handlers of globals, references, tables and memories as a whole, one for each operation. */
#include "engine/exec/ops_store.h"

#define XOP(name) HANDLE(name)
#include "engine/wasm/xop_store.def"
