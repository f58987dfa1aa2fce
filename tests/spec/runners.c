/* The runners of the whole replay program. */
#include "tests/spec/core_runner.h"

const struct runner *const runners[] = {&core_runner, NULL};
