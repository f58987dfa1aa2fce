/* Components that are scripts, for the engine that obeys them (engine.c). */
#ifndef CARREL_TESTS_SHIM_SCRIPT_H
#define CARREL_TESTS_SHIM_SCRIPT_H

#include "shim/component.h"

/* Makes one; the program ends if that cannot be. component_close gives it back. */
void script_component(const char *script, struct component *ret);

#endif
