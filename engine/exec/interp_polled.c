/* The second set of handlers, for code that can be interrupted: branches, entries of functions, and
 * runs, which look at the flag. Stores are in interp_marked.c; everything else is the same in both
 * sets. */
#define INTERP_POLLED
#include "engine/exec/interp.h"

#define XOP(name)
#define XOP_POLLED(name) handler polled_##name;
#include "engine/wasm/xop.def"

#include "engine/exec/ops_simd.h"
#include "engine/exec/runs.h"

#define XOP(name)
#define XOP_POLLED(name) HANDLE(name)
#include "engine/wasm/xop_num.def"

#include "engine/wasm/xop_control.def"

#include "engine/wasm/xop_call.def"

#include "engine/wasm/xop_simd.def"

#include "engine/wasm/fuse.def"
#undef FUSE2
#undef FUSE3
#undef FUSE4
#undef XOP
#undef XOP_POLLED
