/* The component as the shim has it: a sealed copy and its digest. The shim copies and hashes its
 * bytes and never looks into them. */
#ifndef CARREL_SHIM_COMPONENT_H
#define CARREL_SHIM_COMPONENT_H

#include "engine/base/err.h"
#include <stdint.h>

#define DIGEST_SIZE 32

struct component {
    int memory;       /* a memory file that nobody can change any more; -1 if there is none */
    const char *name; /* as the operator called it; theirs */
    uint64_t size;
    uint8_t digest[DIGEST_SIZE]; /* SHA-256 */
};

/* Copies the file at `path` once, hashing it on the way. What changes in the file afterwards
 * changes nothing. Errors: ABSENT (no such file, or not a file), LIMIT (too large), WALL, FAULT. */
int component_copy(const char *path, struct component *ret, struct err *err);

/* Whether the copy still has every seal. */
int component_check(const struct component *component, struct err *err);

void component_close(struct component *component);

#endif
