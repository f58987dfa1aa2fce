/* What the keeper's process cannot do. */
#ifndef CARREL_KEEPER_WALLS_H
#define CARREL_KEEPER_WALLS_H

#include "engine/base/err.h"

/* Before the store is opened: no rights of a superuser, no new ones, and of all files those in
 * `folder` alone, where the kernel has Landlock. */
int walls_around(const char *folder, struct err *err);

/* Before a cell is listened to: the system calls that reading and writing the store takes. */
int walls_close(struct err *err);

#endif
