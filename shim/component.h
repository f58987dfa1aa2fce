/* The component as the shim has it: a sealed copy and its digest. The shim copies and hashes its
 * bytes and never looks into them. */
#ifndef CARREL_SHIM_COMPONENT_H
#define CARREL_SHIM_COMPONENT_H

#include "engine/base/err.h"
#include "policies/digest.h"
#include <stdint.h>

struct component {
    int memory;       /* a memory file that nobody can change any more; -1 if there is none */
    const char *name; /* as the operator called it; theirs */
    uint64_t size;
    uint8_t digest[DIGEST_SIZE]; /* SHA-256 */
};

/* Waits until `file`, a descriptor, has something to be read or is at its end; 0. Or says in *err
 * why that is no longer waited for; -1. */
typedef int component_wait(void *data, int file, struct err *err);

/* Copies the file at `path` once, hashing it on the way. What changes in the file afterwards
 * changes nothing. It may be a pipe: it is opened without waiting for its writer, and `wait` is
 * called before each read; it may be NULL for a file that is sure to be none. Of a folder, the WIT
 * text in it is copied (folder.h). Errors: ABSENT (no such file, or not a file), LIMIT (too large),
 * WALL, FAULT, and those of `wait`. */
int component_copy(const char *path, component_wait *wait, void *data, struct component *ret,
                   struct err *err);

/* Whether the copy still has every seal. */
int component_check(const struct component *component, struct err *err);

void component_close(struct component *component);

/* Writes all of these bytes, of a component or what goes with it. 0, or -1 and errno. */
int component_write(int fd, const void *bytes, size_t size);

#endif
