/* Telling the shim of a trap: what it was and where, in the component's own names. */
#ifndef CARREL_CELL_BACKTRACE_H
#define CARREL_CELL_BACKTRACE_H

#include "engine/exec/vm.h"

/* What is known of a trap besides its kind, cut to its place: its text, and which value it is
 * about. */
void trap_words(const struct trap *trap, char *to, size_t size);

/* Tells the trap of the fiber that ended last. */
void tell_backtrace(const struct vm *vm);

#endif
