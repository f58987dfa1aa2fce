/* The process that holds the namespaces of a pod: a program of the shim's own, whatever the image
 * of the sandbox holds. Other containers of the pod, of other runtimes too, enter what it holds. */
#ifndef CARREL_SHIM_CONTAINERD_PAUSE_H
#define CARREL_SHIM_CONTAINERD_PAUSE_H

#include "shim/containerd/prepared.h"

/* Starts it, waiting in the namespaces of the specification: network by its path, ipc and uts new.
 * It ends with the shim. Returns its process id, and *ret_pidfd. Errors: FAULT. */
int pause_start(const struct prepared *prepared, int *ret_pidfd, struct err *err);

/* What the program does; never returns. */
_Noreturn void pause_run(void);

/* Its first argument. */
#define PAUSE_WORD "pause"

#endif
