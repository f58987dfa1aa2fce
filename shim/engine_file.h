/* Where the program is that runs in every cell. */
#ifndef CARREL_SHIM_ENGINE_FILE_H
#define CARREL_SHIM_ENGINE_FILE_H

#include "engine/base/err.h"
#include <limits.h>

/* Writes the path of the engine: `given` if that is not NULL, else carrel-engine beside the running
 * program, else that in ../libexec/carrel if
 * nobody else can write there, else the one that was installed. Whether it may be trusted is judged
 * by whoever opens it. Errors: FAULT, which says where it was looked for. */
int engine_file_find(const char *given, char ret[PATH_MAX], struct err *err);

#endif
