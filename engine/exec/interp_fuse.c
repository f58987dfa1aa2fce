/* Handlers of runs of operators. */
#include "engine/exec/runs.h"

#include "engine/wasm/fuse.def"
