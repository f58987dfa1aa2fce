/* How a role divides the cell's arena, and the engine that it sets up there. */
#ifndef CARREL_CELL_GROUND_H
#define CARREL_CELL_GROUND_H

#include "engine/cell/role.h"
#include "engine/exec/vm.h"

struct ground {
    struct region image;   /* what is immutable: modules, types, code */
    struct region scratch; /* while decoding */
    void *store;           /* everything mutable */
    size_t store_size;
    struct types *types;
};

/* Divides the arena: what the guest may have, and the heap and stacks that go with it, to the
 * store; a share for each byte of the component to image and scratch. LIMIT if the arena is too
 * small. */
int ground_lay(const struct cell *cell, struct ground *ret, struct err *err);

/* How many bytes of an arena a component may take up itself, so that it can be read in what is
 * left: whole pages. */
size_t ground_spare(size_t arena);

/* To be called where reading the component failed: to need more than its share is a limit of this
 * implementation, and the component is refused; nothing that it was given is used up. Returns -1.
 */
int ground_refuses(struct err *err);

/* The store of the cell, with its limits. NULL: MEMORY. */
struct vm *ground_vm(const struct cell *cell, struct ground *ground, struct err *err);

/* A store in a part of the ground's: with these limits, but no more than fits there. `serving` is
 * the cell's, for a store that serves requests, or NULL. */
struct vm *ground_vm_at(const struct cell *cell, struct ground *ground, void *memory, size_t size,
                        const struct cell_serving *serving, struct err *err);

#endif
