/* A folder of WIT text, as bytes like those of a file: a tar archive (POSIX.1, ustar), the same for
 * the same files whenever it is made. Only names and sizes are looked at. */
#ifndef CARREL_SHIM_FOLDER_H
#define CARREL_SHIM_FOLDER_H

#include "engine/base/err.h"
#include <stddef.h>

#define FOLDER_FILES 4096 /* that one may have, in all */

/* Takes the next bytes of the archive. 0, or -1 and *err. */
typedef int folder_put(void *data, const void *bytes, size_t size, struct err *err);

/* Puts the files NAME.wit, deps/NAME.wit and deps/FOLDER/NAME.wit of `folder`, a descriptor that
 * stays the caller's, in the order of their names. Links lead nowhere out of it. Errors: ABSENT if
 * there is no NAME.wit, or what is called so is no file that can be read, LIMIT, and those of
 * `put`.
 */
int folder_pack(int folder, folder_put *put, void *data, struct err *err);

#endif
