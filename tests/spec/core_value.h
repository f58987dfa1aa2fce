/* Values of core scripts: reading arguments into slots, comparing results. */
#ifndef CARREL_SPEC_CORE_VALUE_H
#define CARREL_SPEC_CORE_VALUE_H

#include "engine/exec/vm.h"
#include "tests/spec/script.h"

/* Reads an argument into one slot, or two for a v128. False: not a value that can be given. */
bool value_read(struct json_object *json, union slot *slots);

/* Is the value of this type in `slots` one that the script expects? If not, `text` describes it. */
bool value_matches(const struct vm *vm, struct json_object *expected, valtype type,
                   const union slot *slots, char *text, size_t size);

#endif
