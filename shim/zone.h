/* Time zones of the host, as tables for cells (--timezone). */
#ifndef CARREL_SHIM_ZONE_H
#define CARREL_SHIM_ZONE_H

#include "engine/base/err.h"

/* The table of a zone by its name in the host's database, as engine/wasi/zone.h reads it; "local"
 * is the host's own. Owned by the caller. NULL, and USAGE: there is no such zone; FAULT: no memory.
 */
char *zone_table(const char *name, struct err *err);

#endif
