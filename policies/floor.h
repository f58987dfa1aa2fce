/* The part of a filter that libseccomp cannot say: it compares an argument once, and a descriptor
 * must be below 2^31 as well as DESCRIPTOR_FIRST or more. This is the second half. */
#ifndef CARREL_POLICIES_FLOOR_H
#define CARREL_POLICIES_FLOOR_H

#include "policies/syscall.h"
#include <linux/filter.h>
#include <stddef.h>

/* More than the code for any set needs. */
#define FLOOR_MAX 64

/* Writes code that kills the process for a call of `set` whose descriptor is too low, and otherwise
 * goes on behind its end; the number of instructions, 0 if no rule wants one. It allows nothing,
 * and looks at arguments only of the calls that it is about. */
size_t floor_code(rule_set set, struct sock_filter *ret);

#endif
