/* Hearing of a cell's system calls before they are made, by seccomp's user notification: for
 * `carrel trace` where no BPF program may be loaded. The filter that asks is installed by the child
 * of a launch, before the engine; it decides nothing, and the cell's own filter comes on top. */
#ifndef CARREL_SHIM_WITNESS_H
#define CARREL_SHIM_WITNESS_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>

/* Of the child: everything is told but what it needs itself to get to the engine. A call that the
 * cell's own filter kills for is not told. */
extern const struct sock_fprog witness_filter;

/* The listener that the child has sent through `socket`; -1: none. */
int witness_take(int socket);

/* Hears one call, and lets it go on. False if there was none after all. */
bool witness_hear(int listener, struct seccomp_data *ret);

#endif
