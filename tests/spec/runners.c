/* The runners of the whole replay program. */
#include "tests/spec/component_runner.h"
#include "tests/spec/core_runner.h"

const struct runner *const runners[] = {&component_runner, &core_runner, NULL};
