/* Telling the shim of every instruction before it is carried out, for --trace-wasm. */
#ifndef CARREL_CELL_TRACE_H
#define CARREL_CELL_TRACE_H

#include "engine/exec/vm.h"

/* Before anything runs. */
void trace_begin(struct vm *vm);

#endif
