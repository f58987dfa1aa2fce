/* The runner of core modules: decodes, validates, instantiates and executes them. */
#ifndef CARREL_SPEC_CORE_RUNNER_H
#define CARREL_SPEC_CORE_RUNNER_H

#include "tests/spec/runner.h"

extern const struct runner core_runner;

#endif
