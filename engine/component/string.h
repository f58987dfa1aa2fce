/* Strings between guests and the host (CanonicalABI.md: load_string, store_string and what they
 * call), with the exact calls of realloc that the specification has. */
#ifndef CARREL_COMPONENT_STRING_H
#define CARREL_COMPONENT_STRING_H

#include "engine/component/lift.h"
#include "engine/component/lower.h"

/* Lifts the string of `units` code units, as the guest tags them, at `at`. False: it trapped. */
bool string_lift(struct cm_lift *lift, uint32_t at, uint32_t units, struct str *to);

/* Lowers a string of any form; gives what the guest is told. */
bool string_lower(struct cm_lower *lower, struct str from, uint32_t *ret_at, uint32_t *ret_units);

#endif
