/* The runner of components: decodes, validates, links and instantiates them, and calls their
 * exports. What needs canonical built-ins that are not provided yet is skipped. */
#ifndef CARREL_SPEC_COMPONENT_RUNNER_H
#define CARREL_SPEC_COMPONENT_RUNNER_H

#include "tests/spec/runner.h"

extern const struct runner component_runner;

#endif
