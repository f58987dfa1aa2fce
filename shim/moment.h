/* Reading and writing descriptions that others share, which therefore cannot be made non-blocking:
 * poll has promised something, not how much, and another may have been faster. An alarm ends what
 * blocks all the same: the shim waits for nobody. */
#ifndef CARREL_SHIM_MOMENT_H
#define CARREL_SHIM_MOMENT_H

#include <stdbool.h>
#include <sys/types.h>

/* As read and write; EINTR if it took longer than a moment. */
ssize_t moment_read(int fd, void *bytes, size_t size);
ssize_t moment_write(int fd, const void *bytes, size_t size);

/* Puts a line on standard error, if there is room for it: a cell could fill that pipe, too, and
 * nobody may read it. False if it was not said. */
bool moment_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
