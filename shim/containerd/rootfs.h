/* The root file system of a container: mounted for as long as it takes to copy the component out of
 * it. */
#ifndef CARREL_SHIM_CONTAINERD_ROOTFS_H
#define CARREL_SHIM_CONTAINERD_ROOTFS_H

#include "shim/containerd/bundle.h"

/* Enters a mount namespace that ends with this process, and carries the mounts of a create_request
 * out there, in their order, read-only. Errors: FAULT. */
int rootfs_mount(struct bytes mounts, const char *root, struct err *err);

/* Writes a path to the file that the first argument names, as it is seen from inside the root file
 * system: links in an image lead nowhere else. A name without a slash is looked for in PATH, then
 * in the working directory. The file stays open. Errors: ABSENT. */
int rootfs_find(const struct bundle *bundle, const char *root, const struct prepared *prepared,
                char ret[64], struct err *err);

#endif
