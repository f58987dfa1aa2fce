/* The walls that a cell builds itself, before it looks at its first untrusted byte. */
#ifndef CARREL_CELL_LOCKDOWN_H
#define CARREL_CELL_LOCKDOWN_H

#include "engine/cell/order.h"

/* Gives back the arena beyond what the order leaves, installs Landlock, then the filter. Afterwards
 * the cell can do what its filter allows, for good. `missing` are the walls that already failed at
 * the start. Returns those that are missing and may be; a wall that may not be ends the cell. */
uint32_t lockdown(const struct order *order, void *arena, size_t size, uint32_t missing);

#endif
