/* The files of a WIT package: one, or an archive of several with those that it needs: for a reader
 * only. */
#ifndef CARREL_CELL_WIT_FILES_H
#define CARREL_CELL_WIT_FILES_H

#include "engine/component/package.h"

/* Is it an archive of a package: files that end in ".wit" at its top, and no component there? */
bool wit_archive_is(struct bytes file);

/* Reads `file`, which is WIT text or such an archive; in that, a folder "deps" holds the packages
 * that it needs, as files or folders, and what is neither is passed over. Errors: MALFORMED, LIMIT,
 * MEMORY, with file, line and column. */
int wit_files_read(struct bytes file, struct region *region, struct wit_package *ret,
                   struct err *err);

#endif
