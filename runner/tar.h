/* Writing a tar archive (POSIX.1-2017, pax, "ustar Interchange Format"): regular files and
 * directories of root's, without times, so that the same files make the same archive. */
#ifndef CARREL_RUNNER_TAR_H
#define CARREL_RUNNER_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK 512

/* The block in front of a file of `size` bytes, or, if the name ends with "/", of a directory.
 * False if the name has more than 99 bytes. */
bool tar_head(const char *name, uint64_t size, unsigned mode, uint8_t ret[TAR_BLOCK]);

/* How many zero bytes follow a file of that size. */
static inline size_t tar_padding(uint64_t size)
{
    return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

/* Zero bytes at the end of an archive. */
#define TAR_END ((size_t)(2 * TAR_BLOCK))

#endif
