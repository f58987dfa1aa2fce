/* The rows of wasi.def and p1.def as data: what a component can import, and what follows from it.
 */
#ifndef CARREL_POLICIES_ROW_H
#define CARREL_POLICIES_ROW_H

#include "policies/syscall.h"

enum row {
#define ROW(name) ROW_##name,
#include "policies/row.def"
    ROW_COUNT
};

enum row_kind { ROW_FUNCTION, ROW_DROP, ROW_EXPORT, ROW_PREVIEW1 };

/* Is there an implementation? */
enum row_state { ROW_PROVIDED, ROW_LATER };

struct row_info {
    enum row_kind kind;
    const char *interface; /* "wasi:io/streams", "wasi_snapshot_preview1"; one pointer for each */
    const char *name;      /* "[method]input-stream.read"; of a drop, the resource's */
    enum capability capability;
    rule_set rules; /* each goes into the filter only if its own capability is granted as well */
    enum row_state state;
};

extern const struct row_info row_infos[ROW_COUNT];

#endif
