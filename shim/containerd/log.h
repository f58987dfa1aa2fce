/* Lines for containerd's log, in its form (logfmt), on standard error. */
#ifndef CARREL_SHIM_CONTAINERD_LOG_H
#define CARREL_SHIM_CONTAINERD_LOG_H

#include "engine/base/attr.h"

/* One line about the container `id`. Never waits: what finds no room is lost. */
void log_line(const char *level, const char *id, const char *format, ...) PRINTF(3, 4);

#endif
