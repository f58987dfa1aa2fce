/* Directories as detached mount clones: a descriptor of a mount that is attached nowhere, so that
 * nothing above it exists for whoever holds it. See DESIGN §3, Directories. */
#ifndef CARREL_SHIM_MOUNT_H
#define CARREL_SHIM_MOUNT_H

#include "engine/base/err.h"
#include <stdint.h>

/* The host's directory `path`, which was judged as a path without links: if a link has taken the
 * place of a part of it since, that is ELOOP. Returns a descriptor (O_PATH), or -1 with errno;
 * ENOTDIR if it is no directory. */
int mount_source(const char *path);

/* Clones the mounts at and below the directory `source`, private, with the mount attributes
 * `attributes` (MOUNT_ATTR_*) on every one of them. Returns its descriptor; or -1 with errno, and
 * *ret_call names the system call that failed. */
int mount_clone(int source, uint64_t attributes, const char **ret_call);

/* Makes the owner of the mount's directory, user and group, appear as the host id `id`; all others
 * appear as nobody. Root only. 0, or -1 with errno as above. */
int mount_give_to(int mount, uint32_t id, const char **ret_call);

#endif
